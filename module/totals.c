// SPDX-License-Identifier: GPL-2.0
/*
 * Totals of which CPUs have cells. They get and lose these while hooks change
 * them; who has the lock of a total knows whether it has any.
 */
#include "totals.h"

#include "keys.h"
#include "pool.h"

/**
 * portsock_totals_init() - nothing was counted yet
 * @totals: all zero
 *
 * Context: any.
 */
void portsock_totals_init(struct portsock_totals *totals)
{
	int proto;

	for (proto = 0; proto < PORTSOCK_PROTO_NR; proto++)
		raw_spin_lock_init(&totals->of[proto].lock);
}

/**
 * portsock_totals_any() - are there ephemeral rows, or unbound sockets?
 * @totals: of a namespace that is going, of which nobody has cells
 *
 * A barrier: whoever has changed any numbers before has done so.
 *
 * Context: any but NMI, interrupts off; the caller holds the table's lock.
 */
bool portsock_totals_any(struct portsock_totals *totals)
{
	bool any = false;
	int proto;

	for (proto = 0; proto < PORTSOCK_PROTO_NR; proto++) {
		struct portsock_total *total = &totals->of[proto];

		raw_lock(&total->lock);
		any |= total->numbers.counts.ports ||
		       total->numbers.unbound.sockets;
		raw_unlock(&total->lock);
	}
	return any;
}

/**
 * portsock_total_wait() - take the lock of a total that somebody else has
 * @totals: of a namespace
 * @proto: of the total
 *
 * Context: any but NMI, interrupts off.
 */
noinline void portsock_total_wait(struct portsock_totals *totals, u8 proto)
{
	struct portsock_total *total = &totals->of[proto];

	raw_lock_some(&total->lock);
	if (waits_add(&total->waits))
		portsock_want(totals, key_of(proto, 0));
}

/**
 * portsock_total_cell() - have numbers of a total to change
 * @total: CPUs have cells of it, or had
 *
 * Context: any but NMI, interrupts off; RCU read side, or the table is pinned.
 * Return: some, locked.
 */
noinline struct portsock_numbers *
portsock_total_cell(struct portsock_total *total)
{
	struct portsock_cells *cells;
	struct portsock_cell *cell;

	while (!total_lock_one(total)) {
		cells = READ_ONCE(total->cells);
		cell = cells ? cells_lock(cells) : NULL;
		if (likely(cell))
			return &cell->numbers;
	}
	return &total->numbers;
}

/**
 * portsock_total_cell_come() - the same for one more full socket
 * @total: as above
 * @gauge: where it will be counted
 *
 * Context: as above.
 * Return: some, locked.
 */
noinline struct portsock_numbers *
portsock_total_cell_come(struct portsock_total *total, enum cells_gauge gauge)
{
	struct portsock_cells *cells;
	struct portsock_cell *cell;

	while (!total_lock_one(total)) {
		cells = READ_ONCE(total->cells);
		cell = cells ? cells_lock_come(cells, gauge) : NULL;
		if (likely(cell))
			return &cell->numbers;
	}
	return &total->numbers;
}

/**
 * portsock_total_unbound_add() - a socket is unbound
 * @total: as above
 * @ipv6: it is AF_INET6
 *
 * Context: any but NMI, interrupts off; RCU read side, or the table is pinned.
 */
noinline void portsock_total_unbound_add(struct portsock_total *total,
					 bool ipv6)
{
	struct portsock_numbers *numbers;

	numbers = portsock_total_cell_come(total, CELLS_UNBOUND);
	unbound_add(&numbers->unbound, ipv6);
	total_unlock(total, numbers);
}

/**
 * portsock_total_unbound_sub() - it is no longer
 * @total: as above
 * @ipv6: it was AF_INET6
 *
 * Context: as above.
 */
noinline void portsock_total_unbound_sub(struct portsock_total *total,
					 bool ipv6)
{
	struct portsock_numbers *numbers = portsock_total_cell(total);

	unbound_sub(&numbers->unbound, ipv6);
	total_gone(total, numbers, CELLS_UNBOUND, 1);
	total_unlock(total, numbers);
}

/**
 * portsock_total_spread() - let CPUs have cells of a total
 * @total: of a namespace that is not going
 * @cells: for it, not begun
 *
 * Context: process; the mutex of cells is held.
 */
void portsock_total_spread(struct portsock_total *total,
			   struct portsock_cells *cells)
{
	unsigned long flags;

	raw_lock_irqsave(&total->lock, flags);
	portsock_cells_begin(cells, &total->numbers);
	/* all of that first: whoever finds them depends on it */
	smp_store_release(&total->cells, cells);
	raw_unlock_irqrestore(&total->lock, flags);
}

/**
 * portsock_total_gather() - take them back
 * @total: has cells, which the caller frees
 *
 * Context: process; the mutex of cells is held.
 */
void portsock_total_gather(struct portsock_total *total)
{
	unsigned long flags;

	raw_lock_irqsave(&total->lock, flags);
	/* before they are not found: see total_gone() */
	portsock_cells_end(total->cells, &total->numbers);
	WRITE_ONCE(total->cells, NULL);
	raw_unlock_irqrestore(&total->lock, flags);
	portsock_pools_settle();
}

/**
 * portsock_total_look() - see to its cells, see portsock_cells_look()
 * @total: has cells
 *
 * Context: process; the mutex of cells is held.
 */
void portsock_total_look(struct portsock_total *total)
{
	unsigned long flags;

	raw_lock_irqsave(&total->lock, flags);
	portsock_cells_look(total->cells, &total->numbers);
	raw_unlock_irqrestore(&total->lock, flags);
}
