/* SPDX-License-Identifier: GPL-2.0 */
#ifndef PORTSOCK_VIEW_H
#define PORTSOCK_VIEW_H

#include <stdbool.h>
#include <limits.h>
#include <stdint.h>

#include "history.h"
#include "libportsock.h"

struct libscols_column;
struct libscols_line;
struct libscols_table;

/**
 * struct portsock_view_options - how rows are shown
 * @json: as JSON instead of a table
 * @numeric: without service names
 * @singles: single ephemeral ports are among the rows, so their totals must not be added to the sum
 * @rates: it is known how rows were before
 * @netns: rows are of several namespaces
 * @color: mark what is new and what grows
 * @width: columns of the terminal, 0 if none; the usual columns try to fit
 * @columns: comma list of columns; with a leading '+' in addition to the usual ones; NULL for those
 * @sort: column to sort by, ":desc" behind it for the highest first; NULL for the order of the table
 */
struct portsock_view_options {
	bool json;
	bool numeric;
	bool singles;
	bool rates;
	bool netns;
	bool color;
	unsigned int width;
	const char *columns;
	const char *sort;
};

/**
 * enum portsock_view_source - where a column's text comes from
 * @PORTSOCK_VIEW_FIELD: a column of the table
 * @PORTSOCK_VIEW_RATE: what a counter of the table gains per second
 * @PORTSOCK_VIEW_AVERAGE: a sum of the table, by what it gained, divided by what its counter gained
 * @PORTSOCK_VIEW_RANGE: ports that the row stands for, in percent of the range of ephemeral ports
 * @PORTSOCK_VIEW_SERVICE: name of the port
 * @PORTSOCK_VIEW_NETNS: name of the namespace
 */
enum portsock_view_source {
	PORTSOCK_VIEW_FIELD,
	PORTSOCK_VIEW_RATE,
	PORTSOCK_VIEW_AVERAGE,
	PORTSOCK_VIEW_RANGE,
	PORTSOCK_VIEW_SERVICE,
	PORTSOCK_VIEW_NETNS,
};

/**
 * enum portsock_view_role - why a column is there
 * @PORTSOCK_VIEW_ASKED: it always is, or the user named it
 * @PORTSOCK_VIEW_FILLED: only if any row has a number other than 0 in it
 * @PORTSOCK_VIEW_SPARE: only if the table fits the terminal with it
 * @PORTSOCK_VIEW_ROOM: likewise, given up before those, and only if any row has an answer
 * @PORTSOCK_VIEW_SORT: to sort by, not to be seen
 */
enum portsock_view_role {
	PORTSOCK_VIEW_ASKED,
	PORTSOCK_VIEW_FILLED,
	PORTSOCK_VIEW_SPARE,
	PORTSOCK_VIEW_ROOM,
	PORTSOCK_VIEW_SORT,
};

/**
 * struct portsock_view_sum - numbers of a column added up
 * @number: stays at UINT64_MAX once it got there
 * @rate: of rates
 */
struct portsock_view_sum {
	uint64_t number;
	double rate;
};

/**
 * struct portsock_view_column - a column shown
 * @output: libsmartcols' side of it
 * @source: where its text comes from
 * @field: index into the snapshot's fields; of columns that no table has -1
 * @known: what the reader knows about the field, NULL if nothing
 * @adds_up: a sum means something
 * @numeric: every value so far was a number, `*` or `-`
 * @any: a value other than zero was seen
 * @answers: a number was seen, or a word; of a rate, one that is known
 * @singles: likewise in rows of one port that a total has again
 * @role: why it is there
 * @with: filled when that column is, NULL for itself
 * @sum: over the rows added
 * @totals: of these, those of totals whose single rows are shown, which are not in @sum
 */
struct portsock_view_column {
	struct libscols_column *output;
	enum portsock_view_source source;
	int field;
	const struct portsock_column *known;
	bool adds_up;
	bool numeric;
	bool any;
	bool answers;
	bool singles;
	enum portsock_view_role role;
	const struct portsock_view_column *with;
	struct portsock_view_sum sum;
	struct portsock_view_sum totals;
};

/**
 * struct portsock_view - rows on their way to the user
 * @options: as given
 * @people: a table for people: no '+'-less column list, no JSON
 * @descending: sort the highest first
 * @nr_rows: rows added
 * @nr_columns: used in @columns
 * @columns: in the order shown
 * @sort: the one to sort by, NULL if none
 * @nr_fields: columns of the tables
 * @netns: what to call the namespace of the rows to come
 * @health: first lines of the JSON document
 * @table: libsmartcols' table
 */
struct portsock_view {
	struct portsock_view_options options;
	bool people;
	bool descending;
	unsigned long nr_rows;
	unsigned int nr_columns;
	struct portsock_view_column columns[3 * PORTSOCK_CELLS_MAX + 3];
	const struct portsock_view_column *sort;
	unsigned int nr_fields;
	char netns[NAME_MAX + 1];
	char *health;
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
 * portsock_view_table() - rows to come are of this table
 * @view: an initialised view
 * @snapshot: of the same columns as that it was initialised with
 * @netns: what to call the table's namespace, NULL if nobody asks
 * @error: set on failure
 *
 * Return: 0, or -1 when the columns are others.
 */
int portsock_view_table(struct portsock_view *view, const struct portsock_snapshot *snapshot, const char *netns,
			struct portsock_error *error);

/**
 * portsock_view_add() - show the snapshot's current row
 * @view: an initialised view
 * @snapshot: the one it was initialised with, or that of portsock_view_table()
 * @past: the same row as it was, NULL if nobody knows
 * @error: set on failure
 *
 * Return: 0, or -1 without memory.
 */
int portsock_view_add(struct portsock_view *view, const struct portsock_snapshot *snapshot,
		      const struct portsock_past *past, struct portsock_error *error);

/**
 * portsock_view_text() - the finished table or JSON document
 * @view: all rows added; call once
 * @error: set on failure
 *
 * Return: text to be freed, ending in a newline; NULL without memory.
 */
char *portsock_view_text(struct portsock_view *view, struct portsock_error *error);

/**
 * portsock_view_exit() - release what portsock_view_init() took
 * @view: to be released
 */
void portsock_view_exit(struct portsock_view *view);

#endif
