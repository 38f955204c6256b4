// SPDX-License-Identifier: GPL-2.0
#include <stdlib.h>
#include <string.h>

#include "feed.h"
#include "reserved.h"
#include "rows.h"
#include "source.h"
#include "state.h"

#define KEY_NAME(name, ...) #name,
static const char * const key_names[PORTSOCK_KEY_NR] = { PORTSOCK_KEYS(KEY_NAME) };

#define CLASS_NAME(id, name, ...) #name,
static const char * const class_names[] = { PORTSOCK_CLASSES(CLASS_NAME) };

const char *portsock_feed_class(const struct portsock_feed_row *row)
{
	return class_names[row->class];
}

const char *portsock_feed_port(const struct portsock_feed_row *row, char text[PORTSOCK_FEED_PORT])
{
	if (row->port == PORTSOCK_FEED_TOTAL)
		return "*";
	snprintf(text, PORTSOCK_FEED_PORT, "%d", row->port);

	return text;
}

int portsock_feed_limit_parse(unsigned int *limit, const char *text, struct portsock_error *error)
{
	size_t digits = strspn(text, "0123456789");

	if (!digits || text[digits] || digits > 6 || strtoul(text, NULL, 10) > PORTSOCK_FEED_LIMIT_MAX)
		return portsock_error_set(error, "--limit: '%s' is no number from 0 to %d", text,
					  PORTSOCK_FEED_LIMIT_MAX);
	*limit = strtoul(text, NULL, 10);

	return 0;
}

static int pool_init(struct portsock_feed_pool *pool, unsigned int max)
{
	pool->max = max;
	pool->row = calloc(max ? max : 1, sizeof(*pool->row));

	return pool->row ? 0 : -1;
}

int portsock_feed_init(struct portsock_feed *feed, unsigned int limit, unsigned int max_sources)
{
	unsigned int totals = 2 * PORTSOCK_PROTO_NR;

	/* Of many tables, the totals are as many as the services. */
	if (max_sources > 1 && limit > totals)
		totals = limit;
	*feed = (struct portsock_feed) {
		.limit = limit,
		.max_sources = max_sources,
		.sources = calloc(max_sources, sizeof(*feed->sources)),
		.rows = calloc(2 * limit + totals, sizeof(*feed->rows)),
	};

	return pool_init(&feed->pools[PORTSOCK_FEED_LISTENERS], limit) ||
	       pool_init(&feed->pools[PORTSOCK_FEED_OTHERS], limit) ||
	       pool_init(&feed->pools[PORTSOCK_FEED_TOTALS], totals) ||
	       pool_init(&feed->pools[PORTSOCK_FEED_REMOTE], limit) ||
	       pool_init(&feed->pools[PORTSOCK_FEED_REMOTE_IDLE], limit) || !feed->sources || !feed->rows ? -1 : 0;
}

void portsock_feed_exit(struct portsock_feed *feed)
{
	enum portsock_feed_rank rank;

	for (rank = 0; rank < PORTSOCK_FEED_RANKS; rank++)
		free(feed->pools[rank].row);
	free(feed->rows);
	free(feed->sources);
}

void portsock_feed_begin(struct portsock_feed *feed)
{
	enum portsock_feed_rank rank;

	for (rank = 0; rank < PORTSOCK_FEED_RANKS; rank++)
		feed->pools[rank].nr = 0;
	feed->nr_sources = 0;
	feed->nr_rows = 0;
	feed->dropped = 0;
	clock_gettime(CLOCK_MONOTONIC, &feed->began);
}

bool portsock_feed_knows(const struct portsock_feed_row *row, const struct portsock_column *column)
{
	return row->known & portsock_column_bit(column);
}

uint64_t portsock_feed_number(const struct portsock_feed_row *row, const struct portsock_column *column)
{
	return row->number[column - portsock_columns];
}

static unsigned int histogram_index(const struct portsock_column *column)
{
	return column == &portsock_columns[PORTSOCK_COLUMN_ACCEPT_WAIT_LOG2];
}

const uint64_t *portsock_feed_histogram(const struct portsock_feed_row *row, const struct portsock_column *column)
{
	return row->histogram[histogram_index(column)];
}

bool portsock_feed_tells(const struct portsock_feed_row *row, const struct portsock_column *column)
{
	if (!portsock_column_adds_up(column) || !portsock_feed_knows(row, column))
		return false;

	return column->kind != PORTSOCK_KIND_STATE || portsock_feed_number(row, column) ||
	       portsock_proto_states(row->proto) & portsock_column_bit(column);
}

static uint64_t number_of(const struct portsock_feed_row *row, enum portsock_column_id id)
{
	return row->number[id];
}

/* Those whose clients somebody would miss. */
static bool is_listener(const struct portsock_feed_row *row)
{
	if (portsock_proto_states(row->proto) & portsock_column_bit(&portsock_columns[PORTSOCK_COLUMN_LISTEN]))
		return number_of(row, PORTSOCK_COLUMN_LISTEN);

	return number_of(row, PORTSOCK_COLUMN_CLOSE);
}

/* Return: 0 with the identity set, -1 for a protocol that this reader does not know. */
static int identity_read(struct portsock_feed_row *row, const struct portsock_snapshot *snapshot)
{
	const struct portsock_value *port = &snapshot->cells[snapshot->port];

	row->port = port->is_number ? (int)port->number : PORTSOCK_FEED_TOTAL;
	for (row->proto = 0; row->proto < PORTSOCK_PROTO_NR; row->proto++)
		if (!strcmp(portsock_proto_names[row->proto], snapshot->cells[snapshot->proto].text))
			return 0;

	return -1;
}

/* Return: does the row have a number, or numbers, in that column? */
static bool cell_read(struct portsock_feed_row *row, const struct portsock_column *column,
		      const struct portsock_value *cell)
{
	if (column == &portsock_columns[PORTSOCK_COLUMN_COMM])
		snprintf(row->comm, sizeof(row->comm), "%s", cell->text);
	if (column && column->kind == PORTSOCK_KIND_HISTOGRAM)
		return strcmp(cell->text, "-") &&
		       !portsock_histogram_parse(row->histogram[histogram_index(column)], cell->text);
	if (!portsock_column_is_number(column) || !cell->is_number)
		return false;
	row->number[column - portsock_columns] = cell->number;

	return true;
}

static void cells_read(struct portsock_feed_row *row, const struct portsock_snapshot *snapshot)
{
	const struct portsock_column *column;
	unsigned int i;

	strcpy(row->comm, "-");
	for (i = 0; i < snapshot->nr_fields; i++) {
		column = snapshot->fields[i].column;
		if (cell_read(row, column, &snapshot->cells[i]))
			row->known |= portsock_column_bit(column);
	}
}

/* Return: is the current row one that agents are told? Sets its class. */
static bool class_read(struct portsock_feed_row *row, const struct portsock_snapshot *snapshot)
{
	row->class = PORTSOCK_EPHEMERAL;
	if (portsock_snapshot_is_total(snapshot))
		return true;
	row->class = snapshot->row_class;

	return snapshot->cells[snapshot->port].is_number &&
	       (portsock_snapshot_is(snapshot, PORTSOCK_UNBOUND) || portsock_snapshot_is(snapshot, PORTSOCK_SERVICE) ||
		portsock_snapshot_is(snapshot, PORTSOCK_REMOTE));
}

static enum portsock_feed_rank rank_of(const struct portsock_feed_row *row)
{
	if (row->class == PORTSOCK_SERVICE)
		return is_listener(row) ? PORTSOCK_FEED_LISTENERS : PORTSOCK_FEED_OTHERS;
	if (row->class == PORTSOCK_REMOTE)
		return number_of(row, PORTSOCK_COLUMN_SOCKETS) ? PORTSOCK_FEED_REMOTE : PORTSOCK_FEED_REMOTE_IDLE;

	return PORTSOCK_FEED_TOTALS;
}

static void row_add(struct portsock_feed *feed, const struct portsock_snapshot *snapshot)
{
	struct portsock_feed_row row = { .source = feed->nr_sources };
	struct portsock_feed_pool *pool;

	if (!class_read(&row, snapshot))
		return;
	if (identity_read(&row, snapshot)) {
		feed->dropped++;
		return;
	}
	cells_read(&row, snapshot);

	pool = &feed->pools[rank_of(&row)];
	if (pool->nr < pool->max)
		pool->row[pool->nr++] = row;
	else
		feed->dropped++;
}

static uint64_t milliseconds(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);

	return now.tv_sec * UINT64_C(1000) + now.tv_nsec / 1000000;
}

/* The module's clock stands still while the machine sleeps; what Unix time was at boot does not move with it. */
static uint64_t start_time(uint64_t uptime_ms)
{
	uint64_t boot = milliseconds(CLOCK_REALTIME) - milliseconds(CLOCK_BOOTTIME);

	return (boot + milliseconds(CLOCK_MONOTONIC) - uptime_ms) / 1000;
}

static void source_read(struct portsock_feed *feed, const struct portsock_snapshot *snapshot)
{
	struct portsock_feed_source *source = &feed->sources[feed->nr_sources];
	enum portsock_key key;
	uint64_t start;
	FILE *reserved;

	for (key = 0; key < PORTSOCK_KEY_NR; key++)
		source->health[key] = portsock_snapshot_health(snapshot, key_names[key]);

	start = start_time(source->health[PORTSOCK_KEY_uptime_ms]);
	if (start + 1 < feed->start_time || start > feed->start_time + 1)
		feed->start_time = start;

	source->reserved = 0;
	/* There is no file for other namespaces. */
	reserved = strcmp(snapshot->name, PORTSOCK_PROC) ? NULL : fopen(PORTSOCK_RESERVED_PROC, "re");
	if (!reserved)
		return;
	source->reserved = portsock_reserved_count(reserved, source->health[PORTSOCK_KEY_port_min],
						   source->health[PORTSOCK_KEY_port_max]);
	fclose(reserved);
}

/* Is the current row, and all that follow, none that agents are told? */
static bool is_behind(const struct portsock_filter *filter, const struct portsock_snapshot *snapshot)
{
	return filter ? portsock_filter_is_behind(filter, snapshot) : portsock_snapshot_is_single(snapshot);
}

int portsock_feed_add(struct portsock_feed *feed, struct portsock_filter *filter,
		      struct portsock_snapshot *snapshot, struct portsock_error *error)
{
	struct portsock_feed before = *feed;
	int rc;

	source_read(feed, snapshot);
	while ((rc = portsock_snapshot_next(snapshot)) > 0 && !is_behind(filter, snapshot))
		if (!filter || portsock_filter_match(filter, snapshot))
			row_add(feed, snapshot);
	if (rc < 0) {
		*feed = before;
		*error = snapshot->error;
		return -1;
	}
	feed->nr_sources++;

	return 0;
}

static int compare(unsigned int a, unsigned int b)
{
	return (a > b) - (a < b);
}

static int rows_compare(const void *left, const void *right)
{
	const struct portsock_feed_row *a = *(const struct portsock_feed_row **)left;
	const struct portsock_feed_row *b = *(const struct portsock_feed_row **)right;
	int rc = compare(a->source, b->source);

	if (!rc)
		rc = compare(a->proto, b->proto);
	if (!rc)
		rc = compare(a->class, b->class);
	if (!rc)
		rc = a->port - b->port;

	return rc;
}

/* Return: how many were taken. */
static unsigned int rows_take(struct portsock_feed *feed, enum portsock_feed_rank rank, unsigned int most)
{
	const struct portsock_feed_pool *pool = &feed->pools[rank];
	unsigned int i, nr = pool->nr < most ? pool->nr : most;

	for (i = 0; i < nr; i++)
		feed->rows[feed->nr_rows++] = &pool->row[i];
	feed->dropped += pool->nr - nr;

	return nr;
}

/* One that became a service while the table was read can be in it twice. */
static void rows_unique(struct portsock_feed *feed)
{
	unsigned int i, nr = 0;

	for (i = 0; i < feed->nr_rows; i++) {
		if (nr && !rows_compare(&feed->rows[nr - 1], &feed->rows[i]))
			feed->dropped++;
		else
			feed->rows[nr++] = feed->rows[i];
	}
	feed->nr_rows = nr;
}

void portsock_feed_end(struct portsock_feed *feed)
{
	struct timespec now;
	unsigned int taken;

	taken = rows_take(feed, PORTSOCK_FEED_LISTENERS, feed->limit);
	rows_take(feed, PORTSOCK_FEED_OTHERS, feed->limit - taken);
	taken = rows_take(feed, PORTSOCK_FEED_REMOTE, feed->limit);
	rows_take(feed, PORTSOCK_FEED_REMOTE_IDLE, feed->limit - taken);
	rows_take(feed, PORTSOCK_FEED_TOTALS, feed->pools[PORTSOCK_FEED_TOTALS].max);
	qsort(feed->rows, feed->nr_rows, sizeof(*feed->rows), rows_compare);
	rows_unique(feed);

	clock_gettime(CLOCK_MONOTONIC, &now);
	feed->seconds = now.tv_sec - feed->began.tv_sec + (now.tv_nsec - feed->began.tv_nsec) / 1e9;
}
