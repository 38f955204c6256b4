// SPDX-License-Identifier: GPL-2.0
/*
 * Records of MPTCP sockets, which have their port from a subflow.
 */
#include "recs.h"

#include <linux/module.h>

static const void *const msk = &sks[0];
static const void *const ssk = &sks[1];
static const void *const join = &sks[2];

static void msk_seen(u16 port, u8 state)
{
	struct portsock_holding h = holding(port, state);

	h.proto = PORTSOCK_MPTCP;
	portsock_sock_seen(msk, &h);
}

static void socket_is_on_the_port_it_holds_only(struct kunit *test)
{
	hold(ssk, 80, TCP_CLOSE);
	KUNIT_EXPECT_TRUE(test, portsock_sock_on(ssk, PORTSOCK_TCP, 80));
	KUNIT_EXPECT_FALSE(test, portsock_sock_on(ssk, PORTSOCK_TCP, 81));
	KUNIT_EXPECT_FALSE(test, portsock_sock_on(ssk, PORTSOCK_MPTCP, 80));
	KUNIT_EXPECT_FALSE(test, portsock_sock_on(msk, PORTSOCK_TCP, 80));
}

static void socket_without_a_port_is_on_none(struct kunit *test)
{
	unbound(ssk, false);
	KUNIT_EXPECT_FALSE(test, portsock_sock_on(ssk, PORTSOCK_TCP, 0));
	hold(ssk, 80, TCP_CLOSE);
	release(ssk);
	KUNIT_EXPECT_FALSE(test, portsock_sock_on(ssk, PORTSOCK_TCP, 80));
}

static void carrier_is_unknown_until_it_is_told(struct kunit *test)
{
	portsock_sock_carry(msk, ssk);
	KUNIT_EXPECT_EQ(test, recs(), (size_t)0);
	KUNIT_EXPECT_NULL(test, portsock_sock_carrier(msk));
	hold(msk, 80, TCP_CLOSE);
	KUNIT_EXPECT_NULL(test, portsock_sock_carrier(msk));
	portsock_sock_carry(msk, ssk);
	KUNIT_EXPECT_PTR_EQ(test, portsock_sock_carrier(msk), ssk);
	portsock_sock_carry(msk, join);
	KUNIT_EXPECT_PTR_EQ(test, portsock_sock_carrier(msk), join);
}

static void socket_rests_on_its_carrier_in_close_only(struct kunit *test)
{
	KUNIT_EXPECT_FALSE(test, portsock_sock_rests_on(msk, ssk));
	hold(msk, 80, TCP_ESTABLISHED);
	portsock_sock_carry(msk, ssk);
	KUNIT_EXPECT_FALSE(test, portsock_sock_rests_on(msk, ssk));
	hold(msk, 80, TCP_CLOSE);
	KUNIT_EXPECT_TRUE(test, portsock_sock_rests_on(msk, ssk));
	KUNIT_EXPECT_FALSE(test, portsock_sock_rests_on(msk, join));
	release(msk);
	KUNIT_EXPECT_FALSE(test, portsock_sock_rests_on(msk, ssk));
}

static void carrier_goes_with_its_socket(struct kunit *test)
{
	hold(msk, 80, TCP_CLOSE);
	portsock_sock_carry(msk, ssk);
	portsock_sock_forget(msk);
	unbound(msk, false);
	KUNIT_EXPECT_NULL(test, portsock_sock_carrier(msk));
}

static void carrier_goes_with_its_socket_during_a_walk(struct kunit *test)
{
	hold(msk, 80, TCP_CLOSE);
	portsock_sock_carry(msk, ssk);
	portsock_socks_walk_begin();
	portsock_sock_forget(msk);
	KUNIT_EXPECT_FALSE(test, portsock_sock_carried(msk, ssk));
	unbound(msk, false);
	KUNIT_EXPECT_NULL(test, portsock_sock_carrier(msk));
	portsock_socks_walk_end(0);
}

static void walk_finds_the_carrier_of_an_unknown_socket(struct kunit *test)
{
	portsock_socks_walk_begin();
	KUNIT_EXPECT_TRUE(test, portsock_sock_carried(msk, ssk));
	KUNIT_EXPECT_FALSE(test, portsock_sock_carried(msk, join));
	msk_seen(80, TCP_CLOSE);
	KUNIT_EXPECT_PTR_EQ(test, portsock_sock_carrier(msk), ssk);
	KUNIT_EXPECT_EQ(test, portsock_socks_walk_end(0), 1);
	KUNIT_EXPECT_EQ(test, sockets(80), 1);
}

static void walk_believes_hooks_about_the_carrier(struct kunit *test)
{
	hold(msk, 80, TCP_ESTABLISHED);
	portsock_sock_carry(msk, ssk);
	portsock_socks_walk_begin();
	KUNIT_EXPECT_FALSE(test, portsock_sock_carried(msk, join));
	KUNIT_EXPECT_TRUE(test, portsock_sock_carried(msk, ssk));
	portsock_socks_walk_end(0);
}

static void walk_without_memory_finds_no_carrier(struct kunit *test)
{
	portsock_socks_walk_begin();
	memory_left = 0;
	KUNIT_EXPECT_FALSE(test, portsock_sock_carried(msk, ssk));
	KUNIT_EXPECT_EQ(test, portsock_socks_untracked(), 1);
	memory_left = INT_MAX;
	portsock_socks_walk_end(0);
}

static struct kunit_case mptcp_cases[] = {
	KUNIT_CASE(socket_is_on_the_port_it_holds_only),
	KUNIT_CASE(socket_without_a_port_is_on_none),
	KUNIT_CASE(carrier_is_unknown_until_it_is_told),
	KUNIT_CASE(socket_rests_on_its_carrier_in_close_only),
	KUNIT_CASE(carrier_goes_with_its_socket),
	KUNIT_CASE(carrier_goes_with_its_socket_during_a_walk),
	KUNIT_CASE(walk_finds_the_carrier_of_an_unknown_socket),
	KUNIT_CASE(walk_believes_hooks_about_the_carrier),
	KUNIT_CASE(walk_without_memory_finds_no_carrier),
	{ }
};

static struct kunit_suite mptcp_suite = {
	.name = "portsock_mptcp",
	.init = socks_test_init,
	.exit = socks_test_exit,
	.test_cases = mptcp_cases,
};

kunit_test_suite(mptcp_suite);

MODULE_LICENSE("GPL");
