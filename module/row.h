/* SPDX-License-Identifier: GPL-2.0 */
/*
 * How shares change their row.
 */
#ifndef PORTSOCK_ROW_H
#define PORTSOCK_ROW_H

#include <linux/types.h>

#include "holding.h"
#include "rows.h"

int portsock_row_add(struct portsock_share *share,
		     const struct portsock_holding *h);
void portsock_row_del(struct portsock_share *share,
		      const struct portsock_end *end);
void portsock_row_retrans(struct portsock_row *row, u32 segments);
void portsock_row_update(struct portsock_share *share,
			 const struct portsock_holding *h);
void portsock_row_step(struct portsock_row *row, u8 from, u8 to, u32 handshake);
void portsock_row_carried(struct portsock_row *row,
			  const struct portsock_bytes *bytes);
void portsock_row_accept(struct portsock_row *row,
			 const struct portsock_accept *accept);
void portsock_row_use(struct portsock_row *row,
		      const struct portsock_owner *user);
void portsock_rows_kill(struct portsock_table *table);

struct portsock_row *
__portsock_row_join(struct row_bucket *bucket, struct portsock_table *table,
		    u32 key, const struct portsock_share *share, bool service);
void portsock_row_leave(struct portsock_row *row, struct portsock_share *share,
			const struct portsock_end *end);
void portsock_row_no_port(struct portsock_table *table, u32 key);

#endif /* PORTSOCK_ROW_H */
