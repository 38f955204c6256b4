// SPDX-License-Identifier: GPL-2.0
/*
 * Records while a walk goes over the kernel's tables.
 */
#include "recs.h"

#include <linux/module.h>

static void meet_does_not_revive_a_socket_that_went(struct kunit *test)
{
	hold(&sks[0], 40000, TCP_ESTABLISHED);
	portsock_socks_walk_begin();
	portsock_sock_forget(&sks[0]);
	meet(&sks[0], 40000, TCP_ESTABLISHED);
	KUNIT_EXPECT_EQ(test, sockets(40000), 0);
	portsock_socks_walk_end(BIT(PORTSOCK_TCP));
	KUNIT_EXPECT_EQ(test, recs(), (size_t)0);
}

/* The socket is still in the kernel's tables, where the walk meets it. */
static void mini_socket_has_its_own_record_during_a_walk(struct kunit *test)
{
	hold(&sks[0], 40000, TCP_FIN_WAIT2);
	portsock_socks_walk_begin();
	inherit(&sks[0], &sks[1]);
	KUNIT_EXPECT_EQ(test, recs(), (size_t)2);
	portsock_sock_forget(&sks[0]);
	seen(&sks[0], 40000, TCP_FIN_WAIT2);
	KUNIT_EXPECT_EQ(test, portsock_socks_walk_end(BIT(PORTSOCK_TCP)), 0);
	KUNIT_EXPECT_EQ(test, sockets(40000), 0);
	KUNIT_EXPECT_EQ(test, opened(40000), 1);
	KUNIT_EXPECT_EQ(test, line_of(40000).counts.state[TCP_TIME_WAIT], 1);
	KUNIT_EXPECT_EQ(test, recs(), (size_t)1);
}

static void row_without_memory_is_untracked_until_a_walk(struct kunit *test)
{
	hold(&sks[0], 80, TCP_ESTABLISHED);
	memory_left = 0;
	hold(&sks[0], 81, TCP_ESTABLISHED);
	KUNIT_EXPECT_EQ(test, portsock_socks_untracked(), 1);
	KUNIT_EXPECT_EQ(test, sockets(80), 0);
	memory_left = INT_MAX;
	portsock_socks_walk_begin();
	seen(&sks[0], 81, TCP_ESTABLISHED);
	KUNIT_EXPECT_EQ(test, portsock_socks_walk_end(BIT(PORTSOCK_TCP)), 1);
	KUNIT_EXPECT_EQ(test, sockets(81), 1);
}

static void walk_finds_what_the_hooks_missed(struct kunit *test)
{
	hold(&sks[0], 80, TCP_LISTEN);		/* right */
	hold(&sks[1], 80, TCP_ESTABLISHED);	/* changed state unseen */
	hold(&sks[2], 80, TCP_ESTABLISHED);	/* closed unseen */
	hold(&sks[3], 82, TCP_ESTABLISHED);	/* rebound unseen */
	hold(&sks[5], 0, TCP_CLOSE);		/* unbound, out of sight */
	portsock_socks_walk_begin();
	seen(&sks[0], 80, TCP_LISTEN);
	seen(&sks[1], 80, TCP_CLOSE_WAIT);
	seen(&sks[3], 83, TCP_ESTABLISHED);
	seen(&sks[4], 80, TCP_ESTABLISHED);	/* opened unseen */
	KUNIT_EXPECT_EQ(test, portsock_socks_walk_end(BIT(PORTSOCK_TCP)), 4);
	KUNIT_EXPECT_EQ(test, sockets(80), 3);
	KUNIT_EXPECT_EQ(test, line_of(80).counts.state[TCP_CLOSE_WAIT], 1);
	KUNIT_EXPECT_EQ(test, line_of(80).counts.state[TCP_ESTABLISHED], 1);
	KUNIT_EXPECT_EQ(test, sockets(82), 0);
	KUNIT_EXPECT_EQ(test, sockets(83), 1);
	KUNIT_EXPECT_EQ(test, sockets(0), 1);
	KUNIT_EXPECT_EQ(test, recs(), (size_t)5);
}

static void walk_keeps_protocols_it_cannot_meet(struct kunit *test)
{
	hold(&sks[0], 80, TCP_LISTEN);
	portsock_socks_walk_begin();
	KUNIT_EXPECT_EQ(test, portsock_socks_walk_end(BIT(PORTSOCK_UDP)), 0);
	KUNIT_EXPECT_EQ(test, sockets(80), 1);
}

static void walk_of_a_sound_table_changes_nothing(struct kunit *test)
{
	int walks;

	hold(&sks[0], 80, TCP_LISTEN);
	hold(&sks[1], 80, TCP_ESTABLISHED);
	for (walks = 0; walks < 3; walks++) {
		portsock_socks_walk_begin();
		seen(&sks[0], 80, TCP_LISTEN);
		seen(&sks[1], 80, TCP_ESTABLISHED);
		KUNIT_EXPECT_EQ(test,
				portsock_socks_walk_end(BIT(PORTSOCK_TCP)), 0);
	}
	KUNIT_EXPECT_EQ(test, sockets(80), 2);
}

static void walk_compares_unbound_sockets(struct kunit *test)
{
	struct portsock_holding h = holding(0, TCP_CLOSE);

	unbound(&sks[0], false);
	unbound(&sks[1], false);
	portsock_socks_walk_begin();
	portsock_sock_seen(&sks[0], &h);
	KUNIT_EXPECT_EQ(test, portsock_socks_walk_end(BIT(PORTSOCK_TCP)), 0);
	portsock_socks_walk_begin();
	h.ipv6 = true;
	portsock_sock_seen(&sks[0], &h);
	KUNIT_EXPECT_EQ(test, portsock_socks_walk_end(BIT(PORTSOCK_TCP)), 1);
	KUNIT_EXPECT_EQ(test, line_of(0).counts.ipv6, 1);
	KUNIT_EXPECT_EQ(test, sockets(0), 2);
}

static void walk_believes_hooks_more_than_itself(struct kunit *test)
{
	hold(&sks[0], 80, TCP_ESTABLISHED);
	hold(&sks[1], 80, TCP_ESTABLISHED);
	portsock_socks_walk_begin();
	hold(&sks[0], 80, TCP_CLOSE_WAIT);
	portsock_sock_forget(&sks[1]);
	/* the walk read both before */
	seen(&sks[0], 80, TCP_ESTABLISHED);
	seen(&sks[1], 80, TCP_ESTABLISHED);
	KUNIT_EXPECT_EQ(test, portsock_socks_walk_end(BIT(PORTSOCK_TCP)), 0);
	KUNIT_EXPECT_EQ(test, sockets(80), 1);
	KUNIT_EXPECT_EQ(test, line_of(80).counts.state[TCP_CLOSE_WAIT], 1);
	KUNIT_EXPECT_EQ(test, recs(), (size_t)1);
}

static void walk_believes_every_hook(struct kunit *test)
{
	struct portsock_holding bound = holding(80, TCP_CLOSE);

	hold(&sks[0], 80, TCP_ESTABLISHED);
	hold(&sks[1], 80, TCP_ESTABLISHED);
	hold(&sks[2], 80, TCP_ESTABLISHED);
	hold(&sks[3], 80, TCP_ESTABLISHED);
	portsock_socks_walk_begin();
	KUNIT_EXPECT_TRUE(test, step(&sks[0], 80, TCP_CLOSE_WAIT));
	KUNIT_EXPECT_TRUE(test, change(&sks[1], 80, TCP_CLOSE_WAIT));
	release(&sks[2]);
	unbound(&sks[3], false);
	portsock_sock_bind(&sks[4], &bound);
	meet(&sks[5], 80, TCP_CLOSE);
	/* the walk read all of them before */
	seen(&sks[0], 80, TCP_ESTABLISHED);
	seen(&sks[1], 80, TCP_ESTABLISHED);
	seen(&sks[2], 80, TCP_ESTABLISHED);
	seen(&sks[3], 80, TCP_ESTABLISHED);
	seen(&sks[4], 81, TCP_CLOSE);
	seen(&sks[5], 81, TCP_CLOSE);
	KUNIT_EXPECT_EQ(test, portsock_socks_walk_end(BIT(PORTSOCK_TCP)), 0);
	KUNIT_EXPECT_EQ(test, line_of(80).counts.state[TCP_CLOSE_WAIT], 2);
	KUNIT_EXPECT_EQ(test, line_of(80).counts.state[TCP_CLOSE], 2);
	KUNIT_EXPECT_EQ(test, sockets(80), 4);
	KUNIT_EXPECT_EQ(test, sockets(0), 2);
	KUNIT_EXPECT_EQ(test, sockets(81), 0);
}

static void walk_does_not_revive_a_socket_unknown_before(struct kunit *test)
{
	portsock_socks_walk_begin();
	portsock_sock_forget(&sks[0]);
	seen(&sks[0], 80, TCP_ESTABLISHED);
	KUNIT_EXPECT_EQ(test, sockets(80), 0);
	portsock_socks_walk_end(BIT(PORTSOCK_TCP));
	KUNIT_EXPECT_EQ(test, recs(), (size_t)0);
}

static void walk_lets_a_new_socket_have_an_old_address(struct kunit *test)
{
	portsock_socks_walk_begin();
	portsock_sock_forget(&sks[0]);
	hold(&sks[0], 80, TCP_SYN_RECV);
	portsock_socks_walk_end(BIT(PORTSOCK_TCP));
	KUNIT_EXPECT_EQ(test, sockets(80), 1);
}

static void walk_is_not_misled_by_a_mere_question(struct kunit *test)
{
	hold(&sks[0], 80, TCP_CLOSE);
	portsock_socks_walk_begin();
	portsock_sock_asked(&sks[0], true);
	seen(&sks[0], 80, TCP_LISTEN);
	KUNIT_EXPECT_EQ(test, portsock_socks_walk_end(BIT(PORTSOCK_TCP)), 1);
	KUNIT_EXPECT_EQ(test, line_of(80).counts.state[TCP_LISTEN], 1);
}

static void walk_meets_a_socket_that_only_asked(struct kunit *test)
{
	/* the walk's will be what fresh memory holds */
	walk_epoch = 0x5a5a5a5a - 1;
	portsock_socks_walk_begin();
	portsock_sock_asked(&sks[0], true);
	seen(&sks[0], 80, TCP_LISTEN);
	KUNIT_EXPECT_EQ(test, portsock_socks_walk_end(BIT(PORTSOCK_TCP)), 1);
	KUNIT_EXPECT_EQ(test, sockets(80), 1);
}

static void walk_keeps_a_socket_that_only_asked(struct kunit *test)
{
	portsock_sock_asked(&sks[0], true);
	portsock_socks_walk_begin();
	KUNIT_EXPECT_EQ(test, portsock_socks_walk_end(BIT(PORTSOCK_TCP)), 0);
	KUNIT_EXPECT_EQ(test, recs(), (size_t)1);
}

static void walk_without_memory_is_untracked(struct kunit *test)
{
	portsock_socks_walk_begin();
	memory_left = 0;
	seen(&sks[0], 80, TCP_LISTEN);
	memory_left = INT_MAX;
	KUNIT_EXPECT_EQ(test, portsock_socks_walk_end(BIT(PORTSOCK_TCP)), 0);
	KUNIT_EXPECT_EQ(test, portsock_socks_untracked(), 1);
	KUNIT_EXPECT_EQ(test, recs(), (size_t)0);
}

static void forget_after_a_walk_leaves_nothing(struct kunit *test)
{
	portsock_socks_walk_begin();
	portsock_socks_walk_end(BIT(PORTSOCK_TCP));
	hold(&sks[0], 80, TCP_ESTABLISHED);
	portsock_sock_forget(&sks[0]);
	KUNIT_EXPECT_EQ(test, recs(), (size_t)0);
}

static void tombstone_without_memory_asks_for_another_walk(struct kunit *test)
{
	portsock_socks_walk_begin();
	memory_left = 0;
	portsock_sock_forget(&sks[0]);
	memory_left = INT_MAX;
	portsock_socks_walk_end(BIT(PORTSOCK_TCP));
	KUNIT_EXPECT_EQ(test, portsock_socks_untracked(), 1);
}

static struct kunit_case walk_cases[] = {
	KUNIT_CASE(meet_does_not_revive_a_socket_that_went),
	KUNIT_CASE(mini_socket_has_its_own_record_during_a_walk),
	KUNIT_CASE(row_without_memory_is_untracked_until_a_walk),
	KUNIT_CASE(walk_finds_what_the_hooks_missed),
	KUNIT_CASE(walk_keeps_protocols_it_cannot_meet),
	KUNIT_CASE(walk_of_a_sound_table_changes_nothing),
	KUNIT_CASE(walk_compares_unbound_sockets),
	KUNIT_CASE(walk_believes_hooks_more_than_itself),
	KUNIT_CASE(walk_believes_every_hook),
	KUNIT_CASE(walk_does_not_revive_a_socket_unknown_before),
	KUNIT_CASE(walk_lets_a_new_socket_have_an_old_address),
	KUNIT_CASE(walk_is_not_misled_by_a_mere_question),
	KUNIT_CASE(walk_meets_a_socket_that_only_asked),
	KUNIT_CASE(walk_keeps_a_socket_that_only_asked),
	KUNIT_CASE(walk_without_memory_is_untracked),
	KUNIT_CASE(forget_after_a_walk_leaves_nothing),
	KUNIT_CASE(tombstone_without_memory_asks_for_another_walk),
	{ }
};

static struct kunit_suite walk_suite = {
	.name = "portsock_walk",
	.init = socks_test_init,
	.exit = socks_test_exit,
	.test_cases = walk_cases,
};

kunit_test_suite(walk_suite);

MODULE_LICENSE("GPL");
