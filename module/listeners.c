// SPDX-License-Identifier: GPL-2.0
/*
 * Listeners are in a tree of their row, by address, so that a reader who let go of the
 * lock finds where he was.
 */
#include "listeners.h"

/* Caller holds the row's bucket lock. */
static void __listeners_add(struct portsock_row *row, struct portsock_share *share)
{
	struct rb_node **link = &row->listeners.rb_node;
	struct rb_node *parent = NULL;

	while (*link) {
		parent = *link;
		if (share < rb_entry(parent, struct portsock_share, listen))
			link = &parent->rb_left;
		else
			link = &parent->rb_right;
	}
	rb_link_node(&share->listen, parent, link);
	rb_insert_color(&share->listen, &row->listeners);
}

/* Caller holds the row's bucket lock. The first one behind that address. */
static const struct portsock_share *__listeners_after(const struct portsock_row *row,
						      unsigned long address)
{
	const struct rb_node *node = row->listeners.rb_node;
	const struct portsock_share *best = NULL;

	while (node) {
		const struct portsock_share *share;

		share = rb_entry(node, struct portsock_share, listen);
		if ((unsigned long)share <= address) {
			node = node->rb_right;
		} else {
			best = share;
			node = node->rb_left;
		}
	}
	return best;
}

/**
 * __portsock_listeners_update() - a share begins to listen, or ceases to
 * @share: contributes to a row, the lock of whose bucket the caller holds
 * @was: it listened before
 */
void __portsock_listeners_update(struct portsock_share *share, bool was)
{
	if (share->requests && !was)
		__listeners_add(share->row, share);
	else if (!share->requests && was)
		rb_erase(&share->listen, &share->row->listeners);
}

/* Listeners that are asked for their requests before others may have the lock. */
#define LISTENERS_BATCH 32

/**
 * __portsock_listeners_requests() - add up the requests of some listeners
 * @row: the caller holds the lock of its bucket
 * @address: of the listener to go on behind; 0 to begin with
 * @requests: receives their requests in addition
 *
 * Return: the address of the last one, or 0 when there are no more.
 */
unsigned long __portsock_listeners_requests(const struct portsock_row *row, unsigned long address,
				    u32 *requests)
{
	const struct portsock_share *share = __listeners_after(row, address);
	unsigned int left = LISTENERS_BATCH;

	for (; share && left; left--) {
		const struct rb_node *next = rb_next(&share->listen);

		*requests += atomic_read(share->requests);
		address = (unsigned long)share;
		share = rb_entry_safe(next, struct portsock_share, listen);
	}
	return share ? address : 0;
}
