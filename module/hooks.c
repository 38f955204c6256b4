// SPDX-License-Identifier: GPL-2.0
/*
 * Where the kernel is watched. A hook records what a socket holds now, and does
 * no arithmetic. README.md in this directory lists for each hook what it sees,
 * in which context it runs, and what repairs the loss of an event.
 *
 * The kernel drops a kprobe hit while the handler of another kprobe runs on the
 * same CPU. This happens only to functions that are called in softirq. Such
 * functions are watched through ftrace or tracepoints, which drop nothing, and
 * so are functions that every connection calls, because ftrace takes half the
 * instructions of a kprobe.
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

/* The caller is who has a listener, or binds a socket, and not the kernel. */
static void holding_owned(struct portsock_holding *h, const struct sock *sk)
{
	if (portsock_sk_owned(sk))
		h->owner = portsock_owner_current();
}

static void holding_came(struct portsock_holding *h, const struct sock *sk,
			 enum portsock_how how)
{
	h->how = how;
	if (how == PORTSOCK_CONNECTED)
		h->remote = portsock_sk_remote(sk);
}

/* A socket holds what is said, in a namespace that is not. */
static void sk_tell(const struct sock *sk, struct portsock_holding *h)
{
	/* a child that waits for accept() has no struct socket and no record */
	if ((h->how != PORTSOCK_ACCEPTED || sk->sk_socket) &&
	    portsock_sock_change(sk, h))
		return;
	h->service |= h->how == PORTSOCK_ACCEPTED;
	preempt_disable_notrace();
	h->table = portsock_netns_table(sock_net(sk));
	if (h->table)
		portsock_sock_hold(sk, h);
	preempt_enable_notrace();
}

static void sk_becomes(const struct sock *sk, int proto, int state,
		       enum portsock_how how)
{
	struct portsock_holding h;

	portsock_sk_look(sk, proto, state, &h);
	holding_came(&h, sk, how);
	sk_tell(sk, &h);
}

static void sk_holds(const struct sock *sk, int state, enum portsock_how how)
{
	int proto = portsock_sk_proto(sk);

	if (proto >= 0)
		sk_becomes(sk, proto, state, how);
}

/* An argument of the function that is watched. */
#define argument(fregs, n) ((void *)ftrace_regs_get_argument(fregs, n))

/* A user has a new socket, which holds no port yet. */
static void sk_unbound(const struct sock *sk, int proto)
{
	struct portsock_table *table;

	preempt_disable_notrace();
	table = portsock_netns_table(sock_net(sk));
	if (table)
		portsock_sock_unbound(sk, table, proto,
				      sk->sk_family == AF_INET6);
	preempt_enable_notrace();
}

/*
 * A socket released its port, at the end of a connection or otherwise. While a
 * user has the socket it counts as unbound; otherwise its record is deleted. A
 * record that close() has deleted is not made again.
 */
static __always_inline void sk_ended(const struct sock *sk,
				     const struct portsock_end *end)
{
	if (portsock_sk_owned(sk))
		portsock_sock_release(sk, sk->sk_family == AF_INET6, end);
	else
		portsock_sock_over(sk, end);
}

static noinline void sk_released(const struct sock *sk)
{
	sk_ended(sk, NULL);
}

/*
 * An MPTCP socket in CLOSE holds its port as long as its first subflow does. In
 * any other state it keeps the port, as sock_diag shows it; mptcp_becomes()
 * looks again when it goes to CLOSE.
 */
static noinline void parent_released(const struct sock *sk)
{
	const struct sock *parent = portsock_sk_parent(sk);

	if (parent && portsock_sock_rests_on(parent, sk))
		sk_released(parent);
}

static inline void subflow_released(const struct sock *sk)
{
	const struct socket *sock;

	if (!IS_ENABLED(CONFIG_MPTCP))
		return;
	/* on RCU's read side */
	preempt_disable_notrace();
	sock = READ_ONCE(sk->sk_socket);
	if (sock && unlikely(READ_ONCE(sock->sk) != sk))
		parent_released(sk);
	preempt_enable_notrace();
}

/*
 * Not the kernel's own raw sockets in a namespace that has no table yet: they
 * hold nothing.
 */
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
	struct socket *sock = argument(fregs, 0);
	struct sock *sk = sock->sk;
	int proto;

	if (!sk)
		return;
	proto = portsock_sk_proto(sk);
	if (proto < 0)
		return;
	if (!(BIT(proto) & PORTSOCK_PROTOS_ALWAYS))
		proto_met(sk, proto);
	/* on_raw_hash() has recorded a raw socket before */
	if (proto != PORTSOCK_RAW && portsock_sk_owned(sk))
		sk_unbound(sk, proto);
}

/*
 * security_sock_graft(sk, parent): accept() returns a child. The child may have
 * been reset before, so that it holds no port; or it has waited since before
 * the module was loaded. A child that the kernel accepts for itself has no
 * file, and does not count as unbound.
 */
static void notrace on_accept(struct ftrace_regs *fregs)
{
	struct sock *sk = argument(fregs, 0);
	const struct socket *parent = argument(fregs, 1);
	int proto = portsock_sk_proto(sk);
	struct portsock_owner user;

	if (proto < 0)
		return;
	if (!portsock_sk_bound(sk, proto)) {
		if (parent->file)
			sk_unbound(sk, proto);
	} else if (proto == PORTSOCK_TCP) {
		user = portsock_owner_current();
		portsock_sock_accept(sk, portsock_sk_clock(), &user);
	} else if (proto == PORTSOCK_SCTP || proto == PORTSOCK_MPTCP) {
		sk_holds(sk, sk->sk_state, PORTSOCK_ACCEPTED);
	}
}

/*
 * security_file_receive(file): a process receives a descriptor. If the file was
 * in flight when the module was loaded, no process had it, and the walk did not
 * see its socket.
 */
static void notrace on_receive(struct ftrace_regs *fregs)
{
	struct socket *sock = sock_from_file(argument(fregs, 0));
	const struct sock *sk = sock ? sock->sk : NULL;
	struct portsock_owner user;
	struct portsock_birth birth;
	struct portsock_holding h;

	rcu_read_lock();
	if (sk && portsock_sk_read_owned(sk, &h)) {
		portsock_sk_met(sk, &h, &birth);
		portsock_sk_reached(sk, &h);
		portsock_sock_meet(sk, &h);
		user = portsock_owner_current();
		portsock_sock_use(sk, portsock_sk_clock(), &user);
	}
	rcu_read_unlock();
}

/* inet_csk_get_port(sk, snum): snum is 0 when the caller names no port */
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
		/* listen() of a socket without a port */
		if (h.queues)
			holding_owned(&h, sk);
		portsock_sock_bind(sk, &h);
	}
	rcu_read_unlock();
	return 0;
}

/*
 * tcp_fastopen_defer_connect(sk, err), dccp_connect(sk): connect() got a port
 */
static void notrace on_connect(struct ftrace_regs *fregs)
{
	struct sock *sk = argument(fregs, 0);

	sk_holds(sk, sk->sk_state, PORTSOCK_CONNECTED);
}

/*
 * inet_csk_reqsk_queue_add(sk, req, child). A child that has replaced its
 * request goes to ESTABLISHED next, which on_set_state() records. A child of
 * Fast Open still has its request, and may stay in SYN_RECV.
 */
static void notrace on_queue_add(struct ftrace_regs *fregs)
{
	struct sock *child = argument(fregs, 2);

	if (portsock_sk_proto(child) == PORTSOCK_TCP &&
	    rcu_access_pointer(tcp_sk(child)->fastopen_rsk))
		sk_becomes(child, PORTSOCK_TCP, TCP_SYN_RECV,
			   PORTSOCK_ACCEPTED);
}

/* How a socket came by its port, if the change of its state shows it. */
static enum portsock_how how_of(int old, int new)
{
	if (new == TCP_SYN_SENT)
		return PORTSOCK_CONNECTED;
	if (new != TCP_ESTABLISHED)
		return PORTSOCK_BOUND;
	/* SCTP clients connect from CLOSE; MPTCP children copy a listener */
	if (old == TCP_CLOSE)
		return PORTSOCK_CONNECTED;
	if (old == TCP_SYN_RECV || old == TCP_LISTEN)
		return PORTSOCK_ACCEPTED;
	return PORTSOCK_BOUND;
}

/* Between these a TCP socket that keeps its port changes only its state. */
#define STEP_FROM (TCPF_ESTABLISHED | TCPF_SYN_SENT | TCPF_FIN_WAIT1 | \
		   TCPF_FIN_WAIT2 | TCPF_CLOSE_WAIT | TCPF_LAST_ACK | \
		   TCPF_CLOSING)

/* Any other change of a socket that holds a port. */
static noinline void bound_becomes(const struct sock *sk, int proto,
				   int old, int new)
{
	struct portsock_holding h;

	/* Another child has taken its request; it has no record, and goes. */
	if (old == TCP_SYN_RECV && new == TCP_CLOSE && !sk->sk_socket)
		return;
	portsock_sk_look(sk, proto, new, &h);
	holding_came(&h, sk, how_of(old, new));
	if (new == TCP_LISTEN)
		holding_owned(&h, sk);
	sk_tell(sk, &h);
}

/* A socket that holds no port goes to CLOSE. */
static noinline void sk_closed(const struct sock *sk, int proto)
{
	sk_released(sk);
	if (proto == PORTSOCK_TCP)
		subflow_released(sk);
}

/* The connection of a socket ends, and the socket keeps its port. */
static noinline void tcp_keeps_port(const struct sock *sk,
				    const struct portsock_end *end)
{
	struct portsock_holding h;

	portsock_sk_look(sk, PORTSOCK_TCP, TCP_CLOSE, &h);
	h.end = end;
	sk_tell(sk, &h);
}

/* A connection of TCP ends, or was never made. */
static noinline void tcp_ended(const struct sock *sk, int old, bool bound)
{
	struct portsock_end end;

	portsock_sk_end(sk, old, &end);
	if (unlikely(bound)) {
		tcp_keeps_port(sk, &end);
		return;
	}
	sk_ended(sk, &end);
	subflow_released(sk);
}

static u64 tcp_step(const struct sock *sk, int new)
{
	return portsock_step(PORTSOCK_TCP, sk->sk_num,
			     sk->sk_family == AF_INET6, new);
}

static noinline void tcp_established(const struct sock *sk, int old)
{
	struct portsock_birth birth;
	struct portsock_holding h;

	portsock_sk_born(sk, old, &birth);
	if (old == TCP_SYN_SENT &&
	    portsock_sock_step(sk, tcp_step(sk, TCP_ESTABLISHED), &birth))
		return;
	portsock_sk_look(sk, PORTSOCK_TCP, TCP_ESTABLISHED, &h);
	h.how = how_of(old, TCP_ESTABLISHED);
	if (old == TCP_SYN_SENT)
		h.remote = portsock_sk_remote(sk);
	h.birth = &birth;
	sk_tell(sk, &h);
}

static bool mptcp_is_carried(const struct sock *sk)
{
	const void *first = portsock_sock_carrier(sk);

	return first && portsock_sock_on(first, PORTSOCK_TCP, sk->sk_num);
}

/* An MPTCP socket holds the port it names if on_mptcp_port() recorded that. */
static noinline void mptcp_becomes(const struct sock *sk, int old, int new)
{
	bool bound = portsock_sock_on(sk, PORTSOCK_MPTCP, sk->sk_num);
	bool cloned = old == TCP_LISTEN && new == TCP_ESTABLISHED;

	if (bound || cloned)
		sk_becomes(sk, PORTSOCK_MPTCP, new, how_of(old, new));
	/* once it is recorded: its subflow may release the port meanwhile */
	if (new == TCP_CLOSE && !(bound && mptcp_is_carried(sk)))
		sk_released(sk);
}

static noinline void tcp_steps(const struct sock *sk, int old, int new)
{
	if (!portsock_sock_step(sk, tcp_step(sk, new), NULL))
		bound_becomes(sk, PORTSOCK_TCP, old, new);
}

static __always_inline void tcp_becomes(const struct sock *sk, int old, int new)
{
	bool bound = portsock_sk_bound(sk, PORTSOCK_TCP);

	if (new == TCP_CLOSE && BIT(old) & STEP_FROM)
		tcp_ended(sk, old, bound);
	else if (!bound && new == TCP_CLOSE)
		sk_closed(sk, PORTSOCK_TCP);
	else if (!bound)
		return;
	else if (new == TCP_ESTABLISHED &&
		 BIT(old) & (TCPF_SYN_SENT | TCPF_SYN_RECV))
		tcp_established(sk, old);
	else if (BIT(old) & STEP_FROM && BIT(new) & STEP_FROM)
		tcp_steps(sk, old, new);
	else
		bound_becomes(sk, PORTSOCK_TCP, old, new);
}

static noinline void other_becomes(const struct sock *sk, int old, int new)
{
	int proto = portsock_sk_other_proto(sk);

	if (proto < 0)
		return;
	if (proto == PORTSOCK_MPTCP)
		mptcp_becomes(sk, old, new);
	else if (portsock_sk_bound(sk, proto))
		bound_becomes(sk, proto, old, new);
	else if (new == TCP_CLOSE)
		sk_closed(sk, proto);
}

/* What it calls it calls last, so that it need not save anything. */
static void on_set_state(void *data, const struct sock *sk, const int old,
			 const int new)
{
	/* A child that was just cloned, and has the listener's bind bucket. */
	if (old == TCP_LISTEN && new == TCP_SYN_RECV)
		return;
	if (portsock_sk_is_tcp(sk))
		tcp_becomes(sk, old, new);
	else if (portsock_sk_is_inet(sk))
		other_becomes(sk, old, new);
}

static void portsock_on_retransmit(on_retransmit)
{
	if (!portsock_retransmit_err)
		portsock_sock_retrans(sk, tcp_skb_pcount(skb));
}

/* The answer to a request, which has no record, counts at its listener. */
static void on_retransmit_synack(void *data, const struct sock *sk,
				 const struct request_sock *req)
{
	portsock_sock_retrans(sk, 1);
}

static void on_destroy(void *data, struct sock *sk)
{
	portsock_sock_forget(sk);
}

/* dccp_destroy_sock(sk), mptcp_destroy(sk), tcp_twsk_destructor(tw) */
static void notrace on_destroy_call(struct ftrace_regs *fregs)
{
	portsock_sock_forget(argument(fregs, 0));
}

/*
 * inet_twsk_hashdance_schedule(tw, sk, hashinfo, timeo); inet_twsk_hashdance()
 * before 6.11
 */
static void notrace on_tw_add(struct ftrace_regs *fregs)
{
	struct inet_timewait_sock *tw = argument(fregs, 0);
	struct sock *sk = argument(fregs, 1);
	int proto = portsock_sk_proto(sk);
	struct portsock_holding h;
	struct portsock_end end;

	rcu_read_lock();
	if (proto >= 0 && portsock_tw_read(tw, proto, &h)) {
		/* a user's, or one that was bound, stays a while, in CLOSE */
		if (sk->sk_socket || sk->sk_userlocks & SOCK_BINDPORT_LOCK) {
			portsock_sock_linger(sk, tw, &h);
		} else {
			if (proto == PORTSOCK_TCP) {
				portsock_sk_end(sk, sk->sk_state, &end);
				h.end = &end;
			}
			portsock_sock_inherit(sk, tw, &h);
		}
	}
	rcu_read_unlock();
}

/* inet_twsk_bind_unhash(tw, hashinfo); a second call finds no bucket */
static void notrace on_tw_del(struct ftrace_regs *fregs)
{
	struct inet_timewait_sock *tw = argument(fregs, 0);

	if (tw->tw_tb)
		portsock_sock_forget(tw);
}

/*
 * Records a socket that holds a port, once its state is final. If it did not
 * hold it before this call, the caller is who made it do so.
 */
static void datagram_observe(const struct sock *sk, bool called)
{
	struct portsock_holding h;

	rcu_read_lock();
	if (portsock_sk_read(sk, sk->sk_state, &h)) {
		portsock_sk_came(sk, &h);
		if (called)
			holding_owned(&h, sk);
		portsock_sock_observe(sk, &h);
	}
	rcu_read_unlock();
}

/* Records what an earlier call left, if no hook has seen its end. */
static void datagram_settle(const struct sock *sk)
{
	if (portsock_sk_proto(sk) != PORTSOCK_UDP &&
	    portsock_sock_awaited(sk) && sk_hashed(sk))
		datagram_observe(sk, false);
}

/*
 * udp_lib_get_port(sk, snum, hash2), ping_get_port(sk, ident),
 * __ip4_datagram_connect(sk, ...), __ip6_datagram_connect(sk, ...): the call
 * has just begun. on_datagram_release() records its result. For sockets that do
 * not call that function the record is marked as awaited, and the next event or
 * the next reader looks at the socket.
 */
static void notrace on_datagram_call(struct ftrace_regs *fregs)
{
	struct sock *sk = argument(fregs, 0);
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
 * __ipv6_sock_ac_close(sk): IPV6_ADDRFORM can no longer fail, and makes the
 * socket AF_INET next. The last close() may call this function as well.
 */
static void notrace on_addrform(struct ftrace_regs *fregs)
{
	struct sock *sk = argument(fregs, 0);
	int proto = portsock_sk_proto(sk);
	struct portsock_holding h;

	if (proto < 0 || portsock_sk_closing(sk) ||
	    !portsock_sk_bound(sk, proto))
		return;
	if (proto == PORTSOCK_UDPLITE)
		datagram_settle(sk);
	portsock_sk_look(sk, proto, sk->sk_state, &h);
	if (proto == PORTSOCK_UDP)
		h.remote = portsock_sk_went(sk);
	h.ipv6 = false;
	portsock_sock_change(sk, &h);
}

/*
 * __udp_disconnect(sk, flags); on_unhash() sees the port go if it is released
 * as well
 */
static void notrace on_udp_disconnect(struct ftrace_regs *fregs)
{
	struct sock *sk = argument(fregs, 0);

	datagram_settle(sk);
	if (portsock_sk_other_bound(sk))
		sk_holds(sk, TCP_CLOSE, PORTSOCK_BOUND);
}

/*
 * ip4_datagram_release_cb(sk), ip6_datagram_release_cb(sk): the end of any call
 * that had the socket locked. A call that released the port has passed
 * on_unhash(); after close(), see on_close(), nothing is recorded. ICMP and raw
 * sockets over IPv4 come here as well, and so are no longer awaited.
 */
static void notrace on_datagram_release(struct ftrace_regs *fregs)
{
	struct sock *sk = argument(fregs, 0);

	if (unlikely(sk->sk_protocol != IPPROTO_UDP))
		portsock_sock_awaited(sk);
	if (sk_hashed(sk) && !portsock_sk_closing(sk))
		datagram_observe(sk, true);
}

/*
 * inet_put_port(sk): bind() fails after it had the port, because a BPF program
 * refuses it or memory is short. All other releases show in tcp_set_state() or
 * tcp_destroy_sock().
 */
static void notrace on_put_port(struct ftrace_regs *fregs)
{
	struct sock *sk = argument(fregs, 0);

	if (sk->sk_state == TCP_CLOSE && sk->sk_socket)
		sk_released(sk);
}

/*
 * udp_lib_unhash(sk), ping_unhash(sk), raw_unhash_sk(sk): disconnect, or
 * close(), which calls them for unbound sockets as well
 */
static void notrace on_unhash(struct ftrace_regs *fregs)
{
	struct sock *sk = argument(fregs, 0);

	datagram_settle(sk);
	sk_released(sk);
}

/* sk_common_release(sk): close(); the socket may still hold its port */
static void notrace on_close(struct ftrace_regs *fregs)
{
	struct sock *sk = argument(fregs, 0);

	datagram_settle(sk);
	/* associations may keep a port after close(), see on_sctp_put_port() */
	if (portsock_sk_proto(sk) != PORTSOCK_SCTP ||
	    !portsock_sk_other_bound(sk))
		portsock_sock_forget(sk);
}

/* raw_hash_sk(sk) */
static int on_raw_hash(struct kprobe *kp, struct pt_regs *regs)
{
	struct sock *sk = (void *)regs_get_kernel_argument(regs, 0);
	struct portsock_holding h;

	portsock_sk_look(sk, PORTSOCK_RAW, sk->sk_state, &h);
	/* socket() has not given it to anybody yet */
	if (!sk->sk_kern_sock)
		h.owner = portsock_owner_current();
	sk_tell(sk, &h);
	return 0;
}

/*
 * sctp_add_bind_addr(bp, addr, size, state, gfp): bind() or autobind has taken
 * a port, and adds an address to the socket. It is called for associations as
 * well, which are ignored. Only the number of the port tells whether the caller
 * named it, see portsock_sk_serves().
 */
static void notrace on_sctp_bind(struct ftrace_regs *fregs)
{
	struct sctp_bind_addr *bp = argument(fregs, 0);
	const struct sctp_ep_common *base =
		container_of(bp, struct sctp_ep_common, bind_addr);
	const struct sock *sk = base->sk;
	struct portsock_holding h;

	if (base->type != SCTP_EP_TYPE_SOCKET)
		return;
	rcu_read_lock();
	if (portsock_sk_other_bound(sk) &&
	    portsock_sk_read(sk, sk->sk_state, &h)) {
		h.service |= portsock_sk_serves(sk, PORTSOCK_SCTP);
		portsock_sock_hold(sk, &h);
	}
	rcu_read_unlock();
}

/*
 * sctp_assoc_migrate(assoc, newsk): accept() or peeloff gives an association a
 * socket of its own. A peeled off association may be an outgoing one. The state
 * of the new socket is not used, as it may be a copy of the old one's.
 */
static void notrace on_sctp_migrate(struct ftrace_regs *fregs)
{
	struct sctp_association *assoc = argument(fregs, 0);
	struct sock *sk = argument(fregs, 1);

	sk_holds(sk, TCP_CLOSE, portsock_sk_assoc_went_out(assoc) ?
				PORTSOCK_CONNECTED : PORTSOCK_ACCEPTED);
}

/*
 * sctp_association_free(asoc): if it is the last one of a connected socket; it
 * is still listed
 */
static void notrace on_sctp_free(struct ftrace_regs *fregs)
{
	struct sctp_association *assoc = argument(fregs, 0);
	const struct sock *sk = assoc->base.sk;

	if (sk->sk_state == TCP_ESTABLISHED &&
	    list_is_singular(&assoc->ep->asocs) &&
	    !list_empty(&assoc->asocs) && portsock_sk_other_bound(sk))
		sk_holds(sk, TCP_CLOSE_WAIT, PORTSOCK_BOUND);
}

/* sctp_unhash_endpoint(ep): listen() with a backlog of 0, or close() */
static void notrace on_sctp_unhash(struct ftrace_regs *fregs)
{
	struct sctp_endpoint *ep = argument(fregs, 0);
	const struct sock *sk = ep->base.sk;

	if (sk->sk_state == TCP_LISTEN)
		sk_holds(sk, TCP_CLOSE, PORTSOCK_BOUND);
}

/*
 * sctp_put_port(sk): bind() fails half way; or the last association is gone,
 * maybe long after close()
 */
static void notrace on_sctp_put_port(struct ftrace_regs *fregs)
{
	struct sock *sk = argument(fregs, 0);

	if (sk->sk_shutdown == SHUTDOWN_MASK)
		portsock_sock_forget(sk);
	else
		sk_released(sk);
}

/* mptcp_copy_inaddrs(msk, ssk): the msk takes the port of its first subflow */
static void notrace on_mptcp_port(struct ftrace_regs *fregs)
{
	struct sock *msk = argument(fregs, 0);
	struct sock *ssk = argument(fregs, 1);
	struct portsock_holding h;

	rcu_read_lock();
	if (ssk->sk_num && portsock_sk_read(msk, msk->sk_state, &h)) {
		h.port = ssk->sk_num;
		h.service |= ssk->sk_userlocks & SOCK_BINDPORT_LOCK;
		if (h.state != TCP_CLOSE && h.state != TCP_LISTEN)
			holding_came(&h, ssk, PORTSOCK_CONNECTED);
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

/* A function of IPv6, which may be a module. */
#define ACQUISITION_V6(_symbol, _handler, ...)				\
	ACQUISITION(_symbol, _handler, .absent = !IS_ENABLED(CONFIG_IPV6), \
		    .module = IS_MODULE(CONFIG_IPV6) ? "ipv6" : NULL,	\
		    ##__VA_ARGS__)

/* Compiles only if the handler has the type that the tracepoint calls. */
#define TRACEPOINT(_name, _handler)					\
	{ .symbol = #_name, .on_trace = _handler,			\
	  .kind = PORTSOCK_TRACEPOINT + BUILD_BUG_ON_ZERO(		\
		!__same_type(&check_trace_callback_type_##_name,	\
			     void (*)(typeof(_handler) *))) }

#define MPTCP_ONLY \
	.protos = BIT(PORTSOCK_MPTCP), .absent = !IS_ENABLED(CONFIG_MPTCP)
#define SCTP_ONLY .protos = BIT(PORTSOCK_SCTP), .module = "sctp"
#define DCCP_ONLY .protos = BIT(PORTSOCK_DCCP), .module = "dccp"
#define DCCP_TOO (IS_ENABLED(CONFIG_IP_DCCP) ? BIT(PORTSOCK_DCCP) : 0)
/* UDP sockets pass other hooks as well, see datagram_observe(). */
#define OTHER_DATAGRAMS \
	.protos = BIT(PORTSOCK_UDPLITE) | BIT(PORTSOCK_ICMP) | BIT(PORTSOCK_RAW)

/*
 * Hooks of releases come first: they are armed in this order, and a socket that
 * goes meanwhile must not stay recorded. A hook with .protos may be missing, as
 * compilers inline functions or rename them; the module does not load without
 * any of the others.
 */
static struct portsock_probe hooks[] = {
	TRACEPOINT(tcp_destroy_sock, on_destroy),
	RELEASE("mptcp_destroy", on_destroy_call, MPTCP_ONLY),
	RELEASE("sctp_put_port", on_sctp_put_port, SCTP_ONLY),
	RELEASE("sctp_association_free", on_sctp_free, SCTP_ONLY),
	RELEASE("sctp_unhash_endpoint", on_sctp_unhash, SCTP_ONLY),
	RELEASE("dccp_destroy_sock", on_destroy_call, DCCP_ONLY),
	TRACEPOINT(inet_sock_set_state, on_set_state),
	TRACEPOINT(tcp_retransmit_skb, on_retransmit),
	TRACEPOINT(tcp_retransmit_synack, on_retransmit_synack),
	RELEASE("inet_put_port", on_put_port),
	RELEASE("inet_twsk_bind_unhash", on_tw_del,
		.protos = BIT(PORTSOCK_TCP) | DCCP_TOO),
	RELEASE("tcp_twsk_destructor", on_destroy_call,
		.protos = BIT(PORTSOCK_TCP),
		.instead = "inet_twsk_bind_unhash"),
	ACQUISITION(PORTSOCK_TWSK_HASHDANCE, on_tw_add),
	ACQUISITION("inet_csk_reqsk_queue_add", on_queue_add),
	KPROBE("inet_csk_get_port", on_get_port),
	KPROBE("inet_bind_hash", on_bind_hash),
	ACQUISITION("tcp_fastopen_defer_connect", on_connect),
	ACQUISITION_V6("__ipv6_sock_ac_close", on_addrform),
	RELEASE("sk_common_release", on_close),
	RELEASE("udp_lib_unhash", on_unhash),
	RELEASE("ping_unhash", on_unhash, .protos = BIT(PORTSOCK_ICMP)),
	RELEASE("raw_unhash_sk", on_unhash, .protos = BIT(PORTSOCK_RAW)),
	ACQUISITION("__udp_disconnect", on_udp_disconnect, OTHER_DATAGRAMS),
	KPROBE("raw_hash_sk", on_raw_hash, .protos = BIT(PORTSOCK_RAW)),
	ACQUISITION("ip4_datagram_release_cb", on_datagram_release),
	ACQUISITION_V6("ip6_datagram_release_cb", on_datagram_release),
	ACQUISITION("udp_lib_get_port", on_datagram_call,
		    .protos = BIT(PORTSOCK_UDPLITE)),
	ACQUISITION("ping_get_port", on_datagram_call,
		    .protos = BIT(PORTSOCK_ICMP)),
	ACQUISITION("__ip4_datagram_connect", on_datagram_call,
		    OTHER_DATAGRAMS),
	ACQUISITION_V6("__ip6_datagram_connect", on_datagram_call,
		       OTHER_DATAGRAMS),
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
