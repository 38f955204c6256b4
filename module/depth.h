/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What is known of a port beyond its numbers of sockets.
 */
#ifndef PORTSOCK_DEPTH_H
#define PORTSOCK_DEPTH_H

#include <linux/bitops.h>
#include <linux/compiler.h>
#include <linux/math64.h>
#include <linux/minmax.h>
#include <linux/time64.h>
#include <linux/types.h>

#include "end.h"
#include "owner.h"
#include "portsock.h"

/**
 * struct portsock_durations - how long something took
 * @us: sum, in microseconds
 * @log2: how often less than 1, 2, 4 ... milliseconds, and not less than half
 */
struct portsock_durations {
	u64 us;
	u64 log2[PORTSOCK_HISTOGRAM_NR];
};

/**
 * struct portsock_samples - sum and number of measurements
 */
struct portsock_samples {
	u64 nr;
	u64 us;
};

/**
 * struct portsock_depth - of a service, or of a sum of rows
 * @drops: what the kernel dropped at sockets that are gone
 * @drops_shown: the most that was shown of these and those that are there; a
 *	reader who lets go of the lock may find less
 * @ends: connections that are over, by cause
 * @retrans: segments that were sent again
 * @bytes: payload of connections; may take back the one of a FIN
 * @bytes_shown: the most that was shown of it
 * @ended: connections that are over, of which it is known since when they were
 *	established
 * @lifetime: of these
 * @accepts: connections that were handed out by accept(), of which the same is
 *	known
 * @accept_wait: how long these had waited
 * @handshakes: how long connections waited for the first answer
 * @rtts: round trip times, as TCP had smoothed them, of connections at their end
 * @by: who listens, or did last; of datagrams, who called bind()
 * @user: who called accept(), or was sent a socket, last
 * @used: when, in microseconds of the monotonic clock
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
	struct portsock_bytes bytes;
	struct portsock_bytes bytes_shown;
	u64 ended;
	struct portsock_durations lifetime;
	u64 accepts;
	struct portsock_durations accept_wait;
	struct portsock_samples handshakes;
	struct portsock_samples rtts;
	struct portsock_owner by;
	struct portsock_owner user;
	u64 used;
	u32 backlog_peak;
};

int portsock_depths_init(void);
void portsock_depths_refill(void);
void portsock_depths_exit(void);

struct portsock_depth *portsock_depth_new(void);
void portsock_depth_free(struct portsock_depth *depth);
void portsock_depth_add(struct portsock_depth *to,
			const struct portsock_depth *from);
void portsock_depth_grow(struct portsock_depth *depth,
			 const struct portsock_depth *to);
void portsock_depth_fold(struct portsock_depth **sum,
			 struct portsock_depth **row);
u64 portsock_depths_lacking(void);

static inline void durations_add(struct portsock_durations *durations, u64 us)
{
	durations->us += us;
	durations->log2[min_t(int, fls64(div_u64(us, USEC_PER_MSEC)),
			      PORTSOCK_HISTOGRAM_NR - 1)]++;
}

/* What is 0 was not measured. */
static inline void samples_add(struct portsock_samples *samples, u32 us)
{
	if (!us)
		return;
	samples->nr++;
	samples->us += us;
}

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

/*
 * A connection is over. @depth: NULL without memory; @conn: what was known of it.
 * Caller holds the lock that protects @depth.
 */
static inline void depth_end(struct portsock_depth *depth,
			     const struct portsock_conn *conn,
			     const struct portsock_end *end)
{
	if (!depth)
		return;
	depth->ends[end->cause]++;
	if (!end->now)
		return;
	depth->bytes.rx += end->bytes.rx - conn->told.rx;
	depth->bytes.tx += end->bytes.tx - conn->told.tx;
	samples_add(&depth->rtts, end->rtt);
	if (!conn->since)
		return;
	depth->ended++;
	durations_add(&depth->lifetime, end->now - conn->since);
}

#endif /* PORTSOCK_DEPTH_H */
