// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <netdb.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <systemd/sd-daemon.h>

#include "listen.h"

#define BACKLOG 64

/* Of a number beyond 65535 getaddrinfo() takes the lower 16 bits. */
static bool is_port(const char *text)
{
	size_t digits = strspn(text, "0123456789");

	return digits && digits <= strlen("65535") && !text[digits] && atoi(text) <= 65535;
}

/* Return: 0 with host (empty for all addresses) and port set, -1 if @address is of another form. */
static int address_split(const char *address, char *host, size_t size, const char **port)
{
	const char *colon = strrchr(address, ':'), *begin = address;
	size_t length;

	if (!colon || !is_port(colon + 1))
		return -1;
	length = colon - address;
	if (*address == '[') {
		if (length < 3 || colon[-1] != ']')
			return -1;
		begin++;
		length -= 2;
	} else if (memchr(address, ':', length)) {
		return -1;
	}
	if (length >= size)
		return -1;
	snprintf(host, size, "%.*s", (int)length, begin);
	*port = colon + 1;

	return 0;
}

static int socket_open(const struct addrinfo *info)
{
	int fd = socket(info->ai_family, info->ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	const int yes = 1, no = 0;
	int err;

	if (fd < 0)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
	if (info->ai_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &no, sizeof(no));
	if (!bind(fd, info->ai_addr, info->ai_addrlen) && !listen(fd, BACKLOG))
		return fd;
	err = errno;
	close(fd);
	errno = err;

	return -1;
}

/* For all addresses IPv6 comes first, as its socket takes IPv4, too. */
static int list_open(const struct addrinfo *list)
{
	static const int families[] = { AF_INET6, AF_INET };
	const struct addrinfo *info;
	int fd = -1;
	size_t i;

	for (i = 0; i < 2; i++)
		for (info = list; info && fd < 0; info = info->ai_next)
			if (info->ai_family == families[i])
				fd = socket_open(info);

	return fd;
}

int portsock_listen(const char *address, struct portsock_error *error)
{
	const struct addrinfo hints = { .ai_flags = AI_PASSIVE, .ai_socktype = SOCK_STREAM };
	struct addrinfo *list;
	const char *port;
	char host[256];
	int fd, rc;

	if (address_split(address, host, sizeof(host), &port))
		return portsock_error_set(error, "--web.listen-address: '%s' is not ADDRESS:PORT, [ADDRESS]:PORT or :PORT",
					  address);
	rc = getaddrinfo(*host ? host : NULL, port, &hints, &list);
	if (rc)
		return portsock_error_set(error, "--web.listen-address: %s: %s", address, gai_strerror(rc));
	fd = list_open(list);
	if (fd < 0)
		portsock_error_set(error, "--web.listen-address: %s: %s", address, strerror(errno));
	freeaddrinfo(list);

	return fd;
}

int portsock_listen_inherited(struct portsock_error *error)
{
	int nr = sd_listen_fds(1);

	if (!nr)
		return -2;
	if (nr != 1 || sd_is_socket(SD_LISTEN_FDS_START, AF_UNSPEC, SOCK_STREAM, 1) <= 0)
		return portsock_error_set(error, "systemd passed %d sockets: one that listens is wanted", nr);

	return SD_LISTEN_FDS_START;
}
