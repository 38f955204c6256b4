// SPDX-License-Identifier: GPL-2.0
#include "state.h"

#define BIT(id) (UINT64_C(1) << PORTSOCK_COLUMN_##id)

static uint64_t every_state(void)
{
	const struct portsock_column *column;
	uint64_t states = 0;

	for (column = portsock_columns; column->name; column++)
		if (column->kind == PORTSOCK_KIND_STATE)
			states |= portsock_column_bit(column);

	return states;
}

uint64_t portsock_proto_states(enum portsock_proto proto)
{
	switch (proto) {
	case PORTSOCK_UDP:
	case PORTSOCK_UDPLITE:
	case PORTSOCK_RAW:
	case PORTSOCK_ICMP:
		return BIT(ESTABLISHED) | BIT(CLOSE);
	case PORTSOCK_SCTP:
		return BIT(ESTABLISHED) | BIT(SYN_SENT) | BIT(CLOSE) | BIT(CLOSE_WAIT) | BIT(LISTEN);
	default:
		return every_state();
	}
}
