/* SPDX-License-Identifier: GPL-2.0 */
#ifndef PORTSOCK_FILTER_H
#define PORTSOCK_FILTER_H

#include <stdbool.h>
#include <stdint.h>

#include "error.h"
#include "snapshot.h"

#define PORTSOCK_FILTER_PROTOS_MAX	16
#define PORTSOCK_PORT_NR		65536

/**
 * enum portsock_filter_ends - whose port a row is about
 * @PORTSOCK_FILTER_LOCAL: that of this machine
 * @PORTSOCK_FILTER_REMOTE: that of the peer of an outgoing connection, class remote
 * @PORTSOCK_FILTER_BOTH: either; the same sockets are in rows of both then
 */
enum portsock_filter_ends {
	PORTSOCK_FILTER_LOCAL,
	PORTSOCK_FILTER_REMOTE,
	PORTSOCK_FILTER_BOTH,
};

/**
 * struct portsock_filter - which rows to show
 * @ends: of which end of connections
 * @singles: show single ephemeral ports, too
 * @by_port: only ports listed
 * @states: only rows with sockets in one of these; 0 = any, see portsock_column_bit()
 * @nr_listed: how many ports are listed
 * @nr_protos: only these protocols; 0 = any
 * @protos: their names
 * @nr_unseen: listed ports no row was seen for yet
 * @listed: set of ports listed
 * @unseen: the part of @listed no row was seen for yet
 *
 * All zero means every row of local ports but single ephemeral ones.
 */
struct portsock_filter {
	enum portsock_filter_ends ends;
	bool singles;
	bool by_port;
	uint64_t states;
	unsigned int nr_listed;
	unsigned int nr_protos;
	const char *protos[PORTSOCK_FILTER_PROTOS_MAX];
	unsigned int nr_unseen;
	uint8_t listed[PORTSOCK_PORT_NR / 8];
	uint8_t unseen[PORTSOCK_PORT_NR / 8];
};

/**
 * portsock_filter_add_protos() - also show rows of these protocols
 * @filter: to be changed
 * @list: names separated by commas; is cut up and must outlive @filter
 * @error: set on failure
 *
 * Names this reader does not know are fine: a newer module may print them.
 *
 * Return: 0, or -1 for an empty name or too many.
 */
int portsock_filter_add_protos(struct portsock_filter *filter, char *list, struct portsock_error *error);

/**
 * portsock_filter_add_ports() - also show rows of these ports
 * @filter: to be changed
 * @list: numbers, ranges (8000-8999) and service names separated by commas; is cut up
 * @error: set on failure
 *
 * Return: 0, or -1 for anything else.
 */
int portsock_filter_add_ports(struct portsock_filter *filter, char *list, struct portsock_error *error);

/**
 * portsock_filter_add_states() - also show rows with sockets in these states
 * @filter: to be changed
 * @list: state columns separated by commas; is cut up
 * @error: set on failure
 *
 * Return: 0, or -1 for a name that is no state.
 */
int portsock_filter_add_states(struct portsock_filter *filter, char *list, struct portsock_error *error);

/**
 * portsock_filter_is_set() - can a row fail to match?
 * @filter: as set up
 */
bool portsock_filter_is_set(const struct portsock_filter *filter);

/**
 * portsock_filter_restart() - begin another table
 * @filter: forgets which of its ports were seen
 */
void portsock_filter_restart(struct portsock_filter *filter);

/**
 * portsock_filter_is_behind() - is the current row behind all that is to be shown, but for single ephemeral ports?
 * @filter: as set up
 * @snapshot: a snapshot with a current row
 *
 * Rows come in this order: those of local ports, those of remote ones, single ephemeral ports.
 */
bool portsock_filter_is_behind(const struct portsock_filter *filter, const struct portsock_snapshot *snapshot);

/**
 * portsock_filter_needs_singles() - read on into the single ephemeral ports?
 * @filter: as left by the rows matched so far
 *
 * Return: true if they are shown anyway, or a port listed was in no row yet and may be among them. Not for remote
 * ports alone.
 */
bool portsock_filter_needs_singles(const struct portsock_filter *filter);

/**
 * portsock_filter_match() - is the current row to be shown?
 * @filter: remembers which of its ports were seen
 * @snapshot: a snapshot with a current row
 */
bool portsock_filter_match(struct portsock_filter *filter, const struct portsock_snapshot *snapshot);

#endif
