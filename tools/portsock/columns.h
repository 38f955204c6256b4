/* SPDX-License-Identifier: GPL-2.0 */
#ifndef PORTSOCK_COLUMNS_H
#define PORTSOCK_COLUMNS_H

#include "view.h"

/* Bytes of a column's name with its NUL; longer ones are cut, and nothing is called so. */
#define PORTSOCK_COLUMN_NAME_SIZE	64

/**
 * struct portsock_columns_filled - a column that people are shown when a row has a number other than 0 in it
 * @id: the column; where rates are shown, that of a counter
 * @with: or, of another column than itself, in that one
 */
struct portsock_columns_filled {
	enum portsock_column_id id;
	enum portsock_column_id with;
};

/* In the order shown. Ends with an entry whose @id is PORTSOCK_COLUMN_NR. States are shown so as well, before these. */
extern const struct portsock_columns_filled portsock_columns_filled[];

/**
 * portsock_columns_source() - what a name asks for
 * @name: a column of the table, a counter with "/s" behind it, or a column that no table has
 * @field: receives the name of the table's column
 *
 * Return: where its text comes from.
 */
enum portsock_view_source portsock_columns_source(const char *name, char field[PORTSOCK_COLUMN_NAME_SIZE]);

/**
 * portsock_columns_made() - a column that no table has
 * @source: where its text comes from
 *
 * Return: its name, NULL for those that are in tables, and for rates.
 */
const char *portsock_columns_made(enum portsock_view_source source);

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
