/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The unbound sockets of one protocol: numbers, as there is no port to have a
 * row for.
 */
#ifndef PORTSOCK_UNBOUND_H
#define PORTSOCK_UNBOUND_H

#include <linux/atomic.h>
#include <linux/bits.h>
#include <linux/types.h>

struct portsock_counts;

/**
 * struct portsock_unbound - the unbound sockets of one protocol
 * @sockets: their number, and in the upper half that of those that are AF_INET6
 * @opened: those there were
 * @peak: high-water mark of their number
 *
 * Each socket passes here on its way to a port, so this takes no lock. @opened
 * grows before @sockets and is read after it.
 */
struct portsock_unbound {
	atomic64_t sockets;
	atomic64_t opened;
	atomic_t peak;
};

static inline u32 unbound_sockets(s64 sockets)
{
	return sockets;
}

static inline s64 unbound_one(bool ipv6)
{
	return 1 + ((s64)ipv6 << 32);
}

/* The sign of either number. */
#define UNBOUND_SIGNS (BIT_ULL(31) | BIT_ULL(63))

void portsock_unbound_short(struct portsock_unbound *unbound, s64 taken,
			    s64 left);

/* @taken: unbound_one(), or its upper half. A barrier. */
static inline void __unbound_sub(struct portsock_unbound *unbound, s64 taken)
{
	s64 left = atomic64_sub_return(taken, &unbound->sockets);

	if (unlikely(left & UNBOUND_SIGNS))
		portsock_unbound_short(unbound, taken, left);
}

/**
 * portsock_unbound_sub() - a socket is unbound no longer
 * @unbound: of its namespace and protocol
 * @ipv6: it was AF_INET6
 *
 * Context: any. A barrier.
 */
static inline void portsock_unbound_sub(struct portsock_unbound *unbound,
					bool ipv6)
{
	__unbound_sub(unbound, unbound_one(ipv6));
}

/**
 * portsock_unbound_add() - a socket is unbound
 * @unbound: of its namespace and protocol
 * @ipv6: it is AF_INET6
 *
 * Context: any. A barrier.
 */
static inline void portsock_unbound_add(struct portsock_unbound *unbound,
					bool ipv6)
{
	int sockets, peak;

	atomic64_inc(&unbound->opened);
	sockets = unbound_sockets(atomic64_add_return(unbound_one(ipv6),
						      &unbound->sockets));
	peak = atomic_read(&unbound->peak);
	while (unlikely(peak < sockets) &&
	       !atomic_try_cmpxchg(&unbound->peak, &peak, sockets))
		;
}

void portsock_unbound_turn(struct portsock_unbound *unbound, bool ipv6);
bool portsock_unbound_read(const struct portsock_unbound *unbound,
			   struct portsock_counts *counts);

#endif /* PORTSOCK_UNBOUND_H */
