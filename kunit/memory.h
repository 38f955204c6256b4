/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The memory that the code under test gets: none when a case says so, never
 * clean, and counted. Comes before that code.
 */
#ifndef PORTSOCK_KUNIT_MEMORY_H
#define PORTSOCK_KUNIT_MEMORY_H

#include <kunit/test.h>
#include <linux/irq_work.h>
#include <linux/irqflags.h>
#include <linux/limits.h>
#include <linux/mm.h>
#include <linux/percpu.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <linux/string.h>

/* So many allocations succeed, and then none, or all but one. */
static int memory_left = INT_MAX;
static bool memory_lacks_one;

/*
 * What was allocated and not given back. Objects of a cache are not in it, as
 * kmem_cache_destroy() misses them.
 */
static int memory_held;

/* What the RCU grace period of a case has not freed yet. */
static void *memory_freed[16];
static size_t memory_freed_nr;

static inline void memory_begin(void)
{
	memory_left = INT_MAX;
	memory_lacks_one = false;
	memory_held = 0;
}

/* Ends a case: nothing is left of what it had; interrupts are as they were. */
static inline void memory_end(struct kunit *test)
{
	while (memory_freed_nr)
		kfree(memory_freed[--memory_freed_nr]);
	KUNIT_EXPECT_EQ(test, memory_held, 0);
	KUNIT_EXPECT_FALSE(test, irqs_disabled());
}

static inline bool memory_short(void)
{
	if (memory_left) {
		memory_left--;
		return false;
	}
	if (memory_lacks_one)
		memory_left = INT_MAX;
	return true;
}

static inline void *memory_got(void *memory)
{
	if (memory)
		memory_held++;
	return memory;
}

static inline void memory_gave(const void *memory)
{
	if (memory)
		memory_held--;
}

static inline void *memory_soiled(void *memory, size_t size)
{
	return memory ? memset(memory, 0x5a, size) : NULL;
}

static inline struct kmem_cache *memory_cache(const char *name, size_t size,
					      slab_flags_t flags)
{
	if (memory_short())
		return NULL;
	return memory_got(kmem_cache_create(name, size, 0, flags, NULL));
}

static inline void memory_cache_destroy(struct kmem_cache *cache)
{
	memory_gave(cache);
	kmem_cache_destroy(cache);
}

static inline void *memory_object(struct kmem_cache *cache, gfp_t flags)
{
	if (memory_short())
		return NULL;
	return memory_soiled(kmem_cache_alloc(cache, flags),
			     kmem_cache_size(cache));
}

static inline void __percpu *memory_percpu(size_t size, size_t align)
{
	void __percpu *memory;

	memory = memory_short() ? NULL : __alloc_percpu(size, align);
	if (memory)
		memory_held++;
	return memory;
}

static inline void memory_free_percpu(void __percpu *memory)
{
	if (memory)
		memory_held--;
	free_percpu(memory);
}

static inline void *memory_array(size_t nr, size_t size, gfp_t flags)
{
	if (memory_short())
		return NULL;
	return memory_got(memory_soiled(kvmalloc_array(nr, size, flags),
					nr * size));
}

static inline void memory_free_array(const void *memory)
{
	memory_gave(memory);
	kvfree(memory);
}

static inline void *memory_zeroed(size_t size, gfp_t flags)
{
	return memory_short() ? NULL : memory_got(kzalloc(size, flags));
}

/* Nobody else looks at it. */
static inline void memory_free_zeroed(const void *memory)
{
	memory_gave(memory);
	kfree(memory);
}

static inline void memory_free_later(void *memory)
{
	memory_gave(memory);
	if (!WARN_ON(memory_freed_nr == ARRAY_SIZE(memory_freed)))
		memory_freed[memory_freed_nr++] = memory;
}

/*
 * Objects that a CPU has at hand from the start. Others are allocated when
 * they are wanted and freed when they are not, at once, unless a suite has
 * sizes of its own.
 */
#ifndef SHELF_MAX
static unsigned int memory_at_hand;

#define SHELF_THREAD 1
#define SHELF_MAX memory_at_hand
#define SHELF_LOW 0

static inline void memory_work(struct irq_work *work, bool wanted)
{
	unsigned int at_hand = memory_at_hand;

	memory_at_hand = wanted;
	work->func(work);
	memory_at_hand = at_hand;
}

#define irq_work_queue(work) \
	memory_work(work, !container_of(work, struct pool_shelf, level)->top)
#endif

#undef alloc_percpu
#undef kfree_rcu
#undef kvfree_rcu
#define kmem_cache_create(name, size, align, flags, ctor) \
	memory_cache(name, size, flags)
#define kmem_cache_destroy(cache) memory_cache_destroy(cache)
#define kmem_cache_alloc(cache, flags) memory_object(cache, flags)
#define alloc_percpu(type) \
	((type __percpu *)memory_percpu(sizeof(type), __alignof__(type)))
#define free_percpu(memory) memory_free_percpu(memory)
#define kvmalloc_array(nr, size, flags) memory_array(nr, size, flags)
#define kvfree(memory) memory_free_array(memory)
#define kzalloc(size, flags) memory_zeroed(size, flags)
#define kfree_rcu(memory, member) memory_free_later(memory)
#define kvzalloc(size, flags) memory_zeroed(size, flags)
#define kvfree_rcu(memory, member) memory_free_zeroed(memory)

#endif /* PORTSOCK_KUNIT_MEMORY_H */
