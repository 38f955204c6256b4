/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The listeners of a row, and the connection requests that wait for them.
 */
#ifndef PORTSOCK_LISTENERS_H
#define PORTSOCK_LISTENERS_H

#include <linux/atomic.h>
#include <linux/rbtree.h>
#include <linux/types.h>

/**
 * struct portsock_listener - a socket that waits for connections
 * @node: in the tree of its row
 * @requests: the kernel's number of connection requests (mini-sockets
 *	in NEW_SYN_RECV)
 *
 * Protected by the lock of the row's bucket.
 */
struct portsock_listener {
	struct rb_node node;
	const atomic_t *requests;
};

void __portsock_listeners_add(struct rb_root *root,
			      struct portsock_listener *listener);
unsigned long __portsock_listeners_requests(const struct rb_root *root,
					    unsigned long address,
					    u32 *requests);

#endif /* PORTSOCK_LISTENERS_H */
