/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Rows of classes service and remote without a socket: how many of them stay,
 * and which.
 */
#ifndef PORTSOCK_IDLE_H
#define PORTSOCK_IDLE_H

#include <linux/ktime.h>
#include <linux/list.h>
#include <linux/types.h>

struct portsock_table;

/*
 * Rows of a class without a socket that are kept: in the first namespace; in each
 * other one; in all others together. Once fewer are left of those than
 * PORTSOCK_IDLE_PART times what one may have, it may have one of so many parts
 * of what is left. More of them are folded into a total of their protocol.
 */
#define PORTSOCK_IDLE_FIRST 512
#define PORTSOCK_IDLE_OTHER 64
#define PORTSOCK_IDLE_OTHERS 4096
#define PORTSOCK_IDLE_PART 32

/*
 * A port is used that was held for that long at a stretch, which is more than
 * the minute of a TIME_WAIT, so that it takes a socket; and is kept before
 * others for so long.
 */
#define PORTSOCK_USE_SECONDS 120
#define PORTSOCK_USED_SECONDS 3600

/**
 * struct portsock_idle - for how long a row was used, or is idle
 * @node: on a list of the table while the row has no socket; protected by the
 *	table's lock as well
 * @since: second in which the row became idle, or ceased to be
 * @used: it was held for PORTSOCK_USE_SECONDS at a stretch
 *
 * Protected by the lock of the row's bucket.
 */
struct portsock_idle {
	struct list_head node;
	u32 since;
	bool used;
};

/* A row begins that may become idle. Caller holds the lock of its bucket. */
static inline void idle_begin(struct portsock_idle *idle)
{
	idle->used = false;
	idle->since = ktime_get_seconds();
}

/* A row has a socket again. Caller holds the lock of its bucket. */
static inline void idle_wake(struct portsock_idle *idle)
{
	idle->since = ktime_get_seconds();
}

void __portsock_idle_add(struct portsock_idle *idle,
			 struct portsock_table *table, bool remote);
void __portsock_idle_del(struct portsock_idle *idle,
			 struct portsock_table *table, bool remote);
struct portsock_idle *__portsock_idle_surplus(struct portsock_table *table,
					      bool remote);

#endif /* PORTSOCK_IDLE_H */
