// SPDX-License-Identifier: GPL-2.0
/*
 * A service row stays when its last socket goes, but anybody can have as many
 * of them as there are ports.
 */
#include "idle.h"

#include <linux/atomic.h>
#include <linux/ktime.h>
#include <linux/minmax.h>

#include "table.h"

/* Idle rows of all namespaces but the first. */
static atomic_t idle_others = ATOMIC_INIT(0);

/**
 * __portsock_idle_add() - a row has no socket any more
 * @idle: of the row; the caller holds the locks of its bucket and its table
 * @table: its table
 */
void __portsock_idle_add(struct portsock_idle *idle,
			 struct portsock_table *table)
{
	u32 now = ktime_get_seconds();

	idle->used |= now - idle->since >= PORTSOCK_USE_SECONDS;
	idle->since = now;
	list_add_tail(&idle->node, idle->used ? &table->used : &table->unused);
	table->idle_nr++;
	if (!table->first)
		atomic_inc(&idle_others);
}

/**
 * __portsock_idle_del() - a row is not idle any more
 * @idle: of the row, which is; the caller holds the lock of its table
 * @table: its table
 */
void __portsock_idle_del(struct portsock_idle *idle,
			 struct portsock_table *table)
{
	list_del_init(&idle->node);
	table->idle_nr--;
	if (!table->first)
		atomic_dec(&idle_others);
}

/*
 * Each may have but a part of what all others leave, so that it takes more than
 * a hundred namespaces to leave a late one with nothing.
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
 * The row to go first: one that was used within the hour goes after one
 * that was not, and else the one idle for longest goes. Caller holds
 * the table's lock.
 */
static struct portsock_idle *__idle_first(struct portsock_table *table)
{
	struct portsock_idle *unused, *used;
	u32 now;

	unused = list_first_entry_or_null(&table->unused, struct portsock_idle,
					  node);
	used = list_first_entry_or_null(&table->used, struct portsock_idle,
					node);
	if (!used || !unused)
		return used ?: unused;
	now = ktime_get_seconds();
	if (now - used->since < PORTSOCK_USED_SECONDS ||
	    now - used->since < now - unused->since)
		return unused;
	return used;
}

/**
 * __portsock_idle_surplus() - has a table more idle rows than it may keep?
 * @table: the caller holds its lock
 *
 * Return: that of the row to fold first, or NULL.
 */
struct portsock_idle *__portsock_idle_surplus(struct portsock_table *table)
{
	return table->idle_nr > idle_max(table) ? __idle_first(table) : NULL;
}
