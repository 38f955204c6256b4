// SPDX-License-Identifier: GPL-2.0
/*
 * How rows are found and ordered.
 */
#include "rows.h"

#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "pool.h"

struct row_bucket *portsock_row_buckets;
unsigned int portsock_row_shift;	/* of the 64 bits of a hash */
static struct portsock_pool row_pool;

/* Caller holds the table's lock. */
static void __order_insert(struct rb_root *root, struct portsock_row *row)
{
	struct rb_node **link = &root->rb_node;
	struct rb_node *parent = NULL;

	while (*link) {
		parent = *link;
		if (row->key < rb_entry(parent, struct portsock_row, order)->key)
			link = &parent->rb_left;
		else
			link = &parent->rb_right;
	}
	rb_link_node(&row->order, parent, link);
	rb_insert_color(&row->order, root);
}

/* Caller holds the table's lock. First row whose key is at least @key. */
static struct portsock_row *__order_find(const struct rb_root *root, u32 key)
{
	struct rb_node *node = root->rb_node;
	struct portsock_row *best = NULL;

	while (node) {
		struct portsock_row *row;

		row = rb_entry(node, struct portsock_row, order);
		if (row->key < key) {
			node = node->rb_right;
		} else {
			best = row;
			node = node->rb_left;
		}
	}
	return best;
}

static struct rb_root *row_root(const struct portsock_row *row)
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
 * Return: the row, or NULL without memory. Ends with portsock_row_cancel(), or, once it
 * hangs in its bucket, __portsock_row_free().
 */
struct portsock_row *portsock_row_new(struct row_bucket *bucket, struct portsock_table *table,
				      u32 key, bool ephemeral)
{
	struct portsock_row *row = portsock_pool_get(&row_pool);

	if (!row)
		return NULL;
	INIT_LIST_HEAD(&row->idle.node);
	row->table = table;
	row->listeners = RB_ROOT;
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
void portsock_row_cancel(struct portsock_row *row)
{
	portsock_pool_put(&row_pool, row);
}

/**
 * __portsock_row_link() - a row is to be shown
 * @row: its bucket and its table are locked by the caller
 */
void __portsock_row_link(struct portsock_row *row)
{
	__order_insert(row_root(row), row);
	row->table->pins++;
	if (row->ephemeral)
		row_total(row)->ports++;
}

/**
 * __portsock_row_unlink() - a row is no longer shown
 * @row: its bucket and its table are locked by the caller
 */
void __portsock_row_unlink(struct portsock_row *row)
{
	__portsock_idle_del(&row->idle, row->table);
	rb_erase(&row->order, row_root(row));
	row->table->pins--;
	if (row->ephemeral)
		row_total(row)->ports--;
}

/**
 * __portsock_row_relink() - an ephemeral row is to be shown as a service
 * @row: its bucket and its table are locked by the caller
 */
void __portsock_row_relink(struct portsock_row *row)
{
	row_total(row)->ports--;
	rb_erase(&row->order, &row->table->ephemerals);
	row->ephemeral = false;
	__order_insert(&row->table->services, row);
}

/**
 * __portsock_row_free() - a row is no more
 * @row: not linked any more; its bucket is locked by the caller
 */
void __portsock_row_free(struct portsock_row *row)
{
	struct portsock_table *table = row->table;

	__hlist_del(&row->node);
	portsock_pool_put(&row_pool, row);
	if (unlikely(table->dead))
		portsock_table_settle(table);
}

/**
 * portsock_rows_next() - the next key that a row has
 * @table: any table
 * @root: one of its trees
 * @key: to begin with; receives that of the first row at or behind it
 *
 * Context: any but NMI.
 * Return: false when there is none.
 */
bool portsock_rows_next(struct portsock_table *table, const struct rb_root *root, u32 *key)
{
	struct portsock_row *row;
	unsigned long flags;

	raw_spin_lock_irqsave(&table->lock, flags);
	row = __order_find(root, *key);
	if (row)
		*key = row->key;
	raw_spin_unlock_irqrestore(&table->lock, flags);
	return row;
}

/**
 * portsock_rows_init() - make room for rows
 * @bits: binary logarithm of the number of hash buckets
 *
 * Context: process, may sleep.
 * Return: 0 or -ENOMEM.
 */
int portsock_rows_init(unsigned int bits)
{
	unsigned long i;
	int err;

	BUILD_BUG_ON(!IS_ENABLED(CONFIG_LOCKDEP) &&
		     !IS_ENABLED(CONFIG_DEBUG_SPINLOCK) &&
		     sizeof(struct portsock_row) > 256);

	err = portsock_pool_init(&row_pool, "portsock_row",
				 sizeof(struct portsock_row), SLAB_HWCACHE_ALIGN);
	if (err)
		return err;
	portsock_row_buckets = kvmalloc_array(1UL << bits, sizeof(*portsock_row_buckets),
					      GFP_KERNEL);
	if (!portsock_row_buckets) {
		portsock_pool_exit(&row_pool);
		return -ENOMEM;
	}
	for (i = 0; i < 1UL << bits; i++) {
		raw_spin_lock_init(&portsock_row_buckets[i].lock);
		INIT_HLIST_HEAD(&portsock_row_buckets[i].rows);
	}
	portsock_row_shift = 64 - bits;
	return 0;
}

/**
 * portsock_rows_refill() - many rows may be wanted at once
 *
 * Context: process, may sleep.
 */
void portsock_rows_refill(void)
{
	portsock_pool_refill(&row_pool);
}

/**
 * portsock_rows_exit() - give the room back
 *
 * Every table was killed and every share deleted.
 *
 * Context: process, may sleep.
 */
void portsock_rows_exit(void)
{
	kvfree(portsock_row_buckets);
	portsock_pool_exit(&row_pool);
}
