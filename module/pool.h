/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Objects of one size. Connections come and go fast, and with each go a record
 * and often a row: a slab allocator takes some hundred instructions for one, a
 * shelf a dozen.
 */
#ifndef PORTSOCK_POOL_H
#define PORTSOCK_POOL_H

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
 * struct portsock_pool - a cache with a few free objects at hand on each CPU
 * @cache: where objects come from and go to
 * @shelves: free objects at hand; each is used on its own CPU only, with
 *	interrupts off
 */
struct portsock_pool {
	struct kmem_cache *cache;
	struct pool_shelf __percpu *shelves;
};

int portsock_pool_init(struct portsock_pool *pool, const char *name, size_t size,
		       slab_flags_t flags);
void portsock_pool_exit(struct portsock_pool *pool);

/**
 * portsock_pool_get() - get an object
 * @pool: from where
 *
 * Context: any but NMI, interrupts off.
 * Return: the object, its contents undefined, or NULL without memory.
 */
static inline void *portsock_pool_get(struct portsock_pool *pool)
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
static inline void portsock_pool_put(struct portsock_pool *pool, void *object)
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

#endif /* PORTSOCK_POOL_H */
