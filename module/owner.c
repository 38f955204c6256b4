// SPDX-License-Identifier: GPL-2.0
/*
 * The kernel does not know who has a socket. What it can be asked is who does
 * something with one just now. No reference is taken, as hooks could not give
 * it back: the number of the process and its age are kept, and it is looked up
 * when somebody reads.
 */
#include "owner.h"

#include <linux/pid.h>
#include <linux/pid_namespace.h>
#include <linux/rcupdate.h>
#include <linux/sched/signal.h>
#include <linux/string.h>

/* Caller is on RCU's read side. NULL if it is gone. */
static struct pid *owner_pid(const struct portsock_owner *owner,
			     struct task_struct **task)
{
	struct pid *pid;

	if (!owner->tgid)
		return NULL;
	pid = find_pid_ns(owner->tgid, &init_pid_ns);
	*task = pid ? pid_task(pid, PIDTYPE_TGID) : NULL;
	return *task && start_of(*task) == owner->start ? pid : NULL;
}

/**
 * portsock_owner_find() - who is to be shown for a port
 * @by: who made it one, by listen() or bind()
 * @user: who took a connection, or the socket, last
 * @ns: the reader's PID namespace
 * @process: receives what is to be shown
 *
 * The first process of a system listens for others, so it is shown only if there
 * is no other.
 *
 * Context: process.
 * Return: false if nobody is left, or nobody whom the reader may see.
 */
bool portsock_owner_find(const struct portsock_owner *by,
			 const struct portsock_owner *user,
			 struct pid_namespace *ns,
			 struct portsock_process *process)
{
	struct task_struct *task, *other;
	struct pid *pid, *instead;

	rcu_read_lock();
	pid = owner_pid(by, &task);
	if (!pid || is_child_reaper(pid)) {
		instead = owner_pid(user, &other);
		if (instead) {
			pid = instead;
			task = other;
		}
	}
	process->pid = pid ? pid_nr_ns(pid, ns) : 0;
	if (process->pid) {
		memcpy(process->comm, task->comm, TASK_COMM_LEN);
		process->comm[TASK_COMM_LEN - 1] = '\0';
	}
	rcu_read_unlock();
	return process->pid;
}
