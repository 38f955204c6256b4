/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The rows of all namespaces: a hash to find them in, and for each table a tree
 * that orders those of services.
 *
 * The buckets of the hash are locked one by one; a bucket lock protects its
 * chain and the rows in it. A table's own lock, nested inside, protects its
 * tree, and the lock of a total, nested inside both, what ephemeral rows of a
 * protocol say together. All locks are raw and are taken with interrupts off,
 * since the callers run in any context but NMI.
 */
#ifndef PORTSOCK_ROWS_H
#define PORTSOCK_ROWS_H

#include <linux/hash.h>
#include <linux/list.h>
#include <linux/rbtree.h>
#include <linux/string.h>
#include <linux/types.h>

#include "body.h"
#include "idle.h"
#include "keys.h"
#include "lock.h"
#include "pool.h"
#include "table.h"
#include "wants.h"

/**
 * enum row_kind - of a row
 * @ROW_SERVICE: of class service or remote
 * @ROW_BUSY: the same; CPUs have cells of it. It has one share more, meanwhile
 * @ROW_EPHEMERAL: the kernel chose the port
 */
enum row_kind {
	ROW_SERVICE,
	ROW_BUSY,
	ROW_EPHEMERAL
};

/**
 * struct portsock_row - one (network namespace, protocol, port)
 * @node: in its bucket's chain
 * @table: the namespace's table, pinned
 * @bucket: where it hangs
 * @body: its numbers, unless @single is set
 * @only: otherwise what tells them: the only share that it has, and had
 * @queues: shares of sockets in which something may wait
 * @key: protocol, port and whether it is of class remote, see key_of()
 * @shares: sockets and mini-sockets that contribute, but for those that came or
 *	went in cells; a row with any is pinned
 * @single: there is no @body; of an ephemeral row only
 * @opened: @only came as a full socket
 * @kind: of it; whether it is ephemeral is changed under the table's lock as well
 * @waits: for the lock of @bucket
 *
 * Protected by the lock of @bucket unless said otherwise.
 */
struct portsock_row {
	struct hlist_node node;
	struct portsock_table *table;
	struct row_bucket *bucket;
	union {
		struct portsock_body *body;
		const struct portsock_share *only;
	};
	struct rb_root queues;
	u32 key;
	u32 shares;
	bool single;
	bool opened;
	u8 kind;
	struct portsock_waits waits;
};

/**
 * struct row_bucket - a chain of rows
 * @lock: protects the chain and the rows in it
 * @rows: the chain
 */
struct row_bucket {
	raw_spinlock_t lock;
	struct hlist_head rows;
};

extern struct row_bucket *portsock_row_buckets;
extern unsigned int portsock_row_shift;
extern struct portsock_pool portsock_row_pool;

static inline struct row_bucket *row_bucket(const struct portsock_table *table,
					    u32 key)
{
	u64 hash = (unsigned long)table + ((u64)key << 32 | key);

	hash *= GOLDEN_RATIO_64;
	return &portsock_row_buckets[hash >> portsock_row_shift];
}

/* Both may change at any time, unless the row's bucket is locked. */
static inline bool row_is_ephemeral(const struct portsock_row *row)
{
	return READ_ONCE(row->kind) == ROW_EPHEMERAL;
}

static inline bool row_is_busy(const struct portsock_row *row)
{
	return READ_ONCE(row->kind) == ROW_BUSY;
}

/* Caller holds the bucket's lock. */
static inline struct portsock_row *
__row_find(struct row_bucket *bucket, const struct portsock_table *table,
	   u32 key)
{
	struct portsock_row *row;

	hlist_for_each_entry(row, &bucket->rows, node)
		if (row->key == key && row->table == table)
			return row;
	return NULL;
}

static inline struct portsock_total *row_total(const struct portsock_row *row)
{
	return total_of(&row->table->totals, key_proto(row->key));
}

int portsock_rows_init(unsigned int bits);
void portsock_rows_refill(void);
void portsock_rows_exit(void);

void __portsock_row_link(struct portsock_row *row);
void __portsock_row_unlink(struct portsock_row *row);

/**
 * __row_body_new() - numbers for a row that has none
 * @row: receives them, all zero; its bucket is locked by the caller
 *
 * Return: the numbers, or NULL without memory.
 */
static inline struct portsock_body *__row_body_new(struct portsock_row *row)
{
	struct portsock_body *body = body_new(row);

	if (!body)
		return NULL;
	row->body = body;
	row->single = false;
	return body;
}

/**
 * portsock_row_new() - a row without numbers
 * @bucket: where it is to hang
 * @table: its table
 * @key: protocol and port
 *
 * Context: any but NMI, interrupts off.
 * Return: the row, or NULL without memory. Ends with portsock_row_cancel(), or,
 * once it hangs in its bucket, __portsock_row_free().
 */
static inline struct portsock_row *
portsock_row_new(struct row_bucket *bucket, struct portsock_table *table,
		 u32 key)
{
	struct portsock_row *row = portsock_pool_get(&portsock_row_pool);

	if (!row)
		return NULL;
	row->table = table;
	row->bucket = bucket;
	row->queues = RB_ROOT;
	row->key = key;
	row->shares = 0;
	row->single = true;
	row->kind = ROW_EPHEMERAL;
	row->waits = (struct portsock_waits){ };
	return row;
}

/**
 * portsock_row_cancel() - a row is not wanted after all
 * @row: neither linked nor in its bucket
 *
 * Context: any but NMI, interrupts off.
 */
static inline void portsock_row_cancel(struct portsock_row *row)
{
	if (!row->single)
		body_free(row->body);
	portsock_pool_put(&portsock_row_pool, row);
}

/**
 * __portsock_row_free() - a row is no more
 * @row: not linked any more; its bucket is locked by the caller
 */
static inline void __portsock_row_free(struct portsock_row *row)
{
	struct portsock_table *table = row->table;

	__hlist_del(&row->node);
	portsock_row_cancel(row);
	if (unlikely(table->dead))
		portsock_table_settle(table);
}

bool portsock_rows_next(struct portsock_table *table, u32 *key);

#endif /* PORTSOCK_ROWS_H */
