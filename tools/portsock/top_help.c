// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>

#include "top.h"

static const char * const keys[] = {
	"Keys",
	"  Up Down PgUp PgDn Home End  mark a row; also j k, wheel and click",
	"  Left Right                  columns that do not fit",
	"  /  F3                       search: mark a row that has the text; F3 the next",
	"  \\  F4                       filter: only rows that have the text",
	"  <  >                        sort by the column to the left, to the right",
	"  F6                          choose the column to sort by; also click on it",
	"  I                           reverse the order",
	"  n  F5                       choose a network namespace, or all of them",
	"  e                           single ephemeral ports, too",
	"  space                       pause: nothing moves; again to go on",
	"  F1 h ?                      this text",
	"  q F10                       quit",
	"",
	"Search and filter look at protocol, port, class, service and namespace.",
	"",
	"In front of a row: + it is new; ! CLOSE_WAIT grows, ephemeral ports run out, or the",
	"accept queues are almost full.",
	"LAST: the number to its left at the last looks, on a scale from 0 to the highest.",
	"COLUMN/S: what a counter gained per second since the previous look.",
	"COLUMN/AVG: the average of what came since then, in ms; HSHAKE and RTT in us.",
	"RANGE%: ephemeral ports in use, as a percentage of their range.",
	"",
	"Columns (-o shows others than the usual ones)",
};

#define KEYS (sizeof(keys) / sizeof(*keys))

unsigned int portsock_top_help_lines(void)
{
	return KEYS + PORTSOCK_COLUMN_NR;
}

void portsock_top_help_line(unsigned int line, char *text, size_t size)
{
	const struct portsock_column *column = &portsock_columns[line < KEYS ? 0 : line - KEYS];

	if (line < KEYS)
		snprintf(text, size, "%s", keys[line]);
	else
		snprintf(text, size, "  %-10s %s: %s", column->heading, column->name, column->help);
}
