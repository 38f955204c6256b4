// SPDX-License-Identifier: GPL-2.0
/*
 * The only file that looks into struct sock.
 */
#include "sk.h"

#include <linux/icmpv6.h>
#include <linux/moduleparam.h>
#include <linux/preempt.h>
#include <linux/tcp.h>
#include <net/sctp/structs.h>

#include "compat.h"
#include "netns.h"
#include "queue.h"
#include "socks.h"

bool portsock_remote = true;
module_param_named(remote, portsock_remote, bool, 0444);
MODULE_PARM_DESC(remote, "count outgoing connections by remote port as well (default Y)");

/**
 * portsock_sk_other_proto() - portsock_sk_proto() of a socket that is not TCP
 * @sk: full inet socket
 */
int portsock_sk_other_proto(const struct sock *sk)
{
	if (sk->sk_type == SOCK_RAW)
		return PORTSOCK_RAW;
	switch (sk->sk_protocol) {
	case IPPROTO_UDP:
		return PORTSOCK_UDP;
	case IPPROTO_UDPLITE:
		return PORTSOCK_UDPLITE;
	case IPPROTO_ICMP:
	case IPPROTO_ICMPV6:
		return PORTSOCK_ICMP;
	case IPPROTO_SCTP:
		return PORTSOCK_SCTP;
	case IPPROTO_DCCP:
		return PORTSOCK_DCCP;
	case IPPROTO_MPTCP:
		return PORTSOCK_MPTCP;
	default:
		return -1;
	}
}

/**
 * portsock_sk_other_bound() - portsock_sk_bound() of a socket
 * without a bind bucket
 * @sk: full socket, not of TCP or DCCP
 */
bool portsock_sk_other_bound(const struct sock *sk)
{
	switch (portsock_sk_proto(sk)) {
	case PORTSOCK_SCTP:
		return READ_ONCE(sctp_sk(sk)->bind_hash);
	case PORTSOCK_MPTCP:
		return READ_ONCE(sk->sk_state) != TCP_CLOSE &&
		       READ_ONCE(sk->sk_num);
	default:
		return sk_hashed(sk);
	}
}

/**
 * portsock_sk_parent() - the MPTCP socket that a TCP socket is a subflow of
 * @sk: full TCP socket
 *
 * A subflow shares the struct socket of its MPTCP socket. A subflow of a
 * connection that waits for accept(), or that is closed, has none.
 *
 * Context: any; RCU read side, which also bounds the use of the result.
 * Return: NULL if it is no subflow, or has no struct socket.
 */
const struct sock *portsock_sk_parent(const struct sock *sk)
{
	const struct socket *sock = READ_ONCE(sk->sk_socket);
	const struct sock *parent = sock ? READ_ONCE(sock->sk) : NULL;

	return parent && parent != sk &&
	       parent->sk_protocol == IPPROTO_MPTCP ? parent : NULL;
}

static u8 dccp_state_of(int state)
{
	switch (state) {
	case DCCP_PARTOPEN:
		return TCP_ESTABLISHED;
	case DCCP_PASSIVE_CLOSEREQ:
		return TCP_CLOSE_WAIT;
	default:
		return state;
	}
}

/*
 * Has a connected SCTP socket lost its association? The kernel sets
 * RCV_SHUTDOWN only when the peer shuts the association down, not when it is
 * aborted or peeled off.
 */
static u8 sctp_state_of(const struct sock *sk, int state)
{
	const struct sctp_endpoint *ep = READ_ONCE(sctp_sk(sk)->ep);

	if (state == TCP_ESTABLISHED && ep && list_empty(&ep->asocs))
		return TCP_CLOSE_WAIT;
	return state;
}

/**
 * portsock_sk_other_state() - the TCP state to show for a state of
 * another meaning
 * @sk: full socket
 * @proto: PORTSOCK_DCCP, which has states of its own behind TCP's,
 *	or PORTSOCK_SCTP
 * @state: its own state
 *
 * Context: any but NMI.
 */
u8 portsock_sk_other_state(const struct sock *sk, int proto, int state)
{
	return proto == PORTSOCK_DCCP ? dccp_state_of(state) :
					sctp_state_of(sk, state);
}

/**
 * portsock_sk_assoc_went_out() - did this side begin an association of SCTP?
 * @assoc: established
 *
 * Context: any; RCU read side, or the socket is locked.
 */
bool portsock_sk_assoc_went_out(const struct sctp_association *assoc)
{
	return READ_ONCE(assoc->init_last_sent_to);
}

/**
 * portsock_proto_queues() - are readers to look into a socket that holds a port?
 * @proto: its portsock_sk_proto(), not that of TCP
 * @listens: it is in LISTEN, or about to be
 *
 * The queue of an MPTCP socket is that of its first subflow.
 *
 * Context: any.
 */
bool portsock_proto_queues(int proto, bool listens)
{
	if (BIT(proto) & PORTSOCK_PROTOS_LISTEN)
		return listens;
	return BIT(proto) & PORTSOCK_PROTOS_DATAGRAM;
}

static u8 connect_cause(int err)
{
	switch (err) {
	case 0:
		return PORTSOCK_GIVEN_UP;
	case ECONNREFUSED:
		return PORTSOCK_REFUSED;
	case ETIMEDOUT:
		return PORTSOCK_TIMED_OUT;
	case ECONNABORTED:
		return PORTSOCK_KILLED;
	default:
		return PORTSOCK_UNREACHABLE;
	}
}

/**
 * portsock_connect_end() - how a connect() of TCP has failed
 * @sk: full TCP socket that goes from SYN_SENT to CLOSE
 * @end: receives it
 *
 * sk_err is set before, and nobody was told of it yet.
 *
 * Context: any; the socket is locked.
 */
void portsock_connect_end(const struct sock *sk, struct portsock_end *end)
{
	*end = (struct portsock_end){
		.cause = connect_cause(READ_ONCE(sk->sk_err)),
		.remote = portsock_sk_remote(sk),
	};
}

/**
 * portsock_sk_sample() - payload that an open TCP connection has carried
 * @sk: full TCP socket, which cannot be freed during this call
 * @bytes: receives it
 *
 * Context: any. The socket need not be locked: if a FIN comes or is confirmed
 * meanwhile, it may be counted as a byte.
 */
void portsock_sk_sample(const void *sk, struct portsock_bytes *bytes)
{
	sk_bytes(sk, READ_ONCE(((const struct sock *)sk)->sk_state), bytes);
}

/**
 * portsock_sk_met() - a socket may be older than the module
 * @sk: full socket
 * @h: what it holds
 * @birth: receives what was there already, if it is a connection of TCP, and is
 *	made a part of @h
 *
 * Context: any.
 */
void portsock_sk_met(const struct sock *sk, struct portsock_holding *h,
		     struct portsock_birth *birth)
{
	if (h->proto != PORTSOCK_TCP || h->queues ||
	    BIT(h->state) & (TCPF_CLOSE | TCPF_SYN_SENT))
		return;
	*birth = (struct portsock_birth){ };
	sk_bytes(sk, h->state, &birth->bytes);
	h->birth = birth;
}

/*
 * Was the port taken by bind(), or inherited from a listener? connect() marks
 * the bind bucket that it makes, bind() does not.
 */
static bool tb_is_bound(const struct inet_bind_bucket *tb)
{
	return tb && tb->fastreuse >= 0;
}

/* Is the port one that the kernel chooses for sockets that do not name any? */
static bool port_is_chosen(const struct net *net, u16 port)
{
	return port >= portsock_port_min(net) && port <= portsock_port_max(net);
}

/* A socket that listened has a backlog, and its children have a copy of it. */
static bool csk_serves(const struct sock *sk)
{
	return tb_is_bound(READ_ONCE(inet_csk(sk)->icsk_bind_hash)) &&
	       (READ_ONCE(sk->sk_max_ack_backlog) ||
		!port_is_chosen(sock_net(sk), sk->sk_num));
}

/* An incoming association came to a listener. */
static bool sctp_serves(const struct sock *sk)
{
	const struct sctp_endpoint *ep = READ_ONCE(sctp_sk(sk)->ep);
	const struct list_head *first = ep ? READ_ONCE(ep->asocs.next) : NULL;

	if (!port_is_chosen(sock_net(sk), sk->sk_num))
		return true;
	return first && first != &ep->asocs &&
	       READ_ONCE(sk->sk_state) != TCP_CLOSE &&
	       !portsock_sk_assoc_went_out(list_entry(first,
						      struct sctp_association,
						      asocs));
}

/*
 * Which side began a connection? connect() leaves a mark in the bind bucket that
 * it makes, as long as nobody else calls bind(); a socket that bound its port by
 * number keeps a mark of its own, which its children do not get; a listener's
 * backlog is copied to its children. Returns false for those that came in.
 */
static bool csk_went_out(const struct sock *sk, bool *guessed)
{
	const struct inet_bind_bucket *tb;

	tb = READ_ONCE(inet_csk(sk)->icsk_bind_hash);
	if (sk->sk_userlocks & SOCK_BINDPORT_LOCK || (tb && !tb_is_bound(tb)))
		return true;
	*guessed = true;
	return !READ_ONCE(sk->sk_max_ack_backlog);
}

static bool sctp_went_out(const struct sock *sk)
{
	const struct sctp_endpoint *ep = READ_ONCE(sctp_sk(sk)->ep);
	const struct list_head *first = ep ? READ_ONCE(ep->asocs.next) : NULL;

	return first && first != &ep->asocs &&
	       portsock_sk_assoc_went_out(list_entry(first,
						     struct sctp_association,
						     asocs));
}

/**
 * portsock_sk_reached() - the port that a socket that a walk meets
 * connected to, as far as the kernel tells
 * @sk: full socket, not of MPTCP, that holds a port, and cannot lose it meanwhile
 * @h: what it holds; receives the port
 *
 * Context: any but NMI; RCU read side.
 */
void portsock_sk_reached(const struct sock *sk, struct portsock_holding *h)
{
	bool out = false;

	if (BIT(h->state) & (TCPF_CLOSE | TCPF_LISTEN | TCPF_SYN_RECV))
		return;
	switch (h->proto) {
	case PORTSOCK_TCP:
	case PORTSOCK_DCCP:
		out = csk_went_out(sk, &h->guessed);
		break;
	case PORTSOCK_SCTP:
		out = sctp_went_out(sk);
		break;
	case PORTSOCK_UDP:
		out = !(sk->sk_userlocks & SOCK_BINDPORT_LOCK);
		break;
	}
	if (out)
		h->remote = portsock_sk_remote(sk);
}

/**
 * portsock_sk_serves() - does a socket that a walk meets make its
 * port a service?
 * @sk: full socket that holds a port, and cannot lose it meanwhile
 * @proto: its portsock_sk_proto()
 *
 * Hooks see bind(), listen() and accepted children. A walk has to conclude it
 * from what the socket has: SOCK_BINDPORT_LOCK (not with SCTP), its bind
 * bucket, a backlog, an incoming association, or a port outside of the range
 * that the kernel chooses from.
 *
 * Context: any but NMI; RCU read side.
 */
bool portsock_sk_serves(const struct sock *sk, int proto)
{
	if (READ_ONCE(sk->sk_state) == TCP_LISTEN ||
	    sk->sk_userlocks & SOCK_BINDPORT_LOCK)
		return true;
	switch (proto) {
	case PORTSOCK_TCP:
	case PORTSOCK_DCCP:
		return csk_serves(sk);
	case PORTSOCK_SCTP:
		return sctp_serves(sk);
	default:
		return false;
	}
}

/**
 * portsock_tw_serves() - portsock_sk_serves() of a TIME_WAIT mini-socket
 * @tw: mini-socket that holds a port, and cannot lose it meanwhile
 *
 * Context: any but NMI; RCU read side.
 */
bool portsock_tw_serves(const struct inet_timewait_sock *tw)
{
	return tb_is_bound(READ_ONCE(tw->tw_tb)) &&
	       !port_is_chosen(twsk_net(tw), tw->tw_num);
}

/**
 * portsock_tw_reached() - portsock_sk_reached() of a TIME_WAIT mini-socket
 * @tw: mini-socket that holds a port, and cannot lose it meanwhile
 * @h: what it holds; receives the port
 *
 * Context: any but NMI; RCU read side.
 */
void portsock_tw_reached(const struct inet_timewait_sock *tw,
			 struct portsock_holding *h)
{
	const struct inet_bind_bucket *tb = READ_ONCE(tw->tw_tb);

	if (portsock_remote && tb && !tb_is_bound(tb))
		h->remote = ntohs(tw->tw_dport);
}

/**
 * portsock_tw_read() - read what a TIME_WAIT mini-socket holds
 * @tw: mini-socket, whatever its substate
 * @proto: PORTSOCK_TCP or PORTSOCK_DCCP, which it does not tell itself
 * @h: receives the holding
 *
 * Context: any but NMI; RCU read side, which also bounds the use of @h.
 * Return: false when its namespace is going.
 */
bool portsock_tw_read(const struct inet_timewait_sock *tw, u8 proto,
		      struct portsock_holding *h)
{
	h->table = portsock_netns_table(twsk_net(tw));
	if (!h->table)
		return false;
	h->queues = false;
	h->remote = 0;
	h->guessed = false;
	h->owner.tgid = 0;
	h->birth = NULL;
	h->end = NULL;
	h->port = tw->tw_num;
	h->proto = proto;
	h->state = TCP_TIME_WAIT;
	h->how = PORTSOCK_BOUND;
	h->ipv6 = tw->tw_family == AF_INET6;
	h->service = false;
	return true;
}

/**
 * portsock_sk_get() - take a reference on a socket, for portsock_sk_ask()
 * @sk: the socket, which cannot be freed during this call
 *
 * Context: any.
 * Return: false if the socket is about to be freed.
 */
bool portsock_sk_get(const void *sk)
{
	return refcount_inc_not_zero(&((struct sock *)sk)->sk_refcnt);
}

/**
 * portsock_sk_ask() - record what a datagram socket holds, unless a
 * call is under way
 * @socket: referenced by portsock_sk_get(); the reference is dropped
 *
 * Such calls lock the socket. sk_lock.owned is read under its spinlock:
 * release_sock() clears it with a plain store, which on a weakly ordered
 * machine may become visible before what the call has written; its
 * spin_unlock_bh() orders both.
 *
 * Context: process.
 */
void portsock_sk_ask(const void *socket)
{
	struct sock *sk = (struct sock *)socket;
	struct portsock_holding h;

	spin_lock_bh(&sk->sk_lock.slock);
	if (!sk->sk_lock.owned) {
		portsock_sk_look(sk, portsock_sk_proto(sk), sk->sk_state, &h);
		portsock_sk_came(sk, &h);
		portsock_sock_settle(sk, sk_hashed(sk) ? &h : NULL);
	}
	spin_unlock_bh(&sk->sk_lock.slock);
	sock_put(sk);
}
