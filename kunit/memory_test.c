// SPDX-License-Identifier: GPL-2.0
/*
 * Beginning and ending, with and without enough memory.
 */
#include "memory.h"

#include <linux/module.h>

#include "table.h"
#include "compat.h"
#include "../module/socks.c"

#define ROW_BITS 4

static struct portsock_pool pool;

static int memory_test_init(struct kunit *test)
{
	memory_begin();
	memory_at_hand = 0;
	return 0;
}

static void memory_test_exit(struct kunit *test)
{
	memory_end(test);
}

static int pool_init(void)
{
	return portsock_pool_init(&pool, "portsock_test", 32, 0);
}

static void pool_exit(void)
{
	portsock_pool_exit(&pool);
}

static int table_init(void)
{
	return portsock_rows_init(ROW_BITS);
}

static int socks_init(void)
{
	return portsock_socks_init(ROW_BITS);
}

/* Of so many allocations each is needed. */
static void expect_all_or_nothing(struct kunit *test, int (*init)(void),
				  void (*exit)(void), int allocations)
{
	int left;

	memory_lacks_one = true;
	for (left = 0; left < allocations; left++) {
		memory_left = left;
		KUNIT_EXPECT_EQ(test, init(), -ENOMEM);
		KUNIT_EXPECT_EQ(test, memory_held, 0);
	}
	memory_left = allocations;
	KUNIT_ASSERT_EQ(test, init(), 0);
	exit();
	KUNIT_EXPECT_EQ(test, memory_held, 0);
}

static void pool_init_without_memory_leaves_nothing(struct kunit *test)
{
	expect_all_or_nothing(test, pool_init, pool_exit, 2);
}

static void shelf_init_without_memory_leaves_nothing(struct kunit *test)
{
	memory_at_hand = 4;
	expect_all_or_nothing(test, pool_init, pool_exit,
			      2 + 4 * num_possible_cpus());
}

static void table_init_without_memory_leaves_nothing(struct kunit *test)
{
	expect_all_or_nothing(test, table_init, portsock_rows_exit, 7);
}

static void socks_init_without_memory_leaves_nothing(struct kunit *test)
{
	expect_all_or_nothing(test, socks_init, portsock_socks_exit, 3);
}

static void table_new_without_memory_is_none(struct kunit *test)
{
	memory_left = 0;
	KUNIT_EXPECT_NULL(test, portsock_table_new(true));
}

static void refill_has_records_and_rows_at_hand(struct kunit *test)
{
	unsigned long flags;
	void *rec, *row;

	memory_at_hand = 4;
	KUNIT_ASSERT_EQ(test, table_init(), 0);
	KUNIT_ASSERT_EQ(test, socks_init(), 0);
	local_irq_save(flags);
	rec = portsock_pool_get(&rec_pool);
	row = portsock_pool_get(&portsock_row_pool);
	local_irq_restore(flags);
	KUNIT_EXPECT_LT(test, this_cpu_ptr(rec_pool.shelves)->nr, 4);
	KUNIT_EXPECT_LT(test, this_cpu_ptr(portsock_row_pool.shelves)->nr, 4);
	portsock_socks_refill();
	KUNIT_EXPECT_EQ(test, this_cpu_ptr(rec_pool.shelves)->nr, 4);
	KUNIT_EXPECT_EQ(test, this_cpu_ptr(portsock_row_pool.shelves)->nr, 4);
	local_irq_save(flags);
	portsock_pool_put(&rec_pool, rec);
	portsock_pool_put(&portsock_row_pool, row);
	local_irq_restore(flags);
	portsock_socks_exit();
	portsock_rows_exit();
}

static struct kunit_case memory_cases[] = {
	KUNIT_CASE(pool_init_without_memory_leaves_nothing),
	KUNIT_CASE(shelf_init_without_memory_leaves_nothing),
	KUNIT_CASE(table_init_without_memory_leaves_nothing),
	KUNIT_CASE(socks_init_without_memory_leaves_nothing),
	KUNIT_CASE(table_new_without_memory_is_none),
	KUNIT_CASE(refill_has_records_and_rows_at_hand),
	{ }
};

static struct kunit_suite memory_suite = {
	.name = "portsock_memory",
	.init = memory_test_init,
	.exit = memory_test_exit,
	.test_cases = memory_cases,
};

kunit_test_suite(memory_suite);

MODULE_LICENSE("GPL");
