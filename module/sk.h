/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a struct sock holds: protocol, port, state, owner.
 */
#ifndef PORTSOCK_SK_H
#define PORTSOCK_SK_H

#include <linux/ktime.h>
#include <linux/math64.h>
#include <linux/preempt.h>
#include <linux/tcp.h>
#include <net/inet_connection_sock.h>
#include <net/inet_timewait_sock.h>
#include <net/sock.h>

#include "netns.h"
#include "share.h"

struct sctp_association;

int portsock_sk_other_proto(const struct sock *sk);
bool portsock_sk_other_bound(const struct sock *sk);
const struct sock *portsock_sk_parent(const struct sock *sk);
bool portsock_sk_assoc_went_out(const struct sctp_association *assoc);
u8 portsock_sk_other_state(const struct sock *sk, int proto, int state);

extern bool portsock_remote;

void portsock_sk_sample(const void *sk, struct portsock_bytes *bytes);
void portsock_sk_met(const struct sock *sk, struct portsock_holding *h,
		     struct portsock_birth *birth);
void portsock_sk_reached(const struct sock *sk, struct portsock_holding *h);
bool portsock_proto_queues(int proto, bool listens);
bool portsock_sk_serves(const struct sock *sk, int proto);
bool portsock_tw_serves(const struct inet_timewait_sock *tw);

void portsock_tw_reached(const struct inet_timewait_sock *tw,
			 struct portsock_holding *h);
bool portsock_tw_read(const struct inet_timewait_sock *tw, u8 proto,
		      struct portsock_holding *h);

static inline bool portsock_sk_is_inet(const struct sock *sk)
{
	return sk->sk_family == AF_INET || sk->sk_family == AF_INET6;
}

static inline bool portsock_sk_is_tcp(const struct sock *sk)
{
	return portsock_sk_is_inet(sk) && sk->sk_protocol == IPPROTO_TCP &&
	       sk->sk_type == SOCK_STREAM;
}

/**
 * portsock_sk_proto() - the protocol a socket is counted under
 * @sk: full socket of any family
 *
 * A raw socket carries any protocol number, so the type counts as well.
 *
 * Context: any.
 * Return: enum portsock_proto, or -1 if portsock does not count such sockets.
 */
static inline int portsock_sk_proto(const struct sock *sk)
{
	if (likely(portsock_sk_is_tcp(sk)))
		return PORTSOCK_TCP;
	return portsock_sk_is_inet(sk) ? portsock_sk_other_proto(sk) : -1;
}

/**
 * portsock_sk_bound() - does a socket hold the port it names?
 * @sk: full socket
 * @proto: its portsock_sk_proto(), not -1
 *
 * sk_num does not tell: it is set before the socket holds the port, and cleared
 * after. An MPTCP socket has only sk_num. In CLOSE it may hold the port or not,
 * and the result is false; see portsock_sock_carrier().
 *
 * Context: any.
 */
static inline bool portsock_sk_bound(const struct sock *sk, int proto)
{
	if (likely(proto == PORTSOCK_TCP || proto == PORTSOCK_DCCP))
		return READ_ONCE(inet_csk(sk)->icsk_bind_hash);
	return portsock_sk_other_bound(sk);
}

/**
 * portsock_sk_clock() - microseconds of the clock of tcp_mstamp
 *
 * Context: any.
 */
static inline u64 portsock_sk_clock(void)
{
	return div_u64(ktime_get_mono_fast_ns(), NSEC_PER_USEC);
}

/**
 * portsock_sk_closing() - is the last descriptor of a socket closed?
 * @sk: full socket, locked or otherwise unable to become an orphan meanwhile
 *
 * Context: any.
 */
static inline bool portsock_sk_closing(const struct sock *sk)
{
	const struct socket *sock = READ_ONCE(sk->sk_socket);
	struct file *file = sock ? READ_ONCE(sock->file) : NULL;

	/* the file has no reference any more when close() calls the protocol */
	return file && !file_count(file);
}

/**
 * portsock_sk_owned() - does a user have the socket?
 * @sk: full socket, locked or otherwise unable to become an orphan meanwhile
 *
 * Context: any.
 * Return: false if the socket is being closed, is an orphan, waits for
 * accept(), or belongs to the kernel.
 */
static inline bool portsock_sk_owned(const struct sock *sk)
{
	return READ_ONCE(sk->sk_socket) && !sk->sk_kern_sock &&
	       !portsock_sk_closing(sk);
}

/**
 * portsock_sk_remote() - the port that a socket is connected to
 * @sk: full socket that called connect()
 *
 * Context: any.
 * Return: in host order; 0 if there is none, or nobody wants to know.
 */
static inline u16 portsock_sk_remote(const struct sock *sk)
{
	return portsock_remote ? ntohs(READ_ONCE(sk->sk_dport)) : 0;
}

/**
 * portsock_sk_look() - read what a socket holds, but not in which namespace
 * @sk: full socket
 * @proto: its portsock_sk_proto(), not -1
 * @state: state it is in, or is about to enter
 * @h: receives the holding without its table; the port is sk_num, whether bound
 *	or not
 *
 * Context: any.
 */
static inline void portsock_sk_look(const struct sock *sk, int proto, int state,
				    struct portsock_holding *h)
{
	bool listens = state == TCP_LISTEN;

	h->table = NULL;
	h->remote = 0;
	h->guessed = false;
	h->queues = likely(proto == PORTSOCK_TCP) ? listens :
		    portsock_proto_queues(proto, listens);
	h->port = sk->sk_num;
	h->proto = proto;
	h->state = state;
	if (proto == PORTSOCK_DCCP || proto == PORTSOCK_SCTP)
		h->state = portsock_sk_other_state(sk, proto, state);
	h->how = PORTSOCK_BOUND;
	h->owner.tgid = 0;
	h->birth = NULL;
	h->end = NULL;
	h->ipv6 = sk->sk_family == AF_INET6;
	/* a raw socket names the protocol it wants */
	h->service = listens || proto == PORTSOCK_RAW ||
		     sk->sk_userlocks & SOCK_BINDPORT_LOCK;
}

/**
 * portsock_sk_read() - read what a socket holds
 * @sk: full socket of any family
 * @state: state it is in, or is about to enter
 * @h: receives the holding, see portsock_sk_look()
 *
 * Context: any but NMI; RCU read side, which also bounds the use of @h.
 * Return: false if portsock does not count the protocol, or the
 * namespace is going.
 */
static inline bool portsock_sk_read(const struct sock *sk, int state,
				    struct portsock_holding *h)
{
	int proto = portsock_sk_proto(sk);

	if (proto < 0)
		return false;
	portsock_sk_look(sk, proto, state, h);
	h->table = portsock_netns_table(sock_net(sk));
	return h->table;
}

/**
 * portsock_sk_went() - the port that a datagram socket is connected to
 * @sk: full socket
 *
 * A server may have a connected socket on its port for each of its clients.
 *
 * Context: any.
 * Return: in host order; 0 if there is none, if it is on a port that its program
 * asked for, or if nobody wants to know.
 */
static inline u16 portsock_sk_went(const struct sock *sk)
{
	if (READ_ONCE(sk->sk_state) != TCP_ESTABLISHED ||
	    sk->sk_userlocks & SOCK_BINDPORT_LOCK)
		return 0;
	return portsock_sk_remote(sk);
}

/**
 * portsock_sk_came() - how a datagram socket came by its port, as far as
 * its state tells
 * @sk: full socket
 * @h: what it holds; receives that
 *
 * Context: any.
 */
static inline void portsock_sk_came(const struct sock *sk,
				    struct portsock_holding *h)
{
	if (READ_ONCE(sk->sk_state) != TCP_ESTABLISHED)
		return;
	h->how = PORTSOCK_CONNECTED;
	h->remote = portsock_sk_went(sk);
}

/**
 * portsock_sk_unbind() - turn a holding into that of an unbound socket
 * @h: from portsock_sk_read()
 *
 * An unbound socket counts as CLOSE, whatever its state.
 */
static inline void portsock_sk_unbind(struct portsock_holding *h)
{
	h->queues = false;
	h->port = 0;
	h->state = TCP_CLOSE;
	h->service = false;
}

/**
 * portsock_sk_read_owned() - read what a user's socket holds, bound or not
 * @sk: full socket of any family, with a file
 * @h: receives the holding, see portsock_sk_look(); it may hold no port
 *
 * Context: any but NMI; RCU read side, which also bounds the use of @h.
 * Return: false if the socket does not count.
 */
static inline bool portsock_sk_read_owned(const struct sock *sk,
					  struct portsock_holding *h)
{
	if (!portsock_sk_read(sk, READ_ONCE(sk->sk_state), h))
		return false;
	if (portsock_sk_bound(sk, h->proto))
		return true;
	portsock_sk_unbind(h);
	return portsock_sk_owned(sk);
}

bool portsock_sk_get(const void *sk);
void portsock_sk_ask(const void *socket);

void portsock_connect_end(const struct sock *sk, struct portsock_end *end);

static inline u8 established_cause(int err)
{
	switch (err) {
	case 0:
	case ECONNABORTED:
		return PORTSOCK_ABORTED;
	case ECONNRESET:
	case EPIPE:
		return PORTSOCK_RESET;
	default:
		return PORTSOCK_TIMEOUT;
	}
}

/*
 * The kernel counts a FIN that has come, and one that was sent and confirmed,
 * as a byte.
 */
static inline void sk_bytes(const struct sock *sk, int state,
			    struct portsock_bytes *bytes)
{
	const struct tcp_sock *tp = tcp_sk(sk);
	bool closed = BIT(state) & (TCPF_FIN_WAIT1 | TCPF_FIN_WAIT2 |
				    TCPF_CLOSING | TCPF_LAST_ACK);

	bytes->rx = READ_ONCE(tp->bytes_received) - sock_flag(sk, SOCK_DONE);
	bytes->tx = READ_ONCE(tp->bytes_acked) -
		    (closed && READ_ONCE(tp->snd_una) == READ_ONCE(tp->write_seq));
}

/*
 * Microseconds of the monotonic clock. TCP has just looked at it when a segment
 * or a timer is the reason for this call.
 */
static inline u64 sk_now(const struct sock *sk)
{
	return in_serving_softirq() ? tcp_sk(sk)->tcp_mstamp :
				      portsock_sk_clock();
}

/**
 * portsock_sk_end() - how a TCP connection has ended
 * @sk: full TCP socket that goes to CLOSE or to TIME_WAIT
 * @old: from SYN_SENT, ESTABLISHED or a state behind it
 * @end: receives it
 *
 * sk_err is set before, and nobody was told of it yet.
 *
 * Context: any; the socket is locked.
 */
static __always_inline void portsock_sk_end(const struct sock *sk, int old,
					    struct portsock_end *end)
{
	int err = READ_ONCE(sk->sk_err);

	if (unlikely(old == TCP_SYN_SENT)) {
		portsock_connect_end(sk, end);
		return;
	}
	end->cause = BIT(old) & (TCPF_ESTABLISHED | TCPF_CLOSE_WAIT) ?
			     established_cause(err) : PORTSOCK_CLOSED;
	end->rtt = tcp_sk(sk)->srtt_us >> 3;
	end->now = sk_now(sk);
	sk_bytes(sk, old, &end->bytes);
}

/**
 * portsock_sk_born() - a TCP connection is about to be established
 * @sk: full TCP socket
 * @old: state it comes from, SYN_SENT or SYN_RECV
 * @birth: receives what is known
 *
 * What it measured of the round trip time is how long the first answer took.
 *
 * Context: any; the socket is locked, or nobody has it yet.
 */
static inline void portsock_sk_born(const struct sock *sk, int old,
				    struct portsock_birth *birth)
{
	const struct tcp_sock *tp = tcp_sk(sk);

	birth->since = tp->tcp_mstamp;
	birth->handshake = tp->srtt_us >> 3;
	birth->bytes.rx = 0;
	birth->bytes.tx = old == TCP_SYN_SENT;
}

#endif /* PORTSOCK_SK_H */
