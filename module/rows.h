/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The rows of all namespaces: a hash to find them in, and for each table two
 * trees that order them.
 *
 * The buckets of the hash are locked one by one; a bucket lock protects its
 * chain and the rows in it. A table's own lock, nested inside, orders its rows
 * for readers, sums its ephemeral ones and protects their counters, so that
 * these change together. All locks are raw and are taken with interrupts off,
 * since the callers run in any context but NMI.
 */
#ifndef PORTSOCK_ROWS_H
#define PORTSOCK_ROWS_H

#include <linux/hash.h>
#include <linux/list.h>
#include <linux/rbtree.h>
#include "lock.h"
#include <linux/string.h>
#include <linux/types.h>

#include "counts.h"
#include "depth.h"
#include "idle.h"
#include "pool.h"
#include "table.h"

/**
 * struct portsock_row - one (network namespace, protocol, port)
 * @node: in its bucket's chain
 * @order: in one of the table's trees; protected by the table's lock
 * @table: the namespace's table, pinned
 * @idle: of a service row, for how long it has been idle
 * @queues: shares of sockets in which something may wait
 * @depth: more about it; NULL while there is no memory for it, and of a row that
 *	has none, see key_is_deep()
 * @bucket: where it hangs
 * @key: protocol, port and whether it is of class remote, see key_of()
 * @shares: sockets and mini-sockets that contribute; a row with any is pinned
 * @ephemeral: in the tree of ephemerals; changed under both locks
 * @counts: the numbers; protected by the table's lock while @ephemeral
 *
 * Protected by the lock of @bucket unless said otherwise.
 */
struct portsock_row {
	struct hlist_node node;
	struct rb_node order;
	struct portsock_idle idle;
	struct portsock_table *table;
	struct rb_root queues;
	struct portsock_depth *depth;
	struct row_bucket *bucket;
	u32 key;
	u32 shares;
	bool ephemeral;
	struct portsock_counts counts;
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

static inline u32 key_of(u8 proto, u16 port)
{
	return (u32)proto << 16 | port;
}

/* That of a row of class remote. */
static inline u32 key_remote(u8 proto, u16 port)
{
	return 1U << 24 | key_of(proto, port);
}

static inline bool key_is_remote(u32 key)
{
	return key >> 24;
}

static inline u8 key_proto(u32 key)
{
	return key >> 16;
}

static inline u16 key_port(u32 key)
{
	return key;
}

/* Is more to be known of a row that is not ephemeral than numbers of sockets? */
static inline bool key_is_deep(u32 key)
{
	return !key_is_remote(key) || key_proto(key) == PORTSOCK_TCP;
}

static inline struct row_bucket *row_bucket(const struct portsock_table *table,
					    u32 key)
{
	u64 hash = (unsigned long)table + ((u64)key << 32 | key);

	hash *= GOLDEN_RATIO_64;
	return &portsock_row_buckets[hash >> portsock_row_shift];
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
	return &row->table->totals[key_proto(row->key)];
}

int portsock_rows_init(unsigned int bits);
void portsock_rows_refill(void);
void portsock_rows_exit(void);

void __portsock_order_insert(struct rb_root *root, struct portsock_row *row);

static inline struct rb_root *row_root(const struct portsock_row *row)
{
	return row->ephemeral ? &row->table->ephemerals : &row->table->services;
}

/**
 * portsock_row_new() - a row without numbers
 * @bucket: where it is to hang
 * @table: its table
 * @key: protocol and port
 * @ephemeral: the kernel chose the port
 *
 * Context: any but NMI, interrupts off.
 * Return: the row, or NULL without memory. Ends with portsock_row_cancel(), or,
 * once it hangs in its bucket, __portsock_row_free().
 */
static inline struct portsock_row *
portsock_row_new(struct row_bucket *bucket, struct portsock_table *table,
		 u32 key, bool ephemeral)
{
	struct portsock_row *row = portsock_pool_get(&portsock_row_pool);

	if (!row)
		return NULL;
	INIT_LIST_HEAD(&row->idle.node);
	row->table = table;
	row->queues = RB_ROOT;
	row->depth = !ephemeral && key_is_deep(key) ? portsock_depth_new() :
						      NULL;
	row->bucket = bucket;
	row->key = key;
	row->shares = 0;
	row->ephemeral = ephemeral;
	memset(&row->counts, 0, sizeof(row->counts));
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
	portsock_depth_free(row->depth);
	portsock_pool_put(&portsock_row_pool, row);
}

/**
 * __portsock_row_link() - a row is to be shown
 * @row: its bucket and its table are locked by the caller
 */
static inline void __portsock_row_link(struct portsock_row *row)
{
	__portsock_order_insert(row_root(row), row);
	row->table->pins++;
	if (row->ephemeral)
		row_total(row)->ports++;
}

/**
 * __portsock_row_unlink() - a row is no longer shown
 * @row: its bucket and its table are locked by the caller
 */
static inline void __portsock_row_unlink(struct portsock_row *row)
{
	if (!list_empty(&row->idle.node))
		__portsock_idle_del(&row->idle, row->table,
				    key_is_remote(row->key));
	rb_erase(&row->order, row_root(row));
	row->table->pins--;
	if (row->ephemeral)
		row_total(row)->ports--;
}

/**
 * __portsock_row_free() - a row is no more
 * @row: not linked any more; its bucket is locked by the caller
 */
static inline void __portsock_row_free(struct portsock_row *row)
{
	struct portsock_table *table = row->table;

	__hlist_del(&row->node);
	portsock_depth_free(row->depth);
	portsock_pool_put(&portsock_row_pool, row);
	if (unlikely(table->dead))
		portsock_table_settle(table);
}

void __portsock_row_relink(struct portsock_row *row);
bool portsock_rows_next(struct portsock_table *table,
			const struct rb_root *root, u32 *key);

#endif /* PORTSOCK_ROWS_H */
