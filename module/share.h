/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the owner of a share may do with it.
 */
#ifndef PORTSOCK_SHARE_H
#define PORTSOCK_SHARE_H

#include <linux/types.h>

#include "row.h"

/**
 * portsock_step() - a socket goes to another state and keeps its port
 * @proto: transport protocol
 * @port: local port in host order
 * @ipv6: the socket is AF_INET6
 * @state: kernel state number it goes to, neither TCP_LISTEN nor TCP_TIME_WAIT
 *
 * Context: any.
 * Return: all of it in one word, which takes but one register.
 */
static inline u64 portsock_step(u8 proto, u16 port, bool ipv6, u8 state)
{
	return (u64)ipv6 << 32 | (u32)state << 24 | (u32)proto << 16 | port;
}

int portsock_share_hold(struct portsock_share *share,
			const struct portsock_holding *h);
bool portsock_share_step(struct portsock_share *share, u64 step,
			 const struct portsock_birth *birth);
int portsock_share_meet(struct portsock_share *share,
			const struct portsock_holding *h);
void portsock_share_reached(const struct portsock_share *share,
			    struct portsock_holding *h);
bool portsock_share_carries(const struct portsock_share *share);
void portsock_share_carried(struct portsock_share *share,
			    const struct portsock_bytes *bytes);
void portsock_share_accept(const struct portsock_share *share, u64 now,
			   const struct portsock_owner *user);
void portsock_share_use(const struct portsock_share *share,
			const struct portsock_owner *user);
int portsock_share_unbound(struct portsock_share *share,
			   struct portsock_table *table, u8 proto, bool ipv6);
void portsock_share_del(struct portsock_share *share);
void portsock_share_over(struct portsock_share *share,
			 const struct portsock_end *end);
void portsock_share_release(struct portsock_share *share, bool ipv6,
			    const struct portsock_end *end);
void portsock_share_retrans(const struct portsock_share *share, u32 segments);
void portsock_share_await(struct portsock_share *share);
void portsock_share_settle(struct portsock_share *share);
const void *portsock_share_awaited(struct portsock_table *table);
bool portsock_share_at(const struct portsock_share *share,
		       const struct portsock_table *table);
bool portsock_share_on(const struct portsock_share *share, u8 proto, u16 port);
bool portsock_share_in(const struct portsock_share *share,
		       unsigned long protos);
bool portsock_share_equals(const struct portsock_share *share,
			   const struct portsock_holding *h);
void portsock_share_tell(const struct portsock_share *share,
			 struct portsock_holding *h);

#endif /* PORTSOCK_SHARE_H */
