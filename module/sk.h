/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a kernel socket says of itself.
 */
#ifndef PORTSOCK_SK_H
#define PORTSOCK_SK_H

#include <net/inet_connection_sock.h>
#include <net/inet_timewait_sock.h>
#include <net/sock.h>

#include "table.h"

int portsock_sk_other_proto(const struct sock *sk);
bool portsock_sk_other_bound(const struct sock *sk);
bool portsock_sk_owned(const struct sock *sk);

void portsock_sk_look(const struct sock *sk, int proto, int state,
		      struct portsock_holding *h);
bool portsock_sk_read(const struct sock *sk, int state,
		      struct portsock_holding *h);
void portsock_sk_unbind(struct portsock_holding *h);
bool portsock_tw_read(const struct inet_timewait_sock *tw, u8 proto,
		      struct portsock_holding *h);

/**
 * portsock_sk_proto() - the protocol a socket is counted under
 * @sk: full socket of any family
 *
 * A raw socket carries any protocol number, so the type counts as well.
 *
 * Context: any.
 * Return: enum portsock_proto, or -1 for what portsock does not count.
 */
static inline int portsock_sk_proto(const struct sock *sk)
{
	if (sk->sk_family != AF_INET && sk->sk_family != AF_INET6)
		return -1;
	if (likely(sk->sk_protocol == IPPROTO_TCP && sk->sk_type == SOCK_STREAM))
		return PORTSOCK_TCP;
	return portsock_sk_other_proto(sk);
}

/**
 * portsock_sk_bound() - does a socket hold the port it names?
 * @sk: full socket
 * @proto: its portsock_sk_proto(), not -1
 *
 * sk_num alone is no proof: it is set early and cleared late. Only an MPTCP
 * socket has nothing else, its port is that of its first subflow.
 *
 * Context: any.
 */
static inline bool portsock_sk_bound(const struct sock *sk, int proto)
{
	if (likely(proto == PORTSOCK_TCP || proto == PORTSOCK_DCCP))
		return READ_ONCE(inet_csk(sk)->icsk_bind_hash);
	return portsock_sk_other_bound(sk);
}

#endif /* PORTSOCK_SK_H */
