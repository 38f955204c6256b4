// SPDX-License-Identifier: GPL-2.0
/*
 * To unregister an ftrace_ops takes a grace period of all tasks, so two of them
 * serve all functions: one those that release something, one those that
 * acquire. Whoever adds and deletes functions takes turns.
 */
#include "function.h"

#include <linux/ftrace.h>
#include <linux/hash.h>
#include <linux/kernel.h>

/* No function's address. */
#define GONE 1

/* That of a function not called yet: nor is this the address of one. */
#define NOT_CALLED(address) (~(address))

/**
 * struct function - a function watched through ftrace
 * @address: as ftrace tells it, 0 in a slot never used, GONE in one that was,
 *	and NOT_CALLED() before the first call
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

/* Where to look for a function. */
static inline struct function *function_first(unsigned long address)
{
	return &functions[hash_long(address, FUNCTIONS_BITS)];
}

/* Few of many slots are in use, so that nearly each is found at once. */
static struct function *function_after(struct function *function)
{
	if (++function == &functions[ARRAY_SIZE(functions)])
		function = functions;
	return function;
}

static void notrace on_function(unsigned long ip, unsigned long parent_ip,
				struct ftrace_ops *ops,
				struct ftrace_regs *fregs)
{
	struct function *function = function_first(ip);
	unsigned long address;

	/* pairs with portsock_function_add() */
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

static struct watch *watch_of(bool release)
{
	return release ? &releases : &acquisitions;
}

/**
 * portsock_function_entry() - where ftrace steps into a function
 * @kp: a kprobe that is registered on the function
 *
 * A kprobe that relies on ftrace is there; on arm64 none does, and it is
 * behind one instruction, or two with BTI. A filter takes no other address but
 * that of the function.
 *
 * Context: process, may sleep.
 * Return: the address, or 0: nowhere.
 */
unsigned long portsock_function_entry(const struct kprobe *kp)
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

/**
 * portsock_function_add() - watch a function, at once if others of its kind are
 * @address: from portsock_function_entry()
 * @handler: what to call
 * @release: it releases something
 *
 * Context: process, may sleep.
 * Return: 0 or a negative errno.
 */
int portsock_function_add(unsigned long address, portsock_function_t handler,
			  bool release)
{
	struct function *function = function_first(address);

	while (function->address > GONE)
		function = function_after(function);
	WRITE_ONCE(function->handler, handler);
	/* whoever finds the address finds its handler */
	smp_store_release(&function->address, NOT_CALLED(address));
	return ftrace_set_filter_ip(&watch_of(release)->ops, address, 0, 0);
}

/* One that was added. */
static struct function *function_find(unsigned long address)
{
	struct function *function = function_first(address);
	unsigned long found;

	while ((found = READ_ONCE(function->address)) != address &&
	       found != NOT_CALLED(address))
		function = function_after(function);
	return function;
}

/**
 * portsock_function_del() - watch a function no longer
 * @address: was added
 * @release: as it was then; another function of that kind is watched still
 *
 * Context: process, may sleep.
 */
void portsock_function_del(unsigned long address, bool release)
{
	ftrace_set_filter_ip(&watch_of(release)->ops, address, 1, 0);
	WRITE_ONCE(function_find(address)->address, GONE);
}

/**
 * portsock_function_called() - was a function called since it is watched?
 * @address: was added
 *
 * Context: process.
 */
bool portsock_function_called(unsigned long address)
{
	return READ_ONCE(function_find(address)->address) == address;
}

/**
 * portsock_functions_watch() - begin to watch functions of a kind
 * @release: those that release something; or the others
 *
 * Context: process, may sleep.
 * Return: 0, also when they are watched already, or a negative errno.
 */
int portsock_functions_watch(bool release)
{
	struct watch *watch = watch_of(release);
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

/**
 * portsock_functions_unwatch() - watch no function any more
 *
 * No handler runs when this returns.
 *
 * Context: process, may sleep.
 */
void portsock_functions_unwatch(void)
{
	watch_disarm(&acquisitions);
	watch_disarm(&releases);
}
