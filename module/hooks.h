/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Where the kernel is watched.
 */
#ifndef PORTSOCK_HOOKS_H
#define PORTSOCK_HOOKS_H

#include <linux/types.h>

/**
 * struct portsock_hook_counts - how many hooks of which kind are armed
 * @kprobes: at function entry, where the path is process context only
 * @ftrace: own ftrace_ops, where softirq would lose kprobes
 * @tracepoints: tracepoints
 */
struct portsock_hook_counts {
	unsigned int kprobes;
	unsigned int ftrace;
	unsigned int tracepoints;
};

int portsock_hooks_arm(void);
void portsock_hooks_disarm(void);

void portsock_hooks_count(struct portsock_hook_counts *counts);
u64 portsock_hooks_missed(void);
void portsock_hooks_met(int proto);
void portsock_hooks_meet_anew(void);
bool portsock_hooks_see(void);
bool portsock_hooks_called(const char *symbol);
bool portsock_hooks_lost(const char *symbol, const char *what);
bool portsock_hooks_alive(void);
void portsock_hooks_beat(void);

#endif /* PORTSOCK_HOOKS_H */
