// SPDX-License-Identifier: GPL-2.0
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <curses.h>

#include "cell.h"
#include "owner.h"
#include "top.h"

/* Lines above the rows: health, totals, what is shown, headings; below them: keys. */
#define LINES_ABOVE	4
#define LINES_BELOW	1
/* Narrower terminals do without sparklines first. */
#define COLS_SPARK	72
/* In front of a row: is it new, is there something to see? */
#define MARGIN		1

enum {
	PAIR_NEW = 1,
	PAIR_ALARM,
};

/* Colors tell nothing that an attribute or a character in the margin does not tell, too. */
static attr_t row_attribute(const struct portsock_top *top, const struct portsock_past *past)
{
	if (!portsock_past_is_new(past))
		return A_NORMAL;

	return top->color ? COLOR_PAIR(PAIR_NEW) : A_BOLD;
}

static attr_t alarm_attribute(const struct portsock_top *top)
{
	return A_BOLD | (top->color ? COLOR_PAIR(PAIR_ALARM) : A_UNDERLINE);
}

static bool cell_alarms(const struct portsock_top_column *column, const struct portsock_past *past)
{
	if (column->source == PORTSOCK_VIEW_RANGE)
		return past->range >= PORTSOCK_RANGE_FULL;
	if (column->source == PORTSOCK_VIEW_FIELD && column->id == PORTSOCK_COLUMN_BACKLOG)
		return past->backlog >= PORTSOCK_BACKLOG_FULL;

	return column->source == PORTSOCK_VIEW_FIELD && column->id == PORTSOCK_COLUMN_CLOSE_WAIT &&
	       portsock_past_grows(past, PORTSOCK_COLUMN_CLOSE_WAIT);
}

static void line_print(int line, attr_t attribute, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static void line_print(int line, attr_t attribute, const char *format, ...)
{
	char text[512];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	attrset(attribute);
	mvaddnstr(line, 0, text, COLS);
	attrset(A_NORMAL);
}

static void health_draw(const struct portsock_top *top)
{
	uint64_t seconds = top->uptime_ms / 1000;

	line_print(0, top->exact ? A_NORMAL : alarm_attribute(top),
		   "portsock  %s  missed %" PRIu64 "  repaired %" PRIu64 "  untracked %" PRIu64
		   "  up %" PRIu64 "d %02u:%02u:%02u", top->exact ? "exact" : "NOT EXACT", top->missed, top->repaired,
		   top->untracked, seconds / 86400, (unsigned int)(seconds / 3600 % 24),
		   (unsigned int)(seconds / 60 % 60), (unsigned int)(seconds % 60));
}

/* On the lines of health and totals, of which there are none. */
static void error_draw(const struct portsock_top *top)
{
	char text[sizeof(top->error.text) + 16];

	snprintf(text, sizeof(text), "portsock: %s", top->error.text);
	attrset(alarm_attribute(top));
	mvaddnstr(0, 0, text, 2 * COLS);
	attrset(A_NORMAL);
}

static void totals_draw(const struct portsock_top *top)
{
	const struct portsock_top_totals *totals = &top->totals;
	char opened[PORTSOCK_CELL_SIZE], closed[PORTSOCK_CELL_SIZE], text[512];
	int used;

	portsock_rate_text(totals->opened, opened);
	portsock_rate_text(totals->closed, closed);
	used = snprintf(text, sizeof(text), "sockets %" PRIu64 "  opened/s %s  closed/s %s  ", totals->sockets, opened, closed);
	mvaddnstr(1, 0, text, COLS);
	if (!*totals->proto || used >= COLS)
		return;
	snprintf(text, sizeof(text), "ephemeral ports %s %" PRIu64 " (%.1f%%)", totals->proto, totals->ports, totals->range);
	attrset(totals->range >= PORTSOCK_RANGE_FULL ? alarm_attribute(top) : A_NORMAL);
	mvaddnstr(1, used, text, COLS - used);
	attrset(A_NORMAL);
}

static const char *netns_text(const struct portsock_top *top)
{
	if (top->show->view.netns)
		return "all";

	return top->show->netns ? top->show->netns : "this";
}

static void status_draw(const struct portsock_top *top)
{
	line_print(2, A_NORMAL, "rows %zu of %zu  netns %s  by %s %s%s%s%s%s%s", top->nr_shown, top->nr_rows, netns_text(top),
		   top->sort < 0 ? "table" : top->columns[top->sort].heading,
		   top->sort < 0 ? "" : top->descending ? "down" : "up",
		   top->show->filter.ends == PORTSOCK_FILTER_REMOTE ? "  remote" : "",
		   top->show->filter.singles ? "  singles" : "", *top->filter ? "  filter " : "", top->filter,
		   top->paused ? "  PAUSED" : "");
}

static bool column_is_shown(const struct portsock_top *top, unsigned int i)
{
	const struct portsock_top_column *column = &top->columns[i];

	if (i >= top->nr_fixed && i < top->nr_fixed + top->first_column)
		return false;
	if (column->spark && COLS < COLS_SPARK)
		return false;

	return !portsock_top_is_idle(top, column);
}

static bool column_is_left(const struct portsock_top *top, const struct portsock_top_column *column)
{
	const struct portsock_column *known = &portsock_columns[column->id];

	return column->source == PORTSOCK_VIEW_SERVICE || column->source == PORTSOCK_VIEW_NETNS ||
	       (column->source == PORTSOCK_VIEW_FIELD && (portsock_column_is_text(known) ||
		(portsock_owner_has_name(known) && !top->show->view.numeric)));
}

/* Those left of a column keep their place, whether they fit or not. */
static void columns_place(struct portsock_top *top)
{
	struct portsock_top_column *column;
	int x = MARGIN;
	unsigned int i;

	for (i = 0; i < top->nr_columns; i++) {
		column = &top->columns[i];
		column->x = -1;
		if (!column_is_shown(top, i))
			continue;
		if (x + column->width <= COLS)
			column->x = x;
		x += column->width + 1;
	}
}

static bool char_is_ascii(char c)
{
	return c >= ' ' && c <= '~';
}

/* mvaddstr() takes several times as long, and is there for the rest. */
static void text_print(int line, int x, attr_t attribute, const char *text)
{
	chtype cells[PORTSOCK_TOP_TEXT];
	int i;

	for (i = 0; char_is_ascii(text[i]); i++)
		cells[i] = (chtype)text[i] | attribute;
	mvaddchnstr(line, x, cells, i);
	if (!text[i])
		return;
	attrset(attribute);
	mvaddstr(line, x + i, text + i);
}

static void cell_print(int line, const struct portsock_top_column *column, attr_t attribute, bool left, const char *text,
		       int length)
{
	text_print(line, left || length > column->width ? column->x : column->x + column->width - length, attribute, text);
}

static void headings_draw(const struct portsock_top *top)
{
	const struct portsock_top_column *column;
	unsigned int i;

	attrset(A_REVERSE);
	mvhline(LINES_ABOVE - 1, 0, ' ', COLS);
	for (i = 0; i < top->nr_columns; i++) {
		column = &top->columns[i];
		if (column->x < 0)
			continue;
		cell_print(LINES_ABOVE - 1, column, A_REVERSE | (top->sort == (int)i ? A_BOLD | A_UNDERLINE : A_NORMAL),
			   column_is_left(top, column), column->heading, strlen(column->heading));
	}
	attrset(A_NORMAL);
}

/* Return: true if a column is too narrow, which it is no more. */
static bool row_draw(struct portsock_top *top, int line, size_t at)
{
	const struct portsock_top_row *row = &top->rows[top->shown[at]];
	attr_t attribute = row_attribute(top, row->past) | (at == top->at ? A_REVERSE : A_NORMAL);
	bool alarms = portsock_past_grows(row->past, PORTSOCK_COLUMN_CLOSE_WAIT) ||
		row->past->range >= PORTSOCK_RANGE_FULL || row->past->backlog >= PORTSOCK_BACKLOG_FULL;
	struct portsock_top_column *column;
	char text[PORTSOCK_TOP_TEXT];
	bool grown = false;
	unsigned int i;
	int length;

	attrset(attribute);
	mvhline(line, 0, ' ', COLS);
	mvaddch(line, 0, alarms ? '!' : portsock_past_is_new(row->past) ? '+' : ' ');
	for (i = 0; i < top->nr_columns; i++) {
		column = &top->columns[i];
		if (column->x < 0)
			continue;
		portsock_top_text(top, column, row, text);
		length = column->spark ? PORTSOCK_TOP_SPARK : (int)strlen(text);
		if (length > column->width) {
			column->width = length;
			grown = true;
		}
		cell_print(line, column, cell_alarms(column, row->past) ? attribute | alarm_attribute(top) : attribute,
			   column->spark || column_is_left(top, column), text, length);
	}
	attrset(A_NORMAL);

	return grown;
}

/* Return: true if that has to be done again, with columns that are wide enough. */
static bool table_draw(struct portsock_top *top)
{
	bool grown = false;
	size_t i;

	columns_place(top);
	headings_draw(top);
	for (i = 0; i < top->page && top->first + i < top->nr_shown; i++)
		grown |= row_draw(top, LINES_ABOVE + i, top->first + i);

	return grown;
}

static void keys_draw(const struct portsock_top *top)
{
	if (top->mode == PORTSOCK_TOP_SEARCH)
		line_print(LINES - 1, A_BOLD, "Search: %s_  (Enter: done, F3: next)%s%s", top->search,
			   *top->message.text ? "  " : "", top->message.text);
	else if (top->mode == PORTSOCK_TOP_FILTER)
		line_print(LINES - 1, A_BOLD, "Filter: %s_  (Enter: done, Esc: no filter)", top->filter);
	else if (*top->message.text)
		line_print(LINES - 1, alarm_attribute(top), "%s", top->message.text);
	else
		line_print(LINES - 1, A_REVERSE, "F1 help  / search  \\ filter  <> sort  n netns  e singles  space pause  q quit");
}

static void menu_draw(const struct portsock_top *top)
{
	const struct portsock_top_menu *menu = &top->menu;
	int height = LINES - LINES_ABOVE - LINES_BELOW - 1;
	size_t first, i;

	if (height < 1)
		return;
	first = menu->at >= (size_t)height ? menu->at - height + 1 : 0;
	line_print(LINES_ABOVE, A_BOLD, " %-40s", top->mode == PORTSOCK_TOP_SORT ? "Sort by (Enter, Esc)" :
		   "Network namespace (Enter, Esc)");
	for (i = 0; i < (size_t)height; i++)
		line_print(LINES_ABOVE + 1 + i, first + i == menu->at ? A_REVERSE : A_NORMAL, "   %-38.*s",
			   (int)sizeof(*menu->items), first + i < menu->nr ? menu->items[first + i] : "");
}

static void help_draw(const struct portsock_top *top)
{
	char text[256];
	int line;

	for (line = 0; line < LINES - LINES_BELOW; line++) {
		if (top->help_first + line >= portsock_top_help_lines())
			break;
		portsock_top_help_line(top->help_first + line, text, sizeof(text));
		line_print(line, *text == ' ' ? A_NORMAL : A_BOLD, "%s", text);
	}
	line_print(LINES - 1, A_REVERSE, "Up and Down: more  any other key: back");
}

void portsock_top_draw(struct portsock_top *top)
{
	top->page = LINES > LINES_ABOVE + LINES_BELOW ? LINES - LINES_ABOVE - LINES_BELOW : 0;
	portsock_top_mark(top, top->at);
	erase();
	if (top->mode == PORTSOCK_TOP_HELP) {
		help_draw(top);
		refresh();
		return;
	}
	if (*top->error.text) {
		error_draw(top);
	} else {
		health_draw(top);
		totals_draw(top);
	}
	status_draw(top);
	while (table_draw(top))
		;
	if (top->mode == PORTSOCK_TOP_SORT || top->mode == PORTSOCK_TOP_NETNS)
		menu_draw(top);
	keys_draw(top);
	refresh();
}

long portsock_top_row_at(const struct portsock_top *top, int line)
{
	size_t row = top->first + line - LINES_ABOVE;

	if (line == LINES_ABOVE - 1)
		return -1;

	return line < LINES_ABOVE || line >= LINES - LINES_BELOW || row >= top->nr_shown ? -2 : (long)row;
}

int portsock_top_column_at(const struct portsock_top *top, int x)
{
	const struct portsock_top_column *column;
	unsigned int i;

	for (i = 0; i < top->nr_columns; i++) {
		column = &top->columns[i];
		if (column->x >= 0 && x >= column->x && x <= column->x + column->width)
			return i;
	}

	return -1;
}
