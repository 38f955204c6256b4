// SPDX-License-Identifier: GPL-2.0
#include <arpa/inet.h>
#include <netdb.h>
#include "libportsock.h"
#include "table.h"

static const char all_rows[] = HEALTH COLUMNS UNBOUND SSH HTTPS DOMAIN TCP_TOTAL
	TCP_TO_443 TCP_TO_5432 TCP_TO_ALL TCP_40001 TCP_40002;

static struct portsock_snapshot snapshot;
static struct portsock_filter filter;
static struct portsock_error error;

typedef int (*add_list)(struct portsock_filter *filter, char *list, struct portsock_error *error);

/* The filter keeps pointers into the list. */
static int filter_add(add_list add, const char *text)
{
	static char lists[16][128];
	static unsigned int used;
	char *list = lists[used++ % 16];

	snprintf(list, sizeof(lists[0]), "%s", text);

	return add(&filter, list, &error);
}

static int filter_clear(void **state)
{
	(void)state;
	memset(&filter, 0, sizeof(filter));
	memset(&error, 0, sizeof(error));

	return 0;
}

/* The ports of all rows that match, as a list. */
static const char *ports_matched(void)
{
	FILE *in = snapshot_of(&snapshot, all_rows);
	static char ports[256];

	*ports = '\0';
	while (portsock_snapshot_next(&snapshot) == 1)
		if (portsock_filter_match(&filter, &snapshot))
			snprintf(strchr(ports, '\0'), 16, "%s ", snapshot.cells[snapshot.port].text);
	fclose(in);

	return ports;
}

static void nothing_set_matches_all(void **state)
{
	(void)state;
	assert_false(portsock_filter_is_set(&filter));
	assert_false(portsock_filter_needs_singles(&filter));
	assert_string_equal(ports_matched(), "0 22 443 53 * 40001 40002 ");
}

static void protos_match_by_name(void **state)
{
	(void)state;
	assert_int_equal(filter_add(portsock_filter_add_protos, "UDP,quic"), 0);
	assert_true(portsock_filter_is_set(&filter));
	assert_string_equal(ports_matched(), "53 ");
	assert_int_equal(filter_add(portsock_filter_add_protos, "tcp"), 0);
	assert_string_equal(ports_matched(), "0 22 443 53 * 40001 40002 ");
}

static void protos_bad_are_refused(void **state)
{
	(void)state;
	assert_int_equal(filter_add(portsock_filter_add_protos, "tcp,,udp"), -1);
	assert_string_equal(error.text, "--proto: empty name in the list");
	assert_int_equal(filter_add(portsock_filter_add_protos, "a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p"), -1);
	assert_string_equal(error.text, "--proto: more than 16 names");
}

static void ports_match_numbers_and_ranges(void **state)
{
	(void)state;
	assert_int_equal(filter_add(portsock_filter_add_ports, "22,400-443,40002-65535"), 0);
	assert_true(portsock_filter_is_set(&filter));
	assert_string_equal(ports_matched(), "22 443 40002 ");
}

static void ports_match_ends_of_the_space(void **state)
{
	(void)state;
	assert_int_equal(filter_add(portsock_filter_add_ports, "0"), 0);
	assert_string_equal(ports_matched(), "0 ");
	assert_int_equal(filter_add(portsock_filter_add_ports, "0-65535"), 0);
	assert_string_equal(ports_matched(), "0 22 443 53 40001 40002 ");
}

static void ports_match_service_names(void **state)
{
	(void)state;
	assert_int_equal(filter_add(portsock_filter_add_ports, "https,domain"), 0);
	assert_string_equal(ports_matched(), "443 53 ");
}

static void ports_bad_are_refused(void **state)
{
	static const char * const no_port[] = {
		"", "22,", "-1", "+22", " 22", "22 ", "8000-", "-", "1-2-3", "22x", "0x16", "123456", "nosuchservice",
	};
	char message[200];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(no_port) / sizeof(*no_port); i++) {
		assert_int_equal(filter_add(portsock_filter_add_ports, no_port[i]), -1);
		snprintf(message, sizeof(message),
			 "--port: '%s' is no port, range or service name (e.g. 80,8000-8999,https)",
			 strcmp(no_port[i], "22,") ? no_port[i] : "");
		assert_string_equal(error.text, message);
	}
	assert_int_equal(filter_add(portsock_filter_add_ports, "65536"), -1);
	assert_string_equal(error.text, "--port: '65536' is beyond 65535");
	assert_int_equal(filter_add(portsock_filter_add_ports, "1-70000"), -1);
	assert_string_equal(error.text, "--port: '1-70000' is beyond 65535");
	assert_int_equal(filter_add(portsock_filter_add_ports, "90-80"), -1);
	assert_string_equal(error.text, "--port: range '90-80' runs backwards");
}

static void singles_needed_until_each_port_was_seen(void **state)
{
	(void)state;
	assert_int_equal(filter_add(portsock_filter_add_ports, "22,22,443"), 0);
	assert_true(portsock_filter_needs_singles(&filter));
	ports_matched();
	assert_false(portsock_filter_needs_singles(&filter));

	assert_int_equal(filter_add(portsock_filter_add_ports, "23"), 0);
	ports_matched();
	assert_true(portsock_filter_needs_singles(&filter));
}

static void singles_needed_if_seen_in_another_proto_only(void **state)
{
	(void)state;
	filter_add(portsock_filter_add_protos, "udp");
	filter_add(portsock_filter_add_ports, "22");
	assert_string_equal(ports_matched(), "");
	assert_true(portsock_filter_needs_singles(&filter));
}

static void singles_needed_anew_in_another_table(void **state)
{
	(void)state;
	filter_add(portsock_filter_add_ports, "22,443,22");
	ports_matched();
	assert_false(portsock_filter_needs_singles(&filter));
	portsock_filter_restart(&filter);
	assert_int_equal(filter.nr_unseen, 2);
	ports_matched();
	assert_false(portsock_filter_needs_singles(&filter));
}

static void singles_not_needed_if_state_alone_fails(void **state)
{
	(void)state;
	filter_add(portsock_filter_add_states, "time_wait");
	filter_add(portsock_filter_add_ports, "22");
	assert_string_equal(ports_matched(), "");
	assert_false(portsock_filter_needs_singles(&filter));
}

static void states_match_any_of_them(void **state)
{
	(void)state;
	assert_int_equal(filter_add(portsock_filter_add_states, "TIME_WAIT"), 0);
	assert_true(portsock_filter_is_set(&filter));
	assert_string_equal(ports_matched(), "443 * 40002 ");
	assert_int_equal(filter_add(portsock_filter_add_states, "close_wait,listen"), 0);
	assert_string_equal(ports_matched(), "22 443 * 40002 ");
}

static void states_bad_are_refused(void **state)
{
	(void)state;
	assert_int_equal(filter_add(portsock_filter_add_states, "listen,sockets"), -1);
	assert_string_equal(error.text, "--state: unknown state 'sockets' (valid: " STATES ")");
	assert_int_equal(filter_add(portsock_filter_add_states, ""), -1);
	assert_string_equal(error.text, "--state: unknown state '' (valid: " STATES ")");
}

static void all_that_is_set_must_match(void **state)
{
	(void)state;
	filter_add(portsock_filter_add_protos, "tcp");
	filter_add(portsock_filter_add_ports, "22,53,443");
	filter_add(portsock_filter_add_states, "time_wait");
	assert_string_equal(ports_matched(), "443 ");
}

static void remote_ports_match_in_place_of_local_ones(void **state)
{
	(void)state;
	filter.ends = PORTSOCK_FILTER_REMOTE;
	assert_false(portsock_filter_is_set(&filter));
	assert_string_equal(ports_matched(), "443 5432 * ");
	filter_add(portsock_filter_add_states, "time_wait");
	assert_string_equal(ports_matched(), "443 * ");
	filter_add(portsock_filter_add_ports, "7,22,443");
	assert_string_equal(ports_matched(), "443 ");
	assert_false(portsock_filter_needs_singles(&filter));
	filter.ends = PORTSOCK_FILTER_BOTH;
	assert_string_equal(ports_matched(), "443 443 ");
	assert_true(portsock_filter_needs_singles(&filter));
}

/* The port of the first row that is behind all that is asked for. */
static const char *port_behind(enum portsock_filter_ends ends)
{
	FILE *in = snapshot_of(&snapshot, all_rows);

	filter.ends = ends;
	while (portsock_snapshot_next(&snapshot) == 1 && !portsock_filter_is_behind(&filter, &snapshot))
		;
	fclose(in);

	return snapshot.cells[snapshot.port].text;
}

static void rows_behind_depend_on_the_ends(void **state)
{
	(void)state;
	assert_string_equal(port_behind(PORTSOCK_FILTER_LOCAL), "443");
	assert_true(portsock_snapshot_is(&snapshot, PORTSOCK_REMOTE));
	assert_string_equal(port_behind(PORTSOCK_FILTER_REMOTE), "40001");
	assert_string_equal(port_behind(PORTSOCK_FILTER_BOTH), "40001");
}

static void service_names_per_protocol(void **state)
{
	(void)state;
	assert_string_equal(portsock_service_name("tcp", 443), "https");
	assert_string_equal(portsock_service_name("udplite", 53), "domain");
	assert_string_equal(portsock_service_name("mptcp", 22), "ssh");
	assert_string_equal(portsock_service_name("raw", 1), "icmp");
	assert_null(portsock_service_name("icmp", 22));
	assert_null(portsock_service_name("tcp", 65432));
}

static void service_names_are_those_of_the_library(void **state)
{
	static const char * const protos[] = { "tcp", "udp", "sctp", "dccp" };
	const struct servent *wanted;
	const char *name;
	unsigned int port;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(protos) / sizeof(*protos); i++) {
		for (port = 0; port < 1024; port++) {
			name = portsock_service_name(protos[i], port);
			wanted = getservbyport(htons(port), protos[i]);
			assert_string_equal(name ? name : "", wanted ? wanted->s_name : "");
		}
	}
}

#define FILTER_TEST(name) cmocka_unit_test_setup(name, filter_clear)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		FILTER_TEST(nothing_set_matches_all),
		FILTER_TEST(protos_match_by_name),
		FILTER_TEST(protos_bad_are_refused),
		FILTER_TEST(ports_match_numbers_and_ranges),
		FILTER_TEST(ports_match_ends_of_the_space),
		FILTER_TEST(ports_match_service_names),
		FILTER_TEST(ports_bad_are_refused),
		FILTER_TEST(singles_needed_until_each_port_was_seen),
		FILTER_TEST(singles_needed_if_seen_in_another_proto_only),
		FILTER_TEST(singles_needed_anew_in_another_table),
		FILTER_TEST(singles_not_needed_if_state_alone_fails),
		FILTER_TEST(states_match_any_of_them),
		FILTER_TEST(states_bad_are_refused),
		FILTER_TEST(all_that_is_set_must_match),
		FILTER_TEST(remote_ports_match_in_place_of_local_ones),
		FILTER_TEST(rows_behind_depend_on_the_ends),
		FILTER_TEST(service_names_per_protocol),
		FILTER_TEST(service_names_are_those_of_the_library),
	};

	return cmocka_run_group_tests_name("filter", tests, NULL, NULL);
}
