// SPDX-License-Identifier: GPL-2.0
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <search.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "netns.h"

#define CONTAINER_ID_DIGITS	64
/* Enough for all control groups of a process, version 1, in deep trees. */
#define CGROUP_MAX		16384

struct portsock_netns_name {
	ino_t inode;
	char text[NAME_MAX + 1];
};

static size_t hex_digits(const char *text)
{
	return strspn(text, "0123456789abcdef");
}

static bool starts(const char *text, const char *prefix)
{
	return !strncmp(text, prefix, strlen(prefix));
}

static bool ends(const char *text, const char *suffix)
{
	size_t length = strlen(text), end = strlen(suffix);

	return length >= end && !strcmp(text + length - end, suffix);
}

/* ID, docker-ID.scope, SLICE:cri-containerd:ID; not the monitor of a container, which is outside of it. */
static void container_take(struct portsock_netns *netns, const char *group)
{
	size_t length = strlen(group) - (ends(group, ".scope") ? strlen(".scope") : 0);
	const char *id = group + length - CONTAINER_ID_DIGITS;

	if (length < CONTAINER_ID_DIGITS || hex_digits(id) < CONTAINER_ID_DIGITS || strstr(group, "conmon"))
		return;
	if (id == group || id[-1] == '-' || id[-1] == ':')
		snprintf(netns->container_id, sizeof(netns->container_id), "%.*s", CONTAINER_ID_DIGITS, id);
}

/* podUID, kubepods-QOS-podUID.slice with '_' for '-'. A static pod's UID is a hash, without any. */
static void pod_take(struct portsock_netns *netns, const char *group)
{
	const char *pod = strstr(group, "kubepods") ? strstr(group, "-pod") : NULL;
	const char *uid = pod ? pod + strlen("-pod") : starts(group, "pod") ? group + strlen("pod") : "";
	size_t length = strspn(uid, "0123456789abcdef-_");
	char *c;

	if (length != 36 && !(length == 32 && hex_digits(uid) == 32))
		return;
	snprintf(netns->pod_uid, sizeof(netns->pod_uid), "%.*s", (int)length, uid);
	for (c = netns->pod_uid; *c; c++)
		if (*c == '_')
			*c = '-';
}

/* Undo systemd's escapes, \xHH, in place. */
static void unescape(char *text)
{
	unsigned int byte;
	char *out = text;

	while (*text) {
		if (text[0] == '\\' && text[1] == 'x' && sscanf(text + 2, "%2x", &byte) == 1 && isprint(byte)) {
			*out++ = byte;
			text += strlen("\\xHH");
		} else {
			*out++ = *text++;
		}
	}
	*out = '\0';
}

static void text_clean(char *text)
{
	for (; *text; text++)
		if (!isascii((unsigned char)*text) || !isprint((unsigned char)*text))
			*text = '?';
}

/* machine-NAME.scope, systemd-nspawn@NAME.service */
static void machine_take(struct portsock_netns *netns, const char *group)
{
	static const struct {
		const char *prefix, *suffix;
	} forms[] = { { "machine-", ".scope" }, { "systemd-nspawn@", ".service" } };
	size_t i, length;

	for (i = 0; i < sizeof(forms) / sizeof(*forms); i++) {
		if (!starts(group, forms[i].prefix) || !ends(group, forms[i].suffix))
			continue;
		length = strlen(group) - strlen(forms[i].prefix) - strlen(forms[i].suffix);
		snprintf(netns->machine, sizeof(netns->machine), "%.*s", (int)length, group + strlen(forms[i].prefix));
		unescape(netns->machine);
		text_clean(netns->machine);
	}
}

void portsock_netns_cgroup(struct portsock_netns *netns, char *text)
{
	char *line, *group;

	while ((line = strsep(&text, "\n"))) {
		line = strchr(line, '/');
		while ((group = strsep(&line, "/"))) {
			container_take(netns, group);
			pod_take(netns, group);
			machine_take(netns, group);
		}
	}
}

/* Return: how much was read of a file below @dir, -1 if it cannot be. */
static ssize_t file_read(int dir, const char *pid, const char *name, char *text, size_t size)
{
	char path[64];
	ssize_t length;
	int fd;

	snprintf(path, sizeof(path), "%.20s/%s", pid, name);
	fd = openat(dir, path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	length = read(fd, text, size - 1);
	close(fd);
	text[length < 0 ? 0 : length] = '\0';

	return length;
}

/* Return: false if the process is gone. */
static bool process_read(struct portsock_netns *netns, int dir, const char *pid)
{
	char text[CGROUP_MAX];

	if (file_read(dir, pid, "comm", netns->comm, sizeof(netns->comm)) <= 0)
		return false;
	netns->comm[strcspn(netns->comm, "\n")] = '\0';
	text_clean(netns->comm);
	/* A kernel without control groups has no such file. */
	if (file_read(dir, pid, "cgroup", text, sizeof(text)) > 0)
		portsock_netns_cgroup(netns, text);

	return true;
}

static int table_compare(const void *a, const void *b)
{
	const struct portsock_netns *one = a, *other = b;

	return (one->table > other->table) - (one->table < other->table);
}

/* Return: 0, or -1 without memory. */
static int netns_add(struct portsock_netns_list *list, void **tree, const struct portsock_netns *netns)
{
	struct portsock_netns **all = reallocarray(list->all, list->nr + 1, sizeof(*all));

	if (!all)
		return -1;
	list->all = all;
	all[list->nr] = malloc(sizeof(**all));
	if (!all[list->nr])
		return -1;
	*all[list->nr] = *netns;

	return tsearch(all[list->nr++], tree, table_compare) ? 0 : -1;
}

static int process_add(struct portsock_netns_list *list, void **tree, int dir, const char *pid)
{
	struct portsock_netns netns = { .pid = atoi(pid) };
	char path[64];
	struct stat st;

	snprintf(path, sizeof(path), "%.20s/net/portsock", pid);
	if (fstatat(dir, path, &st, 0)) {
		list->skipped++;
		return 0;
	}
	netns.table = st.st_ino;
	if (tfind(&netns, tree, table_compare))
		return 0;
	if (!process_read(&netns, dir, pid)) {
		list->skipped++;
		return 0;
	}

	return netns_add(list, tree, &netns);
}

static void tree_node_keep(void *node)
{
	(void)node;
}

static int is_process(const struct dirent *entry)
{
	return isdigit((unsigned char)*entry->d_name);
}

static int process_compare(const struct dirent **a, const struct dirent **b)
{
	long one = atol((*a)->d_name), other = atol((*b)->d_name);

	return (one > other) - (one < other);
}

static int processes_read(struct portsock_netns_list *list, struct portsock_error *error)
{
	struct dirent **processes = NULL;
	void *tree = NULL;
	int dir, nr, i, rc;

	dir = open(list->proc, O_PATH | O_DIRECTORY | O_CLOEXEC);
	nr = dir < 0 ? -1 : scandirat(dir, ".", &processes, is_process, process_compare);
	if (nr < 0)
		portsock_error_set(error, "%s: %s", list->proc, strerror(errno));
	for (i = 0, rc = nr < 0 ? -1 : 0; i < nr; i++) {
		if (!rc && process_add(list, &tree, dir, processes[i]->d_name))
			rc = portsock_error_set(error, "out of memory");
		free(processes[i]);
	}
	free(processes);
	tdestroy(tree, tree_node_keep);
	if (dir >= 0)
		close(dir);
	if (!rc && !list->nr)
		rc = portsock_error_set(error, "%s: no process has a table (is the module loaded? modprobe portsock)",
					list->proc);

	return rc;
}

static int name_compare(const void *a, const void *b)
{
	const struct portsock_netns_name *one = a, *other = b;

	return (one->inode > other->inode) - (one->inode < other->inode);
}

static int name_add(struct portsock_netns_list *list, ino_t inode, const char *text)
{
	struct portsock_netns_name *names = reallocarray(list->names, list->nr_names + 1, sizeof(*names));

	if (!names)
		return -1;
	list->names = names;
	names[list->nr_names].inode = inode;
	snprintf(names[list->nr_names].text, sizeof(names->text), "%s", text);
	text_clean(names[list->nr_names].text);
	list->nr_names++;

	return 0;
}

static int names_read(struct portsock_netns_list *list, const char *run, struct portsock_error *error)
{
	const struct dirent *entry;
	struct stat st;
	int rc = 0;
	DIR *dir;

	dir = opendir(run);
	if (!dir)
		return 0;
	while (!rc && (entry = readdir(dir)))
		if (*entry->d_name != '.' && !fstatat(dirfd(dir), entry->d_name, &st, 0))
			rc = name_add(list, st.st_ino, entry->d_name);
	closedir(dir);
	if (rc)
		return portsock_error_set(error, "out of memory");
	if (list->nr_names)
		qsort(list->names, list->nr_names, sizeof(*list->names), name_compare);

	return 0;
}

int portsock_netns_find(struct portsock_netns_list *list, const char *proc, const char *run,
			struct portsock_error *error)
{
	*list = (struct portsock_netns_list) { .proc = proc };
	if (processes_read(list, error))
		return -1;

	return names_read(list, run, error);
}

int portsock_netns_open(const struct portsock_netns_list *list, const struct portsock_netns *netns,
			struct portsock_source *source, struct portsock_error *error)
{
	char path[sizeof(source->name)];
	struct stat st;

	snprintf(path, sizeof(path), "%s/%d/net/portsock", list->proc, (int)netns->pid);
	errno = 0;
	if (portsock_source_open(source, path, error))
		return errno == ENOENT || errno == ESRCH ? 0 : -1;
	if (!fstat(fileno(source->in), &st) && st.st_ino == netns->table)
		return 1;
	fclose(source->in);

	return 0;
}

const char *portsock_netns_name(const struct portsock_netns_list *list, const struct portsock_netns *netns,
				uint64_t inode)
{
	const struct portsock_netns_name key = { .inode = inode };
	const struct portsock_netns_name *name = NULL;

	if (list->nr_names)
		name = bsearch(&key, list->names, list->nr_names, sizeof(*list->names), name_compare);
	if (name)
		return name->text;

	return *netns->machine ? netns->machine : NULL;
}

void portsock_netns_label(const struct portsock_netns_list *list, const struct portsock_netns *netns,
			  uint64_t inode, char *label, size_t size)
{
	const char *name = portsock_netns_name(list, netns, inode);

	if (name)
		snprintf(label, size, "%s", name);
	else if (*netns->container_id)
		snprintf(label, size, "%.12s", netns->container_id);
	else
		snprintf(label, size, "%s/%d", netns->comm, (int)netns->pid);
}

void portsock_netns_clear(struct portsock_netns_list *list)
{
	size_t i;

	for (i = 0; i < list->nr; i++)
		free(list->all[i]);
	free(list->all);
	free(list->names);
	*list = (struct portsock_netns_list) { 0 };
}
