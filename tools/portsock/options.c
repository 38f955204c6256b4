// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "options.h"

#define SECONDS_MIN	0.1
#define SECONDS_MAX	86400

static int seconds_parse(double *seconds, const char *text, struct portsock_error *error)
{
	char *end;

	*seconds = strtod(text, &end);
	if (end == text || *end || !(*seconds >= SECONDS_MIN && *seconds <= SECONDS_MAX))
		return portsock_error_set(error, "--watch: '%s' is no number of seconds from %g to %d", text, SECONDS_MIN,
					  SECONDS_MAX);

	return 0;
}

static int count_parse(unsigned long *count, const char *text, struct portsock_error *error)
{
	size_t digits = strspn(text, "0123456789");

	*count = strtoul(text, NULL, 10);
	if (!digits || digits > strlen("999999999") || text[digits] || !*count)
		return portsock_error_set(error, "--count: '%s' is no number from 1 to 999999999", text);

	return 0;
}

/* https://no-color.org: any text but an empty one. */
static bool color_wanted(void)
{
	const char *no = getenv("NO_COLOR");
	const char *term = getenv("TERM");

	return isatty(STDOUT_FILENO) && !(no && *no) && !(term && !strcmp(term, "dumb"));
}

static int color_parse(bool *color, const char *when, struct portsock_error *error)
{
	if (!when || !strcmp(when, "always"))
		*color = true;
	else if (!strcmp(when, "auto"))
		*color = color_wanted();
	else if (!strcmp(when, "never"))
		*color = false;
	else
		return portsock_error_set(error, "--color: '%s' is not auto, always or never", when);

	return 0;
}

static int format_parse(struct portsock_show *show, const char *name, struct portsock_error *error)
{
	const struct portsock_format *format;
	char valid[128] = "json";

	show->machine = true;
	show->view.json = !strcmp(name, "json");
	show->format = portsock_format_find(name);
	if (show->format || show->view.json)
		return 0;

	for (format = portsock_formats; format->name; format++)
		snprintf(valid + strlen(valid), sizeof(valid) - strlen(valid), " %s", format->name);

	return portsock_error_set(error, "--format: unknown format '%s' (valid: %s)", name, valid);
}

void portsock_options_init(struct portsock_show *show)
{
	show->view.color = color_wanted();
	show->limit = PORTSOCK_FEED_LIMIT;
}

int portsock_option_take(struct portsock_show *show, int option, struct portsock_error *error)
{
	switch (option) {
	case 'a':
		show->filter.singles = true;
		show->view.singles = true;
		return 0;
	case 'r':
		show->filter.ends = PORTSOCK_FILTER_REMOTE;
		return 0;
	case 'p':
		return portsock_filter_add_protos(&show->filter, optarg, error);
	case 'P':
		return portsock_filter_add_ports(&show->filter, optarg, error);
	case 's':
		return portsock_filter_add_states(&show->filter, optarg, error);
	case 'N':
		show->netns = optarg;
		return 0;
	case 'A':
		show->view.netns = true;
		return 0;
	case 'f':
		show->file = optarg;
		return 0;
	case 'o':
		show->view.columns = optarg;
		return 0;
	case 'n':
		show->view.numeric = true;
		return 0;
	case 'j':
		show->view.json = true;
		return 0;
	case 'F':
		return format_parse(show, optarg, error);
	case 'l':
		return portsock_feed_limit_parse(&show->limit, optarg, error);
	case 'O':
		show->output_file = optarg;
		return 0;
	case 'w':
		show->view.rates = true;
		return seconds_parse(&show->seconds, optarg, error);
	case 'c':
		return count_parse(&show->count, optarg, error);
	case PORTSOCK_OPTION_SORT:
		show->view.sort = optarg;
		return 0;
	case PORTSOCK_OPTION_COLOR:
		return color_parse(&show->view.color, optarg, error);
	}

	return -1;
}

int portsock_options_check(const struct portsock_show *show, const char *rest, const char *command,
			   struct portsock_error *error)
{
	bool is_stdin = !show->netns && !show->view.netns && !strcmp(portsock_source_path(show->file), "-");

	if (rest)
		return portsock_error_set(error, "unexpected argument '%s' (see: %s --help)", rest, command);
	if (show->file && show->netns)
		return portsock_error_set(error, "--file and --netns exclude each other");
	if (show->view.netns && (show->file || show->netns))
		return portsock_error_set(error, "--all-netns and %s exclude each other", show->file ? "--file" : "--netns");
	if (show->view.singles && show->filter.ends == PORTSOCK_FILTER_REMOTE)
		return portsock_error_set(error, "--all and --remote exclude each other");
	if (show->format && (show->view.columns || show->view.singles || show->view.sort || show->view.netns))
		return portsock_error_set(error, "--output, --all, --sort and --all-netns are for tables and JSON only");
	if (show->count && !show->seconds)
		return portsock_error_set(error, "--count needs --watch");
	if (is_stdin && show->seconds)
		return portsock_error_set(error, "--file -: the table is read more than once, stdin cannot be");

	return 0;
}
