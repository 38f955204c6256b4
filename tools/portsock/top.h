/* SPDX-License-Identifier: GPL-2.0 */
/* portsock top: rows on the whole screen, again and again. */
#ifndef PORTSOCK_TOP_H
#define PORTSOCK_TOP_H

#include <stdbool.h>
#include <stddef.h>

#include "history.h"
#include "libportsock.h"
#include "show.h"

#define PORTSOCK_TOP_COLUMNS_MAX	(3 * PORTSOCK_COLUMN_NR + 6)
/* Looks that a sparkline shows: so many characters. */
#define PORTSOCK_TOP_SPARK		8
/* Bytes in a cell with its NUL. */
#define PORTSOCK_TOP_TEXT		256

/**
 * struct portsock_top_column - a column of the screen
 * @source: where its text comes from
 * @id: the column of the table, of a field, rate or average
 * @spark: not the number of now, but a sparkline of the last ones
 * @filled: only if a row has a number other than 0 in it
 * @with: or, of another column than itself, in that one
 * @heading: text above it
 * @width: characters, of its heading or of the widest cell so far
 * @x: where it was drawn, -1 if it was not
 */
struct portsock_top_column {
	enum portsock_view_source source;
	enum portsock_column_id id;
	bool spark;
	bool filled;
	enum portsock_column_id with;
	char heading[24];
	int width;
	int x;
};

/**
 * struct portsock_top_row - a row read
 * @past: the row
 * @table: index of its table in @tables
 * @rate: what it is sorted by, where that is a rate or percentage
 * @number: what it is sorted by, where that is another number
 */
struct portsock_top_row {
	struct portsock_past *past;
	unsigned int table;
	double rate;
	uint64_t number;
};

/**
 * struct portsock_top_totals - sums over the rows read
 * @sockets: full sockets
 * @opened: sockets opened per second
 * @closed: sockets closed per second
 * @ports: ephemeral ports in use, where most of their range is
 * @range: that in percent of the range
 * @proto: protocol of these
 */
struct portsock_top_totals {
	uint64_t sockets;
	double opened;
	double closed;
	uint64_t ports;
	double range;
	char proto[16];
};

/**
 * enum portsock_top_mode - what keys are for
 * @PORTSOCK_TOP_ROWS: the rows
 * @PORTSOCK_TOP_SEARCH: the text to search for is typed
 * @PORTSOCK_TOP_FILTER: the text to filter by is typed
 * @PORTSOCK_TOP_SORT: a column is chosen from a menu
 * @PORTSOCK_TOP_NETNS: a namespace is chosen from a menu
 * @PORTSOCK_TOP_HELP: help is read
 */
enum portsock_top_mode {
	PORTSOCK_TOP_ROWS,
	PORTSOCK_TOP_SEARCH,
	PORTSOCK_TOP_FILTER,
	PORTSOCK_TOP_SORT,
	PORTSOCK_TOP_NETNS,
	PORTSOCK_TOP_HELP,
};

/**
 * struct portsock_top_menu - things to choose from
 * @nr: how many
 * @at: the one chosen
 * @items: their names
 * @values: of columns, their index; of namespaces, a process in each, 0 for that of this process, -1 for all
 */
struct portsock_top_menu {
	size_t nr;
	size_t at;
	char (*items)[64];
	int *values;
};

/**
 * struct portsock_top - all of it
 * @show: the options
 * @pid: process ID in @show->netns, as text
 * @history: rows as they were
 * @rows: those read that the options let through, @nr_rows of them
 * @nr_rows: how many
 * @size: entries that @rows has room for
 * @shown: indices of @rows that are on the screen or can be scrolled there, in this order
 * @nr_shown: how many
 * @tables: names of namespaces, an entry for each table read
 * @nr_tables: how many
 * @totals: of the last look
 * @any: columns with a number other than 0 in any row read, see portsock_column_bit()
 * @gains: those of them that went up in any row read, likewise
 * @exact: so says the first table
 * @missed: likewise
 * @repaired: likewise
 * @untracked: likewise
 * @uptime_ms: likewise
 * @wanted: columns of tables that are read, likewise
 * @columns: those there are, @nr_columns of them
 * @nr_columns: how many
 * @nr_fixed: the first of these do not scroll
 * @first_column: the first one behind them that is on the screen
 * @sort: index of the column to sort by, -1 for the order of the table
 * @descending: the highest first
 * @at: index in @shown of the row that is marked
 * @first: index in @shown of the row at the top
 * @mark: what identifies the marked row
 * @page: rows that fit the screen
 * @paused: no looks
 * @quit: that was all
 * @mode: what keys are for
 * @search: text to search for
 * @filter: text to filter by
 * @menu: in the modes that have one
 * @help_first: first line of help on the screen
 * @error: why the last look failed, empty if it did not
 * @message: what to tell the user, until the next key
 * @utf8: the terminal takes it
 * @color: it has colors, and may use them
 */
struct portsock_top {
	struct portsock_show *show;
	char pid[16];
	struct portsock_history history;
	struct portsock_top_row *rows;
	size_t nr_rows;
	size_t size;
	size_t *shown;
	size_t nr_shown;
	char (*tables)[64];
	unsigned int nr_tables;
	struct portsock_top_totals totals;
	uint64_t any;
	uint64_t gains;
	bool exact;
	uint64_t missed;
	uint64_t repaired;
	uint64_t untracked;
	uint64_t uptime_ms;
	uint64_t wanted;
	struct portsock_top_column columns[PORTSOCK_TOP_COLUMNS_MAX];
	unsigned int nr_columns;
	unsigned int nr_fixed;
	unsigned int first_column;
	int sort;
	bool descending;
	size_t at;
	size_t first;
	struct portsock_past mark;
	size_t page;
	bool paused;
	bool quit;
	enum portsock_top_mode mode;
	char search[64];
	char filter[64];
	struct portsock_top_menu menu;
	unsigned int help_first;
	struct portsock_error error;
	struct portsock_error message;
	bool utf8;
	bool color;
};

/**
 * portsock_top_main() - show rows on the whole screen until the user has seen enough
 * @argc: number of arguments
 * @argv: `top` and its options
 *
 * Return: exit status.
 */
int portsock_top_main(int argc, char **argv);

/**
 * portsock_top_columns() - choose the columns
 * @top: with its options
 * @error: set on failure
 *
 * Return: 0, or -1 for a name that is no column.
 */
int portsock_top_columns(struct portsock_top *top, struct portsock_error *error);

/**
 * portsock_top_is_idle() - is it one that is shown only when it has something, and has nothing?
 * @top: all of it
 * @column: a column
 */
bool portsock_top_is_idle(const struct portsock_top *top, const struct portsock_top_column *column);

/**
 * portsock_top_text() - what is in a cell
 * @top: all of it
 * @column: a column
 * @row: a row
 * @text: receives it
 */
void portsock_top_text(const struct portsock_top *top, const struct portsock_top_column *column,
		       const struct portsock_top_row *row, char text[PORTSOCK_TOP_TEXT]);

/**
 * portsock_top_sort_key() - keep what a row is sorted by
 * @column: the column to sort by
 * @row: @rate and @number are set; both are 0 in a column of words
 */
void portsock_top_sort_key(const struct portsock_top_column *column, struct portsock_top_row *row);

/**
 * portsock_top_compare() - order two rows by a column
 * @top: all of it
 * @column: a column
 * @one: a row with its key for the column
 * @other: another one
 *
 * Return: as strcmp() does.
 */
int portsock_top_compare(const struct portsock_top *top, const struct portsock_top_column *column,
			 const struct portsock_top_row *one, const struct portsock_top_row *other);

/**
 * portsock_top_spark() - a sparkline
 * @trail: numbers, those below 0 are not known
 * @look: number of the last one
 * @looks: how many there are
 * @utf8: the terminal takes it
 * @text: receives PORTSOCK_TOP_SPARK characters, the last look last
 * @size: of @text, 3 bytes for a character and a NUL at least
 */
void portsock_top_spark(const struct portsock_trail *trail, unsigned long look, unsigned long looks, bool utf8,
			char *text, size_t size);

/**
 * portsock_top_look() - read the tables
 * @top: all of it; @error is set on failure, and there are no rows then
 */
void portsock_top_look(struct portsock_top *top);

/**
 * portsock_top_arrange() - filter and sort the rows that were read, keep the mark where it was
 * @top: all of it
 */
void portsock_top_arrange(struct portsock_top *top);

/**
 * portsock_top_search() - mark the next row that has the text
 * @top: all of it
 * @from: index in @shown to begin with
 */
void portsock_top_search(struct portsock_top *top, size_t from);

/**
 * portsock_top_mark() - mark a row and scroll to it
 * @top: all of it
 * @at: index in @shown; beyond either end is the end
 */
void portsock_top_mark(struct portsock_top *top, long at);

/**
 * portsock_top_clear() - release the memory of rows
 * @top: all of it
 */
void portsock_top_clear(struct portsock_top *top);

/**
 * portsock_top_menu_sort() - open the menu of columns
 * @top: all of it
 */
void portsock_top_menu_sort(struct portsock_top *top);

/**
 * portsock_top_menu_netns() - open the menu of namespaces
 * @top: all of it; @message is set when there are none
 */
void portsock_top_menu_netns(struct portsock_top *top);

/**
 * portsock_top_menu_take() - do what was chosen
 * @top: with an open menu
 */
void portsock_top_menu_take(struct portsock_top *top);

/**
 * portsock_top_menu_close() - close a menu and release its memory
 * @top: all of it
 */
void portsock_top_menu_close(struct portsock_top *top);

/**
 * portsock_top_help_lines() - how much there is to read
 */
unsigned int portsock_top_help_lines(void);

/**
 * portsock_top_help_line() - a line of help
 * @line: number from 0
 * @text: receives it
 * @size: of @text
 */
void portsock_top_help_line(unsigned int line, char *text, size_t size);

/**
 * portsock_top_key() - do what a key is for
 * @top: all of it
 * @key: as from getch()
 *
 * Return: true if the tables are to be read again.
 */
bool portsock_top_key(struct portsock_top *top, int key);

/**
 * portsock_top_draw() - write all to the screen
 * @top: all of it
 */
void portsock_top_draw(struct portsock_top *top);

/**
 * portsock_top_row_at() - what is at a place of the screen?
 * @top: as drawn last
 * @line: from 0
 *
 * Return: index in @shown; -1 for the line of headings, -2 for anything else.
 */
long portsock_top_row_at(const struct portsock_top *top, int line);

/**
 * portsock_top_column_at() - which heading is at a place of the screen?
 * @top: as drawn last
 * @x: from 0
 *
 * Return: index in @columns, -1 for none.
 */
int portsock_top_column_at(const struct portsock_top *top, int x);

#endif
