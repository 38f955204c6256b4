// SPDX-License-Identifier: GPL-2.0
/*
 * A compiler may inline a function into its callers, and the hook on it is
 * armed all the same and never fires. So some sockets are opened, connected
 * over loopback and closed, and what is recorded of them must be what the
 * kernel says of them: of those very sockets, as others may use the same
 * ports. While that lasts a table of its own stands in for that of
 * init_net; it and all that was recorded in it goes before the sockets of
 * the machine are counted.
 *
 * What cannot be done, for want of memory, of an address or of time, says
 * nothing, and is tried again later.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include "selftest.h"

#include <linux/delay.h>
#include <linux/in.h>
#include <linux/in6.h>
#include <linux/inetdevice.h>
#include <linux/jiffies.h>
#include <linux/net.h>
#include <linux/netdevice.h>
#include <linux/rcupdate.h>
#include <net/addrconf.h>
#include <net/inet_hashtables.h>
#include <net/inet_sock.h>
#include <net/inet_timewait_sock.h>
#include <net/net_namespace.h>
#include <net/sock.h>

#include "compat.h"
#include "netns.h"
#include "probe.h"
#include "row.h"
#include "socks.h"

/* Loopback delivers in softirq, at once or soon. */
#define PATIENCE HZ

/* Between two trials of what could not be done. */
#define PAUSE_MIN HZ
#define PAUSE_MAX (60 * HZ)

/**
 * struct selftest - what is known of the hooks
 * @tried4: they were tried over IPv4
 * @tried6: they were tried over IPv6
 * @told: that they were not
 * @pause: before the next trial
 * @next: when it is
 *
 * Written by whoever runs the self-test, one at a time.
 */
struct selftest {
	bool tried4;
	bool tried6;
	bool told;
	unsigned long pause;
	unsigned long next;
};

static struct selftest selftest = { .pause = PAUSE_MIN };

/**
 * struct trial - sockets that exercise the hooks
 * @family: of the sockets
 * @missed: events that hooks had lost before
 * @untracked: times that memory had been short before
 * @port: of the listener
 * @peer: of the client
 * @listener: a socket, as are the others; NULL when there is none
 * @client: that connects to it
 * @server: the client's other end
 * @lost: something was lost meanwhile, so that what was not seen says nothing
 * @again: another hook was armed, which is to be tried
 */
struct trial {
	int family;
	u64 missed;
	u64 untracked;
	u16 port;
	u16 peer;
	struct socket *listener;
	struct socket *client;
	struct socket *server;
	bool lost;
	bool again;
};

/* Waits until something is so, and says whether it came to that. */
#define soon(condition)							\
({									\
	unsigned long deadline = jiffies + PATIENCE;			\
	bool so;							\
									\
	while (!(so = (condition)) && time_before(jiffies, deadline))	\
		usleep_range(500, 1000);				\
	so;								\
})

/* Does the loopback device of init_net have an address, and is it up? */
static bool loopback_has(int family)
{
	const struct net_device *lo = init_net.loopback_dev;
	bool has = false;

	if (!(READ_ONCE(lo->flags) & IFF_UP))
		return false;
	rcu_read_lock();
	if (family == AF_INET) {
		const struct in_device *in = __in_dev_get_rcu(lo);

		has = in && rcu_access_pointer(in->ifa_list);
	}
#if IS_ENABLED(CONFIG_IPV6)
	if (family == AF_INET6) {
		const struct inet6_dev *in6 = rcu_dereference(lo->ip6_ptr);

		has = in6 && !list_empty(&in6->addr_list);
	}
#endif
	rcu_read_unlock();
	return has;
}

/* Returns the length of the address. */
static int loopback(int family, u16 port, struct sockaddr_storage *address)
{
	struct sockaddr_in6 *in6 = (void *)address;
	struct sockaddr_in *in = (void *)address;

	memset(address, 0, sizeof(*address));
	address->ss_family = family;
	if (family == AF_INET6) {
		in6->sin6_port = htons(port);
		in6->sin6_addr.s6_addr[15] = 1;
		return sizeof(*in6);
	}
	in->sin_port = htons(port);
	in->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return sizeof(*in);
}

/*
 * A socket of the kernel; but not of MPTCP: lockdep would take the lock of its
 * subflow, which is one of the kernel as well, for its own.
 */
static struct socket *open(int family, int type, int protocol)
{
	struct socket *sock;

	if (__sock_create(&init_net, family, type, protocol, &sock,
			  protocol != IPPROTO_MPTCP))
		return NULL;
	return sock;
}

static bool bind(struct socket *sock, u16 port)
{
	struct sockaddr_storage address;
	int size = loopback(sock->sk->sk_family, port, &address);

	return !kernel_bind(sock, (struct sockaddr_unsized *)&address, size);
}

static void connect(struct socket *sock, u16 port)
{
	struct sockaddr_storage address;
	int size = loopback(sock->sk->sk_family, port, &address);

	kernel_connect(sock, (struct sockaddr_unsized *)&address, size,
		       O_NONBLOCK);
}

static void disconnect(struct socket *sock)
{
	struct sockaddr_storage address;
	int size = loopback(sock->sk->sk_family, 0, &address);

	address.ss_family = AF_UNSPEC;
	kernel_connect(sock, (struct sockaddr_unsized *)&address, size, 0);
}

static u16 local_port(const struct socket *sock)
{
	return inet_sk(sock->sk)->inet_num;
}

/* Without a connection that would outlive it. */
static void close(struct socket **sock)
{
	if (!*sock)
		return;
	sock_no_linger((*sock)->sk);
	sock_release(*sock);
	*sock = NULL;
}

static bool is_recorded(const void *sk, u8 proto, u16 port, u8 state)
{
	struct portsock_holding h;

	return portsock_sock_recorded(sk, &h) && h.proto == proto &&
	       h.port == port && h.state == state;
}

static bool came(const void *sk, enum portsock_how how)
{
	struct portsock_holding h;

	return portsock_sock_recorded(sk, &h) && h.how == how;
}

static bool is_unknown(const void *sk)
{
	struct portsock_holding h;

	return !portsock_sock_recorded(sk, &h);
}

static bool has_lost(struct trial *trial)
{
	trial->lost |= !portsock_kprobes_fire() ||
		       portsock_probes_missed() != trial->missed ||
		       portsock_socks_untracked() != trial->untracked;
	return trial->lost;
}

/* Something happened to a socket of these protocols, and was not seen. */
static void blame(struct trial *trial, const char *symbol, const char *what,
		  unsigned long protos)
{
	if (!has_lost(trial))
		trial->again |= portsock_probes_replace(symbol, what, protos);
}

/* Something happened: was it seen? If not, this hook is to blame. */
static void expect(struct trial *trial, bool seen, const char *what,
		   const char *symbol)
{
	if (!seen)
		blame(trial, symbol, what, ~0UL);
}

static void expect_call(struct trial *trial, const char *what,
			const char *symbol)
{
	expect(trial, portsock_probes_called(symbol), what, symbol);
}

/*
 * Of raw and ICMP sockets this is called by its address; of others by
 * udp_disconnect(), into which a compiler may inline it.
 */
static void expect_disconnect(struct trial *trial, unsigned long protos)
{
	if (!portsock_probes_called("__udp_disconnect"))
		blame(trial, "__udp_disconnect",
		      "disconnect() of a datagram socket", protos);
}

static bool try_listener(struct trial *trial)
{
	struct socket *sock = open(trial->family, SOCK_STREAM, IPPROTO_TCP);

	trial->listener = sock;
	if (!sock)
		return false;
	expect_call(trial, "socket()", "security_socket_post_create");
	if (!bind(sock, 0))
		return false;
	trial->port = local_port(sock);
	expect(trial,
	       is_recorded(sock->sk, PORTSOCK_TCP, trial->port, TCP_CLOSE),
	       "bind()", "inet_bind_hash");
	if (kernel_listen(sock, 8))
		return false;
	expect(trial,
	       is_recorded(sock->sk, PORTSOCK_TCP, trial->port, TCP_LISTEN),
	       "listen()", "inet_sock_set_state");
	return true;
}

/* It has all addresses, but one device, so that nobody comes from outside. */
static void try_unbound_listener(struct trial *trial)
{
	struct socket *sock = open(trial->family, SOCK_STREAM, IPPROTO_TCP);

	if (sock && !sock_bindtoindex(sock->sk, LOOPBACK_IFINDEX, true) &&
	    !kernel_listen(sock, 1))
		expect(trial,
		       is_recorded(sock->sk, PORTSOCK_TCP, local_port(sock),
				   TCP_LISTEN),
		       "listen() of an unbound socket", "inet_bind_hash");
	close(&sock);
}

static bool is_client(const struct trial *trial, const struct socket *server)
{
	return ntohs(inet_sk(server->sk)->inet_dport) == trial->peer;
}

/* Others may connect to the listener, too. */
static bool accepted(struct trial *trial)
{
	while (!kernel_accept(trial->listener, &trial->server, O_NONBLOCK)) {
		if (is_client(trial, trial->server))
			return true;
		close(&trial->server);
	}
	trial->server = NULL;
	return false;
}

/* From a port that the kernel chooses, or from @port. */
static bool try_connection(struct trial *trial, u16 port)
{
	struct socket *sock = open(trial->family, SOCK_STREAM, IPPROTO_TCP);
	struct portsock_holding h;

	trial->client = sock;
	if (!sock)
		return false;
	if (port) {
		sock_set_reuseaddr(sock->sk);
		if (!bind(sock, port))
			return false;
		expect(trial,
		       !portsock_sock_recorded(sock->sk, &h) || h.service,
		       "bind() to a certain port", "inet_csk_get_port");
	}
	connect(sock, trial->port);
	if (!soon(READ_ONCE(sock->sk->sk_state) == TCP_ESTABLISHED))
		return false;
	trial->peer = local_port(sock);
	expect(trial,
	       is_recorded(sock->sk, PORTSOCK_TCP, trial->peer,
			   TCP_ESTABLISHED),
	       "a connection that was made", "inet_sock_set_state");
	expect(trial, came(sock->sk, PORTSOCK_CONNECTED), "connect()",
	       "tcp_fastopen_defer_connect");
	if (!soon(accepted(trial)))
		return false;
	sock = trial->server;
	expect(trial,
	       is_recorded(sock->sk, PORTSOCK_TCP, trial->port,
			   TCP_ESTABLISHED) &&
	       came(sock->sk, PORTSOCK_ACCEPTED),
	       "a connection that came in", "inet_sock_set_state");
	expect_call(trial, "accept()", "security_sock_graft");
	return true;
}

static bool is_mini(const struct trial *trial, const struct sock *sk)
{
	return sk->sk_state == TCP_TIME_WAIT &&
	       sk->sk_family == trial->family &&
	       ntohs(sk->sk_dport) == trial->peer;
}

/* What is left of the connection in the listener's bind bucket, referenced. */
static struct sock *mini_get(const struct trial *trial)
{
	struct inet_hashinfo *hashinfo = init_net.ipv4.tcp_death_row.hashinfo;
	struct inet_bind_hashbucket *head;
	struct portsock_owners *owners;
	struct inet_bind_bucket *tb;
	struct sock *sk;

	head = &hashinfo->bhash[inet_bhashfn(&init_net, trial->port,
					     hashinfo->bhash_size)];
	spin_lock_bh(&head->lock);
	inet_bind_bucket_for_each(tb, &head->chain) {
		if (tb->port != trial->port || !net_eq(ib_net(tb), &init_net))
			continue;
		for (owners = portsock_owners_first(tb); owners;
		     owners = portsock_owners_next(owners))
			hlist_for_each_entry(sk, &owners->owners, sk_bind_node)
				if (is_mini(trial, sk) &&
				    refcount_inc_not_zero(&sk->sk_refcnt))
					goto found;
	}
	sk = NULL;
found:
	spin_unlock_bh(&head->lock);
	return sk;
}

/* Both ends are done with the connection. Its address, for sure nobody's. */
static const void *mini_begun(const struct trial *trial)
{
	struct sock *sk = mini_get(trial);
	bool begun;

	begun = sk && READ_ONCE(inet_twsk(sk)->tw_substate) == TCP_TIME_WAIT;
	if (sk)
		sock_gen_put(sk);
	return begun ? sk : NULL;
}

static bool mini_ended(const struct trial *trial)
{
	struct sock *sk = mini_get(trial);

	if (sk)
		sock_gen_put(sk);
	return !sk;
}

/* Where another connection did not end it. */
static void mini_end(const struct trial *trial)
{
	struct sock *sk = mini_get(trial);

	if (sk)
		inet_twsk_deschedule_put(inet_twsk(sk));
}

/* This side closes first, and has the mini-socket. */
static const void *try_time_wait(struct trial *trial)
{
	const void *tw = NULL;
	bool begun;

	sock_release(trial->server);
	trial->server = NULL;
	sock_release(trial->client);
	trial->client = NULL;
	begun = soon((tw = mini_begun(trial)));
	if (begun)
		expect(trial,
		       is_recorded(tw, PORTSOCK_TCP, trial->port,
				   TCP_TIME_WAIT),
		       "the beginning of TIME_WAIT", PORTSOCK_TWSK_HASHDANCE);
	return tw;
}

/* A SYN between the same ports ends it at once. */
static bool try_time_wait_reuse(struct trial *trial, const void *tw)
{
	if (!try_connection(trial, trial->peer) || !mini_ended(trial))
		return false;
	expect(trial,
	       soon(!is_recorded(tw, PORTSOCK_TCP, trial->port, TCP_TIME_WAIT)),
	       "the end of TIME_WAIT", "inet_twsk_bind_unhash");
	return true;
}

static bool try_reset(struct trial *trial)
{
	struct sock *client = trial->client->sk, *server = trial->server->sk;

	disconnect(trial->client);
	expect(trial, is_recorded(client, PORTSOCK_TCP, trial->peer, TCP_CLOSE),
	       "disconnect()", "inet_sock_set_state");
	close(&trial->client);
	expect(trial,
	       !is_recorded(client, PORTSOCK_TCP, trial->peer, TCP_CLOSE),
	       "close() of a bound socket", "tcp_destroy_sock");
	if (!soon(READ_ONCE(server->sk_state) == TCP_CLOSE))
		return false;
	expect(trial, soon(is_unknown(server)), "the reset of a connection",
	       "inet_sock_set_state");
	expect_call(trial, "the end of a connection", "inet_put_port");
	return true;
}

/* Every step is tried that can be. */
static bool try_tcp(struct trial *trial)
{
	const void *tw = NULL;
	bool tried;

	try_unbound_listener(trial);
	tried = try_listener(trial) && try_connection(trial, 0) &&
		(tw = try_time_wait(trial)) && try_time_wait_reuse(trial, tw) &&
		try_reset(trial);
	close(&trial->client);
	close(&trial->server);
	if (trial->peer)
		mini_end(trial);
	close(&trial->listener);
	return tried;
}

static bool try_udp(struct trial *trial)
{
	struct socket *sock = open(trial->family, SOCK_DGRAM, IPPROTO_UDP);
	bool v6 = trial->family == AF_INET6;
	const char *over = v6 ? "ip6_datagram_release_cb" :
				"ip4_datagram_release_cb";
	bool tried = false;
	struct sock *sk;
	u16 port;

	if (!sock)
		return false;
	sk = sock->sk;
	if (!bind(sock, 0))
		goto close;
	port = local_port(sock);
	expect(trial, is_recorded(sk, PORTSOCK_UDP, port, TCP_CLOSE),
	       "bind() of UDP", over);
	expect_call(trial, "bind() of a datagram socket", "udp_lib_get_port");
	connect(sock, port);
	if (READ_ONCE(sk->sk_state) != TCP_ESTABLISHED)
		goto close;
	expect(trial, is_recorded(sk, PORTSOCK_UDP, port, TCP_ESTABLISHED),
	       "connect() of UDP", over);
	expect_call(trial, "connect() of a datagram socket",
		    v6 ? "__ip6_datagram_connect" : "__ip4_datagram_connect");
	disconnect(sock);
	expect(trial, is_unknown(sk), "disconnect() of UDP", "udp_lib_unhash");
	expect_disconnect(trial, BIT(PORTSOCK_UDPLITE));
	expect_call(trial, "disconnect() of UDP", "udp_lib_unhash");
	tried = true;
close:
	close(&sock);
	expect_call(trial, "close() of UDP", "sk_common_release");
	return tried;
}

/*
 * A port is taken and given back. Who may have no such socket has nothing to
 * see.
 */
static void try_other(struct trial *trial, int type, int protocol,
		      const char *taken, const char *given)
{
	struct socket *sock = open(trial->family, type, protocol);
	bool bound = sock && bind(sock, 0);

	if (bound && taken)
		expect_call(trial, "bind()", taken);
	close(&sock);
	if (bound)
		expect(trial, soon(portsock_probes_called(given)), "close()",
		       given);
}

static void try_raw(struct trial *trial)
{
	/* of this protocol nothing is received */
	struct socket *sock = open(trial->family, SOCK_RAW, IPPROTO_RAW);

	if (!sock)
		return;
	expect(trial,
	       is_recorded(sock->sk, PORTSOCK_RAW, IPPROTO_RAW, TCP_CLOSE),
	       "a raw socket", "raw_hash_sk");
	disconnect(sock);
	expect_disconnect(trial, BIT(PORTSOCK_RAW) | BIT(PORTSOCK_ICMP));
	close(&sock);
	expect_call(trial, "close() of a raw socket", "raw_unhash_sk");
}

static bool try_once(struct trial *trial)
{
	bool tried = try_tcp(trial);

	tried &= try_udp(trial);
	if (trial->family != AF_INET)
		return tried;
	try_raw(trial);
	try_other(trial, SOCK_DGRAM, IPPROTO_ICMP, "ping_get_port",
		  "ping_unhash");
	if (IS_ENABLED(CONFIG_MPTCP))
		try_other(trial, SOCK_STREAM, IPPROTO_MPTCP,
			  "mptcp_copy_inaddrs", "mptcp_destroy");
	return tried;
}

static bool try_family(int family)
{
	struct trial trial;
	bool tried;

	do {
		trial = (struct trial){
			.family = family,
			.missed = portsock_probes_missed(),
			.untracked = portsock_socks_untracked(),
		};
		if (!portsock_kprobes_fire())
			return false;
		tried = try_once(&trial);
	} while (trial.again);
	return tried && !trial.lost;
}

/* What is to be tried now. */
static bool wants4(void)
{
	return !READ_ONCE(selftest.tried4);
}

static bool wants6(void)
{
	return !READ_ONCE(selftest.tried6) && loopback_has(AF_INET6);
}

static void plan_next(void)
{
	bool passed = portsock_selftest_passed();

	selftest.next = jiffies + selftest.pause;
	selftest.pause = min_t(unsigned long, 2 * selftest.pause, PAUSE_MAX);
	if (passed == !selftest.told)
		return;
	selftest.told = !passed;
	pr_info("self-test: %s\n", passed ? "done now" :
		"not all could be tried over loopback (is it up?); the table will not claim to be exact until it could");
}

/**
 * portsock_selftest() - do the hooks see what sockets do?
 *
 * What they do not see is named in the kernel log, and left to
 * portsock_protos_watched().
 *
 * Context: process, may sleep; one at a time. The hooks are armed, and no walk
 * runs; one is due afterwards.
 */
void portsock_selftest(void)
{
	struct portsock_table *table = portsock_table_new(true);

	if (table) {
		portsock_netns_stand_in(table);
		if (wants4())
			WRITE_ONCE(selftest.tried4,
				   loopback_has(AF_INET) &&
				   try_family(AF_INET));
		if (wants6())
			WRITE_ONCE(selftest.tried6, try_family(AF_INET6));
		portsock_netns_stand_in(NULL);
		synchronize_rcu();
		portsock_socks_clear(table);
		portsock_rows_kill(table);
		portsock_protos_unused();
	}
	plan_next();
}

/**
 * portsock_selftest_passed() - was everything tried that can be?
 *
 * Without an address on the loopback device IPv6 cannot be, and is not in use.
 *
 * Context: any.
 */
bool portsock_selftest_passed(void)
{
	return !wants4() && !wants6();
}

/**
 * portsock_selftest_due() - is it to be run again?
 *
 * Context: process; not while it runs.
 */
bool portsock_selftest_due(void)
{
	return (wants6() || (wants4() && loopback_has(AF_INET))) &&
	       time_after_eq(jiffies, selftest.next);
}
