/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The listeners of a row, and the connection requests that wait for them.
 */
#ifndef PORTSOCK_LISTENERS_H
#define PORTSOCK_LISTENERS_H

#include "row.h"

void __portsock_listeners_update(struct portsock_share *share, bool was);
unsigned long __portsock_listeners_requests(const struct portsock_row *row, unsigned long address,
			     u32 *requests);

#endif /* PORTSOCK_LISTENERS_H */
