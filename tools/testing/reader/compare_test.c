// SPDX-License-Identifier: GPL-2.0
#include <netinet/tcp.h>

#include "compare.h"
#include "table.h"

#define BIT PORTSOCK_BIT
#define CLOSE_HIDDEN BIT(TCP_CLOSE)

/* Three of a listener's port: two connections, one of them IPv6. */
static const struct portsock_row web = {
	.count = {
		[PORTSOCK_SOCKETS] = 3, [TCP_ESTABLISHED] = 2, [TCP_LISTEN] = 1, [TCP_TIME_WAIT] = 5,
		[PORTSOCK_IPV6] = 1, [PORTSOCK_PORTS] = 1, [PORTSOCK_OPENED] = 10, [PORTSOCK_CLOSED] = 7, [PORTSOCK_PEAK] = 4,
	},
};

/* What a kernel says knows no counters. */
static struct portsock_row truth_of(const struct portsock_row *row)
{
	struct portsock_row truth = *row;

	truth.count[PORTSOCK_OPENED] = 0;
	truth.count[PORTSOCK_CLOSED] = 0;
	truth.count[PORTSOCK_PEAK] = 0;

	return truth;
}

static void expect(const struct portsock_row *before, const struct portsock_row *after,
		   const struct portsock_row *truth, uint32_t hidden, enum portsock_verdict verdict,
		   uint32_t columns)
{
	struct portsock_look look = portsock_compare(before, after, truth, hidden);

	assert_int_equal(look.verdict, verdict);
	assert_int_equal(look.columns, columns);
}

static void rest_equal(void **state)
{
	struct portsock_row truth = truth_of(&web);

	(void)state;
	expect(&web, &web, &truth, 0, PORTSOCK_EQUAL, 0);
	expect(&web, &web, &truth, CLOSE_HIDDEN, PORTSOCK_EQUAL, 0);
}

static void rest_differs_in_each_gauge(void **state)
{
	struct portsock_row truth;
	unsigned int i;

	(void)state;
	for (i = 0; i < PORTSOCK_GAUGES; i++) {
		truth = truth_of(&web);
		truth.count[i]++;
		expect(&web, &web, &truth, 0, PORTSOCK_DIFFERENT, BIT(i));
	}
}

#define QUEUES	(BIT(PORTSOCK_BACKLOG) | BIT(PORTSOCK_BACKLOG_MAX))

/* A queue is compared where the row answers, and only if it was the same before and after. */
static void queues_at_rest_are_compared(void **state)
{
	struct portsock_row before = web, after, truth = truth_of(&web);
	unsigned int i;

	(void)state;
	before.answers = QUEUES;
	before.count[PORTSOCK_BACKLOG] = 5;
	before.count[PORTSOCK_BACKLOG_MAX] = 128;
	after = before;
	truth.count[PORTSOCK_BACKLOG] = 5;
	truth.count[PORTSOCK_BACKLOG_MAX] = 128;
	truth.count[PORTSOCK_RCV_QUEUE] = 99;
	expect(&before, &after, &truth, 0, PORTSOCK_EQUAL, 0);
	for (i = PORTSOCK_BACKLOG; i <= PORTSOCK_BACKLOG_MAX; i++) {
		truth.count[i]++;
		expect(&before, &after, &truth, 0, PORTSOCK_DIFFERENT, BIT(i));
		expect(&before, &after, &truth, QUEUES, PORTSOCK_EQUAL, 0);
		after.answers &= ~BIT(i);
		expect(&before, &after, &truth, 0, PORTSOCK_EQUAL, 0);
		expect(&after, &before, &truth, 0, PORTSOCK_EQUAL, 0);
		after.answers = QUEUES;
		after.count[i]--;
		expect(&before, &after, &truth, 0, PORTSOCK_EQUAL, 0);
		after.count[i]++;
		truth.count[i]--;
	}
}

/* What is wrong beside a queue that moves is seen. */
static void queue_that_moves_hides_nothing(void **state)
{
	struct portsock_row after = web, truth = truth_of(&web);

	(void)state;
	after.answers = QUEUES;
	after.count[PORTSOCK_BACKLOG] = 7;
	truth.count[TCP_ESTABLISHED]++;
	expect(&web, &after, &truth, 0, PORTSOCK_DIFFERENT, BIT(TCP_ESTABLISHED));
}

#define OWNERS	(BIT(PORTSOCK_UID) | BIT(PORTSOCK_CGROUP))

static struct portsock_row row_owned(uint64_t uid, uint64_t cgroup)
{
	struct portsock_row row = web;

	row.answers = OWNERS;
	row.count[PORTSOCK_UID] = uid;
	row.count[PORTSOCK_CGROUP] = cgroup;

	return row;
}

/* What a kernel says whose sockets have these users, one after the other. */
static struct portsock_row truth_owned(const struct portsock_row *told, const uint64_t *uids, unsigned int nr)
{
	struct portsock_row truth = truth_of(&web);
	unsigned int i;

	for (i = 0; i < nr; i++)
		portsock_truth_owner(&truth, told, PORTSOCK_UID, uids[i]);

	return truth;
}

static void owner_is_that_of_any_socket(void **state)
{
	static const uint64_t uids[] = { 33, 0, 1000, 33 };
	struct portsock_row row, truth;
	unsigned int i;

	(void)state;
	for (i = 0; i < sizeof(uids) / sizeof(*uids); i++) {
		row = row_owned(uids[i], 7);
		truth = truth_owned(&row, uids, 4);
		expect(&row, &row, &truth, 0, PORTSOCK_EQUAL, 0);
	}
	row = row_owned(5, 7);
	truth = truth_owned(&row, uids, 4);
	expect(&row, &row, &truth, 0, PORTSOCK_DIFFERENT, BIT(PORTSOCK_UID));
	assert_int_equal(truth.count[PORTSOCK_UID], 33);
	assert_int_equal(truth.several, BIT(PORTSOCK_UID));
}

static void owner_of_all_sockets_is_one(void **state)
{
	static const uint64_t uids[] = { 33, 33 };
	struct portsock_row row = row_owned(5, 7), truth = truth_owned(&row, uids, 2);

	(void)state;
	expect(&row, &row, &truth, 0, PORTSOCK_DIFFERENT, BIT(PORTSOCK_UID));
	assert_int_equal(truth.several, 0);
}

/* That root has it is an answer as well. */
static void owner_without_sockets_differs(void **state)
{
	struct portsock_row row = row_owned(0, 7), truth = truth_owned(&row, NULL, 0);

	(void)state;
	expect(&row, &row, &truth, 0, PORTSOCK_DIFFERENT, BIT(PORTSOCK_UID));
}

static void owner_is_compared_where_the_row_answers(void **state)
{
	static const uint64_t uids[] = { 33 };
	struct portsock_row before = row_owned(5, 7), after = row_owned(5, 7), truth = truth_owned(&before, uids, 1);

	(void)state;
	after.answers = 0;
	expect(&before, &after, &truth, 0, PORTSOCK_EQUAL, 0);
	expect(&after, &before, &truth, 0, PORTSOCK_EQUAL, 0);
	after = row_owned(6, 7);
	expect(&before, &after, &truth, 0, PORTSOCK_EQUAL, 0);
}

static void cgroup_is_compared_where_the_kernel_answers(void **state)
{
	static const uint64_t uids[] = { 33 };
	struct portsock_row row = row_owned(33, 7), truth = truth_owned(&row, uids, 1);

	(void)state;
	expect(&row, &row, &truth, 0, PORTSOCK_EQUAL, 0);
	portsock_truth_owner(&truth, &row, PORTSOCK_CGROUP, UINT64_C(1) << 40);
	expect(&row, &row, &truth, 0, PORTSOCK_DIFFERENT, BIT(PORTSOCK_CGROUP));
	portsock_truth_owner(&truth, &row, PORTSOCK_CGROUP, 7);
	expect(&row, &row, &truth, 0, PORTSOCK_EQUAL, 0);
}

static void row_on_one_side_only_differs(void **state)
{
	static const struct portsock_row none;
	struct portsock_row truth = { .count = { [PORTSOCK_SOCKETS] = 1, [TCP_LISTEN] = 1 } };

	(void)state;
	expect(&none, &none, &truth, 0, PORTSOCK_DIFFERENT, BIT(PORTSOCK_SOCKETS) | BIT(TCP_LISTEN));
	expect(&web, &web, &none, 0, PORTSOCK_DIFFERENT,
	       BIT(PORTSOCK_SOCKETS) | BIT(TCP_ESTABLISHED) | BIT(TCP_LISTEN) | BIT(TCP_TIME_WAIT) |
		       BIT(PORTSOCK_IPV6) | BIT(PORTSOCK_PORTS));
	expect(&web, &web, &none, BIT(PORTSOCK_PORTS), PORTSOCK_DIFFERENT,
	       BIT(PORTSOCK_SOCKETS) | BIT(TCP_ESTABLISHED) | BIT(TCP_LISTEN) | BIT(TCP_TIME_WAIT) |
		       BIT(PORTSOCK_IPV6));
}

static void close_hidden_is_left_out(void **state)
{
	struct portsock_row truth = truth_of(&web), row = web;

	(void)state;
	row.count[TCP_CLOSE] = 2;
	row.count[PORTSOCK_SOCKETS] += 2;
	expect(&row, &row, &truth, CLOSE_HIDDEN, PORTSOCK_EQUAL, 0);
	expect(&row, &row, &truth, 0, PORTSOCK_DIFFERENT, BIT(PORTSOCK_SOCKETS) | BIT(TCP_CLOSE));
	truth.count[PORTSOCK_SOCKETS]++;
	expect(&row, &row, &truth, CLOSE_HIDDEN, PORTSOCK_DIFFERENT, BIT(PORTSOCK_SOCKETS));
}

static void close_hidden_may_be_ipv6(void **state)
{
	struct portsock_row truth = truth_of(&web), row = web;

	(void)state;
	row.count[TCP_CLOSE] = 2;
	row.count[PORTSOCK_SOCKETS] += 2;
	row.count[PORTSOCK_IPV6] = 3;
	expect(&row, &row, &truth, CLOSE_HIDDEN, PORTSOCK_EQUAL, 0);
	row.count[PORTSOCK_IPV6] = 4;
	expect(&row, &row, &truth, CLOSE_HIDDEN, PORTSOCK_DIFFERENT, BIT(PORTSOCK_IPV6));
	row.count[PORTSOCK_IPV6] = 0;
	expect(&row, &row, &truth, CLOSE_HIDDEN, PORTSOCK_DIFFERENT, BIT(PORTSOCK_IPV6));
}

/* MPTCP: listeners are listed, but not all. */
static void listen_hidden_in_part_is_left_out(void **state)
{
	struct portsock_row truth = truth_of(&web), row = web;

	(void)state;
	row.count[TCP_LISTEN] += 3;
	row.count[PORTSOCK_SOCKETS] += 3;
	row.count[PORTSOCK_IPV6] += 3;
	expect(&row, &row, &truth, BIT(TCP_LISTEN), PORTSOCK_EQUAL, 0);
	expect(&row, &row, &truth, CLOSE_HIDDEN, PORTSOCK_DIFFERENT,
	       BIT(PORTSOCK_SOCKETS) | BIT(TCP_LISTEN) | BIT(PORTSOCK_IPV6));
	truth.count[TCP_ESTABLISHED]--;
	truth.count[PORTSOCK_SOCKETS]--;
	expect(&row, &row, &truth, BIT(TCP_LISTEN), PORTSOCK_DIFFERENT, BIT(PORTSOCK_SOCKETS) | BIT(TCP_ESTABLISHED));
}

/* Two came and three went: the kernel may have been asked at any time between. */
static void moving_is_bounded_by_counters(void **state)
{
	struct portsock_row truth = truth_of(&web), before = web, after = web;

	(void)state;
	after.count[PORTSOCK_OPENED] += 2;
	after.count[PORTSOCK_CLOSED] += 3;
	after.count[PORTSOCK_SOCKETS] = 20 - 1;
	before.count[PORTSOCK_SOCKETS] = 20;
	truth.count[PORTSOCK_SOCKETS] = 19 - 3;
	expect(&before, &after, &truth, 0, PORTSOCK_MOVING, 0);
	truth.count[PORTSOCK_SOCKETS] = 19 - 4;
	expect(&before, &after, &truth, 0, PORTSOCK_DIFFERENT, BIT(PORTSOCK_SOCKETS));
	truth.count[PORTSOCK_SOCKETS] = 20 + 2;
	expect(&before, &after, &truth, 0, PORTSOCK_MOVING, 0);
	truth.count[PORTSOCK_SOCKETS] = 20 + 3;
	expect(&before, &after, &truth, 0, PORTSOCK_DIFFERENT, BIT(PORTSOCK_SOCKETS));
}

/* As many came as went, so the gauges look at rest. */
static void moving_with_same_gauges(void **state)
{
	struct portsock_row truth = truth_of(&web), after = web;

	(void)state;
	after.count[PORTSOCK_OPENED]++;
	after.count[PORTSOCK_CLOSED]++;
	expect(&web, &after, &truth, 0, PORTSOCK_MOVING, 0);
	truth.count[PORTSOCK_SOCKETS]++;
	truth.count[TCP_ESTABLISHED]++;
	expect(&web, &after, &truth, 0, PORTSOCK_MOVING, 0);
}

/* Of a row made or made anew meanwhile nothing is known. */
static void moving_row_new_is_not_bounded(void **state)
{
	static const struct portsock_row none;
	struct portsock_row truth = { .count = { [PORTSOCK_SOCKETS] = 99 } }, after = web;

	(void)state;
	expect(&none, &web, &truth, 0, PORTSOCK_MOVING, 0);
	expect(&web, &none, &truth, 0, PORTSOCK_MOVING, 0);
	after.count[PORTSOCK_OPENED] = 4;
	after.count[PORTSOCK_CLOSED] = 1;
	expect(&web, &after, &truth, 0, PORTSOCK_MOVING, 0);
}

static enum portsock_verdict verdict_of(const struct portsock_look *looks, unsigned int nr)
{
	struct portsock_case row = { .settled = false };
	unsigned int i;

	for (i = 0; i < nr; i++)
		portsock_case_add(&row, &looks[i]);

	return portsock_case_verdict(&row);
}

#define EQUAL		{ PORTSOCK_EQUAL, 0, false }
#define MOVING		{ PORTSOCK_MOVING, 0, false }
#define WRONG(columns)	{ PORTSOCK_DIFFERENT, columns, false }
#define WEAK(columns)	{ PORTSOCK_DIFFERENT, columns, true }

static void case_verdicts(void **state)
{
	static const struct {
		struct portsock_look looks[PORTSOCK_LOOKS];
		unsigned int nr;
		enum portsock_verdict verdict;
	} cases[] = {
		{ { EQUAL }, 1, PORTSOCK_EQUAL },
		{ { WRONG(1), MOVING, EQUAL }, 3, PORTSOCK_EQUAL },
		{ { MOVING, MOVING, MOVING, MOVING, MOVING, MOVING }, 6, PORTSOCK_MOVING },
		{ { WRONG(1), WRONG(1) }, 2, PORTSOCK_MOVING },
		{ { WRONG(1), WRONG(1), WRONG(1) }, 3, PORTSOCK_DIFFERENT },
		{ { WRONG(3), WRONG(5), WRONG(9) }, 3, PORTSOCK_DIFFERENT },
		{ { WRONG(1), WRONG(2), WRONG(4) }, 3, PORTSOCK_MOVING },
		{ { WRONG(1), WRONG(1), WRONG(1), MOVING, WRONG(1), WRONG(1) }, 6, PORTSOCK_MOVING },
		{ { MOVING, MOVING, MOVING, WRONG(1), WRONG(1), WRONG(1) }, 6, PORTSOCK_DIFFERENT },
		{ { MOVING, WEAK(1), WRONG(1), WRONG(1), WRONG(1), WRONG(1) }, 6, PORTSOCK_MOVING },
		{ { WEAK(1), WEAK(1), WEAK(1), WEAK(1), WEAK(1), WEAK(1) }, 6, PORTSOCK_DIFFERENT },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		if (verdict_of(cases[i].looks, cases[i].nr) != cases[i].verdict)
			fail_msg("case %zu", i);
}

static void flaw_expect(unsigned int count, uint64_t number, enum portsock_flaw flaw)
{
	struct portsock_row row = web;

	row.count[count] = number;
	assert_int_equal(portsock_row_flaw(&row), flaw);
}

static void row_flaws(void **state)
{
	(void)state;
	flaw_expect(PORTSOCK_SOCKETS, 3, PORTSOCK_FLAW_NONE);
	flaw_expect(TCP_TIME_WAIT, 0, PORTSOCK_FLAW_NONE);
	/* Connection requests are in syn_recv and in nothing else. */
	flaw_expect(TCP_SYN_RECV, 7, PORTSOCK_FLAW_NONE);
	flaw_expect(TCP_ESTABLISHED, 3, PORTSOCK_FLAW_STATES);
	flaw_expect(TCP_ESTABLISHED, 1, PORTSOCK_FLAW_STATES);
	flaw_expect(PORTSOCK_OPENED, 11, PORTSOCK_FLAW_COUNTERS);
	flaw_expect(PORTSOCK_CLOSED, 11, PORTSOCK_FLAW_COUNTERS);
	flaw_expect(PORTSOCK_IPV6, 4, PORTSOCK_FLAW_IPV6);
	flaw_expect(PORTSOCK_PEAK, 2, PORTSOCK_FLAW_PEAK);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(rest_equal),
		cmocka_unit_test(rest_differs_in_each_gauge),
		cmocka_unit_test(queues_at_rest_are_compared),
		cmocka_unit_test(queue_that_moves_hides_nothing),
		cmocka_unit_test(owner_is_that_of_any_socket),
		cmocka_unit_test(owner_of_all_sockets_is_one),
		cmocka_unit_test(owner_without_sockets_differs),
		cmocka_unit_test(owner_is_compared_where_the_row_answers),
		cmocka_unit_test(cgroup_is_compared_where_the_kernel_answers),
		cmocka_unit_test(row_on_one_side_only_differs),
		cmocka_unit_test(close_hidden_is_left_out),
		cmocka_unit_test(close_hidden_may_be_ipv6),
		cmocka_unit_test(listen_hidden_in_part_is_left_out),
		cmocka_unit_test(moving_is_bounded_by_counters),
		cmocka_unit_test(moving_with_same_gauges),
		cmocka_unit_test(moving_row_new_is_not_bounded),
		cmocka_unit_test(case_verdicts),
		cmocka_unit_test(row_flaws),
	};

	return cmocka_run_group_tests_name("compare", tests, NULL, NULL);
}
