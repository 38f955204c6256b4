// SPDX-License-Identifier: GPL-2.0
/*
 * scaling - how much more do several processors get done than one?
 *
 * scaling SECONDS SEED
 *
 * The module's records and rows, as they are, in threads instead of hooks. Prints
 * for each workload, kind of table and number of threads: the sockets, from when
 * they come to when they are forgotten, per second of the threads' processors, and
 * the part of the time that they had these. Threads stay on a processor each. They
 * have a table together ("one"), or, as what they could get done at best, one each
 * ("own"). Nobody has cells to begin with.
 *
 * Which ports the threads have, each where it has its own, depends on the seed: it
 * matters whose buckets are in one line of the cache.
 */
#define _GNU_SOURCE
#include "sockets.h"

#include <sched.h>
#include <stdio.h>
#include <unistd.h>

#define THREADS_MAX	CPUS_MAX
#define SOCKETS		512	/* that a thread has at a time */
#define PORT		443
#define PORTS		200	/* that a thread accepts on, where each has its own */
#define SERVICES	1024	/* the first port that may be one of these */
#define EPHEMERAL	32768

/* That of all threads, and behind it one for each. */
static struct portsock_table *tables[1 + THREADS_MAX];
static bool stop;

struct worker {
	pthread_t thread;
	unsigned int cpu;
	struct portsock_table *table;
	const struct workload *workload;
	char (*sockets)[2048];
	unsigned long done;
	double seconds;		/* of its processor */
} __attribute__((aligned(128)));

/* All on one port; each on a port of its own; ports that come and go. */
static void hot(struct worker *worker, unsigned long n)
{
	accepted(worker->table, worker->sockets[n % SOCKETS], PORT);
}

static int ports[THREADS_MAX][PORTS];

static void choose_ports(unsigned int seed)
{
	static bool chosen[EPHEMERAL];

	srand(seed);
	for (size_t cpu = 0; cpu < THREADS_MAX; cpu++) {
		for (size_t n = 0; n < PORTS; n++) {
			int port;

			do
				port = SERVICES + rand() % (EPHEMERAL - SERVICES);
			while (chosen[port]);
			chosen[port] = true;
			ports[cpu][n] = port;
		}
	}
}

static void many(struct worker *worker, unsigned long n)
{
	accepted(worker->table, worker->sockets[n % SOCKETS],
		 ports[worker->cpu][n % PORTS]);
}

static void ephemeral(struct worker *worker, unsigned long n)
{
	connected(worker->table, worker->sockets[n % SOCKETS],
		  EPHEMERAL + THREADS_MAX * (n % (28000 / THREADS_MAX)) + worker->cpu, 0);
}

static const struct workload {
	const char *name;
	void (*one)(struct worker *worker, unsigned long n);
} workloads[] = {
	{ "hot", hot },
	{ "many", many },
	{ "ephemeral", ephemeral },
};

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
	while (!READ_ONCE(stop))
		worker->workload->one(worker, worker->done++);
	worker->seconds = clock_seconds(CLOCK_THREAD_CPUTIME_ID) - start;
	return NULL;
}

/* As the module's work does once a second. */
static void spread(void)
{
	struct portsock_want wants[WANTS_MAX];
	unsigned int nr = portsock_wants_take(wants);

	while (nr--)
		for (size_t i = 0; i < ARRAY_SIZE(tables); i++)
			if (wants[nr].owner == tables[i] || wants[nr].owner == &tables[i]->totals)
				portsock_spread(tables[i], wants[nr].key);
}

static void run(const struct workload *workload, int threads, double seconds, bool own)
{
	static char sockets[THREADS_MAX][SOCKETS][2048] __attribute__((aligned(128)));
	static struct worker workers[THREADS_MAX];
	double start = clock_seconds(CLOCK_MONOTONIC), rate = 0, had = 0;

	for (size_t i = 0; i < ARRAY_SIZE(tables); i++)
		portsock_spread_end(tables[i]);
	WRITE_ONCE(stop, false);
	for (int i = 0; i < threads; i++) {
		workers[i] = (struct worker){ .cpu = i, .table = tables[own ? 1 + i : 0],
					      .workload = workload, .sockets = sockets[i] };
		if (pthread_create(&workers[i].thread, NULL, work, &workers[i])) {
			perror("pthread_create");
			exit(1);
		}
	}
	while (clock_seconds(CLOCK_MONOTONIC) < start + seconds) {
		usleep(20000);
		spread();
	}
	WRITE_ONCE(stop, true);
	for (int i = 0; i < threads; i++) {
		pthread_join(workers[i].thread, NULL);
		rate += workers[i].done / workers[i].seconds;
		had += workers[i].seconds / threads;
	}
	printf("%s %s %d %.0f %.2f\n", workload->name, own ? "own" : "one", threads, rate,
	       had / (clock_seconds(CLOCK_MONOTONIC) - start));
}

/* Who accepts also listens. */
static struct sock listeners[(1 + 2 * PORTS) * THREADS_MAX + 1];
static size_t listeners_nr;

static void listen_on(struct portsock_table *table, int port)
{
	listening(table, &listeners[listeners_nr++], port);
}

static void listen_all(int threads)
{
	listen_on(tables[0], PORT);
	for (int cpu = 0; cpu < threads; cpu++) {
		listen_on(tables[1 + cpu], PORT);
		for (int n = 0; n < PORTS; n++) {
			listen_on(tables[0], ports[cpu][n]);
			listen_on(tables[1 + cpu], ports[cpu][n]);
		}
	}
}

static void close_all(void)
{
	while (listeners_nr)
		portsock_sock_forget(&listeners[--listeners_nr]);
}

/* Nothing may be left of all these sockets, or the threads got into each other's way. */
static void verify(struct portsock_table *table)
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
	int most = min(sysconf(_SC_NPROCESSORS_ONLN), (long)THREADS_MAX);

	if (seconds <= 0)
		return 2;
	if (sockets_init())
		return 1;
	for (size_t i = 0; i < ARRAY_SIZE(tables); i++) {
		tables[i] = portsock_table_new(true);
		if (!tables[i])
			return 1;
	}
	choose_ports(atoi(argv[2]));
	listen_all(most);
	for (size_t i = 0; i < ARRAY_SIZE(workloads); i++)
		for (int threads = 1; threads <= most; threads *= 2)
			for (int own = 0; own <= (threads > 1); own++)
				run(&workloads[i], threads, seconds, own);
	close_all();
	for (size_t i = 0; i < ARRAY_SIZE(tables); i++)
		verify(tables[i]);
	return 0;
}
