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
#include "total.h"

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
 * @services: rows of class service, by (protocol, port), and behind them those
 *	of class remote
 * @idle: service rows without a share
 * @idle_remote: the same of class remote
 * @totals: per protocol, what all ephemeral rows say, those gone included, and
 *	the unbound sockets
 * @areas: a bit for each that may have an ephemeral row; set under the lock of
 *	that row's bucket
 * @areas_lock: held by who clears a bit of @areas, or relies on one that is
 *	clear; row bucket locks nest inside
 * @folded: per protocol, what idle services said when they were folded, each as
 *	often as it was; NULL while there is nothing
 * @past: per protocol, the same of class remote
 * @pins: one for the namespace, one for each row in @services
 * @first: of the machine's first namespace
 * @dead: the namespace is going; rows vanish with their last share. Set under
 *	@lock, and before each of the locks of @totals is taken once
 * @awaited: shares of sockets on which a call may be under way
 * @awaited_nr: length of @awaited
 * @guessed: sockets that contribute to a row of class remote on a guess; no lock
 * @released: nothing pins it and no socket is unbound any more: its memory
 *	is about to go
 * @rcu: hooks look tables up under RCU, and use them with interrupts off
 */
struct portsock_table {
	raw_spinlock_t lock;
	struct rb_root services;
	struct portsock_idles idle;
	struct portsock_idles idle_remote;
	struct portsock_total totals[PORTSOCK_PROTO_NR];
	DECLARE_BITMAP(areas, AREAS);
	raw_spinlock_t areas_lock;
	struct portsock_body *folded[PORTSOCK_PROTO_NR];
	struct portsock_past past[PORTSOCK_PROTO_NR];
	struct list_head awaited;
	unsigned int awaited_nr;
	atomic_t guessed;
	unsigned int pins;
	bool first;
	bool dead;
	bool released;
	struct rcu_head rcu;
};

struct portsock_table *portsock_table_new(bool first);
void portsock_table_die(struct portsock_table *table);
void portsock_table_unpin(struct portsock_table *table);
void portsock_table_settle(struct portsock_table *table);
bool portsock_table_is_released(struct portsock_table *table);

#endif /* PORTSOCK_TABLE_H */
