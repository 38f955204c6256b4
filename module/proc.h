/* SPDX-License-Identifier: GPL-2.0 */
/*
 * /proc/portsock.
 */
#ifndef PORTSOCK_PROC_H
#define PORTSOCK_PROC_H

struct net;
struct portsock_table;

int portsock_proc_init(void);
void portsock_proc_exit(void);

int portsock_proc_add(struct net *net, struct portsock_table *table);
void portsock_proc_del(struct net *net);

#endif /* PORTSOCK_PROC_H */
