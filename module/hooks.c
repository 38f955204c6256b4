// SPDX-License-Identifier: GPL-2.0
/*
 * Where the kernel is watched. A hook says what a socket holds now and does no
 * arithmetic; README.md beside this file tells for each what it sees, in which
 * context, and what makes good its loss.
 *
 * A kprobe that hits while another kprobe's handler runs on the same CPU is
 * dropped. That can happen only where a function is called in softirq, so such
 * functions are watched by an own ftrace_ops, which loses nothing, and by
 * tracepoints.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include "hooks.h"

#include <linux/ftrace.h>
#include <linux/kprobes.h>
#include <linux/net.h>
#include <linux/tracepoint.h>

#include "compat.h"
#include "sk.h"
#include "socks.h"

/* Tasks that can be inside one watched function at the same time. */
#define RETURNS_MAX 512

static void sk_holds(const struct sock *sk, int state, enum portsock_how how)
{
	struct portsock_holding h;

	rcu_read_lock();
	if (portsock_sk_read(sk, state, &h)) {
		h.how = how;
		h.service |= how == PORTSOCK_ACCEPTED;
		portsock_sock_hold(sk, &h);
	}
	rcu_read_unlock();
}

/* Holds no port: unbound while a user has it, otherwise nobody's business. */
static void sk_holds_nothing(const struct sock *sk)
{
	struct portsock_holding h;

	if (!portsock_sk_owned(sk)) {
		portsock_sock_forget(sk);
		return;
	}
	rcu_read_lock();
	if (portsock_sk_read(sk, TCP_CLOSE, &h)) {
		portsock_sk_unbind(&h);
		portsock_sock_hold(sk, &h);
	}
	rcu_read_unlock();
}

/* security_socket_post_create(sock, family, type, protocol, kern) */
static int on_post_create(struct kprobe *kp, struct pt_regs *regs)
{
	struct socket *sock = (void *)regs_get_kernel_argument(regs, 0);
	struct sock *sk = sock->sk;

	if (sk && portsock_sk_owned(sk))
		sk_holds_nothing(sk);
	return 0;
}

/* security_sock_graft(sk, parent): accept() hands out a child, maybe one reset */
static void notrace on_accept(unsigned long ip, unsigned long parent_ip,
			      struct ftrace_ops *ops, struct ftrace_regs *fregs)
{
	struct sock *sk = (void *)portsock_ftrace_argument(fregs, 0);

	if (portsock_sk_is_inet(sk) && portsock_sk_is_tcp(sk) &&
	    !portsock_sk_bound(sk))
		sk_holds_nothing(sk);
}

/* inet_csk_get_port(sk, snum) */
static int on_get_port(struct kprobe *kp, struct pt_regs *regs)
{
	struct sock *sk = (void *)regs_get_kernel_argument(regs, 0);
	u16 port = regs_get_kernel_argument(regs, 1);

	if (portsock_sk_is_tcp(sk))
		portsock_sock_asked(sk, port);
	return 0;
}

/* inet_bind_hash(sk, tb, tb2, port); sk_num is not set yet */
static int on_bind_hash(struct kprobe *kp, struct pt_regs *regs)
{
	struct sock *sk = (void *)regs_get_kernel_argument(regs, 0);
	u16 port = regs_get_kernel_argument(regs, 3);
	struct portsock_holding h;

	rcu_read_lock();
	if (portsock_sk_is_tcp(sk) && portsock_sk_read(sk, sk->sk_state, &h)) {
		h.port = port;
		portsock_sock_bind(sk, &h);
	}
	rcu_read_unlock();
	return 0;
}

/* tcp_fastopen_defer_connect(sk, err): connect() got a port */
static int on_connect(struct kprobe *kp, struct pt_regs *regs)
{
	struct sock *sk = (void *)regs_get_kernel_argument(regs, 0);

	sk_holds(sk, sk->sk_state, PORTSOCK_CONNECTED);
	return 0;
}

/* inet_ehash_nolisten(sk, osk, found_dup_sk): passive child, or connect() */
static void notrace on_ehash(unsigned long ip, unsigned long parent_ip,
			     struct ftrace_ops *ops, struct ftrace_regs *fregs)
{
	struct sock *sk = (void *)portsock_ftrace_argument(fregs, 0);
	int state = sk->sk_state;

	if (portsock_sk_is_tcp(sk))
		sk_holds(sk, state, state == TCP_SYN_RECV ?
			 PORTSOCK_ACCEPTED : PORTSOCK_CONNECTED);
}

/*
 * inet_put_port(sk). A socket that leaves a state other than CLOSE passes
 * on_set_state() next, and one that is destroyed passed on_destroy() before;
 * what remains are ports taken back from a socket that lives on.
 */
static void notrace on_put_port(unsigned long ip, unsigned long parent_ip,
				struct ftrace_ops *ops, struct ftrace_regs *fregs)
{
	struct sock *sk = (void *)portsock_ftrace_argument(fregs, 0);

	if (portsock_sk_is_tcp(sk) && sk->sk_state == TCP_CLOSE &&
	    !sock_flag(sk, SOCK_DEAD))
		sk_holds_nothing(sk);
}

static void on_set_state(void *data, const struct sock *sk, const int old,
			 const int new)
{
	if (!portsock_sk_is_tcp(sk))
		return;
	/* A child, cloned just now: its bind bucket is the listener's. */
	if (old == TCP_LISTEN && new == TCP_SYN_RECV)
		return;
	if (portsock_sk_bound(sk)) {
		enum portsock_how how = PORTSOCK_FOUND;

		if (new == TCP_SYN_SENT)
			how = PORTSOCK_CONNECTED;
		else if (old == TCP_SYN_RECV && new == TCP_ESTABLISHED)
			how = PORTSOCK_ACCEPTED;
		sk_holds(sk, new, how);
	} else if (new == TCP_CLOSE) {
		sk_holds_nothing(sk);
	}
}

static void on_destroy(void *data, struct sock *sk)
{
	portsock_sock_forget(sk);
}

/* inet_twsk_hashdance(tw, sk, hashinfo) */
static void notrace on_tw_add(unsigned long ip, unsigned long parent_ip,
			      struct ftrace_ops *ops, struct ftrace_regs *fregs)
{
	struct inet_timewait_sock *tw = (void *)portsock_ftrace_argument(fregs, 0);
	struct sock *sk = (void *)portsock_ftrace_argument(fregs, 1);
	struct portsock_holding h;

	rcu_read_lock();
	if (portsock_sk_is_tcp(sk) && portsock_tw_read(tw, &h))
		portsock_sock_hold(tw, &h);
	rcu_read_unlock();
}

/* inet_twsk_bind_unhash(tw, hashinfo); a second call finds no bucket */
static void notrace on_tw_del(unsigned long ip, unsigned long parent_ip,
			      struct ftrace_ops *ops, struct ftrace_regs *fregs)
{
	struct inet_timewait_sock *tw = (void *)portsock_ftrace_argument(fregs, 0);

	if (tw->tw_tb)
		portsock_sock_forget(tw);
}

/**
 * struct udp_call - what a return handler remembers of the call
 * @sk: the socket
 * @asked: the caller named the port
 */
struct udp_call {
	struct sock *sk;
	bool asked;
};

/* udp_lib_get_port(sk, snum, hash2_nulladdr) */
static int on_udp_call(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	struct udp_call *call = (void *)ri->data;

	call->sk = (void *)regs_get_kernel_argument(regs, 0);
	call->asked = (u16)regs_get_kernel_argument(regs, 1);
	return 0;
}

static int on_udp_port(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	struct udp_call *call = (void *)ri->data;
	const struct sock *sk = call->sk;
	struct portsock_holding h;

	if (regs_return_value(regs))
		return 0;
	rcu_read_lock();
	if (portsock_sk_read(sk, sk->sk_state, &h)) {
		h.service |= call->asked;
		portsock_sock_hold(sk, &h);
	}
	rcu_read_unlock();
	return 0;
}

/* __ip4_datagram_connect(sk, ...), __ip6_datagram_connect(sk, ...) */
static int on_datagram_connect(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	struct udp_call *call = (void *)ri->data;
	const struct sock *sk = call->sk;

	if (!regs_return_value(regs) && portsock_sk_bound(sk))
		sk_holds(sk, sk->sk_state, PORTSOCK_CONNECTED);
	return 0;
}

/* __udp_disconnect(sk, flags); a port that goes with it passes on_udp_unhash() */
static int on_udp_disconnect(struct kprobe *kp, struct pt_regs *regs)
{
	struct sock *sk = (void *)regs_get_kernel_argument(regs, 0);

	if (portsock_sk_bound(sk))
		sk_holds(sk, TCP_CLOSE, PORTSOCK_FOUND);
	return 0;
}

/* udp_lib_unhash(sk): disconnect, or close(), of a bound socket or any other */
static int on_udp_unhash(struct kprobe *kp, struct pt_regs *regs)
{
	struct sock *sk = (void *)regs_get_kernel_argument(regs, 0);

	sk_holds_nothing(sk);
	return 0;
}

enum hook_kind {
	HOOK_KPROBE,
	HOOK_KRETPROBE,
	HOOK_FTRACE,
	HOOK_TRACEPOINT,
};

/**
 * struct hook - one place that is watched
 * @symbol: function or tracepoint
 * @kind: how
 * @armed: it is
 * @kp: for HOOK_KPROBE
 * @rp: for HOOK_KRETPROBE
 * @ops: for HOOK_FTRACE
 * @tp: for HOOK_TRACEPOINT, found by name
 * @probe: for HOOK_TRACEPOINT, takes the arguments of @tp
 */
struct hook {
	const char *symbol;
	enum hook_kind kind;
	bool armed;
	union {
		struct kprobe kp;
		struct kretprobe rp;
		struct ftrace_ops ops;
		struct {
			struct tracepoint *tp;
			void *probe;
		};
	};
};

#define KPROBE(_symbol, _handler)					\
	{ .symbol = _symbol, .kind = HOOK_KPROBE,			\
	  .kp = { .pre_handler = _handler } }

#define KRETPROBE(_symbol, _handler)					\
	{ .symbol = _symbol, .kind = HOOK_KRETPROBE,			\
	  .rp = { .entry_handler = on_udp_call, .handler = _handler,	\
		  .maxactive = RETURNS_MAX,				\
		  .data_size = sizeof(struct udp_call) } }

/* Permanent: kernel.ftrace_enabled cannot be cleared while it is armed. */
#define FTRACE(_symbol, _handler)					\
	{ .symbol = _symbol, .kind = HOOK_FTRACE,			\
	  .ops = { .func = _handler, .flags = FTRACE_OPS_FL_PERMANENT } }

#define TRACEPOINT(_symbol, _probe)					\
	{ .symbol = _symbol, .kind = HOOK_TRACEPOINT, .probe = _probe }

/*
 * Releases before acquisitions: a socket that goes while the hooks are armed
 * one by one must not be missed.
 */
static struct hook hooks[] = {
	TRACEPOINT("tcp_destroy_sock", on_destroy),
	TRACEPOINT("inet_sock_set_state", on_set_state),
	FTRACE("inet_put_port", on_put_port),
	FTRACE("inet_twsk_bind_unhash", on_tw_del),
	FTRACE("inet_twsk_hashdance", on_tw_add),
	FTRACE("inet_ehash_nolisten", on_ehash),
	KPROBE("inet_csk_get_port", on_get_port),
	KPROBE("inet_bind_hash", on_bind_hash),
	KPROBE("tcp_fastopen_defer_connect", on_connect),
	KPROBE("udp_lib_unhash", on_udp_unhash),
	KPROBE("__udp_disconnect", on_udp_disconnect),
	KRETPROBE("udp_lib_get_port", on_udp_port),
	KRETPROBE("__ip4_datagram_connect", on_datagram_connect),
	KRETPROBE("__ip6_datagram_connect", on_datagram_connect),
	FTRACE("security_sock_graft", on_accept),
	KPROBE("security_socket_post_create", on_post_create),
};

static void tracepoint_match(struct tracepoint *tp, void *priv)
{
	struct hook *hook = priv;

	if (!strcmp(tp->name, hook->symbol))
		hook->tp = tp;
}

static int tracepoint_arm(struct hook *hook)
{
	for_each_kernel_tracepoint(tracepoint_match, hook);
	if (!hook->tp)
		return -ENOENT;
	return tracepoint_probe_register(hook->tp, hook->probe, NULL);
}

/* Addresses of functions are not for modules, but a probe's is. */
static int symbol_address(const char *symbol, unsigned long *address)
{
	struct kprobe kp = { .symbol_name = symbol, .flags = KPROBE_FLAG_DISABLED };
	int err = register_kprobe(&kp);

	if (err)
		return err;
	*address = (unsigned long)kp.addr;
	unregister_kprobe(&kp);
	return 0;
}

static int ftrace_arm(struct hook *hook)
{
	unsigned long address;
	int err;

	err = symbol_address(hook->symbol, &address);
	if (err)
		return err;
	err = ftrace_set_filter_ip(&hook->ops, address, 0, 0);
	if (err)
		return err;
	err = register_ftrace_function(&hook->ops);
	if (err)
		ftrace_set_filter_ip(&hook->ops, address, 1, 0);
	return err;
}

static int hook_arm(struct hook *hook)
{
	int err = -EINVAL;

	switch (hook->kind) {
	case HOOK_KPROBE:
		hook->kp.symbol_name = hook->symbol;
		err = register_kprobe(&hook->kp);
		break;
	case HOOK_KRETPROBE:
		hook->rp.kp.symbol_name = hook->symbol;
		err = register_kretprobe(&hook->rp);
		break;
	case HOOK_FTRACE:
		err = ftrace_arm(hook);
		break;
	case HOOK_TRACEPOINT:
		err = tracepoint_arm(hook);
		break;
	}
	hook->armed = !err;
	return err;
}

static void hook_disarm(struct hook *hook)
{
	switch (hook->kind) {
	case HOOK_KPROBE:
		unregister_kprobe(&hook->kp);
		break;
	case HOOK_KRETPROBE:
		unregister_kretprobe(&hook->rp);
		break;
	case HOOK_FTRACE:
		unregister_ftrace_function(&hook->ops);
		ftrace_free_filter(&hook->ops);
		break;
	case HOOK_TRACEPOINT:
		tracepoint_probe_unregister(hook->tp, hook->probe, NULL);
		break;
	}
	hook->armed = false;
}

static void hook_count(const struct hook *hook, struct portsock_hook_counts *counts)
{
	switch (hook->kind) {
	case HOOK_KPROBE:
		counts->kprobes++;
		break;
	case HOOK_KRETPROBE:
		counts->kretprobes++;
		break;
	case HOOK_FTRACE:
		counts->ftrace++;
		break;
	case HOOK_TRACEPOINT:
		counts->tracepoints++;
		break;
	}
}

/**
 * portsock_hooks_missed() - events the hooks are known to have lost
 *
 * Context: any.
 * Return: events since the hooks were armed.
 */
u64 portsock_hooks_missed(void)
{
	u64 missed = 0;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(hooks); i++) {
		const struct hook *hook = &hooks[i];

		if (hook->kind == HOOK_KPROBE)
			missed += READ_ONCE(hook->kp.nmissed);
		else if (hook->kind == HOOK_KRETPROBE)
			missed += READ_ONCE(hook->rp.nmissed) +
				  READ_ONCE(hook->rp.kp.nmissed);
	}
	return missed;
}

/**
 * portsock_hooks_arm() - begin to watch
 * @counts: receives how many hooks of which kind are armed
 *
 * Context: process, may sleep.
 * Return: 0, or a negative errno after a message that names the hook; then
 * none is armed.
 */
int portsock_hooks_arm(struct portsock_hook_counts *counts)
{
	size_t i;
	int err;

	for (i = 0; i < ARRAY_SIZE(hooks); i++) {
		err = hook_arm(&hooks[i]);
		if (err) {
			pr_err("cannot hook %s: error %d; not loaded\n",
			       hooks[i].symbol, err);
			portsock_hooks_disarm();
			return err;
		}
		hook_count(&hooks[i], counts);
	}
	return 0;
}

/**
 * portsock_hooks_disarm() - stop watching
 *
 * No handler runs when this returns.
 *
 * Context: process, may sleep.
 */
void portsock_hooks_disarm(void)
{
	size_t i;

	for (i = ARRAY_SIZE(hooks); i > 0; i--) {
		if (hooks[i - 1].armed)
			hook_disarm(&hooks[i - 1]);
	}
	tracepoint_synchronize_unregister();
}
