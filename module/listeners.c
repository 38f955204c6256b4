// SPDX-License-Identifier: GPL-2.0
/*
 * Listeners are in a tree, by address, so that a reader who let go of the lock
 * finds where he was.
 */
#include "listeners.h"

/**
 * __portsock_listeners_add() - a socket of a row listens
 * @root: the row's tree; the caller holds the lock of the row's bucket
 * @listener: it
 */
void __portsock_listeners_add(struct rb_root *root,
			      struct portsock_listener *listener)
{
	struct rb_node **link = &root->rb_node;
	struct rb_node *parent = NULL;

	while (*link) {
		parent = *link;
		if (listener < rb_entry(parent, struct portsock_listener, node))
			link = &parent->rb_left;
		else
			link = &parent->rb_right;
	}
	rb_link_node(&listener->node, parent, link);
	rb_insert_color(&listener->node, root);
}

/* The first one behind that address. */
static const struct portsock_listener *
__listeners_after(const struct rb_root *root, unsigned long address)
{
	const struct portsock_listener *best = NULL;
	const struct rb_node *node = root->rb_node;

	while (node) {
		const struct portsock_listener *listener;

		listener = rb_entry(node, struct portsock_listener, node);
		if ((unsigned long)listener <= address) {
			node = node->rb_right;
		} else {
			best = listener;
			node = node->rb_left;
		}
	}
	return best;
}

/* So many are asked for their requests before others may have the lock. */
#define LISTENERS_BATCH 32

/**
 * __portsock_listeners_requests() - add up the requests of some listeners
 * @root: the row's tree; the caller holds the lock of the row's bucket
 * @address: of the listener to go on behind; 0 to begin with
 * @requests: receives their requests in addition
 *
 * Return: the address of the last one, or 0 when there are no more.
 */
unsigned long __portsock_listeners_requests(const struct rb_root *root,
					    unsigned long address,
					    u32 *requests)
{
	const struct portsock_listener *listener;
	unsigned int left = LISTENERS_BATCH;

	listener = __listeners_after(root, address);
	for (; listener && left; left--) {
		const struct rb_node *next = rb_next(&listener->node);

		*requests += atomic_read(listener->requests);
		address = (unsigned long)listener;
		listener = rb_entry_safe(next, struct portsock_listener, node);
	}
	return listener ? address : 0;
}
