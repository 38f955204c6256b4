// SPDX-License-Identifier: GPL-2.0
/*
 * Each socket passes here on its way to a port, so there is no lock: two
 * numbers that change together are in one word.
 */
#include "unbound.h"

#include <linux/bits.h>
#include <linux/minmax.h>

#include "counts.h"

static u32 unbound_ipv6(s64 sockets)
{
	return sockets >> 32;
}

/**
 * portsock_unbound_short() - more was taken than was there: it goes back
 * @unbound: of a namespace and protocol
 * @taken: one number, or both
 * @left: what that left; the lower number has borrowed from the upper one
 *
 * Context: any.
 */
void portsock_unbound_short(struct portsock_unbound *unbound, s64 taken,
			    s64 left)
{
	s64 back = 0;

	if ((s32)left < 0)
		back = unbound_sockets(taken);
	if (left + back < 0)
		back += taken - unbound_sockets(taken);
	atomic64_add(back, &unbound->sockets);
	portsock_gauge_short();
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
		__unbound_sub(unbound, 1LL << 32);
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
		/* may be less for a moment, see portsock_unbound_short() */
		.sockets = max_t(s32, unbound_sockets(sockets), 0),
		.ipv6 = max_t(s32, unbound_ipv6(sockets), 0),
		.came[PORTSOCK_BOUND] = atomic64_read(&unbound->opened),
	};
	counts->state[TCP_CLOSE] = counts->sockets;
	/* a socket is counted a moment before the peak is raised */
	counts->peak = max_t(u32, atomic_read(&unbound->peak), counts->sockets);
	return counts->came[PORTSOCK_BOUND];
}
