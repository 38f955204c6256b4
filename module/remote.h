/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The second row of a socket that has connected: that of the port it went to.
 */
#ifndef PORTSOCK_REMOTE_H
#define PORTSOCK_REMOTE_H

#include <linux/types.h>

#include "row.h"

/*
 * That row, or NULL. @share contributes to something.
 */
static inline struct portsock_row *
remote_of(const struct portsock_share *share)
{
	return BIT(share->proto) & PORTSOCK_PROTOS_REMOTE ? share->remote :
							    NULL;
}

/**
 * remote_add() - a socket has connected
 * @share: of the socket; contributes to the row of its own port only
 * @h: the port it connected to
 *
 * Context: any but NMI, interrupts off, RCU read side.
 * Return: 0, -ENOMEM, or -ESHUTDOWN when the namespace goes and there is no
 * row; @share then contributes what it did.
 */
static __always_inline int remote_add(struct portsock_share *share,
				      const struct portsock_holding *h)
{
	struct portsock_table *table = share->table;
	u32 key = key_remote(share->proto, h->remote);
	struct row_bucket *bucket = row_bucket(table, key);
	struct portsock_row *row;

	if (unlikely(READ_ONCE(portsock_busy_nr)) &&
	    portsock_row_cell_add(share, key, h))
		return 0;
	raw_lock(&bucket->lock);
	row = __row_join(bucket, table, key, share, true);
	if (!IS_ERR(row)) {
		__row_born(row, h->birth);
		share->remote = row;
		share->guessed = h->guessed;
	}
	raw_unlock(&bucket->lock);
	if (unlikely(h->guessed) && !IS_ERR(row))
		atomic_inc(&table->guessed);
	return PTR_ERR_OR_ZERO(row);
}

/**
 * remote_step() - the state of a socket changes, and nothing else
 * @share: contributes to the row of that port; says what it said until now
 * @to: kernel state number
 * @handshake: how long it waited for the first answer, in microseconds; or 0
 *
 * Context: any but NMI, interrupts off.
 */
static inline void remote_step(const struct portsock_share *share, u8 to,
			       u32 handshake)
{
	service_step(share->remote, share->state, to, handshake);
}

/**
 * remote_del() - a socket is not connected any more
 * @share: of the socket; contributes to the row of the port it connected to
 * @end: its connection is over; or NULL
 *
 * Context: any but NMI, interrupts off.
 */
static __always_inline void remote_del(struct portsock_share *share,
				       const struct portsock_end *end)
{
	if (unlikely(share->guessed))
		atomic_dec(&share->table->guessed);
	row_leave(share->remote, true, share, end);
	share->remote = NULL;
}

void portsock_remote_update(const struct portsock_share *share,
			    const struct portsock_holding *h);
void portsock_remote_no_port(struct portsock_table *table, u8 proto, u16 port);

#endif /* PORTSOCK_REMOTE_H */
