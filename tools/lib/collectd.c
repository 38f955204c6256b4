// SPDX-License-Identifier: GPL-2.0
#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "format.h"
#include "rows.h"

/**
 * struct putval - what all commands have in common
 * @out: where to
 * @host: quoted as its parser wants it, without the quotes
 * @interval: seconds, as text
 */
struct putval {
	FILE *out;
	char host[256];
	const char *interval;
};

static void putval_init(struct putval *putval, FILE *out)
{
	const char *host = getenv("COLLECTD_HOSTNAME"), *interval = getenv("COLLECTD_INTERVAL");
	char name[128] = "localhost", *end;

	if (!host || !*host) {
		gethostname(name, sizeof(name) - 1);
		host = name;
	}
	snprintf(putval->host, sizeof(putval->host), "%s", host);
	/* These would end the name, or the line. */
	for (end = putval->host; *end; end++)
		if (strchr("\"\\/", *end) || !isprint((unsigned char)*end))
			*end = '_';
	putval->out = out;
	putval->interval = interval && !interval[strspn(interval, "0123456789.")] && atof(interval) > 0 ?
			   interval : "10";
}

/* What follows is the value's type and instance, closing quotes, and the value. */
static void putval_begin(const struct putval *putval, const char *plugin, const char *instance)
{
	fprintf(putval->out, "PUTVAL \"%s/%s-%s/", putval->host, plugin, instance);
}

static void putval_end(const struct putval *putval, uint64_t number)
{
	fprintf(putval->out, "\" interval=%s N:%" PRIu64 "\n", putval->interval, number);
}

/* As the plugin tcpconns calls them: in capitals, and CLOSED. */
static void state_write(FILE *out, const struct portsock_column *column)
{
	const char *name;

	fputs("tcp_connections-", out);
	for (name = column->name; *name; name++)
		fputc(toupper((unsigned char)*name), out);
	if (column == &portsock_columns[PORTSOCK_COLUMN_CLOSE])
		fputc('D', out);
}

static bool is_tcpconns(const struct portsock_feed_row *row, const struct portsock_column *column)
{
	return column->kind == PORTSOCK_KIND_STATE && row->proto == PORTSOCK_TCP &&
	       (row->class == PORTSOCK_SERVICE || row->class == PORTSOCK_REMOTE);
}

static void instance_print(char *instance, size_t size, const struct portsock_feed_row *row)
{
	char port[PORTSOCK_FEED_PORT];

	snprintf(instance, size, "%s%s-%s", row->class == PORTSOCK_REMOTE ? "remote-" : "", portsock_proto_names[row->proto],
		 row->class == PORTSOCK_SERVICE || row->class == PORTSOCK_REMOTE ? portsock_feed_port(row, port) :
										   portsock_feed_class(row));
}

static void column_write(const struct putval *putval, const struct portsock_feed_row *row,
			 const struct portsock_column *column)
{
	char instance[32];

	if (is_tcpconns(row, column)) {
		snprintf(instance, sizeof(instance), "%d-%s", row->port,
			 row->class == PORTSOCK_REMOTE ? "remote" : "local");
		putval_begin(putval, "tcpconns", instance);
		state_write(putval->out, column);
	} else {
		instance_print(instance, sizeof(instance), row);
		putval_begin(putval, "portsock", instance);
		fprintf(putval->out, "%s-%s", portsock_column_counts(column) ? "derive" : "gauge",
			column->name);
	}
	putval_end(putval, portsock_feed_number(row, column));
}

static void health_write(const struct putval *putval, const struct portsock_feed *feed)
{
#define KEY_NAME(name, ...) #name,
	static const char * const names[] = { PORTSOCK_KEYS(KEY_NAME) };
	enum portsock_key key;

	for (key = 0; key < PORTSOCK_KEY_NR; key++) {
		putval_begin(putval, "portsock", "health");
		fprintf(putval->out, "gauge-%s", names[key]);
		putval_end(putval, feed->sources[0].health[key]);
	}
	putval_begin(putval, "portsock", "health");
	fputs("gauge-rows_dropped", putval->out);
	putval_end(putval, feed->dropped);
}

void portsock_collectd_write(FILE *out, const struct portsock_feed *feed)
{
	const struct portsock_column *column;
	struct putval putval;
	unsigned int i;

	putval_init(&putval, out);
	health_write(&putval, feed);
	for (i = 0; i < feed->nr_rows; i++)
		for (column = portsock_columns; column->name; column++)
			if (portsock_feed_tells(feed->rows[i], column))
				column_write(&putval, feed->rows[i], column);
}
