/* SPDX-License-Identifier: GPL-2.0 */
/*
 * How shares change their row. What nearly every connection does is inlined.
 */
#ifndef PORTSOCK_ROW_H
#define PORTSOCK_ROW_H

#include <linux/err.h>
#include <linux/types.h>

#include "holding.h"
#include "queue.h"
#include "rows.h"

int portsock_row_update(struct portsock_share *share,
			const struct portsock_holding *h);
void portsock_row_unqueue(struct portsock_share *share);
void portsock_row_retrans(struct portsock_row *row, u32 segments);
void portsock_row_carried(struct portsock_row *row,
			  const struct portsock_bytes *bytes);
void portsock_row_use(struct portsock_row *row,
		      const struct portsock_owner *user);
void portsock_row_no_port(struct portsock_table *table, u32 key);
void portsock_rows_kill(struct portsock_table *table);

void __portsock_row_counts(const struct portsock_row *row,
			   struct portsock_counts *counts);
struct portsock_row *
__portsock_row_join(struct portsock_row *row, struct row_bucket *bucket,
		    struct portsock_table *table, u32 key,
		    const struct portsock_share *share, bool service);
void __portsock_row_wake(struct portsock_row *row);
void __portsock_row_added(struct portsock_share *share,
			  const struct portsock_holding *h);
void __portsock_row_over(struct portsock_row *row)
	__releases(&row->bucket->lock);

/* How a socket came to contribute to a row. */
static inline u8 row_how(const struct portsock_share *share, u32 key)
{
	return key_is_remote(key) ? PORTSOCK_CONNECTED : share->how;
}

static inline void counts_open(struct portsock_counts *counts,
			       const struct portsock_share *share, u8 how)
{
	counts_add(counts, share->state, share->ipv6);
	if (share->state != TCP_TIME_WAIT)
		counts->came[how]++;
}

/*
 * A connection came, which the kernel has put into the queue of its listener
 * before. Nobody tells which one: the only one, as a rule. Caller holds the lock
 * of the row's bucket.
 */
static inline void __row_accepted(struct portsock_row *row)
{
	const struct rb_node *node = row->queues.rb_node;
	struct portsock_depth *depth = row->body->numbers.depth;
	u32 backlog;

	if (!node || !depth)
		return;
	backlog = portsock_queue_backlog(rb_entry(node, struct portsock_share,
						  queue)->sk);
	if (depth->backlog_peak < backlog)
		depth->backlog_peak = backlog;
}

/*
 * Of the total, if the row is ephemeral. Caller holds the lock of the row's
 * bucket.
 */
static __always_inline void __row_depth_change(struct portsock_row *row,
					       depth_change *change,
					       const void *by)
{
	if (row->ephemeral)
		total_depth_change(row_total(row), change, by);
	else if (row->body->numbers.depth)
		change(row->body->numbers.depth, by);
}

static inline void depth_born(struct portsock_depth *depth, const void *birth)
{
	const struct portsock_birth *b = birth;

	samples_add(&depth->handshakes, b->handshake);
}

/* A connection, or what may be one. Caller holds the lock of the row's bucket. */
static inline void __row_born(struct portsock_row *row,
			      const struct portsock_birth *birth)
{
	if (birth && birth->handshake)
		__row_depth_change(row, depth_born, birth);
}

/*
 * One more share of a service, or of class remote. Caller holds the lock of the
 * row's bucket.
 */
static __always_inline void __service_join(struct portsock_row *row,
					   const struct portsock_share *share)
{
	struct portsock_body *body = row->body;

	if (unlikely(!list_empty(&body->idle.node)))
		__portsock_row_wake(row);
	if (unlikely(!body->numbers.depth) && key_is_deep(row->key))
		body->numbers.depth = portsock_depth_new();
	counts_open(&body->numbers.counts, share, row_how(share, row->key));
	row->shares++;
}

/**
 * __row_join() - one more share of a port, or the first one
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
static __always_inline struct portsock_row *
__row_join(struct row_bucket *bucket, struct portsock_table *table, u32 key,
	   const struct portsock_share *share, bool service)
{
	struct portsock_row *row = __row_find(bucket, table, key);

	if (!row || row->ephemeral)
		return __portsock_row_join(row, bucket, table, key, share,
					   service);
	__service_join(row, share);
	return row;
}

/**
 * row_add() - a share contributes to the row of a port
 * @share: contributes nothing yet
 * @h: the port
 *
 * Context: any but NMI, interrupts off; RCU read side (for @h->table).
 * Return: 0, -ENOMEM, or -ESHUTDOWN when the namespace goes and
 * there is no row.
 */
static __always_inline int row_add(struct portsock_share *share,
				   const struct portsock_holding *h)
{
	struct portsock_table *table = h->table;
	u32 key = key_of(h->proto, h->port);
	struct row_bucket *bucket = row_bucket(table, key);
	struct portsock_row *row;

	raw_lock(&bucket->lock);
	row = __row_join(bucket, table, key, share, h->service);
	if (!IS_ERR(row)) {
		share->table = table;
		share->row = row;
		if (share->how == PORTSOCK_ACCEPTED && !row->ephemeral)
			__row_accepted(row);
		if (unlikely(share->queues || h->owner.tgid))
			__portsock_row_added(share, h);
		__row_born(row, h->birth);
	}
	raw_unlock(&bucket->lock);
	return PTR_ERR_OR_ZERO(row);
}

/**
 * __service_step() - a full socket changes its state, and nothing else
 * @row: that it contributes to, not ephemeral; its bucket is locked by the caller
 * @from: kernel state number
 * @to: kernel state number
 * @handshake: how long it waited for the first answer, in microseconds; or 0
 */
static inline void __service_step(struct portsock_row *row, u8 from, u8 to,
				  u32 handshake)
{
	counts_step(&row->body->numbers.counts, from, to);
	if (handshake && row->body->numbers.depth)
		samples_add(&row->body->numbers.depth->handshakes, handshake);
}

/* The same of an ephemeral row. */
static inline void __ephemeral_step(struct portsock_row *row, u8 from, u8 to,
				    u32 handshake)
{
	struct portsock_total *total = row_total(row);
	struct portsock_depth *depth;

	if (unlikely(!row->single))
		counts_step(&row->body->numbers.counts, from, to);
	raw_lock(&total->lock);
	counts_step(&total->numbers.counts, from, to);
	if (handshake) {
		depth = depth_of(&total->numbers.depth);
		if (depth)
			samples_add(&depth->handshakes, handshake);
	}
	raw_unlock(&total->lock);
}

/**
 * row_step() - the same in the row of its own port, whatever it is
 * @share: contributes to it; says what it said until now
 * @to: kernel state number
 * @handshake: as above
 *
 * Context: any but NMI, interrupts off.
 */
static inline void row_step(struct portsock_share *share, u8 to, u32 handshake)
{
	struct portsock_row *row = share->row;
	struct row_bucket *bucket = row->bucket;

	raw_lock(&bucket->lock);
	if (row->ephemeral)
		__ephemeral_step(row, share->state, to, handshake);
	else
		__service_step(row, share->state, to, handshake);
	share->state = to;
	raw_unlock(&bucket->lock);
}

/*
 * An ephemeral row goes with its last share; the total keeps what it has
 * counted. Caller holds the lock of the row's bucket.
 */
static __always_inline void __ephemeral_leave(struct portsock_row *row,
					      const struct portsock_share *share,
					      const struct portsock_end *end)
{
	struct portsock_total *total = row_total(row);
	bool goes = !row->shares;

	if (unlikely(!row->single))
		counts_sub(&row->body->numbers.counts, share->state, share->ipv6);
	raw_lock(&total->lock);
	counts_sub(&total->numbers.counts, share->state, share->ipv6);
	total->numbers.counts.ports -= goes;
	if (end)
		depth_end(depth_of(&total->numbers.depth), &share->conn, end);
	raw_unlock(&total->lock);
	if (goes)
		__portsock_row_free(row);
}

/**
 * row_leave() - a share contributes to a row no longer
 * @row: one that it contributes to, and not queued there
 * @remote: @row is of class remote
 * @share: that of a socket; what it says is not changed
 * @end: its connection is over; or NULL
 *
 * Context: any but NMI, interrupts off.
 */
static __always_inline void row_leave(struct portsock_row *row, bool remote,
				      const struct portsock_share *share,
				      const struct portsock_end *end)
{
	struct row_bucket *bucket = row->bucket;

	raw_lock(&bucket->lock);
	row->shares--;
	if (!remote && row->ephemeral) {
		__ephemeral_leave(row, share, end);
	} else {
		counts_sub(&row->body->numbers.counts, share->state, share->ipv6);
		if (end)
			depth_end(row->body->numbers.depth, &share->conn, end);
		if (unlikely(!row->shares)) {
			__portsock_row_over(row);
			return;
		}
	}
	raw_unlock(&bucket->lock);
}

/**
 * row_del() - a share contributes to its row no longer
 * @share: contributes to a row
 * @end: its connection is over; or NULL
 *
 * Context: any but NMI, interrupts off.
 */
static __always_inline void row_del(struct portsock_share *share,
				    const struct portsock_end *end)
{
	if (unlikely(share->queues))
		portsock_row_unqueue(share);
	row_leave(share->row, false, share, end);
	share->row = NULL;
}

static __always_inline void row_depth_change(struct portsock_row *row,
					     depth_change *change,
					     const void *by)
{
	struct row_bucket *bucket = row->bucket;

	raw_lock(&bucket->lock);
	__row_depth_change(row, change, by);
	raw_unlock(&bucket->lock);
}

static inline void depth_accept(struct portsock_depth *depth,
				const void *accept)
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
 * row_accept() - accept() hands out a connection
 * @row: of the connection
 * @accept: what is known of that
 *
 * Context: any but NMI, interrupts off.
 */
static __always_inline void row_accept(struct portsock_row *row,
				       const struct portsock_accept *accept)
{
	row_depth_change(row, depth_accept, accept);
}

#endif /* PORTSOCK_ROW_H */
