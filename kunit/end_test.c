// SPDX-License-Identifier: GPL-2.0
/*
 * How connections end, and what was sent again.
 */
#include "recs.h"

#include <linux/module.h>

static const struct portsock_end reset = { PORTSOCK_RESET };
static const struct portsock_end given_up = { PORTSOCK_GIVEN_UP };

/* The first total of a class, until the next one is looked for. */
#define total_line(class) (*total_find(class))

static const struct portsock_line *total_find(enum portsock_class class)
{
	struct portsock_cursor cursor = { .part = PORTSOCK_TOTALS };
	static struct portsock_line line;

	while (portsock_table_next(table, &cursor, &line))
		if (line.part == PORTSOCK_TOTALS && line.class == class)
			return &line;
	memset(&line, 0, sizeof(line));
	line.part = PORTSOCK_END;
	return &line;
}

static void serve(const void *sk, u16 port, u8 state)
{
	struct portsock_holding h = holding(port, state);

	h.service = true;
	portsock_sock_hold(sk, &h);
}

static void end_of_a_service_is_the_rows(struct kunit *test)
{
	serve(&sks[0], 80, TCP_ESTABLISHED);
	serve(&sks[1], 80, TCP_ESTABLISHED);
	portsock_sock_over(&sks[0], &reset);
	KUNIT_EXPECT_EQ(test, line_of(80).depth.ends[PORTSOCK_RESET], 1);
	KUNIT_EXPECT_EQ(test, sockets(80), 1);
	portsock_sock_release(&sks[1], false, &reset);
	KUNIT_EXPECT_EQ(test, line_of(80).depth.ends[PORTSOCK_RESET], 2);
	KUNIT_EXPECT_EQ(test, sockets(0), 1);
	/* close() of what has ended before */
	portsock_sock_forget(&sks[1]);
	KUNIT_EXPECT_EQ(test, line_of(80).depth.ends[PORTSOCK_RESET], 2);
	KUNIT_EXPECT_EQ(test, line_of(80).depth.ends[PORTSOCK_ABORTED], 0);
}

static void end_of_an_ephemeral_port_is_the_totals(struct kunit *test)
{
	hold(&sks[0], 40000, TCP_SYN_SENT);
	hold(&sks[1], 40000, TCP_ESTABLISHED);
	portsock_sock_over(&sks[0], &given_up);
	portsock_sock_over(&sks[1], &reset);
	KUNIT_EXPECT_EQ(test, line_of(40000).part, PORTSOCK_END);
	KUNIT_EXPECT_TRUE(test, total_line(PORTSOCK_EPHEMERAL).deep);
	KUNIT_EXPECT_EQ(test, total_line(PORTSOCK_EPHEMERAL).depth.ends[PORTSOCK_GIVEN_UP], 1);
	KUNIT_EXPECT_EQ(test, total_line(PORTSOCK_EPHEMERAL).depth.ends[PORTSOCK_RESET], 1);
	KUNIT_EXPECT_EQ(test, total_line(PORTSOCK_EPHEMERAL).depth.ends[PORTSOCK_NO_PORT], 0);
}

static void end_of_a_socket_that_keeps_its_port_counts(struct kunit *test)
{
	struct portsock_holding h = holding(80, TCP_CLOSE);

	h.end = &reset;
	serve(&sks[0], 80, TCP_ESTABLISHED);
	KUNIT_EXPECT_TRUE(test, portsock_sock_change(&sks[0], &h));
	KUNIT_EXPECT_EQ(test, line_of(80).depth.ends[PORTSOCK_RESET], 1);
	KUNIT_EXPECT_EQ(test, line_of(80).counts.state[TCP_CLOSE], 1);
	h.port = 40000;
	hold(&sks[1], 40000, TCP_ESTABLISHED);
	KUNIT_EXPECT_TRUE(test, portsock_sock_change(&sks[1], &h));
	KUNIT_EXPECT_EQ(test, total_line(PORTSOCK_EPHEMERAL).depth.ends[PORTSOCK_RESET], 1);
}

static void end_without_a_port_is_for_want_of_one(struct kunit *test)
{
	hold(&sks[0], 0, TCP_CLOSE);
	portsock_sock_release(&sks[0], false, &given_up);
	KUNIT_EXPECT_EQ(test, total_line(PORTSOCK_EPHEMERAL).depth.ends[PORTSOCK_NO_PORT], 1);
	KUNIT_EXPECT_EQ(test, total_line(PORTSOCK_EPHEMERAL).depth.ends[PORTSOCK_GIVEN_UP], 0);
	KUNIT_EXPECT_EQ(test, sockets(0), 1);
	/* what was missed before cannot be told */
	portsock_sock_release(&sks[0], false, &reset);
	KUNIT_EXPECT_EQ(test, total_line(PORTSOCK_EPHEMERAL).depth.ends[PORTSOCK_NO_PORT], 1);
}

static void end_of_an_unknown_socket_is_nothing(struct kunit *test)
{
	portsock_sock_over(&sks[0], &reset);
	portsock_sock_release(&sks[0], false, &reset);
	KUNIT_EXPECT_EQ(test, recs(), (size_t)0);
	KUNIT_EXPECT_EQ(test, total_line(PORTSOCK_EPHEMERAL).part, PORTSOCK_END);
}

static void end_during_a_walk_counts(struct kunit *test)
{
	serve(&sks[0], 80, TCP_ESTABLISHED);
	portsock_socks_walk_begin();
	portsock_sock_over(&sks[0], &reset);
	portsock_sock_over(&sks[0], &reset);
	KUNIT_EXPECT_EQ(test, portsock_socks_walk_end(BIT(PORTSOCK_TCP)), 0);
	KUNIT_EXPECT_EQ(test, line_of(80).depth.ends[PORTSOCK_RESET], 1);
}

static void retransmissions_are_the_rows_or_the_totals(struct kunit *test)
{
	serve(&sks[0], 80, TCP_ESTABLISHED);
	hold(&sks[1], 40000, TCP_SYN_SENT);
	hold(&sks[2], 0, TCP_CLOSE);
	portsock_sock_retrans(&sks[0], 2);
	portsock_sock_retrans(&sks[0], 1);
	portsock_sock_retrans(&sks[1], 5);
	portsock_sock_retrans(&sks[2], 7);
	portsock_sock_retrans(&sks[3], 7);
	KUNIT_EXPECT_EQ(test, line_of(80).depth.retrans, 3);
	KUNIT_EXPECT_EQ(test, total_line(PORTSOCK_EPHEMERAL).depth.retrans, 5);
}

static void fold_adds_all_there_is(struct kunit *test)
{
	int cause, i;

	for (i = 0; i < 3; i++) {
		serve(&sks[i], 80 + i, TCP_ESTABLISHED);
		for (cause = 0; cause < PORTSOCK_CAUSE_NR; cause++) {
			struct portsock_holding h = holding(80 + i, TCP_CLOSE);
			struct portsock_end end = { cause };

			h.end = &end;
			while (line_of(80 + i).depth.ends[cause] < cause + i)
				portsock_sock_change(&sks[i], &h);
		}
		portsock_sock_retrans(&sks[i], 10 + i);
		portsock_sock_forget(&sks[i]);
		row_fold(table, key_of(PORTSOCK_TCP, 80 + i));
	}
	for (cause = 0; cause < PORTSOCK_CAUSE_NR; cause++)
		KUNIT_EXPECT_EQ(test, total_line(PORTSOCK_FOLDED).depth.ends[cause],
				3 * cause + 3);
	KUNIT_EXPECT_EQ(test, total_line(PORTSOCK_FOLDED).depth.retrans, 33);
}

static void total_that_only_has_depth_is_shown(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, total_line(PORTSOCK_EPHEMERAL).part, PORTSOCK_END);
	hold(&sks[0], 0, TCP_CLOSE);
	portsock_sock_release(&sks[0], false, &given_up);
	KUNIT_EXPECT_EQ(test, total_line(PORTSOCK_EPHEMERAL).part, PORTSOCK_TOTALS);
}

/* The shelf of depths is empty, that of records and rows is not. */
static void end_without_memory_is_untracked(struct kunit *test)
{
	static struct portsock_depth *depths[1024];
	unsigned long flags;
	int nr = 0;

	hold(&sks[0], 40000, TCP_ESTABLISHED);
	local_irq_save(flags);
	memory_left = 0;
	while (nr < ARRAY_SIZE(depths) && (depths[nr] = portsock_depth_new()))
		nr++;
	local_irq_restore(flags);
	KUNIT_EXPECT_EQ(test, portsock_socks_untracked(), 1);
	portsock_sock_over(&sks[0], &reset);
	KUNIT_EXPECT_EQ(test, portsock_socks_untracked(), 2);
	memory_left = INT_MAX;
	local_irq_save(flags);
	while (nr)
		portsock_depth_free(depths[--nr]);
	local_irq_restore(flags);
}

static struct kunit_case end_cases[] = {
	KUNIT_CASE(end_of_a_service_is_the_rows),
	KUNIT_CASE(end_of_an_ephemeral_port_is_the_totals),
	KUNIT_CASE(end_of_a_socket_that_keeps_its_port_counts),
	KUNIT_CASE(end_without_a_port_is_for_want_of_one),
	KUNIT_CASE(end_of_an_unknown_socket_is_nothing),
	KUNIT_CASE(end_during_a_walk_counts),
	KUNIT_CASE(retransmissions_are_the_rows_or_the_totals),
	KUNIT_CASE(fold_adds_all_there_is),
	KUNIT_CASE(total_that_only_has_depth_is_shown),
	KUNIT_CASE(end_without_memory_is_untracked),
	{ }
};

static struct kunit_suite end_suite = {
	.name = "portsock_end",
	.init = socks_test_init,
	.exit = socks_test_exit,
	.test_cases = end_cases,
};

kunit_test_suite(end_suite);

MODULE_LICENSE("GPL");
