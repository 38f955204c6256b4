/* SPDX-License-Identifier: GPL-2.0 */
#ifndef PORTSOCK_SHOW_H
#define PORTSOCK_SHOW_H

#include "libportsock.h"
#include "view.h"

/* Exit status. */
enum portsock_show_status {
	PORTSOCK_SHOW_OK,
	PORTSOCK_SHOW_NO_MATCH,
	PORTSOCK_SHOW_ERROR,
};

/**
 * struct portsock_show - what is to be shown
 * @view: how
 * @filter: which rows
 * @file: a table, NULL for the usual one
 * @netns: the table of this namespace instead, or NULL
 * @seconds: look again so often; 0 for once
 * @count: end after so many looks; 0 for never
 * @machine: for a program, which takes it for granted that nothing may match
 * @format: what agents are told, in this format, instead of @view; or NULL
 * @limit: service rows that agents are told at most
 * @output_file: replaced by what is shown, NULL for stdout
 */
struct portsock_show {
	struct portsock_view_options view;
	struct portsock_filter filter;
	const char *file;
	const char *netns;
	double seconds;
	unsigned long count;
	bool machine;
	const struct portsock_format *format;
	unsigned int limit;
	const char *output_file;
};

/**
 * portsock_show_failed() - say on stderr that stdout could not be written
 *
 * errno says why.
 *
 * Return: exit status.
 */
enum portsock_show_status portsock_show_failed(void);

/**
 * portsock_show() - print the rows, once or again and again
 * @show: what
 *
 * Return: exit status, that of the last look.
 */
enum portsock_show_status portsock_show(struct portsock_show *show);

#endif
