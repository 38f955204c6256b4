/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The module's records and rows, as they are, in a program whose threads do what
 * hooks do.
 */
#ifndef SOCKETS_H
#define SOCKETS_H

#include "shim.h"

#include "pool.c"
#include "counts.c"
#include "unbound.c"
#include "depth.c"
#include "wants.c"
#include "cells.c"
#include "busy.c"
#include "totals.c"
#include "queues.c"
#include "area.c"
#include "body.c"
#include "idle.c"
#include "rows.c"
#include "row.c"
#include "rowcells.c"
#include "spread.c"
#include "remote.c"
#include "share.c"
#include "table.c"
#include "cursor.c"
#include "socks.c"

__thread unsigned int this_cpu;

/* The kernel's reads a bitmap in which others set bits with plain loads. */
const char *__tsan_default_suppressions(void);
const char *__tsan_default_suppressions(void) { return "race:_find_next_bit"; }

#define HASH_BITS 15

static inline int sockets_init(void)
{
	return portsock_rows_init(HASH_BITS - 2) ?: portsock_socks_init(HASH_BITS);
}

static inline void listening(struct portsock_table *table, struct sock *sk, int port)
{
	struct portsock_holding h = {
		.table = table,
		.proto = PORTSOCK_TCP,
		.port = port,
		.state = TCP_LISTEN,
		.queues = true,
		.service = true,
	};

	portsock_sock_hold(sk, &h);
}

static const struct portsock_end reset = { .cause = PORTSOCK_RESET, .now = 1, .bytes = { 3, 4 } };

/* A server accepts a connection. Returns what its socket holds then. */
static inline struct portsock_holding arrived(struct portsock_table *table, const void *sk, int port)
{
	struct portsock_holding h = {
		.table = table,
		.proto = PORTSOCK_TCP,
		.port = port,
		.state = TCP_ESTABLISHED,
		.how = PORTSOCK_ACCEPTED,
		.service = true,
	};

	portsock_sock_hold(sk, &h);
	return h;
}

/* The same, until the client has closed it. */
static inline void accepted(struct portsock_table *table, const void *sk, int port)
{
	static const unsigned char states[] = { TCP_CLOSE_WAIT, TCP_LAST_ACK };
	struct portsock_holding h = arrived(table, sk, port);

	for (size_t i = 0; i < ARRAY_SIZE(states); i++) {
		h.state = states[i];
		portsock_sock_change(sk, &h);
	}
	portsock_sock_over(sk, &reset);
}

/* A connection that a client makes, to a port if that is to be counted. */
static inline void connected(struct portsock_table *table, const void *sk, int port, int remote)
{
	static const unsigned char states[] = { TCP_SYN_SENT, TCP_ESTABLISHED, TCP_FIN_WAIT1 };
	struct portsock_holding h = {
		.table = table,
		.proto = PORTSOCK_TCP,
		.state = TCP_CLOSE,
	};

	portsock_sock_hold(sk, &h);
	h.port = port;
	h.how = PORTSOCK_CONNECTED;
	h.remote = remote;
	for (size_t i = 0; i < ARRAY_SIZE(states); i++) {
		h.state = states[i];
		portsock_sock_change(sk, &h);
	}
	portsock_sock_over(sk, &reset);
}

static inline double clock_seconds(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return now.tv_sec + now.tv_nsec / 1e9;
}

#endif /* SOCKETS_H */
