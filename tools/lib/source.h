/* SPDX-License-Identifier: GPL-2.0 */
#ifndef PORTSOCK_SOURCE_H
#define PORTSOCK_SOURCE_H

#include <stdio.h>

#include "error.h"

#define PORTSOCK_PROC		"/proc/portsock"
#define PORTSOCK_NETNS_DIR	"/run/netns"

/**
 * struct portsock_source - where a table is read from
 * @in: open for reading; the caller closes it
 * @name: its path, for messages
 */
struct portsock_source {
	FILE *in;
	char name[256];
};

/**
 * portsock_source_path() - where to read this namespace's table
 * @file: what the user asked for, or NULL
 *
 * Return: @file, or else $PORTSOCK_FILE, or else PORTSOCK_PROC.
 */
const char *portsock_source_path(const char *file);

/**
 * portsock_source_open() - open a table by its path
 * @source: to be filled
 * @path: PORTSOCK_PROC, a captured table, or "-" for stdin
 * @error: set on failure
 *
 * Return: 0, or -1 if it cannot be opened, with errno set.
 */
int portsock_source_open(struct portsock_source *source, const char *path, struct portsock_error *error);

/**
 * portsock_source_enter() - make another network namespace that of this process
 * @netns: process ID, or a name below /run/netns
 * @error: set on failure
 *
 * Takes CAP_SYS_ADMIN. PORTSOCK_PROC and new sockets are those of the namespace then.
 *
 * Return: 0, or -1 if there is no such namespace or it cannot be entered.
 */
int portsock_source_enter(const char *netns, struct portsock_error *error);

/**
 * portsock_source_open_netns() - open the table of another network namespace
 * @source: to be filled
 * @netns: process ID, or a name below /run/netns
 * @error: set on failure
 *
 * For a name the calling thread enters the namespace meanwhile, which takes CAP_SYS_ADMIN.
 *
 * Return: 0, or -1 if there is no such namespace or it cannot be entered or read.
 */
int portsock_source_open_netns(struct portsock_source *source, const char *netns,
			       struct portsock_error *error);

#endif
