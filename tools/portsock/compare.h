/* SPDX-License-Identifier: GPL-2.0 */
#ifndef PORTSOCK_COMPARE_H
#define PORTSOCK_COMPARE_H

#include <stdbool.h>
#include <stdint.h>

#include "libportsock.h"

/* So often is a row looked at that is not found equal. */
#define PORTSOCK_LOOKS		6
/* Of these the last ones must find the same difference: what happens between two tables is soon over. */
#define PORTSOCK_LOOKS_ALIKE	3

#define PORTSOCK_BIT(count)	(UINT32_C(1) << (count))

/**
 * enum portsock_verdict - how a row stands
 * @PORTSOCK_EQUAL: at rest, and as it should be
 * @PORTSOCK_DIFFERENT: it has wrong numbers
 * @PORTSOCK_MOVING: sockets came, went or changed state; no number is known to be wrong
 */
enum portsock_verdict {
	PORTSOCK_EQUAL,
	PORTSOCK_DIFFERENT,
	PORTSOCK_MOVING,
};

/**
 * struct portsock_look - one comparison of one row
 * @verdict: how it stands
 * @columns: for PORTSOCK_DIFFERENT the wrong ones, a bit for each enum portsock_count
 * @weak: the row may be another of the same port by now, and look like the one before by chance
 */
struct portsock_look {
	enum portsock_verdict verdict;
	uint32_t columns;
	bool weak;
};

/**
 * portsock_row_rests() - did nothing happen to a row?
 * @before: as read before
 * @after: as read after
 */
bool portsock_row_rests(const struct portsock_row *before, const struct portsock_row *after);

/**
 * portsock_truth_owner() - learn of one socket who has it
 * @truth: of the socket's row
 * @told: the row as it was read
 * @count: PORTSOCK_UID or PORTSOCK_CGROUP
 * @number: that of the socket
 *
 * A row tells that of one socket, and only the module knows of which. So the truth is what the row says once a
 * socket agrees, until then what the first one said.
 */
void portsock_truth_owner(struct portsock_row *truth, const struct portsock_row *told, enum portsock_count count,
			  uint64_t number);

/**
 * portsock_compare() - compare a row with the truth, which was looked up between two reads of the row
 * @before: as read before
 * @after: as read after
 * @truth: gauges as they should be
 * @hidden: a bit for each state in which whoever told the truth may not know all sockets, and for
 *	PORTSOCK_PORTS and queues when he knows none
 *
 * Queues fill and drain, and sockets are given to others, while they rest: what was not the same in both reads is not
 * compared, nor what the row does not answer for. A user of whom the truth knows no socket is wrong; control groups
 * are compared where it knows some.
 *
 * A row whose numbers, counters included, are the same in both reads was at rest. If one moved, sockets cannot
 * be off by more than the sockets opened and closed meanwhile; that is checked instead.
 *
 * Return: the look; whether it is weak is for the caller to say.
 */
struct portsock_look portsock_compare(const struct portsock_row *before, const struct portsock_row *after,
				      const struct portsock_row *truth, uint32_t hidden);

/**
 * struct portsock_case - what several looks at one row found
 * @settled: one look found it equal
 * @alike: looks in a row, the last one included, that found the same columns wrong
 * @columns: these columns
 * @weak: so was one of the looks; then all must be alike
 *
 * All zero before the first look.
 */
struct portsock_case {
	bool settled;
	bool weak;
	uint8_t alike;
	uint32_t columns;
};

/**
 * portsock_case_add() - learn from one more look
 * @row: not settled
 * @look: at the same row
 */
void portsock_case_add(struct portsock_case *row, const struct portsock_look *look);

/**
 * portsock_case_verdict() - how a row stands after all looks
 * @row: any
 */
enum portsock_verdict portsock_case_verdict(const struct portsock_case *row);

/**
 * enum portsock_flaw - what a row can be wrong about all by itself
 * @PORTSOCK_FLAW_NONE: nothing
 * @PORTSOCK_FLAW_STATES: sockets is not the sum of the states
 * @PORTSOCK_FLAW_COUNTERS: sockets is not opened - closed
 * @PORTSOCK_FLAW_IPV6: ipv6 is above sockets
 * @PORTSOCK_FLAW_PEAK: peak is below sockets
 */
enum portsock_flaw {
	PORTSOCK_FLAW_NONE,
	PORTSOCK_FLAW_STATES,
	PORTSOCK_FLAW_COUNTERS,
	PORTSOCK_FLAW_IPV6,
	PORTSOCK_FLAW_PEAK,
};

/**
 * portsock_row_flaw() - compare a row with itself
 * @row: as read; it needs no rest for this
 *
 * Return: the first flaw.
 */
enum portsock_flaw portsock_row_flaw(const struct portsock_row *row);

/**
 * portsock_row_in() - sockets in some states
 * @row: any
 * @states: a bit for each
 */
uint64_t portsock_row_in(const struct portsock_row *row, uint32_t states);

/**
 * portsock_row_states() - full sockets by their states
 * @row: any
 *
 * Return: the sum of the states without time_wait and syn_recv; sockets has those in syn_recv that are full.
 */
uint64_t portsock_row_states(const struct portsock_row *row);

#endif
