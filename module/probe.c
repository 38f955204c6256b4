// SPDX-License-Identifier: GPL-2.0
/*
 * How the kernel is watched.
 *
 * To unregister an ftrace_ops takes a grace period of all tasks, so two of them
 * serve all functions: one those that release something, one those that acquire.
 */
#include "probe.h"

#include <linux/ftrace.h>
#include <linux/hash.h>
#include <linux/slab.h>
#include <linux/string.h>

/* No function's address. */
#define GONE 1

/* That of a function that was not called yet: nor is this the address of one. */
#define NOT_CALLED(address) (~(address))

/**
 * struct function - a function watched through ftrace
 * @address: as ftrace tells it, 0 in a slot never used, GONE in one that was, and
 *	NOT_CALLED() before the first call
 * @handler: what to do when it is called
 *
 * Written before the function is watched, read by on_function().
 */
struct function {
	unsigned long address;
	portsock_function_t handler;
};

#define FUNCTIONS_BITS 7

static struct function functions[1 << FUNCTIONS_BITS];

/* Few of many slots are in use, so that nearly each is found at once. */
static struct function *function_after(struct function *function)
{
	if (++function == &functions[ARRAY_SIZE(functions)])
		function = functions;
	return function;
}

static void notrace on_function(unsigned long ip, unsigned long parent_ip,
				struct ftrace_ops *ops, struct ftrace_regs *fregs)
{
	struct function *function = &functions[hash_long(ip, FUNCTIONS_BITS)];
	unsigned long address;

	/* pairs with function_add() */
	while (unlikely((address = smp_load_acquire(&function->address)) != ip)) {
		/* called while it ceases to be watched */
		if (!address)
			return;
		if (address == NOT_CALLED(ip))
			cmpxchg(&function->address, address, ip);
		else
			function = function_after(function);
	}
	function->handler(fregs);
}

/**
 * struct watch - functions whose calls pass on_function()
 * @ops: with the addresses of these functions as its filter
 * @armed: it is registered; its filter must not become empty then, as an empty
 *	one stands for all functions
 */
struct watch {
	struct ftrace_ops ops;
	bool armed;
};

/* Permanent: kernel.ftrace_enabled cannot be cleared while it is armed. */
#define WATCH							\
	{ .ops = { .func = on_function,				\
		   .flags = FTRACE_OPS_FL_PERMANENT | PORTSOCK_FTRACE_FLAGS } }

static struct watch releases = WATCH;
static struct watch acquisitions = WATCH;

static struct watch *probe_watch(const struct portsock_probe *probe)
{
	switch (probe->kind) {
	case PORTSOCK_RELEASE:
		return &releases;
	case PORTSOCK_ACQUISITION:
		return &acquisitions;
	default:
		return NULL;
	}
}

/*
 * Where ftrace steps into a function. A kprobe that relies on ftrace is there; on
 * arm64 none does, and it is behind one instruction, or two with BTI. A filter
 * takes no other address but that of the function. 0: nowhere.
 */
static unsigned long function_entry(const struct kprobe *kp)
{
	unsigned long address = (unsigned long)kp->addr;
	struct ftrace_ops ops = { };
	int i;

	if (kp->flags & KPROBE_FLAG_FTRACE)
		return address;
	for (i = 0; i < 2; i++) {
		address += MCOUNT_INSN_SIZE;
		if (!ftrace_set_filter_ip(&ops, address, 0, 0)) {
			ftrace_free_filter(&ops);
			return address;
		}
	}
	return 0;
}

/*
 * Addresses of functions are not for modules, but a probe's is. The caller
 * unregisters the probe.
 */
static int function_find(struct portsock_probe *probe)
{
	int err;

	probe->kp = (struct kprobe){
		.symbol_name = probe->symbol,
		.flags = KPROBE_FLAG_DISABLED,
	};
	err = register_kprobe(&probe->kp);
	if (err)
		return err;
	probe->address = function_entry(&probe->kp);
	if (!probe->address) {
		unregister_kprobe(&probe->kp);
		err = -EINVAL;
	}
	return err;
}

/* Watched at once if others of its kind are. */
static int function_add(struct portsock_probe *probe)
{
	struct function *function = &functions[hash_long(probe->address, FUNCTIONS_BITS)];

	while (function->address > GONE)
		function = function_after(function);
	WRITE_ONCE(function->handler, probe->on_call);
	/* whoever finds the address finds its handler */
	smp_store_release(&function->address, NOT_CALLED(probe->address));
	return ftrace_set_filter_ip(&probe_watch(probe)->ops, probe->address, 0, 0);
}

/* The caller has added it. */
static struct function *function_of(const struct portsock_probe *probe)
{
	struct function *function = &functions[hash_long(probe->address, FUNCTIONS_BITS)];
	unsigned long address;

	while ((address = READ_ONCE(function->address)) != probe->address &&
	       address != NOT_CALLED(probe->address))
		function = function_after(function);
	return function;
}

static void function_del(struct portsock_probe *probe)
{
	ftrace_set_filter_ip(&probe_watch(probe)->ops, probe->address, 1, 0);
	WRITE_ONCE(function_of(probe)->address, GONE);
}

static int watch_arm(struct watch *watch)
{
	int err;

	if (watch->armed)
		return 0;
	err = register_ftrace_function(&watch->ops);
	watch->armed = !err;
	return err;
}

static void watch_disarm(struct watch *watch)
{
	if (watch->armed)
		unregister_ftrace_function(&watch->ops);
	watch->armed = false;
	ftrace_free_filter(&watch->ops);
}

static void tracepoint_match(struct tracepoint *tp, void *priv)
{
	struct portsock_probe *probe = priv;

	if (!strcmp(tp->name, probe->symbol))
		probe->tp = tp;
}

static int tracepoint_arm(struct portsock_probe *probe)
{
	probe->tp = NULL;
	for_each_kernel_tracepoint(tracepoint_match, probe);
	if (!probe->tp)
		return -ENOENT;
	return tracepoint_probe_register(probe->tp, probe->on_trace, NULL);
}

/* Of a function watched through ftrace the address is in the filter. */
static int probe_arm(struct portsock_probe *probe)
{
	int err = -EINVAL;

	switch (probe->kind) {
	case PORTSOCK_KPROBE:
		probe->kp = (struct kprobe){
			.symbol_name = probe->symbol,
			.pre_handler = probe->on_kprobe,
		};
		err = register_kprobe(&probe->kp);
		break;
	case PORTSOCK_RELEASE:
	case PORTSOCK_ACQUISITION:
		err = watch_arm(probe_watch(probe));
		break;
	case PORTSOCK_TRACEPOINT:
		err = tracepoint_arm(probe);
		break;
	}
	probe->armed = !err;
	return err;
}

/**
 * portsock_probe_disarm() - stop watching one place, while others stay
 * @probe: armed; neither a tracepoint nor the last function of its kind
 *
 * Context: process, may sleep.
 */
void portsock_probe_disarm(struct portsock_probe *probe)
{
	if (probe_watch(probe))
		function_del(probe);
	else if (probe->kind == PORTSOCK_KPROBE)
		unregister_kprobe(&probe->kp);
	probe->armed = false;
}

/**
 * portsock_probe_missed() - events a probe is known to have lost
 * @probe: armed, or not any more
 *
 * Context: any.
 * Return: events since it was armed last.
 */
u64 portsock_probe_missed(const struct portsock_probe *probe)
{
	if (probe->kind == PORTSOCK_KPROBE)
		return READ_ONCE(probe->kp.nmissed);
	return 0;
}

/**
 * portsock_probe_called() - was a watched function called since it is watched?
 * @probe: armed, of PORTSOCK_RELEASE or PORTSOCK_ACQUISITION
 *
 * Context: process; the caller serialises it as all calls on a probe.
 */
bool portsock_probe_called(const struct portsock_probe *probe)
{
	return READ_ONCE(function_of(probe)->address) == probe->address;
}

/* No such symbol, several of it, or none that can be watched: the compiler's doing. */
static bool is_missing(const struct portsock_probe *probe, int err)
{
	if (probe->protos && (err == -EINVAL || err == -EADDRNOTAVAIL))
		return true;
	return err == -ENOENT && (probe->module || probe->protos);
}

/* It is not to be watched, or is already. */
static bool is_done(const struct portsock_probe *probe)
{
	return probe->absent || probe->instead || probe->armed;
}

/*
 * Finds all functions that are to be watched through ftrace. One grace period
 * lets all the probes go that were used for it.
 */
static struct portsock_probe *functions_find(struct portsock_probe *probes, size_t nr,
					     int *err)
{
	struct portsock_probe *failed = NULL;
	struct kprobe **found;
	int nr_found = 0;
	size_t i;

	found = kcalloc(nr, sizeof(*found), GFP_KERNEL);
	if (!found) {
		*err = -ENOMEM;
		return &probes[0];
	}
	for (i = 0; i < nr && !failed; i++) {
		struct portsock_probe *probe = &probes[i];

		if (is_done(probe) || !probe_watch(probe))
			continue;
		probe->address = 0;
		*err = function_find(probe);
		if (!*err)
			found[nr_found++] = &probe->kp;
		else if (!is_missing(probe, *err))
			failed = probe;
	}
	unregister_kprobes(found, nr_found);
	kfree(found);
	for (i = 0; i < nr && !failed; i++) {
		if (!probes[i].address || probes[i].armed)
			continue;
		*err = function_add(&probes[i]);
		if (*err)
			failed = &probes[i];
	}
	return failed;
}

/**
 * portsock_probes_arm() - begin to watch
 * @probes: in the order in which to arm them
 * @nr: their number
 * @err: receives 0 or a negative errno
 *
 * Those that are armed stay so; places in modules that are not there are left
 * out, as are absent ones, those that stand in for others, and those of a few
 * protocols that cannot be watched. After a failure portsock_probes_disarm() is due.
 *
 * Context: process, may sleep.
 * Return: the probe that could not be armed, or NULL.
 */
struct portsock_probe *portsock_probes_arm(struct portsock_probe *probes, size_t nr,
					   int *err)
{
	struct portsock_probe *failed = functions_find(probes, nr, err);
	size_t i;

	for (i = 0; i < nr && !failed; i++) {
		struct portsock_probe *probe = &probes[i];

		if (is_done(probe) || (probe_watch(probe) && !probe->address))
			continue;
		*err = probe_arm(probe);
		if (*err && !is_missing(probe, *err))
			failed = probe;
	}
	if (!failed)
		*err = 0;
	return failed;
}

/**
 * portsock_probes_disarm() - stop watching
 * @probes: all there are
 * @nr: their number
 *
 * No handler runs when this returns.
 *
 * Context: process, may sleep.
 */
void portsock_probes_disarm(struct portsock_probe *probes, size_t nr)
{
	size_t i;

	for (i = nr; i > 0; i--) {
		struct portsock_probe *probe = &probes[i - 1];

		if (!probe->armed)
			continue;
		if (probe->kind == PORTSOCK_TRACEPOINT)
			tracepoint_probe_unregister(probe->tp, probe->on_trace, NULL);
		else if (!probe_watch(probe))
			portsock_probe_disarm(probe);
		probe->armed = false;
	}
	watch_disarm(&acquisitions);
	watch_disarm(&releases);
	tracepoint_synchronize_unregister();
}
