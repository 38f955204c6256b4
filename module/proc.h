/* SPDX-License-Identifier: GPL-2.0 */
/*
 * /proc/portsock.
 */
#ifndef PORTSOCK_PROC_H
#define PORTSOCK_PROC_H

int portsock_proc_init(void);
void portsock_proc_exit(void);

#endif /* PORTSOCK_PROC_H */
