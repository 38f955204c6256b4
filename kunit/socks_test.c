// SPDX-License-Identifier: GPL-2.0
/*
 * Records: saying things twice, out of order, too late.
 */
#include "recs.h"

#include <linux/module.h>

static void hold_said_twice_counts_once(struct kunit *test)
{
	hold(&sks[0], 80, TCP_LISTEN);
	hold(&sks[0], 80, TCP_LISTEN);
	KUNIT_EXPECT_EQ(test, sockets(80), 1);
	KUNIT_EXPECT_EQ(test, opened(80), 1);
	portsock_sock_forget(&sks[0]);
	portsock_sock_forget(&sks[0]);
	KUNIT_EXPECT_EQ(test, sockets(80), 0);
	KUNIT_EXPECT_EQ(test, recs(), (size_t)0);
}

static void hold_with_memory_is_tracked(struct kunit *test)
{
	hold(&sks[0], 80, TCP_LISTEN);
	KUNIT_EXPECT_EQ(test, portsock_socks_untracked(), 0);
}

static void forget_of_an_unknown_socket_is_nothing(struct kunit *test)
{
	portsock_sock_forget(&sks[0]);
	KUNIT_EXPECT_EQ(test, recs(), (size_t)0);
}

static void hold_of_another_port_moves_the_socket(struct kunit *test)
{
	hold(&sks[0], 0, TCP_CLOSE);
	KUNIT_EXPECT_EQ(test, sockets(0), 1);
	hold(&sks[0], 40000, TCP_SYN_SENT);
	KUNIT_EXPECT_EQ(test, sockets(0), 0);
	KUNIT_EXPECT_EQ(test, opened(0), 1);
	KUNIT_EXPECT_EQ(test, sockets(40000), 1);
	hold(&sks[0], 0, TCP_CLOSE);
	KUNIT_EXPECT_EQ(test, sockets(0), 1);
	KUNIT_EXPECT_EQ(test, line_of(40000).part, PORTSOCK_END);
}

static void release_makes_a_known_socket_unbound(struct kunit *test)
{
	hold(&sks[0], 40000, TCP_CLOSE);
	release(&sks[0]);
	KUNIT_EXPECT_EQ(test, sockets(40000), 0);
	KUNIT_EXPECT_EQ(test, sockets(0), 1);
}

static void change_of_an_unknown_socket_is_refused(struct kunit *test)
{
	KUNIT_EXPECT_FALSE(test, change(&sks[0], 40000, TCP_ESTABLISHED));
	KUNIT_EXPECT_EQ(test, recs(), (size_t)0);
}

static void change_knows_the_namespace(struct kunit *test)
{
	hold(&sks[0], 0, TCP_CLOSE);
	KUNIT_EXPECT_TRUE(test, change(&sks[0], 40000, TCP_SYN_SENT));
	KUNIT_EXPECT_EQ(test, sockets(0), 0);
	KUNIT_EXPECT_TRUE(test, change(&sks[0], 40000, TCP_ESTABLISHED));
	KUNIT_EXPECT_EQ(test, sockets(40000), 1);
	KUNIT_EXPECT_EQ(test, line_of(40000).counts.state[TCP_ESTABLISHED], 1);
	KUNIT_EXPECT_EQ(test, opened(40000), 1);
}

static void step_moves_a_socket_to_another_state(struct kunit *test)
{
	struct portsock_counts *total = &table->totals.of[PORTSOCK_TCP].numbers.counts;
	struct portsock_holding listener = holding(40000, TCP_LISTEN);

	hold(&sks[0], 40000, TCP_SYN_SENT);
	KUNIT_EXPECT_TRUE(test, step(&sks[0], 40000, TCP_ESTABLISHED));
	KUNIT_EXPECT_EQ(test, line_of(40000).part, PORTSOCK_EPHEMERALS);
	KUNIT_EXPECT_EQ(test, line_of(40000).counts.state[TCP_SYN_SENT], 0);
	KUNIT_EXPECT_EQ(test, line_of(40000).counts.state[TCP_ESTABLISHED], 1);
	KUNIT_EXPECT_EQ(test, total->state[TCP_SYN_SENT], 0);
	KUNIT_EXPECT_EQ(test, total->state[TCP_ESTABLISHED], 1);
	listener.service = true;
	portsock_sock_hold(&sks[1], &listener);
	KUNIT_EXPECT_TRUE(test, step(&sks[0], 40000, TCP_CLOSE_WAIT));
	KUNIT_EXPECT_EQ(test, line_of(40000).counts.state[TCP_ESTABLISHED], 0);
	KUNIT_EXPECT_EQ(test, line_of(40000).counts.state[TCP_CLOSE_WAIT], 1);
	KUNIT_EXPECT_EQ(test, sockets(40000), 2);
	KUNIT_EXPECT_EQ(test, opened(40000), 2);
}

static void step_of_more_than_a_state_is_refused(struct kunit *test)
{
	struct portsock_holding listener = holding(80, TCP_LISTEN);
	struct inet_connection_sock *csk;

	csk = kunit_kzalloc(test, sizeof(*csk), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, csk);
	listener.queues = true;
	portsock_sock_hold(csk, &listener);
	hold(&sks[1], 0, TCP_CLOSE);
	hold(&sks[2], 80, TCP_ESTABLISHED);
	hold(&sks[3], 80, TCP_TIME_WAIT);
	KUNIT_EXPECT_FALSE(test, step(csk, 80, TCP_CLOSE));
	KUNIT_EXPECT_FALSE(test, step(&sks[1], 80, TCP_CLOSE));
	KUNIT_EXPECT_FALSE(test, step(&sks[2], 81, TCP_CLOSE));
	KUNIT_EXPECT_FALSE(test, step_of(&sks[2], PORTSOCK_DCCP, 80, false,
					 TCP_CLOSE));
	KUNIT_EXPECT_FALSE(test,
			   step_of(&sks[2], PORTSOCK_TCP, 80, true, TCP_CLOSE));
	KUNIT_EXPECT_FALSE(test, step(&sks[3], 80, TCP_CLOSE));
	KUNIT_EXPECT_FALSE(test, step(&sks[4], 80, TCP_CLOSE));
	KUNIT_EXPECT_EQ(test, line_of(80).counts.state[TCP_CLOSE], 0);
	KUNIT_EXPECT_EQ(test, line_of(80).counts.state[TCP_ESTABLISHED], 1);
	KUNIT_EXPECT_EQ(test, recs(), (size_t)4);
}

static void meet_of_an_unknown_socket_counts(struct kunit *test)
{
	meet(&sks[0], 40000, TCP_ESTABLISHED);
	KUNIT_EXPECT_EQ(test, sockets(40000), 1);
	KUNIT_EXPECT_EQ(test, recs(), (size_t)1);
}

static void meet_of_a_socket_that_only_asked_counts(struct kunit *test)
{
	portsock_sock_asked(&sks[0], true);
	meet(&sks[0], 40000, TCP_ESTABLISHED);
	KUNIT_EXPECT_EQ(test, sockets(40000), 1);
}

static void meet_of_a_known_socket_changes_nothing(struct kunit *test)
{
	hold(&sks[0], 40000, TCP_ESTABLISHED);
	meet(&sks[0], 40000, TCP_CLOSE_WAIT);
	KUNIT_EXPECT_EQ(test, line_of(40000).counts.state[TCP_ESTABLISHED], 1);
	KUNIT_EXPECT_EQ(test, recs(), (size_t)1);
}

static void meet_of_a_socket_that_had_no_memory_counts(struct kunit *test)
{
	memory_left = 1;
	hold(&sks[0], 40000, TCP_ESTABLISHED);
	KUNIT_ASSERT_EQ(test, recs(), (size_t)1);
	memory_left = INT_MAX;
	meet(&sks[0], 40000, TCP_ESTABLISHED);
	KUNIT_EXPECT_EQ(test, sockets(40000), 1);
}

static void meet_without_memory_is_untracked(struct kunit *test)
{
	memory_left = 0;
	meet(&sks[0], 40000, TCP_ESTABLISHED);
	KUNIT_EXPECT_EQ(test, portsock_socks_untracked(), 1);
	KUNIT_EXPECT_EQ(test, recs(), (size_t)0);
}

static void unbound_socket_counts_once(struct kunit *test)
{
	unbound(&sks[0], true);
	unbound(&sks[0], true);
	KUNIT_EXPECT_EQ(test, sockets(0), 1);
	KUNIT_EXPECT_EQ(test, opened(0), 1);
	KUNIT_EXPECT_EQ(test, line_of(0).counts.ipv6, 1);
	KUNIT_EXPECT_EQ(test, line_of(0).counts.state[TCP_CLOSE], 1);
	KUNIT_EXPECT_EQ(test, recs(), (size_t)1);
}

static void unbound_socket_without_memory_is_untracked(struct kunit *test)
{
	memory_left = 0;
	unbound(&sks[0], false);
	KUNIT_EXPECT_EQ(test, portsock_socks_untracked(), 1);
	KUNIT_EXPECT_EQ(test, sockets(0), 0);
	KUNIT_EXPECT_EQ(test, recs(), (size_t)0);
}

static void bind_without_memory_is_untracked(struct kunit *test)
{
	struct portsock_holding h = holding(40000, TCP_CLOSE);

	memory_left = 0;
	portsock_sock_bind(&sks[0], &h);
	portsock_sock_asked(&sks[0], true);
	KUNIT_EXPECT_EQ(test, portsock_socks_untracked(), 2);
	KUNIT_EXPECT_EQ(test, recs(), (size_t)0);
}

static void clear_forgets_the_sockets_of_one_table(struct kunit *test)
{
	struct portsock_table *other = portsock_table_new(true);
	struct portsock_holding h = holding(40000, TCP_ESTABLISHED);

	KUNIT_ASSERT_NOT_NULL(test, other);
	h.table = other;
	portsock_sock_hold(&sks[0], &h);
	hold(&sks[1], 40000, TCP_ESTABLISHED);
	portsock_socks_clear(other);
	KUNIT_EXPECT_EQ(test, recs(), (size_t)1);
	KUNIT_EXPECT_EQ(test, sockets(40000), 1);
	portsock_rows_kill(other);
	KUNIT_EXPECT_EQ(test, memory_freed_nr, (size_t)1);
}

static void mini_socket_has_the_record_of_its_socket(struct kunit *test)
{
	struct portsock_holding h = holding(40000, TCP_FIN_WAIT2);
	struct portsock_counts *total = &table->totals.of[PORTSOCK_TCP].numbers.counts;

	h.ipv6 = true;
	h.how = PORTSOCK_CONNECTED;
	portsock_sock_hold(&sks[0], &h);
	h.state = TCP_TIME_WAIT;
	portsock_sock_inherit(&sks[0], &sks[1], &h);
	portsock_sock_forget(&sks[0]);
	KUNIT_EXPECT_EQ(test, recs(), (size_t)1);
	KUNIT_EXPECT_EQ(test, sockets(40000), 0);
	KUNIT_EXPECT_EQ(test, opened(40000), 1);
	KUNIT_EXPECT_EQ(test, line_of(40000).counts.ipv6, 0);
	KUNIT_EXPECT_EQ(test, line_of(40000).counts.peak, 1);
	KUNIT_EXPECT_EQ(test, line_of(40000).counts.state[TCP_FIN_WAIT2], 0);
	KUNIT_EXPECT_EQ(test, line_of(40000).counts.state[TCP_TIME_WAIT], 1);
	portsock_sock_forget(&sks[1]);
	KUNIT_EXPECT_EQ(test, recs(), (size_t)0);
	KUNIT_EXPECT_EQ(test, line_of(40000).part, PORTSOCK_END);
	KUNIT_EXPECT_EQ(test, total->state[TCP_TIME_WAIT], 0);
	KUNIT_EXPECT_EQ(test, total->sockets, 0);
	KUNIT_EXPECT_EQ(test, total->came[PORTSOCK_CONNECTED], 1);
}

static void mini_socket_of_an_unknown_socket_counts(struct kunit *test)
{
	inherit(&sks[0], &sks[1]);
	hold(&sks[2], 0, TCP_CLOSE);
	inherit(&sks[2], &sks[3]);
	KUNIT_EXPECT_EQ(test, line_of(40000).counts.state[TCP_TIME_WAIT], 2);
	KUNIT_EXPECT_EQ(test, opened(40000), 0);
	KUNIT_EXPECT_EQ(test, sockets(0), 1);
	KUNIT_EXPECT_EQ(test, recs(), (size_t)3);
}

static void mini_socket_at_a_stale_address_is_the_only_one_there(struct kunit *test)
{
	hold(&sks[0], 40000, TCP_FIN_WAIT2);
	hold(&sks[1], 81, TCP_ESTABLISHED);
	inherit(&sks[0], &sks[1]);
	KUNIT_EXPECT_EQ(test, sockets(81), 0);
	KUNIT_EXPECT_EQ(test, line_of(40000).counts.state[TCP_TIME_WAIT], 1);
	KUNIT_EXPECT_EQ(test, recs(), (size_t)1);
}

static void release_tells_the_family_anew(struct kunit *test)
{
	struct portsock_holding h = holding(40000, TCP_CLOSE);

	h.ipv6 = true;
	portsock_sock_hold(&sks[0], &h);
	portsock_sock_release(&sks[0], false, NULL);
	KUNIT_EXPECT_EQ(test, sockets(0), 1);
	KUNIT_EXPECT_EQ(test, line_of(0).counts.ipv6, 0);
	h.port = 0;
	portsock_sock_hold(&sks[0], &h);
	KUNIT_EXPECT_EQ(test, sockets(0), 1);
	KUNIT_EXPECT_EQ(test, line_of(0).counts.ipv6, 1);
	portsock_sock_forget(&sks[0]);
	KUNIT_EXPECT_EQ(test, line_of(0).counts.ipv6, 0);
	KUNIT_EXPECT_EQ(test, opened(0), 1);
	KUNIT_EXPECT_EQ(test, line_of(0).counts.peak, 1);
}

/* A namespace that went while a socket of it was unbound. */
static void unbound_socket_pins_the_table(struct kunit *test)
{
	struct portsock_table *mine = portsock_table_new(true);
	struct portsock_holding h = holding(0, TCP_CLOSE);

	KUNIT_ASSERT_NOT_NULL(test, mine);
	h.table = mine;
	portsock_sock_hold(&sks[0], &h);
	portsock_rows_kill(mine);
	KUNIT_EXPECT_FALSE(test, mine->released);
	/* no row is made any more */
	KUNIT_EXPECT_TRUE(test, change(&sks[0], 40000, TCP_CLOSE));
	KUNIT_EXPECT_FALSE(test, change(&sks[0], 40000, TCP_CLOSE));
	portsock_sock_forget(&sks[0]);
	KUNIT_EXPECT_EQ(test, recs(), (size_t)0);
}

static void release_after_close_revives_nothing(struct kunit *test)
{
	hold(&sks[0], 40000, TCP_CLOSE);
	portsock_sock_forget(&sks[0]);
	release(&sks[0]);
	KUNIT_EXPECT_EQ(test, recs(), (size_t)0);

	portsock_socks_walk_begin();
	portsock_sock_forget(&sks[0]);
	release(&sks[0]);
	KUNIT_EXPECT_EQ(test, sockets(0), 0);
	portsock_socks_walk_end(BIT(PORTSOCK_TCP));
	KUNIT_EXPECT_EQ(test, recs(), (size_t)0);
}

static void missed_event_is_set_right_by_the_next(struct kunit *test)
{
	/* the socket at this address was closed unseen, its memory reused */
	hold(&sks[0], 80, TCP_ESTABLISHED);
	hold(&sks[0], 81, TCP_LISTEN);
	KUNIT_EXPECT_EQ(test, sockets(80), 0);
	KUNIT_EXPECT_EQ(test, sockets(81), 1);
	KUNIT_EXPECT_EQ(test, recs(), (size_t)1);
}

static void bind_of_a_named_port_makes_a_service(struct kunit *test)
{
	struct portsock_holding h = holding(40000, TCP_CLOSE);

	portsock_sock_asked(&sks[0], true);
	portsock_sock_bind(&sks[0], &h);
	KUNIT_EXPECT_EQ(test, line_of(40000).part, PORTSOCK_SERVICES);
}

static void bind_of_any_port_makes_an_ephemeral(struct kunit *test)
{
	struct portsock_holding h = holding(40000, TCP_CLOSE);

	/* bind() to a port in use failed before */
	portsock_sock_asked(&sks[0], true);
	portsock_sock_asked(&sks[0], false);
	portsock_sock_bind(&sks[0], &h);
	KUNIT_EXPECT_EQ(test, line_of(40000).part, PORTSOCK_EPHEMERALS);
	portsock_sock_asked(&sks[1], false);
	KUNIT_EXPECT_EQ(test, recs(), (size_t)1);
}

static void bind_of_a_socket_that_never_asked_makes_an_ephemeral(struct kunit *test)
{
	struct portsock_holding h = holding(40000, TCP_CLOSE);

	portsock_sock_bind(&sks[0], &h);
	KUNIT_EXPECT_EQ(test, line_of(40000).part, PORTSOCK_EPHEMERALS);
}

static void hold_without_memory_is_untracked_and_harmless(struct kunit *test)
{
	memory_left = 0;
	hold(&sks[0], 80, TCP_LISTEN);
	KUNIT_EXPECT_EQ(test, portsock_socks_untracked(), 1);
	hold(&sks[0], 80, TCP_CLOSE);
	KUNIT_EXPECT_EQ(test, portsock_socks_untracked(), 2);
	portsock_sock_forget(&sks[0]);
	KUNIT_EXPECT_EQ(test, recs(), (size_t)0);
	KUNIT_EXPECT_EQ(test, line_of(80).part, PORTSOCK_END);
}

static struct kunit_case socks_cases[] = {
	KUNIT_CASE(hold_said_twice_counts_once),
	KUNIT_CASE(hold_with_memory_is_tracked),
	KUNIT_CASE(forget_of_an_unknown_socket_is_nothing),
	KUNIT_CASE(hold_of_another_port_moves_the_socket),
	KUNIT_CASE(release_makes_a_known_socket_unbound),
	KUNIT_CASE(change_of_an_unknown_socket_is_refused),
	KUNIT_CASE(change_knows_the_namespace),
	KUNIT_CASE(step_moves_a_socket_to_another_state),
	KUNIT_CASE(step_of_more_than_a_state_is_refused),
	KUNIT_CASE(meet_of_an_unknown_socket_counts),
	KUNIT_CASE(meet_of_a_socket_that_only_asked_counts),
	KUNIT_CASE(meet_of_a_known_socket_changes_nothing),
	KUNIT_CASE(meet_of_a_socket_that_had_no_memory_counts),
	KUNIT_CASE(meet_without_memory_is_untracked),
	KUNIT_CASE(unbound_socket_counts_once),
	KUNIT_CASE(unbound_socket_without_memory_is_untracked),
	KUNIT_CASE(bind_without_memory_is_untracked),
	KUNIT_CASE(clear_forgets_the_sockets_of_one_table),
	KUNIT_CASE(mini_socket_has_the_record_of_its_socket),
	KUNIT_CASE(mini_socket_of_an_unknown_socket_counts),
	KUNIT_CASE(mini_socket_at_a_stale_address_is_the_only_one_there),
	KUNIT_CASE(release_tells_the_family_anew),
	KUNIT_CASE(unbound_socket_pins_the_table),
	KUNIT_CASE(release_after_close_revives_nothing),
	KUNIT_CASE(missed_event_is_set_right_by_the_next),
	KUNIT_CASE(bind_of_a_named_port_makes_a_service),
	KUNIT_CASE(bind_of_any_port_makes_an_ephemeral),
	KUNIT_CASE(bind_of_a_socket_that_never_asked_makes_an_ephemeral),
	KUNIT_CASE(hold_without_memory_is_untracked_and_harmless),
	{ }
};

static struct kunit_suite socks_suite = {
	.name = "portsock_socks",
	.init = socks_test_init,
	.exit = socks_test_exit,
	.test_cases = socks_cases,
};

kunit_test_suite(socks_suite);

MODULE_LICENSE("GPL");
