/* SPDX-License-Identifier: GPL-2.0 */
#ifndef PORTSOCK_METRICS_H
#define PORTSOCK_METRICS_H

#include <stdbool.h>
#include <stdio.h>

#include "column.h"
#include "feed.h"

enum portsock_metric_type {
	PORTSOCK_METRIC_GAUGE,
	PORTSOCK_METRIC_COUNTER,
	PORTSOCK_METRIC_INFO,
	PORTSOCK_METRIC_HISTOGRAM,
	PORTSOCK_METRIC_SUMMARY,
};

/**
 * struct portsock_metric - a metric of the two formats of Prometheus
 * @name: without the suffix that its type has in samples
 * @type: what it is
 * @help: what it tells
 */
struct portsock_metric {
	char name[64];
	enum portsock_metric_type type;
	const char *help;
};

/**
 * struct portsock_metrics - metrics on their way out
 * @out: where to
 * @openmetrics: OpenMetrics 1.0, not Prometheus text 0.0.4
 * @netns: rows have a label netns
 */
struct portsock_metrics {
	FILE *out;
	bool openmetrics;
	bool netns;
};

/**
 * portsock_metric_of() - the metric that a column becomes
 * @metric: to be filled
 * @column: one of kind gauge, counter or sum
 * @remote: of remote ports, whose metrics have portsock_remote_ in place of portsock_
 *
 * Numbers of sockets are called portsock_sockets_COLUMN, others portsock_COLUMN, with the unit behind it where that
 * is one of Prometheus: milliseconds and microseconds, which end the names of their columns, become seconds; bytes,
 * with which names may begin, go to the end.
 *
 * Return: by what the column's numbers are divided: 1, 1000 or 1000000.
 */
uint64_t portsock_metric_of(struct portsock_metric *metric, const struct portsock_column *column, bool remote);

/**
 * portsock_metric_is_of() - are these metrics about the row?
 * @row: any
 * @remote: those of remote ports, not those of local ones; unbound sockets are in neither
 */
bool portsock_metric_is_of(const struct portsock_feed_row *row, bool remote);

/**
 * portsock_metric_begin() - write what a metric is; its samples come next
 * @metrics: where to
 * @metric: the metric
 */
void portsock_metric_begin(const struct portsock_metrics *metrics, const struct portsock_metric *metric);

/**
 * portsock_metric_sample() - begin a sample
 * @metrics: where to
 * @metric: begun
 *
 * Labels may follow, then portsock_metric_number().
 */
void portsock_metric_sample(const struct portsock_metrics *metrics, const struct portsock_metric *metric);

/**
 * portsock_metric_labels() - begin a sample's labels with those of a row
 * @metrics: where to
 * @row: of the feed that is written
 *
 * More may follow, each with a comma before it, then a closing brace.
 */
void portsock_metric_labels(const struct portsock_metrics *metrics, const struct portsock_feed_row *row);

/**
 * portsock_metric_text() - write text between the quotes of a label
 * @metrics: where to
 * @text: any; what is not printable ASCII becomes '?'
 */
void portsock_metric_text(const struct portsock_metrics *metrics, const char *text);

/**
 * portsock_metric_number() - end a sample
 * @metrics: where to
 * @number: its value, in parts
 * @parts: of one: 1, 1000 or 1000000
 */
void portsock_metric_number(const struct portsock_metrics *metrics, uint64_t number, uint64_t parts);

/**
 * portsock_metrics_write() - write a feed
 * @metrics: where to, and how
 * @feed: ended; without a table it says that the module is down
 *
 * What others have to add follows before portsock_metrics_end().
 */
void portsock_metrics_write(const struct portsock_metrics *metrics, const struct portsock_feed *feed);

/**
 * portsock_metrics_end() - write what ends a document
 * @metrics: where to
 */
void portsock_metrics_end(const struct portsock_metrics *metrics);

#endif
