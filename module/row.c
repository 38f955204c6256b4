// SPDX-License-Identifier: GPL-2.0
/*
 * A row comes with the first share of its port, changes its class, and goes.
 */
#include "row.h"

#include <linux/err.h>
#include <linux/string.h>

#include "area.h"
#include "pool.h"
#include "queues.h"

static void counts_move(struct portsock_counts *counts,
			const struct portsock_share *from,
			const struct portsock_share *to)
{
	counts_sub(counts, from->state, from->ipv6);
	counts_add(counts, to->state, to->ipv6);
	counts->came[from->how]--;
	counts->came[to->how]++;
}

/**
 * __portsock_row_counts() - the numbers of a row
 * @row: its bucket is locked by the caller; what is in cells of a busy one is
 *	left out
 * @counts: receives them
 */
void __portsock_row_counts(const struct portsock_row *row,
			   struct portsock_counts *counts)
{
	const struct portsock_share *only = row->only;

	if (!row->single) {
		*counts = row->body->numbers.counts;
		return;
	}
	memset(counts, 0, sizeof(*counts));
	counts_add(counts, only->state, only->ipv6);
	if (row->opened)
		counts->peak = 1;
	counts->came[only->how] = row->opened;
}

/*
 * Numbers of its own for a row that has more than one share, or is to be a
 * service. Caller holds the bucket's lock. Returns false without memory.
 */
static bool __row_embody(struct portsock_row *row)
{
	struct portsock_counts counts;

	if (!row->single)
		return true;
	__portsock_row_counts(row, &counts);
	if (!__row_body_new(row))
		return false;
	row->body->numbers.counts = counts;
	return true;
}

/*
 * An ephemeral port is listened on or asked for by number: its row becomes a
 * service. Its sockets leave the gauges of the ephemeral total, which keeps
 * what it has counted, and count as opened in the row, whose counters begin
 * at 0. Caller holds the lock of the row's bucket. Returns false without memory.
 */
static bool __row_promote(struct portsock_row *row)
{
	struct portsock_table *table = row->table;
	struct portsock_total *total = row_total(row);
	struct portsock_numbers *numbers;
	struct portsock_counts *counts;

	if (!__row_embody(row))
		return false;
	counts = &row->body->numbers.counts;
	row->body->numbers.depth = portsock_depth_new();
	raw_lock(&table->lock);
	numbers = total_lock(total);
	counts_sub_gauges(&numbers->counts, counts);
	numbers->counts.ports--;
	total_gone(total, numbers, CELLS_SOCKETS, counts->sockets);
	total_unlock(total, numbers);
	WRITE_ONCE(row->kind, ROW_SERVICE);
	__portsock_row_link(row);
	raw_unlock(&table->lock);
	memset(counts->came, 0, sizeof(counts->came));
	counts->came[PORTSOCK_BOUND] = counts->sockets;
	counts->peak = counts->sockets;
	idle_begin(&row->body->idle);
	return true;
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

static void depth_dropped(struct portsock_depth *depth, const void *drops)
{
	depth->drops += *(const u32 *)drops;
}

/*
 * What a socket has dropped on a port that it leaves. Caller holds the row's
 * bucket lock.
 */
static void __row_dropped(struct portsock_row *row, u32 drops)
{
	if (unlikely(drops))
		__row_depth_change(row, depth_dropped, &drops);
}

/* Caller holds the row's bucket lock. */
static void __row_owned(struct portsock_row *row,
			const struct portsock_holding *h)
{
	if (h->owner.tgid && !row_is_ephemeral(row) && row->body->numbers.depth)
		row->body->numbers.depth->by = h->owner;
}

/* Who has the lock of a cell looks at the tree as well. */
static void __queues_lock(struct portsock_row *row)
{
	if (unlikely(row_is_busy(row)))
		portsock_cells_lock_all(row->body->cells);
}

static void __queues_unlock(struct portsock_row *row)
{
	if (unlikely(row_is_busy(row)))
		portsock_cells_unlock_all(row->body->cells);
}

/* The place of what it has in the tree is that of a connection then. */
static void __share_unqueue(struct portsock_share *share)
{
	struct portsock_row *row = share->row;
	u32 drops;

	__queues_lock(row);
	drops = __portsock_queues_del(&row->queues, share);
	__queues_unlock(row);
	__row_dropped(row, drops);
	if (share->proto == PORTSOCK_TCP)
		share->conn = (struct portsock_conn){ };
}

/* Caller holds the row's bucket lock. */
static void __share_queue(struct portsock_share *share, bool queued)
{
	struct portsock_row *row = share->row;

	if (share->queues && !queued) {
		__queues_lock(row);
		__portsock_queues_add(&row->queues, share);
		__queues_unlock(row);
	} else if (!share->queues && queued) {
		__share_unqueue(share);
	}
}

/*
 * The first share of an ephemeral port. From when the port is counted it keeps
 * the table; until then the lock keeps it from being freed, see
 * portsock_table_die(). Returns 0 or an error.
 */
static int __ephemeral_begin(struct portsock_row *row,
			     struct portsock_share *share)
{
	struct portsock_total *total = row_total(row);
	bool dead;

	row->only = share;
	row->opened = share->state != TCP_TIME_WAIT;
	if (unlikely(!total_lock_one_come(&row->table->totals, share->proto,
					  total)))
		return portsock_row_cell_begin(row, share);
	dead = READ_ONCE(row->table->dead);
	if (likely(!dead))
		numbers_begin(&total->numbers, share);
	raw_unlock_some(&total->lock);
	return unlikely(dead) ? -ESHUTDOWN : 0;
}

/* The same of a service or of class remote. */
static int __service_begin(struct portsock_row *row,
			   const struct portsock_share *share)
{
	struct portsock_table *table = row->table;
	struct portsock_body *body = __row_body_new(row);
	int err = 0;

	if (!body)
		return -ENOMEM;
	row->kind = ROW_SERVICE;
	if (key_is_deep(row->key))
		body->numbers.depth = portsock_depth_new();
	if (share)
		counts_open(&body->numbers.counts, share, row_how(share, row->key));
	idle_begin(&body->idle);
	raw_lock(&table->lock);
	if (unlikely(table->dead))
		err = -ESHUTDOWN;
	else
		__portsock_row_link(row);
	raw_unlock(&table->lock);
	return err;
}

/*
 * The first share of a port, or NULL: nothing contributes yet. Caller holds the
 * bucket's lock.
 * Returns the row, or an error if memory is short or the namespace is going.
 */
static struct portsock_row *__row_begin(struct row_bucket *bucket,
					struct portsock_table *table, u32 key,
					struct portsock_share *share,
					bool service)
{
	struct portsock_row *row = portsock_row_new(bucket, table, key);
	int err;

	if (!row)
		return ERR_PTR(-ENOMEM);
	err = service ? __service_begin(row, share) :
			__ephemeral_begin(row, share);
	if (unlikely(err)) {
		portsock_row_cancel(row);
		return ERR_PTR(err);
	}
	hlist_add_head(&row->node, &bucket->rows);
	if (row_is_ephemeral(row))
		area_enter(table, key);
	return row;
}

/* One more share of an ephemeral port. Caller holds the bucket's lock. */
static int __ephemeral_join(struct portsock_row *row,
			    const struct portsock_share *share, bool service)
{
	struct portsock_total *total = row_total(row);
	struct portsock_numbers *numbers;

	if (!(service ? __row_promote(row) : __row_embody(row)))
		return -ENOMEM;
	counts_open(&row->body->numbers.counts, share, share->how);
	if (!service) {
		numbers = total_lock_open(total, share->state);
		counts_open(&numbers->counts, share, share->how);
		total_unlock(total, numbers);
	}
	return 0;
}

/**
 * __portsock_row_wake() - a row is not idle any more
 * @row: idle; its bucket is locked by the caller
 */
void __portsock_row_wake(struct portsock_row *row)
{
	struct portsock_table *table = row->table;
	struct portsock_idle *idle = &row->body->idle;

	raw_lock(&table->lock);
	__idle_del(idle, table, key_is_remote(row->key));
	raw_unlock(&table->lock);
	idle_wake(idle);
}

/**
 * __portsock_row_added() - a socket in which something waits contributes, or it
 * is known whose it is
 * @share: of the socket; its bucket is locked by the caller
 * @h: what it holds
 */
void __portsock_row_added(struct portsock_share *share,
			  const struct portsock_holding *h)
{
	__share_queue(share, false);
	__row_owned(share->row, h);
}

/**
 * __portsock_row_join() - the first share of a port, or one more of an ephemeral
 * one
 * @row: of the port; NULL if there is none
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
__portsock_row_join(struct portsock_row *row, struct row_bucket *bucket,
		    struct portsock_table *table, u32 key,
		    struct portsock_share *share, bool service)
{
	int err;

	if (!row) {
		row = __row_begin(bucket, table, key, share, service);
		if (IS_ERR(row))
			return row;
	} else {
		err = __ephemeral_join(row, share, service);
		if (err)
			return ERR_PTR(err);
	}
	row->shares++;
	return row;
}

/* Caller holds the row's bucket lock. */
static void __ephemeral_update(struct portsock_row *row,
			       const struct portsock_share *old,
			       const struct portsock_share *share,
			       const struct portsock_holding *h)
{
	struct portsock_total *total = row_total(row);
	struct portsock_numbers *numbers;

	if (!row->single)
		counts_move(&row->body->numbers.counts, old, share);
	numbers = share_comes(old, share->state) ?
			  total_lock_come(total, CELLS_SOCKETS) :
			  total_lock(total);
	counts_move(&numbers->counts, old, share);
	total_gone(total, numbers, CELLS_SOCKETS,
		   share_goes(old, share->state));
	if (h->end)
		depth_end(depth_of(&numbers->depth), &old->conn, h->end);
	total_unlock(total, numbers);
	__row_born(row, h->birth);
}

/* The same of a service, or of its cells; these are locked. */
static void numbers_update(const struct portsock_row *row,
			   struct portsock_numbers *numbers,
			   const struct portsock_share *old,
			   const struct portsock_share *share,
			   const struct portsock_holding *h)
{
	counts_move(&numbers->counts, old, share);
	if (h->end)
		depth_end(numbers->depth, &old->conn, h->end);
	/* a child of Fast Open, which was there before */
	if (old->state == TCP_SYN_RECV)
		__row_accepted(row, numbers->depth);
	numbers_born(numbers, h->birth);
}

/* Caller holds the row's bucket lock. */
static void __service_update(struct portsock_row *row,
			     const struct portsock_share *old,
			     const struct portsock_share *share,
			     const struct portsock_holding *h)
{
	struct portsock_numbers *numbers;

	numbers = __row_numbers(row, share_comes(old, share->state));
	numbers_update(row, numbers, old, share, h);
	__row_numbers_done(row, numbers, share_goes(old, share->state));
	if (share->state == TCP_LISTEN)
		__row_owned(row, h);
}

/* The row of a share that does not queue has cells; one of them is locked. */
static void cell_update(struct portsock_numbers *cell,
			struct portsock_share *share,
			const struct portsock_holding *h)
{
	struct portsock_row *row = share->row;
	struct portsock_share old = *share;

	share_set(share, h);
	numbers_update(row, cell, &old, share, h);
	row_gone(row, cell, share_goes(&old, share->state));
	row_unlock(row, cell);
}

/* Caller holds the row's bucket lock. */
static int __row_update(struct portsock_share *share,
			const struct portsock_holding *h)
{
	struct portsock_row *row = share->row;
	struct portsock_share old = *share;
	int err = 0;

	if (row->kind == ROW_EPHEMERAL && h->service && !__row_promote(row))
		err = -ENOMEM;
	share_set(share, h);
	if (share->queues != old.queues)
		__share_queue(share, old.queues);
	if (row->kind == ROW_EPHEMERAL)
		__ephemeral_update(row, &old, share, h);
	else
		__service_update(row, &old, share, h);
	return err;
}

/**
 * portsock_row_update() - a share changes, but not its row
 * @share: contributes to a row
 * @h: what it is to say
 *
 * Context: any but NMI, interrupts off.
 * Return: 0, or -ENOMEM if the row should have become one of a service, and did
 * not.
 */
int portsock_row_update(struct portsock_share *share,
			const struct portsock_holding *h)
{
	struct portsock_row *row = share->row;
	struct portsock_numbers *cell = NULL;
	int err;

	if (share->queues || h->queues || h->state == TCP_LISTEN)
		raw_lock_some(&row->bucket->lock);
	else
		cell = row_lock(row, share_comes(share, h->state));
	if (unlikely(cell)) {
		cell_update(cell, share, h);
		return 0;
	}
	err = __row_update(share, h);
	raw_unlock_some(&row->bucket->lock);
	return err;
}

/*
 * The key of a row to fold when the table has more idle ones, of the class of
 * @key, than it may keep, or 0, which is no row's. Caller holds the table's lock.
 */
static u32 __surplus_key(struct portsock_table *table, u32 key)
{
	bool remote = key_is_remote(key);
	const struct portsock_idle *idle;

	if (likely(!__idle_many(table, remote)))
		return 0;
	idle = __portsock_idle_first(table, remote);
	return container_of(idle, struct portsock_body, idle)->row->key;
}

/*
 * A port whose row is folded twice counts twice in the total's ports. The first
 * row of a protocol leaves its body to the total. Caller holds the locks of the
 * row's bucket and of its table.
 */
static void __service_fold(struct portsock_row *row)
{
	struct portsock_body **sum = &row->table->folded[key_proto(row->key)];
	struct portsock_body *body = row->body;
	int how;

	if (!*sum) {
		*sum = body;
		gauges_clear(&body->numbers.counts);
		body->folded = 1;
		row->single = true;
		return;
	}
	(*sum)->folded++;
	for (how = 0; how < PORTSOCK_HOW_NR; how++)
		(*sum)->numbers.counts.came[how] += body->numbers.counts.came[how];
	(*sum)->numbers.counts.peak = max((*sum)->numbers.counts.peak, body->numbers.counts.peak);
	portsock_depth_fold(&(*sum)->numbers.depth, &body->numbers.depth);
}

/* Caller holds the locks of the row's bucket and of its table. */
static void __remote_fold(struct portsock_row *row)
{
	struct portsock_past *past = &row->table->past[key_proto(row->key)];

	past->connected += portsock_opened(&row->body->numbers.counts);
	portsock_depth_fold(&past->depth, &row->body->numbers.depth);
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
		__portsock_row_unlink(row);
		if (key_is_remote(key))
			__remote_fold(row);
		else
			__service_fold(row);
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

/**
 * __portsock_row_over() - a row of class service or remote has no share
 * @row: the caller holds the lock of its bucket, and does no more afterwards
 *
 * It stays, see PORTSOCK_IDLE_FIRST, unless its namespace is gone.
 *
 * Context: any but NMI, interrupts off.
 */
void __portsock_row_over(struct portsock_row *row)
	__releases(&row->bucket->lock)
{
	struct row_bucket *bucket = row->bucket;
	struct portsock_table *table = row->table;
	u32 surplus = 0;

	raw_lock(&table->lock);
	if (unlikely(table->dead)) {
		__portsock_row_unlink(row);
		raw_unlock(&table->lock);
		__portsock_row_free(row);
	} else {
		__idle_add(&row->body->idle, table, key_is_remote(row->key));
		surplus = __surplus_key(table, row->key);
		raw_unlock(&table->lock);
	}
	raw_unlock(&bucket->lock);
	if (unlikely(surplus))
		rows_fold(table, surplus);
}

/**
 * portsock_row_unqueue() - readers of a row are not to look at a socket any more
 * @share: of the socket; queued
 *
 * Context: any but NMI, interrupts off.
 */
void portsock_row_unqueue(struct portsock_share *share)
{
	struct row_bucket *bucket = share->row->bucket;

	raw_lock(&bucket->lock);
	__share_unqueue(share);
	raw_unlock(&bucket->lock);
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
	bool begun;

	raw_lock(&bucket->lock);
	row = __row_find(bucket, table, key);
	begun = !row;
	if (begun)
		row = __row_begin(bucket, table, key, NULL, true);
	if (!IS_ERR(row) && row->body->numbers.depth)
		row->body->numbers.depth->ends[PORTSOCK_NO_PORT]++;
	if (begun && !IS_ERR(row))
		__portsock_row_over(row);
	else
		raw_unlock(&bucket->lock);
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

/**
 * portsock_row_use() - a process is sent a socket
 * @row: of the socket
 * @now: microseconds of the monotonic clock
 * @user: the process
 *
 * Context: any but NMI, interrupts off.
 */
void portsock_row_use(struct portsock_row *row, u64 now,
		      const struct portsock_owner *user)
{
	struct portsock_depth *depth;

	raw_lock(&row->bucket->lock);
	depth = row_is_ephemeral(row) ? NULL : row->body->numbers.depth;
	if (depth && user->tgid) {
		depth->user = *user;
		depth->used = now;
	}
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
	for (key = 0; portsock_rows_next(table, &key); key++) {
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
