// SPDX-License-Identifier: GPL-2.0
#include <inttypes.h>

#include "format.h"
#include "rows.h"

static void row_write(FILE *out, const struct portsock_feed_row *row)
{
	const struct portsock_column *column;
	char port[PORTSOCK_FEED_PORT];

	fprintf(out, "%s,%s,%s", portsock_proto_names[row->proto], portsock_feed_port(row, port),
		portsock_feed_class(row));
	for (column = portsock_columns; column->name; column++) {
		if (!portsock_column_adds_up(column))
			continue;
		fputc(',', out);
		if (portsock_feed_knows(row, column))
			fprintf(out, "%" PRIu64, portsock_feed_number(row, column));
	}
	fputs("\n", out);
}

void portsock_csv_write(FILE *out, const struct portsock_feed *feed)
{
	const struct portsock_column *column;
	unsigned int i;

	fputs("proto,port,class", out);
	for (column = portsock_columns; column->name; column++)
		if (portsock_column_adds_up(column))
			fprintf(out, ",%s", column->name);
	fputs("\n", out);
	for (i = 0; i < feed->nr_rows; i++)
		row_write(out, feed->rows[i]);
}
