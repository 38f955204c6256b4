// SPDX-License-Identifier: GPL-2.0
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cell.h"
#include "owner.h"

/* From here on the places of a double do not hold every whole number. */
#define RATE_LARGE	1e15

/* Only services have a name, here or at the peer; whoever else holds 8080 is no web server. */
static const char *service_text(const struct portsock_view *view, const struct portsock_snapshot *snapshot)
{
	if (portsock_snapshot_is(snapshot, PORTSOCK_SERVICE) ||
	    (portsock_snapshot_is(snapshot, PORTSOCK_REMOTE) && !portsock_snapshot_is_remote_total(snapshot)))
		return portsock_service_name(snapshot->cells[snapshot->proto].text,
					     snapshot->cells[snapshot->port].number);

	return view->people ? snapshot->cells[snapshot->class].text : NULL;
}

void portsock_number_text(uint64_t number, char text[PORTSOCK_CELL_SIZE])
{
	char digits[PORTSOCK_CELL_SIZE], *digit = digits + sizeof(digits) - 1;

	*digit = '\0';
	do {
		*--digit = '0' + number % 10;
		number /= 10;
	} while (number);
	strcpy(text, digit);
}

/* As printf() rounds: a half to the even one. */
static uint64_t whole_number(double number)
{
	uint64_t whole = number;
	double rest = number - whole;

	return whole + (rest > 0.5 || (rest == 0.5 && whole % 2));
}

/* Screens are full of them, and printf() takes a thousand instructions for one. */
void portsock_rate_text(double rate, char text[PORTSOCK_CELL_SIZE])
{
	unsigned int tenths;

	if (rate >= RATE_LARGE || rate < 0) {
		snprintf(text, PORTSOCK_CELL_SIZE, "%.0f", rate);
	} else if (rate >= 9.95 || rate == 0) {
		portsock_number_text(whole_number(rate), text);
	} else {
		tenths = whole_number(10 * rate);
		text[0] = '0' + tenths / 10;
		text[1] = '.';
		text[2] = '0' + tenths % 10;
		text[3] = '\0';
	}
}

/* What is not known is null in JSON. */
static const char *made_text(const struct portsock_view *view, double number, const char *made)
{
	if (number >= 0 && (number > 0 || !view->people))
		return made;

	return view->options.json ? NULL : "-";
}

/* 0 is one, too. */
static const char *average_text(const struct portsock_view *view, double number, char text[PORTSOCK_CELL_LONG])
{
	if (number < 0)
		return view->options.json ? NULL : "-";
	portsock_rate_text(number, text);

	return text;
}

static const char *json_text(const struct portsock_column *known, const struct portsock_value *cell,
			     char text[PORTSOCK_CELL_LONG])
{
	/* Where a number cannot be: the port of a total. */
	if (!strcmp(cell->text, "-") || (!strcmp(cell->text, "*") && !portsock_column_is_text(known)))
		return NULL;
	if (!known || known->kind != PORTSOCK_KIND_HISTOGRAM)
		return cell->text;
	snprintf(text, PORTSOCK_CELL_LONG, "[%s]", cell->text);

	return text;
}

static const char *owner_text(const struct portsock_view *view, const struct portsock_column *known,
			      const struct portsock_value *cell)
{
	const char *name = view->options.numeric || !cell->is_number ? NULL : portsock_owner_name(known, cell->number);

	return name ? name : cell->text;
}

static const char *field_text(const struct portsock_view *view, const struct portsock_view_column *column,
			      const struct portsock_value *cell, char text[PORTSOCK_CELL_LONG])
{
	if (view->options.json)
		return json_text(column->known, cell, text);
	if (portsock_owner_has_name(column->known))
		return owner_text(view, column->known, cell);
	/* In a table full of zeros nobody finds the others. */
	if (view->people && column->adds_up && !cell->number)
		return "-";

	return cell->text;
}

const char *portsock_cell_text(const struct portsock_view *view, const struct portsock_view_column *column,
			       const struct portsock_snapshot *snapshot, const struct portsock_past *past,
			       char text[PORTSOCK_CELL_LONG])
{
	double number;

	switch (column->source) {
	case PORTSOCK_VIEW_FIELD:
		return field_text(view, column, &snapshot->cells[column->field], text);
	case PORTSOCK_VIEW_RATE:
		number = portsock_past_rate(past, column->known - portsock_columns);
		portsock_rate_text(number, text);
		return made_text(view, number, text);
	case PORTSOCK_VIEW_AVERAGE:
		number = portsock_past_average(past, column->known - portsock_columns);
		return average_text(view, number, text);
	case PORTSOCK_VIEW_RANGE:
		number = portsock_snapshot_range(snapshot);
		snprintf(text, PORTSOCK_CELL_SIZE, "%.1f", number);
		return made_text(view, number, text);
	case PORTSOCK_VIEW_SERVICE:
		return service_text(view, snapshot);
	case PORTSOCK_VIEW_NETNS:
		return view->netns;
	}

	return NULL;
}

bool portsock_cell_alarms(const struct portsock_view_column *column, const struct portsock_snapshot *snapshot,
			  const struct portsock_past *past)
{
	if (column->source == PORTSOCK_VIEW_RANGE)
		return portsock_snapshot_range(snapshot) >= PORTSOCK_RANGE_FULL;
	if (column->source == PORTSOCK_VIEW_FIELD && column->known == &portsock_columns[PORTSOCK_COLUMN_BACKLOG])
		return portsock_snapshot_backlog(snapshot) >= PORTSOCK_BACKLOG_FULL;

	return column->source == PORTSOCK_VIEW_FIELD && past &&
	       column->known == &portsock_columns[PORTSOCK_COLUMN_CLOSE_WAIT] &&
	       portsock_past_grows(past, PORTSOCK_COLUMN_CLOSE_WAIT);
}

/* Return: 0 for nothing, 1 for a number, 2 for anything else. */
static int text_rank(const char *text)
{
	if (!text || !strcmp(text, "-"))
		return 0;

	return isdigit((unsigned char)*text) ? 1 : 2;
}

int portsock_cell_compare(const char *one, const char *other)
{
	int rank = text_rank(one), difference = rank - text_rank(other);
	long double a, b;

	if (difference || !rank)
		return difference;
	if (rank == 2)
		return strcmp(one, other);
	/* Holds any 64-bit number. */
	a = strtold(one, NULL);
	b = strtold(other, NULL);

	return (a > b) - (a < b);
}
