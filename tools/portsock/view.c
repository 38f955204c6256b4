// SPDX-License-Identifier: GPL-2.0
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <libsmartcols.h>

#include "cell.h"
#include "columns.h"
#include "view.h"

/* Hues that people who see no difference between red and green tell apart. */
#define COLOR_NEW	"cyan"
#define COLOR_ALARM	"\033[1;33m"

static int no_memory(struct portsock_error *error)
{
	return portsock_error_set(error, "out of memory");
}

static char *health_text(const struct portsock_snapshot *snapshot)
{
	const struct portsock_pair *pair;
	char *text = NULL;
	unsigned int i;
	size_t size;
	FILE *out;

	out = open_memstream(&text, &size);
	if (!out)
		return NULL;
	fprintf(out, "{\n   \"portsock\": {\n      \"format\": %d", PORTSOCK_FORMAT);
	for (i = 0; i < snapshot->nr_pairs; i++) {
		pair = &snapshot->pairs[i];
		fprintf(out, ",\n      \"%s\": ", pair->key);
		if (!strcmp(pair->key, "exact"))
			fputs(pair->value.number ? "true" : "false", out);
		else if (pair->value.is_number)
			fputs(pair->value.text, out);
		else
			fprintf(out, "\"%s\"", pair->value.text);
	}
	fputs("\n   },", out);
	if (fclose(out)) {
		free(text);
		return NULL;
	}

	return text;
}

int portsock_view_init(struct portsock_view *view, const struct portsock_view_options *options,
		       const struct portsock_snapshot *snapshot, struct portsock_error *error)
{
	*view = (struct portsock_view) {
		.options = *options,
		.people = !options->json && (!options->columns || *options->columns == '+'),
		.nr_fields = snapshot->nr_fields,
		.health = options->json ? health_text(snapshot) : strdup(""),
		.table = scols_new_table(),
	};
	if (!view->health || !view->table || scols_table_set_name(view->table, "rows") ||
	    scols_table_enable_json(view->table, options->json) ||
	    scols_table_enable_colors(view->table, options->color))
		return no_memory(error);
	/* A number cut short to fit the terminal would be a lie. */
	scols_table_set_termforce(view->table, SCOLS_TERMFORCE_NEVER);

	return portsock_columns_choose(view, snapshot, error);
}

int portsock_view_table(struct portsock_view *view, const struct portsock_snapshot *snapshot, const char *netns,
			struct portsock_error *error)
{
	const struct portsock_view_column *column;
	bool same = snapshot->nr_fields == view->nr_fields;
	unsigned int i;

	snprintf(view->netns, sizeof(view->netns), "%s", netns ? netns : "");
	for (i = 0; i < view->nr_columns && same; i++) {
		column = &view->columns[i];
		same = column->field < 0 || snapshot->fields[column->field].column == column->known;
	}

	if (same)
		return 0;

	return portsock_error_set(error, "%s: other columns than in the table before: was the module loaded anew? Try again",
				  snapshot->name);
}

/*
 * Unbound sockets are there again in the counters of the port they got; folded ports are not there any more. What
 * is of a class that this reader does not know may be there again.
 */
static bool cell_adds(const struct portsock_snapshot *snapshot, const struct portsock_column *known)
{
	if (portsock_column_counts(known) && portsock_snapshot_is(snapshot, PORTSOCK_UNBOUND))
		return false;
	if (known && known->kind == PORTSOCK_KIND_GAUGE && portsock_snapshot_is(snapshot, PORTSOCK_FOLDED))
		return false;

	return portsock_snapshot_knows(snapshot);
}

static void sum_add(struct portsock_view_sum *sum, const struct portsock_view_sum *more)
{
	if (__builtin_add_overflow(sum->number, more->number, &sum->number))
		sum->number = UINT64_MAX;
	sum->rate += more->rate;
}

/* Is it a total whose rows of one port are shown as well? */
static bool is_shown_again(const struct portsock_view *view, const struct portsock_snapshot *snapshot)
{
	return portsock_snapshot_is_remote_total(snapshot) ||
	       (view->options.singles && portsock_snapshot_is_total(snapshot));
}

static bool is_in_total(const struct portsock_snapshot *snapshot)
{
	return portsock_snapshot_is_single(snapshot) ||
	       (portsock_snapshot_is(snapshot, PORTSOCK_REMOTE) && !portsock_snapshot_is_remote_total(snapshot));
}

static void number_count(const struct portsock_view *view, struct portsock_view_column *column,
			 const struct portsock_snapshot *snapshot, struct portsock_view_sum number)
{
	column->any |= number.number || number.rate > 0;
	column->answers = true;
	column->singles |= is_in_total(snapshot);
	if (cell_adds(snapshot, column->known))
		sum_add(is_shown_again(view, snapshot) ? &column->totals : &column->sum, &number);
}

static void text_count(struct portsock_view_column *column, const char *text)
{
	column->answers = true;
	if (strcmp(text, "*") && !(column->known && column->known->kind == PORTSOCK_KIND_HISTOGRAM))
		column->numeric = false;
}

static void field_count(const struct portsock_view *view, struct portsock_view_column *column,
			const struct portsock_snapshot *snapshot)
{
	const struct portsock_value *cell = &snapshot->cells[column->field];

	if (cell->is_number)
		number_count(view, column, snapshot, (struct portsock_view_sum) { .number = cell->number });
	else if (strcmp(cell->text, "-"))
		text_count(column, cell->text);
}

static void column_count(const struct portsock_view *view, struct portsock_view_column *column,
			 const struct portsock_snapshot *snapshot, const struct portsock_past *past)
{
	double rate;

	switch (column->source) {
	case PORTSOCK_VIEW_FIELD:
		field_count(view, column, snapshot);
		break;
	case PORTSOCK_VIEW_RATE:
		rate = portsock_past_rate(past, column->known - portsock_columns);
		if (rate >= 0)
			number_count(view, column, snapshot, (struct portsock_view_sum) { .rate = rate });
		break;
	case PORTSOCK_VIEW_AVERAGE:
		column->any |= portsock_past_average(past, column->known - portsock_columns) >= 0;
		break;
	case PORTSOCK_VIEW_RANGE:
		column->any |= portsock_snapshot_range(snapshot) > 0;
		break;
	default:
		break;
	}
}

static int cell_color(struct libscols_line *line, unsigned int i, const struct portsock_view_column *column,
		      const struct portsock_snapshot *snapshot, const struct portsock_past *past)
{
	if (!portsock_cell_alarms(column, snapshot, past))
		return 0;

	return scols_cell_set_color(scols_line_get_cell(line, i), COLOR_ALARM);
}

int portsock_view_add(struct portsock_view *view, const struct portsock_snapshot *snapshot,
		      const struct portsock_past *past, struct portsock_error *error)
{
	struct libscols_line *line = scols_table_new_line(view->table, NULL);
	struct portsock_view_column *column;
	char text[PORTSOCK_CELL_LONG];
	unsigned int i;

	if (!line || (past && portsock_past_is_new(past) && scols_line_set_color(line, COLOR_NEW)))
		return no_memory(error);

	for (i = 0; i < view->nr_columns; i++) {
		column = &view->columns[i];
		if (scols_line_set_data(line, i, portsock_cell_text(view, column, snapshot, past, text)) ||
		    cell_color(line, i, column, snapshot, past))
			return no_memory(error);
		column_count(view, column, snapshot, past);
	}
	view->nr_rows++;

	return 0;
}

static int cells_compare(struct libscols_cell *one, struct libscols_cell *other, void *data)
{
	const struct portsock_view *view = data;
	int order = portsock_cell_compare(scols_cell_get_data(one), scols_cell_get_data(other));

	return view->descending ? -order : order;
}

static int rows_sort(struct portsock_view *view)
{
	if (!view->sort)
		return 0;

	return scols_column_set_cmpfunc(view->sort->output, cells_compare, view) ||
	       scols_sort_table(view->table, view->sort->output);
}

/* Such totals are there again as single rows, but for what these have no answer to. */
static void sum_text(const struct portsock_view *view, const struct portsock_view_column *column,
		     char text[PORTSOCK_CELL_SIZE])
{
	struct portsock_view_sum sum = column->sum;

	if (!column->singles)
		sum_add(&sum, &column->totals);
	if (!column->answers && view->nr_rows)
		strcpy(text, "-");
	else if (column->source == PORTSOCK_VIEW_RATE)
		portsock_rate_text(sum.rate, text);
	else
		snprintf(text, PORTSOCK_CELL_SIZE, "%" PRIu64, sum.number);
}

static int total_add(struct portsock_view *view, struct portsock_error *error)
{
	const struct portsock_view_column *column;
	struct libscols_line *line;
	char text[PORTSOCK_CELL_SIZE];
	unsigned int i;

	line = scols_table_new_line(view->table, NULL);
	if (!line || scols_line_set_data(line, 0, "total"))
		return no_memory(error);

	for (i = 0; i < view->nr_columns; i++) {
		column = &view->columns[i];
		if (!column->adds_up)
			continue;
		sum_text(view, column, text);
		if (scols_line_set_data(line, i, text))
			return no_memory(error);
	}

	return 0;
}

static bool column_is_hidden(const struct portsock_view_column *column)
{
	const struct portsock_view_column *with = column->with ? column->with : column;

	return column->role == PORTSOCK_VIEW_SORT || (column->role == PORTSOCK_VIEW_FILLED && !with->any) ||
	       (column->role == PORTSOCK_VIEW_ROOM && !column->answers);
}

static int columns_finish(struct portsock_view *view, struct portsock_error *error)
{
	const struct portsock_view_column *column;
	unsigned int i;
	int rc = 0;

	for (i = 0; i < view->nr_columns && !rc; i++) {
		column = &view->columns[i];
		if (column->numeric)
			rc = scols_column_set_json_type(column->output, SCOLS_JSON_NUMBER);
		if (!rc && column_is_hidden(column))
			rc = scols_column_set_flags(column->output, SCOLS_FL_HIDDEN);
	}

	return rc ? no_memory(error) : 0;
}

static char *rows_text(struct portsock_view *view)
{
	char *text = NULL;
	size_t length;

	if (scols_print_table_to_string(view->table, &text) || !text)
		return NULL;
	/* JSON comes with a newline at its end, tables without. */
	for (length = strlen(text); length && text[length - 1] == '\n'; length--)
		text[length - 1] = '\0';

	return text;
}

/* Return: @rows, or without columns of this role if they are too wide, NULL without memory. */
static char *rows_squeeze(struct portsock_view *view, char *rows, enum portsock_view_role role)
{
	unsigned int i;

	if (!rows || !view->options.width || strcspn(rows, "\n") <= view->options.width)
		return rows;
	free(rows);
	for (i = 0; i < view->nr_columns; i++)
		if (view->columns[i].role == role)
			scols_column_set_flags(view->columns[i].output, SCOLS_FL_HIDDEN);

	return rows_text(view);
}

char *portsock_view_text(struct portsock_view *view, struct portsock_error *error)
{
	char *rows, *text = NULL;

	if (rows_sort(view) || (view->people && total_add(view, error)) || columns_finish(view, error)) {
		no_memory(error);
		return NULL;
	}

	rows = rows_squeeze(view, rows_text(view), PORTSOCK_VIEW_ROOM);
	rows = rows_squeeze(view, rows, PORTSOCK_VIEW_SPARE);
	/* libsmartcols prints an object with one member, the rows: the health comes in front of that. */
	if (rows && asprintf(&text, "%s%s\n", view->health, rows + view->options.json) < 0)
		text = NULL;
	free(rows);
	if (!text)
		no_memory(error);

	return text;
}

void portsock_view_exit(struct portsock_view *view)
{
	free(view->health);
	scols_unref_table(view->table);
}
