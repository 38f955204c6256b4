// SPDX-License-Identifier: GPL-2.0
/*
 * Arms what hooks name, also when its module comes later, and knows what is
 * lost when it cannot.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include "probe.h"

#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "format.h"

/* All there are; protected by probes_lock against modules that come and go. */
static struct portsock_probe *probes;
static size_t probes_nr;
static DEFINE_MUTEX(probes_lock);

/* Protocols of which there were sockets, as a bit mask. */
static unsigned long protos_used = PORTSOCK_PROTOS_ALWAYS;

#define for_each_probe(probe) \
	for (probe = probes; probe < probes + probes_nr; probe++)

static bool is_function(const struct portsock_probe *probe)
{
	return probe->kind == PORTSOCK_RELEASE ||
	       probe->kind == PORTSOCK_ACQUISITION;
}

static bool is_release(const struct portsock_probe *probe)
{
	return probe->kind == PORTSOCK_RELEASE;
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
	probe->address = portsock_function_entry(&probe->kp);
	if (!probe->address) {
		unregister_kprobe(&probe->kp);
		err = -EINVAL;
	}
	return err;
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
		err = portsock_functions_watch(is_release(probe));
		break;
	case PORTSOCK_TRACEPOINT:
		err = tracepoint_arm(probe);
		break;
	}
	probe->armed = !err;
	return err;
}

/* Others stay; neither a tracepoint nor the last function of its kind. */
static void probe_disarm(struct portsock_probe *probe)
{
	if (is_function(probe))
		portsock_function_del(probe->address, is_release(probe));
	else if (probe->kind == PORTSOCK_KPROBE)
		unregister_kprobe(&probe->kp);
	probe->armed = false;
}

/*
 * No such symbol, several of it, or none that can be watched: the compiler's
 * doing.
 */
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
static struct portsock_probe *functions_find(struct portsock_probe *first,
					     size_t nr, int *err)
{
	struct portsock_probe *failed = NULL;
	struct kprobe **found;
	int nr_found = 0;
	size_t i;

	found = kcalloc(nr, sizeof(*found), GFP_KERNEL);
	if (!found) {
		*err = -ENOMEM;
		return first;
	}
	for (i = 0; i < nr && !failed; i++) {
		struct portsock_probe *probe = &first[i];

		if (is_done(probe) || !is_function(probe))
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
		struct portsock_probe *probe = &first[i];

		if (!probe->address || probe->armed)
			continue;
		*err = portsock_function_add(probe->address, probe->on_call,
					     is_release(probe));
		if (*err)
			failed = probe;
	}
	return failed;
}

/*
 * Those that are armed stay so; places in modules that are not there are left
 * out, as are absent ones, those that stand in for others, and those of a few
 * protocols that cannot be watched. Returns the one that could not be armed, or
 * NULL. Caller holds the lock.
 */
static struct portsock_probe *__probes_arm(struct portsock_probe *first,
					   size_t nr, int *err)
{
	struct portsock_probe *failed = functions_find(first, nr, err);
	size_t i;

	for (i = 0; i < nr && !failed; i++) {
		struct portsock_probe *probe = &first[i];

		if (is_done(probe) || (is_function(probe) && !probe->address))
			continue;
		*err = probe_arm(probe);
		if (*err && !is_missing(probe, *err))
			failed = probe;
	}
	if (!failed)
		*err = 0;
	return failed;
}

/* What an error of a probe may come from. */
static const char *hint(int err)
{
	return err == -EBUSY ? " (is kernel.ftrace_enabled 0?)" : "";
}

/* What it should see events of. */
static unsigned long probe_protos(const struct portsock_probe *probe)
{
	return probe->protos ?: ~0UL;
}

/*
 * It does not see what it should of these protocols: arm what stands in for it,
 * or do without.
 */
static void __probe_replace(struct portsock_probe *probe, unsigned long protos)
{
	struct portsock_probe *other;
	int err;

	probe->unseen |= protos;
	for_each_probe(other) {
		if (!other->instead || strcmp(other->instead, probe->symbol))
			continue;
		other->instead = NULL;
		__probes_arm(other, 1, &err);
		if (other->armed)
			probe->unseen &= ~other->protos;
	}
}

/* Names of protocols, separated by blanks. */
static const char *names(unsigned long protos, char *text, size_t size)
{
	size_t length = 0;
	int proto;

	text[0] = 0;
	for (proto = 0; proto < PORTSOCK_PROTO_NR; proto++)
		if (protos & BIT(proto))
			length += scnprintf(text + length, size - length, " %s",
					    portsock_format_proto(proto));
	return text;
}

/* What comes of a hook not seeing what it should, behind the reason. */
static __printf(2, 3)
void probe_complain(const struct portsock_probe *probe, const char *reason, ...)
{
	struct va_format vaf = { .fmt = reason };
	char text[64];
	va_list args;

	va_start(args, reason);
	vaf.va = &args;
	if (!probe->unseen)
		pr_info("%pV; what stands in for it is watched\n", &vaf);
	else if (probe->unseen & PORTSOCK_PROTOS_ALWAYS)
		pr_warn("%pV; the table will not claim to be exact\n", &vaf);
	else
		pr_warn("%pV; the table will not claim to be exact once there is a socket of%s\n",
			&vaf, names(probe->unseen, text, sizeof(text)));
	va_end(args);
}

/* Its module is there, or it needs none. */
static void __probe_arm(struct portsock_probe *probe)
{
	int err;

	__probes_arm(probe, 1, &err);
	probe->unseen = 0;
	if (probe->armed)
		return;
	err = err ?: -ENOENT;
	__probe_replace(probe, probe_protos(probe));
	probe_complain(probe, "cannot hook %s: error %d%s", probe->symbol, err,
		       hint(err));
}

/* A protocol that comes as a module is watched before its first socket. */
static int modules_notify(struct notifier_block *nb, unsigned long event,
			  void *data)
{
	const struct module *module = data;
	struct portsock_probe *probe;

	if (event != MODULE_STATE_COMING && event != MODULE_STATE_GOING)
		return NOTIFY_DONE;
	mutex_lock(&probes_lock);
	for_each_probe(probe) {
		if (!probe->module || strcmp(probe->module, module->name))
			continue;
		if (event == MODULE_STATE_COMING) {
			__probe_arm(probe);
			continue;
		}
		if (probe->armed)
			probe_disarm(probe);
		probe->unseen = 0;
	}
	mutex_unlock(&probes_lock);
	return NOTIFY_DONE;
}

static struct notifier_block modules_notifier = {
	.notifier_call = modules_notify,
};

static bool module_is_watched(const char *module)
{
	const struct portsock_probe *probe;

	for_each_probe(probe)
		if (probe->armed && probe->module &&
		    !strcmp(probe->module, module))
			return true;
	return false;
}

/*
 * A place whose module is not there is watched when it comes. Some
 * symbols of a module but not all mean that it came meanwhile, or that
 * they cannot be watched.
 */
static void __probes_check_missing(void)
{
	struct portsock_probe *probe;

	for_each_probe(probe) {
		if (is_done(probe))
			continue;
		if (!probe->module || module_is_watched(probe->module))
			__probe_arm(probe);
	}
}

static void __probes_disarm(void)
{
	size_t i;

	for (i = probes_nr; i > 0; i--) {
		struct portsock_probe *probe = &probes[i - 1];

		if (!probe->armed)
			continue;
		if (probe->kind == PORTSOCK_TRACEPOINT)
			tracepoint_probe_unregister(probe->tp, probe->on_trace,
						    NULL);
		else if (probe->kind == PORTSOCK_KPROBE)
			unregister_kprobe(&probe->kp);
		probe->armed = false;
	}
	portsock_functions_unwatch();
	tracepoint_synchronize_unregister();
}

/**
 * portsock_probes_disarm() - stop watching
 *
 * No handler runs when this returns.
 *
 * Context: process, may sleep.
 */
void portsock_probes_disarm(void)
{
	unregister_module_notifier(&modules_notifier);
	mutex_lock(&probes_lock);
	__probes_disarm();
	mutex_unlock(&probes_lock);
}

/**
 * portsock_probes_arm() - begin to watch
 * @first: all places there are, which stay the caller's memory;
 *	armed in this order
 * @nr: their number
 *
 * Context: process, may sleep; once.
 * Return: 0, or a negative errno after a message that names the place; then
 * none is watched.
 */
int portsock_probes_arm(struct portsock_probe *first, size_t nr)
{
	const struct portsock_probe *failed;
	int err;

	err = register_module_notifier(&modules_notifier);
	if (err) {
		pr_err("cannot watch modules: error %d; not loaded\n", err);
		return err;
	}
	mutex_lock(&probes_lock);
	probes = first;
	probes_nr = nr;
	failed = __probes_arm(probes, probes_nr, &err);
	if (failed)
		pr_err("cannot hook %s: error %d%s; not loaded\n",
		       failed->symbol, err, hint(err));
	else
		__probes_check_missing();
	mutex_unlock(&probes_lock);
	if (failed)
		portsock_probes_disarm();
	return err;
}

/**
 * portsock_probes_count() - how many of which kind are armed
 * @counts: receives them
 *
 * Context: process, may sleep.
 */
void portsock_probes_count(struct portsock_probe_counts *counts)
{
	const struct portsock_probe *probe;

	*counts = (struct portsock_probe_counts){ };
	mutex_lock(&probes_lock);
	for_each_probe(probe) {
		if (!probe->armed)
			continue;
		counts->kprobes += probe->kind == PORTSOCK_KPROBE;
		counts->ftrace += is_function(probe);
		counts->tracepoints += probe->kind == PORTSOCK_TRACEPOINT;
	}
	mutex_unlock(&probes_lock);
}

/**
 * portsock_probes_missed() - events that are known to be lost
 *
 * Context: any.
 * Return: events since portsock_probes_arm(); what a kprobe missed stays in it
 * when it is disarmed.
 */
u64 portsock_probes_missed(void)
{
	const struct portsock_probe *probe;
	u64 missed = 0;

	for_each_probe(probe)
		if (probe->kind == PORTSOCK_KPROBE)
			missed += READ_ONCE(probe->kp.nmissed);
	return missed;
}

static struct portsock_probe *probe_find(const char *symbol)
{
	struct portsock_probe *probe;

	for_each_probe(probe)
		if (!strcmp(probe->symbol, symbol))
			return probe;
	return NULL;
}

/**
 * portsock_probes_called() - was a function called since it is watched?
 * @symbol: the function, one that is watched through ftrace
 *
 * Context: process, may sleep.
 * Return: false when it is watched and was not called.
 */
bool portsock_probes_called(const char *symbol)
{
	const struct portsock_probe *probe = probe_find(symbol);
	bool called;

	mutex_lock(&probes_lock);
	called = !probe->armed || portsock_function_called(probe->address);
	mutex_unlock(&probes_lock);
	return called;
}

/**
 * portsock_probes_replace() - a probe did not see what happened
 * @symbol: where it is
 * @what: happened
 * @protos: bit mask of the protocols of which it does not see it
 *
 * From now on what stands in for it is watched, or else the protocols that need
 * it are not exact.
 *
 * Context: process, may sleep.
 * Return: true when another one was armed in its place.
 */
bool portsock_probes_replace(const char *symbol, const char *what,
			     unsigned long protos)
{
	struct portsock_probe *probe = probe_find(symbol);
	bool replaced = false;

	protos &= probe_protos(probe);
	mutex_lock(&probes_lock);
	if (protos & ~probe->unseen) {
		__probe_replace(probe, protos);
		probe_complain(probe,
			       "self-test: %s was not seen, %s is not called",
			       what, symbol);
		replaced = protos & ~probe->unseen;
	}
	mutex_unlock(&probes_lock);
	return replaced;
}

/**
 * portsock_proto_used() - there is a socket of a protocol
 * @proto: enum portsock_proto
 *
 * Context: any.
 */
void portsock_proto_used(int proto)
{
	if (!(READ_ONCE(protos_used) & BIT(proto)))
		set_bit(proto, &protos_used);
}

/**
 * portsock_protos_unused() - sockets that there were so far, all of
 * them, were our own
 *
 * Context: any; a walk is due, which meets those of others.
 */
void portsock_protos_unused(void)
{
	WRITE_ONCE(protos_used, PORTSOCK_PROTOS_ALWAYS);
}

/**
 * portsock_protos_watched() - is every protocol watched of which
 * there were sockets?
 *
 * Context: any.
 */
bool portsock_protos_watched(void)
{
	const struct portsock_probe *probe;
	unsigned long unseen = 0;

	for_each_probe(probe)
		unseen |= READ_ONCE(probe->unseen);
	return !(unseen & READ_ONCE(protos_used));
}

static bool kprobe_fired;

/**
 * portsock_kprobe_test() - pass a kprobe, and do nothing else
 */
noinline void portsock_kprobe_test(void)
{
	barrier();
}

/**
 * portsock_kprobe_tested() - handler of a kprobe on portsock_kprobe_test()
 * @kp: the kprobe
 * @regs: registers
 */
int portsock_kprobe_tested(struct kprobe *kp, struct pt_regs *regs)
{
	WRITE_ONCE(kprobe_fired, true);
	return 0;
}

/**
 * portsock_kprobes_fire() - do kprobes fire?
 *
 * An administrator can disarm all of them behind their owners' backs
 * (debugfs kprobes/enabled).
 *
 * Context: process; one at a time.
 */
bool portsock_kprobes_fire(void)
{
	WRITE_ONCE(kprobe_fired, false);
	portsock_kprobe_test();
	return READ_ONCE(kprobe_fired);
}
