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

#include "body.h"
#include "table.h"

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

extern atomic_t portsock_idle_others[2];

unsigned int portsock_idle_max(bool remote);
struct portsock_idle *__portsock_idle_first(struct portsock_table *table,
					    bool remote);

static inline struct portsock_idles *idles_of(struct portsock_table *table,
					      bool remote)
{
	return remote ? &table->idle_remote : &table->idle;
}

/**
 * __idle_add() - a row has no socket any more
 * @idle: of the row; the caller holds the locks of its bucket and its table
 * @table: its table
 * @remote: it is of class remote
 */
static inline void __idle_add(struct portsock_idle *idle,
			      struct portsock_table *table, bool remote)
{
	struct portsock_idles *idles = idles_of(table, remote);
	u32 now = ktime_get_seconds();

	idle->used |= now - idle->since >= PORTSOCK_USE_SECONDS;
	idle->since = now;
	list_add_tail(&idle->node, idle->used ? &idles->used : &idles->unused);
	idles->nr++;
	if (!table->first)
		atomic_inc(&portsock_idle_others[remote]);
}

/**
 * __idle_del() - a row is not idle any more
 * @idle: of the row, which is; the caller holds the lock of its table
 * @table: its table
 * @remote: it is of class remote
 */
static inline void __idle_del(struct portsock_idle *idle,
			      struct portsock_table *table, bool remote)
{
	list_del_init(&idle->node);
	idles_of(table, remote)->nr--;
	if (!table->first)
		atomic_dec(&portsock_idle_others[remote]);
}

/* Has a table more idle rows than it may keep? Caller holds its lock. */
static inline bool __idle_many(struct portsock_table *table, bool remote)
{
	return idles_of(table, remote)->nr >
	       (table->first ? PORTSOCK_IDLE_FIRST : portsock_idle_max(remote));
}

#endif /* PORTSOCK_IDLE_H */
