// SPDX-License-Identifier: GPL-2.0
/*
 * No two tables of a living kernel can be read at the same moment. So the
 * table is read, the kernel asked, the table read again: a row that is the same
 * both times was at rest and must agree with the kernel. Rows that do not are
 * looked at again, after pauses that grow.
 */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "check.h"
#include "libportsock.h"
#include "report.h"

#define PAUSE_MS	50	/* doubled after each look: 1.55 s in all, a repair takes a second */

static const char usage_text[] =
"Usage: portsock check [options]\n"
"Compare " PORTSOCK_PROC " with what the kernel itself says (sock_diag, as ss uses\n"
"it) and with itself. Rows whose sockets move meanwhile are looked at again.\n"
"\n"
"  -N, --netns PID|NAME   another network namespace: a process's, or /run/netns/NAME\n"
"  -f, --file FILE        a captured table instead of " PORTSOCK_PROC "\n"
"  -v, --verbose          rows that are fine, too, and all that moved\n"
"  -h, --help             this text\n"
"\n"
"Exit status: 0 equal, 1 different, 2 could not compare.\n";

static int table_read(struct portsock_check *check, struct portsock_rows *rows, struct portsock_error *error)
{
	static struct portsock_snapshot snapshot;
	struct portsock_source source;
	int rc = -1;

	portsock_rows_clear(rows);
	if (portsock_source_open(&source, check->file, error))
		return -1;
	if (portsock_snapshot_open(&snapshot, source.in, source.name))
		*error = snapshot.error;
	else
		rc = portsock_rows_read(rows, &snapshot, error);
	fclose(source.in);

	check->exact = portsock_snapshot_health(&snapshot, "exact");
	check->missed = portsock_snapshot_health(&snapshot, "missed");
	check->untracked = portsock_snapshot_health(&snapshot, "untracked");

	return rc;
}

/* The kernel knows no classes: a port is what the table says, or else ephemeral. */
static bool port_is_service(const struct portsock_check *check, enum portsock_proto proto, unsigned int port)
{
	return portsock_rows_get(&check->before, proto, port)->service ||
	       portsock_rows_get(&check->after, proto, port)->service;
}

/* Return: 0 with the total made, -1 without memory. */
static int kernel_total(struct portsock_check *check, enum portsock_proto proto)
{
	struct portsock_row *total = portsock_rows_make(&check->kernel, proto, PORTSOCK_TOTAL);
	unsigned int port, i;

	if (!total)
		return -1;
	for (port = 1; port < PORTSOCK_TOTAL; port++)
		if (!port_is_service(check, proto, port))
			for (i = 0; i < PORTSOCK_GAUGES; i++)
				total->count[i] += check->kernel.port[proto][port].count[i];

	return 0;
}

static int kernel_read(struct portsock_check *check, bool first, struct portsock_error *error)
{
	enum portsock_proto proto;

	portsock_rows_clear(&check->kernel);
	for (proto = 0; proto < PORTSOCK_PROTO_NR; proto++) {
		if (check->unlisted[proto] || (!first && !check->open[proto]))
			continue;
		switch (portsock_diag_dump(&check->diag, proto, &check->before, &check->kernel, error)) {
		case PORTSOCK_DIAG_OK:
			break;
		case PORTSOCK_DIAG_ABSENT:
			check->unlisted[proto] = true;
			break;
		case PORTSOCK_DIAG_FAILED:
			return -1;
		}
	}

	return 0;
}

static uint64_t row_requests(const struct portsock_row *row)
{
	return portsock_row_states(row) + row->count[TCP_SYN_RECV] - row->count[PORTSOCK_SOCKETS];
}

/*
 * TPROXY and sk_lookup have a listener receive what was sent to another port. There the kernel lists the requests;
 * the table has them where the listener is, which nobody else tells.
 */
static void requests_move(struct portsock_check *check)
{
	struct portsock_row *rows = check->kernel.port[PORTSOCK_TCP];
	uint64_t left, there, here;
	unsigned int port;

	check->strays = 0;
	if (!rows)
		return;
	for (port = 1; port < PORTSOCK_TOTAL; port++) {
		if (rows[port].count[TCP_LISTEN])
			continue;
		check->strays += row_requests(&rows[port]);
		rows[port].count[TCP_SYN_RECV] -= row_requests(&rows[port]);
	}
	left = check->strays;
	for (port = 1; port < PORTSOCK_TOTAL && left; port++) {
		there = rows[port].count[TCP_SYN_RECV];
		here = portsock_rows_get(&check->after, PORTSOCK_TCP, port)->count[TCP_SYN_RECV];
		if (!rows[port].count[TCP_LISTEN] || here <= there)
			continue;
		here = here - there < left ? here - there : left;
		rows[port].count[TCP_SYN_RECV] += here;
		left -= here;
	}
}

uint32_t portsock_check_hidden(const struct portsock_check *check, enum portsock_proto proto)
{
	uint32_t bound = check->diag.lists_bound ? 0 : PORTSOCK_BIT(TCP_CLOSE);

	switch (proto) {
	case PORTSOCK_DCCP:
		/* It lists listeners, with queues of 0. */
		return bound | PORTSOCK_BIT(PORTSOCK_BACKLOG) | PORTSOCK_BIT(PORTSOCK_BACKLOG_MAX);
	case PORTSOCK_TCP:
		return bound;
	case PORTSOCK_SCTP:
		/* Sockets without an association; those whose association is over are in close_wait. */
		return PORTSOCK_BIT(TCP_CLOSE) | PORTSOCK_BIT(TCP_CLOSE_WAIT);
	case PORTSOCK_MPTCP:
		/* 6.1 skips the third listener of a hash bucket and those behind it. */
		return PORTSOCK_BIT(TCP_CLOSE) | PORTSOCK_BIT(TCP_LISTEN);
	default:
		return 0;
	}
}

static bool row_is_there(const struct portsock_row *row)
{
	return row->count[PORTSOCK_OPENED] || row->count[PORTSOCK_SOCKETS] || row->count[TCP_TIME_WAIT] ||
	       row->count[TCP_SYN_RECV];
}

static void row_settled(struct portsock_check *check, enum portsock_proto proto, unsigned int port)
{
	const struct portsock_row *row = portsock_rows_get(&check->after, proto, port);

	if (port >= PORTSOCK_TOTAL || !row_is_there(row))
		return;
	check->nr_rows++;
	check->nr_sockets += row->count[PORTSOCK_SOCKETS];
	if (check->verbose)
		printf("%s %u: equal, %" PRIu64 " sockets\n", portsock_proto_names[proto], port,
		       row->count[PORTSOCK_SOCKETS]);
}

static void case_look(struct portsock_check *check, enum portsock_proto proto, unsigned int port)
{
	const struct portsock_row *total_before = portsock_rows_get(&check->before, proto, PORTSOCK_TOTAL);
	const struct portsock_row *total_after = portsock_rows_get(&check->after, proto, PORTSOCK_TOTAL);
	struct portsock_case *the_case = &check->cases[proto][port];
	struct portsock_look look;

	if (port == PORTSOCK_CASE_SUM)
		look = portsock_compare(total_before, total_after, &check->after.singles[proto], 0);
	else
		look = portsock_compare(portsock_rows_get(&check->before, proto, port),
					portsock_rows_get(&check->after, proto, port),
					portsock_rows_get(&check->kernel, proto, port),
					portsock_check_hidden(check, proto) | PORTSOCK_BIT(PORTSOCK_PORTS));
	/* A single ephemeral row goes with its last socket, its counters with it; the total stays. */
	look.weak = port < PORTSOCK_TOTAL && !port_is_service(check, proto, port) &&
		    !portsock_row_rests(total_before, total_after);

	portsock_case_add(the_case, &look);
	if (the_case->settled)
		row_settled(check, proto, port);
	else
		check->open[proto]++;
}

static void proto_look(struct portsock_check *check, enum portsock_proto proto)
{
	unsigned int port;

	check->open[proto] = 0;
	for (port = 1; port <= PORTSOCK_CASE_SUM; port++)
		if (!check->cases[proto][port].settled && (!check->unlisted[proto] || port == PORTSOCK_CASE_SUM))
			case_look(check, proto, port);
}

static int look(struct portsock_check *check, bool first, struct portsock_error *error)
{
	enum portsock_proto proto;

	if (table_read(check, &check->before, error) || kernel_read(check, first, error) ||
	    table_read(check, &check->after, error))
		return -1;

	if (first || check->open[PORTSOCK_TCP])
		requests_move(check);
	for (proto = 0; proto < PORTSOCK_PROTO_NR; proto++) {
		if (!first && !check->open[proto])
			continue;
		if (!check->unlisted[proto] && kernel_total(check, proto))
			return portsock_error_set(error, "out of memory");
		proto_look(check, proto);
	}

	return 0;
}

static unsigned long open_cases(const struct portsock_check *check)
{
	unsigned long open = 0;
	unsigned int i;

	for (i = 0; i < PORTSOCK_PROTO_NR; i++)
		open += check->open[i];

	return open;
}

static int looks(struct portsock_check *check, struct portsock_error *error)
{
	struct timespec pause = { .tv_nsec = PAUSE_MS * 1000000L };
	unsigned int i;

	if (look(check, true, error))
		return -1;
	for (i = 1; i < PORTSOCK_LOOKS && open_cases(check); i++) {
		if (check->verbose)
			printf("look %u: %lu rows not settled\n", i, open_cases(check));
		nanosleep(&pause, NULL);
		pause.tv_nsec *= 2;
		if (look(check, false, error))
			return -1;
	}

	return 0;
}

static int check_run(struct portsock_check *check, const char *netns, struct portsock_error *error)
{
	enum portsock_proto proto;

	if (netns && portsock_source_enter(netns, error))
		return PORTSOCK_CHECK_ERROR;
	if (portsock_diag_open(&check->diag, error))
		return PORTSOCK_CHECK_ERROR;
	for (proto = 0; proto < PORTSOCK_PROTO_NR; proto++) {
		check->cases[proto] = calloc(PORTSOCK_CASE_SUM + 1, sizeof(**check->cases));
		if (!check->cases[proto]) {
			portsock_error_set(error, "out of memory");
			return PORTSOCK_CHECK_ERROR;
		}
	}

	return looks(check, error) ? PORTSOCK_CHECK_ERROR : portsock_report(check);
}

static void check_exit(struct portsock_check *check)
{
	enum portsock_proto proto;

	portsock_rows_clear(&check->before);
	portsock_rows_clear(&check->kernel);
	portsock_rows_clear(&check->after);
	for (proto = 0; proto < PORTSOCK_PROTO_NR; proto++)
		free(check->cases[proto]);
	portsock_diag_close(&check->diag);
}

static int output_finish(int status)
{
	errno = 0;
	if (!fflush(stdout) && !ferror(stdout))
		return status;
	/* Whoever closed the pipe, like head(1), has seen enough. */
	if (errno == EPIPE)
		return status;
	fprintf(stderr, "portsock: write failed: %s\n", strerror(errno));

	return PORTSOCK_CHECK_ERROR;
}

int portsock_check_main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "netns",   required_argument, NULL, 'N' },
		{ "file",    required_argument, NULL, 'f' },
		{ "verbose", no_argument,	NULL, 'v' },
		{ "help",    no_argument,	NULL, 'h' },
		{ NULL,	     0,			NULL, 0 },
	};
	struct portsock_error error = { .text = "" };
	const char *netns = NULL, *file = NULL;
	struct portsock_check check = { .verbose = false };
	int option, status;

	while ((option = getopt_long(argc, argv, "N:f:vh", options, NULL)) != -1) {
		switch (option) {
		case 'N':
			netns = optarg;
			break;
		case 'f':
			file = optarg;
			break;
		case 'v':
			check.verbose = true;
			break;
		case 'h':
			fputs(usage_text, stdout);
			return output_finish(PORTSOCK_CHECK_EQUAL);
		default:
			return PORTSOCK_CHECK_ERROR;
		}
	}
	check.file = portsock_source_path(file);
	if (optind < argc) {
		portsock_error_set(&error, "unexpected argument '%s' (see: portsock check --help)", argv[optind]);
		status = PORTSOCK_CHECK_ERROR;
	} else if (!strcmp(check.file, "-")) {
		portsock_error_set(&error, "--file -: check reads the table more than once, stdin cannot be");
		status = PORTSOCK_CHECK_ERROR;
	} else {
		status = check_run(&check, netns, &error);
		check_exit(&check);
	}
	if (*error.text)
		fprintf(stderr, "portsock: %s\n", error.text);

	return output_finish(status);
}
