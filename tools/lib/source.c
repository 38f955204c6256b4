// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "source.h"

static const char *open_advice(const char *path, int err)
{
	if (err == ENOENT && !strncmp(path, "/proc/", strlen("/proc/")))
		return " (is the module loaded? modprobe portsock)";
	if (err == EACCES)
		return " (try as root)";

	return "";
}

const char *portsock_source_path(const char *file)
{
	if (!file)
		file = getenv("PORTSOCK_FILE");

	return file && *file ? file : PORTSOCK_PROC;
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

static bool netns_is_pid(const char *netns)
{
	return *netns && !netns[strspn(netns, "0123456789")];
}

static int pid_check(const char *pid, struct portsock_error *error)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%.20s", pid);

	return access(path, F_OK) ? portsock_error_set(error, "--netns %s: no process has this ID", pid) : 0;
}

static int name_check(const char *name, struct portsock_error *error)
{
	char path[512];

	if (!*name || strchr(name, '/') || !strcmp(name, ".") || !strcmp(name, ".."))
		return portsock_error_set(error, "--netns '%s': neither a process ID nor a name in " PORTSOCK_NETNS_DIR, name);

	snprintf(path, sizeof(path), PORTSOCK_NETNS_DIR "/%.255s", name);
	if (access(path, F_OK) && errno == ENOENT)
		return portsock_error_set(error,
					  "--netns %s: no such process ID or name in " PORTSOCK_NETNS_DIR " (see: ip netns list)",
					  name);

	return 0;
}

static int path_enter(const char *netns, const char *path, struct portsock_error *error)
{
	int fd, rc, err;

	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return portsock_error_set(error, "--netns %s: %s: %s%s", netns, path, strerror(errno),
					  open_advice(path, errno));

	rc = setns(fd, CLONE_NEWNET);
	err = errno;
	close(fd);
	if (rc && err == EINVAL)
		return portsock_error_set(error, "--netns %s: %s is not a network namespace", netns, path);
	if (rc)
		return portsock_error_set(error, "--netns %s: cannot enter: %s (try as root)", netns, strerror(err));

	return 0;
}

int portsock_source_enter(const char *netns, struct portsock_error *error)
{
	bool is_pid = netns_is_pid(netns);
	char path[512];

	if (is_pid ? pid_check(netns, error) : name_check(netns, error))
		return -1;
	if (is_pid)
		snprintf(path, sizeof(path), "/proc/%.20s/ns/net", netns);
	else
		snprintf(path, sizeof(path), PORTSOCK_NETNS_DIR "/%.255s", netns);

	return path_enter(netns, path, error);
}

/* A table stays that of the namespace in which it was opened. */
static int name_open(struct portsock_source *source, const char *name, struct portsock_error *error)
{
	int home, rc;

	home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	rc = portsock_source_enter(name, error) || portsock_source_open(source, PORTSOCK_PROC, error) ? -1 : 0;
	if (!rc)
		snprintf(source->name, sizeof(source->name), PORTSOCK_NETNS_DIR "/%s", name);
	/* Whoever may not return, as in a user namespace of his own, stays there. */
	setns(home, CLONE_NEWNET);
	close(home);

	return rc;
}

int portsock_source_open_netns(struct portsock_source *source, const char *netns,
			       struct portsock_error *error)
{
	char path[64];

	if (!netns_is_pid(netns))
		return name_open(source, netns, error);
	if (pid_check(netns, error))
		return -1;
	snprintf(path, sizeof(path), "/proc/%.20s/net/portsock", netns);

	return portsock_source_open(source, path, error);
}
