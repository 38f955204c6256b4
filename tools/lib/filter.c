// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "filter.h"
#include "service.h"

static bool port_test(const uint8_t *set, unsigned int port)
{
	return set[port / 8] & (1U << port % 8);
}

static void port_add(struct portsock_filter *filter, unsigned int port)
{
	if (port_test(filter->listed, port))
		return;

	filter->listed[port / 8] |= 1U << port % 8;
	filter->unseen[port / 8] |= 1U << port % 8;
	filter->nr_unseen++;
	filter->nr_listed++;
}

static void port_seen(struct portsock_filter *filter, unsigned int port)
{
	if (!port_test(filter->unseen, port))
		return;

	filter->unseen[port / 8] &= ~(1U << port % 8);
	filter->nr_unseen--;
}

int portsock_filter_add_protos(struct portsock_filter *filter, char *list, struct portsock_error *error)
{
	char *name;

	while ((name = strsep(&list, ","))) {
		if (!*name)
			return portsock_error_set(error, "--proto: empty name in the list");
		if (filter->nr_protos == PORTSOCK_FILTER_PROTOS_MAX)
			return portsock_error_set(error, "--proto: more than %d names",
						  PORTSOCK_FILTER_PROTOS_MAX);
		filter->protos[filter->nr_protos++] = name;
	}

	return 0;
}

/* Return: what follows the number, NULL if there is none. */
static const char *number_parse(const char *text, unsigned int *number)
{
	size_t digits = strspn(text, "0123456789");

	if (!digits || digits > strlen("65535"))
		return NULL;
	*number = strtoul(text, NULL, 10);

	return text + digits;
}

/* Return: 0 with the range set, -1 if @text is not of the form NUMBER or NUMBER-NUMBER. */
static int range_parse(const char *text, unsigned int *first, unsigned int *last)
{
	const char *end = number_parse(text, first);

	*last = *first;
	if (end && *end == '-')
		end = number_parse(end + 1, last);

	return end && !*end ? 0 : -1;
}

static int ports_parse(const char *text, unsigned int *first, unsigned int *last, struct portsock_error *error)
{
	int port;

	if (range_parse(text, first, last)) {
		port = portsock_service_port(text);
		if (port < 0)
			return portsock_error_set(error,
						  "--port: '%s' is no port, range or service name (e.g. 80,8000-8999,https)",
						  text);
		*first = port;
		*last = port;
	}
	if (*first >= PORTSOCK_PORT_NR || *last >= PORTSOCK_PORT_NR)
		return portsock_error_set(error, "--port: '%s' is beyond %d", text, PORTSOCK_PORT_NR - 1);
	if (*first > *last)
		return portsock_error_set(error, "--port: range '%s' runs backwards", text);

	return 0;
}

int portsock_filter_add_ports(struct portsock_filter *filter, char *list, struct portsock_error *error)
{
	unsigned int first = 0, last = 0;
	char *text;

	while ((text = strsep(&list, ","))) {
		if (ports_parse(text, &first, &last, error))
			return -1;
		for (; first <= last; first++)
			port_add(filter, first);
	}
	filter->by_port = true;

	return 0;
}

static int state_error(const char *name, struct portsock_error *error)
{
	const struct portsock_column *column;
	char valid[256] = "";

	for (column = portsock_columns; column->name; column++)
		if (column->kind == PORTSOCK_KIND_STATE)
			snprintf(valid + strlen(valid), sizeof(valid) - strlen(valid), " %s", column->name);

	return portsock_error_set(error, "--state: unknown state '%s' (valid:%s)", name, valid);
}

int portsock_filter_add_states(struct portsock_filter *filter, char *list, struct portsock_error *error)
{
	const struct portsock_column *column;
	char *name;

	while ((name = strsep(&list, ","))) {
		column = portsock_column_find(name);
		if (!column || column->kind != PORTSOCK_KIND_STATE)
			return state_error(name, error);
		filter->states |= portsock_column_bit(column);
	}

	return 0;
}

bool portsock_filter_is_set(const struct portsock_filter *filter)
{
	return filter->nr_protos || filter->by_port || filter->states;
}

void portsock_filter_restart(struct portsock_filter *filter)
{
	memcpy(filter->unseen, filter->listed, sizeof(filter->unseen));
	filter->nr_unseen = filter->nr_listed;
}

bool portsock_filter_needs_singles(const struct portsock_filter *filter)
{
	return filter->ends != PORTSOCK_FILTER_REMOTE && (filter->singles || filter->nr_unseen);
}

bool portsock_filter_is_behind(const struct portsock_filter *filter, const struct portsock_snapshot *snapshot)
{
	if (snapshot->row_class == PORTSOCK_REMOTE)
		return filter->ends == PORTSOCK_FILTER_LOCAL;

	return snapshot->row_class == PORTSOCK_EPHEMERAL && portsock_snapshot_is_single(snapshot);
}

static bool end_match(const struct portsock_filter *filter, const struct portsock_snapshot *snapshot)
{
	bool remote = snapshot->row_class == PORTSOCK_REMOTE;

	return filter->ends != (remote ? PORTSOCK_FILTER_LOCAL : PORTSOCK_FILTER_REMOTE);
}

static bool proto_match(const struct portsock_filter *filter, const char *proto)
{
	unsigned int i;

	for (i = 0; i < filter->nr_protos; i++)
		if (!strcasecmp(filter->protos[i], proto))
			return true;

	return !filter->nr_protos;
}

static bool port_match(struct portsock_filter *filter, const struct portsock_value *port)
{
	if (!filter->by_port)
		return true;
	if (!port->is_number || !port_test(filter->listed, port->number))
		return false;

	port_seen(filter, port->number);

	return true;
}

static bool state_match(const struct portsock_filter *filter, const struct portsock_snapshot *snapshot)
{
	unsigned int i;

	if (!filter->states)
		return true;
	for (i = 0; i < snapshot->nr_fields; i++)
		if ((filter->states & portsock_column_bit(snapshot->fields[i].column)) &&
		    snapshot->cells[i].number)
			return true;

	return false;
}

bool portsock_filter_match(struct portsock_filter *filter, const struct portsock_snapshot *snapshot)
{
	return end_match(filter, snapshot) &&
	       proto_match(filter, snapshot->cells[snapshot->proto].text) &&
	       port_match(filter, &snapshot->cells[snapshot->port]) &&
	       state_match(filter, snapshot);
}
