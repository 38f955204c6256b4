/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the owner of a share may do with it.
 */
#ifndef PORTSOCK_SHARE_H
#define PORTSOCK_SHARE_H

#include <linux/types.h>

#include "remote.h"
#include "row.h"
#include "table.h"

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
int portsock_share_meet(struct portsock_share *share,
			const struct portsock_holding *h);
void portsock_share_reached(const struct portsock_share *share,
			    struct portsock_holding *h);
bool portsock_share_carries(const struct portsock_share *share);
void portsock_share_carried(struct portsock_share *share,
			    const struct portsock_bytes *bytes);
void portsock_share_use(const struct portsock_share *share, u64 now,
			const struct portsock_owner *user);
void portsock_share_retrans(const struct portsock_share *share, u32 segments);
void portsock_share_await(struct portsock_share *share);
void portsock_share_settle(struct portsock_share *share);
const void *portsock_share_awaited(struct portsock_table *table);
bool portsock_share_at(const struct portsock_share *share,
		       const struct portsock_table *table);
bool portsock_share_on(const struct portsock_share *share, u8 proto, u16 port);
bool portsock_share_in(const struct portsock_share *share,
		       unsigned long protos);
bool portsock_share_equals(const struct portsock_share *share,
			   const struct portsock_holding *h);
void portsock_share_tell(const struct portsock_share *share,
			 struct portsock_holding *h);
void portsock_share_turn(struct portsock_share *share, bool ipv6);
void portsock_portless_end(struct portsock_table *table, u8 proto,
			   const struct portsock_end *end);

/* Nothing is known of a connection of this share yet. */
static inline void remote_begin(struct portsock_share *share)
{
	if (BIT(share->proto) & PORTSOCK_PROTOS_REMOTE)
		share->remote = NULL;
}

/* @share contributes, and then does to nothing. */
static __always_inline void share_leave(struct portsock_share *share,
					const struct portsock_end *end)
{
	if (share->row) {
		if (remote_of(share))
			remote_del(share, end);
		row_del(share, end);
	} else {
		table_unbound_sub(share->table, share->proto, share->ipv6);
	}
	share->table = NULL;
}

/* It is known what came of a call. @table: that of @share, now or before. */
static inline void share_settle(struct portsock_share *share,
				struct portsock_table *table)
{
	if (likely(!share->awaits))
		return;
	raw_lock(&table->lock);
	share->awaits = false;
	list_del(&share->awaited);
	table->awaited_nr--;
	raw_unlock(&table->lock);
}

/**
 * portsock_share_over() - the connection of a socket is over, and the socket
 * @share: contributes, and to nothing afterwards
 * @end: how it ended; NULL if it was none
 *
 * Context: any but NMI, interrupts off.
 */
static __always_inline void portsock_share_over(struct portsock_share *share,
						const struct portsock_end *end)
{
	share_settle(share, share->table);
	share_leave(share, end);
}

/**
 * portsock_share_del() - a socket is no more, or nobody's business
 * @share: contributes, and to nothing afterwards
 *
 * Context: any but NMI, interrupts off.
 */
static inline void portsock_share_del(struct portsock_share *share)
{
	portsock_share_over(share, NULL);
}

static inline bool share_is_unbound(const struct portsock_share *share,
				    const struct portsock_table *table,
				    u8 proto)
{
	return share->table == table && !share->row && share->proto == proto;
}

static __always_inline int share_unbind(struct portsock_share *share,
					struct portsock_table *table, u8 proto,
					bool ipv6,
					const struct portsock_end *end)
{
	bool added;

	if (share_is_unbound(share, table, proto)) {
		if (unlikely(ipv6 != share->ipv6))
			portsock_share_turn(share, ipv6);
		if (unlikely(end))
			portsock_portless_end(table, proto, end);
		return 0;
	}
	/* before the row goes, which may pin the table */
	added = table_unbound_add(table, proto, ipv6);
	if (share->table)
		share_leave(share, end);
	if (unlikely(!added)) {
		share_settle(share, table);
		return -ESHUTDOWN;
	}
	share->table = table;
	share->proto = proto;
	share->state = TCP_CLOSE;
	share->ipv6 = ipv6;
	share->how = PORTSOCK_BOUND;
	remote_begin(share);
	return 0;
}

/**
 * portsock_share_release() - a user's socket has released its port
 * @share: contributes
 * @ipv6: the socket is AF_INET6
 * @end: its connection is over; or NULL
 *
 * Context: any but NMI, interrupts off.
 */
static __always_inline void
portsock_share_release(struct portsock_share *share, bool ipv6,
		       const struct portsock_end *end)
{
	share_unbind(share, share->table, share->proto, ipv6, end);
}

/**
 * portsock_share_unbound() - let a socket contribute that holds no port
 * @share: contributes as such already, to a row, or nothing
 * @table: of its namespace
 * @proto: protocol
 * @ipv6: the socket is AF_INET6
 *
 * Context: any but NMI, interrupts off; @table is pinned by @share, or the
 * caller is on RCU's read side.
 * Return: 0, or -ESHUTDOWN when the namespace is about to go; @share then
 * contributes nothing.
 */
static inline int portsock_share_unbound(struct portsock_share *share,
					 struct portsock_table *table, u8 proto,
					 bool ipv6)
{
	return share_unbind(share, table, proto, ipv6, NULL);
}

/**
 * portsock_share_step() - let a socket that keeps its port change its state
 * @share: any share
 * @step: what the socket does, from portsock_step()
 * @birth: its connection is established; or NULL
 *
 * What portsock_share_hold() does, in the case that is the most frequent.
 *
 * Context: any but NMI, interrupts off.
 * Return: false when this is another case; nothing was done then.
 */
static inline bool portsock_share_step(struct portsock_share *share, u64 step,
				       const struct portsock_birth *birth)
{
	struct portsock_row *row = share->row;
	u8 state = step >> 24;
	u32 handshake;

	if (!row || row->key != (step & GENMASK(23, 0)) ||
	    share->ipv6 != step >> 32 || share->queues ||
	    share->state == TCP_TIME_WAIT)
		return false;
	if (birth)
		conn_begin(&share->conn, birth);
	handshake = birth ? birth->handshake : 0;
	if (share->remote)
		remote_step(share, state, handshake);
	row_step(share, state, handshake);
	return true;
}

/**
 * portsock_share_accept() - accept() hands out a connection of TCP
 * @share: of its socket
 * @now: microseconds of the monotonic clock
 * @user: who calls it
 *
 * Context: any but NMI, interrupts off.
 */
static inline void portsock_share_accept(const struct portsock_share *share,
					 u64 now,
					 const struct portsock_owner *user)
{
	struct portsock_accept accept = {
		.born = share->conn.since,
		.now = now,
		.waited = now - share->conn.since,
		.user = *user,
	};

	if (share->row && !share->queues && (accept.born || user->tgid))
		row_accept(share->row, &accept);
}

#endif /* PORTSOCK_SHARE_H */
