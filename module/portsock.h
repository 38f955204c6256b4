/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What /proc/portsock says, format 1: the names that the module and its readers
 * both know.
 *
 * A list is a macro that applies another one, X, to each of its entries, in the
 * order of the file. README.md has a table for each but that of protocols; the
 * first words of its last column are the help here.
 */
#ifndef PORTSOCK_H
#define PORTSOCK_H

#define PORTSOCK_FORMAT 1

/* X(ID, name): transport protocols. */
#define PORTSOCK_PROTOS(X) \
	X(TCP, tcp) \
	X(UDP, udp) \
	X(UDPLITE, udplite) \
	X(RAW, raw) \
	X(ICMP, icmp) \
	X(SCTP, sctp) \
	X(DCCP, dccp) \
	X(MPTCP, mptcp)

/* X(ID, name, help): what a row stands for. */
#define PORTSOCK_CLASSES(X) \
	X(SERVICE, service, \
	  "a port that was asked for by number, or listened on") \
	X(EPHEMERAL, ephemeral, \
	  "a port that the kernel chose and nobody listened on") \
	X(UNBOUND, unbound, \
	  "port 0: sockets that a user has and that hold no port") \
	X(FOLDED, folded, \
	  "what idle services had counted when their rows were given up") \
	X(REMOTE, remote, \
	  "outgoing connections; the port is that of the peer")

/*
 * X(name, unit, help): keys of line 1. All are numbers; struct portsock_health
 * has a member for each.
 */
#define PORTSOCK_KEYS(X) \
	X(netns, "inode number", \
	  "the namespace") \
	X(exact, "0 or 1", \
	  "1: nothing is known to be wrong") \
	X(missed, "events since load", \
	  "calls that a probe did not see, as the kernel reports them") \
	X(repaired, "sockets since load", \
	  "records that a walk, other than the first, found wrong") \
	X(untracked, "events since the last repair", \
	  "times that there was no memory for a socket or its row") \
	X(uptime_ms, "milliseconds", \
	  "since the sockets that were there began to be counted") \
	X(port_min, "port", \
	  "first of the range of ephemeral ports") \
	X(port_max, "port", \
	  "last of the range of ephemeral ports") \
	X(sample_age_ms, "milliseconds", \
	  "since open connections were asked for their bytes") \
	X(remote_guessed, "sockets", \
	  "that rows of class remote count on a guess, now")

/*
 * X(ID, name, help): kinds of columns, which say what becomes of values in a
 * sum over rows.
 */
#define PORTSOCK_KINDS(X) \
	X(IDENTITY, identity, \
	  "tells which row it is") \
	X(TEXT, text, \
	  "words about the row") \
	X(STATE, state, \
	  "sockets in one state, now; adds up") \
	X(GAUGE, gauge, \
	  "any other number of now; adds up, without rows of class folded") \
	X(COUNTER, counter, \
	  "never goes down while the row is there; adds up, without rows of class unbound") \
	X(PEAK, peak, \
	  "a highest value since the row is there; does not add up") \
	X(SUM, sum, \
	  "a counter that is an average when it is divided by another; adds up as one") \
	X(HISTOGRAM, histogram, \
	  "counters, comma separated: less than 1, 2, 4 ... milliseconds; adds up by each")

/*
 * X(ID, name, heading in a table for people, kind, unit, help): columns. TCP_ID
 * is the kernel's number of a state; any other number is what column_name() of
 * format.c says.
 */
#define PORTSOCK_COLUMNS(X) \
	X(PROTO, proto, "PROTO", IDENTITY, "name", \
	  "transport protocol") \
	X(PORT, port, "PORT", IDENTITY, "number or `*`", \
	  "local port") \
	X(CLASS, class, "CLASS", IDENTITY, "name", \
	  "what the row stands for") \
	X(SOCKETS, sockets, "SOCKETS", GAUGE, "sockets", \
	  "full sockets that hold the port") \
	X(IPV6, ipv6, "IPV6", GAUGE, "sockets", \
	  "those of sockets that are AF_INET6") \
	X(ESTABLISHED, established, "ESTAB", STATE, "sockets", \
	  "connected") \
	X(SYN_SENT, syn_sent, "SYN_S", STATE, "sockets", \
	  "connect() waits for an answer") \
	X(SYN_RECV, syn_recv, "SYN_R", STATE, "sockets", \
	  "connection requests of the port's listeners") \
	X(FIN_WAIT1, fin_wait1, "FIN_W1", STATE, "sockets", \
	  "this side closed, the peer does not know yet") \
	X(FIN_WAIT2, fin_wait2, "FIN_W2", STATE, "sockets", \
	  "this side closed, the peer knows; full sockets only") \
	X(TIME_WAIT, time_wait, "TIME_W", STATE, "mini-sockets", \
	  "timewait mini-sockets, not in sockets") \
	X(CLOSE, close, "CLOSE", STATE, "sockets", \
	  "neither connected nor listening") \
	X(CLOSE_WAIT, close_wait, "CLOSE_W", STATE, "sockets", \
	  "the peer closed, the program has not") \
	X(LAST_ACK, last_ack, "LAST_A", STATE, "sockets", \
	  "the peer closed, then this side; the peer does not know") \
	X(LISTEN, listen, "LISTEN", STATE, "sockets", \
	  "listeners") \
	X(CLOSING, closing, "CLOSING", STATE, "sockets", \
	  "both closed at once, the peer does not know yet") \
	X(OPENED, opened, "OPENED", COUNTER, "sockets", \
	  "came to hold the port") \
	X(ACCEPTED, accepted, "ACCEPTED", COUNTER, "of `opened`", \
	  "connections that came in") \
	X(CONNECTED, connected, "CONNECTED", COUNTER, "of `opened`", \
	  "called connect() while they held the port") \
	X(CLOSED, closed, "CLOSED", COUNTER, "sockets", \
	  "ceased to hold the port") \
	X(PEAK, peak, "PEAK", PEAK, "sockets", \
	  "highest sockets since the row is there") \
	X(PORTS, ports, "PORTS", GAUGE, "ports", \
	  "how many the row stands for") \
	X(BACKLOG, backlog, "BACKLOG", GAUGE, "connections", \
	  "waiting for accept() at the port's listeners") \
	X(BACKLOG_MAX, backlog_max, "BL_MAX", GAUGE, "connections", \
	  "how many may wait") \
	X(BACKLOG_PEAK, backlog_peak, "BL_PEAK", PEAK, "connections", \
	  "most that waited since the row is there") \
	X(LISTEN_DROPS, listen_drops, "L_DROPS", COUNTER, "segments", \
	  "dropped at the port's listeners") \
	X(RCV_QUEUE, rcv_queue, "RCV_Q", GAUGE, "bytes", \
	  "waiting to be received") \
	X(RCV_DROPS, rcv_drops, "R_DROPS", COUNTER, "datagrams", \
	  "dropped at the port's sockets") \
	X(CONNECT_REFUSED, connect_refused, "C_REFUSED", COUNTER, \
	  "connections", "connect() was answered with a reset") \
	X(CONNECT_TIMEOUT, connect_timeout, "C_TIMEOUT", COUNTER, \
	  "connections", "connect() got no answer") \
	X(CONNECT_UNREACHABLE, connect_unreachable, "C_UNREACH", COUNTER, \
	  "connections", "connect() was told that the peer cannot be reached") \
	X(CONNECT_GIVEN_UP, connect_given_up, "C_GIVENUP", COUNTER, \
	  "connections", "the program closed the socket before connect() had an answer") \
	X(CONNECT_KILLED, connect_killed, "C_KILLED", COUNTER, \
	  "connections", "an administrator ended connect()") \
	X(CONNECT_NO_PORT, connect_no_port, "C_NOPORT", COUNTER, \
	  "connections", "connect() found no free port") \
	X(RESETS, resets, "RESETS", COUNTER, "connections", \
	  "established ones that the peer reset") \
	X(TIMEOUTS, timeouts, "TIMEOUTS", COUNTER, "connections", \
	  "established ones whose peer was silent for too long") \
	X(ABORTS, aborts, "ABORTS", COUNTER, "connections", \
	  "established ones that this side reset") \
	X(RETRANS, retrans, "RETRANS", COUNTER, "segments", \
	  "sent again") \
	X(BYTES_RX, bytes_rx, "RX", COUNTER, "bytes", \
	  "payload that came") \
	X(BYTES_TX, bytes_tx, "TX", COUNTER, "bytes", \
	  "payload that the peers have confirmed") \
	X(ENDED, ended, "ENDED", COUNTER, "connections", \
	  "established ones that are over") \
	X(LIFETIME_MS, lifetime_ms, "LIFETIME", SUM, "milliseconds", \
	  "how long those in ended were established") \
	X(LIFETIME_LOG2, lifetime_log2, "LIFE_LOG2", HISTOGRAM, \
	  "connections", "those in ended, by how long they were established") \
	X(ACCEPT_WAIT_LOG2, accept_wait_log2, "WAIT_LOG2", HISTOGRAM, \
	  "connections", "those in accepts, by how long they waited") \
	X(HANDSHAKES, handshakes, "HSHAKES", COUNTER, "connections", \
	  "those whose first answer was timed") \
	X(HANDSHAKE_US, handshake_us, "HSHAKE", SUM, "microseconds", \
	  "how long those in handshakes waited for it") \
	X(ACCEPTS, accepts, "ACCEPTS", COUNTER, "connections", \
	  "those that accept() has handed out") \
	X(ACCEPT_WAIT_MS, accept_wait_ms, "ACC_WAIT", SUM, "milliseconds", \
	  "how long those in accepts had waited") \
	X(RTTS, rtts, "RTTS", COUNTER, "connections", \
	  "those whose round trip time was known when they were over") \
	X(RTT_US, rtt_us, "RTT", SUM, "microseconds", \
	  "round trip times of those in rtts") \
	X(UID, uid, "USER", TEXT, "number", \
	  "user who has a listener or datagram socket of the port") \
	X(CGROUP, cgroup, "CGROUP", TEXT, "inode number", \
	  "control group that this socket was made in") \
	X(PID, pid, "PID", TEXT, "number", \
	  "process that listens or called bind(), or else took a connection last") \
	X(COMM, comm, "COMM", TEXT, "name", \
	  "name of that process")

/* X(SUM, COUNT): sums, and what they are to be divided by. */
#define PORTSOCK_AVERAGES(X) \
	X(LIFETIME_MS, ENDED) \
	X(HANDSHAKE_US, HANDSHAKES) \
	X(ACCEPT_WAIT_MS, ACCEPTS) \
	X(RTT_US, RTTS)

/* Numbers in a histogram; the last one has no upper end. */
#define PORTSOCK_HISTOGRAM_NR 28

#define PORTSOCK_PROTO_ID(id, ...) PORTSOCK_##id,
enum portsock_proto {
	PORTSOCK_PROTOS(PORTSOCK_PROTO_ID)
	PORTSOCK_PROTO_NR
};

#define PORTSOCK_CLASS_ID(id, ...) PORTSOCK_##id,
enum portsock_class {
	PORTSOCK_CLASSES(PORTSOCK_CLASS_ID)
};

#define PORTSOCK_KIND_ID(id, ...) PORTSOCK_KIND_##id,
enum portsock_kind {
	PORTSOCK_KINDS(PORTSOCK_KIND_ID)
};

#define PORTSOCK_COLUMN_ID(id, ...) PORTSOCK_COLUMN_##id,
enum portsock_column_id {
	PORTSOCK_COLUMNS(PORTSOCK_COLUMN_ID)
	PORTSOCK_COLUMN_NR
};

#endif /* PORTSOCK_H */
