/* SPDX-License-Identifier: GPL-2.0 */
#ifndef PORTSOCK_STATE_H
#define PORTSOCK_STATE_H

#include <stdint.h>

#include "column.h"

/**
 * portsock_proto_states() - the states that sockets of a protocol can be in
 * @proto: protocol
 *
 * Return: a bit for each, see portsock_column_bit().
 */
uint64_t portsock_proto_states(enum portsock_proto proto);

#endif
