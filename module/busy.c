// SPDX-License-Identifier: GPL-2.0
/*
 * Cells of a row are found by its key, without a lock.
 */
#include "busy.h"

/* Changed with the mutex of cells held. */
unsigned int portsock_busy_nr __read_mostly;
struct hlist_head portsock_busy[1U << BUSY_BITS] __read_mostly;

/**
 * portsock_busy_add() - CPUs have cells of a row
 * @cells: begun, with their table, row and key
 *
 * Context: any; the mutex of cells is held.
 */
void portsock_busy_add(struct portsock_cells *cells)
{
	hlist_add_head_rcu(&cells->node,
			   busy_bucket(cells->table, cells->key));
	WRITE_ONCE(portsock_busy_nr, portsock_busy_nr + 1);
}

/**
 * portsock_busy_del() - they have them no longer
 * @cells: from portsock_busy_add()
 *
 * Context: any; the mutex of cells is held.
 */
void portsock_busy_del(struct portsock_cells *cells)
{
	WRITE_ONCE(portsock_busy_nr, portsock_busy_nr - 1);
	hlist_del_rcu(&cells->node);
}
