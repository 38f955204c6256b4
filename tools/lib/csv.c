// SPDX-License-Identifier: GPL-2.0
#include <inttypes.h>
#include <string.h>

#include "format.h"
#include "rows.h"

static bool is_written(const struct portsock_column *column)
{
	return column->kind != PORTSOCK_KIND_IDENTITY && column->kind != PORTSOCK_KIND_PEAK;
}

/* Between quotes, as RFC 4180 has them, since names hold anything. */
static void text_write(FILE *out, const char *text)
{
	fputc('"', out);
	for (; *text; text++)
		fprintf(out, *text == '"' ? "\"\"" : "%c", *text);
	fputc('"', out);
}

static void histogram_write(FILE *out, const uint64_t *numbers)
{
	unsigned int i;

	for (i = 0; i < PORTSOCK_HISTOGRAM_NR; i++)
		fprintf(out, "%s%" PRIu64, i ? "," : "\"", numbers[i]);
	fputc('"', out);
}

static void cell_write(FILE *out, const struct portsock_feed_row *row, const struct portsock_column *column)
{
	if (portsock_column_is_text(column)) {
		if (strcmp(row->comm, "-"))
			text_write(out, row->comm);
		return;
	}
	if (!portsock_feed_knows(row, column))
		return;
	if (column->kind == PORTSOCK_KIND_HISTOGRAM)
		histogram_write(out, portsock_feed_histogram(row, column));
	else
		fprintf(out, "%" PRIu64, portsock_feed_number(row, column));
}

static void row_write(FILE *out, const struct portsock_feed_row *row)
{
	const struct portsock_column *column;
	char port[PORTSOCK_FEED_PORT];

	fprintf(out, "%s,%s,%s", portsock_proto_names[row->proto], portsock_feed_port(row, port),
		portsock_feed_class(row));
	for (column = portsock_columns; column->name; column++) {
		if (!is_written(column))
			continue;
		fputc(',', out);
		cell_write(out, row, column);
	}
	fputs("\n", out);
}

void portsock_csv_write(FILE *out, const struct portsock_feed *feed)
{
	const struct portsock_column *column;
	unsigned int i;

	fputs("proto,port,class", out);
	for (column = portsock_columns; column->name; column++)
		if (is_written(column))
			fprintf(out, ",%s", column->name);
	fputs("\n", out);
	for (i = 0; i < feed->nr_rows; i++)
		row_write(out, feed->rows[i]);
}
