// SPDX-License-Identifier: GPL-2.0
#include <arpa/inet.h>
#include <netdb.h>
#include <search.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "service.h"

/* An entry of /etc/services. */
struct service {
	unsigned int port;
	const char *proto;
	const char *name;
};

static int service_compare(const void *a, const void *b)
{
	const struct service *one = a, *other = b;

	if (one->port != other->port)
		return one->port < other->port ? -1 : 1;

	return strcmp(one->proto, other->proto);
}

/* Of several names of a port the first one counts. */
static void service_add(void **tree, const struct servent *entry)
{
	struct service *service = malloc(sizeof(*service)), **node;

	if (!service)
		return;
	*service = (struct service) { ntohs(entry->s_port), strdup(entry->s_proto), strdup(entry->s_name) };
	node = service->proto && service->name ? tsearch(service, tree, service_compare) : NULL;
	if (node && *node == service)
		return;
	free((char *)service->proto);
	free((char *)service->name);
	free(service);
}

/* To look for one takes as long as to read all of them. */
static const char *service_find(const char *proto, unsigned int port)
{
	static bool is_read;
	static void *tree;
	const struct service key = { port, proto, NULL };
	struct service **node;
	const struct servent *entry;

	if (!is_read)
		while ((entry = getservent()))
			service_add(&tree, entry);
	is_read = true;
	node = tfind(&key, &tree, service_compare);

	return node ? (*node)->name : NULL;
}

const char *portsock_service_name(const char *proto, unsigned int port)
{
	const struct protoent *protocol;

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

	return service_find(proto, port);
}

int portsock_service_port(const char *name)
{
	const struct servent *service = getservbyname(name, NULL);

	return service ? ntohs(service->s_port) : -1;
}
