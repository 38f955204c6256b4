// SPDX-License-Identifier: GPL-2.0
/*
 * Objects at hand. That none is lost or had twice, kmem_cache_destroy() and
 * KASAN tell.
 */
#include <kunit/test.h>
#include <linux/irqflags.h>
#include <linux/module.h>

#define SHELF_MAX 4
#include "../module/pool.c"

static struct portsock_pool pool;

static int pool_test_init(struct kunit *test)
{
	return portsock_pool_init(&pool, "portsock_test", 32, 0);
}

static void pool_test_exit(struct kunit *test)
{
	portsock_pool_exit(&pool);
}

static unsigned int at_hand(void)
{
	return this_cpu_ptr(pool.shelves)->nr;
}

static void object_put_is_the_next_one_got(struct kunit *test)
{
	void *first = portsock_pool_get(&pool);
	void *second = portsock_pool_get(&pool);

	KUNIT_ASSERT_NOT_NULL(test, first);
	KUNIT_ASSERT_NOT_NULL(test, second);
	KUNIT_EXPECT_PTR_NE(test, first, second);
	portsock_pool_put(&pool, first);
	portsock_pool_put(&pool, second);
	KUNIT_EXPECT_EQ(test, at_hand(), 2);
	KUNIT_EXPECT_PTR_EQ(test, portsock_pool_get(&pool), second);
	KUNIT_EXPECT_PTR_EQ(test, portsock_pool_get(&pool), first);
	KUNIT_EXPECT_EQ(test, at_hand(), 0);
	portsock_pool_put(&pool, first);
	portsock_pool_put(&pool, second);
}

static void shelf_keeps_no_more_than_its_share(struct kunit *test)
{
	void *objects[SHELF_MAX * 2];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(objects); i++) {
		objects[i] = portsock_pool_get(&pool);
		KUNIT_ASSERT_NOT_NULL(test, objects[i]);
	}
	for (i = 0; i < ARRAY_SIZE(objects); i++)
		portsock_pool_put(&pool, objects[i]);
	KUNIT_EXPECT_EQ(test, at_hand(), SHELF_MAX);
}

static struct kunit_case pool_cases[] = {
	KUNIT_CASE(object_put_is_the_next_one_got),
	KUNIT_CASE(shelf_keeps_no_more_than_its_share),
	{ }
};

static struct kunit_suite pool_suite = {
	.name = "portsock_pool",
	.init = pool_test_init,
	.exit = pool_test_exit,
	.test_cases = pool_cases,
};

kunit_test_suite(pool_suite);

MODULE_LICENSE("GPL");
