/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the suites of the table share: a table for each case, and how to look
 * into it.
 */
#ifndef PORTSOCK_KUNIT_ROWS_H
#define PORTSOCK_KUNIT_ROWS_H

#include "memory.h"

#include <linux/ktime.h>

/* What the code under test takes for the time. */
static time64_t clock_seconds;
#define ktime_get_seconds() clock_seconds

#include "table.h"

#define ROW_BITS 4

/* A table of its own for each case; killed at the end when the case did not. */
static inline int table_test_init(struct kunit *test)
{
	int err;

	memory_begin();
	clock_seconds = U32_MAX;
	err = portsock_rows_init(ROW_BITS);
	if (err)
		return err;
	test->priv = portsock_table_new(true);
	return test->priv ? 0 : -ENOMEM;
}

static inline void table_test_exit(struct kunit *test)
{
	if (test->priv)
		portsock_rows_kill(test->priv);
	KUNIT_EXPECT_FALSE(test, irqs_disabled());
	portsock_rows_exit();
	memory_end(test);
}

static inline struct portsock_holding holding(struct kunit *test, u8 proto,
					      u16 port, u8 state)
{
	return (struct portsock_holding){
		.table = test->priv,
		.proto = proto,
		.port = port,
		.state = state,
	};
}

static inline struct portsock_holding service(struct kunit *test, u8 proto,
					      u16 port, u8 state)
{
	struct portsock_holding h = holding(test, proto, port, state);

	h.service = true;
	return h;
}

static inline void add(struct kunit *test, struct portsock_share *share,
		       struct portsock_holding h)
{
	KUNIT_ASSERT_EQ(test, portsock_share_hold(share, &h), 0);
}

static inline struct portsock_holding listener(struct kunit *test, u16 port)
{
	struct portsock_holding h = service(test, PORTSOCK_TCP, port,
					    TCP_LISTEN);

	h.queues = true;
	return h;
}

/* A share of a socket that is looked into. */
static inline void add_queue(struct kunit *test, struct portsock_share *share,
			     const void *sk, struct portsock_holding h)
{
	share->sk = sk;
	add(test, share, h);
}

static inline struct inet_connection_sock *listening_socks(struct kunit *test,
							   int nr)
{
	struct inet_connection_sock *csk;

	csk = kunit_kcalloc(test, nr, sizeof(*csk), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, csk);
	return csk;
}

static inline void requests_set(struct inet_connection_sock *csk, int requests)
{
	atomic_set(&csk->icsk_accept_queue.qlen, requests);
}

static inline void del_all(struct portsock_share *shares, size_t n)
{
	while (n--)
		portsock_share_del(&shares[n]);
}

/* The row of a part, protocol and port, as a reader meets it; none folded. */
static inline bool line_find(struct portsock_table *table,
			     enum portsock_part part, u8 proto, u16 port,
			     struct portsock_line *line)
{
	struct portsock_cursor cursor = { };

	memset(line, 0x5a, sizeof(*line));
	while (portsock_table_next(table, &cursor, line)) {
		if (line->part == part && line->proto == proto &&
		    line->port == port && line->class != PORTSOCK_FOLDED)
			return true;
	}
	return false;
}

static inline struct portsock_line service_line(struct kunit *test, u8 proto,
						u16 port)
{
	struct portsock_line line;

	KUNIT_ASSERT_TRUE(test, line_find(test->priv, PORTSOCK_SERVICES, proto,
					  port, &line));
	return line;
}

/* The folded total of a protocol; all zero where there is none. */
static inline struct portsock_line folded_line(struct portsock_table *table,
					       u8 proto)
{
	struct portsock_cursor cursor = { .part = PORTSOCK_TOTALS };
	static struct portsock_line line;

	memset(&line, 0x5a, sizeof(line));
	while (portsock_table_next(table, &cursor, &line))
		if (line.class == PORTSOCK_FOLDED && line.proto == proto)
			return line;
	return (struct portsock_line){ };
}

static inline struct portsock_counts row_counts(struct kunit *test,
						enum portsock_part part,
						u8 proto, u16 port)
{
	struct portsock_line line;

	KUNIT_ASSERT_TRUE(test,
			  line_find(test->priv, part, proto, port, &line));
	return line.counts;
}

static inline size_t lines(struct portsock_table *table)
{
	struct portsock_cursor cursor = { };
	struct portsock_line line;
	size_t n = 0;

	while (portsock_table_next(table, &cursor, &line))
		n++;
	return n;
}

static inline u64 closed(const struct portsock_counts *counts)
{
	return portsock_opened(counts) - counts->sockets;
}

static inline void expect_balanced(struct kunit *test,
				   const struct portsock_counts *counts)
{
	u32 sum = 0;
	int state;

	for (state = 1; state < PORTSOCK_STATE_NR; state++)
		if (state != TCP_TIME_WAIT)
			sum += counts->state[state];
	KUNIT_EXPECT_EQ(test, counts->sockets, sum);
}

#endif /* PORTSOCK_KUNIT_ROWS_H */
