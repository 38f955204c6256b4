/* SPDX-License-Identifier: GPL-2.0 */
/*
 * How raw spinlocks are taken here, always with interrupts off. A connection
 * takes about twenty of them, and the kernel's functions spend most of their
 * instructions on calls and on preemption, which is off as well. A kernel that
 * checks locks is told of all of them.
 */
#ifndef PORTSOCK_LOCK_H
#define PORTSOCK_LOCK_H

#include <linux/irqflags.h>
#include <linux/kconfig.h>
#include <linux/spinlock.h>

#define LOCKS_CHECKED \
	(IS_ENABLED(CONFIG_DEBUG_SPINLOCK) || IS_ENABLED(CONFIG_LOCKDEP))

/* Interrupts are off. */
static __always_inline void raw_lock(raw_spinlock_t *lock)
	__acquires(lock)
{
	if (LOCKS_CHECKED) {
		raw_spin_lock(lock);
	} else {
		__acquire(lock);
		arch_spin_lock(&lock->raw_lock);
	}
}

/* Returns false if somebody else has the lock. Ends with raw_unlock_some(). */
static __always_inline bool raw_trylock(raw_spinlock_t *lock)
{
	if (LOCKS_CHECKED)
		return raw_spin_trylock(lock);
	return arch_spin_trylock(&lock->raw_lock);
}

static __always_inline void raw_unlock(raw_spinlock_t *lock)
	__releases(lock)
{
	if (LOCKS_CHECKED) {
		raw_spin_unlock(lock);
	} else {
		arch_spin_unlock(&lock->raw_lock);
		__release(lock);
	}
}

/*
 * The same for locks which some of those that come there take, and others do
 * not: sparse cannot follow that, and takes them for locks that nobody has.
 */
static __always_inline void raw_lock_some(raw_spinlock_t *lock)
{
	raw_lock(lock);
	__release(lock);
}

static __always_inline void raw_unlock_some(raw_spinlock_t *lock)
{
	__acquire(lock);
	raw_unlock(lock);
}

#define raw_lock_irqsave(lock, flags) \
do { \
	local_irq_save(flags); \
	raw_lock(lock); \
} while (0)

static __always_inline void raw_unlock_irqrestore(raw_spinlock_t *lock,
						  unsigned long flags)
	__releases(lock)
{
	raw_unlock(lock);
	local_irq_restore(flags);
}

#endif /* PORTSOCK_LOCK_H */
