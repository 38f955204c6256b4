// SPDX-License-Identifier: GPL-2.0
/*
 * Tables come with their namespaces, and go with the last socket of these.
 */
#include "table.h"

#include <linux/rcupdate.h>
#include <linux/slab.h>

/**
 * portsock_table_new() - an empty table for a namespace
 * @first: the namespace is the machine's first, init_net
 *
 * Context: process, may sleep.
 * Return: the table, or NULL without memory. Ends with portsock_rows_kill().
 */
struct portsock_table *portsock_table_new(bool first)
{
	struct portsock_table *table = kzalloc(sizeof(*table), GFP_KERNEL);

	if (!table)
		return NULL;
	raw_spin_lock_init(&table->lock);
	raw_spin_lock_init(&table->areas_lock);
	portsock_totals_init(&table->totals);
	table->services = RB_ROOT;
	idles_init(&table->idle);
	idles_init(&table->idle_remote);
	INIT_LIST_HEAD(&table->awaited);
	table->pins = 1;
	table->first = first;
	return table;
}

/* Nothing is left of it; whoever looked it up may still find that out. */
static void table_free(struct portsock_table *table)
{
	int proto;

	for (proto = 0; proto < PORTSOCK_PROTO_NR; proto++) {
		portsock_depth_free(table->totals.of[proto].numbers.depth);
		if (table->folded[proto])
			body_free(table->folded[proto]);
		portsock_depth_free(table->past[proto].depth);
		portsock_depth_free(table->past[proto].depth_shown);
	}
	kfree_rcu(table, rcu);
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

	raw_lock(&table->lock);
	released = table->dead && !table->released && !table->pins &&
		   !portsock_totals_any(&table->totals);
	table->released |= released;
	raw_unlock(&table->lock);
	if (released)
		table_free(table);
}

/**
 * portsock_table_die() - the namespace of a table goes
 * @table: from portsock_table_new(); not looked up by anybody new
 *
 * Context: any but NMI.
 */
void portsock_table_die(struct portsock_table *table)
{
	unsigned long flags;

	raw_lock_irqsave(&table->lock, flags);
	table->dead = true;
	/* whoever saw that it was not has changed what he did */
	portsock_totals_any(&table->totals);
	raw_unlock_irqrestore(&table->lock, flags);
}

/**
 * portsock_table_unpin() - the namespace is done with its table
 * @table: dead; released when nothing else pins it
 *
 * Context: any but NMI.
 */
void portsock_table_unpin(struct portsock_table *table)
{
	unsigned long flags;

	local_irq_save(flags);
	raw_lock(&table->lock);
	table->pins--;
	raw_unlock(&table->lock);
	portsock_table_settle(table);
	local_irq_restore(flags);
}

/**
 * portsock_table_is_released() - is a dead table about to be freed?
 * @table: looked up with interrupts off since
 *
 * Context: any but NMI, interrupts off.
 */
bool portsock_table_is_released(struct portsock_table *table)
{
	bool released;

	raw_lock(&table->lock);
	released = table->released;
	raw_unlock(&table->lock);
	return released;
}
