/* SPDX-License-Identifier: GPL-2.0 */
#ifndef PORTSOCK_FORMAT_H
#define PORTSOCK_FORMAT_H

#include <stdio.h>

#include "feed.h"

/**
 * struct portsock_format - a way to tell programs what is in a feed
 * @name: as users call it
 * @both: rows of local and of remote ports are told apart, so that it has both
 * @write: writes the whole document
 */
struct portsock_format {
	const char *name;
	bool both;
	void (*write)(FILE *out, const struct portsock_feed *feed);
};

/* Ends with an entry whose name is NULL. */
extern const struct portsock_format portsock_formats[];

/**
 * portsock_format_find() - the format of this name
 * @name: as users call it
 *
 * Return: the format, NULL if there is none.
 */
const struct portsock_format *portsock_format_find(const char *name);

/**
 * portsock_format_text() - a document in memory
 * @format: any
 * @feed: ended
 *
 * Return: text to be freed; NULL without memory.
 */
char *portsock_format_text(const struct portsock_format *format, const struct portsock_feed *feed);

/**
 * portsock_influx_write() - InfluxDB line protocol: a line a row, without times
 * @out: where to
 * @feed: ended, with one table
 */
void portsock_influx_write(FILE *out, const struct portsock_feed *feed);

/**
 * portsock_collectd_write() - PUTVAL commands of collectd
 * @out: where to
 * @feed: ended, with one table
 *
 * States of TCP services are named as by its plugin tcpconns. Host and interval are those that collectd gives
 * to its children, or else this host and 10 seconds.
 */
void portsock_collectd_write(FILE *out, const struct portsock_feed *feed);

/**
 * portsock_csv_write() - comma-separated values with a header
 * @out: where to
 * @feed: ended, with one table
 */
void portsock_csv_write(FILE *out, const struct portsock_feed *feed);

#endif
