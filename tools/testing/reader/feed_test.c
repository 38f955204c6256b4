// SPDX-License-Identifier: GPL-2.0
/* What agents are told of a table. */
#include "table.h"

#define IDLE	ROW("tcp", "8000", "service", "0", "0", "0", "0") "\n"
#define CLIENT	ROW("tcp", "9000", "service", "1", "1", "0", "0") "\n"
#define NEWER	ROW("quic", "443", "service", "1", "1", "0", "0") "\n"
#define UDP_ON	ROW("udp", "123", "service", "1", "1", "0", "0") "\n"

static struct portsock_feed feed;
static struct portsock_error error;

static int feed_add(const char *text, struct portsock_filter *filter)
{
	static struct portsock_snapshot snapshot;
	FILE *in = snapshot_of(&snapshot, text);
	int rc = portsock_feed_add(&feed, filter, &snapshot, &error);

	fclose(in);

	return rc;
}

static void feed_of(const char *text, unsigned int limit)
{
	assert_int_equal(portsock_feed_init(&feed, limit, 1), 0);
	portsock_feed_begin(&feed);
	assert_int_equal(feed_add(text, NULL), 0);
	portsock_feed_end(&feed);
}

/* As "proto port" words. */
static void rows_are(const char *wanted)
{
	char got[256] = "", port[PORTSOCK_FEED_PORT];
	unsigned int i;

	for (i = 0; i < feed.nr_rows; i++)
		snprintf(got + strlen(got), sizeof(got) - strlen(got), "%s %s\n",
			 portsock_proto_names[feed.rows[i]->proto], portsock_feed_port(feed.rows[i], port));
	assert_string_equal(got, wanted);
	portsock_feed_exit(&feed);
}

static void rows_of_services_and_totals(void **state)
{
	(void)state;
	feed_of(HEALTH COLUMNS UNBOUND SSH HTTPS DOMAIN TCP_TOTAL TCP_FOLDED TCP_40001, 500);
	assert_int_equal(feed.dropped, 0);
	rows_are("tcp 22\ntcp 443\ntcp *\ntcp 0\nudp 53\n");
}

static void limit_leaves_listeners_first(void **state)
{
	static const char table[] = HEALTH COLUMNS CLIENT IDLE SSH HTTPS TCP_TOTAL;

	(void)state;
	feed_of(table, 3);
	assert_int_equal(feed.dropped, 1);
	rows_are("tcp 22\ntcp 443\ntcp 9000\ntcp *\n");
	feed_of(table, 1);
	assert_int_equal(feed.dropped, 3);
	rows_are("tcp 22\ntcp *\n");
	feed_of(table, 0);
	assert_int_equal(feed.dropped, 4);
	rows_are("tcp *\n");
}

/* As many as services, whatever these are; those in use first. */
static void limit_of_remote_ports_is_their_own(void **state)
{
	static const char table[] = HEALTH COLUMNS SSH HTTPS TCP_TOTAL
		ROW("tcp", "80", "remote", "0", "0", "0", "0") "\n" TCP_TO_443 TCP_TO_5432 TCP_TO_ALL TCP_40001;

	(void)state;
	feed_of(table, 500);
	assert_int_equal(feed.dropped, 0);
	rows_are("tcp 22\ntcp 443\ntcp *\ntcp 80\ntcp 443\ntcp 5432\n");
	feed_of(table, 2);
	assert_int_equal(feed.dropped, 1);
	rows_are("tcp 22\ntcp 443\ntcp *\ntcp 443\ntcp 5432\n");
	feed_of(table, 1);
	assert_int_equal(feed.dropped, 3);
	assert_int_equal(feed.rows[2]->class, PORTSOCK_REMOTE);
	rows_are("tcp 22\ntcp *\ntcp 443\n");
}

static void ends_are_filtered(void **state)
{
	static struct portsock_filter filter;

	(void)state;
	for (filter.ends = PORTSOCK_FILTER_LOCAL; filter.ends <= PORTSOCK_FILTER_BOTH; filter.ends++) {
		assert_int_equal(portsock_feed_init(&feed, 500, 1), 0);
		portsock_feed_begin(&feed);
		assert_int_equal(feed_add(HEALTH COLUMNS SSH TCP_TOTAL TCP_TO_5432 TCP_TO_ALL TCP_40001, &filter), 0);
		portsock_feed_end(&feed);
		rows_are(filter.ends == PORTSOCK_FILTER_LOCAL ? "tcp 22\ntcp *\n" :
			 filter.ends == PORTSOCK_FILTER_REMOTE ? "tcp 5432\n" : "tcp 22\ntcp *\ntcp 5432\n");
	}
}

/* A datagram socket that is not connected serves anybody. */
static void limit_takes_datagram_servers_for_listeners(void **state)
{
	(void)state;
	feed_of(HEALTH COLUMNS UDP_ON "udp 514 service 1 0 0 0 0 0 0 0 1 0 0 0 0 1 0 0 0 1 1\n", 1);
	rows_are("udp 514\n");
}

static void row_twice_is_told_once(void **state)
{
	(void)state;
	feed_of(HEALTH COLUMNS SSH HTTPS SSH, 500);
	assert_int_equal(feed.dropped, 1);
	rows_are("tcp 22\ntcp 443\n");
}

static void row_of_unknown_protocol_is_counted(void **state)
{
	(void)state;
	feed_of(HEALTH COLUMNS SSH NEWER, 500);
	assert_int_equal(feed.dropped, 1);
	rows_are("tcp 22\n");
}

static void row_of_unknown_class_is_not_told(void **state)
{
	(void)state;
	feed_of(HEALTH COLUMNS SSH ROW("tcp", "443", "relayed", "1", "1", "0", "0") "\n"
		ROW("tcp", "*", "service", "1", "1", "0", "0") "\n", 500);
	assert_int_equal(feed.dropped, 0);
	rows_are("tcp 22\n");
}

static void rows_are_filtered(void **state)
{
	static struct portsock_filter filter;
	char ports[] = "443,53";

	(void)state;
	assert_int_equal(portsock_filter_add_ports(&filter, ports, &error), 0);
	assert_int_equal(portsock_feed_init(&feed, 500, 1), 0);
	portsock_feed_begin(&feed);
	assert_int_equal(feed_add(HEALTH COLUMNS SSH HTTPS DOMAIN TCP_TOTAL, &filter), 0);
	portsock_feed_end(&feed);
	assert_int_equal(feed.dropped, 0);
	rows_are("tcp 443\nudp 53\n");
}

static void table_cut_off_adds_nothing(void **state)
{
	(void)state;
	assert_int_equal(portsock_feed_init(&feed, 500, 2), 0);
	portsock_feed_begin(&feed);
	assert_int_equal(feed_add(HEALTH COLUMNS SSH, NULL), 0);
	assert_int_equal(feed_add(HEALTH COLUMNS HTTPS NEWER "tcp 44", NULL), -1);
	assert_non_null(strstr(error.text, "cut off"));
	portsock_feed_end(&feed);
	assert_int_equal(feed.nr_sources, 1);
	assert_int_equal(feed.dropped, 0);
	rows_are("tcp 22\n");
}

static void tables_share_the_limit(void **state)
{
	(void)state;
	assert_int_equal(portsock_feed_init(&feed, 2, 2), 0);
	portsock_feed_begin(&feed);
	assert_int_equal(feed_add(HEALTH COLUMNS CLIENT SSH TCP_TOTAL, NULL), 0);
	assert_int_equal(feed_add(HEALTH COLUMNS HTTPS TCP_TOTAL, NULL), 0);
	portsock_feed_end(&feed);
	assert_int_equal(feed.dropped, 1);
	assert_int_equal(feed.rows[2]->source, 1);
	rows_are("tcp 22\ntcp *\ntcp 443\ntcp *\n");
}

static void numbers_are_those_of_the_table(void **state)
{
	const struct portsock_column *column = &portsock_columns[PORTSOCK_COLUMN_TIME_WAIT];

	(void)state;
	feed_of(HEALTH COLUMNS HTTPS, 500);
	assert_int_equal(feed.sources[0].health[PORTSOCK_KEY_netns], 4026531840);
	assert_int_equal(feed.sources[0].health[PORTSOCK_KEY_port_max], 60999);
	assert_true(portsock_feed_tells(feed.rows[0], column));
	assert_int_equal(portsock_feed_number(feed.rows[0], column), 5);
	assert_false(portsock_feed_tells(feed.rows[0], &portsock_columns[PORTSOCK_COLUMN_PEAK]));
	assert_false(portsock_feed_tells(feed.rows[0], &portsock_columns[PORTSOCK_COLUMN_PORT]));
	portsock_feed_exit(&feed);
}

static void states_are_those_of_the_protocol(void **state)
{
	const struct portsock_column *columns = portsock_columns;

	(void)state;
	feed_of(HEALTH COLUMNS DOMAIN ROW("udp", "54", "service", "2", "2", "1", "0") "\n"
		ROW("sctp", "55", "service", "2", "2", "0", "0") "\n", 500);
	assert_true(portsock_feed_tells(feed.rows[0], &columns[PORTSOCK_COLUMN_CLOSE]));
	assert_false(portsock_feed_tells(feed.rows[0], &columns[PORTSOCK_COLUMN_TIME_WAIT]));
	/* What cannot be is not hidden. */
	assert_true(portsock_feed_tells(feed.rows[1], &columns[PORTSOCK_COLUMN_TIME_WAIT]));
	assert_true(portsock_feed_tells(feed.rows[2], &columns[PORTSOCK_COLUMN_CLOSE_WAIT]));
	assert_false(portsock_feed_tells(feed.rows[2], &columns[PORTSOCK_COLUMN_LAST_ACK]));
	portsock_feed_exit(&feed);
}

/* The module has counted for 12.345 seconds, at whatever moment these are read. */
static void start_time_does_not_jitter(void **state)
{
	time_t before = time(NULL), first;

	(void)state;
	feed_of(HEALTH COLUMNS, 500);
	first = feed.start_time;
	assert_in_range(first, before - 14, before - 12);
	portsock_feed_begin(&feed);
	assert_int_equal(feed_add("portsock 1 exact 1 uptime_ms 11800\n" COLUMNS, NULL), 0);
	assert_int_equal(feed.start_time, first);
	portsock_feed_begin(&feed);
	assert_int_equal(feed_add("portsock 1 exact 1 uptime_ms 2345\n" COLUMNS, NULL), 0);
	assert_in_range(feed.start_time, first + 9, first + 11);
	portsock_feed_exit(&feed);
}

static unsigned int reserved_in(const char *text)
{
	FILE *in = table_open(text);
	unsigned int count = portsock_reserved_count(in, 32768, 60999);

	fclose(in);

	return count;
}

static void reserved_ports_are_counted_in_the_range(void **state)
{
	(void)state;
	assert_int_equal(reserved_in("\n"), 0);
	assert_int_equal(reserved_in("8080,32768,60999,61000\n"), 2);
	assert_int_equal(reserved_in("1-65535\n"), 28232);
	assert_int_equal(reserved_in("32000-32769,40000-40009\n"), 12);
	assert_int_equal(reserved_in("no list"), 0);
}

static void limit_is_a_number(void **state)
{
	unsigned int limit = 7;

	(void)state;
	assert_int_equal(portsock_feed_limit_parse(&limit, "250000", &error), 0);
	assert_int_equal(limit, 250000);
	assert_int_equal(portsock_feed_limit_parse(&limit, "250001", &error), -1);
	assert_string_equal(error.text, "--limit: '250001' is no number from 0 to 250000");
	assert_int_equal(portsock_feed_limit_parse(&limit, "", &error), -1);
	assert_int_equal(portsock_feed_limit_parse(&limit, "-1", &error), -1);
	assert_int_equal(portsock_feed_limit_parse(&limit, "1x", &error), -1);
	assert_int_equal(portsock_feed_limit_parse(&limit, "99999999999999999999", &error), -1);
	assert_int_equal(limit, 250000);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_of_services_and_totals),
		cmocka_unit_test(limit_leaves_listeners_first),
		cmocka_unit_test(limit_of_remote_ports_is_their_own),
		cmocka_unit_test(ends_are_filtered),
		cmocka_unit_test(limit_takes_datagram_servers_for_listeners),
		cmocka_unit_test(row_twice_is_told_once),
		cmocka_unit_test(row_of_unknown_protocol_is_counted),
		cmocka_unit_test(row_of_unknown_class_is_not_told),
		cmocka_unit_test(rows_are_filtered),
		cmocka_unit_test(table_cut_off_adds_nothing),
		cmocka_unit_test(tables_share_the_limit),
		cmocka_unit_test(numbers_are_those_of_the_table),
		cmocka_unit_test(states_are_those_of_the_protocol),
		cmocka_unit_test(start_time_does_not_jitter),
		cmocka_unit_test(reserved_ports_are_counted_in_the_range),
		cmocka_unit_test(limit_is_a_number),
	};

	return cmocka_run_group_tests_name("feed", tests, NULL, NULL);
}
