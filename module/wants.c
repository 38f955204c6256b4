// SPDX-License-Identifier: GPL-2.0
/*
 * A hook that has waited cannot allocate anything: it leaves word. What finds no
 * place here is wanted again in the next second.
 */
#include "wants.h"

#include <linux/spinlock.h>
#include <linux/string.h>

#include "lock.h"

static DEFINE_RAW_SPINLOCK(wants_lock);	/* protects both below */
static struct portsock_want wants[WANTS_MAX];
static unsigned int wants_nr;

/* Caller holds the lock. */
static bool __is_wanted(const void *owner, u32 key)
{
	unsigned int i;

	for (i = 0; i < wants_nr; i++)
		if (wants[i].owner == owner && wants[i].key == key)
			return true;
	return false;
}

/**
 * portsock_want() - CPUs wait for the same numbers
 * @owner: the table of a row, or the totals of a namespace
 * @key: of the row, or, with port 0, of the total of a protocol
 *
 * Context: any but NMI, interrupts off.
 */
void portsock_want(const void *owner, u32 key)
{
	raw_lock(&wants_lock);
	if (wants_nr < WANTS_MAX && !__is_wanted(owner, key))
		wants[wants_nr++] = (struct portsock_want){
			.owner = owner,
			.key = key,
		};
	raw_unlock(&wants_lock);
}

/**
 * portsock_wants_take() - what was wanted since the last time
 * @taken: receives it, %WANTS_MAX at most
 *
 * Context: process.
 * Return: how much that is.
 */
unsigned int portsock_wants_take(struct portsock_want *taken)
{
	unsigned long flags;
	unsigned int nr;

	raw_lock_irqsave(&wants_lock, flags);
	nr = wants_nr;
	memcpy(taken, wants, nr * sizeof(*wants));
	wants_nr = 0;
	raw_unlock_irqrestore(&wants_lock, flags);
	return nr;
}
