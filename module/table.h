/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What portsock shows of one network namespace.
 */
#ifndef PORTSOCK_TABLE_H
#define PORTSOCK_TABLE_H

#include <linux/list.h>
#include <linux/rbtree.h>
#include <linux/spinlock.h>
#include <linux/types.h>

#include "counts.h"
#include "depth.h"
#include "portsock.h"
#include "unbound.h"

/**
 * struct portsock_total - what many rows of one protocol say together
 * @counts: their sum
 * @depth: that of those that are gone; NULL while there is nothing
 * @ports: how many they are, or were
 */
struct portsock_total {
	struct portsock_counts counts;
	struct portsock_depth *depth;
	u64 ports;
};

/**
 * struct portsock_table - the rows of one network namespace
 * @lock: protects all below, and the class and the linkage of the rows; nests
 *	inside a row bucket lock
 * @services: rows of class service, by (protocol, port)
 * @ephemerals: rows of class ephemeral, by (protocol, port)
 * @unused: service rows without a share that were never used, see
 *	PORTSOCK_USE_SECONDS, the one idle for longest first
 * @used: those that were, in the same order
 * @idle_nr: length of both lists
 * @totals: per protocol, what all ephemeral rows say, those gone included; its
 *	@ports are those there are now
 * @folded: per protocol, what service rows said when they were folded, each as
 *	often as it was
 * @pins: one for the namespace, one for each row
 * @first: of the machine's first namespace
 * @dead: the namespace is going; rows vanish with their last share
 * @awaited: shares of sockets on which a call may be under way
 * @awaited_nr: length of @awaited
 * @released: nothing pins it and no socket is unbound any more: its memory
 *	is about to go
 * @unbound: per protocol, sockets that hold no port; no lock
 * @rcu: hooks look tables up under RCU, and use them with interrupts off
 */
struct portsock_table {
	raw_spinlock_t lock;
	struct rb_root services;
	struct rb_root ephemerals;
	struct list_head unused;
	struct list_head used;
	unsigned int idle_nr;
	struct portsock_total totals[PORTSOCK_PROTO_NR];
	struct portsock_total folded[PORTSOCK_PROTO_NR];
	struct list_head awaited;
	unsigned int awaited_nr;
	unsigned int pins;
	bool first;
	bool dead;
	bool released;
	struct portsock_unbound unbound[PORTSOCK_PROTO_NR];
	struct rcu_head rcu;
};

struct portsock_table *portsock_table_new(bool first);
void portsock_table_die(struct portsock_table *table);
void portsock_table_unpin(struct portsock_table *table);
void portsock_table_settle(struct portsock_table *table);
bool portsock_table_is_released(struct portsock_table *table);

#endif /* PORTSOCK_TABLE_H */
