// SPDX-License-Identifier: GPL-2.0
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <libsmartcols.h>

#include "columns.h"
#include "owner.h"

#define DESCENDING	":desc"

/* Columns that no table has. */
static const struct {
	enum portsock_view_source source;
	const char *name;
} made[] = {
	{ PORTSOCK_VIEW_RANGE, "range%" },
	{ PORTSOCK_VIEW_SERVICE, "service" },
	{ PORTSOCK_VIEW_NETNS, "netns" },
};

#define FILLED(id)		{ PORTSOCK_COLUMN_##id, PORTSOCK_COLUMN_##id, false }
#define FILLED_WITH(id, with)	{ PORTSOCK_COLUMN_##id, PORTSOCK_COLUMN_##with, false }
#define WATCHED(id)		{ PORTSOCK_COLUMN_##id, PORTSOCK_COLUMN_##id, true },
#define WATCHED_WITH(id, with)	{ PORTSOCK_COLUMN_##id, PORTSOCK_COLUMN_##with, true },

const struct portsock_columns_filled portsock_columns_filled[] = {
	FILLED(BACKLOG),
	FILLED_WITH(BACKLOG_MAX, BACKLOG),
	FILLED(LISTEN_DROPS),
	FILLED(RCV_QUEUE),
	FILLED(RCV_DROPS),
	FILLED(CONNECT_REFUSED),
	FILLED(CONNECT_TIMEOUT),
	FILLED(CONNECT_UNREACHABLE),
	FILLED(CONNECT_GIVEN_UP),
	FILLED(CONNECT_KILLED),
	FILLED(CONNECT_NO_PORT),
	FILLED(RESETS),
	FILLED(TIMEOUTS),
	FILLED(ABORTS),
	FILLED(RETRANS),
	WATCHED(BYTES_RX)
	WATCHED(BYTES_TX)
	WATCHED_WITH(LIFETIME_MS, ENDED)
	WATCHED_WITH(HANDSHAKE_US, HANDSHAKES)
	WATCHED_WITH(ACCEPT_WAIT_MS, ACCEPTS)
	FILLED(NR),
};

enum portsock_view_source portsock_columns_watched(enum portsock_column_id id)
{
	if (portsock_columns[id].kind == PORTSOCK_KIND_SUM)
		return PORTSOCK_VIEW_AVERAGE;

	return portsock_columns[id].kind == PORTSOCK_KIND_COUNTER ? PORTSOCK_VIEW_RATE : PORTSOCK_VIEW_FIELD;
}

const char *portsock_columns_suffix(enum portsock_view_source source)
{
	if (source == PORTSOCK_VIEW_AVERAGE)
		return "/avg";

	return source == PORTSOCK_VIEW_RATE ? "/s" : "";
}

/* Return: bytes of the name in front of what it is to be made of, 0 if it does not end so. */
static int suffix_find(const char *name, enum portsock_view_source source)
{
	const char *suffix = portsock_columns_suffix(source);
	size_t length = strlen(name), end = strlen(suffix);

	return length > end && !strcmp(name + length - end, suffix) ? length - end : 0;
}

enum portsock_view_source portsock_columns_source(const char *name, char field[PORTSOCK_COLUMN_NAME_SIZE])
{
	int rate = suffix_find(name, PORTSOCK_VIEW_RATE), average = suffix_find(name, PORTSOCK_VIEW_AVERAGE);
	size_t i;

	for (i = 0; i < sizeof(made) / sizeof(*made); i++)
		if (!strcasecmp(made[i].name, name))
			return made[i].source;
	snprintf(field, PORTSOCK_COLUMN_NAME_SIZE, "%.*s", rate + average ? rate + average : (int)strlen(name), name);
	if (average)
		return PORTSOCK_VIEW_AVERAGE;

	return rate ? PORTSOCK_VIEW_RATE : PORTSOCK_VIEW_FIELD;
}

const char *portsock_columns_made(enum portsock_view_source source)
{
	size_t i;

	for (i = 0; i < sizeof(made) / sizeof(*made); i++)
		if (made[i].source == source)
			return made[i].name;

	return NULL;
}

bool portsock_columns_has(enum portsock_view_source source, const struct portsock_column *column)
{
	if (source == PORTSOCK_VIEW_AVERAGE)
		return column && column->kind == PORTSOCK_KIND_SUM;

	return source != PORTSOCK_VIEW_RATE || portsock_column_counts(column);
}

bool portsock_columns_sort(const char *sort, char name[PORTSOCK_COLUMN_NAME_SIZE])
{
	size_t length = strlen(sort), end = strlen(DESCENDING);
	bool descending = length > end && !strcmp(sort + length - end, DESCENDING);

	snprintf(name, PORTSOCK_COLUMN_NAME_SIZE, "%.*s", (int)(length - (descending ? end : 0)), sort);

	return descending;
}

static int no_memory(struct portsock_error *error)
{
	return portsock_error_set(error, "out of memory");
}

static bool column_is_text(const struct portsock_view *view, const struct portsock_view_column *column)
{
	bool named = portsock_owner_has_name(column->known) && !view->options.json && !view->options.numeric;

	return column->source == PORTSOCK_VIEW_SERVICE || column->source == PORTSOCK_VIEW_NETNS ||
	       (column->source == PORTSOCK_VIEW_FIELD && (named || portsock_column_is_text(column->known)));
}

/* JSON takes the names of the table, people its headings. */
static void heading_write(const struct portsock_view *view, const struct portsock_snapshot *snapshot,
			  const struct portsock_view_column *column, char *heading, size_t size)
{
	const char *name = column->field < 0 ? portsock_columns_made(column->source) :
		snapshot->fields[column->field].name;
	size_t i;

	if (!view->options.json && column->known)
		name = column->known->heading;
	snprintf(heading, size, "%s%s", name, portsock_columns_suffix(column->source));
	for (i = 0; !view->options.json && heading[i]; i++)
		heading[i] = toupper((unsigned char)heading[i]);
}

static struct portsock_view_column *column_find(struct portsock_view *view, enum portsock_view_source source,
						int field)
{
	unsigned int i;

	for (i = 0; i < view->nr_columns; i++)
		if (view->columns[i].source == source && view->columns[i].field == field)
			return &view->columns[i];

	return NULL;
}

static int column_add(struct portsock_view *view, const struct portsock_snapshot *snapshot,
		      enum portsock_view_source source, int field, enum portsock_view_role role,
		      struct portsock_error *error)
{
	/* Twice the same key would make JSON ambiguous. */
	struct portsock_view_column *column = column_find(view, source, field);
	char heading[PORTSOCK_LINE_MAX];

	if (column) {
		if (role == PORTSOCK_VIEW_ASKED)
			column->role = role;
		return 0;
	}

	column = &view->columns[view->nr_columns++];
	*column = (struct portsock_view_column) {
		.source = source,
		.field = field,
		.known = field >= 0 ? snapshot->fields[field].column : NULL,
		.role = role,
	};
	column->adds_up = source != PORTSOCK_VIEW_AVERAGE && portsock_column_adds_up(column->known);
	column->numeric = !column_is_text(view, column);
	heading_write(view, snapshot, column, heading, sizeof(heading));
	column->output = scols_table_new_column(view->table, heading, 0, column->numeric ? SCOLS_FL_RIGHT : 0);

	return column->output ? 0 : no_memory(error);
}

/* Return: the field's index, -1 if the table has none of that name. */
static int field_find(const struct portsock_snapshot *snapshot, const char *name)
{
	const struct portsock_column *known = portsock_column_find(name);
	unsigned int i;

	for (i = 0; i < snapshot->nr_fields; i++)
		if (!strcasecmp(snapshot->fields[i].name, known ? known->name : name))
			return i;

	return -1;
}

static int name_error(const struct portsock_snapshot *snapshot, const char *option, const char *name,
		      struct portsock_error *error)
{
	char valid[sizeof(error->text) - 128] = "";
	unsigned int i;

	for (i = 0; i < snapshot->nr_fields; i++)
		snprintf(valid + strlen(valid), sizeof(valid) - strlen(valid), " %s", snapshot->fields[i].name);

	return portsock_error_set(error, "--%s: the table has no column '%.40s' (valid: service%s)", option, name, valid);
}

/* Rates and averages are of two looks. */
static int watched_check(const struct portsock_view *view, const struct portsock_snapshot *snapshot, const char *option,
			 const char *counter, enum portsock_view_source source, int field, struct portsock_error *error)
{
	const struct portsock_column *known = field < 0 ? NULL : snapshot->fields[field].column;

	if (!portsock_columns_has(source, known))
		return portsock_error_set(error, "--%s: '%.40s' is no column of kind %s known", option, counter,
					  source == PORTSOCK_VIEW_RATE ? "counter or sum, of which rates are" :
									 "sum, of which averages are");
	if (!view->options.rates)
		return portsock_error_set(error, "--%s: '%.40s%s' needs --watch, to compare with the previous look",
					  option, counter, portsock_columns_suffix(source));

	return 0;
}

/* A column of the table goes first: a newer one may have what is made here. */
static int name_find(const struct portsock_view *view, const struct portsock_snapshot *snapshot, const char *option,
		     const char *name, enum portsock_view_source *source, int *field, struct portsock_error *error)
{
	char counter[PORTSOCK_COLUMN_NAME_SIZE];

	*source = PORTSOCK_VIEW_FIELD;
	*field = field_find(snapshot, name);
	if (*field >= 0)
		return 0;
	*source = portsock_columns_source(name, counter);
	switch (*source) {
	case PORTSOCK_VIEW_FIELD:
		return name_error(snapshot, option, name, error);
	case PORTSOCK_VIEW_RATE:
	case PORTSOCK_VIEW_AVERAGE:
		*field = field_find(snapshot, counter);
		return watched_check(view, snapshot, option, counter, *source, *field, error);
	case PORTSOCK_VIEW_NETNS:
		return view->options.netns ? 0 :
			portsock_error_set(error, "--%s: '%s' needs --all-netns", option, name);
	default:
		return 0;
	}
}

static int columns_add_list(struct portsock_view *view, const struct portsock_snapshot *snapshot, const char *list,
			    struct portsock_error *error)
{
	char *copy = strdup(list), *rest = copy, *name;
	enum portsock_view_source source;
	int rc = copy ? 0 : no_memory(error);
	int field;

	while (!rc && (name = strsep(&rest, ","))) {
		rc = name_find(view, snapshot, "output", name, &source, &field, error);
		if (!rc)
			rc = column_add(view, snapshot, source, field, PORTSOCK_VIEW_ASKED, error);
	}
	free(copy);

	return rc;
}

static int columns_add_states(struct portsock_view *view, const struct portsock_snapshot *snapshot,
			      struct portsock_error *error)
{
	const struct portsock_column *known;
	unsigned int i;

	for (i = 0; i < snapshot->nr_fields; i++) {
		known = snapshot->fields[i].column;
		if (known && known->kind == PORTSOCK_KIND_STATE &&
		    column_add(view, snapshot, PORTSOCK_VIEW_FIELD, i, PORTSOCK_VIEW_FILLED, error))
			return -1;
	}

	return 0;
}

/* A table of an older module may be without the column. */
static int column_add_known(struct portsock_view *view, const struct portsock_snapshot *snapshot,
			    enum portsock_view_source source, enum portsock_column_id id,
			    enum portsock_view_role role, struct portsock_error *error)
{
	int field = field_find(snapshot, portsock_columns[id].name);

	return field < 0 ? 0 : column_add(view, snapshot, source, field, role, error);
}

static int column_add_made(struct portsock_view *view, const struct portsock_snapshot *snapshot,
			   enum portsock_view_source source, enum portsock_view_role role,
			   struct portsock_error *error)
{
	return column_add(view, snapshot, source, -1, role, error);
}

static int columns_add_rates(struct portsock_view *view, const struct portsock_snapshot *snapshot,
			     struct portsock_error *error)
{
	if (column_add_known(view, snapshot, PORTSOCK_VIEW_RATE, PORTSOCK_COLUMN_OPENED, PORTSOCK_VIEW_ASKED, error) ||
	    column_add_known(view, snapshot, PORTSOCK_VIEW_RATE, PORTSOCK_COLUMN_CLOSED, PORTSOCK_VIEW_ASKED, error))
		return -1;

	return column_add_made(view, snapshot, PORTSOCK_VIEW_RANGE, PORTSOCK_VIEW_FILLED, error);
}

/* A limit says something beside what it limits. */
static void filled_attach(struct portsock_view *view, const struct portsock_snapshot *snapshot,
			  const struct portsock_columns_filled *filled)
{
	struct portsock_view_column *column;

	if (filled->with == filled->id)
		return;
	column = column_find(view, PORTSOCK_VIEW_FIELD, field_find(snapshot, portsock_columns[filled->id].name));
	if (column)
		column->with = column_find(view, PORTSOCK_VIEW_FIELD,
					   field_find(snapshot, portsock_columns[filled->with].name));
}

/* Of what counts those who watch want to see what comes. */
static int columns_add_filled(struct portsock_view *view, const struct portsock_snapshot *snapshot,
			      struct portsock_error *error)
{
	const struct portsock_columns_filled *filled;
	enum portsock_view_source source;

	for (filled = portsock_columns_filled; filled->id != PORTSOCK_COLUMN_NR; filled++) {
		if (filled->watched && !view->options.rates)
			continue;
		source = view->options.rates ? portsock_columns_watched(filled->id) : PORTSOCK_VIEW_FIELD;
		if (column_add_known(view, snapshot, source, filled->id, PORTSOCK_VIEW_FILLED, error))
			return -1;
		filled_attach(view, snapshot, filled);
	}

	return 0;
}

/* Names cost a look into files: only where there may be room for them. */
static int columns_add_owners(struct portsock_view *view, const struct portsock_snapshot *snapshot,
			      struct portsock_error *error)
{
	if (!view->options.width)
		return 0;

	return column_add_known(view, snapshot, PORTSOCK_VIEW_FIELD, PORTSOCK_COLUMN_UID, PORTSOCK_VIEW_ROOM, error) ||
	       column_add_known(view, snapshot, PORTSOCK_VIEW_FIELD, PORTSOCK_COLUMN_COMM, PORTSOCK_VIEW_ROOM, error);
}

static int columns_add_people(struct portsock_view *view, const struct portsock_snapshot *snapshot,
			      struct portsock_error *error)
{
	const char *first = view->options.numeric ? "proto,port,class" : "proto,port,service";

	if (columns_add_list(view, snapshot, first, error) || columns_add_owners(view, snapshot, error) ||
	    column_add_known(view, snapshot, PORTSOCK_VIEW_FIELD, PORTSOCK_COLUMN_SOCKETS, PORTSOCK_VIEW_ASKED, error) ||
	    columns_add_states(view, snapshot, error) ||
	    columns_add_filled(view, snapshot, error) ||
	    (view->options.rates && columns_add_rates(view, snapshot, error)))
		return -1;

	return column_add_known(view, snapshot, PORTSOCK_VIEW_FIELD, PORTSOCK_COLUMN_OPENED, PORTSOCK_VIEW_SPARE, error);
}

static int columns_add_all(struct portsock_view *view, const struct portsock_snapshot *snapshot,
			   struct portsock_error *error)
{
	unsigned int i;

	for (i = 0; i < snapshot->nr_fields; i++) {
		if (column_add(view, snapshot, PORTSOCK_VIEW_FIELD, i, PORTSOCK_VIEW_ASKED, error))
			return -1;
		if (i == snapshot->port && !view->options.numeric &&
		    column_add_made(view, snapshot, PORTSOCK_VIEW_SERVICE, PORTSOCK_VIEW_ASKED, error))
			return -1;
	}

	return view->options.rates ? columns_add_rates(view, snapshot, error) : 0;
}

static int sort_choose(struct portsock_view *view, const struct portsock_snapshot *snapshot,
		       struct portsock_error *error)
{
	char name[PORTSOCK_COLUMN_NAME_SIZE];
	enum portsock_view_source source;
	int field;

	view->descending = portsock_columns_sort(view->options.sort, name);
	if (name_find(view, snapshot, "sort", name, &source, &field, error) ||
	    column_add(view, snapshot, source, field, PORTSOCK_VIEW_SORT, error))
		return -1;
	view->sort = column_find(view, source, field);

	return 0;
}

int portsock_columns_choose(struct portsock_view *view, const struct portsock_snapshot *snapshot,
			    struct portsock_error *error)
{
	const char *list = view->options.columns;
	bool more = list && *list == '+';

	/* Several namespaces have the same ports. */
	if (view->options.netns && (!list || more) &&
	    column_add_made(view, snapshot, PORTSOCK_VIEW_NETNS, PORTSOCK_VIEW_ASKED, error))
		return -1;
	if (view->people && columns_add_people(view, snapshot, error))
		return -1;
	if (view->options.json && (!list || more) && columns_add_all(view, snapshot, error))
		return -1;
	if (list && columns_add_list(view, snapshot, list + more, error))
		return -1;

	return view->options.sort ? sort_choose(view, snapshot, error) : 0;
}
