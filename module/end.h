/* SPDX-License-Identifier: GPL-2.0 */
/*
 * How an attempt to connect, or an established connection, came to its end.
 */
#ifndef PORTSOCK_END_H
#define PORTSOCK_END_H

#include <linux/types.h>

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
 * @PORTSOCK_CAUSE_NR: number of causes
 *
 * A connection that both sides closed in good order has none.
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
	PORTSOCK_CAUSE_NR
};

/**
 * struct portsock_end - what is known of a connection when it is over
 * @cause: enum portsock_cause
 */
struct portsock_end {
	u8 cause;
};

#endif /* PORTSOCK_END_H */
