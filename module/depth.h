/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What is known of a port beyond its numbers of sockets.
 */
#ifndef PORTSOCK_DEPTH_H
#define PORTSOCK_DEPTH_H

#include <linux/compiler.h>
#include <linux/types.h>

#include "end.h"

/**
 * struct portsock_depth - of a service, or of a sum of rows
 * @drops: what the kernel dropped at sockets that are gone
 * @drops_shown: the most that was shown of these and those that are there; a
 *	reader who lets go of the lock may find less
 * @ends: connections that are over, by cause
 * @retrans: segments that were sent again
 * @backlog_peak: most connections that waited for accept() at a listener, or,
 *	as far as readers saw, at all of them
 *
 * Protected as the row's, or the sum's, counters are.
 */
struct portsock_depth {
	u64 drops;
	u64 drops_shown;
	u64 ends[PORTSOCK_CAUSE_NR];
	u64 retrans;
	u32 backlog_peak;
};

int portsock_depths_init(void);
void portsock_depths_refill(void);
void portsock_depths_exit(void);

struct portsock_depth *portsock_depth_new(void);
void portsock_depth_free(struct portsock_depth *depth);
void portsock_depth_fold(struct portsock_depth **sum,
			 struct portsock_depth **row);
u64 portsock_depths_lacking(void);

/*
 * That of a row or sum, made when there is something to be counted for the
 * first time. Interrupts are off. NULL without memory.
 */
static inline struct portsock_depth *depth_of(struct portsock_depth **depth)
{
	if (unlikely(!*depth))
		*depth = portsock_depth_new();
	return *depth;
}

#endif /* PORTSOCK_DEPTH_H */
