// SPDX-License-Identifier: GPL-2.0
/*
 * Rows that CPUs have cells of. These need no lock that others want, and no
 * search in the hash of all rows.
 */
#include "rowcells.h"

#include <linux/rcupdate.h>

#include "row.h"
#include "wants.h"

/*
 * Does each socket of a row change its tree of queues, for which all cells are
 * locked, when it comes and when it goes?
 */
static bool key_is_queued(u32 key)
{
	return !key_is_remote(key) &&
	       BIT(key_proto(key)) & PORTSOCK_PROTOS_DATAGRAM;
}

/**
 * portsock_row_wait() - take the lock of a row that somebody else has
 * @row: pinned by a share
 *
 * Context: any but NMI, interrupts off.
 */
noinline void portsock_row_wait(struct portsock_row *row)
{
	raw_lock_some(&row->bucket->lock);
	if (row->kind == ROW_SERVICE && !key_is_queued(row->key) &&
	    waits_add(&row->waits))
		portsock_want(row->table, row->key);
}

/* Caller holds the cell's lock. */
static struct portsock_numbers *__cell_numbers(const struct portsock_row *row,
					       struct portsock_cell *cell)
{
	if (!cell)
		return NULL;
	if (key_is_deep(row->key))
		depth_of(&cell->numbers.depth);
	return &cell->numbers;
}

/* NULL if the row is not busy any more. */
static struct portsock_cells *row_cells(const struct portsock_row *row)
{
	smp_rmb(); /* kind, then body: pairs with portsock_row_spread() */
	return READ_ONCE(row->body->cells);
}

/**
 * portsock_row_cell() - numbers of a busy row to change
 * @row: pinned by a share, or its bucket is locked
 *
 * Context: any but NMI, interrupts off.
 * Return: numbers in a cell, locked. NULL if the row is not busy any more, which
 * is not so if its bucket is locked.
 */
noinline struct portsock_numbers *portsock_row_cell(struct portsock_row *row)
{
	struct portsock_cells *cells = row_cells(row);

	return cells ? __cell_numbers(row, cells_lock(cells)) : NULL;
}

/**
 * portsock_row_cell_come() - the same for one more full socket
 * @row: as above
 *
 * Context: as above.
 * Return: as above.
 */
noinline struct portsock_numbers *
portsock_row_cell_come(struct portsock_row *row)
{
	struct portsock_cells *cells = row_cells(row);

	return cells ? __cell_numbers(row, cells_lock_come(cells,
							   CELLS_SOCKETS)) :
		       NULL;
}

/**
 * portsock_row_cell_step() - a full socket changes its state, and nothing else
 * @row: that it contributes to, busy or just not any more
 * @from: kernel state number
 * @to: kernel state number
 * @handshake: how long it waited for the first answer, in microseconds; or 0
 *
 * Context: any but NMI, interrupts off.
 */
noinline void portsock_row_cell_step(struct portsock_row *row, u8 from, u8 to,
				     u32 handshake)
{
	struct portsock_numbers *cell = row_lock(row, false);

	numbers_step(cell ?: &row->body->numbers, from, to, handshake);
	row_unlock(row, cell);
}

/**
 * portsock_row_cell_change() - what is known of a row beyond numbers of sockets
 * changes
 * @row: as above, pinned by a share
 * @change: what is to be done
 * @by: for @change
 *
 * Context: any but NMI, interrupts off.
 */
noinline void portsock_row_cell_change(struct portsock_row *row,
				       depth_change *change, const void *by)
{
	struct portsock_numbers *cell = row_lock(row, false);
	struct portsock_numbers *numbers = cell ?: &row->body->numbers;

	if (numbers->depth)
		change(numbers->depth, by);
	row_unlock(row, cell);
}

/**
 * portsock_row_cell_begin() - the first share of an ephemeral port, of whose
 * total CPUs have cells
 * @row: of the port; its bucket is locked by the caller
 * @share: contributes to it from now on
 *
 * Context: any but NMI, interrupts off.
 * Return: 0, or -ESHUTDOWN when the namespace is going.
 */
noinline int portsock_row_cell_begin(struct portsock_row *row,
				     struct portsock_share *share)
{
	struct portsock_total *total = row_total(row);
	struct portsock_numbers *numbers;
	bool dead, unbound = share->table;

	numbers = total_lock_open(total, share->state);
	dead = READ_ONCE(row->table->dead);
	if (!dead) {
		numbers_begin(numbers, share);
		total_gone(total, numbers, CELLS_UNBOUND, unbound);
	} else {
		total_gone(total, numbers, CELLS_SOCKETS, row->opened);
	}
	total_unlock(total, numbers);
	return dead ? -ESHUTDOWN : 0;
}

/**
 * portsock_total_cell_step() - portsock_row_cell_step() of an ephemeral port
 * @total: CPUs have cells of it, or had
 * @from: kernel state number
 * @to: kernel state number
 * @handshake: as above
 *
 * Context: any but NMI, interrupts off.
 */
noinline void portsock_total_cell_step(struct portsock_total *total, u8 from,
				       u8 to, u32 handshake)
{
	struct portsock_numbers *numbers = total_lock(total);

	total_step(numbers, from, to, handshake);
	total_unlock(total, numbers);
}

/**
 * portsock_total_cell_leave() - a share contributes to an ephemeral port no longer
 * @total: CPUs have cells of it, or had
 * @share: that of a socket; what it says is not changed
 * @goes: the port has no other
 * @end: its connection is over; or NULL
 *
 * Context: any but NMI, interrupts off.
 */
noinline void portsock_total_cell_leave(struct portsock_total *total,
					const struct portsock_share *share,
					bool goes,
					const struct portsock_end *end)
{
	struct portsock_numbers *numbers = total_lock(total);

	total_leave(numbers, share, goes, end);
	total_gone(total, numbers, CELLS_SOCKETS,
		   share->state != TCP_TIME_WAIT);
	total_unlock(total, numbers);
}

/**
 * portsock_row_cell_leave() - a share contributes to a busy row no longer
 * @row: that it contributes to, and is not queued in
 * @share: that of a socket; what it says is not changed
 * @end: its connection is over; or NULL
 *
 * Context: any but NMI, interrupts off.
 * Return: false if the row is not busy any more, which is not so if its bucket
 * is locked; nothing was done then.
 */
noinline bool portsock_row_cell_leave(struct portsock_row *row,
				      const struct portsock_share *share,
				      const struct portsock_end *end)
{
	struct portsock_numbers *numbers = portsock_row_cell(row);
	struct portsock_cell *cell;

	if (!numbers)
		return false;
	cell = cell_of(numbers);
	numbers_leave(numbers, share, end);
	cell->users--;
	if (share->state != TCP_TIME_WAIT)
		cell_goes(row->body->cells, cell, CELLS_SOCKETS, 1);
	cell_unlock(cell);
	return true;
}

/**
 * portsock_row_cell_add() - a share contributes to the row of a port, if that is
 * busy
 * @share: does not contribute to it yet
 * @key: of the row
 * @h: what the socket holds
 *
 * Context: any but NMI, interrupts off; RCU read side (for @h->table).
 * Return: false if the row is not busy, or more than its numbers would change;
 * nothing was done then.
 */
noinline bool portsock_row_cell_add(struct portsock_share *share, u32 key,
				    const struct portsock_holding *h)
{
	struct portsock_numbers *numbers;
	struct portsock_cells *cells;
	struct portsock_cell *cell;
	struct portsock_row *row;

	if (share->queues || h->owner.tgid)
		return false;
	cells = busy_find(h->table, key);
	if (!cells)
		return false;
	cell = share->state == TCP_TIME_WAIT ?
		       cells_lock(cells) :
		       cells_lock_come(cells, CELLS_SOCKETS);
	if (!cell)
		return false;
	row = cells->row;
	numbers = __cell_numbers(row, cell);
	counts_open(&numbers->counts, share, row_how(share, key));
	cell->users++;
	if (key_is_remote(key)) {
		share->remote = row;
		share->guessed = h->guessed;
		if (h->guessed)
			atomic_inc(&row->table->guessed);
	} else {
		if (share->table)
			table_unbound_sub(h->table, share->proto, share->ipv6);
		share->table = h->table;
		share->row = row;
		if (share->how == PORTSOCK_ACCEPTED)
			__row_accepted(row, numbers->depth);
	}
	numbers_born(numbers, h->birth);
	cell_unlock(cell);
	return true;
}

/* Caller holds the lock of the row's bucket. */
static bool __row_may_spread(struct portsock_row *row)
{
	if (!row || row->kind != ROW_SERVICE || !row->shares ||
	    key_is_queued(row->key))
		return false;
	return !key_is_deep(row->key) || depth_of(&row->body->numbers.depth);
}

/**
 * portsock_row_spread() - let CPUs have cells of a row
 * @cells: for it, with table and key, not begun; the namespace is not going
 *
 * Context: process; the mutex of cells is held.
 * Return: false if there is no such row, or nobody in it; nothing was done then.
 */
bool portsock_row_spread(struct portsock_cells *cells)
{
	struct portsock_table *table = cells->table;
	struct row_bucket *bucket = row_bucket(table, cells->key);
	struct portsock_row *row;
	unsigned long flags;
	bool may;

	raw_lock_irqsave(&bucket->lock, flags);
	row = __row_find(bucket, table, cells->key);
	may = __row_may_spread(row);
	if (may) {
		cells->row = row;
		portsock_cells_begin(cells, &row->body->numbers);
		/* whoever saw that it was busy before may find these */
		smp_store_release(&row->body->cells, cells);
		row->shares++;
		portsock_busy_add(cells);
		/* all of that first: pairs with portsock_row_cell() */
		smp_store_release(&row->kind, ROW_BUSY);
	}
	raw_unlock_irqrestore(&bucket->lock, flags);
	portsock_pools_settle();
	return may;
}

/**
 * portsock_row_gather() - take them back
 * @cells: from portsock_row_spread()
 *
 * Context: process; the mutex of cells is held. The caller frees @cells.
 */
void portsock_row_gather(struct portsock_cells *cells)
{
	struct portsock_row *row = cells->row;
	struct row_bucket *bucket = row->bucket;
	unsigned long flags;

	local_irq_save(flags);
	raw_lock(&bucket->lock);
	row->shares += portsock_cells_end(cells, &row->body->numbers) - 1;
	portsock_busy_del(cells);
	WRITE_ONCE(row->kind, ROW_SERVICE);
	WRITE_ONCE(row->body->cells, NULL);
	if (row->shares)
		raw_unlock(&bucket->lock);
	else
		__portsock_row_over(row);
	local_irq_restore(flags);
	portsock_pools_settle();
}

/**
 * portsock_row_look() - see to them, see portsock_cells_look()
 * @cells: from portsock_row_spread()
 *
 * Context: process; the mutex of cells is held.
 */
void portsock_row_look(struct portsock_cells *cells)
{
	struct portsock_row *row = cells->row;
	unsigned long flags;

	raw_lock_irqsave(&row->bucket->lock, flags);
	portsock_cells_look(cells, &row->body->numbers);
	raw_unlock_irqrestore(&row->bucket->lock, flags);
}
