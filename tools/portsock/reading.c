// SPDX-License-Identifier: GPL-2.0
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>

#include "reading.h"

static int row_take(const struct portsock_reading *reading, const struct portsock_snapshot *snapshot,
		    struct portsock_error *error)
{
	struct portsock_past *past = NULL;

	if (reading->history) {
		past = portsock_history_add(reading->history, snapshot);
		if (!past)
			return portsock_error_set(error, "out of memory");
	}

	return portsock_filter_match(reading->filter, snapshot) ?
		reading->row(reading->data, snapshot, past, error) : 0;
}

static int rows_read(const struct portsock_reading *reading, struct portsock_snapshot *snapshot,
		     struct portsock_error *error)
{
	bool to_singles = false;
	int rc;

	portsock_filter_restart(reading->filter);
	while ((rc = portsock_snapshot_next(snapshot)) > 0) {
		if (!to_singles && portsock_filter_is_behind(reading->filter, snapshot)) {
			if (!portsock_filter_needs_singles(reading->filter))
				return 0;
			to_singles = true;
		}
		if (row_take(reading, snapshot, error))
			return -1;
	}
	if (rc)
		*error = snapshot->error;

	return rc;
}

/* @list and @netns: NULL unless all namespaces are read. */
static int table_read(const struct portsock_reading *reading, struct portsock_source *source,
		      const struct portsock_netns_list *list, const struct portsock_netns *netns,
		      struct portsock_error *error)
{
	static struct portsock_snapshot snapshot;
	char label[NAME_MAX + 1];
	int rc = portsock_snapshot_open(&snapshot, source->in, source->name);

	if (rc)
		*error = snapshot.error;
	if (!rc && netns)
		portsock_netns_label(list, netns, snapshot.netns, label, sizeof(label));
	if (!rc)
		rc = reading->table(reading->data, &snapshot, netns ? label : NULL, error);
	if (!rc && reading->columns)
		portsock_snapshot_want(&snapshot, reading->columns);
	if (!rc)
		rc = rows_read(reading, &snapshot, error);
	fclose(source->in);

	return rc;
}

static bool netns_is_gone(const struct portsock_netns_list *list, const struct portsock_netns *netns)
{
	struct portsock_source source;
	struct portsock_error error;
	int rc = portsock_netns_open(list, netns, &source, &error);

	if (rc > 0)
		fclose(source.in);

	return !rc;
}

/* Return: 1, 0 if the namespace went before its table was read to the end, or -1. */
static int netns_read(const struct portsock_reading *reading, const struct portsock_netns_list *list,
		      const struct portsock_netns *netns, struct portsock_error *error)
{
	struct portsock_source source;
	int rc = portsock_netns_open(list, netns, &source, error);

	if (rc <= 0)
		return rc;
	if (!table_read(reading, &source, list, netns, error))
		return 1;

	return netns_is_gone(list, netns) ? 0 : -1;
}

static int all_read(const struct portsock_reading *reading, struct portsock_error *error)
{
	struct portsock_netns_list list;
	bool any = false;
	size_t i;
	int rc;

	rc = portsock_netns_find(&list, "/proc", PORTSOCK_NETNS_DIR, error);
	for (i = 0; i < list.nr && rc >= 0; i++) {
		rc = netns_read(reading, &list, list.all[i], error);
		any |= rc > 0;
	}
	portsock_netns_clear(&list);
	if (rc >= 0 && !any)
		return portsock_error_set(error, "/proc: all tables went while they were read (was the module unloaded?)");

	return rc < 0 ? rc : 0;
}

static int tables_read(const struct portsock_reading *reading, struct portsock_error *error)
{
	struct portsock_source source;
	int rc;

	if (reading->all)
		return all_read(reading, error);
	rc = reading->netns ? portsock_source_open_netns(&source, reading->netns, error) :
		portsock_source_open(&source, portsock_source_path(reading->file), error);

	return rc ? rc : table_read(reading, &source, NULL, NULL, error);
}

int portsock_reading_run(const struct portsock_reading *reading, struct portsock_error *error)
{
	int rc;

	if (reading->history)
		portsock_history_begin(reading->history);
	rc = tables_read(reading, error);
	/* Of half a look, the other rows would be new in the next one. */
	if (reading->history && rc)
		portsock_history_clear(reading->history);
	else if (reading->history)
		portsock_history_end(reading->history);

	return rc;
}
