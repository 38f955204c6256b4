// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "snapshot.h"

#define BLANKS " \t"
#define PORT_MAX 65535
/* So many fit a u64, whatever they are. */
#define DIGITS_SAFE 19

#define KEY_NAME(name, ...) #name,
static const char * const health_numbers[] = { PORTSOCK_KEYS(KEY_NAME) };

#define CLASS_NAME(id, name, ...) #name,
static const char * const class_names[] = { PORTSOCK_CLASSES(CLASS_NAME) };

#define fail(snapshot, format, ...)							\
	portsock_error_set(&(snapshot)->error, "%s: line %lu: " format,			\
			   (snapshot)->name, (snapshot)->line, ##__VA_ARGS__)

/* Process names may hold anything: keep terminals and JSON safe from it. */
static void text_clean(char *text)
{
	for (; *text; text++)
		if ((unsigned char)(*text - ' ') > '~' - ' ' && *text != '\t')
			*text = '?';
}

/* Return: 1 for a line, without its newline, 0 at the end, -1 on failure. */
static int line_read(struct portsock_snapshot *snapshot, char *text)
{
	size_t length;

	errno = 0;
	snapshot->line++;
	if (!fgets(text, PORTSOCK_LINE_MAX, snapshot->in)) {
		if (!ferror(snapshot->in))
			return 0;
		return portsock_error_set(&snapshot->error, "%s: read failed: %s", snapshot->name,
					  strerror(errno));
	}

	length = strlen(text);
	if (!length || text[length - 1] != '\n') {
		if (feof(snapshot->in))
			return fail(snapshot, "cut off: the table is not complete, capture it again");
		return fail(snapshot, "longer than %d bytes or not text: not a portsock table",
			    PORTSOCK_LINE_MAX - 2);
	}
	text[length - 1] = '\0';

	return 1;
}

/* Return: what is behind the digits, NULL if there are none or too many, or zeros in front. */
static const char *digits_read(uint64_t *number, const char *text)
{
	const char *digit = text;

	for (*number = 0; *digit >= '0' && *digit <= '9'; digit++)
		if (__builtin_mul_overflow(*number, 10, number) || __builtin_add_overflow(*number, *digit - '0', number))
			return NULL;

	return digit == text || (*text == '0' && digit != text + 1) ? NULL : digit;
}

static struct portsock_value value_parse(const char *text)
{
	struct portsock_value value = { .text = text };
	uint64_t number;
	const char *end = digits_read(&number, text);

	if (!end || *end)
		return value;
	value.number = number;
	value.is_number = true;

	return value;
}

/* Names and values of line 1 and 2 go into JSON as they are. */
static bool word_is_plain(const char *word)
{
	return !strpbrk(word, "\"\\?");
}

static int health_pair_parse(struct portsock_snapshot *snapshot, const char *key, const char *text)
{
	struct portsock_pair *pair = &snapshot->pairs[snapshot->nr_pairs];
	size_t i;

	if (!text)
		return fail(snapshot, "'%s' has no value", key);
	if (!word_is_plain(key) || !word_is_plain(text))
		return fail(snapshot, "'%s %s' is garbage", key, text);
	for (i = 0; i < snapshot->nr_pairs; i++)
		if (!strcmp(snapshot->pairs[i].key, key))
			return fail(snapshot, "'%s' is there twice", key);
	if (snapshot->nr_pairs == PORTSOCK_PAIRS_MAX)
		return fail(snapshot, "more than %d keys", PORTSOCK_PAIRS_MAX);

	pair->key = key;
	pair->value = value_parse(text);
	for (i = 0; i < sizeof(health_numbers) / sizeof(*health_numbers); i++)
		if (!strcmp(health_numbers[i], key) && !pair->value.is_number)
			return fail(snapshot, "%s '%s' is not a number", key, text);
	snapshot->nr_pairs++;

	return 0;
}

static const struct portsock_pair *health_pair(const struct portsock_snapshot *snapshot, const char *key)
{
	unsigned int i;

	for (i = 0; i < snapshot->nr_pairs; i++)
		if (!strcmp(snapshot->pairs[i].key, key))
			return &snapshot->pairs[i];

	return NULL;
}

static int format_check(struct portsock_snapshot *snapshot, const char *text)
{
	struct portsock_value format = value_parse(text);

	if (!format.is_number || !format.number)
		return fail(snapshot, "format '%s' is not a number from 1", text);
	if (format.number > PORTSOCK_FORMAT)
		return fail(snapshot, "format %" PRIu64 " is newer than this reader (%d): update portsock",
			    format.number, PORTSOCK_FORMAT);

	return 0;
}

static int health_read(struct portsock_snapshot *snapshot)
{
	const struct portsock_pair *exact;
	char *word, *rest;
	int rc;

	rc = line_read(snapshot, snapshot->health_text);
	if (rc < 0)
		return rc;
	if (!rc)
		return portsock_error_set(&snapshot->error, "%s: empty: not a portsock table", snapshot->name);

	text_clean(snapshot->health_text);
	word = strtok_r(snapshot->health_text, BLANKS, &rest);
	if (!word || strcmp(word, "portsock"))
		return fail(snapshot, "not a portsock table: begins with '%.40s' instead of 'portsock %d'",
			    word ? word : "", PORTSOCK_FORMAT);
	word = strtok_r(NULL, BLANKS, &rest);
	if (!word)
		return fail(snapshot, "the format number is missing");
	if (format_check(snapshot, word))
		return -1;

	while ((word = strtok_r(NULL, BLANKS, &rest)))
		if (health_pair_parse(snapshot, word, strtok_r(NULL, BLANKS, &rest)))
			return -1;

	exact = health_pair(snapshot, "exact");
	if (!exact || exact->value.number > 1)
		return fail(snapshot, "'exact 0' or 'exact 1' is missing");
	snapshot->netns = portsock_snapshot_health(snapshot, "netns");
	snapshot->uptime_ms = portsock_snapshot_health(snapshot, "uptime_ms");

	return 0;
}

static int field_index(const struct portsock_snapshot *snapshot, const char *name)
{
	unsigned int i;

	for (i = 0; i < snapshot->nr_fields; i++)
		if (!strcmp(snapshot->fields[i].name, name))
			return i;

	return -1;
}

static struct portsock_field field_of(const char *name)
{
	const struct portsock_column *column = portsock_column_find(name);
	size_t id = column ? (size_t)(column - portsock_columns) : PORTSOCK_COLUMN_NR;

	return (struct portsock_field) {
		.name = name,
		.column = column,
		.id = id < PORTSOCK_COLUMN_NR ? id : PORTSOCK_COLUMN_NR,
		.use = portsock_column_is_number(column) ? PORTSOCK_FIELD_NUMBER : PORTSOCK_FIELD_WORDS,
	};
}

static int fields_read(struct portsock_snapshot *snapshot)
{
	const struct portsock_column *column;
	char *word, *rest;
	int rc;

	rc = line_read(snapshot, snapshot->field_text);
	if (rc < 0)
		return rc;

	text_clean(snapshot->field_text);
	word = rc ? strtok_r(snapshot->field_text, BLANKS, &rest) : NULL;
	if (!word)
		return fail(snapshot, "the column names are missing");
	for (; word; word = strtok_r(NULL, BLANKS, &rest)) {
		if (!word_is_plain(word))
			return fail(snapshot, "column '%s' is garbage", word);
		if (field_index(snapshot, word) >= 0)
			return fail(snapshot, "column '%s' is there twice", word);
		if (snapshot->nr_fields == PORTSOCK_CELLS_MAX)
			return fail(snapshot, "more than %d columns", PORTSOCK_CELLS_MAX);
		snapshot->fields[snapshot->nr_fields++] = field_of(word);
	}
	snapshot->nr_read = snapshot->nr_fields;

	for (column = portsock_columns; column->name; column++)
		if (column->kind == PORTSOCK_KIND_IDENTITY && field_index(snapshot, column->name) < 0)
			return fail(snapshot, "column '%s' is missing", column->name);
	snapshot->proto = field_index(snapshot, "proto");
	snapshot->port = field_index(snapshot, "port");
	snapshot->class = field_index(snapshot, "class");
	snapshot->backlog = field_index(snapshot, "backlog");
	snapshot->backlog_max = field_index(snapshot, "backlog_max");
	/* Process names hold blanks. */
	snapshot->rest = field_index(snapshot, "comm");
	if (snapshot->rest != (int)snapshot->nr_fields - 1)
		snapshot->rest = -1;

	return 0;
}

int portsock_snapshot_open(struct portsock_snapshot *snapshot, FILE *in, const char *name)
{
	*snapshot = (struct portsock_snapshot) { .in = in, .name = name };

	if (health_read(snapshot))
		return -1;

	return fields_read(snapshot);
}

void portsock_snapshot_want(struct portsock_snapshot *snapshot, uint64_t columns)
{
	struct portsock_field *field;
	unsigned int i;

	for (i = 0; i < snapshot->nr_fields; i++) {
		field = &snapshot->fields[i];
		if (columns & portsock_column_bit(field->column) ||
		    (field->column && field->column->kind == PORTSOCK_KIND_IDENTITY)) {
			snapshot->nr_read = i + 1;
			continue;
		}
		field->use = PORTSOCK_FIELD_PASSED;
		snapshot->cells[i] = (struct portsock_value) { .text = "-" };
	}
}

int portsock_histogram_parse(uint64_t numbers[PORTSOCK_HISTOGRAM_NR], const char *text)
{
	unsigned int i;

	for (i = 0; i < PORTSOCK_HISTOGRAM_NR; i++) {
		text = digits_read(&numbers[i], text);
		if (!text || *text != (i + 1 < PORTSOCK_HISTOGRAM_NR ? ',' : '\0'))
			return -1;
		text++;
	}

	return 0;
}

static int histogram_check(struct portsock_snapshot *snapshot, const struct portsock_column *column, const char *text)
{
	uint64_t numbers[PORTSOCK_HISTOGRAM_NR];

	if (!strcmp(text, "-") || !portsock_histogram_parse(numbers, text))
		return 0;

	return fail(snapshot, "%s '%.40s' is not a list of %d numbers", column->name, text, PORTSOCK_HISTOGRAM_NR);
}

/* One that is neither a number nor without an answer, or the port. */
static int cell_check(struct portsock_snapshot *snapshot, unsigned int i)
{
	const struct portsock_column *column = snapshot->fields[i].column;
	const struct portsock_value *cell = &snapshot->cells[i];

	if (!column || portsock_column_is_text(column))
		return 0;
	if (i == snapshot->port) {
		if (strcmp(cell->text, "*") && (!cell->is_number || cell->number > PORT_MAX))
			return fail(snapshot, "port '%s' is neither 0-%d nor '*'", cell->text, PORT_MAX);
		return 0;
	}
	if (column->kind == PORTSOCK_KIND_HISTOGRAM)
		return histogram_check(snapshot, column, cell->text);

	return fail(snapshot, "%s '%s' is not a 64-bit number", column->name, cell->text);
}

static int class_find(const char *name)
{
	size_t i;

	for (i = 0; i < sizeof(class_names) / sizeof(*class_names); i++)
		if (!strcmp(class_names[i], name))
			return i;

	return -1;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static char *word_end(char *text)
{
	while (*text && !is_blank(*text))
		text++;

	return text;
}

/* Histograms are long, and there is something faster than a loop for these; other words are short. */
static char *word_pass(const struct portsock_field *field, char *text)
{
	bool is_long = field->column && field->column->kind == PORTSOCK_KIND_HISTOGRAM;

	return is_long ? text + strcspn(text, BLANKS) : word_end(text);
}

/* Return: what is behind the end of a word, which is now that of a string. */
static char *word_cut(char *end)
{
	if (*end)
		*end++ = '\0';

	return end;
}

/* Every cell of every row comes by. Return: what is behind the number that @text begins with, NULL if it is none. */
static inline char *number_read(struct portsock_value *cell, char *text)
{
	char *end = text;
	uint64_t number = 0;
	unsigned int digit;

	for (; (digit = (unsigned char)*end - '0') <= 9; end++)
		number = 10 * number + digit;
	if ((*end && !is_blank(*end)) || (size_t)(end - text - 1) >= DIGITS_SAFE || (*text == '0' && end != text + 1))
		return NULL;
	*cell = (struct portsock_value) { .text = text, .number = number, .is_number = true };

	return word_cut(end);
}

static bool has_no_answer(const char *text)
{
	return text[0] == '-' && (!text[1] || is_blank(text[1]));
}

/* Return: what is behind the cell that @text begins with, NULL on failure. */
static char *cell_read(struct portsock_snapshot *snapshot, unsigned int i, char *text)
{
	bool number = snapshot->fields[i].use == PORTSOCK_FIELD_NUMBER;
	struct portsock_value *cell = &snapshot->cells[i];
	char *rest;

	if (number && has_no_answer(text)) {
		*cell = (struct portsock_value) { .text = text };
		return word_cut(text + 1);
	}
	rest = (int)i == snapshot->rest ? strchr(text, '\0') : word_cut(word_end(text));
	text_clean(text);
	*cell = value_parse(text);
	if (number && cell->is_number)
		return rest;

	return cell_check(snapshot, i) ? NULL : rest;
}

/* Return: what is behind the cell that @text begins with, NULL on failure. */
static inline char *field_read(struct portsock_snapshot *snapshot, unsigned int i, char *text)
{
	enum portsock_field_use use = snapshot->fields[i].use;
	char *rest = use == PORTSOCK_FIELD_NUMBER ? number_read(&snapshot->cells[i], text) : NULL;

	if (rest)
		return rest;

	return use == PORTSOCK_FIELD_PASSED ? word_pass(&snapshot->fields[i], text) : cell_read(snapshot, i, text);
}

int portsock_snapshot_next(struct portsock_snapshot *snapshot)
{
	unsigned int i, nr = snapshot->nr_read;
	char *text = snapshot->row_text;
	int rc;

	rc = line_read(snapshot, text);
	if (rc <= 0)
		return rc;

	for (i = 0; i < nr; i++) {
		while (is_blank(*text))
			text++;
		if (!*text)
			return fail(snapshot, "%u values for %u columns", i, snapshot->nr_fields);
		text = field_read(snapshot, i, text);
		if (!text)
			return -1;
	}
	if (nr == snapshot->nr_fields && text[strspn(text, BLANKS)])
		return fail(snapshot, "more values than the %u columns", nr);
	snapshot->row_class = class_find(snapshot->cells[snapshot->class].text);

	return 1;
}

bool portsock_snapshot_is(const struct portsock_snapshot *snapshot, enum portsock_class class)
{
	return snapshot->row_class == (int)class;
}

bool portsock_snapshot_is_total(const struct portsock_snapshot *snapshot)
{
	return portsock_snapshot_is(snapshot, PORTSOCK_EPHEMERAL) && !snapshot->cells[snapshot->port].is_number;
}

bool portsock_snapshot_is_single(const struct portsock_snapshot *snapshot)
{
	return portsock_snapshot_is(snapshot, PORTSOCK_EPHEMERAL) && snapshot->cells[snapshot->port].is_number;
}

bool portsock_snapshot_is_remote_total(const struct portsock_snapshot *snapshot)
{
	return portsock_snapshot_is(snapshot, PORTSOCK_REMOTE) && !snapshot->cells[snapshot->port].is_number;
}

bool portsock_snapshot_knows(const struct portsock_snapshot *snapshot)
{
	return snapshot->row_class >= 0;
}

uint64_t portsock_snapshot_health(const struct portsock_snapshot *snapshot, const char *key)
{
	const struct portsock_pair *pair = health_pair(snapshot, key);

	return pair ? pair->value.number : 0;
}

double portsock_snapshot_range(const struct portsock_snapshot *snapshot)
{
	uint64_t min, max;
	int ports;

	if (!portsock_snapshot_is_total(snapshot))
		return -1;
	min = portsock_snapshot_health(snapshot, "port_min");
	max = portsock_snapshot_health(snapshot, "port_max");
	ports = field_index(snapshot, "ports");
	if (ports < 0 || !snapshot->cells[ports].is_number || !max || max < min)
		return -1;

	return 100.0 * snapshot->cells[ports].number / (max - min + 1);
}

double portsock_snapshot_backlog(const struct portsock_snapshot *snapshot)
{
	const struct portsock_value *waiting, *limit;

	if (snapshot->backlog < 0 || snapshot->backlog_max < 0)
		return -1;
	waiting = &snapshot->cells[snapshot->backlog];
	limit = &snapshot->cells[snapshot->backlog_max];
	if (!waiting->is_number || !limit->is_number)
		return -1;

	return 100.0 * waiting->number / (limit->number + 1.0);
}
