/* SPDX-License-Identifier: GPL-2.0 */
/*
 * One place of the kernel that is watched, by one of three means.
 */
#ifndef PORTSOCK_PROBE_H
#define PORTSOCK_PROBE_H

#include <linux/kprobes.h>
#include <linux/tracepoint.h>
#include <linux/types.h>

#include "compat.h"

/* What a watched function calls. */
typedef void (*portsock_function_t)(struct ftrace_regs *fregs);

enum portsock_probe_kind {
	PORTSOCK_KPROBE,
	PORTSOCK_RELEASE,
	PORTSOCK_ACQUISITION,
	PORTSOCK_TRACEPOINT,
};

/**
 * struct portsock_probe - one place that is watched
 * @symbol: function or tracepoint
 * @module: it is part of this module, which may come and go; NULL when it is
 *	always there, as a kprobe has to be: what it missed is kept in it
 * @protos: bit mask of the protocols that need it, if others do not; then it may be
 *	missing
 * @instead: watched only in place of that other one, when that one is not called
 * @absent: this kernel was built without it
 * @kind: how; PORTSOCK_RELEASE and PORTSOCK_ACQUISITION are functions watched
 *	through ftrace, all of a kind at once
 * @on_kprobe: handler of PORTSOCK_KPROBE
 * @on_call: handler of PORTSOCK_RELEASE and PORTSOCK_ACQUISITION
 * @on_trace: handler of PORTSOCK_TRACEPOINT, whose type is another for each
 * @armed: it is
 * @blind: bit mask of the protocols that it should see, and does not
 * @address: of a function watched through ftrace
 * @kp: for PORTSOCK_KPROBE, and to find an address
 * @tp: for PORTSOCK_TRACEPOINT, found by name
 *
 * Whoever owns it serialises calls on it.
 */
struct portsock_probe {
	const char *symbol;
	const char *module;
	unsigned long protos;
	const char *instead;
	bool absent;
	enum portsock_probe_kind kind;
	union {
		kprobe_pre_handler_t on_kprobe;
		portsock_function_t on_call;
		void *on_trace;
	};
	bool armed;
	unsigned long blind;
	unsigned long address;
	union {
		struct kprobe kp;
		struct tracepoint *tp;
	};
};

void portsock_probe_disarm(struct portsock_probe *probe);
u64 portsock_probe_missed(const struct portsock_probe *probe);
bool portsock_probe_called(const struct portsock_probe *probe);

struct portsock_probe *portsock_probes_arm(struct portsock_probe *probes, size_t nr,
					   int *err);
void portsock_probes_disarm(struct portsock_probe *probes, size_t nr);

#endif /* PORTSOCK_PROBE_H */
