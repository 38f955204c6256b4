// SPDX-License-Identifier: GPL-2.0
/*
 * The only file that looks into struct sock.
 */
#include "sk.h"

#include <net/inet_connection_sock.h>

#include "netns.h"

static int proto_of(const struct sock *sk)
{
	if (!portsock_sk_is_inet(sk))
		return -1;
	if (portsock_sk_is_tcp(sk))
		return PORTSOCK_TCP;
	if (sk->sk_type == SOCK_DGRAM && sk->sk_protocol == IPPROTO_UDP)
		return PORTSOCK_UDP;
	if (sk->sk_type == SOCK_DGRAM && sk->sk_protocol == IPPROTO_UDPLITE)
		return PORTSOCK_UDPLITE;
	return -1;
}

/**
 * portsock_sk_read() - read what a socket holds
 * @sk: full socket
 * @state: state it is in, or is about to enter
 * @h: receives the holding; the port is sk_num, whether bound or not
 *
 * Context: any but NMI; RCU read side, which also bounds the use of @h.
 * Return: false for a socket of no protocol portsock counts, or of a namespace
 * that is going.
 */
bool portsock_sk_read(const struct sock *sk, int state,
		      struct portsock_holding *h)
{
	bool listens = state == TCP_LISTEN;
	int proto = proto_of(sk);

	if (proto < 0)
		return false;
	h->table = portsock_netns_table(sock_net(sk));
	if (!h->table)
		return false;
	h->requests = listens ? &inet_csk(sk)->icsk_accept_queue.qlen : NULL;
	h->port = sk->sk_num;
	h->proto = proto;
	h->state = state;
	h->how = PORTSOCK_FOUND;
	h->ipv6 = sk->sk_family == AF_INET6;
	h->service = listens || sk->sk_userlocks & SOCK_BINDPORT_LOCK;
	return true;
}

/**
 * portsock_sk_bound() - does a socket hold the port it names?
 * @sk: full socket, AF_INET or AF_INET6
 *
 * sk_num alone is no proof: it is set early and cleared late.
 *
 * Context: any.
 */
bool portsock_sk_bound(const struct sock *sk)
{
	if (portsock_sk_is_tcp(sk))
		return READ_ONCE(inet_csk(sk)->icsk_bind_hash);
	return sk_hashed(sk);
}

/**
 * portsock_sk_owned() - does a user have a socket in his hands?
 * @sk: full socket
 *
 * Context: any.
 * Return: false when it is being closed, waits to be accepted, or belongs to
 * the kernel.
 */
bool portsock_sk_owned(const struct sock *sk)
{
	return READ_ONCE(sk->sk_socket) && !sk->sk_kern_sock;
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
 * @tw: mini-socket of TCP, whatever its substate
 * @h: receives the holding
 *
 * Context: any but NMI; RCU read side, which also bounds the use of @h.
 * Return: false when its namespace is going.
 */
bool portsock_tw_read(const struct inet_timewait_sock *tw,
		      struct portsock_holding *h)
{
	h->table = portsock_netns_table(twsk_net(tw));
	if (!h->table)
		return false;
	h->requests = NULL;
	h->port = tw->tw_num;
	h->proto = PORTSOCK_TCP;
	h->state = TCP_TIME_WAIT;
	h->how = PORTSOCK_FOUND;
	h->ipv6 = tw->tw_family == AF_INET6;
	h->service = false;
	return true;
}
