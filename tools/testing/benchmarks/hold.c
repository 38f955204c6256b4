// SPDX-License-Identifier: GPL-2.0-only
/*
 * hold - keep many TCP connections open
 *
 * hold NETNS HERE THERE
 *
 * Reads what to open from its standard input, a line at a time, says "ready"
 * when it is done, and keeps everything until its input ends.
 *
 * service N    all in all N connections from the namespace NETNS (a file) to ten
 *              ports of this one
 * ephemeral N  all in all N connections from here to NETNS, each from a port of
 *              its own that the kernel chooses
 *
 * HERE and THERE are networks of this namespace and of NETNS, as in 10.1.0.0:
 * all of their addresses are local on their side. No address gets more than
 * 4000 connections, as otherwise the kernel seeks long for a free port.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define PORT	6001
#define PORTS	10
#define EACH	4000

/* One side: its namespace, its network and who listens there. */
struct side {
	int ns;
	struct in_addr network;
	int listeners[PORTS];
};

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static void enter(const struct side *side)
{
	if (setns(side->ns, CLONE_NEWNET))
		die("setns");
}

static struct sockaddr_in address(const struct side *side, int host, int port)
{
	return (struct sockaddr_in){
		.sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(ntohl(side->network.s_addr) + 1 + host),
	};
}

static void serve(struct side *side, const char *ns, const char *network)
{
	const struct sockaddr_in any = { .sin_family = AF_INET };

	side->ns = open(ns, O_RDONLY | O_CLOEXEC);
	if (side->ns < 0 || !inet_aton(network, &side->network))
		die(ns);
	enter(side);
	for (int i = 0; i < PORTS; i++) {
		struct sockaddr_in sin = any;
		int fd = socket(AF_INET, SOCK_STREAM, 0);

		sin.sin_port = htons(PORT + i);
		if (fd < 0 || bind(fd, (void *)&sin, sizeof(sin)) || listen(fd, 128))
			die("listen");
		side->listeners[i] = fd;
	}
}

/* The n-th connection from the namespace we are in to a side. */
static void join(const struct side *to, long n, int choose)
{
	struct sockaddr_in sin = address(to, n / EACH, PORT + n % PORTS);
	const struct sockaddr_in any = { .sin_family = AF_INET };
	int fd;

	fd = socket(AF_INET, SOCK_STREAM, 0);
	if (fd < 0)
		die("socket");
	if (choose && bind(fd, (const void *)&any, sizeof(any)))
		die("bind");
	if (connect(fd, (void *)&sin, sizeof(sin)))
		die("connect");
	if (accept(to->listeners[n % PORTS], NULL, NULL) < 0)
		die("accept");
}

int main(int argc, char **argv)
{
	struct rlimit files = { 1 << 21, 1 << 21 };
	long services = 0, ephemerals = 0, n;
	struct side here, there;
	char word[16];

	if (argc != 4)
		return 2;
	if (setrlimit(RLIMIT_NOFILE, &files))
		die("setrlimit");
	serve(&here, "/proc/self/ns/net", argv[2]);
	serve(&there, argv[1], argv[3]);
	while (scanf("%15s %ld", word, &n) == 2) {
		if (!strcmp(word, "service")) {
			enter(&there);
			for (; services < n; services++)
				join(&here, services, 0);
		} else if (!strcmp(word, "ephemeral")) {
			enter(&here);
			for (; ephemerals < n; ephemerals++)
				join(&there, ephemerals, 1);
		} else {
			return 2;
		}
		puts("ready");
		fflush(stdout);
	}
	return 0;
}
