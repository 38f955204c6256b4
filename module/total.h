/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the ephemeral rows of a protocol say together, and its unbound sockets.
 */
#ifndef PORTSOCK_TOTAL_H
#define PORTSOCK_TOTAL_H

#include <linux/types.h>

#include "lock.h"
#include "numbers.h"

/**
 * struct portsock_total - what the ephemeral rows of a protocol say together, and
 * its unbound sockets
 * @lock: protects all below; nests inside the locks of row buckets and of the
 *	table
 * @numbers: the sum of these rows, those gone included; as long as there is one,
 *	or an unbound socket, the table stays
 */
struct portsock_total {
	raw_spinlock_t lock;
	struct portsock_numbers numbers;
};

/* A change of what is known of a row, or of a total. */
typedef void depth_change(struct portsock_depth *depth, const void *by);

/* Interrupts are off. */
static __always_inline void total_depth_change(struct portsock_total *total,
					       depth_change *change,
					       const void *by)
{
	struct portsock_depth *depth;

	raw_lock(&total->lock);
	depth = depth_of(&total->numbers.depth);
	if (depth)
		change(depth, by);
	raw_unlock(&total->lock);
}

#endif /* PORTSOCK_TOTAL_H */
