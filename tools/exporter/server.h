/* SPDX-License-Identifier: GPL-2.0 */
#ifndef PORTSOCK_SERVER_H
#define PORTSOCK_SERVER_H

#include <stdint.h>

#include "scrape.h"

/* Connections at a time, in all and from one address. */
#define PORTSOCK_SERVER_CONNECTIONS	32
#define PORTSOCK_SERVER_PER_ADDRESS	8
/* Milliseconds that a connection may take, from its beginning until the answer is sent. */
#define PORTSOCK_SERVER_DEADLINE	10000
/* Bytes that the kernel keeps of an answer, twice that with what it needs to do so. */
#define PORTSOCK_SERVER_SEND		65536
/* Bytes of a request, with its headers; the library has its own part of them. */
#define PORTSOCK_SERVER_REQUEST		8192

struct MHD_Daemon;

/**
 * struct portsock_connection - a client
 * @fd: its socket, -1 for a free place
 * @since: when it came, in milliseconds of CLOCK_MONOTONIC
 */
struct portsock_connection {
	int fd;
	uint64_t since;
};

/**
 * struct portsock_server - answers requests, one at a time
 * @daemon: libmicrohttpd's side of it
 * @scraper: what makes the answers
 * @path: of the metrics
 * @netns: all namespaces may be asked for, at @path/netns
 * @connections: clients
 */
struct portsock_server {
	struct MHD_Daemon *daemon;
	struct portsock_scraper *scraper;
	const char *path;
	bool netns;
	struct portsock_connection connections[PORTSOCK_SERVER_CONNECTIONS];
};

/**
 * portsock_server_init() - begin to answer
 * @server: @scraper, @path and @netns are set
 * @fd: socket that listens
 * @error: set on failure
 *
 * Return: 0, or -1 on failure.
 */
int portsock_server_init(struct portsock_server *server, int fd, struct portsock_error *error);

/**
 * portsock_server_fd() - what becomes readable when there is something to do
 * @server: initialised
 */
int portsock_server_fd(const struct portsock_server *server);

/**
 * portsock_server_timeout() - how long to wait for that
 * @server: initialised
 * @most: milliseconds
 *
 * Return: @most, or less when there is something to do anyhow.
 */
int portsock_server_timeout(const struct portsock_server *server, int most);

/**
 * portsock_server_run() - do what there is to do, close connections that took too long
 * @server: initialised
 */
void portsock_server_run(struct portsock_server *server);

/**
 * portsock_server_exit() - close all connections
 * @server: initialised
 */
void portsock_server_exit(struct portsock_server *server);

#endif
