/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What tables are made of.
 */
#ifndef PORTSOCK_KUNIT_TABLE_H
#define PORTSOCK_KUNIT_TABLE_H

#include "compat.h"
#include "../module/pool.c"
#include "../module/counts.c"
#include "../module/unbound.c"
#include "../module/queues.c"
#include "../module/depth.c"
#include "../module/wants.c"
#include "../module/cells.c"
#include "../module/busy.c"
#include "../module/totals.c"
#include "../module/body.c"
#include "../module/idle.c"
#include "../module/area.c"
#include "../module/rows.c"
#include "../module/row.c"
#include "../module/rowcells.c"
#include "../module/remote.c"
#include "../module/share.c"
#include "../module/table.c"
#include "../module/cursor.c"

#endif /* PORTSOCK_KUNIT_TABLE_H */
