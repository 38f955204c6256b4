// SPDX-License-Identifier: GPL-2.0
#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <libsmartcols.h>

#include "libportsock.h"
#include "view.h"

#define FIELD_SERVICE (-1)

static const char service_name[] = "service";

static const struct portsock_column *column_known(const struct portsock_snapshot *snapshot, int field)
{
	return field == FIELD_SERVICE ? NULL : snapshot->fields[field].column;
}

static const char *column_name(const struct portsock_snapshot *snapshot, int field)
{
	return field == FIELD_SERVICE ? service_name : snapshot->fields[field].name;
}

static int no_memory(struct portsock_error *error)
{
	return portsock_error_set(error, "out of memory");
}

static bool column_is_text(const struct portsock_snapshot *snapshot, int field)
{
	const struct portsock_column *known = column_known(snapshot, field);

	return field == FIELD_SERVICE || portsock_column_is_text(known);
}

static bool column_is_state(const struct portsock_snapshot *snapshot, int field)
{
	const struct portsock_column *known = column_known(snapshot, field);

	return known && known->kind == PORTSOCK_KIND_STATE;
}

static struct libscols_column *output_new(struct portsock_view *view, const struct portsock_snapshot *snapshot,
					  int field)
{
	const struct portsock_column *known = column_known(snapshot, field);
	const char *name = column_name(snapshot, field);
	char heading[64];
	size_t i;

	snprintf(heading, sizeof(heading), "%s", known ? known->heading : name);
	for (i = 0; heading[i]; i++)
		heading[i] = toupper((unsigned char)heading[i]);

	return scols_table_new_column(view->table, view->options.json ? name : heading, 0,
				      column_is_text(snapshot, field) ? 0 : SCOLS_FL_RIGHT);
}

static int column_add(struct portsock_view *view, const struct portsock_snapshot *snapshot, int field,
		      enum portsock_view_role role, struct portsock_error *error)
{
	struct portsock_view_column *column;
	unsigned int i;

	/* Twice the same key would make JSON ambiguous. */
	for (i = 0; i < view->nr_columns; i++) {
		if (view->columns[i].field != field)
			continue;
		if (role == PORTSOCK_VIEW_ASKED)
			view->columns[i].role = role;
		return 0;
	}

	column = &view->columns[view->nr_columns++];
	*column = (struct portsock_view_column) {
		.output = output_new(view, snapshot, field),
		.field = field,
		.adds_up = portsock_column_adds_up(column_known(snapshot, field)),
		.numeric = !column_is_text(snapshot, field),
		.role = role,
	};

	return column->output ? 0 : no_memory(error);
}

static int columns_add_all(struct portsock_view *view, const struct portsock_snapshot *snapshot,
			   struct portsock_error *error)
{
	unsigned int i;

	for (i = 0; i < snapshot->nr_fields; i++) {
		if (column_add(view, snapshot, i, PORTSOCK_VIEW_ASKED, error))
			return -1;
		if (i == snapshot->port && !view->options.numeric &&
		    column_add(view, snapshot, FIELD_SERVICE, PORTSOCK_VIEW_ASKED, error))
			return -1;
	}

	return 0;
}

static int field_find(const struct portsock_snapshot *snapshot, const char *name)
{
	const struct portsock_column *known = portsock_column_find(name);
	unsigned int i;

	for (i = 0; i < snapshot->nr_fields; i++)
		if (!strcasecmp(snapshot->fields[i].name, known ? known->name : name))
			return i;

	return FIELD_SERVICE;
}

static int column_error(const struct portsock_snapshot *snapshot, const char *name, struct portsock_error *error)
{
	char valid[400] = "";
	unsigned int i;

	for (i = 0; i < snapshot->nr_fields; i++)
		snprintf(valid + strlen(valid), sizeof(valid) - strlen(valid), " %s", snapshot->fields[i].name);

	return portsock_error_set(error, "--output: the table has no column '%.40s' (valid: %s%s)", name, service_name, valid);
}

static int columns_add_list(struct portsock_view *view, const struct portsock_snapshot *snapshot,
			    const char *list, enum portsock_view_role role, struct portsock_error *error)
{
	char *copy = strdup(list), *rest = copy, *name;
	int rc = copy ? 0 : no_memory(error);
	int field;

	while (!rc && (name = strsep(&rest, ","))) {
		field = field_find(snapshot, name);
		if (field == FIELD_SERVICE && strcasecmp(name, service_name))
			rc = column_error(snapshot, name, error);
		else
			rc = column_add(view, snapshot, field, role, error);
	}
	free(copy);

	return rc;
}

static int columns_add_states(struct portsock_view *view, const struct portsock_snapshot *snapshot,
			      struct portsock_error *error)
{
	unsigned int i;

	for (i = 0; i < snapshot->nr_fields; i++)
		if (column_is_state(snapshot, i) && column_add(view, snapshot, i, PORTSOCK_VIEW_STATE, error))
			return -1;

	return 0;
}

/* A table of an older module may be without. */
static int column_add_known(struct portsock_view *view, const struct portsock_snapshot *snapshot,
			    enum portsock_column_id id, enum portsock_view_role role, struct portsock_error *error)
{
	int field = field_find(snapshot, portsock_columns[id].name);

	return field == FIELD_SERVICE ? 0 : column_add(view, snapshot, field, role, error);
}

static int columns_add_people(struct portsock_view *view, const struct portsock_snapshot *snapshot,
			      struct portsock_error *error)
{
	const char *first = view->options.numeric ? "proto,port,class" : "proto,port,service";

	if (columns_add_list(view, snapshot, first, PORTSOCK_VIEW_ASKED, error) ||
	    column_add_known(view, snapshot, PORTSOCK_COLUMN_SOCKETS, PORTSOCK_VIEW_ASKED, error) ||
	    columns_add_states(view, snapshot, error))
		return -1;

	return column_add_known(view, snapshot, PORTSOCK_COLUMN_OPENED, PORTSOCK_VIEW_SPARE, error);
}

int portsock_view_init(struct portsock_view *view, const struct portsock_view_options *options,
		       const struct portsock_snapshot *snapshot, struct portsock_error *error)
{
	const char *list = options->columns;
	bool more = list && *list == '+';

	*view = (struct portsock_view) {
		.options = *options,
		.people = !options->json && (!list || more),
		.table = scols_new_table(),
	};
	if (!view->table || scols_table_set_name(view->table, "rows") ||
	    scols_table_enable_json(view->table, options->json))
		return no_memory(error);
	/* A number cut short to fit the terminal would be a lie. */
	scols_table_set_termforce(view->table, SCOLS_TERMFORCE_NEVER);

	if (view->people && columns_add_people(view, snapshot, error))
		return -1;
	if (options->json && (!list || more) && columns_add_all(view, snapshot, error))
		return -1;

	return list ? columns_add_list(view, snapshot, list + more, PORTSOCK_VIEW_ASKED, error) : 0;
}

/* Only services have a name; whoever else holds 8080 is no web server. */
static const char *service_text(const struct portsock_view *view, const struct portsock_snapshot *snapshot)
{
	if (portsock_snapshot_is(snapshot, PORTSOCK_SERVICE))
		return portsock_service_name(snapshot->cells[snapshot->proto].text,
					     snapshot->cells[snapshot->port].number);

	return view->people ? snapshot->cells[snapshot->class].text : NULL;
}

/* Where a number cannot be: the port of a total, the owner of a socket without one. JSON: null. */
static bool value_is_none(const struct portsock_value *value)
{
	return !strcmp(value->text, "*") || !strcmp(value->text, "-");
}

static const char *cell_text(const struct portsock_view *view, const struct portsock_snapshot *snapshot,
			     const struct portsock_view_column *column)
{
	const struct portsock_value *cell;

	if (column->field == FIELD_SERVICE)
		return service_text(view, snapshot);

	cell = &snapshot->cells[column->field];
	if (view->options.json && !column_is_text(snapshot, column->field) && value_is_none(cell))
		return NULL;
	/* In a table full of zeros nobody finds the others. */
	if (view->people && column->adds_up && !cell->number)
		return "-";

	return cell->text;
}

/*
 * Ephemeral totals are there again as single rows, unbound sockets in the counters of the port they got;
 * folded ports are not there any more. What is of a class that this reader does not know may be there again.
 */
static bool cell_adds(const struct portsock_view *view, const struct portsock_snapshot *snapshot, int field)
{
	const struct portsock_column *known = column_known(snapshot, field);

	if (known && known->kind == PORTSOCK_KIND_COUNTER && portsock_snapshot_is(snapshot, PORTSOCK_UNBOUND))
		return false;
	if (known && known->kind == PORTSOCK_KIND_GAUGE && portsock_snapshot_is(snapshot, PORTSOCK_FOLDED))
		return false;

	return portsock_snapshot_knows(snapshot) &&
	       (!view->options.singles || !portsock_snapshot_is_total(snapshot));
}

static void column_count(struct portsock_view_column *column, const struct portsock_value *cell, bool add)
{
	if (!cell->is_number && !value_is_none(cell))
		column->numeric = false;
	if (cell->number)
		column->any = true;
	if (add && __builtin_add_overflow(column->sum, cell->number, &column->sum))
		column->sum = UINT64_MAX;
}

int portsock_view_add(struct portsock_view *view, const struct portsock_snapshot *snapshot,
		      struct portsock_error *error)
{
	struct portsock_view_column *column;
	struct libscols_line *line;
	unsigned int i;

	line = scols_table_new_line(view->table, NULL);
	if (!line)
		return no_memory(error);

	for (i = 0; i < view->nr_columns; i++) {
		column = &view->columns[i];
		if (scols_line_set_data(line, i, cell_text(view, snapshot, column)))
			return no_memory(error);
		if (column->field != FIELD_SERVICE)
			column_count(column, &snapshot->cells[column->field],
				     cell_adds(view, snapshot, column->field));
	}
	view->nr_rows++;

	return 0;
}

static int total_add(struct portsock_view *view, struct portsock_error *error)
{
	const struct portsock_view_column *column;
	struct libscols_line *line;
	char text[24];
	unsigned int i;

	line = scols_table_new_line(view->table, NULL);
	if (!line || scols_line_set_data(line, 0, "total"))
		return no_memory(error);

	for (i = 0; i < view->nr_columns; i++) {
		column = &view->columns[i];
		if (!column->adds_up)
			continue;
		snprintf(text, sizeof(text), "%" PRIu64, column->sum);
		if (scols_line_set_data(line, i, text))
			return no_memory(error);
	}

	return 0;
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
		if (!rc && column->role == PORTSOCK_VIEW_STATE && !column->any)
			rc = scols_column_set_flags(column->output, SCOLS_FL_HIDDEN);
	}

	return rc ? no_memory(error) : 0;
}

static void health_print(FILE *out, const struct portsock_snapshot *snapshot)
{
	const struct portsock_pair *pair;
	unsigned int i;

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
}

static char *document_text(const struct portsock_view *view, const struct portsock_snapshot *snapshot,
			   const char *rows)
{
	char *text = NULL;
	size_t size;
	FILE *out;

	out = open_memstream(&text, &size);
	if (!out)
		return NULL;
	/* libsmartcols prints an object with one member, the rows: put the health in front of that. */
	if (view->options.json)
		health_print(out, snapshot);
	fprintf(out, "%s\n", rows + view->options.json);
	if (fclose(out)) {
		free(text);
		return NULL;
	}

	return text;
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

static void columns_squeeze(struct portsock_view *view)
{
	unsigned int i;

	for (i = 0; i < view->nr_columns; i++)
		if (view->columns[i].role == PORTSOCK_VIEW_SPARE)
			scols_column_set_flags(view->columns[i].output, SCOLS_FL_HIDDEN);
}

char *portsock_view_text(struct portsock_view *view, const struct portsock_snapshot *snapshot,
			 struct portsock_error *error)
{
	char *rows, *text = NULL;

	if ((view->people && total_add(view, error)) || columns_finish(view, error))
		return NULL;

	rows = rows_text(view);
	if (rows && view->options.width && strcspn(rows, "\n") > view->options.width) {
		free(rows);
		columns_squeeze(view);
		rows = rows_text(view);
	}
	if (rows)
		text = document_text(view, snapshot, rows);
	free(rows);
	if (!text)
		no_memory(error);

	return text;
}

void portsock_view_exit(struct portsock_view *view)
{
	scols_unref_table(view->table);
}
