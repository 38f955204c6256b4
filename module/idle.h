/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Service rows without a share: how many of them stay.
 */
#ifndef PORTSOCK_IDLE_H
#define PORTSOCK_IDLE_H

#include "row.h"

void __portsock_idle_add(struct portsock_row *row);
void __portsock_idle_del(struct portsock_row *row);
u32 __portsock_idle_surplus(struct portsock_table *table);
void portsock_idle_fold(struct portsock_table *table, u32 key);

#endif /* PORTSOCK_IDLE_H */
