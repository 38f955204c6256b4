/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Places of the kernel that are watched, each by one of three means.
 */
#ifndef PORTSOCK_PROBE_H
#define PORTSOCK_PROBE_H

#include <linux/bits.h>
#include <linux/kprobes.h>
#include <linux/tracepoint.h>
#include <linux/types.h>

#include "function.h"
#include "portsock.h"

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
 * @protos: bit mask of the protocols that need it, if others do not; then it
 *	may be missing
 * @instead: watched only in place of that other one, when that one
 *	is not called
 * @absent: this kernel was built without it
 * @kind: how; PORTSOCK_RELEASE and PORTSOCK_ACQUISITION are functions watched
 *	through ftrace, all of a kind at once
 * @on_kprobe: handler of PORTSOCK_KPROBE
 * @on_call: handler of PORTSOCK_RELEASE and PORTSOCK_ACQUISITION
 * @on_trace: handler of PORTSOCK_TRACEPOINT, whose type is another for each
 * @armed: it is
 * @unseen: bit mask of the protocols of which it should see events,
 *	and does not
 * @address: of a function watched through ftrace
 * @kp: for PORTSOCK_KPROBE, and to find an address
 * @tp: for PORTSOCK_TRACEPOINT, found by name
 *
 * Protected by the lock in probe.c, but @unseen and what was missed
 * are read without.
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
	unsigned long unseen;
	unsigned long address;
	union {
		struct kprobe kp;
		struct tracepoint *tp;
	};
};

/**
 * struct portsock_probe_counts - how many are armed
 * @kprobes: kprobes
 * @ftrace: functions watched through ftrace
 * @tracepoints: tracepoints
 */
struct portsock_probe_counts {
	unsigned int kprobes;
	unsigned int ftrace;
	unsigned int tracepoints;
};

/* Of these protocols there always are sockets. */
#define PORTSOCK_PROTOS_ALWAYS (BIT(PORTSOCK_TCP) | BIT(PORTSOCK_UDP))

int portsock_probes_arm(struct portsock_probe *probes, size_t nr);
void portsock_probes_disarm(void);
void portsock_probes_count(struct portsock_probe_counts *counts);

u64 portsock_probes_missed(void);
bool portsock_probes_called(const char *symbol);
bool portsock_probes_replace(const char *symbol, const char *what,
			     unsigned long protos);

void portsock_proto_used(int proto);
void portsock_protos_unused(void);
bool portsock_protos_watched(void);

bool portsock_kprobes_fire(void);
void portsock_kprobe_test(void);
int portsock_kprobe_tested(struct kprobe *kp, struct pt_regs *regs);

#endif /* PORTSOCK_PROBE_H */
