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
#include "busy.h"
#include "rows.h"

int portsock_row_update(struct portsock_share *share,
			const struct portsock_holding *h);
void portsock_row_unqueue(struct portsock_share *share);
void portsock_row_retrans(struct portsock_row *row, u32 segments);
void portsock_row_carried(struct portsock_row *row,
			  const struct portsock_bytes *bytes);
void portsock_row_use(struct portsock_row *row, u64 now,
		      const struct portsock_owner *user);
void portsock_row_no_port(struct portsock_table *table, u32 key);
void portsock_rows_kill(struct portsock_table *table);

void __portsock_row_counts(const struct portsock_row *row,
			   struct portsock_counts *counts);
struct portsock_row *
__portsock_row_join(struct portsock_row *row, struct row_bucket *bucket,
		    struct portsock_table *table, u32 key,
		    struct portsock_share *share, bool service);
void __portsock_row_wake(struct portsock_row *row);
void __portsock_row_added(struct portsock_share *share,
			  const struct portsock_holding *h);
void __portsock_row_over(struct portsock_row *row)
	__releases(&row->bucket->lock);
void portsock_row_wait(struct portsock_row *row);
struct portsock_numbers *portsock_row_cell(struct portsock_row *row);
struct portsock_numbers *portsock_row_cell_come(struct portsock_row *row);
void portsock_row_cell_step(struct portsock_row *row, u8 from, u8 to,
			    u32 handshake);
void portsock_row_cell_change(struct portsock_row *row, depth_change *change,
			      const void *by);
int portsock_row_cell_begin(struct portsock_row *row,
			    struct portsock_share *share);
void portsock_total_cell_step(struct portsock_total *total, u8 from, u8 to,
			      u32 handshake);
void portsock_total_cell_leave(struct portsock_total *total,
			       const struct portsock_share *share, bool goes,
			       const struct portsock_end *end);
bool portsock_row_cell_leave(struct portsock_row *row,
			     const struct portsock_share *share,
			     const struct portsock_end *end);
bool portsock_row_cell_add(struct portsock_share *share, u32 key,
			   const struct portsock_holding *h);

/*
 * Takes the lock of a row's bucket, unless CPUs have cells of the row; then
 * returns false. See total_lock_one(). @row is pinned by a share. Interrupts are
 * off.
 */
static __always_inline bool row_lock_one(struct portsock_row *row)
{
	if (unlikely(row_is_busy(row)))
		return false;
	raw_lock_some(&row->bucket->lock);
	if (likely(row->kind != ROW_BUSY))
		return true;
	raw_unlock_some(&row->bucket->lock);
	return false;
}

/**
 * row_lock() - have numbers of a row to change
 * @row: pinned by a share
 * @comes: for one more full socket
 *
 * Context: any but NMI, interrupts off.
 * Return: those in the cell of this CPU, locked, of a row that is busy; or NULL
 * with the lock of its bucket, and then it is not busy.
 */
static inline struct portsock_numbers *row_lock(struct portsock_row *row,
						bool comes)
{
	struct portsock_numbers *numbers;

	while (!row_lock_one(row)) {
		numbers = comes ? portsock_row_cell_come(row) :
				  portsock_row_cell(row);
		if (numbers)
			return numbers;
	}
	return NULL;
}

/* One full socket less is counted in @cell, from row_lock(), if @goes is set. */
static inline void row_gone(struct portsock_row *row,
			    struct portsock_numbers *cell, bool goes)
{
	if (cell && goes)
		cell_goes(row->body->cells, cell_of(cell), CELLS_SOCKETS, 1);
}

/* @cell: from row_lock() */
static inline void row_unlock(struct portsock_row *row,
			      struct portsock_numbers *cell)
{
	if (cell)
		cell_unlock(cell_of(cell));
	else
		raw_unlock_some(&row->bucket->lock);
}

/*
 * Numbers of a service, for one more full socket if @comes is set. Caller holds
 * the lock of its bucket, with which a row that is busy stays so.
 */
static inline struct portsock_numbers *__row_numbers(struct portsock_row *row,
						     bool comes)
{
	if (likely(!row_is_busy(row)))
		return &row->body->numbers;
	return comes ? portsock_row_cell_come(row) : portsock_row_cell(row);
}

/* They are changed; if @goes is set, one full socket less is counted. */
static inline void __row_numbers_done(struct portsock_row *row,
				      struct portsock_numbers *numbers,
				      bool goes)
{
	if (likely(!row_is_busy(row)))
		return;
	if (goes)
		cell_goes(row->body->cells, cell_of(numbers), CELLS_SOCKETS, 1);
	cell_unlock(cell_of(numbers));
}

/* How a socket came to contribute to a row. */
static inline u8 row_how(const struct portsock_share *share, u32 key)
{
	return key_is_remote(key) ? PORTSOCK_CONNECTED : share->how;
}

/* Does a socket that changes its state count as a full one then, or no longer? */
static inline bool share_comes(const struct portsock_share *share, u8 to)
{
	return share->state == TCP_TIME_WAIT && to != TCP_TIME_WAIT;
}

static inline bool share_goes(const struct portsock_share *share, u8 to)
{
	return share->state != TCP_TIME_WAIT && to == TCP_TIME_WAIT;
}

static inline void counts_open(struct portsock_counts *counts,
			       const struct portsock_share *share, u8 how)
{
	counts_add(counts, share->state, share->ipv6);
	if (share->state != TCP_TIME_WAIT)
		counts->came[how]++;
}

/* The first share of an ephemeral port counts in the total. */
static __always_inline void numbers_begin(struct portsock_numbers *numbers,
					  struct portsock_share *share)
{
	numbers->counts.ports++;
	counts_open(&numbers->counts, share, share->how);
	/* that is what most sockets were before, see row_add() */
	if (share->table) {
		unbound_sub(&numbers->unbound, share->ipv6);
		share->table = NULL;
	}
}

/* Numbers of a total, locked, for one more share in that state. */
static inline struct portsock_numbers *
total_lock_open(struct portsock_total *total, u8 state)
{
	return state == TCP_TIME_WAIT ? total_lock(total) :
					total_lock_come(total, CELLS_SOCKETS);
}

/*
 * A connection came, which the kernel has put into the queue of its listener
 * before. Nobody tells which one: the only one, as a rule. Caller holds the lock
 * of the row's bucket, or that of the cell that @depth is in.
 */
static inline void __row_accepted(const struct portsock_row *row,
				  struct portsock_depth *depth)
{
	const struct rb_node *node = row->queues.rb_node;
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
 * bucket, which protects what is not in cells of a busy row.
 */
static __always_inline void __row_depth_change(struct portsock_row *row,
					       depth_change *change,
					       const void *by)
{
	if (row_is_ephemeral(row))
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

/* The same, of a row that is not ephemeral, or of its cells. */
static inline void numbers_born(struct portsock_numbers *numbers,
				const struct portsock_birth *birth)
{
	if (birth && numbers->depth)
		samples_add(&numbers->depth->handshakes, birth->handshake);
}

/*
 * One more share of a service, or of class remote. Caller holds the lock of the
 * row's bucket.
 */
static __always_inline void __service_join(struct portsock_row *row,
					   const struct portsock_share *share)
{
	struct portsock_numbers *numbers;

	if (unlikely(!list_empty(&row->body->idle.node)))
		__portsock_row_wake(row);
	numbers = __row_numbers(row, share->state != TCP_TIME_WAIT);
	if (unlikely(!numbers->depth) && key_is_deep(row->key))
		numbers->depth = portsock_depth_new();
	counts_open(&numbers->counts, share, row_how(share, row->key));
	__row_numbers_done(row, numbers, false);
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
	   struct portsock_share *share, bool service)
{
	struct portsock_row *row = __row_find(bucket, table, key);

	if (!row || row_is_ephemeral(row))
		return __portsock_row_join(row, bucket, table, key, share,
					   service);
	__service_join(row, share);
	return row;
}

/**
 * row_add() - a share contributes to the row of a port
 * @share: contributes nothing yet, or as an unbound socket of that protocol and
 *	table, if its own is set, and not afterwards
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

	if (unlikely(READ_ONCE(portsock_busy_nr)) &&
	    portsock_row_cell_add(share, key, h))
		return 0;
	raw_lock(&bucket->lock);
	row = __row_join(bucket, table, key, share, h->service);
	if (!IS_ERR(row)) {
		if (share->table)
			table_unbound_sub(table, share->proto, share->ipv6);
		share->table = table;
		share->row = row;
		if (share->how == PORTSOCK_ACCEPTED && !row_is_ephemeral(row))
			__row_accepted(row, row->body->numbers.depth);
		if (unlikely(share->queues || h->owner.tgid))
			__portsock_row_added(share, h);
		__row_born(row, h->birth);
	}
	raw_unlock(&bucket->lock);
	return PTR_ERR_OR_ZERO(row);
}

/**
 * numbers_step() - a full socket changes its state, and nothing else
 * @numbers: of the row that it contributes to, not ephemeral; locked by the caller
 * @from: kernel state number
 * @to: kernel state number
 * @handshake: how long it waited for the first answer, in microseconds; or 0
 */
static __always_inline void numbers_step(struct portsock_numbers *numbers,
					 u8 from, u8 to, u32 handshake)
{
	counts_step(&numbers->counts, from, to);
	if (handshake && numbers->depth)
		samples_add(&numbers->depth->handshakes, handshake);
}

/**
 * service_step() - the same
 * @row: that it contributes to, not ephemeral
 * @from: kernel state number
 * @to: kernel state number
 * @handshake: as above
 *
 * Context: any but NMI, interrupts off.
 */
static __always_inline void service_step(struct portsock_row *row, u8 from,
					 u8 to, u32 handshake)
{
	if (unlikely(!row_lock_one(row))) {
		portsock_row_cell_step(row, from, to, handshake);
		return;
	}
	numbers_step(&row->body->numbers, from, to, handshake);
	raw_unlock_some(&row->bucket->lock);
}

/* The same in a total. */
static __always_inline void total_step(struct portsock_numbers *numbers,
				       u8 from, u8 to, u32 handshake)
{
	struct portsock_depth *depth;

	counts_step(&numbers->counts, from, to);
	if (!handshake)
		return;
	depth = depth_of(&numbers->depth);
	if (depth)
		samples_add(&depth->handshakes, handshake);
}

/* The same of an ephemeral row. Caller holds the lock of its bucket. */
static inline void __ephemeral_step(struct portsock_row *row, u8 from, u8 to,
				    u32 handshake)
{
	struct portsock_total *total = row_total(row);

	if (unlikely(!row->single))
		counts_step(&row->body->numbers.counts, from, to);
	if (unlikely(!total_lock_one(total))) {
		portsock_total_cell_step(total, from, to, handshake);
		return;
	}
	total_step(&total->numbers, from, to, handshake);
	raw_unlock_some(&total->lock);
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
	u8 from = share->state;

	if (unlikely(!row_lock_one(row))) {
		portsock_row_cell_step(row, from, to, handshake);
		share->state = to;
		return;
	}
	if (row->kind == ROW_EPHEMERAL)
		__ephemeral_step(row, from, to, handshake);
	else
		numbers_step(&row->body->numbers, from, to, handshake);
	share->state = to;
	raw_unlock_some(&row->bucket->lock);
}

/* A share leaves a total; with @goes, the port does. */
static __always_inline void total_leave(struct portsock_numbers *numbers,
					const struct portsock_share *share,
					bool goes,
					const struct portsock_end *end)
{
	counts_sub(&numbers->counts, share->state, share->ipv6);
	numbers->counts.ports -= goes;
	if (end)
		depth_end(depth_of(&numbers->depth), &share->conn, end);
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
		counts_sub(&row->body->numbers.counts, share->state,
			   share->ipv6);
	if (likely(total_lock_one(total))) {
		total_leave(&total->numbers, share, goes, end);
		raw_unlock_some(&total->lock);
	} else {
		portsock_total_cell_leave(total, share, goes, end);
	}
	if (goes)
		__portsock_row_free(row);
}

/* The same of any other row, but for what becomes of it. */
static __always_inline void numbers_leave(struct portsock_numbers *numbers,
					  const struct portsock_share *share,
					  const struct portsock_end *end)
{
	counts_sub(&numbers->counts, share->state, share->ipv6);
	if (end)
		depth_end(numbers->depth, &share->conn, end);
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

	if (unlikely(row_is_busy(row)) &&
	    portsock_row_cell_leave(row, share, end))
		return;
	/* each socket is here, so it is here that waiting is noticed */
	if (unlikely(!raw_trylock(&bucket->lock)))
		portsock_row_wait(row);
	if (unlikely(row->kind == ROW_BUSY)) {
		/* it stays so */
		portsock_row_cell_leave(row, share, end);
		raw_unlock_some(&bucket->lock);
		return;
	}
	row->shares--;
	if (!remote && row->kind == ROW_EPHEMERAL) {
		__ephemeral_leave(row, share, end);
	} else {
		numbers_leave(&row->body->numbers, share, end);
		if (unlikely(!row->shares)) {
			__acquire(&bucket->lock);
			__portsock_row_over(row);
			return;
		}
	}
	raw_unlock_some(&bucket->lock);
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
	if (unlikely(!row_lock_one(row))) {
		portsock_row_cell_change(row, change, by);
		return;
	}
	__row_depth_change(row, change, by);
	raw_unlock_some(&row->bucket->lock);
}

static inline void depth_accept(struct portsock_depth *depth,
				const void *accept)
{
	const struct portsock_accept *a = accept;

	if (a->user.tgid) {
		depth->user = a->user;
		depth->used = a->now;
	}
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
