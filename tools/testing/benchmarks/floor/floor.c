// SPDX-License-Identifier: GPL-2.0
/*
 * The least that portsock can cost: empty probes, of the same kinds, at the same
 * places, in the same order. The table of hooks is that of module/hooks.c, which
 * the build cuts out of it. For benchmarks only.
 *
 * With count=1 the probes count; the parameter hits then has a line for each:
 * kind, symbol, hits. The parameter armed has the numbers of probes of each kind.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/ftrace.h>
#include <linux/kernel.h>
#include <linux/kprobes.h>
#include <linux/module.h>
#include <linux/tracepoint.h>

#include "compat.h"

static bool count;
module_param(count, bool, 0444);
MODULE_PARM_DESC(count, "count the hits");

enum hook_kind {
	HOOK_KPROBE,
	HOOK_KRETPROBE,
	HOOK_FTRACE,
	HOOK_TRACEPOINT,
	HOOK_KINDS,
};

/**
 * struct hook - a place to probe
 * @symbol: function or tracepoint
 * @module: it is part of this module
 * @absent: this kernel was built without it
 * @kind: how it is probed
 * @armed: it is
 * @hits: how often it was passed, with count=1
 * @kp: for HOOK_KPROBE
 * @rp: for HOOK_KRETPROBE
 * @ops: for HOOK_FTRACE
 * @tp: for HOOK_TRACEPOINT
 */
struct hook {
	const char *symbol;
	const char *module;
	bool absent;
	enum hook_kind kind;
	bool armed;
	unsigned long hits;
	union {
		struct kprobe kp;
		struct kretprobe rp;
		struct ftrace_ops ops;
		struct tracepoint *tp;
	};
};

#define KPROBE(_symbol, _handler, ...) \
	{ .symbol = _symbol, .kind = HOOK_KPROBE, ##__VA_ARGS__ }
#define KRETPROBE(_symbol, _call, _handler, ...) \
	{ .symbol = _symbol, .kind = HOOK_KRETPROBE, ##__VA_ARGS__ }
#define FTRACE(_symbol, _handler, ...) \
	{ .symbol = _symbol, .kind = HOOK_FTRACE, ##__VA_ARGS__ }
#define TRACEPOINT(_symbol, _handler, ...) \
	{ .symbol = _symbol, .kind = HOOK_TRACEPOINT, ##__VA_ARGS__ }

#include "hooks.inc"

/* What portsock has of the same name, so that the table fits. */
noinline void portsock_hooks_beat(void)
{
	barrier();
}

static int kprobe_empty(struct kprobe *kp, struct pt_regs *regs)
{
	return 0;
}

static int kprobe_count(struct kprobe *kp, struct pt_regs *regs)
{
	container_of(kp, struct hook, kp)->hits++;
	return 0;
}

static int call_empty(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	return 0;
}

static int return_empty(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	return 0;
}

static void notrace ftrace_empty(unsigned long ip, unsigned long parent_ip,
				 struct ftrace_ops *ops, struct ftrace_regs *fregs)
{
}

static void notrace ftrace_count(unsigned long ip, unsigned long parent_ip,
				 struct ftrace_ops *ops, struct ftrace_regs *fregs)
{
	container_of(ops, struct hook, ops)->hits++;
}

/* The arguments that follow are nobody's business. */
static void tracepoint_empty(void *data)
{
}

static void tracepoint_count(void *data)
{
	((struct hook *)data)->hits++;
}

static void *tracepoint_handler(void)
{
	return count ? tracepoint_count : tracepoint_empty;
}

static void tracepoint_match(struct tracepoint *tp, void *priv)
{
	struct hook *hook = priv;

	if (!strcmp(tp->name, hook->symbol))
		hook->tp = tp;
}

static int tracepoint_arm(struct hook *hook)
{
	for_each_kernel_tracepoint(tracepoint_match, hook);
	if (!hook->tp)
		return -ENOENT;
	return tracepoint_probe_register(hook->tp, tracepoint_handler(), hook);
}

static int ftrace_arm(struct hook *hook)
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
		.func = count ? ftrace_count : ftrace_empty,
		.flags = PORTSOCK_FTRACE_FLAGS,
	};
	err = ftrace_set_filter_ip(&hook->ops, (unsigned long)kp.addr, 0, 0);
	return err ?: register_ftrace_function(&hook->ops);
}

static int kprobe_arm(struct hook *hook)
{
	hook->kp = (struct kprobe){
		.symbol_name = hook->symbol,
		.pre_handler = count ? kprobe_count : kprobe_empty,
	};
	return register_kprobe(&hook->kp);
}

static int hook_arm(struct hook *hook)
{
	switch (hook->kind) {
	case HOOK_KPROBE:
		return kprobe_arm(hook);
	case HOOK_KRETPROBE:
		/* its calls are what is counted */
		if (count)
			return kprobe_arm(hook);
		hook->rp = (struct kretprobe){
			.kp.symbol_name = hook->symbol,
			.entry_handler = call_empty,
			.handler = return_empty,
			.maxactive = 512,
			.data_size = 16,
		};
		return register_kretprobe(&hook->rp);
	case HOOK_FTRACE:
		return ftrace_arm(hook);
	case HOOK_TRACEPOINT:
		return tracepoint_arm(hook);
	default:
		return -EINVAL;
	}
}

static void hook_disarm(struct hook *hook)
{
	switch (hook->kind) {
	case HOOK_KPROBE:
		unregister_kprobe(&hook->kp);
		break;
	case HOOK_KRETPROBE:
		if (count)
			unregister_kprobe(&hook->kp);
		else
			unregister_kretprobe(&hook->rp);
		break;
	case HOOK_FTRACE:
		unregister_ftrace_function(&hook->ops);
		ftrace_free_filter(&hook->ops);
		break;
	case HOOK_TRACEPOINT:
		tracepoint_probe_unregister(hook->tp, tracepoint_handler(), hook);
		break;
	default:
		break;
	}
	hook->armed = false;
}

static const char * const kind_names[HOOK_KINDS] = {
	[HOOK_KPROBE] = "kprobe",
	[HOOK_KRETPROBE] = "kretprobe",
	[HOOK_FTRACE] = "ftrace",
	[HOOK_TRACEPOINT] = "tracepoint",
};

static int hits_get(char *buffer, const struct kernel_param *param)
{
	int length = 0;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(hooks); i++)
		if (hooks[i].armed)
			length += scnprintf(buffer + length, PAGE_SIZE - length,
					    "%s %s %lu\n", kind_names[hooks[i].kind],
					    hooks[i].symbol, hooks[i].hits);
	return length;
}

static const struct kernel_param_ops hits_ops = {
	.get = hits_get,
};

module_param_cb(hits, &hits_ops, NULL, 0444);
MODULE_PARM_DESC(hits, "kind, symbol and hits of each probe");

static int armed_get(char *buffer, const struct kernel_param *param)
{
	int kinds[HOOK_KINDS] = { };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(hooks); i++)
		kinds[hooks[i].kind] += hooks[i].armed;
	return scnprintf(buffer, PAGE_SIZE,
			 "%d kprobes, %d kretprobes, %d ftrace hooks, %d tracepoints\n",
			 kinds[HOOK_KPROBE], kinds[HOOK_KRETPROBE],
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
		if (hooks[i].absent)
			continue;
		err = hook_arm(&hooks[i]);
		if (err == -ENOENT && hooks[i].module)
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
