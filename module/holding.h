/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a socket holds, and what it contributes to which row.
 */
#ifndef PORTSOCK_HOLDING_H
#define PORTSOCK_HOLDING_H

#include <linux/list.h>
#include <linux/rbtree.h>
#include <linux/types.h>

#include "end.h"
#include "owner.h"

struct portsock_row;
struct portsock_table;
struct sock;

/**
 * struct portsock_holding - what one socket holds now
 * @table: of the socket's namespace
 * @port: local port in host order, 0 when the socket is unbound
 * @service: the port was bound explicitly or is listened on
 * @queues: something waits in the socket for its program, and readers of the
 *	row look at it: see portsock_queue_add(). False for a mini-socket
 * @proto: transport protocol
 * @state: kernel state number; TCP_TIME_WAIT stands for a mini-socket
 * @ipv6: the socket is AF_INET6
 * @how: how it came by the port, enum portsock_how
 * @owner: who calls listen() or bind(); nobody otherwise
 * @birth: its connection is established, or was met; NULL otherwise
 * @end: its connection is over, and it keeps the port; NULL otherwise
 */
struct portsock_holding {
	struct portsock_table *table;
	u16 port;
	bool service;
	bool queues;
	/* together, as in struct portsock_share: one move copies them */
	u8 proto;
	u8 state;
	bool ipv6;
	u8 how;
	struct portsock_owner owner;
	const struct portsock_birth *birth;
	const struct portsock_end *end;
};

/**
 * struct portsock_conn - a connection, while it is one
 * @since: microseconds of the monotonic clock when it was established; 0: it is
 *	not, or it is not known
 * @told: payload that is in the row's numbers already
 */
struct portsock_conn {
	u64 since;
	struct portsock_bytes told;
};

/**
 * struct portsock_share - what one socket contributes
 * @sk: the socket's address; followed only while @queues is set, and NULL when
 *	that is not allowed any more, as no hook sees the socket go
 * @table: of its namespace, NULL while it contributes nothing
 * @row: of its port, NULL while it is unbound; pins @table, as an
 *	unbound socket does
 * @queue: in the row's tree when @queues is set
 * @awaited: on the table's list when @awaits is set
 * @conn: of a TCP socket that does not queue
 * @first: of an MPTCP socket, which neither queues nor awaits: its first
 *	subflow, as far as it is known
 * @proto: transport protocol
 * @state: state it is counted in
 * @ipv6: counted as AF_INET6
 * @how: how it came by the port, as far as it is known, enum portsock_how
 * @drops: when @queues is set: what it had dropped when it came into the tree
 * @queues: it is in the row's tree of those that readers look at
 * @awaits: a call may be under way, and nothing will tell what came of it;
 *	changed under the table's lock as well
 * @asked: its last bind() named a port; the owner's
 * @gone: a tombstone: the socket is gone, but the walk that runs may
 *	still have seen it; the owner's
 * @epoch: number of the walk during which a hook or the walk last told of it;
 *	the owner's
 *
 * The owner serialises calls on one share; @queue, @drops and the row's
 * counters are protected by the row's bucket lock.
 */
struct portsock_share {
	const struct sock *sk;
	struct portsock_table *table;
	struct portsock_row *row;
	union {
		struct {
			struct rb_node queue;
			struct list_head awaited;
		};
		struct portsock_conn conn;
		const void *first;
	};
	u8 proto;
	u8 state;
	bool ipv6;
	u8 how;
	u32 drops;
	u32 epoch;
	bool queues;
	bool awaits;
	bool asked;
	bool gone;
};

#endif /* PORTSOCK_HOLDING_H */
