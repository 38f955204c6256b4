// SPDX-License-Identifier: GPL-2.0
#include <arpa/inet.h>
#include <netdb.h>
#include <string.h>

#include "service.h"

const char *portsock_service_name(const char *proto, unsigned int port)
{
	const struct protoent *protocol;
	const struct servent *service;

	if (!strcmp(proto, "raw")) {
		protocol = getprotobynumber(port);
		return protocol ? protocol->p_name : NULL;
	}
	/* An ICMP "port" is an echo identifier. */
	if (!strcmp(proto, "icmp"))
		return NULL;

	if (!strcmp(proto, "mptcp"))
		proto = "tcp";
	else if (!strcmp(proto, "udplite"))
		proto = "udp";
	/* Keep /etc/services open from one row to the next. */
	setservent(1);
	service = getservbyport(htons(port), proto);

	return service ? service->s_name : NULL;
}

int portsock_service_port(const char *name)
{
	const struct servent *service = getservbyname(name, NULL);

	return service ? ntohs(service->s_port) : -1;
}
