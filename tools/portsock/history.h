/* SPDX-License-Identifier: GPL-2.0 */
#ifndef PORTSOCK_HISTORY_H
#define PORTSOCK_HISTORY_H

#include <stdbool.h>
#include <stdint.h>

#include "libportsock.h"

/* So many looks are remembered of a row. */
#define PORTSOCK_TRAIL_NR	16

/**
 * struct portsock_trail - a number of a row as it was at the last looks
 * @number: the look of number N is at N % PORTSOCK_TRAIL_NR
 */
struct portsock_trail {
	double number[PORTSOCK_TRAIL_NR];
};

/**
 * struct portsock_past - a row, as it is and as it was
 * @netns: inode number of its namespace
 * @proto: protocol
 * @class: class
 * @port: number, PORTSOCK_TOTAL for `*`
 * @look: number of the last look that found it
 * @looks: how many looks in a row found it
 * @uptime_ms: when it was read last
 * @before_ms: when it was read before that; of a row that was not there then, when it would have been. 0: never
 * @now: numbers by column, as read last
 * @before: as read before that, 0 if it was not there
 * @answers: columns of @now that have a number, see portsock_column_bit()
 * @filled: those of them that have another number than 0
 * @gained: likewise, a higher one than in @before
 * @answers_before: like @answers, of @before; all if it was not there
 * @range: ephemeral ports in use in percent of their range, -1 if nobody knows
 * @backlog: connections that wait for accept() in percent of what may wait, -1 if nobody knows
 * @text: words by column, NULL for columns of other kinds
 * @sockets: trail of sockets
 * @opened: trail of sockets opened per second
 */
struct portsock_past {
	uint64_t netns;
	char proto[16];
	char class[16];
	unsigned int port;
	unsigned long look;
	unsigned long looks;
	uint64_t uptime_ms;
	uint64_t before_ms;
	uint64_t now[PORTSOCK_COLUMN_NR];
	uint64_t before[PORTSOCK_COLUMN_NR];
	uint64_t answers;
	uint64_t filled;
	uint64_t gained;
	uint64_t answers_before;
	double range;
	double backlog;
	char *text[PORTSOCK_COLUMN_NR];
	struct portsock_trail sockets;
	struct portsock_trail opened;
};

/**
 * struct portsock_history - rows as they were at the last looks
 * @look: number of this look, from 1
 * @rows: those that this look found, in the order read
 * @nr: how many
 * @size: entries that @rows has room for
 * @old: those that the look before found
 * @nr_old: how many
 * @old_size: entries that @old has room for
 * @tree: all that are known, by what identifies them
 * @uptime_ms: when this look began, by the clock of the first table; 0: not yet
 * @before_ms: when the one before began
 * @singles: this look read single ephemeral ports
 * @singles_before: so did the one before
 *
 * All zero before the first look.
 */
struct portsock_history {
	unsigned long look;
	struct portsock_past **rows;
	size_t nr;
	size_t size;
	struct portsock_past **old;
	size_t nr_old;
	size_t old_size;
	void *tree;
	uint64_t uptime_ms;
	uint64_t before_ms;
	bool singles;
	bool singles_before;
};

/**
 * portsock_history_begin() - begin a look
 * @history: any
 */
void portsock_history_begin(struct portsock_history *history);

/**
 * portsock_history_add() - remember the current row
 * @history: in a look
 * @snapshot: a snapshot with a current row
 *
 * A row that is in the table twice counts once.
 *
 * Return: the row, valid until a look does not find it; NULL without memory.
 */
struct portsock_past *portsock_history_add(struct portsock_history *history,
						 const struct portsock_snapshot *snapshot);

/**
 * portsock_history_end() - end a look: forget rows that it did not find
 * @history: in a look
 */
void portsock_history_end(struct portsock_history *history);

/**
 * portsock_history_clear() - release its memory
 * @history: any; is empty afterwards
 */
void portsock_history_clear(struct portsock_history *history);

/**
 * portsock_past_service() - what the port is known as
 * @past: a row
 *
 * Return: the name, valid until the next call; empty for none, NULL for a row that is of no service, here or at
 * the peer.
 */
const char *portsock_past_service(const struct portsock_past *past);

/**
 * portsock_past_compare() - order rows by what identifies them
 * @a: a struct portsock_past
 * @b: likewise
 *
 * Return: as strcmp() does; 0 for the same row.
 */
int portsock_past_compare(const void *a, const void *b);

/**
 * portsock_past_is_new() - is it there since the last look?
 * @past: a row
 */
bool portsock_past_is_new(const struct portsock_past *past);

/**
 * portsock_past_grows() - is a number higher than at the look before?
 * @past: a row
 * @id: its column
 *
 * Return: false also for a row that was not there.
 */
bool portsock_past_grows(const struct portsock_past *past, enum portsock_column_id id);

/**
 * portsock_past_gains() - which counters have a rate above 0
 * @past: a row
 *
 * Return: a bit for each column whose number went up, see portsock_column_bit().
 */
uint64_t portsock_past_gains(const struct portsock_past *past);

/**
 * portsock_past_rate() - what a counter gained per second since the look before
 * @past: a row
 * @id: a counter
 *
 * Return: the rate; -1 if there is none: at the first look, when the row began anew, when no time passed, or when
 * the column had no number at one of the two.
 */
double portsock_past_rate(const struct portsock_past *past, enum portsock_column_id id);

/**
 * portsock_past_average() - the average of what a sum gained since the look before
 * @past: a row
 * @sum: a column of kind sum
 *
 * Return: the average, in the sum's unit; -1 if there is none: as of rates, and when nothing came.
 */
double portsock_past_average(const struct portsock_past *past, enum portsock_column_id sum);

#endif
