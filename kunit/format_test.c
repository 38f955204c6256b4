// SPDX-License-Identifier: GPL-2.0
/*
 * The text of /proc/portsock, to the letter.
 */
#include <kunit/test.h>
#include <linux/module.h>
#include <linux/seq_file.h>
#include <linux/slab.h>

#include "compat.h"
#include "../module/owner.c"
#include "../module/format.c"

#define ROOM 1024

static int format_test_init(struct kunit *test)
{
	struct seq_file *m = kunit_kzalloc(test, sizeof(*m), GFP_KERNEL);

	if (!m)
		return -ENOMEM;
	m->buf = kunit_kzalloc(test, ROOM, GFP_KERNEL);
	m->size = ROOM;
	test->priv = m;
	return m->buf ? 0 : -ENOMEM;
}

static const char *text(struct kunit *test)
{
	struct seq_file *m = test->priv;

	KUNIT_ASSERT_LT(test, m->count, m->size);
	m->buf[m->count] = '\0';
	return m->buf;
}

static void head_tells_health_and_columns(struct kunit *test)
{
	static const struct portsock_health health = {
		.netns = U32_MAX,
		.exact = true,
		.missed = 2,
		.repaired = 3,
		.untracked = 4,
		.uptime_ms = U64_MAX,
		.port_min = 32768,
		.port_max = 60999,
		.sample_age_ms = 5,
		.remote_guessed = 6,
	};

	portsock_format_head(test->priv, &health);
	KUNIT_EXPECT_STREQ(test, text(test),
			   "portsock 1 netns 4294967295 exact 1 missed 2 repaired 3 untracked 4 uptime_ms 18446744073709551615 port_min 32768 port_max 60999 sample_age_ms 5 remote_guessed 6\n"
			   "proto port class sockets ipv6 established syn_sent syn_recv fin_wait1 fin_wait2 time_wait close close_wait last_ack listen closing opened accepted connected closed peak ports backlog backlog_max backlog_peak listen_drops rcv_queue rcv_drops connect_refused connect_timeout connect_unreachable connect_given_up connect_killed connect_no_port resets timeouts aborts retrans bytes_rx bytes_tx ended lifetime_ms lifetime_log2 accept_wait_log2 handshakes handshake_us accepts accept_wait_ms rtts rtt_us uid cgroup pid comm\n");
}

static void head_admits_to_be_inexact(struct kunit *test)
{
	static const struct portsock_health health = { };

	portsock_format_head(test->priv, &health);
	KUNIT_EXPECT_NOT_NULL(test, strstr(text(test), " exact 0 "));
}

static void line_has_every_number_in_its_column(struct kunit *test)
{
	static const struct portsock_line line = {
		.part = PORTSOCK_SERVICES,
		.proto = PORTSOCK_TCP,
		.port = 443,
		.deep = true,
		.counts = {
			.sockets = 1,
			.ipv6 = 2,
			.state = { 999, 11, 12, 13, 14, 15,
				   16, 17, 18, 19, 20, 21 },
			.came = { 31, 32, 33 },
			.peak = 35,
		},
		.ports = 36,
		.queue = { .requests = 100, .backlog = 37, .limit = 38 },
		.depth = {
			.backlog_peak = 39,
			.drops = 40,
			.ends = { 41, 42, 43, 44, 45, 46, 47, 48, 49 },
			.retrans = 50,
			.bytes = { 51, 52 },
			.ended = 53,
			.lifetime = { 54999, { [0] = 1, [2] = 2, [27] = 3 } },
			.accept_wait = { 55000, { [1] = 4 } },
			.handshakes = { 56, 57 },
			.accepts = 58,
			.rtts = { 59, 60 },
		},
	};

	portsock_format_line(test->priv, &line, &init_pid_ns);
	KUNIT_EXPECT_STREQ(test, text(test),
			   "tcp 443 service 1 2 11 12 113 14 15 16 17 18 19 20 21 96 32 33 95 35 36 37 38 39 40 - - 41 42 43 44 45 - 47 48 49 50 "
			   "51 52 53 54 "
			   "1,0,2,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,3 "
			   "0,4,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0 "
			   "56 57 58 55 59 60 - - - -\n");
}

static void line_survives_the_largest_numbers(struct kunit *test)
{
	struct portsock_line line = {
		.part = PORTSOCK_EPHEMERALS,
		.class = PORTSOCK_EPHEMERAL,
		.proto = PORTSOCK_MPTCP,
		.port = 65535,
		.ports = U64_MAX - 1,
		.queue = { .requests = U32_MAX },
	};

	line.counts.state[TCP_SYN_RECV] = U32_MAX;
	line.counts.came[PORTSOCK_BOUND] = U64_MAX - 1;
	portsock_format_line(test->priv, &line, &init_pid_ns);
	KUNIT_EXPECT_STREQ(test, text(test),
			   "mptcp 65535 ephemeral 0 0 0 0 8589934590 0 0 0 0 0 0 0 0 18446744073709551614 0 0 18446744073709551614 0 18446744073709551614 - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - -\n");
}

#define NONE " 0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0"
#define TIMES " 16 0 0 0" NONE NONE " 0 0 0 0 0 0 - - - -\n"
#define NO_TIMES " - - - - - - - - - - - - - - - -\n"

static void line_says_where_there_is_no_answer(struct kunit *test)
{
	static const struct {
		struct portsock_line line;
		const char *end;
	} rows[] = {
		{ { PORTSOCK_SERVICES, PORTSOCK_SERVICE, PORTSOCK_TCP, 80,
		    true }, " 1 2 3 4 - - 6 7 8 9 10 - 12 13 14 15" TIMES },
		{ { PORTSOCK_SERVICES, PORTSOCK_SERVICE, PORTSOCK_SCTP, 80,
		    true }, " 1 2 3 4 - - - - - - - - - - - -" NO_TIMES },
		{ { PORTSOCK_SERVICES, PORTSOCK_SERVICE, PORTSOCK_TCP, 80,
		    false }, " 1 2 - - - - - - - - - - - - - -" NO_TIMES },
		{ { PORTSOCK_SERVICES, PORTSOCK_SERVICE, PORTSOCK_MPTCP, 80,
		    true }, " - - - - - - - - - - - - - - - -" NO_TIMES },
		{ { PORTSOCK_SERVICES, PORTSOCK_SERVICE, PORTSOCK_UDP, 53,
		    true }, " - - - - 5 4 - - - - - - - - - -" NO_TIMES },
		{ { PORTSOCK_SERVICES, PORTSOCK_SERVICE, PORTSOCK_RAW, 89,
		    false }, " - - - - 5 - - - - - - - - - - -" NO_TIMES },
		{ { PORTSOCK_SERVICES, PORTSOCK_UNBOUND, PORTSOCK_UDP, 0 },
		  " - - - - - - - - - - - - - - - -" NO_TIMES },
		{ { PORTSOCK_TOTALS, PORTSOCK_EPHEMERAL, PORTSOCK_TCP, 0,
		    true, true }, " - - - - - - 6 7 8 9 10 11 12 13 14 15" TIMES },
		{ { PORTSOCK_TOTALS, PORTSOCK_EPHEMERAL, PORTSOCK_UDP, 0,
		    true, true }, " - - - - - 4 - - - - - - - - - -" NO_TIMES },
		{ { PORTSOCK_TOTALS, PORTSOCK_FOLDED, PORTSOCK_TCP, 0,
		    true, true }, " - - 3 4 - - 6 7 8 9 10 - 12 13 14 15" TIMES },
		{ { PORTSOCK_TOTALS, PORTSOCK_FOLDED, PORTSOCK_ICMP, 0,
		    true, true }, " - - - - - 4 - - - - - - - - - -" NO_TIMES },
		{ { PORTSOCK_EPHEMERALS, PORTSOCK_EPHEMERAL, PORTSOCK_UDP,
		    40000 }, " - - - - - - - - - - - - - - - -" NO_TIMES },
	};
	struct seq_file *m = test->priv;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		struct portsock_line line = rows[i].line;
		const char *end;
		int cause;

		line.queue.backlog = 1;
		line.queue.limit = 2;
		line.depth.backlog_peak = 3;
		line.depth.drops = 4;
		line.queue.bytes = 5;
		for (cause = 0; cause < PORTSOCK_CAUSE_NR; cause++)
			line.depth.ends[cause] = 6 + cause;
		line.depth.retrans = 15;
		line.depth.bytes.rx = 16;
		m->count = 0;
		portsock_format_line(m, &line, &init_pid_ns);
		end = text(test) + m->count - strlen(rows[i].end);
		KUNIT_EXPECT_STREQ(test, end, rows[i].end);
	}
}

static void line_names_protocol_port_and_class(struct kunit *test)
{
	static const struct {
		struct portsock_line line;
		const char *start;
	} rows[] = {
		{ { PORTSOCK_SERVICES, PORTSOCK_SERVICE, PORTSOCK_UDP, 53 },
		  "udp 53 service " },
		{ { PORTSOCK_SERVICES, PORTSOCK_UNBOUND, PORTSOCK_UDPLITE, 0 },
		  "udplite 0 unbound " },
		{ { PORTSOCK_TOTALS, PORTSOCK_EPHEMERAL, PORTSOCK_TCP, 0, .total = true },
		  "tcp * ephemeral " },
		{ { PORTSOCK_TOTALS, PORTSOCK_FOLDED, PORTSOCK_MPTCP, 0, .total = true },
		  "mptcp * folded " },
		{ { PORTSOCK_SERVICES, PORTSOCK_SERVICE, PORTSOCK_RAW, 1 },
		  "raw 1 service " },
		{ { PORTSOCK_EPHEMERALS, PORTSOCK_EPHEMERAL, PORTSOCK_ICMP, 7 },
		  "icmp 7 ephemeral " },
		{ { PORTSOCK_EPHEMERALS, PORTSOCK_EPHEMERAL, PORTSOCK_SCTP, 9 },
		  "sctp 9 ephemeral " },
		{ { PORTSOCK_SERVICES, PORTSOCK_SERVICE, PORTSOCK_DCCP, 5001 },
		  "dccp 5001 service " },
	};
	struct seq_file *m = test->priv;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		m->count = 0;
		portsock_format_line(m, &rows[i].line, &init_pid_ns);
		KUNIT_EXPECT_PTR_EQ(test, strstr(text(test), rows[i].start),
				    m->buf);
	}
}

static void overflow_is_left_to_seq_file(struct kunit *test)
{
	static const struct portsock_line line = { };
	struct seq_file *m = test->priv;

	m->size = 20;
	portsock_format_line(m, &line, &init_pid_ns);
	KUNIT_EXPECT_TRUE(test, seq_has_overflowed(m));
}

static struct kunit_case format_cases[] = {
	KUNIT_CASE(head_tells_health_and_columns),
	KUNIT_CASE(head_admits_to_be_inexact),
	KUNIT_CASE(line_has_every_number_in_its_column),
	KUNIT_CASE(line_survives_the_largest_numbers),
	KUNIT_CASE(line_says_where_there_is_no_answer),
	KUNIT_CASE(line_names_protocol_port_and_class),
	KUNIT_CASE(overflow_is_left_to_seq_file),
	{ }
};

static struct kunit_suite format_suite = {
	.name = "portsock_format",
	.init = format_test_init,
	.test_cases = format_cases,
};

kunit_test_suite(format_suite);

MODULE_LICENSE("GPL");
