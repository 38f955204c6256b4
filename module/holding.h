/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a socket holds, and what it contributes to which row.
 */
#ifndef PORTSOCK_HOLDING_H
#define PORTSOCK_HOLDING_H

#include <linux/bits.h>
#include <linux/list.h>
#include <linux/rbtree.h>
#include <linux/types.h>

#include "end.h"
#include "owner.h"
#include "portsock.h"

struct portsock_row;
struct portsock_table;
struct sock;

/* Protocols whose sockets count in rows of class remote; none is ever awaited. */
#define PORTSOCK_PROTOS_REMOTE \
	(BIT(PORTSOCK_TCP) | BIT(PORTSOCK_UDP) | BIT(PORTSOCK_SCTP) | \
	 BIT(PORTSOCK_DCCP) | BIT(PORTSOCK_MPTCP))

/**
 * struct portsock_holding - what one socket holds now
 * @table: of the socket's namespace
 * @port: local port in host order, 0 when the socket is unbound
 * @service: the port was bound explicitly or is listened on
 * @queues: something waits in the socket for its program, and readers of the
 *	row look at it: see portsock_queue_add(). False for a mini-socket
 * @guessed: it is not known that the socket connected to @remote
 * @remote: port of the peer in host order, if the socket connected to it, or 0
 *	if not, or, but for a socket of UDP, if nothing new is known of that
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
	bool guessed;
	u16 remote;
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
 * struct portsock_share - what one socket contributes
 * @sk: the socket's address; followed only while @queues is set, and NULL when
 *	that is not allowed any more, as no hook sees the socket go
 * @table: of its namespace, NULL while it contributes nothing
 * @row: of its port, NULL while it is unbound; pins @table, as an
 *	unbound socket does
 * @queue: in the row's tree when @queues is set
 * @awaited: on the table's list when @awaits is set
 * @conn: of a TCP socket that does not queue
 * @first: of an MPTCP socket, which does not queue: its first subflow, as far
 *	as it is known
 * @remote: of a protocol of PORTSOCK_PROTOS_REMOTE: the row of class remote that
 *	it contributes to as well, or NULL
 * @guessed: it is not known that it should
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
 * counters are protected by the row's bucket lock, unless the row is busy: see
 * cells.h.
 */
struct portsock_share {
	const struct sock *sk;
	struct portsock_table *table;
	struct portsock_row *row;
	union {
		struct rb_node queue;
		struct portsock_conn conn;
		const void *first;
	};
	union {
		struct list_head awaited;
		struct {
			struct portsock_row *remote;
			bool guessed;
		};
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
