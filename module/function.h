/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Functions of the kernel that are watched through ftrace, which loses no call.
 */
#ifndef PORTSOCK_FUNCTION_H
#define PORTSOCK_FUNCTION_H

#include <linux/kprobes.h>
#include <linux/types.h>

#include "compat.h"

/* What a watched function calls. */
typedef void (*portsock_function_t)(struct ftrace_regs *fregs);

unsigned long portsock_function_entry(const struct kprobe *kp);

int portsock_function_add(unsigned long address, portsock_function_t handler,
			  bool release);
void portsock_function_del(unsigned long address, bool release);
bool portsock_function_called(unsigned long address);

int portsock_functions_watch(bool release);
void portsock_functions_unwatch(void);

#endif /* PORTSOCK_FUNCTION_H */
