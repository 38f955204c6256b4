// SPDX-License-Identifier: GPL-2.0
/*
 * A walk over the kernel's own tables of sockets, and over the files of all
 * processes. Its cost grows with the number of sockets and files.
 */
#include "walk.h"

#include <linux/fdtable.h>
#include <linux/idr.h>
#include <linux/net.h>
#include <linux/pid.h>
#include <linux/pid_namespace.h>
#include <linux/rcupdate.h>
#include <linux/rwsem.h>
#include <linux/sched/task.h>
#include <linux/spinlock.h>
#include <linux/xarray.h>
#include <net/net_namespace.h>
#include <net/raw.h>
#include <net/sctp/sctp.h>
#include <net/udp.h>

#include "compat.h"
#include "probe.h"
#include "sk.h"
#include "socks.h"

static void tw_seen(const struct inet_timewait_sock *tw, u8 proto, bool serves)
{
	struct portsock_holding h;

	rcu_read_lock();
	if (portsock_tw_read(tw, proto, &h)) {
		h.service = serves;
		portsock_tw_reached(tw, &h);
		portsock_sock_seen(tw, &h);
	}
	rcu_read_unlock();
}

static void sk_seen(const struct sock *sk)
{
	struct portsock_birth birth;
	struct portsock_holding h;

	rcu_read_lock();
	if (portsock_sk_read(sk, READ_ONCE(sk->sk_state), &h)) {
		h.service |= portsock_sk_serves(sk, h.proto);
		portsock_proto_used(h.proto);
		portsock_sk_met(sk, &h, &birth);
		portsock_sk_reached(sk, &h);
		portsock_sock_seen(sk, &h);
	}
	rcu_read_unlock();
}

/* The MPTCP socket that has its port from this subflow. */
static void parent_seen(const struct sock *sk, bool serves)
{
	const struct sock *parent;
	struct portsock_holding h;

	rcu_read_lock();
	parent = portsock_sk_parent(sk);
	if (parent && parent->sk_num == sk->sk_num &&
	    portsock_sk_read(parent, READ_ONCE(parent->sk_state), &h) &&
	    portsock_sock_carried(parent, sk)) {
		h.service |= serves;
		portsock_sock_reached(sk, &h);
		portsock_proto_used(h.proto);
		portsock_sock_seen(parent, &h);
	}
	rcu_read_unlock();
}

/* Sockets to look at before a walk drops the lock and may be rescheduled. */
#define BATCH 256

/* Between two batches; no lock is held. */
static void walk_rest(void)
{
	cond_resched();
	portsock_socks_refill();
}

/**
 * struct chain - sockets under one lock of the kernel, and the place of a
 * walk among them
 * @head: the kernel's bucket, slot or table
 * @raw: chain of a table of raw sockets
 * @udp: table that a slot is of
 * @proto: of a bucket's sockets
 * @services: look only at sockets of a bucket that make their port a service
 * @tb: bind bucket of the last socket; not to be dereferenced before it
 *	was found again
 * @owners: likewise
 * @left: sockets to look at before the next pause
 */
struct chain {
	void *head;
	struct hlist_head *raw;
	struct udp_table *udp;
	u8 proto;
	bool services;
	struct inet_bind_bucket *tb;
	struct portsock_owners *owners;
	unsigned int left;
};

/*
 * After a batch the last socket marks the place; a reference keeps its memory
 * from being reused. The next batch checks that the socket is still in the same
 * list, and otherwise begins again at its head. That only takes time, as a walk
 * changes nothing that it has already seen. New sockets are added at the head,
 * and hooks see them.
 */
static bool chain_pause(struct chain *chain, struct sock *sk)
{
	if (chain->left)
		chain->left--;
	return !chain->left && refcount_inc_not_zero(&sk->sk_refcnt);
}

/* @batch takes the lock and returns the last socket, NULL at the end. */
static void chain_walk(struct chain *chain,
		       struct sock *(*batch)(struct chain *chain,
					     struct sock *last))
{
	struct sock *last = NULL, *next;

	do {
		walk_rest();
		chain->left = BATCH;
		next = batch(chain, last);
		if (last)
			sock_gen_put(last);
		last = next;
	} while (last);
}

static void owner_seen(const struct chain *chain, struct sock *sk)
{
	bool full = sk_fullsock(sk), serves;

	serves = full ? portsock_sk_serves(sk, chain->proto) :
			portsock_tw_serves(inet_twsk(sk));
	if (serves != chain->services)
		return;
	if (!full) {
		tw_seen(inet_twsk(sk), chain->proto, serves);
		return;
	}
	sk_seen(sk);
	parent_seen(sk, serves);
}

/*
 * Looks at the sockets of @owners behind @sk, or at all. Caller holds the
 * bucket's lock.
 */
static struct sock *__owners_seen(struct chain *chain,
				  const struct portsock_owners *owners,
				  struct sock *sk)
{
	struct hlist_node *node;

	node = sk ? sk->sk_bind_node.next : owners->owners.first;
	sk = hlist_entry_safe(node, struct sock, sk_bind_node);
	hlist_for_each_entry_from(sk, sk_bind_node) {
		owner_seen(chain, sk);
		if (chain_pause(chain, sk))
			return sk;
	}
	return NULL;
}

/*
 * Looks at those of @owners behind @sk, then at those of the next ones. Caller:
 * as above.
 */
static struct sock *__tb_seen(struct chain *chain, struct inet_bind_bucket *tb,
			      struct portsock_owners *owners, struct sock *sk)
{
	for (; owners; owners = portsock_owners_next(owners)) {
		sk = __owners_seen(chain, owners, sk);
		if (sk) {
			chain->tb = tb;
			chain->owners = owners;
			return sk;
		}
	}
	return NULL;
}

/*
 * Is the socket still bound to the bind bucket it was bound to? The chain is
 * searched for the bind bucket, but not the bind bucket for the socket, as one
 * port may have very many. Caller holds the bucket's lock.
 */
static bool __is_bound_as_before(const struct chain *chain,
				 const struct sock *sk)
{
	struct inet_bind_hashbucket *head = chain->head;
	struct inet_bind_bucket *tb;

	inet_bind_bucket_for_each(tb, &head->chain)
		if (tb == chain->tb)
			return portsock_sk_tb(sk) == tb &&
			       portsock_sk_owners(sk) == chain->owners;
	return false;
}

static struct inet_bind_bucket *tb_at(struct hlist_node *node)
{
	return hlist_entry_safe(node, struct inet_bind_bucket, node);
}

static struct sock *bucket_batch(struct chain *chain, struct sock *last)
{
	struct inet_bind_hashbucket *head = chain->head;
	struct inet_bind_bucket *tb;
	struct sock *sk = NULL;

	spin_lock_bh(&head->lock);
	if (last && __is_bound_as_before(chain, last)) {
		tb = chain->tb;
		sk = __tb_seen(chain, tb, chain->owners, last);
		tb = tb_at(tb->node.next);
	} else {
		tb = tb_at(head->chain.first);
	}
	for (; tb && !sk; tb = tb_at(tb->node.next))
		sk = __tb_seen(chain, tb, portsock_owners_first(tb), NULL);
	spin_unlock_bh(&head->lock);
	return sk;
}

/* All sockets of a protocol with a bind bucket, and TIME_WAIT mini-sockets. */
static void walk_buckets(struct inet_hashinfo *hashinfo, u8 proto)
{
	unsigned int i;

	for (i = 0; i < hashinfo->bhash_size; i++) {
		struct chain chain = {
			.head = &hashinfo->bhash[i],
			.proto = proto,
		};

		if (hlist_empty(&hashinfo->bhash[i].chain))
			continue;
		/* first those that make a port a service, then connections */
		chain.services = true;
		chain_walk(&chain, bucket_batch);
		chain.services = false;
		chain_walk(&chain, bucket_batch);
	}
}

/* Caller holds the chain's lock. */
static struct sock *__sks_seen(struct chain *chain, struct sock *sk)
{
	sk_for_each_from(sk) {
		sk_seen(sk);
		if (chain_pause(chain, sk))
			return sk;
	}
	return NULL;
}

static struct sock *slot_batch(struct chain *chain, struct sock *last)
{
	struct udp_hslot *slot = chain->head;
	struct sock *sk;

	spin_lock_bh(&slot->lock);
	if (last && (!sk_hashed(last) ||
		     udp_hashslot(chain->udp, sock_net(last),
				  udp_sk(last)->udp_port_hash) != slot))
		last = NULL;
	sk = __sks_seen(chain, last ? sk_next(last) : sk_head(&slot->head));
	spin_unlock_bh(&slot->lock);
	return sk;
}

static void walk_udp(struct udp_table *table)
{
	unsigned int i;

	for (i = 0; i <= table->mask; i++) {
		struct chain chain = { .head = &table->hash[i], .udp = table };

		if (!hlist_empty(&table->hash[i].head))
			chain_walk(&chain, slot_batch);
	}
}

static void walk_udp_all(void)
{
	struct udp_table *common = portsock_udp_table(&init_net);
	struct udp_table *lite = portsock_udplite_table();
	struct net *net = NULL;

	walk_udp(common);
	while ((net = portsock_netns_next(net))) {
		struct udp_table *own = portsock_udp_table(net);

		if (own != common)
			walk_udp(own);
	}
	if (lite)
		walk_udp(lite);
}

static struct sock *raw_batch(struct chain *chain, struct sock *last)
{
	struct raw_hashinfo *table = chain->head;
	struct sock *sk;

	portsock_raw_lock(table);
	if (last && !sk_hashed(last))
		last = NULL;
	sk = __sks_seen(chain, last ? sk_next(last) : sk_head(chain->raw));
	portsock_raw_unlock(table);
	return sk;
}

static void walk_raw(struct raw_hashinfo *table)
{
	unsigned int i;

	for (i = 0; i < RAW_HTABLE_SIZE; i++) {
		struct chain chain = { .head = table, .raw = &table->ht[i] };

		chain_walk(&chain, raw_batch);
	}
}

static void walk_raw_all(void)
{
	struct raw_hashinfo *v6 = portsock_raw_v6_get();

	walk_raw(&raw_v4_hashinfo);
	if (!v6)
		return;
	walk_raw(v6);
	portsock_raw_v6_put();
}

static void walk_dccp(void)
{
	struct inet_hashinfo *hashinfo = portsock_dccp_hashinfo_get();

	if (!hashinfo)
		return;
	walk_buckets(hashinfo, PORTSOCK_DCCP);
	portsock_dccp_hashinfo_put();
}

/* Protocols of which every bound socket is in a table that a walk can see. */
#define WALKED (BIT(PORTSOCK_TCP) | BIT(PORTSOCK_UDP) |		\
		BIT(PORTSOCK_UDPLITE) | BIT(PORTSOCK_RAW) |	\
		BIT(PORTSOCK_DCCP))

/*
 * Unbound sockets are in no table of the kernel, and the tables of some
 * protocols are not accessible to modules. Such sockets are found through the
 * files of processes.
 */
static void file_seen(struct file *file)
{
	struct socket *sock = sock_from_file(file);
	struct sock *sk = sock ? sock->sk : NULL;
	struct portsock_holding h;

	rcu_read_lock();
	if (sk && portsock_sk_read_owned(sk, &h) &&
	    !(h.port && BIT(h.proto) & WALKED)) {
		h.service |= h.port && portsock_sk_serves(sk, h.proto);
		portsock_proto_used(h.proto);
		portsock_sock_seen(sk, &h);
	}
	rcu_read_unlock();
}

/* Returns the descriptor to go on with, 0 when there are no more. */
static unsigned int files_batch(struct files_struct *files, unsigned int fd)
{
	unsigned int left = BATCH;
	struct fdtable *fdt;

	spin_lock(&files->file_lock);
	fdt = files_fdtable(files);
	for (; left; left--, fd++) {
		struct file *file;

		fd = find_next_bit(fdt->open_fds, fdt->max_fds, fd);
		if (fd >= fdt->max_fds)
			break;
		file = rcu_dereference_check_fdtable(files, fdt->fd[fd]);
		if (file)
			file_seen(file);
	}
	spin_unlock(&files->file_lock);
	return left ? 0 : fd;
}

/*
 * The files_structs that several tasks share and that were walked, by address:
 * the task in which they were, with a reference. Only walk_files() uses it.
 */
static DEFINE_XARRAY(shared_files);

/*
 * Were the files of this task walked in another task? Only if the other one
 * still has the same files_struct; otherwise the memory may have been reused.
 */
static bool files_walked(struct task_struct *task)
{
	const struct files_struct *files = READ_ONCE(task->files);
	const struct task_struct *other;

	other = xa_load(&shared_files, (unsigned long)files);
	return files && other && READ_ONCE(other->files) == files;
}

/* Without memory the files are walked once for each task that shares them. */
static void files_remember(struct task_struct *task,
			   const struct files_struct *files)
{
	struct task_struct *other;

	get_task_struct(task);
	other = xa_store(&shared_files, (unsigned long)files, task, GFP_KERNEL);
	if (xa_is_err(other))
		other = task;
	if (other)
		put_task_struct(other);
}

static void files_forget(void)
{
	struct task_struct *task;
	unsigned long files;

	xa_for_each(&shared_files, files, task)
		put_task_struct(task);
	xa_destroy(&shared_files);
}

static void walk_task(struct task_struct *task)
{
	const struct files_struct *files = NULL;
	bool same = true, shared;
	unsigned int fd = 0;

	if (files_walked(task))
		return;
	do {
		walk_rest();
		task_lock(task);
		same = same && (!fd || files == task->files);
		files = task->files;
		shared = files && atomic_read(&files->count) > 1;
		fd = files ? files_batch(task->files, fd) : 0;
		task_unlock(task);
	} while (fd);
	if (same && shared)
		files_remember(task, files);
}

/* The next task, with a reference; no threads with their leader's files. */
static struct task_struct *task_next(int *nr)
{
	struct task_struct *task;
	struct pid *pid;

	do {
		cond_resched();
		task = NULL;
		rcu_read_lock();
		pid = idr_get_next(&init_pid_ns.idr, nr);
		if (pid) {
			++*nr;
			task = pid_task(pid, PIDTYPE_PID);
		}
		if (task && task != task->group_leader &&
		    READ_ONCE(task->files) ==
		    READ_ONCE(task->group_leader->files))
			task = NULL;
		if (task)
			get_task_struct(task);
		rcu_read_unlock();
	} while (pid && !task);
	return task;
}

static void walk_files(void)
{
	struct task_struct *task;
	int nr = 1;

	while ((task = task_next(&nr))) {
		walk_task(task);
		put_task_struct(task);
	}
	files_forget();
}

/* MPTCP connections, including those without a file or without a subflow. */
static void walk_mptcp(void)
{
	struct net *net = NULL;

	while ((net = portsock_netns_next(net))) {
		struct mptcp_sock *msk;
		long slot = 0, nr = 0;

		while ((msk = mptcp_token_iter_next(net, &slot, &nr))) {
			struct sock *sk = (struct sock *)msk;

			if (portsock_sk_bound(sk, PORTSOCK_MPTCP))
				sk_seen(sk);
			sock_put(sk);
			walk_rest();
		}
	}
}

static int sctp_endpoint_seen(struct sctp_endpoint *endpoint, void *unused)
{
	const struct sock *sk = endpoint->base.sk;

	if (portsock_sk_bound(sk, PORTSOCK_SCTP))
		sk_seen(sk);
	return 0;
}

static int sctp_seen(struct sctp_endpoint *endpoint,
		     struct sctp_transport *transport, void *unused)
{
	return sctp_endpoint_seen(endpoint, unused);
}

/*
 * SCTP listeners, including the kernel's, and sockets with an association,
 * including closed ones without a file. The kernel holds a reference on the
 * endpoint, and so on its socket.
 */
static void walk_sctp(void)
{
	typeof(sctp_transport_traverse_process) *traverse;
	typeof(sctp_for_each_endpoint) *for_each;
	struct net *net = NULL;

	traverse = symbol_get(sctp_transport_traverse_process);
	if (!traverse)
		return;
	for_each = symbol_get(sctp_for_each_endpoint);
	while ((net = portsock_netns_next(net))) {
		int pos = 0;

		/* where they cannot be had by namespace, all with the first */
		if (PORTSOCK_SCTP_ENDPOINTS_OF_NET || net_eq(net, &init_net))
			portsock_sctp_endpoints(for_each, sctp_endpoint_seen,
						net);
		traverse(sctp_seen, NULL, net, &pos, NULL);
	}
	symbol_put(sctp_for_each_endpoint);
	symbol_put(sctp_transport_traverse_process);
}

/**
 * portsock_walk() - correct what is recorded of sockets
 *
 * Context: process, may sleep; one at a time.
 * Return: the number of records that were wrong.
 */
u64 portsock_walk(void)
{
	portsock_socks_walk_begin();
	/*
	 * A hook runs before the socket leaves the kernel's table. A call that
	 * had passed the hook before the walk began must be over, or the walk
	 * would still see its socket.
	 */
	synchronize_rcu();
	synchronize_rcu_tasks();

	walk_buckets(init_net.ipv4.tcp_death_row.hashinfo, PORTSOCK_TCP);
	walk_dccp();
	walk_udp_all();
	walk_raw_all();
	/* before MPTCP and SCTP: meets their listeners, which make services */
	walk_files();
	walk_mptcp();
	walk_sctp();
	return portsock_socks_walk_end(WALKED);
}
