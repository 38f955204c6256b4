/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The rows that CPUs have cells of.
 */
#ifndef PORTSOCK_BUSY_H
#define PORTSOCK_BUSY_H

#include <linux/compiler.h>
#include <linux/hash.h>
#include <linux/list.h>
#include <linux/rculist.h>

#include "cells.h"

#define BUSY_BITS 6

/* How many there are. */
extern unsigned int portsock_busy_nr;
extern struct hlist_head portsock_busy[1U << BUSY_BITS];

static inline struct hlist_head *busy_bucket(const struct portsock_table *table,
					     u32 key)
{
	u64 hash = ((unsigned long)table + key) * GOLDEN_RATIO_64;

	return &portsock_busy[hash >> (64 - BUSY_BITS)];
}

/**
 * busy_find() - the cells that CPUs have of a row
 * @table: of the row
 * @key: of the row
 *
 * Context: any but NMI, interrupts off, which bounds their use.
 * Return: NULL if they have none.
 */
static inline struct portsock_cells *
busy_find(const struct portsock_table *table, u32 key)
{
	struct portsock_cells *cells;

	hlist_for_each_entry_rcu(cells, busy_bucket(table, key), node,
				 rcu_read_lock_any_held())
		if (cells->key == key && cells->table == table)
			return cells;
	return NULL;
}

void portsock_busy_add(struct portsock_cells *cells);
void portsock_busy_del(struct portsock_cells *cells);

#endif /* PORTSOCK_BUSY_H */
