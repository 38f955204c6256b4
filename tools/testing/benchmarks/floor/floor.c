// SPDX-License-Identifier: GPL-2.0
/*
 * The least that portsock can cost: empty probes, of the same kinds, at the same
 * places, in the same order. The table of hooks is that of module/hooks.c, which
 * the build cuts out of it. For benchmarks only.
 *
 * The parameter armed has the numbers of probes of each kind, costs the
 * instructions that an empty one takes, on one processor whose time stamp counter
 * counts these.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/ftrace.h>
#include <linux/kernel.h>
#include <linux/kprobes.h>
#include <linux/module.h>
#include <linux/tracepoint.h>
#include <asm/tsc.h>

#include "compat.h"
#include "portsock.h"

enum hook_kind {
	HOOK_KPROBE,
	HOOK_FTRACE,
	HOOK_TRACEPOINT,
	HOOK_KINDS,
};

/**
 * struct portsock_probe - a place to probe
 * @symbol: function or tracepoint
 * @module: it is part of this module
 * @protos: others do not need it
 * @instead: it stands in for another one
 * @absent: this kernel was built without it
 * @kind: how it is probed
 * @armed: it is
 * @kp: for HOOK_KPROBE
 * @ops: for HOOK_FTRACE
 * @tp: for HOOK_TRACEPOINT
 */
struct portsock_probe {
	const char *symbol;
	const char *module;
	unsigned long protos;
	const char *instead;
	bool absent;
	enum hook_kind kind;
	bool armed;
	union {
		struct kprobe kp;
		struct ftrace_ops ops;
		struct tracepoint *tp;
	};
};

#define KPROBE(_symbol, _handler, ...) \
	{ .symbol = _symbol, .kind = HOOK_KPROBE, ##__VA_ARGS__ }
#define RELEASE(_symbol, _handler, ...) \
	{ .symbol = _symbol, .kind = HOOK_FTRACE, ##__VA_ARGS__ }
#define ACQUISITION RELEASE
#define ACQUISITION_V6(_symbol, _handler, ...)				\
	RELEASE(_symbol, _handler, .absent = !IS_ENABLED(CONFIG_IPV6), ##__VA_ARGS__)
#define TRACEPOINT(_name, _handler) \
	{ .symbol = #_name, .kind = HOOK_TRACEPOINT }

#include "hooks.inc"

/* What portsock has of the same name, so that the table fits. */
void portsock_kprobe_test(void);
noinline void portsock_kprobe_test(void)
{
	barrier();
}

static int kprobe_empty(struct kprobe *kp, struct pt_regs *regs)
{
	return 0;
}

static void notrace ftrace_empty(unsigned long ip, unsigned long parent_ip,
				 struct ftrace_ops *ops, struct ftrace_regs *fregs)
{
}

/* The arguments that follow are nobody's business. */
static void tracepoint_empty(void *data)
{
}

static void tracepoint_match(struct tracepoint *tp, void *priv)
{
	struct portsock_probe *hook = priv;

	if (!strcmp(tp->name, hook->symbol))
		hook->tp = tp;
}

static int tracepoint_arm(struct portsock_probe *hook)
{
	for_each_kernel_tracepoint(tracepoint_match, hook);
	if (!hook->tp)
		return -ENOENT;
	return tracepoint_probe_register(hook->tp, tracepoint_empty, hook);
}

static int ftrace_arm(struct portsock_probe *hook)
{
	struct kprobe kp = {
		.symbol_name = hook->symbol,
		.flags = KPROBE_FLAG_DISABLED,
	};
	int err;

	err = register_kprobe(&kp);
	if (err)
		return err;
	unregister_kprobe(&kp);
	hook->ops = (struct ftrace_ops){
		.func = ftrace_empty,
		.flags = PORTSOCK_FTRACE_FLAGS,
	};
	err = ftrace_set_filter_ip(&hook->ops, (unsigned long)kp.addr, 0, 0);
	return err ?: register_ftrace_function(&hook->ops);
}

static int hook_arm(struct portsock_probe *hook)
{
	switch (hook->kind) {
	case HOOK_KPROBE:
		hook->kp = (struct kprobe){
			.symbol_name = hook->symbol,
			.pre_handler = kprobe_empty,
		};
		return register_kprobe(&hook->kp);
	case HOOK_FTRACE:
		return ftrace_arm(hook);
	case HOOK_TRACEPOINT:
		return tracepoint_arm(hook);
	default:
		return -EINVAL;
	}
}

static void hook_disarm(struct portsock_probe *hook)
{
	switch (hook->kind) {
	case HOOK_KPROBE:
		unregister_kprobe(&hook->kp);
		break;
	case HOOK_FTRACE:
		unregister_ftrace_function(&hook->ops);
		ftrace_free_filter(&hook->ops);
		break;
	case HOOK_TRACEPOINT:
		tracepoint_probe_unregister(hook->tp, tracepoint_empty, hook);
		break;
	default:
		break;
	}
	hook->armed = false;
}

static const char * const kind_names[HOOK_KINDS] = {
	[HOOK_KPROBE] = "kprobe",
	[HOOK_FTRACE] = "ftrace",
	[HOOK_TRACEPOINT] = "tracepoint",
};

DECLARE_TRACE(floor_point, TP_PROTO(int n), TP_ARGS(n));

/* Since 6.16 all but the declaration has a longer name. */
#ifdef DECLARE_TRACE_EVENT
DEFINE_TRACE(floor_point_tp, TP_PROTO(int n), TP_ARGS(n));
#define trace_floor_point trace_floor_point_tp
#define __tracepoint_floor_point __tracepoint_floor_point_tp
#else
DEFINE_TRACE(floor_point, TP_PROTO(int n), TP_ARGS(n));
#endif

void floor_target(int n);
noinline void floor_target(int n)
{
	trace_floor_point(n);
}

#define CALLS 1000

/* Instructions that CALLS calls of the target take; the least of some tries. */
static u64 target_time(void)
{
	u64 least = U64_MAX;
	int try, i;

	for (try = 0; try < 10; try++) {
		u64 start = rdtsc();

		for (i = 0; i < CALLS; i++)
			floor_target(i);
		least = min(least, rdtsc() - start);
	}
	return least;
}

static int target_arm(struct portsock_probe *target)
{
	if (target->kind != HOOK_TRACEPOINT)
		return hook_arm(target);
	target->tp = &__tracepoint_floor_point;
	return tracepoint_probe_register(target->tp, tracepoint_empty, target);
}

static int costs_get(char *buffer, const struct kernel_param *param)
{
	static struct portsock_probe target = { .symbol = "floor_target" };
	enum hook_kind kind;
	int length = 0;

	for (kind = 0; kind < HOOK_KINDS; kind++) {
		u64 before = target_time(), with;
		int err;

		target.kind = kind;
		err = target_arm(&target);
		if (err)
			return err;
		with = target_time();
		hook_disarm(&target);
		length += scnprintf(buffer + length, PAGE_SIZE - length,
				    "%s %lld\n", kind_names[kind],
				    (s64)(with - before) / CALLS);
	}
	tracepoint_synchronize_unregister();
	return length;
}

static const struct kernel_param_ops costs_ops = {
	.get = costs_get,
};

module_param_cb(costs, &costs_ops, NULL, 0400);
MODULE_PARM_DESC(costs, "instructions of an empty probe of each kind");

static int armed_get(char *buffer, const struct kernel_param *param)
{
	int kinds[HOOK_KINDS] = { };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(hooks); i++)
		kinds[hooks[i].kind] += hooks[i].armed;
	return scnprintf(buffer, PAGE_SIZE,
			 "%d kprobes, %d ftrace hooks, %d tracepoints\n",
			 kinds[HOOK_KPROBE],
			 kinds[HOOK_FTRACE], kinds[HOOK_TRACEPOINT]);
}

static const struct kernel_param_ops armed_ops = {
	.get = armed_get,
};

module_param_cb(armed, &armed_ops, NULL, 0444);
MODULE_PARM_DESC(armed, "numbers of probes, as portsock says them");

static void floor_exit(void)
{
	size_t i;

	for (i = ARRAY_SIZE(hooks); i > 0; i--)
		if (hooks[i - 1].armed)
			hook_disarm(&hooks[i - 1]);
	tracepoint_synchronize_unregister();
}

static int __init floor_init(void)
{
	size_t i;
	int err;

	for (i = 0; i < ARRAY_SIZE(hooks); i++) {
		if (hooks[i].absent || hooks[i].instead)
			continue;
		err = hook_arm(&hooks[i]);
		if (err == -ENOENT && (hooks[i].module || hooks[i].protos))
			continue;
		if (err) {
			pr_err("cannot probe %s: error %d\n", hooks[i].symbol, err);
			floor_exit();
			return err;
		}
		hooks[i].armed = true;
	}
	return 0;
}

module_init(floor_init);
module_exit(floor_exit);

MODULE_DESCRIPTION("Empty probes where portsock has its own");
MODULE_LICENSE("GPL");
