// SPDX-License-Identifier: GPL-2.0
#include <inttypes.h>

#include "format.h"
#include "rows.h"

#define KEY_NAME(name, ...) #name,
static const char * const key_names[] = { PORTSOCK_KEYS(KEY_NAME) };

/* Its integers are signed. */
static void field_write(FILE *out, const char *separator, const char *name, uint64_t number)
{
	fprintf(out, "%s%s=%" PRIu64 "i", separator, name, number < INT64_MAX ? number : INT64_MAX);
}

/* A table of an older module may be without any column that it could be. */
static bool row_has_field(const struct portsock_feed_row *row)
{
	const struct portsock_column *column;

	for (column = portsock_columns; column->name; column++)
		if (portsock_feed_tells(row, column))
			return true;

	return false;
}

static void row_write(FILE *out, const struct portsock_feed_row *row)
{
	const struct portsock_column *column;
	const char *separator = " ";
	char port[PORTSOCK_FEED_PORT];

	if (!row_has_field(row))
		return;

	/* Tags in the order of their names, as InfluxDB wants to have them. Sums over a measurement count nothing twice. */
	if (row->class == PORTSOCK_REMOTE)
		fprintf(out, "portsock_remote,proto=%s,remote_port=%s", portsock_proto_names[row->proto],
			portsock_feed_port(row, port));
	else
		fprintf(out, "portsock,class=%s,port=%s,proto=%s", portsock_feed_class(row), portsock_feed_port(row, port),
			portsock_proto_names[row->proto]);
	for (column = portsock_columns; column->name; column++) {
		if (!portsock_feed_tells(row, column))
			continue;
		field_write(out, separator, column->name, portsock_feed_number(row, column));
		separator = ",";
	}
	fputc('\n', out);
}

void portsock_influx_write(FILE *out, const struct portsock_feed *feed)
{
	const char *separator = " ";
	enum portsock_key key;
	unsigned int i;

	fputs("portsock_health", out);
	for (key = 0; key < PORTSOCK_KEY_NR; key++) {
		field_write(out, separator, key_names[key], feed->sources[0].health[key]);
		separator = ",";
	}
	field_write(out, separator, "rows_dropped", feed->dropped);
	fputc('\n', out);
	for (i = 0; i < feed->nr_rows; i++)
		row_write(out, feed->rows[i]);
}
