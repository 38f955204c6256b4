// SPDX-License-Identifier: GPL-2.0
/*
 * A socket contributes to the row of its port, or to the unbound sockets of
 * its namespace.
 */
#include "share.h"

#include <linux/bits.h>
#include <linux/errno.h>
#include <linux/spinlock.h>

#include "end.h"
#include "remote.h"
#include "rows.h"
#include "table.h"

/* States of a socket that has not connected, or whose connection is over. */
#define CLOSED_STATES (TCPF_CLOSE | TCPF_LISTEN)

/*
 * Does a socket that contributes to the row of its port contribute to that of
 * its peer's port? What it says of the first is up to date. Returns what
 * remote_add() does.
 */
static __always_inline int remote_meet(struct portsock_share *share,
				       const struct portsock_holding *h)
{
	if (!h->remote || !(BIT(share->proto) & PORTSOCK_PROTOS_REMOTE) ||
	    share->remote || share->how == PORTSOCK_ACCEPTED ||
	    BIT(share->state) & CLOSED_STATES)
		return 0;
	return remote_add(share, h);
}

/*
 * Is it another port than that of @remote? A socket of UDP says each time where it
 * is connected to, others only when they get there.
 */
static bool remote_is_other(const struct portsock_row *remote,
			    const struct portsock_holding *h)
{
	return h->remote != key_port(remote->key) &&
	       (h->remote || h->proto == PORTSOCK_UDP);
}

/* @share is about to say @h, and still says what it said. */
static void remote_change(struct portsock_share *share,
			  const struct portsock_holding *h)
{
	const struct portsock_row *remote = remote_of(share);

	if (likely(!remote))
		return;
	if (BIT(h->state) & CLOSED_STATES || remote_is_other(remote, h))
		remote_del(share, h->end);
	else if (h->state != share->state || h->ipv6 != share->ipv6 ||
		 h->end || h->birth)
		portsock_remote_update(share, h);
}

/**
 * portsock_share_await() - a call is under way, and nothing will tell
 * what came of it
 * @share: contributes; ignored if its protocol is one of PORTSOCK_PROTOS_REMOTE
 *
 * Context: any but NMI, interrupts off.
 */
void portsock_share_await(struct portsock_share *share)
{
	struct portsock_table *table = share->table;

	if (share->awaits || BIT(share->proto) & PORTSOCK_PROTOS_REMOTE)
		return;
	raw_lock(&table->lock);
	share->awaits = true;
	list_add_tail(&share->awaited, &table->awaited);
	table->awaited_nr++;
	raw_unlock(&table->lock);
}

/**
 * portsock_share_settle() - it is known what came of the call
 * @share: contributes
 *
 * Context: any but NMI, interrupts off.
 */
void portsock_share_settle(struct portsock_share *share)
{
	share_settle(share, share->table);
}

/**
 * portsock_share_awaited() - the next socket on which a call may be under way
 * @table: any table
 *
 * It becomes the last one: who comes as often as there were any to begin with
 * has met them all.
 *
 * Context: any but NMI.
 * Return: the socket's address, which is not to be followed, or NULL.
 */
const void *portsock_share_awaited(struct portsock_table *table)
{
	struct portsock_share *share;
	const void *sk = NULL;
	unsigned long flags;

	raw_lock_irqsave(&table->lock, flags);
	share = list_first_entry_or_null(&table->awaited, struct portsock_share,
					 awaited);
	if (share) {
		list_move_tail(&share->awaited, &table->awaited);
		sk = share->sk;
	}
	raw_unlock_irqrestore(&table->lock, flags);
	return sk;
}

/**
 * portsock_share_turn() - an unbound socket changes its family
 * @share: of the socket
 * @ipv6: it is AF_INET6 now
 *
 * Context: any but NMI, interrupts off.
 */
void portsock_share_turn(struct portsock_share *share, bool ipv6)
{
	struct portsock_total *total = &share->table->totals.of[share->proto];
	struct portsock_numbers *numbers = total_lock(total);

	unbound_turn(&numbers->unbound, ipv6);
	total_unlock(total, numbers);
	share->ipv6 = ipv6;
}

static void depth_no_port(struct portsock_depth *depth, const void *unused)
{
	depth->ends[PORTSOCK_NO_PORT]++;
}

/**
 * portsock_portless_end() - connect() of a socket that held no port is over
 * @table: of the socket's namespace
 * @proto: its protocol
 * @end: how it ended: it got no port, unless that is for another reason
 *
 * Context: any but NMI, interrupts off, RCU read side.
 */
void portsock_portless_end(struct portsock_table *table, u8 proto,
			   const struct portsock_end *end)
{
	if (end->cause != PORTSOCK_GIVEN_UP)
		return;
	total_depth_change(&table->totals.of[proto], depth_no_port, NULL);
	portsock_remote_no_port(table, proto, end->remote);
}

/**
 * portsock_share_retrans() - segments were sent again
 * @share: of the socket that did
 * @segments: how many
 *
 * Context: any but NMI, interrupts off.
 */
void portsock_share_retrans(const struct portsock_share *share, u32 segments)
{
	if (!share->row)
		return;
	portsock_row_retrans(share->row, segments);
	if (remote_of(share))
		portsock_row_retrans(share->remote, segments);
}

static bool share_is_on_row_of(const struct portsock_share *share,
			       const struct portsock_holding *h)
{
	return share->table == h->table && share->row &&
	       share->row->key == key_of(h->proto, h->port);
}

static bool share_is_current(const struct portsock_share *share,
			     const struct portsock_holding *h)
{
	return share->state == h->state && share->ipv6 == h->ipv6 &&
	       share->queues == h->queues &&
	       !(h->service && row_is_ephemeral(share->row));
}

/* A share stays on the row that it is on. */
static noinline int share_change(struct portsock_share *share,
				 const struct portsock_holding *h)
{
	int err = 0;

	remote_change(share, h);
	if (!share_is_current(share, h) || h->end || h->birth ||
	    (share->how == PORTSOCK_BOUND && h->how != PORTSOCK_BOUND))
		err = portsock_row_update(share, h);
	return remote_meet(share, h) ?: err;
}

/* It leaves the row of another port. */
static noinline void share_move(struct portsock_share *share)
{
	share_leave(share, NULL);
}

/* Does it count where it would if it held no port? */
static bool share_is_unbound_as(const struct portsock_share *share,
				const struct portsock_holding *h)
{
	return share->table == h->table && share->proto == h->proto &&
	       share->ipv6 == h->ipv6;
}

/* @share contributes nothing yet, or as an unbound socket. */
static __always_inline int share_add(struct portsock_share *share,
				     const struct portsock_holding *h)
{
	bool queues = h->queues;
	u8 proto = h->proto, state = h->state, how = h->how;
	bool ipv6 = h->ipv6;

	/* all is read by now, so that one move writes the four */
	share->proto = proto;
	share->state = state;
	share->ipv6 = ipv6;
	share->how = how;
	share->queues = queues;
	remote_begin(share);
	if (proto == PORTSOCK_TCP && !queues) {
		share->conn = (struct portsock_conn){ };
		if (h->birth)
			conn_begin(&share->conn, h->birth);
	}
	return row_add(share, h);
}

/**
 * portsock_share_hold() - let a socket contribute to the row of its port
 * @share: contributes to that row, to another, or to none
 * @h: what the socket holds now
 *
 * A row is a service row when anybody who ever contributed to it said so.
 * Port 0 means an unbound socket.
 *
 * Context: any but NMI, interrupts off, RCU read side (for @h->table).
 * Return: 0, -ENOMEM without memory for the row, or -ESHUTDOWN when the
 * namespace is going and there is no row; @share then contributes nothing, or
 * nothing to the row of the port that the socket connected to, or to a row that
 * still is not one of a service.
 */
int portsock_share_hold(struct portsock_share *share,
			const struct portsock_holding *h)
{
	int err;

	if (unlikely(!h->port))
		return portsock_share_unbound(share, h->table, h->proto,
					      h->ipv6);
	if (share->row) {
		if (share_is_on_row_of(share, h))
			return share_change(share, h);
		share_move(share);
	} else if (share->table && !share_is_unbound_as(share, h)) {
		share_leave(share, NULL);
	}
	err = share_add(share, h);
	if (unlikely(err)) {
		if (share->table)
			share_leave(share, NULL);
		share_settle(share, h->table);
		return err;
	}
	return remote_meet(share, h);
}

/**
 * portsock_share_meet() - a walk met a socket that is as it should be
 * @share: of the socket; says what @h says
 * @h: what the socket holds
 *
 * It may be that nobody has told yet that it connected.
 *
 * Context: any but NMI, interrupts off, RCU read side.
 * Return: 0, or an error as from portsock_share_hold().
 */
int portsock_share_meet(struct portsock_share *share,
			const struct portsock_holding *h)
{
	return share->row ? remote_meet(share, h) : 0;
}

/**
 * portsock_share_reached() - the port that a socket connected to
 * @share: any share
 * @h: receives the port, which is 0 if @share contributes to no row of one, and
 *	whether it is a guess
 *
 * Context: any; the caller serialises calls on @share.
 */
void portsock_share_reached(const struct portsock_share *share,
			    struct portsock_holding *h)
{
	const struct portsock_row *remote;

	remote = share->table ? remote_of(share) : NULL;
	h->remote = remote ? key_port(remote->key) : 0;
	h->guessed = remote && share->guessed;
}

/* An open connection may be in these states. */
#define OPEN_STATES (TCPF_ESTABLISHED | TCPF_FIN_WAIT1 | TCPF_FIN_WAIT2 | \
		     TCPF_CLOSE_WAIT | TCPF_LAST_ACK | TCPF_CLOSING)

/**
 * portsock_share_carries() - is it that of an open connection of TCP?
 * @share: any share
 *
 * Context: any; the caller serialises calls on @share.
 */
bool portsock_share_carries(const struct portsock_share *share)
{
	return share->row && share->proto == PORTSOCK_TCP && !share->queues &&
	       BIT(share->state) & OPEN_STATES;
}

/**
 * portsock_share_carried() - an open connection was asked what it has carried
 * @share: of its socket
 * @bytes: all of it
 *
 * Context: any but NMI, interrupts off.
 */
void portsock_share_carried(struct portsock_share *share,
			    const struct portsock_bytes *bytes)
{
	struct portsock_bytes more;

	if (share->conn.told.rx == bytes->rx && share->conn.told.tx == bytes->tx)
		return;
	more.rx = bytes->rx - share->conn.told.rx;
	more.tx = bytes->tx - share->conn.told.tx;
	portsock_row_carried(share->row, &more);
	if (share->remote)
		portsock_row_carried(share->remote, &more);
	share->conn.told = *bytes;
}

/**
 * portsock_share_use() - a process is sent a listener or a datagram socket
 * @share: of the socket; others are ignored
 * @now: microseconds of the monotonic clock
 * @user: the process
 *
 * Context: any but NMI, interrupts off.
 */
void portsock_share_use(const struct portsock_share *share, u64 now,
			const struct portsock_owner *user)
{
	if (share->row && share->queues)
		portsock_row_use(share->row, now, user);
}

/**
 * portsock_share_at() - does a share contribute to a table?
 * @share: any share
 * @table: any table
 *
 * Context: any; the caller serialises calls on @share.
 */
bool portsock_share_at(const struct portsock_share *share,
		       const struct portsock_table *table)
{
	return share->table == table;
}

/**
 * portsock_share_on() - does a share contribute to the row of a port?
 * @share: contributes to some row, or not
 * @proto: transport protocol
 * @port: local port in host order
 *
 * Context: any but NMI; the owner serialises calls.
 */
bool portsock_share_on(const struct portsock_share *share, u8 proto, u16 port)
{
	return share->row && share->row->key == key_of(proto, port);
}

/**
 * portsock_share_in() - does a share contribute to a port of some protocols?
 * @share: any share
 * @protos: bit mask of protocols
 *
 * Context: any; the caller serialises calls on @share.
 * Return: false also when it counts as unbound or contributes nothing.
 */
bool portsock_share_in(const struct portsock_share *share, unsigned long protos)
{
	return share->row && protos & BIT(share->proto);
}

/**
 * portsock_share_equals() - does a share say just what a holding says?
 * @share: any share
 * @h: any holding
 *
 * History (how the socket came by its port) is not compared.
 *
 * Context: any; the caller serialises calls on @share.
 */
bool portsock_share_equals(const struct portsock_share *share,
			   const struct portsock_holding *h)
{
	if (!h->port)
		return share_is_unbound(share, h->table, h->proto) &&
		       share->ipv6 == h->ipv6;
	return share_is_on_row_of(share, h) && share_is_current(share, h);
}

/**
 * portsock_share_tell() - say what a share contributes
 * @share: any share that contributes something
 * @h: receives it, but not whether it makes the port a service
 *
 * Context: any; the caller serialises calls on @share.
 */
void portsock_share_tell(const struct portsock_share *share,
			 struct portsock_holding *h)
{
	*h = (struct portsock_holding){
		.table = share->table,
		.port = share->row ? key_port(share->row->key) : 0,
		.proto = share->proto,
		.state = share->state,
		.queues = share->queues,
		.ipv6 = share->ipv6,
		.how = share->how,
	};
}
