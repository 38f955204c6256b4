// SPDX-License-Identifier: GPL-2.0
/*
 * portsock - show the sockets held by each local port
 */
#include <errno.h>
#include <langinfo.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "check.h"
#include "libportsock.h"
#include "options.h"
#include "show.h"
#include "top.h"

static const char usage_text[] =
"Usage: portsock [options]\n"
"       portsock top [options]\n"
"       portsock check [options]\n"
"Show how many sockets each local port holds, and in which states; top does so on\n"
"the whole screen, check compares the table with the kernel's sock_diag.\n"
"See portsock top --help and portsock check --help.\n"
"\n"
"  -a, --all              single ephemeral ports, too, not just their totals (*)\n"
"  -r, --remote           outgoing connections, by the port of the peer, in place of\n"
"                         local ports\n"
"  -p, --proto LIST       only these protocols: tcp,udp\n"
"  -P, --port LIST        only these ports: 80,https,8000-8999; those no service\n"
"                         holds are looked for among the single ephemeral ones\n"
"  -s, --state LIST       only rows with sockets in any of these: close_wait,listen\n"
"  -N, --netns PID|NAME   another network namespace: a process's, or /run/netns/NAME\n"
"  -A, --all-netns        all network namespaces that a process is in\n"
"  -f, --file FILE        a captured table instead of " PORTSOCK_PROC "; - is stdin\n"
"  -o, --output LIST      these columns in this order; +LIST adds to the usual ones\n"
"  -n, --numeric          no names of services, users and control groups\n"
"  -j, --json             JSON: all columns unless -o; a total's port is null\n"
"  -F, --format NAME      for programs: prometheus, openmetrics, influx, collectd,\n"
"                         csv or json; it is no error then if nothing matches\n"
"  -l, --limit COUNT      with --format except json: at most so many service rows,\n"
"                         listeners first, and as many of remote ports; default 500\n"
"  -O, --output-file FILE replace FILE with the output, as a whole or not at all\n"
"  -w, --watch SECONDS    look again and again, with rates since the last look\n"
"  -c, --count COUNT      with --watch: end after so many looks\n"
"      --sort COLUMN      rows by this column; COLUMN:desc for the highest first\n"
"      --color[=WHEN]     mark what is new and what grows: always, never, or auto,\n"
"                         on terminals, which is the default\n"
"  -h, --help             this text\n"
"  -V, --version          the version\n"
"\n"
"Columns, their kinds (--state takes those of kind state) and what they tell:\n";

static const char usage_end[] =
"\n"
"Environment: PORTSOCK_FILE is the default of --file.\n"
"Exit status: 0 on success, 1 if nothing matched, 2 on wrong usage or if it could\n"
"not read or write.\n";

static void error_print(const struct portsock_error *error)
{
	fprintf(stderr, "portsock: %s\n", error->text);
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
		return portsock_show_failed();

	return PORTSOCK_SHOW_OK;
}

static void column_help(const char *name, const char *kind, const char *help)
{
	printf("  %-19s  %-9s  %s\n", name, kind, help);
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
		printf("  %-12s  %s\n", classes[i].name, classes[i].help);
	fputs(usage_end, stdout);
	if (fflush(stdout) || ferror(stdout))
		return portsock_show_failed();

	return PORTSOCK_SHOW_OK;
}

static unsigned int terminal_width(void)
{
	struct winsize size;

	return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) ? 0 : size.ws_col;
}

/* Names and numbers are for programs, too: in Turkish the capital of i is another letter. */
static void locale_set(void)
{
	setlocale(LC_ALL, "");
	setlocale(LC_CTYPE, strcmp(nl_langinfo(CODESET), "UTF-8") ? "C" : "C.UTF-8");
	setlocale(LC_NUMERIC, "C");
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		PORTSOCK_OPTIONS,
		{ "json",	 no_argument,	    NULL, 'j' },
		{ "format",	 required_argument, NULL, 'F' },
		{ "limit",	 required_argument, NULL, 'l' },
		{ "output-file", required_argument, NULL, 'O' },
		{ "count",	 required_argument, NULL, 'c' },
		{ "version",	 no_argument,	    NULL, 'V' },
		{ NULL,		 0,		    NULL, 0 },
	};
	struct portsock_error error = { .text = "" };
	static struct portsock_show show;
	int option;

	portsock_options_init(&show);
	locale_set();
	signal(SIGPIPE, SIG_IGN);
	/* Who dies of it leaves a file behind. */
	signal(SIGXFSZ, SIG_IGN);

	if (argc > 1 && !strcmp(argv[1], "check"))
		return portsock_check_main(argc - 1, argv + 1);
	if (argc > 1 && !strcmp(argv[1], "top"))
		return portsock_top_main(argc - 1, argv + 1);

	while ((option = getopt_long(argc, argv, "arp:P:s:N:Af:o:njF:l:O:w:c:hV", options, NULL)) != -1) {
		if (option == 'h')
			return usage_print();
		if (option == 'V')
			return version_print();
		if (portsock_option_take(&show, option, &error))
			goto usage;
	}
	if (portsock_options_check(&show, argv[optind], "portsock", &error))
		goto usage;

	show.view.width = terminal_width();

	return portsock_show(&show);

usage:
	if (*error.text)
		error_print(&error);

	return PORTSOCK_SHOW_ERROR;
}
