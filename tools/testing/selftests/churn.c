// SPDX-License-Identifier: GPL-2.0-only
/*
 * churn - open and close sockets in every way, fast, from several processes
 *
 * churn [-n TOTAL] [-w WORKERS] [-p BASE] [-P PORTS] [-s SEED] [-d USECS]
 *
 * Listens on PORTS dual-stack TCP ports from BASE on and binds the same UDP
 * ports, says "ready", then works in WORKERS processes until TOTAL sockets were
 * made (0: until SIGTERM), sleeping USECS after each. Then it empties the accept
 * queues, says "done" and what it made, and keeps the listeners until its
 * standard input ends.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define PORTS_MAX	64
#define WORKERS_MAX	64
#define ADDRESSES	8
#define OWN_PORTS	16	/* that a worker connects from, when it says from where */

/* What one worker made; read by the parent when the worker is gone. */
struct counts {
	unsigned long connects;	/* TCP connect() that got a port */
	unsigned long binds;	/* TCP bind() of a socket that never connected */
	unsigned long refused;	/* connect() to a port where nobody listens */
	unsigned long accepts;	/* children that accept() handed out */
	unsigned long udp;	/* UDP sockets that got a port */
	unsigned long failed;	/* calls that failed for want of a port */
};

static int tcp[PORTS_MAX], udp[PORTS_MAX];
static int base = 7000, ports = 8, workers = 4, pause_us;
static volatile sig_atomic_t stop;

static void on_term(int sig)
{
	(void)sig;
	stop = 1;
}

static void die(const char *what)
{
	perror(what);
	exit(1);
}

/* An address of the given family; v4-mapped for AF_INET6 when mapped is set. */
static socklen_t address(struct sockaddr_storage *ss, int family, int mapped,
			 int host, int port)
{
	memset(ss, 0, sizeof(*ss));
	if (family == AF_INET) {
		struct sockaddr_in *in = (void *)ss;

		in->sin_family = AF_INET;
		in->sin_port = htons(port);
		in->sin_addr.s_addr = htonl(0x7f000001 + host);
		return sizeof(*in);
	}

	struct sockaddr_in6 *in6 = (void *)ss;

	in6->sin6_family = AF_INET6;
	in6->sin6_port = htons(port);
	in6->sin6_addr = in6addr_loopback;
	if (mapped) {
		memset(&in6->sin6_addr, 0, 10);
		in6->sin6_addr.s6_addr[10] = 0xff;
		in6->sin6_addr.s6_addr[11] = 0xff;
		in6->sin6_addr.s6_addr[12] = 127;
		in6->sin6_addr.s6_addr[15] = 1 + host;
	}
	return sizeof(*in6);
}

static void listen_all(void)
{
	struct sockaddr_in6 any = { .sin6_family = AF_INET6 };
	int one = 1, i;

	for (i = 0; i < ports; i++) {
		any.sin6_port = htons(base + i);
		tcp[i] = socket(AF_INET6, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
		udp[i] = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
		if (tcp[i] < 0 || udp[i] < 0)
			die("socket");
		setsockopt(tcp[i], SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
		if (bind(tcp[i], (void *)&any, sizeof(any)) ||
		    bind(udp[i], (void *)&any, sizeof(any)))
			die("bind");
		if (listen(tcp[i], 1024))
			die("listen");
	}
}

static void linger_zero(int fd)
{
	struct linger l = { 1, 0 };

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &l, sizeof(l));
}

/* Take whatever child waits; another worker may have been faster. */
static int take(struct counts *c, int i)
{
	int fd = accept4(tcp[i], NULL, NULL, SOCK_CLOEXEC);

	c->accepts += fd >= 0;
	return fd;
}

static void close_child(int fd, int reset)
{
	if (fd < 0)
		return;
	if (reset)
		linger_zero(fd);
	close(fd);
}

static void one_udp(struct counts *c, int family, int mapped, int host, int i, int connected)
{
	struct sockaddr_storage to;
	socklen_t len = address(&to, family, mapped, host, base + i);
	int fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int err;

	if (fd < 0)
		die("socket");
	if (connected)
		err = connect(fd, (void *)&to, len);
	else
		err = sendto(fd, "x", 1, MSG_DONTWAIT, (void *)&to, len) < 0 ? -1 : 0;
	if (err && errno != EAGAIN && errno != ECONNREFUSED)
		die("udp");
	c->udp++;
	close(fd);
}

static void one_tcp(struct counts *c, int me, int family, int mapped, int host, int i, int how)
{
	struct sockaddr_storage to, from;
	int one = 1, explicit = how >= 80 && how < 85;
	int fd, child, err;
	socklen_t len;

	fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		die("socket");
	len = address(&to, family, mapped, host, base + i);
	if (explicit || (how >= 88 && how < 90)) {
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
		/* Two workers must not connect from and to the same ports at a time. */
		address(&from, family, mapped, host, base + 1000 + rand() % OWN_PORTS +
			OWN_PORTS * (explicit ? me : rand() % workers));
		if (bind(fd, (void *)&from, len)) {
			c->failed++;
			close(fd);
			return;
		}
		if (!explicit) {
			c->binds++;
			close(fd);
			return;
		}
	}
	if (how >= 85 && how < 88) {
		address(&to, family, mapped, host, base + PORTS_MAX);
		if (!connect(fd, (void *)&to, len))
			die("connect to a port without listener");
		if (errno == EADDRNOTAVAIL)
			c->failed++;
		else
			c->connects++, c->refused++;
		close(fd);
		return;
	}
	if (how >= 98)
		fcntl(fd, F_SETFL, O_NONBLOCK);
	err = connect(fd, (void *)&to, len) ? errno : 0;
	if (err == EADDRNOTAVAIL) {
		c->failed++;
		c->binds += explicit;
		close(fd);
		return;
	}
	/* EPIPE: the other end sent FIN and a reset before this process ran again. */
	if (err && err != EINPROGRESS && err != EINTR && err != ECONNRESET && err != EPIPE &&
	    err != ECONNREFUSED && err != ETIMEDOUT) {
		errno = err;
		die("connect");
	}
	c->connects++;
	child = take(c, i);
	if (how < 20) {			/* the client first */
		close(fd);
		close_child(child, 0);
	} else if (how < 35) {		/* the server first */
		close_child(child, 0);
		close(fd);
	} else if (how < 65) {
		linger_zero(fd);
		close(fd);
		close_child(child, 0);
	} else if (how < 75) {
		close_child(child, 1);
		close(fd);
	} else if (how < 80) {		/* both halves, one after the other */
		shutdown(fd, SHUT_WR);
		if (child >= 0)
			shutdown(child, SHUT_WR);
		close(fd);
		close_child(child, 0);
	} else if (how < 85) {
		linger_zero(fd);
		close(fd);
		close_child(child, 1);
	} else {			/* not even waited for */
		close(fd);
		close_child(child, 1);
	}
}

static void work(struct counts *c, int me, long total, int seed)
{
	long n;

	srand(seed);
	for (n = 0; !stop && (!total || n < total); n++) {
		int how = rand() % 100, which = rand() % 3, host = rand() % ADDRESSES;
		int family = which ? AF_INET6 : AF_INET;
		int i = rand() % ports;

		if (how >= 90 && how < 98)
			one_udp(c, family, which == 2, host, i, how < 94);
		else
			one_tcp(c, me, family, which == 2, host, i, how);
		if (pause_us)
			usleep(pause_us);
	}
}

/* Is a request for one of the ports on its way? */
static int requests(const char *path)
{
	FILE *file = fopen(path, "r");
	unsigned int port, state;
	char line[512];
	int found = 0;

	if (!file)
		die(path);
	while (!found && fgets(line, sizeof(line), file))
		found = sscanf(line, " %*d: %*32[0-9A-F]:%x %*32[0-9A-F]:%*x %x", &port, &state) == 2 &&
			state == TCP_SYN_RECV && port >= (unsigned int)base &&
			port < (unsigned int)(base + ports);
	fclose(file);
	return found;
}

/* A child may come late, when the kernel deferred the packet that makes it. */
static void drain(struct counts *c)
{
	int more, i, fd;

	do {
		more = requests("/proc/net/tcp") || requests("/proc/net/tcp6");
		for (i = 0; i < ports; i++) {
			while ((fd = take(c, i)) >= 0)
				close_child(fd, 1);
		}
		if (more)
			usleep(10000);
	} while (more);
}

int main(int argc, char **argv)
{
	struct rlimit files = { 65536, 65536 };
	struct counts *counts, sum = { 0 };
	pid_t pids[WORKERS_MAX];
	long total = 0;
	int opt, seed = 1, i, status, bad = 0;
	char byte;

	while ((opt = getopt(argc, argv, "n:w:p:P:s:d:")) != -1) {
		switch (opt) {
		case 'n': total = atol(optarg); break;
		case 'w': workers = atoi(optarg); break;
		case 'p': base = atoi(optarg); break;
		case 'P': ports = atoi(optarg); break;
		case 'd': pause_us = atoi(optarg); break;
		case 's': seed = atoi(optarg); break;
		default: return 2;
		}
	}
	if (workers < 1 || workers > WORKERS_MAX || ports < 1 || ports > PORTS_MAX)
		return 2;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	setrlimit(RLIMIT_NOFILE, &files);
	/* No SA_RESTART: a blocked connect() must see it. */
	sigaction(SIGTERM, &(struct sigaction){ .sa_handler = on_term }, NULL);
	counts = mmap(NULL, sizeof(*counts) * WORKERS_MAX, PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (counts == MAP_FAILED)
		die("mmap");
	listen_all();
	printf("ready tcp %d udp %d\n", ports, ports);
	fflush(stdout);
	for (i = 0; i < workers; i++) {
		pids[i] = fork();
		if (pids[i] < 0)
			die("fork");
		if (!pids[i]) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			work(&counts[i], i, total ? (total + workers - 1) / workers : 0, seed + i);
			_exit(0);
		}
	}
	for (i = 0; i < workers; i++) {
		while (waitpid(pids[i], &status, 0) < 0)
			;	/* SIGTERM, which goes to the whole process group */
		if (!WIFEXITED(status) || WEXITSTATUS(status))
			bad = 1;
		sum.connects += counts[i].connects;
		sum.binds += counts[i].binds;
		sum.refused += counts[i].refused;
		sum.accepts += counts[i].accepts;
		sum.udp += counts[i].udp;
		sum.failed += counts[i].failed;
	}
	drain(&sum);
	printf("done connects %lu binds %lu refused %lu accepts %lu udp %lu failed %lu\n",
	       sum.connects, sum.binds, sum.refused, sum.accepts, sum.udp, sum.failed);
	fflush(stdout);
	while (read(0, &byte, 1) > 0 || errno == EINTR) {
		drain(&sum);
		errno = 0;
	}
	return bad;
}
