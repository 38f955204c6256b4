// SPDX-License-Identifier: GPL-2.0-only
/*
 * loop - make sockets of one kind, again and again, and tell what they cost
 *
 * loop KIND COUNT REPETITIONS
 *
 * Prints, for each repetition, by how much the time stamp counter moved while
 * COUNT of them were made: in a virtual machine that counts instructions these
 * are instructions.
 *
 * abort    a TCP connection over loopback, both ends: socket, connect, accept,
 *          a byte written and read, closed with a reset
 * close    the same, closed in good order, the client first. TIME_WAIT is left
 *          behind; it is waited for after each repetition and not counted
 * udp      socket, sendto, close
 * listen   socket, bind, listen, close
 * nothing  the loop alone
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <x86intrin.h>

#define PORT	5001

static int listener, sink;

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static const struct sockaddr_in *address(int port)
{
	static struct sockaddr_in sin = { .sin_family = AF_INET };

	sin.sin_port = htons(port);
	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return &sin;
}

static int bound(int type, int port)
{
	int fd = socket(AF_INET, type, 0), one = 1;

	if (fd < 0)
		die("socket");
	/* connections of the run before may be in TIME_WAIT */
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) ||
	    bind(fd, (const void *)address(port), sizeof(struct sockaddr_in)))
		die("bind");
	return fd;
}

static void connection(int reset)
{
	const struct linger linger = { 1, 0 };
	char byte = 'x';
	int fd, child;

	fd = socket(AF_INET, SOCK_STREAM, 0);
	if (fd < 0 || connect(fd, (const void *)address(PORT), sizeof(struct sockaddr_in)))
		die("connect");
	child = accept(listener, NULL, NULL);
	if (child < 0)
		die("accept");
	if (write(fd, &byte, 1) != 1 || read(child, &byte, 1) != 1)
		die("write and read");
	if (reset && setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger)))
		die("SO_LINGER");
	close(fd);
	close(child);
}

static void one_abort(void)
{
	connection(1);
}

static void one_close(void)
{
	connection(0);
}

static void one_udp(void)
{
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	if (fd < 0 || sendto(fd, "x", 1, 0, (const void *)address(PORT), sizeof(struct sockaddr_in)) != 1)
		die("sendto");
	close(fd);
}

static void one_listen(void)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (fd < 0 || bind(fd, (const void *)address(PORT + 1), sizeof(struct sockaddr_in)) ||
	    listen(fd, 16))
		die("listen");
	close(fd);
}

static void one_nothing(void)
{
}

/* TIME_WAIT mini-sockets of this namespace */
static long time_wait(void)
{
	FILE *file = fopen("/proc/net/sockstat", "r");
	char line[256];
	long n = -1;

	if (!file)
		die("/proc/net/sockstat");
	while (fgets(line, sizeof(line), file)) {
		char *tw = strstr(line, " tw ");

		if (!strncmp(line, "TCP:", 4) && tw)
			n = atol(tw + 4);
	}
	fclose(file);
	if (n < 0) {
		fputs("loop: no tw in /proc/net/sockstat\n", stderr);
		exit(1);
	}
	return n;
}

/* What a repetition leaves behind must not be the next one's burden. */
static void tidy(void)
{
	char byte;

	while (recv(sink, &byte, 1, MSG_DONTWAIT) == 1)
		;
	if (errno != EAGAIN)
		die("recv");
	while (time_wait())
		sleep(1);
	usleep(20000);
}

static const struct kind {
	const char *name;
	void (*make)(void);
} kinds[] = {
	{ "abort", one_abort },
	{ "close", one_close },
	{ "udp", one_udp },
	{ "listen", one_listen },
	{ "nothing", one_nothing },
};

int main(int argc, char **argv)
{
	const struct kind *kind = kinds, *end = kinds + sizeof(kinds) / sizeof(*kinds);
	long count, repetitions;

	if (argc != 4)
		return 2;
	count = atol(argv[2]);
	repetitions = atol(argv[3]);
	while (kind < end && strcmp(kind->name, argv[1]))
		kind++;
	if (kind == end || count < 1 || repetitions < 1)
		return 2;
	listener = bound(SOCK_STREAM, PORT);
	sink = bound(SOCK_DGRAM, PORT);
	if (listen(listener, 16))
		die("listen");
	while (repetitions--) {
		unsigned long long start = __rdtsc();

		for (long i = 0; i < count; i++)
			kind->make();
		printf("%llu\n", __rdtsc() - start);
		tidy();
	}
	return 0;
}
