// SPDX-License-Identifier: GPL-2.0-only
/*
 * timed - by how much does the time stamp counter move?
 *
 * timed REPETITIONS read FILE          while FILE is read to its end
 * timed REPETITIONS services FILE      ... or to its first line with " * "
 * timed REPETITIONS http PORT          while http://127.0.0.1:PORT/metrics is read
 * timed REPETITIONS run COMMAND...     while a command runs, its output discarded
 *
 * Prints, for each repetition, the difference and the bytes read, or the status
 * of the command.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <x86intrin.h>

extern char **environ;

static void die(const char *what)
{
	perror(what);
	exit(1);
}

/* What is sought may lie across two reads. */
static long drain(int fd, const char *until)
{
	static char buffer[32 + 65536];
	size_t kept = 0, keep = until ? strlen(until) - 1 : 0;
	long total = 0;
	ssize_t n;

	while ((n = read(fd, buffer + kept, 65536)) > 0) {
		total += n;
		if (!until)
			continue;
		if (memmem(buffer, kept + n, until, keep + 1))
			return total;
		n += kept;
		kept = (size_t)n < keep ? (size_t)n : keep;
		memmove(buffer, buffer + n - kept, kept);
	}
	if (n < 0)
		die("read");
	return total;
}

static long file(const char *path, const char *until)
{
	int fd = open(path, O_RDONLY);
	long total;

	if (fd < 0)
		die(path);
	total = drain(fd, until);
	close(fd);
	return total;
}

static long http(int port)
{
	static const char request[] = "GET /metrics HTTP/1.0\r\n\r\n";
	struct sockaddr_in sin = {
		.sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	long total;

	if (fd < 0 || connect(fd, (void *)&sin, sizeof(sin)))
		die("connect");
	if (write(fd, request, sizeof(request) - 1) != sizeof(request) - 1)
		die("write");
	total = drain(fd, NULL);
	close(fd);
	return total;
}

static long run(char **command)
{
	posix_spawn_file_actions_t actions;
	int status;
	pid_t pid;

	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
	errno = posix_spawnp(&pid, command[0], &actions, NULL, command, environ);
	if (errno || waitpid(pid, &status, 0) != pid)
		die(command[0]);
	posix_spawn_file_actions_destroy(&actions);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 255;
}

int main(int argc, char **argv)
{
	const char *what = argc > 3 ? argv[2] : "";
	long repetitions = argc > 3 ? atol(argv[1]) : 0;

	if (repetitions < 1)
		return 2;
	while (repetitions--) {
		unsigned long long start = __rdtsc();
		long result;

		if (!strcmp(what, "read"))
			result = file(argv[3], NULL);
		else if (!strcmp(what, "services"))
			result = file(argv[3], " * ");
		else if (!strcmp(what, "http"))
			result = http(atoi(argv[3]));
		else if (!strcmp(what, "run"))
			result = run(argv + 3);
		else
			return 2;
		printf("%llu %ld\n", __rdtsc() - start, result);
		usleep(20000);
	}
	return 0;
}
