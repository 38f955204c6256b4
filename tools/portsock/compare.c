// SPDX-License-Identifier: GPL-2.0
#include <netinet/tcp.h>
#include <string.h>

#include "compare.h"

static uint64_t sub(uint64_t a, uint64_t b)
{
	return a > b ? a - b : 0;
}

static uint64_t min(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static uint64_t max(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

uint64_t portsock_row_in(const struct portsock_row *row, uint32_t states)
{
	uint64_t sum = 0;
	unsigned int i;

	for (i = 1; i <= PORTSOCK_STATES; i++)
		if (states & PORTSOCK_BIT(i))
			sum += row->count[i];

	return sum;
}

uint64_t portsock_row_states(const struct portsock_row *row)
{
	return portsock_row_in(row, ~(PORTSOCK_BIT(TCP_TIME_WAIT) | PORTSOCK_BIT(TCP_SYN_RECV)));
}

static uint64_t seen(const struct portsock_row *row, uint32_t hidden)
{
	return sub(row->count[PORTSOCK_SOCKETS], portsock_row_in(row, hidden));
}

static uint32_t rest_compare(const struct portsock_row *row, const struct portsock_row *truth, uint32_t hidden)
{
	uint64_t ipv6 = row->count[PORTSOCK_IPV6], ipv6_truth = truth->count[PORTSOCK_IPV6];
	uint32_t columns = 0;
	unsigned int i;

	if (seen(row, hidden) != seen(truth, hidden))
		columns |= PORTSOCK_BIT(PORTSOCK_SOCKETS);
	if (row->count[PORTSOCK_PORTS] != truth->count[PORTSOCK_PORTS])
		columns |= PORTSOCK_BIT(PORTSOCK_PORTS) & ~hidden;
	for (i = 1; i <= PORTSOCK_STATES; i++)
		if (row->count[i] != truth->count[i])
			columns |= PORTSOCK_BIT(i) & ~hidden;
	/* Some of those hidden may be IPv6, nobody knows how many. */
	if (ipv6_truth > ipv6 + portsock_row_in(truth, hidden) || ipv6_truth < sub(ipv6, portsock_row_in(row, hidden)))
		columns |= PORTSOCK_BIT(PORTSOCK_IPV6);

	return columns;
}

static bool is_true(const struct portsock_row *row, const struct portsock_row *truth, enum portsock_count count)
{
	/* Every socket has a user, but not every kernel tells control groups. */
	if (count >= PORTSOCK_UID && !(truth->answers & PORTSOCK_BIT(count)))
		return count == PORTSOCK_CGROUP;

	return row->count[count] == truth->count[count];
}

static uint32_t answers_compare(const struct portsock_row *before, const struct portsock_row *after,
				const struct portsock_row *truth, uint32_t hidden)
{
	uint32_t answers = before->answers & after->answers & ~hidden, columns = 0;
	unsigned int i;

	for (i = PORTSOCK_QUEUES; i < PORTSOCK_COUNTS; i++)
		if ((answers & PORTSOCK_BIT(i)) && before->count[i] == after->count[i] && !is_true(after, truth, i))
			columns |= PORTSOCK_BIT(i);

	return columns;
}

static bool is_within(const struct portsock_row *before, const struct portsock_row *after,
		      const struct portsock_row *truth, uint32_t hidden)
{
	uint64_t opened = sub(after->count[PORTSOCK_OPENED], before->count[PORTSOCK_OPENED]);
	uint64_t closed = sub(after->count[PORTSOCK_CLOSED], before->count[PORTSOCK_CLOSED]);
	uint64_t least = sub(min(seen(before, hidden), seen(after, hidden)), closed);
	uint64_t most = max(before->count[PORTSOCK_SOCKETS], after->count[PORTSOCK_SOCKETS]) + opened;

	return truth->count[PORTSOCK_SOCKETS] >= least && truth->count[PORTSOCK_SOCKETS] <= most;
}

/* Rows are unmade and made anew, counters and all: then nothing is known of what happened between. */
static bool is_same_row(const struct portsock_row *before, const struct portsock_row *after)
{
	return before->count[PORTSOCK_OPENED] && after->count[PORTSOCK_OPENED] >= before->count[PORTSOCK_OPENED] &&
	       after->count[PORTSOCK_CLOSED] >= before->count[PORTSOCK_CLOSED];
}

void portsock_truth_owner(struct portsock_row *truth, const struct portsock_row *told, enum portsock_count count,
			  uint64_t number)
{
	uint32_t bit = PORTSOCK_BIT(count);

	if (!(truth->answers & bit))
		truth->count[count] = number;
	else if (number != truth->count[count])
		truth->several |= bit;
	truth->answers |= bit;
	if (number == told->count[count])
		truth->count[count] = number;
}

bool portsock_row_rests(const struct portsock_row *before, const struct portsock_row *after)
{
	return !memcmp(before->count, after->count, PORTSOCK_QUEUES * sizeof(*before->count));
}

struct portsock_look portsock_compare(const struct portsock_row *before, const struct portsock_row *after,
				      const struct portsock_row *truth, uint32_t hidden)
{
	struct portsock_look look = { .verdict = PORTSOCK_EQUAL };

	if (portsock_row_rests(before, after)) {
		look.columns = rest_compare(after, truth, hidden) | answers_compare(before, after, truth, hidden);
		if (look.columns)
			look.verdict = PORTSOCK_DIFFERENT;
	} else if (is_same_row(before, after) && !is_within(before, after, truth, hidden)) {
		look.columns = PORTSOCK_BIT(PORTSOCK_SOCKETS);
		look.verdict = PORTSOCK_DIFFERENT;
	} else {
		look.verdict = PORTSOCK_MOVING;
	}

	return look;
}

void portsock_case_add(struct portsock_case *row, const struct portsock_look *look)
{
	row->settled = look->verdict == PORTSOCK_EQUAL;
	row->weak |= look->weak;
	row->columns &= look->columns;
	if (row->columns) {
		row->alike++;
	} else {
		row->columns = look->columns;
		row->alike = !!look->columns;
	}
}

enum portsock_verdict portsock_case_verdict(const struct portsock_case *row)
{
	if (row->settled)
		return PORTSOCK_EQUAL;

	return row->alike >= (row->weak ? PORTSOCK_LOOKS : PORTSOCK_LOOKS_ALIKE) ? PORTSOCK_DIFFERENT :
										   PORTSOCK_MOVING;
}

enum portsock_flaw portsock_row_flaw(const struct portsock_row *row)
{
	uint64_t sockets = row->count[PORTSOCK_SOCKETS], states = portsock_row_states(row);

	if (sockets < states || sockets > states + row->count[TCP_SYN_RECV])
		return PORTSOCK_FLAW_STATES;
	if (row->count[PORTSOCK_OPENED] - row->count[PORTSOCK_CLOSED] != sockets)
		return PORTSOCK_FLAW_COUNTERS;
	if (row->count[PORTSOCK_IPV6] > sockets)
		return PORTSOCK_FLAW_IPV6;
	if (row->count[PORTSOCK_PEAK] < sockets)
		return PORTSOCK_FLAW_PEAK;

	return PORTSOCK_FLAW_NONE;
}
