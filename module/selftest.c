// SPDX-License-Identifier: GPL-2.0
/*
 * A compiler may inline a function into its callers, and the hook on it is
 * armed all the same and never fires. So at load some sockets are opened,
 * connected over loopback and closed, and their rows must be what is known.
 * While that lasts a table of its own stands in for that of init_net; it and
 * all that was recorded in it goes before the sockets of the machine are
 * counted.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include "selftest.h"

#include <linux/delay.h>
#include <linux/in.h>
#include <linux/jiffies.h>
#include <linux/net.h>
#include <linux/rcupdate.h>
#include <net/inet_sock.h>
#include <net/net_namespace.h>
#include <net/sock.h>

#include "compat.h"
#include "netns.h"
#include "socks.h"

/* Loopback delivers in softirq, at once or soon. */
#define PATIENCE HZ

/**
 * struct want - what a row must say
 * @sockets: full sockets
 * @state: a state
 * @in_state: sockets in @state
 */
struct want {
	u32 sockets;
	u8 state;
	u32 in_state;
};

static bool row_says(struct portsock_table *table, u8 proto, u16 port,
		     const struct want *want)
{
	struct portsock_cursor cursor = { };
	struct portsock_line line;

	while (portsock_table_next(table, &cursor, &line)) {
		if (line.part != PORTSOCK_TOTALS && line.proto == proto &&
		    line.port == port)
			return line.counts.sockets == want->sockets &&
			       line.counts.state[want->state] == want->in_state;
	}
	return !want->sockets;
}

static bool row_will_say(struct portsock_table *table, u8 proto, u16 port,
			 struct want want)
{
	unsigned long deadline = jiffies + PATIENCE;

	while (!row_says(table, proto, port, &want)) {
		if (time_after(jiffies, deadline))
			return false;
		usleep_range(500, 1000);
	}
	return true;
}

static u16 local_port(const struct socket *sock)
{
	return ntohs(inet_sk(sock->sk)->inet_sport);
}

static struct sockaddr_in loopback(u16 port)
{
	return (struct sockaddr_in){
		.sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
}

static struct socket *open_bound(int type, int protocol)
{
	struct sockaddr_in any = loopback(0);
	struct socket *sock;

	if (sock_create_kern(&init_net, AF_INET, type, protocol, &sock))
		return NULL;
	if (kernel_bind(sock, (struct sockaddr_unsized *)&any, sizeof(any))) {
		sock_release(sock);
		return NULL;
	}
	return sock;
}

static bool connected(const struct sock *sk)
{
	unsigned long deadline = jiffies + PATIENCE;

	while (READ_ONCE(sk->sk_state) != TCP_ESTABLISHED) {
		if (time_after(jiffies, deadline))
			return false;
		usleep_range(500, 1000);
	}
	return true;
}

/* Returns the step that was not seen, NULL when all were or could not be tried. */
static const char *try_connection(struct portsock_table *table, u16 port)
{
	struct sockaddr_in to = loopback(port);
	struct socket *client;
	const char *failed = NULL;
	u16 client_port;

	if (sock_create_kern(&init_net, AF_INET, SOCK_STREAM, IPPROTO_TCP, &client))
		return NULL;
	kernel_connect(client, (struct sockaddr_unsized *)&to, sizeof(to), O_NONBLOCK);
	client_port = local_port(client);
	if (!connected(client->sk))
		pr_info("self-test: no connection over loopback, accept() and connect() were not tried\n");
	else if (!row_will_say(table, PORTSOCK_TCP, client_port,
			       (struct want){ 1, TCP_ESTABLISHED, 1 }))
		failed = "connect()";
	else if (!row_will_say(table, PORTSOCK_TCP, port,
			       (struct want){ 2, TCP_ESTABLISHED, 1 }))
		failed = "a connection that waits for accept()";
	/* reset it, so that nothing is left in TIME_WAIT */
	sock_no_linger(client->sk);
	sock_release(client);
	if (!failed && !row_will_say(table, PORTSOCK_TCP, client_port,
				     (struct want){ 0, TCP_CLOSE, 0 }))
		failed = "a reset connection";
	return failed;
}

static const char *try_tcp(struct portsock_table *table)
{
	struct socket *sock = open_bound(SOCK_STREAM, IPPROTO_TCP);
	const char *failed = NULL;
	u16 port;

	if (!sock)
		return NULL;
	port = local_port(sock);
	if (!row_will_say(table, PORTSOCK_TCP, port, (struct want){ 1, TCP_CLOSE, 1 }))
		failed = "bind()";
	else if (!kernel_listen(sock, 1) &&
		 !row_will_say(table, PORTSOCK_TCP, port, (struct want){ 1, TCP_LISTEN, 1 }))
		failed = "listen()";
	else
		failed = try_connection(table, port);
	sock_release(sock);
	if (!failed && !row_will_say(table, PORTSOCK_TCP, port,
				     (struct want){ 0, TCP_LISTEN, 0 }))
		failed = "close()";
	return failed;
}

static const char *try_udp(struct portsock_table *table)
{
	struct socket *sock = open_bound(SOCK_DGRAM, IPPROTO_UDP);
	const char *failed = NULL;
	struct sockaddr_in to;
	u16 port;

	if (!sock)
		return NULL;
	port = local_port(sock);
	to = loopback(port);
	if (!row_will_say(table, PORTSOCK_UDP, port, (struct want){ 1, TCP_CLOSE, 1 }))
		failed = "bind() of UDP";
	else if (!kernel_connect(sock, (struct sockaddr_unsized *)&to, sizeof(to), 0) &&
		 !row_will_say(table, PORTSOCK_UDP, port,
			       (struct want){ 1, TCP_ESTABLISHED, 1 }))
		failed = "connect() of UDP";
	sock_release(sock);
	if (!failed && !row_will_say(table, PORTSOCK_UDP, port,
				     (struct want){ 0, TCP_CLOSE, 0 }))
		failed = "close() of UDP";
	return failed;
}

/**
 * portsock_selftest() - do the hooks see what sockets do?
 *
 * Context: process, may sleep. The hooks are armed, no walk was made yet.
 * Return: false when something was not seen, after a message that says what.
 */
bool portsock_selftest(void)
{
	struct portsock_table *table = portsock_table_new(true);
	const char *failed;

	if (!table)
		return true;
	portsock_netns_stand_in(table);
	failed = try_tcp(table);
	if (!failed)
		failed = try_udp(table);
	portsock_netns_stand_in(NULL);
	synchronize_rcu();
	portsock_socks_clear(table);
	portsock_table_kill(table);
	if (failed)
		pr_warn("self-test: %s was not seen, this kernel must have been compiled in an unusual way; the table will not claim to be exact\n",
			failed);
	return !failed;
}
