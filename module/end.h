/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What is known of a connection of TCP when it is there, and when it is over.
 */
#ifndef PORTSOCK_END_H
#define PORTSOCK_END_H

#include <linux/types.h>

#include "owner.h"

/**
 * enum portsock_cause - why a connection of TCP is over
 * @PORTSOCK_REFUSED: connect(): the peer answered with a reset
 * @PORTSOCK_TIMED_OUT: connect(): nobody answered
 * @PORTSOCK_UNREACHABLE: connect(): somebody said so, by ICMP
 * @PORTSOCK_GIVEN_UP: connect(): the program closed the socket first
 * @PORTSOCK_KILLED: connect(): ended by an administrator
 * @PORTSOCK_NO_PORT: connect(): there was no port to be had
 * @PORTSOCK_RESET: established: the peer reset it
 * @PORTSOCK_TIMEOUT: established: the peer was silent for too long
 * @PORTSOCK_ABORTED: established: this side reset it
 * @PORTSOCK_CLOSED: this side closed it, whatever came of it then
 * @PORTSOCK_CAUSE_NR: number of causes
 */
enum portsock_cause {
	PORTSOCK_REFUSED,
	PORTSOCK_TIMED_OUT,
	PORTSOCK_UNREACHABLE,
	PORTSOCK_GIVEN_UP,
	PORTSOCK_KILLED,
	PORTSOCK_NO_PORT,
	PORTSOCK_RESET,
	PORTSOCK_TIMEOUT,
	PORTSOCK_ABORTED,
	PORTSOCK_CLOSED,
	PORTSOCK_CAUSE_NR
};

/**
 * struct portsock_bytes - payload of a connection
 * @rx: bytes that came in order; that of a FIN is not one
 * @tx: bytes that the peer has confirmed; that of a FIN is not one, but that of
 *	the SYN of a client is
 */
struct portsock_bytes {
	u64 rx;
	u64 tx;
};

/**
 * struct portsock_birth - a connection is established, or met for the first time
 * @since: microseconds of the monotonic clock; 0: since before the module was
 *	loaded
 * @handshake: how long an answer took, in microseconds; 0: not known
 * @bytes: what was there already
 */
struct portsock_birth {
	u64 since;
	u32 handshake;
	struct portsock_bytes bytes;
};

/**
 * struct portsock_conn - a connection, while it is one
 * @since: microseconds of the monotonic clock when it was established; 0: it is
 *	not, or it is not known
 * @told: payload that is in the numbers of its rows already
 */
struct portsock_conn {
	u64 since;
	struct portsock_bytes told;
};

/* A connection is established, or was met. */
static inline void conn_begin(struct portsock_conn *conn,
			      const struct portsock_birth *birth)
{
	conn->since = birth->since;
	conn->told = birth->bytes;
}

/**
 * struct portsock_accept - accept() hands out a connection
 * @born: it is known since when it is established
 * @now: microseconds of the monotonic clock
 * @waited: for how long, in microseconds
 * @user: who calls it
 */
struct portsock_accept {
	bool born;
	u64 now;
	u64 waited;
	struct portsock_owner user;
};

/**
 * struct portsock_end - a connection is over
 * @cause: enum portsock_cause
 * @now: microseconds of the monotonic clock
 * @rtt: round trip time as TCP has smoothed it, in microseconds; 0: not known
 * @bytes: all of them
 * @remote: of one that was not established, of which nothing else is known: port
 *	of the peer in host order
 */
struct portsock_end {
	u8 cause;
	u32 rtt;
	u64 now;
	struct portsock_bytes bytes;
	u16 remote;
};

#endif /* PORTSOCK_END_H */
