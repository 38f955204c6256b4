// SPDX-License-Identifier: GPL-2.0
/*
 * The only file that looks into struct sock.
 */
#include "sk.h"

#include <linux/icmpv6.h>
#include <net/sctp/structs.h>

#include "compat.h"
#include "netns.h"
#include "socks.h"

/**
 * portsock_sk_other_proto() - portsock_sk_proto() of what is not TCP
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
 * portsock_sk_other_bound() - portsock_sk_bound() of what has no bind bucket
 * @sk: full socket, not of TCP or DCCP
 */
bool portsock_sk_other_bound(const struct sock *sk)
{
	switch (portsock_sk_proto(sk)) {
	case PORTSOCK_SCTP:
		return READ_ONCE(sctp_sk(sk)->bind_hash);
	case PORTSOCK_MPTCP:
		return READ_ONCE(sk->sk_state) != TCP_CLOSE && READ_ONCE(sk->sk_num);
	default:
		return sk_hashed(sk);
	}
}

/**
 * portsock_sk_parent() - the MPTCP socket that a TCP socket is a subflow of
 * @sk: full TCP socket
 *
 * A subflow that somebody has is part of the MPTCP socket's struct socket. One of
 * a connection that waits for accept(), or that is closed, is in nobody's hands.
 *
 * Context: any; RCU read side, which also bounds the use of the result.
 * Return: NULL when it is none, or not known to be.
 */
const struct sock *portsock_sk_parent(const struct sock *sk)
{
	const struct socket *sock = READ_ONCE(sk->sk_socket);
	const struct sock *parent = sock ? READ_ONCE(sock->sk) : NULL;

	return parent && parent != sk && parent->sk_protocol == IPPROTO_MPTCP ? parent : NULL;
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
 * A socket whose association is over waits to be closed. It is told so when the peer
 * ended it in good order, but not when that aborted, nor if it was peeled off.
 */
static u8 sctp_state_of(const struct sock *sk, int state)
{
	const struct sctp_endpoint *ep = READ_ONCE(sctp_sk(sk)->ep);

	if (state == TCP_ESTABLISHED && ep && list_empty(&ep->asocs))
		return TCP_CLOSE_WAIT;
	return state;
}

/**
 * portsock_sk_other_state() - the state of a socket whose own means another thing than TCP's
 * @sk: full socket
 * @proto: PORTSOCK_DCCP, which has states of its own behind TCP's, or PORTSOCK_SCTP
 * @state: its own state
 *
 * Context: any but NMI.
 */
u8 portsock_sk_other_state(const struct sock *sk, int proto, int state)
{
	return proto == PORTSOCK_DCCP ? dccp_state_of(state) : sctp_state_of(sk, state);
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

/*
 * connect() marks the bind bucket that it makes; those that bind() makes and that children
 * inherit are not so marked. In the latter are children, and sockets that bound to port 0.
 */
static bool tb_is_bound(const struct inet_bind_bucket *tb)
{
	return tb && tb->fastreuse >= 0;
}

/* One that listened, or whose parent did, has a backlog. */
static bool csk_serves(const struct sock *sk)
{
	return tb_is_bound(READ_ONCE(inet_csk(sk)->icsk_bind_hash)) &&
	       (READ_ONCE(sk->sk_max_ack_backlog) ||
		!portsock_port_is_local(sock_net(sk), sk->sk_num));
}

/* An association that came in came to a listener. */
static bool sctp_serves(const struct sock *sk)
{
	const struct sctp_endpoint *ep = READ_ONCE(sctp_sk(sk)->ep);
	const struct list_head *first = ep ? READ_ONCE(ep->asocs.next) : NULL;

	if (!portsock_port_is_local(sock_net(sk), sk->sk_num))
		return true;
	return first && first != &ep->asocs && READ_ONCE(sk->sk_state) != TCP_CLOSE &&
	       !portsock_sk_assoc_went_out(list_entry(first, struct sctp_association, asocs));
}

/**
 * portsock_sk_serves() - is the port of a socket that was not seen to come by it a service?
 * @sk: full socket that holds a port, and cannot lose it meanwhile
 * @proto: its portsock_sk_proto()
 *
 * Hooks see bind(), listen() and children. What is left of that in a socket later:
 * SOCK_BINDPORT_LOCK, but not with SCTP; the bind bucket, the backlog and the association
 * of a child, and that the kernel chooses ports from its range only.
 *
 * Context: any but NMI; RCU read side.
 */
bool portsock_sk_serves(const struct sock *sk, int proto)
{
	if (READ_ONCE(sk->sk_state) == TCP_LISTEN || sk->sk_userlocks & SOCK_BINDPORT_LOCK)
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
	       !portsock_port_is_local(twsk_net(tw), tw->tw_num);
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
	h->requests = NULL;
	h->port = tw->tw_num;
	h->proto = proto;
	h->state = TCP_TIME_WAIT;
	h->how = PORTSOCK_BOUND;
	h->ipv6 = tw->tw_family == AF_INET6;
	h->service = false;
	return true;
}

/**
 * portsock_sk_get() - see to it that a socket stays there until portsock_sk_ask()
 * @sk: the socket, which is there now
 *
 * Context: any.
 * Return: false when it is about to go.
 */
bool portsock_sk_get(const void *sk)
{
	return refcount_inc_not_zero(&((struct sock *)sk)->sk_refcnt);
}

/**
 * portsock_sk_ask() - say what came of a call on a datagram socket, if it is over
 * @socket: from portsock_sk_get(), which ends here
 *
 * Such calls have the socket locked. To read sk_lock.owned without the lock that
 * protects it would not do: release_sock() clears it with a plain store, which a
 * weakly ordered machine may show before what the call wrote. Its spin_unlock_bh()
 * comes after both.
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
		h.how = portsock_sk_came(sk);
		portsock_sock_settle(sk, sk_hashed(sk) ? &h : NULL);
	}
	spin_unlock_bh(&sk->sk_lock.slock);
	sock_put(sk);
}
