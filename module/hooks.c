// SPDX-License-Identifier: GPL-2.0
/*
 * Where the kernel is watched. A hook says what a socket holds now and does no
 * arithmetic; README.md beside this file tells for each what it sees, in which
 * context, and what makes good its loss.
 *
 * A kprobe that hits while another kprobe's handler runs on the same CPU is
 * dropped. That can happen only where a function is called in softirq, so such
 * functions are watched by an own ftrace_ops, which loses nothing, and by
 * tracepoints; so are those that every connection passes, since that takes half
 * the instructions.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include "hooks.h"

#include <linux/ftrace.h>
#include <linux/kprobes.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/net.h>
#include <linux/tracepoint.h>
#include <net/sctp/structs.h>

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

/* A user has got a socket that holds no port. */
static void sk_unbound(const struct sock *sk)
{
	struct portsock_holding h;

	rcu_read_lock();
	if (portsock_sk_read(sk, TCP_CLOSE, &h)) {
		portsock_sk_unbind(&h);
		portsock_sock_hold(sk, &h);
	}
	rcu_read_unlock();
}

/*
 * A socket let its port go: unbound while a user has it, otherwise nobody's
 * business. One that close() made forgotten stays so.
 */
static void sk_released(const struct sock *sk)
{
	struct portsock_holding h;

	if (!portsock_sk_owned(sk)) {
		portsock_sock_forget(sk);
		return;
	}
	rcu_read_lock();
	if (portsock_sk_read(sk, TCP_CLOSE, &h)) {
		portsock_sk_unbind(&h);
		portsock_sock_release(sk, &h);
	}
	rcu_read_unlock();
}

/* security_socket_post_create(sock, family, type, protocol, kern) */
static void notrace on_post_create(unsigned long ip, unsigned long parent_ip,
				   struct ftrace_ops *ops,
				   struct ftrace_regs *fregs)
{
	struct socket *sock = (void *)ftrace_regs_get_argument(fregs, 0);
	struct sock *sk = sock->sk;

	/* a raw socket has its port already */
	if (sk && portsock_sk_owned(sk) && portsock_sk_proto(sk) != PORTSOCK_RAW)
		sk_unbound(sk);
}

/*
 * security_sock_graft(sk, parent): accept() hands out a child, maybe one that
 * was reset, or one that waited since before the module was loaded
 */
static void notrace on_accept(unsigned long ip, unsigned long parent_ip,
			      struct ftrace_ops *ops, struct ftrace_regs *fregs)
{
	struct sock *sk = (void *)ftrace_regs_get_argument(fregs, 0);
	int proto = portsock_sk_proto(sk);

	if (proto < 0)
		return;
	if (!portsock_sk_bound(sk, proto))
		sk_unbound(sk);
	else if (proto == PORTSOCK_SCTP || proto == PORTSOCK_MPTCP)
		sk_holds(sk, sk->sk_state, PORTSOCK_ACCEPTED);
}

/* inet_csk_get_port(sk, snum) */
static int on_get_port(struct kprobe *kp, struct pt_regs *regs)
{
	struct sock *sk = (void *)regs_get_kernel_argument(regs, 0);
	u16 port = regs_get_kernel_argument(regs, 1);

	portsock_sock_asked(sk, port);
	return 0;
}

/* inet_bind_hash(sk, tb, tb2, port), or without tb2; sk_num is not set yet */
static int on_bind_hash(struct kprobe *kp, struct pt_regs *regs)
{
	struct sock *sk = (void *)regs_get_kernel_argument(regs, 0);
	u16 port = regs_get_kernel_argument(regs, PORTSOCK_BIND_HASH_PORT);
	struct portsock_holding h;

	rcu_read_lock();
	if (portsock_sk_read(sk, sk->sk_state, &h)) {
		h.port = port;
		portsock_sock_bind(sk, &h);
	}
	rcu_read_unlock();
	return 0;
}

/* tcp_fastopen_defer_connect(sk, err), dccp_connect(sk): connect() got a port */
static void notrace on_connect(unsigned long ip, unsigned long parent_ip,
			       struct ftrace_ops *ops, struct ftrace_regs *fregs)
{
	struct sock *sk = (void *)ftrace_regs_get_argument(fregs, 0);

	sk_holds(sk, sk->sk_state, PORTSOCK_CONNECTED);
}

/*
 * inet_ehash_nolisten(sk, osk, found_dup_sk). A child that replaces its request
 * goes on to ESTABLISHED at once and passes on_set_state(), and connect() passes
 * on_connect(). One without a request (Fast Open) may stay in SYN_RECV.
 */
static void notrace on_ehash(unsigned long ip, unsigned long parent_ip,
			     struct ftrace_ops *ops, struct ftrace_regs *fregs)
{
	struct sock *sk = (void *)ftrace_regs_get_argument(fregs, 0);
	unsigned long osk = ftrace_regs_get_argument(fregs, 1);

	if (!osk && sk->sk_state == TCP_SYN_RECV)
		sk_holds(sk, TCP_SYN_RECV, PORTSOCK_ACCEPTED);
}

/*
 * inet_put_port(sk). A socket that leaves a state other than CLOSE passes
 * on_set_state() next, and one that is destroyed passed on_destroy() before;
 * what remains are ports taken back from a socket that lives on.
 */
static void notrace on_put_port(unsigned long ip, unsigned long parent_ip,
				struct ftrace_ops *ops, struct ftrace_regs *fregs)
{
	struct sock *sk = (void *)ftrace_regs_get_argument(fregs, 0);

	if (sk->sk_state == TCP_CLOSE && !sock_flag(sk, SOCK_DEAD))
		sk_released(sk);
}

/* How a socket came by its port, as far as a change of state tells. */
static enum portsock_how how_of(int old, int new)
{
	if (new == TCP_SYN_SENT)
		return PORTSOCK_CONNECTED;
	if (new != TCP_ESTABLISHED)
		return PORTSOCK_FOUND;
	/* SCTP clients know no other state before, MPTCP children are copies */
	if (old == TCP_CLOSE)
		return PORTSOCK_CONNECTED;
	if (old == TCP_SYN_RECV || old == TCP_LISTEN)
		return PORTSOCK_ACCEPTED;
	return PORTSOCK_FOUND;
}

/* Nearly always a socket that is known; then its namespace is, too. */
static void sk_moves(const struct sock *sk, int proto, int old, int new)
{
	struct portsock_holding h;

	portsock_sk_look(sk, proto, new, &h);
	h.how = how_of(old, new);
	if (!portsock_sock_move(sk, &h))
		sk_holds(sk, new, h.how);
}

static void on_set_state(void *data, const struct sock *sk, const int old,
			 const int new)
{
	int proto = portsock_sk_proto(sk);
	bool bound;

	if (proto < 0)
		return;
	/* A child, cloned just now: its bind bucket is the listener's. */
	if (old == TCP_LISTEN && new == TCP_SYN_RECV)
		return;
	bound = portsock_sk_bound(sk, proto);
	/* An MPTCP connection that ends does not forget its port. */
	if (proto == PORTSOCK_MPTCP && new == TCP_CLOSE && old != TCP_LISTEN)
		bound = false;
	if (bound)
		sk_moves(sk, proto, old, new);
	else if (new == TCP_CLOSE)
		sk_released(sk);
}

static void on_destroy(void *data, struct sock *sk)
{
	portsock_sock_forget(sk);
}

/* dccp_destroy_sock(sk), mptcp_destroy(sk) */
static void notrace on_destroy_call(unsigned long ip, unsigned long parent_ip,
				    struct ftrace_ops *ops,
				    struct ftrace_regs *fregs)
{
	portsock_sock_forget((void *)ftrace_regs_get_argument(fregs, 0));
}

/* inet_twsk_hashdance_schedule(tw, sk, hashinfo, timeo), or by another name */
static void notrace on_tw_add(unsigned long ip, unsigned long parent_ip,
			      struct ftrace_ops *ops, struct ftrace_regs *fregs)
{
	struct inet_timewait_sock *tw = (void *)ftrace_regs_get_argument(fregs, 0);
	struct sock *sk = (void *)ftrace_regs_get_argument(fregs, 1);
	int proto = portsock_sk_proto(sk);
	struct portsock_holding h;

	rcu_read_lock();
	if (proto >= 0 && portsock_tw_read(tw, proto, &h))
		portsock_sock_hold(tw, &h);
	rcu_read_unlock();
}

/* inet_twsk_bind_unhash(tw, hashinfo); a second call finds no bucket */
static void notrace on_tw_del(unsigned long ip, unsigned long parent_ip,
			      struct ftrace_ops *ops, struct ftrace_regs *fregs)
{
	struct inet_timewait_sock *tw = (void *)ftrace_regs_get_argument(fregs, 0);

	if (tw->tw_tb)
		portsock_sock_forget(tw);
}

/**
 * struct call - what a return handler remembers of the call
 * @sk: the socket
 * @asked: the caller named the port
 */
struct call {
	struct sock *sk;
	bool asked;
};

/* udp_lib_get_port(sk, snum, hash2), ping_get_port(sk, ident), *_connect(sk, ...) */
static int on_call(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	struct call *call = (void *)ri->data;

	call->sk = (void *)regs_get_kernel_argument(regs, 0);
	call->asked = (u16)regs_get_kernel_argument(regs, 1);
	return 0;
}

/* sctp_get_port_local(sk, addr) */
static int on_sctp_call(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	const union sctp_addr *addr = (void *)regs_get_kernel_argument(regs, 1);
	struct call *call = (void *)ri->data;

	call->sk = (void *)regs_get_kernel_argument(regs, 0);
	call->asked = addr->v4.sin_port;
	return 0;
}

static int on_got_port(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	struct call *call = (void *)ri->data;
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
	struct call *call = (void *)ri->data;
	const struct sock *sk = call->sk;

	if (!regs_return_value(regs) && portsock_sk_other_bound(sk))
		sk_holds(sk, sk->sk_state, PORTSOCK_CONNECTED);
	return 0;
}

/* __udp_disconnect(sk, flags); a port that goes with it passes on_unhash() */
static int on_udp_disconnect(struct kprobe *kp, struct pt_regs *regs)
{
	struct sock *sk = (void *)regs_get_kernel_argument(regs, 0);

	if (portsock_sk_other_bound(sk))
		sk_holds(sk, TCP_CLOSE, PORTSOCK_FOUND);
	return 0;
}

/*
 * udp_lib_unhash(sk), ping_unhash(sk), raw_unhash_sk(sk): disconnect, or close()
 * of a bound socket or any other
 */
static void notrace on_unhash(unsigned long ip, unsigned long parent_ip,
			      struct ftrace_ops *ops, struct ftrace_regs *fregs)
{
	struct sock *sk = (void *)ftrace_regs_get_argument(fregs, 0);

	sk_released(sk);
}

/* sk_common_release(sk): close(), with whatever port there is yet to go */
static void notrace on_close(unsigned long ip, unsigned long parent_ip,
			     struct ftrace_ops *ops, struct ftrace_regs *fregs)
{
	struct sock *sk = (void *)ftrace_regs_get_argument(fregs, 0);

	/* associations may keep the port of a closed SCTP socket */
	if (portsock_sk_proto(sk) != PORTSOCK_SCTP || !portsock_sk_other_bound(sk))
		portsock_sock_forget(sk);
}

/* raw_hash_sk(sk) */
static int on_raw_hash(struct kprobe *kp, struct pt_regs *regs)
{
	struct sock *sk = (void *)regs_get_kernel_argument(regs, 0);

	sk_holds(sk, sk->sk_state, PORTSOCK_FOUND);
	return 0;
}

/* sctp_assoc_migrate(assoc, newsk): accept() or peeloff */
static void notrace on_sctp_migrate(unsigned long ip, unsigned long parent_ip,
				    struct ftrace_ops *ops,
				    struct ftrace_regs *fregs)
{
	struct sock *sk = (void *)ftrace_regs_get_argument(fregs, 1);

	sk_holds(sk, sk->sk_state, PORTSOCK_ACCEPTED);
}

/*
 * sctp_put_port(sk): bind() failed half way, or, maybe long after close(), the
 * last association let go
 */
static void notrace on_sctp_put_port(unsigned long ip, unsigned long parent_ip,
				     struct ftrace_ops *ops,
				     struct ftrace_regs *fregs)
{
	struct sock *sk = (void *)ftrace_regs_get_argument(fregs, 0);

	if (sk->sk_shutdown == SHUTDOWN_MASK)
		portsock_sock_forget(sk);
	else
		sk_released(sk);
}

/* mptcp_copy_inaddrs(msk, ssk): the msk takes the port of its first subflow */
static void notrace on_mptcp_port(unsigned long ip, unsigned long parent_ip,
				  struct ftrace_ops *ops,
				  struct ftrace_regs *fregs)
{
	struct sock *msk = (void *)ftrace_regs_get_argument(fregs, 0);
	struct sock *ssk = (void *)ftrace_regs_get_argument(fregs, 1);
	struct portsock_holding h;

	rcu_read_lock();
	if (ssk->sk_num && portsock_sk_read(msk, msk->sk_state, &h)) {
		h.port = ssk->sk_num;
		h.service |= ssk->sk_userlocks & SOCK_BINDPORT_LOCK;
		if (h.state != TCP_CLOSE && h.state != TCP_LISTEN)
			h.how = PORTSOCK_CONNECTED;
		portsock_sock_hold(msk, &h);
	}
	rcu_read_unlock();
}

static bool beat_seen;

/* Does nothing but pass a kprobe. */
noinline void portsock_hooks_beat(void)
{
	barrier();
}

static int on_beat(struct kprobe *kp, struct pt_regs *regs)
{
	WRITE_ONCE(beat_seen, true);
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
 * @module: it is part of this module, which may come and go; NULL when it is
 *	always there
 * @absent: this kernel was built without it
 * @kind: how
 * @handler: of the type that @kind wants
 * @call: for HOOK_KRETPROBE, what to do when the function is called
 * @armed: it is
 * @blind: it should be, since its module is there, but could not
 * @kp: for HOOK_KPROBE
 * @rp: for HOOK_KRETPROBE
 * @ops: for HOOK_FTRACE
 * @tp: for HOOK_TRACEPOINT, found by name
 */
struct hook {
	const char *symbol;
	const char *module;
	bool absent;
	enum hook_kind kind;
	void *handler;
	kretprobe_handler_t call;
	bool armed;
	bool blind;
	union {
		struct kprobe kp;
		struct kretprobe rp;
		struct ftrace_ops ops;
		struct tracepoint *tp;
	};
};

#define KPROBE(_symbol, _handler, ...)					\
	{ .symbol = _symbol, .kind = HOOK_KPROBE,			\
	  .handler = _handler, ##__VA_ARGS__ }

#define KRETPROBE(_symbol, _call, _handler, ...)			\
	{ .symbol = _symbol, .kind = HOOK_KRETPROBE,			\
	  .call = _call, .handler = _handler, ##__VA_ARGS__ }

#define FTRACE(_symbol, _handler, ...)					\
	{ .symbol = _symbol, .kind = HOOK_FTRACE,			\
	  .handler = _handler, ##__VA_ARGS__ }

#define TRACEPOINT(_symbol, _handler)					\
	{ .symbol = _symbol, .kind = HOOK_TRACEPOINT, .handler = _handler }

/*
 * Releases before acquisitions: a socket that goes while the hooks are armed
 * one by one must not be missed.
 */
static struct hook hooks[] = {
	TRACEPOINT("tcp_destroy_sock", on_destroy),
	FTRACE("mptcp_destroy", on_destroy_call,
	       .absent = !IS_ENABLED(CONFIG_MPTCP)),
	FTRACE("sctp_put_port", on_sctp_put_port, .module = "sctp"),
	FTRACE("dccp_destroy_sock", on_destroy_call, .module = "dccp"),
	TRACEPOINT("inet_sock_set_state", on_set_state),
	FTRACE("inet_put_port", on_put_port),
	FTRACE("inet_twsk_bind_unhash", on_tw_del),
	FTRACE(PORTSOCK_TWSK_HASHDANCE, on_tw_add),
	FTRACE("inet_ehash_nolisten", on_ehash),
	KPROBE("inet_csk_get_port", on_get_port),
	KPROBE("inet_bind_hash", on_bind_hash),
	FTRACE("tcp_fastopen_defer_connect", on_connect),
	FTRACE("sk_common_release", on_close),
	FTRACE("udp_lib_unhash", on_unhash),
	FTRACE("ping_unhash", on_unhash),
	FTRACE("raw_unhash_sk", on_unhash),
	KPROBE("__udp_disconnect", on_udp_disconnect),
	KPROBE("raw_hash_sk", on_raw_hash),
	KRETPROBE("udp_lib_get_port", on_call, on_got_port),
	KRETPROBE("ping_get_port", on_call, on_got_port),
	KRETPROBE("__ip4_datagram_connect", on_call, on_datagram_connect),
	KRETPROBE("__ip6_datagram_connect", on_call, on_datagram_connect,
		  .absent = !IS_ENABLED(CONFIG_IPV6)),
	FTRACE("mptcp_copy_inaddrs", on_mptcp_port,
	       .absent = !IS_ENABLED(CONFIG_MPTCP)),
	FTRACE("sctp_assoc_migrate", on_sctp_migrate, .module = "sctp"),
	KRETPROBE("sctp_get_port_local", on_sctp_call, on_got_port, .module = "sctp"),
	FTRACE("dccp_connect", on_connect, .module = "dccp"),
	FTRACE("security_sock_graft", on_accept),
	FTRACE("security_socket_post_create", on_post_create),
	KPROBE("portsock_hooks_beat", on_beat),
};

/* Protects the hooks against modules that come and go. */
static DEFINE_MUTEX(hooks_lock);

/* What probes that are disarmed by now had missed. */
static u64 missed_before;

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
	return tracepoint_probe_register(hook->tp, hook->handler, NULL);
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
	/* Permanent: kernel.ftrace_enabled cannot be cleared while it is armed. */
	hook->ops = (struct ftrace_ops){
		.func = hook->handler,
		.flags = FTRACE_OPS_FL_PERMANENT | PORTSOCK_FTRACE_FLAGS,
	};
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
		hook->kp = (struct kprobe){
			.symbol_name = hook->symbol,
			.pre_handler = hook->handler,
		};
		err = register_kprobe(&hook->kp);
		break;
	case HOOK_KRETPROBE:
		hook->rp = (struct kretprobe){
			.kp.symbol_name = hook->symbol,
			.entry_handler = hook->call,
			.handler = hook->handler,
			.maxactive = RETURNS_MAX,
			.data_size = sizeof(struct call),
		};
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

static u64 hook_missed(const struct hook *hook)
{
	if (!hook->armed)
		return 0;
	if (hook->kind == HOOK_KPROBE)
		return READ_ONCE(hook->kp.nmissed);
	if (hook->kind == HOOK_KRETPROBE)
		return READ_ONCE(hook->rp.nmissed) + READ_ONCE(hook->rp.kp.nmissed);
	return 0;
}

static void hook_disarm(struct hook *hook)
{
	missed_before += hook_missed(hook);
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
		tracepoint_probe_unregister(hook->tp, hook->handler, NULL);
		break;
	}
	hook->armed = false;
}

static void hook_complain(const struct hook *hook, int err, const char *then)
{
	pr_err("cannot hook %s: error %d%s; %s\n", hook->symbol, err,
	       err == -EBUSY ? " (is kernel.ftrace_enabled 0?)" : "", then);
}

/* A protocol that comes as a module is watched before its first socket. */
static int hooks_notify(struct notifier_block *nb, unsigned long event, void *data)
{
	const struct module *module = data;
	size_t i;

	if (event != MODULE_STATE_COMING && event != MODULE_STATE_GOING)
		return NOTIFY_DONE;
	mutex_lock(&hooks_lock);
	for (i = 0; i < ARRAY_SIZE(hooks); i++) {
		struct hook *hook = &hooks[i];
		int err = 0;

		if (!hook->module || strcmp(hook->module, module->name))
			continue;
		if (event == MODULE_STATE_GOING && hook->armed)
			hook_disarm(hook);
		else if (event == MODULE_STATE_COMING && !hook->armed)
			err = hook_arm(hook);
		if (err)
			hook_complain(hook, err, "the table will not claim to be exact");
		hook->blind = err;
	}
	mutex_unlock(&hooks_lock);
	return NOTIFY_DONE;
}

static struct notifier_block hooks_notifier = {
	.notifier_call = hooks_notify,
};

/**
 * portsock_hooks_missed() - events the hooks are known to have lost
 *
 * Context: any.
 * Return: events since the hooks were armed.
 */
u64 portsock_hooks_missed(void)
{
	u64 missed = READ_ONCE(missed_before);
	size_t i;

	for (i = 0; i < ARRAY_SIZE(hooks); i++)
		missed += hook_missed(&hooks[i]);
	return missed;
}

/**
 * portsock_hooks_see() - is every protocol that is there watched?
 *
 * Context: any.
 */
bool portsock_hooks_see(void)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(hooks); i++)
		if (READ_ONCE(hooks[i].blind))
			return false;
	return true;
}

/**
 * portsock_hooks_alive() - do kprobes fire?
 *
 * An administrator can disarm all of them behind their owners' backs
 * (debugfs kprobes/enabled).
 *
 * Context: process.
 */
bool portsock_hooks_alive(void)
{
	WRITE_ONCE(beat_seen, false);
	portsock_hooks_beat();
	return READ_ONCE(beat_seen);
}

/**
 * portsock_hooks_count() - how many hooks of which kind are armed
 * @counts: receives them
 *
 * Context: process, may sleep.
 */
void portsock_hooks_count(struct portsock_hook_counts *counts)
{
	size_t i;

	*counts = (struct portsock_hook_counts){ };
	mutex_lock(&hooks_lock);
	for (i = 0; i < ARRAY_SIZE(hooks); i++) {
		if (!hooks[i].armed)
			continue;
		counts->kprobes += hooks[i].kind == HOOK_KPROBE;
		counts->kretprobes += hooks[i].kind == HOOK_KRETPROBE;
		counts->ftrace += hooks[i].kind == HOOK_FTRACE;
		counts->tracepoints += hooks[i].kind == HOOK_TRACEPOINT;
	}
	mutex_unlock(&hooks_lock);
}

/*
 * A hook whose module is not there is armed when it comes. Some symbols of it
 * but not all means that it is there, and cannot be watched.
 */
static void __hooks_check_modules(void)
{
	size_t i, k;

	for (i = 0; i < ARRAY_SIZE(hooks); i++) {
		if (!hooks[i].module || hooks[i].armed)
			continue;
		for (k = 0; k < ARRAY_SIZE(hooks); k++) {
			if (!hooks[k].armed || !hooks[k].module ||
			    strcmp(hooks[k].module, hooks[i].module))
				continue;
			hook_complain(&hooks[i], -ENOENT,
				      "the table will not claim to be exact");
			hooks[i].blind = true;
			break;
		}
	}
}

/**
 * portsock_hooks_arm() - begin to watch
 *
 * Context: process, may sleep.
 * Return: 0, or a negative errno after a message that names the hook; then
 * none is armed.
 */
int portsock_hooks_arm(void)
{
	size_t i;
	int err;

	err = register_module_notifier(&hooks_notifier);
	if (err) {
		pr_err("cannot watch modules: error %d; not loaded\n", err);
		return err;
	}
	mutex_lock(&hooks_lock);
	for (i = 0; i < ARRAY_SIZE(hooks) && !err; i++) {
		if (hooks[i].armed || hooks[i].absent)
			continue;
		err = hook_arm(&hooks[i]);
		if (err == -ENOENT && hooks[i].module)
			err = 0;
		if (err)
			hook_complain(&hooks[i], err, "not loaded");
	}
	if (!err)
		__hooks_check_modules();
	mutex_unlock(&hooks_lock);
	if (err)
		portsock_hooks_disarm();
	return err;
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

	unregister_module_notifier(&hooks_notifier);
	mutex_lock(&hooks_lock);
	for (i = ARRAY_SIZE(hooks); i > 0; i--) {
		if (hooks[i - 1].armed)
			hook_disarm(&hooks[i - 1]);
	}
	mutex_unlock(&hooks_lock);
	tracepoint_synchronize_unregister();
}
