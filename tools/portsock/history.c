// SPDX-License-Identifier: GPL-2.0
#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "history.h"

#define BIT(id) (UINT64_C(1) << (id))

void portsock_history_begin(struct portsock_history *history)
{
	struct portsock_past **rows = history->old;
	size_t size = history->old_size;

	history->old = history->rows;
	history->nr_old = history->nr;
	history->old_size = history->size;
	history->rows = rows;
	history->nr = 0;
	history->size = size;
	history->look++;
	history->before_ms = history->uptime_ms;
	history->uptime_ms = 0;
	history->singles_before = history->singles;
	history->singles = false;
}

int portsock_past_compare(const void *a, const void *b)
{
	const struct portsock_past *one = a, *other = b;
	int order;

	if (one->port != other->port)
		return one->port < other->port ? -1 : 1;
	if (one->netns != other->netns)
		return one->netns < other->netns ? -1 : 1;
	order = strcmp(one->proto, other->proto);

	return order ? order : strcmp(one->class, other->class);
}

static bool past_is(const struct portsock_past *past, const struct portsock_snapshot *snapshot)
{
	const struct portsock_value *port = &snapshot->cells[snapshot->port];

	return past->port == (port->is_number ? port->number : PORTSOCK_TOTAL) && past->netns == snapshot->netns &&
	       !strcmp(past->proto, snapshot->cells[snapshot->proto].text) &&
	       !strcmp(past->class, snapshot->cells[snapshot->class].text);
}

/* Return: the row, with what identifies it when it is made; NULL without memory. */
static struct portsock_past *past_find(struct portsock_history *history, const struct portsock_snapshot *snapshot)
{
	const struct portsock_value *port = &snapshot->cells[snapshot->port];
	struct portsock_past key = {
		.netns = snapshot->netns,
		.port = port->is_number ? port->number : PORTSOCK_TOTAL,
	};
	struct portsock_past *past, **node;

	strncat(key.proto, snapshot->cells[snapshot->proto].text, sizeof(key.proto) - 1);
	strncat(key.class, snapshot->cells[snapshot->class].text, sizeof(key.class) - 1);
	node = tfind(&key, &history->tree, portsock_past_compare);
	if (node)
		return *node;

	past = malloc(sizeof(*past));
	if (!past)
		return NULL;
	*past = key;
	if (!tsearch(past, &history->tree, portsock_past_compare)) {
		free(past);
		return NULL;
	}

	return past;
}

/* Most rows come in the order in which they came before. */
static struct portsock_past *past_get(struct portsock_history *history, const struct portsock_snapshot *snapshot)
{
	struct portsock_past *next = history->nr < history->nr_old ? history->old[history->nr] : NULL;

	return next && past_is(next, snapshot) ? next : past_find(history, snapshot);
}

static int rows_push(struct portsock_history *history, struct portsock_past *past)
{
	size_t size = history->size ? 2 * history->size : 64;
	struct portsock_past **rows;

	if (history->nr == history->size) {
		rows = reallocarray(history->rows, size, sizeof(*rows));
		if (!rows)
			return -1;
		history->rows = rows;
		history->size = size;
	}
	history->rows[history->nr++] = past;

	return 0;
}

/* What was now is before. */
static void past_turn(struct portsock_past *past, const struct portsock_history *history, bool single)
{
	past->before_ms = past->uptime_ms;
	memcpy(past->before, past->now, sizeof(past->before));
	past->answers_before = past->looks ? past->answers : UINT64_MAX;
	if (++past->looks == 1 && (!single || history->singles_before))
		past->before_ms = history->before_ms;
}

static int text_keep(char **text, const char *now)
{
	if (*text && !strcmp(*text, now))
		return 0;
	free(*text);
	*text = strdup(now);

	return *text ? 0 : -1;
}

static int words_read(struct portsock_past *past, const struct portsock_field *field, const struct portsock_value *cell)
{
	if (field->id == PORTSOCK_COLUMN_PORT && cell->is_number)
		past->answers |= BIT(PORTSOCK_COLUMN_PORT);
	if (field->id == PORTSOCK_COLUMN_NR || field->use == PORTSOCK_FIELD_PASSED ||
	    !portsock_column_is_text(field->column) || field->column->kind == PORTSOCK_KIND_IDENTITY)
		return 0;

	return text_keep(&past->text[field->id], cell->text);
}

static int past_read(struct portsock_past *past, const struct portsock_snapshot *snapshot)
{
	const struct portsock_field *field = snapshot->fields, *end = field + snapshot->nr_read;
	const struct portsock_value *cell = snapshot->cells;
	uint64_t answers = 0, filled = 0, gained = 0, bit;

	past->answers = 0;
	for (; field < end; field++, cell++) {
		if (field->use != PORTSOCK_FIELD_NUMBER) {
			if (words_read(past, field, cell))
				return -1;
			continue;
		}
		bit = BIT(field->id);
		past->now[field->id] = cell->number;
		answers |= cell->is_number ? bit : 0;
		if (!cell->number)
			continue;
		filled |= bit;
		gained |= cell->number > past->before[field->id] ? bit : 0;
	}
	past->answers |= answers;
	past->filled = filled;
	past->gained = gained;

	return 0;
}

struct portsock_past *portsock_history_add(struct portsock_history *history,
					   const struct portsock_snapshot *snapshot)
{
	uint64_t uptime_ms = snapshot->uptime_ms;
	bool single = portsock_snapshot_is_single(snapshot);
	struct portsock_past *past = past_get(history, snapshot);

	if (past && past->look == history->look)
		return past;
	if (!past || rows_push(history, past))
		return NULL;
	if (!history->uptime_ms)
		history->uptime_ms = uptime_ms;
	history->singles |= single;

	past_turn(past, history, single);
	past->look = history->look;
	past->uptime_ms = uptime_ms;
	past->range = portsock_snapshot_range(snapshot);
	past->backlog = portsock_snapshot_backlog(snapshot);
	if (past_read(past, snapshot))
		return NULL;
	past->sockets.number[past->look % PORTSOCK_TRAIL_NR] = past->now[PORTSOCK_COLUMN_SOCKETS];
	past->opened.number[past->look % PORTSOCK_TRAIL_NR] = portsock_past_rate(past, PORTSOCK_COLUMN_OPENED);

	return past;
}

static void past_free(void *node)
{
	struct portsock_past *past = node;
	unsigned int i;

	for (i = 0; i < PORTSOCK_COLUMN_NR; i++)
		free(past->text[i]);
	free(past);
}

void portsock_history_end(struct portsock_history *history)
{
	size_t i;

	for (i = 0; i < history->nr_old; i++) {
		if (history->old[i]->look == history->look)
			continue;
		tdelete(history->old[i], &history->tree, portsock_past_compare);
		past_free(history->old[i]);
	}
	history->nr_old = 0;
}

void portsock_history_clear(struct portsock_history *history)
{
	tdestroy(history->tree, past_free);
	free(history->rows);
	free(history->old);
	*history = (struct portsock_history) { 0 };
}

const char *portsock_past_service(const struct portsock_past *past)
{
	const char *name;

	if (strcmp(past->class, "service") && (strcmp(past->class, "remote") || past->port == PORTSOCK_TOTAL))
		return NULL;
	name = portsock_service_name(past->proto, past->port);

	return name ? name : "";
}

bool portsock_past_is_new(const struct portsock_past *past)
{
	return past->looks == 1 && past->before_ms && past->before_ms < past->uptime_ms;
}

/* At both looks? */
static bool past_answers(const struct portsock_past *past, enum portsock_column_id id)
{
	return past->answers & past->answers_before & BIT(id);
}

bool portsock_past_grows(const struct portsock_past *past, enum portsock_column_id id)
{
	return past->looks > 1 && past_answers(past, id) && past->gained & BIT(id);
}

static bool past_has_rates(const struct portsock_past *past)
{
	return past->before_ms && past->before_ms < past->uptime_ms;
}

uint64_t portsock_past_gains(const struct portsock_past *past)
{
	return past_has_rates(past) ? past->gained & past->answers & past->answers_before : 0;
}

double portsock_past_rate(const struct portsock_past *past, enum portsock_column_id id)
{
	if (!past_has_rates(past) || past->now[id] < past->before[id] || !past_answers(past, id))
		return -1;

	return (past->now[id] - past->before[id]) * 1e3 / (past->uptime_ms - past->before_ms);
}

double portsock_past_average(const struct portsock_past *past, enum portsock_column_id sum)
{
	enum portsock_column_id count = portsock_column_divisor(sum);
	double gained = portsock_past_rate(past, sum), came = portsock_past_rate(past, count);

	return gained >= 0 && came > 0 ? gained / came : -1;
}
