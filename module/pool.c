// SPDX-License-Identifier: GPL-2.0
/*
 * Making and unmaking pools; pool.h has what is done often.
 */
#include "pool.h"

#include <linux/irqflags.h>

DEFINE_PER_CPU(bool, portsock_pools_uneven);

/* Changed while no hook is armed. */
static LIST_HEAD(pools);

/* This CPU's, whichever that is each time. */
static void shelf_fill(struct portsock_pool *pool, gfp_t gfp)
{
	while (READ_ONCE(raw_cpu_ptr(pool->shelves)->nr) < SHELF_MAX) {
		unsigned long flags;
		void *object;

		object = kmem_cache_alloc(pool->cache, gfp | __GFP_NOWARN);
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

static void pool_level(struct portsock_pool *pool)
{
	unsigned int nr = READ_ONCE(raw_cpu_ptr(pool->shelves)->nr);
	void *object;

	if (nr <= SHELF_LOW)
		shelf_fill(pool, GFP_ATOMIC);
	for (; nr > SHELF_MAX; nr--) {
		object = shelf_surplus(pool);
		if (!object)
			break;
		kmem_cache_free(pool->cache, object);
	}
}

/* Run by a thread of the CPU that asked for it. */
static void shelf_level(struct irq_work *work)
{
	pool_level(container_of(work, struct pool_shelf, level)->pool);
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
			void *object;

			object = kmem_cache_alloc(pool->cache, GFP_KERNEL);
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
int portsock_pool_init(struct portsock_pool *pool, const char *name,
		       size_t size, slab_flags_t flags)
{
	pool->cache = kmem_cache_create(name, size, 0, flags, NULL);
	if (!pool->cache)
		return -ENOMEM;
	pool->shelves = alloc_percpu(struct pool_shelf);
	if (!pool->shelves) {
		kmem_cache_destroy(pool->cache);
		return -ENOMEM;
	}
	list_add(&pool->others, &pools);
	if (shelves_fill(pool)) {
		portsock_pool_exit(pool);
		return -ENOMEM;
	}
	return 0;
}

/**
 * portsock_shelf_low() - get an object when few are at hand
 * @shelf: this CPU's
 *
 * Context: any but NMI, interrupts off.
 * Return: the object, or NULL when none is at hand.
 */
void *portsock_shelf_low(struct pool_shelf *shelf)
{
	shelf_ask(shelf);
	return shelf->top ? shelf_pop(shelf) : NULL;
}

/**
 * portsock_pools_level() - let this CPU have enough objects, and not too many
 *
 * Context: any but NMI, no raw lock is held; with PREEMPT_RT process.
 */
void portsock_pools_level(void)
{
	struct portsock_pool *pool;

	this_cpu_write(portsock_pools_uneven, false);
	list_for_each_entry(pool, &pools, others)
		pool_level(pool);
}

/**
 * portsock_pool_refill() - many objects will be wanted at once
 * @pool: from here
 *
 * Lets this CPU have %SHELF_MAX objects at hand. With PREEMPT_RT the caller may
 * have a priority above that of the thread that would see to it.
 *
 * Context: process, may sleep.
 */
void portsock_pool_refill(struct portsock_pool *pool)
{
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

		irq_work_sync(&shelf->level);
		while (shelf->top)
			kmem_cache_free(pool->cache, shelf_pop(shelf));
	}
	list_del(&pool->others);
	free_percpu(pool->shelves);
	kmem_cache_destroy(pool->cache);
}
