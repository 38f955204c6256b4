// SPDX-License-Identifier: GPL-2.0
/*
 * A socket that connects contributes to the row of the port that it goes to, as
 * well as to that of its own port.
 */
#include "remote.h"

#include <linux/err.h>
#include <linux/spinlock.h>

#include "row.h"

/* Caller holds the lock of the row's bucket. */
static void __remote_born(struct portsock_row *row,
			  const struct portsock_birth *birth)
{
	if (birth && row->depth)
		samples_add(&row->depth->handshakes, birth->handshake);
}

/**
 * portsock_remote_add() - a socket has connected
 * @share: of the socket; contributes to the row of its own port only
 * @h: the port it connected to
 *
 * Context: any but NMI, interrupts off, RCU read side.
 * Return: 0, -ENOMEM, or -ESHUTDOWN when the namespace goes and there is no
 * row; @share then contributes what it did.
 */
int portsock_remote_add(struct portsock_share *share,
			const struct portsock_holding *h)
{
	struct portsock_table *table = share->table;
	u32 key = key_remote(share->proto, h->remote);
	struct row_bucket *bucket = row_bucket(table, key);
	struct portsock_row *row;

	raw_lock(&bucket->lock);
	row = __portsock_row_join(bucket, table, key, share, true);
	if (!IS_ERR(row)) {
		__remote_born(row, h->birth);
		share->remote = row;
		share->guessed = h->guessed;
	}
	raw_unlock(&bucket->lock);
	if (!IS_ERR(row) && h->guessed)
		atomic_inc(&table->guessed);
	return PTR_ERR_OR_ZERO(row);
}

/**
 * portsock_remote_update() - a socket changes, but not the port it connected to
 * @share: contributes to the row of that port; says what it said until now
 * @h: what it is to say
 *
 * Context: any but NMI, interrupts off.
 */
void portsock_remote_update(const struct portsock_share *share,
			    const struct portsock_holding *h)
{
	struct portsock_row *row = share->remote;

	raw_lock(&row->bucket->lock);
	counts_sub(&row->counts, share->state, share->ipv6);
	counts_add(&row->counts, h->state, h->ipv6);
	if (h->end)
		portsock_depth_end(row->depth, &share->conn, h->end);
	__remote_born(row, h->birth);
	raw_unlock(&row->bucket->lock);
}

/**
 * portsock_remote_del() - a socket is not connected any more
 * @share: of the socket; contributes to the row of the port it connected to
 * @end: its connection is over; or NULL
 *
 * Context: any but NMI, interrupts off.
 */
void portsock_remote_del(struct portsock_share *share,
			 const struct portsock_end *end)
{
	if (share->guessed)
		atomic_dec(&share->table->guessed);
	portsock_row_leave(share->remote, share, end);
	share->remote = NULL;
}

/**
 * portsock_remote_no_port() - connect() of TCP found no port of its own
 * @table: of the socket's namespace
 * @proto: its protocol
 * @port: the port it was to go to, in host order; 0 if nobody wants to know
 *
 * Context: any but NMI, interrupts off, RCU read side.
 */
void portsock_remote_no_port(struct portsock_table *table, u8 proto, u16 port)
{
	if (port)
		portsock_row_no_port(table, key_remote(proto, port));
}
