// SPDX-License-Identifier: GPL-2.0
/*
 * What is shown of unbound sockets.
 */
#include "unbound.h"

#include "counts.h"

/**
 * portsock_unbound_mend() - more was taken than was there: that becomes zero
 * @unbound: of a namespace and protocol
 *
 * Context: any; the caller holds the lock that protects @unbound.
 */
void portsock_unbound_mend(struct portsock_unbound *unbound)
{
	portsock_gauge_mend(&unbound->sockets);
	portsock_gauge_mend(&unbound->ipv6);
}

/**
 * portsock_unbound_read() - the numbers of a row for unbound sockets
 * @unbound: of a namespace and protocol
 * @counts: receives them
 *
 * Context: any; the caller holds the lock that protects @unbound.
 * Return: false when there never was such a socket.
 */
bool portsock_unbound_read(const struct portsock_unbound *unbound,
			   struct portsock_counts *counts)
{
	*counts = (struct portsock_counts){
		.state[TCP_CLOSE] = unbound->sockets,
		.sockets = unbound->sockets,
		.ipv6 = unbound->ipv6,
		.peak = unbound->peak,
		.came[PORTSOCK_BOUND] = unbound->opened,
	};
	return unbound->opened;
}
