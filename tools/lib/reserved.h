/* SPDX-License-Identifier: GPL-2.0 */
#ifndef PORTSOCK_RESERVED_H
#define PORTSOCK_RESERVED_H

#include <stdio.h>

#define PORTSOCK_RESERVED_PROC	"/proc/sys/net/ipv4/ip_local_reserved_ports"

/**
 * portsock_reserved_count() - ports of a range that the kernel does not choose
 * @in: as PORTSOCK_RESERVED_PROC, numbers and ranges separated by commas
 * @first: of the range
 * @last: of the range
 *
 * Return: how many are listed; what cannot be read as a list counts as none.
 */
unsigned int portsock_reserved_count(FILE *in, unsigned int first, unsigned int last);

#endif
