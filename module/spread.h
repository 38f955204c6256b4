/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Which rows and totals CPUs have cells of.
 */
#ifndef PORTSOCK_SPREAD_H
#define PORTSOCK_SPREAD_H

#include "table.h"
#include "wants.h"

void portsock_spread(struct portsock_table *table, u32 key);
void portsock_spread_look(void);
void portsock_spread_end(struct portsock_table *table);

#endif /* PORTSOCK_SPREAD_H */
