// SPDX-License-Identifier: GPL-2.0
/*
 * Rows come with the first share of a port, change their class, and go.
 */
#include "row.h"

#include <linux/bits.h>
#include <linux/err.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "idle.h"
#include "listeners.h"
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

/**
 * __portsock_row_at() - the first row at or behind a key
 * @root: a tree of a table, whose lock the caller holds
 * @key: protocol and port
 */
struct portsock_row *__portsock_row_at(const struct rb_root *root, u32 key)
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

static struct portsock_row *row_new(struct row_bucket *bucket,
				    struct portsock_table *table, u32 key,
				    bool ephemeral)
{
	struct portsock_row *row = portsock_pool_get(&row_pool);

	if (!row)
		return NULL;
	INIT_LIST_HEAD(&row->idle);
	row->table = table;
	row->listeners = RB_ROOT;
	row->bucket = bucket;
	row->key = key;
	row->shares = 0;
	row->ephemeral = ephemeral;
	memset(&row->counts, 0, sizeof(row->counts));
	return row;
}

/* Caller holds the table's lock. */
static void __row_link(struct portsock_row *row)
{
	__order_insert(row_root(row), row);
	row->table->pins++;
	if (row->ephemeral)
		row_total(row)->ports++;
}

/* A row that begins to serve. Caller holds the bucket's lock. */
static void __service_begin(struct portsock_row *row)
{
	row->used = false;
	row->since = row_seconds();
}

/**
 * __portsock_row_unlink() - a row is no longer shown
 * @row: the caller holds the locks of its bucket and its table
 */
void __portsock_row_unlink(struct portsock_row *row)
{
	__portsock_idle_del(row);
	rb_erase(&row->order, row_root(row));
	row->table->pins--;
	if (row->ephemeral)
		row_total(row)->ports--;
}

/**
 * __portsock_row_free() - a row is no more
 * @row: not linked any more; the caller holds the lock of its bucket
 */
void __portsock_row_free(struct portsock_row *row)
{
	struct portsock_table *table = row->table;

	__hlist_del(&row->node);
	portsock_pool_put(&row_pool, row);
	if (unlikely(table->dead))
		portsock_table_settle(table);
}

static void counts_open(struct portsock_counts *counts,
			const struct portsock_share *share)
{
	counts_add(counts, share->state, share->ipv6);
	if (share->state != TCP_TIME_WAIT)
		counts->came[share->how]++;
}

static void counts_move(struct portsock_counts *counts,
			const struct portsock_share *from,
			const struct portsock_share *to)
{
	counts_sub(counts, from->state, from->ipv6);
	counts_add(counts, to->state, to->ipv6);
	counts->came[from->how]--;
	counts->came[to->how]++;
}

/*
 * Somebody listens on, or asked for, a port the kernel had chosen before: its
 * sockets leave the total, which keeps the history, and open in a row that
 * begins now. Caller holds the row's bucket lock and the table's lock.
 */
static void __row_promote(struct portsock_row *row)
{
	struct portsock_total *total = row_total(row);
	struct portsock_table *table = row->table;
	int state;

	for (state = 0; state < PORTSOCK_STATE_NR; state++)
		gauge_sub(&total->counts.state[state], row->counts.state[state]);
	gauge_sub(&total->counts.sockets, row->counts.sockets);
	gauge_sub(&total->counts.ipv6, row->counts.ipv6);
	total->ports--;
	memset(row->counts.came, 0, sizeof(row->counts.came));
	row->counts.came[PORTSOCK_BOUND] = row->counts.sockets;
	row->counts.peak = row->counts.sockets;
	rb_erase(&row->order, &table->ephemerals);
	row->ephemeral = false;
	__service_begin(row);
	__order_insert(&table->services, row);
}

static void share_set(struct portsock_share *share,
		      const struct portsock_holding *h)
{
	share->state = h->state;
	share->ipv6 = h->ipv6;
	share->requests = h->requests;
	if (share->how == PORTSOCK_BOUND)
		share->how = h->how;
}

/*
 * The first share of a port. Caller holds the bucket's lock.
 * Returns the row, or an error when memory is short or the namespace goes.
 */
static struct portsock_row *__row_begin(struct row_bucket *bucket,
					struct portsock_table *table, u32 key,
					const struct portsock_share *share, bool service)
{
	struct portsock_row *row = row_new(bucket, table, key, !service);

	if (!row)
		return ERR_PTR(-ENOMEM);
	counts_open(&row->counts, share);
	if (service)
		__service_begin(row);
	raw_spin_lock(&table->lock);
	if (unlikely(table->dead)) {
		raw_spin_unlock(&table->lock);
		portsock_pool_put(&row_pool, row);
		return ERR_PTR(-ESHUTDOWN);
	}
	__row_link(row);
	if (!service)
		counts_open(&row_total(row)->counts, share);
	raw_spin_unlock(&table->lock);
	hlist_add_head(&row->node, &bucket->rows);
	return row;
}

/* One more share of a port. Caller holds the bucket's lock. */
static void __row_join(struct portsock_row *row, const struct portsock_share *share,
		       bool service)
{
	struct portsock_table *table = row->table;

	if (row->ephemeral) {
		raw_spin_lock(&table->lock);
		if (service)
			__row_promote(row);
		else
			counts_open(&row_total(row)->counts, share);
		counts_open(&row->counts, share);
		raw_spin_unlock(&table->lock);
		return;
	}
	if (!list_empty(&row->idle)) {
		raw_spin_lock(&table->lock);
		__portsock_idle_del(row);
		raw_spin_unlock(&table->lock);
		row->since = row_seconds();
	}
	counts_open(&row->counts, share);
}

/**
 * portsock_row_add() - a share contributes to the row of a port
 * @share: contributes nothing yet
 * @h: the port
 *
 * Context: any but NMI, interrupts off; RCU read side (for @h->table).
 * Return: 0, -ENOMEM, or -ESHUTDOWN when the namespace goes and there is no row.
 */
int portsock_row_add(struct portsock_share *share, const struct portsock_holding *h)
{
	struct portsock_table *table = h->table;
	u32 key = key_of(h->proto, h->port);
	struct row_bucket *bucket = row_bucket(table, key);
	struct portsock_row *row;

	raw_spin_lock(&bucket->lock);
	row = __row_find(bucket, table, key);
	if (row)
		__row_join(row, share, h->service);
	else
		row = __row_begin(bucket, table, key, share, h->service);
	if (!IS_ERR(row)) {
		row->shares++;
		share->table = table;
		share->row = row;
		__portsock_listeners_update(share, false);
	}
	raw_spin_unlock(&bucket->lock);
	return PTR_ERR_OR_ZERO(row);
}

/**
 * portsock_row_update() - a share changes, but not its row
 * @share: contributes to a row
 * @h: what it is to say
 *
 * Context: any but NMI, interrupts off.
 */
void portsock_row_update(struct portsock_share *share,
				  const struct portsock_holding *h)
{
	struct portsock_row *row = share->row;
	struct portsock_share old = *share;

	raw_spin_lock(&row->bucket->lock);
	share_set(share, h);
	if (share->requests != old.requests)
		__portsock_listeners_update(share, old.requests);
	if (row->ephemeral) {
		raw_spin_lock(&row->table->lock);
		if (h->service)
			__row_promote(row);
		else
			counts_move(&row_total(row)->counts, &old, share);
		counts_move(&row->counts, &old, share);
		raw_spin_unlock(&row->table->lock);
	} else {
		counts_move(&row->counts, &old, share);
	}
	raw_spin_unlock(&row->bucket->lock);
}

/* Returns false when it was promoted, before or meanwhile. */
static bool ephemeral_step(struct portsock_row *row, u8 from, u8 to)
{
	bool ephemeral;

	if (!READ_ONCE(row->ephemeral))
		return false;
	raw_spin_lock(&row->table->lock);
	ephemeral = row->ephemeral;
	if (ephemeral) {
		counts_step(&row->counts, from, to);
		counts_step(&row_total(row)->counts, from, to);
	}
	raw_spin_unlock(&row->table->lock);
	return ephemeral;
}

/**
 * portsock_row_step() - a full socket changes its state, and nothing else
 * @row: that it contributes to
 * @from: kernel state number
 * @to: kernel state number
 *
 * Context: any but NMI, interrupts off.
 */
void portsock_row_step(struct portsock_row *row, u8 from, u8 to)
{
	if (ephemeral_step(row, from, to))
		return;
	raw_spin_lock(&row->bucket->lock);
	counts_step(&row->counts, from, to);
	raw_spin_unlock(&row->bucket->lock);
}

/*
 * An ephemeral row goes with its last share; its counters live on in the
 * total. Returns true when it is unlinked. Caller holds the bucket's lock.
 */
static bool __ephemeral_leave(struct portsock_row *row, const struct portsock_share *share)
{
	struct portsock_table *table = row->table;
	bool goes = !row->shares;

	raw_spin_lock(&table->lock);
	counts_sub(&row_total(row)->counts, share->state, share->ipv6);
	if (goes)
		__portsock_row_unlink(row);
	else
		counts_sub(&row->counts, share->state, share->ipv6);
	raw_spin_unlock(&table->lock);
	return goes;
}

/*
 * A service row stays, see PORTSOCK_IDLE_FIRST, unless its namespace is gone.
 * Returns as above; @surplus is the key of a row to fold, or 0.
 * Caller holds the bucket's lock.
 */
static bool __service_leave(struct portsock_row *row, const struct portsock_share *share,
			    u32 *surplus)
{
	struct portsock_table *table = row->table;
	bool goes;

	counts_sub(&row->counts, share->state, share->ipv6);
	if (likely(row->shares))
		return false;
	raw_spin_lock(&table->lock);
	goes = table->dead;
	if (goes) {
		__portsock_row_unlink(row);
	} else {
		__portsock_idle_add(row);
		*surplus = __portsock_idle_surplus(table);
	}
	raw_spin_unlock(&table->lock);
	return goes;
}

/**
 * portsock_row_del() - a share contributes to its row no longer
 * @share: contributes to a row
 *
 * Context: any but NMI, interrupts off.
 */
void portsock_row_del(struct portsock_share *share)
{
	struct portsock_row *row = share->row;
	struct row_bucket *bucket = row->bucket;
	struct portsock_table *table = row->table;
	u32 surplus = 0;
	bool goes;

	raw_spin_lock(&bucket->lock);
	if (share->requests)
		rb_erase(&share->listen, &row->listeners);
	row->shares--;
	if (row->ephemeral)
		goes = __ephemeral_leave(row, share);
	else
		goes = __service_leave(row, share, &surplus);
	if (goes)
		__portsock_row_free(row);
	raw_spin_unlock(&bucket->lock);
	share->row = NULL;
	share->requests = NULL;
	if (surplus)
		portsock_idle_fold(table, surplus);
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
	portsock_row_buckets = kvmalloc_array(1UL << bits, sizeof(*portsock_row_buckets), GFP_KERNEL);
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
