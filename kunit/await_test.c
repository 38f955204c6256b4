// SPDX-License-Identifier: GPL-2.0
/*
 * Calls whose outcome nothing tells, and what whoever reads asks of the socket.
 */
#define SOCKS_PROTO PORTSOCK_ICMP
#include "recs.h"

#include <linux/module.h>

/* What each socket says, by its place in sks: an error, or its port. */
static int answers[ARRAY_SIZE(sks)];
static int asked[ARRAY_SIZE(sks)];
static bool goes[ARRAY_SIZE(sks)];

static bool get(const void *sk)
{
	return !goes[(const char *)sk - sks];
}

static void ask(const void *sk)
{
	int i = (const char *)sk - sks;
	struct portsock_holding h = holding(answers[i], TCP_CLOSE);

	h.table = NULL;
	asked[i]++;
	if (answers[i] != -EBUSY)
		portsock_sock_settle(sk, answers[i] == -ENOENT ? NULL : &h);
}

static void settle(void)
{
	portsock_socks_settle(table, get, ask);
}

static int await_test_init(struct kunit *test)
{
	memset(answers, 0, sizeof(answers));
	memset(asked, 0, sizeof(asked));
	memset(goes, 0, sizeof(goes));
	return socks_test_init(test);
}

static void await_of_an_unknown_socket_is_nothing(struct kunit *test)
{
	portsock_sock_await(&sks[0]);
	portsock_sock_asked(&sks[1], true);
	portsock_sock_await(&sks[1]);
	settle();
	KUNIT_EXPECT_EQ(test, asked[0], 0);
	KUNIT_EXPECT_EQ(test, asked[1], 0);
	KUNIT_EXPECT_FALSE(test, portsock_sock_awaited(&sks[0]));
	KUNIT_EXPECT_FALSE(test, portsock_sock_awaited(&sks[1]));
}

static void settle_takes_what_the_socket_says(struct kunit *test)
{
	hold(&sks[0], 0, TCP_CLOSE);
	answers[0] = 40000;
	settle();
	KUNIT_EXPECT_EQ(test, asked[0], 0);
	portsock_sock_await(&sks[0]);
	portsock_sock_await(&sks[0]);
	KUNIT_EXPECT_EQ(test, table->awaited_nr, 1);
	settle();
	settle();
	KUNIT_EXPECT_EQ(test, asked[0], 1);
	KUNIT_EXPECT_EQ(test, table->awaited_nr, 0);
	KUNIT_EXPECT_EQ(test, sockets(0), 0);
	KUNIT_EXPECT_EQ(test, sockets(40000), 1);
}

static void settle_leaves_a_call_that_is_under_way(struct kunit *test)
{
	hold(&sks[0], 0, TCP_CLOSE);
	hold(&sks[1], 0, TCP_CLOSE);
	hold(&sks[2], 0, TCP_CLOSE);
	portsock_sock_await(&sks[0]);
	portsock_sock_await(&sks[1]);
	portsock_sock_await(&sks[2]);
	answers[0] = 40000;
	answers[1] = -EBUSY;
	answers[2] = 40002;
	settle();
	KUNIT_EXPECT_EQ(test, asked[0], 1);
	KUNIT_EXPECT_EQ(test, asked[1], 1);
	KUNIT_EXPECT_EQ(test, asked[2], 1);
	KUNIT_EXPECT_EQ(test, sockets(0), 1);
	answers[1] = 40001;
	settle();
	KUNIT_EXPECT_EQ(test, asked[0], 1);
	KUNIT_EXPECT_EQ(test, asked[1], 2);
	KUNIT_EXPECT_EQ(test, sockets(0), 0);
	KUNIT_EXPECT_EQ(test, sockets(40001), 1);
}

static void settle_of_a_socket_that_holds_nothing_changes_nothing(struct kunit *test)
{
	hold(&sks[0], 0, TCP_CLOSE);
	portsock_sock_await(&sks[0]);
	answers[0] = -ENOENT;
	settle();
	settle();
	KUNIT_EXPECT_EQ(test, asked[0], 1);
	KUNIT_EXPECT_EQ(test, sockets(0), 1);
	KUNIT_EXPECT_EQ(test, opened(0), 1);
}

static void socket_that_is_about_to_go_is_not_asked(struct kunit *test)
{
	hold(&sks[0], 0, TCP_CLOSE);
	portsock_sock_await(&sks[0]);
	goes[0] = true;
	settle();
	KUNIT_EXPECT_EQ(test, asked[0], 0);
	KUNIT_EXPECT_EQ(test, table->awaited_nr, 1);
	portsock_sock_forget(&sks[0]);
	KUNIT_EXPECT_EQ(test, table->awaited_nr, 0);
}

/*
 * Between the two steps, in which nothing is locked, it may have said all
 * itself, and have gone.
 */
static void answer_that_nobody_waits_for_changes_nothing(struct kunit *test)
{
	struct portsock_holding h = holding(40000, TCP_CLOSE);

	hold(&sks[0], 0, TCP_CLOSE);
	portsock_sock_settle(&sks[0], &h);
	portsock_sock_settle(&sks[1], &h);
	KUNIT_EXPECT_EQ(test, sockets(40000), 0);
	KUNIT_EXPECT_EQ(test, sockets(0), 1);
	KUNIT_EXPECT_EQ(test, recs(), (size_t)1);
}

static void awaited_is_told_once(struct kunit *test)
{
	hold(&sks[0], 0, TCP_CLOSE);
	KUNIT_EXPECT_FALSE(test, portsock_sock_awaited(&sks[0]));
	portsock_sock_await(&sks[0]);
	KUNIT_EXPECT_TRUE(test, portsock_sock_awaited(&sks[0]));
	KUNIT_EXPECT_FALSE(test, portsock_sock_awaited(&sks[0]));
	settle();
	KUNIT_EXPECT_EQ(test, asked[0], 0);
	KUNIT_EXPECT_EQ(test, table->awaited_nr, 0);
}

static void what_others_say_ends_no_call(struct kunit *test)
{
	hold(&sks[0], 0, TCP_CLOSE);
	portsock_sock_await(&sks[0]);
	hold(&sks[0], 40000, TCP_CLOSE);
	hold(&sks[0], 40001, TCP_CLOSE);
	release(&sks[0]);
	answers[0] = 40002;
	settle();
	KUNIT_EXPECT_EQ(test, asked[0], 1);
	KUNIT_EXPECT_EQ(test, sockets(40002), 1);
}

static void forgotten_socket_is_not_asked(struct kunit *test)
{
	hold(&sks[0], 0, TCP_CLOSE);
	hold(&sks[1], 40000, TCP_CLOSE);
	portsock_sock_await(&sks[0]);
	portsock_sock_await(&sks[1]);
	portsock_sock_forget(&sks[0]);
	portsock_socks_walk_begin();
	portsock_sock_forget(&sks[1]);
	settle();
	portsock_socks_walk_end(0);
	KUNIT_EXPECT_EQ(test, asked[0], 0);
	KUNIT_EXPECT_EQ(test, asked[1], 0);
	KUNIT_EXPECT_EQ(test, table->awaited_nr, 0);
	KUNIT_EXPECT_TRUE(test, list_empty(&table->awaited));
}

static void socket_without_memory_for_a_row_is_not_asked(struct kunit *test)
{
	hold(&sks[0], 0, TCP_CLOSE);
	portsock_sock_await(&sks[0]);
	memory_left = 0;
	hold(&sks[0], 40000, TCP_CLOSE);
	memory_left = INT_MAX;
	settle();
	KUNIT_EXPECT_EQ(test, asked[0], 0);
	KUNIT_EXPECT_EQ(test, table->awaited_nr, 0);
	KUNIT_EXPECT_EQ(test, portsock_socks_untracked(), 1);
}

static u64 connected(u16 port)
{
	return line_of(port).counts.came[PORTSOCK_CONNECTED];
}

static void says(const void *sk, u16 port, u8 state)
{
	struct portsock_holding h = holding(port, state);

	h.how = state == TCP_ESTABLISHED ? PORTSOCK_CONNECTED : PORTSOCK_BOUND;
	portsock_sock_observe(sk, &h);
}

static void socket_connects_when_its_state_changes(struct kunit *test)
{
	says(&sks[0], 40000, TCP_CLOSE);
	says(&sks[0], 40000, TCP_ESTABLISHED);
	says(&sks[0], 40000, TCP_ESTABLISHED);
	KUNIT_EXPECT_EQ(test, connected(40000), 1);
	KUNIT_EXPECT_EQ(test, opened(40000), 1);
	says(&sks[0], 40000, TCP_CLOSE);
	says(&sks[0], 40000, TCP_ESTABLISHED);
	KUNIT_EXPECT_EQ(test, connected(40000), 1);
}

static void socket_that_is_found_connected_did_not_connect(struct kunit *test)
{
	hold(&sks[0], 40000, TCP_ESTABLISHED);
	says(&sks[0], 40000, TCP_ESTABLISHED);
	says(&sks[1], 40001, TCP_ESTABLISHED);
	KUNIT_EXPECT_EQ(test, connected(40000), 0);
	KUNIT_EXPECT_EQ(test, connected(40001), 0);
	KUNIT_EXPECT_EQ(test, sockets(40001), 1);
}

static void walk_that_meets_a_call_repairs_nothing(struct kunit *test)
{
	hold(&sks[0], 0, TCP_CLOSE);
	portsock_sock_await(&sks[0]);
	portsock_socks_walk_begin();
	seen(&sks[0], 40000, TCP_CLOSE);
	KUNIT_EXPECT_EQ(test, portsock_socks_walk_end(0), 0);
	KUNIT_EXPECT_EQ(test, sockets(40000), 1);
	answers[0] = 40000;
	settle();
	KUNIT_EXPECT_EQ(test, opened(40000), 1);
}

static struct kunit_case await_cases[] = {
	KUNIT_CASE(await_of_an_unknown_socket_is_nothing),
	KUNIT_CASE(settle_takes_what_the_socket_says),
	KUNIT_CASE(settle_leaves_a_call_that_is_under_way),
	KUNIT_CASE(settle_of_a_socket_that_holds_nothing_changes_nothing),
	KUNIT_CASE(socket_that_is_about_to_go_is_not_asked),
	KUNIT_CASE(answer_that_nobody_waits_for_changes_nothing),
	KUNIT_CASE(awaited_is_told_once),
	KUNIT_CASE(what_others_say_ends_no_call),
	KUNIT_CASE(forgotten_socket_is_not_asked),
	KUNIT_CASE(socket_without_memory_for_a_row_is_not_asked),
	KUNIT_CASE(socket_connects_when_its_state_changes),
	KUNIT_CASE(socket_that_is_found_connected_did_not_connect),
	KUNIT_CASE(walk_that_meets_a_call_repairs_nothing),
	{ }
};

static struct kunit_suite await_suite = {
	.name = "portsock_await",
	.init = await_test_init,
	.exit = socks_test_exit,
	.test_cases = await_cases,
};

kunit_test_suite(await_suite);

MODULE_LICENSE("GPL");
