// SPDX-License-Identifier: GPL-2.0
/*
 * Rows are copied one by one, in order, each as it was at one moment; what is
 * known of a busy one beyond numbers of sockets, CPU by CPU.
 */
#include "cursor.h"

#include <linux/delay.h>
#include <linux/sched.h>
#include <linux/spinlock.h>
#include <linux/string.h>

#include "area.h"
#include "queues.h"
#include "row.h"
#include "rows.h"
#include "table.h"

/* Caller holds the lock that protects @from; NULL while there is nothing. */
static void __depth_copy(struct portsock_depth *depth,
			 const struct portsock_depth *from)
{
	if (from)
		*depth = *from;
	else
		memset(depth, 0, sizeof(*depth));
}

/* Returns false if CPUs have cells of the total, and so there is more. */
static bool total_read_one(struct portsock_total *total,
			   struct portsock_numbers *sum,
			   struct portsock_depth *depth)
{
	unsigned long flags;
	bool one;

	raw_lock_irqsave(&total->lock, flags);
	one = !total->cells;
	*sum = total->numbers;
	if (depth)
		__depth_copy(depth, total->numbers.depth);
	raw_unlock_irqrestore(&total->lock, flags);
	return one;
}

/*
 * The same with what is in cells. Returns for how many microseconds that has to
 * wait, and was not done; or 0.
 */
static unsigned int total_read_all(struct portsock_total *total,
				   struct portsock_numbers *sum,
				   struct portsock_depth *depth)
{
	unsigned int rest = 0;

	mutex_lock(&portsock_cells_mutex);
	if (!total_read_one(total, sum, depth)) {
		rest = portsock_cells_rest(total->cells);
		if (!rest) {
			portsock_cells_read(total->cells, &total->numbers, sum);
			if (depth)
				portsock_cells_depth(total->cells, depth);
		}
	}
	mutex_unlock(&portsock_cells_mutex);
	return rest;
}

/* All numbers of a total; @depth: receives what else is known; or NULL. */
static void total_read(struct portsock_total *total,
		       struct portsock_numbers *sum,
		       struct portsock_depth *depth)
{
	unsigned int rest;

	if (likely(total_read_one(total, sum, depth)))
		return;
	while ((rest = total_read_all(total, sum, depth)))
		usleep_range(rest, 2 * rest);
}

/* Copies what is unbound of a protocol; false when nothing ever was. */
static bool unbound_copy(struct portsock_table *table, u8 proto,
			 struct portsock_line *line)
{
	struct portsock_numbers sum;

	line->class = PORTSOCK_UNBOUND;
	line->proto = proto;
	line->port = 0;
	line->total = false;
	line->deep = false;
	line->ports = 0;
	line->queue = (struct portsock_queue){ };
	total_read(&table->totals.of[proto], &sum, NULL);
	return portsock_unbound_read(&sum.unbound, &line->counts);
}

/*
 * When a connection is asked just when a FIN comes, that may count as a byte,
 * until it is asked again. Nobody is shown less afterwards. Caller holds the
 * lock that protects @depth.
 */
static void __bytes_show(struct portsock_depth *depth,
			 struct portsock_line *line)
{
	struct portsock_bytes *shown = &depth->bytes_shown;

	/* that byte may be taken back in a cell that is read first */
	shown->rx = max_t(s64, shown->rx, line->depth.bytes.rx);
	shown->tx = max_t(s64, shown->tx, line->depth.bytes.tx);
	line->depth.bytes = *shown;
}

/*
 * The sockets of a row were asked. Those that left it meanwhile are missing in
 * @line, and nothing that counts may ever seem to have gone down. Caller holds
 * the lock of its bucket.
 */
static void __row_asked(struct portsock_row *row, struct portsock_line *line)
{
	struct portsock_depth *depth = row->body->numbers.depth;

	depth->backlog_peak = max3((u64)depth->backlog_peak,
				   (u64)line->depth.backlog_peak,
				   line->queue.backlog);
	depth->drops_shown = max(depth->drops_shown,
				 line->depth.drops + line->queue.drops);
	line->depth.backlog_peak = depth->backlog_peak;
	line->depth.drops = depth->drops_shown;
	__bytes_show(depth, line);
}

/*
 * Asks some of a row's sockets what waits in them. Returns the place to go on
 * behind, or 0 when all were asked. Caller holds the lock of its bucket.
 */
static unsigned long __row_ask(struct portsock_row *row, unsigned long address,
			       struct portsock_line *line)
{
	address = __portsock_queues_sum(&row->queues, address, &line->queue);
	if (!address && line->deep)
		__row_asked(row, line);
	return address;
}

/*
 * The same row as that @line was copied from? One that is busy stays. Caller holds
 * the bucket's lock.
 */
static bool __row_is(const struct portsock_row *row,
		     const struct portsock_line *line)
{
	const struct portsock_depth *depth;
	struct portsock_counts counts;

	if (!row || row_is_ephemeral(row))
		return false;
	depth = row->body->numbers.depth;
	if (line->deep != !!depth || row_is_busy(row))
		return line->deep == !!depth;
	__portsock_row_counts(row, &counts);
	return portsock_opened(&counts) >= portsock_opened(&line->counts) &&
	       (!line->deep || depth->drops >= line->depth.drops);
}

static u8 row_class(const struct portsock_row *row)
{
	if (key_is_remote(row->key))
		return PORTSOCK_REMOTE;
	return row_is_ephemeral(row) ? PORTSOCK_EPHEMERAL : PORTSOCK_SERVICE;
}

/* Caller holds the lock of the row's bucket. */
static void __row_copy(struct portsock_row *row, struct portsock_line *line)
{
	bool ephemeral = row_is_ephemeral(row);

	line->class = row_class(row);
	line->proto = key_proto(row->key);
	line->port = key_port(row->key);
	line->total = false;
	line->ports = 1;
	__portsock_row_counts(row, &line->counts);
	line->deep = !ephemeral && row->body->numbers.depth;
	if (line->deep)
		line->depth = *row->body->numbers.depth;
}

enum copied {
	COPY_NONE,	/* it is not there, or is part of something else now */
	COPY_BUSY,	/* CPUs have cells of it: nothing was done */
	COPY_DONE,
};

/*
 * Copies the row of @key, and asks the first of its sockets. @address: receives
 * that of the place to go on behind, or 0 when all were asked.
 */
static enum copied row_begin(struct portsock_table *table, u32 key,
			     struct portsock_line *line, unsigned long *address)
{
	struct row_bucket *bucket = row_bucket(table, key);
	bool ephemeral = line->part == PORTSOCK_EPHEMERALS;
	enum copied copied = COPY_NONE;
	struct portsock_row *row;
	unsigned long flags;

	line->queue = (struct portsock_queue){ };
	raw_lock_irqsave(&bucket->lock, flags);
	row = __row_find(bucket, table, key);
	if (row && row_is_ephemeral(row) == ephemeral)
		copied = row_is_busy(row) ? COPY_BUSY : COPY_DONE;
	if (copied == COPY_DONE) {
		__row_copy(row, line);
		if (!row_is_ephemeral(row))
			*address = __row_ask(row, 0, line);
	}
	raw_unlock_irqrestore(&bucket->lock, flags);
	return copied;
}

/* Returns the row of @key, which stays as long as the mutex is held; or NULL. */
static struct portsock_row *__busy_find(struct portsock_table *table, u32 key,
					struct portsock_line *line)
{
	struct row_bucket *bucket = row_bucket(table, key);
	struct portsock_row *row;
	unsigned long flags;

	raw_lock_irqsave(&bucket->lock, flags);
	row = __row_find(bucket, table, key);
	if (row && row_is_busy(row))
		__row_copy(row, line);
	else
		row = NULL;
	raw_unlock_irqrestore(&bucket->lock, flags);
	return row;
}

/*
 * The same of one that is busy; none of its sockets is asked. Returns false if it
 * is not any more, or if that has to wait; @rest: receives for how many
 * microseconds.
 */
static bool busy_begin(struct portsock_table *table, u32 key,
		       struct portsock_line *line, unsigned int *rest)
{
	struct portsock_numbers sum;
	struct portsock_row *row;

	mutex_lock(&portsock_cells_mutex);
	row = __busy_find(table, key, line);
	*rest = row ? portsock_cells_rest(row->body->cells) : 0;
	if (row && !*rest) {
		portsock_cells_read(row->body->cells, &row->body->numbers,
				    &sum);
		line->counts = sum.counts;
		if (line->deep)
			portsock_cells_depth(row->body->cells, &line->depth);
	}
	mutex_unlock(&portsock_cells_mutex);
	return row && !*rest;
}

/* Asks more sockets of a row, behind @address. */
static unsigned long row_ask(struct portsock_table *table, u32 key,
			     unsigned long address, struct portsock_line *line)
{
	struct row_bucket *bucket = row_bucket(table, key);
	struct portsock_row *row;
	unsigned long flags;

	raw_lock_irqsave(&bucket->lock, flags);
	row = __row_find(bucket, table, key);
	address = __row_is(row, line) ? __row_ask(row, address, line) : 0;
	raw_unlock_irqrestore(&bucket->lock, flags);
	return address;
}

/*
 * Copies the row of @key; false when it went or changed its part meanwhile.
 * Anybody can have a port listened on as often as he likes, and would keep its
 * lock for as long.
 */
static bool row_copy(struct portsock_table *table, u32 key,
		     struct portsock_line *line)
{
	unsigned long address = 0;
	enum copied copied;
	unsigned int rest;

	while ((copied = row_begin(table, key, line, &address)) == COPY_BUSY) {
		if (busy_begin(table, key, line, &rest)) {
			address = row_ask(table, key, 0, line);
			copied = COPY_DONE;
			break;
		}
		if (rest)
			usleep_range(rest, 2 * rest);
	}
	while (address) {
		cond_resched();
		address = row_ask(table, key, address, line);
	}
	return copied == COPY_DONE;
}

/* The next service, or row of class remote, whose key is less than @end. */
static bool row_next(struct portsock_table *table,
		     struct portsock_cursor *cursor, u32 end,
		     struct portsock_line *line)
{
	u32 key = cursor->key;

	while (portsock_rows_next(table, &key) && key < end) {
		cursor->key = key + 1;
		if (row_copy(table, key++, line))
			return true;
	}
	return false;
}

/* Services, and before those of a protocol its unbound sockets. */
static bool service_next(struct portsock_table *table,
			 struct portsock_cursor *cursor,
			 struct portsock_line *line)
{
	while (cursor->key < key_of(PORTSOCK_PROTO_NR, 0)) {
		u32 key = cursor->key;
		u32 end = key_of(key_proto(key) + 1, 0);

		if (!key_port(key)) {
			cursor->key++;
			if (unbound_copy(table, key_proto(key), line))
				return true;
			continue;
		}
		if (row_next(table, cursor, end, line))
			return true;
		cursor->key = end;
	}
	return false;
}

/* Copies what was folded of a protocol; false when nothing ever was. */
static bool folded_copy(struct portsock_table *table, u8 proto,
			struct portsock_line *line)
{
	struct portsock_body *folded;
	unsigned long flags;

	raw_lock_irqsave(&table->lock, flags);
	folded = table->folded[proto];
	if (folded) {
		line->ports = folded->folded;
		line->counts = folded->numbers.counts;
		__depth_copy(&line->depth, folded->numbers.depth);
		if (folded->numbers.depth)
			__bytes_show(folded->numbers.depth, line);
	}
	raw_unlock_irqrestore(&table->lock, flags);
	return folded;
}

static void total_bytes_show(struct portsock_total *total,
			     struct portsock_line *line)
{
	struct portsock_depth *depth;
	unsigned long flags;

	raw_lock_irqsave(&total->lock, flags);
	depth = depth_of(&total->numbers.depth);
	if (depth)
		__bytes_show(depth, line);
	raw_unlock_irqrestore(&total->lock, flags);
}

/* The same of ephemeral ports. */
static bool total_copy(struct portsock_total *total, struct portsock_line *line)
{
	struct portsock_numbers sum;

	total_read(total, &sum, &line->depth);
	line->counts = sum.counts;
	line->ports = sum.counts.ports;
	if (line->depth.bytes.rx | line->depth.bytes.tx)
		total_bytes_show(total, line);
	return line->ports ||
	       memchr_inv(&line->counts, 0, sizeof(line->counts)) ||
	       memchr_inv(&line->depth, 0, sizeof(line->depth));
}

/* Each protocol has two keys: of its ephemeral total and of its folded one. */
static bool total_next(struct portsock_table *table,
		       struct portsock_cursor *cursor,
		       struct portsock_line *line)
{
	line->port = 0;
	line->total = true;
	line->deep = true;
	line->queue = (struct portsock_queue){ };
	while (cursor->key < 2 * PORTSOCK_PROTO_NR) {
		u8 proto = cursor->key / 2;
		bool folded = cursor->key++ % 2;

		line->proto = proto;
		line->class = folded ? PORTSOCK_FOLDED : PORTSOCK_EPHEMERAL;
		if (folded ? folded_copy(table, proto, line) :
			     total_copy(&table->totals.of[proto], line))
			return true;
	}
	return false;
}

/* Rows of a protocol are next; their sum begins with those that are gone. */
static void sum_begin(struct portsock_table *table,
		      struct portsock_cursor *cursor, u8 proto)
{
	const struct portsock_past *past = &table->past[proto];
	struct portsock_line *sum = &cursor->sum;
	unsigned long flags;

	cursor->key = key_remote(proto, 1);
	memset(sum, 0, sizeof(*sum));
	sum->part = PORTSOCK_REMOTES;
	sum->class = PORTSOCK_REMOTE;
	sum->proto = proto;
	sum->total = true;
	if (proto == PORTSOCK_PROTO_NR)
		return;
	sum->deep = key_is_deep(cursor->key);
	raw_lock_irqsave(&table->lock, flags);
	sum->counts.came[PORTSOCK_CONNECTED] = past->connected;
	if (past->depth)
		sum->depth = *past->depth;
	raw_unlock_irqrestore(&table->lock, flags);
}

static void sum_add(struct portsock_line *sum, const struct portsock_line *line)
{
	sum->ports++;
	counts_add_all(&sum->counts, &line->counts);
	if (line->deep)
		portsock_depth_add(&sum->depth, &line->depth);
}

/*
 * A row that was given up before it was reached is missing in the sum, and in
 * what the sum began with. Nobody is shown less than before. Returns false when
 * nothing was ever counted.
 */
static bool sum_end(struct portsock_table *table, struct portsock_line *sum)
{
	struct portsock_past *past = &table->past[sum->proto];
	u64 *connected = &sum->counts.came[PORTSOCK_CONNECTED];
	unsigned long flags;
	bool any;

	raw_lock_irqsave(&table->lock, flags);
	past->connected_shown = max(past->connected_shown, *connected);
	*connected = past->connected_shown;
	any = sum->ports || *connected || past->depth;
	if (any && sum->deep && depth_of(&past->depth_shown)) {
		portsock_depth_grow(past->depth_shown, &sum->depth);
		sum->depth = *past->depth_shown;
	}
	raw_unlock_irqrestore(&table->lock, flags);
	return any;
}

static bool remote_next(struct portsock_table *table,
			struct portsock_cursor *cursor,
			struct portsock_line *line)
{
	bool any;

	if (!cursor->key)
		sum_begin(table, cursor, 0);
	while (cursor->sum.proto < PORTSOCK_PROTO_NR) {
		u8 proto = cursor->sum.proto;

		if (row_next(table, cursor, key_remote(proto + 1, 0), line)) {
			sum_add(&cursor->sum, line);
			return true;
		}
		any = sum_end(table, &cursor->sum);
		if (any)
			*line = cursor->sum;
		sum_begin(table, cursor, proto + 1);
		if (any)
			return true;
	}
	return false;
}

static bool area_next(struct portsock_table *table,
		      struct portsock_cursor *cursor)
{
	cursor->area = cursor->key;
	if (!portsock_area_next(table, &cursor->area, cursor->ports))
		return false;
	cursor->key = cursor->area + AREA_PORTS;
	return true;
}

static bool ephemeral_next(struct portsock_table *table,
			   struct portsock_cursor *cursor,
			   struct portsock_line *line)
{
	do {
		u32 port;

		for_each_set_bit(port, cursor->ports, AREA_PORTS) {
			__clear_bit(port, cursor->ports);
			if (row_copy(table, cursor->area + port, line))
				return true;
		}
	} while (area_next(table, cursor));
	return false;
}

/**
 * portsock_table_next() - copy the next row of a table
 * @table: any table
 * @cursor: zeroed to begin with; moved behind the row
 * @line: receives the row
 *
 * Each row is consistent in itself, but that a busy one may have ended more
 * connections than it has closed sockets, and listeners that came since its
 * sockets were counted; rows that come, go or turn service
 * meanwhile may or may not be met, all others are met once. Costs O(log rows)
 * with a service, looks at %AREA_PORTS ports with an ephemeral one, and what the
 * row's listeners take to be asked, whatever the number of other sockets; a lock
 * is held for a few dozen of them at most. A busy row costs O(CPUs), and may have
 * to wait until those have had their cells for a while.
 *
 * Context: process, may sleep.
 * Return: false when there is no further row.
 */
bool portsock_table_next(struct portsock_table *table,
			 struct portsock_cursor *cursor,
			 struct portsock_line *line)
{
	for (; cursor->part != PORTSOCK_END; cursor->part++, cursor->key = 0) {
		bool found;

		line->part = cursor->part;
		if (cursor->part == PORTSOCK_SERVICES)
			found = service_next(table, cursor, line);
		else if (cursor->part == PORTSOCK_TOTALS)
			found = total_next(table, cursor, line);
		else if (cursor->part == PORTSOCK_REMOTES)
			found = remote_next(table, cursor, line);
		else
			found = ephemeral_next(table, cursor, line);
		if (found)
			return true;
	}
	return false;
}
