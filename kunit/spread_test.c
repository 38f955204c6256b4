// SPDX-License-Identifier: GPL-2.0
/*
 * Who gets cells, and for how long.
 */
#include "rows.h"

#include "../module/spread.c"

#include <linux/module.h>

#define MANY 5

static struct portsock_table *others[MANY];

static void opened(struct kunit *test, u16 port, int nr)
{
	struct portsock_holding h = service(test, PORTSOCK_TCP, port,
					    TCP_ESTABLISHED);
	struct portsock_share share = { };

	while (nr--) {
		portsock_share_hold(&share, &h);
		portsock_share_del(&share);
	}
}

static int spread_nr(void)
{
	return list_count_nodes(&all_cells);
}

static void what_was_waited_for_is_wanted_once(struct kunit *test)
{
	struct portsock_waits waits = { };
	struct portsock_want wants[WANTS_MAX];
	int i, wanted = 0;

	for (i = 0; i < 2 * WANTS_WAITS; i++)
		if (waits_add(&waits))
			wanted++;
	/* unless a second ends just then */
	KUNIT_EXPECT_LE(test, wanted, 1);
	waits.second -= 2;
	KUNIT_EXPECT_FALSE(test, waits_add(&waits));
	KUNIT_EXPECT_EQ(test, waits.nr, 1);

	for (i = 0; i < 100; i++)
		portsock_want(test->priv, 7);
	KUNIT_EXPECT_EQ(test, portsock_wants_take(wants), 1);
	KUNIT_EXPECT_PTR_EQ(test, wants[0].owner, test->priv);
	KUNIT_EXPECT_EQ(test, wants[0].key, 7);
	for (i = 0; i < 100; i++)
		portsock_want(test->priv, i);
	KUNIT_EXPECT_EQ(test, portsock_wants_take(wants), WANTS_MAX);
	KUNIT_EXPECT_EQ(test, portsock_wants_take(wants), 0);
}

static void waits(struct portsock_row *row, struct portsock_totals *totals)
{
	int i;

	/* a second may end meanwhile */
	for (i = 0; i < 2 * WANTS_WAITS; i++) {
		if (row)
			portsock_row_wait(row);
		else
			portsock_total_wait(totals, PORTSOCK_TCP);
		raw_unlock_some(row ? &row->bucket->lock :
				      &totals->of[PORTSOCK_TCP].lock);
	}
}

static void row_or_total_is_wanted(struct kunit *test)
{
	struct portsock_table *table = test->priv;
	struct portsock_want wants[WANTS_MAX];
	struct portsock_share share = { };

	add(test, &share, service(test, PORTSOCK_TCP, 80, TCP_ESTABLISHED));
	waits(share.row, NULL);
	KUNIT_ASSERT_EQ(test, portsock_wants_take(wants), 1);
	KUNIT_EXPECT_PTR_EQ(test, wants[0].owner, table);
	KUNIT_EXPECT_EQ(test, wants[0].key, key_of(PORTSOCK_TCP, 80));
	portsock_share_del(&share);

	waits(NULL, &table->totals);
	KUNIT_ASSERT_EQ(test, portsock_wants_take(wants), 1);
	KUNIT_EXPECT_PTR_EQ(test, wants[0].owner, &table->totals);
	KUNIT_EXPECT_EQ(test, wants[0].key, key_of(PORTSOCK_TCP, 0));

	/* there are many of these, each with few sockets */
	add(test, &share, holding(test, PORTSOCK_TCP, 40000, TCP_SYN_SENT));
	waits(share.row, NULL);
	KUNIT_EXPECT_EQ(test, portsock_wants_take(wants), 0);
	portsock_share_del(&share);
}

static void row_whose_sockets_queue_has_none(struct kunit *test)
{
	struct portsock_table *table = test->priv;
	struct portsock_holding h = service(test, PORTSOCK_UDP, 53, TCP_CLOSE);
	struct portsock_want wants[WANTS_MAX];
	struct portsock_share share = { };

	portsock_share_hold(&share, &h);
	waits(share.row, NULL);
	KUNIT_EXPECT_EQ(test, portsock_wants_take(wants), 0);
	portsock_spread(table, key_of(PORTSOCK_UDP, 53));
	KUNIT_EXPECT_EQ(test, spread_nr(), 0);
	portsock_share_del(&share);

	h.state = TCP_ESTABLISHED;
	h.service = false;
	h.port = 40000;
	h.how = PORTSOCK_CONNECTED;
	h.remote = 53;
	portsock_share_hold(&share, &h);
	portsock_spread(table, key_remote(PORTSOCK_UDP, 53));
	KUNIT_EXPECT_EQ(test, spread_nr(), 1);
	portsock_share_del(&share);
	portsock_spread_end(table);
}

static void row_has_cells_until_it_is_quiet(struct kunit *test)
{
	struct portsock_table *table = test->priv;
	struct portsock_share share = { };

	add(test, &share, service(test, PORTSOCK_TCP, 80, TCP_ESTABLISHED));
	portsock_spread(table, key_of(PORTSOCK_TCP, 80));
	portsock_spread(table, key_of(PORTSOCK_TCP, 80));
	KUNIT_EXPECT_EQ(test, spread_nr(), 1);
	KUNIT_EXPECT_TRUE(test, row_is_busy(share.row));
	share.row->body->cells->peaks[CELLS_SOCKETS].shared = true;
	/* it may just have got them */
	portsock_spread_look();
	KUNIT_EXPECT_EQ(test, spread_nr(), 1);
	KUNIT_EXPECT_FALSE(test,
			   share.row->body->cells->peaks[CELLS_SOCKETS].shared);
	opened(test, 80, SPREAD_QUIET);
	portsock_spread_look();
	KUNIT_EXPECT_EQ(test, spread_nr(), 1);
	opened(test, 80, SPREAD_QUIET - 1);
	portsock_spread_look();
	KUNIT_EXPECT_EQ(test, spread_nr(), 0);
	KUNIT_EXPECT_FALSE(test, row_is_busy(share.row));
	portsock_share_del(&share);
}

static void total_has_cells_until_it_is_quiet(struct kunit *test)
{
	struct portsock_table *table = test->priv;
	struct portsock_share share = { };
	int i;

	portsock_spread(table, key_of(PORTSOCK_TCP, 0));
	portsock_spread(table, key_of(PORTSOCK_TCP, 0));
	KUNIT_EXPECT_EQ(test, spread_nr(), 1);
	table->totals.of[PORTSOCK_TCP].cells->peaks[CELLS_UNBOUND].shared = true;
	portsock_spread_look();
	KUNIT_EXPECT_FALSE(test, table->totals.of[PORTSOCK_TCP]
				 .cells->peaks[CELLS_UNBOUND].shared);
	for (i = 0; i < SPREAD_QUIET; i++) {
		portsock_share_unbound(&share, table, PORTSOCK_TCP, false);
		portsock_share_del(&share);
	}
	portsock_spread_look();
	KUNIT_EXPECT_EQ(test, spread_nr(), 1);
	KUNIT_EXPECT_NOT_NULL(test, table->totals.of[PORTSOCK_TCP].cells);
	portsock_spread_look();
	KUNIT_EXPECT_EQ(test, spread_nr(), 0);
	KUNIT_EXPECT_NULL(test, table->totals.of[PORTSOCK_TCP].cells);
	KUNIT_EXPECT_EQ(test, row_counts(test, PORTSOCK_SERVICES, PORTSOCK_TCP,
					 0).came[PORTSOCK_BOUND], SPREAD_QUIET);
}

static void what_is_not_there_gets_none(struct kunit *test)
{
	struct portsock_table *table = test->priv;
	struct portsock_share share = { };

	portsock_spread(table, key_of(PORTSOCK_TCP, 80));
	add(test, &share, holding(test, PORTSOCK_TCP, 40000, TCP_SYN_SENT));
	portsock_spread(table, key_of(PORTSOCK_TCP, 40000));
	KUNIT_EXPECT_EQ(test, spread_nr(), 0);
	portsock_share_del(&share);
}

static void nobody_gets_any_without_memory(struct kunit *test)
{
	memory_left = 0;
	portsock_spread(test->priv, key_of(PORTSOCK_TCP, 0));
	memory_left = INT_MAX;
	KUNIT_EXPECT_EQ(test, spread_nr(), 0);
}

static void there_are_so_many_at_most(struct kunit *test)
{
	static struct portsock_share shares[SPREAD_MAX + 1];
	struct portsock_table *table = test->priv;
	int i;

	for (i = 0; i < ARRAY_SIZE(shares); i++) {
		add(test, &shares[i], service(test, PORTSOCK_TCP, 1 + i,
					      TCP_ESTABLISHED));
		portsock_spread(table, key_of(PORTSOCK_TCP, 1 + i));
	}
	KUNIT_EXPECT_EQ(test, spread_nr(), SPREAD_MAX);
	portsock_spread_end(table);
	for (i = 0; i < ARRAY_SIZE(shares); i++)
		portsock_share_del(&shares[i]);
}

/* Whoever makes namespaces leaves some for those that are there. */
static void namespaces_have_but_a_part(struct kunit *test)
{
	static const int part[MANY] = { 8, 6, 4, 3, 2 };
	struct portsock_table *table = test->priv;
	int i, proto, before;

	for (i = 0; i < MANY; i++) {
		others[i] = portsock_table_new(false);
		KUNIT_ASSERT_NOT_NULL(test, others[i]);
		before = spread_nr();
		for (proto = 0; proto < PORTSOCK_PROTO_NR; proto++)
			portsock_spread(others[i], key_of(proto, 0));
		KUNIT_EXPECT_EQ(test, spread_nr() - before, part[i]);
	}
	before = spread_nr();
	for (proto = 0; proto < PORTSOCK_PROTO_NR; proto++)
		portsock_spread(table, key_of(proto, 0));
	KUNIT_EXPECT_EQ(test, spread_nr() - before, PORTSOCK_PROTO_NR);
	for (i = 0; i < MANY; i++) {
		portsock_spread_end(others[i]);
		portsock_rows_kill(others[i]);
	}
	KUNIT_EXPECT_EQ(test, spread_nr(), PORTSOCK_PROTO_NR);
	portsock_spread_end(table);
	KUNIT_EXPECT_EQ(test, spread_nr(), 0);
}

static struct kunit_case spread_cases[] = {
	KUNIT_CASE(what_was_waited_for_is_wanted_once),
	KUNIT_CASE(row_or_total_is_wanted),
	KUNIT_CASE(row_whose_sockets_queue_has_none),
	KUNIT_CASE(row_has_cells_until_it_is_quiet),
	KUNIT_CASE(total_has_cells_until_it_is_quiet),
	KUNIT_CASE(what_is_not_there_gets_none),
	KUNIT_CASE(nobody_gets_any_without_memory),
	KUNIT_CASE(there_are_so_many_at_most),
	KUNIT_CASE(namespaces_have_but_a_part),
	{ }
};

static struct kunit_suite spread_suite = {
	.name = "portsock_spread",
	.init = table_test_init,
	.exit = table_test_exit,
	.test_cases = spread_cases,
};

kunit_test_suites(&spread_suite);

MODULE_LICENSE("GPL");
