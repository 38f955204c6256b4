// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "reading.h"
#include "show.h"

/* A look: what its rows are read into; sockets that all its tables guess to be outgoing. */
struct look {
	const struct portsock_show *show;
	struct portsock_view view;
	bool begun;
	uint64_t guessed;
};

static void error_print(const struct portsock_error *error)
{
	fprintf(stderr, "portsock: %s\n", error->text);
}

enum portsock_show_status portsock_show_failed(void)
{
	/* Whoever closed the pipe, like head(1), has seen enough. */
	if (errno == EPIPE)
		return PORTSOCK_SHOW_OK;
	fprintf(stderr, "portsock: write failed: %s\n", strerror(errno));

	return PORTSOCK_SHOW_ERROR;
}

/* The counts of a table that lost something are no secret: say so where scripts do not read. */
static void health_warn(const struct portsock_snapshot *snapshot)
{
	uint64_t untracked = portsock_snapshot_health(snapshot, "untracked");
	uint64_t repaired = portsock_snapshot_health(snapshot, "repaired");
	uint64_t missed = portsock_snapshot_health(snapshot, "missed");
	bool exact = portsock_snapshot_health(snapshot, "exact");

	if (exact && !missed && !untracked)
		return;

	fprintf(stderr,
		"portsock: %s (missed %" PRIu64 ", repaired %" PRIu64 ", untracked %" PRIu64 ")\n",
		exact ? "sockets and states are exact, but short-lived ones may be missing in opened and closed" :
			"not exact at the moment: counts may be off until the next repair",
		missed, repaired, untracked);
}

static void guess_warn(const struct look *look)
{
	if (look->show->filter.ends == PORTSOCK_FILTER_REMOTE && look->guessed && !look->show->view.json)
		fprintf(stderr, "portsock: some connections are older than the module, and only guessed to be outgoing "
			"(remote_guessed %" PRIu64 ")\n", look->guessed);
}

/* What is lost is lost for all namespaces: the first table tells. */
static int table_take(void *data, const struct portsock_snapshot *snapshot, const char *netns,
		      struct portsock_error *error)
{
	struct look *look = data;

	if (!look->begun) {
		look->begun = true;
		if (portsock_view_init(&look->view, &look->show->view, snapshot, error))
			return -1;
		if (!look->show->view.json)
			health_warn(snapshot);
	}
	look->guessed += portsock_snapshot_health(snapshot, "remote_guessed");

	return portsock_view_table(&look->view, snapshot, netns, error);
}

static int row_take(void *data, const struct portsock_snapshot *snapshot, struct portsock_past *past,
		    struct portsock_error *error)
{
	struct look *look = data;

	return portsock_view_add(&look->view, snapshot, past, error);
}

/* Rows one above the other, look by look, say when. */
static void time_print(void)
{
	time_t now = time(NULL);
	char text[64];

	if (strftime(text, sizeof(text), "%F %T", localtime(&now)))
		puts(text);
}

static enum portsock_show_status text_print(const struct portsock_show *show, const char *text)
{
	struct portsock_error error;

	if (show->output_file) {
		if (!portsock_output_replace(show->output_file, text, &error))
			return PORTSOCK_SHOW_OK;
		error_print(&error);
		return PORTSOCK_SHOW_ERROR;
	}
	errno = 0;
	fputs(text, stdout);

	return fflush(stdout) || ferror(stdout) ? portsock_show_failed() : PORTSOCK_SHOW_OK;
}

static enum portsock_show_status look_print(struct look *look, struct portsock_error *error)
{
	const struct portsock_show *show = look->show;
	bool no_match = !look->view.nr_rows && portsock_filter_is_set(&show->filter) && !show->machine;
	enum portsock_show_status status;
	char *text;

	if (no_match && !show->view.json) {
		fputs("portsock: no row matches\n", stderr);
		return PORTSOCK_SHOW_NO_MATCH;
	}
	text = portsock_view_text(&look->view, error);
	if (!text) {
		error_print(error);
		return PORTSOCK_SHOW_ERROR;
	}
	if (show->seconds && look->view.people && !show->output_file)
		time_print();
	status = text_print(show, text);
	free(text);

	return status == PORTSOCK_SHOW_OK && no_match ? PORTSOCK_SHOW_NO_MATCH : status;
}

static int source_open(const struct portsock_show *show, struct portsock_source *source,
		       struct portsock_error *error)
{
	if (show->netns)
		return portsock_source_open_netns(source, show->netns, error);

	return portsock_source_open(source, portsock_source_path(show->file), error);
}

/* Return: 0 with the table in the feed, or -1 with @error set. */
static int feed_read(struct portsock_show *show, struct portsock_feed *feed, struct portsock_error *error)
{
	static struct portsock_snapshot snapshot;
	struct portsock_source source;
	int rc;

	portsock_feed_begin(feed);
	if (source_open(show, &source, error))
		return -1;
	rc = portsock_snapshot_open(&snapshot, source.in, source.name);
	if (rc)
		*error = snapshot.error;
	else
		rc = portsock_feed_add(feed, &show->filter, &snapshot, error);
	fclose(source.in);
	portsock_feed_end(feed);

	return rc;
}

/* What agents are told. */
static enum portsock_show_status feed_run(struct portsock_show *show)
{
	enum portsock_show_status status = PORTSOCK_SHOW_ERROR;
	struct portsock_error error;
	struct portsock_feed feed;
	char *text = NULL;

	if (show->format->both && show->filter.ends == PORTSOCK_FILTER_LOCAL)
		show->filter.ends = PORTSOCK_FILTER_BOTH;
	portsock_error_set(&error, "out of memory");
	if (!portsock_feed_init(&feed, show->limit, 1) && !feed_read(show, &feed, &error))
		text = portsock_format_text(show->format, &feed);
	if (text)
		status = text_print(show, text);
	else
		error_print(&error);
	free(text);
	portsock_feed_exit(&feed);

	return status;
}

static enum portsock_show_status look_run(struct portsock_show *show, struct portsock_history *history)
{
	struct look look = { .show = show };
	const struct portsock_reading reading = {
		.file = show->file,
		.netns = show->netns,
		.all = show->view.netns,
		.filter = &show->filter,
		.history = history,
		.table = table_take,
		.row = row_take,
		.data = &look,
	};
	enum portsock_show_status status = PORTSOCK_SHOW_ERROR;
	struct portsock_error error;

	if (show->format)
		return feed_run(show);
	if (portsock_reading_run(&reading, &error)) {
		error_print(&error);
	} else {
		guess_warn(&look);
		status = look_print(&look, &error);
	}
	if (look.begun)
		portsock_view_exit(&look.view);

	return status;
}

/*
 * Looks do not come later and later for the time they take; those that a stopped process missed are not made up
 * for.
 */
static void wait_until(struct timespec *next, double seconds)
{
	long nanoseconds = (seconds - floor(seconds)) * 1e9 + next->tv_nsec;
	struct timespec now;

	next->tv_sec += (time_t)seconds + nanoseconds / 1000000000;
	next->tv_nsec = nanoseconds % 1000000000;
	clock_gettime(CLOCK_MONOTONIC, &now);
	if (next->tv_sec < now.tv_sec)
		*next = now;
	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, next, NULL) == EINTR)
		;
}

enum portsock_show_status portsock_show(struct portsock_show *show)
{
	struct portsock_history history = { 0 };
	enum portsock_show_status status;
	unsigned long looks = 1;
	struct timespec next;

	if (!show->seconds)
		return look_run(show, NULL);

	clock_gettime(CLOCK_MONOTONIC, &next);
	while ((status = look_run(show, &history)) != PORTSOCK_SHOW_ERROR && !ferror(stdout) &&
	       looks++ != show->count)
		wait_until(&next, show->seconds);
	portsock_history_clear(&history);

	return status;
}
