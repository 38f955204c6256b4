// SPDX-License-Identifier: GPL-2.0
#include <errno.h>

#include "table.h"

static struct portsock_snapshot snapshot;

/* What portsock_snapshot_next() says about @row, which comes third. */
static const char *row_refusal(const char *row)
{
	char text[2 * PORTSOCK_LINE_MAX];
	FILE *in;

	snprintf(text, sizeof(text), "%s%s", HEALTH COLUMNS, row);
	in = snapshot_of(&snapshot, text);
	assert_int_equal(portsock_snapshot_next(&snapshot), -1);
	fclose(in);

	return snapshot.error.text;
}

static void health_of_line_one(void **state)
{
	FILE *in = snapshot_of(&snapshot, "portsock 1 netns 7 exact 0 missed 12 repaired 11 untracked 3 uptime_ms 9 "
			       "port_min 1024 port_max 65535\n" COLUMNS);

	(void)state;
	assert_int_equal(portsock_snapshot_health(&snapshot, "netns"), 7);
	assert_int_equal(portsock_snapshot_health(&snapshot, "exact"), 0);
	assert_int_equal(portsock_snapshot_health(&snapshot, "missed"), 12);
	assert_int_equal(portsock_snapshot_health(&snapshot, "repaired"), 11);
	assert_int_equal(portsock_snapshot_health(&snapshot, "untracked"), 3);
	assert_int_equal(portsock_snapshot_health(&snapshot, "uptime_ms"), 9);
	assert_int_equal(portsock_snapshot_health(&snapshot, "port_min"), 1024);
	assert_int_equal(portsock_snapshot_health(&snapshot, "port_max"), 65535);
	assert_int_equal(portsock_snapshot_next(&snapshot), 0);
	fclose(in);
}

static void health_keys_unknown_are_kept(void **state)
{
	FILE *in = snapshot_of(&snapshot, "portsock 1 kernel 6.1.0-18 exact 1 mood 5\n" COLUMNS);

	(void)state;
	assert_int_equal(snapshot.nr_pairs, 3);
	assert_string_equal(snapshot.pairs[0].key, "kernel");
	assert_string_equal(snapshot.pairs[0].value.text, "6.1.0-18");
	assert_false(snapshot.pairs[0].value.is_number);
	assert_int_equal(portsock_snapshot_health(&snapshot, "mood"), 5);
	assert_int_equal(portsock_snapshot_health(&snapshot, "missed"), 0);
	fclose(in);
}

static void health_garbage_is_refused(void **state)
{
	(void)state;
	assert_string_equal(table_refusal("portsock 1 exact 1 missed\n"), "T: line 1: 'missed' has no value");
	assert_string_equal(table_refusal("portsock 1 exact 1 missed x\n"), "T: line 1: missed 'x' is not a number");
	assert_string_equal(table_refusal("portsock 1 exact 1 port_max -\n"), "T: line 1: port_max '-' is not a number");
	assert_string_equal(table_refusal("portsock 1 exact 1 exact 0\n"), "T: line 1: 'exact' is there twice");
	assert_string_equal(table_refusal("portsock 1 exact 2\n"), "T: line 1: 'exact 0' or 'exact 1' is missing");
	assert_string_equal(table_refusal("portsock 1 missed 0\n"), "T: line 1: 'exact 0' or 'exact 1' is missing");
	assert_string_equal(table_refusal("portsock 1 exact 1 a \"\n"), "T: line 1: 'a \"' is garbage");
}

static void format_other_is_refused(void **state)
{
	(void)state;
	assert_string_equal(table_refusal("portsock 2 exact 1\n" COLUMNS),
			    "T: line 1: format 2 is newer than this reader (1): update portsock");
	assert_string_equal(table_refusal("portsock 0 exact 1\n" COLUMNS),
			    "T: line 1: format '0' is not a number from 1");
	assert_string_equal(table_refusal("portsock one exact 1\n" COLUMNS),
			    "T: line 1: format 'one' is not a number from 1");
	assert_string_equal(table_refusal("portsock\n" COLUMNS), "T: line 1: the format number is missing");
}

static void file_of_something_else_is_refused(void **state)
{
	(void)state;
	assert_string_equal(table_refusal(""), "T: empty: not a portsock table");
	assert_string_equal(table_refusal("root:x:0:0\n"),
			    "T: line 1: not a portsock table: begins with 'root:x:0:0' instead of 'portsock 1'");
	assert_string_equal(table_refusal("\n"),
			    "T: line 1: not a portsock table: begins with '' instead of 'portsock 1'");
	assert_string_equal(table_refusal("\033[31mred\n"),
			    "T: line 1: not a portsock table: begins with '?[31mred' instead of 'portsock 1'");
}

static void file_cut_off_is_refused(void **state)
{
	(void)state;
	assert_string_equal(table_refusal("portsock 1 exact 1"),
			    "T: line 1: cut off: the table is not complete, capture it again");
	assert_string_equal(table_refusal(HEALTH), "T: line 2: the column names are missing");
	assert_string_equal(table_refusal(HEALTH "\n" SSH), "T: line 2: the column names are missing");
	assert_string_equal(table_refusal(HEALTH NAMES),
			    "T: line 2: cut off: the table is not complete, capture it again");
	assert_string_equal(row_refusal(ROW("tcp", "22", "service", "3", "2", "0", "1")),
			    "T: line 3: cut off: the table is not complete, capture it again");
}

static void line_overlong_is_refused(void **state)
{
	char row[PORTSOCK_LINE_MAX + 100] = "tcp";

	(void)state;
	memset(row + 3, ' ', sizeof(row) - 5);
	row[sizeof(row) - 2] = '\n';
	row[sizeof(row) - 1] = '\0';
	assert_string_equal(row_refusal(row),
			    "T: line 3: longer than 4094 bytes or not text: not a portsock table");
}

static void line_longest_is_read(void **state)
{
	char text[2 * PORTSOCK_LINE_MAX] = HEALTH COLUMNS ROW("tcp", "22", "service", "3", "2", "0", "1");
	const char *row = strstr(text, "tcp ");
	size_t length = strlen(row);
	char *end = strchr(text, '\0');
	FILE *in;

	(void)state;
	memset(end, ' ', PORTSOCK_LINE_MAX - 2 - length);
	strcpy(end + PORTSOCK_LINE_MAX - 2 - length, "\n");
	in = snapshot_of(&snapshot, text);
	assert_int_equal(portsock_snapshot_next(&snapshot), 1);
	assert_int_equal(cell_of(&snapshot, "peak")->number, 3);
	assert_int_equal(portsock_snapshot_next(&snapshot), 0);
	fclose(in);
}

static void columns_missing_or_double_are_refused(void **state)
{
	(void)state;
	assert_string_equal(table_refusal(HEALTH "proto class sockets ipv6 " STATES "\n"),
			    "T: line 2: column 'port' is missing");
	assert_string_equal(table_refusal(HEALTH "proto port sockets\n"), "T: line 2: column 'class' is missing");
	assert_string_equal(table_refusal(HEALTH NAMES " port\n"), "T: line 2: column 'port' is there twice");
	assert_string_equal(table_refusal(HEALTH NAMES " a\"b\n"), "T: line 2: column 'a\"b' is garbage");
}

static void columns_too_many_are_refused(void **state)
{
	char text[PORTSOCK_LINE_MAX] = HEALTH NAMES;
	int i;

	(void)state;
	for (i = 0; i < PORTSOCK_CELLS_MAX; i++)
		snprintf(strchr(text, '\0'), 8, " x%d", i);
	strcat(text, "\n");
	assert_string_equal(table_refusal(text), "T: line 2: more than 128 columns");
}

static void row_is_read_by_name(void **state)
{
	FILE *in = snapshot_of(&snapshot, HEALTH COLUMNS HTTPS DOMAIN);

	(void)state;
	assert_int_equal(portsock_snapshot_next(&snapshot), 1);
	assert_string_equal(snapshot.cells[snapshot.proto].text, "tcp");
	assert_string_equal(snapshot.cells[snapshot.class].text, "service");
	assert_int_equal(snapshot.cells[snapshot.port].number, 443);
	assert_int_equal(cell_of(&snapshot, "sockets")->number, 11);
	assert_int_equal(cell_of(&snapshot, "established")->number, 10);
	assert_int_equal(cell_of(&snapshot, "time_wait")->number, 5);
	assert_int_equal(cell_of(&snapshot, "listen")->number, 1);
	assert_int_equal(cell_of(&snapshot, "opened")->number, 7);
	assert_int_equal(cell_of(&snapshot, "peak")->number, 3);
	assert_int_equal(portsock_snapshot_next(&snapshot), 1);
	assert_string_equal(snapshot.cells[snapshot.proto].text, "udp");
	assert_int_equal(snapshot.cells[snapshot.port].number, 53);
	assert_int_equal(portsock_snapshot_next(&snapshot), 0);
	fclose(in);
}

static void row_of_columns_shuffled(void **state)
{
	FILE *in = snapshot_of(&snapshot, HEALTH "peak listen closed class " "established syn_sent syn_recv fin_wait1 "
			       "fin_wait2 time_wait close close_wait last_ack closing sockets\topened accepted "
			       "connected ipv6 ports port proto\n"
			       "1 2 3 service 4 5 6 7 8 9 10 11 12 13 14 \t 15 16 17 18 19 443 tcp\n");

	(void)state;
	assert_int_equal(portsock_snapshot_next(&snapshot), 1);
	assert_string_equal(snapshot.cells[snapshot.proto].text, "tcp");
	assert_int_equal(snapshot.cells[snapshot.port].number, 443);
	assert_string_equal(snapshot.cells[snapshot.class].text, "service");
	assert_int_equal(cell_of(&snapshot, "listen")->number, 2);
	assert_int_equal(cell_of(&snapshot, "sockets")->number, 14);
	assert_int_equal(cell_of(&snapshot, "ipv6")->number, 18);
	fclose(in);
}

static void row_with_unknown_columns(void **state)
{
	FILE *in = snapshot_of(&snapshot, HEALTH NAMES " backlog owner\n"
			       ROW("tcp", "22", "service", "3", "2", "0", "1") " 128 root\n");

	(void)state;
	assert_int_equal(portsock_snapshot_next(&snapshot), 1);
	assert_int_equal(cell_of(&snapshot, "peak")->number, 3);
	assert_int_equal(cell_of(&snapshot, "backlog")->number, 128);
	assert_string_equal(cell_of(&snapshot, "owner")->text, "root");
	assert_false(cell_of(&snapshot, "owner")->is_number);
	fclose(in);
}

/* The first module there was had fewer columns. */
static void row_of_an_older_table(void **state)
{
	FILE *in = snapshot_of(&snapshot, HEALTH "proto port class sockets listen\n" "tcp 22 service 3 1\n");

	(void)state;
	assert_int_equal(portsock_snapshot_next(&snapshot), 1);
	assert_int_equal(cell_of(&snapshot, "listen")->number, 1);
	assert_int_equal(portsock_snapshot_next(&snapshot), 0);
	fclose(in);
}

static void row_number_without_an_answer(void **state)
{
	FILE *in = snapshot_of(&snapshot, HEALTH COLUMNS ROW("tcp", "22", "service", "3", "2", "-", "1") "\n");

	(void)state;
	assert_int_equal(portsock_snapshot_next(&snapshot), 1);
	assert_false(cell_of(&snapshot, "time_wait")->is_number);
	assert_int_equal(cell_of(&snapshot, "time_wait")->number, 0);
	fclose(in);
}

static void row_of_a_class_unknown(void **state)
{
	FILE *in = snapshot_of(&snapshot, HEALTH COLUMNS SSH ROW("tcp", "443", "relayed", "3", "2", "0", "1") "\n" TCP_FOLDED);

	(void)state;
	assert_int_equal(portsock_snapshot_next(&snapshot), 1);
	assert_true(portsock_snapshot_knows(&snapshot));
	assert_int_equal(portsock_snapshot_next(&snapshot), 1);
	assert_false(portsock_snapshot_knows(&snapshot));
	assert_false(portsock_snapshot_is_single(&snapshot));
	assert_int_equal(portsock_snapshot_next(&snapshot), 1);
	assert_true(portsock_snapshot_knows(&snapshot));
	fclose(in);
}

static void row_comm_takes_the_rest(void **state)
{
	FILE *in = snapshot_of(&snapshot, HEALTH NAMES " comm\n"
			       ROW("tcp", "22", "service", "3", "2", "0", "1") " tmux: \"ser\\v\033r\303\251\n");

	(void)state;
	assert_int_equal(portsock_snapshot_next(&snapshot), 1);
	assert_string_equal(cell_of(&snapshot, "comm")->text, "tmux: \"ser\\v?r??");
	fclose(in);
}

static void row_of_another_length_is_refused(void **state)
{
	(void)state;
	assert_string_equal(row_refusal("tcp 22 service 3\n"), "T: line 3: 4 values for 22 columns");
	assert_string_equal(row_refusal("\n"), "T: line 3: 0 values for 22 columns");
	assert_string_equal(row_refusal(ROW("tcp", "22", "service", "3", "2", "0", "1") " 9\n"),
			    "T: line 3: more values than the 22 columns");
}

#define WANT(column)	portsock_column_bit(&portsock_columns[PORTSOCK_COLUMN_##column])

/* Cells that nobody looks at may be anything; behind the last one that is wanted nobody counts them. */
static void row_is_passed_over_where_nobody_looks(void **state)
{
	FILE *in = snapshot_of(&snapshot, HEALTH "proto sockets class ipv6 odd\tport opened closed comm\n"
			       "tcp 3  service 0x1 \"?\t22 18446744073709551615 x\n" "tcp 4 service - - 23 5 6 a b\n");

	(void)state;
	portsock_snapshot_want(&snapshot, WANT(SOCKETS) | WANT(OPENED));
	assert_int_equal(portsock_snapshot_next(&snapshot), 1);
	assert_int_equal(cell_of(&snapshot, "sockets")->number, 3);
	assert_string_equal(cell_of(&snapshot, "class")->text, "service");
	assert_int_equal(cell_of(&snapshot, "port")->number, 22);
	assert_true(cell_of(&snapshot, "opened")->number == UINT64_MAX);
	assert_string_equal(cell_of(&snapshot, "ipv6")->text, "-");
	assert_false(cell_of(&snapshot, "ipv6")->is_number);
	assert_string_equal(cell_of(&snapshot, "odd")->text, "-");
	assert_string_equal(cell_of(&snapshot, "closed")->text, "-");
	assert_string_equal(cell_of(&snapshot, "comm")->text, "-");
	assert_int_equal(portsock_snapshot_next(&snapshot), 1);
	assert_int_equal(cell_of(&snapshot, "opened")->number, 5);
	fclose(in);
}

static void row_is_checked_where_somebody_looks(void **state)
{
	FILE *in = snapshot_of(&snapshot, HEALTH COLUMNS "tcp 22 service x\n" "tcp 22 service\n");

	(void)state;
	portsock_snapshot_want(&snapshot, WANT(SOCKETS));
	assert_int_equal(portsock_snapshot_next(&snapshot), -1);
	assert_string_equal(snapshot.error.text, "T: line 3: sockets 'x' is not a 64-bit number");
	assert_int_equal(portsock_snapshot_next(&snapshot), -1);
	assert_string_equal(snapshot.error.text, "T: line 4: 3 values for 22 columns");
	fclose(in);
}

static void row_number_u64_max(void **state)
{
	FILE *in = snapshot_of(&snapshot, HEALTH COLUMNS
			       ROW("tcp", "65535", "service", "18446744073709551615", "0", "0", "0") "\n");

	(void)state;
	assert_int_equal(portsock_snapshot_next(&snapshot), 1);
	assert_true(cell_of(&snapshot, "sockets")->number == UINT64_MAX);
	assert_int_equal(snapshot.cells[snapshot.port].number, 65535);
	fclose(in);
}

static void row_number_bad_is_refused(void **state)
{
	static const char * const bad[] = { "18446744073709551616", "-1", "+1", "0x10", "1e3", "1.5", "007", "*", "x" };
	char row[400], message[200];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		snprintf(row, sizeof(row), "tcp 22 service %s 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0\n", bad[i]);
		snprintf(message, sizeof(message), "T: line 3: sockets '%s' is not a 64-bit number", bad[i]);
		assert_string_equal(row_refusal(row), message);
	}
}

static void row_histogram_is_a_list(void **state)
{
	static const char * const bad[] = { "1,2", "7", "x", HISTOGRAM("1", "2", "3,4"), HISTOGRAM("1", "", "3"), HISTOGRAM("1", "-2", "3"),
					    HISTOGRAM("1", "02", "3"), HISTOGRAM("1", "2", "18446744073709551616"), HISTOGRAM("1", "2", "3,") };
	uint64_t numbers[PORTSOCK_HISTOGRAM_NR];
	char text[600];
	FILE *in;
	size_t i;

	(void)state;
	in = snapshot_of(&snapshot, HEALTH "proto port class lifetime_log2\n" "tcp 22 service " HISTOGRAM("1", "0", "18446744073709551615")
			 "\n" "tcp 80 service -\n");
	assert_int_equal(portsock_snapshot_next(&snapshot), 1);
	assert_int_equal(portsock_histogram_parse(numbers, cell_of(&snapshot, "lifetime_log2")->text), 0);
	assert_int_equal(numbers[0], 1);
	assert_int_equal(numbers[26], 0);
	assert_true(numbers[27] == UINT64_MAX);
	assert_int_equal(portsock_snapshot_next(&snapshot), 1);
	assert_int_equal(portsock_histogram_parse(numbers, cell_of(&snapshot, "lifetime_log2")->text), -1);
	fclose(in);
	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		snprintf(text, sizeof(text), HEALTH "proto port class lifetime_log2\n" "tcp 22 service %s\n", bad[i]);
		in = snapshot_of(&snapshot, text);
		assert_int_equal(portsock_snapshot_next(&snapshot), -1);
		assert_non_null(strstr(snapshot.error.text, "is not a list of 28 numbers"));
		fclose(in);
	}
}

static void row_port_bad_is_refused(void **state)
{
	(void)state;
	assert_string_equal(row_refusal(ROW("tcp", "65536", "service", "3", "2", "0", "1") "\n"),
			    "T: line 3: port '65536' is neither 0-65535 nor '*'");
	assert_string_equal(row_refusal(ROW("tcp", "ssh", "service", "3", "2", "0", "1") "\n"),
			    "T: line 3: port 'ssh' is neither 0-65535 nor '*'");
}

static void row_total_or_single(void **state)
{
	static const struct {
		bool total, single;
	} expected[] = { { false, false }, { false, false }, { true, false }, { false, false }, { false, true } };
	FILE *in = snapshot_of(&snapshot, HEALTH COLUMNS SSH UNBOUND TCP_TOTAL TCP_FOLDED TCP_40001);
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(expected) / sizeof(*expected); i++) {
		assert_int_equal(portsock_snapshot_next(&snapshot), 1);
		assert_int_equal(portsock_snapshot_is_total(&snapshot), expected[i].total);
		assert_int_equal(portsock_snapshot_is_single(&snapshot), expected[i].single);
	}
	fclose(in);
}

static const char * const lines[] = { HEALTH, COLUMNS, SSH, TCP_TOTAL, TCP_40001 };
static unsigned int lines_read;

/* A source that hands out one line per read, as a slow pipe would. */
static ssize_t lines_give(void *cookie, char *buffer, size_t size)
{
	size_t length;

	(void)cookie;
	assert_true(lines_read < sizeof(lines) / sizeof(*lines));
	length = strlen(lines[lines_read]);
	assert_true(length <= size);
	memcpy(buffer, lines[lines_read++], length);

	return length;
}

/* A limit of 127 holds 128 connections. */
static void row_backlog_in_percent(void **state)
{
	static const double wanted[] = { 50, 0, 100, -1, -1 };
	FILE *in = snapshot_of(&snapshot, HEALTH "proto port class backlog backlog_max\n" "tcp 1 service 64 127\n"
			       "tcp 2 service 0 0\n" "tcp 3 service 1 0\n" "tcp 4 service - 128\n" "udp 5 service - -\n");
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(wanted) / sizeof(*wanted); i++) {
		assert_int_equal(portsock_snapshot_next(&snapshot), 1);
		assert_true(portsock_snapshot_backlog(&snapshot) == wanted[i]);
	}
	fclose(in);
	in = snapshot_of(&snapshot, HEALTH COLUMNS SSH);
	assert_int_equal(portsock_snapshot_next(&snapshot), 1);
	assert_true(portsock_snapshot_backlog(&snapshot) == -1);
	fclose(in);
}

static void rows_are_read_one_by_one(void **state)
{
	FILE *in = fopencookie(NULL, "r", (cookie_io_functions_t) { .read = lines_give });

	(void)state;
	assert_non_null(in);
	assert_int_equal(portsock_snapshot_open(&snapshot, in, "T"), 0);
	assert_int_equal(lines_read, 2);
	assert_int_equal(portsock_snapshot_next(&snapshot), 1);
	assert_int_equal(lines_read, 3);
	assert_int_equal(portsock_snapshot_next(&snapshot), 1);
	assert_int_equal(lines_read, 4);
	fclose(in);
}

static ssize_t reading_fails(void *cookie, char *buffer, size_t size)
{
	(void)cookie;
	(void)buffer;
	(void)size;
	errno = EIO;

	return -1;
}

static void read_error_is_told(void **state)
{
	FILE *in = fopencookie(NULL, "r", (cookie_io_functions_t) { .read = reading_fails });

	(void)state;
	assert_non_null(in);
	assert_int_equal(portsock_snapshot_open(&snapshot, in, "T"), -1);
	assert_string_equal(snapshot.error.text, "T: read failed: Input/output error");
	fclose(in);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(health_of_line_one),
		cmocka_unit_test(health_keys_unknown_are_kept),
		cmocka_unit_test(health_garbage_is_refused),
		cmocka_unit_test(format_other_is_refused),
		cmocka_unit_test(file_of_something_else_is_refused),
		cmocka_unit_test(file_cut_off_is_refused),
		cmocka_unit_test(line_overlong_is_refused),
		cmocka_unit_test(line_longest_is_read),
		cmocka_unit_test(columns_missing_or_double_are_refused),
		cmocka_unit_test(columns_too_many_are_refused),
		cmocka_unit_test(row_is_read_by_name),
		cmocka_unit_test(row_of_columns_shuffled),
		cmocka_unit_test(row_with_unknown_columns),
		cmocka_unit_test(row_of_an_older_table),
		cmocka_unit_test(row_number_without_an_answer),
		cmocka_unit_test(row_of_a_class_unknown),
		cmocka_unit_test(row_comm_takes_the_rest),
		cmocka_unit_test(row_of_another_length_is_refused),
		cmocka_unit_test(row_is_passed_over_where_nobody_looks),
		cmocka_unit_test(row_is_checked_where_somebody_looks),
		cmocka_unit_test(row_number_u64_max),
		cmocka_unit_test(row_number_bad_is_refused),
		cmocka_unit_test(row_histogram_is_a_list),
		cmocka_unit_test(row_port_bad_is_refused),
		cmocka_unit_test(row_total_or_single),
		cmocka_unit_test(row_backlog_in_percent),
		cmocka_unit_test(rows_are_read_one_by_one),
		cmocka_unit_test(read_error_is_told),
	};

	return cmocka_run_group_tests_name("snapshot", tests, NULL, NULL);
}
