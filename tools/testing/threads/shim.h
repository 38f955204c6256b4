/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the module's data structures want from a kernel, for a program with
 * threads. Lists, trees and hashes are those of the kernel's tools/include.
 * Each thread is a CPU and says so in this_cpu. Nothing interrupts it, and no
 * table goes while it runs, so RCU and interrupts have nothing to do.
 */
#ifndef SHIM_H
#define SHIM_H

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <linux/bitmap.h>
#include <linux/bits.h>
#include <linux/compiler.h>
#include <linux/hash.h>
#include <linux/kernel.h>
#include <linux/list.h>
#include <linux/rbtree.h>
#include <linux/time64.h>
#include <linux/types.h>

#define IS_ENABLED(option) 0
#define WARN_ONCE(condition, ...) ((void)(condition))
#undef BUILD_BUG_ON
#define BUILD_BUG_ON(condition) _Static_assert(!(condition), #condition)
#define __percpu

typedef int64_t s64;
#define TASK_COMM_LEN 16
#define noinline __attribute__((noinline))
#define OPTIMIZER_HIDE_VAR(variable) __asm__("" : "=r"(variable) : "0"(variable))
#undef __always_inline
#define __always_inline inline __attribute__((always_inline))
#define struct_size(p, member, n) (sizeof(*(p)) + sizeof(*(p)->member) * (n))
#define div_u64(n, divisor) ((uint64_t)(n) / (divisor))
#define max3(a, b, c) max(max(a, b), c)
#define swap(a, b) do { __typeof__(a) tmp = (a); (a) = (b); (b) = tmp; } while (0)
#define U16_MAX UINT16_MAX
#define U32_MAX UINT32_MAX
typedef struct { int counter; } shim_atomic_t;
typedef struct { s64 counter; } atomic64_t;
#define atomic_t shim_atomic_t
#define ATOMIC_INIT(value) { (value) }
#define ATOMIC64_INIT(value) { (value) }

/* ThreadSanitizer knows no fences, and takes a volatile access for a race. */
#undef smp_rmb
#undef smp_store_release
#define smp_store_release(pointer, value) __atomic_store_n(pointer, value, __ATOMIC_RELEASE)

static inline int shim_dec_if_positive(int *counter)
{
	int now = __atomic_load_n(counter, __ATOMIC_RELAXED);

	while (now > 0 && !__atomic_compare_exchange_n(counter, &now, now - 1, false,
						       __ATOMIC_SEQ_CST, __ATOMIC_RELAXED))
		;
	return now - 1;
}

#ifdef __SANITIZE_THREAD__
#undef READ_ONCE
#undef WRITE_ONCE
#undef test_bit
#define READ_ONCE(x) __atomic_load_n(&(x), __ATOMIC_ACQUIRE)
#define WRITE_ONCE(x, value) __atomic_store_n(&(x), value, __ATOMIC_RELAXED)
#define test_bit(nr, bits) (READ_ONCE((bits)[(nr) / 64]) >> (nr) % 64 & 1)
#define smp_rmb() barrier()
#else
#define smp_rmb() __atomic_thread_fence(__ATOMIC_ACQUIRE)
#endif

#define set_bit(nr, bits) \
	((void)__atomic_fetch_or(&(bits)[(nr) / 64], 1UL << (nr) % 64, __ATOMIC_SEQ_CST))
#define clear_bit(nr, bits) \
	((void)__atomic_fetch_and(&(bits)[(nr) / 64], ~(1UL << (nr) % 64), __ATOMIC_SEQ_CST))

#define atomic_read(v) READ_ONCE((v)->counter)
#define atomic_inc(v) ((void)__atomic_add_fetch(&(v)->counter, 1, __ATOMIC_SEQ_CST))
#define atomic_set(v, value) WRITE_ONCE((v)->counter, value)
#define atomic_add(n, v) ((void)__atomic_add_fetch(&(v)->counter, n, __ATOMIC_SEQ_CST))
#define atomic_sub(n, v) atomic_add(-(n), v)
#define atomic_dec_if_positive(v) shim_dec_if_positive(&(v)->counter)
#define atomic_dec(v) ((void)__atomic_sub_fetch(&(v)->counter, 1, __ATOMIC_SEQ_CST))
#define atomic_try_cmpxchg(v, old, new) \
	__atomic_compare_exchange_n(&(v)->counter, old, new, false, \
				    __ATOMIC_SEQ_CST, __ATOMIC_RELAXED)
#define atomic64_read(v) READ_ONCE((v)->counter)
#define atomic64_sub_return(n, v) __atomic_sub_fetch(&(v)->counter, n, __ATOMIC_SEQ_CST)
#define atomic64_add_return(n, v) __atomic_add_fetch(&(v)->counter, n, __ATOMIC_SEQ_CST)
#define atomic64_add(n, v) ((void)atomic64_add_return(n, v))
#define atomic64_sub(n, v) atomic64_add(-(n), v)
#define atomic64_inc(v) atomic64_add(1, v)

/*
 * Four bytes, as the kernel's are. Spins for a while, as the kernel would, then
 * lets others run, as the holder may not have a processor.
 */
typedef struct { int locked; } arch_spinlock_t;
typedef struct { arch_spinlock_t raw_lock; } raw_spinlock_t;

#define __ARCH_SPIN_LOCK_UNLOCKED { 0 }
#define DEFINE_RAW_SPINLOCK(name) raw_spinlock_t name
#define raw_spin_lock_init(lock) ((lock)->raw_lock.locked = 0)

int sched_yield(void);

static inline void arch_spin_lock(arch_spinlock_t *lock)
{
	int tries = 0;

	while (__atomic_exchange_n(&lock->locked, 1, __ATOMIC_ACQUIRE)) {
		while (READ_ONCE(lock->locked)) {
			if (++tries % 1000 == 0)
				sched_yield();
			__builtin_ia32_pause();
		}
	}
}

static inline bool arch_spin_trylock(arch_spinlock_t *lock)
{
	return !__atomic_exchange_n(&lock->locked, 1, __ATOMIC_ACQUIRE);
}

static inline void arch_spin_unlock(arch_spinlock_t *lock)
{
	__atomic_store_n(&lock->locked, 0, __ATOMIC_RELEASE);
}

#define raw_spin_lock(lock) arch_spin_lock(&(lock)->raw_lock)
#define raw_spin_trylock(lock) arch_spin_trylock(&(lock)->raw_lock)
#define raw_spin_unlock(lock) arch_spin_unlock(&(lock)->raw_lock)
#define raw_spin_lock_irqsave(lock, flags) ((flags) = 0, raw_spin_lock(lock))
#define raw_spin_trylock_irqsave(lock, flags) \
	((flags) = 0, arch_spin_trylock(&(lock)->raw_lock))
#define raw_spin_unlock_irqrestore(lock, flags) ((void)(flags), raw_spin_unlock(lock))

/* The kernel's are aligned; malloc() does less. */
#define CPUS_MAX 16
#define CACHE_LINE 64

extern __thread unsigned int this_cpu;

#define raw_smp_processor_id() this_cpu
#define CELLS_CPU() this_cpu
#define CELLS_NR() CPUS_MAX
#define __read_mostly
#define ____cacheline_aligned_in_smp __attribute__((aligned(CACHE_LINE)))

#define shim_percpu_stride(type) ((sizeof(type) + CACHE_LINE - 1) / CACHE_LINE * CACHE_LINE)
#define per_cpu_ptr(base, cpu) \
	((__typeof__(base))((char *)(base) + (cpu) * shim_percpu_stride(*(base))))
#define this_cpu_ptr(base) per_cpu_ptr(base, this_cpu)
#define raw_cpu_ptr(base) this_cpu_ptr(base)
#define DECLARE_PER_CPU(type, name) extern __thread type name
#define DEFINE_PER_CPU(type, name) __thread type name
#define this_cpu_read(name) (name)
#define this_cpu_write(name, value) ((name) = (value))
#define for_each_possible_cpu(cpu) for ((cpu) = 0; (cpu) < CPUS_MAX; (cpu)++)

static inline void *shim_zalloc(size_t size)
{
	void *object = aligned_alloc(CACHE_LINE, (size + CACHE_LINE - 1) / CACHE_LINE * CACHE_LINE);

	return object ? memset(object, 0, size) : NULL;
}

#define alloc_percpu(type) ((type *)shim_zalloc(CPUS_MAX * shim_percpu_stride(type)))
#define free_percpu(base) free(base)

#define GFP_KERNEL 0
#define GFP_ATOMIC 0
#define __GFP_NOWARN 0
#define SLAB_HWCACHE_ALIGN 1

typedef unsigned int slab_flags_t;

struct kmem_cache {
	size_t size;
	slab_flags_t flags;
};

static inline struct kmem_cache *kmem_cache_create(const char *name, size_t size, int align,
						   slab_flags_t flags, void *constructor)
{
	struct kmem_cache *cache = malloc(sizeof(*cache));

	(void)name, (void)align, (void)constructor;
	if (cache)
		*cache = (struct kmem_cache){ .size = size, .flags = flags };
	return cache;
}

static inline void *kmem_cache_alloc(struct kmem_cache *cache, int gfp)
{
	(void)gfp;
	return cache->flags & SLAB_HWCACHE_ALIGN ? shim_zalloc(cache->size) : malloc(cache->size);
}

#define kmem_cache_free(cache, object) free(object)
#define kmem_cache_destroy(cache) free(cache)
#define kzalloc(size, gfp) shim_zalloc(size)
#define kvzalloc(size, gfp) shim_zalloc(size)
/* Whoever found it may look at it still: it stays. */
#define kvfree_rcu(object, head) ((void)(object))
#define kvmalloc_array(n, size, gfp) shim_zalloc((n) * (size))
#define kvfree(object) free(object)
#define kfree_rcu(object, head) free(object)

struct rcu_head { int nothing; };

#define rcu_read_lock() do { } while (0)
#define rcu_read_unlock() do { } while (0)
#define rcu_assign_pointer(pointer, value) __atomic_store_n(&(pointer), value, __ATOMIC_RELEASE)
#define hlist_load_rcu(node) __atomic_load_n(&(node), __ATOMIC_ACQUIRE)
#define hlist_for_each_entry_rcu(pos, head, member, condition) \
	for (pos = hlist_entry_safe(hlist_load_rcu((head)->first), __typeof__(*(pos)), member); \
	     pos; \
	     pos = hlist_entry_safe(hlist_load_rcu((pos)->member.next), __typeof__(*(pos)), member))

static inline void hlist_add_head_rcu(struct hlist_node *node, struct hlist_head *head)
{
	node->next = head->first;
	node->pprev = &head->first;
	if (head->first)
		head->first->pprev = &node->next;
	__atomic_store_n(&head->first, node, __ATOMIC_RELEASE);
}

static inline void hlist_del_rcu(struct hlist_node *node)
{
	__atomic_store_n(node->pprev, node->next, __ATOMIC_RELAXED);
	if (node->next)
		node->next->pprev = node->pprev;
}

struct mutex { pthread_mutex_t mutex; };

#define DEFINE_MUTEX(name) struct mutex name = { PTHREAD_MUTEX_INITIALIZER }
#define mutex_lock(lock) pthread_mutex_lock(&(lock)->mutex)
#define mutex_unlock(lock) pthread_mutex_unlock(&(lock)->mutex)
#define usleep_range(least, most) ((void)(most), usleep(least))

#define HZ 250

/* Of the machine's own clock: what comes in a second is told apart by it. */
#define jiffies shim_jiffies()

static inline unsigned long shim_jiffies(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
	return now.tv_sec * HZ + now.tv_nsec / (1000000000 / HZ);
}

/* What only PREEMPT_RT has a use for. */
struct irq_work { int nothing; };

#define local_irq_save(flags) ((flags) = 0)
#define local_irq_restore(flags) ((void)(flags))
#define init_irq_work(work, function) ((void)(work), (void)(function))
#define irq_work_queue(work) ((void)(work))
#define irq_work_sync(work) ((void)(work))

#define ktime_get_seconds() time(NULL)
#define ktime_get_mono_fast_ns() shim_ns()

static inline uint64_t shim_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000ULL + now.tv_nsec;
}

#undef synchronize_rcu
#define synchronize_rcu() do { } while (0)
#define cond_resched() do { } while (0)

/* Nobody owns anything. */
#define PF_KTHREAD 1

struct task_struct {
	unsigned int flags;
	int tgid;
	uint64_t start_boottime;
	struct task_struct *group_leader;
};

static inline struct task_struct *shim_current(void)
{
	static struct task_struct kthread = { .flags = PF_KTHREAD };

	return &kthread;
}

#define current shim_current()

/* Of a socket only what waits in it is looked at. */
#define PORTSOCK_COMPAT_H

typedef struct { unsigned int val; } kuid_t;
struct sock {
	unsigned int sk_drops, sk_ack_backlog, sk_max_ack_backlog;
};

#define sk_drops_read(sk) READ_ONCE((sk)->sk_drops)
#define portsock_sk_uid(sk) ((void)(sk), (kuid_t){ })
#define reqsk_queue_len(queue) 0
#define udp_rqueue_get(sk) ((void)(sk), 0)
#define sk_rmem_alloc_get(sk) ((void)(sk), 0)

/* Where the first byte is that is not c, or NULL. */
static inline const void *memchr_inv(const void *start, int c, size_t n)
{
	const char *byte = start;

	while (n-- && *byte == c)
		byte++;
	return n + 1 ? byte : NULL;
}

#endif /* SHIM_H */
