// SPDX-License-Identifier: GPL-2.0
#include <ctype.h>
#include <inttypes.h>
#include <string.h>

#include "../../module/version.h"
#include "distribution.h"
#include "metrics.h"
#include "rows.h"

#define NAME_LENGTH ((int)sizeof(((struct portsock_metric *)NULL)->name) - 40)

#define KEY_HELP(name, unit, help) help,
static const char * const key_help[PORTSOCK_KEY_NR] = { PORTSOCK_KEYS(KEY_HELP) };

/* Keys of line 1 that are the same in all namespaces. */
static const struct {
	enum portsock_key key;
	const char *name;
	enum portsock_metric_type type;
	uint64_t parts;
} health[] = {
	{ PORTSOCK_KEY_exact, "exact", PORTSOCK_METRIC_GAUGE, 1 },
	{ PORTSOCK_KEY_missed, "missed_events", PORTSOCK_METRIC_COUNTER, 1 },
	{ PORTSOCK_KEY_repaired, "repaired_sockets", PORTSOCK_METRIC_COUNTER, 1 },
	{ PORTSOCK_KEY_untracked, "untracked_events", PORTSOCK_METRIC_GAUGE, 1 },
	{ PORTSOCK_KEY_sample_age_ms, "sample_age_seconds", PORTSOCK_METRIC_GAUGE, 1000 },
};

static const struct portsock_metric sockets = {
	"portsock_sockets", PORTSOCK_METRIC_GAUGE,
	"sockets that hold the port, by state; time_wait and syn_recv are mini-sockets"
};

static const struct portsock_metric remote_sockets = {
	"portsock_remote_sockets", PORTSOCK_METRIC_GAUGE,
	"sockets of outgoing connections, by port of the peer and state; time_wait are mini-sockets"
};

static const struct portsock_metric remote_guessed = {
	"portsock_remote_guessed_sockets", PORTSOCK_METRIC_GAUGE,
	"those of portsock_remote_sockets that are older than the module, and only guessed to be outgoing"
};

static const struct portsock_metric unbound_sockets = {
	"portsock_unbound_sockets", PORTSOCK_METRIC_GAUGE, "sockets that a user has and that hold no port"
};

static const struct portsock_metric unbound_opened = {
	"portsock_unbound_sockets_opened", PORTSOCK_METRIC_COUNTER,
	"sockets that came to hold no port; those that got one are counted there again"
};

static const struct portsock_metric ephemeral_ports = {
	"portsock_ephemeral_ports", PORTSOCK_METRIC_GAUGE, "ephemeral ports in use"
};

static const struct portsock_metric ephemeral_limit = {
	"portsock_ephemeral_ports_limit", PORTSOCK_METRIC_GAUGE,
	"ephemeral ports that the kernel may choose, of each protocol"
};

void portsock_metric_begin(const struct portsock_metrics *metrics, const struct portsock_metric *metric)
{
	const char *suffix = "", *type = "gauge";

	if (metric->type == PORTSOCK_METRIC_COUNTER) {
		suffix = metrics->openmetrics ? "" : "_total";
		type = "counter";
	} else if (metric->type == PORTSOCK_METRIC_INFO) {
		suffix = metrics->openmetrics ? "" : "_info";
		type = metrics->openmetrics ? "info" : "gauge";
	} else if (metric->type != PORTSOCK_METRIC_GAUGE) {
		type = metric->type == PORTSOCK_METRIC_HISTOGRAM ? "histogram" : "summary";
	}
	fprintf(metrics->out, "# HELP %s%s %s\n# TYPE %s%s %s\n",
		metric->name, suffix, metric->help, metric->name, suffix, type);
}

void portsock_metric_sample(const struct portsock_metrics *metrics, const struct portsock_metric *metric)
{
	static const char * const suffixes[] = {
		[PORTSOCK_METRIC_GAUGE] = "",
		[PORTSOCK_METRIC_COUNTER] = "_total",
		[PORTSOCK_METRIC_INFO] = "_info",
	};

	fputs(metric->name, metrics->out);
	fputs(suffixes[metric->type], metrics->out);
}

void portsock_metric_text(const struct portsock_metrics *metrics, const char *text)
{
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			putc('\\', metrics->out);
		putc(isascii((unsigned char)*text) && isprint((unsigned char)*text) ? *text : '?', metrics->out);
	}
}

/* What Prometheus wants numbers to be told in, and behind which name; what a column may have in its place. */
static const struct {
	const char *unit, *prefix, *suffix, *base;
	uint64_t parts;
} units[] = {
	{ "milliseconds", "", "_ms", "_seconds", 1000 },
	{ "microseconds", "", "_us", "_seconds", 1000000 },
	{ "bytes", "bytes_", "", "_bytes", 1 },
};

static bool counts_sockets(const struct portsock_column *column)
{
	return !strcmp(column->unit, "sockets") || !strcmp(column->unit, "of `opened`");
}

static void metric_name(struct portsock_metric *metric, const struct portsock_column *column, const char *end,
			const char *prefix, const char *suffix, const char *unit)
{
	const char *name = column->name;
	int length;

	if (!strncmp(name, prefix, strlen(prefix)))
		name += strlen(prefix);
	length = strlen(name) - strlen(suffix);
	snprintf(metric->name, sizeof(metric->name), "portsock_%s%s%.*s%s", end, counts_sockets(column) ? "sockets_" : "",
		 length < NAME_LENGTH ? length : NAME_LENGTH, name, unit);
}

uint64_t portsock_metric_of(struct portsock_metric *metric, const struct portsock_column *column, bool remote)
{
	const char *end = remote ? "remote_" : "";
	size_t i;

	metric->type = column->kind == PORTSOCK_KIND_COUNTER ? PORTSOCK_METRIC_COUNTER : PORTSOCK_METRIC_GAUGE;
	metric->help = column->help;
	for (i = 0; i < sizeof(units) / sizeof(*units); i++) {
		if (strcmp(units[i].unit, column->unit))
			continue;
		metric_name(metric, column, end, units[i].prefix, units[i].suffix, units[i].base);
		return units[i].parts;
	}
	metric_name(metric, column, end, "", "", "");

	return 1;
}

bool portsock_metric_is_of(const struct portsock_feed_row *row, bool remote)
{
	return remote ? row->class == PORTSOCK_REMOTE : row->class != PORTSOCK_REMOTE && row->class != PORTSOCK_UNBOUND;
}

/* A double would round. */
void portsock_metric_number(const struct portsock_metrics *metrics, uint64_t number, uint64_t parts)
{
	if (parts > 1)
		fprintf(metrics->out, " %" PRIu64 ".%0*" PRIu64 "\n", number / parts, parts == 1000 ? 3 : 6, number % parts);
	else
		fprintf(metrics->out, " %" PRIu64 "\n", number);
}

static void netns_label(const struct portsock_metrics *metrics, const struct portsock_feed *feed, unsigned int source,
			const char *after)
{
	if (metrics->netns)
		fprintf(metrics->out, "netns=\"%" PRIu64 "\"%s",
			feed->sources[source].health[PORTSOCK_KEY_netns], after);
}

/* A sample of a row of class unbound or ephemeral, of which each protocol has one. */
static void proto_sample(const struct portsock_metrics *metrics, const struct portsock_feed *feed,
			 const struct portsock_metric *metric, const struct portsock_feed_row *row,
			 enum portsock_column_id column)
{
	portsock_metric_sample(metrics, metric);
	fputc('{', metrics->out);
	netns_label(metrics, feed, row->source, ",");
	fprintf(metrics->out, "proto=\"%s\"}", portsock_proto_names[row->proto]);
	portsock_metric_number(metrics, row->number[column], 1);
}

static void proto_metric(const struct portsock_metrics *metrics, const struct portsock_feed *feed,
			 const struct portsock_metric *metric, enum portsock_class class,
			 enum portsock_column_id column)
{
	unsigned int i;

	portsock_metric_begin(metrics, metric);
	for (i = 0; i < feed->nr_rows; i++)
		if (feed->rows[i]->class == class && portsock_feed_knows(feed->rows[i], &portsock_columns[column]))
			proto_sample(metrics, feed, metric, feed->rows[i], column);
}

static void labels_set(const struct portsock_metrics *metrics, const struct portsock_feed *feed,
		       struct portsock_feed_row *row)
{
	char port[PORTSOCK_FEED_PORT], netns[40] = "";

	if (metrics->netns)
		snprintf(netns, sizeof(netns), "netns=\"%" PRIu64 "\",", feed->sources[row->source].health[PORTSOCK_KEY_netns]);
	if (row->class == PORTSOCK_REMOTE)
		snprintf(row->labels, sizeof(row->labels), "{%sproto=\"%s\",remote_port=\"%s\"", netns,
			 portsock_proto_names[row->proto], portsock_feed_port(row, port));
	else
		snprintf(row->labels, sizeof(row->labels), "{%sproto=\"%s\",port=\"%s\",class=\"%s\"", netns,
			 portsock_proto_names[row->proto], portsock_feed_port(row, port), portsock_feed_class(row));
}

void portsock_metric_labels(const struct portsock_metrics *metrics, const struct portsock_feed_row *row)
{
	fputs(row->labels, metrics->out);
}

static void states_write(const struct portsock_metrics *metrics, const struct portsock_metric *metric,
			 const struct portsock_feed_row *row)
{
	const struct portsock_column *column;

	for (column = portsock_columns; column->name; column++) {
		if (column->kind != PORTSOCK_KIND_STATE || !portsock_feed_tells(row, column))
			continue;
		portsock_metric_sample(metrics, metric);
		portsock_metric_labels(metrics, row);
		fprintf(metrics->out, ",state=\"%s\"}", column->name);
		portsock_metric_number(metrics, portsock_feed_number(row, column), 1);
	}
}

static void sockets_write(const struct portsock_metrics *metrics, const struct portsock_feed *feed, bool remote)
{
	const struct portsock_metric *metric = remote ? &remote_sockets : &sockets;
	unsigned int i;

	portsock_metric_begin(metrics, metric);
	for (i = 0; i < feed->nr_rows; i++)
		if (portsock_metric_is_of(feed->rows[i], remote))
			states_write(metrics, metric, feed->rows[i]);
}

static void column_write(const struct portsock_metrics *metrics, const struct portsock_feed *feed,
			 const struct portsock_column *column, bool remote)
{
	struct portsock_metric metric;
	uint64_t parts = portsock_metric_of(&metric, column, remote);
	bool begun = false;
	unsigned int i;

	for (i = 0; i < feed->nr_rows; i++) {
		if (!portsock_metric_is_of(feed->rows[i], remote) || !portsock_feed_tells(feed->rows[i], column))
			continue;
		if (!begun)
			portsock_metric_begin(metrics, &metric);
		begun = true;
		portsock_metric_sample(metrics, &metric);
		portsock_metric_labels(metrics, feed->rows[i]);
		fputc('}', metrics->out);
		portsock_metric_number(metrics, portsock_feed_number(feed->rows[i], column), parts);
	}
}

/* Sockets are told by their states; sums with their counts; ports of totals have a metric of their own, other rows have one. */
static bool column_is_metric(const struct portsock_column *column)
{
	return (column->kind == PORTSOCK_KIND_GAUGE || column->kind == PORTSOCK_KIND_COUNTER) &&
	       column != &portsock_columns[PORTSOCK_COLUMN_SOCKETS] &&
	       column != &portsock_columns[PORTSOCK_COLUMN_PORTS] && !portsock_distribution_has(column);
}

static void columns_write(const struct portsock_metrics *metrics, const struct portsock_feed *feed, bool remote)
{
	const struct portsock_column *column;

	for (column = portsock_columns; column->name; column++)
		if (column_is_metric(column))
			column_write(metrics, feed, column, remote);
}

static void limit_write(const struct portsock_metrics *metrics, const struct portsock_feed *feed)
{
	const struct portsock_feed_source *source;
	uint64_t first, last;
	unsigned int i;

	portsock_metric_begin(metrics, &ephemeral_limit);
	for (i = 0; i < feed->nr_sources; i++) {
		source = &feed->sources[i];
		first = source->health[PORTSOCK_KEY_port_min];
		last = source->health[PORTSOCK_KEY_port_max];
		/* Older modules do not tell. */
		if (!last || last < first)
			continue;
		portsock_metric_sample(metrics, &ephemeral_limit);
		if (metrics->netns) {
			fputc('{', metrics->out);
			netns_label(metrics, feed, i, "}");
		}
		portsock_metric_number(metrics, last - first + 1 - source->reserved, 1);
	}
}

static void guessed_write(const struct portsock_metrics *metrics, const struct portsock_feed *feed)
{
	unsigned int i;

	portsock_metric_begin(metrics, &remote_guessed);
	for (i = 0; i < feed->nr_sources; i++) {
		portsock_metric_sample(metrics, &remote_guessed);
		if (metrics->netns) {
			fputc('{', metrics->out);
			netns_label(metrics, feed, i, "}");
		}
		portsock_metric_number(metrics, feed->sources[i].health[PORTSOCK_KEY_remote_guessed], 1);
	}
}

static bool has_remote(const struct portsock_feed *feed)
{
	unsigned int i;

	for (i = 0; i < feed->nr_rows; i++)
		if (feed->rows[i]->class == PORTSOCK_REMOTE)
			return true;

	return false;
}

/* Of ports, here or at the peers. */
static void ports_write(const struct portsock_metrics *metrics, const struct portsock_feed *feed, bool remote)
{
	sockets_write(metrics, feed, remote);
	columns_write(metrics, feed, remote);
	portsock_distributions_write(metrics, feed, remote);
}

/* A metric of one sample without labels. */
static void single_write(const struct portsock_metrics *metrics, const char *name, enum portsock_metric_type type,
			 const char *help, uint64_t number, uint64_t parts)
{
	struct portsock_metric metric = { .type = type, .help = help };

	snprintf(metric.name, sizeof(metric.name), "portsock_%s", name);
	portsock_metric_begin(metrics, &metric);
	portsock_metric_sample(metrics, &metric);
	portsock_metric_number(metrics, number, parts);
}

static void health_write(const struct portsock_metrics *metrics, const struct portsock_feed *feed)
{
	size_t i;

	for (i = 0; i < sizeof(health) / sizeof(*health); i++)
		single_write(metrics, health[i].name, health[i].type, key_help[health[i].key],
			     feed->sources[0].health[health[i].key], health[i].parts);
	single_write(metrics, "start_time_seconds", PORTSOCK_METRIC_GAUGE,
		     "Unix time at which the module began to count", feed->start_time, 1);
}

static void collection_write(const struct portsock_metrics *metrics, const struct portsock_feed *feed)
{
	static const struct portsock_metric build = {
		"portsock_build", PORTSOCK_METRIC_INFO, "version of this program, and format of tables that it reads"
	};
	static const struct portsock_metric duration = {
		"portsock_scrape_duration_seconds", PORTSOCK_METRIC_GAUGE, "how long it took to read the table"
	};

	single_write(metrics, "up", PORTSOCK_METRIC_GAUGE,
		     "1: the table was read; 0: it could not be, load the module with modprobe portsock",
		     feed->nr_sources > 0, 1);
	portsock_metric_begin(metrics, &build);
	portsock_metric_sample(metrics, &build);
	fprintf(metrics->out, "{version=\"" PORTSOCK_VERSION "\",format=\"%d\"} 1\n", PORTSOCK_FORMAT);
	portsock_metric_begin(metrics, &duration);
	portsock_metric_sample(metrics, &duration);
	fprintf(metrics->out, " %.6f\n", feed->seconds);
	single_write(metrics, "rows_dropped", PORTSOCK_METRIC_GAUGE,
		     "rows left out because there were too many, or of a protocol that is not known", feed->dropped, 1);
}

void portsock_metrics_write(const struct portsock_metrics *metrics, const struct portsock_feed *feed)
{
	unsigned int i;

	collection_write(metrics, feed);
	if (!feed->nr_sources)
		return;
	for (i = 0; i < feed->nr_rows; i++)
		labels_set(metrics, feed, feed->rows[i]);
	health_write(metrics, feed);
	ports_write(metrics, feed, false);
	if (has_remote(feed)) {
		ports_write(metrics, feed, true);
		guessed_write(metrics, feed);
	}
	proto_metric(metrics, feed, &unbound_sockets, PORTSOCK_UNBOUND, PORTSOCK_COLUMN_SOCKETS);
	proto_metric(metrics, feed, &unbound_opened, PORTSOCK_UNBOUND, PORTSOCK_COLUMN_OPENED);
	proto_metric(metrics, feed, &ephemeral_ports, PORTSOCK_EPHEMERAL, PORTSOCK_COLUMN_PORTS);
	limit_write(metrics, feed);
}

void portsock_metrics_end(const struct portsock_metrics *metrics)
{
	if (metrics->openmetrics)
		fputs("# EOF\n", metrics->out);
}
