// SPDX-License-Identifier: GPL-2.0
/*
 * A walk over the kernel's own tables: at load for the sockets that were there
 * before, later whenever a hook lost an event or memory was short. It costs
 * O(sockets), and only then. Between a loss and the end of the walk that
 * repairs it the table does not claim to be exact.
 *
 * All work is done by one work item, which is never run twice at a time.
 */
#include "resync.h"

#include <linux/fdtable.h>
#include <linux/file.h>
#include <linux/ktime.h>
#include <linux/module.h>
#include <linux/net.h>
#include <linux/rcupdate.h>
#include <linux/rwsem.h>
#include <linux/sched/signal.h>
#include <linux/spinlock.h>
#include <linux/timer.h>
#include <linux/workqueue.h>
#include <net/net_namespace.h>
#include <net/raw.h>
#include <net/rawv6.h>
#include <net/sctp/sctp.h>
#include <net/udp.h>

#include "compat.h"
#include "hooks.h"
#include "sk.h"
#include "socks.h"

#define RESYNC_PERIOD HZ

/**
 * struct losses - what had been lost at some time
 * @missed: events
 * @untracked: sockets
 * @deaf: times that kprobes were found not to fire
 */
struct losses {
	u64 missed;
	u64 untracked;
	u64 deaf;
};

/**
 * struct resync - what is known of losses and repairs
 * @lock: protects all below; taken by readers and the work item only
 * @settled: what had been lost before the last walk that ended
 * @deaf: see struct losses
 * @sound: a walk has ended, and the hooks see what they should
 * @repaired: records that walks found wrong
 * @start: when sockets began to be counted
 */
static struct resync {
	spinlock_t lock;	/* protects all below */
	struct losses settled;
	u64 deaf;
	bool sound;
	u64 repaired;
	ktime_t start;
} resync = {
	.lock = __SPIN_LOCK_UNLOCKED(resync.lock),
};

/* Caller holds resync.lock. */
static struct losses __losses_now(void)
{
	if (!portsock_hooks_alive())
		resync.deaf++;
	return (struct losses){
		.missed = portsock_hooks_missed(),
		.untracked = portsock_socks_untracked(),
		.deaf = resync.deaf,
	};
}

static bool losses_equal(const struct losses *a, const struct losses *b)
{
	return a->missed == b->missed && a->untracked == b->untracked &&
	       a->deaf == b->deaf;
}

static void tw_seen(const struct inet_timewait_sock *tw, u8 proto)
{
	struct portsock_holding h;

	rcu_read_lock();
	if (portsock_tw_read(tw, proto, &h))
		portsock_sock_seen(tw, &h);
	rcu_read_unlock();
}

static void sk_seen(const struct sock *sk, bool service)
{
	struct portsock_holding h;

	rcu_read_lock();
	if (portsock_sk_read(sk, READ_ONCE(sk->sk_state), &h)) {
		h.service |= service;
		portsock_sock_seen(sk, &h);
	}
	rcu_read_unlock();
}

/* Connections may be met before the listener that makes their port a service. */
static bool bucket_serves(const struct inet_bind_bucket *tb)
{
	const struct portsock_owners *bucket;
	const struct sock *sk;

	portsock_for_each_owners(bucket, tb) {
		sk_for_each_bound(sk, &bucket->owners) {
			if (sk->sk_state == TCP_LISTEN ||
			    (sk_fullsock(sk) && sk->sk_userlocks & SOCK_BINDPORT_LOCK))
				return true;
		}
	}
	return false;
}

static void bucket_seen(struct inet_bind_bucket *tb, u8 proto)
{
	bool service = bucket_serves(tb);
	struct portsock_owners *bucket;
	struct sock *sk;

	portsock_for_each_owners(bucket, tb) {
		sk_for_each_bound(sk, &bucket->owners) {
			if (sk_fullsock(sk))
				sk_seen(sk, service);
			else
				tw_seen(inet_twsk(sk), proto);
		}
	}
}

/* Bound, listening, connected, orphaned and TIME_WAIT, of all namespaces. */
static void walk_buckets(struct inet_hashinfo *hashinfo, u8 proto)
{
	unsigned int i;

	for (i = 0; i < hashinfo->bhash_size; i++) {
		struct inet_bind_hashbucket *head = &hashinfo->bhash[i];
		struct inet_bind_bucket *tb;

		if (hlist_empty(&head->chain))
			continue;
		spin_lock_bh(&head->lock);
		inet_bind_bucket_for_each(tb, &head->chain)
			bucket_seen(tb, proto);
		spin_unlock_bh(&head->lock);
		cond_resched();
	}
}

static void walk_udp(struct udp_table *table)
{
	unsigned int i;

	for (i = 0; i <= table->mask; i++) {
		struct udp_hslot *slot = &table->hash[i];
		struct sock *sk;

		if (hlist_empty(&slot->head))
			continue;
		spin_lock_bh(&slot->lock);
		sk_for_each(sk, &slot->head)
			sk_seen(sk, false);
		spin_unlock_bh(&slot->lock);
		cond_resched();
	}
}

static void walk_udp_all(void)
{
	struct udp_table *common = portsock_udp_table(&init_net);
	struct udp_table *lite = portsock_udplite_table();
	struct net *net;

	walk_udp(common);
	down_read(&net_rwsem);
	for_each_net(net) {
		struct udp_table *own = portsock_udp_table(net);

		if (own != common)
			walk_udp(own);
	}
	up_read(&net_rwsem);
	if (lite)
		walk_udp(lite);
}

static void walk_raw(struct raw_hashinfo *table)
{
	unsigned int i;

	for (i = 0; i < RAW_HTABLE_SIZE; i++) {
		struct sock *sk;

		portsock_raw_lock(table);
		sk_for_each(sk, &table->ht[i])
			sk_seen(sk, false);
		portsock_raw_unlock(table);
	}
}

static void walk_dccp(void)
{
	struct inet_hashinfo *hashinfo = portsock_dccp_hashinfo_get();

	if (!hashinfo)
		return;
	walk_buckets(hashinfo, PORTSOCK_DCCP);
	portsock_dccp_hashinfo_put();
}

/* Every bound socket of these is in a table that can be walked. */
#define WALKED (BIT(PORTSOCK_TCP) | BIT(PORTSOCK_UDP) | BIT(PORTSOCK_UDPLITE) | \
		BIT(PORTSOCK_RAW) | BIT(PORTSOCK_DCCP))

/*
 * Sockets that hold nothing are in no table but their owners' files, and the
 * tables of some protocols are out of reach.
 */
static int file_seen(const void *unused, struct file *file, unsigned int fd)
{
	struct socket *sock = sock_from_file(file);
	struct portsock_holding h;
	struct sock *sk;

	sk = sock ? sock->sk : NULL;
	if (!sk || !portsock_sk_read(sk, READ_ONCE(sk->sk_state), &h))
		return 0;
	if (!portsock_sk_bound(sk, h.proto) && portsock_sk_owned(sk))
		portsock_sk_unbind(&h);
	else if (BIT(h.proto) & WALKED)
		return 0;
	portsock_sock_seen(sk, &h);
	return 0;
}

static void walk_files(void)
{
	struct task_struct *process, *task;

	rcu_read_lock();
	for_each_process_thread(process, task) {
		if (task != process &&
		    READ_ONCE(task->files) == READ_ONCE(process->files))
			continue;
		task_lock(task);
		if (task->files)
			iterate_fd(task->files, 0, file_seen, NULL);
		task_unlock(task);
	}
	rcu_read_unlock();
}

/* Connections, also those that no file has; listeners are found by file. */
static void walk_mptcp(void)
{
	struct net *net;

	down_read(&net_rwsem);
	for_each_net(net) {
		long slot = 0, nr = 0;
		struct sock *sk;

		while ((sk = (struct sock *)mptcp_token_iter_next(net, &slot, &nr))) {
			if (portsock_sk_bound(sk, PORTSOCK_MPTCP) &&
			    READ_ONCE(sk->sk_state) != TCP_CLOSE)
				sk_seen(sk, false);
			sock_put(sk);
			cond_resched();
		}
	}
	up_read(&net_rwsem);
}

static int sctp_seen(struct sctp_endpoint *endpoint, struct sctp_transport *transport,
		     void *unused)
{
	const struct sock *sk = endpoint->base.sk;

	if (portsock_sk_bound(sk, PORTSOCK_SCTP))
		sk_seen(sk, false);
	return 0;
}

/*
 * Sockets with an association, also those that are closed and have no file any
 * more. The endpoint is held, and with it its socket.
 */
static void walk_sctp(void)
{
	int (*traverse)(sctp_callback_t seen, sctp_callback_t done, struct net *net,
			int *pos, void *unused);
	struct net *net;

	traverse = symbol_get(sctp_transport_traverse_process);
	if (!traverse)
		return;
	down_read(&net_rwsem);
	for_each_net(net) {
		int pos = 0;

		traverse(sctp_seen, NULL, net, &pos, NULL);
	}
	up_read(&net_rwsem);
	symbol_put(sctp_transport_traverse_process);
}

static u64 walk(void)
{
	portsock_socks_walk_begin();
	/*
	 * A release hook fires before the socket leaves the table: a socket
	 * call that was past the hook when the walk began must be over.
	 */
	synchronize_rcu();
	synchronize_rcu_tasks();

	walk_buckets(init_net.ipv4.tcp_death_row.hashinfo, PORTSOCK_TCP);
	walk_dccp();
	walk_udp_all();
	walk_raw(&raw_v4_hashinfo);
	walk_raw(&raw_v6_hashinfo);
	/* listeners first, which make their ports services */
	walk_files();
	walk_mptcp();
	walk_sctp();
	return portsock_socks_walk_end(WALKED);
}

static void resync_work(struct work_struct *work);
static DECLARE_DELAYED_WORK(resync_timer, resync_work);

static void resync_later(void)
{
	queue_delayed_work(system_dfl_wq, &resync_timer,
			   round_jiffies_relative(RESYNC_PERIOD));
}

static void resync_work(struct work_struct *work)
{
	struct losses now;
	bool lost;
	u64 wrong;

	spin_lock(&resync.lock);
	now = __losses_now();
	lost = !losses_equal(&now, &resync.settled);
	spin_unlock(&resync.lock);
	if (lost) {
		wrong = walk();
		spin_lock(&resync.lock);
		resync.repaired += wrong;
		resync.settled = now;
		spin_unlock(&resync.lock);
	}
	resync_later();
}

/**
 * portsock_resync_health() - can the table be trusted?
 * @health: receives all but the namespace
 *
 * Context: process.
 */
void portsock_resync_health(struct portsock_health *health)
{
	struct losses now;
	bool lost;

	spin_lock(&resync.lock);
	now = __losses_now();
	lost = !losses_equal(&now, &resync.settled);
	health->exact = resync.sound && portsock_hooks_see() && !lost;
	health->missed = now.missed;
	health->repaired = resync.repaired;
	health->untracked = now.untracked - resync.settled.untracked;
	health->uptime_ms = resync.start ?
			    ktime_ms_delta(ktime_get(), resync.start) : 0;
	spin_unlock(&resync.lock);
}

/**
 * portsock_resync_init() - count the sockets that are there, then keep watch
 * @sound: the hooks see what they should; if not, nothing is ever exact
 *
 * Context: process, may sleep. The hooks are armed.
 */
void portsock_resync_init(bool sound)
{
	struct losses now;
	u64 wrong;

	spin_lock(&resync.lock);
	resync.start = ktime_get();
	now = __losses_now();
	spin_unlock(&resync.lock);
	walk();
	/* What slipped through while the hooks were armed one by one. */
	wrong = walk();
	spin_lock(&resync.lock);
	resync.repaired = wrong;
	resync.settled = now;
	resync.sound = sound;
	spin_unlock(&resync.lock);
	resync_later();
}

/**
 * portsock_resync_exit() - stop keeping watch
 *
 * Context: process, may sleep.
 */
void portsock_resync_exit(void)
{
	spin_lock(&resync.lock);
	resync.sound = false;
	spin_unlock(&resync.lock);
	cancel_delayed_work_sync(&resync_timer);
}
