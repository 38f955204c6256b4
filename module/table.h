/* SPDX-License-Identifier: GPL-2.0 */
/*
 * One row per (network namespace, protocol, port): the numbers portsock shows.
 */
#ifndef PORTSOCK_TABLE_H
#define PORTSOCK_TABLE_H

#include <linux/atomic.h>
#include <linux/list.h>
#include <linux/rbtree.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <net/tcp_states.h>

#include "portsock.h"

/* Gauges are indexed by the kernel's TCP state numbers; 0 is unused. */
#define PORTSOCK_STATE_NR (TCP_CLOSING + 1)

/**
 * enum portsock_how - how a socket came by its port
 * @PORTSOCK_FOUND: it had it already, or bind() or the kernel chose it
 * @PORTSOCK_ACCEPTED: it is a passive child
 * @PORTSOCK_CONNECTED: it called connect() while it held it
 * @PORTSOCK_HOW_NR: number of ways
 */
enum portsock_how {
	PORTSOCK_FOUND,
	PORTSOCK_ACCEPTED,
	PORTSOCK_CONNECTED,
	PORTSOCK_HOW_NR
};

/**
 * struct portsock_counts - what a row (or a sum of rows) says
 * @state: sockets by kernel state; TCP_TIME_WAIT counts mini-sockets
 * @sockets: full sockets, the sum of @state without TCP_TIME_WAIT
 * @ipv6: those of @sockets that are AF_INET6
 * @peak: high-water mark of @sockets
 * @came: full sockets that came to hold the port, by how they came by it
 */
struct portsock_counts {
	u32 state[PORTSOCK_STATE_NR];
	u32 sockets;
	u32 ipv6;
	u32 peak;
	u64 came[PORTSOCK_HOW_NR];
};

/**
 * portsock_opened() - full sockets that ever came to hold a port
 * @counts: of its row
 *
 * Those that ceased to hold it are that less @counts->sockets.
 *
 * Context: any; the caller serialises changes of @counts.
 */
static inline u64 portsock_opened(const struct portsock_counts *counts)
{
	u64 opened = 0;
	int how;

	for (how = 0; how < PORTSOCK_HOW_NR; how++)
		opened += counts->came[how];
	return opened;
}

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

/**
 * struct portsock_total - what many rows of one protocol say together
 * @counts: their sum
 * @ports: how many they are, or were
 */
struct portsock_total {
	struct portsock_counts counts;
	u64 ports;
};

/*
 * Service rows without a socket that are kept: in the first namespace; in each other
 * one; in all others together. Once fewer are left of those than PORTSOCK_IDLE_PART
 * times what one may have, it may have one of so many parts of what is left. More of
 * them are folded into a total of their protocol.
 */
#define PORTSOCK_IDLE_FIRST 512
#define PORTSOCK_IDLE_OTHER 64
#define PORTSOCK_IDLE_OTHERS 4096
#define PORTSOCK_IDLE_PART 32

/*
 * A port is used that was held for that long at a stretch, which is more than the minute
 * of a TIME_WAIT, so that it takes a socket; and is kept before others for so long.
 */
#define PORTSOCK_USE_SECONDS 120
#define PORTSOCK_USED_SECONDS 3600

/**
 * struct portsock_table - the rows of one network namespace
 * @lock: protects all below, and the class and the linkage of the rows; nests
 *	inside a row bucket lock
 * @services: rows of class service, by (protocol, port)
 * @ephemerals: rows of class ephemeral, by (protocol, port)
 * @unused: service rows without a share that were never used, see PORTSOCK_USE_SECONDS,
 *	the one idle for longest first
 * @used: those that were, in the same order
 * @idle_nr: length of both lists
 * @totals: per protocol, what all ephemeral rows say, those gone included; its
 *	@ports are those there are now
 * @folded: per protocol, what service rows said when they were folded, each as often
 *	as it was
 * @pins: one for the namespace, one for each row
 * @first: of the machine's first namespace
 * @dead: the namespace is going; rows vanish with their last share
 * @awaited: shares of sockets on which a call may be under way
 * @awaited_nr: length of @awaited
 * @over: nothing pins it and no socket is unbound any more: it is about to go
 * @unbound: per protocol, sockets that hold no port; no lock
 * @rcu: hooks look tables up under RCU, and use them with interrupts off
 */
struct portsock_table {
	raw_spinlock_t lock;
	struct rb_root services;
	struct rb_root ephemerals;
	struct list_head unused;
	struct list_head used;
	unsigned int idle_nr;
	struct portsock_total totals[PORTSOCK_PROTO_NR];
	struct portsock_total folded[PORTSOCK_PROTO_NR];
	struct list_head awaited;
	unsigned int awaited_nr;
	unsigned int pins;
	bool first;
	bool dead;
	bool over;
	struct portsock_unbound unbound[PORTSOCK_PROTO_NR];
	struct rcu_head rcu;
};

/**
 * struct portsock_holding - what one socket holds now
 * @table: of the socket's namespace
 * @requests: connection requests of a listener (mini-sockets in
 *	NEW_SYN_RECV), read whenever the row is; NULL for any other socket
 * @port: local port in host order, 0 when the socket is unbound
 * @proto: transport protocol
 * @state: kernel state number; TCP_TIME_WAIT stands for a mini-socket
 * @service: the port was bound explicitly or is listened on
 * @ipv6: the socket is AF_INET6
 * @how: how it came by the port, enum portsock_how
 */
struct portsock_holding {
	struct portsock_table *table;
	const atomic_t *requests;
	u16 port;
	bool service;
	/* together, as in struct portsock_share: one move copies them */
	u8 proto;
	u8 state;
	bool ipv6;
	u8 how;
};

struct portsock_row;

/**
 * struct portsock_share - what one socket contributes
 * @table: of its namespace, NULL while it contributes nothing
 * @row: of its port, NULL while it is unbound; pins @table, as an unbound socket
 *	does
 * @listen: among the row's listeners when @requests is set
 * @awaited: on the table's list when @awaits is set; never together with @requests
 * @first: of an MPTCP socket, which is neither: its first subflow, as far as it is known
 * @requests: see struct portsock_holding
 * @proto: transport protocol
 * @state: state it is counted in
 * @ipv6: counted as AF_INET6
 * @how: how it came by the port, as far as it is known, enum portsock_how
 * @awaits: a call may be under way, and nothing will tell what came of it;
 *	changed under the table's lock as well
 *
 * The owner serialises calls on one share; @listen and the row's counters are
 * protected by the row's bucket lock.
 */
struct portsock_share {
	struct portsock_table *table;
	struct portsock_row *row;
	union {
		struct rb_node listen;
		struct list_head awaited;
		const void *first;
	};
	const atomic_t *requests;
	u8 proto;
	u8 state;
	bool ipv6;
	u8 how;
	bool awaits;
};

/**
 * portsock_step() - a socket goes to another state and keeps its port
 * @proto: transport protocol
 * @port: local port in host order
 * @ipv6: the socket is AF_INET6
 * @state: kernel state number it goes to, neither TCP_LISTEN nor TCP_TIME_WAIT
 *
 * Context: any.
 * Return: all of it in one word, which takes but one register.
 */
static inline u64 portsock_step(u8 proto, u16 port, bool ipv6, u8 state)
{
	return (u64)ipv6 << 32 | (u32)state << 24 | (u32)proto << 16 | port;
}

/**
 * enum portsock_part - the parts of a table, in the order they are shown
 * @PORTSOCK_SERVICES: service and unbound rows
 * @PORTSOCK_TOTALS: for each protocol one row for ephemeral ports that it has or had,
 *	and one for services that were folded
 * @PORTSOCK_EPHEMERALS: single ephemeral rows
 * @PORTSOCK_END: nothing is left
 */
enum portsock_part {
	PORTSOCK_SERVICES,
	PORTSOCK_TOTALS,
	PORTSOCK_EPHEMERALS,
	PORTSOCK_END,
};

/**
 * struct portsock_line - a consistent copy of one row
 * @part: which part of the table it belongs to
 * @class: what it stands for, enum portsock_class
 * @proto: protocol
 * @port: port; without meaning in PORTSOCK_TOTALS
 * @requests: connection requests waiting on the row's listeners
 * @ports: how many ports it stands for
 * @counts: the row's numbers
 */
struct portsock_line {
	enum portsock_part part;
	u8 class;
	u8 proto;
	u16 port;
	u32 requests;
	u64 ports;
	struct portsock_counts counts;
};

/**
 * struct portsock_cursor - a place in a table
 * @part: part to look in
 * @key: first key to consider there
 */
struct portsock_cursor {
	enum portsock_part part;
	u32 key;
};

int portsock_table_init(unsigned int bits);
void portsock_table_ready(void);
void portsock_table_exit(void);

struct portsock_table *portsock_table_new(bool first);
void portsock_table_kill(struct portsock_table *table);
u64 portsock_table_short(void);

bool portsock_table_next(struct portsock_table *table,
			 struct portsock_cursor *cursor,
			 struct portsock_line *line);

int portsock_share_hold(struct portsock_share *share,
			const struct portsock_holding *h);
bool portsock_share_step(struct portsock_share *share, u64 step);
int portsock_share_unbound(struct portsock_share *share, struct portsock_table *table,
			   u8 proto, bool ipv6);
void portsock_share_del(struct portsock_share *share);
void portsock_share_await(struct portsock_share *share);
void portsock_share_settle(struct portsock_share *share);
const void *portsock_table_awaited(struct portsock_table *table,
				   const void *(*sk_of)(const struct portsock_share *share));
bool portsock_share_at(const struct portsock_share *share,
		       const struct portsock_table *table);
bool portsock_share_on(const struct portsock_share *share, u8 proto, u16 port);
bool portsock_share_in(const struct portsock_share *share, unsigned long protos);
bool portsock_share_equals(const struct portsock_share *share,
			   const struct portsock_holding *h);
void portsock_share_tell(const struct portsock_share *share, struct portsock_holding *h);

#endif /* PORTSOCK_TABLE_H */
