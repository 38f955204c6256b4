// SPDX-License-Identifier: GPL-2.0
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cell.h"
#include "columns.h"
#include "owner.h"
#include "top.h"

/* Return: index of the column, which is added if it is not there. */
static int column_add(struct portsock_top *top, struct portsock_top_column new)
{
	const char *made = portsock_columns_made(new.source);
	struct portsock_top_column *column;
	unsigned int i;

	for (i = 0; i < top->nr_columns; i++) {
		column = &top->columns[i];
		if (column->source != new.source || column->id != new.id || column->spark != new.spark)
			continue;
		/* Who asks for it wants to see it in any case. */
		column->filled &= new.filled;
		return i;
	}
	column = &top->columns[top->nr_columns++];
	*column = new;
	if (new.spark)
		strcpy(column->heading, "LAST");
	else
		snprintf(column->heading, sizeof(column->heading), "%s%s", made ? made : portsock_columns[new.id].heading,
			 portsock_columns_suffix(new.source));
	for (i = 0; column->heading[i]; i++)
		column->heading[i] = toupper((unsigned char)column->heading[i]);

	column->width = new.spark ? PORTSOCK_TOP_SPARK : strlen(column->heading);

	return top->nr_columns - 1;
}

static void field_add(struct portsock_top *top, enum portsock_column_id id)
{
	column_add(top, (struct portsock_top_column) { .source = PORTSOCK_VIEW_FIELD, .id = id });
}

static void filled_add(struct portsock_top *top, enum portsock_view_source source, enum portsock_column_id id,
		       enum portsock_column_id with)
{
	column_add(top, (struct portsock_top_column) { .source = source, .id = id, .filled = true, .with = with });
}

static void rate_add(struct portsock_top *top, enum portsock_column_id id)
{
	column_add(top, (struct portsock_top_column) { .source = PORTSOCK_VIEW_RATE, .id = id });
}

static void made_add(struct portsock_top *top, enum portsock_view_source source)
{
	column_add(top, (struct portsock_top_column) { .source = source });
}

static void spark_add(struct portsock_top *top, enum portsock_view_source source, enum portsock_column_id id)
{
	column_add(top, (struct portsock_top_column) { .source = source, .id = id, .spark = true });
}

static void usual_add(struct portsock_top *top)
{
	const struct portsock_columns_filled *filled;
	unsigned int id;

	field_add(top, PORTSOCK_COLUMN_PROTO);
	field_add(top, PORTSOCK_COLUMN_PORT);
	if (top->show->view.numeric)
		field_add(top, PORTSOCK_COLUMN_CLASS);
	else
		made_add(top, PORTSOCK_VIEW_SERVICE);
	top->nr_fixed = top->nr_columns;
	field_add(top, PORTSOCK_COLUMN_SOCKETS);
	spark_add(top, PORTSOCK_VIEW_FIELD, PORTSOCK_COLUMN_SOCKETS);
	rate_add(top, PORTSOCK_COLUMN_OPENED);
	spark_add(top, PORTSOCK_VIEW_RATE, PORTSOCK_COLUMN_OPENED);
	for (id = 0; id < PORTSOCK_COLUMN_NR; id++)
		if (portsock_columns[id].kind == PORTSOCK_KIND_STATE)
			filled_add(top, PORTSOCK_VIEW_FIELD, id, id);
	for (filled = portsock_columns_filled; filled->id != PORTSOCK_COLUMN_NR; filled++)
		filled_add(top, portsock_columns_watched(filled->id), filled->id, filled->with);
	rate_add(top, PORTSOCK_COLUMN_CLOSED);
	made_add(top, PORTSOCK_VIEW_RANGE);
}

/* Return: index of the column, -1 if nothing is called so. */
static int name_add(struct portsock_top *top, const char *option, const char *name, struct portsock_error *error)
{
	char field[PORTSOCK_COLUMN_NAME_SIZE];
	struct portsock_top_column new = { .source = portsock_columns_source(name, field) };
	const struct portsock_column *known;

	if (portsock_columns_made(new.source))
		return column_add(top, new);
	known = portsock_column_find(field);
	new.id = known ? known - portsock_columns : PORTSOCK_COLUMN_NR;
	if (new.id >= PORTSOCK_COLUMN_NR || known->kind == PORTSOCK_KIND_HISTOGRAM ||
	    !portsock_columns_has(new.source, known))
		return portsock_error_set(error, "--%s: top has no column '%.40s' (see: portsock --help)", option, name);

	return column_add(top, new);
}

static int list_add(struct portsock_top *top, const char *list, struct portsock_error *error)
{
	char *copy = strdup(list), *rest = copy, *name;
	int rc = copy ? 0 : portsock_error_set(error, "out of memory");

	while (rc >= 0 && (name = strsep(&rest, ",")))
		rc = name_add(top, "output", name, error);
	free(copy);

	return rc < 0 ? -1 : 0;
}

static int sort_add(struct portsock_top *top, struct portsock_error *error)
{
	char name[PORTSOCK_COLUMN_NAME_SIZE];

	top->descending = portsock_columns_sort(top->show->view.sort, name);
	top->sort = name_add(top, "sort", name, error);

	return top->sort < 0 ? -1 : 0;
}

/* What is on the screen, or said about rows and above them; those of kind identity are read in any case. */
static uint64_t columns_wanted(const struct portsock_top *top)
{
	static const enum portsock_column_id always[] = {
		PORTSOCK_COLUMN_SOCKETS, PORTSOCK_COLUMN_CLOSE_WAIT, PORTSOCK_COLUMN_OPENED, PORTSOCK_COLUMN_CLOSED,
		PORTSOCK_COLUMN_PORTS, PORTSOCK_COLUMN_BACKLOG, PORTSOCK_COLUMN_BACKLOG_MAX,
	};
	uint64_t wanted = top->show->filter.states;
	unsigned int i;

	for (i = 0; i < sizeof(always) / sizeof(*always); i++)
		wanted |= portsock_column_bit(&portsock_columns[always[i]]);
	for (i = 0; i < top->nr_columns; i++) {
		wanted |= portsock_column_bit(&portsock_columns[top->columns[i].id]);
		if (top->columns[i].source == PORTSOCK_VIEW_AVERAGE)
			wanted |= portsock_column_bit(&portsock_columns[portsock_column_divisor(top->columns[i].id)]);
	}

	return wanted;
}

int portsock_top_columns(struct portsock_top *top, struct portsock_error *error)
{
	const char *list = top->show->view.columns;
	bool more = !list || *list == '+';

	top->nr_columns = 0;
	top->nr_fixed = 0;
	top->first_column = 0;
	if (top->show->view.netns && more)
		made_add(top, PORTSOCK_VIEW_NETNS);
	if (more)
		usual_add(top);
	if (list && list_add(top, list + more, error))
		return -1;
	top->sort = more ? (int)top->nr_fixed : -1;
	top->descending = true;
	if (top->show->view.sort && sort_add(top, error))
		return -1;
	top->wanted = columns_wanted(top);

	return 0;
}

bool portsock_top_is_idle(const struct portsock_top *top, const struct portsock_top_column *column)
{
	uint64_t has = *portsock_columns_suffix(column->source) ? top->gains : top->any;

	return column->filled && !(has & portsock_column_bit(&portsock_columns[column->with]));
}

/* Return: NULL where a number is all there is. */
static const char *owner_name(const struct portsock_top *top, const struct portsock_past *past, enum portsock_column_id id)
{
	const struct portsock_column *known = &portsock_columns[id];

	return portsock_owner_has_name(known) && !top->show->view.numeric && past->answers & portsock_column_bit(known) ?
		portsock_owner_name(known, past->now[id]) : NULL;
}

static void field_text(const struct portsock_top *top, const struct portsock_past *past, enum portsock_column_id id,
		       char text[PORTSOCK_TOP_TEXT])
{
	const struct portsock_column *known = &portsock_columns[id];
	bool answer = past->answers & portsock_column_bit(known);
	const char *owner = owner_name(top, past, id);

	if (id == PORTSOCK_COLUMN_PROTO)
		strcpy(text, past->proto);
	else if (id == PORTSOCK_COLUMN_CLASS)
		strcpy(text, past->class);
	else if (id == PORTSOCK_COLUMN_PORT && !answer)
		strcpy(text, "*");
	else if (owner)
		snprintf(text, PORTSOCK_TOP_TEXT, "%s", owner);
	else if (portsock_column_is_text(known))
		snprintf(text, PORTSOCK_TOP_TEXT, "%s", past->text[id] ? past->text[id] : "-");
	else if (!answer || (portsock_column_adds_up(known) && !past->now[id]))
		strcpy(text, "-");
	else
		portsock_number_text(id == PORTSOCK_COLUMN_PORT ? past->port : past->now[id], text);
}

static void rate_text(double rate, char text[PORTSOCK_TOP_TEXT])
{
	if (rate > 0)
		portsock_rate_text(rate, text);
	else
		strcpy(text, "-");
}

/* 0 is one, too. */
static void average_text(double average, char text[PORTSOCK_TOP_TEXT])
{
	if (average >= 0)
		portsock_rate_text(average, text);
	else
		strcpy(text, "-");
}

void portsock_top_text(const struct portsock_top *top, const struct portsock_top_column *column,
		       const struct portsock_top_row *row, char text[PORTSOCK_TOP_TEXT])
{
	const struct portsock_past *past = row->past;
	const char *service;

	if (column->spark) {
		portsock_top_spark(column->source == PORTSOCK_VIEW_RATE ? &past->opened : &past->sockets, past->look,
				   past->looks, top->utf8, text, PORTSOCK_TOP_TEXT);
		return;
	}
	switch (column->source) {
	case PORTSOCK_VIEW_FIELD:
		field_text(top, past, column->id, text);
		break;
	case PORTSOCK_VIEW_RATE:
		rate_text(portsock_past_rate(past, column->id), text);
		break;
	case PORTSOCK_VIEW_AVERAGE:
		average_text(portsock_past_average(past, column->id), text);
		break;
	case PORTSOCK_VIEW_RANGE:
		snprintf(text, PORTSOCK_TOP_TEXT, past->range > 0 ? "%.1f" : "-", past->range);
		break;
	case PORTSOCK_VIEW_SERVICE:
		service = portsock_past_service(past);
		snprintf(text, PORTSOCK_TOP_TEXT, "%s", service ? service : past->class);
		break;
	case PORTSOCK_VIEW_NETNS:
		snprintf(text, PORTSOCK_TOP_TEXT, "%s", top->tables[row->table]);
		break;
	}
}

static bool column_is_text(const struct portsock_top_column *column)
{
	return column->source == PORTSOCK_VIEW_SERVICE || column->source == PORTSOCK_VIEW_NETNS ||
	       (column->source == PORTSOCK_VIEW_FIELD && portsock_column_is_text(&portsock_columns[column->id]));
}

/* No number is less than 0. */
static void number_key(const struct portsock_past *past, enum portsock_column_id id, struct portsock_top_row *row)
{
	row->number = past->now[id];
	row->rate = past->answers & portsock_column_bit(&portsock_columns[id]) ? 0 : -1;
}

void portsock_top_sort_key(const struct portsock_top_column *column, struct portsock_top_row *row)
{
	const struct portsock_past *past = row->past;

	row->rate = 0;
	row->number = 0;
	if (column->source == PORTSOCK_VIEW_RATE)
		row->rate = portsock_past_rate(past, column->id);
	else if (column->source == PORTSOCK_VIEW_AVERAGE)
		row->rate = portsock_past_average(past, column->id);
	else if (column->source == PORTSOCK_VIEW_RANGE)
		row->rate = past->range;
	else if (column->id == PORTSOCK_COLUMN_PORT)
		row->number = past->port;
	else if (!column_is_text(column))
		number_key(past, column->id, row);
}

int portsock_top_compare(const struct portsock_top *top, const struct portsock_top_column *column,
			 const struct portsock_top_row *one, const struct portsock_top_row *other)
{
	char text[PORTSOCK_TOP_TEXT], other_text[PORTSOCK_TOP_TEXT];

	if (one->number != other->number)
		return one->number < other->number ? -1 : 1;
	if (!column_is_text(column))
		return (one->rate > other->rate) - (one->rate < other->rate);
	portsock_top_text(top, column, one, text);
	portsock_top_text(top, column, other, other_text);

	return strcmp(text, other_text);
}
