// SPDX-License-Identifier: GPL-2.0
/*
 * portsock-exporter - let Prometheus scrape /proc/portsock
 */
#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <systemd/sd-daemon.h>

#include "../../module/version.h"
#include "listen.h"
#include "server.h"

#define STATUS_ERROR 2
/* Milliseconds between looks at connections that take too long. */
#define TICK 1000

enum {
	OPTION_ADDRESS = 256,
	OPTION_SYSTEMD,
	OPTION_PATH,
	OPTION_CONFIG,
	OPTION_PROCFS,
	OPTION_NETNS,
	OPTION_LIMIT,
};

struct request {
	struct portsock_scraper scraper;
	struct portsock_server server;
	const char *address;
	bool systemd;
	unsigned int limit;
};

static const char usage_text[] =
"Usage: portsock-exporter [options]\n"
"Let Prometheus scrape the sockets that each local port holds.\n"
"\n"
"      --web.listen-address ADDRESS:PORT\n"
"                         where to listen, default " PORTSOCK_LISTEN_ADDRESS ";\n"
"                         :PORT is all addresses\n"
"      --web.systemd-socket\n"
"                         only on the socket that systemd passes\n"
"      --web.telemetry-path PATH\n"
"                         path of the metrics, default /metrics\n"
"      --netns            all network namespaces, too, at PATH/netns\n"
"      --limit COUNT      at most so many service rows, listeners first, and\n"
"                         as many of remote ports; default 500\n"
"  -p, --proto LIST       only these protocols: tcp,udp\n"
"  -P, --port LIST        only these ports: 80,https,8000-8999\n"
"      --path.procfs DIR  where /proc is\n"
"  -h, --help             this text\n"
"  -V, --version          the version\n"
"\n"
"For TLS and passwords, put a reverse proxy in front of it.\n"
"Exit status: 0 if stopped by a signal, 2 on wrong usage or if it cannot start.\n";

static int error_print(const struct portsock_error *error)
{
	fprintf(stderr, "portsock-exporter: %s\n", error->text);

	return STATUS_ERROR;
}

static int text_print(const char *text)
{
	struct portsock_error error;

	if (fputs(text, stdout) != EOF && !fflush(stdout))
		return EXIT_SUCCESS;
	portsock_error_set(&error, "write failed: %s", strerror(errno));

	return error_print(&error);
}

static int path_take(struct request *request, const char *path, struct portsock_error *error)
{
	static const char taken[] = "/-/healthy";

	if (*path != '/' || !path[1] || !strcmp(path, taken) || path[strcspn(path, "\"<>&?# %")] || strlen(path) > 128)
		return portsock_error_set(error, "--web.telemetry-path: '%s' is no path such as /metrics", path);
	request->server.path = path;

	return 0;
}

/* Return: 0 to go on, or -1 with @error set, empty where getopt has already told. */
static int option_take(struct request *request, int option, struct portsock_error *error)
{
	switch (option) {
	case OPTION_ADDRESS:
		request->address = optarg;
		return 0;
	case OPTION_SYSTEMD:
		request->systemd = true;
		return 0;
	case OPTION_PATH:
		return path_take(request, optarg, error);
	case OPTION_CONFIG:
		return portsock_error_set(error, "--web.config.file: no TLS and no passwords here; "
					  "put a reverse proxy such as nginx in front of it");
	case OPTION_PROCFS:
		request->scraper.procfs = optarg;
		return 0;
	case OPTION_NETNS:
		request->server.netns = true;
		return 0;
	case OPTION_LIMIT:
		return portsock_feed_limit_parse(&request->limit, optarg, error);
	case 'p':
		return portsock_filter_add_protos(&request->scraper.filter, optarg, error);
	case 'P':
		return portsock_filter_add_ports(&request->scraper.filter, optarg, error);
	}

	return -1;
}

static int socket_get(const struct request *request, struct portsock_error *error)
{
	int fd = portsock_listen_inherited(error);

	if (fd != -2)
		return fd;
	if (request->systemd)
		return portsock_error_set(error, "--web.systemd-socket: systemd passed none; start portsock-exporter.socket");

	return portsock_listen(request->address, error);
}

static int signals_open(void)
{
	sigset_t signals;

	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	sigprocmask(SIG_BLOCK, &signals, NULL);

	return signalfd(-1, &signals, SFD_CLOEXEC);
}

/* Until it is told to stop. */
static void serve(struct portsock_server *server, int signals)
{
	struct pollfd fds[] = {
		{ .fd = signals, .events = POLLIN },
		{ .fd = portsock_server_fd(server), .events = POLLIN },
	};
	uint64_t watchdog = 0;
	int tick = TICK;

	if (sd_watchdog_enabled(0, &watchdog) > 0 && watchdog / 2000 < TICK)
		tick = watchdog / 2000;

	sd_notify(0, "READY=1");
	while (!(fds[0].revents & POLLIN)) {
		poll(fds, 2, portsock_server_timeout(server, tick));
		portsock_server_run(server);
		if (watchdog)
			sd_notify(0, "WATCHDOG=1");
	}
	sd_notify(0, "STOPPING=1");
}

static int request_run(struct request *request)
{
	struct portsock_error error;
	int fd, signals = signals_open();

	/* Who sees it listen may tell it to stop. */
	fd = socket_get(request, &error);
	if (fd < 0)
		return error_print(&error);
	if (portsock_scraper_init(&request->scraper, request->limit, request->server.netns)) {
		portsock_error_set(&error, "out of memory");
		return error_print(&error);
	}
	request->server.scraper = &request->scraper;
	if (portsock_server_init(&request->server, fd, &error))
		return error_print(&error);
	serve(&request->server, signals);
	portsock_server_exit(&request->server);

	return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "web.listen-address",	 required_argument, NULL, OPTION_ADDRESS },
		{ "web.systemd-socket",	 no_argument,	    NULL, OPTION_SYSTEMD },
		{ "web.telemetry-path",	 required_argument, NULL, OPTION_PATH },
		{ "web.config.file",	 required_argument, NULL, OPTION_CONFIG },
		{ "path.procfs",	 required_argument, NULL, OPTION_PROCFS },
		{ "netns",		 no_argument,	    NULL, OPTION_NETNS },
		{ "limit",		 required_argument, NULL, OPTION_LIMIT },
		{ "proto",		 required_argument, NULL, 'p' },
		{ "port",		 required_argument, NULL, 'P' },
		{ "help",		 no_argument,	    NULL, 'h' },
		{ "version",		 no_argument,	    NULL, 'V' },
		{ NULL,			 0,		    NULL, 0 },
	};
	static struct request request = {
		.scraper.procfs = "/proc",
		.scraper.filter.ends = PORTSOCK_FILTER_BOTH,
		.server.path = "/metrics",
		.address = PORTSOCK_LISTEN_ADDRESS,
		.limit = PORTSOCK_FEED_LIMIT,
	};
	struct portsock_error error = { .text = "" };
	int option;

	while ((option = getopt_long(argc, argv, "p:P:hV", options, NULL)) != -1) {
		if (option == 'h')
			return text_print(usage_text);
		if (option == 'V')
			return text_print("portsock-exporter " PORTSOCK_VERSION "\n");
		if (option_take(&request, option, &error))
			goto usage;
	}
	if (optind == argc)
		return request_run(&request);
	portsock_error_set(&error, "unexpected argument '%s' (see: portsock-exporter --help)", argv[optind]);

usage:
	if (*error.text)
		error_print(&error);

	return STATUS_ERROR;
}
