/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What waits in a socket for its program, and what had no room there. Beside
 * sk.c the only file that looks into struct sock.
 */
#ifndef PORTSOCK_QUEUE_H
#define PORTSOCK_QUEUE_H

#include <linux/bits.h>
#include <linux/cgroup.h>
#include <linux/types.h>
#include <linux/uidgid.h>
#include <net/inet_connection_sock.h>
#include <net/sock.h>
#include <net/udp.h>

#include "compat.h"
#include "portsock.h"

/* Protocols of sockets that listen, and of sockets that receive datagrams. */
#define PORTSOCK_PROTOS_LISTEN \
	(BIT(PORTSOCK_TCP) | BIT(PORTSOCK_SCTP) | BIT(PORTSOCK_DCCP))
#define PORTSOCK_PROTOS_DATAGRAM \
	(BIT(PORTSOCK_UDP) | BIT(PORTSOCK_UDPLITE) | BIT(PORTSOCK_RAW) | \
	 BIT(PORTSOCK_ICMP))

/**
 * struct portsock_queue - what waits in some sockets
 * @requests: connection requests, mini-sockets in NEW_SYN_RECV
 * @backlog: connections that wait for accept()
 * @limit: so many may, and one more for each listener
 * @bytes: of datagrams that wait to be received, as the kernel accounts for
 *	them against SO_RCVBUF
 * @drops: what the kernel dropped since the sockets came into the row
 * @uid: of the user who has the first of them
 * @cgroup: the control group that it was made in; 0 without these
 * @any: there is one
 */
struct portsock_queue {
	u64 requests;
	u64 backlog;
	u64 limit;
	u64 bytes;
	u64 drops;
	kuid_t uid;
	u64 cgroup;
	bool any;
};

/**
 * portsock_queue_drops() - what a socket has dropped
 * @sk: full socket
 *
 * Context: any.
 * Return: what ss -m shows as d; wraps.
 */
static inline u32 portsock_queue_drops(const struct sock *sk)
{
	return sk_drops_read(sk);
}

/**
 * portsock_queue_backlog() - connections that wait for accept() at a listener
 * @sk: listener of any protocol of PORTSOCK_PROTOS_LISTEN
 *
 * Context: any.
 */
static inline u32 portsock_queue_backlog(const struct sock *sk)
{
	return READ_ONCE(sk->sk_ack_backlog);
}

static inline u64 queue_cgroup(const struct sock *sk)
{
#ifdef CONFIG_SOCK_CGROUP_DATA
	return cgroup_id(sock_cgroup_ptr((struct sock_cgroup_data *)
					 &sk->sk_cgrp_data));
#else
	return 0;
#endif
}

/**
 * portsock_queue_add() - add what waits in one socket
 * @queue: sum
 * @sk: full socket that cannot be freed meanwhile
 * @proto: its protocol
 * @drops: of portsock_queue_drops(), to begin with
 *
 * Context: any.
 */
static inline void portsock_queue_add(struct portsock_queue *queue,
				      const struct sock *sk, u8 proto,
				      u32 drops)
{
	if (!queue->any) {
		queue->uid = portsock_sk_uid(sk);
		queue->cgroup = queue_cgroup(sk);
		queue->any = true;
	}
	queue->drops += (u32)(portsock_queue_drops(sk) - drops);
	if (BIT(proto) & PORTSOCK_PROTOS_LISTEN) {
		queue->backlog += portsock_queue_backlog(sk);
		queue->limit += READ_ONCE(sk->sk_max_ack_backlog);
	}
	if (proto == PORTSOCK_TCP || proto == PORTSOCK_DCCP)
		queue->requests += reqsk_queue_len(&inet_csk(sk)->icsk_accept_queue);
	else if (proto == PORTSOCK_UDP || proto == PORTSOCK_UDPLITE)
		queue->bytes += udp_rqueue_get((struct sock *)sk);
	else if (BIT(proto) & PORTSOCK_PROTOS_DATAGRAM)
		queue->bytes += sk_rmem_alloc_get(sk);
}

#endif /* PORTSOCK_QUEUE_H */
