// SPDX-License-Identifier: GPL-2.0
/*
 * Can the table be trusted? Once a second it is looked at what hooks lost and
 * for what memory was short. From a loss to the end of the walk that repairs it
 * the table does not claim to be exact.
 *
 * All work is done by one work item, which is never run twice at a time.
 */
#include "health.h"

#include <linux/ktime.h>
#include <linux/spinlock.h>
#include <linux/timer.h>
#include <linux/workqueue.h>

#include "compat.h"
#include "counts.h"
#include "format.h"
#include "netns.h"
#include "pace.h"
#include "probe.h"
#include "selftest.h"
#include "socks.h"
#include "spread.h"
#include "walk.h"

/**
 * struct losses - what had been lost at some time
 * @missed: events
 * @untracked: sockets
 * @disarmed: times that kprobes were found not to fire
 */
struct losses {
	u64 missed;
	u64 untracked;
	u64 disarmed;
};

/**
 * struct health - what is known of losses and repairs
 * @lock: protects all below; taken by readers and the work item only
 * @settled: what had been lost before the last walk that ended
 * @disarmed: see struct losses
 * @sound: a walk has ended since hooks were last tried
 * @repaired: records that walks found wrong
 * @start: when sockets began to be counted
 */
struct health {
	spinlock_t lock;	/* protects all below */
	struct losses settled;
	u64 disarmed;
	bool sound;
	u64 repaired;
	ktime_t start;
};

static struct health health = {
	.lock = __SPIN_LOCK_UNLOCKED(health.lock),
};

/* Caller holds health.lock. */
static struct losses __losses_now(void)
{
	if (!portsock_kprobes_fire())
		health.disarmed++;
	return (struct losses){
		.missed = portsock_probes_missed(),
		.untracked = portsock_socks_untracked(),
		.disarmed = health.disarmed,
	};
}

static bool losses_equal(const struct losses *a, const struct losses *b)
{
	return a->missed == b->missed && a->untracked == b->untracked &&
	       a->disarmed == b->disarmed;
}

static void health_work(struct work_struct *work);
static DECLARE_DELAYED_WORK(health_timer, health_work);
static struct portsock_pace pace;

#define LOOK_SECONDS 10

static void health_later(void)
{
	queue_delayed_work(system_dfl_wq, &health_timer,
			   round_jiffies_relative(HZ));
}

/* What could not be tried at load may have become possible; it takes a walk. */
static bool try_hooks(void)
{
	if (!portsock_selftest_due())
		return false;
	spin_lock(&health.lock);
	health.sound = false;
	spin_unlock(&health.lock);
	portsock_selftest();
	return true;
}

/* CPUs get cells of what they waited for, and lose them where it is quiet. */
static void spread_work(void)
{
	static unsigned int seconds;

	if (++seconds % LOOK_SECONDS == 0)
		portsock_spread_look();
	portsock_netns_spread();
}

static void health_work(struct work_struct *work)
{
	bool lost = try_hooks();
	struct losses now;
	u64 wrong;

	spin_lock(&health.lock);
	now = __losses_now();
	lost |= !losses_equal(&now, &health.settled);
	spin_unlock(&health.lock);
	if (portsock_pace_due(&pace, jiffies, lost)) {
		wrong = portsock_walk();
		portsock_pace_walked(&pace, jiffies);
		spin_lock(&health.lock);
		health.repaired += wrong;
		health.settled = now;
		health.sound = true;
		spin_unlock(&health.lock);
	}
	spread_work();
	health_later();
}

/**
 * portsock_health_read() - can the table be trusted?
 * @report: receives all but what is the namespace's own
 *
 * Context: process.
 */
void portsock_health_read(struct portsock_health *report)
{
	struct losses now;
	bool lost;

	spin_lock(&health.lock);
	now = __losses_now();
	lost = !losses_equal(&now, &health.settled);
	/* no walk adds up rows, and so none mends a gauge that was short */
	report->exact = health.sound && portsock_selftest_passed() &&
			portsock_protos_watched() && !lost &&
			!portsock_gauges_short();
	report->missed = now.missed;
	report->repaired = health.repaired;
	report->untracked = now.untracked - health.settled.untracked;
	report->uptime_ms = health.start ?
			    ktime_ms_delta(ktime_get(), health.start) : 0;
	spin_unlock(&health.lock);
}

/**
 * portsock_health_init() - count the sockets that are there, then keep watch
 *
 * Context: process, may sleep. The hooks are armed, and tried.
 */
void portsock_health_init(void)
{
	struct losses now;
	u64 wrong;

	spin_lock(&health.lock);
	health.start = ktime_get();
	now = __losses_now();
	spin_unlock(&health.lock);
	portsock_walk();
	/* What slipped through while the hooks were armed one by one. */
	wrong = portsock_walk();
	spin_lock(&health.lock);
	health.repaired = wrong;
	health.settled = now;
	health.sound = true;
	spin_unlock(&health.lock);
	portsock_pace_begin(&pace, jiffies);
	health_later();
}

/**
 * portsock_health_exit() - stop keeping watch
 *
 * Context: process, may sleep.
 */
void portsock_health_exit(void)
{
	cancel_delayed_work_sync(&health_timer);
	spin_lock(&health.lock);
	health.sound = false;
	spin_unlock(&health.lock);
}
