/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The unbound sockets of one protocol: numbers, as there is no port to have a row for.
 */
#ifndef PORTSOCK_UNBOUND_H
#define PORTSOCK_UNBOUND_H

#include <linux/atomic.h>
#include <linux/types.h>

struct portsock_counts;

/**
 * struct portsock_unbound - the unbound sockets of one protocol
 * @sockets: their number, and in the upper half that of those that are AF_INET6
 * @opened: those there were
 * @peak: high-water mark of their number
 *
 * Each socket passes here on its way to a port, so this takes no lock. @opened
 * grows before @sockets and is read after it.
 */
struct portsock_unbound {
	atomic64_t sockets;
	atomic64_t opened;
	atomic_t peak;
};

void portsock_unbound_add(struct portsock_unbound *unbound, bool ipv6);
void portsock_unbound_sub(struct portsock_unbound *unbound, bool ipv6);
void portsock_unbound_turn(struct portsock_unbound *unbound, bool ipv6);
bool portsock_unbound_read(const struct portsock_unbound *unbound,
			   struct portsock_counts *counts);

#endif /* PORTSOCK_UNBOUND_H */
