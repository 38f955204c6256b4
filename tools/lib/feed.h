/* SPDX-License-Identifier: GPL-2.0 */
#ifndef PORTSOCK_FEED_H
#define PORTSOCK_FEED_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "error.h"
#include "filter.h"
#include "snapshot.h"

/* Service rows that agents are told unless the user says how many. */
#define PORTSOCK_FEED_LIMIT	500
/* The most that a user may ask for: all rows that 128 MiB hold. */
#define PORTSOCK_FEED_LIMIT_MAX	250000
/* The port of a total. */
#define PORTSOCK_FEED_TOTAL	(-1)
/* Columns of kind histogram. */
#define PORTSOCK_FEED_HISTOGRAMS	2
/* Bytes that the name of a process takes; the kernel's are no longer. */
#define PORTSOCK_FEED_COMM	16
/* Bytes that a port takes as text. */
#define PORTSOCK_FEED_PORT	12
/* Bytes that the labels of a row take: a namespace of 20 digits, and names of protocol and class of 15. */
#define PORTSOCK_FEED_LABELS	112

#define PORTSOCK_KEY_ID(name, ...) PORTSOCK_KEY_##name,
enum portsock_key {
	PORTSOCK_KEYS(PORTSOCK_KEY_ID)
	PORTSOCK_KEY_NR
};

/**
 * struct portsock_feed_row - a row that agents are told
 * @source: index of the table it is from
 * @proto: protocol
 * @class: service, ephemeral (the total), unbound or remote
 * @port: local port, of class remote that of the peer; PORTSOCK_FEED_TOTAL for a total
 * @known: columns that had a number, see portsock_column_bit()
 * @number: by enum portsock_column_id
 * @histogram: see portsock_feed_histogram()
 * @comm: name of the owner, `-` if there is none
 * @labels: how metrics name it; each has dozens of samples
 */
struct portsock_feed_row {
	unsigned int source;
	enum portsock_proto proto;
	enum portsock_class class;
	int port;
	uint64_t known;
	uint64_t number[PORTSOCK_COLUMN_NR];
	uint64_t histogram[PORTSOCK_FEED_HISTOGRAMS][PORTSOCK_HISTOGRAM_NR];
	char comm[PORTSOCK_FEED_COMM];
	char labels[PORTSOCK_FEED_LABELS];
};

/**
 * struct portsock_feed_source - a table that was read
 * @health: line 1
 * @reserved: ports of its range of ephemeral ports that the kernel does not choose
 */
struct portsock_feed_source {
	uint64_t health[PORTSOCK_KEY_NR];
	unsigned int reserved;
};

/* Which rows stay when there are too many: listeners before others, remote ports in use before idle ones. */
enum portsock_feed_rank {
	PORTSOCK_FEED_LISTENERS,
	PORTSOCK_FEED_OTHERS,
	PORTSOCK_FEED_TOTALS,
	PORTSOCK_FEED_REMOTE,
	PORTSOCK_FEED_REMOTE_IDLE,
	PORTSOCK_FEED_RANKS,
};

/**
 * struct portsock_feed_pool - rows of one rank, as they were read
 * @row: the rows
 * @nr: used
 * @max: there is room for
 */
struct portsock_feed_pool {
	struct portsock_feed_row *row;
	unsigned int nr;
	unsigned int max;
};

/**
 * struct portsock_feed - what agents are told about one network namespace, or several
 * @limit: service rows at most, and as many of remote ports
 * @max_sources: tables at most
 * @nr_sources: tables read
 * @sources: these
 * @pools: rows kept, by rank
 * @nr_rows: rows chosen
 * @rows: these, by table, protocol, class and port; none twice
 * @dropped: rows left out because there were more than @limit, or because this reader does not know their
 *	protocol
 * @start_time: Unix time at which the module began to count, in seconds; kept from one collection to the next
 *	as long as it differs by rounding only
 * @began: when the collection began
 * @seconds: how long it took
 */
struct portsock_feed {
	unsigned int limit;
	unsigned int max_sources;
	unsigned int nr_sources;
	struct portsock_feed_source *sources;
	struct portsock_feed_pool pools[PORTSOCK_FEED_RANKS];
	unsigned int nr_rows;
	struct portsock_feed_row **rows;
	uint64_t dropped;
	uint64_t start_time;
	struct timespec began;
	double seconds;
};

/**
 * portsock_feed_limit_parse() - what a user says how many service rows there may be
 * @limit: to be set
 * @text: a number
 * @error: set on failure
 *
 * Return: 0, or -1 if it is no number from 0 to PORTSOCK_FEED_LIMIT_MAX.
 */
int portsock_feed_limit_parse(unsigned int *limit, const char *text, struct portsock_error *error);

/**
 * portsock_feed_init() - get all the memory that a feed will need
 * @feed: to be filled
 * @limit: service rows at most, and as many of remote ports
 * @max_sources: tables at most, from 1
 *
 * Return: 0, or -1 without memory; portsock_feed_exit() is due either way.
 */
int portsock_feed_init(struct portsock_feed *feed, unsigned int limit, unsigned int max_sources);

/**
 * portsock_feed_begin() - begin a collection, forget the rows of the one before
 * @feed: initialised
 */
void portsock_feed_begin(struct portsock_feed *feed);

/**
 * portsock_feed_add() - collect what agents are told of one table
 * @feed: begun, with room for another table
 * @filter: rows that may be told, NULL for all
 * @snapshot: the table, opened
 * @error: set on failure
 *
 * Single ephemeral ports are not read, rows of class folded and totals of remote ports left out.
 *
 * Return: 0, or -1 when reading failed; then nothing was added.
 */
int portsock_feed_add(struct portsock_feed *feed, struct portsock_filter *filter,
		      struct portsock_snapshot *snapshot, struct portsock_error *error);

/**
 * portsock_feed_end() - choose the rows
 * @feed: all tables added
 */
void portsock_feed_end(struct portsock_feed *feed);

/**
 * portsock_feed_exit() - release what portsock_feed_init() took
 * @feed: to be released
 */
void portsock_feed_exit(struct portsock_feed *feed);

/**
 * portsock_feed_knows() - has the row a number in this column?
 * @row: any
 * @column: one of portsock_columns
 */
bool portsock_feed_knows(const struct portsock_feed_row *row, const struct portsock_column *column);

/**
 * portsock_feed_number() - the number of a row in a column
 * @row: any
 * @column: one that portsock_feed_knows()
 */
uint64_t portsock_feed_number(const struct portsock_feed_row *row, const struct portsock_column *column);

/**
 * portsock_feed_histogram() - the numbers of a row in a histogram
 * @row: any
 * @column: a histogram of portsock_columns
 *
 * Return: PORTSOCK_HISTOGRAM_NR numbers, all 0 unless portsock_feed_knows() the column.
 */
const uint64_t *portsock_feed_histogram(const struct portsock_feed_row *row, const struct portsock_column *column);

/**
 * portsock_feed_tells() - is this what agents are told of the row?
 * @row: any
 * @column: one of portsock_columns
 *
 * Return: true for known numbers that add up, but for states that the protocol does not have.
 */
bool portsock_feed_tells(const struct portsock_feed_row *row, const struct portsock_column *column);

/**
 * portsock_feed_class() - the name of a row's class
 * @row: any
 */
const char *portsock_feed_class(const struct portsock_feed_row *row);

/**
 * portsock_feed_port() - the port of a row as text
 * @row: any
 * @text: to be filled
 *
 * Return: @text, or `*` for a total.
 */
const char *portsock_feed_port(const struct portsock_feed_row *row, char text[PORTSOCK_FEED_PORT]);

#endif
