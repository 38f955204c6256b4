// SPDX-License-Identifier: GPL-2.0
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>

#include "rows.h"

#define NAME(id, name) #name,
const char * const portsock_proto_names[PORTSOCK_PROTO_NR] = { PORTSOCK_PROTOS(NAME) };

static const enum portsock_column_id count_columns[PORTSOCK_COUNTS] = {
	[PORTSOCK_SOCKETS] = PORTSOCK_COLUMN_SOCKETS,
	[TCP_ESTABLISHED] = PORTSOCK_COLUMN_ESTABLISHED,
	[TCP_SYN_SENT] = PORTSOCK_COLUMN_SYN_SENT,
	[TCP_SYN_RECV] = PORTSOCK_COLUMN_SYN_RECV,
	[TCP_FIN_WAIT1] = PORTSOCK_COLUMN_FIN_WAIT1,
	[TCP_FIN_WAIT2] = PORTSOCK_COLUMN_FIN_WAIT2,
	[TCP_TIME_WAIT] = PORTSOCK_COLUMN_TIME_WAIT,
	[TCP_CLOSE] = PORTSOCK_COLUMN_CLOSE,
	[TCP_CLOSE_WAIT] = PORTSOCK_COLUMN_CLOSE_WAIT,
	[TCP_LAST_ACK] = PORTSOCK_COLUMN_LAST_ACK,
	[TCP_LISTEN] = PORTSOCK_COLUMN_LISTEN,
	[TCP_CLOSING] = PORTSOCK_COLUMN_CLOSING,
	[PORTSOCK_IPV6] = PORTSOCK_COLUMN_IPV6,
	[PORTSOCK_PORTS] = PORTSOCK_COLUMN_PORTS,
	[PORTSOCK_OPENED] = PORTSOCK_COLUMN_OPENED,
	[PORTSOCK_CLOSED] = PORTSOCK_COLUMN_CLOSED,
	[PORTSOCK_PEAK] = PORTSOCK_COLUMN_PEAK,
	[PORTSOCK_BACKLOG] = PORTSOCK_COLUMN_BACKLOG,
	[PORTSOCK_BACKLOG_MAX] = PORTSOCK_COLUMN_BACKLOG_MAX,
	[PORTSOCK_RCV_QUEUE] = PORTSOCK_COLUMN_RCV_QUEUE,
	[PORTSOCK_UID] = PORTSOCK_COLUMN_UID,
	[PORTSOCK_CGROUP] = PORTSOCK_COLUMN_CGROUP,
};

const char *portsock_count_name(enum portsock_count count)
{
	return portsock_columns[count_columns[count]].name;
}

static bool column_is_there(const struct portsock_snapshot *snapshot, const struct portsock_column *column)
{
	unsigned int i;

	for (i = 0; i < snapshot->nr_fields; i++)
		if (snapshot->fields[i].column == column)
			return true;

	return false;
}

/* Return: the number's place in a row, -1 if it is not compared. */
static int count_find(const struct portsock_column *column)
{
	unsigned int i;

	for (i = 0; i < PORTSOCK_COUNTS; i++)
		if (column == &portsock_columns[count_columns[i]])
			return i;

	return -1;
}

static int proto_find(const char *name)
{
	unsigned int i;

	for (i = 0; i < PORTSOCK_PROTO_NR; i++)
		if (!strcmp(portsock_proto_names[i], name))
			return i;

	return -1;
}

const struct portsock_row *portsock_rows_get(const struct portsock_rows *rows, enum portsock_proto proto,
					     unsigned int port)
{
	static const struct portsock_row none;

	return rows->port[proto] ? &rows->port[proto][port] : &none;
}

struct portsock_row *portsock_rows_make(struct portsock_rows *rows, enum portsock_proto proto, unsigned int port)
{
	/* 12 MiB of address space, but memory only where rows are. */
	if (!rows->port[proto])
		rows->port[proto] = calloc(PORTSOCK_FOLDED_TOTAL + 1, sizeof(**rows->port));

	return rows->port[proto] ? &rows->port[proto][port] : NULL;
}

static unsigned int row_port(const struct portsock_snapshot *snapshot)
{
	const struct portsock_value *port = &snapshot->cells[snapshot->port];

	if (port->is_number)
		return port->number;

	return portsock_snapshot_is_total(snapshot) ? PORTSOCK_TOTAL : PORTSOCK_FOLDED_TOTAL;
}

static void counts_read(struct portsock_row *row, const struct portsock_snapshot *snapshot, const int *counts)
{
	unsigned int i;

	for (i = 0; i < snapshot->nr_fields; i++) {
		if (counts[i] < 0)
			continue;
		row->count[counts[i]] = snapshot->cells[i].number;
		if (counts[i] >= PORTSOCK_QUEUES && snapshot->cells[i].is_number)
			row->answers |= UINT32_C(1) << counts[i];
	}
}

static int row_read(struct portsock_rows *rows, const struct portsock_snapshot *snapshot, const int *counts)
{
	int proto = proto_find(snapshot->cells[snapshot->proto].text);
	struct portsock_row *row;
	unsigned int i;

	/* The sockets of remote ports are in the rows of their local ones. */
	if (proto < 0 || !portsock_snapshot_knows(snapshot) || portsock_snapshot_is(snapshot, PORTSOCK_REMOTE))
		return 0;

	row = portsock_rows_make(rows, proto, row_port(snapshot));
	if (!row)
		return -1;
	rows->nr[proto]++;
	row->service = portsock_snapshot_is(snapshot, PORTSOCK_SERVICE);
	counts_read(row, snapshot, counts);
	if (portsock_snapshot_is_single(snapshot))
		for (i = 0; i < PORTSOCK_GAUGES; i++)
			rows->singles[proto].count[i] += row->count[i];

	return 0;
}

int portsock_rows_read(struct portsock_rows *rows, struct portsock_snapshot *snapshot, struct portsock_error *error)
{
	int counts[PORTSOCK_CELLS_MAX];
	unsigned int i;
	int rc;

	for (i = 0; i < PORTSOCK_QUEUES; i++)
		if (!column_is_there(snapshot, &portsock_columns[count_columns[i]]))
			return portsock_error_set(error, "%s: no column '%s' to compare: a table of an older module",
						  snapshot->name, portsock_count_name(i));
	for (i = 0; i < snapshot->nr_fields; i++)
		counts[i] = count_find(snapshot->fields[i].column);

	while ((rc = portsock_snapshot_next(snapshot)) > 0)
		if (row_read(rows, snapshot, counts))
			return portsock_error_set(error, "out of memory");
	if (rc)
		*error = snapshot->error;

	return rc;
}

void portsock_rows_clear(struct portsock_rows *rows)
{
	unsigned int i;

	for (i = 0; i < PORTSOCK_PROTO_NR; i++)
		free(rows->port[i]);
	*rows = (struct portsock_rows) { 0 };
}
