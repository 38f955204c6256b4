// SPDX-License-Identifier: GPL-2.0
/*
 * Ephemeral ports are found in order.
 */
#include "rows.h"

#include <linux/bitmap.h>
#include <linux/module.h>
#include <linux/prandom.h>

static const u8 protos[] = { PORTSOCK_TCP, PORTSOCK_UDP, PORTSOCK_DCCP };

static void hold_port(struct kunit *test, struct portsock_share *share,
		      u8 proto, u16 port)
{
	add(test, share, holding(test, proto, port, TCP_CLOSE));
	portsock_pools_settle();
}

/* The keys of ephemeral rows, in the order in which a reader finds them. */
static int keys_of(struct kunit *test, u32 *keys, int most)
{
	DECLARE_BITMAP(ports, AREA_PORTS);
	u32 key = 0, port;
	int n = 0;

	for (; portsock_area_next(test->priv, &key, ports); key += AREA_PORTS)
		for_each_set_bit(port, ports, AREA_PORTS)
			if (n < most)
				keys[n++] = key + port;
	return n;
}

static int areas_of(struct kunit *test)
{
	struct portsock_table *table = test->priv;

	return bitmap_weight(table->areas, AREAS);
}

static void empty_table_has_no_area(struct kunit *test)
{
	u32 keys[1];

	KUNIT_EXPECT_EQ(test, areas_of(test), 0);
	KUNIT_EXPECT_EQ(test, keys_of(test, keys, 1), 0);
}

static void ports_come_in_order(struct kunit *test)
{
	static const u16 ports[] = { 1, AREA_PORTS - 1, AREA_PORTS, 32767,
				     32768, 60999, U16_MAX };
	struct portsock_share *shares;
	u32 keys[32];
	int i, proto, n = 0;

	shares = kunit_kcalloc(test, 32, sizeof(*shares), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, shares);
	for (proto = ARRAY_SIZE(protos) - 1; proto >= 0; proto--)
		for (i = ARRAY_SIZE(ports) - 1; i >= 0; i--)
			hold_port(test, &shares[n++], protos[proto], ports[i]);
	KUNIT_ASSERT_EQ(test, keys_of(test, keys, 32), n);
	n = 0;
	for (proto = 0; proto < ARRAY_SIZE(protos); proto++)
		for (i = 0; i < ARRAY_SIZE(ports); i++)
			KUNIT_EXPECT_EQ(test, keys[n++],
					key_of(protos[proto], ports[i]));
	while (n)
		portsock_share_del(&shares[--n]);
}

static void first_and_last_port_of_all_are_found(struct kunit *test)
{
	struct portsock_share first = { }, last = { };
	u32 keys[3];

	hold_port(test, &first, 0, 1);
	hold_port(test, &last, PORTSOCK_PROTO_NR - 1, U16_MAX);
	KUNIT_ASSERT_EQ(test, keys_of(test, keys, 3), 2);
	KUNIT_EXPECT_EQ(test, keys[0], key_of(0, 1));
	KUNIT_EXPECT_EQ(test, keys[1], key_of(PORTSOCK_PROTO_NR - 1, U16_MAX));
	portsock_share_del(&first);
	portsock_share_del(&last);
}

static void services_are_in_no_area(struct kunit *test)
{
	struct portsock_share share = { };
	u32 keys[1];

	add(test, &share, service(test, PORTSOCK_TCP, 80, TCP_CLOSE));
	KUNIT_EXPECT_EQ(test, areas_of(test), 0);
	portsock_share_del(&share);
	hold_port(test, &share, PORTSOCK_TCP, 40000);
	add(test, &share, service(test, PORTSOCK_TCP, 40000, TCP_CLOSE));
	KUNIT_EXPECT_EQ(test, keys_of(test, keys, 1), 0);
	KUNIT_EXPECT_EQ(test, areas_of(test), 0);
	portsock_share_del(&share);
}

/* Only readers find out that there is nothing any more, each area once. */
static void empty_area_is_looked_at_once(struct kunit *test)
{
	struct portsock_share share = { }, other = { };
	u32 keys[2];

	hold_port(test, &share, PORTSOCK_TCP, 40000);
	hold_port(test, &other, PORTSOCK_TCP, 50000);
	portsock_share_del(&share);
	KUNIT_EXPECT_EQ(test, areas_of(test), 2);
	KUNIT_EXPECT_EQ(test, keys_of(test, keys, 2), 1);
	KUNIT_EXPECT_EQ(test, areas_of(test), 1);
	hold_port(test, &share, PORTSOCK_TCP, 40000);
	KUNIT_EXPECT_EQ(test, areas_of(test), 2);
	KUNIT_EXPECT_EQ(test, keys_of(test, keys, 2), 2);
	KUNIT_EXPECT_EQ(test, keys[0], key_of(PORTSOCK_TCP, 40000));
	portsock_share_del(&share);
	portsock_share_del(&other);
}

/* A second port of an area that a reader holds to be empty. */
static void area_is_entered_by_each_port(struct kunit *test)
{
	struct portsock_table *table = test->priv;
	struct portsock_share share = { }, other = { };
	u32 keys[2];

	hold_port(test, &share, PORTSOCK_TCP, 40000);
	bitmap_zero(table->areas, AREAS);
	hold_port(test, &other, PORTSOCK_TCP, 40001);
	KUNIT_EXPECT_EQ(test, keys_of(test, keys, 2), 2);
	portsock_share_del(&share);
	portsock_share_del(&other);
}

static void random_ports_against_a_bitmap(struct kunit *test)
{
	unsigned long *model = bitmap_zalloc(U16_MAX + 1, GFP_KERNEL);
	u32 *keys = kunit_kcalloc(test, 512, sizeof(*keys), GFP_KERNEL);
	struct portsock_share *shares;
	struct rnd_state rnd;
	int i, step, n = 0;
	u32 port;

	shares = kunit_kcalloc(test, 512, sizeof(*shares), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, model);
	KUNIT_ASSERT_NOT_NULL(test, keys);
	KUNIT_ASSERT_NOT_NULL(test, shares);
	prandom_seed_state(&rnd, 42);
	for (step = 0; step < 20000; step++) {
		struct portsock_share *share;

		share = &shares[prandom_u32_state(&rnd) % 512];
		if (share->row) {
			__clear_bit(key_port(share->row->key), model);
			portsock_share_del(share);
		} else {
			port = 1 + prandom_u32_state(&rnd) % U16_MAX;
			if (__test_and_set_bit(port, model))
				continue;
			hold_port(test, share, PORTSOCK_UDP, port);
		}
		if (step % 1000)
			continue;
		n = keys_of(test, keys, 512);
		KUNIT_ASSERT_EQ(test, n, bitmap_weight(model, U16_MAX + 1));
		i = 0;
		for_each_set_bit(port, model, U16_MAX + 1)
			KUNIT_ASSERT_EQ(test, keys[i++],
					key_of(PORTSOCK_UDP, port));
	}
	KUNIT_EXPECT_GT(test, n, 100);
	for (i = 0; i < 512; i++)
		if (shares[i].row)
			portsock_share_del(&shares[i]);
	bitmap_free(model);
}

static struct kunit_case area_cases[] = {
	KUNIT_CASE(empty_table_has_no_area),
	KUNIT_CASE(ports_come_in_order),
	KUNIT_CASE(first_and_last_port_of_all_are_found),
	KUNIT_CASE(services_are_in_no_area),
	KUNIT_CASE(empty_area_is_looked_at_once),
	KUNIT_CASE(area_is_entered_by_each_port),
	KUNIT_CASE(random_ports_against_a_bitmap),
	{ }
};

static struct kunit_suite area_suite = {
	.name = "portsock_area",
	.init = table_test_init,
	.exit = table_test_exit,
	.test_cases = area_cases,
};

kunit_test_suite(area_suite);
MODULE_LICENSE("GPL");
