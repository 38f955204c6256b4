/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a kernel socket says of itself.
 */
#ifndef PORTSOCK_SK_H
#define PORTSOCK_SK_H

#include <net/inet_timewait_sock.h>
#include <net/sock.h>

#include "table.h"

int portsock_sk_proto(const struct sock *sk);
bool portsock_sk_has_bucket(const struct sock *sk);
bool portsock_sk_bound(const struct sock *sk);
bool portsock_sk_owned(const struct sock *sk);

bool portsock_sk_read(const struct sock *sk, int state,
		      struct portsock_holding *h);
void portsock_sk_unbind(struct portsock_holding *h);
bool portsock_tw_read(const struct inet_timewait_sock *tw, u8 proto,
		      struct portsock_holding *h);

#endif /* PORTSOCK_SK_H */
