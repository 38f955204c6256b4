/* SPDX-License-Identifier: GPL-2.0 */
/*
 * One record per socket: what it contributes to which row.
 */
#ifndef PORTSOCK_SOCKS_H
#define PORTSOCK_SOCKS_H

#include "share.h"

int portsock_socks_init(unsigned int bits);
void portsock_socks_clear(const struct portsock_table *table);
void portsock_socks_exit(void);

void portsock_sock_hold(const void *sk, const struct portsock_holding *h);
void portsock_sock_reached(const void *sk, struct portsock_holding *h);
void portsock_sock_linger(const void *sk, const void *tw,
			  struct portsock_holding *h);
void portsock_sock_inherit(const void *sk, const void *tw,
			   struct portsock_holding *h);
void portsock_sock_unbound(const void *sk, struct portsock_table *table,
			   u8 proto, bool ipv6);
void portsock_sock_meet(const void *sk, const struct portsock_holding *h);
bool portsock_sock_step(const void *sk, u64 step,
			const struct portsock_birth *birth);
void portsock_sock_accept(const void *sk, u64 now,
			  const struct portsock_owner *user);
void portsock_sock_use(const void *sk, u64 now,
		       const struct portsock_owner *user);
void portsock_socks_sample(void (*sample)(const void *sk,
					  struct portsock_bytes *bytes));
bool portsock_sock_change(const void *sk, struct portsock_holding *h);
void portsock_sock_bind(const void *sk, const struct portsock_holding *h);
void portsock_sock_release(const void *sk, bool ipv6,
			   const struct portsock_end *end);
void portsock_sock_forget(const void *sk);
void portsock_sock_over(const void *sk, const struct portsock_end *end);
void portsock_sock_retrans(const void *sk, u32 segments);
void portsock_sock_observe(const void *sk, const struct portsock_holding *h);
void portsock_sock_await(const void *sk);
bool portsock_sock_awaited(const void *sk);
void portsock_sock_settle(const void *sk, struct portsock_holding *h);
void portsock_socks_settle(struct portsock_table *table,
			   bool (*get)(const void *sk),
			   void (*ask)(const void *sk));
void portsock_sock_asked(const void *sk, bool asked);
bool portsock_sock_on(const void *sk, u8 proto, u16 port);
void portsock_sock_carry(const void *sk, const void *first);
const void *portsock_sock_carrier(const void *sk);
bool portsock_sock_rests_on(const void *sk, const void *subflow);
bool portsock_sock_carried(const void *sk, const void *subflow);
bool portsock_sock_recorded(const void *sk, struct portsock_holding *h);

void portsock_socks_walk_begin(void);
void portsock_socks_refill(void);
void portsock_sock_seen(const void *sk, const struct portsock_holding *h);
u64 portsock_socks_walk_end(unsigned long protos);

u64 portsock_socks_untracked(void);

#endif /* PORTSOCK_SOCKS_H */
