// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "output.h"

/* A device, a pipe or a link would be replaced by a file. */
static int target_check(const char *path, struct portsock_error *error)
{
	struct stat target;

	if (!*path)
		return portsock_error_set(error, "the name of the output file is empty");
	if (lstat(path, &target))
		return errno == ENOENT ? 0 : portsock_error_set(error, "%s: %s", path, strerror(errno));
	if (!S_ISREG(target.st_mode))
		return portsock_error_set(error, "%s: not a regular file, it would be replaced by one", path);

	return 0;
}

/* Return: a file descriptor, -1 with @error set. Agents that look for names by their end do not see it. */
static int temporary_open(const char *path, char **name, struct portsock_error *error)
{
	const char *base = strrchr(path, '/');
	int fd;

	base = base ? base + 1 : path;
	if (asprintf(name, "%.*s.%s.XXXXXX", (int)(base - path), path, base) < 0) {
		*name = NULL;
		return portsock_error_set(error, "out of memory");
	}
	fd = mkostemp(*name, O_CLOEXEC);
	if (fd < 0)
		return portsock_error_set(error, "%s: cannot make a file beside it: %s", path, strerror(errno));

	return fd;
}

static int all_write(int fd, const char *text)
{
	size_t left = strlen(text);
	ssize_t done;

	for (; left; text += done, left -= done) {
		done = write(fd, text, left);
		if (done < 0)
			return -1;
	}

	return 0;
}

/* Return: 0 with all on disk, -1 with errno set; @fd is closed. */
static int file_fill(int fd, const char *text)
{
	mode_t mask = umask(0);
	int rc, err;

	umask(mask);
	rc = all_write(fd, text) || fchmod(fd, 0666 & ~mask) || fsync(fd) ? -1 : 0;
	err = errno;
	if (close(fd) && !rc)
		return -1;
	errno = err;

	return rc;
}

int portsock_output_replace(const char *path, const char *text, struct portsock_error *error)
{
	char *name = NULL;
	int fd, rc = -1;

	if (target_check(path, error))
		return -1;

	fd = temporary_open(path, &name, error);
	if (fd >= 0) {
		if (file_fill(fd, text) || rename(name, path)) {
			portsock_error_set(error, "%s: %s", path, strerror(errno));
			unlink(name);
		} else {
			rc = 0;
		}
	}
	free(name);

	return rc;
}
