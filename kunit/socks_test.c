// SPDX-License-Identifier: GPL-2.0
/*
 * Records: saying things twice, out of order, too late, and the walk.
 */
#include <kunit/test.h>
#include <linux/module.h>
#include <linux/slab.h>

static bool no_memory;
#include "../module/pool.c"
#define portsock_pool_get(pool) (no_memory ? NULL : portsock_pool_get(pool))
#include "../module/table.c"
#include "../module/socks.c"

static struct portsock_table *table;

/* Keys only: records never follow them. */
static char sks[16];

static int socks_test_init(struct kunit *test)
{
	int err;

	no_memory = false;
	atomic64_set(&untracked, 0);
	walk_epoch = 0;
	err = portsock_table_init(4);
	if (err)
		return err;
	err = portsock_socks_init(4);
	if (err)
		return err;
	table = portsock_table_new();
	return table ? 0 : -ENOMEM;
}

static void socks_test_exit(struct kunit *test)
{
	portsock_socks_clear(NULL);
	portsock_table_kill(table);
	portsock_socks_exit();
	portsock_table_exit();
}

static struct portsock_holding holding(u16 port, u8 state)
{
	return (struct portsock_holding){
		.table = table,
		.proto = PORTSOCK_TCP,
		.port = port,
		.state = state,
	};
}

static void hold(const void *sk, u16 port, u8 state)
{
	struct portsock_holding h = holding(port, state);

	portsock_sock_hold(sk, &h);
}

static void seen(const void *sk, u16 port, u8 state)
{
	struct portsock_holding h = holding(port, state);

	portsock_sock_seen(sk, &h);
}

static struct portsock_line line_of(u16 port)
{
	struct portsock_cursor cursor = { };
	struct portsock_line line;

	while (portsock_table_next(table, &cursor, &line))
		if (line.part != PORTSOCK_TOTALS && line.port == port)
			return line;
	return (struct portsock_line){ .part = PORTSOCK_END };
}

static u32 sockets(u16 port)
{
	return line_of(port).counts.sockets;
}

static u64 opened(u16 port)
{
	const struct portsock_line line = line_of(port);

	return portsock_opened(&line.counts);
}

static size_t recs(void)
{
	struct portsock_rec *rec;
	size_t i, n = 0;

	for (i = 0; i < rec_buckets_nr; i++)
		hlist_for_each_entry(rec, &rec_buckets[i].recs, node)
			n++;
	return n;
}

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

static void release(const void *sk)
{
	portsock_sock_release(sk, false);
}

static void release_makes_a_known_socket_unbound(struct kunit *test)
{
	hold(&sks[0], 40000, TCP_CLOSE);
	release(&sks[0]);
	KUNIT_EXPECT_EQ(test, sockets(40000), 0);
	KUNIT_EXPECT_EQ(test, sockets(0), 1);
}

static bool change(const void *sk, u16 port, u8 state)
{
	struct portsock_holding h = holding(port, state);

	h.table = NULL;
	return portsock_sock_change(sk, &h);
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

static bool step_of(const void *sk, u8 proto, u16 port, bool ipv6, u8 state)
{
	return portsock_sock_step(sk, portsock_step(proto, port, ipv6, state));
}

static bool step(const void *sk, u16 port, u8 state)
{
	return step_of(sk, PORTSOCK_TCP, port, false, state);
}

static void step_moves_a_socket_to_another_state(struct kunit *test)
{
	struct portsock_counts *total = &table->totals[PORTSOCK_TCP];
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
	static atomic_t requests;

	listener.requests = &requests;
	portsock_sock_hold(&sks[0], &listener);
	hold(&sks[1], 0, TCP_CLOSE);
	hold(&sks[2], 80, TCP_ESTABLISHED);
	hold(&sks[3], 80, TCP_TIME_WAIT);
	KUNIT_EXPECT_FALSE(test, step(&sks[0], 80, TCP_CLOSE));
	KUNIT_EXPECT_FALSE(test, step(&sks[1], 80, TCP_CLOSE));
	KUNIT_EXPECT_FALSE(test, step(&sks[2], 81, TCP_CLOSE));
	KUNIT_EXPECT_FALSE(test, step_of(&sks[2], PORTSOCK_DCCP, 80, false, TCP_CLOSE));
	KUNIT_EXPECT_FALSE(test, step_of(&sks[2], PORTSOCK_TCP, 80, true, TCP_CLOSE));
	KUNIT_EXPECT_FALSE(test, step(&sks[3], 80, TCP_CLOSE));
	KUNIT_EXPECT_FALSE(test, step(&sks[4], 80, TCP_CLOSE));
	KUNIT_EXPECT_EQ(test, line_of(80).counts.state[TCP_CLOSE], 0);
	KUNIT_EXPECT_EQ(test, line_of(80).counts.state[TCP_ESTABLISHED], 1);
	KUNIT_EXPECT_EQ(test, recs(), (size_t)4);
}

static void succeed(const void *sk, const void *tw)
{
	struct portsock_holding h = holding(40000, TCP_TIME_WAIT);

	portsock_sock_succeed(sk, tw, &h);
}

static void mini_socket_has_the_record_of_its_socket(struct kunit *test)
{
	struct portsock_holding h = holding(40000, TCP_FIN_WAIT2);
	struct portsock_counts *total = &table->totals[PORTSOCK_TCP];

	h.ipv6 = true;
	h.how = PORTSOCK_CONNECTED;
	portsock_sock_hold(&sks[0], &h);
	h.state = TCP_TIME_WAIT;
	portsock_sock_succeed(&sks[0], &sks[1], &h);
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
	succeed(&sks[0], &sks[1]);
	hold(&sks[2], 0, TCP_CLOSE);
	succeed(&sks[2], &sks[3]);
	KUNIT_EXPECT_EQ(test, line_of(40000).counts.state[TCP_TIME_WAIT], 2);
	KUNIT_EXPECT_EQ(test, opened(40000), 0);
	KUNIT_EXPECT_EQ(test, sockets(0), 1);
	KUNIT_EXPECT_EQ(test, recs(), (size_t)3);
}

static void mini_socket_at_a_stale_address_is_the_only_one_there(struct kunit *test)
{
	hold(&sks[0], 40000, TCP_FIN_WAIT2);
	hold(&sks[1], 81, TCP_ESTABLISHED);
	succeed(&sks[0], &sks[1]);
	KUNIT_EXPECT_EQ(test, sockets(81), 0);
	KUNIT_EXPECT_EQ(test, line_of(40000).counts.state[TCP_TIME_WAIT], 1);
	KUNIT_EXPECT_EQ(test, recs(), (size_t)1);
}

/* The socket is still in the kernel's tables, where the walk meets it. */
static void mini_socket_has_its_own_record_during_a_walk(struct kunit *test)
{
	hold(&sks[0], 40000, TCP_FIN_WAIT2);
	portsock_socks_walk_begin();
	succeed(&sks[0], &sks[1]);
	KUNIT_EXPECT_EQ(test, recs(), (size_t)2);
	portsock_sock_forget(&sks[0]);
	seen(&sks[0], 40000, TCP_FIN_WAIT2);
	KUNIT_EXPECT_EQ(test, portsock_socks_walk_end(BIT(PORTSOCK_TCP)), 0);
	KUNIT_EXPECT_EQ(test, sockets(40000), 0);
	KUNIT_EXPECT_EQ(test, opened(40000), 1);
	KUNIT_EXPECT_EQ(test, line_of(40000).counts.state[TCP_TIME_WAIT], 1);
	KUNIT_EXPECT_EQ(test, recs(), (size_t)1);
}

static void release_tells_the_family_anew(struct kunit *test)
{
	struct portsock_holding h = holding(40000, TCP_CLOSE);

	h.ipv6 = true;
	portsock_sock_hold(&sks[0], &h);
	portsock_sock_release(&sks[0], false);
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
	struct portsock_table *mine = portsock_table_new();
	struct portsock_holding h = holding(0, TCP_CLOSE);

	KUNIT_ASSERT_NOT_NULL(test, mine);
	h.table = mine;
	portsock_sock_hold(&sks[0], &h);
	portsock_table_kill(mine);
	KUNIT_EXPECT_FALSE(test, mine->over);
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
	/* the socket at this address was closed unseen, its memory used again */
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

static void hold_without_memory_is_untracked_and_harmless(struct kunit *test)
{
	no_memory = true;
	hold(&sks[0], 80, TCP_LISTEN);
	KUNIT_EXPECT_EQ(test, portsock_socks_untracked(), 1);
	hold(&sks[0], 80, TCP_CLOSE);
	KUNIT_EXPECT_EQ(test, portsock_socks_untracked(), 2);
	portsock_sock_forget(&sks[0]);
	KUNIT_EXPECT_EQ(test, recs(), (size_t)0);
	KUNIT_EXPECT_EQ(test, line_of(80).part, PORTSOCK_END);
}

static void row_without_memory_is_untracked_until_a_walk(struct kunit *test)
{
	hold(&sks[0], 80, TCP_ESTABLISHED);
	no_memory = true;
	hold(&sks[0], 81, TCP_ESTABLISHED);
	KUNIT_EXPECT_EQ(test, portsock_socks_untracked(), 1);
	KUNIT_EXPECT_EQ(test, sockets(80), 0);
	no_memory = false;
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
	hold(&sks[5], 0, TCP_CLOSE);		/* unbound, out of the walk's sight */
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
		KUNIT_EXPECT_EQ(test, portsock_socks_walk_end(BIT(PORTSOCK_TCP)), 0);
	}
	KUNIT_EXPECT_EQ(test, sockets(80), 2);
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

static void tombstone_without_memory_asks_for_another_walk(struct kunit *test)
{
	portsock_socks_walk_begin();
	no_memory = true;
	portsock_sock_forget(&sks[0]);
	no_memory = false;
	portsock_socks_walk_end(BIT(PORTSOCK_TCP));
	KUNIT_EXPECT_EQ(test, portsock_socks_untracked(), 1);
}

static struct kunit_case socks_cases[] = {
	KUNIT_CASE(hold_said_twice_counts_once),
	KUNIT_CASE(forget_of_an_unknown_socket_is_nothing),
	KUNIT_CASE(hold_of_another_port_moves_the_socket),
	KUNIT_CASE(release_makes_a_known_socket_unbound),
	KUNIT_CASE(change_of_an_unknown_socket_is_refused),
	KUNIT_CASE(change_knows_the_namespace),
	KUNIT_CASE(step_moves_a_socket_to_another_state),
	KUNIT_CASE(step_of_more_than_a_state_is_refused),
	KUNIT_CASE(mini_socket_has_the_record_of_its_socket),
	KUNIT_CASE(mini_socket_of_an_unknown_socket_counts),
	KUNIT_CASE(mini_socket_at_a_stale_address_is_the_only_one_there),
	KUNIT_CASE(mini_socket_has_its_own_record_during_a_walk),
	KUNIT_CASE(release_tells_the_family_anew),
	KUNIT_CASE(unbound_socket_pins_the_table),
	KUNIT_CASE(release_after_close_revives_nothing),
	KUNIT_CASE(missed_event_is_set_right_by_the_next),
	KUNIT_CASE(bind_of_a_named_port_makes_a_service),
	KUNIT_CASE(bind_of_any_port_makes_an_ephemeral),
	KUNIT_CASE(hold_without_memory_is_untracked_and_harmless),
	KUNIT_CASE(row_without_memory_is_untracked_until_a_walk),
	KUNIT_CASE(walk_finds_what_the_hooks_missed),
	KUNIT_CASE(walk_keeps_protocols_it_cannot_meet),
	KUNIT_CASE(walk_of_a_sound_table_changes_nothing),
	KUNIT_CASE(walk_believes_hooks_more_than_itself),
	KUNIT_CASE(walk_does_not_revive_a_socket_unknown_before),
	KUNIT_CASE(walk_lets_a_new_socket_have_an_old_address),
	KUNIT_CASE(walk_is_not_misled_by_a_mere_question),
	KUNIT_CASE(tombstone_without_memory_asks_for_another_walk),
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
