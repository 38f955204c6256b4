// SPDX-License-Identifier: GPL-2.0
/*
 * How a reader finds ephemeral ports.
 */
#include "area.h"

#include <linux/bitmap.h>
#include <linux/sched.h>

static bool port_is_ephemeral(const struct portsock_table *table, u32 key)
{
	struct row_bucket *bucket = row_bucket(table, key);
	const struct portsock_row *row;
	unsigned long flags;
	bool is;

	raw_lock_irqsave(&bucket->lock, flags);
	row = __row_find(bucket, table, key);
	is = row && row_is_ephemeral(row);
	raw_unlock_irqrestore(&bucket->lock, flags);
	return is;
}

/* Looks for the ports of an area. Returns false if there are none. */
static bool area_look(const struct portsock_table *table, u32 area,
		      unsigned long *ports)
{
	u32 key = area * AREA_PORTS, i;

	bitmap_zero(ports, AREA_PORTS);
	for (i = 0; i < AREA_PORTS; i++)
		if (port_is_ephemeral(table, key + i))
			__set_bit(i, ports);
	return !bitmap_empty(ports, AREA_PORTS);
}

/* The first area from @area on that may have a port. */
static u32 area_first(struct portsock_table *table, u32 area)
{
	unsigned long flags;

	/* while a bit is cleared, it may have to be set again */
	raw_spin_lock_irqsave(&table->areas_lock, flags);
	area = find_next_bit(table->areas, AREAS, area);
	raw_spin_unlock_irqrestore(&table->areas_lock, flags);
	return area;
}

/*
 * An area was found without a port. Returns true if it has one meanwhile. If
 * somebody else holds the lock, whoever reads next may do this.
 */
static bool area_leave(struct portsock_table *table, u32 area,
		       unsigned long *ports)
{
	unsigned long flags;
	bool found;

	if (!raw_spin_trylock_irqsave(&table->areas_lock, flags))
		return false;
	/* before the first bucket is locked, see area_enter() */
	clear_bit(area, table->areas);
	found = area_look(table, area, ports);
	if (found)
		set_bit(area, table->areas);
	raw_spin_unlock_irqrestore(&table->areas_lock, flags);
	return found;
}

/**
 * portsock_area_next() - the next ephemeral ports of a table
 * @table: any table
 * @key: the first one to look at, a multiple of %AREA_PORTS; receives the key of
 *	the first port of the area
 * @ports: receives the ports that there are from there on, a bit for each
 *
 * Context: process, may sleep.
 * Return: false when there is none.
 */
bool portsock_area_next(struct portsock_table *table, u32 *key,
			unsigned long *ports)
{
	u32 area = *key / AREA_PORTS;

	while ((area = area_first(table, area)) < AREAS) {
		*key = area * AREA_PORTS;
		if (area_look(table, area, ports) ||
		    area_leave(table, area, ports))
			return true;
		area++;
		cond_resched();
	}
	return false;
}
