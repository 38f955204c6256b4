// SPDX-License-Identifier: GPL-2.0
/*
 * CPUs get cells of what they have waited for, and have them until it is quiet.
 * Each takes memory for all CPUs, so there are few.
 */
#include "spread.h"

#include <linux/list.h>
#include <linux/minmax.h>

#include "keys.h"
#include "rowcells.h"

/*
 * So many there are: in all, and in all namespaces but the first; each of these
 * may have one of so many parts of what all others leave.
 */
#define SPREAD_MAX 64
#define SPREAD_OTHERS 32
#define SPREAD_PART 4

/* It is quiet where fewer sockets came since the last look. */
#define SPREAD_QUIET 1000

/* Protected by the mutex of cells. */
static LIST_HEAD(all_cells);

/* Port 0 stands for the total of a protocol. */
static bool key_is_total(u32 key)
{
	return !key_port(key);
}

/* Caller holds the mutex. */
static bool __may_spread(const struct portsock_table *table, u32 key)
{
	int all = 0, others = 0, own = 0;
	const struct portsock_cells *cells;

	list_for_each_entry(cells, &all_cells, others) {
		if (cells->table == table && cells->key == key)
			return false;
		all++;
		own += cells->table == table;
		others += cells->table != table && !cells->table->first;
	}
	if (all >= SPREAD_MAX)
		return false;
	return table->first || own < (SPREAD_OTHERS - others) / SPREAD_PART;
}

/* Caller holds the mutex. */
static void __spread(struct portsock_table *table, u32 key)
{
	struct portsock_cells *cells = portsock_cells_alloc();

	if (!cells)
		return;
	cells->table = table;
	cells->key = key;
	if (key_is_total(key)) {
		portsock_total_spread(&table->totals.of[key_proto(key)], cells);
	} else if (!portsock_row_spread(cells)) {
		portsock_cells_free(cells);
		return;
	}
	list_add(&cells->others, &all_cells);
}

/**
 * portsock_spread() - let CPUs have cells of some numbers
 * @table: whose they are; its namespace is not going
 * @key: of a row, or, with port 0, of the total of a protocol
 *
 * They do not get them if there are too many already, or memory is short: all
 * goes on as before.
 *
 * Context: process, may sleep.
 */
void portsock_spread(struct portsock_table *table, u32 key)
{
	mutex_lock(&portsock_cells_mutex);
	if (__may_spread(table, key))
		__spread(table, key);
	mutex_unlock(&portsock_cells_mutex);
}

/* Caller holds the mutex. */
static void __gather(struct portsock_cells *cells)
{
	list_del(&cells->others);
	if (key_is_total(cells->key))
		portsock_total_gather(&cells->table->totals
				      .of[key_proto(cells->key)]);
	else
		portsock_row_gather(cells);
	portsock_cells_free(cells);
}

/* Caller holds the mutex. */
static void __look(struct portsock_cells *cells)
{
	u64 opened = portsock_cells_opened(cells);

	if (cells->looked && opened - cells->opened < SPREAD_QUIET) {
		__gather(cells);
		return;
	}
	cells->looked = true;
	cells->opened = opened;
	if (key_is_total(cells->key))
		portsock_total_look(&cells->table->totals
				    .of[key_proto(cells->key)]);
	else
		portsock_row_look(cells);
}

/**
 * portsock_spread_look() - take the cells of what is quiet, and see to the others
 *
 * Context: process, may sleep; some seconds after the last time.
 */
void portsock_spread_look(void)
{
	struct portsock_cells *cells, *next;

	mutex_lock(&portsock_cells_mutex);
	list_for_each_entry_safe(cells, next, &all_cells, others)
		__look(cells);
	mutex_unlock(&portsock_cells_mutex);
}

/**
 * portsock_spread_end() - take all cells of a namespace
 * @table: of the namespace, which is going
 *
 * Context: process, may sleep.
 */
void portsock_spread_end(struct portsock_table *table)
{
	struct portsock_cells *cells, *next;

	mutex_lock(&portsock_cells_mutex);
	list_for_each_entry_safe(cells, next, &all_cells, others)
		if (cells->table == table)
			__gather(cells);
	mutex_unlock(&portsock_cells_mutex);
}
