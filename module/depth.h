/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What is known of a port beyond its numbers of sockets.
 */
#ifndef PORTSOCK_DEPTH_H
#define PORTSOCK_DEPTH_H

#include <linux/minmax.h>
#include <linux/types.h>

/**
 * struct portsock_depth - of a service, or of a sum of rows
 * @drops: what the kernel dropped at sockets that are gone
 * @drops_shown: the most that was shown of these and those that are there; a
 *	reader who lets go of the lock may find less
 * @backlog_peak: most connections that waited for accept() at a listener, or,
 *	as far as readers saw, at all of them
 *
 * Protected as the row's, or the sum's, counters are.
 */
struct portsock_depth {
	u64 drops;
	u64 drops_shown;
	u32 backlog_peak;
};

/* Adds a row that goes to a sum. */
static inline void depth_fold(struct portsock_depth *sum,
			      const struct portsock_depth *row)
{
	sum->drops += row->drops;
	sum->backlog_peak = max(sum->backlog_peak, row->backlog_peak);
}

#endif /* PORTSOCK_DEPTH_H */
