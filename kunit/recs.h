/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the suites of the records share: a table for each case, and how to say
 * things.
 */
#ifndef PORTSOCK_KUNIT_RECS_H
#define PORTSOCK_KUNIT_RECS_H

#include "memory.h"

#include "table.h"
#include "../module/socks.c"

static struct portsock_table *table;

/* Keys only: records never follow them. */
static char sks[16];

/* Of the sockets, unless a suite says otherwise. */
#ifndef SOCKS_PROTO
#define SOCKS_PROTO PORTSOCK_TCP
#endif

static inline int socks_test_init(struct kunit *test)
{
	int err;

	memory_begin();
	atomic64_set(&untracked, 0);
	walk_epoch = 0;
	err = portsock_rows_init(4);
	if (err)
		return err;
	err = portsock_socks_init(4);
	if (err)
		return err;
	table = portsock_table_new(true);
	return table ? 0 : -ENOMEM;
}

static inline void socks_test_exit(struct kunit *test)
{
	portsock_socks_clear(NULL);
	portsock_rows_kill(table);
	portsock_socks_exit();
	portsock_rows_exit();
	memory_end(test);
}

static inline struct portsock_holding holding(u16 port, u8 state)
{
	return (struct portsock_holding){
		.table = table,
		.proto = SOCKS_PROTO,
		.port = port,
		.state = state,
	};
}

static inline void hold(const void *sk, u16 port, u8 state)
{
	struct portsock_holding h = holding(port, state);

	portsock_sock_hold(sk, &h);
}

static inline void seen(const void *sk, u16 port, u8 state)
{
	struct portsock_holding h = holding(port, state);

	portsock_sock_seen(sk, &h);
}

/* The row of a port, until the next one is looked for. */
#define line_of(port) (*line_find(port))

static inline const struct portsock_line *line_find(u16 port)
{
	struct portsock_cursor cursor = { };
	static struct portsock_line line;

	while (portsock_table_next(table, &cursor, &line))
		if (line.part != PORTSOCK_TOTALS && line.port == port)
			return &line;
	memset(&line, 0, sizeof(line));
	line.part = PORTSOCK_END;
	return &line;
}

static inline u32 sockets(u16 port)
{
	return line_of(port).counts.sockets;
}

static inline u64 opened(u16 port)
{
	return portsock_opened(&line_of(port).counts);
}

static inline size_t recs(void)
{
	struct portsock_rec *rec;
	size_t i, n = 0;

	for (i = 0; i < rec_buckets_nr; i++)
		hlist_for_each_entry(rec, &rec_buckets[i].recs, node)
			n++;
	return n;
}

static inline void release(const void *sk)
{
	portsock_sock_release(sk, false, NULL);
}

static inline bool change(const void *sk, u16 port, u8 state)
{
	struct portsock_holding h = holding(port, state);

	h.table = NULL;
	return portsock_sock_change(sk, &h);
}

static inline bool step_of(const void *sk, u8 proto, u16 port, bool ipv6,
			   u8 state)
{
	return portsock_sock_step(sk, portsock_step(proto, port, ipv6, state),
				  NULL);
}

static inline bool step(const void *sk, u16 port, u8 state)
{
	return step_of(sk, PORTSOCK_TCP, port, false, state);
}

static inline void meet(const void *sk, u16 port, u8 state)
{
	struct portsock_holding h = holding(port, state);

	portsock_sock_meet(sk, &h);
}

static inline void unbound(const void *sk, bool ipv6)
{
	portsock_sock_unbound(sk, table, SOCKS_PROTO, ipv6);
}

static inline void inherit(const void *sk, const void *tw)
{
	struct portsock_holding h = holding(40000, TCP_TIME_WAIT);

	portsock_sock_inherit(sk, tw, &h);
}

#endif /* PORTSOCK_KUNIT_RECS_H */
