/* SPDX-License-Identifier: GPL-2.0 */
#ifndef PORTSOCK_COLUMNS_H
#define PORTSOCK_COLUMNS_H

#include "view.h"

/**
 * portsock_columns_choose() - choose the columns of a view
 * @view: with its options and an empty table
 * @snapshot: where rows come from, opened
 * @error: set on failure
 *
 * Return: 0, or -1 for a column that is not to be had, or no memory.
 */
int portsock_columns_choose(struct portsock_view *view, const struct portsock_snapshot *snapshot,
			    struct portsock_error *error);

#endif
