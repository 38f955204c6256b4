// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>
#include <stdlib.h>

#include "top.h"

void portsock_top_menu_close(struct portsock_top *top)
{
	free(top->menu.items);
	free(top->menu.values);
	top->menu = (struct portsock_top_menu) { 0 };
	top->mode = PORTSOCK_TOP_ROWS;
}

static int menu_make(struct portsock_top *top, size_t nr)
{
	top->menu.items = calloc(nr, sizeof(*top->menu.items));
	top->menu.values = calloc(nr, sizeof(*top->menu.values));
	if (top->menu.items && top->menu.values)
		return 0;
	portsock_top_menu_close(top);

	return portsock_error_set(&top->message, "out of memory");
}

void portsock_top_menu_sort(struct portsock_top *top)
{
	unsigned int i;

	if (menu_make(top, top->nr_columns))
		return;
	for (i = 0; i < top->nr_columns; i++) {
		if (top->columns[i].spark || portsock_top_is_idle(top, &top->columns[i]))
			continue;
		if (top->sort == (int)i)
			top->menu.at = top->menu.nr;
		top->menu.values[top->menu.nr] = i;
		snprintf(top->menu.items[top->menu.nr++], sizeof(*top->menu.items), "%s", top->columns[i].heading);
	}
	top->mode = PORTSOCK_TOP_SORT;
}

/* The name of a namespace takes its inode number, which is in its table. */
static void netns_label(const struct portsock_netns_list *list, const struct portsock_netns *netns, char *label,
			size_t size)
{
	static struct portsock_snapshot snapshot;
	struct portsock_source source;
	struct portsock_error error;
	uint64_t inode = 0;

	if (portsock_netns_open(list, netns, &source, &error) > 0) {
		if (!portsock_snapshot_open(&snapshot, source.in, source.name))
			inode = snapshot.netns;
		fclose(source.in);
	}
	portsock_netns_label(list, netns, inode, label, size);
}

static void netns_add(struct portsock_top *top, const struct portsock_netns_list *list)
{
	struct portsock_top_menu *menu = &top->menu;
	char label[32];
	size_t i;

	for (i = 0; i < list->nr; i++) {
		netns_label(list, list->all[i], label, sizeof(label));
		menu->values[menu->nr] = list->all[i]->pid;
		snprintf(menu->items[menu->nr++], sizeof(*menu->items), "%s: process %d, %s", label,
			 (int)list->all[i]->pid, list->all[i]->comm);
	}
}

void portsock_top_menu_netns(struct portsock_top *top)
{
	struct portsock_netns_list list;

	if (!portsock_netns_find(&list, "/proc", PORTSOCK_NETNS_DIR, &top->message) && !menu_make(top, list.nr + 2)) {
		snprintf(top->menu.items[0], sizeof(*top->menu.items), "this one");
		snprintf(top->menu.items[1], sizeof(*top->menu.items), "all");
		top->menu.values[1] = -1;
		top->menu.nr = 2;
		netns_add(top, &list);
		top->mode = PORTSOCK_TOP_NETNS;
	}
	portsock_netns_clear(&list);
}

static void netns_take(struct portsock_top *top, int pid)
{
	struct portsock_top_column sort = top->columns[top->sort < 0 ? 0 : top->sort];
	bool sorted = top->sort >= 0, descending = top->descending;
	unsigned int i;

	snprintf(top->pid, sizeof(top->pid), "%d", pid);
	top->show->netns = pid > 0 ? top->pid : NULL;
	top->show->view.netns = pid < 0;
	/* Rows not known before would be new, and have come since the last look. */
	portsock_history_clear(&top->history);
	top->nr_rows = 0;
	/* They are those that the options named, which were taken before. */
	portsock_top_columns(top, &top->message);
	top->descending = descending;
	top->sort = -1;
	for (i = 0; sorted && i < top->nr_columns; i++)
		if (top->columns[i].source == sort.source && top->columns[i].id == sort.id && !top->columns[i].spark)
			top->sort = i;
}

void portsock_top_menu_take(struct portsock_top *top)
{
	int chosen = top->menu.values[top->menu.at];

	if (top->mode == PORTSOCK_TOP_SORT)
		top->sort = chosen;
	else
		netns_take(top, chosen);
	portsock_top_menu_close(top);
}
