/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What differs between kernels, and nothing else.
 */
#ifndef PORTSOCK_COMPAT_H
#define PORTSOCK_COMPAT_H

#include <linux/ftrace.h>
#include <linux/ptrace.h>
#include <net/inet_hashtables.h>

/* Declared in no public header; exported by dccp.ko, which left in 6.16. */
extern struct inet_hashinfo dccp_hashinfo;

/*
 * Since 5.11 x86 hands ftrace callbacks their arguments without a full
 * register save; ftrace_regs_get_argument() came later (6.2).
 */
static __always_inline unsigned long
portsock_ftrace_argument(struct ftrace_regs *fregs, unsigned int n)
{
	return regs_get_kernel_argument(&fregs->regs, n);
}

#endif /* PORTSOCK_COMPAT_H */
