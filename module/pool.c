// SPDX-License-Identifier: GPL-2.0
/*
 * Making and unmaking pools; pool.h has what is done often.
 */
#include "pool.h"

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
