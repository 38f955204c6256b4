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
	struct portsock_holding h = holding(test, PORTSOCK_TCP, 40000,
					    TCP_CLOSE);
	struct portsock_share shares[2] = { };
	struct portsock_counts counts;

	add(test, &shares[0], h);
	add(test, &shares[1],
	    holding(test, PORTSOCK_TCP, 40000, TCP_TIME_WAIT));
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

	add(test, &shares[0],
	    holding(test, PORTSOCK_TCP, 40000, TCP_ESTABLISHED));
	add(test, &shares[1], service(test, PORTSOCK_TCP, 40000, TCP_CLOSE));
	counts = row_counts(test, PORTSOCK_SERVICES, PORTSOCK_TCP, 40000);
	KUNIT_EXPECT_EQ(test, counts.sockets, 2);
	expect_balanced(test, &counts);
	del_all(shares, 2);
}

static void ephemeral_row_turned_service_takes_its_ipv6_along(struct kunit *test)
{
	struct portsock_holding h = holding(test, PORTSOCK_TCP, 40000,
					    TCP_ESTABLISHED);
	struct portsock_share shares[2] = { };
	struct portsock_counts counts;

	h.ipv6 = true;
	add(test, &shares[0], h);
	add(test, &shares[1], service(test, PORTSOCK_TCP, 40000, TCP_LISTEN));
	counts = row_counts(test, PORTSOCK_SERVICES, PORTSOCK_TCP, 40000);
	KUNIT_EXPECT_EQ(test, counts.ipv6, 1);
	counts = row_counts(test, PORTSOCK_TOTALS, PORTSOCK_TCP, 0);
	KUNIT_EXPECT_EQ(test, counts.ipv6, 0);
	del_all(shares, 2);
}

static void ephemeral_row_turned_service_begins_its_peak_anew(struct kunit *test)
{
	struct portsock_holding h = holding(test, PORTSOCK_TCP, 40000,
					    TCP_ESTABLISHED);
	struct portsock_share shares[3] = { };
	struct portsock_counts counts;
	int i;

	for (i = 0; i < 3; i++)
		add(test, &shares[i], h);
	del_all(&shares[1], 2);
	h.service = true;
	portsock_share_hold(&shares[0], &h);
	counts = row_counts(test, PORTSOCK_SERVICES, PORTSOCK_TCP, 40000);
	KUNIT_EXPECT_EQ(test, counts.peak, 1);
	counts = row_counts(test, PORTSOCK_TOTALS, PORTSOCK_TCP, 0);
	KUNIT_EXPECT_EQ(test, counts.peak, 3);
	portsock_share_del(&shares[0]);
}

static void ephemeral_row_turned_service_forgets_how_its_sockets_came(struct kunit *test)
{
	struct portsock_holding h = holding(test, PORTSOCK_TCP, 40000,
					    TCP_ESTABLISHED);
	struct portsock_share shares[3] = { };
	struct portsock_counts counts;

	h.how = PORTSOCK_CONNECTED;
	add(test, &shares[0], h);
	add(test, &shares[1], h);
	portsock_share_del(&shares[1]);
	add(test, &shares[2], service(test, PORTSOCK_TCP, 40000, TCP_LISTEN));
	counts = row_counts(test, PORTSOCK_SERVICES, PORTSOCK_TCP, 40000);
	KUNIT_EXPECT_EQ(test, counts.came[PORTSOCK_CONNECTED], 0);
	KUNIT_EXPECT_EQ(test, counts.came[PORTSOCK_BOUND], 2);
	counts = row_counts(test, PORTSOCK_TOTALS, PORTSOCK_TCP, 0);
	KUNIT_EXPECT_EQ(test, counts.came[PORTSOCK_CONNECTED], 2);
	KUNIT_EXPECT_EQ(test, counts.came[PORTSOCK_BOUND], 0);
	portsock_share_del(&shares[0]);
	portsock_share_del(&shares[2]);
}

static void ephemeral_row_turned_service_leaves_the_others(struct kunit *test)
{
	struct portsock_share shares[4] = { };
	struct portsock_line line;
	int i;

	for (i = 0; i < 3; i++)
		add(test, &shares[i],
		    holding(test, PORTSOCK_TCP, 40000 + i, TCP_CLOSE));
	add(test, &shares[3], service(test, PORTSOCK_TCP, 40001, TCP_LISTEN));
	for (i = 0; i < 3; i++)
		KUNIT_EXPECT_EQ(test, i != 1,
				line_find(test->priv, PORTSOCK_EPHEMERALS,
					  PORTSOCK_TCP, 40000 + i, &line));
	del_all(shares, 4);
}

/* Ports from @first on were asked for; each is held for so many seconds. */
static void use(struct kunit *test, u16 first, unsigned int nr,
		unsigned int seconds)
{
	struct portsock_share share = { };

	for (; nr--; first++) {
		add(test, &share,
		    service(test, PORTSOCK_TCP, first, TCP_CLOSE));
		clock_seconds += seconds;
		portsock_share_del(&share);
	}
}

static bool has(struct kunit *test, u16 port)
{
	struct portsock_line line;

	return line_find(test->priv, PORTSOCK_SERVICES, PORTSOCK_TCP, port,
			 &line);
}

/* A case in the table of a namespace that is not the first. */
static void other_begin(struct kunit *test)
{
	portsock_rows_kill(test->priv);
	test->priv = portsock_table_new(false);
	KUNIT_ASSERT_NOT_NULL(test, test->priv);
}

static void idle_services_beyond_the_limit_fold_oldest_first(struct kunit *test)
{
	struct portsock_share used = { }, share = { };
	struct portsock_table *table = test->priv;
	struct portsock_line line;

	add(test, &used, service(test, PORTSOCK_TCP, 1, TCP_LISTEN));
	use(test, 2, PORTSOCK_IDLE_FIRST, 0);
	/* port 2 is used again, which makes 3 the one idle for longest */
	add(test, &share, service(test, PORTSOCK_TCP, 2, TCP_CLOSE));
	portsock_share_del(&share);
	KUNIT_EXPECT_EQ(test, table->idle.nr, PORTSOCK_IDLE_FIRST);
	add(test, &share, service(test, PORTSOCK_UDP, 53, TCP_CLOSE));
	portsock_share_del(&share);

	KUNIT_EXPECT_EQ(test, table->idle.nr, PORTSOCK_IDLE_FIRST);
	KUNIT_EXPECT_TRUE(test, has(test, 1));
	KUNIT_EXPECT_TRUE(test, has(test, 2));
	KUNIT_EXPECT_FALSE(test, has(test, 3));
	KUNIT_EXPECT_TRUE(test, has(test, 4));
	line = folded_line(table, PORTSOCK_TCP);
	KUNIT_EXPECT_EQ(test, line.ports, 1);
	KUNIT_EXPECT_EQ(test, portsock_opened(&line.counts), 1);
	KUNIT_EXPECT_EQ(test, line.counts.peak, 1);
	expect_balanced(test, &line.counts);
	portsock_share_del(&used);
}

static void used_service_folds_after_those_that_were_not(struct kunit *test)
{
	use(test, 1, 1, PORTSOCK_USE_SECONDS);
	use(test, 2, PORTSOCK_IDLE_FIRST + 1, 0);
	KUNIT_EXPECT_TRUE(test, has(test, 1));
	KUNIT_EXPECT_FALSE(test, has(test, 2));
	KUNIT_EXPECT_FALSE(test, has(test, 3));
	KUNIT_EXPECT_TRUE(test, has(test, 4));
}

static void service_held_for_less_folds_as_others(struct kunit *test)
{
	use(test, 1, 1, PORTSOCK_USE_SECONDS - 1);
	use(test, 2, PORTSOCK_IDLE_FIRST, 0);
	KUNIT_EXPECT_FALSE(test, has(test, 1));
	KUNIT_EXPECT_TRUE(test, has(test, 2));
}

static void used_services_fold_oldest_first(struct kunit *test)
{
	use(test, 1, PORTSOCK_IDLE_FIRST + 1, PORTSOCK_USE_SECONDS);
	KUNIT_EXPECT_FALSE(test, has(test, 1));
	KUNIT_EXPECT_TRUE(test, has(test, 2));
	KUNIT_EXPECT_TRUE(test, has(test, PORTSOCK_IDLE_FIRST + 1));
}

static void unused_service_finds_no_room_among_used_ones(struct kunit *test)
{
	use(test, 1, 1, PORTSOCK_USE_SECONDS);
	use(test, 2, PORTSOCK_IDLE_FIRST - 1, PORTSOCK_USE_SECONDS);
	clock_seconds -= (PORTSOCK_IDLE_FIRST - 1) * PORTSOCK_USE_SECONDS;
	use(test, 1000, 1, 0);
	KUNIT_EXPECT_TRUE(test, has(test, 1));
	KUNIT_EXPECT_FALSE(test, has(test, 1000));
}

static void used_service_is_as_others_after_an_hour(struct kunit *test)
{
	use(test, 1, 1, PORTSOCK_USE_SECONDS);
	clock_seconds += PORTSOCK_USED_SECONDS - 1;
	use(test, 2, PORTSOCK_IDLE_FIRST, 0);
	KUNIT_EXPECT_TRUE(test, has(test, 1));
	KUNIT_EXPECT_FALSE(test, has(test, 2));
	clock_seconds++;
	use(test, 1000, 1, 0);
	KUNIT_EXPECT_FALSE(test, has(test, 1));
	KUNIT_EXPECT_TRUE(test, has(test, 3));
}

static void service_idle_for_longer_folds_before_an_older_use(struct kunit *test)
{
	use(test, 1, 1, 0);
	clock_seconds++;
	use(test, 2, 1, PORTSOCK_USE_SECONDS);
	clock_seconds += PORTSOCK_USED_SECONDS;
	use(test, 3, PORTSOCK_IDLE_FIRST - 1, 0);
	KUNIT_EXPECT_FALSE(test, has(test, 1));
	KUNIT_EXPECT_TRUE(test, has(test, 2));
}

static void service_used_before_stays_used(struct kunit *test)
{
	use(test, 1, 1, PORTSOCK_USE_SECONDS);
	use(test, 1, 1, 0);
	use(test, 2, PORTSOCK_IDLE_FIRST, 0);
	KUNIT_EXPECT_TRUE(test, has(test, 1));
}

static void time_without_a_socket_is_no_use(struct kunit *test)
{
	use(test, 1, 1, 0);
	clock_seconds += PORTSOCK_USE_SECONDS;
	use(test, 1, 1, 0);
	use(test, 2, PORTSOCK_IDLE_FIRST, 0);
	KUNIT_EXPECT_FALSE(test, has(test, 1));
}

static void time_before_it_was_a_service_is_no_use(struct kunit *test)
{
	struct portsock_holding h = holding(test, PORTSOCK_TCP, 1, TCP_CLOSE);
	struct portsock_share share = { };

	add(test, &share, h);
	clock_seconds += PORTSOCK_USE_SECONDS;
	h.service = true;
	portsock_share_hold(&share, &h);
	portsock_share_del(&share);
	use(test, 2, PORTSOCK_IDLE_FIRST, 0);
	KUNIT_EXPECT_FALSE(test, has(test, 1));
}

static void other_namespace_keeps_few(struct kunit *test)
{
	struct portsock_table *table;

	other_begin(test);
	table = test->priv;
	use(test, 1, PORTSOCK_IDLE_OTHER + 1, 0);
	KUNIT_EXPECT_EQ(test, table->idle.nr, PORTSOCK_IDLE_OTHER);
	KUNIT_EXPECT_FALSE(test, has(test, 1));
	KUNIT_EXPECT_TRUE(test, has(test, 2));
	KUNIT_EXPECT_EQ(test, atomic_read(&portsock_idle_others[0]), PORTSOCK_IDLE_OTHER);
}

static void idle_services_of_others_are_counted(struct kunit *test)
{
	struct portsock_share share = { };

	use(test, 1, 2, 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&portsock_idle_others[0]), 0);
	other_begin(test);
	use(test, 1, 2, 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&portsock_idle_others[0]), 2);
	add(test, &share, service(test, PORTSOCK_TCP, 1, TCP_CLOSE));
	KUNIT_EXPECT_EQ(test, atomic_read(&portsock_idle_others[0]), 1);
	row_fold(test->priv, key_of(PORTSOCK_TCP, 2));
	KUNIT_EXPECT_EQ(test, atomic_read(&portsock_idle_others[0]), 0);
	portsock_share_del(&share);
	KUNIT_EXPECT_EQ(test, atomic_read(&portsock_idle_others[0]), 1);
	portsock_rows_kill(test->priv);
	test->priv = NULL;
	KUNIT_EXPECT_EQ(test, atomic_read(&portsock_idle_others[0]), 0);
}

/* So many are elsewhere while a case goes on. */
static void elsewhere(struct kunit *test, int idle)
{
	const struct portsock_table *table = test->priv;

	atomic_set(&portsock_idle_others[0], idle + table->idle.nr);
}

static void other_namespace_keeps_fewer_as_others_take_more(struct kunit *test)
{
	struct portsock_table *table;

	other_begin(test);
	table = test->priv;
	elsewhere(test, PORTSOCK_IDLE_OTHERS - 10 * PORTSOCK_IDLE_PART - 10);
	use(test, 1, 20, 0);
	KUNIT_EXPECT_EQ(test, table->idle.nr, 10);
	KUNIT_EXPECT_FALSE(test, has(test, 10));
	KUNIT_EXPECT_TRUE(test, has(test, 11));
	elsewhere(test, 0);
}

static void other_namespace_that_has_too_many_folds_two_at_a_time(struct kunit *test)
{
	struct portsock_table *table;

	other_begin(test);
	table = test->priv;
	use(test, 1, 20, 0);
	elsewhere(test, PORTSOCK_IDLE_OTHERS);
	use(test, 21, 1, 0);
	KUNIT_EXPECT_EQ(test, table->idle.nr, 19);
	KUNIT_EXPECT_FALSE(test, has(test, 2));
	use(test, 22, 30, 0);
	KUNIT_EXPECT_EQ(test, table->idle.nr, 0);
	elsewhere(test, 0);
}

static void first_namespace_keeps_its_own_whatever_others_have(struct kunit *test)
{
	struct portsock_table *table = test->priv;

	atomic_set(&portsock_idle_others[0], PORTSOCK_IDLE_OTHERS);
	use(test, 1, PORTSOCK_IDLE_FIRST, 0);
	KUNIT_EXPECT_EQ(test, table->idle.nr, PORTSOCK_IDLE_FIRST);
	atomic_set(&portsock_idle_others[0], 0);
}

static void only_services_are_idle(struct kunit *test)
{
	struct portsock_table *table = test->priv;
	struct portsock_share share = { };

	add(test, &share, service(test, PORTSOCK_TCP, 80, TCP_LISTEN));
	portsock_share_del(&share);
	add(test, &share, holding(test, PORTSOCK_TCP, 40000, TCP_CLOSE));
	portsock_share_del(&share);
	KUNIT_EXPECT_EQ(test, table->idle.nr, 1);
	add(test, &share, service(test, PORTSOCK_TCP, 80, TCP_LISTEN));
	KUNIT_EXPECT_EQ(test, table->idle.nr, 0);
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

/*
 * A port is used by so many sockets at once, by each way to come to it, and
 * folded.
 */
static void use_and_fold(struct kunit *test, u16 port, int sockets)
{
	struct portsock_share shares[PORTSOCK_HOW_NR] = { };
	int i;

	for (i = 0; i < sockets; i++) {
		struct portsock_holding h;

		h = service(test, PORTSOCK_TCP, port, TCP_CLOSE);
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
	KUNIT_EXPECT_EQ(test, line.counts.came[PORTSOCK_BOUND], 3);
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
	KUNIT_ASSERT_TRUE(test, line_find(test->priv, PORTSOCK_TOTALS,
					  PORTSOCK_TCP, 0, &line));
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

/*
 * Services and both totals: what all sockets of a protocol did that ever held a
 * port.
 */
static u64 all_opened(struct kunit *test)
{
	struct portsock_cursor cursor = { };
	struct portsock_line line;
	u64 opened = 0;

	while (portsock_table_next(test->priv, &cursor, &line))
		if (line.part == PORTSOCK_TOTALS ||
		    line.class == PORTSOCK_SERVICE)
			opened += portsock_opened(&line.counts);
	return opened;
}

static void nothing_is_lost_or_counted_twice_when_services_fold(struct kunit *test)
{
	struct portsock_share share = { }, client = { };
	u64 opened = 0;
	int i;

	for (i = 0; i < 2 * PORTSOCK_IDLE_FIRST; i++) {
		/* each port comes back soon after it was folded */
		int port = 1 + i % (PORTSOCK_IDLE_FIRST + 8);

		add(test, &share, service(test, PORTSOCK_TCP, port, TCP_CLOSE));
		add(test, &client,
		    holding(test, PORTSOCK_TCP, 40000, TCP_CLOSE));
		opened += 2;
		KUNIT_ASSERT_EQ(test, all_opened(test), opened);
		portsock_share_del(&share);
		portsock_share_del(&client);
		KUNIT_ASSERT_EQ(test, all_opened(test), opened);
	}
	KUNIT_EXPECT_EQ(test, folded_line(test->priv, PORTSOCK_TCP).ports,
			PORTSOCK_IDLE_FIRST);
}

static void ports_are_those_that_a_row_stands_for(struct kunit *test)
{
	struct portsock_share shares[4] = { };
	struct portsock_line line;
	int i;

	add(test, &shares[0], service(test, PORTSOCK_TCP, 80, TCP_LISTEN));
	add(test, &shares[1], holding(test, PORTSOCK_TCP, 0, TCP_CLOSE));
	for (i = 2; i < 4; i++)
		add(test, &shares[i],
		    holding(test, PORTSOCK_TCP, 40000 + i, TCP_CLOSE));
	KUNIT_ASSERT_TRUE(test, line_find(test->priv, PORTSOCK_SERVICES,
					  PORTSOCK_TCP, 80, &line));
	KUNIT_EXPECT_EQ(test, line.ports, 1);
	KUNIT_ASSERT_TRUE(test, line_find(test->priv, PORTSOCK_SERVICES,
					  PORTSOCK_TCP, 0, &line));
	KUNIT_EXPECT_EQ(test, line.ports, 0);
	KUNIT_ASSERT_TRUE(test, line_find(test->priv, PORTSOCK_EPHEMERALS,
					  PORTSOCK_TCP, 40002, &line));
	KUNIT_EXPECT_EQ(test, line.ports, 1);
	KUNIT_ASSERT_TRUE(test, line_find(test->priv, PORTSOCK_TOTALS,
					  PORTSOCK_TCP, 0, &line));
	KUNIT_EXPECT_EQ(test, line.ports, 2);
	/* one goes, the other turns service */
	portsock_share_del(&shares[2]);
	KUNIT_ASSERT_TRUE(test, line_find(test->priv, PORTSOCK_TOTALS,
					  PORTSOCK_TCP, 0, &line));
	KUNIT_EXPECT_EQ(test, line.ports, 1);
	add(test, &shares[3], service(test, PORTSOCK_TCP, 40003, TCP_LISTEN));
	KUNIT_ASSERT_TRUE(test, line_find(test->priv, PORTSOCK_TOTALS,
					  PORTSOCK_TCP, 0, &line));
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
	KUNIT_EXPECT_EQ(test, table->idle.nr, 0);
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
	KUNIT_CASE(used_service_folds_after_those_that_were_not),
	KUNIT_CASE(service_held_for_less_folds_as_others),
	KUNIT_CASE(used_services_fold_oldest_first),
	KUNIT_CASE(unused_service_finds_no_room_among_used_ones),
	KUNIT_CASE(used_service_is_as_others_after_an_hour),
	KUNIT_CASE(service_idle_for_longer_folds_before_an_older_use),
	KUNIT_CASE(service_used_before_stays_used),
	KUNIT_CASE(time_without_a_socket_is_no_use),
	KUNIT_CASE(time_before_it_was_a_service_is_no_use),
	KUNIT_CASE(other_namespace_keeps_few),
	KUNIT_CASE(idle_services_of_others_are_counted),
	KUNIT_CASE(other_namespace_keeps_fewer_as_others_take_more),
	KUNIT_CASE(other_namespace_that_has_too_many_folds_two_at_a_time),
	KUNIT_CASE(first_namespace_keeps_its_own_whatever_others_have),
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
