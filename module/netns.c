// SPDX-License-Identifier: GPL-2.0
/*
 * Namespaces come and go; each has a table while it is there.
 */
#include "netns.h"

#include <linux/sched.h>

#include "row.h"
#include "spread.h"
#include "wants.h"

unsigned int portsock_netns_id;
struct portsock_table __rcu *portsock_netns_stand_in_table;

static int netns_add(struct net *net)
{
	struct portsock_netns *ns = net_generic(net, portsock_netns_id);
	struct portsock_table *table;

	table = portsock_table_new(net_eq(net, &init_net));
	if (!table)
		return -ENOMEM;
	rcu_assign_pointer(ns->table, table);
	return 0;
}

/*
 * The kernel purges TIME_WAIT sockets and its own sockets of the namespace
 * only after this.
 */
static void netns_del(struct net *net)
{
	struct portsock_netns *ns = net_generic(net, portsock_netns_id);
	struct portsock_table *table = portsock_netns_own(net);

	RCU_INIT_POINTER(ns->table, NULL);
	portsock_spread_end(table);
	portsock_rows_kill(table);
}

static struct pernet_operations netns_ops = {
	.init = netns_add,
	.exit = netns_del,
	.id = &portsock_netns_id,
	.size = sizeof(struct portsock_netns),
};

/**
 * portsock_netns_own() - the table of a namespace, whatever stands in for it
 * @net: a namespace between portsock_netns_init() and _exit() that is not going
 *
 * Context: process; operations on a namespace that were registered later.
 */
struct portsock_table *portsock_netns_own(struct net *net)
{
	struct portsock_netns *ns = net_generic(net, portsock_netns_id);

	return rcu_dereference_protected(ns->table, 1);
}

/**
 * portsock_netns_next() - the next namespace
 * @net: from here, or NULL to begin with; the reference on it is dropped
 *
 * The reference keeps a namespace in the list; namespaces that are going are
 * skipped.
 *
 * Context: process, may sleep.
 * Return: it, with a reference, or NULL when there is none.
 */
struct net *portsock_netns_next(struct net *net)
{
	struct net *next;

	down_read(&net_rwsem);
	next = list_prepare_entry(net, &net_namespace_list, list);
	list_for_each_entry_continue(next, &net_namespace_list, list)
		if (maybe_get_net(next))
			break;
	if (list_entry_is_head(next, &net_namespace_list, list))
		next = NULL;
	up_read(&net_rwsem);
	if (net)
		put_net(net);
	return next;
}

static void wants_grant(struct portsock_table *table,
			const struct portsock_want *wants, unsigned int nr)
{
	for (; nr; wants++, nr--)
		if (wants->owner == table || wants->owner == &table->totals)
			portsock_spread(table, wants->key);
}

/**
 * portsock_netns_spread() - let CPUs have cells of what they waited for
 *
 * What they want of a namespace that is not there any more they do not want.
 *
 * Context: process, may sleep.
 */
void portsock_netns_spread(void)
{
	struct portsock_want wants[WANTS_MAX];
	unsigned int nr = portsock_wants_take(wants);
	struct net *net = NULL;

	if (!nr)
		return;
	while ((net = portsock_netns_next(net))) {
		wants_grant(portsock_netns_own(net), wants, nr);
		cond_resched();
	}
}

/**
 * portsock_netns_stand_in() - let another table stand in for that of init_net
 * @table: it, or NULL for every namespace's own again
 *
 * Meanwhile no other namespace has one. After NULL the caller waits for an RCU
 * grace period before the table goes.
 *
 * Context: process.
 */
void portsock_netns_stand_in(struct portsock_table *table)
{
	rcu_assign_pointer(portsock_netns_stand_in_table, table);
}

/**
 * portsock_netns_init() - give every namespace, present and future, a table
 *
 * Context: process, may sleep.
 * Return: 0 or a negative errno.
 */
int portsock_netns_init(void)
{
	return register_pernet_subsys(&netns_ops);
}

/**
 * portsock_netns_exit() - take the tables of all namespaces away
 *
 * Context: process, may sleep. Every share was deleted.
 */
void portsock_netns_exit(void)
{
	unregister_pernet_subsys(&netns_ops);
}
