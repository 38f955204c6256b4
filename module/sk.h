/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a kernel socket says of itself.
 */
#ifndef PORTSOCK_SK_H
#define PORTSOCK_SK_H

#include <net/inet_timewait_sock.h>
#include <net/sock.h>

#include "table.h"

/**
 * portsock_sk_is_inet() - is a socket of the family portsock counts?
 * @sk: full socket
 *
 * Context: any.
 */
static inline bool portsock_sk_is_inet(const struct sock *sk)
{
	return sk->sk_family == AF_INET || sk->sk_family == AF_INET6;
}

/**
 * portsock_sk_is_tcp() - is an inet socket a TCP socket?
 * @sk: full socket, AF_INET or AF_INET6
 *
 * A raw socket carries any protocol number, so the type counts as well.
 *
 * Context: any.
 */
static inline bool portsock_sk_is_tcp(const struct sock *sk)
{
	return sk->sk_protocol == IPPROTO_TCP && sk->sk_type == SOCK_STREAM;
}

bool portsock_sk_read(const struct sock *sk, int state,
		      struct portsock_holding *h);
bool portsock_sk_bound(const struct sock *sk);
bool portsock_sk_owned(const struct sock *sk);
void portsock_sk_unbind(struct portsock_holding *h);
bool portsock_tw_read(const struct inet_timewait_sock *tw,
		      struct portsock_holding *h);

#endif /* PORTSOCK_SK_H */
