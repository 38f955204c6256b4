// SPDX-License-Identifier: GPL-2.0
/*
 * A row of class service or remote stays when its last socket goes, but anybody
 * can have as many of them as there are ports.
 */
#include "idle.h"

#include <linux/atomic.h>
#include <linux/ktime.h>
#include <linux/minmax.h>

#include "table.h"

/* Idle rows of all namespaces but the first: services, and those of class remote. */
static atomic_t idle_others[2];

static struct portsock_idles *idles_of(struct portsock_table *table,
				       bool remote)
{
	return remote ? &table->idle_remote : &table->idle;
}

/**
 * __portsock_idle_add() - a row has no socket any more
 * @idle: of the row; the caller holds the locks of its bucket and its table
 * @table: its table
 * @remote: it is of class remote
 */
void __portsock_idle_add(struct portsock_idle *idle,
			 struct portsock_table *table, bool remote)
{
	struct portsock_idles *idles = idles_of(table, remote);
	u32 now = ktime_get_seconds();

	idle->used |= now - idle->since >= PORTSOCK_USE_SECONDS;
	idle->since = now;
	list_add_tail(&idle->node, idle->used ? &idles->used : &idles->unused);
	idles->nr++;
	if (!table->first)
		atomic_inc(&idle_others[remote]);
}

/**
 * __portsock_idle_del() - a row is not idle any more
 * @idle: of the row, which is; the caller holds the lock of its table
 * @table: its table
 * @remote: it is of class remote
 */
void __portsock_idle_del(struct portsock_idle *idle,
			 struct portsock_table *table, bool remote)
{
	list_del_init(&idle->node);
	idles_of(table, remote)->nr--;
	if (!table->first)
		atomic_dec(&idle_others[remote]);
}

/*
 * Each may have but a part of what all others leave, so that it takes more than
 * a hundred namespaces to leave a late one with nothing.
 */
static unsigned int idle_max(const struct portsock_table *table, bool remote)
{
	int left;

	if (table->first)
		return PORTSOCK_IDLE_FIRST;
	left = PORTSOCK_IDLE_OTHERS - atomic_read(&idle_others[remote]);
	return clamp(left / PORTSOCK_IDLE_PART, 0, PORTSOCK_IDLE_OTHER);
}

/*
 * The row to go first: one that was used within the hour goes after one
 * that was not, and else the one idle for longest goes. Caller holds
 * the table's lock.
 */
static struct portsock_idle *__idle_first(struct portsock_idles *idles)
{
	struct portsock_idle *unused, *used;
	u32 now;

	unused = list_first_entry_or_null(&idles->unused, struct portsock_idle,
					  node);
	used = list_first_entry_or_null(&idles->used, struct portsock_idle,
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
 * @remote: of class remote
 *
 * Return: that of the row to fold first, or NULL.
 */
struct portsock_idle *__portsock_idle_surplus(struct portsock_table *table,
					      bool remote)
{
	struct portsock_idles *idles = idles_of(table, remote);

	return idles->nr > idle_max(table, remote) ? __idle_first(idles) : NULL;
}
