/* SPDX-License-Identifier: GPL-2.0 */
#ifndef PORTSOCK_LISTEN_H
#define PORTSOCK_LISTEN_H

#include "libportsock.h"

/* In no list of ports of exporters, nor in /etc/services, and below those that the kernel chooses. */
#define PORTSOCK_LISTEN_ADDRESS "127.0.0.1:19763"

/**
 * portsock_listen() - open a socket that listens
 * @address: ADDRESS:PORT, [ADDRESS]:PORT, or :PORT for all addresses
 * @error: set on failure
 *
 * Return: a file descriptor, -1 on failure.
 */
int portsock_listen(const char *address, struct portsock_error *error);

/**
 * portsock_listen_inherited() - take the socket that systemd passed
 * @error: set on failure
 *
 * Return: a file descriptor; -2 if there is none, -1 if there are others than one that listens.
 */
int portsock_listen_inherited(struct portsock_error *error);

#endif
