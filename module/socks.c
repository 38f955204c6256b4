// SPDX-License-Identifier: GPL-2.0
/*
 * Records, found by the address of the socket. Hooks and walks tell what a
 * socket holds now; the record takes what the socket contributed before out of
 * its row, and adds what it contributes now. To tell the same twice does no
 * harm, and a missed event does none after the next one.
 *
 * Addresses are keys only; they are never followed here.
 */
#include "socks.h"

#include <linux/hash.h>
#include <linux/mm.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/string.h>

#include "pool.h"
#include "rows.h"

/**
 * struct portsock_rec - a socket
 * @node: in its bucket's chain
 * @share: its address, and what it contributes
 *
 * Protected by its bucket's lock.
 */
struct portsock_rec {
	struct hlist_node node;
	struct portsock_share share;
};

/**
 * struct rec_bucket - a chain of records
 * @lock: protects the chain and the records in it; row bucket locks nest inside
 * @recs: the chain
 */
struct rec_bucket {
	raw_spinlock_t lock;
	struct hlist_head recs;
};

static struct rec_bucket *rec_buckets;
static unsigned int rec_shift;	/* of the 64 bits of a hash */
static unsigned long rec_buckets_nr;
static struct portsock_pool rec_pool;

/* Written by the walker only, who then waits for readers: portsock_walk(). */
static bool walking;
static u32 walk_epoch;

static atomic64_t untracked = ATOMIC64_INIT(0);
static u64 repaired;

static struct rec_bucket *rec_bucket(const void *sk)
{
	u64 hash = (unsigned long)sk * GOLDEN_RATIO_64;

	return &rec_buckets[hash >> rec_shift];
}

/* Caller holds the bucket's lock. */
static struct portsock_rec *__rec_find(struct rec_bucket *bucket,
				       const void *sk)
{
	struct portsock_rec *rec;

	hlist_for_each_entry(rec, &bucket->recs, node)
		if (rec->share.sk == sk)
			return rec;
	return NULL;
}

/* Caller holds the bucket's lock. */
static struct portsock_rec *__rec_get(struct rec_bucket *bucket, const void *sk)
{
	struct portsock_rec *rec = __rec_find(bucket, sk);

	if (rec)
		return rec;
	rec = portsock_pool_get(&rec_pool);
	if (!rec) {
		atomic64_inc(&untracked);
		return NULL;
	}
	/* nothing else is read while these are NULL or false */
	rec->share.sk = sk;
	rec->share.table = NULL;
	rec->share.row = NULL;
	rec->share.first = NULL;
	rec->share.epoch = 0;
	rec->share.queues = false;
	rec->share.awaits = false;
	rec->share.asked = false;
	rec->share.gone = false;
	hlist_add_head(&rec->node, &bucket->recs);
	return rec;
}

/* For callers that may have allocated or freed a record or a row. */
static __always_inline void rec_unlock(struct rec_bucket *bucket,
				       unsigned long flags)
	__releases(&bucket->lock)
{
	raw_unlock_irqrestore(&bucket->lock, flags);
	portsock_pools_settle();
}

/* Caller holds the bucket's lock. */
static __always_inline void __rec_end(struct portsock_rec *rec,
				      const struct portsock_end *end)
{
	if (rec->share.table)
		portsock_share_over(&rec->share, end);
	__hlist_del(&rec->node);
	portsock_pool_put(&rec_pool, rec);
}

/* Caller holds the bucket's lock. */
static noinline void __rec_free(struct portsock_rec *rec)
{
	__rec_end(rec, NULL);
}

/* Caller holds the bucket's lock. */
static void __rec_touch(struct portsock_rec *rec)
{
	rec->share.epoch = READ_ONCE(walk_epoch);
	rec->share.gone = false;
}

/* Caller holds the bucket's lock. */
static void __rec_hold(struct portsock_rec *rec,
		       const struct portsock_holding *h)
{
	__rec_touch(rec);
	if (portsock_share_hold(&rec->share, h) == -ENOMEM)
		atomic64_inc(&untracked);
}

/* Calls @tell with the record of a socket, which is made if there is none. */
static __always_inline void
sock_tell(const void *sk, const struct portsock_holding *h,
	  void (*tell)(struct portsock_rec *rec,
		       const struct portsock_holding *h))
{
	struct rec_bucket *bucket = rec_bucket(sk);
	struct portsock_rec *rec;
	unsigned long flags;

	raw_lock_irqsave(&bucket->lock, flags);
	rec = __rec_get(bucket, sk);
	if (rec)
		tell(rec, h);
	rec_unlock(bucket, flags);
}

/**
 * portsock_sock_hold() - a socket holds a port, or exists and holds none
 * @sk: the socket or mini-socket
 * @h: the port it holds now, and its state
 *
 * Context: any but NMI; RCU read side (for @h->table).
 */
void portsock_sock_hold(const void *sk, const struct portsock_holding *h)
{
	sock_tell(sk, h, __rec_hold);
}

/*
 * Takes the record of a socket that contributes to a row out of the hash. Not
 * while a walk runs, as that may still meet the socket in the kernel's tables:
 * then returns NULL.
 */
static struct portsock_rec *rec_take(const void *sk)
{
	struct rec_bucket *bucket = rec_bucket(sk);
	struct portsock_rec *rec;
	unsigned long flags;

	if (unlikely(READ_ONCE(walking)))
		return NULL;
	raw_lock_irqsave(&bucket->lock, flags);
	rec = __rec_find(bucket, sk);
	if (rec && rec->share.row)
		__hlist_del(&rec->node);
	else
		rec = NULL;
	raw_unlock_irqrestore(&bucket->lock, flags);
	return rec;
}

/**
 * portsock_sock_reached() - the port that a socket connected to
 * @sk: the socket
 * @h: receives the port, which is 0 if @sk did not or that does not count, and
 *	whether it is a guess
 *
 * Context: any but NMI.
 */
void portsock_sock_reached(const void *sk, struct portsock_holding *h)
{
	struct rec_bucket *bucket = rec_bucket(sk);
	struct portsock_rec *rec;
	unsigned long flags;

	raw_lock_irqsave(&bucket->lock, flags);
	rec = __rec_find(bucket, sk);
	if (rec)
		portsock_share_reached(&rec->share, h);
	else
		h->remote = 0;
	raw_unlock_irqrestore(&bucket->lock, flags);
}

/**
 * portsock_sock_linger() - a mini-socket takes the connection of a socket, which
 * keeps its port for a while
 * @sk: the socket
 * @tw: the mini-socket
 * @h: what the mini-socket holds; receives what portsock_sock_reached() says
 *
 * Context: any but NMI; RCU read side (for @h->table).
 */
void portsock_sock_linger(const void *sk, const void *tw,
			  struct portsock_holding *h)
{
	portsock_sock_reached(sk, h);
	portsock_sock_hold(tw, h);
}

/**
 * portsock_sock_inherit() - a mini-socket takes the place of a socket
 * @sk: the socket; an orphan that is about to release its port and to be freed
 * @tw: the mini-socket
 * @h: what the mini-socket holds; changed
 *
 * Does what portsock_sock_linger() and portsock_sock_forget() do, but moves the
 * record from one to the other.
 *
 * Context: any but NMI; RCU read side (for @h->table, and for walks to
 * wait for).
 */
void portsock_sock_inherit(const void *sk, const void *tw,
			   struct portsock_holding *h)
{
	struct rec_bucket *bucket = rec_bucket(tw);
	struct portsock_rec *rec = rec_take(sk);
	struct portsock_rec *stale;
	unsigned long flags;

	if (!rec) {
		portsock_sock_linger(sk, tw, h);
		return;
	}
	raw_lock_irqsave(&bucket->lock, flags);
	stale = __rec_find(bucket, tw);
	if (unlikely(stale))
		__rec_free(stale);
	rec->share.sk = tw;
	hlist_add_head(&rec->node, &bucket->recs);
	__rec_hold(rec, h);
	rec_unlock(bucket, flags);
}

/**
 * portsock_sock_unbound() - a socket exists and holds no port
 * @sk: the socket
 * @table: of its namespace
 * @proto: its protocol
 * @ipv6: it is AF_INET6
 *
 * Does what portsock_sock_hold() does; apart, as nearly every new
 * socket comes here.
 *
 * Context: any but NMI; RCU read side (for @table).
 */
void portsock_sock_unbound(const void *sk, struct portsock_table *table,
			   u8 proto, bool ipv6)
{
	struct rec_bucket *bucket = rec_bucket(sk);
	struct portsock_rec *rec;
	unsigned long flags;

	raw_lock_irqsave(&bucket->lock, flags);
	rec = __rec_get(bucket, sk);
	if (rec) {
		__rec_touch(rec);
		portsock_share_unbound(&rec->share, table, proto, ipv6);
	}
	rec_unlock(bucket, flags);
}

/**
 * portsock_sock_meet() - make a record for a socket that has none
 * @sk: the socket, which may have been there since before the module was loaded
 * @h: what it holds; ignored if it has a record
 *
 * Context: any but NMI; RCU read side (for @h->table).
 */
void portsock_sock_meet(const void *sk, const struct portsock_holding *h)
{
	struct rec_bucket *bucket = rec_bucket(sk);
	struct portsock_rec *rec;
	unsigned long flags;

	raw_lock_irqsave(&bucket->lock, flags);
	rec = __rec_find(bucket, sk);
	if (!rec || (!rec->share.table && !rec->share.gone)) {
		rec = __rec_get(bucket, sk);
		if (rec)
			__rec_hold(rec, h);
	}
	rec_unlock(bucket, flags);
}

/**
 * portsock_sock_step() - a socket changes its state, and nothing else
 * @sk: the socket; it does not listen, and did not
 * @step: the port it holds before and after, and the state it goes to, from
 *	portsock_step()
 * @birth: its connection is established; or NULL
 *
 * Most changes are of this kind.
 *
 * Context: any but NMI.
 * Return: false if more than the state would change; nothing was done then.
 */
bool portsock_sock_step(const void *sk, u64 step,
			const struct portsock_birth *birth)
{
	struct rec_bucket *bucket = rec_bucket(sk);
	struct portsock_rec *rec;
	unsigned long flags;
	bool done = false;

	raw_lock_irqsave(&bucket->lock, flags);
	rec = __rec_find(bucket, sk);
	if (rec) {
		rec->share.epoch = READ_ONCE(walk_epoch);
		done = portsock_share_step(&rec->share, step, birth);
	}
	rec_unlock(bucket, flags);
	return done;
}

/**
 * portsock_sock_accept() - accept() hands out a connection of TCP
 * @sk: its socket; ignored if it has no record
 * @now: microseconds of the monotonic clock
 * @user: who calls it
 *
 * Context: any but NMI.
 */
void portsock_sock_accept(const void *sk, u64 now,
			  const struct portsock_owner *user)
{
	struct rec_bucket *bucket = rec_bucket(sk);
	struct portsock_rec *rec;
	unsigned long flags;

	raw_lock_irqsave(&bucket->lock, flags);
	rec = __rec_find(bucket, sk);
	if (rec)
		portsock_share_accept(&rec->share, now, user);
	rec_unlock(bucket, flags);
}

/**
 * portsock_sock_use() - a process is sent a socket
 * @sk: the socket; ignored if it has no record
 * @now: microseconds of the monotonic clock
 * @user: the process
 *
 * Context: any but NMI.
 */
void portsock_sock_use(const void *sk, u64 now,
		       const struct portsock_owner *user)
{
	struct rec_bucket *bucket = rec_bucket(sk);
	struct portsock_rec *rec;
	unsigned long flags;

	raw_lock_irqsave(&bucket->lock, flags);
	rec = __rec_find(bucket, sk);
	if (rec)
		portsock_share_use(&rec->share, now, user);
	rec_unlock(bucket, flags);
}

/* Caller holds the bucket's lock, so that no socket in it can be freed. */
static void __recs_sample(struct rec_bucket *bucket,
			  void (*sample)(const void *sk,
					 struct portsock_bytes *bytes))
{
	struct portsock_bytes bytes;
	struct portsock_rec *rec;

	hlist_for_each_entry(rec, &bucket->recs, node) {
		if (!portsock_share_carries(&rec->share))
			continue;
		sample(rec->share.sk, &bytes);
		portsock_share_carried(&rec->share, &bytes);
	}
}

/**
 * portsock_socks_sample() - count what open connections have carried
 * @sample: says how much one has; called with interrupts off
 *
 * A TCP socket is in its record as long as it is there: the kernel cannot free
 * it before on_destroy() or on_set_state() had the lock.
 *
 * Context: process, may sleep.
 */
void portsock_socks_sample(void (*sample)(const void *sk,
					  struct portsock_bytes *bytes))
{
	unsigned long i;

	for (i = 0; i < rec_buckets_nr; i++) {
		struct rec_bucket *bucket = &rec_buckets[i];
		unsigned long flags;

		cond_resched();
		if (hlist_empty(&bucket->recs))
			continue;
		raw_lock_irqsave(&bucket->lock, flags);
		__recs_sample(bucket, sample);
		rec_unlock(bucket, flags);
	}
}

/**
 * portsock_sock_change() - a socket changes its state or its port
 * @sk: the socket
 * @h: what it holds now; receives the table
 *
 * The table is that of the record, so that the namespace need not be looked up.
 *
 * Context: any but NMI.
 * Return: false if the socket has no record; nothing was done then.
 */
bool portsock_sock_change(const void *sk, struct portsock_holding *h)
{
	struct rec_bucket *bucket = rec_bucket(sk);
	struct portsock_rec *rec;
	unsigned long flags;

	raw_lock_irqsave(&bucket->lock, flags);
	rec = __rec_find(bucket, sk);
	h->table = rec ? rec->share.table : NULL;
	if (h->table)
		__rec_hold(rec, h);
	rec_unlock(bucket, flags);
	return h->table;
}

/* Caller holds the bucket's lock. */
static void __rec_bind(struct portsock_rec *rec,
		       const struct portsock_holding *h)
{
	struct portsock_holding bound = *h;

	bound.service |= rec->share.asked;
	__rec_hold(rec, &bound);
}

/**
 * portsock_sock_bind() - bind() or autobind gives a socket its port
 * @sk: the socket
 * @h: the port; it is a service if portsock_sock_asked() told so before
 *
 * Context: any but NMI; RCU read side (for @h->table).
 */
void portsock_sock_bind(const void *sk, const struct portsock_holding *h)
{
	sock_tell(sk, h, __rec_bind);
}

/**
 * portsock_sock_release() - a socket has released its port
 * @sk: the socket; ignored if it has no record, as when close() has deleted it
 * @ipv6: it is AF_INET6
 * @end: its connection is over; or NULL
 *
 * Context: any but NMI.
 */
void portsock_sock_release(const void *sk, bool ipv6,
			   const struct portsock_end *end)
{
	struct rec_bucket *bucket = rec_bucket(sk);
	struct portsock_rec *rec;
	unsigned long flags;

	raw_lock_irqsave(&bucket->lock, flags);
	rec = __rec_find(bucket, sk);
	if (rec && rec->share.table) {
		__rec_touch(rec);
		portsock_share_release(&rec->share, ipv6, end);
	}
	rec_unlock(bucket, flags);
}

/*
 * A socket that is connected, and was when it was last looked at, has not
 * connected since. Caller holds the bucket's lock.
 */
static void __rec_observe(struct portsock_rec *rec,
			  const struct portsock_holding *h)
{
	struct portsock_holding said = *h;

	if (!rec->share.row || rec->share.state == h->state)
		said.how = PORTSOCK_BOUND;
	__rec_hold(rec, &said);
}

/**
 * portsock_sock_observe() - record what a socket holds when it is not
 * known what changed
 * @sk: the socket
 * @h: the port, the state, and how a socket comes to be in that state
 *
 * Context: any but NMI; RCU read side (for @h->table).
 */
void portsock_sock_observe(const void *sk, const struct portsock_holding *h)
{
	sock_tell(sk, h, __rec_observe);
}

/**
 * portsock_sock_await() - a call begins whose end no hook will see
 * @sk: the socket; ignored if it has no record
 *
 * The next reader of the table looks at the socket, see
 * portsock_socks_settle().
 *
 * Context: any but NMI.
 */
void portsock_sock_await(const void *sk)
{
	struct rec_bucket *bucket = rec_bucket(sk);
	struct portsock_rec *rec;
	unsigned long flags;

	raw_lock_irqsave(&bucket->lock, flags);
	rec = __rec_find(bucket, sk);
	if (rec && rec->share.table)
		portsock_share_await(&rec->share);
	raw_unlock_irqrestore(&bucket->lock, flags);
}

/**
 * portsock_sock_awaited() - take a socket off the list of those to look at
 * @sk: the socket; no call is under way
 *
 * Context: any but NMI.
 * Return: true if it was on the list; the caller then records what
 * the socket holds.
 */
bool portsock_sock_awaited(const void *sk)
{
	struct rec_bucket *bucket = rec_bucket(sk);
	struct portsock_rec *rec;
	unsigned long flags;
	bool awaited;

	raw_lock_irqsave(&bucket->lock, flags);
	rec = __rec_find(bucket, sk);
	awaited = rec && rec->share.awaits;
	if (awaited)
		portsock_share_settle(&rec->share);
	raw_unlock_irqrestore(&bucket->lock, flags);
	return awaited;
}

/**
 * portsock_sock_settle() - record what an awaited call has left
 * @sk: the socket, which no other call can change meanwhile; ignored if it is
 *	not awaited any more
 * @h: what it holds; receives the table. NULL if it holds nothing
 *
 * Context: any but NMI.
 */
void portsock_sock_settle(const void *sk, struct portsock_holding *h)
{
	struct rec_bucket *bucket = rec_bucket(sk);
	struct portsock_rec *rec;
	unsigned long flags;

	raw_lock_irqsave(&bucket->lock, flags);
	rec = __rec_find(bucket, sk);
	if (rec && rec->share.awaits) {
		portsock_share_settle(&rec->share);
		if (h) {
			h->table = rec->share.table;
			__rec_observe(rec, h);
		}
	}
	rec_unlock(bucket, flags);
}

/*
 * A socket cannot be freed while its record's bucket is locked: close() deletes
 * the record.
 */
static bool sock_get(const void *sk, bool (*get)(const void *sk))
{
	struct rec_bucket *bucket = rec_bucket(sk);
	struct portsock_rec *rec;
	unsigned long flags;
	bool got;

	raw_lock_irqsave(&bucket->lock, flags);
	rec = __rec_find(bucket, sk);
	got = rec && rec->share.awaits && get(sk);
	raw_unlock_irqrestore(&bucket->lock, flags);
	return got;
}

/**
 * portsock_socks_settle() - record what awaited calls have left
 * @table: for sockets of this table
 * @get: takes a reference on a socket; called with interrupts off
 * @ask: calls portsock_sock_settle() unless a call on the socket is under way,
 *	and drops the reference
 *
 * Takes time for each call that has begun since the last time.
 *
 * Context: process, may sleep.
 */
void portsock_socks_settle(struct portsock_table *table,
			   bool (*get)(const void *sk),
			   void (*ask)(const void *sk))
{
	unsigned int left = READ_ONCE(table->awaited_nr);
	const void *sk;

	for (; left; left--) {
		cond_resched();
		sk = portsock_share_awaited(table);
		if (!sk)
			break;
		if (sock_get(sk, get))
			ask(sk);
	}
}

/**
 * portsock_sock_asked() - a socket is about to get a port
 * @sk: the socket
 * @asked: the caller named the port
 *
 * The kernel sets SOCK_BINDPORT_LOCK, which tells the same, only after the
 * socket has the port.
 *
 * Context: any but NMI.
 */
void portsock_sock_asked(const void *sk, bool asked)
{
	struct rec_bucket *bucket = rec_bucket(sk);
	struct portsock_rec *rec;
	unsigned long flags;

	raw_lock_irqsave(&bucket->lock, flags);
	rec = asked ? __rec_get(bucket, sk) : __rec_find(bucket, sk);
	if (rec)
		rec->share.asked = asked;
	rec_unlock(bucket, flags);
}

/**
 * portsock_sock_on() - is it recorded that a socket holds this port?
 * @sk: the socket
 * @proto: its protocol
 * @port: the port in host order
 *
 * Context: any but NMI.
 */
bool portsock_sock_on(const void *sk, u8 proto, u16 port)
{
	struct rec_bucket *bucket = rec_bucket(sk);
	struct portsock_rec *rec;
	unsigned long flags;
	bool on;

	raw_lock_irqsave(&bucket->lock, flags);
	rec = __rec_find(bucket, sk);
	on = rec && portsock_share_on(&rec->share, proto, port);
	raw_unlock_irqrestore(&bucket->lock, flags);
	return on;
}

/**
 * portsock_sock_carry() - an MPTCP socket has its port from this subflow
 * @sk: the MPTCP socket; ignored if it has no record
 * @first: its first subflow, which is there as long as it is
 *
 * Context: any but NMI.
 */
void portsock_sock_carry(const void *sk, const void *first)
{
	struct rec_bucket *bucket = rec_bucket(sk);
	struct portsock_rec *rec;
	unsigned long flags;

	raw_lock_irqsave(&bucket->lock, flags);
	rec = __rec_find(bucket, sk);
	if (rec)
		rec->share.first = first;
	raw_unlock_irqrestore(&bucket->lock, flags);
}

/**
 * portsock_sock_carrier() - the subflow that an MPTCP socket has its port from
 * @sk: the MPTCP socket
 *
 * Context: any but NMI.
 * Return: NULL if it is not known.
 */
const void *portsock_sock_carrier(const void *sk)
{
	struct rec_bucket *bucket = rec_bucket(sk);
	const void *first = NULL;
	struct portsock_rec *rec;
	unsigned long flags;

	raw_lock_irqsave(&bucket->lock, flags);
	rec = __rec_find(bucket, sk);
	if (rec)
		first = rec->share.first;
	raw_unlock_irqrestore(&bucket->lock, flags);
	return first;
}

/**
 * portsock_sock_rests_on() - does an MPTCP socket lose its port with this
 * subflow?
 * @sk: the MPTCP socket; it does if it is in CLOSE, and this is
 *	its first subflow
 * @subflow: has released its port
 *
 * Context: any but NMI.
 */
bool portsock_sock_rests_on(const void *sk, const void *subflow)
{
	struct rec_bucket *bucket = rec_bucket(sk);
	struct portsock_rec *rec;
	unsigned long flags;
	bool rests;

	raw_lock_irqsave(&bucket->lock, flags);
	rec = __rec_find(bucket, sk);
	rests = rec && rec->share.row && rec->share.state == TCP_CLOSE &&
		rec->share.first == subflow;
	raw_unlock_irqrestore(&bucket->lock, flags);
	return rests;
}

/**
 * portsock_sock_carried() - does an MPTCP socket have its port from a subflow
 * that a walk met?
 * @sk: the MPTCP socket
 * @subflow: holds the port that @sk names; taken for the first if none is known
 *
 * Context: any but NMI, between walk_begin and walk_end.
 */
bool portsock_sock_carried(const void *sk, const void *subflow)
{
	struct rec_bucket *bucket = rec_bucket(sk);
	struct portsock_rec *rec;
	unsigned long flags;
	bool carried = false;

	raw_lock_irqsave(&bucket->lock, flags);
	rec = __rec_get(bucket, sk);
	if (rec && !rec->share.gone) {
		if (!rec->share.first)
			rec->share.first = subflow;
		carried = rec->share.first == subflow;
	}
	raw_unlock_irqrestore(&bucket->lock, flags);
	return carried;
}

/**
 * portsock_sock_recorded() - what is recorded of a socket
 * @sk: the socket or mini-socket
 * @h: receives what it contributes; a service when its last bind()
 *	named the port
 *
 * Context: any but NMI.
 * Return: false if nothing is.
 */
bool portsock_sock_recorded(const void *sk, struct portsock_holding *h)
{
	struct rec_bucket *bucket = rec_bucket(sk);
	struct portsock_rec *rec;
	unsigned long flags;
	bool recorded;

	raw_lock_irqsave(&bucket->lock, flags);
	rec = __rec_find(bucket, sk);
	recorded = rec && rec->share.table;
	if (recorded) {
		portsock_share_tell(&rec->share, h);
		h->service = rec->share.asked;
	}
	raw_unlock_irqrestore(&bucket->lock, flags);
	return recorded;
}

/**
 * portsock_sock_forget() - a socket is gone, or does not count any more
 * @sk: the socket or mini-socket, with a record or not
 *
 * Context: any but NMI.
 */
void portsock_sock_forget(const void *sk)
{
	portsock_sock_over(sk, NULL);
}

/**
 * portsock_sock_over() - the same of a connection that is over
 * @sk: the socket, with a record or not
 * @end: how it ended; or NULL
 *
 * Context: any but NMI.
 */
void portsock_sock_over(const void *sk, const struct portsock_end *end)
{
	struct rec_bucket *bucket = rec_bucket(sk);
	struct portsock_rec *rec;
	unsigned long flags;

	/* an event that would add the socket cannot run at the same time */
	if (hlist_empty(&bucket->recs) && !READ_ONCE(walking))
		return;
	raw_lock_irqsave(&bucket->lock, flags);
	if (unlikely(READ_ONCE(walking))) {
		rec = __rec_get(bucket, sk);
		if (rec) {
			if (rec->share.table)
				portsock_share_over(&rec->share, end);
			rec->share.first = NULL;
			rec->share.epoch = walk_epoch;
			rec->share.gone = true;
		}
	} else {
		rec = __rec_find(bucket, sk);
		if (rec)
			__rec_end(rec, end);
	}
	rec_unlock(bucket, flags);
}

/**
 * portsock_sock_retrans() - a socket sent segments again
 * @sk: the socket; ignored if it has no record
 * @segments: how many
 *
 * Context: any but NMI.
 */
void portsock_sock_retrans(const void *sk, u32 segments)
{
	struct rec_bucket *bucket = rec_bucket(sk);
	struct portsock_rec *rec;
	unsigned long flags;

	raw_lock_irqsave(&bucket->lock, flags);
	rec = __rec_find(bucket, sk);
	if (rec)
		portsock_share_retrans(&rec->share, segments);
	rec_unlock(bucket, flags);
}

/**
 * portsock_socks_walk_begin() - a walk over the kernel's own tables begins
 *
 * Until portsock_socks_walk_end() what hooks tell wins over what the walk sees,
 * and a socket that goes leaves a tombstone. The caller then waits for hooks
 * and socket calls that were under way.
 *
 * Context: process, one walker at a time.
 */
void portsock_socks_walk_begin(void)
{
	WRITE_ONCE(walk_epoch, walk_epoch + 1);
	WRITE_ONCE(walking, true);
}

/**
 * portsock_socks_refill() - have free records and rows for some hundred sockets
 *
 * A walk calls it while it holds no lock; under locks nothing is
 * allocated, see pool.h.
 *
 * Context: process, may sleep.
 */
void portsock_socks_refill(void)
{
	portsock_pool_refill(&rec_pool);
	portsock_rows_refill();
}

/**
 * portsock_sock_seen() - a walk met a socket in the kernel's tables
 * @sk: the socket or mini-socket; cannot leave the table meanwhile
 * @h: what it holds
 *
 * Context: any but NMI, between walk_begin and walk_end; RCU read side.
 */
void portsock_sock_seen(const void *sk, const struct portsock_holding *h)
{
	struct rec_bucket *bucket = rec_bucket(sk);
	struct portsock_rec *rec;
	unsigned long flags;

	raw_lock_irqsave(&bucket->lock, flags);
	rec = __rec_find(bucket, sk);
	if (rec && rec->share.epoch == walk_epoch)
		goto unlock;
	rec = __rec_get(bucket, sk);
	if (!rec)
		goto unlock;
	if (portsock_share_equals(&rec->share, h)) {
		rec->share.epoch = walk_epoch;
		if (portsock_share_meet(&rec->share, h) == -ENOMEM)
			atomic64_inc(&untracked);
	} else {
		repaired += !rec->share.awaits;
		__rec_hold(rec, h);
	}
unlock:
	rec_unlock(bucket, flags);
}

/**
 * portsock_socks_walk_end() - a walk is over: delete records of
 * sockets that are gone
 * @protos: bit mask of the protocols of which a walk meets every bound socket
 *
 * A record of such a socket goes if neither the walk nor a hook has told of it
 * meanwhile. Others, and those of unbound sockets, stay.
 *
 * Context: process, may sleep.
 * Return: the number of records the walk found wrong.
 */
u64 portsock_socks_walk_end(unsigned long protos)
{
	u64 wrong;
	unsigned long i;

	WRITE_ONCE(walking, false);
	/* for hooks that still see walking */
	synchronize_rcu();
	for (i = 0; i < rec_buckets_nr; i++) {
		struct rec_bucket *bucket = &rec_buckets[i];
		struct portsock_rec *rec;
		struct hlist_node *next;
		unsigned long flags;

		cond_resched();
		if (hlist_empty(&bucket->recs))
			continue;
		raw_lock_irqsave(&bucket->lock, flags);
		hlist_for_each_entry_safe(rec, next, &bucket->recs, node) {
			if (rec->share.gone) {
				__rec_free(rec);
			} else if (rec->share.epoch != walk_epoch &&
				   portsock_share_in(&rec->share, protos)) {
				__rec_free(rec);
				repaired++;
			}
		}
		rec_unlock(bucket, flags);
	}
	wrong = repaired;
	repaired = 0;
	return wrong;
}

/**
 * portsock_socks_untracked() - how often memory was short for a socket
 *
 * Context: any.
 * Return: events since the module was loaded.
 */
u64 portsock_socks_untracked(void)
{
	return atomic64_read(&untracked) + portsock_depths_lacking();
}

/**
 * portsock_socks_init() - make room for records
 * @bits: binary logarithm of the number of hash buckets
 *
 * Context: process, may sleep.
 * Return: 0 or -ENOMEM.
 */
int portsock_socks_init(unsigned int bits)
{
	unsigned long i;
	int err;

	BUILD_BUG_ON(sizeof(struct portsock_rec) > 96);

	err = portsock_pool_init(&rec_pool, "portsock_rec",
				 sizeof(struct portsock_rec), 0);
	if (err)
		return err;
	rec_buckets = kvmalloc_array(1UL << bits, sizeof(*rec_buckets),
				     GFP_KERNEL);
	if (!rec_buckets) {
		portsock_pool_exit(&rec_pool);
		return -ENOMEM;
	}
	for (i = 0; i < 1UL << bits; i++) {
		raw_spin_lock_init(&rec_buckets[i].lock);
		INIT_HLIST_HEAD(&rec_buckets[i].recs);
	}
	rec_buckets_nr = 1UL << bits;
	rec_shift = 64 - bits;
	return 0;
}

/**
 * portsock_socks_clear() - forget sockets
 * @table: those that contribute to this table, or NULL for all
 *
 * No hook or walk tells of them any more.
 *
 * Context: process, may sleep.
 */
void portsock_socks_clear(const struct portsock_table *table)
{
	unsigned long i;

	for (i = 0; i < rec_buckets_nr; i++) {
		struct rec_bucket *bucket = &rec_buckets[i];
		struct portsock_rec *rec;
		struct hlist_node *next;
		unsigned long flags;

		raw_lock_irqsave(&bucket->lock, flags);
		hlist_for_each_entry_safe(rec, next, &bucket->recs, node) {
			if (table && !portsock_share_at(&rec->share, table))
				continue;
			rec->share.sk = NULL;
			__rec_free(rec);
		}
		rec_unlock(bucket, flags);
		cond_resched();
	}
}

/**
 * portsock_socks_exit() - give the room back
 *
 * Context: process, may sleep. Every socket was forgotten.
 */
void portsock_socks_exit(void)
{
	kvfree(rec_buckets);
	portsock_pool_exit(&rec_pool);
}
