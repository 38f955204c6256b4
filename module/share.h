/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a socket contributes, and to which row.
 */
#ifndef PORTSOCK_SHARE_H
#define PORTSOCK_SHARE_H

#include <linux/atomic.h>
#include <linux/list.h>
#include <linux/rbtree.h>
#include <linux/types.h>

struct portsock_row;
struct portsock_table;

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
 * @row: of its port, NULL while it is unbound; pins @table, as an unbound socket
 *	does
 * @listen: among the row's listeners when @requests is set
 * @awaited: on the table's list when @awaits is set; never together with @requests
 * @first: of an MPTCP socket, which is neither: its first subflow, as far as it is known
 * @requests: see struct portsock_holding
 * @proto: transport protocol
 * @state: state it is counted in
 * @ipv6: counted as AF_INET6
 * @how: how it came by the port, as far as it is known, enum portsock_how
 * @awaits: a call may be under way, and nothing will tell what came of it;
 *	changed under the table's lock as well
 *
 * The owner serialises calls on one share; @listen and the row's counters are
 * protected by the row's bucket lock.
 */
struct portsock_share {
	struct portsock_table *table;
	struct portsock_row *row;
	union {
		struct rb_node listen;
		struct list_head awaited;
		const void *first;
	};
	const atomic_t *requests;
	u8 proto;
	u8 state;
	bool ipv6;
	u8 how;
	bool awaits;
};

/**
 * portsock_step() - a socket goes to another state and keeps its port
 * @proto: transport protocol
 * @port: local port in host order
 * @ipv6: the socket is AF_INET6
 * @state: kernel state number it goes to, neither TCP_LISTEN nor TCP_TIME_WAIT
 *
 * Context: any.
 * Return: all of it in one word, which takes but one register.
 */
static inline u64 portsock_step(u8 proto, u16 port, bool ipv6, u8 state)
{
	return (u64)ipv6 << 32 | (u32)state << 24 | (u32)proto << 16 | port;
}

int portsock_share_hold(struct portsock_share *share,
			const struct portsock_holding *h);
bool portsock_share_step(struct portsock_share *share, u64 step);
int portsock_share_unbound(struct portsock_share *share, struct portsock_table *table,
			   u8 proto, bool ipv6);
void portsock_share_del(struct portsock_share *share);
void portsock_share_await(struct portsock_share *share);
void portsock_share_settle(struct portsock_share *share);
const void *portsock_share_awaited(struct portsock_table *table,
				   const void *(*sk_of)(const struct portsock_share *share));
bool portsock_share_at(const struct portsock_share *share,
		       const struct portsock_table *table);
bool portsock_share_on(const struct portsock_share *share, u8 proto, u16 port);
bool portsock_share_in(const struct portsock_share *share, unsigned long protos);
bool portsock_share_equals(const struct portsock_share *share,
			   const struct portsock_holding *h);
void portsock_share_tell(const struct portsock_share *share, struct portsock_holding *h);

#endif /* PORTSOCK_SHARE_H */
