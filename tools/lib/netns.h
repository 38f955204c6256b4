/* SPDX-License-Identifier: GPL-2.0 */
#ifndef PORTSOCK_NETNS_H
#define PORTSOCK_NETNS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "error.h"
#include "source.h"

/**
 * struct portsock_netns - a network namespace that a process is in
 * @table: st_ino of its table, which no two namespaces share
 * @pid: process by which it was found, the one with the lowest ID
 * @comm: name of that process, bytes outside printable ASCII replaced by '?'
 * @machine: name of the systemd-nspawn machine the process is in, cleaned likewise; empty if in none, as are those below
 * @container_id: ID of the innermost container the process is in, 64 hexadecimal digits
 * @pod_uid: UID of the Kubernetes pod the process is in
 */
struct portsock_netns {
	ino_t table;
	pid_t pid;
	char comm[16];
	char machine[65];
	char container_id[65];
	char pod_uid[37];
};

struct portsock_netns_name;

/**
 * struct portsock_netns_list - the network namespaces of this machine
 * @all: those that a process is in, in the order of @pid
 * @nr: how many
 * @skipped: processes that went while they were looked at, or are hidden from the caller
 * @proc: where processes are
 * @names: what ip-netns(8) calls namespaces, by inode number
 * @nr_names: how many
 */
struct portsock_netns_list {
	struct portsock_netns **all;
	size_t nr;
	unsigned long skipped;
	const char *proc;
	struct portsock_netns_name *names;
	size_t nr_names;
};

/**
 * portsock_netns_find() - go once through all processes
 * @list: to be filled
 * @proc: "/proc", must outlive @list
 * @run: where ip-netns(8) keeps names, PORTSOCK_NETNS_DIR; it need not exist
 * @error: set on failure
 *
 * Takes no capability. Namespaces that no process is in are not found.
 *
 * Return: 0, or -1 without memory, without @proc or without any table; portsock_netns_clear() is due either way.
 */
int portsock_netns_find(struct portsock_netns_list *list, const char *proc, const char *run,
			struct portsock_error *error);

/**
 * portsock_netns_open() - open a namespace's table
 * @list: where @netns is from
 * @netns: a namespace
 * @source: to be filled
 * @error: set on failure
 *
 * Return: 1 when opened; 0 when its process is gone, or in another namespace by now; -1 if the table cannot be read.
 */
int portsock_netns_open(const struct portsock_netns_list *list, const struct portsock_netns *netns,
			struct portsock_source *source, struct portsock_error *error);

/**
 * portsock_netns_name() - what people call a namespace
 * @list: where @netns is from
 * @netns: a namespace
 * @inode: its inode number, the key `netns` of its table
 *
 * Return: its name for ip-netns(8), or else that of the machine, both cleaned as @comm is; or else NULL.
 */
const char *portsock_netns_name(const struct portsock_netns_list *list, const struct portsock_netns *netns,
				uint64_t inode);

/**
 * portsock_netns_label() - what to call a namespace in a table
 * @list: where @netns is from
 * @netns: a namespace
 * @inode: its inode number, the key `netns` of its table
 * @label: receives its name, or else 12 digits of the container's ID, or else the process: NAME/ID
 * @size: of @label
 */
void portsock_netns_label(const struct portsock_netns_list *list, const struct portsock_netns *netns,
			  uint64_t inode, char *label, size_t size);

/**
 * portsock_netns_cgroup() - read off a process's control groups what it is part of
 * @netns: @machine, @container_id and @pod_uid are filled
 * @text: as in /proc/PID/cgroup, version 1 or 2; is cut up
 *
 * Knows docker, containerd, cri-o, podman, kubepods and systemd-nspawn.
 */
void portsock_netns_cgroup(struct portsock_netns *netns, char *text);

/**
 * portsock_netns_clear() - release what portsock_netns_find() took
 * @list: to be released
 */
void portsock_netns_clear(struct portsock_netns_list *list);

#endif
