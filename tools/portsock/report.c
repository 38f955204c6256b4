// SPDX-License-Identifier: GPL-2.0
#include <inttypes.h>
#include <netinet/tcp.h>
#include <stdio.h>

#include "report.h"

#define MOVING_SHOWN 5

static const char *port_text(unsigned int port)
{
	static char text[16];

	snprintf(text, sizeof(text), "%u", port);
	if (port == PORTSOCK_TOTAL)
		return "*";

	return port == PORTSOCK_FOLDED_TOTAL ? "* (folded)" : text;
}

static void column_print(const struct portsock_check *check, enum portsock_proto proto, unsigned int port,
			 unsigned int i)
{
	const struct portsock_row *before = portsock_rows_get(&check->before, proto, port);
	const struct portsock_row *after = portsock_rows_get(&check->after, proto, port);
	const struct portsock_row *kernel = portsock_rows_get(&check->kernel, proto, port);
	uint32_t states = i == PORTSOCK_SOCKETS ? portsock_check_hidden(check, proto) : 0;
	uint64_t hidden = portsock_row_in(after, states), hidden_there = portsock_row_in(kernel, states);

	printf("%s %s %s%s: portsock %" PRIu64 ", kernel %" PRIu64 "%s\n", portsock_proto_names[proto],
	       port_text(port), portsock_count_name(i),
	       hidden || hidden_there ? " without states not compared" : "",
	       after->count[i] - hidden, kernel->count[i] - hidden_there,
	       portsock_row_rests(before, after) ? "" : " (moving, but never by as much)");
}

static void owner_print(const struct portsock_check *check, enum portsock_proto proto, unsigned int port,
			unsigned int i)
{
	const struct portsock_row *kernel = portsock_rows_get(&check->kernel, proto, port);

	printf("%s %s %s: portsock %" PRIu64 ", kernel ", portsock_proto_names[proto], port_text(port),
	       portsock_count_name(i), portsock_rows_get(&check->after, proto, port)->count[i]);
	if (kernel->answers & PORTSOCK_BIT(i))
		printf("%" PRIu64 "%s\n", kernel->count[i], kernel->several & PORTSOCK_BIT(i) ? " and others" : "");
	else
		puts("-");
}

static void sum_print(const struct portsock_check *check, enum portsock_proto proto, unsigned int i)
{
	printf("%s * %s: portsock %" PRIu64 ", sum of its rows %" PRIu64 "\n", portsock_proto_names[proto],
	       portsock_count_name(i), portsock_rows_get(&check->after, proto, PORTSOCK_TOTAL)->count[i],
	       check->after.singles[proto].count[i]);
}

static void different_print(const struct portsock_check *check, enum portsock_proto proto, unsigned int port)
{
	uint32_t columns = check->cases[proto][port].columns;
	unsigned int i;

	for (i = 0; i < PORTSOCK_COUNTS; i++) {
		if (!(columns & PORTSOCK_BIT(i)))
			continue;
		if (port == PORTSOCK_CASE_SUM)
			sum_print(check, proto, i);
		else if (i == PORTSOCK_UID || i == PORTSOCK_CGROUP)
			owner_print(check, proto, port, i);
		else
			column_print(check, proto, port, i);
	}
}

static bool case_is(const struct portsock_check *check, enum portsock_proto proto, unsigned int port,
		    enum portsock_verdict verdict)
{
	return portsock_case_verdict(&check->cases[proto][port]) == verdict &&
	       (!check->unlisted[proto] || port == PORTSOCK_CASE_SUM);
}

static void cases_print(struct portsock_check *check, enum portsock_proto proto)
{
	unsigned int port;

	if (!check->open[proto])
		return;
	for (port = 1; port <= PORTSOCK_CASE_SUM; port++) {
		if (!case_is(check, proto, port, PORTSOCK_DIFFERENT))
			continue;
		check->nr_different++;
		different_print(check, proto, port);
	}
}

static void flaw_print(enum portsock_flaw flaw, const struct portsock_row *row)
{
	uint64_t sockets = row->count[PORTSOCK_SOCKETS];

	switch (flaw) {
	case PORTSOCK_FLAW_STATES:
		printf("sockets is %" PRIu64 ", but its states add up to %" PRIu64 "\n", sockets,
		       portsock_row_states(row) + row->count[TCP_SYN_RECV]);
		break;
	case PORTSOCK_FLAW_COUNTERS:
		printf("sockets is %" PRIu64 ", but opened %" PRIu64 ", closed %" PRIu64 "\n", sockets,
		       row->count[PORTSOCK_OPENED], row->count[PORTSOCK_CLOSED]);
		break;
	case PORTSOCK_FLAW_IPV6:
		printf("sockets is %" PRIu64 ", but ipv6 %" PRIu64 "\n", sockets, row->count[PORTSOCK_IPV6]);
		break;
	case PORTSOCK_FLAW_PEAK:
		printf("sockets is %" PRIu64 ", but peak %" PRIu64 "\n", sockets, row->count[PORTSOCK_PEAK]);
		break;
	case PORTSOCK_FLAW_NONE:
		break;
	}
}

static void flaws_print(struct portsock_check *check, enum portsock_proto proto)
{
	const struct portsock_row *row;
	enum portsock_flaw flaw;
	unsigned int port;

	for (port = 0; port <= PORTSOCK_FOLDED_TOTAL; port++) {
		row = portsock_rows_get(&check->after, proto, port);
		flaw = portsock_row_flaw(row);
		if (flaw == PORTSOCK_FLAW_NONE)
			continue;
		if (!case_is(check, proto, port, PORTSOCK_DIFFERENT))
			check->nr_different++;
		printf("%s %s: ", portsock_proto_names[proto], port_text(port));
		flaw_print(flaw, row);
	}
}

/* The sum does not come to rest when the total does not: one word for both. */
static void moving_print(struct portsock_check *check)
{
	enum portsock_proto proto;
	unsigned int port;

	for (proto = 0; proto < PORTSOCK_PROTO_NR; proto++) {
		for (port = 1; check->open[proto] && port <= PORTSOCK_FOLDED_TOTAL; port++) {
			if (!case_is(check, proto, port, PORTSOCK_MOVING) &&
			    (port != PORTSOCK_TOTAL || !case_is(check, proto, PORTSOCK_CASE_SUM, PORTSOCK_MOVING)))
				continue;
			if (check->nr_moving++ < MOVING_SHOWN || check->verbose)
				printf("%s %s %s", check->nr_moving > 1 ? "," : "moving, not compared:",
				       portsock_proto_names[proto], port_text(port));
		}
	}
	if (!check->nr_moving)
		return;
	if (check->nr_moving > MOVING_SHOWN && !check->verbose)
		printf(" and %lu more", check->nr_moving - MOVING_SHOWN);
	printf(" (never at rest; sockets is within what opened and closed meanwhile)\n");
}

static uint64_t unbound_sockets(const struct portsock_check *check)
{
	uint64_t sockets = 0;
	enum portsock_proto proto;

	for (proto = 0; proto < PORTSOCK_PROTO_NR; proto++)
		sockets += portsock_rows_get(&check->after, proto, 0)->count[PORTSOCK_SOCKETS];

	return sockets;
}

static uint64_t hidden_sockets(const struct portsock_check *check, enum portsock_proto proto)
{
	uint64_t sockets = 0;
	unsigned int port;

	for (port = 1; port < PORTSOCK_TOTAL; port++)
		sockets += portsock_row_in(portsock_rows_get(&check->after, proto, port), portsock_check_hidden(check, proto));

	return sockets;
}

static void states_print(uint32_t states)
{
	unsigned int i;

	for (i = 1; i <= PORTSOCK_STATES; i++)
		if (states & PORTSOCK_BIT(i))
			printf(" %s", portsock_count_name(i));
}

static void skipped_print(const struct portsock_check *check, enum portsock_proto proto)
{
	const char *name = portsock_proto_names[proto], *module = portsock_diag_module(proto);
	uint64_t hidden = check->unlisted[proto] ? 0 : hidden_sockets(check, proto);

	if (check->unlisted[proto] && module) {
		printf("not compared: %s (the kernel has no %s)\n", name, module);
	} else if (check->unlisted[proto]) {
		printf("not compared: %s (sock_diag does not list it)\n", name);
	} else if (proto == PORTSOCK_TCP && !check->diag.lists_bound) {
		printf("not compared: tcp close (sock_diag lists sockets only bound since Linux 6.8; portsock has %"
		       PRIu64 ")\n", hidden);
	} else if (hidden) {
		printf("not compared: %s", name);
		states_print(portsock_check_hidden(check, proto));
		printf(" (sock_diag does not list them all; portsock has %" PRIu64 ")\n", hidden);
	}
}

static bool queues_are_told(const struct portsock_check *check)
{
	enum portsock_proto proto;
	unsigned int port;

	for (proto = 0; proto < PORTSOCK_PROTO_NR; proto++)
		for (port = 1; port < PORTSOCK_TOTAL; port++)
			if (portsock_rows_get(&check->after, proto, port)->answers)
				return true;

	return false;
}

static void drops_print(const struct portsock_check *check)
{
	if (queues_are_told(check))
		puts("not compared: listen_drops, rcv_drops (the kernel has those of sockets that are there, portsock those "
		     "since it knows them)");
}

static void strays_print(const struct portsock_check *check)
{
	if (check->strays)
		printf("not compared: the rows of %" PRIu64 " connection requests to ports that nobody listens on (TPROXY, "
		       "sk_lookup, or the listener is gone)\n", check->strays);
}

static bool verdict_print(const struct portsock_check *check)
{
	enum portsock_proto proto;
	bool any = false;

	if (check->nr_different)
		printf("different: %lu; equal:", check->nr_different);
	else
		printf("equal:");
	printf(" %lu rows with %" PRIu64 " sockets", check->nr_rows, check->nr_sockets);
	for (proto = 0; proto < PORTSOCK_PROTO_NR; proto++) {
		if (check->unlisted[proto])
			continue;
		printf("%s%s", any ? ", " : " (", portsock_proto_names[proto]);
		any = true;
	}
	puts(any ? ")" : "");

	return any && (check->nr_rows || !check->nr_moving);
}

enum portsock_check_status portsock_report(struct portsock_check *check)
{
	enum portsock_proto proto;
	uint64_t unbound;
	bool compared;

	for (proto = 0; proto < PORTSOCK_PROTO_NR; proto++) {
		cases_print(check, proto);
		flaws_print(check, proto);
	}
	if (!check->exact)
		printf("not exact: the table says so itself (missed %" PRIu64 ", untracked %" PRIu64 ")\n",
		       check->missed, check->untracked);
	moving_print(check);
	for (proto = 0; proto < PORTSOCK_PROTO_NR; proto++)
		skipped_print(check, proto);
	strays_print(check);
	drops_print(check);
	unbound = unbound_sockets(check);
	if (unbound)
		printf("not compared: unbound (the kernel has no list of them; portsock has %" PRIu64 ")\n", unbound);
	compared = verdict_print(check);

	if (check->nr_different)
		return PORTSOCK_CHECK_DIFFERENT;

	return compared ? PORTSOCK_CHECK_EQUAL : PORTSOCK_CHECK_ERROR;
}
