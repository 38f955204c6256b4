// SPDX-License-Identifier: GPL-2.0
/*
 * /proc/net/portsock shows the reader's own namespace, as /proc/net/tcp does;
 * /proc/portsock leads there.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include "proc.h"

#include <linux/module.h>
#include <linux/pid_namespace.h>
#include <linux/proc_fs.h>
#include <linux/seq_file.h>
#include <linux/seq_file_net.h>
#include <net/ip.h>
#include <net/net_namespace.h>

#include "compat.h"
#include "format.h"
#include "health.h"
#include "netns.h"
#include "sample.h"
#include "sk.h"
#include "socks.h"

#define PROC_NAME "portsock"

static unsigned short mode = 0444;

static int mode_set(const char *val, const struct kernel_param *kp)
{
	unsigned short value;

	if (kstrtou16(val, 8, &value) || value & ~0444) {
		pr_err("mode=%s: not a file mode; give an octal one with read bits only, such as 0440\n",
		       val);
		return -EINVAL;
	}
	mode = value;
	return 0;
}

static int mode_get(char *buffer, const struct kernel_param *kp)
{
	return sysfs_emit(buffer, "%#o\n", mode);
}

static const struct kernel_param_ops mode_ops = {
	.set = mode_set,
	.get = mode_get,
};

module_param_cb(mode, &mode_ops, NULL, 0444);
MODULE_PARM_DESC(mode, "file mode of /proc/net/portsock, octal (default 0444)");

/**
 * struct proc_iter - a reader's place
 * @p: the namespace; seq_file wants it first
 * @cursor: behind @line in the table
 * @pos: position of @line; 0 is the head
 * @more: there is a line at @pos
 * @begins: @line is the first of its part of the table
 * @line: row to show
 */
struct proc_iter {
	struct seq_net_private p;
	struct portsock_cursor cursor;
	loff_t pos;
	bool more;
	bool begins;
	struct portsock_line line;
};

/* The file goes before the table does, so the table outlives every read. */
static struct portsock_table *iter_table(struct seq_file *m)
{
	return pde_data(file_inode(m->file));
}

static void iter_step(struct seq_file *m)
{
	struct proc_iter *iter = m->private;
	enum portsock_part part = iter->line.part;

	iter->pos++;
	iter->more = portsock_table_next(iter_table(m), &iter->cursor,
					 &iter->line);
	iter->begins = iter->line.part != part;
}

static void *proc_start(struct seq_file *m, loff_t *pos)
{
	struct proc_iter *iter = m->private;

	if (!*pos || *pos < iter->pos) {
		portsock_socks_settle(iter_table(m), portsock_sk_get,
				      portsock_sk_ask);
		portsock_sample_ask();
		iter->cursor = (struct portsock_cursor){ };
		iter->line.part = PORTSOCK_SERVICES;
		iter->pos = 0;
		iter->more = true;
	}
	while (iter->more && iter->pos < *pos)
		iter_step(m);
	return iter->more ? iter : NULL;
}

static void *proc_next(struct seq_file *m, void *v, loff_t *pos)
{
	struct proc_iter *iter = v;

	iter_step(m);
	*pos = iter->pos;
	return iter->more ? iter : NULL;
}

static void proc_stop(struct seq_file *m, void *v)
{
}

static void head_show(struct seq_file *m)
{
	struct net *net = seq_file_net(m);
	struct portsock_health health;

	portsock_health_read(&health);
	health.netns = net->ns.inum;
	inet_get_local_port_range(net, &health.port_min, &health.port_max);
	health.sample_age_ms = portsock_sample_age_ms();
	health.remote_guessed = atomic_read(&iter_table(m)->guessed);
	portsock_format_head(m, &health);
}

static int proc_show(struct seq_file *m, void *v)
{
	struct proc_iter *iter = v;

	/* A read() ends with a part: who wants services pays for no others. */
	if (iter->begins && m->count)
		return -EAGAIN;
	if (iter->pos)
		portsock_format_line(m, &iter->line,
				     proc_pid_ns(file_inode(m->file)->i_sb));
	else
		head_show(m);
	return 0;
}

static const struct seq_operations proc_ops = {
	.start = proc_start,
	.next = proc_next,
	.stop = proc_stop,
	.show = proc_show,
};

static int proc_add(struct net *net)
{
	if (!proc_create_net_data(PROC_NAME, mode, net->proc_net, &proc_ops,
				  sizeof(struct proc_iter),
				  portsock_netns_own(net)))
		return -ENOMEM;
	return 0;
}

/* Waits for reads under way. */
static void proc_del(struct net *net)
{
	remove_proc_entry(PROC_NAME, net->proc_net);
}

static struct pernet_operations proc_net_ops = {
	.init = proc_add,
	.exit = proc_del,
};

/**
 * portsock_proc_init() - show the table of every namespace, present and future
 *
 * Context: process, may sleep. After portsock_netns_init(), so that in a
 * namespace that goes the file goes before the table.
 * Return: 0 or a negative errno.
 */
int portsock_proc_init(void)
{
	int err = register_pernet_subsys(&proc_net_ops);

	if (err)
		return err;
	if (proc_symlink(PROC_NAME, NULL, "self/net/" PROC_NAME))
		return 0;
	unregister_pernet_subsys(&proc_net_ops);
	return -ENOMEM;
}

/**
 * portsock_proc_exit() - take /proc/portsock and every namespace's file away
 *
 * Waits for reads under way.
 *
 * Context: process, may sleep.
 */
void portsock_proc_exit(void)
{
	remove_proc_entry(PROC_NAME, NULL);
	unregister_pernet_subsys(&proc_net_ops);
}
