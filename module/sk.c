// SPDX-License-Identifier: GPL-2.0
/*
 * The only file that looks into struct sock.
 */
#include "sk.h"

#include <linux/fs.h>
#include <linux/icmpv6.h>
#include <linux/net.h>
#include <net/sctp/structs.h>

#include "compat.h"
#include "netns.h"

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
 * portsock_sk_owned() - does a user have a socket in his hands?
 * @sk: full socket, locked or otherwise unable to become an orphan meanwhile
 *
 * Context: any.
 * Return: false when it is being closed, an orphan, waits to be accepted, or
 * belongs to the kernel.
 */
bool portsock_sk_owned(const struct sock *sk)
{
	const struct socket *sock = READ_ONCE(sk->sk_socket);
	struct file *file;

	if (!sock || sk->sk_kern_sock)
		return false;
	/* The last reference is gone when close() comes to the protocol. */
	file = READ_ONCE(sock->file);
	return !file || file_count(file);
}

/* DCCP has states of its own behind TCP's; TCP_TIME_WAIT means a mini-socket. */
static u8 state_of(int proto, int state)
{
	if (proto != PORTSOCK_DCCP)
		return state;
	switch (state) {
	case DCCP_PARTOPEN:
		return TCP_ESTABLISHED;
	case DCCP_PASSIVE_CLOSEREQ:
		return TCP_CLOSE_WAIT;
	case DCCP_TIME_WAIT:
		return TCP_CLOSING;
	default:
		return state;
	}
}

/**
 * portsock_sk_look() - read what a socket holds, but not in which namespace
 * @sk: full socket
 * @proto: its portsock_sk_proto(), not -1
 * @state: state it is in, or is about to enter
 * @h: receives the holding without its table; the port is sk_num, whether bound
 *	or not
 *
 * Context: any.
 */
void portsock_sk_look(const struct sock *sk, int proto, int state,
		      struct portsock_holding *h)
{
	bool listens = state == TCP_LISTEN;

	h->table = NULL;
	h->requests = NULL;
	if (listens && (proto == PORTSOCK_TCP || proto == PORTSOCK_DCCP))
		h->requests = &inet_csk(sk)->icsk_accept_queue.qlen;
	h->port = sk->sk_num;
	h->proto = proto;
	h->state = state_of(proto, state);
	h->how = PORTSOCK_FOUND;
	h->ipv6 = sk->sk_family == AF_INET6;
	/* a raw socket names the protocol it wants */
	h->service = listens || proto == PORTSOCK_RAW ||
		     sk->sk_userlocks & SOCK_BINDPORT_LOCK;
}

/**
 * portsock_sk_read() - read what a socket holds
 * @sk: full socket of any family
 * @state: state it is in, or is about to enter
 * @h: receives the holding, see portsock_sk_look()
 *
 * Context: any but NMI; RCU read side, which also bounds the use of @h.
 * Return: false for a socket of no protocol portsock counts, or of a namespace
 * that is going.
 */
bool portsock_sk_read(const struct sock *sk, int state,
		      struct portsock_holding *h)
{
	int proto = portsock_sk_proto(sk);

	if (proto < 0)
		return false;
	portsock_sk_look(sk, proto, state, h);
	h->table = portsock_netns_table(sock_net(sk));
	return h->table;
}

/**
 * portsock_sk_unbind() - turn a holding into that of an unbound socket
 * @h: from portsock_sk_read()
 *
 * A socket that holds nothing has no state worth telling: it counts as CLOSE.
 */
void portsock_sk_unbind(struct portsock_holding *h)
{
	h->requests = NULL;
	h->port = 0;
	h->state = TCP_CLOSE;
	h->service = false;
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
