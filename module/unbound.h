/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The unbound sockets of one protocol: numbers, as there is no port to have a
 * row for. The caller holds the lock that protects them.
 */
#ifndef PORTSOCK_UNBOUND_H
#define PORTSOCK_UNBOUND_H

#include <linux/compiler.h>
#include <linux/types.h>

struct portsock_counts;

/**
 * struct portsock_unbound - the unbound sockets of one protocol
 * @sockets: their number
 * @ipv6: those of them that are AF_INET6
 * @peak: high-water mark of @sockets
 * @opened: those there were
 */
struct portsock_unbound {
	u32 sockets;
	u32 ipv6;
	u32 peak;
	u64 opened;
};

void portsock_unbound_mend(struct portsock_unbound *unbound);
bool portsock_unbound_read(const struct portsock_unbound *unbound,
			   struct portsock_counts *counts);

/* A socket is unbound. */
static __always_inline void unbound_add(struct portsock_unbound *unbound,
					bool ipv6)
{
	unbound->opened++;
	unbound->ipv6 += ipv6;
	unbound->sockets++;
	if (unbound->peak < unbound->sockets)
		unbound->peak = unbound->sockets;
}

/* It is no longer. */
static __always_inline void unbound_sub(struct portsock_unbound *unbound,
					bool ipv6)
{
	u32 all = --unbound->sockets;

	all |= unbound->ipv6 -= ipv6;
	if (unlikely((s32)all < 0))
		portsock_unbound_mend(unbound);
}

/* It changes its family. */
static inline void unbound_turn(struct portsock_unbound *unbound, bool ipv6)
{
	unbound->ipv6 += ipv6 ? 1 : -1;
	if (unlikely((s32)unbound->ipv6 < 0))
		portsock_unbound_mend(unbound);
}

#endif /* PORTSOCK_UNBOUND_H */
