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
		return READ_ONCE(sk->sk_num);
	default:
		return sk_hashed(sk);
	}
}

/**
 * portsock_sk_dccp_state() - DCCP's state as TCP's
 * @state: DCCP has states of its own behind TCP's
 */
u8 portsock_sk_dccp_state(int state)
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
	h->how = PORTSOCK_FOUND;
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
