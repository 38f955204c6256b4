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

/* Some milliseconds are enough: numbers do not come back that fast. */
static inline u32 start_of(const struct task_struct *leader)
{
	return leader->start_boottime >> 20;
}

/**
 * portsock_owner_current() - the process that makes this call
 *
 * Context: process.
 * Return: nobody if it is a thread of the kernel.
 */
static inline struct portsock_owner portsock_owner_current(void)
{
	if (unlikely(current->flags & PF_KTHREAD))
		return (struct portsock_owner){ };
	return (struct portsock_owner){
		.tgid = current->tgid,
		.start = start_of(current->group_leader),
	};
}

bool portsock_owner_find(const struct portsock_owner *by,
			 const struct portsock_owner *user,
			 struct pid_namespace *ns,
			 struct portsock_process *process);

#endif /* PORTSOCK_OWNER_H */
