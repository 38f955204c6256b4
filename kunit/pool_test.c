// SPDX-License-Identifier: GPL-2.0
/*
 * Objects at hand. That none is lost or had twice, kmem_cache_destroy() and
 * KASAN tell.
 */
#define SHELF_MAX 4
#define SHELF_LOW 2
#define SHELF_THREAD shelf_thread
#include "memory.h"

#include <linux/module.h>

static bool shelf_thread;
#include "../module/pool.c"

static struct portsock_pool pool;

static int pool_test_init(struct kunit *test)
{
	memory_begin();
	return portsock_pool_init(&pool, "portsock_test", 32, 0);
}

static int pool_test_init_alone(struct kunit *test)
{
	shelf_thread = false;
	this_cpu_write(portsock_pools_uneven, false);
	return pool_test_init(test);
}

static int pool_test_init_thread(struct kunit *test)
{
	shelf_thread = true;
	return pool_test_init(test);
}

static void pool_test_exit(struct kunit *test)
{
	portsock_pool_exit(&pool);
	memory_end(test);
}

static unsigned int at_hand(void)
{
	return this_cpu_ptr(pool.shelves)->nr;
}

/* What was asked for so far is done. */
static void shelf_settle(void)
{
	irq_work_sync(&this_cpu_ptr(pool.shelves)->level);
	portsock_pools_settle();
}

/* Interrupts off, so that nobody comes to level the shelf. */
static void take(struct kunit *test, void **objects, size_t nr)
{
	unsigned long flags;
	size_t i;

	local_irq_save(flags);
	for (i = 0; i < nr; i++)
		objects[i] = portsock_pool_get(&pool);
	local_irq_restore(flags);
	for (i = 0; i < nr; i++)
		KUNIT_ASSERT_NOT_NULL(test, objects[i]);
}

static void give(void **objects, size_t nr)
{
	unsigned long flags;
	size_t i;

	local_irq_save(flags);
	for (i = 0; i < nr; i++)
		portsock_pool_put(&pool, objects[i]);
	local_irq_restore(flags);
}

static void object_put_is_the_next_one_got(struct kunit *test)
{
	void *objects[2];

	take(test, objects, ARRAY_SIZE(objects));
	KUNIT_EXPECT_PTR_NE(test, objects[0], objects[1]);
	give(objects, ARRAY_SIZE(objects));
	KUNIT_EXPECT_PTR_EQ(test, objects[1], this_cpu_ptr(pool.shelves)->top);
	KUNIT_EXPECT_EQ(test, at_hand(), SHELF_MAX);
}

static void shelf_is_full_from_the_start(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, at_hand(), SHELF_MAX);
}

static void shelf_can_be_empty(struct kunit *test)
{
	void *objects[SHELF_MAX + 1];
	unsigned long flags;
	size_t i;

	local_irq_save(flags);
	for (i = 0; i < ARRAY_SIZE(objects); i++)
		objects[i] = portsock_pool_get(&pool);
	local_irq_restore(flags);
	for (i = 0; i < SHELF_MAX; i++)
		KUNIT_EXPECT_NOT_NULL(test, objects[i]);
	KUNIT_EXPECT_NULL(test, objects[SHELF_MAX]);
	give(objects, SHELF_MAX);
}

static void shelf_is_filled_when_low(struct kunit *test)
{
	void *objects[SHELF_MAX - SHELF_LOW + 1];

	take(test, objects, SHELF_MAX - SHELF_LOW);
	shelf_settle();
	KUNIT_EXPECT_EQ(test, at_hand(), SHELF_LOW);
	take(test, &objects[SHELF_MAX - SHELF_LOW], 1);
	shelf_settle();
	KUNIT_EXPECT_EQ(test, at_hand(), SHELF_MAX);
	give(objects, ARRAY_SIZE(objects));
}

/* A shelf with enough is left alone when another, or a surplus, is seen to. */
static void shelf_that_is_not_low_is_not_filled(struct kunit *test)
{
	void *object;

	take(test, &object, 1);
	portsock_pools_level();
	KUNIT_EXPECT_EQ(test, at_hand(), SHELF_MAX - 1);
	give(&object, 1);
}

static void shelf_is_filled_when_asked_for(struct kunit *test)
{
	void *object;

	take(test, &object, 1);
	portsock_pool_refill(&pool);
	KUNIT_EXPECT_FALSE(test, irqs_disabled());
	KUNIT_EXPECT_EQ(test, at_hand(), SHELF_MAX);
	give(&object, 1);
}

static void shelf_takes_what_memory_there_is(struct kunit *test)
{
	void *objects[2];

	take(test, objects, ARRAY_SIZE(objects));
	memory_left = 1;
	portsock_pool_refill(&pool);
	KUNIT_EXPECT_EQ(test, at_hand(), SHELF_MAX - 1);
	give(objects, ARRAY_SIZE(objects));
	shelf_settle();
}

static void full_shelf_is_left_alone(struct kunit *test)
{
	portsock_pools_level();
	KUNIT_EXPECT_FALSE(test, irqs_disabled());
	KUNIT_EXPECT_EQ(test, at_hand(), SHELF_MAX);
}

static void shelf_keeps_no_more_than_its_share(struct kunit *test)
{
	void *objects[SHELF_MAX];

	take(test, objects, ARRAY_SIZE(objects));
	shelf_settle();
	give(objects, ARRAY_SIZE(objects));
	shelf_settle();
	KUNIT_EXPECT_EQ(test, at_hand(), SHELF_MAX);
}

static struct kunit_case pool_cases[] = {
	KUNIT_CASE(object_put_is_the_next_one_got),
	KUNIT_CASE(shelf_is_full_from_the_start),
	KUNIT_CASE(shelf_can_be_empty),
	KUNIT_CASE(shelf_is_filled_when_low),
	KUNIT_CASE(shelf_that_is_not_low_is_not_filled),
	KUNIT_CASE(shelf_is_filled_when_asked_for),
	KUNIT_CASE(shelf_takes_what_memory_there_is),
	KUNIT_CASE(full_shelf_is_left_alone),
	KUNIT_CASE(shelf_keeps_no_more_than_its_share),
	{ }
};

/* The same, as KUnit writes into them. */
static struct kunit_case thread_cases[] = {
	KUNIT_CASE(object_put_is_the_next_one_got),
	KUNIT_CASE(shelf_is_full_from_the_start),
	KUNIT_CASE(shelf_can_be_empty),
	KUNIT_CASE(shelf_is_filled_when_low),
	KUNIT_CASE(shelf_that_is_not_low_is_not_filled),
	KUNIT_CASE(shelf_is_filled_when_asked_for),
	KUNIT_CASE(shelf_takes_what_memory_there_is),
	KUNIT_CASE(full_shelf_is_left_alone),
	KUNIT_CASE(shelf_keeps_no_more_than_its_share),
	{ }
};

static struct kunit_suite pool_suite = {
	.name = "portsock_pool",
	.init = pool_test_init_alone,
	.exit = pool_test_exit,
	.test_cases = pool_cases,
};

static struct kunit_suite thread_suite = {
	.name = "portsock_pool_thread",
	.init = pool_test_init_thread,
	.exit = pool_test_exit,
	.test_cases = thread_cases,
};

kunit_test_suites(&pool_suite, &thread_suite);

MODULE_LICENSE("GPL");
