/* SPDX-License-Identifier: GPL-2.0 */
#ifndef PORTSOCK_SCRAPE_H
#define PORTSOCK_SCRAPE_H

#include <stdbool.h>
#include <stddef.h>

#include "libportsock.h"

/* Namespaces told at most; their rows share one limit. */
#define PORTSOCK_SCRAPE_NETNS_MAX 4096

/**
 * struct portsock_scraped - what is told, and how reading it went
 * @feed: what is told
 * @failed: what was said last about why it could not be read, empty since it could
 */
struct portsock_scraped {
	struct portsock_feed feed;
	struct portsock_error failed;
};

/**
 * struct portsock_scraper - what is needed to answer
 * @procfs: where /proc is
 * @filter: rows that may be told
 * @own: about the namespace of this process
 * @all: about all namespaces, if they may be asked for
 */
struct portsock_scraper {
	const char *procfs;
	struct portsock_filter filter;
	struct portsock_scraped own;
	struct portsock_scraped all;
};

/**
 * portsock_scraper_init() - get all the memory that is always needed
 * @scraper: @procfs and @filter are set
 * @limit: service rows at most
 * @netns: all namespaces may be asked for, too
 *
 * Return: 0, or -1 without memory. Lives as long as the process.
 */
int portsock_scraper_init(struct portsock_scraper *scraper, unsigned int limit, bool netns);

/**
 * portsock_scrape_own() - the metrics of the namespace of this process
 * @scraper: initialised
 * @openmetrics: in OpenMetrics, not Prometheus text
 * @size: set to the length of the document
 *
 * When the table cannot be read the document says so, and standard error why, once.
 *
 * Return: text to be freed; NULL without memory.
 */
char *portsock_scrape_own(struct portsock_scraper *scraper, bool openmetrics, size_t *size);

/**
 * portsock_scrape_all() - the metrics of all namespaces that processes are in
 * @scraper: initialised with @netns
 * @openmetrics: in OpenMetrics, not Prometheus text
 * @size: set to the length of the document
 *
 * Return: text to be freed; NULL without memory.
 */
char *portsock_scrape_all(struct portsock_scraper *scraper, bool openmetrics, size_t *size);

#endif
