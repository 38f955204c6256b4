/* SPDX-License-Identifier: GPL-2.0 */
#ifndef PORTSOCK_READING_H
#define PORTSOCK_READING_H

#include <stdbool.h>

#include "history.h"
#include "libportsock.h"

/**
 * struct portsock_reading - which rows of which tables are read, and for whom
 * @file: a table, NULL for the usual one
 * @netns: the table of this namespace instead, or NULL
 * @all: the tables of all namespaces instead
 * @filter: which rows
 * @columns: those that @history and @row look at, see portsock_column_bit(); 0: all
 * @history: remembers rows, matching or not; NULL if nobody asks what they were
 * @table: called for each table with what to call its namespace, NULL unless @all
 * @row: called for each row that matches; @past is NULL without @history
 * @data: for both; either ends the reading if it does not return 0
 */
struct portsock_reading {
	const char *file;
	const char *netns;
	bool all;
	struct portsock_filter *filter;
	uint64_t columns;
	struct portsock_history *history;
	int (*table)(void *data, const struct portsock_snapshot *snapshot, const char *netns,
		     struct portsock_error *error);
	int (*row)(void *data, const struct portsock_snapshot *snapshot, struct portsock_past *past,
		   struct portsock_error *error);
	void *data;
};

/**
 * portsock_reading_run() - read the tables once
 * @reading: what to read
 * @error: set on failure
 *
 * With @all, namespaces that go meanwhile are left out. After a failure the history is empty.
 *
 * Return: 0, or -1 if a table cannot be read, without memory, or when a callback ended it.
 */
int portsock_reading_run(const struct portsock_reading *reading, struct portsock_error *error);

#endif
