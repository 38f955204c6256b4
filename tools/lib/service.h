/* SPDX-License-Identifier: GPL-2.0 */
#ifndef PORTSOCK_SERVICE_H
#define PORTSOCK_SERVICE_H

/**
 * portsock_service_name() - what a port is known as
 * @proto: protocol as in the table
 * @port: port number; for raw the IP protocol number
 *
 * Return: name from /etc/services or /etc/protocols, valid until the next call; NULL if there is none.
 */
const char *portsock_service_name(const char *proto, unsigned int port);

/**
 * portsock_service_port() - the port of a well-known service
 * @name: name as in /etc/services
 *
 * Return: port number, or -1 if no protocol knows the name.
 */
int portsock_service_port(const char *name);

#endif
