// SPDX-License-Identifier: GPL-2.0
#include <stddef.h>
#include <string.h>
#include <strings.h>

#include "column.h"

#define COLUMN(id, name, heading, kind, unit, help) { #name, heading, PORTSOCK_KIND_##kind, unit, help },

const struct portsock_column portsock_columns[] = {
	PORTSOCK_COLUMNS(COLUMN)
	{ NULL, NULL, PORTSOCK_KIND_TEXT, NULL, NULL },
};

_Static_assert(sizeof(portsock_columns) / sizeof(*portsock_columns) <= 64, "more columns than a set has bits");

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

bool portsock_column_is_text(const struct portsock_column *column)
{
	return column && !strcmp(column->unit, "name");
}

bool portsock_column_is_number(const struct portsock_column *column)
{
	return column && column->kind != PORTSOCK_KIND_IDENTITY && column->kind != PORTSOCK_KIND_HISTOGRAM &&
	       !portsock_column_is_text(column);
}

bool portsock_column_counts(const struct portsock_column *column)
{
	return column && (column->kind == PORTSOCK_KIND_COUNTER || column->kind == PORTSOCK_KIND_SUM);
}

enum portsock_column_id portsock_column_divisor(enum portsock_column_id sum)
{
#define DIVISOR(sum, count) [PORTSOCK_COLUMN_##sum] = PORTSOCK_COLUMN_##count,
	static const enum portsock_column_id divisors[PORTSOCK_COLUMN_NR] = { PORTSOCK_AVERAGES(DIVISOR) };

	return divisors[sum];
}

bool portsock_column_adds_up(const struct portsock_column *column)
{
	return column && (column->kind == PORTSOCK_KIND_STATE ||
			  column->kind == PORTSOCK_KIND_GAUGE || portsock_column_counts(column));
}
