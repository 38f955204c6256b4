/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Which process did something last.
 */
#ifndef PORTSOCK_OWNER_H
#define PORTSOCK_OWNER_H

#include <linux/sched.h>
#include <linux/types.h>

struct pid_namespace;

/**
 * struct portsock_owner - a process, without a reference to it
 * @tgid: its number in the first PID namespace; 0: nobody
 * @start: when it began, so that nobody is taken for it who has its number later
 */
struct portsock_owner {
	u32 tgid;
	u32 start;
};

/**
 * struct portsock_process - what is shown of one
 * @pid: its number in the reader's PID namespace
 * @comm: its name
 */
struct portsock_process {
	pid_t pid;
	char comm[TASK_COMM_LEN];
};

struct portsock_owner portsock_owner_current(void);
bool portsock_owner_find(const struct portsock_owner *by,
			 const struct portsock_owner *user,
			 struct pid_namespace *ns,
			 struct portsock_process *process);

#endif /* PORTSOCK_OWNER_H */
