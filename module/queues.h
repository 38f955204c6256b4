/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The sockets of a row in which something waits: listeners, and sockets that
 * receive datagrams.
 */
#ifndef PORTSOCK_QUEUES_H
#define PORTSOCK_QUEUES_H

#include <linux/rbtree.h>

#include "holding.h"
#include "queue.h"

void __portsock_queues_add(struct rb_root *root, struct portsock_share *share);
u32 __portsock_queues_del(struct rb_root *root, struct portsock_share *share);
unsigned long __portsock_queues_sum(const struct rb_root *root,
				    unsigned long address,
				    struct portsock_queue *queue);

#endif /* PORTSOCK_QUEUES_H */
