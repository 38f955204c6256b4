// SPDX-License-Identifier: GPL-2.0
#include <inttypes.h>

#include "distribution.h"

/* Of the ends of a histogram's numbers each second one is told, from the first on. */
#define BUCKET_STEP 2

/**
 * struct distribution - a sum and what it is of
 * @sum: the sum; portsock_column_divisor() says of how many
 * @histogram: the same by size, PORTSOCK_COLUMN_NR if there is none
 */
static const struct distribution {
	enum portsock_column_id sum, histogram;
} distributions[] = {
	{ PORTSOCK_COLUMN_LIFETIME_MS, PORTSOCK_COLUMN_LIFETIME_LOG2 },
	{ PORTSOCK_COLUMN_ACCEPT_WAIT_MS, PORTSOCK_COLUMN_ACCEPT_WAIT_LOG2 },
	{ PORTSOCK_COLUMN_HANDSHAKE_US, PORTSOCK_COLUMN_NR },
	{ PORTSOCK_COLUMN_RTT_US, PORTSOCK_COLUMN_NR },
};

#define DISTRIBUTIONS (sizeof(distributions) / sizeof(*distributions))

bool portsock_distribution_has(const struct portsock_column *column)
{
	enum portsock_column_id id = column - portsock_columns;
	size_t i;

	for (i = 0; i < DISTRIBUTIONS; i++)
		if (id == distributions[i].sum || id == distributions[i].histogram ||
		    id == portsock_column_divisor(distributions[i].sum))
			return true;

	return false;
}

static void sample_begin(const struct portsock_metrics *metrics, const struct portsock_metric *metric,
			 const char *suffix, const struct portsock_feed_row *row)
{
	fputs(metric->name, metrics->out);
	fputs(suffix, metrics->out);
	portsock_metric_labels(metrics, row);
}

/* Return: how many there are in all buckets. Without any, only the last bucket is told. */
static uint64_t buckets_write(const struct portsock_metrics *metrics, const struct portsock_metric *metric,
			      const struct portsock_feed_row *row, const uint64_t *numbers)
{
	uint64_t total = 0, below = 0, end;
	unsigned int i;

	for (i = 0; i < PORTSOCK_HISTOGRAM_NR; i++)
		total += numbers[i];
	for (i = 0; i < PORTSOCK_HISTOGRAM_NR - 1 && total; i++) {
		below += numbers[i];
		if (i % BUCKET_STEP)
			continue;
		end = UINT64_C(1) << i;
		sample_begin(metrics, metric, "_bucket", row);
		fprintf(metrics->out, ",le=\"%" PRIu64 ".%03" PRIu64 "\"}", end / 1000, end % 1000);
		portsock_metric_number(metrics, below, 1);
	}
	sample_begin(metrics, metric, "_bucket", row);
	fputs(",le=\"+Inf\"}", metrics->out);
	portsock_metric_number(metrics, total, 1);

	return total;
}

static void row_write(const struct portsock_metrics *metrics, const struct portsock_metric *metric, const struct portsock_feed_row *row,
		      const struct distribution *distribution, uint64_t parts)
{
	uint64_t count = row->number[portsock_column_divisor(distribution->sum)];

	/* The row was read while it counted; the buckets and their count have to agree. */
	if (metric->type == PORTSOCK_METRIC_HISTOGRAM)
		count = buckets_write(metrics, metric, row,
				      portsock_feed_histogram(row, &portsock_columns[distribution->histogram]));
	sample_begin(metrics, metric, "_sum", row);
	fputc('}', metrics->out);
	portsock_metric_number(metrics, row->number[distribution->sum], parts);
	sample_begin(metrics, metric, "_count", row);
	fputc('}', metrics->out);
	portsock_metric_number(metrics, count, 1);
}

static bool row_tells(const struct portsock_feed_row *row, const struct distribution *distribution, bool remote)
{
	return portsock_metric_is_of(row, remote) &&
	       portsock_feed_knows(row, &portsock_columns[distribution->sum]) &&
	       portsock_feed_knows(row, &portsock_columns[portsock_column_divisor(distribution->sum)]) &&
	       (distribution->histogram == PORTSOCK_COLUMN_NR ||
		portsock_feed_knows(row, &portsock_columns[distribution->histogram]));
}

static void distribution_write(const struct portsock_metrics *metrics, const struct portsock_feed *feed,
			       const struct distribution *distribution, bool remote)
{
	struct portsock_metric metric;
	uint64_t parts = portsock_metric_of(&metric, &portsock_columns[distribution->sum], remote);
	bool begun = false;
	unsigned int i;

	metric.type = distribution->histogram == PORTSOCK_COLUMN_NR ? PORTSOCK_METRIC_SUMMARY : PORTSOCK_METRIC_HISTOGRAM;
	for (i = 0; i < feed->nr_rows; i++) {
		if (!row_tells(feed->rows[i], distribution, remote))
			continue;
		if (!begun)
			portsock_metric_begin(metrics, &metric);
		begun = true;
		row_write(metrics, &metric, feed->rows[i], distribution, parts);
	}
}

void portsock_distributions_write(const struct portsock_metrics *metrics, const struct portsock_feed *feed, bool remote)
{
	size_t i;

	for (i = 0; i < DISTRIBUTIONS; i++)
		distribution_write(metrics, feed, &distributions[i], remote);
}
