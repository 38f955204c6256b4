/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Who gives CPUs cells of a row, and takes them back.
 */
#ifndef PORTSOCK_ROWCELLS_H
#define PORTSOCK_ROWCELLS_H

#include <linux/types.h>

#include "cells.h"

bool portsock_row_spread(struct portsock_cells *cells);
void portsock_row_gather(struct portsock_cells *cells);
void portsock_row_look(struct portsock_cells *cells);

#endif /* PORTSOCK_ROWCELLS_H */
