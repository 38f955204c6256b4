// SPDX-License-Identifier: GPL-2.0
#include <netinet/tcp.h>
#include <stdlib.h>

#include "report.h"
#include "table.h"

#define PORT 443

/* A check that has looked often enough at one TCP row, and found it different. */
static void check_make(struct portsock_check *check, uint32_t columns)
{
	enum portsock_proto proto;
	unsigned int port;

	*check = (struct portsock_check) { .exact = true };
	for (proto = 0; proto < PORTSOCK_PROTO_NR; proto++) {
		check->unlisted[proto] = proto != PORTSOCK_TCP;
		check->cases[proto] = calloc(PORTSOCK_CASE_SUM + 1, sizeof(**check->cases));
		assert_non_null(check->cases[proto]);
		for (port = 0; port <= PORTSOCK_CASE_SUM; port++)
			check->cases[proto][port].settled = true;
	}
	check->open[PORTSOCK_TCP] = 1;
	check->cases[PORTSOCK_TCP][PORT] = (struct portsock_case) { .alike = PORTSOCK_LOOKS, .columns = columns };
	assert_non_null(portsock_rows_make(&check->after, PORTSOCK_TCP, PORT));
	assert_non_null(portsock_rows_make(&check->kernel, PORTSOCK_TCP, PORT));
}

static void check_free(struct portsock_check *check)
{
	enum portsock_proto proto;

	portsock_rows_clear(&check->after);
	portsock_rows_clear(&check->kernel);
	for (proto = 0; proto < PORTSOCK_PROTO_NR; proto++)
		free(check->cases[proto]);
}

/* The first line is the difference. */
static void report_expect(struct portsock_check *check, const char *expected)
{
	enum portsock_check_status status;
	FILE *console = stdout;
	size_t length;
	char *text;

	stdout = open_memstream(&text, &length);
	status = portsock_report(check);
	fclose(stdout);
	stdout = console;
	assert_int_equal(status, PORTSOCK_CHECK_DIFFERENT);
	strtok(text, "\n");
	assert_string_equal(text, expected);
	free(text);
}

static void owner_expect(const uint64_t *uids, unsigned int nr, const char *expected)
{
	struct portsock_check check;
	struct portsock_row *told;
	unsigned int i;

	check_make(&check, PORTSOCK_BIT(PORTSOCK_UID));
	told = portsock_rows_make(&check.after, PORTSOCK_TCP, PORT);
	told->count[PORTSOCK_UID] = 5;
	for (i = 0; i < nr; i++)
		portsock_truth_owner(portsock_rows_make(&check.kernel, PORTSOCK_TCP, PORT), told, PORTSOCK_UID, uids[i]);
	report_expect(&check, expected);
	check_free(&check);
}

static void owners_of_both_sides(void **state)
{
	static const uint64_t uids[] = { 33, 33, 0 };

	(void)state;
	owner_expect(uids, 2, "tcp 443 uid: portsock 5, kernel 33");
	owner_expect(uids, 3, "tcp 443 uid: portsock 5, kernel 33 and others");
	owner_expect(uids, 0, "tcp 443 uid: portsock 5, kernel -");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(owners_of_both_sides),
	};

	return cmocka_run_group_tests_name("report", tests, NULL, NULL);
}
