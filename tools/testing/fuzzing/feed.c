// SPDX-License-Identifier: GPL-2.0
/* Hostile tables, through everything that reads and tells them. */
#include <stdlib.h>
#include <string.h>

#include "libportsock.h"

/* A document is lines. */
static void document_check(char *text)
{
	size_t length;

	if (!text)
		return;
	length = strlen(text);
	if (!length || text[length - 1] != '\n')
		abort();
	free(text);
}

static void feed_tell(const struct portsock_feed *feed)
{
	const struct portsock_format *format;

	for (format = portsock_formats; format->name; format++)
		document_check(portsock_format_text(format, feed));
}

static void table_tell(const uint8_t *data, size_t size)
{
	static struct portsock_snapshot snapshot;
	struct portsock_error error;
	struct portsock_feed feed;
	FILE *in = fmemopen((void *)data, size, "r");

	if (!in)
		return;
	/* Few, so that there are too many soon. */
	if (!portsock_feed_init(&feed, 4, 1)) {
		portsock_feed_begin(&feed);
		if (!portsock_snapshot_open(&snapshot, in, "table") &&
		    !portsock_feed_add(&feed, NULL, &snapshot, &error)) {
			portsock_feed_end(&feed);
			feed_tell(&feed);
		}
	}
	portsock_feed_exit(&feed);
	fclose(in);
}

static void text_tell(const uint8_t *data, size_t size)
{
	struct portsock_netns netns = { .pid = 0 };
	struct portsock_metrics metrics = { 0 };
	char *text = strndup((const char *)data, size), *label = NULL;
	size_t length;
	FILE *in;

	if (!text)
		return;
	metrics.out = open_memstream(&label, &length);
	if (metrics.out) {
		portsock_metric_text(&metrics, text);
		fclose(metrics.out);
		/* Nothing that could end it but what is escaped. */
		if (strcspn(label, "\n") != length)
			abort();
		free(label);
	}
	in = *text ? fmemopen(text, strlen(text), "r") : NULL;
	if (in) {
		portsock_reserved_count(in, 32768, 60999);
		fclose(in);
	}
	portsock_netns_cgroup(&netns, text);
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (!size)
		return 0;
	table_tell(data, size);
	text_tell(data, size);

	return 0;
}
