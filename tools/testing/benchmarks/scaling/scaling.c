// SPDX-License-Identifier: GPL-2.0
/*
 * scaling - how much more do two processors get done than one?
 *
 * scaling SECONDS REPETITIONS
 *
 * The module's records and rows, as they are, in threads instead of hooks. Prints
 * for each workload, number of threads and repetition: the sockets, from when they
 * come to when they are forgotten, per second of the threads' processors, and
 * the part of the time that they had these. Threads stay on a processor each.
 */
#define _GNU_SOURCE
#include "shim.h"

#include <sched.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "pool.c"
#include "counts.c"
#include "unbound.c"
#include "depth.c"
#include "queues.c"
#include "area.c"
#include "body.c"
#include "idle.c"
#include "rows.c"
#include "row.c"
#include "remote.c"
#include "share.c"
#include "table.c"
#include "cursor.c"
#include "socks.c"

__thread unsigned int this_cpu;

#define THREADS_MAX	2
#define SOCKETS		512	/* that a thread has at a time */
#define PORT		443
#define PORTS		200	/* that a thread accepts on, where each has its own */
#define HASH_BITS	15

static struct portsock_table *table;
static volatile bool stop;

/* A connection that a server accepts, until the client has closed it. */
static void accepted(const void *sk, int port)
{
	static const unsigned char states[] = { TCP_CLOSE_WAIT, TCP_LAST_ACK };
	struct portsock_holding h = {
		.table = table,
		.proto = PORTSOCK_TCP,
		.port = port,
		.state = TCP_ESTABLISHED,
		.how = PORTSOCK_ACCEPTED,
		.service = true,
	};

	portsock_sock_hold(sk, &h);
	for (size_t i = 0; i < sizeof(states); i++) {
		h.state = states[i];
		portsock_sock_change(sk, &h);
	}
	portsock_sock_forget(sk);
}

/* A connection that a client makes. */
static void connected(const void *sk, int port)
{
	static const unsigned char states[] = { TCP_SYN_SENT, TCP_ESTABLISHED, TCP_FIN_WAIT1 };
	struct portsock_holding h = {
		.table = table,
		.proto = PORTSOCK_TCP,
		.state = TCP_CLOSE,
	};

	portsock_sock_hold(sk, &h);
	h.port = port;
	h.how = PORTSOCK_CONNECTED;
	for (size_t i = 0; i < sizeof(states); i++) {
		h.state = states[i];
		portsock_sock_change(sk, &h);
	}
	portsock_sock_forget(sk);
}

struct worker {
	pthread_t thread;
	unsigned int cpu;
	const struct workload *workload;
	char (*sockets)[2048];
	unsigned long done;
	double seconds;		/* of its processor */
} __attribute__((aligned(128)));

/* All on one port; each on a port of its own; ports that come and go. */
static void hot(struct worker *worker, unsigned long n)
{
	accepted(worker->sockets[n % SOCKETS], PORT);
}

static int many_port(unsigned int cpu, unsigned int n)
{
	return 1000 + 400 * cpu + n;
}

static void many(struct worker *worker, unsigned long n)
{
	accepted(worker->sockets[n % SOCKETS], many_port(worker->cpu, n % PORTS));
}

static void ephemeral(struct worker *worker, unsigned long n)
{
	connected(worker->sockets[n % SOCKETS], 32768 + 2 * (n % 14000) + worker->cpu);
}

static const struct workload {
	const char *name;
	void (*one)(struct worker *worker, unsigned long n);
} workloads[] = {
	{ "hot", hot },
	{ "many", many },
	{ "ephemeral", ephemeral },
};

static double clock_seconds(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return now.tv_sec + now.tv_nsec / 1e9;
}

static void *work(void *arg)
{
	struct worker *worker = arg;
	double start;
	cpu_set_t cpus;

	this_cpu = worker->cpu;
	CPU_ZERO(&cpus);
	CPU_SET(worker->cpu, &cpus);
	if (sched_setaffinity(0, sizeof(cpus), &cpus)) {
		perror("sched_setaffinity");
		exit(1);
	}
	start = clock_seconds(CLOCK_THREAD_CPUTIME_ID);
	while (!stop)
		worker->workload->one(worker, worker->done++);
	worker->seconds = clock_seconds(CLOCK_THREAD_CPUTIME_ID) - start;
	return NULL;
}

static void run(const struct workload *workload, int threads, double seconds)
{
	static char sockets[THREADS_MAX][SOCKETS][2048] __attribute__((aligned(128)));
	static struct worker workers[THREADS_MAX];
	double start = clock_seconds(CLOCK_MONOTONIC), rate = 0, had = 0;

	stop = false;
	for (int i = 0; i < threads; i++) {
		workers[i] = (struct worker){ .cpu = i, .workload = workload, .sockets = sockets[i] };
		if (pthread_create(&workers[i].thread, NULL, work, &workers[i])) {
			perror("pthread_create");
			exit(1);
		}
	}
	usleep(seconds * 1e6);
	stop = true;
	for (int i = 0; i < threads; i++) {
		pthread_join(workers[i].thread, NULL);
		rate += workers[i].done / workers[i].seconds;
		had += workers[i].seconds / threads;
	}
	printf("%s %d %.0f %.2f\n", workload->name, threads, rate,
	       had / (clock_seconds(CLOCK_MONOTONIC) - start));
}

/* Who accepts also listens. */
static struct sock listeners[1 + THREADS_MAX * PORTS];

static void listen_all(void)
{
	struct portsock_holding h = {
		.table = table,
		.proto = PORTSOCK_TCP,
		.port = PORT,
		.state = TCP_LISTEN,
		.queues = true,
		.service = true,
	};
	struct sock *sk = listeners;

	portsock_sock_hold(sk++, &h);
	for (unsigned int cpu = 0; cpu < THREADS_MAX; cpu++) {
		for (unsigned int n = 0; n < PORTS; n++) {
			h.port = many_port(cpu, n);
			portsock_sock_hold(sk++, &h);
		}
	}
}

static void close_all(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(listeners); i++)
		portsock_sock_forget(&listeners[i]);
}

/* Nothing may be left of all these sockets, or the threads got into each other's way. */
static void verify(void)
{
	struct portsock_cursor cursor = { };
	struct portsock_line line;

	while (portsock_table_next(table, &cursor, &line)) {
		unsigned long opened = portsock_opened(&line.counts);

		if (line.counts.sockets || !opened) {
			fprintf(stderr, "scaling: port %d has %u sockets left, %lu were opened\n",
				line.port, line.counts.sockets, opened);
			exit(1);
		}
	}
}

int main(int argc, char **argv)
{
	double seconds = argc == 3 ? atof(argv[1]) : 0;
	int repetitions = argc == 3 ? atoi(argv[2]) : 0;

	if (seconds <= 0 || repetitions < 1)
		return 2;
	if (portsock_rows_init(HASH_BITS - 2) || portsock_socks_init(HASH_BITS))
		return 1;
	table = portsock_table_new(true);
	if (!table)
		return 1;
	listen_all();
	while (repetitions--) {
		for (size_t i = 0; i < ARRAY_SIZE(workloads); i++)
			for (int threads = 1; threads <= THREADS_MAX; threads++)
				run(&workloads[i], threads, seconds);
	}
	close_all();
	verify();
	return 0;
}
