// SPDX-License-Identifier: GPL-2.0-only
/*
 * latency - how long does nobody else get the processor?
 *
 * latency PERIOD
 *
 * Wants to run every PERIOD nanoseconds, before all others, until it gets SIGTERM.
 * Prints a line when it begins, and at the end how often it ran, and the most that
 * the time stamp counter moved from when it wanted to run until it did.
 */
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <x86intrin.h>

static volatile sig_atomic_t stop;

static void on_term(int sig)
{
	(void)sig;
	stop = 1;
}

int main(int argc, char **argv)
{
	const struct sched_param first = { .sched_priority = 99 };
	struct timespec period = { 0, argc == 2 ? atol(argv[1]) : 0 };
	unsigned long long before, most = 0;
	long runs = 0;

	if (period.tv_nsec < 1)
		return 2;
	if (mlockall(MCL_CURRENT | MCL_FUTURE) || sched_setscheduler(0, SCHED_FIFO, &first)) {
		perror("latency");
		return 1;
	}
	signal(SIGTERM, on_term);
	puts("begins");
	fflush(stdout);
	before = __rdtsc();
	while (!stop) {
		unsigned long long now;

		nanosleep(&period, NULL);
		now = __rdtsc();
		/* a nanosecond is an instruction */
		if (now - before > most + period.tv_nsec)
			most = now - before - period.tv_nsec;
		before = __rdtsc();
		runs++;
	}
	printf("%ld %llu\n", runs, most);
	return 0;
}
