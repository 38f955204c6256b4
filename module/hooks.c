// SPDX-License-Identifier: GPL-2.0
/*
 * Where the kernel is watched. A hook says what a socket holds now and does no
 * arithmetic; README.md beside this file tells for each what it sees, in which
 * context, and what makes good its loss.
 *
 * A kprobe that hits while another kprobe's handler runs on the same CPU is
 * dropped. That can happen only where a function is called in softirq, so such
 * functions are watched by an own ftrace_ops, which loses nothing, and by
 * tracepoints; so are those that every connection passes, since that takes half
 * the instructions.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include "hooks.h"

#include <linux/module.h>
#include <linux/net.h>
#include <linux/tcp.h>
#include <net/sctp/structs.h>
#include <trace/events/sock.h>
#include <trace/events/tcp.h>

#include "compat.h"
#include "probe.h"
#include "sk.h"
#include "socks.h"

static void sk_becomes(const struct sock *sk, int proto, int state,
		       enum portsock_how how)
{
	struct portsock_holding h;

	portsock_sk_look(sk, proto, state, &h);
	h.how = how;
	/* a child that waits to be accepted is new */
	if ((how != PORTSOCK_ACCEPTED || sk->sk_socket) && portsock_sock_change(sk, &h))
		return;
	h.service |= how == PORTSOCK_ACCEPTED;
	preempt_disable_notrace();
	h.table = portsock_netns_table(sock_net(sk));
	if (h.table)
		portsock_sock_hold(sk, &h);
	preempt_enable_notrace();
}

static void sk_holds(const struct sock *sk, int state, enum portsock_how how)
{
	int proto = portsock_sk_proto(sk);

	if (proto >= 0)
		sk_becomes(sk, proto, state, how);
}

/* A user has got a socket that holds no port. */
static void sk_unbound(const struct sock *sk, int proto)
{
	struct portsock_table *table;

	preempt_disable_notrace();
	table = portsock_netns_table(sock_net(sk));
	if (table)
		portsock_sock_unbound(sk, table, proto, sk->sk_family == AF_INET6);
	preempt_enable_notrace();
}

/*
 * A socket let its port go: unbound while a user has it, otherwise nobody's
 * business. One that close() made forgotten stays so.
 */
static void sk_released(const struct sock *sk)
{
	if (portsock_sk_owned(sk))
		portsock_sock_release(sk, sk->sk_family == AF_INET6);
	else
		portsock_sock_forget(sk);
}

/*
 * An MPTCP socket in CLOSE holds its port as long as its first subflow does. In other
 * states it keeps it, as sock_diag says, and what becomes of it shows in CLOSE.
 */
static void subflow_released(const struct sock *sk)
{
	const struct sock *parent;

	rcu_read_lock();
	parent = portsock_sk_parent(sk);
	if (parent && portsock_sock_rests_on(parent, sk))
		sk_released(parent);
	rcu_read_unlock();
}

/* A namespace in the making has raw sockets of the kernel, which never hold anything. */
static void proto_met(const struct sock *sk, int proto)
{
	preempt_disable_notrace();
	if (portsock_netns_table(sock_net(sk)))
		portsock_proto_used(proto);
	preempt_enable_notrace();
}

/* security_socket_post_create(sock, family, type, protocol, kern) */
static void notrace on_post_create(struct ftrace_regs *fregs)
{
	struct socket *sock = (void *)ftrace_regs_get_argument(fregs, 0);
	struct sock *sk = sock->sk;
	int proto;

	if (!sk)
		return;
	proto = portsock_sk_proto(sk);
	if (proto < 0)
		return;
	if (!(BIT(proto) & PORTSOCK_PROTOS_ALWAYS))
		proto_met(sk, proto);
	/* a raw socket has its port already */
	if (proto != PORTSOCK_RAW && portsock_sk_owned(sk))
		sk_unbound(sk, proto);
}

/*
 * security_sock_graft(sk, parent): accept() hands out a child, maybe one that
 * was reset, or one that waited since before the module was loaded. What the
 * kernel accepts for itself has no file.
 */
static void notrace on_accept(struct ftrace_regs *fregs)
{
	struct sock *sk = (void *)ftrace_regs_get_argument(fregs, 0);
	const struct socket *parent = (void *)ftrace_regs_get_argument(fregs, 1);
	int proto = portsock_sk_proto(sk);

	if (proto < 0)
		return;
	if (!portsock_sk_bound(sk, proto)) {
		if (parent->file)
			sk_unbound(sk, proto);
	} else if (proto == PORTSOCK_SCTP || proto == PORTSOCK_MPTCP) {
		sk_holds(sk, sk->sk_state, PORTSOCK_ACCEPTED);
	}
}

/*
 * security_file_receive(file): a process is sent a descriptor, maybe of a socket
 * that was on its way, and so in nobody's hands, when the module was loaded
 */
static void notrace on_receive(struct ftrace_regs *fregs)
{
	struct socket *sock = sock_from_file((void *)ftrace_regs_get_argument(fregs, 0));
	const struct sock *sk = sock ? sock->sk : NULL;
	struct portsock_holding h;

	rcu_read_lock();
	if (sk && portsock_sk_read_owned(sk, &h))
		portsock_sock_meet(sk, &h);
	rcu_read_unlock();
}

/* inet_csk_get_port(sk, snum) */
static int on_get_port(struct kprobe *kp, struct pt_regs *regs)
{
	struct sock *sk = (void *)regs_get_kernel_argument(regs, 0);
	u16 port = regs_get_kernel_argument(regs, 1);

	portsock_sock_asked(sk, port);
	return 0;
}

/* inet_bind_hash(sk, tb, tb2, port), or without tb2; sk_num is not set yet */
static int on_bind_hash(struct kprobe *kp, struct pt_regs *regs)
{
	struct sock *sk = (void *)regs_get_kernel_argument(regs, 0);
	u16 port = regs_get_kernel_argument(regs, PORTSOCK_BIND_HASH_PORT);
	struct portsock_holding h;

	rcu_read_lock();
	if (portsock_sk_read(sk, sk->sk_state, &h)) {
		h.port = port;
		portsock_sock_bind(sk, &h);
	}
	rcu_read_unlock();
	return 0;
}

/* tcp_fastopen_defer_connect(sk, err), dccp_connect(sk): connect() got a port */
static void notrace on_connect(struct ftrace_regs *fregs)
{
	struct sock *sk = (void *)ftrace_regs_get_argument(fregs, 0);

	sk_holds(sk, sk->sk_state, PORTSOCK_CONNECTED);
}

/*
 * inet_csk_reqsk_queue_add(sk, req, child). A child that replaces its request
 * goes on to ESTABLISHED at once and passes on_set_state(). One of Fast Open has
 * its request still, and may stay in SYN_RECV.
 */
static void notrace on_queue_add(struct ftrace_regs *fregs)
{
	struct sock *child = (void *)ftrace_regs_get_argument(fregs, 2);

	if (portsock_sk_proto(child) == PORTSOCK_TCP &&
	    rcu_access_pointer(tcp_sk(child)->fastopen_rsk))
		sk_becomes(child, PORTSOCK_TCP, TCP_SYN_RECV, PORTSOCK_ACCEPTED);
}

/* How a socket came by its port, as far as a change of state tells. */
static enum portsock_how how_of(int old, int new)
{
	if (new == TCP_SYN_SENT)
		return PORTSOCK_CONNECTED;
	if (new != TCP_ESTABLISHED)
		return PORTSOCK_BOUND;
	/* SCTP clients know no other state before, MPTCP children are copies */
	if (old == TCP_CLOSE)
		return PORTSOCK_CONNECTED;
	if (old == TCP_SYN_RECV || old == TCP_LISTEN)
		return PORTSOCK_ACCEPTED;
	return PORTSOCK_BOUND;
}

/* A TCP socket that goes from one of these to one of those and holds its port changes no more. */
#define STEP_FROM (TCPF_ESTABLISHED | TCPF_SYN_SENT | TCPF_FIN_WAIT1 | TCPF_FIN_WAIT2 | \
		   TCPF_CLOSE_WAIT | TCPF_LAST_ACK | TCPF_CLOSING)
#define STEP_TO (STEP_FROM | TCPF_CLOSE)

/* Any other change of a socket that holds a port. */
static noinline void bound_becomes(const struct sock *sk, int proto, int old, int new)
{
	/* A child, cloned just now: its bind bucket is the listener's. */
	if (old == TCP_LISTEN && new == TCP_SYN_RECV)
		return;
	/* A child that lost its request to another: never seen, and gone next. */
	if (old == TCP_SYN_RECV && new == TCP_CLOSE && !sk->sk_socket)
		return;
	sk_becomes(sk, proto, new, how_of(old, new));
}

/* A socket goes to CLOSE, and has no port any more. */
static void sk_closed(const struct sock *sk, int proto)
{
	sk_released(sk);
	if (proto == PORTSOCK_TCP && sk->sk_socket)
		subflow_released(sk);
}

static bool mptcp_is_carried(const struct sock *sk)
{
	const void *first = portsock_sock_carrier(sk);

	return first && portsock_sock_on(first, PORTSOCK_TCP, sk->sk_num);
}

/* The port that an MPTCP socket names is its own if on_mptcp_port() told of it. */
static void mptcp_becomes(const struct sock *sk, int old, int new)
{
	bool bound = portsock_sock_on(sk, PORTSOCK_MPTCP, sk->sk_num);
	bool cloned = old == TCP_LISTEN && new == TCP_ESTABLISHED;

	if (bound || cloned)
		sk_becomes(sk, PORTSOCK_MPTCP, new, how_of(old, new));
	/* After that is known: its subflow may release the port at the same time. */
	if (new == TCP_CLOSE && !(bound && mptcp_is_carried(sk)))
		sk_released(sk);
}

static void on_set_state(void *data, const struct sock *sk, const int old,
			 const int new)
{
	int proto = portsock_sk_proto(sk);
	bool bound;

	if (proto < 0)
		return;
	if (unlikely(proto == PORTSOCK_MPTCP)) {
		mptcp_becomes(sk, old, new);
		return;
	}
	bound = portsock_sk_bound(sk, proto);
	if (!bound) {
		if (new == TCP_CLOSE)
			sk_closed(sk, proto);
		return;
	}
	if (proto == PORTSOCK_TCP && BIT(old) & STEP_FROM && BIT(new) & STEP_TO &&
	    portsock_sock_step(sk, portsock_step(PORTSOCK_TCP, sk->sk_num,
						 sk->sk_family == AF_INET6, new)))
		return;
	bound_becomes(sk, proto, old, new);
}

static void on_destroy(void *data, struct sock *sk)
{
	portsock_sock_forget(sk);
}

/* dccp_destroy_sock(sk), mptcp_destroy(sk), tcp_twsk_destructor(tw) */
static void notrace on_destroy_call(struct ftrace_regs *fregs)
{
	portsock_sock_forget((void *)ftrace_regs_get_argument(fregs, 0));
}

/* inet_twsk_hashdance_schedule(tw, sk, hashinfo, timeo), or by another name */
static void notrace on_tw_add(struct ftrace_regs *fregs)
{
	struct inet_timewait_sock *tw = (void *)ftrace_regs_get_argument(fregs, 0);
	struct sock *sk = (void *)ftrace_regs_get_argument(fregs, 1);
	int proto = portsock_sk_proto(sk);
	struct portsock_holding h;

	rcu_read_lock();
	if (proto >= 0 && portsock_tw_read(tw, proto, &h)) {
		/* one that a user has, or that bound its port, will be in CLOSE for a while */
		if (sk->sk_socket || sk->sk_userlocks & SOCK_BINDPORT_LOCK)
			portsock_sock_hold(tw, &h);
		else
			portsock_sock_inherit(sk, tw, &h);
	}
	rcu_read_unlock();
}

/* inet_twsk_bind_unhash(tw, hashinfo); a second call finds no bucket */
static void notrace on_tw_del(struct ftrace_regs *fregs)
{
	struct inet_timewait_sock *tw = (void *)ftrace_regs_get_argument(fregs, 0);

	if (tw->tw_tb)
		portsock_sock_forget(tw);
}

/* A socket that holds a port is in the state that it is to be in. */
static void datagram_says(const struct sock *sk)
{
	struct portsock_holding h;

	rcu_read_lock();
	if (portsock_sk_read(sk, sk->sk_state, &h)) {
		h.how = portsock_sk_came(sk);
		portsock_sock_observe(sk, &h);
	}
	rcu_read_unlock();
}

/* Of a call that began before, and is over, nobody has heard yet. */
static void datagram_settle(const struct sock *sk)
{
	if (portsock_sk_proto(sk) != PORTSOCK_UDP && portsock_sock_awaited(sk) && sk_hashed(sk))
		datagram_says(sk);
}

/*
 * udp_lib_get_port(sk, snum, hash2), ping_get_port(sk, ident), __ip4_datagram_connect(sk,
 * ...), __ip6_datagram_connect(sk, ...). What comes of it tells on_datagram_release(), or,
 * of those that do not pass there, whoever asks next.
 */
static void notrace on_datagram_call(struct ftrace_regs *fregs)
{
	struct sock *sk = (void *)ftrace_regs_get_argument(fregs, 0);
	struct portsock_holding h;

	if (portsock_sk_proto(sk) == PORTSOCK_UDP)
		return;
	datagram_settle(sk);
	rcu_read_lock();
	if (portsock_sk_read_owned(sk, &h))
		portsock_sock_meet(sk, &h);
	rcu_read_unlock();
	portsock_sock_await(sk);
}

/*
 * __ipv6_sock_ac_close(sk): nothing can keep IPV6_ADDRFORM from making the socket one of
 * IPv4 any more. A last close() may pass here as well.
 */
static void notrace on_addrform(struct ftrace_regs *fregs)
{
	struct sock *sk = (void *)ftrace_regs_get_argument(fregs, 0);
	int proto = portsock_sk_proto(sk);
	struct portsock_holding h;

	if (proto < 0 || portsock_sk_closing(sk) || !portsock_sk_bound(sk, proto))
		return;
	if (proto == PORTSOCK_UDPLITE)
		datagram_settle(sk);
	portsock_sk_look(sk, proto, sk->sk_state, &h);
	h.ipv6 = false;
	portsock_sock_change(sk, &h);
}

/* __udp_disconnect(sk, flags); a port that goes with it passes on_unhash() */
static void notrace on_udp_disconnect(struct ftrace_regs *fregs)
{
	struct sock *sk = (void *)ftrace_regs_get_argument(fregs, 0);

	datagram_settle(sk);
	if (portsock_sk_other_bound(sk))
		sk_holds(sk, TCP_CLOSE, PORTSOCK_BOUND);
}

/*
 * ip4_datagram_release_cb(sk), ip6_datagram_release_cb(sk): a call that had the
 * socket locked is over, whatever it was, and says what came of it. What gave the
 * port up passed on_unhash(). close() has its own hook, behind which nothing counts.
 * Sockets of ICMP and raw ones, over IPv4, pass here as well: they need not be asked.
 */
static void notrace on_datagram_release(struct ftrace_regs *fregs)
{
	struct sock *sk = (void *)ftrace_regs_get_argument(fregs, 0);

	if (unlikely(sk->sk_protocol != IPPROTO_UDP))
		portsock_sock_awaited(sk);
	if (sk_hashed(sk) && !portsock_sk_closing(sk))
		datagram_says(sk);
}

/*
 * inet_put_port(sk): a port that was refused after it was taken, by a program or for
 * want of memory. tcp_set_state() and tcp_destroy_sock() tell of all others.
 */
static void notrace on_put_port(struct ftrace_regs *fregs)
{
	struct sock *sk = (void *)ftrace_regs_get_argument(fregs, 0);

	if (sk->sk_state == TCP_CLOSE && sk->sk_socket)
		sk_released(sk);
}

/*
 * udp_lib_unhash(sk), ping_unhash(sk), raw_unhash_sk(sk): disconnect, or close()
 * of a bound socket or any other
 */
static void notrace on_unhash(struct ftrace_regs *fregs)
{
	struct sock *sk = (void *)ftrace_regs_get_argument(fregs, 0);

	datagram_settle(sk);
	sk_released(sk);
}

/* sk_common_release(sk): close(), with whatever port there is yet to go */
static void notrace on_close(struct ftrace_regs *fregs)
{
	struct sock *sk = (void *)ftrace_regs_get_argument(fregs, 0);

	datagram_settle(sk);
	/* associations may keep the port of a closed SCTP socket */
	if (portsock_sk_proto(sk) != PORTSOCK_SCTP || !portsock_sk_other_bound(sk))
		portsock_sock_forget(sk);
}

/* raw_hash_sk(sk) */
static int on_raw_hash(struct kprobe *kp, struct pt_regs *regs)
{
	struct sock *sk = (void *)regs_get_kernel_argument(regs, 0);

	sk_holds(sk, sk->sk_state, PORTSOCK_BOUND);
	return 0;
}

/*
 * sctp_add_bind_addr(bp, addr, size, state, gfp): bind() or autobind has a port, of
 * which an address is to be noted; associations have addresses, too. Whether the port was
 * asked for by number can be told as later on, by its number.
 */
static void notrace on_sctp_bind(struct ftrace_regs *fregs)
{
	struct sctp_bind_addr *bp = (void *)ftrace_regs_get_argument(fregs, 0);
	const struct sctp_ep_common *base = container_of(bp, struct sctp_ep_common, bind_addr);
	const struct sock *sk = base->sk;
	struct portsock_holding h;

	if (base->type != SCTP_EP_TYPE_SOCKET)
		return;
	rcu_read_lock();
	if (portsock_sk_other_bound(sk) && portsock_sk_read(sk, sk->sk_state, &h)) {
		h.service |= portsock_sk_serves(sk, PORTSOCK_SCTP);
		portsock_sock_hold(sk, &h);
	}
	rcu_read_unlock();
}

/*
 * sctp_assoc_migrate(assoc, newsk): accept() or peeloff; an association that is peeled off
 * may have gone out. The new socket may be in a state that it has copied from another.
 */
static void notrace on_sctp_migrate(struct ftrace_regs *fregs)
{
	struct sctp_association *assoc = (void *)ftrace_regs_get_argument(fregs, 0);
	struct sock *sk = (void *)ftrace_regs_get_argument(fregs, 1);

	sk_holds(sk, TCP_CLOSE, portsock_sk_assoc_went_out(assoc) ? PORTSOCK_CONNECTED :
								   PORTSOCK_ACCEPTED);
}

/* sctp_association_free(asoc): of a connected socket the last one, which still is listed */
static void notrace on_sctp_free(struct ftrace_regs *fregs)
{
	struct sctp_association *assoc = (void *)ftrace_regs_get_argument(fregs, 0);
	const struct sock *sk = assoc->base.sk;

	if (sk->sk_state == TCP_ESTABLISHED && list_is_singular(&assoc->ep->asocs) &&
	    !list_empty(&assoc->asocs) && portsock_sk_other_bound(sk))
		sk_holds(sk, TCP_CLOSE_WAIT, PORTSOCK_BOUND);
}

/* sctp_unhash_endpoint(ep): listen() with a backlog of 0, or close() */
static void notrace on_sctp_unhash(struct ftrace_regs *fregs)
{
	struct sctp_endpoint *ep = (void *)ftrace_regs_get_argument(fregs, 0);
	const struct sock *sk = ep->base.sk;

	if (sk->sk_state == TCP_LISTEN)
		sk_holds(sk, TCP_CLOSE, PORTSOCK_BOUND);
}

/*
 * sctp_put_port(sk): bind() failed half way, or, maybe long after close(), the
 * last association let go
 */
static void notrace on_sctp_put_port(struct ftrace_regs *fregs)
{
	struct sock *sk = (void *)ftrace_regs_get_argument(fregs, 0);

	if (sk->sk_shutdown == SHUTDOWN_MASK)
		portsock_sock_forget(sk);
	else
		sk_released(sk);
}

/* mptcp_copy_inaddrs(msk, ssk): the msk takes the port of its first subflow */
static void notrace on_mptcp_port(struct ftrace_regs *fregs)
{
	struct sock *msk = (void *)ftrace_regs_get_argument(fregs, 0);
	struct sock *ssk = (void *)ftrace_regs_get_argument(fregs, 1);
	struct portsock_holding h;

	rcu_read_lock();
	if (ssk->sk_num && portsock_sk_read(msk, msk->sk_state, &h)) {
		h.port = ssk->sk_num;
		h.service |= ssk->sk_userlocks & SOCK_BINDPORT_LOCK;
		if (h.state != TCP_CLOSE && h.state != TCP_LISTEN)
			h.how = PORTSOCK_CONNECTED;
		portsock_sock_hold(msk, &h);
		portsock_sock_carry(msk, ssk);
	}
	rcu_read_unlock();
}

#define KPROBE(_symbol, _handler, ...)					\
	{ .symbol = _symbol, .kind = PORTSOCK_KPROBE,			\
	  .on_kprobe = _handler, ##__VA_ARGS__ }

#define RELEASE(_symbol, _handler, ...)					\
	{ .symbol = _symbol, .kind = PORTSOCK_RELEASE,			\
	  .on_call = _handler, ##__VA_ARGS__ }

#define ACQUISITION(_symbol, _handler, ...)				\
	{ .symbol = _symbol, .kind = PORTSOCK_ACQUISITION,		\
	  .on_call = _handler, ##__VA_ARGS__ }

/* Of IPv6, which may be a module. */
#define ACQUISITION_V6(_symbol, _handler, ...)				\
	ACQUISITION(_symbol, _handler, .absent = !IS_ENABLED(CONFIG_IPV6), \
		    .module = IS_MODULE(CONFIG_IPV6) ? "ipv6" : NULL, ##__VA_ARGS__)

/* Does not compile with a handler of another type than the tracepoint calls. */
#define TRACEPOINT(_name, _handler)					\
	{ .symbol = #_name, .on_trace = _handler,			\
	  .kind = PORTSOCK_TRACEPOINT +					\
		  BUILD_BUG_ON_ZERO(!__same_type(&check_trace_callback_type_##_name, \
						 void (*)(typeof(&_handler)))) }

#define MPTCP_ONLY .protos = BIT(PORTSOCK_MPTCP), .absent = !IS_ENABLED(CONFIG_MPTCP)
#define SCTP_ONLY .protos = BIT(PORTSOCK_SCTP), .module = "sctp"
#define DCCP_ONLY .protos = BIT(PORTSOCK_DCCP), .module = "dccp"
#define DCCP_TOO (IS_ENABLED(CONFIG_IP_DCCP) ? BIT(PORTSOCK_DCCP) : 0)
/* UDP sockets pass other hooks as well, see datagram_says(). */
#define OTHER_DATAGRAMS .protos = BIT(PORTSOCK_UDPLITE) | BIT(PORTSOCK_ICMP) | BIT(PORTSOCK_RAW)

/*
 * Releases before acquisitions: a socket that goes while the hooks are armed
 * one by one must not be missed. What is for some protocols only may be missing, as
 * compilers inline functions and give others new names; all others must be there.
 */
static struct portsock_probe hooks[] = {
	TRACEPOINT(tcp_destroy_sock, on_destroy),
	RELEASE("mptcp_destroy", on_destroy_call, MPTCP_ONLY),
	RELEASE("sctp_put_port", on_sctp_put_port, SCTP_ONLY),
	RELEASE("sctp_association_free", on_sctp_free, SCTP_ONLY),
	RELEASE("sctp_unhash_endpoint", on_sctp_unhash, SCTP_ONLY),
	RELEASE("dccp_destroy_sock", on_destroy_call, DCCP_ONLY),
	TRACEPOINT(inet_sock_set_state, on_set_state),
	RELEASE("inet_put_port", on_put_port),
	RELEASE("inet_twsk_bind_unhash", on_tw_del,
		.protos = BIT(PORTSOCK_TCP) | DCCP_TOO),
	RELEASE("tcp_twsk_destructor", on_destroy_call, .protos = BIT(PORTSOCK_TCP),
		.instead = "inet_twsk_bind_unhash"),
	ACQUISITION(PORTSOCK_TWSK_HASHDANCE, on_tw_add),
	ACQUISITION("inet_csk_reqsk_queue_add", on_queue_add),
	KPROBE("inet_csk_get_port", on_get_port),
	KPROBE("inet_bind_hash", on_bind_hash),
	ACQUISITION("tcp_fastopen_defer_connect", on_connect),
	ACQUISITION("__ipv6_sock_ac_close", on_addrform,
		    .absent = !IS_ENABLED(CONFIG_IPV6)),
	RELEASE("sk_common_release", on_close),
	RELEASE("udp_lib_unhash", on_unhash),
	RELEASE("ping_unhash", on_unhash, .protos = BIT(PORTSOCK_ICMP)),
	RELEASE("raw_unhash_sk", on_unhash, .protos = BIT(PORTSOCK_RAW)),
	ACQUISITION("__udp_disconnect", on_udp_disconnect, OTHER_DATAGRAMS),
	KPROBE("raw_hash_sk", on_raw_hash, .protos = BIT(PORTSOCK_RAW)),
	ACQUISITION("ip4_datagram_release_cb", on_datagram_release),
	ACQUISITION_V6("ip6_datagram_release_cb", on_datagram_release),
	ACQUISITION("udp_lib_get_port", on_datagram_call, .protos = BIT(PORTSOCK_UDPLITE)),
	ACQUISITION("ping_get_port", on_datagram_call, .protos = BIT(PORTSOCK_ICMP)),
	ACQUISITION("__ip4_datagram_connect", on_datagram_call, OTHER_DATAGRAMS),
	ACQUISITION_V6("__ip6_datagram_connect", on_datagram_call, OTHER_DATAGRAMS),
	ACQUISITION("mptcp_copy_inaddrs", on_mptcp_port, MPTCP_ONLY),
	ACQUISITION("sctp_assoc_migrate", on_sctp_migrate, SCTP_ONLY),
	ACQUISITION("sctp_add_bind_addr", on_sctp_bind, SCTP_ONLY),
	ACQUISITION("dccp_connect", on_connect, DCCP_ONLY),
	ACQUISITION("security_sock_graft", on_accept),
	ACQUISITION("security_file_receive", on_receive),
	ACQUISITION("security_socket_post_create", on_post_create),
	KPROBE("portsock_kprobe_test", portsock_kprobe_tested),
};

/**
 * portsock_hooks_arm() - begin to watch
 *
 * Context: process, may sleep.
 * Return: 0, or a negative errno after a message that names the hook; then
 * none is armed.
 */
int portsock_hooks_arm(void)
{
	return portsock_probes_arm(hooks, ARRAY_SIZE(hooks));
}
