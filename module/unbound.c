// SPDX-License-Identifier: GPL-2.0
/*
 * Each socket passes here on its way to a port, so there is no lock: two numbers that
 * change together are in one word.
 */
#include "unbound.h"

#include <linux/bits.h>
#include <linux/minmax.h>

#include "counts.h"

static u32 unbound_sockets(s64 sockets)
{
	return sockets;
}

static u32 unbound_ipv6(s64 sockets)
{
	return sockets >> 32;
}

static s64 unbound_one(bool ipv6)
{
	return 1 + ((s64)ipv6 << 32);
}

/* The sign of either number. */
#define UNBOUND_SIGNS (BIT_ULL(31) | BIT_ULL(63))

/* What was taken and was not there goes back; the lower number had borrowed from the upper one. */
static noinline void unbound_short(struct portsock_unbound *unbound, s64 taken, s64 left)
{
	s64 back = 0;

	if ((s32)left < 0)
		back = unbound_sockets(taken);
	if (left + back < 0)
		back += taken - unbound_sockets(taken);
	atomic64_add(back, &unbound->sockets);
	portsock_gauge_short();
}

/* @taken: unbound_one(), or its upper half. A barrier. */
static void unbound_sub(struct portsock_unbound *unbound, s64 taken)
{
	s64 left = atomic64_sub_return(taken, &unbound->sockets);

	if (unlikely(left & UNBOUND_SIGNS))
		unbound_short(unbound, taken, left);
}

/**
 * portsock_unbound_sub() - a socket is unbound no longer
 * @unbound: of its namespace and protocol
 * @ipv6: it was AF_INET6
 *
 * Context: any. A barrier.
 */
void portsock_unbound_sub(struct portsock_unbound *unbound, bool ipv6)
{
	unbound_sub(unbound, unbound_one(ipv6));
}

/**
 * portsock_unbound_turn() - an unbound socket changes its family
 * @unbound: of its namespace and protocol
 * @ipv6: it is AF_INET6 now
 *
 * Context: any.
 */
void portsock_unbound_turn(struct portsock_unbound *unbound, bool ipv6)
{
	if (ipv6)
		atomic64_add(1LL << 32, &unbound->sockets);
	else
		unbound_sub(unbound, 1LL << 32);
}

/**
 * portsock_unbound_add() - a socket is unbound
 * @unbound: of its namespace and protocol
 * @ipv6: it is AF_INET6
 *
 * Context: any. A barrier.
 */
void portsock_unbound_add(struct portsock_unbound *unbound, bool ipv6)
{
	int sockets, peak;

	atomic64_inc(&unbound->opened);
	sockets = unbound_sockets(atomic64_add_return(unbound_one(ipv6), &unbound->sockets));
	peak = atomic_read(&unbound->peak);
	while (unlikely(peak < sockets) &&
	       !atomic_try_cmpxchg(&unbound->peak, &peak, sockets))
		;
}

/**
 * portsock_unbound_read() - the numbers of a row for unbound sockets
 * @unbound: of a namespace and protocol
 * @counts: receives them
 *
 * Context: any.
 * Return: false when there never was such a socket.
 */
bool portsock_unbound_read(const struct portsock_unbound *unbound,
			   struct portsock_counts *counts)
{
	s64 sockets = atomic64_read(&unbound->sockets);

	smp_rmb(); /* pairs with portsock_unbound_add() */
	*counts = (struct portsock_counts){
		/* may be less for a moment, see unbound_short() */
		.sockets = max_t(s32, unbound_sockets(sockets), 0),
		.ipv6 = max_t(s32, unbound_ipv6(sockets), 0),
		.came[PORTSOCK_BOUND] = atomic64_read(&unbound->opened),
	};
	counts->state[TCP_CLOSE] = counts->sockets;
	/* a socket is counted a moment before the peak is raised */
	counts->peak = max_t(u32, atomic_read(&unbound->peak), counts->sockets);
	return counts->came[PORTSOCK_BOUND];
}
