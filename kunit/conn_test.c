// SPDX-License-Identifier: GPL-2.0
/*
 * What is measured of connections: bytes, how long they lived and waited.
 */
#include "recs.h"

#include <linux/module.h>

#define MS ((u64)USEC_PER_MSEC)

static const struct portsock_depth *depth_of_port(u16 port)
{
	return &line_of(port).depth;
}

static const struct portsock_depth *depth_of_total(void)
{
	return table->totals.of[PORTSOCK_TCP].numbers.depth;
}

/* A child of a listener. */
static void born(const void *sk, u16 port, u64 since, u32 handshake)
{
	struct portsock_birth birth = { since, handshake };
	struct portsock_holding h = holding(port, TCP_ESTABLISHED);

	h.service = true;
	h.how = PORTSOCK_ACCEPTED;
	h.birth = &birth;
	portsock_sock_hold(sk, &h);
}

/* A client whose connect() succeeds. */
static void connected(const void *sk, u16 port, u64 since, u32 handshake)
{
	struct portsock_birth birth = { since, handshake, { 0, 1 } };

	hold(sk, port, TCP_SYN_SENT);
	portsock_sock_step(sk, portsock_step(PORTSOCK_TCP, port, false,
					     TCP_ESTABLISHED), &birth);
}

static void accepted(const void *sk, u64 now)
{
	struct portsock_owner nobody = { };

	portsock_sock_accept(sk, now, &nobody);
}

static void over(const void *sk, u64 now, u64 rx, u64 tx, u32 rtt)
{
	struct portsock_end end = { PORTSOCK_CLOSED, rtt, now, { rx, tx } };

	portsock_sock_over(sk, &end);
}

static void bytes_are_counted_at_the_end(struct kunit *test)
{
	born(&sks[0], 80, 1000, 0);
	born(&sks[1], 80, 1000, 0);
	KUNIT_EXPECT_EQ(test, depth_of_port(80)->bytes.rx, 0);
	over(&sks[0], 2000, 10, 20, 0);
	KUNIT_EXPECT_EQ(test, depth_of_port(80)->bytes.rx, 10);
	KUNIT_EXPECT_EQ(test, depth_of_port(80)->bytes.tx, 20);
	over(&sks[1], 2000, S64_MAX - 20, 1, 0);
	KUNIT_EXPECT_EQ(test, depth_of_port(80)->bytes.rx, S64_MAX - 10);
	KUNIT_EXPECT_EQ(test, depth_of_port(80)->bytes.tx, 21);
}

static void bytes_of_a_client_are_without_its_syn(struct kunit *test)
{
	connected(&sks[0], 40000, 1000, 0);
	over(&sks[0], 2000, 7, 6, 0);
	KUNIT_EXPECT_EQ(test, depth_of_total()->bytes.rx, 7);
	KUNIT_EXPECT_EQ(test, depth_of_total()->bytes.tx, 5);
}

static void bytes_before_a_socket_was_met_do_not_count(struct kunit *test)
{
	struct portsock_birth birth = { 0, 0, { 100, 200 } };
	struct portsock_holding h = holding(80, TCP_ESTABLISHED);

	h.service = true;
	h.birth = &birth;
	portsock_socks_walk_begin();
	portsock_sock_seen(&sks[0], &h);
	portsock_socks_walk_end(BIT(PORTSOCK_TCP));
	over(&sks[0], 5 * MS, 101, 202, 0);
	KUNIT_EXPECT_EQ(test, depth_of_port(80)->bytes.rx, 1);
	KUNIT_EXPECT_EQ(test, depth_of_port(80)->bytes.tx, 2);
	KUNIT_EXPECT_EQ(test, depth_of_port(80)->ended, 0);
	KUNIT_EXPECT_EQ(test, depth_of_port(80)->lifetime.us, 0);
}

/* What a walk meets it may have known before. */
static void walk_leaves_what_is_known_of_a_connection(struct kunit *test)
{
	struct portsock_birth birth = { 0, 0, { 100, 200 } };
	struct portsock_holding h = holding(80, TCP_ESTABLISHED);

	born(&sks[0], 80, 1 * MS, 0);
	portsock_sock_step(&sks[0], portsock_step(PORTSOCK_TCP, 80, false,
						  TCP_CLOSE_WAIT), NULL);
	h.birth = &birth;
	portsock_socks_walk_begin();
	portsock_sock_seen(&sks[0], &h);
	portsock_socks_walk_end(BIT(PORTSOCK_TCP));
	KUNIT_EXPECT_EQ(test, line_of(80).counts.state[TCP_ESTABLISHED], 1);
	over(&sks[0], 3 * MS, 101, 202, 0);
	KUNIT_EXPECT_EQ(test, depth_of_port(80)->bytes.rx, 101);
	KUNIT_EXPECT_EQ(test, depth_of_port(80)->lifetime.us, 2 * MS);
}

static void lifetime_is_from_birth_to_end(struct kunit *test)
{
	static const struct {
		u64 us;
		int bucket;
	} lives[] = {
		{ 0, 0 }, { MS - 1, 0 }, { MS, 1 }, { 2 * MS - 1, 1 },
		{ 2 * MS, 2 }, { 4 * MS, 3 }, { (MS << 26) - 1, 26 },
		{ MS << 26, 27 }, { MS << 40, 27 },
	};
	u64 log2[PORTSOCK_HISTOGRAM_NR] = { };
	u64 sum = 0;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(lives); i++) {
		born(&sks[0], 80, 77, 0);
		over(&sks[0], 77 + lives[i].us, 0, 0, 0);
		sum += lives[i].us;
		log2[lives[i].bucket]++;
	}
	KUNIT_EXPECT_EQ(test, depth_of_port(80)->ended, ARRAY_SIZE(lives));
	KUNIT_EXPECT_EQ(test, depth_of_port(80)->lifetime.us, sum);
	for (i = 0; i < PORTSOCK_HISTOGRAM_NR; i++)
		KUNIT_EXPECT_EQ(test, depth_of_port(80)->lifetime.log2[i], log2[i]);
}

static void end_of_what_was_not_established_has_no_lifetime(struct kunit *test)
{
	struct portsock_end end = { PORTSOCK_REFUSED };

	hold(&sks[0], 40000, TCP_SYN_SENT);
	portsock_sock_over(&sks[0], &end);
	KUNIT_EXPECT_EQ(test, depth_of_total()->ends[PORTSOCK_REFUSED], 1);
	KUNIT_EXPECT_EQ(test, depth_of_total()->ended, 0);
	KUNIT_EXPECT_EQ(test, depth_of_total()->bytes.tx, 0);
}

static void mini_socket_ends_the_connection(struct kunit *test)
{
	struct portsock_end end = { PORTSOCK_CLOSED, 30, 9 * MS, { 5, 6 } };
	struct portsock_holding h = holding(80, TCP_TIME_WAIT);

	h.end = &end;
	born(&sks[0], 80, 2 * MS, 0);
	portsock_sock_inherit(&sks[0], &sks[1], &h);
	KUNIT_EXPECT_EQ(test, depth_of_port(80)->ended, 1);
	KUNIT_EXPECT_EQ(test, depth_of_port(80)->lifetime.us, 7 * MS);
	KUNIT_EXPECT_EQ(test, depth_of_port(80)->bytes.rx, 5);
	KUNIT_EXPECT_EQ(test, depth_of_port(80)->rtts.us, 30);
	/* the socket, which nobody has any more, and the mini-socket go */
	over(&sks[0], 10 * MS, 5, 6, 30);
	portsock_sock_forget(&sks[1]);
	KUNIT_EXPECT_EQ(test, depth_of_port(80)->ended, 1);
	KUNIT_EXPECT_EQ(test, depth_of_port(80)->bytes.rx, 5);
}

static void socket_may_live_twice(struct kunit *test)
{
	struct portsock_end end = { PORTSOCK_RESET, 0, 3 * MS, { 10, 21 } };
	struct portsock_birth birth = { 7 * MS, 0, { 0, 1 } };
	struct portsock_holding h = holding(80, TCP_CLOSE);

	/* it asked for its port, and keeps it */
	h.service = true;
	portsock_sock_hold(&sks[0], &h);
	connected(&sks[0], 80, 1 * MS, 0);
	h.end = &end;
	portsock_sock_change(&sks[0], &h);
	KUNIT_EXPECT_EQ(test, depth_of_port(80)->lifetime.us, 2 * MS);
	KUNIT_EXPECT_EQ(test, depth_of_port(80)->bytes.tx, 20);
	hold(&sks[0], 80, TCP_SYN_SENT);
	portsock_sock_step(&sks[0], portsock_step(PORTSOCK_TCP, 80, false,
						  TCP_ESTABLISHED), &birth);
	over(&sks[0], 8 * MS, 1, 2, 0);
	KUNIT_EXPECT_EQ(test, depth_of_port(80)->ended, 2);
	KUNIT_EXPECT_EQ(test, depth_of_port(80)->lifetime.us, 3 * MS);
	KUNIT_EXPECT_EQ(test, depth_of_port(80)->bytes.rx, 11);
	KUNIT_EXPECT_EQ(test, depth_of_port(80)->bytes.tx, 21);
}

static void listener_is_no_connection(struct kunit *test)
{
	struct inet_connection_sock *csk;
	struct portsock_holding h = holding(80, TCP_LISTEN);

	csk = kunit_kzalloc(test, sizeof(*csk), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, csk);
	h.service = true;
	h.queues = true;
	portsock_sock_hold(csk, &h);
	accepted(csk, 9 * MS);
	KUNIT_EXPECT_EQ(test, depth_of_port(80)->accepts, 0);
	/* shutdown(), connect() */
	h.queues = false;
	h.state = TCP_CLOSE;
	portsock_sock_hold(csk, &h);
	accepted(csk, 9 * MS);
	KUNIT_EXPECT_EQ(test, depth_of_port(80)->accepts, 0);
	connected(csk, 80, 1 * MS, 0);
	over(csk, 2 * MS, 3, 5, 0);
	KUNIT_EXPECT_EQ(test, depth_of_port(80)->bytes.rx, 3);
	KUNIT_EXPECT_EQ(test, depth_of_port(80)->bytes.tx, 4);
	KUNIT_EXPECT_EQ(test, depth_of_port(80)->lifetime.us, 1 * MS);
}

static void accept_wait_is_from_birth_to_accept(struct kunit *test)
{
	born(&sks[0], 80, 1 * MS, 0);
	born(&sks[1], 80, 1 * MS, 0);
	accepted(&sks[0], 1 * MS + 300);
	accepted(&sks[1], 6 * MS);
	KUNIT_EXPECT_EQ(test, depth_of_port(80)->accepts, 2);
	KUNIT_EXPECT_EQ(test, depth_of_port(80)->accept_wait.us, 5 * MS + 300);
	KUNIT_EXPECT_EQ(test, depth_of_port(80)->accept_wait.log2[0], 1);
	KUNIT_EXPECT_EQ(test, depth_of_port(80)->accept_wait.log2[3], 1);
}

static void accept_of_what_is_not_known_is_nothing(struct kunit *test)
{
	accepted(&sks[0], 1 * MS);
	hold(&sks[0], 0, TCP_CLOSE);
	accepted(&sks[0], 1 * MS);
	hold(&sks[0], 80, TCP_ESTABLISHED);
	accepted(&sks[0], 1 * MS);
	KUNIT_EXPECT_NULL(test, depth_of_total());
	KUNIT_EXPECT_EQ(test, recs(), (size_t)1);
}

static void handshakes_are_counted_at_birth(struct kunit *test)
{
	born(&sks[0], 80, 1 * MS, 100);
	born(&sks[1], 80, 1 * MS, 0);
	connected(&sks[2], 40000, 1 * MS, 30);
	connected(&sks[3], 40000, 1 * MS, 4);
	KUNIT_EXPECT_EQ(test, depth_of_port(80)->handshakes.nr, 1);
	KUNIT_EXPECT_EQ(test, depth_of_port(80)->handshakes.us, 100);
	KUNIT_EXPECT_EQ(test, depth_of_total()->handshakes.nr, 2);
	KUNIT_EXPECT_EQ(test, depth_of_total()->handshakes.us, 34);
}

/* By Fast Open it was there before its handshake was over. */
static void child_may_be_born_late(struct kunit *test)
{
	struct portsock_birth birth = { 3 * MS, 50 };
	struct portsock_holding h = holding(80, TCP_SYN_RECV);

	h.service = true;
	h.how = PORTSOCK_ACCEPTED;
	portsock_sock_hold(&sks[0], &h);
	h.state = TCP_ESTABLISHED;
	h.birth = &birth;
	portsock_sock_change(&sks[0], &h);
	KUNIT_EXPECT_EQ(test, depth_of_port(80)->handshakes.us, 50);
	over(&sks[0], 4 * MS, 0, 0, 60);
	KUNIT_EXPECT_EQ(test, depth_of_port(80)->lifetime.us, 1 * MS);
	KUNIT_EXPECT_EQ(test, depth_of_port(80)->rtts.nr, 1);
	KUNIT_EXPECT_EQ(test, depth_of_port(80)->rtts.us, 60);
}

/* What sockets say when they are asked; nobody else is. */
static struct portsock_bytes carried[ARRAY_SIZE(sks)];
static unsigned int asked;

static void tell(const void *sk, struct portsock_bytes *bytes)
{
	*bytes = carried[(const char *)sk - sks];
	asked++;
}

static void sample_counts_what_is_new(struct kunit *test)
{
	memset(carried, 0, sizeof(carried));
	born(&sks[0], 80, 1 * MS, 0);
	connected(&sks[1], 40000, 1 * MS, 0);
	carried[0] = (struct portsock_bytes){ 10, 20 };
	carried[1] = (struct portsock_bytes){ 30, 41 };
	portsock_socks_sample(tell);
	KUNIT_EXPECT_EQ(test, depth_of_port(80)->bytes.rx, 10);
	KUNIT_EXPECT_EQ(test, depth_of_port(80)->bytes.tx, 20);
	KUNIT_EXPECT_EQ(test, depth_of_total()->bytes.rx, 30);
	KUNIT_EXPECT_EQ(test, depth_of_total()->bytes.tx, 40);
	carried[0].tx = 21;
	portsock_socks_sample(tell);
	portsock_socks_sample(tell);
	KUNIT_EXPECT_EQ(test, depth_of_port(80)->bytes.rx, 10);
	KUNIT_EXPECT_EQ(test, depth_of_port(80)->bytes.tx, 21);
	over(&sks[0], 2 * MS, 15, 25, 0);
	over(&sks[1], 2 * MS, 30, 41, 0);
	KUNIT_EXPECT_EQ(test, depth_of_port(80)->bytes.rx, 15);
	KUNIT_EXPECT_EQ(test, depth_of_port(80)->bytes.tx, 25);
	KUNIT_EXPECT_EQ(test, depth_of_total()->bytes.tx, 40);
}

static void sample_asks_open_connections_only(struct kunit *test)
{
	static const u8 states[] = {
		TCP_ESTABLISHED, TCP_FIN_WAIT1, TCP_FIN_WAIT2, TCP_CLOSE_WAIT,
		TCP_LAST_ACK, TCP_CLOSING, TCP_SYN_SENT, TCP_SYN_RECV,
		TCP_TIME_WAIT, TCP_CLOSE,
	};
	struct portsock_holding h = holding(53, TCP_ESTABLISHED);
	struct inet_connection_sock *csk;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(states); i++)
		hold(&sks[i], 80, states[i]);
	unbound(&sks[10], false);
	h.proto = PORTSOCK_UDP;
	portsock_sock_hold(&sks[11], &h);
	h.proto = PORTSOCK_MPTCP;
	portsock_sock_hold(&sks[12], &h);
	csk = kunit_kzalloc(test, sizeof(*csk), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, csk);
	h = holding(81, TCP_LISTEN);
	h.service = true;
	h.queues = true;
	portsock_sock_hold(csk, &h);
	asked = 0;
	portsock_socks_sample(tell);
	KUNIT_EXPECT_EQ(test, asked, 6);
	portsock_sock_forget(csk);
}

/* The byte of a FIN, which had just come when the socket was asked. */
static void bytes_that_were_shown_do_not_go_down(struct kunit *test)
{
	memset(carried, 0, sizeof(carried));
	born(&sks[0], 80, 1 * MS, 0);
	born(&sks[1], 80, 1 * MS, 0);
	carried[0].rx = 11;
	portsock_socks_sample(tell);
	KUNIT_EXPECT_EQ(test, depth_of_port(80)->bytes.rx, 11);
	carried[0].rx = 10;
	portsock_socks_sample(tell);
	KUNIT_EXPECT_EQ(test, depth_of_port(80)->bytes.rx, 11);
	over(&sks[1], 2 * MS, 5, 0, 0);
	KUNIT_EXPECT_EQ(test, depth_of_port(80)->bytes.rx, 15);
}

static struct kunit_case conn_cases[] = {
	KUNIT_CASE(sample_counts_what_is_new),
	KUNIT_CASE(sample_asks_open_connections_only),
	KUNIT_CASE(bytes_that_were_shown_do_not_go_down),
	KUNIT_CASE(bytes_are_counted_at_the_end),
	KUNIT_CASE(bytes_of_a_client_are_without_its_syn),
	KUNIT_CASE(bytes_before_a_socket_was_met_do_not_count),
	KUNIT_CASE(walk_leaves_what_is_known_of_a_connection),
	KUNIT_CASE(lifetime_is_from_birth_to_end),
	KUNIT_CASE(end_of_what_was_not_established_has_no_lifetime),
	KUNIT_CASE(mini_socket_ends_the_connection),
	KUNIT_CASE(socket_may_live_twice),
	KUNIT_CASE(listener_is_no_connection),
	KUNIT_CASE(accept_wait_is_from_birth_to_accept),
	KUNIT_CASE(accept_of_what_is_not_known_is_nothing),
	KUNIT_CASE(handshakes_are_counted_at_birth),
	KUNIT_CASE(child_may_be_born_late),
	{ }
};

static struct kunit_suite conn_suite = {
	.name = "portsock_conn",
	.init = socks_test_init,
	.exit = socks_test_exit,
	.test_cases = conn_cases,
};

kunit_test_suite(conn_suite);

MODULE_LICENSE("GPL");
