// SPDX-License-Identifier: GPL-2.0
/*
 * A socket that connects contributes to the row of the port that it goes to, as
 * well as to that of its own port.
 */
#include "remote.h"

#include <linux/spinlock.h>

#include "row.h"

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
	struct portsock_numbers *cell, *numbers;

	cell = row_lock(row, share_comes(share, h->state));
	numbers = cell ?: &row->body->numbers;
	counts_sub(&numbers->counts, share->state, share->ipv6);
	counts_add(&numbers->counts, h->state, h->ipv6);
	if (h->end)
		depth_end(numbers->depth, &share->conn, h->end);
	numbers_born(numbers, h->birth);
	row_gone(row, cell, share_goes(share, h->state));
	row_unlock(row, cell);
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
