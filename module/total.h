/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the ephemeral rows of a protocol say together, and its unbound sockets.
 */
#ifndef PORTSOCK_TOTAL_H
#define PORTSOCK_TOTAL_H

#include <linux/types.h>

#include "counts.h"
#include "depth.h"
#include "lock.h"
#include "unbound.h"

/**
 * struct portsock_total - what the ephemeral rows of a protocol say together, and
 * its unbound sockets
 * @lock: protects all below; nests inside the locks of row buckets and of the
 *	table
 * @ports: how many rows there are; as long as there is one the table stays
 * @counts: their sum, those gone included
 * @depth: what else is known of these; NULL while there is nothing
 * @unbound: sockets that hold no port
 */
struct portsock_total {
	raw_spinlock_t lock;
	u32 ports;
	struct portsock_counts counts;
	struct portsock_depth *depth;
	struct portsock_unbound unbound;
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
	depth = depth_of(&total->depth);
	if (depth)
		change(depth, by);
	raw_unlock(&total->lock);
}

#endif /* PORTSOCK_TOTAL_H */
