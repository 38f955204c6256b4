// SPDX-License-Identifier: GPL-2.0
#include <stdlib.h>
#include <string.h>

#include "rows.h"

const char * const portsock_proto_names[PORTSOCK_PROTO_NR] = {
	[PORTSOCK_TCP] = "tcp",
	[PORTSOCK_UDP] = "udp",
	[PORTSOCK_UDPLITE] = "udplite",
	[PORTSOCK_RAW] = "raw",
	[PORTSOCK_ICMP] = "icmp",
	[PORTSOCK_SCTP] = "sctp",
	[PORTSOCK_DCCP] = "dccp",
	[PORTSOCK_MPTCP] = "mptcp",
};

const char * const portsock_count_names[PORTSOCK_COUNTS] = {
	"sockets", "established", "syn_sent", "syn_recv", "fin_wait1", "fin_wait2", "time_wait", "close",
	"close_wait", "last_ack", "listen", "closing", "ipv6", "ports", "opened", "closed", "peak",
};

static int name_find(const char * const *names, unsigned int nr, const char *name)
{
	unsigned int i;

	for (i = 0; i < nr; i++)
		if (!strcmp(names[i], name))
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
	/* 9 MiB of address space, but memory only where rows are. */
	if (!rows->port[proto])
		rows->port[proto] = calloc(PORTSOCK_FOLDED + 1, sizeof(**rows->port));

	return rows->port[proto] ? &rows->port[proto][port] : NULL;
}

static unsigned int row_port(const struct portsock_snapshot *snapshot)
{
	const struct portsock_value *port = &snapshot->cells[snapshot->port];

	if (port->is_number)
		return port->number;

	return portsock_snapshot_is_total(snapshot) ? PORTSOCK_TOTAL : PORTSOCK_FOLDED;
}

static int row_read(struct portsock_rows *rows, const struct portsock_snapshot *snapshot, const int *counts)
{
	int proto = name_find(portsock_proto_names, PORTSOCK_PROTO_NR, snapshot->cells[snapshot->proto].text);
	struct portsock_row *row;
	unsigned int i;

	if (proto < 0)
		return 0;

	row = portsock_rows_make(rows, proto, row_port(snapshot));
	if (!row)
		return -1;
	rows->nr[proto]++;
	row->service = !strcmp(snapshot->cells[snapshot->class].text, "service");
	for (i = 0; i < snapshot->nr_fields; i++)
		if (counts[i] >= 0)
			row->count[counts[i]] = snapshot->cells[i].number;
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

	for (i = 0; i < snapshot->nr_fields; i++)
		counts[i] = name_find(portsock_count_names, PORTSOCK_COUNTS, snapshot->fields[i].name);

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
