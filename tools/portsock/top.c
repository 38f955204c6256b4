// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <langinfo.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <curses.h>

#include "options.h"
#include "top.h"

#define SECONDS		2
/* Of keys that begin with Escape the rest comes at once. */
#define ESCAPE_MS	25

static const char usage_text[] =
"Usage: portsock top [options]\n"
"Show the rows on the whole screen and update them; F1 lists the keys.\n"
"\n"
"  -a, --all              single ephemeral ports, too, not just their totals (*)\n"
"  -r, --remote           outgoing connections, by the port of the peer, in place of\n"
"                         local ports\n"
"  -p, --proto LIST       only these protocols\n"
"  -P, --port LIST        only these ports\n"
"  -s, --state LIST       only rows with sockets in any of these\n"
"  -N, --netns PID|NAME   another network namespace: a process's, or /run/netns/NAME\n"
"  -A, --all-netns        all network namespaces that a process is in\n"
"  -f, --file FILE        a table that is written again and again\n"
"  -o, --output LIST      these columns; +LIST adds to the usual ones\n"
"  -n, --numeric          classes, no service names\n"
"  -w, --watch SECONDS    time between two looks, default 2\n"
"      --sort COLUMN      rows by this column; COLUMN:desc for the highest first\n"
"      --color[=WHEN]     always, never, or auto, which is the default\n"
"  -h, --help             this text\n"
"\n"
"Exit status: 0, or 2 on wrong usage or without a terminal.\n";

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);

	return time.tv_sec + time.tv_nsec / 1e9;
}

static int terminal_open(struct portsock_error *error)
{
	const char *type = getenv("TERM");

	if (newterm(NULL, stdout, stdin)) {
		if (tigetstr("cup"))
			return 0;
		endwin();
	}

	return portsock_error_set(error, "top: terminal '%s' is not known or too simple: set TERM",
				  type ? type : "");
}

static void screen_open(struct portsock_top *top)
{
	cbreak();
	noecho();
	keypad(stdscr, TRUE);
	set_escdelay(ESCAPE_MS);
	curs_set(0);
	mouseinterval(0);
	mousemask(BUTTON1_PRESSED | BUTTON4_PRESSED | BUTTON5_PRESSED, NULL);
	top->utf8 = !strcmp(nl_langinfo(CODESET), "UTF-8");
	top->color = top->show->view.color && has_colors();
	if (top->color) {
		start_color();
		use_default_colors();
		init_pair(1, COLOR_CYAN, -1);
		init_pair(2, COLOR_YELLOW, -1);
	}
}

/* Wait for a key until the next look is due. */
static int key_wait(struct portsock_top *top, double next)
{
	double rest = next - now();
	int key;

	timeout(top->paused ? -1 : rest > 0 ? (int)(rest * 1000) + 1 : 0);
	errno = 0;
	key = getch();
	/* The terminal is gone if there is no key, and no reason to have waited no longer. */
	if (key == ERR && errno != EINTR && (top->paused || now() < next))
		top->quit = true;

	return key;
}

static void run(struct portsock_top *top)
{
	double next = now();
	int key;

	while (!top->quit) {
		if (!top->paused && now() >= next) {
			portsock_top_look(top);
			next = now() + top->show->seconds;
		}
		portsock_top_draw(top);
		key = key_wait(top, next);
		if (key != ERR && portsock_top_key(top, key))
			portsock_top_look(top);
	}
}

static int top_run(struct portsock_show *show, struct portsock_error *error)
{
	static struct portsock_top top;

	top.show = show;
	if (portsock_top_columns(&top, error))
		return PORTSOCK_SHOW_ERROR;
	if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO)) {
		portsock_error_set(error, "top needs a terminal; for files and pipes there is portsock --watch");
		return PORTSOCK_SHOW_ERROR;
	}
	if (terminal_open(error))
		return PORTSOCK_SHOW_ERROR;
	screen_open(&top);
	run(&top);
	endwin();
	portsock_top_menu_close(&top);
	portsock_top_clear(&top);

	return PORTSOCK_SHOW_OK;
}

int portsock_top_main(int argc, char **argv)
{
	static const struct option options[] = {
		PORTSOCK_OPTIONS,
		{ NULL, 0, NULL, 0 },
	};
	static struct portsock_show show = { .seconds = SECONDS };
	struct portsock_error error = { .text = "" };
	int option, status = PORTSOCK_SHOW_ERROR;

	portsock_options_init(&show);
	while ((option = getopt_long(argc, argv, "arp:P:s:N:Af:o:nw:h", options, NULL)) != -1) {
		if (option == 'h') {
			fputs(usage_text, stdout);
			return fflush(stdout) || ferror(stdout) ? portsock_show_failed() : PORTSOCK_SHOW_OK;
		}
		if (portsock_option_take(&show, option, &error))
			goto out;
	}
	if (!portsock_options_check(&show, argv[optind], "portsock top", &error))
		status = top_run(&show, &error);
out:
	if (*error.text)
		fprintf(stderr, "portsock: %s\n", error.text);

	return status;
}
