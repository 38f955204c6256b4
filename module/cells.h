/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Numbers that many CPUs change: each has a cell of its own, and who reads adds
 * all of them up.
 */
#ifndef PORTSOCK_CELLS_H
#define PORTSOCK_CELLS_H

#include <linux/atomic.h>
#include <linux/cache.h>
#include <linux/cpumask.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/rcupdate.h>
#include <linux/smp.h>
#include <linux/spinlock.h>
#include <linux/types.h>

#include "numbers.h"

struct portsock_row;
struct portsock_table;

#ifndef CELLS_CPU
#define CELLS_CPU() raw_smp_processor_id()
#define CELLS_NR() (cpumask_last(cpu_online_mask) + 1)
#endif

/* Room that a cell takes at a time, and half of what it keeps at most. */
#define CELLS_ROOM 16

/*
 * After a read CPUs have their cells for so many times as long as it kept them
 * from that, but no longer than so many nanoseconds.
 */
#define CELLS_REST 10
#define CELLS_REST_MAX NSEC_PER_MSEC

/* After so many times that room was collected from all cells none keeps any. */
#define CELLS_COLLECTS 64

/*
 * Gauges of a cell begin here, as what comes on one CPU may go on another. The
 * sum is right modulo 2^32. No cell gets far away from it, see
 * portsock_cells_look().
 */
#define CELLS_NONE 0x40000000U

/**
 * enum cells_gauge - of what there is a peak
 * @CELLS_SOCKETS: sockets that hold a port
 * @CELLS_UNBOUND: unbound sockets
 * @CELLS_GAUGES: how many there are
 */
enum cells_gauge {
	CELLS_SOCKETS,
	CELLS_UNBOUND,
	CELLS_GAUGES
};

/**
 * struct portsock_cell - what one CPU has counted
 * @lock: protects all below. Whoever holds several took them in order. Lockdep,
 *	which knows no more than 48 at a time, is not told
 * @over: nothing may be counted here any more
 * @users: sockets that came to contribute on this CPU, less those that ceased to
 * @room: of each gauge, how many more sockets may come here and make no new peak
 * @numbers: gauges of which begin at %CELLS_NONE, and whose peaks are not used
 */
struct portsock_cell {
	arch_spinlock_t lock;
	bool over;
	u32 users;
	u32 room[CELLS_GAUGES];
	struct portsock_numbers numbers;
} ____cacheline_aligned_in_smp;

/**
 * struct cells_peak - the most that there was, which always is what there is and
 * all room together
 * @room: what is not in a cell. Less only by who holds &portsock_cells.lock,
 *	unless it is @shared
 * @shared: cells have no room; changed with all of them locked
 * @peak: protected by &portsock_cells.lock, as is all below
 * @collects: how often room was taken from all cells
 */
struct cells_peak {
	atomic_t room;
	bool shared;
	u32 peak;
	unsigned int collects;
} ____cacheline_aligned_in_smp;

/**
 * struct portsock_cells - a cell for each CPU that was online
 * @rcu: whoever looked before they went may still take the lock of a cell
 * @node: of a row, among those that are looked up, see busy.h
 * @table: of the row, or of the total
 * @row: whose numbers these are; NULL of a total
 * @key: of the row; that of port 0 stands for the total of a protocol
 * @nr: how many cells there are
 * @others: among all cells; who gave them
 * @opened: sockets that were counted when it was last looked at; the same
 * @looked: it was looked at before; the same
 * @ready: when they may be read again, in nanoseconds of the monotonic clock;
 *	protected by the mutex
 * @lock: held by who raises a peak, or takes room that no cell has; the locks of
 *	cells nest inside. Not known to lockdep either
 * @peaks: of each gauge
 * @cell: by number of the CPU; those that came later have the first
 */
struct portsock_cells {
	struct rcu_head rcu;
	struct hlist_node node;
	struct portsock_table *table;
	struct portsock_row *row;
	u32 key;
	unsigned int nr;
	struct list_head others;
	u64 opened;
	bool looked;
	u64 ready;
	arch_spinlock_t lock ____cacheline_aligned_in_smp;
	struct cells_peak peaks[CELLS_GAUGES];
	struct portsock_cell cell[];
};

/* Who holds it finds that cells neither come nor go. */
extern struct mutex portsock_cells_mutex;

struct portsock_cells *portsock_cells_alloc(void);
void portsock_cells_free(struct portsock_cells *cells);
void portsock_cells_begin(struct portsock_cells *cells,
			  const struct portsock_numbers *numbers);
u32 portsock_cells_end(struct portsock_cells *cells,
		       struct portsock_numbers *numbers);
void portsock_cells_look(struct portsock_cells *cells,
			 struct portsock_numbers *numbers);
unsigned int portsock_cells_rest(const struct portsock_cells *cells);
void portsock_cells_read(struct portsock_cells *cells,
			 const struct portsock_numbers *numbers,
			 struct portsock_numbers *sum);
void portsock_cells_depth(struct portsock_cells *cells,
			  struct portsock_depth *depth);
u64 portsock_cells_opened(struct portsock_cells *cells);
void portsock_cells_lock_all(struct portsock_cells *cells);
void portsock_cells_unlock_all(struct portsock_cells *cells);
struct portsock_cell *portsock_cells_lock_room(struct portsock_cells *cells,
					       enum cells_gauge gauge);

/* The cell that numbers are in. */
static inline struct portsock_cell *cell_of(struct portsock_numbers *numbers)
{
	return container_of(numbers, struct portsock_cell, numbers);
}

/* That of this CPU. */
static inline struct portsock_cell *cells_own(struct portsock_cells *cells)
{
	unsigned int cpu = CELLS_CPU();

	return &cells->cell[likely(cpu < cells->nr) ? cpu : 0];
}

static inline void cell_unlock(struct portsock_cell *cell)
{
	arch_spin_unlock(&cell->lock);
}

/**
 * cells_lock() - have the numbers of this CPU to change
 * @cells: looked up with interrupts off since
 *
 * Context: any but NMI, interrupts off.
 * Return: the cell, locked; NULL if cells are of no use any more.
 */
static inline struct portsock_cell *cells_lock(struct portsock_cells *cells)
{
	struct portsock_cell *cell = cells_own(cells);

	arch_spin_lock(&cell->lock);
	if (likely(!cell->over))
		return cell;
	cell_unlock(cell);
	return NULL;
}

/* Takes one of what no cell has. Returns false if there is none. */
static inline bool cells_take(struct cells_peak *peak)
{
	return atomic_dec_if_positive(&peak->room) >= 0;
}

/**
 * cells_lock_come() - the same for one more full socket
 * @cells: looked up with interrupts off since
 * @gauge: where it will be counted
 *
 * Context: any but NMI, interrupts off.
 * Return: the cell, locked; NULL if cells are of no use any more.
 */
static inline struct portsock_cell *
cells_lock_come(struct portsock_cells *cells, enum cells_gauge gauge)
{
	struct cells_peak *peak = &cells->peaks[gauge];
	struct portsock_cell *cell = cells_lock(cells);

	if (unlikely(!cell))
		return NULL;
	if (likely(cell->room[gauge])) {
		cell->room[gauge]--;
		return cell;
	}
	if (peak->shared && likely(cells_take(peak)))
		return cell;
	cell_unlock(cell);
	return portsock_cells_lock_room(cells, gauge);
}

/**
 * cell_goes() - fewer full sockets are counted
 * @cells: its cells
 * @cell: locked
 * @gauge: where they were counted
 * @nr: so many
 */
static inline void cell_goes(struct portsock_cells *cells,
			     struct portsock_cell *cell,
			     enum cells_gauge gauge, u32 nr)
{
	struct cells_peak *peak = &cells->peaks[gauge];
	u32 *room = &cell->room[gauge];

	if (peak->shared) {
		atomic_add(nr, &peak->room);
		return;
	}
	*room += nr;
	if (unlikely(*room > 2 * CELLS_ROOM)) {
		atomic_add(*room - CELLS_ROOM, &peak->room);
		*room = CELLS_ROOM;
	}
}

#endif /* PORTSOCK_CELLS_H */
