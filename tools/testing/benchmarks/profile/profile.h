/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Included in front of the module's sources: whoever registers a probe, or gets
 * an object from a pool, is led to profile.c.
 */
#ifndef PROFILE_H
#define PROFILE_H

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/ftrace.h>
#include <linux/kprobes.h>
#include <linux/tracepoint.h>

#include "pool.h"

int profile_register_kprobe(struct kprobe *kp);
int profile_register_ftrace_function(struct ftrace_ops *ops);
int profile_tracepoint_probe_register(struct tracepoint *tp, void *probe, void *data);
int profile_tracepoint_probe_unregister(struct tracepoint *tp, void *probe, void *data);
void *profile_pool_get(struct portsock_pool *pool);
void profile_pool_put(struct portsock_pool *pool, void *object);

#ifndef PROFILE_ITSELF
#define portsock_pool_get(pool) profile_pool_get(pool)
#define portsock_pool_put(pool, object) profile_pool_put(pool, object)
#endif

#ifdef PROFILE_HOOKS
#define register_kprobe(kp) profile_register_kprobe(kp)
#define register_ftrace_function(ops) profile_register_ftrace_function(ops)
#define tracepoint_probe_register(tp, probe, data) \
	profile_tracepoint_probe_register(tp, probe, data)
#define tracepoint_probe_unregister(tp, probe, data) \
	profile_tracepoint_probe_unregister(tp, probe, data)
#endif

#endif /* PROFILE_H */
