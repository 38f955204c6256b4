/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Objects of one size. Connections come and go fast, and with each go a record
 * and often a row: a slab allocator takes some hundred instructions for one, a
 * shelf a dozen.
 */
#ifndef PORTSOCK_POOL_H
#define PORTSOCK_POOL_H

#include <linux/irq_work.h>
#include <linux/list.h>
#include <linux/percpu.h>
#include <linux/slab.h>

/*
 * Nobody who holds a raw lock may call the slab allocator, as its own locks are
 * not: with PREEMPT_RT they sleep, and lockdep (CONFIG_PROVE_RAW_LOCK_NESTING)
 * complains without. Hooks hold raw locks, so objects come from the shelf and
 * go to it only. Who let the last lock go then sees to it that there are some,
 * and not too many; with PREEMPT_RT a thread of the CPU does, as hooks are not
 * to be preempted.
 */
#ifndef SHELF_THREAD
#define SHELF_THREAD IS_ENABLED(CONFIG_PREEMPT_RT)
#endif

/*
 * Free objects that a CPU keeps. With %SHELF_LOW or fewer it gets %SHELF_MAX;
 * what it has beyond these it gives back. With KASAN, which is to see who uses
 * a free object, none stays: what was put here last is given back at once, and
 * what was taken is replaced at once.
 */
#ifndef SHELF_MAX
#define SHELF_MAX (SHELF_THREAD ? 512 : IS_ENABLED(CONFIG_KASAN) ? 8 : 64)
#define SHELF_LOW (IS_ENABLED(CONFIG_KASAN) ? SHELF_MAX - 1 : \
		   SHELF_THREAD ? SHELF_MAX / 2 : 8)
#endif

/**
 * struct pool_shelf - free objects at hand on one CPU
 * @top: the last one put here; its first word points to the one below
 * @nr: how many there are
 * @pool: whose they are
 * @level: with a thread, asks it
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
 * @others: among all pools
 */
struct portsock_pool {
	struct kmem_cache *cache;
	struct pool_shelf __percpu *shelves;
	struct list_head others;
};

/* A shelf of this CPU has few objects, or too many. */
DECLARE_PER_CPU(bool, portsock_pools_uneven);

int portsock_pool_init(struct portsock_pool *pool, const char *name,
		       size_t size, slab_flags_t flags);
void portsock_pool_exit(struct portsock_pool *pool);
void portsock_pool_refill(struct portsock_pool *pool);
void *portsock_shelf_low(struct pool_shelf *shelf);
void portsock_pools_level(void);

static inline void shelf_ask(struct pool_shelf *shelf)
{
	if (SHELF_THREAD)
		irq_work_queue(&shelf->level);
	else
		this_cpu_write(portsock_pools_uneven, true);
}

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
 * Return: the object, its contents undefined, or NULL when none is at hand.
 */
static inline void *portsock_pool_get(struct portsock_pool *pool)
{
	struct pool_shelf *shelf = this_cpu_ptr(pool->shelves);

	if (likely(shelf->nr > SHELF_LOW))
		return shelf_pop(shelf);
	return portsock_shelf_low(shelf);
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

	shelf_push(shelf, object);
	if (unlikely(shelf->nr > SHELF_MAX))
		shelf_ask(shelf);
}

/**
 * portsock_pools_settle() - objects were got or given back
 *
 * Context: any but NMI; the raw locks that were held meanwhile no longer are.
 */
static inline void portsock_pools_settle(void)
{
	if (!SHELF_THREAD && unlikely(this_cpu_read(portsock_pools_uneven)))
		portsock_pools_level();
}

#endif /* PORTSOCK_POOL_H */
