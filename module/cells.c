// SPDX-License-Identifier: GPL-2.0
/*
 * How peaks are kept. That a peak is exact takes that all CPUs agree on when
 * there were most sockets; that they need not agree on each socket takes room:
 * who has some may add without asking. Where there is too little of it for
 * everybody, it is one number that all share.
 */
#include "cells.h"

#include <linux/ktime.h>
#include <linux/math64.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/overflow.h>
#include <linux/slab.h>
#include <linux/string.h>

/* which cells there are */
DEFINE_MUTEX(portsock_cells_mutex);

static void cell_begin(struct portsock_cell *cell)
{
	struct portsock_counts *counts = &cell->numbers.counts;
	struct portsock_unbound *unbound = &cell->numbers.unbound;

	cell->lock = (arch_spinlock_t)__ARCH_SPIN_LOCK_UNLOCKED;
	counts_add_each(counts, CELLS_NONE);
	counts->peak = U32_MAX;
	unbound->sockets = CELLS_NONE;
	unbound->ipv6 = CELLS_NONE;
	unbound->peak = U32_MAX;
}

/**
 * portsock_cells_alloc() - cells for the CPUs that are online
 *
 * Context: process, may sleep.
 * Return: the cells, or NULL without memory. Ends with portsock_cells_free().
 */
struct portsock_cells *portsock_cells_alloc(void)
{
	unsigned int cpu, nr = CELLS_NR();
	struct portsock_cells *cells;

	cells = kvzalloc(struct_size(cells, cell, nr), GFP_KERNEL);
	if (!cells)
		return NULL;
	cells->nr = nr;
	cells->lock = (arch_spinlock_t)__ARCH_SPIN_LOCK_UNLOCKED;
	for (cpu = 0; cpu < cells->nr; cpu++)
		cell_begin(&cells->cell[cpu]);
	return cells;
}

/**
 * portsock_cells_free() - they are of no use any more
 * @cells: from portsock_cells_alloc(); ended, or never begun
 *
 * Context: process, may sleep.
 */
void portsock_cells_free(struct portsock_cells *cells)
{
	/* who found them is on RCU's read side */
	kvfree_rcu(cells, rcu);
}

static void peak_begin(struct cells_peak *peak, u32 most, u32 now)
{
	/* as it should be already, or there would be less room than none */
	most = max(most, now);
	peak->peak = most;
	atomic_set(&peak->room, most - now);
}

/**
 * portsock_cells_begin() - the peaks are those of what was counted before
 * @cells: from portsock_cells_alloc(), found by nobody yet
 * @numbers: what was counted before, and stays there; the caller holds the lock
 *	that protects it
 *
 * Context: any but NMI, interrupts off.
 */
void portsock_cells_begin(struct portsock_cells *cells,
			  const struct portsock_numbers *numbers)
{
	const struct portsock_counts *counts = &numbers->counts;
	const struct portsock_unbound *unbound = &numbers->unbound;

	peak_begin(&cells->peaks[CELLS_SOCKETS], counts->peak, counts->sockets);
	peak_begin(&cells->peaks[CELLS_UNBOUND], unbound->peak,
		   unbound->sockets);
}

/* Caller holds the lock that cells have in common. */
static void __cells_lock_each(struct portsock_cells *cells)
{
	unsigned int cpu;

	for (cpu = 0; cpu < cells->nr; cpu++)
		arch_spin_lock(&cells->cell[cpu].lock);
}

static void __cells_unlock_each(struct portsock_cells *cells)
{
	unsigned int cpu;

	for (cpu = 0; cpu < cells->nr; cpu++)
		arch_spin_unlock(&cells->cell[cpu].lock);
}

/**
 * portsock_cells_lock_all() - keep everybody from counting
 * @cells: any
 *
 * Context: any but NMI, interrupts off.
 */
void portsock_cells_lock_all(struct portsock_cells *cells)
{
	/* or a peak could be raised for a socket that is not counted yet */
	arch_spin_lock(&cells->lock);
	__cells_lock_each(cells);
}

/**
 * portsock_cells_unlock_all() - let them go on
 * @cells: from portsock_cells_lock_all()
 *
 * Context: any but NMI, interrupts off.
 */
void portsock_cells_unlock_all(struct portsock_cells *cells)
{
	__cells_unlock_each(cells);
	arch_spin_unlock(&cells->lock);
}

/*
 * Takes the room of all cells. They are locked together, or a socket that goes
 * in one and another that comes elsewhere could make it seem that there was
 * none. Caller holds the lock that they have in common.
 */
static void __room_collect(struct portsock_cells *cells, enum cells_gauge gauge)
{
	struct cells_peak *peak = &cells->peaks[gauge];
	unsigned int cpu;

	__cells_lock_each(cells);
	for (cpu = 0; cpu < cells->nr; cpu++) {
		u32 *room = &cells->cell[cpu].room[gauge];

		atomic_add(*room, &peak->room);
		*room = 0;
	}
	/* each of these costs all CPUs */
	peak->shared = ++peak->collects == CELLS_COLLECTS;
	__cells_unlock_each(cells);
}

/*
 * Room for one socket at least, which there may be elsewhere, or which a new
 * peak makes. Caller holds the lock that cells have in common.
 */
static u32 __room_find(struct portsock_cells *cells, enum cells_gauge gauge)
{
	struct cells_peak *peak = &cells->peaks[gauge];
	int room;

	if (!peak->shared && !atomic_read(&peak->room))
		__room_collect(cells, gauge);
	if (peak->shared) {
		room = cells_take(peak);
	} else {
		room = min(atomic_read(&peak->room), CELLS_ROOM);
		atomic_sub(room, &peak->room);
	}
	if (room)
		return room;
	peak->peak++;
	return 1;
}

/**
 * portsock_cells_lock_room() - have a cell with room for one more socket
 * @cells: looked up with interrupts off since
 * @gauge: where it will be counted
 *
 * Context: any but NMI, interrupts off.
 * Return: the cell, locked; the room is taken already. NULL if cells are of no
 * use any more.
 */
struct portsock_cell *portsock_cells_lock_room(struct portsock_cells *cells,
					       enum cells_gauge gauge)
{
	struct portsock_cell *cell = cells_own(cells);
	u32 room;

	arch_spin_lock(&cells->lock);
	/* it is set under that lock as well */
	if (unlikely(READ_ONCE(cell->over))) {
		arch_spin_unlock(&cells->lock);
		return NULL;
	}
	/* in no cell for a moment, but nobody can look for it */
	room = __room_find(cells, gauge);
	arch_spin_lock(&cell->lock);
	cell->room[gauge] += room - 1;
	arch_spin_unlock(&cells->lock);
	return cell;
}

/* Caller holds the locks of all cells. */
static void __cells_add(const struct portsock_cells *cells,
			struct portsock_numbers *sum)
{
	struct portsock_unbound *unbound = &sum->unbound;
	unsigned int cpu;

	for (cpu = 0; cpu < cells->nr; cpu++) {
		const struct portsock_numbers *cell =
			&cells->cell[cpu].numbers;

		counts_add_all(&sum->counts, &cell->counts);
		counts_add_each(&sum->counts, -CELLS_NONE);
		unbound->sockets += cell->unbound.sockets - CELLS_NONE;
		unbound->ipv6 += cell->unbound.ipv6 - CELLS_NONE;
		unbound->opened += cell->unbound.opened;
	}
	sum->counts.peak = cells->peaks[CELLS_SOCKETS].peak;
	unbound->peak = cells->peaks[CELLS_UNBOUND].peak;
}

/* Parts may be below none, but not their sum. */
static void numbers_mend(struct portsock_numbers *sum)
{
	portsock_gauges_mend(&sum->counts);
	portsock_unbound_mend(&sum->unbound);
}

/* Moves the gauges of all cells to @numbers. Caller holds their locks. */
static void __gauges_move(struct portsock_cells *cells,
			  struct portsock_numbers *numbers)
{
	unsigned int cpu;

	for (cpu = 0; cpu < cells->nr; cpu++) {
		struct portsock_numbers *cell = &cells->cell[cpu].numbers;

		counts_move_gauges(&numbers->counts, &cell->counts);
		counts_add_each(&numbers->counts, -CELLS_NONE);
		counts_add_each(&cell->counts, CELLS_NONE);
		numbers->unbound.sockets += cell->unbound.sockets - CELLS_NONE;
		numbers->unbound.ipv6 += cell->unbound.ipv6 - CELLS_NONE;
		cell->unbound.sockets = CELLS_NONE;
		cell->unbound.ipv6 = CELLS_NONE;
	}
}

/**
 * portsock_cells_look() - see to it that all goes on well
 * @cells: begun
 * @numbers: what was counted before; the caller holds the lock that protects it
 *
 * To be called every few seconds: no gauge of a cell gets far away from where it
 * began, and cells have room again.
 *
 * Context: any but NMI, interrupts off; the mutex is held.
 */
void portsock_cells_look(struct portsock_cells *cells,
			 struct portsock_numbers *numbers)
{
	int gauge;

	portsock_cells_lock_all(cells);
	__gauges_move(cells, numbers);
	for (gauge = 0; gauge < CELLS_GAUGES; gauge++) {
		cells->peaks[gauge].shared = false;
		cells->peaks[gauge].collects = 0;
	}
	portsock_cells_unlock_all(cells);
	numbers_mend(numbers);
}

/**
 * portsock_cells_rest() - for how long must readers let CPUs have their cells?
 * @cells: begun
 *
 * Context: process; the mutex is held.
 * Return: microseconds; 0 if they may read now.
 */
unsigned int portsock_cells_rest(const struct portsock_cells *cells)
{
	u64 now = ktime_get_mono_fast_ns();

	if (likely(now >= cells->ready))
		return 0;
	return div_u64(cells->ready - now, NSEC_PER_USEC) + 1;
}

/**
 * portsock_cells_read() - what was counted, here and before
 * @cells: begun; portsock_cells_rest() is 0
 * @numbers: what was counted before
 * @sum: receives both, but for what else is known
 *
 * Nobody can count meanwhile.
 *
 * Context: process; the mutex is held, with which @numbers does not change.
 */
void portsock_cells_read(struct portsock_cells *cells,
			 const struct portsock_numbers *numbers,
			 struct portsock_numbers *sum)
{
	unsigned long flags;
	u64 begun, ended;

	*sum = *numbers;
	local_irq_save(flags);
	begun = ktime_get_mono_fast_ns();
	portsock_cells_lock_all(cells);
	__cells_add(cells, sum);
	portsock_cells_unlock_all(cells);
	ended = ktime_get_mono_fast_ns();
	local_irq_restore(flags);
	/* the machine may have stood still */
	cells->ready = ended + min_t(u64, CELLS_REST * (ended - begun),
				     CELLS_REST_MAX);
	numbers_mend(sum);
}

/**
 * portsock_cells_depth() - what else is known
 * @cells: begun
 * @depth: receives it in addition
 *
 * Context: process; the mutex is held.
 */
void portsock_cells_depth(struct portsock_cells *cells,
			  struct portsock_depth *depth)
{
	unsigned int cpu;

	for (cpu = 0; cpu < cells->nr; cpu++) {
		struct portsock_cell *cell = &cells->cell[cpu];
		unsigned long flags;

		local_irq_save(flags);
		arch_spin_lock(&cell->lock);
		if (cell->numbers.depth)
			portsock_depth_add(depth, cell->numbers.depth);
		cell_unlock(cell);
		local_irq_restore(flags);
	}
}

/* Returns how many sockets still contribute of those that came here. */
static u32 __cells_close(struct portsock_cells *cells)
{
	unsigned int cpu;
	u32 users = 0;

	for (cpu = 0; cpu < cells->nr; cpu++) {
		struct portsock_cell *cell = &cells->cell[cpu];

		WRITE_ONCE(cell->over, true);
		users += cell->users;
	}
	return users;
}

/**
 * portsock_cells_end() - nothing is to be counted here any more
 * @cells: begun
 * @numbers: what was counted before; the caller holds the lock that protects it.
 *	Receives all that was counted since
 *
 * Context: any but NMI, interrupts off; the mutex is held.
 * Return: how many more sockets contribute than did before.
 */
u32 portsock_cells_end(struct portsock_cells *cells,
		       struct portsock_numbers *numbers)
{
	unsigned int cpu;
	u32 users;

	portsock_cells_lock_all(cells);
	users = __cells_close(cells);
	__cells_add(cells, numbers);
	portsock_cells_unlock_all(cells);
	numbers_mend(numbers);
	for (cpu = 0; cpu < cells->nr; cpu++) {
		struct portsock_depth **depth =
			&cells->cell[cpu].numbers.depth;

		portsock_depth_fold(&numbers->depth, depth);
		portsock_depth_free(*depth);
	}
	return users;
}

/**
 * portsock_cells_opened() - how many sockets came so far
 * @cells: begun
 *
 * Context: process; the mutex is held.
 */
u64 portsock_cells_opened(struct portsock_cells *cells)
{
	unsigned int cpu;
	u64 opened = 0;

	for (cpu = 0; cpu < cells->nr; cpu++) {
		struct portsock_cell *cell = &cells->cell[cpu];
		unsigned long flags;

		local_irq_save(flags);
		arch_spin_lock(&cell->lock);
		opened += portsock_opened(&cell->numbers.counts) +
			  cell->numbers.unbound.opened;
		cell_unlock(cell);
		local_irq_restore(flags);
	}
	return opened;
}
