// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "source.h"

#define NETNS_DIR "/run/netns"

static const char *open_advice(const char *path, int err)
{
	if (err == ENOENT && !strncmp(path, "/proc/", strlen("/proc/")))
		return " (is the module loaded? modprobe portsock)";
	if (err == EACCES)
		return " (try as root)";

	return "";
}

int portsock_source_open(struct portsock_source *source, const char *path, struct portsock_error *error)
{
	/* One page is what /proc hands out per read; stdio would ask for less. */
	static char buffer[4096];
	bool is_stdin = !strcmp(path, "-");

	snprintf(source->name, sizeof(source->name), "%s", is_stdin ? "stdin" : path);
	source->in = is_stdin ? stdin : fopen(path, "re");
	if (!source->in)
		return portsock_error_set(error, "%s: %s%s", path, strerror(errno), open_advice(path, errno));
	setvbuf(source->in, buffer, _IOFBF, sizeof(buffer));

	return 0;
}

static int pid_open(struct portsock_source *source, const char *pid, struct portsock_error *error)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%.20s", pid);
	if (access(path, F_OK))
		return portsock_error_set(error, "--netns %s: no process has this ID", pid);
	snprintf(path, sizeof(path), "/proc/%.20s/net/portsock", pid);

	return portsock_source_open(source, path, error);
}

static int name_enter(const char *name, struct portsock_error *error)
{
	char path[512];
	int fd, rc, err;

	snprintf(path, sizeof(path), NETNS_DIR "/%.255s", name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT)
		return portsock_error_set(error,
					  "--netns %s: no such process ID or name in " NETNS_DIR " (see: ip netns list)",
					  name);
	if (fd < 0)
		return portsock_error_set(error, "--netns %s: %s: %s%s", name, path, strerror(errno),
					  open_advice(path, errno));

	rc = setns(fd, CLONE_NEWNET);
	err = errno;
	close(fd);
	if (rc && err == EINVAL)
		return portsock_error_set(error, "--netns %s: %s is not a network namespace", name, path);
	if (rc)
		return portsock_error_set(error, "--netns %s: cannot enter: %s (try as root)", name, strerror(err));

	return 0;
}

int portsock_source_open_netns(struct portsock_source *source, const char *netns,
			       struct portsock_error *error)
{
	if (*netns && !netns[strspn(netns, "0123456789")])
		return pid_open(source, netns, error);
	if (!*netns || strchr(netns, '/') || !strcmp(netns, ".") || !strcmp(netns, ".."))
		return portsock_error_set(error, "--netns '%s': neither a process ID nor a name in " NETNS_DIR,
					  netns);
	if (name_enter(netns, error))
		return -1;

	return portsock_source_open(source, PORTSOCK_PROC, error);
}
