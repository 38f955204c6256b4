/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The table of each network namespace.
 */
#ifndef PORTSOCK_NETNS_H
#define PORTSOCK_NETNS_H

#include "table.h"

struct net;

int portsock_netns_init(void);
void portsock_netns_exit(void);

struct portsock_table *portsock_netns_table(const struct net *net);
void portsock_netns_stand_in(struct portsock_table *table);

#endif /* PORTSOCK_NETNS_H */
