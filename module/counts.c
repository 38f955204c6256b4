// SPDX-License-Identifier: GPL-2.0
/*
 * How often the arithmetic was found wrong.
 */
#include "counts.h"

#include <linux/atomic.h>
#include <linux/bug.h>

/* Times that more was to be taken out of a gauge than was in it. */
static atomic64_t short_gauges = ATOMIC64_INIT(0);

static noinline void gauge_short(void)
{
	WARN_ONCE(IS_ENABLED(CONFIG_DEBUG_NET),
		  "a gauge would have gone below zero\n");
	atomic64_inc(&short_gauges);
}

/**
 * portsock_gauge_mend() - a gauge that is below zero becomes zero
 * @gauge: any; zero is nearer to the truth
 *
 * Context: any; the caller holds the lock that protects @gauge.
 */
void portsock_gauge_mend(u32 *gauge)
{
	if ((s32)*gauge >= 0)
		return;
	*gauge = 0;
	gauge_short();
}

/**
 * portsock_gauges_mend() - some gauges are below zero: they become zero
 * @counts: these
 *
 * Context: any; the caller holds the lock that protects @counts.
 */
void portsock_gauges_mend(struct portsock_counts *counts)
{
	int state;

	for (state = 0; state < PORTSOCK_STATE_NR; state++)
		portsock_gauge_mend(&counts->state[state]);
	portsock_gauge_mend(&counts->sockets);
	portsock_gauge_mend(&counts->ipv6);
}

/**
 * portsock_gauges_short() - how often a gauge would have gone below zero
 *
 * It was wrong before, then.
 *
 * Context: any.
 * Return: times since the module was loaded.
 */
u64 portsock_gauges_short(void)
{
	return atomic64_read(&short_gauges);
}
