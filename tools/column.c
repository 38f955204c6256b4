// SPDX-License-Identifier: GPL-2.0
#include <stddef.h>
#include <strings.h>

#include "column.h"

/* Short headings keep the table for people within 80 columns. */
const struct portsock_column portsock_columns[] = {
	{ "proto",	 "PROTO",     PORTSOCK_COLUMN_TEXT,   false },
	{ "port",	 "PORT",      PORTSOCK_COLUMN_PORT,   false },
	{ "class",	 "CLASS",     PORTSOCK_COLUMN_TEXT,   false },
	{ "sockets",	 "SOCKETS",   PORTSOCK_COLUMN_SUM,    false },
	{ "ipv6",	 "IPV6",      PORTSOCK_COLUMN_SUM,    false },
	{ "established", "ESTAB",     PORTSOCK_COLUMN_STATE,  false },
	{ "syn_sent",	 "SYN_S",     PORTSOCK_COLUMN_STATE,  false },
	{ "syn_recv",	 "SYN_R",     PORTSOCK_COLUMN_STATE,  false },
	{ "fin_wait1",	 "FIN_W1",    PORTSOCK_COLUMN_STATE,  false },
	{ "fin_wait2",	 "FIN_W2",    PORTSOCK_COLUMN_STATE,  false },
	{ "time_wait",	 "TIME_W",    PORTSOCK_COLUMN_STATE,  false },
	{ "close",	 "CLOSE",     PORTSOCK_COLUMN_STATE,  false },
	{ "close_wait",	 "CLOSE_W",   PORTSOCK_COLUMN_STATE,  false },
	{ "last_ack",	 "LAST_A",    PORTSOCK_COLUMN_STATE,  false },
	{ "listen",	 "LISTEN",    PORTSOCK_COLUMN_STATE,  false },
	{ "closing",	 "CLOSING",   PORTSOCK_COLUMN_STATE,  false },
	{ "opened",	 "OPENED",    PORTSOCK_COLUMN_COUNTER, false },
	{ "accepted",	 "ACCEPTED",  PORTSOCK_COLUMN_COUNTER, false },
	{ "connected",	 "CONNECTED", PORTSOCK_COLUMN_COUNTER, false },
	{ "closed",	 "CLOSED",    PORTSOCK_COLUMN_COUNTER, false },
	{ "peak",	 "PEAK",      PORTSOCK_COLUMN_NUMBER, false },
	{ "ports",	 "PORTS",     PORTSOCK_COLUMN_SUM,    false },
	{ "comm",	 "COMM",      PORTSOCK_COLUMN_TEXT,   true },
	{ NULL,		 NULL,	      PORTSOCK_COLUMN_TEXT,   true },
};

const struct portsock_column *portsock_column_find(const char *name)
{
	const struct portsock_column *column;

	for (column = portsock_columns; column->name; column++)
		if (!strcasecmp(column->name, name) || !strcasecmp(column->heading, name))
			return column;

	return NULL;
}

uint64_t portsock_column_bit(const struct portsock_column *column)
{
	return column ? UINT64_C(1) << (column - portsock_columns) : 0;
}

bool portsock_column_adds_up(const struct portsock_column *column)
{
	return column && (column->kind == PORTSOCK_COLUMN_STATE ||
			  column->kind == PORTSOCK_COLUMN_SUM ||
			  column->kind == PORTSOCK_COLUMN_COUNTER);
}
