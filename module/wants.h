/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Which numbers CPUs wait for too often.
 */
#ifndef PORTSOCK_WANTS_H
#define PORTSOCK_WANTS_H

#include <linux/jiffies.h>
#include <linux/types.h>

/* CPUs are to have cells of what they wait for so often within a second. */
#define WANTS_WAITS 256

/* So much may be wanted at a time. */
#define WANTS_MAX 16

/**
 * struct portsock_waits - how often somebody waited for a lock
 * @nr: so often, in the second that @second is of
 * @second: low bits of its number
 *
 * Protected by that lock.
 */
struct portsock_waits {
	u16 nr;
	u8 second;
};

/**
 * struct portsock_want - numbers that are to have a cell for each CPU
 * @owner: the table of the row, or the totals of the namespace; may be gone
 * @key: of the row; that of port 0 stands for the total of the protocol
 */
struct portsock_want {
	const void *owner;
	u32 key;
};

void portsock_want(const void *owner, u32 key);
unsigned int portsock_wants_take(struct portsock_want *taken);

/**
 * waits_add() - somebody has waited
 * @waits: of a lock, which the caller holds
 *
 * Return: true once it was often, within a second.
 */
static inline bool waits_add(struct portsock_waits *waits)
{
	u8 second = jiffies / HZ;

	if (waits->second != second) {
		waits->second = second;
		waits->nr = 0;
	}
	return ++waits->nr == WANTS_WAITS;
}

#endif /* PORTSOCK_WANTS_H */
