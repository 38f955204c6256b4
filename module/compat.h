/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Differences between kernels, and nothing else. The rest of the module is
 * written for the newest kernel. Each block gives an older kernel what it
 * lacks, and says since which version that is not needed. PORTSOCK_HAVE_* and
 * PORTSOCK_EXPORTS_* come from the compile tests in Kbuild.
 */
#ifndef PORTSOCK_COMPAT_H
#define PORTSOCK_COMPAT_H

#include <linux/ftrace.h>
#include <linux/module.h>
#include <linux/net.h>
#include <linux/proc_fs.h>
#include <linux/ptrace.h>
#include <linux/rcupdate.h>
#include <linux/workqueue.h>
#include <net/inet_hashtables.h>
#include <net/net_namespace.h>
#include <net/raw.h>
#include <net/rawv6.h>
#include <net/sctp/sctp.h>
#include <net/tcp_states.h>
#include <net/udp.h>

#include "have.h"

/*
 * Since 5.11 ftrace callbacks get a struct ftrace_regs. With
 * HAVE_DYNAMIC_FTRACE_WITH_ARGS (arm64: since 6.2) the arguments of the
 * function are always in it; without, only with FTRACE_OPS_FL_SAVE_REGS. Before
 * 5.11 callbacks get a struct pt_regs, which needs that flag, too, and ftrace
 * protects them against recursion unless they have
 * FTRACE_OPS_FL_RECURSION_SAFE.
 */
#if defined(PORTSOCK_HAVE_FTRACE_REGS) && \
	defined(CONFIG_HAVE_DYNAMIC_FTRACE_WITH_ARGS)
#define PORTSOCK_FTRACE_FLAGS 0
#elif defined(PORTSOCK_HAVE_FTRACE_REGS)
#define PORTSOCK_FTRACE_FLAGS FTRACE_OPS_FL_SAVE_REGS
#else
#define PORTSOCK_FTRACE_FLAGS \
	(FTRACE_OPS_FL_SAVE_REGS | FTRACE_OPS_FL_RECURSION_SAFE)
#define ftrace_regs pt_regs
#define ftrace_regs_get_argument(regs, n) regs_get_kernel_argument(regs, n)
#endif

/* ftrace_regs_get_argument() came with 6.2. */
#if defined(PORTSOCK_HAVE_FTRACE_REGS) && \
	!defined(PORTSOCK_HAVE_FTRACE_REGS_GET_ARGUMENT)
#define ftrace_regs_get_argument(fregs, n) \
	regs_get_kernel_argument(&(fregs)->regs, n)
#endif

/* Exported since 6.2. Before, an empty filter frees the old one as well. */
#ifndef PORTSOCK_EXPORTS_ftrace_free_filter
#define ftrace_free_filter(ops) ftrace_set_filter(ops, NULL, 0, 1)
#endif

/*
 * The argument of inet_bind_hash() that is the port. Since 6.1 it follows a
 * second bind bucket, by address. A wrong number would compile, so the other
 * prototype is asserted.
 */
#ifdef PORTSOCK_HAVE_BIND2_HASH
#define PORTSOCK_BIND_HASH_PORT 3
#else
#define PORTSOCK_BIND_HASH_PORT 2
static_assert(__same_type(&inet_bind_hash,
			  void (*)(struct sock *, struct inet_bind_bucket *,
				   const unsigned short)),
	      "inet_bind_hash() has other arguments than any kernel portsock knows");
#endif

/* The bind bucket of a full socket or TIME_WAIT mini-socket. */
#define portsock_sk_tb(sk) \
	(sk_fullsock(sk) ? inet_csk(sk)->icsk_bind_hash : inet_twsk(sk)->tw_tb)

/*
 * The buckets with the lists of bound sockets: since 6.8 those by address,
 * before those by port. portsock_owners_first() and portsock_owners_next() go
 * through all of a port, portsock_sk_owners() is that of a full socket or
 * TIME_WAIT mini-socket.
 */
#ifdef PORTSOCK_HAVE_BIND2_OWNERS
#define portsock_owners inet_bind2_bucket
#define portsock_owners_first(tb) \
	hlist_entry_safe((tb)->bhash2.first, struct inet_bind2_bucket, \
			 bhash_node)
#define portsock_owners_next(bucket) \
	hlist_entry_safe((bucket)->bhash_node.next, struct inet_bind2_bucket, \
			 bhash_node)
#define portsock_sk_owners(sk) \
	(sk_fullsock(sk) ? inet_csk(sk)->icsk_bind2_hash : \
			   inet_twsk(sk)->tw_tb2)
#else
#define portsock_owners inet_bind_bucket
#define portsock_owners_first(tb) (tb)
#define portsock_owners_next(bucket) ((struct inet_bind_bucket *)NULL)
#define portsock_sk_owners(sk) portsock_sk_tb(sk)
#endif

/* The function that begins TIME_WAIT; since 6.11 it has another name. */
#ifdef PORTSOCK_HAVE_TWSK_HASHDANCE_SCHEDULE
#define PORTSOCK_TWSK_HASHDANCE "inet_twsk_hashdance_schedule"
#else
#define PORTSOCK_TWSK_HASHDANCE "inet_twsk_hashdance"
#endif

/*
 * Ends of the namespace's range of ephemeral ports. Since 6.8 they are in one
 * word; before, they are two under a seqlock, which a handler must not wait
 * for. If the range is changed meanwhile, the result is the old one, the new
 * one, or one end of each.
 */
#ifdef PORTSOCK_HAVE_LOCAL_PORTS_WORD
#define portsock_port_min(net) \
	(READ_ONCE((net)->ipv4.ip_local_ports.range) & 0xffff)
#define portsock_port_max(net) \
	(READ_ONCE((net)->ipv4.ip_local_ports.range) >> 16)
#else
#define portsock_port_min(net) READ_ONCE((net)->ipv4.ip_local_ports.range[0])
#define portsock_port_max(net) READ_ONCE((net)->ipv4.ip_local_ports.range[1])
#endif

/* Since 6.2 a namespace may have its own table of UDP sockets. */
static inline struct udp_table *portsock_udp_table(const struct net *net)
{
#ifdef PORTSOCK_HAVE_NET_UDP_TABLE
	return net->ipv4.udp_table;
#else
	return &udp_table;
#endif
}

/* UDP-Lite was removed between 6.18 and 7.2. */
#ifdef PORTSOCK_HAVE_UDPLITE
#include <net/udplite.h>

static inline struct udp_table *portsock_udplite_table(void)
{
	return &udplite_table;
}
#else
static inline struct udp_table *portsock_udplite_table(void)
{
	return NULL;
}
#endif

/*
 * DCCP was removed in 6.16. No public header declares its table. DCCP is
 * a module: it may not be loaded, and must not be unloaded while its
 * table is walked.
 */
#ifdef PORTSOCK_HAVE_DCCP
#include <linux/dccp.h>

extern struct inet_hashinfo dccp_hashinfo;

static inline struct inet_hashinfo *portsock_dccp_hashinfo_get(void)
{
	return symbol_get(dccp_hashinfo);
}

static inline void portsock_dccp_hashinfo_put(void)
{
	symbol_put(dccp_hashinfo);
}
#else
enum {
	DCCP_PARTOPEN = TCP_MAX_STATES,
	DCCP_PASSIVE_CLOSEREQ,
};

static inline struct inet_hashinfo *portsock_dccp_hashinfo_get(void)
{
	return NULL;
}

static inline void portsock_dccp_hashinfo_put(void)
{
}
#endif

/*
 * IPv6 may be a module: maybe not loaded, and not to be unloaded while its
 * table is walked.
 */
#if IS_ENABLED(CONFIG_IPV6)
static inline struct raw_hashinfo *portsock_raw_v6_get(void)
{
	return symbol_get(raw_v6_hashinfo);
}

static inline void portsock_raw_v6_put(void)
{
	symbol_put(raw_v6_hashinfo);
}
#else
static inline struct raw_hashinfo *portsock_raw_v6_get(void)
{
	return NULL;
}

static inline void portsock_raw_v6_put(void)
{
}
#endif

/*
 * What sctp_for_each_endpoint(), here @for_each, goes through: since 7.2 and
 * stable updates of July 2026 the SCTP endpoints of a namespace, before those
 * of all, under the locks of their buckets.
 */
#ifdef PORTSOCK_HAVE_SCTP_ENDPOINTS_OF_NET
#define PORTSOCK_SCTP_ENDPOINTS_OF_NET true
#define portsock_sctp_endpoints(for_each, seen, net) \
	for_each(seen, net, &(int){ 0 }, NULL)
#else
#define PORTSOCK_SCTP_ENDPOINTS_OF_NET false
#define portsock_sctp_endpoints(for_each, seen, net) for_each(seen, NULL)
#endif

/* The lock of a table of raw sockets: since 6.0 a spinlock, before a rwlock. */
#ifdef PORTSOCK_HAVE_RAW_SPINLOCK
#define portsock_raw_lock(table) spin_lock_bh(&(table)->lock)
#define portsock_raw_unlock(table) spin_unlock_bh(&(table)->lock)
#else
#define portsock_raw_lock(table) read_lock_bh(&(table)->lock)
#define portsock_raw_unlock(table) read_unlock_bh(&(table)->lock)
#endif

/* Before 5.11 sock_from_file() had a second argument, for an error. */
#ifndef PORTSOCK_HAVE_SOCK_FROM_FILE
static inline struct socket *portsock_sock_from_file(struct file *file)
{
	int err;

	return sock_from_file(file, &err);
}

#define sock_from_file(file) portsock_sock_from_file(file)
#endif

/* Renamed in 6.17; newer kernels warn of the old name. */
#ifndef PORTSOCK_HAVE_SYSTEM_DFL_WQ
#define system_dfl_wq system_unbound_wq
#endif

/* Addresses of sockets got a type of their own in 6.19. */
#ifndef PORTSOCK_HAVE_SOCKADDR_UNSIZED
#define sockaddr_unsized sockaddr
#endif

/*
 * The handler of tcp_retransmit_skb. Since 6.19 or so it is told of segments
 * that could not be sent as well, and of the error.
 */
#ifdef PORTSOCK_HAVE_RETRANSMIT_ERR
#define portsock_on_retransmit(name) \
	name(void *data, const struct sock *sk, const struct sk_buff *skb, \
	     int err)
#define portsock_retransmit_err err
#else
#define portsock_on_retransmit(name) \
	name(void *data, const struct sock *sk, const struct sk_buff *skb)
#define portsock_retransmit_err 0
#endif

/* The user of a socket; since 6.17 by a function. */
#ifdef PORTSOCK_HAVE_SK_UID
#define portsock_sk_uid(sk) sk_uid(sk)
#else
#define portsock_sk_uid(sk) ((sk)->sk_uid)
#endif

/*
 * Since 6.18 some sockets count apart from struct sock what they drop. Before,
 * all have one counter.
 */
#ifndef PORTSOCK_HAVE_SK_DROPS_READ
#define sk_drops_read(sk) atomic_read(&(sk)->sk_drops)
#endif

/* Renamed in 5.17. */
#ifndef PORTSOCK_HAVE_PDE_DATA
#define pde_data(inode) PDE_DATA(inode)
#endif

/*
 * Exported since 5.12 or so. In a kernel without preemption, as Debian's 5.10,
 * synchronize_rcu() waits for the same. In a preemptible one a task may be
 * preempted after the hook and before the function acts; the walk may then be
 * wrong about that socket, until the next one.
 */
#ifndef PORTSOCK_EXPORTS_synchronize_rcu_tasks
#undef synchronize_rcu_tasks
#define synchronize_rcu_tasks() synchronize_rcu()
#endif

/*
 * Goes through the MPTCP connections of a namespace; the result has a
 * reference. No public header declares it. Exported for mptcp_diag since 5.11.
 */
#if IS_ENABLED(CONFIG_MPTCP)
struct mptcp_sock *mptcp_token_iter_next(const struct net *net, long *s_slot,
					 long *s_num);
#else
static inline struct mptcp_sock *mptcp_token_iter_next(const struct net *net,
						       long *s_slot,
						       long *s_num)
{
	return NULL;
}
#endif

#endif /* PORTSOCK_COMPAT_H */
