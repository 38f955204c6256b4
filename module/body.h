/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The numbers of a row. The row of an ephemeral port with one socket has none.
 */
#ifndef PORTSOCK_BODY_H
#define PORTSOCK_BODY_H

#include <linux/list.h>
#include <linux/rbtree.h>
#include <linux/string.h>
#include <linux/types.h>

#include "numbers.h"
#include "pool.h"

struct portsock_cells;
struct portsock_row;

/**
 * struct portsock_idle - for how long a row was used, or is idle
 * @node: on a list of the table while the row has no socket; protected by the
 *	table's lock as well
 * @since: second in which the row became idle, or ceased to be
 * @used: it was held for PORTSOCK_USE_SECONDS at a stretch
 *
 * Protected by the lock of the row's bucket.
 */
struct portsock_idle {
	struct list_head node;
	u32 since;
	bool used;
};

/**
 * struct portsock_body - the numbers of a row
 * @row: whose they are
 * @order: of a service, in the table's tree; protected by the table's lock
 * @folded: of a sum of rows that were folded, how often that was
 * @idle: of a service, for how long it has been idle
 * @numbers: the numbers; of a row that is busy, but for what is in @cells
 * @cells: NULL unless the row is busy
 *
 * Protected as the row, or the sum, is, unless said otherwise.
 */
struct portsock_body {
	struct portsock_row *row;
	union {
		struct rb_node order;
		u64 folded;
	};
	struct portsock_idle idle;
	struct portsock_numbers numbers;
	struct portsock_cells *cells;
};

extern struct portsock_pool portsock_body_pool;

int portsock_bodies_init(void);
void portsock_bodies_refill(void);
void portsock_bodies_exit(void);

/**
 * body_new() - numbers, all zero
 * @row: whose they are
 *
 * Context: any but NMI, interrupts off.
 * Return: NULL without memory. Ends with body_free().
 */
static inline struct portsock_body *body_new(struct portsock_row *row)
{
	struct portsock_body *body = portsock_pool_get(&portsock_body_pool);

	if (!body)
		return NULL;
	body->row = row;
	INIT_LIST_HEAD(&body->idle.node);
	memset(&body->numbers, 0, sizeof(body->numbers));
	body->cells = NULL;
	return body;
}

/**
 * body_free() - they are of no use any more
 * @body: from body_new()
 *
 * Context: any but NMI, interrupts off.
 */
static inline void body_free(struct portsock_body *body)
{
	portsock_depth_free(body->numbers.depth);
	portsock_pool_put(&portsock_body_pool, body);
}

#endif /* PORTSOCK_BODY_H */
