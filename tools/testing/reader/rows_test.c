// SPDX-License-Identifier: GPL-2.0
#include <netinet/tcp.h>

#include "compare.h"
#include "table.h"

#define BIT PORTSOCK_BIT

static void rows_of(struct portsock_rows *rows, const char *text)
{
	static struct portsock_snapshot snapshot;
	FILE *in = snapshot_of(&snapshot, text);
	struct portsock_error error;

	memset(rows, 0, sizeof(*rows));
	assert_int_equal(portsock_rows_read(rows, &snapshot, &error), 0);
	fclose(in);
}

static void rows_read_by_name(void **state)
{
	const struct portsock_row *row;
	struct portsock_rows rows;

	(void)state;
	rows_of(&rows, HEALTH COLUMNS UNBOUND HTTPS TCP_TOTAL TCP_FOLDED TCP_40001 TCP_40002);
	assert_int_equal(rows.nr[PORTSOCK_TCP], 6);
	assert_null(rows.port[PORTSOCK_UDP]);

	row = portsock_rows_get(&rows, PORTSOCK_TCP, 443);
	assert_true(row->service);
	assert_int_equal(row->count[PORTSOCK_SOCKETS], 11);
	assert_int_equal(row->count[TCP_ESTABLISHED], 10);
	assert_int_equal(row->count[TCP_TIME_WAIT], 5);
	assert_int_equal(row->count[TCP_LISTEN], 1);
	assert_int_equal(row->count[PORTSOCK_OPENED], 7);
	assert_int_equal(row->count[PORTSOCK_CLOSED], 4);
	assert_int_equal(row->count[PORTSOCK_PEAK], 3);

	assert_false(portsock_rows_get(&rows, PORTSOCK_TCP, 40001)->service);
	assert_int_equal(portsock_rows_get(&rows, PORTSOCK_TCP, 0)->count[PORTSOCK_SOCKETS], 1);
	assert_int_equal(portsock_rows_get(&rows, PORTSOCK_TCP, PORTSOCK_TOTAL)->count[PORTSOCK_SOCKETS], 9);
	assert_int_equal(portsock_rows_get(&rows, PORTSOCK_TCP, PORTSOCK_TOTAL)->count[PORTSOCK_PORTS], 2);
	assert_int_equal(portsock_rows_get(&rows, PORTSOCK_TCP, PORTSOCK_FOLDED_TOTAL)->count[PORTSOCK_SOCKETS], 0);
	assert_int_equal(portsock_rows_get(&rows, PORTSOCK_TCP, PORTSOCK_FOLDED_TOTAL)->count[PORTSOCK_PORTS], 600);
	assert_int_equal(rows.singles[PORTSOCK_TCP].count[PORTSOCK_SOCKETS], 9);
	assert_int_equal(rows.singles[PORTSOCK_TCP].count[PORTSOCK_PORTS], 2);
	assert_int_equal(rows.singles[PORTSOCK_TCP].count[TCP_ESTABLISHED], 8);
	assert_int_equal(rows.singles[PORTSOCK_TCP].count[TCP_TIME_WAIT], 4);
	portsock_rows_clear(&rows);
}

static void rows_queues_without_an_answer(void **state)
{
	struct portsock_rows rows;
	const struct portsock_row *row;

	(void)state;
	rows_of(&rows, HEALTH NAMES DEPTH_NAMES "\n" ROW("tcp", "443", "service", "3", "2", "0", "1") " 5 128 9 1 - -\n"
		ROW("udp", "53", "service", "2", "2", "0", "0") " - - - - 768 0\n");
	row = portsock_rows_get(&rows, PORTSOCK_TCP, 443);
	assert_int_equal(row->answers, BIT(PORTSOCK_BACKLOG) | BIT(PORTSOCK_BACKLOG_MAX));
	assert_int_equal(row->count[PORTSOCK_BACKLOG], 5);
	assert_int_equal(row->count[PORTSOCK_BACKLOG_MAX], 128);
	row = portsock_rows_get(&rows, PORTSOCK_UDP, 53);
	assert_int_equal(row->answers, BIT(PORTSOCK_RCV_QUEUE));
	assert_int_equal(row->count[PORTSOCK_RCV_QUEUE], 768);
	portsock_rows_clear(&rows);
	rows_of(&rows, HEALTH COLUMNS HTTPS);
	assert_int_equal(portsock_rows_get(&rows, PORTSOCK_TCP, 443)->answers, 0);
	portsock_rows_clear(&rows);
}

static void rows_owners_without_an_answer(void **state)
{
	struct portsock_rows rows;
	const struct portsock_row *row;

	(void)state;
	rows_of(&rows, HEALTH NAMES OWNER_NAMES "\n" ROW("tcp", "443", "service", "3", "2", "0", "1") " 33 4294967297 9 a b\n"
		ROW("tcp", "80", "service", "3", "2", "0", "1") " 0 - - -\n" ROW("tcp", "40001", "ephemeral", "1", "1", "0", "0") " - - - -\n");
	row = portsock_rows_get(&rows, PORTSOCK_TCP, 443);
	assert_int_equal(row->answers, BIT(PORTSOCK_UID) | BIT(PORTSOCK_CGROUP));
	assert_int_equal(row->count[PORTSOCK_UID], 33);
	assert_int_equal(row->count[PORTSOCK_CGROUP], UINT64_C(4294967297));
	assert_int_equal(portsock_rows_get(&rows, PORTSOCK_TCP, 80)->answers, BIT(PORTSOCK_UID));
	assert_int_equal(portsock_rows_get(&rows, PORTSOCK_TCP, 40001)->answers, 0);
	portsock_rows_clear(&rows);
}

static void rows_of_unknown_proto_or_class_are_left_out(void **state)
{
	struct portsock_rows rows;

	(void)state;
	rows_of(&rows, HEALTH COLUMNS ROW("quic", "443", "service", "3", "2", "0", "1") "\n" DOMAIN
		ROW("udp", "53", "relayed", "9", "9", "0", "0") "\n");
	assert_int_equal(rows.nr[PORTSOCK_UDP], 1);
	assert_int_equal(portsock_rows_get(&rows, PORTSOCK_UDP, 53)->count[PORTSOCK_SOCKETS], 2);
	assert_null(rows.port[PORTSOCK_TCP]);
	portsock_rows_clear(&rows);
}

/* Their sockets are in the rows of local ports; the port of a service may be a remote one, too. */
static void rows_of_remote_ports_are_left_out(void **state)
{
	struct portsock_rows rows;

	(void)state;
	rows_of(&rows, HEALTH COLUMNS HTTPS TCP_FOLDED TCP_TO_443 TCP_TO_5432 TCP_TO_ALL TCP_40001);
	assert_int_equal(rows.nr[PORTSOCK_TCP], 3);
	assert_int_equal(portsock_rows_get(&rows, PORTSOCK_TCP, 443)->count[PORTSOCK_SOCKETS], 11);
	assert_int_equal(portsock_rows_get(&rows, PORTSOCK_TCP, 5432)->count[PORTSOCK_SOCKETS], 0);
	assert_int_equal(portsock_rows_get(&rows, PORTSOCK_TCP, PORTSOCK_FOLDED_TOTAL)->count[PORTSOCK_PORTS], 600);
	portsock_rows_clear(&rows);
}

static void rows_without_a_number_are_not_compared(void **state)
{
	static struct portsock_snapshot snapshot;
	FILE *in = snapshot_of(&snapshot, HEALTH "proto port class sockets\ntcp 22 service 3\n");
	struct portsock_rows rows = { 0 };
	struct portsock_error error;

	(void)state;
	assert_int_equal(portsock_rows_read(&rows, &snapshot, &error), -1);
	assert_string_equal(error.text, "T: no column 'established' to compare: a table of an older module");
	portsock_rows_clear(&rows);
	fclose(in);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_read_by_name),
		cmocka_unit_test(rows_queues_without_an_answer),
		cmocka_unit_test(rows_owners_without_an_answer),
		cmocka_unit_test(rows_of_unknown_proto_or_class_are_left_out),
		cmocka_unit_test(rows_of_remote_ports_are_left_out),
		cmocka_unit_test(rows_without_a_number_are_not_compared),
	};

	return cmocka_run_group_tests_name("rows", tests, NULL, NULL);
}
