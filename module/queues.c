// SPDX-License-Identifier: GPL-2.0
/*
 * They are in a tree, by address of their share, so that a reader who let go of
 * the lock finds where he was.
 */
#include "queues.h"

/**
 * __portsock_queues_add() - readers of a row are to look at a socket
 * @root: the row's tree; the caller holds the lock of the row's bucket
 * @share: the socket's; it cannot be freed before it is taken out again
 */
void __portsock_queues_add(struct rb_root *root, struct portsock_share *share)
{
	struct rb_node **link = &root->rb_node;
	struct rb_node *parent = NULL;

	share->drops = portsock_queue_drops(share->sk);
	while (*link) {
		parent = *link;
		if (share < rb_entry(parent, struct portsock_share, queue))
			link = &parent->rb_left;
		else
			link = &parent->rb_right;
	}
	rb_link_node(&share->queue, parent, link);
	rb_insert_color(&share->queue, root);
}

/**
 * __portsock_queues_del() - they are not to look at it any more
 * @root: the row's tree; the caller holds the lock of the row's bucket
 * @share: in it
 *
 * Return: what the socket has dropped meanwhile; 0 if it may be gone.
 */
u32 __portsock_queues_del(struct rb_root *root, struct portsock_share *share)
{
	rb_erase(&share->queue, root);
	return share->sk ? portsock_queue_drops(share->sk) - share->drops : 0;
}

/* The first one behind that address. */
static const struct portsock_share *__queues_after(const struct rb_root *root,
						   unsigned long address)
{
	const struct portsock_share *best = NULL;
	const struct rb_node *node = root->rb_node;

	while (node) {
		const struct portsock_share *share;

		share = rb_entry(node, struct portsock_share, queue);
		if ((unsigned long)share <= address) {
			node = node->rb_right;
		} else {
			best = share;
			node = node->rb_left;
		}
	}
	return best;
}

/* So many are looked at before others may have the lock. */
#define QUEUES_BATCH 32

/**
 * __portsock_queues_sum() - add up what waits in some sockets
 * @root: the row's tree; the caller holds the lock of the row's bucket
 * @address: of the share to go on behind; 0 to begin with
 * @queue: receives what is there in addition
 *
 * Return: the address of the last one, or 0 when there are no more.
 */
unsigned long __portsock_queues_sum(const struct rb_root *root,
				    unsigned long address,
				    struct portsock_queue *queue)
{
	const struct portsock_share *share = __queues_after(root, address);
	unsigned int left = QUEUES_BATCH;

	for (; share && left; left--) {
		const struct rb_node *next = rb_next(&share->queue);

		portsock_queue_add(queue, share->sk, share->proto,
				   share->drops);
		address = (unsigned long)share;
		share = rb_entry_safe(next, struct portsock_share, queue);
	}
	return share ? address : 0;
}
