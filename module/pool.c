// SPDX-License-Identifier: GPL-2.0
/*
 * Making and unmaking pools; pool.h has what is done often.
 */
#include "pool.h"

#include <linux/irqflags.h>

/* This CPU's, whichever that is each time. */
static void shelf_fill(struct portsock_pool *pool, gfp_t gfp)
{
	while (READ_ONCE(raw_cpu_ptr(pool->shelves)->nr) < SHELF_MAX) {
		void *object = kmem_cache_alloc(pool->cache, gfp | __GFP_NOWARN);
		unsigned long flags;

		if (!object)
			return;
		local_irq_save(flags);
		shelf_push(this_cpu_ptr(pool->shelves), object);
		local_irq_restore(flags);
	}
}

/* One that this CPU has too many, or NULL. */
static void *shelf_surplus(struct portsock_pool *pool)
{
	struct pool_shelf *shelf;
	void *object = NULL;
	unsigned long flags;

	local_irq_save(flags);
	shelf = this_cpu_ptr(pool->shelves);
	if (shelf->nr > SHELF_MAX)
		object = shelf_pop(shelf);
	local_irq_restore(flags);
	return object;
}

/* With PREEMPT_RT this is run by a thread, on the CPU that asked for it. */
static void shelf_level(struct irq_work *work)
{
	struct portsock_pool *pool = container_of(work, struct pool_shelf, level)->pool;
	void *object;

	shelf_fill(pool, GFP_ATOMIC);
	while ((object = shelf_surplus(pool)))
		kmem_cache_free(pool->cache, object);
}

/* Nobody uses the pool yet. */
static int shelves_fill(struct portsock_pool *pool)
{
	int cpu;

	for_each_possible_cpu(cpu) {
		struct pool_shelf *shelf = per_cpu_ptr(pool->shelves, cpu);

		shelf->pool = pool;
		init_irq_work(&shelf->level, shelf_level);
		while (shelf->nr < SHELF_MAX) {
			void *object = kmem_cache_alloc(pool->cache, GFP_KERNEL);

			if (!object)
				return -ENOMEM;
			shelf_push(shelf, object);
		}
	}
	return 0;
}

/**
 * portsock_pool_init() - make a pool
 * @pool: to set up
 * @name: of its slab cache
 * @size: of its objects, at least that of a pointer
 * @flags: of its slab cache
 *
 * Context: process, may sleep.
 * Return: 0 or -ENOMEM.
 */
int portsock_pool_init(struct portsock_pool *pool, const char *name, size_t size,
		       slab_flags_t flags)
{
	pool->cache = kmem_cache_create(name, size, 0, flags, NULL);
	if (!pool->cache)
		return -ENOMEM;
	pool->shelves = alloc_percpu(struct pool_shelf);
	if (!pool->shelves) {
		kmem_cache_destroy(pool->cache);
		return -ENOMEM;
	}
	if (SHELF_ONLY && shelves_fill(pool)) {
		portsock_pool_exit(pool);
		return -ENOMEM;
	}
	return 0;
}

/**
 * portsock_pool_ready() - many objects will be wanted at once
 * @pool: from here
 *
 * With PREEMPT_RT, lets this CPU have %SHELF_MAX objects at hand.
 *
 * Context: process, may sleep.
 */
void portsock_pool_ready(struct portsock_pool *pool)
{
	if (SHELF_ONLY)
		shelf_fill(pool, GFP_KERNEL);
}

/**
 * portsock_pool_exit() - give everything back
 * @pool: every object of which was put back
 *
 * Context: process, may sleep.
 */
void portsock_pool_exit(struct portsock_pool *pool)
{
	int cpu;

	for_each_possible_cpu(cpu) {
		struct pool_shelf *shelf = per_cpu_ptr(pool->shelves, cpu);

		if (SHELF_ONLY)
			irq_work_sync(&shelf->level);
		while (shelf->top)
			kmem_cache_free(pool->cache, shelf_pop(shelf));
	}
	free_percpu(pool->shelves);
	kmem_cache_destroy(pool->cache);
}
