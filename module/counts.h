/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The numbers of a row, or of a sum of rows, and their arithmetic. The caller
 * holds the lock that protects them.
 */
#ifndef PORTSOCK_COUNTS_H
#define PORTSOCK_COUNTS_H

#include <linux/compiler.h>
#include <linux/string.h>
#include <linux/types.h>
#include <net/tcp_states.h>

/* Gauges are indexed by the kernel's TCP state numbers; 0 is unused. */
#define PORTSOCK_STATE_NR (TCP_CLOSING + 1)

/**
 * enum portsock_how - how a socket came by its port
 * @PORTSOCK_BOUND: it had it already, or bind() or the kernel chose it
 * @PORTSOCK_ACCEPTED: it is a passive child
 * @PORTSOCK_CONNECTED: it called connect() while it held it
 * @PORTSOCK_HOW_NR: number of ways
 */
enum portsock_how {
	PORTSOCK_BOUND,
	PORTSOCK_ACCEPTED,
	PORTSOCK_CONNECTED,
	PORTSOCK_HOW_NR
};

/**
 * struct portsock_counts - what a row (or a sum of rows) says
 * @state: sockets by kernel state; TCP_TIME_WAIT counts mini-sockets
 * @sockets: full sockets, the sum of @state without TCP_TIME_WAIT
 * @ipv6: those of @sockets that are AF_INET6
 * @peak: high-water mark of @sockets
 * @ports: of a sum of ephemeral rows, how many there are
 * @came: full sockets that came to hold the port, by how they came by it
 */
struct portsock_counts {
	u32 state[PORTSOCK_STATE_NR];
	u32 sockets;
	u32 ipv6;
	u32 peak;
	u32 ports;
	u64 came[PORTSOCK_HOW_NR];
};

/**
 * portsock_opened() - full sockets that ever came to hold a port
 * @counts: of its row
 *
 * Those that ceased to hold it are that less @counts->sockets.
 *
 * Context: any; the caller serialises changes of @counts.
 */
static inline u64 portsock_opened(const struct portsock_counts *counts)
{
	u64 opened = 0;
	int how;

	for (how = 0; how < PORTSOCK_HOW_NR; how++)
		opened += counts->came[how];
	return opened;
}

static inline void counts_add_all(struct portsock_counts *counts,
				  const struct portsock_counts *row)
{
	int i;

	for (i = 0; i < PORTSOCK_STATE_NR; i++)
		counts->state[i] += row->state[i];
	counts->sockets += row->sockets;
	counts->ipv6 += row->ipv6;
	counts->ports += row->ports;
	for (i = 0; i < PORTSOCK_HOW_NR; i++)
		counts->came[i] += row->came[i];
}

/* Adds the same to each gauge. */
static inline void counts_add_each(struct portsock_counts *counts, u32 more)
{
	int i;

	for (i = 0; i < PORTSOCK_STATE_NR; i++)
		counts->state[i] += more;
	counts->sockets += more;
	counts->ipv6 += more;
}

void portsock_gauge_mend(u32 *gauge);
void portsock_gauges_mend(struct portsock_counts *counts);
u64 portsock_gauges_short(void);

/*
 * Gauges from which something was taken: one is below zero if the sign of @all
 * is set.
 */
static __always_inline void gauges_check(struct portsock_counts *counts,
					 u32 all)
{
	if (unlikely((s32)all < 0))
		portsock_gauges_mend(counts);
}

static __always_inline void counts_add(struct portsock_counts *counts,
				       u8 state, bool ipv6)
{
	counts->state[state]++;
	if (state == TCP_TIME_WAIT)
		return;
	counts->sockets++;
	counts->ipv6 += ipv6;
	if (counts->peak < counts->sockets)
		counts->peak = counts->sockets;
}

static __always_inline void counts_sub(struct portsock_counts *counts,
				       u8 state, bool ipv6)
{
	u32 all = --counts->state[state];

	if (state != TCP_TIME_WAIT) {
		all |= --counts->sockets;
		all |= counts->ipv6 -= ipv6;
	}
	gauges_check(counts, all);
}

/* A full socket changes its state, and nothing else. */
static __always_inline void counts_step(struct portsock_counts *counts,
					u8 from, u8 to)
{
	gauges_check(counts, --counts->state[from]);
	counts->state[to]++;
}

/* What has counted, and has nothing any more. */
static inline void gauges_clear(struct portsock_counts *counts)
{
	memset(counts->state, 0, sizeof(counts->state));
	counts->sockets = 0;
	counts->ipv6 = 0;
}

/* Moves the gauges to a sum. */
static inline void counts_move_gauges(struct portsock_counts *sum,
				      struct portsock_counts *counts)
{
	int i;

	for (i = 0; i < PORTSOCK_STATE_NR; i++)
		sum->state[i] += counts->state[i];
	sum->sockets += counts->sockets;
	sum->ipv6 += counts->ipv6;
	gauges_clear(counts);
}

/* Takes the gauges of a row out of a sum. */
static inline void counts_sub_gauges(struct portsock_counts *counts,
				     const struct portsock_counts *row)
{
	u32 all = 0;
	int state;

	for (state = 0; state < PORTSOCK_STATE_NR; state++)
		all |= counts->state[state] -= row->state[state];
	all |= counts->sockets -= row->sockets;
	all |= counts->ipv6 -= row->ipv6;
	gauges_check(counts, all);
}

#endif /* PORTSOCK_COUNTS_H */
