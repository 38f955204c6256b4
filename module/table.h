/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What portsock shows of one network namespace.
 */
#ifndef PORTSOCK_TABLE_H
#define PORTSOCK_TABLE_H

#include <linux/atomic.h>
#include <linux/list.h>
#include <linux/limits.h>
#include <linux/rbtree.h>
#include <linux/types.h>

#include "body.h"
#include "lock.h"
#include "portsock.h"
#include "totals.h"

/* Keys of ephemeral rows are looked for so many at a time, see area.h. */
#define AREA_PORTS 128
#define AREAS (PORTSOCK_PROTO_NR * (U16_MAX + 1) / AREA_PORTS)

/**
 * struct portsock_idles - rows of a class without a socket
 * @unused: those that were never used, the one idle for longest first
 * @used: those that were, in the same order
 * @nr: length of both lists
 *
 * Protected by the lock of the table.
 */
struct portsock_idles {
	struct list_head unused;
	struct list_head used;
	unsigned int nr;
};

static inline void idles_init(struct portsock_idles *idles)
{
	INIT_LIST_HEAD(&idles->unused);
	INIT_LIST_HEAD(&idles->used);
	idles->nr = 0;
}

/**
 * struct portsock_past - what rows of class remote that are gone had counted,
 * and the most that was shown of all of their protocol
 * @connected: sockets
 * @connected_shown: the same
 * @depth: NULL while there is nothing
 * @depth_shown: the same
 */
struct portsock_past {
	u64 connected;
	u64 connected_shown;
	struct portsock_depth *depth;
	struct portsock_depth *depth_shown;
};

/**
 * struct portsock_table - the rows of one network namespace
 * @lock: protects all below but @totals and @areas, and the linkage of the
 *	rows; nests inside a row bucket lock
 * @areas_lock: held by who clears a bit of @areas, or relies on one that is
 *	clear; row bucket locks nest inside
 * @services: rows of class service, by (protocol, port), and behind them those
 *	of class remote
 * @idle: service rows without a share
 * @idle_remote: the same of class remote
 * @totals: what all ephemeral rows say, those gone included, and the unbound
 *	sockets; as long as there is one the table stays
 * @areas: a bit for each that may have an ephemeral row; set under the lock of
 *	that row's bucket
 * @folded: per protocol, what idle services said when they were folded, each as
 *	often as it was; NULL while there is nothing
 * @past: per protocol, the same of class remote
 * @pins: one for the namespace, one for each row in @services
 * @first: of the machine's first namespace
 * @dead: the namespace is going; rows vanish with their last share. Set under
 *	@lock, and before each lock of @totals is taken once
 * @awaited: shares of sockets on which a call may be under way
 * @rcu: when there is none any more: hooks look tables up under RCU, and use them
 *	with interrupts off
 * @awaited_nr: length of @awaited
 * @guessed: sockets that contribute to a row of class remote on a guess; no lock
 * @released: nothing pins it and no socket is unbound any more: its memory
 *	is about to go
 */
struct portsock_table {
	raw_spinlock_t lock;
	raw_spinlock_t areas_lock;
	struct rb_root services;
	struct portsock_idles idle;
	struct portsock_idles idle_remote;
	struct portsock_totals totals;
	DECLARE_BITMAP(areas, AREAS);
	struct portsock_body *folded[PORTSOCK_PROTO_NR];
	struct portsock_past past[PORTSOCK_PROTO_NR];
	union {
		struct list_head awaited;
		struct rcu_head rcu;
	};
	unsigned int awaited_nr;
	atomic_t guessed;
	unsigned int pins;
	bool first;
	bool dead;
	bool released;
};

struct portsock_table *portsock_table_new(bool first);
void portsock_table_die(struct portsock_table *table);
void portsock_table_unpin(struct portsock_table *table);
void portsock_table_settle(struct portsock_table *table);
bool portsock_table_is_released(struct portsock_table *table);

/*
 * A socket is unbound. Returns false when the table is about to go: whoever
 * found that it may has had the lock of the total before. Interrupts are off.
 */
static __always_inline bool table_unbound_add(struct portsock_table *table,
					      u8 proto, bool ipv6)
{
	struct portsock_total *total = total_of(&table->totals, proto);

	if (likely(total_lock_one_come(&table->totals, proto, total))) {
		unbound_add(&total->numbers.unbound, ipv6);
		raw_unlock_some(&total->lock);
	} else {
		portsock_total_unbound_add(total, ipv6);
	}
	return likely(!READ_ONCE(table->dead)) ||
	       !portsock_table_is_released(table);
}

/* It is no longer. */
static __always_inline void table_unbound_sub(struct portsock_table *table,
					      u8 proto, bool ipv6)
{
	struct portsock_total *total = total_of(&table->totals, proto);

	if (likely(total_lock_one(total))) {
		unbound_sub(&total->numbers.unbound, ipv6);
		raw_unlock_some(&total->lock);
	} else {
		portsock_total_unbound_sub(total, ipv6);
	}
	if (unlikely(READ_ONCE(table->dead)))
		portsock_table_settle(table);
}

#endif /* PORTSOCK_TABLE_H */
