/* SPDX-License-Identifier: GPL-2.0 */
#ifndef PORTSOCK_OPTIONS_H
#define PORTSOCK_OPTIONS_H

#include <getopt.h>

#include "show.h"

/* Options without a letter. */
enum portsock_option {
	PORTSOCK_OPTION_SORT = 256,
	PORTSOCK_OPTION_COLOR,
};

/* For getopt_long(): what portsock and portsock top both have. */
#define PORTSOCK_OPTIONS \
	{ "all",       no_argument,	  NULL, 'a' }, \
	{ "remote",    no_argument,	  NULL, 'r' }, \
	{ "proto",     required_argument, NULL, 'p' }, \
	{ "port",      required_argument, NULL, 'P' }, \
	{ "state",     required_argument, NULL, 's' }, \
	{ "netns",     required_argument, NULL, 'N' }, \
	{ "all-netns", no_argument,	  NULL, 'A' }, \
	{ "file",      required_argument, NULL, 'f' }, \
	{ "output",    required_argument, NULL, 'o' }, \
	{ "numeric",   no_argument,	  NULL, 'n' }, \
	{ "watch",     required_argument, NULL, 'w' }, \
	{ "sort",      required_argument, NULL, PORTSOCK_OPTION_SORT }, \
	{ "color",     optional_argument, NULL, PORTSOCK_OPTION_COLOR }, \
	{ "help",      no_argument,	  NULL, 'h' }

/**
 * portsock_options_init() - what holds without options
 * @show: all zero, to be changed
 */
void portsock_options_init(struct portsock_show *show);

/**
 * portsock_option_take() - take an option that getopt_long() returned
 * @show: to be changed
 * @option: the letter, or one of enum portsock_option; its argument is optarg
 * @error: set on failure
 *
 * Return: 0, or -1 for an argument that cannot be; @error is empty where getopt_long() has told already.
 */
int portsock_option_take(struct portsock_show *show, int option, struct portsock_error *error);

/**
 * portsock_options_check() - do the options go together, and is that all?
 * @show: all options taken
 * @rest: first of the arguments that are no options, NULL if there is none
 * @command: what to call with --help
 * @error: set on failure
 *
 * Return: 0, or -1 if not.
 */
int portsock_options_check(const struct portsock_show *show, const char *rest, const char *command,
			   struct portsock_error *error);

#endif
