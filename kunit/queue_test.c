// SPDX-License-Identifier: GPL-2.0
/*
 * What waits in the sockets of a row, and what they have dropped.
 */
#include "rows.h"

#include <linux/module.h>

static struct udp_sock *datagram_socks(struct kunit *test, int nr)
{
	struct udp_sock *up = kunit_kcalloc(test, nr, sizeof(*up), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, up);
	return up;
}

static struct portsock_holding receiver(struct kunit *test, u16 port)
{
	struct portsock_holding h = service(test, PORTSOCK_UDP, port,
					    TCP_CLOSE);

	h.queues = true;
	return h;
}

static void drops_set(void *sk, u32 drops)
{
	atomic_set(&((struct sock *)sk)->sk_drops, drops);
}

static void backlog_set(struct inet_connection_sock *csk, u32 waiting, u32 max)
{
	struct sock *sk = (struct sock *)csk;

	sk->sk_ack_backlog = waiting;
	sk->sk_max_ack_backlog = max;
}

static u64 drops_of(struct kunit *test, u8 proto, u16 port)
{
	struct portsock_line line = service_line(test, proto, port);

	KUNIT_EXPECT_TRUE(test, line.deep);
	return line.depth.drops;
}

static u32 backlog_peak_of(struct kunit *test, u16 port)
{
	return service_line(test, PORTSOCK_TCP, port).depth.backlog_peak;
}

static void backlogs_of_all_listeners_add_up(struct kunit *test)
{
	struct inet_connection_sock *csk = listening_socks(test, 2);
	struct portsock_share shares[2] = { };
	struct portsock_line line;

	backlog_set(&csk[0], 3, 128);
	backlog_set(&csk[1], 4, 16);
	add_queue(test, &shares[0], &csk[0], listener(test, 80));
	add_queue(test, &shares[1], &csk[1], listener(test, 80));
	line = service_line(test, PORTSOCK_TCP, 80);
	KUNIT_EXPECT_EQ(test, line.queue.backlog, 7);
	KUNIT_EXPECT_EQ(test, line.queue.limit, 144);
	KUNIT_EXPECT_EQ(test, line.queue.bytes, 0);
	del_all(shares, 2);
	line = service_line(test, PORTSOCK_TCP, 80);
	KUNIT_EXPECT_EQ(test, line.queue.backlog, 0);
	KUNIT_EXPECT_EQ(test, line.queue.limit, 0);
}

static void datagrams_of_all_sockets_add_up(struct kunit *test)
{
	struct udp_sock *up = datagram_socks(test, 2);
	struct portsock_share shares[2] = { };
	struct portsock_line line;

	atomic_set(&((struct sock *)&up[0])->sk_rmem_alloc, 1000);
	up[0].forward_deficit = 300;
	atomic_set(&((struct sock *)&up[1])->sk_rmem_alloc, 20);
	add_queue(test, &shares[0], &up[0], receiver(test, 53));
	add_queue(test, &shares[1], &up[1], receiver(test, 53));
	line = service_line(test, PORTSOCK_UDP, 53);
	KUNIT_EXPECT_EQ(test, line.queue.bytes, 720);
	KUNIT_EXPECT_EQ(test, line.queue.backlog, 0);
	del_all(shares, 2);
}

/* The kernel does not reset the number when a socket changes its port. */
static void drops_before_a_socket_came_are_not_the_ports(struct kunit *test)
{
	struct udp_sock *up = datagram_socks(test, 1);
	struct portsock_share share = { };

	drops_set(up, 100);
	add_queue(test, &share, up, receiver(test, 53));
	KUNIT_EXPECT_EQ(test, drops_of(test, PORTSOCK_UDP, 53), 0);
	drops_set(up, 103);
	KUNIT_EXPECT_EQ(test, drops_of(test, PORTSOCK_UDP, 53), 3);
	portsock_share_del(&share);
	KUNIT_EXPECT_EQ(test, drops_of(test, PORTSOCK_UDP, 53), 3);
	drops_set(up, 110);
	add_queue(test, &share, up, receiver(test, 53));
	KUNIT_EXPECT_EQ(test, drops_of(test, PORTSOCK_UDP, 53), 3);
	drops_set(up, 111);
	KUNIT_EXPECT_EQ(test, drops_of(test, PORTSOCK_UDP, 53), 4);
	portsock_share_del(&share);
}

static void drops_of_a_counter_that_wraps_go_on(struct kunit *test)
{
	struct udp_sock *up = datagram_socks(test, 1);
	struct portsock_share share = { };

	drops_set(up, U32_MAX - 1);
	add_queue(test, &share, up, receiver(test, 53));
	drops_set(up, 1);
	KUNIT_EXPECT_EQ(test, drops_of(test, PORTSOCK_UDP, 53), 3);
	portsock_share_del(&share);
	KUNIT_EXPECT_EQ(test, drops_of(test, PORTSOCK_UDP, 53), 3);
}

static void drops_of_a_listener_stay_when_it_listens_no_more(struct kunit *test)
{
	struct inet_connection_sock *csk = listening_socks(test, 1);
	struct portsock_holding h = listener(test, 80);
	struct portsock_share share = { };

	add_queue(test, &share, csk, h);
	drops_set(csk, 5);
	h.queues = false;
	h.state = TCP_CLOSE;
	add(test, &share, h);
	KUNIT_EXPECT_EQ(test, drops_of(test, PORTSOCK_TCP, 80), 5);
	/* not a listener's */
	drops_set(csk, 7);
	KUNIT_EXPECT_EQ(test, drops_of(test, PORTSOCK_TCP, 80), 5);
	add(test, &share, listener(test, 80));
	drops_set(csk, 8);
	KUNIT_EXPECT_EQ(test, drops_of(test, PORTSOCK_TCP, 80), 6);
	portsock_share_del(&share);
	KUNIT_EXPECT_EQ(test, drops_of(test, PORTSOCK_TCP, 80), 6);
}

static void drops_of_an_ephemeral_port_go_to_the_total(struct kunit *test)
{
	struct udp_sock *up = datagram_socks(test, 1);
	struct portsock_holding h = receiver(test, 40000);
	struct portsock_share share = { };
	struct portsock_line line;

	h.service = false;
	drops_set(up, 10);
	add_queue(test, &share, up, h);
	drops_set(up, 12);
	KUNIT_ASSERT_TRUE(test, line_find(test->priv, PORTSOCK_EPHEMERALS,
					  PORTSOCK_UDP, 40000, &line));
	KUNIT_EXPECT_FALSE(test, line.deep);
	KUNIT_EXPECT_FALSE(test, line.queue.any);
	KUNIT_ASSERT_TRUE(test, line_find(test->priv, PORTSOCK_TOTALS,
					  PORTSOCK_UDP, 0, &line));
	KUNIT_EXPECT_EQ(test, line.depth.drops, 0);
	portsock_share_del(&share);
	KUNIT_ASSERT_TRUE(test, line_find(test->priv, PORTSOCK_TOTALS,
					  PORTSOCK_UDP, 0, &line));
	KUNIT_EXPECT_TRUE(test, line.deep);
	KUNIT_EXPECT_EQ(test, line.depth.drops, 2);
}

static void drops_of_a_port_that_turns_service_are_its_own(struct kunit *test)
{
	struct udp_sock *up = datagram_socks(test, 2);
	struct portsock_holding h = receiver(test, 40000);
	struct portsock_share shares[2] = { };
	struct portsock_line line;

	h.service = false;
	add_queue(test, &shares[0], &up[0], h);
	drops_set(&up[0], 2);
	add_queue(test, &shares[1], &up[1], receiver(test, 40000));
	drops_set(&up[1], 3);
	KUNIT_EXPECT_EQ(test, drops_of(test, PORTSOCK_UDP, 40000), 5);
	del_all(shares, 2);
	KUNIT_EXPECT_EQ(test, drops_of(test, PORTSOCK_UDP, 40000), 5);
	KUNIT_ASSERT_TRUE(test, line_find(test->priv, PORTSOCK_TOTALS,
					  PORTSOCK_UDP, 0, &line));
	KUNIT_EXPECT_EQ(test, line.depth.drops, 0);
}

static void drops_and_peak_of_a_service_fold(struct kunit *test)
{
	struct inet_connection_sock *csk = listening_socks(test, 2);
	struct portsock_share share = { };
	struct portsock_line line;
	int i;

	for (i = 0; i < 2; i++) {
		backlog_set(&csk[i], 9 - i, 16);
		add_queue(test, &share, &csk[i], listener(test, 80 + i));
		drops_set(&csk[i], 5 + i);
		KUNIT_EXPECT_EQ(test, backlog_peak_of(test, 80 + i), 9 - i);
		portsock_share_del(&share);
		row_fold(test->priv, key_of(PORTSOCK_TCP, 80 + i));
	}
	line = folded_line(test->priv, PORTSOCK_TCP);
	KUNIT_EXPECT_TRUE(test, line.deep);
	KUNIT_EXPECT_EQ(test, line.depth.drops, 11);
	KUNIT_EXPECT_EQ(test, line.depth.backlog_peak, 9);
}

static void backlog_peak_is_seen_when_a_connection_comes(struct kunit *test)
{
	struct inet_connection_sock *csk = listening_socks(test, 1);
	struct portsock_holding h = service(test, PORTSOCK_TCP, 80,
					    TCP_ESTABLISHED);
	struct portsock_share shares[3] = { };

	add_queue(test, &shares[0], csk, listener(test, 80));
	backlog_set(csk, 2, 16);
	h.how = PORTSOCK_ACCEPTED;
	add(test, &shares[1], h);
	backlog_set(csk, 1, 16);
	h.how = PORTSOCK_CONNECTED;
	add(test, &shares[2], h);
	backlog_set(csk, 0, 16);
	KUNIT_EXPECT_EQ(test, backlog_peak_of(test, 80), 2);
	del_all(shares, 3);
	KUNIT_EXPECT_EQ(test, backlog_peak_of(test, 80), 2);
}

/* What was accepted before the handshake was over, by Fast Open. */
static void backlog_peak_is_seen_when_a_child_is_established(struct kunit *test)
{
	struct inet_connection_sock *csk = listening_socks(test, 1);
	struct portsock_holding h = service(test, PORTSOCK_TCP, 80,
					    TCP_SYN_RECV);
	struct portsock_share shares[2] = { };

	add_queue(test, &shares[0], csk, listener(test, 80));
	h.how = PORTSOCK_ACCEPTED;
	add(test, &shares[1], h);
	backlog_set(csk, 3, 16);
	h.state = TCP_ESTABLISHED;
	add(test, &shares[1], h);
	backlog_set(csk, 0, 16);
	KUNIT_EXPECT_EQ(test, backlog_peak_of(test, 80), 3);
	del_all(shares, 2);
}

static void backlog_peak_is_never_less_than_was_shown(struct kunit *test)
{
	struct inet_connection_sock *csk = listening_socks(test, 2);
	struct portsock_share shares[2] = { };

	add_queue(test, &shares[0], &csk[0], listener(test, 80));
	add_queue(test, &shares[1], &csk[1], listener(test, 80));
	backlog_set(&csk[0], 2, 16);
	backlog_set(&csk[1], 3, 16);
	KUNIT_EXPECT_EQ(test, backlog_peak_of(test, 80), 5);
	backlog_set(&csk[1], 0, 16);
	KUNIT_EXPECT_EQ(test, backlog_peak_of(test, 80), 5);
	del_all(shares, 2);
}

/* A reader lets go of the lock between some dozen sockets. */
static void drops_of_many_sockets_never_go_down(struct kunit *test)
{
	const int nr = 3 * QUEUES_BATCH;
	struct udp_sock *up = datagram_socks(test, nr);
	struct portsock_share *shares;
	struct portsock_line line;
	unsigned long address;
	struct row_bucket *bucket;
	struct portsock_row *row;
	int i;

	shares = kunit_kcalloc(test, nr, sizeof(*shares), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, shares);
	for (i = 0; i < nr; i++) {
		add_queue(test, &shares[i], &up[i], receiver(test, 53));
		drops_set(&up[i], 1);
	}
	KUNIT_EXPECT_EQ(test, drops_of(test, PORTSOCK_UDP, 53), nr);

	bucket = row_bucket(test->priv, key_of(PORTSOCK_UDP, 53));
	row = __row_find(bucket, test->priv, key_of(PORTSOCK_UDP, 53));
	line = (struct portsock_line){ .deep = true };
	address = __row_ask(row, 0, &line);
	KUNIT_EXPECT_NE(test, address, 0);
	portsock_share_del(&shares[nr - 1]);
	while (address)
		address = __row_ask(row, address, &line);
	KUNIT_EXPECT_EQ(test, line.depth.drops, nr);
	KUNIT_EXPECT_EQ(test, drops_of(test, PORTSOCK_UDP, 53), nr);
	drops_set(&up[0], 2);
	KUNIT_EXPECT_EQ(test, drops_of(test, PORTSOCK_UDP, 53), nr + 1);
	del_all(shares, nr - 1);
}

static void row_without_memory_has_no_answer_until_there_is(struct kunit *test)
{
	struct inet_connection_sock *csk = listening_socks(test, 2);
	struct portsock_share shares[2] = { };
	struct portsock_line line;
	struct portsock_row *row;
	u32 key = key_of(PORTSOCK_TCP, 80);

	add_queue(test, &shares[0], &csk[0], listener(test, 80));
	row = __row_find(row_bucket(test->priv, key), test->priv, key);
	portsock_depth_free(row->body->numbers.depth);
	row->body->numbers.depth = NULL;
	backlog_set(&csk[0], 2, 16);
	drops_set(&csk[0], 4);
	line = service_line(test, PORTSOCK_TCP, 80);
	KUNIT_EXPECT_FALSE(test, line.deep);
	KUNIT_EXPECT_EQ(test, line.queue.backlog, 2);
	portsock_share_del(&shares[0]);

	add_queue(test, &shares[1], &csk[1], listener(test, 80));
	drops_set(&csk[1], 1);
	KUNIT_EXPECT_EQ(test, drops_of(test, PORTSOCK_TCP, 80), 1);
	portsock_share_del(&shares[1]);
}

static struct kunit_case queue_cases[] = {
	KUNIT_CASE(backlogs_of_all_listeners_add_up),
	KUNIT_CASE(datagrams_of_all_sockets_add_up),
	KUNIT_CASE(drops_before_a_socket_came_are_not_the_ports),
	KUNIT_CASE(drops_of_a_counter_that_wraps_go_on),
	KUNIT_CASE(drops_of_a_listener_stay_when_it_listens_no_more),
	KUNIT_CASE(drops_of_an_ephemeral_port_go_to_the_total),
	KUNIT_CASE(drops_of_a_port_that_turns_service_are_its_own),
	KUNIT_CASE(drops_and_peak_of_a_service_fold),
	KUNIT_CASE(backlog_peak_is_seen_when_a_connection_comes),
	KUNIT_CASE(backlog_peak_is_seen_when_a_child_is_established),
	KUNIT_CASE(backlog_peak_is_never_less_than_was_shown),
	KUNIT_CASE(drops_of_many_sockets_never_go_down),
	KUNIT_CASE(row_without_memory_has_no_answer_until_there_is),
	{ }
};

static struct kunit_suite queue_suite = {
	.name = "portsock_queue",
	.init = table_test_init,
	.exit = table_test_exit,
	.test_cases = queue_cases,
};

kunit_test_suite(queue_suite);

MODULE_LICENSE("GPL");
