// SPDX-License-Identifier: GPL-2.0
/*
 * Another kprobe user, a bad one. For tests only.
 *
 * Its handler on sock_init_data(), which every socket() passes, takes @usecs
 * with interrupts on, so that timers expire inside of a kprobe handler; what
 * kprobes lose then is told by its own ones on functions that run in softirq
 * (parameter witness: symbol, hits, missed).
 *
 * Another one holds up the making of each child of a TCP listener for
 * @child_msecs, in softirq.
 *
 * Writing "bind FD PORT", "hash FD" or "unhash FD" to the parameter lose does
 * that to a socket of the writer from within a kprobe handler, where every
 * other kprobe and kretprobe is lost.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/delay.h>
#include <linux/kernel.h>
#include <linux/kprobes.h>
#include <linux/module.h>
#include <linux/net.h>
#include <net/inet_sock.h>
#include <net/sock.h>

static unsigned int usecs;
module_param(usecs, uint, 0644);
MODULE_PARM_DESC(usecs, "how long each socket() is held up");

static int delay(struct kprobe *kp, struct pt_regs *regs)
{
	if (usecs)
		udelay(usecs);
	return 0;
}

static struct kprobe slow = {
	.symbol_name = "sock_init_data",
	.pre_handler = delay,
};

static unsigned int child_msecs;
module_param(child_msecs, uint, 0644);
MODULE_PARM_DESC(child_msecs, "how long each child of a TCP listener is held up");

static int delay_child(struct kprobe *kp, struct pt_regs *regs)
{
	if (child_msecs)
		mdelay(child_msecs);
	return 0;
}

static struct kprobe slow_child = {
	.symbol_name = "tcp_create_openreq_child",
	.pre_handler = delay_child,
};

/**
 * struct witness - a probe that counts
 * @kp: the probe; tells what it missed
 * @hits: what it did not
 */
struct witness {
	struct kprobe kp;
	atomic_long_t hits;
};

static int count(struct kprobe *kp, struct pt_regs *regs)
{
	atomic_long_inc(&container_of(kp, struct witness, kp)->hits);
	return 0;
}

static struct witness witnesses[] = {
	{ .kp = { .symbol_name = "inet_twsk_bind_unhash", .pre_handler = count } },
	{ .kp = { .symbol_name = "inet_put_port", .pre_handler = count } },
};

static int witness_get(char *buffer, const struct kernel_param *param)
{
	int length = 0;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(witnesses); i++)
		length += sysfs_emit_at(buffer, length, "%s %ld %lu\n",
					witnesses[i].kp.symbol_name,
					atomic_long_read(&witnesses[i].hits),
					witnesses[i].kp.nmissed);
	return length;
}

static const struct kernel_param_ops witness_ops = {
	.get = witness_get,
};

module_param_cb(witness, &witness_ops, NULL, 0444);
MODULE_PARM_DESC(witness, "symbol, hits and misses of own probes");

/* What is to be done by the next call of stage(). */
static struct {
	struct sock *sk;
	char what[8];
	int port;
	int result;
} job;

static noinline void stage(void)
{
	barrier();
}

static int take_port(struct sock *sk, int port)
{
	struct sockaddr_in any = {
		.sin_family = AF_INET,
		.sin_port = htons(port),
	};
	int err;

	/* SCTP has but the whole */
	if (!sk->sk_prot->get_port)
		return sk->sk_prot->bind(sk, (void *)&any, sizeof(any));
	err = sk->sk_prot->get_port(sk, port);
	inet_sk(sk)->inet_sport = htons(inet_sk(sk)->inet_num);
	return err;
}

static int perform(struct kprobe *kp, struct pt_regs *regs)
{
	struct sock *sk = job.sk;

	job.result = 0;
	if (!strcmp(job.what, "bind")) {
		job.result = take_port(sk, job.port);
	} else if (!strcmp(job.what, "hash")) {
		job.result = sk->sk_prot->hash(sk);
	} else if (!strcmp(job.what, "unhash")) {
		sk->sk_prot->unhash(sk);
		/* a raw socket keeps its number */
		inet_sk(sk)->inet_sport = htons(inet_sk(sk)->inet_num);
	} else {
		job.result = -EINVAL;
	}
	return 0;
}

static struct kprobe performer = {
	.addr = (kprobe_opcode_t *)stage,
	.pre_handler = perform,
};

/* Parameters of a module are set one at a time. */
static int lose_set(const char *value, const struct kernel_param *param)
{
	struct socket *sock;
	int err, fd;

	job.port = 0;
	if (sscanf(value, "%7s %d %d", job.what, &fd, &job.port) < 2)
		return -EINVAL;
	sock = sockfd_lookup(fd, &err);
	if (!sock)
		return err;
	job.sk = sock->sk;
	stage();
	sockfd_put(sock);
	return job.result > 0 ? -EADDRINUSE : job.result;
}

static const struct kernel_param_ops lose_ops = {
	.set = lose_set,
};

module_param_cb(lose, &lose_ops, NULL, 0200);
MODULE_PARM_DESC(lose, "do something to a socket that no kprobe sees");

static int __init slow_init(void)
{
	size_t i;
	int err;

	err = register_kprobe(&performer);
	if (err)
		return err;
	err = register_kprobe(&slow);
	if (err)
		goto performer;
	err = register_kprobe(&slow_child);
	if (err)
		goto slow;
	for (i = 0; i < ARRAY_SIZE(witnesses); i++) {
		err = register_kprobe(&witnesses[i].kp);
		if (err)
			goto witnesses;
	}
	return 0;

witnesses:
	while (i-- > 0)
		unregister_kprobe(&witnesses[i].kp);
	unregister_kprobe(&slow_child);
slow:
	unregister_kprobe(&slow);
performer:
	unregister_kprobe(&performer);
	return err;
}

static void __exit slow_exit(void)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(witnesses); i++)
		unregister_kprobe(&witnesses[i].kp);
	unregister_kprobe(&slow_child);
	unregister_kprobe(&slow);
	unregister_kprobe(&performer);
}

module_init(slow_init);
module_exit(slow_exit);

MODULE_DESCRIPTION("A kprobe user that makes other ones lose events");
MODULE_LICENSE("GPL");
