// SPDX-License-Identifier: GPL-2.0-only
/*
 * flood - a lot of one thing, fast
 *
 * flood ports FIRST LAST         bind, listen and close every TCP port
 * flood ephemeral N              N sockets on ports the kernel chooses, one at a
 *                                time: UDP by bind, by connect, TCP by bind
 * flood netns N                  N network namespaces with sockets, one at a time
 * flood spaces N PORTS           N network namespaces, all at a time, in each of
 *                                which so many TCP ports are bound, one at a time
 * flood crowd THREADS            threads that are inside UDP bind() all the time
 *                                and never get a port: run it with one port in
 *                                net.ipv4.ip_local_port_range, taken
 * flood sockets                  socket() and close(), again and again
 *
 * The first three end by themselves; the others say "ready" and run until their
 * standard input ends. A call that fails ends any of them.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static struct sockaddr_in any(int port)
{
	return (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = htons(port) };
}

static struct sockaddr_in loopback(int port)
{
	struct sockaddr_in sin = any(port);

	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return sin;
}

static int open_socket(int type)
{
	int fd = socket(AF_INET, type, 0);

	if (fd < 0)
		die("socket");
	return fd;
}

static void bind_at(int fd, struct sockaddr_in sin)
{
	if (bind(fd, (struct sockaddr *)&sin, sizeof(sin)))
		die("bind");
}

static void bind_to(int fd, int port)
{
	bind_at(fd, loopback(port));
}

static void ports(int first, int last)
{
	for (int port = first; port <= last; port++) {
		int fd = open_socket(SOCK_STREAM);

		bind_to(fd, port);
		if (listen(fd, 1))
			die("listen");
		close(fd);
	}
}

static void ephemeral(long n)
{
	struct sockaddr_in sin = loopback(9);

	for (long i = 0; i < n; i++) {
		int fd = open_socket(i % 3 == 2 ? SOCK_STREAM : SOCK_DGRAM);

		if (i % 3 == 0) {
			if (connect(fd, (struct sockaddr *)&sin, sizeof(sin)))
				die("connect");
		} else {
			bind_to(fd, 0);
		}
		close(fd);
	}
}

static void enter_new_netns(void)
{
	/* those that are going count until the kernel is done with them */
	while (unshare(CLONE_NEWNET)) {
		if (errno != ENOSPC)
			die("unshare");
		usleep(10000);
	}
}

/* lo is down in a new namespace: there a port is bound by INADDR_ANY only. */
static void netns(long n)
{
	for (long i = 0; i < n; i++) {
		int fds[3];

		enter_new_netns();
		for (int k = 0; k < 3; k++)
			fds[k] = open_socket(k == 1 ? SOCK_DGRAM : SOCK_STREAM);
		for (int k = 0; k < 2; k++)
			bind_at(fds[k], any(80));
		if (listen(fds[0], 1))
			die("listen");
		for (int k = 0; k < 3; k++)
			close(fds[k]);
	}
}

static void wait_for_end(void)
{
	char c;

	puts("ready");
	fflush(stdout);
	while (read(0, &c, 1) > 0)
		;
}

static void spaces(long n, int ports)
{
	for (long i = 0; i < n; i++) {
		enter_new_netns();
		if (open("/proc/self/ns/net", O_RDONLY) < 0)	/* and never closed */
			die("/proc/self/ns/net");
		for (int port = 1; port <= ports; port++) {
			int fd = open_socket(SOCK_STREAM);

			bind_at(fd, any(port));
			close(fd);
		}
	}
	wait_for_end();
}

static void *in_bind(void *unused)
{
	struct sockaddr_in sin = loopback(0);
	int fd = open_socket(SOCK_DGRAM);

	(void)unused;
	errno = 0;
	if (nice(19) == -1 && errno)	/* this thread only */
		die("nice");
	for (;;) {
		if (!bind(fd, (struct sockaddr *)&sin, sizeof(sin)) || errno != EADDRINUSE)
			die("bind, which was to fail");
	}
	return NULL;
}

static void *in_socket(void *unused)
{
	(void)unused;
	for (;;)
		close(open_socket(SOCK_DGRAM));
	return NULL;
}

static void threads(long n, void *(*work)(void *))
{
	pthread_attr_t attr;
	pthread_t thread;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 65536);
	for (long i = 0; i < n; i++) {
		if (pthread_create(&thread, &attr, work, NULL))
			die("pthread_create");
	}
	wait_for_end();
	_exit(0);
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";
	long n = argc > 2 ? atol(argv[2]) : 0;

	if (argc == 4 && !strcmp(what, "ports"))
		ports(n, atoi(argv[3]));
	else if (argc == 3 && !strcmp(what, "ephemeral"))
		ephemeral(n);
	else if (argc == 3 && !strcmp(what, "netns"))
		netns(n);
	else if (argc == 4 && !strcmp(what, "spaces"))
		spaces(n, atoi(argv[3]));
	else if (argc == 3 && !strcmp(what, "crowd"))
		threads(n, in_bind);
	else if (argc == 2 && !strcmp(what, "sockets"))
		threads(1, in_socket);
	else
		return 2;
	return 0;
}
