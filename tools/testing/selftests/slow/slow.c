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
 * @child_usecs, in softirq; the parameter children tells how many it has begun with.
 *
 * Writing "SYMBOL USECS N" to the parameter load holds up insmod or rmmod for so long when
 * it returns from that function, having done so N times before; an empty line ends this, also
 * while it is held up. The parameter load_held says whether it is (1) or was (2).
 *
 * Writing the name of a function to the parameter calls counts its calls, which the
 * parameter then tells; an empty line ends this.
 *
 * Writing the descriptor of a listener to the parameter accept has the kernel accept a
 * connection for itself, and keep it until -1 is written.
 *
 * Writing the addresses of portsock_want(), portsock_netns_spread() and
 * portsock_spread_look() to the parameter crowd has CPUs get cells of whatever somebody
 * comes to, and lose them, all the time; an empty line ends this.
 *
 * Writing "bind FD PORT", "hash FD" or "unhash FD" to the parameter lose does
 * that to a socket of the writer from within a kprobe handler, where every
 * other kprobe and kretprobe is lost.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/delay.h>
#include <linux/kernel.h>
#include <linux/kprobes.h>
#include <linux/ktime.h>
#include <linux/module.h>
#include <linux/net.h>
#include <linux/workqueue.h>
#include <net/inet_sock.h>
#include <net/sock.h>

/**
 * struct delay - a probe that takes its time
 * @kp: the probe
 * @usecs: how long
 * @begun: how often
 */
struct delay {
	struct kprobe kp;
	unsigned int usecs;
	int begun;
};

static int delay(struct kprobe *kp, struct pt_regs *regs)
{
	struct delay *delay = container_of(kp, struct delay, kp);
	unsigned int usecs = READ_ONCE(delay->usecs);

	/* Two CPUs may be here at a time; then it is too low, and never 0. */
	WRITE_ONCE(delay->begun, delay->begun + 1);
	mdelay(usecs / 1000);
	udelay(usecs % 1000);
	return 0;
}

static struct delay socket_delay = {
	.kp = { .symbol_name = "sock_init_data", .pre_handler = delay },
};

static struct delay child_delay = {
	.kp = { .symbol_name = "tcp_create_openreq_child", .pre_handler = delay },
};

module_param_named(usecs, socket_delay.usecs, uint, 0644);
MODULE_PARM_DESC(usecs, "how long each socket() is held up");

module_param_named(child_usecs, child_delay.usecs, uint, 0644);
MODULE_PARM_DESC(child_usecs, "how long each child of a TCP listener is held up");

module_param_named(children, child_delay.begun, int, 0444);
MODULE_PARM_DESC(children, "how many children were or are held up");

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

static char calls_symbol[KSYM_NAME_LEN];
static struct witness calls;

static void calls_release(void)
{
	if (calls_symbol[0])
		unregister_kprobe(&calls.kp);
	calls_symbol[0] = 0;
}

static int calls_set(const char *value, const struct kernel_param *param)
{
	int err;

	calls_release();
	if (sscanf(value, "%127s", calls_symbol) < 1) {
		calls_symbol[0] = 0;
		return 0;
	}
	calls = (struct witness){
		.kp = { .symbol_name = calls_symbol, .pre_handler = count },
	};
	err = register_kprobe(&calls.kp);
	if (err)
		calls_symbol[0] = 0;
	return err;
}

static int calls_get(char *buffer, const struct kernel_param *param)
{
	return sysfs_emit(buffer, "%ld\n", atomic_long_read(&calls.hits));
}

static const struct kernel_param_ops calls_ops = {
	.set = calls_set,
	.get = calls_get,
};

module_param_cb(calls, &calls_ops, NULL, 0644);
MODULE_PARM_DESC(calls, "function whose calls are counted, and how many there were");

/* Where insmod or rmmod is held up, once it has come back from there so often. */
static unsigned int load_usecs;
static unsigned int load_passes;
static int load_held;

static int load_delay(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	u64 end;
	int i;

	if (load_held || (strcmp(current->comm, "insmod") && strcmp(current->comm, "rmmod")))
		return 0;
	if (load_passes) {
		load_passes--;
		return 0;
	}
	WRITE_ONCE(load_held, 1);
	end = ktime_get_mono_fast_ns() + load_usecs * NSEC_PER_USEC;
	/* not mdelay(): a look at the clock takes an emulator long */
	while (READ_ONCE(load_usecs) && ktime_get_mono_fast_ns() < end)
		for (i = 0; i < 1000; i++)
			barrier();
	WRITE_ONCE(load_held, 2);
	return 0;
}

static char load_symbol[KSYM_NAME_LEN];
static struct kretprobe load_probe;

static void load_release(void)
{
	WRITE_ONCE(load_usecs, 0);
	if (load_symbol[0])
		unregister_kretprobe(&load_probe);
	load_symbol[0] = 0;
	load_held = 0;
}

static int load_set(const char *value, const struct kernel_param *param)
{
	int err;

	load_release();
	if (sscanf(value, "%127s %u %u", load_symbol, &load_usecs, &load_passes) != 3) {
		load_symbol[0] = 0;
		return 0;
	}
	load_probe = (struct kretprobe){
		.kp.symbol_name = load_symbol,
		.handler = load_delay,
	};
	err = register_kretprobe(&load_probe);
	if (err)
		load_symbol[0] = 0;
	return err;
}

static const struct kernel_param_ops load_ops = {
	.set = load_set,
};

module_param_cb(load, &load_ops, NULL, 0200);
MODULE_PARM_DESC(load, "symbol and for how long insmod or rmmod is held up behind it");

module_param(load_held, int, 0444);
MODULE_PARM_DESC(load_held, "1: it is, 2: it was");

static struct {
	void (*want)(const void *owner, u32 key);
	void (*spread)(void);
	void (*look)(void);
	struct kprobe kp;
	struct delayed_work work;
	unsigned int turns;
} crowd;

/* __portsock_row_join(row, bucket, table, key, share, service) */
static int crowd_comes(struct kprobe *kp, struct pt_regs *regs)
{
	const void *table = (void *)regs_get_kernel_argument(regs, 2);
	u32 key = regs_get_kernel_argument(regs, 3);

	crowd.want(table, key);
	/* the total of the protocol */
	crowd.want(table, key & 0xff0000);
	return 0;
}

static void crowd_turn(struct work_struct *work)
{
	crowd.spread();
	if (++crowd.turns % 4 == 0)
		crowd.look();
	schedule_delayed_work(&crowd.work, HZ / 50);
}

static void crowd_release(void)
{
	if (!crowd.want)
		return;
	unregister_kprobe(&crowd.kp);
	cancel_delayed_work_sync(&crowd.work);
	crowd.want = NULL;
}

static int crowd_set(const char *value, const struct kernel_param *param)
{
	unsigned long want, spread, look;
	int err;

	crowd_release();
	if (sscanf(value, "%lx %lx %lx", &want, &spread, &look) != 3)
		return 0;
	crowd.want = (void *)want;
	crowd.spread = (void *)spread;
	crowd.look = (void *)look;
	crowd.kp = (struct kprobe){
		.symbol_name = "__portsock_row_join",
		.pre_handler = crowd_comes,
	};
	err = register_kprobe(&crowd.kp);
	if (err) {
		crowd.want = NULL;
		return err;
	}
	INIT_DELAYED_WORK(&crowd.work, crowd_turn);
	schedule_delayed_work(&crowd.work, HZ / 50);
	return 0;
}

static const struct kernel_param_ops crowd_ops = {
	.set = crowd_set,
};

module_param_cb(crowd, &crowd_ops, NULL, 0200);
MODULE_PARM_DESC(crowd, "functions with which CPUs get cells of everything");

static struct socket *accepted;

static int accept_set(const char *value, const struct kernel_param *param)
{
	struct socket *listener;
	int err, fd;

	err = kstrtoint(value, 10, &fd);
	if (err)
		return err;
	if (accepted)
		sock_release(accepted);
	accepted = NULL;
	if (fd < 0)
		return 0;
	listener = sockfd_lookup(fd, &err);
	if (!listener)
		return err;
	err = kernel_accept(listener, &accepted, O_NONBLOCK);
	sockfd_put(listener);
	return err;
}

static const struct kernel_param_ops accept_ops = {
	.set = accept_set,
};

module_param_cb(accept, &accept_ops, NULL, 0200);
MODULE_PARM_DESC(accept, "have the kernel accept a connection of this listener");

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

static struct kprobe *probes[] = {
	&performer, &socket_delay.kp, &child_delay.kp, &witnesses[0].kp, &witnesses[1].kp,
};

static int __init slow_init(void)
{
	return register_kprobes(probes, ARRAY_SIZE(probes));
}

static void __exit slow_exit(void)
{
	crowd_release();
	load_release();
	calls_release();
	if (accepted)
		sock_release(accepted);
	unregister_kprobes(probes, ARRAY_SIZE(probes));
}

module_init(slow_init);
module_exit(slow_exit);

MODULE_DESCRIPTION("A kprobe user that makes other ones lose events");
MODULE_LICENSE("GPL");
