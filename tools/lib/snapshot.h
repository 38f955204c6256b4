/* SPDX-License-Identifier: GPL-2.0 */
#ifndef PORTSOCK_SNAPSHOT_H
#define PORTSOCK_SNAPSHOT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "column.h"
#include "error.h"

#define PORTSOCK_PAIRS_MAX	64
#define PORTSOCK_CELLS_MAX	128
/* Bytes in a line with its newline and NUL: more than 64 columns of full u64 need, two of them histograms. */
#define PORTSOCK_LINE_MAX	4096

/**
 * struct portsock_value - a word of the table
 * @text: as printed, bytes outside printable ASCII replaced by '?'
 * @number: its value, when @is_number; otherwise 0
 * @is_number: @text is a decimal u64 without leading zeros
 */
struct portsock_value {
	const char *text;
	uint64_t number;
	bool is_number;
};

/**
 * struct portsock_pair - what line 1 tells about the table's health
 * @key: its name
 * @value: its value
 */
struct portsock_pair {
	const char *key;
	struct portsock_value value;
};

/**
 * enum portsock_field_use - what becomes of the cells of a column
 * @PORTSOCK_FIELD_NUMBER: a number, or no answer
 * @PORTSOCK_FIELD_WORDS: anything
 * @PORTSOCK_FIELD_PASSED: nobody looks at them
 */
enum portsock_field_use {
	PORTSOCK_FIELD_NUMBER,
	PORTSOCK_FIELD_WORDS,
	PORTSOCK_FIELD_PASSED,
};

/**
 * struct portsock_field - a column of the table being read
 * @name: as printed in line 2
 * @column: what the reader knows about it, NULL if nothing
 * @id: that column's number, PORTSOCK_COLUMN_NR if it is not in enum portsock_column_id
 * @use: what becomes of its cells; the port is of the words, as it can be `*`
 */
struct portsock_field {
	const char *name;
	const struct portsock_column *column;
	unsigned int id;
	enum portsock_field_use use;
};

/**
 * struct portsock_snapshot - a table being read, one row at a time
 * @in: where it comes from; stays the caller's
 * @name: what to call @in in messages
 * @line: number of the line read last, from 1
 * @pairs: health, @nr_pairs of them, in the order printed
 * @netns: number of @pairs that all rows are asked for; 0 when the table does not tell
 * @uptime_ms: likewise
 * @fields: columns, @nr_fields of them, in the order printed
 * @nr_read: fields up to the last one that is not passed over
 * @cells: the current row, one value per field; valid until the next one is read
 * @proto: index of the field `proto`
 * @port: index of the field `port`
 * @class: index of the field `class`
 * @backlog: index of the field `backlog`, -1 if there is none
 * @backlog_max: likewise
 * @rest: index of the last field, where that takes all that is left of a row; otherwise -1
 * @row_class: class of the current row, an enum portsock_class; -1 for one this reader does not know
 * @error: why reading failed
 */
struct portsock_snapshot {
	FILE *in;
	const char *name;
	unsigned long line;
	unsigned int nr_pairs;
	unsigned int nr_fields;
	unsigned int nr_read;
	unsigned int proto;
	unsigned int port;
	unsigned int class;
	int backlog;
	int backlog_max;
	int rest;
	uint64_t netns;
	uint64_t uptime_ms;
	struct portsock_pair pairs[PORTSOCK_PAIRS_MAX];
	struct portsock_field fields[PORTSOCK_CELLS_MAX];
	struct portsock_value cells[PORTSOCK_CELLS_MAX];
	int row_class;
	struct portsock_error error;
	/* private: the words above point into these */
	char health_text[PORTSOCK_LINE_MAX];
	char field_text[PORTSOCK_LINE_MAX];
	char row_text[PORTSOCK_LINE_MAX];
};

/**
 * portsock_snapshot_open() - read the health and the column names
 * @snapshot: to be filled; needs no release
 * @in: the table
 * @name: what to call it in messages; must outlive @snapshot
 *
 * Return: 0, or -1 with @snapshot->error set: not a table, another format, `exact` or a
 * column that tells which row it is missing, or the read failed.
 */
int portsock_snapshot_open(struct portsock_snapshot *snapshot, FILE *in, const char *name);

/**
 * portsock_snapshot_want() - pass over what nobody looks at
 * @snapshot: an opened snapshot, no row of which was read yet
 * @columns: those that are looked at, see portsock_column_bit(); those of kind identity are in any case
 *
 * Other cells are `-`, whatever they are in the table, and what is behind the last one that is wanted is not checked.
 * Without this all are read.
 */
void portsock_snapshot_want(struct portsock_snapshot *snapshot, uint64_t columns);

/**
 * portsock_snapshot_next() - read the next row into @snapshot->cells
 * @snapshot: an opened snapshot
 *
 * Reads no further than this row (and what @in buffers), so a caller that stops does not pay for the rest.
 *
 * Return: 1 for a row, 0 at the end, -1 with @snapshot->error set.
 */
int portsock_snapshot_next(struct portsock_snapshot *snapshot);

/**
 * portsock_histogram_parse() - the numbers of a cell of kind histogram
 * @numbers: receives them
 * @text: the cell
 *
 * Return: 0, or -1 if the text is no list of so many numbers, as where there is no answer.
 */
int portsock_histogram_parse(uint64_t numbers[PORTSOCK_HISTOGRAM_NR], const char *text);

/**
 * portsock_snapshot_is() - is the current row of this class?
 * @snapshot: a snapshot with a current row
 * @class: any
 */
bool portsock_snapshot_is(const struct portsock_snapshot *snapshot, enum portsock_class class);

/**
 * portsock_snapshot_is_total() - is the current row a protocol's ephemeral total?
 * @snapshot: a snapshot with a current row
 */
bool portsock_snapshot_is_total(const struct portsock_snapshot *snapshot);

/**
 * portsock_snapshot_is_single() - is the current row one single ephemeral port?
 * @snapshot: a snapshot with a current row
 */
bool portsock_snapshot_is_single(const struct portsock_snapshot *snapshot);

/**
 * portsock_snapshot_is_remote_total() - is the current row a protocol's total of remote ports?
 * @snapshot: a snapshot with a current row
 *
 * Return: true for the sum of its other rows of class remote.
 */
bool portsock_snapshot_is_remote_total(const struct portsock_snapshot *snapshot);

/**
 * portsock_snapshot_knows() - does this reader know the class of the current row?
 * @snapshot: a snapshot with a current row
 *
 * What rows of other classes stand for, and whether others have the same sockets, only a newer reader knows.
 */
bool portsock_snapshot_knows(const struct portsock_snapshot *snapshot);

/**
 * portsock_snapshot_health() - a number from line 1
 * @snapshot: an opened snapshot
 * @key: its name
 *
 * Return: the number; 0 when the table does not tell.
 */
uint64_t portsock_snapshot_health(const struct portsock_snapshot *snapshot, const char *key);

/**
 * portsock_snapshot_range() - how much of the range of ephemeral ports is in use
 * @snapshot: a snapshot with a current row
 *
 * Return: percent; -1 if the row is no total of ephemeral ports, or the table does not tell.
 */
double portsock_snapshot_range(const struct portsock_snapshot *snapshot);

/**
 * portsock_snapshot_backlog() - how full the port's accept queues are
 * @snapshot: a snapshot with a current row
 *
 * Return: percent; a limit of n holds n + 1 connections. -1 if the table does not tell.
 */
double portsock_snapshot_backlog(const struct portsock_snapshot *snapshot);

#endif
