// SPDX-License-Identifier: GPL-2.0
#include <ctype.h>
#include <string.h>

#include <curses.h>

#include "top.h"

#define KEY_ESCAPE	27
#define KEY_RETURN	'\n'
#define KEY_RUBOUT	127

static bool key_ends_text(int key)
{
	return key == KEY_RETURN || key == KEY_ENTER || key == KEY_ESCAPE;
}

/* Type into a text of @size bytes. */
static void text_key(char *text, size_t size, int key)
{
	size_t length = strlen(text);

	if ((key == KEY_BACKSPACE || key == KEY_RUBOUT || key == '\b') && length)
		text[length - 1] = '\0';
	else if (key < 128 && isprint(key) && length + 1 < size)
		memcpy(text + length, (char []) { key, '\0' }, 2);
}

static void search_key(struct portsock_top *top, int key)
{
	if (key == KEY_F(3)) {
		portsock_top_search(top, top->at + 1);
	} else if (key_ends_text(key)) {
		top->mode = PORTSOCK_TOP_ROWS;
	} else {
		text_key(top->search, sizeof(top->search), key);
		portsock_top_search(top, top->at);
	}
}

static void filter_key(struct portsock_top *top, int key)
{
	if (key == KEY_ESCAPE)
		*top->filter = '\0';
	if (key_ends_text(key))
		top->mode = PORTSOCK_TOP_ROWS;
	else
		text_key(top->filter, sizeof(top->filter), key);
	portsock_top_arrange(top);
}

/* Return: true if the tables are to be read again. */
static bool menu_key(struct portsock_top *top, int key)
{
	bool netns = top->mode == PORTSOCK_TOP_NETNS;

	if (key == KEY_UP && top->menu.at)
		top->menu.at--;
	else if (key == KEY_DOWN && top->menu.at + 1 < top->menu.nr)
		top->menu.at++;
	else if (key == KEY_ESCAPE || key == 'q')
		portsock_top_menu_close(top);
	if (key != KEY_RETURN && key != KEY_ENTER)
		return false;
	portsock_top_menu_take(top);
	portsock_top_arrange(top);

	return netns;
}

static void help_key(struct portsock_top *top, int key)
{
	if (key == KEY_UP && top->help_first)
		top->help_first--;
	else if ((key == KEY_DOWN || key == KEY_NPAGE) && top->help_first + top->page < portsock_top_help_lines())
		top->help_first++;
	else if (key != KEY_UP && key != KEY_DOWN && key != KEY_NPAGE && key != KEY_RESIZE)
		top->mode = PORTSOCK_TOP_ROWS;
}

/* The next column to the left or right that can be sorted by. */
static void sort_move(struct portsock_top *top, int step)
{
	int column = top->sort;

	do
		column += step;
	while (column >= 0 && column < (int)top->nr_columns &&
	       (top->columns[column].spark || portsock_top_is_idle(top, &top->columns[column])));
	if (column >= 0 && column < (int)top->nr_columns)
		top->sort = column;
	portsock_top_arrange(top);
}

static void column_click(struct portsock_top *top, int column)
{
	if (column < 0 || top->columns[column].spark)
		return;
	if (top->sort == column)
		top->descending = !top->descending;
	top->sort = column;
	portsock_top_arrange(top);
}

static void mouse_key(struct portsock_top *top)
{
	MEVENT event;
	long row;

	if (getmouse(&event) != OK)
		return;
	if (event.bstate & BUTTON4_PRESSED) {
		portsock_top_mark(top, (long)top->at - 3);
	} else if (event.bstate & BUTTON5_PRESSED) {
		portsock_top_mark(top, (long)top->at + 3);
	} else {
		row = portsock_top_row_at(top, event.y);
		if (row >= 0)
			portsock_top_mark(top, row);
		else if (row == -1)
			column_click(top, portsock_top_column_at(top, event.x));
	}
}

/* Return: true if the key moved the mark or the columns. */
static bool move_key(struct portsock_top *top, int key)
{
	long at = top->at, page = top->page;

	switch (key) {
	case KEY_UP:
	case 'k':
		portsock_top_mark(top, at - 1);
		return true;
	case KEY_DOWN:
	case 'j':
		portsock_top_mark(top, at + 1);
		return true;
	case KEY_PPAGE:
		portsock_top_mark(top, at - page);
		return true;
	case KEY_NPAGE:
		portsock_top_mark(top, at + page);
		return true;
	case KEY_HOME:
		portsock_top_mark(top, 0);
		return true;
	case KEY_END:
		portsock_top_mark(top, top->nr_shown);
		return true;
	case KEY_LEFT:
		top->first_column -= top->first_column > 0;
		return true;
	case KEY_RIGHT:
		top->first_column += top->nr_fixed + top->first_column + 1 < top->nr_columns;
		return true;
	}

	return false;
}

/* Return: true if the tables are to be read again. */
static bool rows_key(struct portsock_top *top, int key)
{
	switch (key) {
	case 'q':
	case KEY_F(10):
		top->quit = true;
		break;
	case 'h':
	case '?':
	case KEY_F(1):
		top->help_first = 0;
		top->mode = PORTSOCK_TOP_HELP;
		break;
	case '/':
		*top->search = '\0';
		top->mode = PORTSOCK_TOP_SEARCH;
		break;
	case KEY_F(3):
		if (*top->search)
			portsock_top_search(top, top->at + 1);
		else
			top->mode = PORTSOCK_TOP_SEARCH;
		break;
	case '\\':
	case KEY_F(4):
		top->mode = PORTSOCK_TOP_FILTER;
		break;
	case '<':
		sort_move(top, -1);
		break;
	case '>':
		sort_move(top, 1);
		break;
	case KEY_F(6):
		portsock_top_menu_sort(top);
		break;
	case 'I':
		top->descending = !top->descending;
		portsock_top_arrange(top);
		break;
	case 'n':
	case KEY_F(5):
		portsock_top_menu_netns(top);
		break;
	case 'e':
		/* They are local ports. */
		if (top->show->filter.ends == PORTSOCK_FILTER_REMOTE)
			break;
		top->show->filter.singles = !top->show->filter.singles;
		return true;
	case ' ':
		top->paused = !top->paused;
		return !top->paused;
	case KEY_MOUSE:
		mouse_key(top);
		break;
	}

	return false;
}

bool portsock_top_key(struct portsock_top *top, int key)
{
	*top->message.text = '\0';
	switch (top->mode) {
	case PORTSOCK_TOP_SEARCH:
		search_key(top, key);
		return false;
	case PORTSOCK_TOP_FILTER:
		filter_key(top, key);
		return false;
	case PORTSOCK_TOP_SORT:
	case PORTSOCK_TOP_NETNS:
		return menu_key(top, key);
	case PORTSOCK_TOP_HELP:
		help_key(top, key);
		return false;
	case PORTSOCK_TOP_ROWS:
		break;
	}

	return !move_key(top, key) && rows_key(top, key);
}
