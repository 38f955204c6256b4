// SPDX-License-Identifier: GPL-2.0
/*
 * Sockets counted by (namespace, protocol, local port), shown in
 * /proc/portsock. This file only says in which order things start and stop.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/module.h>

#include "health.h"
#include "hooks.h"
#include "netns.h"
#include "probe.h"
#include "proc.h"
#include "rows.h"
#include "sample.h"
#include "selftest.h"
#include "socks.h"
#include "version.h"

#define HASH_BITS_MIN 10
#define HASH_BITS_MAX 24

static unsigned int hash_size;
module_param(hash_size, uint, 0444);
MODULE_PARM_DESC(hash_size, "buckets for sockets, a power of two from 1024 to 16777216 (default: one for each 128 KiB of memory, 524288 at most)");

/* As many as the kernel's own table of established connections has. */
static unsigned int hash_bits_default(void)
{
	unsigned long buckets = totalram_pages() >> (17 - PAGE_SHIFT);

	return clamp_t(unsigned int, ilog2(buckets | 1), HASH_BITS_MIN, 19);
}

static int hash_bits(void)
{
	if (!hash_size)
		return hash_bits_default();
	if (!is_power_of_2(hash_size) || hash_size < 1U << HASH_BITS_MIN ||
	    hash_size > 1U << HASH_BITS_MAX) {
		pr_err("hash_size=%u: give a power of two from %u to %u; not loaded\n",
		       hash_size, 1U << HASH_BITS_MIN, 1U << HASH_BITS_MAX);
		return -EINVAL;
	}
	return ilog2(hash_size);
}

static int __init step(const char *name, int err)
{
	if (err)
		pr_err("%s: error %d; not loaded\n", name, err);
	return err;
}

static int __init portsock_init(void)
{
	struct portsock_probe_counts probes;
	int bits = hash_bits();
	int err;

	if (bits < 0)
		return bits;
	err = step("cannot set up rows", portsock_rows_init(bits - 2));
	if (err)
		return err;
	err = step("cannot set up records", portsock_socks_init(bits));
	if (err)
		goto table;
	err = step("cannot set up namespaces", portsock_netns_init());
	if (err)
		goto socks;
	err = portsock_hooks_arm();
	if (err)
		goto netns;
	err = step("cannot create /proc/portsock", portsock_proc_init());
	if (err)
		goto hooks;
	portsock_selftest();
	portsock_sample_begin();
	portsock_health_init();
	portsock_probes_count(&probes);
	pr_info("version %s, armed %u kprobes, %u ftrace hooks, %u tracepoints\n",
		PORTSOCK_VERSION, probes.kprobes,
		probes.ftrace, probes.tracepoints);
	return 0;

hooks:
	portsock_probes_disarm();
netns:
	portsock_socks_clear(NULL);
	portsock_netns_exit();
socks:
	portsock_socks_exit();
table:
	portsock_rows_exit();
	return err;
}

/* Readers look into listeners, which only hooks see go. */
static void __exit portsock_exit(void)
{
	portsock_health_exit();
	portsock_proc_exit();
	portsock_sample_end();
	portsock_probes_disarm();
	portsock_socks_clear(NULL);
	portsock_netns_exit();
	portsock_socks_exit();
	portsock_rows_exit();
}

module_init(portsock_init);
module_exit(portsock_exit);

MODULE_DESCRIPTION("Sockets per local port, counted in the kernel");
MODULE_LICENSE("GPL");
MODULE_VERSION(PORTSOCK_VERSION);
