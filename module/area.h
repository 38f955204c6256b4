/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Where the ephemeral ports of a table are. Their rows are in the hash only; who
 * wants all of them in order looks there for each port of the areas that may
 * have one. To come and to go then costs nothing that others share.
 */
#ifndef PORTSOCK_AREA_H
#define PORTSOCK_AREA_H

#include <linux/bitops.h>
#include <linux/compiler.h>

#include "rows.h"

/**
 * area_enter() - a port is in its area from now on
 * @table: any table
 * @key: of the port's row, which is ephemeral and in its bucket, whose lock the
 *	caller holds
 */
static inline void area_enter(struct portsock_table *table, u32 key)
{
	u32 area = key / AREA_PORTS;

	/*
	 * Who clears the bit takes the lock of each bucket then: he finds
	 * the row there, or the bit is seen clear here.
	 */
	if (unlikely(!test_bit(area, table->areas)))
		set_bit(area, table->areas);
}

bool portsock_area_next(struct portsock_table *table, u32 *key,
			unsigned long *ports);

#endif /* PORTSOCK_AREA_H */
