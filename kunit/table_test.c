// SPDX-License-Identifier: GPL-2.0
/*
 * Rows: arithmetic, order, life.
 */
#include "rows.h"

#include <linux/module.h>
#include <linux/prandom.h>

static u64 connected(struct kunit *test, u16 port)
{
	struct portsock_counts counts;

	counts = row_counts(test, PORTSOCK_SERVICES, PORTSOCK_TCP, port);
	return counts.came[PORTSOCK_CONNECTED];
}

static void table_new_is_empty(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, lines(test->priv), (size_t)0);
}

static void share_add_counts_in_its_state(struct kunit *test)
{
	struct portsock_share shares[3] = { };
	struct portsock_holding child = holding(test, PORTSOCK_TCP, 80,
						TCP_SYN_RECV);
	struct portsock_counts counts;

	child.how = PORTSOCK_ACCEPTED;
	child.ipv6 = true;
	add(test, &shares[0], service(test, PORTSOCK_TCP, 80, TCP_LISTEN));
	add(test, &shares[1], child);
	add(test, &shares[2], child);
	counts = row_counts(test, PORTSOCK_SERVICES, PORTSOCK_TCP, 80);
	KUNIT_EXPECT_EQ(test, counts.sockets, 3);
	KUNIT_EXPECT_EQ(test, counts.state[TCP_LISTEN], 1);
	KUNIT_EXPECT_EQ(test, counts.state[TCP_SYN_RECV], 2);
	KUNIT_EXPECT_EQ(test, counts.ipv6, 2);
	KUNIT_EXPECT_EQ(test, portsock_opened(&counts), 3);
	KUNIT_EXPECT_EQ(test, counts.came[PORTSOCK_ACCEPTED], 2);
	KUNIT_EXPECT_EQ(test, counts.came[PORTSOCK_CONNECTED], 0);
	KUNIT_EXPECT_EQ(test, counts.peak, 3);
	expect_balanced(test, &counts);
	del_all(shares, 3);
}

static void share_update_moves_state_and_family(struct kunit *test)
{
	struct portsock_holding h = service(test, PORTSOCK_TCP, 80,
					    TCP_ESTABLISHED);
	struct portsock_share share = { };
	struct portsock_counts counts;

	h.ipv6 = true;
	add(test, &share, h);
	h.state = TCP_CLOSE_WAIT;
	h.ipv6 = false;
	portsock_share_hold(&share, &h);
	counts = row_counts(test, PORTSOCK_SERVICES, PORTSOCK_TCP, 80);
	KUNIT_EXPECT_EQ(test, counts.state[TCP_ESTABLISHED], 0);
	KUNIT_EXPECT_EQ(test, counts.state[TCP_CLOSE_WAIT], 1);
	KUNIT_EXPECT_EQ(test, counts.ipv6, 0);
	KUNIT_EXPECT_EQ(test, portsock_opened(&counts), 1);
	expect_balanced(test, &counts);
	portsock_share_del(&share);
}

static void share_connected_counts_once_while_held(struct kunit *test)
{
	struct portsock_holding h = service(test, PORTSOCK_TCP, 80, TCP_CLOSE);
	struct portsock_share share = { };

	add(test, &share, h);
	h.how = PORTSOCK_CONNECTED;
	h.state = TCP_SYN_SENT;
	portsock_share_hold(&share, &h);
	portsock_share_hold(&share, &h);
	KUNIT_EXPECT_EQ(test, connected(test, 80), 1);
	portsock_share_del(&share);
	add(test, &share, h);
	KUNIT_EXPECT_EQ(test, connected(test, 80), 2);
	portsock_share_del(&share);
}

static void share_connected_in_the_same_state_counts(struct kunit *test)
{
	struct portsock_holding h = service(test, PORTSOCK_UDP, 53,
					    TCP_ESTABLISHED);
	struct portsock_share share = { };
	struct portsock_counts counts;

	add(test, &share, h);
	h.how = PORTSOCK_CONNECTED;
	portsock_share_hold(&share, &h);
	counts = row_counts(test, PORTSOCK_SERVICES, PORTSOCK_UDP, 53);
	KUNIT_EXPECT_EQ(test, counts.came[PORTSOCK_CONNECTED], 1);
	portsock_share_del(&share);
}

static void time_wait_is_no_socket(struct kunit *test)
{
	struct portsock_share share = { };
	struct portsock_counts counts;

	add(test, &share, holding(test, PORTSOCK_TCP, 40000, TCP_TIME_WAIT));
	counts = row_counts(test, PORTSOCK_EPHEMERALS, PORTSOCK_TCP, 40000);
	KUNIT_EXPECT_EQ(test, counts.state[TCP_TIME_WAIT], 1);
	KUNIT_EXPECT_EQ(test, counts.sockets, 0);
	KUNIT_EXPECT_EQ(test, portsock_opened(&counts), 0);
	KUNIT_EXPECT_EQ(test, counts.peak, 0);
	portsock_share_del(&share);
	KUNIT_EXPECT_EQ(test, lines(test->priv), (size_t)0);
}

static void ephemeral_row_goes_with_its_last_share(struct kunit *test)
{
	struct portsock_holding h = holding(test, PORTSOCK_TCP, 40000,
					    TCP_SYN_SENT);
	struct portsock_share share = { }, tw = { };
	struct portsock_counts total;
	struct portsock_line line;

	h.how = PORTSOCK_CONNECTED;
	add(test, &share, h);
	add(test, &tw, holding(test, PORTSOCK_TCP, 40000, TCP_TIME_WAIT));
	portsock_share_del(&share);
	KUNIT_EXPECT_TRUE(test, line_find(test->priv, PORTSOCK_EPHEMERALS,
					  PORTSOCK_TCP, 40000, &line));
	portsock_share_del(&tw);
	KUNIT_EXPECT_FALSE(test, line_find(test->priv, PORTSOCK_EPHEMERALS,
					   PORTSOCK_TCP, 40000, &line));
	total = row_counts(test, PORTSOCK_TOTALS, PORTSOCK_TCP, 0);
	KUNIT_EXPECT_EQ(test, portsock_opened(&total), 1);
	KUNIT_EXPECT_EQ(test, total.came[PORTSOCK_CONNECTED], 1);
	KUNIT_EXPECT_EQ(test, closed(&total), 1);
	KUNIT_EXPECT_EQ(test, total.peak, 1);
	KUNIT_EXPECT_EQ(test, total.sockets, 0);
}

static void lines_come_in_order(struct kunit *test)
{
	static const struct {
		u8 proto;
		u16 port;
		bool service;
	} in[] = {
		{ PORTSOCK_UDP, 40001, false }, { PORTSOCK_TCP, 65535, true },
		{ PORTSOCK_UDP, 53, true }, { PORTSOCK_TCP, 40000, false },
		{ PORTSOCK_TCP, 22, true }, { PORTSOCK_UDP, 0, false },
		{ PORTSOCK_TCP, 39999, false }, { PORTSOCK_TCP, 0, false },
	};
	static const u8 folded[] = { PORTSOCK_RAW, PORTSOCK_TCP };
	static const struct {
		enum portsock_part part;
		enum portsock_class class;
		u8 proto;
		u16 port;
	} out[] = {
		{ PORTSOCK_SERVICES, PORTSOCK_UNBOUND, PORTSOCK_TCP, 0 },
		{ PORTSOCK_SERVICES, PORTSOCK_SERVICE, PORTSOCK_TCP, 22 },
		{ PORTSOCK_SERVICES, PORTSOCK_SERVICE, PORTSOCK_TCP, 65535 },
		{ PORTSOCK_SERVICES, PORTSOCK_UNBOUND, PORTSOCK_UDP, 0 },
		{ PORTSOCK_SERVICES, PORTSOCK_SERVICE, PORTSOCK_UDP, 53 },
		{ PORTSOCK_TOTALS, PORTSOCK_EPHEMERAL, PORTSOCK_TCP, 0 },
		{ PORTSOCK_TOTALS, PORTSOCK_FOLDED, PORTSOCK_TCP, 0 },
		{ PORTSOCK_TOTALS, PORTSOCK_EPHEMERAL, PORTSOCK_UDP, 0 },
		{ PORTSOCK_TOTALS, PORTSOCK_FOLDED, PORTSOCK_RAW, 0 },
		{ PORTSOCK_EPHEMERALS, PORTSOCK_EPHEMERAL, PORTSOCK_TCP, 39999 },
		{ PORTSOCK_EPHEMERALS, PORTSOCK_EPHEMERAL, PORTSOCK_TCP, 40000 },
		{ PORTSOCK_EPHEMERALS, PORTSOCK_EPHEMERAL, PORTSOCK_UDP, 40001 },
	};
	struct portsock_share shares[ARRAY_SIZE(in)] = { }, share = { };
	static struct portsock_cursor cursor;
	static struct portsock_line line;
	size_t i;

	memset(&cursor, 0, sizeof(cursor));
	memset(&line, 0x5a, sizeof(line));
	for (i = 0; i < ARRAY_SIZE(in); i++) {
		struct portsock_holding h;

		h = holding(test, in[i].proto, in[i].port, TCP_CLOSE);
		h.service = in[i].service;
		add(test, &shares[i], h);
	}
	for (i = 0; i < ARRAY_SIZE(folded); i++) {
		add(test, &share, service(test, folded[i], 7, TCP_CLOSE));
		portsock_share_del(&share);
		row_fold(test->priv, key_of(folded[i], 7));
	}
	for (i = 0; i < ARRAY_SIZE(out); i++) {
		KUNIT_ASSERT_TRUE(test, portsock_table_next(test->priv, &cursor,
							    &line));
		KUNIT_EXPECT_EQ(test, line.part, out[i].part);
		KUNIT_EXPECT_EQ(test, line.class, out[i].class);
		KUNIT_EXPECT_EQ(test, line.proto, out[i].proto);
		KUNIT_EXPECT_EQ(test, line.port, out[i].port);
		KUNIT_EXPECT_EQ(test, line.queue.requests, 0);
	}
	KUNIT_EXPECT_FALSE(test,
			   portsock_table_next(test->priv, &cursor, &line));
	del_all(shares, ARRAY_SIZE(shares));
}

static void reader_goes_on_where_a_row_vanished(struct kunit *test)
{
	struct portsock_share shares[3] = { };
	struct portsock_cursor cursor = { .part = PORTSOCK_EPHEMERALS };
	static struct portsock_line line;
	int i;

	for (i = 0; i < 3; i++)
		add(test, &shares[i],
		    holding(test, PORTSOCK_TCP, 40000 + i, TCP_CLOSE));
	KUNIT_ASSERT_TRUE(test,
			  portsock_table_next(test->priv, &cursor, &line));
	KUNIT_EXPECT_EQ(test, line.port, 40000);
	portsock_share_del(&shares[0]);
	portsock_share_del(&shares[1]);
	KUNIT_ASSERT_TRUE(test,
			  portsock_table_next(test->priv, &cursor, &line));
	KUNIT_EXPECT_EQ(test, line.port, 40002);
	KUNIT_EXPECT_FALSE(test,
			   portsock_table_next(test->priv, &cursor, &line));
	portsock_share_del(&shares[2]);
}

static void reader_may_begin_with_the_totals(struct kunit *test)
{
	struct portsock_cursor cursor = { .part = PORTSOCK_TOTALS };
	struct portsock_share share = { };
	static struct portsock_line line;

	memset(&line, 0x5a, sizeof(line));
	add(test, &share, holding(test, PORTSOCK_UDP, 40000, TCP_CLOSE));
	KUNIT_ASSERT_TRUE(test,
			  portsock_table_next(test->priv, &cursor, &line));
	KUNIT_EXPECT_EQ(test, line.part, PORTSOCK_TOTALS);
	KUNIT_EXPECT_EQ(test, line.proto, PORTSOCK_UDP);
	KUNIT_EXPECT_EQ(test, line.port, 0);
	KUNIT_EXPECT_EQ(test, line.queue.requests, 0);
	KUNIT_EXPECT_EQ(test, line.counts.sockets, 1);
	portsock_share_del(&share);
}

/* Otherwise a reader would try port after port. */
static void reader_is_led_to_the_next_row(struct kunit *test)
{
	struct portsock_table *table = test->priv;
	struct portsock_share share = { };
	u32 key = 0;

	add(test, &share, service(test, PORTSOCK_UDP, 53, TCP_CLOSE));
	KUNIT_EXPECT_TRUE(test, portsock_rows_next(table, &key));
	KUNIT_EXPECT_EQ(test, key, key_of(PORTSOCK_UDP, 53));
	portsock_share_del(&share);
}

static void requests_of_all_listeners_are_summed_when_read(struct kunit *test)
{
	struct portsock_holding h = listener(test, 80);
	struct inet_connection_sock *csk = listening_socks(test, 2);
	struct portsock_share shares[2] = { };
	struct portsock_line line;

	requests_set(&csk[0], 2);
	add_queue(test, &shares[0], &csk[0], h);
	requests_set(&csk[1], 3);
	add_queue(test, &shares[1], &csk[1], h);
	requests_set(&csk[1], 4);
	line = service_line(test, PORTSOCK_TCP, 80);
	KUNIT_EXPECT_EQ(test, line.queue.requests, 6);
	KUNIT_EXPECT_EQ(test, line.counts.sockets, 2);

	h.queues = false;
	h.state = TCP_CLOSE;
	portsock_share_hold(&shares[1], &h);
	line = service_line(test, PORTSOCK_TCP, 80);
	KUNIT_EXPECT_EQ(test, line.queue.requests, 2);
	portsock_share_del(&shares[0]);
	line = service_line(test, PORTSOCK_TCP, 80);
	KUNIT_EXPECT_EQ(test, line.queue.requests, 0);
	portsock_share_del(&shares[1]);
}

/* More than are asked under one hold of the row's lock. */
static void requests_of_many_listeners_are_summed_when_read(struct kunit *test)
{
	const int nr = 4 * QUEUES_BATCH;
	struct inet_connection_sock *csk = listening_socks(test, nr);
	struct portsock_holding h = listener(test, 80);
	struct portsock_share *shares;
	struct portsock_line line;
	u64 sum = 0;
	int i;

	shares = kunit_kcalloc(test, nr, sizeof(*shares), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, shares);
	for (i = 0; i < nr; i++) {
		/* neither up nor down */
		int at = i * 5 % nr;

		requests_set(&csk[at], at + 1);
		sum += at + 1;
		add_queue(test, &shares[at], &csk[at], h);
	}
	for (i = 0; i <= nr; i++) {
		line = service_line(test, PORTSOCK_TCP, 80);
		KUNIT_EXPECT_EQ(test, line.queue.requests, sum);
		if (i == nr)
			break;
		sum -= i + 1;
		portsock_share_del(&shares[i]);
	}
	KUNIT_EXPECT_EQ(test, sum, 0);
}

static void requests_of_a_row_are_its_own(struct kunit *test)
{
	struct inet_connection_sock *csk = listening_socks(test, 2);
	struct portsock_share shares[2] = { };
	struct portsock_line line;

	requests_set(&csk[0], 5);
	requests_set(&csk[1], 2);
	add_queue(test, &shares[0], &csk[0], listener(test, 80));
	add_queue(test, &shares[1], &csk[1], listener(test, 81));
	line = service_line(test, PORTSOCK_TCP, 81);
	KUNIT_EXPECT_EQ(test, line.queue.requests, 2);
	del_all(shares, 2);
}

static void counters_balance_across_overflow(struct kunit *test)
{
	struct portsock_share shares[2] = { };
	struct portsock_counts counts;

	add(test, &shares[0], service(test, PORTSOCK_TCP, 80, TCP_LISTEN));
	shares[0].row->body->numbers.counts.came[PORTSOCK_BOUND] = U64_MAX;
	add(test, &shares[1], service(test, PORTSOCK_TCP, 80, TCP_ESTABLISHED));
	counts = row_counts(test, PORTSOCK_SERVICES, PORTSOCK_TCP, 80);
	KUNIT_EXPECT_EQ(test, portsock_opened(&counts), 0);
	KUNIT_EXPECT_EQ(test, closed(&counts), U64_MAX - 1);
	portsock_share_del(&shares[1]);
	portsock_share_del(&shares[0]);
	counts = row_counts(test, PORTSOCK_SERVICES, PORTSOCK_TCP, 80);
	KUNIT_EXPECT_EQ(test, closed(&counts), 0);
}

static void share_add_without_memory_leaves_nothing(struct kunit *test)
{
	struct portsock_holding h = holding(test, PORTSOCK_TCP, 40000,
					    TCP_CLOSE);
	struct portsock_share share = { };
	struct portsock_counts counts;

	memory_left = 0;
	KUNIT_EXPECT_EQ(test, portsock_share_hold(&share, &h), -ENOMEM);
	KUNIT_EXPECT_NULL(test, share.row);
	KUNIT_EXPECT_EQ(test, lines(test->priv), (size_t)0);
	memory_left = INT_MAX;
	add(test, &share, h);
	memory_left = 0;
	counts = row_counts(test, PORTSOCK_EPHEMERALS, PORTSOCK_TCP, 40000);
	KUNIT_EXPECT_EQ(test, counts.sockets, 1);
	portsock_share_del(&share);
}

/* The first one needs no numbers of its own. */
static void second_share_without_memory_is_not_counted(struct kunit *test)
{
	struct portsock_holding h = holding(test, PORTSOCK_TCP, 40000,
					    TCP_ESTABLISHED);
	struct portsock_share shares[2] = { };
	struct portsock_counts counts;

	add(test, &shares[0], h);
	memory_left = 0;
	KUNIT_EXPECT_EQ(test, portsock_share_hold(&shares[1], &h), -ENOMEM);
	KUNIT_EXPECT_NULL(test, shares[1].row);
	memory_left = INT_MAX;
	counts = row_counts(test, PORTSOCK_EPHEMERALS, PORTSOCK_TCP, 40000);
	KUNIT_EXPECT_EQ(test, counts.state[TCP_ESTABLISHED], 1);
	counts = row_counts(test, PORTSOCK_TOTALS, PORTSOCK_TCP, 0);
	KUNIT_EXPECT_EQ(test, counts.sockets, 1);
	add(test, &shares[1], h);
	counts = row_counts(test, PORTSOCK_EPHEMERALS, PORTSOCK_TCP, 40000);
	KUNIT_EXPECT_EQ(test, counts.state[TCP_ESTABLISHED], 2);
	KUNIT_EXPECT_EQ(test, counts.peak, 2);
	KUNIT_EXPECT_EQ(test, portsock_opened(&counts), 2);
	del_all(shares, 2);
}

static void service_without_memory_stays_ephemeral(struct kunit *test)
{
	struct portsock_holding h = holding(test, PORTSOCK_TCP, 40000,
					    TCP_CLOSE);
	struct portsock_share share = { };
	struct portsock_counts counts;

	add(test, &share, h);
	h.state = TCP_ESTABLISHED;
	h.service = true;
	memory_left = 0;
	KUNIT_EXPECT_EQ(test, portsock_share_hold(&share, &h), -ENOMEM);
	counts = row_counts(test, PORTSOCK_EPHEMERALS, PORTSOCK_TCP, 40000);
	KUNIT_EXPECT_EQ(test, counts.state[TCP_ESTABLISHED], 1);
	memory_left = INT_MAX;
	add(test, &share, h);
	counts = row_counts(test, PORTSOCK_SERVICES, PORTSOCK_TCP, 40000);
	KUNIT_EXPECT_EQ(test, counts.state[TCP_ESTABLISHED], 1);
	counts = row_counts(test, PORTSOCK_TOTALS, PORTSOCK_TCP, 0);
	KUNIT_EXPECT_EQ(test, counts.sockets, 0);
	portsock_share_del(&share);
}

static void unpin(struct portsock_table *table)
{
	table->pins--;
	local_irq_disable();
	portsock_table_settle(table);
	local_irq_enable();
}

static void dead_table_takes_no_new_row(struct kunit *test)
{
	struct portsock_holding known = service(test, PORTSOCK_TCP, 80,
						TCP_LISTEN);
	struct portsock_holding fresh = service(test, PORTSOCK_TCP, 81,
						TCP_LISTEN);
	struct portsock_share shares[2] = { };
	struct portsock_table *table = test->priv;

	add(test, &shares[0], known);
	table->pins++;
	portsock_rows_kill(table);
	test->priv = NULL;
	KUNIT_EXPECT_EQ(test, portsock_share_hold(&shares[1], &fresh),
			-ESHUTDOWN);
	KUNIT_EXPECT_NULL(test, shares[1].row);
	/* one for the row, one taken above */
	KUNIT_EXPECT_EQ(test, table->pins, 2U);
	portsock_share_del(&shares[0]);
	KUNIT_EXPECT_EQ(test, table->pins, 1U);
	KUNIT_EXPECT_EQ(test, lines(table), (size_t)0);
	unpin(table);
}

static void killed_table_frees_idle_rows(struct kunit *test)
{
	struct portsock_share share = { };
	struct portsock_table *table = test->priv;
	int port;

	for (port = 1; port < 100; port++) {
		add(test, &share, service(test, PORTSOCK_TCP, port, TCP_CLOSE));
		portsock_share_del(&share);
	}
	KUNIT_EXPECT_EQ(test, table->pins, 100U);
	table->pins++;
	portsock_rows_kill(table);
	test->priv = NULL;
	KUNIT_EXPECT_EQ(test, table->pins, 1U);
	unpin(table);
}

static void killed_table_goes_once_it_is_empty(struct kunit *test)
{
	portsock_rows_kill(test->priv);
	test->priv = NULL;
	KUNIT_EXPECT_EQ(test, memory_freed_nr, (size_t)1);
}

static void killed_table_goes_with_its_last_row(struct kunit *test)
{
	struct portsock_share shares[2] = { };

	add(test, &shares[0], service(test, PORTSOCK_TCP, 80, TCP_LISTEN));
	add(test, &shares[1],
	    holding(test, PORTSOCK_TCP, 40000, TCP_TIME_WAIT));
	portsock_rows_kill(test->priv);
	test->priv = NULL;
	portsock_share_del(&shares[0]);
	KUNIT_EXPECT_EQ(test, memory_freed_nr, (size_t)0);
	portsock_share_del(&shares[1]);
	KUNIT_EXPECT_EQ(test, memory_freed_nr, (size_t)1);
}

static void killed_table_goes_with_its_last_unbound_socket(struct kunit *test)
{
	struct portsock_share shares[2] = { };

	add(test, &shares[0], holding(test, PORTSOCK_MPTCP, 0, TCP_CLOSE));
	portsock_rows_kill(test->priv);
	add(test, &shares[1], holding(test, PORTSOCK_TCP, 0, TCP_CLOSE));
	test->priv = NULL;
	portsock_share_del(&shares[1]);
	KUNIT_EXPECT_EQ(test, memory_freed_nr, (size_t)0);
	portsock_share_del(&shares[0]);
	KUNIT_EXPECT_EQ(test, memory_freed_nr, (size_t)1);
}

/* Until the grace period is over a hook may have its address. */
static void table_that_goes_takes_no_unbound_socket(struct kunit *test)
{
	struct portsock_holding h = holding(test, PORTSOCK_TCP, 0, TCP_CLOSE);
	struct portsock_share share = { };

	portsock_rows_kill(test->priv);
	test->priv = NULL;
	KUNIT_EXPECT_EQ(test, portsock_share_hold(&share, &h), -ESHUTDOWN);
	KUNIT_EXPECT_NULL(test, share.table);
	KUNIT_EXPECT_EQ(test, memory_freed_nr, (size_t)1);
}

static void accepted_share_is_never_connected(struct kunit *test)
{
	struct portsock_holding h = holding(test, PORTSOCK_SCTP, 80, TCP_CLOSE);
	struct portsock_share share = { };
	struct portsock_counts counts;

	h.how = PORTSOCK_ACCEPTED;
	h.service = true;
	add(test, &share, h);
	h.how = PORTSOCK_CONNECTED;
	h.state = TCP_ESTABLISHED;
	portsock_share_hold(&share, &h);
	counts = row_counts(test, PORTSOCK_SERVICES, PORTSOCK_SCTP, 80);
	KUNIT_EXPECT_EQ(test, counts.came[PORTSOCK_ACCEPTED], 1);
	KUNIT_EXPECT_EQ(test, counts.came[PORTSOCK_CONNECTED], 0);
	portsock_share_del(&share);
}

/* What a row says is made less than what contributes. */
static void row_forget(struct kunit *test, u8 proto, u16 port)
{
	u32 key = key_of(proto, port);
	struct row_bucket *bucket = row_bucket(test->priv, key);
	struct portsock_row *row = __row_find(bucket, test->priv, key);

	KUNIT_ASSERT_NOT_NULL(test, row);
	gauges_clear(&row->body->numbers.counts);
}

static void gauge_of_a_service_does_not_go_below_zero(struct kunit *test)
{
	struct portsock_holding h = service(test, PORTSOCK_TCP, 80,
					    TCP_ESTABLISHED);
	u64 before = portsock_gauges_short();
	struct portsock_share share = { };
	struct portsock_counts counts;

	h.ipv6 = true;
	add(test, &share, h);
	KUNIT_EXPECT_EQ(test, portsock_gauges_short() - before, 0);
	row_forget(test, PORTSOCK_TCP, 80);
	portsock_share_step(&share, portsock_step(PORTSOCK_TCP, 80, true,
						  TCP_CLOSE_WAIT), NULL);
	KUNIT_EXPECT_EQ(test, portsock_gauges_short() - before, 1);
	counts = row_counts(test, PORTSOCK_SERVICES, PORTSOCK_TCP, 80);
	KUNIT_EXPECT_EQ(test, counts.state[TCP_ESTABLISHED], 0);
	KUNIT_EXPECT_EQ(test, counts.state[TCP_CLOSE_WAIT], 1);
	portsock_share_del(&share);
	KUNIT_EXPECT_EQ(test, portsock_gauges_short() - before, 3);
	counts = row_counts(test, PORTSOCK_SERVICES, PORTSOCK_TCP, 80);
	KUNIT_EXPECT_EQ(test, counts.sockets, 0);
	KUNIT_EXPECT_EQ(test, counts.ipv6, 0);
	expect_balanced(test, &counts);
}

static void gauge_of_a_total_does_not_go_below_zero(struct kunit *test)
{
	struct portsock_holding h = holding(test, PORTSOCK_TCP, 40000,
					    TCP_ESTABLISHED);
	struct portsock_table *table = test->priv;
	struct portsock_counts *total = &table->totals.of[PORTSOCK_TCP].numbers.counts;
	u64 before = portsock_gauges_short();
	struct portsock_share share = { };

	add(test, &share, h);
	total->state[TCP_ESTABLISHED] = 0;
	total->sockets = 0;
	h.service = true;
	portsock_share_hold(&share, &h);
	KUNIT_EXPECT_EQ(test, portsock_gauges_short() - before, 2);
	KUNIT_EXPECT_EQ(test, total->state[TCP_ESTABLISHED], 0);
	KUNIT_EXPECT_EQ(test, total->sockets, 0);
	portsock_share_del(&share);
	KUNIT_EXPECT_EQ(test, portsock_gauges_short() - before, 2);
}

static u64 unbound_both(struct kunit *test)
{
	struct portsock_counts counts;

	counts = row_counts(test, PORTSOCK_SERVICES, PORTSOCK_UDP, 0);
	return (u64)counts.ipv6 << 32 | counts.sockets;
}

static void unbound_numbers_do_not_go_below_zero(struct kunit *test)
{
	struct portsock_table *table = test->priv;
	struct portsock_unbound *unbound = &table->totals.of[PORTSOCK_UDP].numbers.unbound;
	struct portsock_share shares[4] = { };
	u64 before = portsock_gauges_short();
	int i;

	for (i = 0; i < 4; i++)
		portsock_share_unbound(&shares[i], table, PORTSOCK_UDP, i);
	KUNIT_EXPECT_EQ(test, unbound_both(test), 3ULL << 32 | 4);
	unbound->sockets = 0;
	unbound->ipv6 = 0;
	portsock_share_del(&shares[0]);
	KUNIT_EXPECT_EQ(test, unbound_both(test), 0);
	portsock_share_del(&shares[1]);
	KUNIT_EXPECT_EQ(test, unbound_both(test), 0);
	KUNIT_EXPECT_EQ(test, portsock_gauges_short() - before, 3);
	unbound->sockets = 2;
	portsock_share_unbound(&shares[2], table, PORTSOCK_UDP, false);
	KUNIT_EXPECT_EQ(test, unbound_both(test), 2);
	portsock_share_del(&shares[3]);
	KUNIT_EXPECT_EQ(test, unbound_both(test), 1);
	KUNIT_EXPECT_EQ(test, portsock_gauges_short() - before, 5);
	portsock_share_del(&shares[2]);
	KUNIT_EXPECT_EQ(test, unbound_both(test), 0);
	KUNIT_EXPECT_EQ(test, portsock_gauges_short() - before, 5);
}

static void tables_do_not_see_each_other(struct kunit *test)
{
	struct portsock_table *other = portsock_table_new(true);
	struct portsock_holding h = service(test, PORTSOCK_TCP, 80, TCP_LISTEN);
	struct portsock_share shares[2] = { };
	struct portsock_counts counts;

	KUNIT_ASSERT_NOT_NULL(test, other);
	add(test, &shares[0], h);
	KUNIT_EXPECT_EQ(test, lines(other), (size_t)0);
	h.table = other;
	h.state = TCP_CLOSE;
	add(test, &shares[1], h);
	counts = row_counts(test, PORTSOCK_SERVICES, PORTSOCK_TCP, 80);
	KUNIT_EXPECT_EQ(test, counts.sockets, 1);
	KUNIT_EXPECT_EQ(test, counts.state[TCP_CLOSE], 0);
	del_all(shares, 2);
	portsock_rows_kill(other);
}

static void share_equals_tells_every_gauge_apart(struct kunit *test)
{
	struct portsock_holding h = service(test, PORTSOCK_TCP, 80,
					    TCP_ESTABLISHED);
	struct portsock_share share = { };
	struct portsock_holding other;

	KUNIT_EXPECT_FALSE(test, portsock_share_equals(&share, &h));
	add(test, &share, h);
	KUNIT_EXPECT_TRUE(test, portsock_share_equals(&share, &h));
	other = h;
	other.state = TCP_CLOSE;
	KUNIT_EXPECT_FALSE(test, portsock_share_equals(&share, &other));
	other = h;
	other.ipv6 = true;
	KUNIT_EXPECT_FALSE(test, portsock_share_equals(&share, &other));
	other = h;
	other.port = 81;
	KUNIT_EXPECT_FALSE(test, portsock_share_equals(&share, &other));
	other = h;
	other.proto = PORTSOCK_DCCP;
	KUNIT_EXPECT_FALSE(test, portsock_share_equals(&share, &other));
	other = h;
	other.queues = true;
	KUNIT_EXPECT_FALSE(test, portsock_share_equals(&share, &other));
	portsock_share_del(&share);
}

/* Many sockets at random against a plain count of them. */
static void random_shares_equal_a_plain_count(struct kunit *test)
{
	enum { SHARES = 200, PORTS = 16, STEPS = 20000 };
	struct portsock_share *shares;
	struct portsock_holding *h;
	struct rnd_state rnd;
	int step, port, i;

	h = kunit_kcalloc(test, SHARES, sizeof(*h), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, h);
	shares = kunit_kcalloc(test, SHARES, sizeof(*shares), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, shares);
	prandom_seed_state(&rnd, 20261);
	for (step = 0; step < STEPS; step++) {
		u32 r = prandom_u32_state(&rnd);

		i = r % SHARES;
		r /= SHARES;
		if (shares[i].row && r & 1) {
			portsock_share_del(&shares[i]);
			continue;
		}
		h[i].state = 1 + (r >> 1) % TCP_CLOSING;
		h[i].ipv6 = r & 32;
		h[i].service = !(r & (63 << 8));
		if (shares[i].row) {
			if (h[i].state != TCP_TIME_WAIT &&
			    shares[i].state != TCP_TIME_WAIT) {
				portsock_share_hold(&shares[i], &h[i]);
			} else {
				h[i].state = shares[i].state;
				h[i].ipv6 = shares[i].ipv6;
			}
			continue;
		}
		h[i].table = test->priv;
		h[i].port = 1 + (r >> 16) % PORTS;
		add(test, &shares[i], h[i]);
	}
	for (port = 1; port <= PORTS; port++) {
		struct portsock_counts want = { };
		struct portsock_line line = { };

		for (i = 0; i < SHARES; i++) {
			if (!shares[i].row || h[i].port != port)
				continue;
			want.state[h[i].state]++;
			if (h[i].state == TCP_TIME_WAIT)
				continue;
			want.sockets++;
			want.ipv6 += h[i].ipv6;
		}
		if (!line_find(test->priv, PORTSOCK_SERVICES, PORTSOCK_TCP,
			       port, &line))
			line_find(test->priv, PORTSOCK_EPHEMERALS, PORTSOCK_TCP,
				  port, &line);
		KUNIT_EXPECT_EQ(test, line.port, port);
		KUNIT_EXPECT_EQ(test, line.counts.sockets, want.sockets);
		KUNIT_EXPECT_EQ(test, line.counts.ipv6, want.ipv6);
		KUNIT_EXPECT_EQ(test, 0, memcmp(line.counts.state, want.state,
						sizeof(want.state)));
		expect_balanced(test, &line.counts);
	}
	if (lines(test->priv) > PORTS) {
		struct portsock_counts total;

		total = row_counts(test, PORTSOCK_TOTALS, PORTSOCK_TCP, 0);
		expect_balanced(test, &total);
	}
	for (i = 0; i < SHARES; i++)
		if (shares[i].row)
			portsock_share_del(&shares[i]);
}

static struct kunit_case table_cases[] = {
	KUNIT_CASE(table_new_is_empty),
	KUNIT_CASE(share_add_counts_in_its_state),
	KUNIT_CASE(share_update_moves_state_and_family),
	KUNIT_CASE(share_connected_counts_once_while_held),
	KUNIT_CASE(share_connected_in_the_same_state_counts),
	KUNIT_CASE(time_wait_is_no_socket),
	KUNIT_CASE(ephemeral_row_goes_with_its_last_share),
	KUNIT_CASE(lines_come_in_order),
	KUNIT_CASE(reader_goes_on_where_a_row_vanished),
	KUNIT_CASE(reader_may_begin_with_the_totals),
	KUNIT_CASE(reader_is_led_to_the_next_row),
	KUNIT_CASE(requests_of_all_listeners_are_summed_when_read),
	KUNIT_CASE(requests_of_many_listeners_are_summed_when_read),
	KUNIT_CASE(requests_of_a_row_are_its_own),
	KUNIT_CASE(counters_balance_across_overflow),
	KUNIT_CASE(share_add_without_memory_leaves_nothing),
	KUNIT_CASE(second_share_without_memory_is_not_counted),
	KUNIT_CASE(service_without_memory_stays_ephemeral),
	KUNIT_CASE(dead_table_takes_no_new_row),
	KUNIT_CASE(killed_table_frees_idle_rows),
	KUNIT_CASE(killed_table_goes_once_it_is_empty),
	KUNIT_CASE(killed_table_goes_with_its_last_row),
	KUNIT_CASE(killed_table_goes_with_its_last_unbound_socket),
	KUNIT_CASE(table_that_goes_takes_no_unbound_socket),
	KUNIT_CASE(accepted_share_is_never_connected),
	KUNIT_CASE(gauge_of_a_service_does_not_go_below_zero),
	KUNIT_CASE(gauge_of_a_total_does_not_go_below_zero),
	KUNIT_CASE(unbound_numbers_do_not_go_below_zero),
	KUNIT_CASE(tables_do_not_see_each_other),
	KUNIT_CASE(share_equals_tells_every_gauge_apart),
	KUNIT_CASE(random_shares_equal_a_plain_count),
	{ }
};

static struct kunit_suite table_suite = {
	.name = "portsock_table",
	.init = table_test_init,
	.exit = table_test_exit,
	.test_cases = table_cases,
};

kunit_test_suite(table_suite);

MODULE_LICENSE("GPL");
