// SPDX-License-Identifier: GPL-2.0
/*
 * Outgoing connections, by the port they go to.
 */
#include "recs.h"

#include <linux/module.h>

#define MS ((u64)USEC_PER_MSEC)

static struct portsock_line line;

static bool find(u8 proto, u16 port)
{
	static struct portsock_cursor cursor;

	cursor = (struct portsock_cursor){ .part = PORTSOCK_REMOTES };
	memset(&line, 0x5a, sizeof(line));
	while (portsock_table_next(table, &cursor, &line) &&
	       line.part == PORTSOCK_REMOTES)
		if (line.proto == proto && line.port == port)
			return true;
	return false;
}

/* The row of a port of TCP; all zero where there is none. */
static const struct portsock_line *row(u16 port)
{
	if (!find(PORTSOCK_TCP, port))
		memset(&line, 0, sizeof(line));
	return &line;
}

#define total() row(0)

static void hold_of(const void *sk, u8 proto, u16 port, u8 state, u16 remote)
{
	struct portsock_holding h = holding(port, state);

	h.proto = proto;
	h.how = remote ? PORTSOCK_CONNECTED : PORTSOCK_BOUND;
	h.remote = remote;
	portsock_sock_hold(sk, &h);
}

static void connects(const void *sk, u16 port, u16 remote)
{
	hold_of(sk, PORTSOCK_TCP, port, TCP_SYN_SENT, remote);
}

static void steps(const void *sk, u16 port, u8 state, u32 handshake)
{
	struct portsock_birth birth = { 1 * MS, handshake, { 0, 1 } };

	portsock_sock_step(sk, portsock_step(PORTSOCK_TCP, port, false, state),
			   state == TCP_ESTABLISHED ? &birth : NULL);
}

static void over(const void *sk, u8 cause)
{
	struct portsock_end end = { cause, 40, 9 * MS, { 5, 7 } };

	portsock_sock_over(sk, &end);
}

static void expect_states(struct kunit *test, u16 port, u32 syn_sent,
			  u32 established, u32 time_wait, u32 all)
{
	const struct portsock_counts *counts = &row(port)->counts;

	KUNIT_EXPECT_EQ(test, counts->state[TCP_SYN_SENT], syn_sent);
	KUNIT_EXPECT_EQ(test, counts->state[TCP_ESTABLISHED], established);
	KUNIT_EXPECT_EQ(test, counts->state[TCP_TIME_WAIT], time_wait);
	KUNIT_EXPECT_EQ(test, counts->sockets, all);
}

static void client_counts_where_it_goes_as_well(struct kunit *test)
{
	connects(&sks[0], 40000, 5432);
	connects(&sks[1], 40001, 5432);
	connects(&sks[2], 40002, 80);
	expect_states(test, 5432, 2, 0, 0, 2);
	steps(&sks[0], 40000, TCP_ESTABLISHED, 30);
	expect_states(test, 5432, 1, 1, 0, 2);
	KUNIT_EXPECT_EQ(test, line.class, PORTSOCK_REMOTE);
	KUNIT_EXPECT_EQ(test, line.ports, 1);
	KUNIT_EXPECT_EQ(test, line.counts.came[PORTSOCK_CONNECTED], 2);
	KUNIT_EXPECT_EQ(test, line.depth.handshakes.us, 30);
	over(&sks[0], PORTSOCK_RESET);
	expect_states(test, 5432, 1, 0, 0, 1);
	KUNIT_EXPECT_EQ(test, line.depth.ends[PORTSOCK_RESET], 1);
	KUNIT_EXPECT_EQ(test, line.depth.bytes.rx, 5);
	KUNIT_EXPECT_EQ(test, line.depth.bytes.tx, 6);
	KUNIT_EXPECT_EQ(test, line.depth.rtts.us, 40);
	KUNIT_EXPECT_EQ(test, line.depth.lifetime.us, 8 * MS);
	KUNIT_EXPECT_EQ(test, table->totals.of[PORTSOCK_TCP].numbers.depth
				->ends[PORTSOCK_RESET], 1);
	expect_states(test, 80, 1, 0, 0, 1);
	KUNIT_EXPECT_EQ(test, line.counts.came[PORTSOCK_CONNECTED], 1);
}

static void failure_counts_where_it_was_to_go(struct kunit *test)
{
	struct portsock_end end = { PORTSOCK_REFUSED };

	hold_of(&sks[0], PORTSOCK_TCP, 0, TCP_CLOSE, 0);
	connects(&sks[0], 40000, 5432);
	portsock_sock_release(&sks[0], false, &end);
	expect_states(test, 5432, 0, 0, 0, 0);
	KUNIT_EXPECT_EQ(test, line.depth.ends[PORTSOCK_REFUSED], 1);
	KUNIT_EXPECT_EQ(test, line.depth.rtts.nr, 0);
	connects(&sks[0], 40001, 80);
	expect_states(test, 80, 1, 0, 0, 1);
}

/* Its port was bound by number, and stays. */
static void client_that_keeps_its_port_has_left(struct kunit *test)
{
	struct portsock_end end = { PORTSOCK_ABORTED, 0, 9 * MS, { 1, 1 } };
	struct portsock_holding h = holding(7, TCP_CLOSE);

	connects(&sks[0], 7, 5432);
	steps(&sks[0], 7, TCP_ESTABLISHED, 0);
	h.end = &end;
	portsock_sock_hold(&sks[0], &h);
	expect_states(test, 5432, 0, 0, 0, 0);
	KUNIT_EXPECT_EQ(test, line.depth.ends[PORTSOCK_ABORTED], 1);
	KUNIT_EXPECT_EQ(test, line.depth.lifetime.us, 8 * MS);
	KUNIT_EXPECT_EQ(test, table->totals.of[PORTSOCK_TCP].numbers.depth->lifetime.us,
			8 * MS);
	hold(&sks[0], 7, TCP_LISTEN);
	KUNIT_EXPECT_EQ(test, row(5432)->counts.sockets, 0);
	connects(&sks[0], 7, 80);
	KUNIT_EXPECT_EQ(test, row(80)->counts.sockets, 1);
}

static void mini_socket_goes_on_where_its_socket_went(struct kunit *test)
{
	struct portsock_end end = { PORTSOCK_CLOSED, 0, 9 * MS, { 1, 1 } };
	struct portsock_holding h = holding(40000, TCP_TIME_WAIT);

	connects(&sks[0], 40000, 5432);
	steps(&sks[0], 40000, TCP_ESTABLISHED, 0);
	h.end = &end;
	portsock_sock_inherit(&sks[0], &sks[1], &h);
	expect_states(test, 5432, 0, 0, 1, 0);
	KUNIT_EXPECT_EQ(test, portsock_opened(&line.counts), 1);
	KUNIT_EXPECT_EQ(test, line.depth.ended, 1);
	portsock_sock_forget(&sks[1]);
	expect_states(test, 5432, 0, 0, 0, 0);
	KUNIT_EXPECT_EQ(test, line.depth.ended, 1);
}

static void mini_socket_counts_beside_a_socket_that_stays(struct kunit *test)
{
	struct portsock_holding h = holding(7, TCP_TIME_WAIT);

	connects(&sks[0], 7, 5432);
	steps(&sks[0], 7, TCP_FIN_WAIT2, 0);
	portsock_sock_linger(&sks[0], &sks[1], &h);
	expect_states(test, 5432, 0, 0, 1, 1);
	KUNIT_EXPECT_EQ(test, portsock_opened(&line.counts), 1);
	h = holding(80, TCP_TIME_WAIT);
	hold(&sks[2], 80, TCP_FIN_WAIT2);
	portsock_sock_linger(&sks[2], &sks[3], &h);
	expect_states(test, 5432, 0, 0, 1, 1);
	portsock_socks_walk_begin();
	h = holding(7, TCP_TIME_WAIT);
	portsock_sock_inherit(&sks[0], &sks[4], &h);
	expect_states(test, 5432, 0, 0, 2, 1);
	portsock_socks_walk_end(0);
}

static void accepted_socket_goes_nowhere(struct kunit *test)
{
	struct portsock_holding h = holding(80, TCP_ESTABLISHED);

	h.how = PORTSOCK_ACCEPTED;
	h.remote = 40000;
	portsock_sock_hold(&sks[0], &h);
	KUNIT_EXPECT_FALSE(test, find(PORTSOCK_TCP, 40000));
	h.how = PORTSOCK_CONNECTED;
	h.state = TCP_CLOSE_WAIT;
	portsock_sock_hold(&sks[0], &h);
	KUNIT_EXPECT_FALSE(test, find(PORTSOCK_TCP, 40000));
}

static void socket_that_is_not_connected_goes_nowhere(struct kunit *test)
{
	hold_of(&sks[0], PORTSOCK_TCP, 80, TCP_CLOSE, 5432);
	hold_of(&sks[1], PORTSOCK_TCP, 80, TCP_LISTEN, 5432);
	hold_of(&sks[2], PORTSOCK_TCP, 0, TCP_SYN_SENT, 5432);
	hold_of(&sks[3], PORTSOCK_UDPLITE, 80, TCP_ESTABLISHED, 53);
	hold_of(&sks[4], PORTSOCK_ICMP, 80, TCP_ESTABLISHED, 53);
	hold_of(&sks[5], PORTSOCK_RAW, 80, TCP_ESTABLISHED, 53);
	KUNIT_EXPECT_FALSE(test, find(PORTSOCK_TCP, 5432));
	KUNIT_EXPECT_FALSE(test, find(PORTSOCK_TCP, 0));
	KUNIT_EXPECT_FALSE(test, find(PORTSOCK_UDPLITE, 53));
	KUNIT_EXPECT_FALSE(test, find(PORTSOCK_ICMP, 53));
	KUNIT_EXPECT_FALSE(test, find(PORTSOCK_RAW, 53));
}

static void datagram_socket_may_go_elsewhere(struct kunit *test)
{
	hold_of(&sks[0], PORTSOCK_UDP, 40000, TCP_ESTABLISHED, 53);
	hold_of(&sks[0], PORTSOCK_UDP, 40000, TCP_ESTABLISHED, 53);
	KUNIT_ASSERT_TRUE(test, find(PORTSOCK_UDP, 53));
	KUNIT_EXPECT_EQ(test, line.counts.sockets, 1);
	KUNIT_EXPECT_FALSE(test, line.deep);
	hold_of(&sks[0], PORTSOCK_UDP, 40000, TCP_ESTABLISHED, 123);
	KUNIT_ASSERT_TRUE(test, find(PORTSOCK_UDP, 53));
	KUNIT_EXPECT_EQ(test, line.counts.sockets, 0);
	KUNIT_ASSERT_TRUE(test, find(PORTSOCK_UDP, 123));
	KUNIT_EXPECT_EQ(test, line.counts.sockets, 1);
	KUNIT_EXPECT_EQ(test, portsock_opened(&line.counts), 1);
	hold_of(&sks[0], PORTSOCK_UDP, 40000, TCP_CLOSE, 0);
	KUNIT_ASSERT_TRUE(test, find(PORTSOCK_UDP, 123));
	KUNIT_EXPECT_EQ(test, line.counts.sockets, 0);
	KUNIT_ASSERT_TRUE(test, find(PORTSOCK_UDP, 0));
	KUNIT_EXPECT_EQ(test, portsock_opened(&line.counts), 2);
	KUNIT_EXPECT_FALSE(test, line.deep);
}

static void socket_that_turns_to_ipv4_does_so_where_it_goes(struct kunit *test)
{
	struct portsock_holding h = holding(40000, TCP_ESTABLISHED);

	h.proto = PORTSOCK_UDP;
	h.ipv6 = true;
	h.remote = 53;
	portsock_sock_hold(&sks[0], &h);
	KUNIT_ASSERT_TRUE(test, find(PORTSOCK_UDP, 53));
	KUNIT_EXPECT_EQ(test, line.counts.ipv6, 1);
	h.ipv6 = false;
	portsock_sock_hold(&sks[0], &h);
	KUNIT_ASSERT_TRUE(test, find(PORTSOCK_UDP, 53));
	KUNIT_EXPECT_EQ(test, line.counts.ipv6, 0);
	KUNIT_EXPECT_EQ(test, line.counts.sockets, 1);
}

static void datagram_socket_may_connect_to_no_port_at_last(struct kunit *test)
{
	hold_of(&sks[0], PORTSOCK_UDP, 40000, TCP_ESTABLISHED, 53);
	hold_of(&sks[0], PORTSOCK_UDP, 40000, TCP_ESTABLISHED, 0);
	KUNIT_ASSERT_TRUE(test, find(PORTSOCK_UDP, 53));
	KUNIT_EXPECT_EQ(test, line.counts.sockets, 0);
	KUNIT_ASSERT_TRUE(test, find(PORTSOCK_UDP, 0));
	KUNIT_EXPECT_EQ(test, line.counts.sockets, 0);
	hold_of(&sks[0], PORTSOCK_UDP, 40000, TCP_ESTABLISHED, 123);
	KUNIT_ASSERT_TRUE(test, find(PORTSOCK_UDP, 123));
	KUNIT_EXPECT_EQ(test, line.counts.sockets, 1);
}

static void sample(const void *sk, struct portsock_bytes *bytes)
{
	*bytes = (struct portsock_bytes){ 11, 23 };
}

static void open_connection_tells_both_rows(struct kunit *test)
{
	connects(&sks[0], 40000, 5432);
	steps(&sks[0], 40000, TCP_ESTABLISHED, 0);
	portsock_sock_retrans(&sks[0], 3);
	portsock_socks_sample(sample);
	KUNIT_EXPECT_EQ(test, row(5432)->depth.retrans, 3);
	KUNIT_EXPECT_EQ(test, line.depth.bytes.rx, 11);
	KUNIT_EXPECT_EQ(test, line.depth.bytes.tx, 22);
	KUNIT_EXPECT_EQ(test, table->totals.of[PORTSOCK_TCP].numbers.depth->bytes.rx, 11);
	KUNIT_EXPECT_EQ(test, table->totals.of[PORTSOCK_TCP].numbers.depth->retrans, 3);
}

static void want_of_ports_counts_where_it_was_to_go(struct kunit *test)
{
	struct portsock_end end = { PORTSOCK_GIVEN_UP, .remote = 5432 };

	hold_of(&sks[0], PORTSOCK_TCP, 0, TCP_CLOSE, 0);
	portsock_sock_release(&sks[0], false, &end);
	portsock_sock_release(&sks[0], false, &end);
	KUNIT_EXPECT_EQ(test, row(5432)->depth.ends[PORTSOCK_NO_PORT], 2);
	KUNIT_EXPECT_EQ(test, portsock_opened(&line.counts), 0);
	KUNIT_EXPECT_EQ(test, table->idle_remote.nr, 1);
	KUNIT_EXPECT_EQ(test, total()->depth.ends[PORTSOCK_NO_PORT], 2);
	end.remote = 0;
	portsock_sock_release(&sks[0], false, &end);
	KUNIT_EXPECT_EQ(test, total()->depth.ends[PORTSOCK_NO_PORT], 2);
	connects(&sks[0], 40000, 5432);
	KUNIT_EXPECT_EQ(test, table->idle_remote.nr, 0);
	row_fold(table, key_remote(PORTSOCK_TCP, 5432));
	KUNIT_EXPECT_EQ(test, row(5432)->counts.sockets, 1);
}

static void total_is_the_sum_and_stays(struct kunit *test)
{
	connects(&sks[0], 40000, 5432);
	connects(&sks[1], 40001, 80);
	steps(&sks[1], 40001, TCP_ESTABLISHED, 8);
	KUNIT_EXPECT_TRUE(test, total()->total);
	KUNIT_EXPECT_EQ(test, line.class, PORTSOCK_REMOTE);
	KUNIT_EXPECT_EQ(test, line.ports, 2);
	expect_states(test, 0, 1, 1, 0, 2);
	KUNIT_EXPECT_EQ(test, line.counts.came[PORTSOCK_CONNECTED], 2);
	over(&sks[1], PORTSOCK_RESET);
	row_fold(table, key_remote(PORTSOCK_TCP, 80));
	KUNIT_EXPECT_FALSE(test, find(PORTSOCK_TCP, 80));
	expect_states(test, 0, 1, 0, 0, 1);
	KUNIT_EXPECT_EQ(test, line.ports, 1);
	KUNIT_EXPECT_EQ(test, line.counts.came[PORTSOCK_CONNECTED], 2);
	KUNIT_EXPECT_EQ(test, line.depth.ends[PORTSOCK_RESET], 1);
	KUNIT_EXPECT_EQ(test, line.depth.handshakes.us, 8);
	KUNIT_EXPECT_EQ(test, line.depth.bytes.rx, 5);
	portsock_sock_forget(&sks[0]);
	row_fold(table, key_remote(PORTSOCK_TCP, 5432));
	KUNIT_EXPECT_EQ(test, total()->ports, 0);
	KUNIT_EXPECT_EQ(test, line.counts.came[PORTSOCK_CONNECTED], 2);
	KUNIT_EXPECT_FALSE(test, find(PORTSOCK_UDP, 0));
}

/* A row that goes before a reader comes to it is not in what he began with. */
static void total_never_goes_down(struct kunit *test)
{
	static struct portsock_cursor cursor;
	static struct portsock_line l;

	connects(&sks[0], 40000, 80);
	connects(&sks[1], 40001, 5432);
	steps(&sks[1], 40001, TCP_ESTABLISHED, 8);
	over(&sks[1], PORTSOCK_RESET);
	KUNIT_EXPECT_EQ(test, total()->counts.came[PORTSOCK_CONNECTED], 2);
	cursor = (struct portsock_cursor){ .part = PORTSOCK_REMOTES };
	KUNIT_ASSERT_TRUE(test, portsock_table_next(table, &cursor, &l));
	KUNIT_EXPECT_EQ(test, l.port, 80);
	row_fold(table, key_remote(PORTSOCK_TCP, 5432));
	KUNIT_ASSERT_TRUE(test, portsock_table_next(table, &cursor, &l));
	KUNIT_EXPECT_TRUE(test, l.total);
	KUNIT_EXPECT_EQ(test, l.counts.came[PORTSOCK_CONNECTED], 2);
	KUNIT_EXPECT_EQ(test, l.depth.ends[PORTSOCK_RESET], 1);
	KUNIT_EXPECT_EQ(test, l.depth.handshakes.nr, 1);
	KUNIT_EXPECT_EQ(test, l.depth.lifetime.log2[4], 1);
	KUNIT_EXPECT_EQ(test, l.depth.bytes.tx, 6);
	KUNIT_EXPECT_EQ(test, total()->counts.came[PORTSOCK_CONNECTED], 2);
	KUNIT_EXPECT_EQ(test, line.depth.ends[PORTSOCK_RESET], 1);
}

static void rows_come_between_totals_and_single_ports(struct kunit *test)
{
	static const struct {
		u8 class;
		u8 proto;
		u16 port;
	} want[] = {
		{ PORTSOCK_EPHEMERAL, PORTSOCK_TCP, 0 },
		{ PORTSOCK_EPHEMERAL, PORTSOCK_UDP, 0 },
		{ PORTSOCK_REMOTE, PORTSOCK_TCP, 80 },
		{ PORTSOCK_REMOTE, PORTSOCK_TCP, 65535 },
		{ PORTSOCK_REMOTE, PORTSOCK_TCP, 0 },
		{ PORTSOCK_REMOTE, PORTSOCK_UDP, 53 },
		{ PORTSOCK_REMOTE, PORTSOCK_UDP, 0 },
		{ PORTSOCK_EPHEMERAL, PORTSOCK_TCP, 40000 },
		{ PORTSOCK_EPHEMERAL, PORTSOCK_TCP, 40001 },
		{ PORTSOCK_EPHEMERAL, PORTSOCK_UDP, 40002 },
	};
	static struct portsock_cursor cursor;
	static struct portsock_line l;
	size_t i;

	connects(&sks[0], 40000, 65535);
	connects(&sks[1], 40001, 80);
	hold_of(&sks[2], PORTSOCK_UDP, 40002, TCP_ESTABLISHED, 53);
	cursor = (struct portsock_cursor){ };
	for (i = 0; i < ARRAY_SIZE(want); i++) {
		KUNIT_ASSERT_TRUE(test,
				  portsock_table_next(table, &cursor, &l));
		KUNIT_EXPECT_EQ(test, l.class, want[i].class);
		KUNIT_EXPECT_EQ(test, l.proto, want[i].proto);
		KUNIT_EXPECT_EQ(test, l.port, want[i].port);
		KUNIT_EXPECT_EQ(test, l.total, !want[i].port);
	}
	KUNIT_EXPECT_FALSE(test, portsock_table_next(table, &cursor, &l));
}

static void idle_rows_are_bounded_apart_from_services(struct kunit *test)
{
	struct portsock_holding h = holding(7, TCP_LISTEN);
	int i;

	h.service = true;
	portsock_sock_hold(&sks[0], &h);
	portsock_sock_forget(&sks[0]);
	for (i = 1; i <= PORTSOCK_IDLE_FIRST + 3; i++) {
		connects(&sks[1], 40000, i);
		portsock_sock_forget(&sks[1]);
	}
	KUNIT_EXPECT_EQ(test, table->idle.nr, 1);
	KUNIT_EXPECT_EQ(test, table->idle_remote.nr, PORTSOCK_IDLE_FIRST);
	KUNIT_EXPECT_FALSE(test, find(PORTSOCK_TCP, 3));
	KUNIT_EXPECT_TRUE(test, find(PORTSOCK_TCP, 4));
	KUNIT_EXPECT_EQ(test, total()->counts.came[PORTSOCK_CONNECTED],
			PORTSOCK_IDLE_FIRST + 3);
	KUNIT_EXPECT_EQ(test, line.ports, PORTSOCK_IDLE_FIRST);
}

static void guess_counts_as_long_as_the_socket_does(struct kunit *test)
{
	struct portsock_holding h = holding(40000, TCP_ESTABLISHED);

	h.remote = 5432;
	h.guessed = true;
	portsock_socks_walk_begin();
	portsock_sock_seen(&sks[0], &h);
	h.guessed = false;
	portsock_sock_seen(&sks[1], &h);
	portsock_socks_walk_end(BIT(PORTSOCK_TCP));
	expect_states(test, 5432, 0, 2, 0, 2);
	KUNIT_EXPECT_EQ(test, line.counts.came[PORTSOCK_CONNECTED], 2);
	KUNIT_EXPECT_EQ(test, atomic_read(&table->guessed), 1);
	portsock_sock_forget(&sks[1]);
	KUNIT_EXPECT_EQ(test, atomic_read(&table->guessed), 1);
	portsock_sock_forget(&sks[0]);
	KUNIT_EXPECT_EQ(test, atomic_read(&table->guessed), 0);
}

static void mini_socket_of_a_guess_is_a_guess(struct kunit *test)
{
	struct portsock_holding h = holding(40000, TCP_FIN_WAIT2);

	h.remote = 5432;
	h.guessed = true;
	portsock_sock_hold(&sks[0], &h);
	h = holding(40000, TCP_TIME_WAIT);
	portsock_sock_linger(&sks[0], &sks[1], &h);
	KUNIT_EXPECT_EQ(test, atomic_read(&table->guessed), 2);
	portsock_sock_forget(&sks[0]);
	portsock_sock_forget(&sks[1]);
	KUNIT_EXPECT_EQ(test, atomic_read(&table->guessed), 0);
}

/* What hooks saw is known, what a walk concludes is not. */
static void walk_does_not_contradict_what_is_known(struct kunit *test)
{
	struct portsock_holding h = holding(40000, TCP_SYN_SENT);

	connects(&sks[0], 40000, 5432);
	portsock_socks_walk_begin();
	portsock_socks_walk_end(0);
	portsock_socks_walk_begin();
	portsock_sock_seen(&sks[0], &h);
	KUNIT_EXPECT_EQ(test, portsock_socks_walk_end(BIT(PORTSOCK_TCP)), 0);
	expect_states(test, 5432, 1, 0, 0, 1);
}

static void row_without_memory_is_made_by_a_walk(struct kunit *test)
{
	struct portsock_holding h = holding(40000, TCP_SYN_SENT);

	hold(&sks[0], 40000, TCP_CLOSE);
	memory_left = 0;
	connects(&sks[0], 40000, 5432);
	KUNIT_EXPECT_EQ(test, portsock_socks_untracked(), 1);
	KUNIT_EXPECT_FALSE(test, find(PORTSOCK_TCP, 5432));
	h.remote = 5432;
	portsock_socks_walk_begin();
	portsock_sock_seen(&sks[0], &h);
	KUNIT_EXPECT_EQ(test, portsock_socks_untracked(), 2);
	KUNIT_EXPECT_EQ(test, portsock_socks_walk_end(BIT(PORTSOCK_TCP)), 0);
	memory_left = 100;
	portsock_socks_walk_begin();
	portsock_sock_seen(&sks[0], &h);
	KUNIT_EXPECT_EQ(test, portsock_socks_walk_end(BIT(PORTSOCK_TCP)), 0);
	expect_states(test, 5432, 1, 0, 0, 1);
}

static void namespace_may_go_before_its_connections(struct kunit *test)
{
	connects(&sks[0], 40000, 5432);
	connects(&sks[1], 40001, 80);
	portsock_sock_forget(&sks[1]);
	portsock_rows_kill(table);
	portsock_sock_forget(&sks[0]);
	table = portsock_table_new(true);
	KUNIT_ASSERT_NOT_NULL(test, table);
}

static struct kunit_case remote_cases[] = {
	KUNIT_CASE(client_counts_where_it_goes_as_well),
	KUNIT_CASE(failure_counts_where_it_was_to_go),
	KUNIT_CASE(client_that_keeps_its_port_has_left),
	KUNIT_CASE(mini_socket_goes_on_where_its_socket_went),
	KUNIT_CASE(mini_socket_counts_beside_a_socket_that_stays),
	KUNIT_CASE(accepted_socket_goes_nowhere),
	KUNIT_CASE(socket_that_is_not_connected_goes_nowhere),
	KUNIT_CASE(datagram_socket_may_go_elsewhere),
	KUNIT_CASE(socket_that_turns_to_ipv4_does_so_where_it_goes),
	KUNIT_CASE(datagram_socket_may_connect_to_no_port_at_last),
	KUNIT_CASE(open_connection_tells_both_rows),
	KUNIT_CASE(want_of_ports_counts_where_it_was_to_go),
	KUNIT_CASE(total_is_the_sum_and_stays),
	KUNIT_CASE(total_never_goes_down),
	KUNIT_CASE(rows_come_between_totals_and_single_ports),
	KUNIT_CASE(idle_rows_are_bounded_apart_from_services),
	KUNIT_CASE(guess_counts_as_long_as_the_socket_does),
	KUNIT_CASE(mini_socket_of_a_guess_is_a_guess),
	KUNIT_CASE(walk_does_not_contradict_what_is_known),
	KUNIT_CASE(row_without_memory_is_made_by_a_walk),
	KUNIT_CASE(namespace_may_go_before_its_connections),
	{ }
};

static struct kunit_suite remote_suite = {
	.name = "portsock_remote",
	.init = socks_test_init,
	.exit = socks_test_exit,
	.test_cases = remote_cases,
};

kunit_test_suite(remote_suite);

MODULE_LICENSE("GPL");
