/* SPDX-License-Identifier: GPL-2.0 */
/*
 * When to walk again after something was lost. Who makes that happen again and
 * again is not to have the module walk again and again.
 */
#ifndef PORTSOCK_PACE_H
#define PORTSOCK_PACE_H

#include <linux/jiffies.h>
#include <linux/minmax.h>
#include <linux/types.h>

#define PORTSOCK_PACE_MIN HZ
#define PORTSOCK_PACE_MAX (60 * HZ)

/**
 * struct portsock_pace - what is known of earlier walks
 * @ended: when the last one did, in jiffies
 * @pause: between that and the next one, in jiffies; twice as long after each,
 *	until for as long nothing was lost
 *
 * Only the walker uses it.
 */
struct portsock_pace {
	unsigned long ended;
	unsigned long pause;
};

/**
 * portsock_pace_begin() - no walk was needed yet
 * @pace: receives that
 * @now: jiffies
 */
static inline void portsock_pace_begin(struct portsock_pace *pace,
				       unsigned long now)
{
	pace->ended = now;
	pace->pause = PORTSOCK_PACE_MIN;
}

/**
 * portsock_pace_due() - is it time to walk?
 * @pace: of the walks before
 * @now: jiffies
 * @lost: something was lost since the last one
 *
 * To be called about once a second.
 */
static inline bool portsock_pace_due(struct portsock_pace *pace,
				     unsigned long now, bool lost)
{
	bool over = time_after_eq(now, pace->ended + pace->pause);

	if (over && !lost)
		portsock_pace_begin(pace, now - PORTSOCK_PACE_MIN);
	return over && lost;
}

/**
 * portsock_pace_walked() - a walk has ended
 * @pace: of the walks before
 * @now: jiffies
 */
static inline void portsock_pace_walked(struct portsock_pace *pace,
					unsigned long now)
{
	pace->ended = now;
	pace->pause = min_t(unsigned long, 2 * pace->pause, PORTSOCK_PACE_MAX);
}

#endif /* PORTSOCK_PACE_H */
