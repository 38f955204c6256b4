/* SPDX-License-Identifier: GPL-2.0 */
#ifndef PORTSOCK_ROWS_H
#define PORTSOCK_ROWS_H

#include <stdbool.h>
#include <stdint.h>

#include "error.h"
#include "snapshot.h"

/*
 * Numbers of a row that are compared: 1 to PORTSOCK_STATES are the kernel's state numbers, TCP_ESTABLISHED to
 * TCP_CLOSING. From PORTSOCK_QUEUES on not every row has them, nor every table.
 */
enum portsock_count {
	PORTSOCK_SOCKETS,
	PORTSOCK_STATES = 11,
	PORTSOCK_IPV6,
	PORTSOCK_PORTS,
	PORTSOCK_GAUGES,
	PORTSOCK_OPENED = PORTSOCK_GAUGES,
	PORTSOCK_CLOSED,
	PORTSOCK_PEAK,
	PORTSOCK_QUEUES,
	PORTSOCK_BACKLOG = PORTSOCK_QUEUES,
	PORTSOCK_BACKLOG_MAX,
	PORTSOCK_RCV_QUEUE,
	PORTSOCK_UID,
	PORTSOCK_CGROUP,
	PORTSOCK_COUNTS,
};

/* Where the rows `*` are, behind those of all ports: that of class ephemeral, that of class folded. */
#define PORTSOCK_TOTAL		65536
#define PORTSOCK_FOLDED_TOTAL	65537

extern const char * const portsock_proto_names[PORTSOCK_PROTO_NR];

/**
 * portsock_count_name() - the column of a number
 * @count: any but PORTSOCK_COUNTS
 */
const char *portsock_count_name(enum portsock_count count);

/**
 * struct portsock_row - the numbers of one row, all 0 where there is none
 * @count: by enum portsock_count
 * @answers: a bit for each number from PORTSOCK_QUEUES on that the table has; of owners, that the kernel has
 * @several: a bit for each number of which the kernel's sockets have more than one
 * @service: of class service
 */
struct portsock_row {
	uint64_t count[PORTSOCK_COUNTS];
	uint32_t answers;
	uint32_t several;
	bool service;
};

/**
 * struct portsock_rows - a whole table, or what the kernel says, in memory
 * @port: per protocol NULL or a row for each port, PORTSOCK_TOTAL and PORTSOCK_FOLDED_TOTAL; that of port 0 is
 *	`unbound`
 * @singles: per protocol the gauges of the single ephemeral rows added up
 * @nr: rows read, per protocol
 *
 * All zero is an empty table.
 */
struct portsock_rows {
	struct portsock_row *port[PORTSOCK_PROTO_NR];
	struct portsock_row singles[PORTSOCK_PROTO_NR];
	unsigned long nr[PORTSOCK_PROTO_NR];
};

/**
 * portsock_rows_get() - a row to look at
 * @rows: any
 * @proto: protocol
 * @port: 0 to 65535, PORTSOCK_TOTAL or PORTSOCK_FOLDED_TOTAL
 *
 * Return: the row, one of zeros if there is none.
 */
const struct portsock_row *portsock_rows_get(const struct portsock_rows *rows, enum portsock_proto proto,
					     unsigned int port);

/**
 * portsock_rows_make() - a row to write to
 * @rows: any
 * @proto: protocol
 * @port: 0 to 65535, PORTSOCK_TOTAL or PORTSOCK_FOLDED_TOTAL
 *
 * Return: the row, NULL without memory.
 */
struct portsock_row *portsock_rows_make(struct portsock_rows *rows, enum portsock_proto proto, unsigned int port);

/**
 * portsock_rows_read() - read a table to its end
 * @rows: empty
 * @snapshot: the table, opened
 * @error: set on failure
 *
 * Rows of protocols and classes this reader does not know are left out, and those of remote ports.
 *
 * Return: 0, or -1 when reading failed, a number that every row has is in no column, or without memory.
 */
int portsock_rows_read(struct portsock_rows *rows, struct portsock_snapshot *snapshot, struct portsock_error *error);

/**
 * portsock_rows_clear() - empty it, release its memory
 * @rows: any
 */
void portsock_rows_clear(struct portsock_rows *rows);

#endif
