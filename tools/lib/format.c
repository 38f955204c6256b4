// SPDX-License-Identifier: GPL-2.0
#include <stdlib.h>
#include <string.h>

#include "format.h"
#include "metrics.h"

static void metrics_write(FILE *out, const struct portsock_feed *feed, bool openmetrics)
{
	struct portsock_metrics metrics = { .out = out, .openmetrics = openmetrics };

	portsock_metrics_write(&metrics, feed);
	portsock_metrics_end(&metrics);
}

static void prometheus_write(FILE *out, const struct portsock_feed *feed)
{
	metrics_write(out, feed, false);
}

static void openmetrics_write(FILE *out, const struct portsock_feed *feed)
{
	metrics_write(out, feed, true);
}

const struct portsock_format portsock_formats[] = {
	{ "prometheus", true, prometheus_write },
	{ "openmetrics", true, openmetrics_write },
	{ "influx", true, portsock_influx_write },
	{ "collectd", true, portsock_collectd_write },
	{ "csv", false, portsock_csv_write },
	{ NULL, false, NULL },
};

const struct portsock_format *portsock_format_find(const char *name)
{
	const struct portsock_format *format;

	for (format = portsock_formats; format->name; format++)
		if (!strcmp(format->name, name))
			return format;

	return NULL;
}

char *portsock_format_text(const struct portsock_format *format, const struct portsock_feed *feed)
{
	char *text = NULL;
	size_t size;
	FILE *out;

	out = open_memstream(&text, &size);
	if (!out)
		return NULL;
	format->write(out, feed);
	if (fclose(out)) {
		free(text);
		return NULL;
	}

	return text;
}
