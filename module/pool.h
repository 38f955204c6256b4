/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Objects of one size, had and given back in a few instructions.
 */
#ifndef PORTSOCK_POOL_H
#define PORTSOCK_POOL_H

#include <linux/types.h>

struct kmem_cache;
struct pool_shelf;

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

int portsock_pool_init(struct portsock_pool *pool, const char *name, size_t size);
void portsock_pool_exit(struct portsock_pool *pool);

void *portsock_pool_get(struct portsock_pool *pool);
void portsock_pool_put(struct portsock_pool *pool, void *object);

#endif /* PORTSOCK_POOL_H */
