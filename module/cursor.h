/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A reader's way through a table.
 */
#ifndef PORTSOCK_CURSOR_H
#define PORTSOCK_CURSOR_H

#include <linux/types.h>

#include "counts.h"
#include "depth.h"
#include "portsock.h"
#include "queue.h"
#include "table.h"

/**
 * enum portsock_part - the parts of a table, in the order they are shown
 * @PORTSOCK_SERVICES: service and unbound rows
 * @PORTSOCK_TOTALS: for each protocol one row for ephemeral ports that it has
 *	or had, and one for services that were folded
 * @PORTSOCK_REMOTES: for each protocol rows of class remote, and their total
 * @PORTSOCK_EPHEMERALS: single ephemeral rows
 * @PORTSOCK_END: nothing is left
 */
enum portsock_part {
	PORTSOCK_SERVICES,
	PORTSOCK_TOTALS,
	PORTSOCK_REMOTES,
	PORTSOCK_EPHEMERALS,
	PORTSOCK_END,
};

/**
 * struct portsock_line - a consistent copy of one row
 * @part: which part of the table it belongs to
 * @class: what it stands for, enum portsock_class
 * @proto: protocol
 * @port: port; 0 in a total
 * @deep: @depth is known
 * @total: it is a sum of rows
 * @ports: how many ports it stands for
 * @counts: the row's numbers
 * @queue: what waits in its sockets; of PORTSOCK_SERVICES only
 * @depth: what else is known of it; its @drops include those of sockets that
 *	are there
 */
struct portsock_line {
	enum portsock_part part;
	u8 class;
	u8 proto;
	u16 port;
	bool deep;
	bool total;
	u64 ports;
	struct portsock_counts counts;
	struct portsock_queue queue;
	struct portsock_depth depth;
};

/**
 * struct portsock_cursor - a place in a table
 * @part: part to look in
 * @key: first key to consider there
 * @sum: in PORTSOCK_REMOTES: the sum of the rows of a protocol so far
 * @area: in PORTSOCK_EPHEMERALS: key of the first port of @ports
 * @ports: ports that are still to be copied
 */
struct portsock_cursor {
	enum portsock_part part;
	u32 key;
	struct portsock_line sum;
	u32 area;
	DECLARE_BITMAP(ports, AREA_PORTS);
};

bool portsock_table_next(struct portsock_table *table,
			 struct portsock_cursor *cursor,
			 struct portsock_line *line);

#endif /* PORTSOCK_CURSOR_H */
