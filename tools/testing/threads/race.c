// SPDX-License-Identifier: GPL-2.0
/*
 * race - do threads that change rows, readers, and who gives and takes cells get
 * into each other's way?
 *
 * race OPERATIONS SEED
 *
 * The module's records and rows, as they are; each of some threads does so many
 * operations. Says what was done; exits 1 with a line that says why if a row that
 * was read is not consistent in itself, a counter has gone down, or something is
 * left or missing at the end. To be run with ThreadSanitizer, too.
 */
#define _GNU_SOURCE
#include "sockets.h"

#include <stdio.h>
#include <unistd.h>

#define WORKERS	4	/* one CPU each; the last two are who reads and who gives cells */
#define READER	WORKERS
#define GIVER	(WORKERS + 1)
#define SOCKETS	32	/* that a worker has at a time */
#define PORT	443
#define SINGLE	8443	/* a worker has one socket there at a time */
#define REMOTE	5432
#define FIRST	32768	/* ephemeral port */

static struct portsock_table *table;
static unsigned long operations;
static bool stop;

struct worker {
	pthread_t thread;
	unsigned int cpu;
	unsigned int seed;
	char sockets[SOCKETS][2048];
	struct sock listener;
	char mini[64];
	unsigned long accepted;
	unsigned long kept;
	unsigned long single;
	unsigned long connected;
	unsigned long listened;
};

static struct worker workers[WORKERS];

static void fail(const struct portsock_line *line, const char *what)
{
	fprintf(stderr, "race: class %d, protocol %d, port %d: %s: %u sockets, peak %u, %lu opened\n",
		line->class, line->proto, line->port, what, line->counts.sockets,
		line->counts.peak, (unsigned long)portsock_opened(&line->counts));
	exit(1);
}

/* It is in some state of its life when another one is done with. */
static void keep_one(struct worker *worker, unsigned int i)
{
	const void *sk = worker->sockets[i];

	portsock_sock_forget(sk);
	arrived(table, sk, PORT);
	worker->kept++;
}

/* What is left of a connection is a mini-socket for a while. */
static void linger(struct worker *worker, const void *sk)
{
	struct portsock_holding h = {
		.table = table,
		.proto = PORTSOCK_TCP,
		.port = FIRST + 256 * worker->cpu + 255,
		.state = TCP_FIN_WAIT2,
		.how = PORTSOCK_CONNECTED,
		.remote = REMOTE,
	};

	portsock_sock_hold(sk, &h);
	h.state = TCP_TIME_WAIT;
	h.how = PORTSOCK_BOUND;
	h.remote = 0;
	h.end = &reset;
	portsock_sock_inherit(sk, worker->mini, &h);
	portsock_sock_forget(worker->mini);
	worker->connected++;
}

static void work_once(struct worker *worker)
{
	unsigned int i = rand_r(&worker->seed) % SOCKETS;
	const void *sk = worker->sockets[i];

	switch (rand_r(&worker->seed) % 10) {
	case 0 ... 2:
		portsock_sock_forget(sk);
		accepted(table, sk, PORT);
		worker->accepted++;
		break;
	case 3 ... 5:
		portsock_sock_forget(sk);
		connected(table, sk, FIRST + 256 * worker->cpu + i, REMOTE);
		worker->connected++;
		break;
	case 6:
		keep_one(worker, i);
		break;
	case 7:
		portsock_sock_forget(sk);
		linger(worker, sk);
		break;
	case 8:
		accepted(table, &worker->seed, SINGLE);
		worker->single++;
		break;
	default:
		if (rand_r(&worker->seed) % 16)
			break;
		portsock_sock_forget(&worker->listener);
		listening(table, &worker->listener, PORT);
		worker->listened++;
	}
}

static void *work(void *arg)
{
	struct worker *worker = arg;

	this_cpu = worker->cpu;
	for (unsigned long n = 0; n < operations; n++)
		work_once(worker);
	for (unsigned int i = 0; i < SOCKETS; i++)
		portsock_sock_forget(worker->sockets[i]);
	portsock_sock_forget(&worker->listener);
	return NULL;
}

/* What was read of a row that stays when that was last done. */
struct seen {
	unsigned long opened;
	unsigned long resets;
};

static void line_check(const struct portsock_line *line, struct seen *seen)
{
	unsigned long sum = 0, now = portsock_opened(&line->counts);

	for (int state = 1; state < PORTSOCK_STATE_NR; state++)
		if (state != TCP_TIME_WAIT)
			sum += line->counts.state[state];
	if (sum != line->counts.sockets)
		fail(line, "states do not add up");
	if (line->counts.peak < line->counts.sockets && line->class != PORTSOCK_REMOTE)
		fail(line, "less at the peak than there are");
	if (now < line->counts.sockets)
		fail(line, "more than were opened");
	if (now < seen->opened)
		fail(line, "fewer opened than before");
	seen->opened = now;
	if (!line->deep)
		return;
	if (line->depth.ends[PORTSOCK_RESET] < seen->resets)
		fail(line, "fewer reset than before");
	seen->resets = line->depth.ends[PORTSOCK_RESET];
}

static struct seen *seen_of(const struct portsock_line *line)
{
	static struct seen seen[3][PORTSOCK_END][PORTSOCK_PROTO_NR];
	int which = !line->port ? 0 : line->port == SINGLE ? 1 : 2;

	return &seen[which][line->part][line->proto];
}

static unsigned long reads;

static void read_once(void)
{
	struct portsock_cursor cursor = { };
	struct portsock_line line;

	while (portsock_table_next(table, &cursor, &line)) {
		struct seen passing = { };

		line_check(&line, line.part == PORTSOCK_EPHEMERALS ? &passing : seen_of(&line));
	}
	reads++;
}

static void *read_all(void *arg)
{
	(void)arg;
	this_cpu = READER;
	while (!READ_ONCE(stop))
		read_once();
	return NULL;
}

static unsigned long given;

/* Gives cells of something, looks after them, or takes all that there are. */
static void give_once(unsigned int *seed)
{
	static const u32 ports[] = { PORT, 0, SINGLE };
	unsigned int what = rand_r(seed) % 6;
	struct portsock_cells *cells, *next;

	if (what < 4) {
		portsock_spread(table, what == 3 ? key_remote(PORTSOCK_TCP, REMOTE) :
						   key_of(PORTSOCK_TCP, ports[what]));
		given++;
		return;
	}
	if (what == 4) {
		portsock_spread_look();
		return;
	}
	mutex_lock(&portsock_cells_mutex);
	list_for_each_entry_safe(cells, next, &all_cells, others)
		__gather(cells);
	mutex_unlock(&portsock_cells_mutex);
}

static void *give_all(void *arg)
{
	unsigned int seed = *(unsigned int *)arg;

	this_cpu = GIVER;
	while (!READ_ONCE(stop)) {
		give_once(&seed);
		usleep(rand_r(&seed) % 500);
	}
	return NULL;
}

static struct portsock_line line_of(enum portsock_part part, int port)
{
	struct portsock_cursor cursor = { .part = part };
	struct portsock_line line;

	while (portsock_table_next(table, &cursor, &line))
		if (line.part == part && line.port == port && line.class != PORTSOCK_UNBOUND)
			return line;
	fprintf(stderr, "race: part %d has no port %d\n", part, port);
	exit(1);
}

static void expect(enum portsock_part part, int port, unsigned long opened, unsigned long resets,
		   unsigned int peak)
{
	struct portsock_line line = line_of(part, port);

	if (line.counts.sockets)
		fail(&line, "is not empty at the end");
	if (line.counts.peak > peak)
		fail(&line, "more at the peak than there can have been");
	if (portsock_opened(&line.counts) != opened || line.depth.ends[PORTSOCK_RESET] != resets) {
		fprintf(stderr, "race: %lu should have been opened, and %lu reset, not %lu\n",
			opened, resets, (unsigned long)line.depth.ends[PORTSOCK_RESET]);
		fail(&line, "wrong at the end");
	}
}

static void verify(void)
{
	unsigned long accepts = 0, keeps = 0, singles = 0, connects = 0, listens = 0;

	for (int i = 0; i < WORKERS; i++) {
		accepts += workers[i].accepted;
		keeps += workers[i].kept;
		singles += workers[i].single;
		connects += workers[i].connected;
		listens += workers[i].listened;
	}
	portsock_spread_end(table);
	if (portsock_gauges_short()) {
		fprintf(stderr, "race: %lu gauges went below zero\n",
			(unsigned long)portsock_gauges_short());
		exit(1);
	}
	expect(PORTSOCK_SERVICES, PORT, accepts + keeps + listens, accepts,
	       WORKERS * (SOCKETS + 1));
	expect(PORTSOCK_SERVICES, SINGLE, singles, singles, WORKERS);
	expect(PORTSOCK_REMOTES, REMOTE, connects, connects, WORKERS);
	expect(PORTSOCK_TOTALS, 0, connects, connects, WORKERS);
	printf("%lu accepted, %lu connected, read %lu times, cells given %lu times\n",
	       accepts, connects, reads, given);
}

int main(int argc, char **argv)
{
	unsigned int seed = argc == 3 ? atoi(argv[2]) : 0;
	pthread_t reader, giver;

	operations = argc == 3 ? atol(argv[1]) : 0;
	if (!operations)
		return 2;
	if (sockets_init())
		return 1;
	table = portsock_table_new(true);
	if (!table)
		return 1;
	for (int i = 0; i < WORKERS; i++) {
		workers[i].cpu = i;
		workers[i].seed = seed + i;
		if (pthread_create(&workers[i].thread, NULL, work, &workers[i]))
			return 1;
	}
	seed += WORKERS;
	if (pthread_create(&reader, NULL, read_all, NULL) ||
	    pthread_create(&giver, NULL, give_all, &seed))
		return 1;
	for (int i = 0; i < WORKERS; i++)
		pthread_join(workers[i].thread, NULL);
	WRITE_ONCE(stop, true);
	pthread_join(reader, NULL);
	pthread_join(giver, NULL);
	verify();
	return 0;
}
