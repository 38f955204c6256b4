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

/**
 * portsock_unbound_any() - has a namespace any unbound socket?
 * @table: of the namespace
 *
 * Context: any.
 */
bool portsock_unbound_any(const struct portsock_table *table)
{
	int proto;

	for (proto = 0; proto < PORTSOCK_PROTO_NR; proto++)
		if (atomic64_read(&table->unbound[proto].sockets))
			return true;
	return false;
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
 * portsock_unbound_del() - a socket is unbound no longer
 * @table: of its namespace
 * @proto: its protocol
 * @ipv6: it was AF_INET6
 *
 * Context: any but NMI, interrupts off.
 */
void portsock_unbound_del(struct portsock_table *table, u8 proto, bool ipv6)
{
	/* a barrier; pairs with portsock_table_settle() */
	unbound_sub(&table->unbound[proto], unbound_one(ipv6));
	if (unlikely(READ_ONCE(table->dead)))
		portsock_table_settle(table);
}

/**
 * portsock_unbound_turn() - an unbound socket changes its family
 * @table: of its namespace
 * @proto: its protocol
 * @ipv6: it is AF_INET6 now
 *
 * Context: any but NMI.
 */
void portsock_unbound_turn(struct portsock_table *table, u8 proto, bool ipv6)
{
	if (ipv6)
		atomic64_add(1LL << 32, &table->unbound[proto].sockets);
	else
		unbound_sub(&table->unbound[proto], 1LL << 32);
}

static bool table_is_released(struct portsock_table *table)
{
	bool over;

	raw_spin_lock(&table->lock);
	over = table->released;
	raw_spin_unlock(&table->lock);
	return over;
}

/**
 * portsock_unbound_add() - a socket is unbound
 * @table: of its namespace
 * @proto: its protocol
 * @ipv6: it is AF_INET6
 *
 * Context: any but NMI, interrupts off.
 * Return: false when the table is about to be released; the socket does not count then.
 */
bool portsock_unbound_add(struct portsock_table *table, u8 proto, bool ipv6)
{
	struct portsock_unbound *unbound = &table->unbound[proto];
	int sockets, peak;

	atomic64_inc(&unbound->opened);
	sockets = unbound_sockets(atomic64_add_return(unbound_one(ipv6), &unbound->sockets));
	peak = atomic_read(&unbound->peak);
	while (unlikely(peak < sockets) &&
	       !atomic_try_cmpxchg(&unbound->peak, &peak, sockets))
		;
	/* atomic64_add_return() is a barrier; pairs with portsock_table_settle() */
	return likely(!READ_ONCE(table->dead)) || !table_is_released(table);
}

/**
 * portsock_unbound_copy() - copy what is unbound of a protocol
 * @table: of the namespace
 * @proto: the protocol
 * @line: receives the row
 *
 * Context: any.
 * Return: false when nothing ever was.
 */
bool portsock_unbound_copy(const struct portsock_table *table, u8 proto, struct portsock_line *line)
{
	const struct portsock_unbound *unbound = &table->unbound[proto];
	struct portsock_counts *counts = &line->counts;
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
	line->class = PORTSOCK_UNBOUND;
	line->proto = proto;
	line->port = 0;
	line->requests = 0;
	line->ports = 0;
	return counts->came[PORTSOCK_BOUND];
}
