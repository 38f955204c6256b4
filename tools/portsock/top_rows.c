// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reading.h"
#include "top.h"

static int no_memory(struct portsock_error *error)
{
	return portsock_error_set(error, "out of memory");
}

static int table_take(void *data, const struct portsock_snapshot *snapshot, const char *netns,
		      struct portsock_error *error)
{
	struct portsock_top *top = data;
	char (*tables)[64] = reallocarray(top->tables, top->nr_tables + 1, sizeof(*tables));

	if (!tables)
		return no_memory(error);
	top->tables = tables;
	snprintf(tables[top->nr_tables], sizeof(*tables), "%s", netns ? netns : "-");
	/* What is lost is lost for all namespaces. */
	if (!top->nr_tables++) {
		top->exact = portsock_snapshot_health(snapshot, "exact");
		top->missed = portsock_snapshot_health(snapshot, "missed");
		top->repaired = portsock_snapshot_health(snapshot, "repaired");
		top->untracked = portsock_snapshot_health(snapshot, "untracked");
		top->uptime_ms = snapshot->uptime_ms;
	}

	return 0;
}

/* As README.md says how to add up: not what is there again in another row. */
static void totals_add(struct portsock_top_totals *totals, const struct portsock_past *past,
		       const struct portsock_snapshot *snapshot)
{
	/* Single ephemeral ports are in their total, the total of remote ports is its rows again. */
	enum portsock_class in_others = snapshot->cells[snapshot->port].is_number ? PORTSOCK_EPHEMERAL : PORTSOCK_REMOTE;
	bool again = snapshot->row_class == (int)in_others;
	double opened = portsock_past_rate(past, PORTSOCK_COLUMN_OPENED);
	double closed = portsock_past_rate(past, PORTSOCK_COLUMN_CLOSED);

	if (!again && snapshot->row_class != PORTSOCK_FOLDED)
		totals->sockets += past->now[PORTSOCK_COLUMN_SOCKETS];
	if (!again && snapshot->row_class != PORTSOCK_UNBOUND) {
		totals->opened += opened > 0 ? opened : 0;
		totals->closed += closed > 0 ? closed : 0;
	}
	if (past->range >= totals->range) {
		totals->range = past->range;
		totals->ports = past->now[PORTSOCK_COLUMN_PORTS];
		strcpy(totals->proto, past->proto);
	}
}

static int row_take(void *data, const struct portsock_snapshot *snapshot, struct portsock_past *past,
		    struct portsock_error *error)
{
	struct portsock_top *top = data;
	size_t size = top->size ? 2 * top->size : 64;
	struct portsock_top_row *rows;
	size_t *shown;

	if (top->nr_rows == top->size) {
		rows = reallocarray(top->rows, size, sizeof(*rows));
		if (rows)
			top->rows = rows;
		shown = reallocarray(top->shown, size, sizeof(*shown));
		if (shown)
			top->shown = shown;
		if (!rows || !shown)
			return no_memory(error);
		top->size = size;
	}
	top->rows[top->nr_rows++] = (struct portsock_top_row) { .past = past, .table = top->nr_tables - 1 };
	if (portsock_snapshot_knows(snapshot))
		totals_add(&top->totals, past, snapshot);
	top->any |= past->filled;
	top->gains |= portsock_past_gains(past);

	return 0;
}

static bool row_has(const struct portsock_top *top, const struct portsock_top_row *row, const char *text)
{
	const struct portsock_past *past = row->past;
	const char *service;
	char words[256], port[16];

	if (!*text)
		return true;
	service = portsock_past_service(past);
	snprintf(port, sizeof(port), "%u", past->port);
	snprintf(words, sizeof(words), "%s %s %s %s %s", past->proto, past->port == PORTSOCK_TOTAL ? "*" : port,
		 past->class, service ? service : "", top->tables[row->table]);

	return strcasestr(words, text);
}

static int shown_compare(const void *a, const void *b, void *data)
{
	const struct portsock_top *top = data;
	size_t one = *(const size_t *)a, other = *(const size_t *)b;
	int order = portsock_top_compare(top, &top->columns[top->sort], &top->rows[one], &top->rows[other]);

	if (!order)
		return one < other ? -1 : 1;

	return top->descending ? -order : order;
}

/* Where the marked row is now; the place it had if it is gone. At the top of the list the mark stays there. */
static size_t mark_find(const struct portsock_top *top)
{
	size_t i;

	for (i = 0; top->at && i < top->nr_shown; i++)
		if (!portsock_past_compare(top->rows[top->shown[i]].past, &top->mark))
			return i;

	return top->at;
}

void portsock_top_arrange(struct portsock_top *top)
{
	size_t i;

	top->nr_shown = 0;
	for (i = 0; i < top->nr_rows; i++)
		if (row_has(top, &top->rows[i], top->filter))
			top->shown[top->nr_shown++] = i;
	for (i = 0; i < top->nr_shown && top->sort >= 0; i++)
		portsock_top_sort_key(&top->columns[top->sort], &top->rows[top->shown[i]]);
	if (top->sort >= 0 && top->nr_shown)
		qsort_r(top->shown, top->nr_shown, sizeof(*top->shown), shown_compare, top);
	portsock_top_mark(top, mark_find(top));
}

void portsock_top_look(struct portsock_top *top)
{
	const struct portsock_reading reading = {
		.file = top->show->file,
		.netns = top->show->netns,
		.all = top->show->view.netns,
		.filter = &top->show->filter,
		.history = &top->history,
		.columns = top->wanted,
		.table = table_take,
		.row = row_take,
		.data = top,
	};

	top->nr_rows = 0;
	top->nr_tables = 0;
	top->any = 0;
	top->gains = 0;
	top->totals = (struct portsock_top_totals) { 0 };
	*top->error.text = '\0';
	if (portsock_reading_run(&reading, &top->error))
		top->nr_rows = 0;
	portsock_top_arrange(top);
}

void portsock_top_search(struct portsock_top *top, size_t from)
{
	size_t i, at;

	for (i = 0; i < top->nr_shown; i++) {
		at = (from + i) % top->nr_shown;
		if (row_has(top, &top->rows[top->shown[at]], top->search)) {
			portsock_top_mark(top, at);
			return;
		}
	}
	portsock_error_set(&top->message, "no row has '%s'", top->search);
}

void portsock_top_mark(struct portsock_top *top, long at)
{
	long last = (long)top->nr_shown - 1;

	at = at > last ? last : at;
	top->at = at < 0 ? 0 : at;
	if (top->at < top->first)
		top->first = top->at;
	if (top->page && top->at >= top->first + top->page)
		top->first = top->at - top->page + 1;
	if (top->first + top->page > top->nr_shown)
		top->first = top->nr_shown > top->page ? top->nr_shown - top->page : 0;
	if (top->at < top->nr_shown)
		top->mark = *top->rows[top->shown[top->at]].past;
}

void portsock_top_clear(struct portsock_top *top)
{
	portsock_history_clear(&top->history);
	free(top->rows);
	free(top->shown);
	free(top->tables);
}
