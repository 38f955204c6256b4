// SPDX-License-Identifier: GPL-2.0
/*
 * Tables come with their namespaces, and go with the last socket of these.
 */
#include "table.h"

#include <linux/irqflags.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>

#include "cursor.h"
#include "pool.h"
#include "row.h"
#include "unbound.h"

/**
 * portsock_table_new() - an empty table for a namespace
 * @first: the namespace is the machine's first, init_net
 *
 * Context: process, may sleep.
 * Return: the table, or NULL without memory. Ends with portsock_table_kill().
 */
struct portsock_table *portsock_table_new(bool first)
{
	struct portsock_table *table = kzalloc(sizeof(*table), GFP_KERNEL);

	if (!table)
		return NULL;
	raw_spin_lock_init(&table->lock);
	table->services = RB_ROOT;
	table->ephemerals = RB_ROOT;
	INIT_LIST_HEAD(&table->unused);
	INIT_LIST_HEAD(&table->used);
	INIT_LIST_HEAD(&table->awaited);
	table->pins = 1;
	table->first = first;
	return table;
}

/**
 * portsock_table_settle() - let a dead table go that nothing is left of
 * @table: something was taken from it
 *
 * Context: any but NMI, interrupts off or while it is pinned.
 */
void portsock_table_settle(struct portsock_table *table)
{
	bool released;

	raw_spin_lock(&table->lock);
	smp_mb(); /* dead, pins, then unbound; pairs with portsock_unbound_add() and _del() */
	released = table->dead && !table->released && !table->pins && !portsock_unbound_any(table);
	table->released |= released;
	raw_spin_unlock(&table->lock);
	if (released)
		kfree_rcu(table, rcu);
}

/**
 * portsock_table_kill() - the namespace of a table goes
 * @table: from portsock_table_new(); not looked up by anybody new
 *
 * Rows that still have shares (TIME_WAIT and kernel sockets outlive the
 * namespace for a while) keep the table until their last share is gone.
 *
 * Context: process.
 */
void portsock_table_kill(struct portsock_table *table)
{
	unsigned long flags;
	u32 key;

	raw_spin_lock_irqsave(&table->lock, flags);
	table->dead = true;
	raw_spin_unlock_irqrestore(&table->lock, flags);

	for (key = 0; portsock_order_next(table, &table->services, &key); key++) {
		struct row_bucket *bucket = row_bucket(table, key);
		struct portsock_row *row;

		raw_spin_lock_irqsave(&bucket->lock, flags);
		row = __row_find(bucket, table, key);
		if (row && !row->shares) {
			raw_spin_lock(&table->lock);
			__portsock_row_unlink(row);
			raw_spin_unlock(&table->lock);
			__portsock_row_free(row);
		}
		raw_spin_unlock_irqrestore(&bucket->lock, flags);
		portsock_pools_settle();
	}
	local_irq_save(flags);
	raw_spin_lock(&table->lock);
	table->pins--;
	raw_spin_unlock(&table->lock);
	portsock_table_settle(table);
	local_irq_restore(flags);
}
