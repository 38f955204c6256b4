/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the ephemeral rows of a protocol say together.
 */
#ifndef PORTSOCK_TOTAL_H
#define PORTSOCK_TOTAL_H

#include <linux/types.h>

#include "counts.h"
#include "depth.h"
#include "lock.h"

/**
 * struct portsock_total - what the ephemeral rows of a protocol say together
 * @lock: protects all below; nests inside the locks of row buckets and of the
 *	table
 * @ports: how many rows there are; as long as there is one the table stays
 * @counts: their sum, those gone included
 * @depth: what else is known of these; NULL while there is nothing
 */
struct portsock_total {
	raw_spinlock_t lock;
	u32 ports;
	struct portsock_counts counts;
	struct portsock_depth *depth;
};

#endif /* PORTSOCK_TOTAL_H */
