/* SPDX-License-Identifier: GPL-2.0 */
#ifndef PORTSOCK_CHECK_H
#define PORTSOCK_CHECK_H

#include "compare.h"
#include "diag.h"
#include "libportsock.h"

/* A case of its own, behind those of rows: the ephemeral total against the sum of its rows. */
#define PORTSOCK_CASE_SUM (PORTSOCK_FOLDED_TOTAL + 1)

/* Exit status. */
enum portsock_check_status {
	PORTSOCK_CHECK_EQUAL,
	PORTSOCK_CHECK_DIFFERENT,
	PORTSOCK_CHECK_ERROR,
};

/**
 * struct portsock_check - a check under way
 * @file: the table
 * @verbose: show rows that are fine, too
 * @diag: asks the kernel
 * @before: the table, read before the kernel was asked
 * @kernel: what the kernel said; its totals are sums made here
 * @after: the table, read after the kernel was asked
 * @exact: so says the health line of @after
 * @missed: likewise
 * @untracked: likewise
 * @unlisted: per protocol, the kernel has no list of its sockets
 * @strays: connection requests to TCP ports that nobody listens on
 * @open: per protocol, cases not settled
 * @cases: per protocol, one for each row and for PORTSOCK_CASE_SUM
 * @nr_rows: rows compared
 * @nr_sockets: sockets in them
 * @nr_different: rows found different
 * @nr_moving: rows that never came to rest
 */
struct portsock_check {
	const char *file;
	bool verbose;
	struct portsock_diag diag;
	struct portsock_rows before;
	struct portsock_rows kernel;
	struct portsock_rows after;
	bool exact;
	uint64_t missed;
	uint64_t untracked;
	bool unlisted[PORTSOCK_PROTO_NR];
	uint64_t strays;
	unsigned long open[PORTSOCK_PROTO_NR];
	struct portsock_case *cases[PORTSOCK_PROTO_NR];
	unsigned long nr_rows;
	uint64_t nr_sockets;
	unsigned long nr_different;
	unsigned long nr_moving;
};

/**
 * portsock_check_hidden() - states of which the kernel lists some sockets only, and queues that it does not tell
 * @check: the check
 * @proto: protocol
 *
 * Return: a bit for each.
 */
uint32_t portsock_check_hidden(const struct portsock_check *check, enum portsock_proto proto);

/**
 * portsock_check_main() - compare the table with what the kernel itself says
 * @argc: number of arguments
 * @argv: `check` and its options
 *
 * Return: exit status: 0 equal, 1 different, 2 could not compare.
 */
int portsock_check_main(int argc, char **argv);

#endif
