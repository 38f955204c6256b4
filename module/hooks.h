/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Where the kernel is watched.
 */
#ifndef PORTSOCK_HOOKS_H
#define PORTSOCK_HOOKS_H

int portsock_hooks_arm(void);

#endif /* PORTSOCK_HOOKS_H */
