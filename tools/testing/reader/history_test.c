// SPDX-License-Identifier: GPL-2.0
#include "history.h"
#include "table.h"

#define AT(ms)		"portsock 1 netns 7 exact 1 missed 0 uptime_ms " ms "\n" "proto port class sockets opened closed\n"
#define AT_OTHER(ms)	"portsock 1 netns 8 exact 1 missed 0 uptime_ms " ms "\n" "proto port class sockets opened closed\n"

static struct portsock_snapshot snapshot;
static struct portsock_history history;

static void table_add(const char *table)
{
	FILE *in = snapshot_of(&snapshot, table);

	while (portsock_snapshot_next(&snapshot) == 1)
		assert_non_null(portsock_history_add(&history, &snapshot));
	fclose(in);
}

static void look(const char *table)
{
	portsock_history_begin(&history);
	table_add(table);
	portsock_history_end(&history);
}

static int history_clear(void **state)
{
	(void)state;
	portsock_history_clear(&history);

	return 0;
}

/* From no answer to a number nothing is known to have come. */
static void column_without_an_answer_before_has_no_rate(void **state)
{
	(void)state;
	look(AT("1000") "tcp 22 service 3 - 4\n");
	look(AT("2000") "tcp 22 service 3 500 4\n");
	assert_true(portsock_past_rate(history.rows[0], PORTSOCK_COLUMN_OPENED) < 0);
	assert_false(portsock_past_grows(history.rows[0], PORTSOCK_COLUMN_OPENED));
	look(AT("3000") "tcp 22 service 3 502 4\n");
	assert_true(portsock_past_rate(history.rows[0], PORTSOCK_COLUMN_OPENED) == 2);
	assert_true(portsock_past_grows(history.rows[0], PORTSOCK_COLUMN_OPENED));
}

/* Those that have a rate, and not 0: not at the first look, nor from no answer, nor down. */
static void gains_are_of_counters_that_grew(void **state)
{
	const uint64_t opened_bit = UINT64_C(1) << PORTSOCK_COLUMN_OPENED, closed_bit = UINT64_C(1) << PORTSOCK_COLUMN_CLOSED;

	(void)state;
	look(AT("1000") "tcp 22 service 3 5 -\n");
	assert_true(!portsock_past_gains(history.rows[0]));
	look(AT("2000") "tcp 22 service 3 6 7\n");
	assert_true(portsock_past_gains(history.rows[0]) == opened_bit);
	look(AT("3000") "tcp 22 service 3 6 8\n");
	assert_true(portsock_past_gains(history.rows[0]) == closed_bit);
	look(AT("4000") "tcp 22 service 3 2 8\n");
	assert_true(!portsock_past_gains(history.rows[0]));
	look(AT("4000") "tcp 22 service 3 3 8\n");
	assert_true(!portsock_past_gains(history.rows[0]));
}

static double opened(size_t row)
{
	assert_true(row < history.nr);

	return portsock_past_rate(history.rows[row], PORTSOCK_COLUMN_OPENED);
}

static void expect_rate(double got, double wanted)
{
	assert_true(got > wanted - 1e-9 && got < wanted + 1e-9);
}

static void first_look_knows_no_rate(void **state)
{
	(void)state;
	look(AT("1000") "tcp 22 service 3 7 4\n");
	assert_int_equal(history.nr, 1);
	assert_true(opened(0) < 0);
	assert_false(portsock_past_is_new(history.rows[0]));
}

static void rates_are_per_second_of_the_table(void **state)
{
	(void)state;
	look(AT("1000") "tcp 22 service 3 7 4\n" "tcp 80 service 3 7 4\n");
	look(AT("3500") "tcp 22 service 5 12 7\n" "tcp 80 service 3 7 4\n");
	expect_rate(opened(0), 2);
	expect_rate(portsock_past_rate(history.rows[0], PORTSOCK_COLUMN_CLOSED), 1.2);
	expect_rate(opened(1), 0);
	assert_int_equal(history.rows[0]->looks, 2);
	assert_int_equal(history.rows[0]->before[PORTSOCK_COLUMN_SOCKETS], 3);
	assert_int_equal(history.rows[0]->now[PORTSOCK_COLUMN_SOCKETS], 5);
}

static void number_grows(void **state)
{
	(void)state;
	look(AT("1000") "tcp 22 service 3 7 4\n");
	assert_false(portsock_past_grows(history.rows[0], PORTSOCK_COLUMN_SOCKETS));
	look(AT("2000") "tcp 22 service 4 8 4\n");
	assert_true(portsock_past_grows(history.rows[0], PORTSOCK_COLUMN_SOCKETS));
	assert_false(portsock_past_grows(history.rows[0], PORTSOCK_COLUMN_CLOSED));
}

static void row_that_came_counts_from_the_look_before(void **state)
{
	(void)state;
	look(AT("1000") "tcp 22 service 3 7 4\n");
	look(AT("2000") "tcp 22 service 3 7 4\n" "tcp 80 service 1 5 4\n");
	assert_true(portsock_past_is_new(history.rows[1]));
	assert_false(portsock_past_is_new(history.rows[0]));
	expect_rate(opened(1), 5);
	look(AT("3000") "tcp 80 service 1 6 5\n");
	assert_false(portsock_past_is_new(history.rows[0]));
	expect_rate(opened(0), 1);
}

static void row_that_went_is_forgotten(void **state)
{
	(void)state;
	look(AT("1000") "tcp 22 service 3 7 4\n" "tcp 80 service 3 7 4\n");
	look(AT("2000") "tcp 22 service 3 7 4\n");
	look(AT("3000") "tcp 22 service 3 7 4\n" "tcp 80 service 1 1 0\n");
	assert_true(portsock_past_is_new(history.rows[1]));
	expect_rate(opened(1), 1);
}

/* A row that was folded, and made anew between two looks. */
static void counter_that_went_down_has_no_rate(void **state)
{
	(void)state;
	look(AT("1000") "tcp 22 service 3 7 4\n");
	look(AT("2000") "tcp 22 service 1 1 0\n");
	assert_true(opened(0) < 0);
	assert_true(portsock_past_rate(history.rows[0], PORTSOCK_COLUMN_CLOSED) < 0);
	look(AT("3000") "tcp 22 service 1 3 2\n");
	expect_rate(opened(0), 2);
}

static void table_that_stands_still_has_no_rate(void **state)
{
	(void)state;
	look(AT("1000") "tcp 22 service 3 7 4\n");
	look(AT("1000") "tcp 22 service 3 9 6\n" "tcp 23 service 1 1 0\n");
	assert_true(opened(0) < 0);
	assert_true(opened(1) < 0);
	assert_false(portsock_past_is_new(history.rows[1]));
}

static void module_loaded_anew_begins_anew(void **state)
{
	(void)state;
	look(AT("9000") "tcp 22 service 3 7 4\n");
	look(AT("10") "tcp 22 service 3 8 5\n" "tcp 23 service 1 1 0\n");
	assert_true(opened(0) < 0);
	assert_true(opened(1) < 0);
	assert_false(portsock_past_is_new(history.rows[1]));
	look(AT("1010") "tcp 22 service 3 9 6\n");
	expect_rate(opened(0), 1);
}

static void class_port_proto_and_namespace_tell_rows_apart(void **state)
{
	(void)state;
	look(AT("1000") "tcp 22 service 1 1 0\n" "tcp 22 ephemeral 2 2 0\n" "udp 22 service 3 3 0\n"
	     "tcp * ephemeral 4 4 0\n" "tcp * folded 5 5 0\n" "tcp 0 unbound 6 6 0\n");
	assert_int_equal(history.nr, 6);
	portsock_history_begin(&history);
	table_add(AT("2000") "tcp 22 service 1 11 0\n" "tcp 22 ephemeral 2 22 0\n" "udp 22 service 3 33 0\n"
		  "tcp * ephemeral 4 44 0\n" "tcp * folded 5 55 0\n" "tcp 0 unbound 6 66 0\n");
	table_add(AT_OTHER("2000") "tcp 22 service 1 77 0\n");
	portsock_history_end(&history);
	assert_int_equal(history.nr, 7);
	expect_rate(opened(0), 10);
	expect_rate(opened(1), 20);
	expect_rate(opened(2), 30);
	expect_rate(opened(3), 40);
	expect_rate(opened(4), 50);
	expect_rate(opened(5), 60);
	expect_rate(opened(6), 77);
}

static void singles_that_were_not_read_are_not_new(void **state)
{
	(void)state;
	look(AT("1000") "tcp * ephemeral 2 9 7\n");
	look(AT("2000") "tcp * ephemeral 2 9 7\n" "tcp 40001 ephemeral 2 9 7\n");
	assert_false(portsock_past_is_new(history.rows[1]));
	assert_true(opened(1) < 0);
	look(AT("3000") "tcp * ephemeral 3 9 7\n" "tcp 40001 ephemeral 2 9 7\n" "tcp 40002 ephemeral 1 1 0\n");
	assert_true(portsock_past_is_new(history.rows[2]));
}

static void row_twice_in_a_table_counts_once(void **state)
{
	(void)state;
	look(AT("1000") "tcp 22 service 3 7 4\n" "tcp 22 service 9 9 0\n");
	assert_int_equal(history.nr, 1);
	assert_int_equal(history.rows[0]->now[PORTSOCK_COLUMN_SOCKETS], 3);
	look(AT("2000"));
	assert_int_equal(history.nr, 0);
	look(AT("3000"));
}

static void trail_has_the_last_looks(void **state)
{
	char table[200];
	unsigned int i;

	(void)state;
	for (i = 1; i <= PORTSOCK_TRAIL_NR + 3; i++) {
		snprintf(table, sizeof(table), AT("%u") "tcp 22 service %u %u 0\n", i * 1000, i, i * i);
		look(table);
	}
	for (i = 4; i <= PORTSOCK_TRAIL_NR + 3; i++) {
		expect_rate(history.rows[0]->sockets.number[i % PORTSOCK_TRAIL_NR], i);
		expect_rate(history.rows[0]->opened.number[i % PORTSOCK_TRAIL_NR], 2 * i - 1);
	}
	assert_int_equal(history.look, PORTSOCK_TRAIL_NR + 3);
}

static void column_missing_has_no_rate(void **state)
{
	(void)state;
	look("portsock 1 exact 1 uptime_ms 1000\nproto port class sockets\ntcp 22 service 1\n");
	look("portsock 1 exact 1 uptime_ms 2000\nproto port class sockets\ntcp 22 service 1\n");
	assert_true(opened(0) < 0);
	look("portsock 1 exact 1 uptime_ms 3000\nproto port class opened\ntcp 22 service -\n");
	assert_true(opened(0) < 0);
}

static void sum_has_a_rate_and_a_name_is_kept(void **state)
{
#define SUMS(ms, sum) "portsock 1 exact 1 uptime_ms " ms "\nproto port class lifetime_ms uid comm\ntcp 22 service " sum " 0 my sshd\n"
	(void)state;
	look(SUMS("1000", "500"));
	look(SUMS("3000", "700"));
	expect_rate(portsock_past_rate(history.rows[0], PORTSOCK_COLUMN_LIFETIME_MS), 100);
	assert_true(portsock_past_average(history.rows[0], PORTSOCK_COLUMN_LIFETIME_MS) < 0);
	assert_string_equal(history.rows[0]->text[PORTSOCK_COLUMN_COMM], "my sshd");
	assert_true(history.rows[0]->answers & portsock_column_bit(&portsock_columns[PORTSOCK_COLUMN_UID]));
}

static void average_is_of_what_came(void **state)
{
#define AVERAGE(ms, row) "portsock 1 exact 1 uptime_ms " ms "\nproto port class rtts rtt_us\ntcp 22 service " row "\n"
	(void)state;
	look(AVERAGE("1000", "10 900"));
	assert_true(portsock_past_average(history.rows[0], PORTSOCK_COLUMN_RTT_US) < 0);
	look(AVERAGE("5000", "14 1000"));
	expect_rate(portsock_past_average(history.rows[0], PORTSOCK_COLUMN_RTT_US), 25);
	look(AVERAGE("6000", "14 1000"));
	assert_true(portsock_past_average(history.rows[0], PORTSOCK_COLUMN_RTT_US) < 0);
	look(AVERAGE("7000", "15 1000"));
	expect_rate(portsock_past_average(history.rows[0], PORTSOCK_COLUMN_RTT_US), 0);
	look(AVERAGE("8000", "- -"));
	assert_true(portsock_past_average(history.rows[0], PORTSOCK_COLUMN_RTT_US) < 0);
}

#define HISTORY_TEST(name) cmocka_unit_test_teardown(name, history_clear)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		HISTORY_TEST(sum_has_a_rate_and_a_name_is_kept),
		HISTORY_TEST(average_is_of_what_came),
		HISTORY_TEST(first_look_knows_no_rate),
		HISTORY_TEST(rates_are_per_second_of_the_table),
		HISTORY_TEST(number_grows),
		HISTORY_TEST(row_that_came_counts_from_the_look_before),
		HISTORY_TEST(row_that_went_is_forgotten),
		HISTORY_TEST(counter_that_went_down_has_no_rate),
		HISTORY_TEST(table_that_stands_still_has_no_rate),
		HISTORY_TEST(module_loaded_anew_begins_anew),
		HISTORY_TEST(class_port_proto_and_namespace_tell_rows_apart),
		HISTORY_TEST(singles_that_were_not_read_are_not_new),
		HISTORY_TEST(row_twice_in_a_table_counts_once),
		HISTORY_TEST(trail_has_the_last_looks),
		HISTORY_TEST(column_missing_has_no_rate),
		HISTORY_TEST(column_without_an_answer_before_has_no_rate),
		HISTORY_TEST(gains_are_of_counters_that_grew),
	};

	return cmocka_run_group_tests_name("history", tests, NULL, NULL);
}
