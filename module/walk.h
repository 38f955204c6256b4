/* SPDX-License-Identifier: GPL-2.0 */
#ifndef PORTSOCK_WALK_H
#define PORTSOCK_WALK_H

#include <linux/types.h>

u64 portsock_walk(void);

#endif /* PORTSOCK_WALK_H */
