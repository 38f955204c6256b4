/* SPDX-License-Identifier: GPL-2.0 */
#ifndef PORTSOCK_VIEW_H
#define PORTSOCK_VIEW_H

#include <stdbool.h>
#include <stdint.h>

#include "libportsock.h"

struct libscols_column;
struct libscols_table;

/**
 * struct portsock_view_options - how rows are shown
 * @json: as JSON instead of a table
 * @numeric: without service names
 * @singles: single ephemeral ports are among the rows, so their totals must not be added to the sum
 * @width: columns of the terminal, 0 if none; the usual columns try to fit
 * @columns: comma list of columns; with a leading '+' in addition to the usual ones; NULL for those
 */
struct portsock_view_options {
	bool json;
	bool numeric;
	bool singles;
	unsigned int width;
	const char *columns;
};

/**
 * enum portsock_view_role - why a column is shown
 * @PORTSOCK_VIEW_ASKED: it always is, or the user named it
 * @PORTSOCK_VIEW_STATE: only if any row has sockets in it
 * @PORTSOCK_VIEW_SPARE: only if the table fits the terminal with it
 */
enum portsock_view_role {
	PORTSOCK_VIEW_ASKED,
	PORTSOCK_VIEW_STATE,
	PORTSOCK_VIEW_SPARE,
};

/**
 * struct portsock_view_column - a column shown
 * @output: libsmartcols' side of it
 * @field: index into the snapshot's fields; -1 for the service name
 * @adds_up: @sum means something
 * @numeric: every value so far was a number, `*` or `-`
 * @any: a value other than zero was seen
 * @role: why it is shown
 * @sum: over the rows added; stays at UINT64_MAX once it got there
 */
struct portsock_view_column {
	struct libscols_column *output;
	int field;
	bool adds_up;
	bool numeric;
	bool any;
	enum portsock_view_role role;
	uint64_t sum;
};

/**
 * struct portsock_view - rows on their way to the user
 * @options: as given
 * @people: a table for people: no '+'-less column list, no JSON
 * @nr_rows: rows added
 * @nr_columns: used in @columns
 * @columns: in the order shown
 * @table: libsmartcols' table
 */
struct portsock_view {
	struct portsock_view_options options;
	bool people;
	unsigned long nr_rows;
	unsigned int nr_columns;
	struct portsock_view_column columns[PORTSOCK_CELLS_MAX + 1];
	struct libscols_table *table;
};

/**
 * portsock_view_init() - choose the columns
 * @view: to be filled
 * @options: how to show rows
 * @snapshot: where rows come from, opened
 * @error: set on failure
 *
 * Return: 0, or -1 for a column the table does not have, or no memory; portsock_view_exit() is due either way.
 */
int portsock_view_init(struct portsock_view *view, const struct portsock_view_options *options,
		       const struct portsock_snapshot *snapshot, struct portsock_error *error);

/**
 * portsock_view_add() - show the snapshot's current row
 * @view: an initialised view
 * @snapshot: the one it was initialised with
 * @error: set on failure
 *
 * Return: 0, or -1 without memory.
 */
int portsock_view_add(struct portsock_view *view, const struct portsock_snapshot *snapshot,
		      struct portsock_error *error);

/**
 * portsock_view_text() - the finished table or JSON document
 * @view: all rows added; call once
 * @snapshot: the one it was initialised with
 * @error: set on failure
 *
 * Return: text to be freed, ending in a newline; NULL without memory.
 */
char *portsock_view_text(struct portsock_view *view, const struct portsock_snapshot *snapshot,
			 struct portsock_error *error);

/**
 * portsock_view_exit() - release what portsock_view_init() took
 * @view: to be released
 */
void portsock_view_exit(struct portsock_view *view);

#endif
