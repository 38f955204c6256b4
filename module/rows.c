// SPDX-License-Identifier: GPL-2.0
/*
 * How rows are found and ordered.
 */
#include "rows.h"

#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/string.h>

struct row_bucket *portsock_row_buckets;
unsigned int portsock_row_shift;	/* of the 64 bits of a hash */
struct portsock_pool portsock_row_pool;

/**
 * __portsock_row_link() - a service, or a row of class remote, is to be shown
 * @row: not ephemeral; its bucket and its table are locked by the caller
 */
void __portsock_row_link(struct portsock_row *row)
{
	struct rb_root *root = &row->table->services;
	struct rb_node **link = &root->rb_node;
	struct rb_node *parent = NULL;

	while (*link) {
		const struct portsock_body *other;

		parent = *link;
		other = rb_entry(parent, struct portsock_body, order);
		if (row->key < other->row->key)
			link = &parent->rb_left;
		else
			link = &parent->rb_right;
	}
	rb_link_node(&row->body->order, parent, link);
	rb_insert_color(&row->body->order, root);
	row->table->pins++;
}

/**
 * __portsock_row_unlink() - it is no longer shown
 * @row: its bucket and its table are locked by the caller
 */
void __portsock_row_unlink(struct portsock_row *row)
{
	struct portsock_body *body = row->body;

	if (!list_empty(&body->idle.node))
		__idle_del(&body->idle, row->table,
			   key_is_remote(row->key));
	rb_erase(&body->order, &row->table->services);
	row->table->pins--;
}

/* Caller holds the table's lock. First row whose key is at least @key. */
static struct portsock_row *__row_at(const struct rb_root *root, u32 key)
{
	struct rb_node *node = root->rb_node;
	struct portsock_row *best = NULL;

	while (node) {
		struct portsock_row *row;

		row = rb_entry(node, struct portsock_body, order)->row;
		if (row->key < key) {
			node = node->rb_right;
		} else {
			best = row;
			node = node->rb_left;
		}
	}
	return best;
}

/**
 * portsock_rows_next() - the next key that a service or a row of class remote has
 * @table: any table
 * @key: to begin with; receives that of the first row at or behind it
 *
 * Context: any but NMI.
 * Return: false when there is none.
 */
bool portsock_rows_next(struct portsock_table *table, u32 *key)
{
	struct portsock_row *row;
	unsigned long flags;

	raw_lock_irqsave(&table->lock, flags);
	row = __row_at(&table->services, *key);
	if (row)
		*key = row->key;
	raw_unlock_irqrestore(&table->lock, flags);
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
		     sizeof(struct portsock_row) > 64);

	err = portsock_pool_init(&portsock_row_pool, "portsock_row",
				 sizeof(struct portsock_row),
				 SLAB_HWCACHE_ALIGN);
	if (err)
		return err;
	err = portsock_bodies_init();
	if (err)
		goto exit_rows;
	portsock_row_buckets = kvmalloc_array(1UL << bits,
					      sizeof(*portsock_row_buckets),
					      GFP_KERNEL);
	if (!portsock_row_buckets) {
		err = -ENOMEM;
		goto exit_bodies;
	}
	for (i = 0; i < 1UL << bits; i++) {
		raw_spin_lock_init(&portsock_row_buckets[i].lock);
		INIT_HLIST_HEAD(&portsock_row_buckets[i].rows);
	}
	portsock_row_shift = 64 - bits;
	return 0;

exit_bodies:
	portsock_bodies_exit();
exit_rows:
	portsock_pool_exit(&portsock_row_pool);
	return err;
}

/**
 * portsock_rows_refill() - many rows may be wanted at once
 *
 * Context: process, may sleep.
 */
void portsock_rows_refill(void)
{
	portsock_pool_refill(&portsock_row_pool);
	portsock_bodies_refill();
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
	portsock_bodies_exit();
	portsock_pool_exit(&portsock_row_pool);
}
