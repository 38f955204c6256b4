// SPDX-License-Identifier: GPL-2.0
/*
 * Rows and their arithmetic. Knows nothing of sockets, probes or files.
 *
 * Rows of all namespaces live in one hash whose buckets are locked one by one;
 * a bucket lock protects its chain and the rows in it. A table's own lock,
 * nested inside, orders its rows for readers, sums its ephemeral ones and
 * protects their counters, so that these change together. All locks are raw and
 * are taken with interrupts off, since the callers run in any context but NMI.
 */
#include "table.h"

#include <linux/bits.h>
#include <linux/err.h>
#include <linux/hash.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/timekeeping.h>

#include "pool.h"

/**
 * struct portsock_row - one (network namespace, protocol, port)
 * @node: in its bucket's chain
 * @order: in one of the table's trees; protected by the table's lock
 * @table: the namespace's table, pinned
 * @idle: on one of the table's lists while it is a service row without a share;
 *	changed under both locks
 * @listeners: shares that wait for connections here, by address
 * @bucket: where it hangs
 * @key: protocol and port, see key_of()
 * @shares: sockets and mini-sockets that contribute; a row with any is pinned
 * @ephemeral: in the tree of ephemerals; changed under both locks
 * @used: was held for PORTSOCK_USE_SECONDS at a stretch; of a service row
 * @since: second in which it became idle or ceased to be; of a service row
 * @counts: the numbers; protected by the table's lock while @ephemeral
 *
 * Protected by the lock of @bucket unless said otherwise.
 */
struct portsock_row {
	struct hlist_node node;
	struct rb_node order;
	struct list_head idle;
	struct portsock_table *table;
	struct rb_root listeners;
	struct row_bucket *bucket;
	u32 key;
	u32 shares;
	bool ephemeral;
	bool used;
	u32 since;
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

static struct row_bucket *row_buckets;
static unsigned int row_shift;	/* of the 64 bits of a hash */
static struct portsock_pool row_pool;

/* Idle rows of all namespaces but the first. */
static atomic_t idle_others = ATOMIC_INIT(0);

static u32 key_of(u8 proto, u16 port)
{
	return (u32)proto << 16 | port;
}

static u8 key_proto(u32 key)
{
	return key >> 16;
}

static u16 key_port(u32 key)
{
	return key;
}

static struct row_bucket *row_bucket(const struct portsock_table *table, u32 key)
{
	u64 hash = (unsigned long)table + ((u64)key << 32 | key);

	return &row_buckets[hash * GOLDEN_RATIO_64 >> row_shift];
}

/* Caller holds the bucket's lock. */
static struct portsock_row *__row_find(struct row_bucket *bucket,
				       const struct portsock_table *table,
				       u32 key)
{
	struct portsock_row *row;

	hlist_for_each_entry(row, &bucket->rows, node)
		if (row->key == key && row->table == table)
			return row;
	return NULL;
}

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

static u32 unbound_sockets(s64 sockets)
{
	return sockets;
}

static u32 unbound_ipv6(s64 sockets)
{
	return sockets >> 32;
}

static s64 unbound_one(bool ipv6)
{
	return 1 + ((s64)ipv6 << 32);
}

static bool unbound_any(const struct portsock_table *table)
{
	int proto;

	for (proto = 0; proto < PORTSOCK_PROTO_NR; proto++)
		if (atomic64_read(&table->unbound[proto].sockets))
			return true;
	return false;
}

/*
 * Lets a dead table go that nothing is left of. Whoever takes something from
 * one comes here, with interrupts off or while it is pinned.
 */
static void table_settle(struct portsock_table *table)
{
	bool over;

	raw_spin_lock(&table->lock);
	smp_mb(); /* dead, pins, then unbound; pairs with unbound_add() and _del() */
	over = table->dead && !table->over && !table->pins && !unbound_any(table);
	table->over |= over;
	raw_spin_unlock(&table->lock);
	if (over)
		kfree_rcu(table, rcu);
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

static struct portsock_total *row_total(const struct portsock_row *row)
{
	return &row->table->totals[key_proto(row->key)];
}

/* Caller holds the table's lock. */
static void __row_link(struct portsock_row *row)
{
	__order_insert(row_root(row), row);
	row->table->pins++;
	if (row->ephemeral)
		row_total(row)->ports++;
}

static u32 seconds(void)
{
	return ktime_get_seconds();
}

/* A row that begins to serve. Caller holds the bucket's lock. */
static void __service_begin(struct portsock_row *row)
{
	row->used = false;
	row->since = seconds();
}

/* Caller holds the bucket's lock and the table's lock. */
static void __idle_add(struct portsock_row *row)
{
	struct portsock_table *table = row->table;
	u32 now = seconds();

	row->used |= now - row->since >= PORTSOCK_USE_SECONDS;
	row->since = now;
	list_add_tail(&row->idle, row->used ? &table->used : &table->unused);
	table->idle_nr++;
	if (!table->first)
		atomic_inc(&idle_others);
}

/* Caller holds the table's lock. */
static void __idle_del(struct portsock_row *row)
{
	if (list_empty(&row->idle))
		return;
	list_del_init(&row->idle);
	row->table->idle_nr--;
	if (!row->table->first)
		atomic_dec(&idle_others);
}

/* Caller holds the table's lock. */
static __always_inline void __row_unlink(struct portsock_row *row)
{
	__idle_del(row);
	rb_erase(&row->order, row_root(row));
	row->table->pins--;
	if (row->ephemeral)
		row_total(row)->ports--;
}

/* Caller holds the bucket's lock; the row is not linked any more. */
static __always_inline void __row_free(struct portsock_row *row)
{
	struct portsock_table *table = row->table;

	__hlist_del(&row->node);
	portsock_pool_put(&row_pool, row);
	if (unlikely(table->dead))
		table_settle(table);
}

/*
 * Each may have but a part of what all others leave, so that it takes more than a
 * hundred namespaces to leave a late one with nothing.
 */
static unsigned int idle_max(const struct portsock_table *table)
{
	int left;

	if (table->first)
		return PORTSOCK_IDLE_FIRST;
	left = PORTSOCK_IDLE_OTHERS - atomic_read(&idle_others);
	return clamp(left / PORTSOCK_IDLE_PART, 0, PORTSOCK_IDLE_OTHER);
}

/*
 * The row to go first: one that was used within the hour goes after one that was not,
 * and else the one idle for longest goes. Caller holds the table's lock.
 */
static struct portsock_row *__idle_first(struct portsock_table *table)
{
	struct portsock_row *unused, *used;
	u32 now;

	unused = list_first_entry_or_null(&table->unused, struct portsock_row, idle);
	used = list_first_entry_or_null(&table->used, struct portsock_row, idle);
	if (!used || !unused)
		return used ?: unused;
	now = seconds();
	if (now - used->since < PORTSOCK_USED_SECONDS || now - used->since < now - unused->since)
		return unused;
	return used;
}

/*
 * The key of a row to fold when the table has more idle ones than it may keep, or 0,
 * which is no row's. Caller holds the table's lock.
 */
static u32 __idle_surplus(struct portsock_table *table)
{
	return table->idle_nr > idle_max(table) ? __idle_first(table)->key : 0;
}

/* Times that more was to be taken out of a gauge than was in it. */
static atomic64_t short_gauges = ATOMIC64_INIT(0);

static noinline void gauge_short(void)
{
	WARN_ONCE(IS_ENABLED(CONFIG_DEBUG_NET), "a gauge would have gone below zero\n");
	atomic64_inc(&short_gauges);
}

/* One that was too low stays at zero, which is nearer to the truth than what is below. */
static __always_inline void gauge_sub(u32 *gauge, u32 number)
{
	if (likely(*gauge >= number)) {
		*gauge -= number;
	} else {
		*gauge = 0;
		gauge_short();
	}
}

/**
 * portsock_table_short() - how often a gauge would have gone below zero
 *
 * It was wrong before, then.
 *
 * Context: any.
 * Return: times since the module was loaded.
 */
u64 portsock_table_short(void)
{
	return atomic64_read(&short_gauges);
}

static void gauges_add(struct portsock_counts *counts,
		       const struct portsock_share *share)
{
	counts->state[share->state]++;
	if (share->state == TCP_TIME_WAIT)
		return;
	counts->sockets++;
	counts->ipv6 += share->ipv6;
	if (counts->peak < counts->sockets)
		counts->peak = counts->sockets;
}

static void gauges_del(struct portsock_counts *counts,
		       const struct portsock_share *share)
{
	gauge_sub(&counts->state[share->state], 1);
	if (share->state == TCP_TIME_WAIT)
		return;
	gauge_sub(&counts->sockets, 1);
	gauge_sub(&counts->ipv6, share->ipv6);
}

static void counts_open(struct portsock_counts *counts,
			const struct portsock_share *share)
{
	gauges_add(counts, share);
	if (share->state != TCP_TIME_WAIT)
		counts->came[share->how]++;
}

static void counts_move(struct portsock_counts *counts,
			const struct portsock_share *from,
			const struct portsock_share *to)
{
	gauges_del(counts, from);
	gauges_add(counts, to);
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
	row->counts.came[PORTSOCK_FOUND] = row->counts.sockets;
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
	if (share->how == PORTSOCK_FOUND)
		share->how = h->how;
}

/* Caller holds the row's bucket lock. */
static void __listeners_add(struct portsock_row *row, struct portsock_share *share)
{
	struct rb_node **link = &row->listeners.rb_node;
	struct rb_node *parent = NULL;

	while (*link) {
		parent = *link;
		if (share < rb_entry(parent, struct portsock_share, listen))
			link = &parent->rb_left;
		else
			link = &parent->rb_right;
	}
	rb_link_node(&share->listen, parent, link);
	rb_insert_color(&share->listen, &row->listeners);
}

/* Caller holds the row's bucket lock. The first one behind that address. */
static const struct portsock_share *__listeners_after(const struct portsock_row *row,
						      unsigned long address)
{
	const struct rb_node *node = row->listeners.rb_node;
	const struct portsock_share *best = NULL;

	while (node) {
		const struct portsock_share *share;

		share = rb_entry(node, struct portsock_share, listen);
		if ((unsigned long)share <= address) {
			node = node->rb_right;
		} else {
			best = share;
			node = node->rb_left;
		}
	}
	return best;
}

/* Caller holds the row's bucket lock. */
static void __share_listen(struct portsock_share *share, bool was)
{
	if (share->requests && !was)
		__listeners_add(share->row, share);
	else if (!share->requests && was)
		rb_erase(&share->listen, &share->row->listeners);
}

/* The sign of either number. */
#define UNBOUND_SIGNS (BIT_ULL(31) | BIT_ULL(63))

/* What was taken and was not there goes back; the lower number had borrowed from the upper one. */
static noinline void unbound_short(struct portsock_unbound *unbound, s64 taken, s64 left)
{
	s64 back = 0;

	if ((s32)left < 0)
		back = unbound_sockets(taken);
	if (left + back < 0)
		back += taken - unbound_sockets(taken);
	atomic64_add(back, &unbound->sockets);
	gauge_short();
}

/* @taken: unbound_one(), or its upper half. A barrier. */
static void unbound_sub(struct portsock_unbound *unbound, s64 taken)
{
	s64 left = atomic64_sub_return(taken, &unbound->sockets);

	if (unlikely(left & UNBOUND_SIGNS))
		unbound_short(unbound, taken, left);
}

static void unbound_del(struct portsock_table *table, u8 proto, bool ipv6)
{
	/* a barrier; pairs with table_settle() */
	unbound_sub(&table->unbound[proto], unbound_one(ipv6));
	if (unlikely(READ_ONCE(table->dead)))
		table_settle(table);
}

static bool table_over(struct portsock_table *table)
{
	bool over;

	raw_spin_lock(&table->lock);
	over = table->over;
	raw_spin_unlock(&table->lock);
	return over;
}

/* Returns false when the table is about to go. */
static bool unbound_add(struct portsock_table *table, u8 proto, bool ipv6)
{
	struct portsock_unbound *unbound = &table->unbound[proto];
	int sockets, peak;

	atomic64_inc(&unbound->opened);
	sockets = unbound_sockets(atomic64_add_return(unbound_one(ipv6), &unbound->sockets));
	peak = atomic_read(&unbound->peak);
	while (unlikely(peak < sockets) &&
	       !atomic_try_cmpxchg(&unbound->peak, &peak, sockets))
		;
	/* atomic64_add_return() is a barrier; pairs with table_settle() */
	return likely(!READ_ONCE(table->dead)) || !table_over(table);
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
		__idle_del(row);
		raw_spin_unlock(&table->lock);
		row->since = seconds();
	}
	counts_open(&row->counts, share);
}

/* @share contributes nothing yet. */
static noinline int row_add(struct portsock_share *share, const struct portsock_holding *h)
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
		__share_listen(share, false);
	}
	raw_spin_unlock(&bucket->lock);
	return PTR_ERR_OR_ZERO(row);
}

/* @share contributes nothing yet. */
static int share_add(struct portsock_share *share, const struct portsock_holding *h)
{
	const atomic_t *requests = h->requests;
	u8 proto = h->proto, state = h->state, how = h->how;
	bool ipv6 = h->ipv6;

	/* all is read by now, so that one move writes the four */
	share->proto = proto;
	share->state = state;
	share->ipv6 = ipv6;
	share->how = how;
	share->requests = requests;
	return row_add(share, h);
}

/* Something changed, but not the row. */
static noinline void share_update(struct portsock_share *share,
				  const struct portsock_holding *h)
{
	struct portsock_row *row = share->row;
	struct portsock_share old = *share;

	raw_spin_lock(&row->bucket->lock);
	share_set(share, h);
	if (share->requests != old.requests)
		__share_listen(share, old.requests);
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

/*
 * An idle service row becomes part of its protocol's folded total, unless it woke.
 * A port that is folded, used and folded again counts twice: each row was one of
 * its own.
 */
static void row_fold(struct portsock_table *table, u32 key)
{
	struct row_bucket *bucket = row_bucket(table, key);
	struct portsock_total *total = &table->folded[key_proto(key)];
	struct portsock_row *row;
	int how;

	raw_spin_lock(&bucket->lock);
	row = __row_find(bucket, table, key);
	if (row && !row->shares) {
		raw_spin_lock(&table->lock);
		for (how = 0; how < PORTSOCK_HOW_NR; how++)
			total->counts.came[how] += row->counts.came[how];
		total->counts.peak = max(total->counts.peak, row->counts.peak);
		total->ports++;
		__row_unlink(row);
		raw_spin_unlock(&table->lock);
		__row_free(row);
	}
	raw_spin_unlock(&bucket->lock);
}

/*
 * An ephemeral row goes with its last share; its counters live on in the
 * total. Returns true when it is unlinked. Caller holds the bucket's lock.
 */
static bool __ephemeral_leave(struct portsock_row *row, const struct portsock_share *share)
{
	struct portsock_table *table = row->table;
	bool over = !row->shares;

	raw_spin_lock(&table->lock);
	gauges_del(&row_total(row)->counts, share);
	if (over)
		__row_unlink(row);
	else
		gauges_del(&row->counts, share);
	raw_spin_unlock(&table->lock);
	return over;
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
	bool over;

	gauges_del(&row->counts, share);
	if (likely(row->shares))
		return false;
	raw_spin_lock(&table->lock);
	over = table->dead;
	if (over) {
		__row_unlink(row);
	} else {
		__idle_add(row);
		*surplus = __idle_surplus(table);
	}
	raw_spin_unlock(&table->lock);
	return over;
}

/*
 * Each row that becomes idle has two go at most, so that a namespace that has more than
 * it may keep by now gets there.
 */
static noinline void rows_fold(struct portsock_table *table, u32 key)
{
	row_fold(table, key);
	raw_spin_lock(&table->lock);
	key = __idle_surplus(table);
	raw_spin_unlock(&table->lock);
	if (key)
		row_fold(table, key);
}

static noinline void row_del(struct portsock_share *share)
{
	struct portsock_row *row = share->row;
	struct row_bucket *bucket = row->bucket;
	struct portsock_table *table = row->table;
	u32 surplus = 0;
	bool over;

	raw_spin_lock(&bucket->lock);
	if (share->requests)
		rb_erase(&share->listen, &row->listeners);
	row->shares--;
	if (row->ephemeral)
		over = __ephemeral_leave(row, share);
	else
		over = __service_leave(row, share, &surplus);
	if (over)
		__row_free(row);
	raw_spin_unlock(&bucket->lock);
	share->row = NULL;
	share->requests = NULL;
	if (surplus)
		rows_fold(table, surplus);
}

static void share_leave(struct portsock_share *share)
{
	if (share->row)
		row_del(share);
	else
		unbound_del(share->table, share->proto, share->ipv6);
	share->table = NULL;
}

/**
 * portsock_share_await() - a call is under way, and nothing will tell what came of it
 * @share: contributes
 *
 * Context: any but NMI, interrupts off.
 */
void portsock_share_await(struct portsock_share *share)
{
	struct portsock_table *table = share->table;

	if (share->awaits)
		return;
	raw_spin_lock(&table->lock);
	share->awaits = true;
	list_add_tail(&share->awaited, &table->awaited);
	table->awaited_nr++;
	raw_spin_unlock(&table->lock);
}

static void share_settle(struct portsock_share *share, struct portsock_table *table)
{
	if (likely(!share->awaits))
		return;
	raw_spin_lock(&table->lock);
	share->awaits = false;
	list_del(&share->awaited);
	table->awaited_nr--;
	raw_spin_unlock(&table->lock);
}

/**
 * portsock_share_settle() - it is known what came of the call
 * @share: contributes
 *
 * Context: any but NMI, interrupts off.
 */
void portsock_share_settle(struct portsock_share *share)
{
	share_settle(share, share->table);
}

/**
 * portsock_share_del() - a socket is no more, or nobody's business
 * @share: contributes, and to nothing afterwards
 *
 * Context: any but NMI, interrupts off.
 */
void portsock_share_del(struct portsock_share *share)
{
	share_settle(share, share->table);
	share_leave(share);
}

static bool unbound_fits(const struct portsock_share *share,
			 const struct portsock_table *table, u8 proto)
{
	return share->table == table && !share->row && share->proto == proto;
}

/**
 * portsock_share_unbound() - let a socket contribute that holds no port
 * @share: contributes as such already, to a row, or nothing
 * @table: of its namespace
 * @proto: protocol
 * @ipv6: the socket is AF_INET6
 *
 * Context: any but NMI, interrupts off; @table is pinned by @share, or the caller
 * is on RCU's read side.
 * Return: 0, or -ESHUTDOWN when the namespace is about to go; @share then
 * contributes nothing.
 */
int portsock_share_unbound(struct portsock_share *share, struct portsock_table *table,
			   u8 proto, bool ipv6)
{
	bool added;

	if (unbound_fits(share, table, proto)) {
		/* it has but a family to change */
		if (unlikely(ipv6 && !share->ipv6))
			atomic64_add(1LL << 32, &table->unbound[proto].sockets);
		else if (unlikely(share->ipv6 && !ipv6))
			unbound_sub(&table->unbound[proto], 1LL << 32);
		share->ipv6 = ipv6;
		return 0;
	}
	/* before the row goes, which may pin the table */
	added = unbound_add(table, proto, ipv6);
	if (share->table)
		share_leave(share);
	if (!added) {
		share_settle(share, table);
		return -ESHUTDOWN;
	}
	share->table = table;
	share->proto = proto;
	share->state = TCP_CLOSE;
	share->ipv6 = ipv6;
	share->how = PORTSOCK_FOUND;
	return 0;
}

static bool share_fits(const struct portsock_share *share,
		       const struct portsock_holding *h)
{
	return share->table == h->table && share->row &&
	       share->row->key == key_of(h->proto, h->port);
}

static bool share_says(const struct portsock_share *share,
		       const struct portsock_holding *h)
{
	return share->state == h->state && share->ipv6 == h->ipv6 &&
	       share->requests == h->requests &&
	       !(h->service && READ_ONCE(share->row->ephemeral));
}

/* The share contributes to the right row; let it say the right thing. */
static void share_say(struct portsock_share *share,
		      const struct portsock_holding *h)
{
	if (!share_says(share, h) ||
	    (share->how == PORTSOCK_FOUND && h->how != PORTSOCK_FOUND))
		share_update(share, h);
}

/**
 * portsock_share_hold() - let a socket contribute to the row of its port
 * @share: contributes to that row, to another, or to none
 * @h: what the socket holds now
 *
 * A row is a service row when anybody who ever contributed to it said so. Port 0
 * means an unbound socket.
 *
 * Context: any but NMI, interrupts off, RCU read side (for @h->table).
 * Return: 0, -ENOMEM without memory for the row, or -ESHUTDOWN when the
 * namespace is going and there is no row; @share then contributes nothing.
 */
int portsock_share_hold(struct portsock_share *share,
			const struct portsock_holding *h)
{
	int err;

	if (!h->port)
		return portsock_share_unbound(share, h->table, h->proto, h->ipv6);
	if (share_fits(share, h)) {
		share_say(share, h);
		return 0;
	}
	if (share->table)
		share_leave(share);
	err = share_add(share, h);
	if (err)
		share_settle(share, h->table);
	return err;
}

static void counts_step(struct portsock_counts *counts, u8 from, u8 to)
{
	gauge_sub(&counts->state[from], 1);
	counts->state[to]++;
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
 * portsock_share_step() - let a socket that keeps its port change its state
 * @share: any share
 * @step: what the socket does, from portsock_step()
 *
 * What portsock_share_hold() does, in the case that is the most frequent.
 *
 * Context: any but NMI, interrupts off.
 * Return: false when this is another case; nothing was done then.
 */
bool portsock_share_step(struct portsock_share *share, u64 step)
{
	struct portsock_row *row = share->row;
	u8 state = step >> 24;

	if (!row || row->key != (step & GENMASK(23, 0)) || share->ipv6 != step >> 32 ||
	    share->requests || share->state == TCP_TIME_WAIT)
		return false;
	if (!ephemeral_step(row, share->state, state)) {
		raw_spin_lock(&row->bucket->lock);
		counts_step(&row->counts, share->state, state);
		raw_spin_unlock(&row->bucket->lock);
	}
	share->state = state;
	return true;
}

/**
 * portsock_share_at() - does a share contribute to a table?
 * @share: any share
 * @table: any table
 *
 * Context: any; the caller serialises calls on @share.
 */
bool portsock_share_at(const struct portsock_share *share,
		       const struct portsock_table *table)
{
	return share->table == table;
}

/**
 * portsock_share_on() - does a share contribute to the row of a port?
 * @share: contributes to some row, or not
 * @proto: transport protocol
 * @port: local port in host order
 *
 * Context: any but NMI; the owner serialises calls.
 */
bool portsock_share_on(const struct portsock_share *share, u8 proto, u16 port)
{
	return share->row && share->row->key == key_of(proto, port);
}

/**
 * portsock_share_in() - does a share contribute to a port of some protocols?
 * @share: any share
 * @protos: bit mask of protocols
 *
 * Context: any; the caller serialises calls on @share.
 * Return: false also when it counts as unbound or contributes nothing.
 */
bool portsock_share_in(const struct portsock_share *share, unsigned long protos)
{
	return share->row && protos & BIT(share->proto);
}

/**
 * portsock_share_equals() - does a share say just what a holding says?
 * @share: any share
 * @h: any holding
 *
 * History (how the socket came by its port) is not compared.
 *
 * Context: any; the caller serialises calls on @share.
 */
bool portsock_share_equals(const struct portsock_share *share,
			   const struct portsock_holding *h)
{
	if (!h->port)
		return unbound_fits(share, h->table, h->proto) && share->ipv6 == h->ipv6;
	return share_fits(share, h) && share_says(share, h);
}

/**
 * portsock_share_tell() - say what a share contributes
 * @share: any share that contributes something
 * @h: receives it, but neither requests nor whether it makes the port a service
 *
 * Context: any; the caller serialises calls on @share.
 */
void portsock_share_tell(const struct portsock_share *share, struct portsock_holding *h)
{
	*h = (struct portsock_holding){
		.table = share->table,
		.port = share->row ? key_port(share->row->key) : 0,
		.proto = share->proto,
		.state = share->state,
		.ipv6 = share->ipv6,
		.how = share->how,
	};
}

/**
 * portsock_table_new() - an empty table for a namespace
 * @first: the namespace is the machine's first, init_net
 *
 * Context: process, may sleep.
 * Return: the table, or NULL without memory. Ends with portsock_table_kill().
 */
struct portsock_table *portsock_table_new(bool first)
{
	struct portsock_table *table = kzalloc(sizeof(*table), GFP_KERNEL);

	if (!table)
		return NULL;
	raw_spin_lock_init(&table->lock);
	table->services = RB_ROOT;
	table->ephemerals = RB_ROOT;
	INIT_LIST_HEAD(&table->unused);
	INIT_LIST_HEAD(&table->used);
	INIT_LIST_HEAD(&table->awaited);
	table->pins = 1;
	table->first = first;
	return table;
}

/* Key of the first row at or after @key; false when there is none. */
static bool order_next(struct portsock_table *table, const struct rb_root *root,
		       u32 *key)
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
 * portsock_table_kill() - the namespace of a table goes
 * @table: from portsock_table_new(); not looked up by anybody new
 *
 * Rows that still have shares (TIME_WAIT and kernel sockets outlive the
 * namespace for a while) keep the table until their last share is gone.
 *
 * Context: process.
 */
void portsock_table_kill(struct portsock_table *table)
{
	unsigned long flags;
	u32 key;

	raw_spin_lock_irqsave(&table->lock, flags);
	table->dead = true;
	raw_spin_unlock_irqrestore(&table->lock, flags);

	for (key = 0; order_next(table, &table->services, &key); key++) {
		struct row_bucket *bucket = row_bucket(table, key);
		struct portsock_row *row;

		raw_spin_lock_irqsave(&bucket->lock, flags);
		row = __row_find(bucket, table, key);
		if (row && !row->shares) {
			raw_spin_lock(&table->lock);
			__row_unlink(row);
			raw_spin_unlock(&table->lock);
			__row_free(row);
		}
		raw_spin_unlock_irqrestore(&bucket->lock, flags);
		portsock_pools_settle();
	}
	local_irq_save(flags);
	raw_spin_lock(&table->lock);
	table->pins--;
	raw_spin_unlock(&table->lock);
	table_settle(table);
	local_irq_restore(flags);
}

/* Copies what is unbound of a protocol; false when nothing ever was. */
static bool unbound_copy(struct portsock_table *table, u8 proto,
			 struct portsock_line *line)
{
	const struct portsock_unbound *unbound = &table->unbound[proto];
	struct portsock_counts *counts = &line->counts;
	s64 sockets = atomic64_read(&unbound->sockets);

	smp_rmb(); /* pairs with unbound_add() */
	*counts = (struct portsock_counts){
		/* may be less for a moment, see unbound_short() */
		.sockets = max_t(s32, unbound_sockets(sockets), 0),
		.ipv6 = max_t(s32, unbound_ipv6(sockets), 0),
		.came[PORTSOCK_FOUND] = atomic64_read(&unbound->opened),
	};
	counts->state[TCP_CLOSE] = counts->sockets;
	/* a socket is counted a moment before the peak is raised */
	counts->peak = max_t(u32, atomic_read(&unbound->peak), counts->sockets);
	line->class = PORTSOCK_UNBOUND;
	line->proto = proto;
	line->port = 0;
	line->requests = 0;
	line->ports = 0;
	return counts->came[PORTSOCK_FOUND];
}

/* Listeners that are asked for their requests before others may have the lock. */
#define LISTENERS_BATCH 32

/*
 * Adds the requests of listeners behind @address. Caller holds the row's bucket
 * lock. Returns the address of the last one, or 0 when there are no more.
 */
static unsigned long __requests_add(const struct portsock_row *row, unsigned long address,
				    u32 *requests)
{
	const struct portsock_share *share = __listeners_after(row, address);
	unsigned int left = LISTENERS_BATCH;

	for (; share && left; left--) {
		const struct rb_node *next = rb_next(&share->listen);

		*requests += atomic_read(share->requests);
		address = (unsigned long)share;
		share = rb_entry_safe(next, struct portsock_share, listen);
	}
	return share ? address : 0;
}

/*
 * Copies the row of @key; false when it went or changed its part meanwhile.
 * Anybody can have a port listened on as often as he likes, and would keep its
 * lock for as long.
 */
static bool row_copy(struct portsock_table *table, u32 key,
		     struct portsock_line *line)
{
	struct row_bucket *bucket = row_bucket(table, key);
	unsigned long flags, address = 0;
	struct portsock_row *row;
	bool found;

	line->requests = 0;
	raw_spin_lock_irqsave(&bucket->lock, flags);
	row = __row_find(bucket, table, key);
	found = row && row->ephemeral == (line->part == PORTSOCK_EPHEMERALS);
	if (found) {
		line->class = row->ephemeral ? PORTSOCK_EPHEMERAL : PORTSOCK_SERVICE;
		line->proto = key_proto(key);
		line->port = key_port(key);
		line->ports = 1;
		raw_spin_lock(&table->lock);
		line->counts = row->counts;
		raw_spin_unlock(&table->lock);
		address = __requests_add(row, 0, &line->requests);
	}
	raw_spin_unlock_irqrestore(&bucket->lock, flags);

	while (address) {
		cond_resched();
		raw_spin_lock_irqsave(&bucket->lock, flags);
		row = __row_find(bucket, table, key);
		address = row ? __requests_add(row, address, &line->requests) : 0;
		raw_spin_unlock_irqrestore(&bucket->lock, flags);
	}
	return found;
}

/* The next row whose key is less than @end. */
static bool row_next(struct portsock_table *table, const struct rb_root *root,
		     struct portsock_cursor *cursor, u32 end,
		     struct portsock_line *line)
{
	u32 key = cursor->key;

	while (order_next(table, root, &key) && key < end) {
		cursor->key = key + 1;
		if (row_copy(table, key++, line))
			return true;
	}
	return false;
}

/* Services, and before those of a protocol its unbound sockets. */
static bool service_next(struct portsock_table *table, struct portsock_cursor *cursor,
			 struct portsock_line *line)
{
	while (cursor->key < key_of(PORTSOCK_PROTO_NR, 0)) {
		u32 key = cursor->key;
		u32 end = key_of(key_proto(key) + 1, 0);

		if (!key_port(key)) {
			cursor->key++;
			if (unbound_copy(table, key_proto(key), line))
				return true;
			continue;
		}
		if (row_next(table, &table->services, cursor, end, line))
			return true;
		cursor->key = end;
	}
	return false;
}

/* Copies a total; false when nothing was ever in it. */
static bool total_copy(struct portsock_table *table, const struct portsock_total *total,
		       struct portsock_line *line)
{
	unsigned long flags;

	line->port = 0;
	line->requests = 0;
	raw_spin_lock_irqsave(&table->lock, flags);
	line->ports = total->ports;
	line->counts = total->counts;
	raw_spin_unlock_irqrestore(&table->lock, flags);
	return line->ports || memchr_inv(&line->counts, 0, sizeof(line->counts));
}

/* Each protocol has two keys: that of its ephemeral total, that of its folded one. */
static bool total_next(struct portsock_table *table,
		       struct portsock_cursor *cursor,
		       struct portsock_line *line)
{
	while (cursor->key < 2 * PORTSOCK_PROTO_NR) {
		const struct portsock_total *total = table->totals;

		line->class = PORTSOCK_EPHEMERAL;
		line->proto = cursor->key / 2;
		if (cursor->key++ % 2) {
			line->class = PORTSOCK_FOLDED;
			total = table->folded;
		}
		if (total_copy(table, &total[line->proto], line))
			return true;
	}
	return false;
}

/**
 * portsock_table_awaited() - the next socket on which a call may be under way
 * @table: any table
 * @sk_of: says whose a share is; called with the table's lock held
 *
 * It becomes the last one: who comes as often as there were any to begin with has
 * met them all.
 *
 * Context: any but NMI.
 * Return: the socket's address, which is not to be followed, or NULL.
 */
const void *portsock_table_awaited(struct portsock_table *table,
				   const void *(*sk_of)(const struct portsock_share *share))
{
	struct portsock_share *share;
	const void *sk = NULL;
	unsigned long flags;

	raw_spin_lock_irqsave(&table->lock, flags);
	share = list_first_entry_or_null(&table->awaited, struct portsock_share, awaited);
	if (share) {
		list_move_tail(&share->awaited, &table->awaited);
		sk = sk_of(share);
	}
	raw_spin_unlock_irqrestore(&table->lock, flags);
	return sk;
}

/**
 * portsock_table_next() - copy the next row of a table
 * @table: any table
 * @cursor: zeroed to begin with; moved behind the row
 * @line: receives the row
 *
 * Each row is consistent in itself; rows that come, go or turn service meanwhile
 * may or may not be met, all others are met once. Costs O(log rows), and what the
 * row's listeners take to be asked, whatever the number of other sockets; a lock is held
 * for a few dozen of them at most.
 *
 * Context: process, may sleep.
 * Return: false when there is no further row.
 */
bool portsock_table_next(struct portsock_table *table,
			 struct portsock_cursor *cursor,
			 struct portsock_line *line)
{
	for (; cursor->part != PORTSOCK_END; cursor->part++, cursor->key = 0) {
		bool found;

		line->part = cursor->part;
		if (cursor->part == PORTSOCK_SERVICES)
			found = service_next(table, cursor, line);
		else if (cursor->part == PORTSOCK_TOTALS)
			found = total_next(table, cursor, line);
		else
			found = row_next(table, &table->ephemerals, cursor,
					 key_of(PORTSOCK_PROTO_NR, 0), line);
		if (found)
			return true;
	}
	return false;
}

/**
 * portsock_table_init() - make room for rows
 * @bits: binary logarithm of the number of hash buckets
 *
 * Context: process, may sleep.
 * Return: 0 or -ENOMEM.
 */
int portsock_table_init(unsigned int bits)
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
	row_buckets = kvmalloc_array(1UL << bits, sizeof(*row_buckets), GFP_KERNEL);
	if (!row_buckets) {
		portsock_pool_exit(&row_pool);
		return -ENOMEM;
	}
	for (i = 0; i < 1UL << bits; i++) {
		raw_spin_lock_init(&row_buckets[i].lock);
		INIT_HLIST_HEAD(&row_buckets[i].rows);
	}
	row_shift = 64 - bits;
	return 0;
}

/**
 * portsock_table_ready() - many rows may be wanted at once
 *
 * Context: process, may sleep.
 */
void portsock_table_ready(void)
{
	portsock_pool_ready(&row_pool);
}

/**
 * portsock_table_exit() - give the room back
 *
 * Every table was killed and every share deleted.
 *
 * Context: process, may sleep.
 */
void portsock_table_exit(void)
{
	kvfree(row_buckets);
	portsock_pool_exit(&row_pool);
}
