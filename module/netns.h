/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The table of each network namespace.
 */
#ifndef PORTSOCK_NETNS_H
#define PORTSOCK_NETNS_H

#include <net/net_namespace.h>
#include <net/netns/generic.h>

#include "table.h"

int portsock_netns_init(void);
void portsock_netns_exit(void);

struct portsock_table *portsock_netns_own(struct net *net);
struct net *portsock_netns_next(struct net *net);
void portsock_netns_spread(void);
void portsock_netns_stand_in(struct portsock_table *table);

/**
 * struct portsock_netns - what a network namespace keeps for portsock
 * @table: its rows, NULL before and after
 */
struct portsock_netns {
	struct portsock_table __rcu *table;
};

extern unsigned int portsock_netns_id;
extern struct portsock_table __rcu *portsock_netns_stand_in_table;

/* Whoever cannot be preempted is on RCU's read side as well. */
#define netns_dereference(pointer) \
	rcu_dereference_check(pointer, rcu_read_lock_any_held())

/**
 * portsock_netns_table() - the table of a namespace
 * @net: any namespace
 *
 * Context: RCU read side, which also bounds the use of the table; to hooks that
 * every connection passes preempt_disable_notrace() is cheaper.
 * Return: the table, or NULL when the namespace is going.
 */
static inline struct portsock_table *portsock_netns_table(const struct net *net)
{
	/* as net_generic(), which every socket would have lock RCU once more */
	const struct portsock_netns *ns =
		netns_dereference(net->gen)->ptr[portsock_netns_id];
	struct portsock_table *table =
		netns_dereference(portsock_netns_stand_in_table);

	if (unlikely(table))
		return net_eq(net, &init_net) ? table : NULL;
	/* a namespace in the making has sockets before it has a table */
	return ns ? netns_dereference(ns->table) : NULL;
}

#endif /* PORTSOCK_NETNS_H */
