// SPDX-License-Identifier: GPL-2.0
/*
 * Its memory is apart, as single ephemeral rows have none, and a namespace that
 * has nothing to count should not pay for it.
 */
#include "depth.h"

#include <linux/atomic.h>
#include <linux/minmax.h>
#include <linux/string.h>

#include "pool.h"

static struct portsock_pool depth_pool;

/* Times that there was no memory. */
static atomic64_t lacking = ATOMIC64_INIT(0);

/**
 * portsock_depths_init() - make room
 *
 * Context: process, may sleep.
 * Return: 0 or -ENOMEM.
 */
int portsock_depths_init(void)
{
	return portsock_pool_init(&depth_pool, "portsock_depth",
				  sizeof(struct portsock_depth), 0);
}

/**
 * portsock_depths_refill() - many may be wanted at once
 *
 * Context: process, may sleep.
 */
void portsock_depths_refill(void)
{
	portsock_pool_refill(&depth_pool);
}

/**
 * portsock_depths_exit() - give the room back
 *
 * Context: process, may sleep. All were freed.
 */
void portsock_depths_exit(void)
{
	portsock_pool_exit(&depth_pool);
}

/**
 * portsock_depth_new() - nothing is known yet
 *
 * Context: any but NMI, interrupts off.
 * Return: all zero, or NULL without memory. Ends with portsock_depth_free().
 */
struct portsock_depth *portsock_depth_new(void)
{
	struct portsock_depth *depth = portsock_pool_get(&depth_pool);

	if (depth)
		memset(depth, 0, sizeof(*depth));
	else
		atomic64_inc(&lacking);
	return depth;
}

/**
 * portsock_depth_free() - it is of no use any more
 * @depth: from portsock_depth_new(), or NULL
 *
 * Context: any but NMI, interrupts off.
 */
void portsock_depth_free(struct portsock_depth *depth)
{
	if (depth)
		portsock_pool_put(&depth_pool, depth);
}

static void durations_sum(struct portsock_durations *to,
			  const struct portsock_durations *from)
{
	int i;

	to->us += from->us;
	for (i = 0; i < PORTSOCK_HISTOGRAM_NR; i++)
		to->log2[i] += from->log2[i];
}

static void samples_sum(struct portsock_samples *to,
			const struct portsock_samples *from)
{
	to->nr += from->nr;
	to->us += from->us;
}

/**
 * portsock_depth_add() - add what is known of a row to a sum
 * @to: the sum
 * @from: of the row
 *
 * Context: any; the caller holds the locks that protect both.
 */
void portsock_depth_add(struct portsock_depth *to,
			const struct portsock_depth *from)
{
	int cause;

	to->drops += from->drops;
	for (cause = 0; cause < PORTSOCK_CAUSE_NR; cause++)
		to->ends[cause] += from->ends[cause];
	to->retrans += from->retrans;
	to->bytes.rx += from->bytes.rx;
	to->bytes.tx += from->bytes.tx;
	to->ended += from->ended;
	durations_sum(&to->lifetime, &from->lifetime);
	to->accepts += from->accepts;
	durations_sum(&to->accept_wait, &from->accept_wait);
	samples_sum(&to->handshakes, &from->handshakes);
	samples_sum(&to->rtts, &from->rtts);
	to->backlog_peak = max(to->backlog_peak, from->backlog_peak);
	if (to->used < from->used) {
		to->user = from->user;
		to->used = from->used;
	}
}

/**
 * portsock_depth_fold() - the same of a row that goes
 * @sum: NULL while nothing is in it: then it takes that of the row
 * @row: of the row; the sum may have taken it afterwards
 *
 * Context: any; the caller holds the locks that protect both.
 */
void portsock_depth_fold(struct portsock_depth **sum,
			 struct portsock_depth **row)
{
	if (!*row)
		return;
	if (*sum)
		portsock_depth_add(*sum, *row);
	else
		swap(*sum, *row);
}

static void grow(u64 *number, u64 to)
{
	*number = max(*number, to);
}

static void samples_grow(struct portsock_samples *samples,
			 const struct portsock_samples *to)
{
	grow(&samples->nr, to->nr);
	grow(&samples->us, to->us);
}

/**
 * portsock_depth_grow() - what a connection adds to, let each number become at
 * least what another one is
 * @depth: that may grow
 * @to: to which
 *
 * Context: any; the caller holds the locks that protect both.
 */
void portsock_depth_grow(struct portsock_depth *depth,
			 const struct portsock_depth *to)
{
	int i;

	for (i = 0; i < PORTSOCK_CAUSE_NR; i++)
		grow(&depth->ends[i], to->ends[i]);
	grow(&depth->retrans, to->retrans);
	grow(&depth->bytes.rx, to->bytes.rx);
	grow(&depth->bytes.tx, to->bytes.tx);
	grow(&depth->ended, to->ended);
	grow(&depth->lifetime.us, to->lifetime.us);
	for (i = 0; i < PORTSOCK_HISTOGRAM_NR; i++)
		grow(&depth->lifetime.log2[i], to->lifetime.log2[i]);
	samples_grow(&depth->handshakes, &to->handshakes);
	samples_grow(&depth->rtts, &to->rtts);
}

/**
 * portsock_depths_lacking() - how often there was no memory
 *
 * Something was not counted, or not yet.
 *
 * Context: any.
 * Return: times since the module was loaded.
 */
u64 portsock_depths_lacking(void)
{
	return atomic64_read(&lacking);
}
