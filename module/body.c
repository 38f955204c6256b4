// SPDX-License-Identifier: GPL-2.0
/*
 * Room for the numbers of rows.
 */
#include "body.h"

struct portsock_pool portsock_body_pool;

/**
 * portsock_bodies_init() - make room
 *
 * Context: process, may sleep.
 * Return: 0 or -ENOMEM.
 */
int portsock_bodies_init(void)
{
	int err;

	err = portsock_pool_init(&portsock_body_pool, "portsock_body",
				 sizeof(struct portsock_body),
				 SLAB_HWCACHE_ALIGN);
	if (err)
		return err;
	err = portsock_depths_init();
	if (err)
		portsock_pool_exit(&portsock_body_pool);
	return err;
}

/**
 * portsock_bodies_refill() - many may be wanted at once
 *
 * Context: process, may sleep.
 */
void portsock_bodies_refill(void)
{
	portsock_pool_refill(&portsock_body_pool);
	portsock_depths_refill();
}

/**
 * portsock_bodies_exit() - give the room back
 *
 * Context: process, may sleep. All were freed.
 */
void portsock_bodies_exit(void)
{
	portsock_depths_exit();
	portsock_pool_exit(&portsock_body_pool);
}
