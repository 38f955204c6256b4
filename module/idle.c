// SPDX-License-Identifier: GPL-2.0
/*
 * A service row stays without a share. So many of them are kept; the others are folded
 * into a total of their protocol.
 */
#include "idle.h"

#include <linux/atomic.h>
#include <linux/minmax.h>

/*
 * Service rows without a socket that are kept: in the first namespace; in each other
 * one; in all others together. Once fewer are left of those than PORTSOCK_IDLE_PART
 * times what one may have, it may have one of so many parts of what is left. More of
 * them are folded into a total of their protocol.
 */
#define PORTSOCK_IDLE_FIRST 512
#define PORTSOCK_IDLE_OTHER 64
#define PORTSOCK_IDLE_OTHERS 4096
#define PORTSOCK_IDLE_PART 32

/*
 * A port is used that was held for that long at a stretch, which is more than the minute
 * of a TIME_WAIT, so that it takes a socket; and is kept before others for so long.
 */
#define PORTSOCK_USE_SECONDS 120
#define PORTSOCK_USED_SECONDS 3600

/* Idle rows of all namespaces but the first. */
static atomic_t idle_others = ATOMIC_INIT(0);

/**
 * __portsock_idle_add() - a service row has no share any more
 * @row: the caller holds the locks of its bucket and its table
 */
void __portsock_idle_add(struct portsock_row *row)
{
	struct portsock_table *table = row->table;
	u32 now = row_seconds();

	row->used |= now - row->since >= PORTSOCK_USE_SECONDS;
	row->since = now;
	list_add_tail(&row->idle, row->used ? &table->used : &table->unused);
	table->idle_nr++;
	if (!table->first)
		atomic_inc(&idle_others);
}

/**
 * __portsock_idle_del() - a service row gets a share, or goes
 * @row: idle or not; the caller holds the lock of its table
 */
void __portsock_idle_del(struct portsock_row *row)
{
	if (list_empty(&row->idle))
		return;
	list_del_init(&row->idle);
	row->table->idle_nr--;
	if (!row->table->first)
		atomic_dec(&idle_others);
}

/*
 * Each may have but a part of what all others leave, so that it takes more than a
 * hundred namespaces to leave a late one with nothing.
 */
static unsigned int idle_max(const struct portsock_table *table)
{
	int left;

	if (table->first)
		return PORTSOCK_IDLE_FIRST;
	left = PORTSOCK_IDLE_OTHERS - atomic_read(&idle_others);
	return clamp(left / PORTSOCK_IDLE_PART, 0, PORTSOCK_IDLE_OTHER);
}

/*
 * The row to go first: one that was used within the hour goes after one that was not,
 * and else the one idle for longest goes. Caller holds the table's lock.
 */
static struct portsock_row *__idle_first(struct portsock_table *table)
{
	struct portsock_row *unused, *used;
	u32 now;

	unused = list_first_entry_or_null(&table->unused, struct portsock_row, idle);
	used = list_first_entry_or_null(&table->used, struct portsock_row, idle);
	if (!used || !unused)
		return used ?: unused;
	now = row_seconds();
	if (now - used->since < PORTSOCK_USED_SECONDS || now - used->since < now - unused->since)
		return unused;
	return used;
}

/**
 * __portsock_idle_surplus() - has a table more idle rows than it may keep?
 * @table: the caller holds its lock
 *
 * Return: the key of the row to fold first, or 0, which is no row's.
 */
u32 __portsock_idle_surplus(struct portsock_table *table)
{
	return table->idle_nr > idle_max(table) ? __idle_first(table)->key : 0;
}

/*
 * An idle service row becomes part of its protocol's folded total, unless it woke.
 * A port that is folded, used and folded again counts twice: each row was one of
 * its own.
 */
static void row_fold(struct portsock_table *table, u32 key)
{
	struct row_bucket *bucket = row_bucket(table, key);
	struct portsock_total *total = &table->folded[key_proto(key)];
	struct portsock_row *row;
	int how;

	raw_spin_lock(&bucket->lock);
	row = __row_find(bucket, table, key);
	if (row && !row->shares) {
		raw_spin_lock(&table->lock);
		for (how = 0; how < PORTSOCK_HOW_NR; how++)
			total->counts.came[how] += row->counts.came[how];
		total->counts.peak = max(total->counts.peak, row->counts.peak);
		total->ports++;
		__portsock_row_unlink(row);
		raw_spin_unlock(&table->lock);
		__portsock_row_free(row);
	}
	raw_spin_unlock(&bucket->lock);
}

/**
 * portsock_idle_fold() - fold a surplus row
 * @table: has more idle rows than it may keep
 * @key: of the row, from __portsock_idle_surplus()
 *
 * Each row that becomes idle has two go at most, so that a namespace that has more than
 * it may keep by now gets there.
 *
 * Context: any but NMI, interrupts off.
 */
void portsock_idle_fold(struct portsock_table *table, u32 key)
{
	row_fold(table, key);
	raw_spin_lock(&table->lock);
	key = __portsock_idle_surplus(table);
	raw_spin_unlock(&table->lock);
	if (key)
		row_fold(table, key);
}
