/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Does this kernel, as it was compiled, pass the hooks?
 */
#ifndef PORTSOCK_SELFTEST_H
#define PORTSOCK_SELFTEST_H

#include <linux/types.h>

void portsock_selftest(void);
bool portsock_selftest_due(void);
bool portsock_selftest_passed(void);

#endif /* PORTSOCK_SELFTEST_H */
