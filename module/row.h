/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a socket contributes, and to which row.
 */
#ifndef PORTSOCK_ROW_H
#define PORTSOCK_ROW_H

#include <linux/atomic.h>
#include <linux/build_bug.h>
#include <linux/list.h>
#include <linux/stddef.h>
#include <linux/types.h>

#include "listeners.h"
#include "rows.h"

/**
 * struct portsock_holding - what one socket holds now
 * @table: of the socket's namespace
 * @requests: connection requests of a listener (mini-sockets in
 *	NEW_SYN_RECV), read whenever the row is; NULL for any other socket
 * @port: local port in host order, 0 when the socket is unbound
 * @proto: transport protocol
 * @state: kernel state number; TCP_TIME_WAIT stands for a mini-socket
 * @service: the port was bound explicitly or is listened on
 * @ipv6: the socket is AF_INET6
 * @how: how it came by the port, enum portsock_how
 */
struct portsock_holding {
	struct portsock_table *table;
	const atomic_t *requests;
	u16 port;
	bool service;
	/* together, as in struct portsock_share: one move copies them */
	u8 proto;
	u8 state;
	bool ipv6;
	u8 how;
};

/**
 * struct portsock_share - what one socket contributes
 * @table: of its namespace, NULL while it contributes nothing
 * @row: of its port, NULL while it is unbound; pins @table, as an
 *	unbound socket does
 * @listener: among the row's listeners when its @requests are set, which are
 *	apart from what is below
 * @awaited: on the table's list when @awaits is set; never together
 *	with @listener
 * @first: of an MPTCP socket, which is neither: its first subflow, as far
 *	as it is known
 * @proto: transport protocol
 * @state: state it is counted in
 * @ipv6: counted as AF_INET6
 * @how: how it came by the port, as far as it is known, enum portsock_how
 * @awaits: a call may be under way, and nothing will tell what came of it;
 *	changed under the table's lock as well
 *
 * The owner serialises calls on one share; @listener and the row's counters are
 * protected by the row's bucket lock.
 */
struct portsock_share {
	struct portsock_table *table;
	struct portsock_row *row;
	union {
		struct portsock_listener listener;
		struct list_head awaited;
		const void *first;
	};
	u8 proto;
	u8 state;
	bool ipv6;
	u8 how;
	bool awaits;
};

static_assert(offsetof(struct portsock_listener, requests) >=
	      sizeof(struct list_head));

int portsock_row_add(struct portsock_share *share,
		     const struct portsock_holding *h);
void portsock_row_del(struct portsock_share *share);
void portsock_row_update(struct portsock_share *share,
			 const struct portsock_holding *h);
void portsock_row_step(struct portsock_row *row, u8 from, u8 to);
void portsock_rows_kill(struct portsock_table *table);

#endif /* PORTSOCK_ROW_H */
