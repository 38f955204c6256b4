/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The text of /proc/portsock, format 1.
 */
#ifndef PORTSOCK_FORMAT_H
#define PORTSOCK_FORMAT_H

#include "cursor.h"

struct pid_namespace;
struct seq_file;

/**
 * struct portsock_health - what the first line tells
 * @netns: inode number of the network namespace
 * @exact: every number equals the kernel's own tables
 * @missed: events the probes are known to have lost
 * @repaired: records that walks corrected
 * @untracked: sockets there was no memory for
 * @uptime_ms: since the module was loaded
 * @port_min: first port of the namespace's range of ephemeral ports
 * @port_max: the last one
 * @sample_age_ms: since open connections were asked for their bytes
 * @remote_guessed: sockets that rows of class remote count on a guess
 */
struct portsock_health {
	u32 netns;
	bool exact;
	u64 missed;
	u64 repaired;
	u64 untracked;
	u64 uptime_ms;
	int port_min;
	int port_max;
	u64 sample_age_ms;
	u64 remote_guessed;
};

const char *portsock_format_proto(int proto);
void portsock_format_head(struct seq_file *m,
			  const struct portsock_health *health);
void portsock_format_line(struct seq_file *m, const struct portsock_line *line,
			  struct pid_namespace *ns);

#endif /* PORTSOCK_FORMAT_H */
