/* SPDX-License-Identifier: GPL-2.0 */
#ifndef PORTSOCK_DIAG_H
#define PORTSOCK_DIAG_H

#include <stdbool.h>

#include "libportsock.h"

struct mnl_socket;

/**
 * struct portsock_diag - what the kernel itself says about its sockets, by sock_diag
 * @nl: netlink socket; it stays in the network namespace it was opened in
 * @seq: number of the last request
 * @lists_bound: the kernel lists TCP sockets that are bound and nothing more, as Linux does since 6.8; a dump
 *	may find that an older one does, too
 */
struct portsock_diag {
	struct mnl_socket *nl;
	unsigned int seq;
	bool lists_bound;
};

/**
 * enum portsock_diag_result - what came of a dump
 * @PORTSOCK_DIAG_OK: all sockets of the protocol were counted
 * @PORTSOCK_DIAG_ABSENT: the kernel has no sock_diag for the protocol
 * @PORTSOCK_DIAG_FAILED: anything else
 */
enum portsock_diag_result {
	PORTSOCK_DIAG_OK,
	PORTSOCK_DIAG_ABSENT,
	PORTSOCK_DIAG_FAILED,
};

/**
 * portsock_diag_open() - begin to ask
 * @diag: to be filled
 * @error: set on failure
 *
 * Return: 0, or -1 without netlink; portsock_diag_close() is due either way.
 */
int portsock_diag_open(struct portsock_diag *diag, struct portsock_error *error);

/**
 * portsock_diag_dump() - count the sockets of one protocol as portsock does
 * @diag: opened
 * @proto: protocol
 * @told: the table, read before: which owners to look for
 * @rows: has none of @proto; receives gauges, queues and owners
 * @error: set on failure
 *
 * IPv4 and IPv6. Costs the kernel a walk over all sockets, and may have it load the protocol's diag module.
 */
enum portsock_diag_result portsock_diag_dump(struct portsock_diag *diag, enum portsock_proto proto,
					     const struct portsock_rows *told, struct portsock_rows *rows,
					     struct portsock_error *error);

/**
 * portsock_diag_module() - the part of the kernel that lists a protocol
 * @proto: protocol
 *
 * Return: its name; NULL for a protocol no kernel lists.
 */
const char *portsock_diag_module(enum portsock_proto proto);

/**
 * portsock_diag_close() - release what portsock_diag_open() took
 * @diag: to be released
 */
void portsock_diag_close(struct portsock_diag *diag);

#endif
