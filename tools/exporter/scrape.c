// SPDX-License-Identifier: GPL-2.0
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scrape.h"

static const struct portsock_metric netns_info = {
	"portsock_netns", PORTSOCK_METRIC_INFO,
	"what the namespace of that inode number is called, and what its first process is and runs in"
};

static const struct portsock_metric netns_skipped = {
	"portsock_netns_skipped_processes", PORTSOCK_METRIC_GAUGE,
	"processes that were gone, or hidden, when they were looked at"
};

static const struct portsock_metric netns_dropped = {
	"portsock_netns_dropped", PORTSOCK_METRIC_GAUGE, "namespaces left out because there were too many"
};

int portsock_scraper_init(struct portsock_scraper *scraper, unsigned int limit, bool netns)
{
	if (portsock_feed_init(&scraper->own.feed, limit, 1))
		return -1;

	return netns ? portsock_feed_init(&scraper->all.feed, limit, PORTSOCK_SCRAPE_NETNS_MAX) : 0;
}

/* Once for each reason, and when it is over. */
static void result_log(struct portsock_scraped *scraped, int rc, const struct portsock_error *error)
{
	if (!rc && *scraped->failed.text)
		fputs("portsock-exporter: the table can be read again\n", stderr);
	if (rc && strcmp(scraped->failed.text, error->text))
		fprintf(stderr, "portsock-exporter: %s\n", error->text);
	if (rc)
		scraped->failed = *error;
	else
		*scraped->failed.text = '\0';
}

static int source_add(struct portsock_scraper *scraper, struct portsock_feed *feed, struct portsock_source *source,
		      struct portsock_error *error)
{
	static struct portsock_snapshot snapshot;
	int rc;

	rc = portsock_snapshot_open(&snapshot, source->in, source->name);
	if (rc)
		*error = snapshot.error;
	else
		rc = portsock_feed_add(feed, &scraper->filter, &snapshot, error);
	fclose(source->in);

	return rc;
}

static int own_add(struct portsock_scraper *scraper, struct portsock_error *error)
{
	struct portsock_source source;
	char path[sizeof(source.name)];

	snprintf(path, sizeof(path), "%s/portsock", scraper->procfs);
	if (portsock_source_open(&source, path, error))
		return -1;

	return source_add(scraper, &scraper->own.feed, &source, error);
}

static char *text_end(const struct portsock_metrics *metrics, char **text)
{
	portsock_metrics_end(metrics);
	if (!fclose(metrics->out))
		return *text;
	free(*text);

	return NULL;
}

char *portsock_scrape_own(struct portsock_scraper *scraper, bool openmetrics, size_t *size)
{
	struct portsock_metrics metrics = { .openmetrics = openmetrics };
	struct portsock_error error;
	char *text = NULL;
	int rc;

	portsock_feed_begin(&scraper->own.feed);
	rc = own_add(scraper, &error);
	result_log(&scraper->own, rc, &error);
	portsock_feed_end(&scraper->own.feed);

	metrics.out = open_memstream(&text, size);
	if (!metrics.out)
		return NULL;
	portsock_metrics_write(&metrics, &scraper->own.feed);

	return text_end(&metrics, &text);
}

/*
 * Read the tables of a list, and put those namespaces first whose table was read.
 * Return: how many were not tried.
 */
static size_t list_read(struct portsock_scraper *scraper, struct portsock_netns_list *list)
{
	struct portsock_feed *feed = &scraper->all.feed;
	struct portsock_source source;
	struct portsock_error error;
	struct portsock_netns *netns;
	size_t i;

	for (i = 0; i < list->nr && feed->nr_sources < feed->max_sources; i++) {
		netns = list->all[i];
		if (portsock_netns_open(list, netns, &source, &error) != 1 ||
		    source_add(scraper, feed, &source, &error)) {
			list->skipped++;
			continue;
		}
		list->all[i] = list->all[feed->nr_sources - 1];
		list->all[feed->nr_sources - 1] = netns;
	}

	return list->nr - i;
}

static void label_write(const struct portsock_metrics *metrics, const char *name, const char *text)
{
	fprintf(metrics->out, ",%s=\"", name);
	portsock_metric_text(metrics, text);
	fputc('"', metrics->out);
}

static void info_write(const struct portsock_metrics *metrics, const struct portsock_netns_list *list,
		       const struct portsock_netns *netns, uint64_t inode)
{
	const char *name = portsock_netns_name(list, netns, inode);

	portsock_metric_sample(metrics, &netns_info);
	fprintf(metrics->out, "{netns=\"%" PRIu64 "\"", inode);
	label_write(metrics, "name", name ? name : "");
	label_write(metrics, "container_id", netns->container_id);
	label_write(metrics, "pod_uid", netns->pod_uid);
	label_write(metrics, "comm", netns->comm);
	fputc('}', metrics->out);
	portsock_metric_number(metrics, 1, 1);
}

static void single_write(const struct portsock_metrics *metrics, const struct portsock_metric *metric,
			 uint64_t number)
{
	portsock_metric_begin(metrics, metric);
	portsock_metric_sample(metrics, metric);
	portsock_metric_number(metrics, number, 1);
}

static void list_write(const struct portsock_metrics *metrics, const struct portsock_netns_list *list,
		       const struct portsock_feed *feed, size_t dropped)
{
	unsigned int i;

	portsock_metric_begin(metrics, &netns_info);
	for (i = 0; i < feed->nr_sources; i++)
		info_write(metrics, list, list->all[i], feed->sources[i].health[PORTSOCK_KEY_netns]);
	single_write(metrics, &netns_skipped, list->skipped);
	single_write(metrics, &netns_dropped, dropped);
}

char *portsock_scrape_all(struct portsock_scraper *scraper, bool openmetrics, size_t *size)
{
	struct portsock_metrics metrics = { .openmetrics = openmetrics, .netns = true };
	struct portsock_netns_list list;
	struct portsock_error error;
	char *text = NULL;
	size_t dropped;
	int rc;

	portsock_feed_begin(&scraper->all.feed);
	rc = portsock_netns_find(&list, scraper->procfs, PORTSOCK_NETNS_DIR, &error);
	result_log(&scraper->all, rc, &error);
	dropped = list_read(scraper, &list);
	portsock_feed_end(&scraper->all.feed);

	metrics.out = open_memstream(&text, size);
	if (metrics.out) {
		portsock_metrics_write(&metrics, &scraper->all.feed);
		list_write(&metrics, &list, &scraper->all.feed, dropped);
		text = text_end(&metrics, &text);
	}
	portsock_netns_clear(&list);

	return text;
}
