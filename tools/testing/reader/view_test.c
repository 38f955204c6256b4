// SPDX-License-Identifier: GPL-2.0
#include <stdlib.h>

#include "table.h"
#include "view.h"

static struct portsock_snapshot snapshot;
static struct portsock_error error;
static struct portsock_view view;
static char *text;

/* All rows of @table as text, released by text_free(). */
static const char *text_of(const char *table, struct portsock_view_options options)
{
	FILE *in = snapshot_of(&snapshot, table);

	assert_int_equal(portsock_view_init(&view, &options, &snapshot, &error), 0);
	while (portsock_snapshot_next(&snapshot) == 1)
		assert_int_equal(portsock_view_add(&view, &snapshot, NULL, &error), 0);
	text = portsock_view_text(&view, &error);
	assert_non_null(text);
	portsock_view_exit(&view);
	fclose(in);

	return text;
}

static int text_free(void **state)
{
	(void)state;
	free(text);
	text = NULL;

	return 0;
}

static const char *refusal_of(const char *columns)
{
	struct portsock_view_options options = { .columns = columns };
	FILE *in = snapshot_of(&snapshot, HEALTH COLUMNS);

	assert_int_equal(portsock_view_init(&view, &options, &snapshot, &error), -1);
	portsock_view_exit(&view);
	fclose(in);

	return error.text;
}

static void table_for_people(void **state)
{
	(void)state;
	assert_string_equal(text_of(HEALTH COLUMNS UNBOUND SSH HTTPS DOMAIN TCP_TOTAL,
				    (struct portsock_view_options) { .columns = NULL }),
			    "PROTO PORT SERVICE   SOCKETS ESTAB TIME_W LISTEN OPENED\n"
			    "tcp      0 unbound         1     -      -      -      7\n"
			    "tcp     22 ssh             3     2      -      1      7\n"
			    "tcp    443 https          11    10      5      1      7\n"
			    "udp     53 domain          2     2      -      -      7\n"
			    "tcp      * ephemeral       9     8      4      -      7\n"
			    "total                     26    22      9      2     28\n");
}

static void table_numeric_shows_classes(void **state)
{
	(void)state;
	assert_string_equal(text_of(HEALTH COLUMNS SSH TCP_TOTAL, (struct portsock_view_options) { .numeric = true }),
			    "PROTO PORT CLASS     SOCKETS ESTAB TIME_W LISTEN OPENED\n"
			    "tcp     22 service         3     2      -      1      7\n"
			    "tcp      * ephemeral       9     8      4      -      7\n"
			    "total                     12    10      4      1     14\n");
}

static void table_singles_are_not_counted_twice(void **state)
{
	(void)state;
	assert_string_equal(text_of(HEALTH COLUMNS SSH TCP_TOTAL TCP_40001 TCP_40002,
				    (struct portsock_view_options) { .singles = true }),
			    "PROTO  PORT SERVICE   SOCKETS ESTAB TIME_W LISTEN OPENED\n"
			    "tcp      22 ssh             3     2      -      1      7\n"
			    "tcp       * ephemeral       9     8      4      -      7\n"
			    "tcp   40001 ephemeral       4     4      -      -      7\n"
			    "tcp   40002 ephemeral       5     4      4      -      7\n"
			    "total                      12    10      4      1     21\n");
}

static void table_without_rows(void **state)
{
	(void)state;
	assert_string_equal(text_of(HEALTH COLUMNS, (struct portsock_view_options) { .columns = NULL }),
			    "PROTO PORT SERVICE SOCKETS OPENED\n"
			    "total                    0      0\n");
}

/* What was folded is past: its history adds up, the ports are not there any more. */
static void table_folded_adds_its_counters_only(void **state)
{
	static const char table[] = HEALTH COLUMNS SSH TCP_TOTAL TCP_FOLDED TCP_40001 TCP_40002;

	(void)state;
	assert_non_null(strstr(text_of(table, (struct portsock_view_options) { .columns = "+ports", .singles = true }),
			       "tcp       * folded          -     -      -      -      7   600\n"
			       "tcp   40001 ephemeral       4     4      -      -      7     1\n"
			       "tcp   40002 ephemeral       5     4      4      -      7     1\n"
			       "total                      12    10      4      1     28     3\n"));
	text_free(NULL);
	assert_non_null(strstr(text_of(HEALTH COLUMNS UNBOUND SSH TCP_TOTAL TCP_FOLDED,
				       (struct portsock_view_options) { .columns = "+ports" }),
			       "total                     13    10      4      1     21     3\n"));
}

static void table_columns_asked_for(void **state)
{
	(void)state;
	assert_string_equal(text_of(HEALTH COLUMNS SSH TCP_TOTAL,
				    (struct portsock_view_options) { .columns = "LISTEN,port,service,port,Estab" }),
			    "LISTEN PORT SERVICE ESTAB\n"
			    "     1   22 ssh         2\n"
			    "     0    *             8\n");
}

static void table_columns_in_addition(void **state)
{
	(void)state;
	assert_string_equal(text_of(HEALTH COLUMNS SSH, (struct portsock_view_options) { .columns = "+peak,closed" }),
			    "PROTO PORT SERVICE SOCKETS ESTAB LISTEN OPENED PEAK CLOSED\n"
			    "tcp     22 ssh           3     2      1      7    3      4\n"
			    "total                    3     2      1      7           4\n");

	text_free(NULL);
	text_of(HEALTH COLUMNS SSH, (struct portsock_view_options) { .columns = "+opened,time_wait" });
	assert_non_null(strstr(text, "ESTAB TIME_W LISTEN OPENED\n"));
}

static void table_columns_unknown_are_refused(void **state)
{
	(void)state;
	assert_string_equal(refusal_of("port,colour"),
			    "--output: the table has no column 'colour' (valid: service " NAMES ")");
	assert_string_equal(refusal_of(""), "--output: the table has no column '' (valid: service " NAMES ")");
	assert_string_equal(refusal_of("+"), "--output: the table has no column '' (valid: service " NAMES ")");
}

static void table_too_wide_sheds_opened(void **state)
{
	static const char table[] = HEALTH COLUMNS SSH;

	(void)state;
	assert_non_null(strstr(text_of(table, (struct portsock_view_options) { .width = 46 }), "OPENED"));
	text_free(NULL);
	assert_null(strstr(text_of(table, (struct portsock_view_options) { .width = 45 }), "OPENED"));
	text_free(NULL);
	assert_non_null(strstr(text_of(table, (struct portsock_view_options) { .width = 45, .columns = "+opened" }),
			       "OPENED"));
}

static void table_sum_stops_at_the_end_of_u64(void **state)
{
	(void)state;
	assert_string_equal(text_of(HEALTH COLUMNS
				    ROW("tcp", "1", "service", "18446744073709551615", "0", "0", "0") "\n"
				    ROW("tcp", "2", "unbound", "1", "0", "0", "0") "\n",
				    (struct portsock_view_options) { .numeric = true }),
			    "PROTO PORT CLASS                SOCKETS OPENED\n"
			    "tcp      1 service 18446744073709551615      7\n"
			    "tcp      2 unbound                    1      7\n"
			    "total              18446744073709551615      7\n");
}

static void table_unknown_columns_stand_as_they_are(void **state)
{
	(void)state;
	assert_string_equal(text_of(HEALTH NAMES " backlog comm\n"
				    ROW("tcp", "22", "service", "3", "2", "0", "1") " 0 a b\n",
				    (struct portsock_view_options) { .columns = "backlog,comm" }),
			    "BACKLOG COMM\n"
			    "      0 a b\n");
}

static void table_of_an_older_module(void **state)
{
	(void)state;
	assert_string_equal(text_of(HEALTH "proto port class sockets listen\ntcp 22 service 3 1\n",
				    (struct portsock_view_options) { .columns = NULL }),
			    "PROTO PORT SERVICE SOCKETS LISTEN\n"
			    "tcp     22 ssh           3      1\n"
			    "total                    3      1\n");
	text_free(NULL);
	assert_string_equal(text_of(HEALTH "proto port class\ntcp 22 service\n",
				    (struct portsock_view_options) { .columns = NULL }),
			    "PROTO PORT SERVICE\n"
			    "tcp     22 ssh\n"
			    "total      \n");
	assert_string_equal(refusal_of("port,comm"), "--output: the table has no column 'comm' (valid: service " NAMES ")");
}

static void table_of_a_newer_module(void **state)
{
	static const char table[] = HEALTH NAMES " drops comm\n"
		ROW("tcp", "22", "service", "3", "2", "-", "1") " 5 a b\n"
		ROW("tcp", "443", "relayed", "9", "9", "0", "0") " - -\n"
		ROW("quic", "443", "service", "1", "1", "0", "0") " 0 c\n";

	(void)state;
	assert_string_equal(text_of(table, (struct portsock_view_options) { .columns = "+drops,comm" }),
			    "PROTO PORT SERVICE SOCKETS ESTAB LISTEN OPENED DROPS COMM\n"
			    "tcp     22 ssh           3     2      1      7     5 a b\n"
			    "tcp    443 relayed       9     9      -      7     - -\n"
			    "quic   443               1     1      -      7     0 c\n"
			    "total                    4     3      1     14       \n");
}

#define DEEP		HEALTH NAMES DEPTH_NAMES "\n"
#define NO_DEPTH	" - - - - - -\n"
#define DEEP_SSH(depth)	ROW("tcp", "22", "service", "3", "2", "0", "1") " " depth " - -\n"
#define DEEP_DNS(depth)	ROW("udp", "53", "service", "2", "2", "0", "0") " - - - - " depth "\n"

static void table_queues_are_there_when_something_is_in_them(void **state)
{
	static const struct portsock_view_options people = { .columns = NULL };

	(void)state;
	assert_string_equal(text_of(DEEP DEEP_SSH("0 128 9 0") DEEP_DNS("0 0"), people),
			    "PROTO PORT SERVICE SOCKETS ESTAB LISTEN OPENED\n"
			    "tcp     22 ssh           3     2      1      7\n"
			    "udp     53 domain        2     2      -      7\n"
			    "total                    5     4      1     14\n");
	text_free(NULL);
	assert_string_equal(text_of(DEEP DEEP_SSH("5 128 9 0") DEEP_DNS("0 0"), people),
			    "PROTO PORT SERVICE SOCKETS ESTAB LISTEN BACKLOG BL_MAX OPENED\n"
			    "tcp     22 ssh           3     2      1       5    128      7\n"
			    "udp     53 domain        2     2      -       -      -      7\n"
			    "total                    5     4      1       5    128     14\n");
	text_free(NULL);
	assert_string_equal(text_of(DEEP DEEP_SSH("0 128 9 4") DEEP_DNS("768 3"), people),
			    "PROTO PORT SERVICE SOCKETS ESTAB LISTEN L_DROPS RCV_Q R_DROPS OPENED\n"
			    "tcp     22 ssh           3     2      1       4     -       -      7\n"
			    "udp     53 domain        2     2      -       -   768       3      7\n"
			    "total                    5     4      1       4   768       3     14\n");
	text_free(NULL);
	assert_non_null(strstr(text_of(DEEP DEEP_SSH("0 128 9 0"),
				       (struct portsock_view_options) { .columns = "+backlog_max,listen_drops" }),
			       "LISTEN BL_MAX L_DROPS OPENED\n"));
}

static void table_failures_are_there_when_there_were_any(void **state)
{
#define FAILING(ends) HEALTH NAMES DEPTH_NAMES END_NAMES "\n" ROW("tcp", "22", "service", "3", "2", "0", "1") " 0 128 0 0 - - " ends "\n"
	static const struct portsock_view_options people = { .columns = NULL };
	static const char * const headings[] = {
		"C_REFUSED", "C_TIMEOUT", "C_UNREACH", "C_GIVENUP", "C_KILLED", "C_NOPORT", "RESETS", "TIMEOUTS", "ABORTS", "RETRANS",
	};
	char table[1024], wanted[128], ends[32];
	size_t i;

	(void)state;
	assert_string_equal(text_of(FAILING("0 0 0 0 0 - 0 0 0 0"), people),
			    "PROTO PORT SERVICE SOCKETS ESTAB LISTEN OPENED\n"
			    "tcp     22 ssh           3     2      1      7\n"
			    "total                    3     2      1      7\n");
	for (i = 0; i < sizeof(headings) / sizeof(*headings); i++) {
		text_free(NULL);
		strcpy(ends, "0 0 0 0 0 - 0 0 0 0");
		ends[2 * i] = '8';
		snprintf(table, sizeof(table), FAILING("%s"), ends);
		snprintf(wanted, sizeof(wanted), "LISTEN %s OPENED\n", headings[i]);
		assert_non_null(strstr(text_of(table, people), wanted));
		assert_non_null(strstr(text, " 8      7\n"));
	}
}

/* Single ephemeral rows do not tell what their total does. */
static void table_sum_is_of_answers(void **state)
{
	static const char table[] = DEEP DEEP_DNS("0 3")
		ROW("udp", "*", "ephemeral", "9", "8", "4", "0") " - - - - - 5\n"
		ROW("udp", "*", "folded", "0", "0", "0", "0") " - - - - - 7\n"
		ROW("udp", "40001", "ephemeral", "9", "8", "4", "0") NO_DEPTH;

	(void)state;
	text_of(table, (struct portsock_view_options) { .singles = true, .columns = "+backlog" });
	assert_non_null(strstr(text, "\ntotal                      11    10      4       -      15     21\n"));
	text_free(NULL);
	assert_non_null(strstr(text_of(DEEP DEEP_DNS("0 3"), (struct portsock_view_options) { .columns = "+rcv_queue" }),
			       "\ntotal                    2     2     0       3      7\n"));
}

static void table_tells_0_from_no_answer(void **state)
{
	(void)state;
	assert_string_equal(text_of(DEEP DEEP_SSH("0 128 0 0") DEEP_DNS("0 0"),
				    (struct portsock_view_options) { .columns = "port,backlog,rcv_queue" }),
			    "PORT BACKLOG RCV_Q\n"
			    "  22       0     -\n"
			    "  53       -     0\n");
	text_free(NULL);
	assert_string_equal(text_of(DEEP DEEP_SSH("0 128 0 0") DEEP_DNS("0 0"),
				    (struct portsock_view_options) { .columns = "port", .sort = "backlog:desc" }),
			    "PORT\n  22\n  53\n");
}

#define OWNED(uid, comm) HEALTH NAMES " uid comm\n" ROW("tcp", "22", "service", "3", "2", "0", "1") " " uid " " comm "\n" \
	ROW("tcp", "*", "ephemeral", "9", "8", "0", "0") " - -\n"

static void table_has_owners_where_there_is_room(void **state)
{
	static const char without[] =
		"PROTO PORT SERVICE   SOCKETS ESTAB LISTEN OPENED\n"
		"tcp     22 ssh             3     2      1      7\n"
		"tcp      * ephemeral       9     8      -      7\n"
		"total                     12    10      1     14\n";

	(void)state;
	assert_string_equal(text_of(OWNED("0", "my sshd"), (struct portsock_view_options) { .width = 61 }),
			    "PROTO PORT SERVICE   USER COMM    SOCKETS ESTAB LISTEN OPENED\n"
			    "tcp     22 ssh       root my sshd       3     2      1      7\n"
			    "tcp      * ephemeral -    -             9     8      -      7\n"
			    "total                                  12    10      1     14\n");
	text_free(NULL);
	assert_string_equal(text_of(OWNED("0", "my sshd"), (struct portsock_view_options) { .width = 60 }), without);
	text_free(NULL);
	assert_string_equal(text_of(OWNED("-", "-"), (struct portsock_view_options) { .width = 100 }), without);
	text_free(NULL);
	assert_string_equal(text_of(OWNED("0", "my sshd"), (struct portsock_view_options) { .columns = NULL }), without);
}

static void table_owners_have_names_unless_numeric(void **state)
{
	(void)state;
	assert_string_equal(text_of(OWNED("0", "sshd"), (struct portsock_view_options) { .columns = "uid" }),
			    "USER\nroot\n-\n");
	text_free(NULL);
	assert_string_equal(text_of(OWNED("0", "sshd"), (struct portsock_view_options) { .columns = "uid", .numeric = true }),
			    "USER\n   0\n   -\n");
	text_free(NULL);
	assert_non_null(strstr(text_of(OWNED("0", "sshd"), (struct portsock_view_options) { .columns = "uid", .json = true }),
			       "\"uid\": 0\n"));
	text_free(NULL);
	assert_string_equal(text_of(OWNED("4000000001", "sshd"), (struct portsock_view_options) { .columns = "uid" }),
			    "USER\n4000000001\n-\n");
}

static void json_has_health_and_all_columns(void **state)
{
	(void)state;
	assert_string_equal(text_of("portsock 1 exact 0 missed 3 kernel 6.1\n" NAMES " backlog owner\n"
				    ROW("tcp", "443", "service", "3", "2", "0", "1") " 128 root\n",
				    (struct portsock_view_options) { .json = true }),
			    "{\n   \"portsock\": {\n      \"format\": 1,\n      \"exact\": false,\n"
			    "      \"missed\": 3,\n      \"kernel\": \"6.1\"\n   },\n"
			    "   \"rows\": [\n      {\n"
			    "         \"proto\": \"tcp\",\n         \"port\": 443,\n         \"service\": \"https\",\n"
			    "         \"class\": \"service\",\n         \"sockets\": 3,\n         \"ipv6\": 0,\n"
			    "         \"established\": 2,\n         \"syn_sent\": 0,\n         \"syn_recv\": 0,\n"
			    "         \"fin_wait1\": 0,\n         \"fin_wait2\": 0,\n         \"time_wait\": 0,\n"
			    "         \"close\": 0,\n         \"close_wait\": 0,\n         \"last_ack\": 0,\n"
			    "         \"listen\": 1,\n         \"closing\": 0,\n         \"opened\": 7,\n"
			    "         \"accepted\": 6,\n         \"connected\": 5,\n         \"closed\": 4,\n"
			    "         \"peak\": 3,\n         \"ports\": 1,\n         \"backlog\": 128,\n         \"owner\": \"root\"\n"
			    "      }\n   ]\n}\n");
}

static void json_total_has_no_port(void **state)
{
	(void)state;
	text_of(HEALTH COLUMNS TCP_TOTAL,
		(struct portsock_view_options) { .json = true, .columns = "port,service,class" });
	assert_non_null(strstr(text, "      {\n         \"port\": null,\n         \"service\": null,\n"
			       "         \"class\": \"ephemeral\"\n      }\n"));
}

static void json_number_that_cannot_be_is_null(void **state)
{
	(void)state;
	text_of(HEALTH NAMES " pid comm\n"
		ROW("tcp", "22", "service", "3", "2", "0", "1") " - -\n"
		ROW("tcp", "80", "service", "3", "2", "0", "1") " 5 x\n"
		ROW("tcp", "*", "ephemeral", "3", "2", "0", "1") " - *\n",
		(struct portsock_view_options) { .json = true, .columns = "pid,comm" });
	assert_non_null(strstr(text, "      {\n         \"pid\": null,\n         \"comm\": null\n"
			       "      },{\n         \"pid\": 5,\n         \"comm\": \"x\"\n"
			       "      },{\n         \"pid\": null,\n         \"comm\": \"*\"\n"));
}

static void json_histogram_is_an_array(void **state)
{
	(void)state;
	text_of(HEALTH NAMES " lifetime_log2\n"
		ROW("tcp", "22", "service", "3", "2", "0", "1") " " HISTOGRAM("3", "0", "18446744073709551615") "\n"
		ROW("tcp", "80", "service", "3", "2", "0", "1") " -\n",
		(struct portsock_view_options) { .json = true, .columns = "lifetime_log2" });
	assert_non_null(strstr(text, "\"lifetime_log2\": [" HISTOGRAM("3", "0", "18446744073709551615") "]\n"
			       "      },{\n         \"lifetime_log2\": null\n"));
}

static void json_numeric_has_no_service(void **state)
{
	(void)state;
	text_of(HEALTH COLUMNS SSH, (struct portsock_view_options) { .json = true, .numeric = true });
	assert_non_null(strstr(text, "\"port\": 22,\n         \"class\": \"service\""));
}

#define VIEW_TEST(name) cmocka_unit_test_teardown(name, text_free)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		VIEW_TEST(table_for_people),
		VIEW_TEST(table_numeric_shows_classes),
		VIEW_TEST(table_singles_are_not_counted_twice),
		VIEW_TEST(table_without_rows),
		VIEW_TEST(table_folded_adds_its_counters_only),
		VIEW_TEST(table_columns_asked_for),
		VIEW_TEST(table_columns_in_addition),
		VIEW_TEST(table_columns_unknown_are_refused),
		VIEW_TEST(table_too_wide_sheds_opened),
		VIEW_TEST(table_sum_stops_at_the_end_of_u64),
		VIEW_TEST(table_unknown_columns_stand_as_they_are),
		VIEW_TEST(table_of_an_older_module),
		VIEW_TEST(table_of_a_newer_module),
		VIEW_TEST(table_queues_are_there_when_something_is_in_them),
		VIEW_TEST(table_failures_are_there_when_there_were_any),
		VIEW_TEST(table_sum_is_of_answers),
		VIEW_TEST(table_tells_0_from_no_answer),
		VIEW_TEST(table_has_owners_where_there_is_room),
		VIEW_TEST(table_owners_have_names_unless_numeric),
		VIEW_TEST(json_has_health_and_all_columns),
		VIEW_TEST(json_total_has_no_port),
		VIEW_TEST(json_number_that_cannot_be_is_null),
		VIEW_TEST(json_histogram_is_an_array),
		VIEW_TEST(json_numeric_has_no_service),
	};

	return cmocka_run_group_tests_name("view", tests, NULL, NULL);
}
