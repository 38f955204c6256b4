/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Objects of one size. Connections come and go fast, and with each go a record
 * and often a row: a slab allocator takes some hundred instructions for one, a
 * shelf a dozen.
 */
#ifndef PORTSOCK_POOL_H
#define PORTSOCK_POOL_H

#include <linux/irq_work.h>
#include <linux/percpu.h>
#include <linux/slab.h>

/*
 * With PREEMPT_RT the slab allocator takes locks that sleep, so that nobody who
 * holds a raw lock may call it. There objects come from the shelf and go to it
 * only, and a thread of the CPU, which runs as soon as the lock is let go, sees
 * to it that there are some, and not too many.
 */
#ifndef SHELF_ONLY
#define SHELF_ONLY IS_ENABLED(CONFIG_PREEMPT_RT)
#endif

/* Free objects a CPU keeps; none where KASAN is to see every use of them. */
#ifndef SHELF_MAX
#define SHELF_MAX (SHELF_ONLY ? 512 : IS_ENABLED(CONFIG_KASAN) ? 0 : 64)
#endif

/* With SHELF_ONLY there are that many at first, and again when there are fewer than half. */
#define SHELF_LOW (SHELF_MAX / 2)

/**
 * struct pool_shelf - free objects at hand on one CPU
 * @top: the last one put here; its first word points to the one below
 * @nr: how many there are
 * @pool: whose they are
 * @level: with SHELF_ONLY, asks for more or fewer
 */
struct pool_shelf {
	void *top;
	unsigned int nr;
	struct portsock_pool *pool;
	struct irq_work level;
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
void portsock_pool_ready(struct portsock_pool *pool);

/* Both with interrupts off, or before anybody uses the shelf. */
static inline void *shelf_pop(struct pool_shelf *shelf)
{
	void *object = shelf->top;

	shelf->top = *(void **)object;
	shelf->nr--;
	return object;
}

static inline void shelf_push(struct pool_shelf *shelf, void *object)
{
	*(void **)object = shelf->top;
	shelf->top = object;
	shelf->nr++;
}

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

	if (SHELF_ONLY && unlikely(shelf->nr <= SHELF_LOW))
		irq_work_queue(&shelf->level);
	if (unlikely(!shelf->top))
		return SHELF_ONLY ? NULL :
			kmem_cache_alloc(pool->cache, GFP_ATOMIC | __GFP_NOWARN);
	return shelf_pop(shelf);
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

	if (unlikely(shelf->nr >= SHELF_MAX)) {
		if (!SHELF_ONLY) {
			kmem_cache_free(pool->cache, object);
			return;
		}
		irq_work_queue(&shelf->level);
	}
	shelf_push(shelf, object);
}

#endif /* PORTSOCK_POOL_H */
