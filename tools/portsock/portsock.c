// SPDX-License-Identifier: GPL-2.0
/*
 * portsock - show the sockets held by each local port
 */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "check.h"
#include "libportsock.h"
#include "view.h"

enum {
	STATUS_OK,
	STATUS_NO_MATCH,
	STATUS_ERROR,
};

struct request {
	struct portsock_view_options view;
	struct portsock_filter filter;
	const char *file;
	const char *netns;
	/* Of --format: what is for agents, NULL for JSON. */
	const struct portsock_format *format;
	bool machine;
	unsigned int limit;
	const char *output_file;
};

static const char usage_text[] =
"Usage: portsock [options]\n"
"       portsock check [options]\n"
"Show how many sockets each local port holds, and in which states; check compares\n"
"that with what the kernel's sock_diag says (see: portsock check --help).\n"
"\n"
"  -a, --all              single ephemeral ports, too, not just their totals (*)\n"
"  -p, --proto LIST       only these protocols: tcp,udp\n"
"  -P, --port LIST        only these ports: 80,https,8000-8999; those no service\n"
"                         holds are looked for among the single ephemeral ones\n"
"  -s, --state LIST       only rows with sockets in any of these: close_wait,listen\n"
"  -N, --netns PID|NAME   another network namespace: a process's, or /run/netns/NAME\n"
"  -f, --file FILE        a captured table instead of " PORTSOCK_PROC "; - is stdin\n"
"  -o, --output LIST      these columns in this order; +LIST adds to the usual ones\n"
"  -n, --numeric          no service names\n"
"  -j, --json             JSON: all columns unless -o; a total's port is null\n"
"  -F, --format NAME      for programs: prometheus, openmetrics, influx, collectd,\n"
"                         csv or json; nothing matched is fine then\n"
"  -l, --limit COUNT      with --format, but for json: at most so many service\n"
"                         rows, listeners first; 500 unless given\n"
"  -O, --output-file FILE replace FILE by the output, at once or not at all\n"
"  -h, --help             this text\n"
"  -V, --version          the version\n"
"\n"
"Columns, their kinds (--state takes those of kind state) and what they tell:\n";

static const char usage_end[] =
"\n"
"Environment: PORTSOCK_FILE is the default of --file.\n"
"Exit status: 0 fine, 1 nothing matched, 2 wrong usage or could not read or write.\n";

static void error_print(const struct portsock_error *error)
{
	fprintf(stderr, "portsock: %s\n", error->text);
}

static int output_failed(void)
{
	/* Whoever closed the pipe, like head(1), has seen enough. */
	if (errno == EPIPE)
		return STATUS_OK;
	fprintf(stderr, "portsock: write failed: %s\n", strerror(errno));

	return STATUS_ERROR;
}

static int output_print(const char *text)
{
	errno = 0;
	if (fputs(text, stdout) == EOF || fflush(stdout))
		return output_failed();

	return STATUS_OK;
}

/* Return: exit status. */
static int request_print(const struct request *request, const char *text)
{
	struct portsock_error error;

	if (!request->output_file)
		return output_print(text);
	if (!portsock_output_replace(request->output_file, text, &error))
		return STATUS_OK;
	error_print(&error);

	return STATUS_ERROR;
}

/* Readers and modules of any versions go together; who asks for one may want to know both. */
static int version_print(void)
{
	char module[64] = "";
	FILE *in = fopen("/sys/module/portsock/version", "re");

	errno = 0;
	puts("portsock " PORTSOCK_VERSION);
	if (in) {
		if (fscanf(in, "%63s", module) == 1 && strcmp(module, PORTSOCK_VERSION))
			printf("The module that is loaded has another version: %s\n", module);
		fclose(in);
	}
	if (fflush(stdout) || ferror(stdout))
		return output_failed();

	return STATUS_OK;
}

static void column_help(const char *name, const char *kind, const char *help)
{
	printf("  %-11s  %-8s  %s\n", name, kind, help);
}

static int usage_print(void)
{
#define KIND_NAME(id, name, ...) #name,
	static const char * const kinds[] = { PORTSOCK_KINDS(KIND_NAME) };
#define CLASS_HELP(id, name, help) { #name, help },
	static const struct {
		const char *name, *help;
	} classes[] = { PORTSOCK_CLASSES(CLASS_HELP) };
	const struct portsock_column *column;
	size_t i;

	errno = 0;
	fputs(usage_text, stdout);
	for (column = portsock_columns; column->name; column++) {
		column_help(column->name, kinds[column->kind], column->help);
		if (column == &portsock_columns[PORTSOCK_COLUMN_PORT])
			column_help("service", kinds[PORTSOCK_KIND_TEXT], "name of the port");
	}
	puts("\nClasses of rows:");
	for (i = 0; i < sizeof(classes) / sizeof(*classes); i++)
		printf("  %-11s  %s\n", classes[i].name, classes[i].help);
	fputs(usage_end, stdout);
	if (fflush(stdout) || ferror(stdout))
		return output_failed();

	return STATUS_OK;
}

/* The counts of a table that lost something are no secret: say so where scripts do not read. */
static void health_warn(const struct portsock_snapshot *snapshot)
{
	uint64_t untracked = portsock_snapshot_health(snapshot, "untracked");
	uint64_t repaired = portsock_snapshot_health(snapshot, "repaired");
	uint64_t missed = portsock_snapshot_health(snapshot, "missed");
	bool exact = portsock_snapshot_health(snapshot, "exact");

	if (exact && !missed && !untracked)
		return;

	fprintf(stderr,
		"portsock: %s (missed %" PRIu64 ", repaired %" PRIu64 ", untracked %" PRIu64 ")\n",
		exact ? "sockets and states are exact, but short-lived ones may be missing in opened and closed" :
			"not exact at the moment: counts may be off until the next repair",
		missed, repaired, untracked);
}

static int source_open(const struct request *request, struct portsock_source *source,
		       struct portsock_error *error)
{
	if (request->netns)
		return portsock_source_open_netns(source, request->netns, error);

	return portsock_source_open(source, portsock_source_path(request->file), error);
}

/* Return: 0 with all matching rows in @view, -1 with @error set. */
static int rows_read(struct portsock_snapshot *snapshot, struct portsock_filter *filter,
		     struct portsock_view *view, struct portsock_error *error)
{
	bool in_singles = false;
	int rc;

	while ((rc = portsock_snapshot_next(snapshot)) > 0) {
		if (!in_singles && portsock_snapshot_is_single(snapshot)) {
			if (!portsock_filter_needs_singles(filter))
				return 0;
			in_singles = true;
		}
		if (portsock_filter_match(filter, snapshot) && portsock_view_add(view, snapshot, error))
			return -1;
	}
	if (rc)
		*error = snapshot->error;

	return rc;
}

static int view_print(struct portsock_view *view, const struct portsock_snapshot *snapshot,
		      const struct request *request, struct portsock_error *error)
{
	bool no_match = !view->nr_rows && portsock_filter_is_set(&request->filter) && !request->machine;
	int status;
	char *text;

	if (!request->view.json)
		health_warn(snapshot);
	if (no_match && !request->view.json) {
		fputs("portsock: no row matches\n", stderr);
		return STATUS_NO_MATCH;
	}

	text = portsock_view_text(view, snapshot, error);
	if (!text) {
		error_print(error);
		return STATUS_ERROR;
	}
	status = request_print(request, text);
	free(text);

	return status == STATUS_OK && no_match ? STATUS_NO_MATCH : status;
}

static unsigned int terminal_width(void)
{
	struct winsize size;

	return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) ? 0 : size.ws_col;
}

static int view_run(struct request *request, struct portsock_snapshot *snapshot)
{
	struct portsock_error error;
	struct portsock_view view;
	int status = STATUS_ERROR;

	if (portsock_view_init(&view, &request->view, snapshot, &error) ||
	    rows_read(snapshot, &request->filter, &view, &error))
		error_print(&error);
	else
		status = view_print(&view, snapshot, request, &error);
	portsock_view_exit(&view);

	return status;
}

static int feed_print(const struct portsock_feed *feed, const struct request *request)
{
	char *text = portsock_format_text(request->format, feed);
	int status;

	if (!text) {
		fputs("portsock: out of memory\n", stderr);
		return STATUS_ERROR;
	}
	status = request_print(request, text);
	free(text);

	return status;
}

static int feed_run(struct request *request, struct portsock_snapshot *snapshot)
{
	struct portsock_error error;
	struct portsock_feed feed;
	int status = STATUS_ERROR;

	if (portsock_feed_init(&feed, request->limit, 1)) {
		portsock_error_set(&error, "out of memory");
		error_print(&error);
	} else {
		portsock_feed_begin(&feed);
		if (portsock_feed_add(&feed, &request->filter, snapshot, &error)) {
			error_print(&error);
		} else {
			portsock_feed_end(&feed);
			status = feed_print(&feed, request);
		}
	}
	portsock_feed_exit(&feed);

	return status;
}

static int request_run(struct request *request)
{
	static struct portsock_snapshot snapshot;
	struct portsock_source source;
	struct portsock_error error;
	int status = STATUS_ERROR;

	if (source_open(request, &source, &error)) {
		error_print(&error);
		return STATUS_ERROR;
	}
	if (portsock_snapshot_open(&snapshot, source.in, source.name)) {
		error_print(&snapshot.error);
	} else {
		status = request->format ? feed_run(request, &snapshot) : view_run(request, &snapshot);
	}
	fclose(source.in);

	return status;
}

static int format_take(struct request *request, const char *name, struct portsock_error *error)
{
	const struct portsock_format *format;
	char valid[128] = "json";

	request->machine = true;
	request->view.json = !strcmp(name, "json");
	request->format = portsock_format_find(name);
	if (request->format || request->view.json)
		return 0;

	for (format = portsock_formats; format->name; format++)
		snprintf(valid + strlen(valid), sizeof(valid) - strlen(valid), " %s", format->name);

	return portsock_error_set(error, "--format: unknown format '%s' (valid: %s)", name, valid);
}

/* Return: 0 to go on, or -1 with @error set, empty where getopt has already told. */
static int option_take(struct request *request, int option, struct portsock_error *error)
{
	switch (option) {
	case 'a':
		request->filter.singles = true;
		request->view.singles = true;
		return 0;
	case 'p':
		return portsock_filter_add_protos(&request->filter, optarg, error);
	case 'P':
		return portsock_filter_add_ports(&request->filter, optarg, error);
	case 's':
		return portsock_filter_add_states(&request->filter, optarg, error);
	case 'N':
		request->netns = optarg;
		return 0;
	case 'f':
		request->file = optarg;
		return 0;
	case 'o':
		request->view.columns = optarg;
		return 0;
	case 'n':
		request->view.numeric = true;
		return 0;
	case 'j':
		request->view.json = true;
		return 0;
	case 'F':
		return format_take(request, optarg, error);
	case 'l':
		return portsock_feed_limit_parse(&request->limit, optarg, error);
	case 'O':
		request->output_file = optarg;
		return 0;
	}

	return -1;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "all",     no_argument,	NULL, 'a' },
		{ "proto",   required_argument, NULL, 'p' },
		{ "port",    required_argument, NULL, 'P' },
		{ "state",   required_argument, NULL, 's' },
		{ "netns",   required_argument, NULL, 'N' },
		{ "file",    required_argument, NULL, 'f' },
		{ "output",  required_argument, NULL, 'o' },
		{ "numeric", no_argument,	NULL, 'n' },
		{ "json",    no_argument,	NULL, 'j' },
		{ "format",  required_argument, NULL, 'F' },
		{ "limit",   required_argument, NULL, 'l' },
		{ "output-file", required_argument, NULL, 'O' },
		{ "help",    no_argument,	NULL, 'h' },
		{ "version", no_argument,	NULL, 'V' },
		{ NULL,	     0,			NULL, 0 },
	};
	struct portsock_error error = { .text = "" };
	static struct request request = { .limit = PORTSOCK_FEED_LIMIT };
	int option;

	setlocale(LC_ALL, "");
	signal(SIGPIPE, SIG_IGN);

	if (argc > 1 && !strcmp(argv[1], "check"))
		return portsock_check_main(argc - 1, argv + 1);

	while ((option = getopt_long(argc, argv, "ap:P:s:N:f:o:njF:l:O:hV", options, NULL)) != -1) {
		if (option == 'h')
			return usage_print();
		if (option == 'V')
			return version_print();
		if (option_take(&request, option, &error))
			goto usage;
	}
	if (optind < argc) {
		portsock_error_set(&error, "unexpected argument '%s' (see: portsock --help)", argv[optind]);
		goto usage;
	}
	if (request.file && request.netns) {
		portsock_error_set(&error, "--file and --netns exclude each other");
		goto usage;
	}
	if (request.format && (request.view.columns || request.view.singles)) {
		portsock_error_set(&error, "--output and --all are for tables and JSON only");
		goto usage;
	}

	request.view.width = terminal_width();

	return request_run(&request);

usage:
	if (*error.text)
		error_print(&error);

	return STATUS_ERROR;
}
