/* SPDX-License-Identifier: GPL-2.0 */
#ifndef PORTSOCK_COLUMN_H
#define PORTSOCK_COLUMN_H

#include <stdbool.h>
#include <stdint.h>

/**
 * enum portsock_column_kind - what may be done with a column's values
 * @PORTSOCK_COLUMN_TEXT: words
 * @PORTSOCK_COLUMN_PORT: a port number, or `*` for a protocol's totals
 * @PORTSOCK_COLUMN_STATE: sockets in one state; adds up over rows
 * @PORTSOCK_COLUMN_SUM: any other number of now; adds up over rows but those of class folded, which are past
 * @PORTSOCK_COLUMN_COUNTER: counted since the row appeared; adds up over rows but those of unbound sockets, which
 *	are counted again with the port they get
 * @PORTSOCK_COLUMN_NUMBER: a number whose sum would mean nothing
 */
enum portsock_column_kind {
	PORTSOCK_COLUMN_TEXT,
	PORTSOCK_COLUMN_PORT,
	PORTSOCK_COLUMN_STATE,
	PORTSOCK_COLUMN_SUM,
	PORTSOCK_COLUMN_COUNTER,
	PORTSOCK_COLUMN_NUMBER,
};

/**
 * struct portsock_column - a column of format 1 that this reader knows
 * @name: its name in the table, and the key in JSON
 * @heading: its name in the table for people, also accepted from them
 * @kind: what may be done with its values
 * @optional: older modules do not print it
 */
struct portsock_column {
	const char *name;
	const char *heading;
	enum portsock_column_kind kind;
	bool optional;
};

/* Ends with an entry whose name is NULL; fewer than 64 columns, see portsock_column_bit(). */
extern const struct portsock_column portsock_columns[];

/**
 * portsock_column_find() - the known column of this name
 * @name: name or heading, in any case
 *
 * Return: the column, or NULL for one this reader does not know.
 */
const struct portsock_column *portsock_column_find(const char *name);

/**
 * portsock_column_bit() - a column as a member of a set
 * @column: one of portsock_columns, or NULL
 *
 * Return: a mask with the column's bit, 0 for NULL.
 */
uint64_t portsock_column_bit(const struct portsock_column *column);

/**
 * portsock_column_adds_up() - does the sum over rows mean something?
 * @column: one of portsock_columns, or NULL
 */
bool portsock_column_adds_up(const struct portsock_column *column);

#endif
