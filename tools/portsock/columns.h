/* SPDX-License-Identifier: GPL-2.0 */
#ifndef PORTSOCK_COLUMNS_H
#define PORTSOCK_COLUMNS_H

#include "view.h"

/* Bytes of a column's name with its NUL; longer ones are cut, and nothing is called so. */
#define PORTSOCK_COLUMN_NAME_SIZE	64

/**
 * struct portsock_columns_filled - a column that people are shown when a row has a number other than 0 in it
 * @id: the column; where looks are compared, the rate of a counter, and the average of a sum
 * @with: or, of another column than itself, in that one
 * @watched: only where looks are compared
 */
struct portsock_columns_filled {
	enum portsock_column_id id;
	enum portsock_column_id with;
	bool watched;
};

/* In the order shown. Ends with an entry whose @id is PORTSOCK_COLUMN_NR. States are shown so as well, before these. */
extern const struct portsock_columns_filled portsock_columns_filled[];

/**
 * portsock_columns_watched() - what is shown of a column where looks are compared
 * @id: the column
 *
 * Return: of a counter its rate, of a sum an average, of others the column itself.
 */
enum portsock_view_source portsock_columns_watched(enum portsock_column_id id);

/**
 * portsock_columns_suffix() - what is behind the name of a column
 * @source: where its text comes from
 *
 * Return: the text, empty for most.
 */
const char *portsock_columns_suffix(enum portsock_view_source source);

/**
 * portsock_columns_source() - what a name asks for
 * @name: a column of the table, a counter with "/s" behind it, a sum with "/avg", or a column that no table has
 * @field: receives the name of the table's column
 *
 * Return: where its text comes from.
 */
enum portsock_view_source portsock_columns_source(const char *name, char field[PORTSOCK_COLUMN_NAME_SIZE]);

/**
 * portsock_columns_made() - a column that no table has
 * @source: where its text comes from
 *
 * Return: its name, NULL for those that are in tables, for rates and averages.
 */
const char *portsock_columns_made(enum portsock_view_source source);

/**
 * portsock_columns_has() - can that be made of a column?
 * @source: a rate, an average, or anything else
 * @column: one of portsock_columns, or NULL
 */
bool portsock_columns_has(enum portsock_view_source source, const struct portsock_column *column);

/**
 * portsock_columns_sort() - take what --sort says apart
 * @sort: COLUMN or COLUMN:desc
 * @name: receives the column
 *
 * Return: true to have the highest first.
 */
bool portsock_columns_sort(const char *sort, char name[PORTSOCK_COLUMN_NAME_SIZE]);

/**
 * portsock_columns_choose() - choose the columns of a view
 * @view: with its options and an empty table
 * @snapshot: where rows come from, opened
 * @error: set on failure
 *
 * Return: 0, or -1 for a column that is not to be had, or no memory.
 */
int portsock_columns_choose(struct portsock_view *view, const struct portsock_snapshot *snapshot,
			    struct portsock_error *error);

#endif
