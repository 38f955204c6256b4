// SPDX-License-Identifier: GPL-2.0
/*
 * Rows that turn service, rest and are folded.
 */
#include "rows.h"

#include <linux/module.h>

static void service_row_stays_with_its_counters(struct kunit *test)
{
	struct portsock_share share = { };
	struct portsock_counts counts;

	add(test, &share, service(test, PORTSOCK_UDP, 53, TCP_CLOSE));
	portsock_share_del(&share);
	counts = row_counts(test, PORTSOCK_SERVICES, PORTSOCK_UDP, 53);
	KUNIT_EXPECT_EQ(test, portsock_opened(&counts), 1);
	KUNIT_EXPECT_EQ(test, closed(&counts), 1);
	KUNIT_EXPECT_EQ(test, counts.sockets, 0);
	KUNIT_EXPECT_EQ(test, counts.peak, 1);
}

static void ephemeral_row_turned_service_leaves_the_total_balanced(struct kunit *test)
{
	struct portsock_holding h = holding(test, PORTSOCK_TCP, 40000, TCP_CLOSE);
	struct portsock_share shares[2] = { };
	struct portsock_counts counts;

	add(test, &shares[0], h);
	add(test, &shares[1], holding(test, PORTSOCK_TCP, 40000, TCP_TIME_WAIT));
	h.state = TCP_LISTEN;
	h.service = true;
	portsock_share_hold(&shares[0], &h);

	counts = row_counts(test, PORTSOCK_SERVICES, PORTSOCK_TCP, 40000);
	KUNIT_EXPECT_EQ(test, counts.sockets, 1);
	KUNIT_EXPECT_EQ(test, counts.state[TCP_LISTEN], 1);
	KUNIT_EXPECT_EQ(test, counts.state[TCP_TIME_WAIT], 1);
	KUNIT_EXPECT_EQ(test, portsock_opened(&counts), 1);
	expect_balanced(test, &counts);
	counts = row_counts(test, PORTSOCK_TOTALS, PORTSOCK_TCP, 0);
	KUNIT_EXPECT_EQ(test, counts.sockets, 0);
	KUNIT_EXPECT_EQ(test, counts.state[TCP_CLOSE], 0);
	KUNIT_EXPECT_EQ(test, counts.state[TCP_TIME_WAIT], 0);
	KUNIT_EXPECT_EQ(test, portsock_opened(&counts), 1);
	expect_balanced(test, &counts);
	KUNIT_EXPECT_EQ(test, lines(test->priv), (size_t)2);
	del_all(shares, 2);
}

static void ephemeral_row_turns_service_when_a_service_joins(struct kunit *test)
{
	struct portsock_share shares[2] = { };
	struct portsock_counts counts;

	add(test, &shares[0], holding(test, PORTSOCK_TCP, 40000, TCP_ESTABLISHED));
	add(test, &shares[1], service(test, PORTSOCK_TCP, 40000, TCP_CLOSE));
	counts = row_counts(test, PORTSOCK_SERVICES, PORTSOCK_TCP, 40000);
	KUNIT_EXPECT_EQ(test, counts.sockets, 2);
	expect_balanced(test, &counts);
	del_all(shares, 2);
}

static void ephemeral_row_turned_service_takes_its_ipv6_along(struct kunit *test)
{
	struct portsock_holding h = holding(test, PORTSOCK_TCP, 40000, TCP_ESTABLISHED);
	struct portsock_share shares[2] = { };

	h.ipv6 = true;
	add(test, &shares[0], h);
	add(test, &shares[1], service(test, PORTSOCK_TCP, 40000, TCP_LISTEN));
	KUNIT_EXPECT_EQ(test, row_counts(test, PORTSOCK_SERVICES, PORTSOCK_TCP, 40000).ipv6, 1);
	KUNIT_EXPECT_EQ(test, row_counts(test, PORTSOCK_TOTALS, PORTSOCK_TCP, 0).ipv6, 0);
	del_all(shares, 2);
}

static void ephemeral_row_turned_service_begins_its_peak_anew(struct kunit *test)
{
	struct portsock_holding h = holding(test, PORTSOCK_TCP, 40000, TCP_ESTABLISHED);
	struct portsock_share shares[3] = { };
	int i;

	for (i = 0; i < 3; i++)
		add(test, &shares[i], h);
	del_all(&shares[1], 2);
	h.service = true;
	portsock_share_hold(&shares[0], &h);
	KUNIT_EXPECT_EQ(test, row_counts(test, PORTSOCK_SERVICES, PORTSOCK_TCP, 40000).peak, 1);
	KUNIT_EXPECT_EQ(test, row_counts(test, PORTSOCK_TOTALS, PORTSOCK_TCP, 0).peak, 3);
	portsock_share_del(&shares[0]);
}

static void ephemeral_row_turned_service_forgets_how_its_sockets_came(struct kunit *test)
{
	struct portsock_holding h = holding(test, PORTSOCK_TCP, 40000, TCP_ESTABLISHED);
	struct portsock_share shares[3] = { };
	struct portsock_counts counts;

	h.how = PORTSOCK_CONNECTED;
	add(test, &shares[0], h);
	add(test, &shares[1], h);
	portsock_share_del(&shares[1]);
	add(test, &shares[2], service(test, PORTSOCK_TCP, 40000, TCP_LISTEN));
	counts = row_counts(test, PORTSOCK_SERVICES, PORTSOCK_TCP, 40000);
	KUNIT_EXPECT_EQ(test, counts.came[PORTSOCK_CONNECTED], 0);
	KUNIT_EXPECT_EQ(test, counts.came[PORTSOCK_FOUND], 2);
	counts = row_counts(test, PORTSOCK_TOTALS, PORTSOCK_TCP, 0);
	KUNIT_EXPECT_EQ(test, counts.came[PORTSOCK_CONNECTED], 2);
	KUNIT_EXPECT_EQ(test, counts.came[PORTSOCK_FOUND], 0);
	portsock_share_del(&shares[0]);
	portsock_share_del(&shares[2]);
}

static void ephemeral_row_turned_service_leaves_the_others(struct kunit *test)
{
	struct portsock_share shares[4] = { };
	struct portsock_line line;
	int i;

	for (i = 0; i < 3; i++)
		add(test, &shares[i], holding(test, PORTSOCK_TCP, 40000 + i, TCP_CLOSE));
	add(test, &shares[3], service(test, PORTSOCK_TCP, 40001, TCP_LISTEN));
	for (i = 0; i < 3; i++)
		KUNIT_EXPECT_EQ(test, i != 1, line_find(test->priv, PORTSOCK_EPHEMERALS,
							PORTSOCK_TCP, 40000 + i, &line));
	del_all(shares, 4);
}

static void idle_services_beyond_the_limit_fold_oldest_first(struct kunit *test)
{
	struct portsock_share used = { }, share = { };
	struct portsock_table *table = test->priv;
	struct portsock_line line;
	int port;

	add(test, &used, service(test, PORTSOCK_TCP, 1, TCP_LISTEN));
	for (port = 2; port < 2 + PORTSOCK_IDLE_MAX; port++) {
		add(test, &share, service(test, PORTSOCK_TCP, port, TCP_CLOSE));
		portsock_share_del(&share);
	}
	/* port 2 is used again, which makes 3 the one idle for longest */
	add(test, &share, service(test, PORTSOCK_TCP, 2, TCP_CLOSE));
	portsock_share_del(&share);
	KUNIT_EXPECT_EQ(test, table->idle_nr, PORTSOCK_IDLE_MAX);
	add(test, &share, service(test, PORTSOCK_UDP, 53, TCP_CLOSE));
	portsock_share_del(&share);

	KUNIT_EXPECT_EQ(test, table->idle_nr, PORTSOCK_IDLE_MAX);
	KUNIT_EXPECT_TRUE(test, line_find(table, PORTSOCK_SERVICES, PORTSOCK_TCP, 1, &line));
	KUNIT_EXPECT_TRUE(test, line_find(table, PORTSOCK_SERVICES, PORTSOCK_TCP, 2, &line));
	KUNIT_EXPECT_FALSE(test, line_find(table, PORTSOCK_SERVICES, PORTSOCK_TCP, 3, &line));
	KUNIT_EXPECT_TRUE(test, line_find(table, PORTSOCK_SERVICES, PORTSOCK_TCP, 4, &line));
	line = folded_line(table, PORTSOCK_TCP);
	KUNIT_EXPECT_EQ(test, line.ports, 1);
	KUNIT_EXPECT_EQ(test, portsock_opened(&line.counts), 1);
	KUNIT_EXPECT_EQ(test, line.counts.peak, 1);
	expect_balanced(test, &line.counts);
	portsock_share_del(&used);
}

static void only_services_are_idle(struct kunit *test)
{
	struct portsock_table *table = test->priv;
	struct portsock_share share = { };

	add(test, &share, service(test, PORTSOCK_TCP, 80, TCP_LISTEN));
	portsock_share_del(&share);
	add(test, &share, holding(test, PORTSOCK_TCP, 40000, TCP_CLOSE));
	portsock_share_del(&share);
	KUNIT_EXPECT_EQ(test, table->idle_nr, 1);
	add(test, &share, service(test, PORTSOCK_TCP, 80, TCP_LISTEN));
	KUNIT_EXPECT_EQ(test, table->idle_nr, 0);
	portsock_share_del(&share);
}

/* Its key was read, and the locks were let go meanwhile. */
static void fold_spares_a_row_that_woke(struct kunit *test)
{
	struct portsock_share share = { };
	struct portsock_counts counts;

	add(test, &share, service(test, PORTSOCK_TCP, 80, TCP_LISTEN));
	row_fold(test->priv, key_of(PORTSOCK_TCP, 80));
	counts = row_counts(test, PORTSOCK_SERVICES, PORTSOCK_TCP, 80);
	KUNIT_EXPECT_EQ(test, counts.sockets, 1);
	KUNIT_EXPECT_EQ(test, lines(test->priv), (size_t)1);
	portsock_share_del(&share);
}

static void fold_of_a_row_that_went_is_nothing(struct kunit *test)
{
	row_fold(test->priv, key_of(PORTSOCK_TCP, 80));
	KUNIT_EXPECT_EQ(test, lines(test->priv), (size_t)0);
}

/* A port is used by so many sockets at once, by each way to come to it, and folded. */
static void use_and_fold(struct kunit *test, u16 port, int sockets)
{
	struct portsock_share shares[PORTSOCK_HOW_NR] = { };
	int i;

	for (i = 0; i < sockets; i++) {
		struct portsock_holding h = service(test, PORTSOCK_TCP, port, TCP_CLOSE);

		h.how = i;
		add(test, &shares[i], h);
	}
	del_all(shares, sockets);
	row_fold(test->priv, key_of(PORTSOCK_TCP, port));
}

static void fold_adds_to_what_was_folded_before(struct kunit *test)
{
	struct portsock_line line;

	use_and_fold(test, 80, 3);
	use_and_fold(test, 443, 1);
	use_and_fold(test, 8080, 2);
	line = folded_line(test->priv, PORTSOCK_TCP);
	KUNIT_EXPECT_EQ(test, line.ports, 3);
	KUNIT_EXPECT_EQ(test, line.counts.came[PORTSOCK_FOUND], 3);
	KUNIT_EXPECT_EQ(test, line.counts.came[PORTSOCK_ACCEPTED], 2);
	KUNIT_EXPECT_EQ(test, line.counts.came[PORTSOCK_CONNECTED], 1);
	KUNIT_EXPECT_EQ(test, line.counts.sockets, 0);
	KUNIT_EXPECT_EQ(test, line.counts.state[TCP_CLOSE], 0);
	KUNIT_EXPECT_EQ(test, line.counts.peak, 3);
	KUNIT_EXPECT_EQ(test, lines(test->priv), (size_t)1);
}

/* Agents would take it for a burst of connections. */
static void fold_leaves_the_ephemeral_total_alone(struct kunit *test)
{
	struct portsock_share share = { };
	struct portsock_line line;

	add(test, &share, holding(test, PORTSOCK_TCP, 40000, TCP_CLOSE));
	use_and_fold(test, 80, 3);
	KUNIT_ASSERT_TRUE(test, line_find(test->priv, PORTSOCK_TOTALS, PORTSOCK_TCP, 0, &line));
	KUNIT_EXPECT_EQ(test, line.class, PORTSOCK_EPHEMERAL);
	KUNIT_EXPECT_EQ(test, line.ports, 1);
	KUNIT_EXPECT_EQ(test, portsock_opened(&line.counts), 1);
	KUNIT_EXPECT_EQ(test, line.counts.peak, 1);
	portsock_share_del(&share);
}

static void fold_of_one_protocol_is_not_in_another(struct kunit *test)
{
	use_and_fold(test, 80, 1);
	KUNIT_EXPECT_EQ(test, folded_line(test->priv, PORTSOCK_UDP).ports, 0);
	KUNIT_EXPECT_EQ(test, folded_line(test->priv, PORTSOCK_TCP).ports, 1);
}

static void folded_port_begins_anew_and_counts_again_when_folded_again(struct kunit *test)
{
	struct portsock_share share = { };
	struct portsock_counts counts;
	struct portsock_line line;

	use_and_fold(test, 80, 3);
	add(test, &share, service(test, PORTSOCK_TCP, 80, TCP_LISTEN));
	counts = row_counts(test, PORTSOCK_SERVICES, PORTSOCK_TCP, 80);
	KUNIT_EXPECT_EQ(test, portsock_opened(&counts), 1);
	KUNIT_EXPECT_EQ(test, counts.peak, 1);
	line = folded_line(test->priv, PORTSOCK_TCP);
	KUNIT_EXPECT_EQ(test, line.ports, 1);
	KUNIT_EXPECT_EQ(test, portsock_opened(&line.counts), 3);

	portsock_share_del(&share);
	row_fold(test->priv, key_of(PORTSOCK_TCP, 80));
	line = folded_line(test->priv, PORTSOCK_TCP);
	KUNIT_EXPECT_EQ(test, line.ports, 2);
	KUNIT_EXPECT_EQ(test, portsock_opened(&line.counts), 4);
	KUNIT_EXPECT_EQ(test, line.counts.peak, 3);
}

/* Of TIME_WAIT alone nothing is counted, but the row was there. */
static void fold_of_a_row_without_history_is_told(struct kunit *test)
{
	struct portsock_share share = { };

	add(test, &share, service(test, PORTSOCK_TCP, 80, TCP_TIME_WAIT));
	portsock_share_del(&share);
	row_fold(test->priv, key_of(PORTSOCK_TCP, 80));
	KUNIT_EXPECT_EQ(test, folded_line(test->priv, PORTSOCK_TCP).ports, 1);
}

/* Services and both totals: what all sockets of a protocol did that ever held a port. */
static u64 all_opened(struct kunit *test)
{
	struct portsock_cursor cursor = { };
	struct portsock_line line;
	u64 opened = 0;

	while (portsock_table_next(test->priv, &cursor, &line))
		if (line.part == PORTSOCK_TOTALS || line.class == PORTSOCK_SERVICE)
			opened += portsock_opened(&line.counts);
	return opened;
}

static void nothing_is_lost_or_counted_twice_when_services_fold(struct kunit *test)
{
	struct portsock_share share = { }, client = { };
	u64 opened = 0;
	int i;

	for (i = 0; i < 2 * PORTSOCK_IDLE_MAX; i++) {
		/* each port comes back soon after it was folded */
		int port = 1 + i % (PORTSOCK_IDLE_MAX + 8);

		add(test, &share, service(test, PORTSOCK_TCP, port, TCP_CLOSE));
		add(test, &client, holding(test, PORTSOCK_TCP, 40000, TCP_CLOSE));
		opened += 2;
		KUNIT_ASSERT_EQ(test, all_opened(test), opened);
		portsock_share_del(&share);
		portsock_share_del(&client);
		KUNIT_ASSERT_EQ(test, all_opened(test), opened);
	}
	KUNIT_EXPECT_EQ(test, folded_line(test->priv, PORTSOCK_TCP).ports, PORTSOCK_IDLE_MAX);
}

static void ports_are_those_that_a_row_stands_for(struct kunit *test)
{
	struct portsock_share shares[4] = { };
	struct portsock_line line;
	int i;

	add(test, &shares[0], service(test, PORTSOCK_TCP, 80, TCP_LISTEN));
	add(test, &shares[1], holding(test, PORTSOCK_TCP, 0, TCP_CLOSE));
	for (i = 2; i < 4; i++)
		add(test, &shares[i], holding(test, PORTSOCK_TCP, 40000 + i, TCP_CLOSE));
	KUNIT_ASSERT_TRUE(test, line_find(test->priv, PORTSOCK_SERVICES, PORTSOCK_TCP, 80, &line));
	KUNIT_EXPECT_EQ(test, line.ports, 1);
	KUNIT_ASSERT_TRUE(test, line_find(test->priv, PORTSOCK_SERVICES, PORTSOCK_TCP, 0, &line));
	KUNIT_EXPECT_EQ(test, line.ports, 0);
	KUNIT_ASSERT_TRUE(test, line_find(test->priv, PORTSOCK_EPHEMERALS,
					  PORTSOCK_TCP, 40002, &line));
	KUNIT_EXPECT_EQ(test, line.ports, 1);
	KUNIT_ASSERT_TRUE(test, line_find(test->priv, PORTSOCK_TOTALS, PORTSOCK_TCP, 0, &line));
	KUNIT_EXPECT_EQ(test, line.ports, 2);
	/* one goes, the other turns service */
	portsock_share_del(&shares[2]);
	KUNIT_ASSERT_TRUE(test, line_find(test->priv, PORTSOCK_TOTALS, PORTSOCK_TCP, 0, &line));
	KUNIT_EXPECT_EQ(test, line.ports, 1);
	add(test, &shares[3], service(test, PORTSOCK_TCP, 40003, TCP_LISTEN));
	KUNIT_ASSERT_TRUE(test, line_find(test->priv, PORTSOCK_TOTALS, PORTSOCK_TCP, 0, &line));
	KUNIT_EXPECT_EQ(test, line.ports, 0);
	portsock_share_del(&shares[0]);
	portsock_share_del(&shares[1]);
	portsock_share_del(&shares[3]);
}

static void unbound_rows_are_never_folded(struct kunit *test)
{
	struct portsock_table *table = test->priv;
	struct portsock_share share = { };
	struct portsock_counts counts;

	add(test, &share, holding(test, PORTSOCK_TCP, 0, TCP_CLOSE));
	portsock_share_del(&share);
	KUNIT_EXPECT_EQ(test, table->idle_nr, 0);
	counts = row_counts(test, PORTSOCK_SERVICES, PORTSOCK_TCP, 0);
	KUNIT_EXPECT_EQ(test, closed(&counts), 1);
}

static struct kunit_case service_cases[] = {
	KUNIT_CASE(service_row_stays_with_its_counters),
	KUNIT_CASE(ephemeral_row_turned_service_leaves_the_total_balanced),
	KUNIT_CASE(ephemeral_row_turns_service_when_a_service_joins),
	KUNIT_CASE(ephemeral_row_turned_service_takes_its_ipv6_along),
	KUNIT_CASE(ephemeral_row_turned_service_begins_its_peak_anew),
	KUNIT_CASE(ephemeral_row_turned_service_forgets_how_its_sockets_came),
	KUNIT_CASE(ephemeral_row_turned_service_leaves_the_others),
	KUNIT_CASE(idle_services_beyond_the_limit_fold_oldest_first),
	KUNIT_CASE(only_services_are_idle),
	KUNIT_CASE(fold_spares_a_row_that_woke),
	KUNIT_CASE(fold_of_a_row_that_went_is_nothing),
	KUNIT_CASE(fold_adds_to_what_was_folded_before),
	KUNIT_CASE(fold_leaves_the_ephemeral_total_alone),
	KUNIT_CASE(fold_of_one_protocol_is_not_in_another),
	KUNIT_CASE(folded_port_begins_anew_and_counts_again_when_folded_again),
	KUNIT_CASE(fold_of_a_row_without_history_is_told),
	KUNIT_CASE(nothing_is_lost_or_counted_twice_when_services_fold),
	KUNIT_CASE(ports_are_those_that_a_row_stands_for),
	KUNIT_CASE(unbound_rows_are_never_folded),
	{ }
};

static struct kunit_suite service_suite = {
	.name = "portsock_service",
	.init = table_test_init,
	.exit = table_test_exit,
	.test_cases = service_cases,
};

kunit_test_suite(service_suite);

MODULE_LICENSE("GPL");
