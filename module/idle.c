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
atomic_t portsock_idle_others[2];

/**
 * portsock_idle_max() - how many idle rows each namespace but the first may keep
 * @remote: of class remote
 *
 * Each may have but a part of what all others leave, so that it takes more than
 * a hundred namespaces to leave a late one with nothing.
 *
 * Context: any.
 */
unsigned int portsock_idle_max(bool remote)
{
	int left = PORTSOCK_IDLE_OTHERS -
		   atomic_read(&portsock_idle_others[remote]);

	return clamp(left / PORTSOCK_IDLE_PART, 0, PORTSOCK_IDLE_OTHER);
}

/**
 * __portsock_idle_first() - the idle row of a table that is to go first
 * @table: has one; the caller holds its lock
 * @remote: of class remote
 *
 * One that was used within the hour goes after one that was not, and else the
 * one idle for longest goes.
 */
struct portsock_idle *__portsock_idle_first(struct portsock_table *table,
					    bool remote)
{
	struct portsock_idles *idles = idles_of(table, remote);
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
