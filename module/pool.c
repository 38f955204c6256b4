// SPDX-License-Identifier: GPL-2.0
/*
 * Connections come and go fast, and with each go a record and often a row. A
 * slab allocator takes some hundred instructions for one, a shelf a dozen.
 */
#include "pool.h"

#include <linux/percpu.h>
#include <linux/slab.h>

/* Free objects a CPU keeps; none where KASAN is to see every use of them. */
#ifndef SHELF_MAX
#define SHELF_MAX (IS_ENABLED(CONFIG_KASAN) ? 0 : 64)
#endif

/**
 * struct pool_shelf - free objects at hand on one CPU
 * @top: the last one put here; its first word points to the one below
 * @nr: how many there are
 */
struct pool_shelf {
	void *top;
	unsigned int nr;
};

/**
 * portsock_pool_get() - get an object
 * @pool: from where
 *
 * Context: any but NMI, interrupts off.
 * Return: the object, its contents undefined, or NULL without memory.
 */
void *portsock_pool_get(struct portsock_pool *pool)
{
	struct pool_shelf *shelf = this_cpu_ptr(pool->shelves);
	void *object = shelf->top;

	if (unlikely(!object))
		return kmem_cache_alloc(pool->cache, GFP_ATOMIC | __GFP_NOWARN);
	shelf->top = *(void **)object;
	shelf->nr--;
	return object;
}

/**
 * portsock_pool_put() - give an object back
 * @pool: where it came from
 * @object: not used any more
 *
 * Context: any but NMI, interrupts off.
 */
void portsock_pool_put(struct portsock_pool *pool, void *object)
{
	struct pool_shelf *shelf = this_cpu_ptr(pool->shelves);

	if (unlikely(shelf->nr == SHELF_MAX)) {
		kmem_cache_free(pool->cache, object);
		return;
	}
	*(void **)object = shelf->top;
	shelf->top = object;
	shelf->nr++;
}

/**
 * portsock_pool_init() - make a pool
 * @pool: to set up
 * @name: of its slab cache
 * @size: of its objects, at least that of a pointer
 *
 * Context: process, may sleep.
 * Return: 0 or -ENOMEM.
 */
int portsock_pool_init(struct portsock_pool *pool, const char *name, size_t size)
{
	pool->cache = kmem_cache_create(name, size, 0, SLAB_HWCACHE_ALIGN, NULL);
	if (!pool->cache)
		return -ENOMEM;
	pool->shelves = alloc_percpu(struct pool_shelf);
	if (!pool->shelves) {
		kmem_cache_destroy(pool->cache);
		return -ENOMEM;
	}
	return 0;
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

		while (shelf->top) {
			void *object = shelf->top;

			shelf->top = *(void **)object;
			kmem_cache_free(pool->cache, object);
		}
	}
	free_percpu(pool->shelves);
	kmem_cache_destroy(pool->cache);
}
