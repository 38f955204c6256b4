// SPDX-License-Identifier: GPL-2.0
/*
 * How long each handler of portsock takes, and its pools within. For one
 * processor, whose time stamp counter counts instructions; for benchmarks only.
 *
 * The parameter sites has a line for each probe: kind, symbol, calls,
 * instructions in the handler, calls of the pools, instructions in the pools
 * (these not among those of the handler). Writing to it sets all to 0.
 */
#define PROFILE_ITSELF
#include "profile.h"

#include <linux/kallsyms.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/string.h>
#include <asm/msr.h>

#include "compat.h"

#define SITES_MAX	64

/**
 * struct site - a probe
 * @kind: of it
 * @symbol: where it is
 * @key: the object that was registered
 * @handler: what it called before
 * @data: for tracepoints
 * @calls: of the handler
 * @time: instructions in it
 * @pool_calls: calls of pools from it
 * @pool_time: instructions in these
 */
struct site {
	const char *kind;
	char symbol[64];
	const void *key;
	void *handler;
	void *data;
	u64 calls;
	u64 time;
	u64 pool_calls;
	u64 pool_time;
};

static struct site sites[SITES_MAX], nowhere;
static unsigned int sites_nr;
/* Which handler runs. There is one processor, and one that interrupts puts it back. */
static struct site *current_site = &nowhere;

/* What the clock itself takes; of that around a pool, what it takes for the pool's. */
static u64 clock_time, pool_clock_time, pool_clock_inside;

static __always_inline u64 now(void)
{
	barrier();
	return rdtsc();
}

static notrace struct site *site_find(const void *key)
{
	unsigned int i;

	for (i = 0; i < sites_nr; i++)
		if (sites[i].key == key)
			return &sites[i];
	return &nowhere;
}

static notrace struct site *site_get(const void *key)
{
	struct site *site = site_find(key);
	unsigned long flags;

	if (site != &nowhere || WARN_ON_ONCE(sites_nr == SITES_MAX))
		return site;
	local_irq_save(flags);
	site = &sites[sites_nr++];
	site->key = key;
	local_irq_restore(flags);
	return site;
}

#define timed(where, call) do {				\
	struct site *__before = current_site;		\
	u64 __start;					\
							\
	current_site = (where);				\
	__start = now();				\
	call;						\
	(where)->time += now() - __start;		\
	current_site = __before;			\
} while (0)

static int on_kprobe(struct kprobe *kp, struct pt_regs *regs)
{
	struct site *site = site_find(kp);
	kprobe_pre_handler_t handler = site->handler;
	int result;

	site->calls++;
	timed(site, result = handler(kp, regs));
	return result;
}

int profile_register_kprobe(struct kprobe *kp)
{
	struct site *site;

	if (kp->pre_handler) {
		site = site_get(kp);
		site->kind = "kprobe";
		strscpy(site->symbol, kp->symbol_name, sizeof(site->symbol));
		site->handler = kp->pre_handler;
		kp->pre_handler = on_kprobe;
	}
	return register_kprobe(kp);
}

static struct {
	struct ftrace_ops *ops;
	ftrace_func_t handler;
} functions[SITES_MAX];

/* Sites of ftrace are known by address, as one ops may watch many functions. */
static void notrace on_ftrace(unsigned long ip, unsigned long parent_ip,
			      struct ftrace_ops *ops, struct ftrace_regs *fregs)
{
	struct site *site = site_find((void *)ip);
	unsigned int i = 0;

	if (site == &nowhere) {
		site = site_get((void *)ip);
		site->kind = "ftrace";
		snprintf(site->symbol, sizeof(site->symbol), "%ps", (void *)ip);
	}
	while (functions[i].ops != ops)
		i++;
	site->calls++;
	timed(site, functions[i].handler(ip, parent_ip, ops, fregs));
}

int profile_register_ftrace_function(struct ftrace_ops *ops)
{
	unsigned int i = 0;

	while (i < SITES_MAX && functions[i].ops && functions[i].ops != ops)
		i++;
	if (WARN_ON_ONCE(i == SITES_MAX))
		return -ENOSPC;
	functions[i].ops = ops;
	functions[i].handler = ops->func;
	ops->func = on_ftrace;
	return register_ftrace_function(ops);
}

/* As many arguments as fit into registers; who takes less does not mind. */
static void on_tracepoint(void *data, unsigned long a, unsigned long b,
			  unsigned long c, unsigned long d)
{
	void (*handler)(void *data, unsigned long a, unsigned long b,
			unsigned long c, unsigned long d);
	struct site *site = data;

	handler = site->handler;
	site->calls++;
	timed(site, handler(site->data, a, b, c, d));
}

int profile_tracepoint_probe_register(struct tracepoint *tp, void *probe, void *data)
{
	struct site *site = site_get(tp);

	site->kind = "tracepoint";
	strscpy(site->symbol, tp->name, sizeof(site->symbol));
	site->handler = probe;
	site->data = data;
	return tracepoint_probe_register(tp, on_tracepoint, site);
}

int profile_tracepoint_probe_unregister(struct tracepoint *tp, void *probe, void *data)
{
	return tracepoint_probe_unregister(tp, on_tracepoint, site_get(tp));
}

static noinline void pool_account(u64 time)
{
	struct site *site = current_site;

	site->pool_calls++;
	site->pool_time += time;
}

void *profile_pool_get(struct portsock_pool *pool)
{
	u64 start = now();
	void *object = portsock_pool_get(pool);

	pool_account(now() - start);
	return object;
}

void profile_pool_put(struct portsock_pool *pool, void *object)
{
	u64 start = now();

	portsock_pool_put(pool, object);
	pool_account(now() - start);
}

static noinline void pool_nothing(void)
{
	u64 start = now();

	pool_account(now() - start);
}

static noinline void nothing(void)
{
	barrier();
}

/* The least of some tries: nothing but the clock and an empty call. */
static void calibrate(void)
{
	void (*volatile call)(void) = nothing;
	void (*volatile pool)(void) = pool_nothing;
	int i;

	clock_time = U64_MAX;
	pool_clock_time = U64_MAX;
	for (i = 0; i < 100; i++) {
		struct site outer = { }, inner = { };

		timed(&outer, call());
		clock_time = min(clock_time, outer.time);
		timed(&inner, pool());
		if (inner.time - inner.pool_time < pool_clock_time) {
			pool_clock_time = inner.time - inner.pool_time;
			pool_clock_inside = inner.pool_time;
		}
	}
	pool_clock_time -= clock_time;
}

static int sites_get(char *buffer, const struct kernel_param *param)
{
	int length = 0;
	unsigned int i;

	for (i = 0; i < sites_nr; i++) {
		const struct site *site = &sites[i];
		s64 time = site->time - site->calls * clock_time - site->pool_time -
			   site->pool_calls * pool_clock_time;
		s64 pool_time = site->pool_time - site->pool_calls * pool_clock_inside;

		length += scnprintf(buffer + length, PAGE_SIZE - length,
				    "%s %s %llu %lld %llu %lld\n", site->kind,
				    site->symbol, site->calls, time,
				    site->pool_calls, pool_time);
	}
	return length;
}

static int sites_set(const char *value, const struct kernel_param *param)
{
	unsigned int i;

	calibrate();
	for (i = 0; i < sites_nr; i++) {
		sites[i].calls = 0;
		sites[i].time = 0;
		sites[i].pool_calls = 0;
		sites[i].pool_time = 0;
	}
	return 0;
}

static const struct kernel_param_ops sites_ops = {
	.get = sites_get,
	.set = sites_set,
};

module_param_cb(sites, &sites_ops, NULL, 0600);
MODULE_PARM_DESC(sites, "calls and instructions of each probe; written: 0");
