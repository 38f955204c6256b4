// SPDX-License-Identifier: GPL-2.0
/*
 * The kernel tells when a connection ends, not when it carries something. Those
 * that stay open for long, as of a pool of a database, are asked; only if
 * somebody reads, as that costs time for each.
 */
#include "sample.h"

#include <linux/ktime.h>
#include <linux/module.h>
#include <linux/workqueue.h>

#include "compat.h"
#include "sk.h"
#include "socks.h"

static unsigned int sample_ms = 10000;
module_param(sample_ms, uint, 0444);
MODULE_PARM_DESC(sample_ms, "a read has open connections asked for their bytes if that was so many milliseconds ago (default 10000, 0: never)");

/* When the last look at all of them began. */
static u64 sampled_ms;

static u64 now_ms(void)
{
	return ktime_to_ms(ktime_get());
}

static bool sample_due(void)
{
	return sample_ms && portsock_sample_age_ms() >= sample_ms;
}

static void sample(struct work_struct *work)
{
	u64 now = now_ms();

	/* readers may have asked while it was under way */
	if (!sample_due())
		return;
	portsock_socks_sample(portsock_sk_sample);
	WRITE_ONCE(sampled_ms, now);
}

static DECLARE_WORK(sample_work, sample);

/**
 * portsock_sample_begin() - what was carried until now is not counted
 *
 * Context: process.
 */
void portsock_sample_begin(void)
{
	sampled_ms = now_ms();
}

/**
 * portsock_sample_end() - nobody asks any more
 *
 * Context: process, may sleep. Nobody reads, and hooks are still there.
 */
void portsock_sample_end(void)
{
	cancel_work_sync(&sample_work);
}

/**
 * portsock_sample_ask() - somebody reads: the next one may want newer numbers
 *
 * Context: process.
 */
void portsock_sample_ask(void)
{
	if (sample_due())
		queue_work(system_dfl_wq, &sample_work);
}

/**
 * portsock_sample_age_ms() - how old the numbers of open connections are
 *
 * Context: any.
 */
u64 portsock_sample_age_ms(void)
{
	return now_ms() - READ_ONCE(sampled_ms);
}
