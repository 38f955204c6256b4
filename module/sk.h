/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a kernel socket says of itself.
 */
#ifndef PORTSOCK_SK_H
#define PORTSOCK_SK_H

#include "table.h"

struct inet_timewait_sock;
struct sock;

bool portsock_sk_read(const struct sock *sk, int state,
		      struct portsock_holding *h);
bool portsock_sk_bound(const struct sock *sk);
bool portsock_sk_idle(const struct sock *sk);
void portsock_sk_unbind(struct portsock_holding *h);
bool portsock_tw_read(const struct inet_timewait_sock *tw,
		      struct portsock_holding *h);

#endif /* PORTSOCK_SK_H */
