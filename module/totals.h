/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the ephemeral rows of a namespace say together, and its unbound sockets,
 * per protocol. CPUs may have cells of a total.
 */
#ifndef PORTSOCK_TOTALS_H
#define PORTSOCK_TOTALS_H

#include <linux/compiler.h>
#include <linux/types.h>

#include "cells.h"
#include "lock.h"
#include "numbers.h"
#include "portsock.h"
#include "wants.h"

/**
 * struct portsock_total - of a protocol
 * @lock: protects all below; nests inside the locks of row buckets and of the
 *	table
 * @waits: for @lock
 * @numbers: the sum of the ephemeral rows, those gone included, and unbound
 *	sockets; but for what is in @cells
 * @cells: NULL unless CPUs have some
 */
struct portsock_total {
	raw_spinlock_t lock;
	struct portsock_waits waits;
	struct portsock_numbers numbers;
	struct portsock_cells *cells;
};

/**
 * struct portsock_totals - of a namespace
 * @of: per protocol
 */
struct portsock_totals {
	struct portsock_total of[PORTSOCK_PROTO_NR];
};

/* A change of what is known of a row, or of a total. */
typedef void depth_change(struct portsock_depth *depth, const void *by);

void portsock_totals_init(struct portsock_totals *totals);
bool portsock_totals_any(struct portsock_totals *totals);
void portsock_total_wait(struct portsock_totals *totals, u8 proto);
struct portsock_numbers *portsock_total_cell(struct portsock_total *total);
struct portsock_numbers *portsock_total_cell_come(struct portsock_total *total,
						  enum cells_gauge gauge);
void portsock_total_unbound_add(struct portsock_total *total, bool ipv6);
void portsock_total_unbound_sub(struct portsock_total *total, bool ipv6);
void portsock_total_spread(struct portsock_total *total,
			   struct portsock_cells *cells);
void portsock_total_gather(struct portsock_total *total);
void portsock_total_look(struct portsock_total *total);

static __always_inline struct portsock_total *
total_of(struct portsock_totals *totals, u8 proto)
{
	struct portsock_total *total = &totals->of[proto];

	/* or it is multiplied each time that it is looked at */
	OPTIMIZER_HIDE_VAR(total);
	return total;
}

/*
 * Takes the lock of a total, unless CPUs have cells of it; then returns false.
 * What is done often is done apart for that case: a compiler that does both in one
 * place has too few registers.
 */
static __always_inline bool total_lock_one(struct portsock_total *total)
{
	if (unlikely(READ_ONCE(total->cells)))
		return false;
	raw_lock_some(&total->lock);
	if (likely(!total->cells))
		return true;
	raw_unlock_some(&total->lock);
	return false;
}

/*
 * The same for one more socket, and so it is here that waiting is noticed. @total:
 * that of @totals and @proto.
 */
static __always_inline bool total_lock_one_come(struct portsock_totals *totals,
						u8 proto,
						struct portsock_total *total)
{
	if (unlikely(READ_ONCE(total->cells)))
		return false;
	if (unlikely(!raw_trylock(&total->lock)))
		portsock_total_wait(totals, proto);
	if (likely(!total->cells))
		return true;
	raw_unlock_some(&total->lock);
	return false;
}

/**
 * total_lock() - have numbers of a total to change
 * @total: of a namespace
 *
 * Context: any but NMI, interrupts off; RCU read side, or the table is pinned.
 * Return: some, locked. Ends with total_unlock().
 */
static inline struct portsock_numbers *total_lock(struct portsock_total *total)
{
	return total_lock_one(total) ? &total->numbers :
				       portsock_total_cell(total);
}

/**
 * total_lock_come() - the same for one more full socket
 * @total: of a namespace
 * @gauge: where it will be counted
 *
 * Context: as above.
 * Return: some, locked. Ends with total_unlock().
 */
static inline struct portsock_numbers *
total_lock_come(struct portsock_total *total, enum cells_gauge gauge)
{
	return total_lock_one(total) ? &total->numbers :
				       portsock_total_cell_come(total, gauge);
}

/**
 * total_unlock() - they are changed
 * @total: whose they are
 * @numbers: from total_lock()
 *
 * Context: as above.
 */
static inline void total_unlock(struct portsock_total *total,
				struct portsock_numbers *numbers)
{
	if (numbers == &total->numbers)
		raw_unlock_some(&total->lock);
	else
		cell_unlock(cell_of(numbers));
}

/**
 * total_gone() - fewer full sockets are counted
 * @total: whose numbers were changed
 * @numbers: from total_lock()
 * @gauge: where they were counted
 * @nr: so many
 *
 * Context: as above.
 */
static inline void total_gone(struct portsock_total *total,
			      struct portsock_numbers *numbers,
			      enum cells_gauge gauge, u32 nr)
{
	/* cells stay as long as one of them is locked */
	if (numbers != &total->numbers)
		cell_goes(total->cells, cell_of(numbers), gauge, nr);
}

/* Interrupts are off. */
static inline void total_depth_change(struct portsock_total *total,
				      depth_change *change, const void *by)
{
	struct portsock_numbers *numbers = total_lock(total);
	struct portsock_depth *depth = depth_of(&numbers->depth);

	if (depth)
		change(depth, by);
	total_unlock(total, numbers);
}

#endif /* PORTSOCK_TOTALS_H */
