/* SPDX-License-Identifier: GPL-2.0 */
#ifndef PORTSOCK_CELL_H
#define PORTSOCK_CELL_H

#include "view.h"

/* Bytes of a number, rate or percentage with its NUL. */
#define PORTSOCK_CELL_SIZE	32
/* Bytes of any text that is made, as of a histogram in JSON. */
#define PORTSOCK_CELL_LONG	1024

/* Ephemeral ports in use, in percent of their range, from which on they are about to run out. */
#define PORTSOCK_RANGE_FULL	80
/* Likewise accept queues: from here on connections are about to be dropped. */
#define PORTSOCK_BACKLOG_FULL	80

/**
 * portsock_number_text() - a number, sooner than snprintf() has it
 * @number: any
 * @text: receives its digits
 */
void portsock_number_text(uint64_t number, char text[PORTSOCK_CELL_SIZE]);

/**
 * portsock_rate_text() - a rate for people and machines
 * @rate: 0 or more
 * @text: receives it, with one decimal place below 10
 */
void portsock_rate_text(double rate, char text[PORTSOCK_CELL_SIZE]);

/**
 * portsock_cell_text() - what to show in a cell
 * @view: the view
 * @column: one of its columns
 * @snapshot: a snapshot with a current row
 * @past: the same row as it was, NULL if nobody knows
 * @text: room for text that is made
 *
 * Return: the text, NULL for nothing.
 */
const char *portsock_cell_text(const struct portsock_view *view, const struct portsock_view_column *column,
			       const struct portsock_snapshot *snapshot, const struct portsock_past *past,
			       char text[PORTSOCK_CELL_LONG]);

/**
 * portsock_cell_alarms() - is there something to see?
 * @column: a column
 * @snapshot: a snapshot with a current row
 * @past: the same row as it was, NULL if nobody knows
 *
 * Return: true for CLOSE_WAIT that grows, and where ephemeral ports or accept queues run out.
 */
bool portsock_cell_alarms(const struct portsock_view_column *column, const struct portsock_snapshot *snapshot,
			  const struct portsock_past *past);

/**
 * portsock_cell_compare() - order two texts of a column
 * @one: as from portsock_cell_text(), or NULL
 * @other: likewise
 *
 * Return: as strcmp() does; numbers by their value, after nothing and `-`, before `*` and words.
 */
int portsock_cell_compare(const char *one, const char *other);

#endif
