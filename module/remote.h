/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The second row of a socket that has connected: that of the port it went to.
 */
#ifndef PORTSOCK_REMOTE_H
#define PORTSOCK_REMOTE_H

#include <linux/types.h>

#include "holding.h"

/*
 * That row, or NULL. @share contributes to something.
 */
static inline struct portsock_row *
remote_of(const struct portsock_share *share)
{
	return BIT(share->proto) & PORTSOCK_PROTOS_REMOTE ? share->remote :
							    NULL;
}

int portsock_remote_add(struct portsock_share *share,
			const struct portsock_holding *h);
void portsock_remote_update(const struct portsock_share *share,
			    const struct portsock_holding *h);
void portsock_remote_del(struct portsock_share *share,
			 const struct portsock_end *end);
void portsock_remote_no_port(struct portsock_table *table, u8 proto, u16 port);

#endif /* PORTSOCK_REMOTE_H */
