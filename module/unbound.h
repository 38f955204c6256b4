/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The unbound sockets of a namespace: numbers, as there is no port to have a row for.
 */
#ifndef PORTSOCK_UNBOUND_H
#define PORTSOCK_UNBOUND_H

#include "cursor.h"
#include "table.h"

bool portsock_unbound_add(struct portsock_table *table, u8 proto, bool ipv6);
void portsock_unbound_del(struct portsock_table *table, u8 proto, bool ipv6);
void portsock_unbound_turn(struct portsock_table *table, u8 proto, bool ipv6);
bool portsock_unbound_any(const struct portsock_table *table);
bool portsock_unbound_copy(const struct portsock_table *table, u8 proto, struct portsock_line *line);

#endif /* PORTSOCK_UNBOUND_H */
