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
void portsock_row_step(struct portsock_row *row, u8 from, u8 to);
void portsock_rows_kill(struct portsock_table *table);

#endif /* PORTSOCK_ROW_H */
