/* SPDX-License-Identifier: GPL-2.0 */
/*
 * All that one lock protects of a row, or of a sum of rows.
 */
#ifndef PORTSOCK_NUMBERS_H
#define PORTSOCK_NUMBERS_H

#include "counts.h"
#include "depth.h"
#include "unbound.h"

/**
 * struct portsock_numbers - of a row, or of a sum of rows
 * @counts: sockets
 * @depth: what else is known of these; NULL while there is nothing, or no memory
 *	for it, and of a row that has none, see key_is_deep()
 * @unbound: of a sum, sockets of its protocol that hold no port
 */
struct portsock_numbers {
	struct portsock_counts counts;
	struct portsock_depth *depth;
	struct portsock_unbound unbound;
};

#endif /* PORTSOCK_NUMBERS_H */
