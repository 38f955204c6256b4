/* SPDX-License-Identifier: GPL-2.0 */
#ifndef PORTSOCK_COLUMN_H
#define PORTSOCK_COLUMN_H

#include <stdbool.h>
#include <stdint.h>

#include "../../module/portsock.h"

/**
 * struct portsock_column - a column of format 1 that this reader knows
 * @name: its name in the table, and the key in JSON
 * @heading: its name in the table for people, also accepted from them
 * @kind: what may be done with its values
 * @unit: what they count or measure
 * @help: a line for --help
 */
struct portsock_column {
	const char *name;
	const char *heading;
	enum portsock_kind kind;
	const char *unit;
	const char *help;
};

/*
 * By enum portsock_column_id. Ends with an entry whose name is NULL; fewer than 64 columns, see
 * portsock_column_bit(). Only those of kind identity are in every table.
 */
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
 * portsock_column_is_text() - are its values words?
 * @column: one of portsock_columns, or NULL
 */
bool portsock_column_is_text(const struct portsock_column *column);

/**
 * portsock_column_is_number() - is each of its values one number, or no answer?
 * @column: one of portsock_columns, or NULL
 *
 * Return: false for the port, which can be `*`, and for histograms.
 */
bool portsock_column_is_number(const struct portsock_column *column);

/**
 * portsock_column_counts() - does it never go down while the row is there?
 * @column: one of portsock_columns, or NULL
 *
 * Return: true for counters and sums, which have a rate.
 */
bool portsock_column_counts(const struct portsock_column *column);

/**
 * portsock_column_divisor() - what makes an average of a sum
 * @sum: a column of kind sum
 *
 * Return: the counter that it is to be divided by.
 */
enum portsock_column_id portsock_column_divisor(enum portsock_column_id sum);

/**
 * portsock_column_adds_up() - does the sum over rows mean something?
 * @column: one of portsock_columns, or NULL
 */
bool portsock_column_adds_up(const struct portsock_column *column);

#endif
