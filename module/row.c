// SPDX-License-Identifier: GPL-2.0
/*
 * A row comes with the first share of its port, changes its class, and goes.
 */
#include "row.h"

#include <linux/err.h>
#include <linux/string.h>

#include "pool.h"
#include "queues.h"

static void counts_open(struct portsock_counts *counts,
			const struct portsock_share *share, u8 how)
{
	counts_add(counts, share->state, share->ipv6);
	if (share->state != TCP_TIME_WAIT)
		counts->came[how]++;
}

/* How a socket came to contribute to a row. */
static u8 how_of(const struct portsock_share *share, u32 key)
{
	return key_is_remote(key) ? PORTSOCK_CONNECTED : share->how;
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
 * An ephemeral port is listened on or asked for by number: its row becomes a
 * service. Its sockets leave the gauges of the ephemeral total, which keeps
 * what it has counted, and count as opened in the row, whose counters begin
 * at 0. Caller holds the locks of the row's bucket and of the table.
 */
static void __row_promote(struct portsock_row *row)
{
	row->depth = portsock_depth_new();
	counts_sub_gauges(&row_total(row)->counts, &row->counts);
	memset(row->counts.came, 0, sizeof(row->counts.came));
	row->counts.came[PORTSOCK_BOUND] = row->counts.sockets;
	row->counts.peak = row->counts.sockets;
	__portsock_row_relink(row);
	idle_begin(&row->idle);
}

static void share_set(struct portsock_share *share,
		      const struct portsock_holding *h)
{
	share->state = h->state;
	share->ipv6 = h->ipv6;
	share->queues = h->queues;
	if (share->how == PORTSOCK_BOUND)
		share->how = h->how;
	if (h->birth && h->birth->since)
		conn_begin(&share->conn, h->birth);
	if (h->end)
		share->conn = (struct portsock_conn){ };
}

/*
 * What a socket has dropped on a port that it leaves. Caller holds the row's
 * bucket lock.
 */
static void __row_dropped(struct portsock_row *row, u32 drops)
{
	struct portsock_table *table = row->table;
	struct portsock_depth *depth;

	if (likely(!drops))
		return;
	if (row->ephemeral) {
		raw_lock(&table->lock);
		depth = depth_of(&row_total(row)->depth);
		if (depth)
			depth->drops += drops;
		raw_unlock(&table->lock);
	} else if (row->depth) {
		row->depth->drops += drops;
	}
}

/* Caller holds the row's bucket lock. */
static void __row_owned(struct portsock_row *row,
			const struct portsock_holding *h)
{
	if (h->owner.tgid && row->depth)
		row->depth->by = h->owner;
}

/* Caller holds the locks of the row's bucket, and of its table if ephemeral. */
static struct portsock_depth *__row_depth(struct portsock_row *row)
{
	return row->ephemeral ? depth_of(&row_total(row)->depth) : row->depth;
}

/* A change of what is known of a row, or of the total of an ephemeral one. */
typedef void depth_change(struct portsock_depth *depth, const void *by);

/* Caller holds the lock of the row's bucket. */
static __always_inline void __row_depth_change(struct portsock_row *row,
					       depth_change *change,
					       const void *by)
{
	struct portsock_table *table = row->table;
	struct portsock_depth *depth;

	if (row->ephemeral) {
		raw_lock(&table->lock);
		depth = __row_depth(row);
		if (depth)
			change(depth, by);
		raw_unlock(&table->lock);
	} else if (row->depth) {
		change(row->depth, by);
	}
}

static __always_inline void row_depth_change(struct portsock_row *row,
					     depth_change *change,
					     const void *by)
{
	raw_lock(&row->bucket->lock);
	__row_depth_change(row, change, by);
	raw_unlock(&row->bucket->lock);
}

/* The place of what it has in the tree is that of a connection then. */
static void __share_unqueue(struct portsock_share *share)
{
	struct portsock_row *row = share->row;

	__row_dropped(row, __portsock_queues_del(&row->queues, share));
	if (share->proto == PORTSOCK_TCP)
		share->conn = (struct portsock_conn){ };
}

/* Caller holds the row's bucket lock. */
static void __share_queue(struct portsock_share *share, bool queued)
{
	struct portsock_row *row = share->row;

	if (share->queues && !queued)
		__portsock_queues_add(&row->queues, share);
	else if (!share->queues && queued)
		__share_unqueue(share);
}

/*
 * A connection came, which the kernel has put into the queue of its listener
 * before. Nobody tells which one: the only one, as a rule. Caller holds the row's
 * bucket lock.
 */
static void __row_accepted(struct portsock_row *row)
{
	const struct rb_node *node = row->queues.rb_node;
	u32 backlog;

	if (!node || !row->depth)
		return;
	backlog = portsock_queue_backlog(rb_entry(node, struct portsock_share,
						  queue)->sk);
	if (row->depth->backlog_peak < backlog)
		row->depth->backlog_peak = backlog;
}

/*
 * The first share of a port, or NULL: nothing contributes yet. Caller holds the
 * bucket's lock.
 * Returns the row, or an error if memory is short or the namespace is going.
 */
static struct portsock_row *__row_begin(struct row_bucket *bucket,
					struct portsock_table *table, u32 key,
					const struct portsock_share *share,
					bool service)
{
	struct portsock_row *row;

	row = portsock_row_new(bucket, table, key, !service);
	if (!row)
		return ERR_PTR(-ENOMEM);
	if (share)
		counts_open(&row->counts, share, how_of(share, key));
	if (service)
		idle_begin(&row->idle);
	raw_lock(&table->lock);
	if (unlikely(table->dead)) {
		raw_unlock(&table->lock);
		portsock_row_cancel(row);
		return ERR_PTR(-ESHUTDOWN);
	}
	__portsock_row_link(row);
	if (!service)
		counts_open(&row_total(row)->counts, share, share->how);
	raw_unlock(&table->lock);
	hlist_add_head(&row->node, &bucket->rows);
	return row;
}

/* One more share of a port. Caller holds the bucket's lock. */
static void __row_join(struct portsock_row *row,
		       const struct portsock_share *share, bool service)
{
	struct portsock_table *table = row->table;

	if (row->ephemeral) {
		raw_lock(&table->lock);
		if (service)
			__row_promote(row);
		else
			counts_open(&row_total(row)->counts, share, share->how);
		counts_open(&row->counts, share, share->how);
		raw_unlock(&table->lock);
		return;
	}
	if (!list_empty(&row->idle.node)) {
		raw_lock(&table->lock);
		__portsock_idle_del(&row->idle, table, key_is_remote(row->key));
		raw_unlock(&table->lock);
		idle_wake(&row->idle);
	}
	if (unlikely(!row->depth) && key_is_deep(row->key))
		row->depth = portsock_depth_new();
	counts_open(&row->counts, share, how_of(share, row->key));
	if (share->how == PORTSOCK_ACCEPTED)
		__row_accepted(row);
}

static void depth_born(struct portsock_depth *depth, const void *birth)
{
	const struct portsock_birth *b = birth;

	samples_add(&depth->handshakes, b->handshake);
}

/* A connection, or what may be one. Caller holds the row's bucket lock. */
static void __row_born(struct portsock_row *row,
		       const struct portsock_birth *birth)
{
	if (birth && birth->handshake)
		__row_depth_change(row, depth_born, birth);
}

/**
 * __portsock_row_join() - one more share of a port, or the first one
 * @bucket: of the row; the caller holds its lock
 * @table: of the row
 * @key: its key
 * @share: contributes to it from now on
 * @service: it makes the row one of a service, or the row is of class remote
 *
 * Context: any but NMI, interrupts off; RCU read side (for @table).
 * Return: the row, or an error: -ENOMEM, or -ESHUTDOWN when the namespace goes
 * and there is no row.
 */
struct portsock_row *
__portsock_row_join(struct row_bucket *bucket, struct portsock_table *table,
		    u32 key, const struct portsock_share *share, bool service)
{
	struct portsock_row *row = __row_find(bucket, table, key);

	if (row)
		__row_join(row, share, service);
	else
		row = __row_begin(bucket, table, key, share, service);
	if (!IS_ERR(row))
		row->shares++;
	return row;
}

/**
 * portsock_row_add() - a share contributes to the row of a port
 * @share: contributes nothing yet
 * @h: the port
 *
 * Context: any but NMI, interrupts off; RCU read side (for @h->table).
 * Return: 0, -ENOMEM, or -ESHUTDOWN when the namespace goes and
 * there is no row.
 */
int portsock_row_add(struct portsock_share *share,
		     const struct portsock_holding *h)
{
	struct portsock_table *table = h->table;
	u32 key = key_of(h->proto, h->port);
	struct row_bucket *bucket = row_bucket(table, key);
	struct portsock_row *row;

	raw_lock(&bucket->lock);
	row = __portsock_row_join(bucket, table, key, share, h->service);
	if (!IS_ERR(row)) {
		share->table = table;
		share->row = row;
		__share_queue(share, false);
		__row_owned(row, h);
		__row_born(row, h->birth);
	}
	raw_unlock(&bucket->lock);
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

	raw_lock(&row->bucket->lock);
	share_set(share, h);
	if (share->queues != old.queues)
		__share_queue(share, old.queues);
	if (row->ephemeral) {
		raw_lock(&row->table->lock);
		if (h->service)
			__row_promote(row);
		else
			counts_move(&row_total(row)->counts, &old, share);
		counts_move(&row->counts, &old, share);
		if (h->end)
			portsock_depth_end(__row_depth(row), &old.conn, h->end);
		raw_unlock(&row->table->lock);
	} else {
		counts_move(&row->counts, &old, share);
		if (h->end)
			portsock_depth_end(row->depth, &old.conn, h->end);
		/* a child of Fast Open, which was there before */
		if (old.state == TCP_SYN_RECV)
			__row_accepted(row);
	}
	if (h->state == TCP_LISTEN)
		__row_owned(row, h);
	__row_born(row, h->birth);
	raw_unlock(&row->bucket->lock);
}

/* Returns false if the row is not ephemeral, or is promoted meanwhile. */
static bool ephemeral_step(struct portsock_row *row, u8 from, u8 to,
			   u32 handshake)
{
	struct portsock_depth *depth;
	bool ephemeral;

	if (!READ_ONCE(row->ephemeral))
		return false;
	raw_lock(&row->table->lock);
	ephemeral = row->ephemeral;
	if (ephemeral) {
		counts_step(&row->counts, from, to);
		counts_step(&row_total(row)->counts, from, to);
		depth = handshake ? depth_of(&row_total(row)->depth) : NULL;
		if (depth)
			samples_add(&depth->handshakes, handshake);
	}
	raw_unlock(&row->table->lock);
	return ephemeral;
}

/**
 * portsock_row_step() - a full socket changes its state, and nothing else
 * @row: that it contributes to
 * @from: kernel state number
 * @to: kernel state number
 * @handshake: how long it waited for the first answer, in microseconds; or 0
 *
 * Context: any but NMI, interrupts off.
 */
void portsock_row_step(struct portsock_row *row, u8 from, u8 to, u32 handshake)
{
	if (ephemeral_step(row, from, to, handshake))
		return;
	raw_lock(&row->bucket->lock);
	counts_step(&row->counts, from, to);
	if (row->depth)
		samples_add(&row->depth->handshakes, handshake);
	raw_unlock(&row->bucket->lock);
}

/*
 * The key of a row to fold when the table has more idle ones, of the class of
 * @key, than it may keep, or 0, which is no row's. Caller holds the table's lock.
 */
static u32 __surplus_key(struct portsock_table *table, u32 key)
{
	const struct portsock_idle *idle =
		__portsock_idle_surplus(table, key_is_remote(key));

	return idle ? container_of(idle, struct portsock_row, idle)->key : 0;
}

/*
 * A port whose row is folded twice counts twice in the total's ports. Caller
 * holds the locks of the row's bucket and of its table.
 */
static void __service_fold(struct portsock_row *row)
{
	struct portsock_total *total = &row->table->folded[key_proto(row->key)];
	int how;

	for (how = 0; how < PORTSOCK_HOW_NR; how++)
		total->counts.came[how] += row->counts.came[how];
	total->counts.peak = max(total->counts.peak, row->counts.peak);
	portsock_depth_fold(&total->depth, &row->depth);
	total->ports++;
}

/* Caller holds the locks of the row's bucket and of its table. */
static void __remote_fold(struct portsock_row *row)
{
	struct portsock_past *past = &row->table->past[key_proto(row->key)];

	past->connected += portsock_opened(&row->counts);
	portsock_depth_fold(&past->depth, &row->depth);
}

/*
 * Adds an idle row to what rows of its class and protocol had counted, unless it
 * has a socket again.
 */
static void row_fold(struct portsock_table *table, u32 key)
{
	struct row_bucket *bucket = row_bucket(table, key);
	struct portsock_row *row;

	raw_lock(&bucket->lock);
	row = __row_find(bucket, table, key);
	if (row && !row->shares) {
		raw_lock(&table->lock);
		if (key_is_remote(key))
			__remote_fold(row);
		else
			__service_fold(row);
		__portsock_row_unlink(row);
		raw_unlock(&table->lock);
		__portsock_row_free(row);
	}
	raw_unlock(&bucket->lock);
}

/*
 * Folds a row, and one more if there still are too many: the number that a
 * namespace may keep can have become smaller.
 */
static noinline void rows_fold(struct portsock_table *table, u32 key)
{
	row_fold(table, key);
	raw_lock(&table->lock);
	key = __surplus_key(table, key);
	raw_unlock(&table->lock);
	if (key)
		row_fold(table, key);
}

/*
 * An ephemeral row goes with its last share; the total keeps what it has
 * counted. Returns true if it was unlinked. Caller holds the bucket's lock.
 */
static bool __ephemeral_leave(struct portsock_row *row,
			      const struct portsock_share *share,
			      const struct portsock_end *end)
{
	struct portsock_table *table = row->table;
	bool goes = !row->shares;

	raw_lock(&table->lock);
	counts_sub(&row_total(row)->counts, share->state, share->ipv6);
	if (goes)
		__portsock_row_unlink(row);
	else
		counts_sub(&row->counts, share->state, share->ipv6);
	if (end)
		portsock_depth_end(depth_of(&row_total(row)->depth),
				   &share->conn, end);
	raw_unlock(&table->lock);
	return goes;
}

/*
 * A row has no share. Returns true if it was unlinked, as its namespace is gone;
 * @surplus is the key of a row to fold, or 0. Caller holds the bucket's lock.
 */
static bool __row_rest(struct portsock_row *row, u32 *surplus)
{
	struct portsock_table *table = row->table;
	bool goes;

	raw_lock(&table->lock);
	goes = table->dead;
	if (goes) {
		__portsock_row_unlink(row);
	} else {
		__portsock_idle_add(&row->idle, table, key_is_remote(row->key));
		*surplus = __surplus_key(table, row->key);
	}
	raw_unlock(&table->lock);
	return goes;
}

/*
 * A row of class service or remote stays, see PORTSOCK_IDLE_FIRST, unless its
 * namespace is gone. Returns as above. Caller holds the bucket's lock.
 */
static bool __service_leave(struct portsock_row *row,
			    const struct portsock_share *share,
			    const struct portsock_end *end, u32 *surplus)
{
	counts_sub(&row->counts, share->state, share->ipv6);
	if (end)
		portsock_depth_end(row->depth, &share->conn, end);
	return unlikely(!row->shares) && __row_rest(row, surplus);
}

/**
 * portsock_row_leave() - a share contributes to a row no longer
 * @row: one that it contributes to
 * @share: that of a socket; what it says is not changed
 * @end: its connection is over; or NULL
 *
 * Context: any but NMI, interrupts off.
 */
void portsock_row_leave(struct portsock_row *row, struct portsock_share *share,
			const struct portsock_end *end)
{
	struct row_bucket *bucket = row->bucket;
	struct portsock_table *table = row->table;
	u32 surplus = 0;
	bool goes;

	raw_lock(&bucket->lock);
	if (share->queues && row == share->row)
		__share_unqueue(share);
	row->shares--;
	if (row->ephemeral)
		goes = __ephemeral_leave(row, share, end);
	else
		goes = __service_leave(row, share, end, &surplus);
	if (goes)
		__portsock_row_free(row);
	raw_unlock(&bucket->lock);
	if (surplus)
		rows_fold(table, surplus);
}

/**
 * portsock_row_del() - a share contributes to its row no longer
 * @share: contributes to a row
 * @end: its connection is over; or NULL
 *
 * Context: any but NMI, interrupts off.
 */
void portsock_row_del(struct portsock_share *share,
		      const struct portsock_end *end)
{
	portsock_row_leave(share->row, share, end);
	share->row = NULL;
	share->queues = false;
}

/**
 * portsock_row_no_port() - connect() of TCP found no port of its own
 * @table: of the socket's namespace
 * @key: of the row of class remote that it would have contributed to
 *
 * Context: any but NMI, interrupts off; RCU read side (for @table).
 */
void portsock_row_no_port(struct portsock_table *table, u32 key)
{
	struct row_bucket *bucket = row_bucket(table, key);
	struct portsock_row *row;
	bool goes = false;
	u32 surplus = 0;

	raw_lock(&bucket->lock);
	row = __row_find(bucket, table, key);
	if (!row) {
		row = __row_begin(bucket, table, key, NULL, true);
		goes = !IS_ERR(row) && __row_rest(row, &surplus);
	}
	if (!IS_ERR(row) && row->depth)
		row->depth->ends[PORTSOCK_NO_PORT]++;
	if (goes)
		__portsock_row_free(row);
	raw_unlock(&bucket->lock);
	if (surplus)
		rows_fold(table, surplus);
}

static void depth_retrans(struct portsock_depth *depth, const void *segments)
{
	depth->retrans += *(const u32 *)segments;
}

/**
 * portsock_row_retrans() - segments were sent again
 * @row: of the socket that did
 * @segments: how many
 *
 * Context: any but NMI, interrupts off.
 */
void portsock_row_retrans(struct portsock_row *row, u32 segments)
{
	row_depth_change(row, depth_retrans, &segments);
}

static void depth_carried(struct portsock_depth *depth, const void *bytes)
{
	const struct portsock_bytes *more = bytes;

	depth->bytes.rx += more->rx;
	depth->bytes.tx += more->tx;
}

/**
 * portsock_row_carried() - a connection has carried more
 * @row: of the connection
 * @bytes: how much more
 *
 * Context: any but NMI, interrupts off.
 */
void portsock_row_carried(struct portsock_row *row,
			  const struct portsock_bytes *bytes)
{
	row_depth_change(row, depth_carried, bytes);
}

static void depth_accept(struct portsock_depth *depth, const void *accept)
{
	const struct portsock_accept *a = accept;

	if (a->user.tgid)
		depth->user = a->user;
	if (!a->born)
		return;
	depth->accepts++;
	durations_add(&depth->accept_wait, a->waited);
}

/**
 * portsock_row_accept() - accept() hands out a connection
 * @row: of the connection
 * @accept: what is known of that
 *
 * Context: any but NMI, interrupts off.
 */
void portsock_row_accept(struct portsock_row *row,
			 const struct portsock_accept *accept)
{
	row_depth_change(row, depth_accept, accept);
}

/**
 * portsock_row_use() - a process is sent a socket
 * @row: of the socket
 * @user: the process
 *
 * Context: any but NMI, interrupts off.
 */
void portsock_row_use(struct portsock_row *row,
		      const struct portsock_owner *user)
{
	raw_lock(&row->bucket->lock);
	if (user->tgid && row->depth)
		row->depth->user = *user;
	raw_unlock(&row->bucket->lock);
}

/**
 * portsock_rows_kill() - the namespace of a table goes
 * @table: from portsock_table_new(); not looked up by anybody new
 *
 * Rows that still have shares (TIME_WAIT and kernel sockets outlive the
 * namespace for a while) keep the table until their last share is gone.
 *
 * Context: process.
 */
void portsock_rows_kill(struct portsock_table *table)
{
	unsigned long flags;
	u32 key;

	portsock_table_die(table);
	for (key = 0; portsock_rows_next(table, &table->services, &key);
	     key++) {
		struct row_bucket *bucket = row_bucket(table, key);
		struct portsock_row *row;

		raw_lock_irqsave(&bucket->lock, flags);
		row = __row_find(bucket, table, key);
		if (row && !row->shares) {
			raw_lock(&table->lock);
			__portsock_row_unlink(row);
			raw_unlock(&table->lock);
			__portsock_row_free(row);
		}
		raw_unlock_irqrestore(&bucket->lock, flags);
		portsock_pools_settle();
	}
	portsock_table_unpin(table);
}
