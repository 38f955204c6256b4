/* SPDX-License-Identifier: GPL-2.0 */
/* Tables to read, made up of strings. */
#ifndef PORTSOCK_TEST_TABLE_H
#define PORTSOCK_TEST_TABLE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "libportsock.h"

#define HEALTH	"portsock 1 netns 4026531840 exact 1 missed 0 repaired 0 untracked 0 uptime_ms 12345 " \
		"port_min 32768 port_max 60999\n"
#define STATES	"established syn_sent syn_recv fin_wait1 fin_wait2 time_wait close close_wait last_ack listen closing"
#define NAMES	"proto port class sockets ipv6 " STATES " opened accepted connected closed peak ports"
#define COLUMNS	NAMES "\n"
/* What those behind NAMES are called that not every row has an answer to. */
#define DEPTH_NAMES	" backlog backlog_max backlog_peak listen_drops rcv_queue rcv_drops"
#define END_NAMES	" connect_refused connect_timeout connect_unreachable connect_given_up connect_killed " \
			"connect_no_port resets timeouts aborts retrans"
#define CONNECTION_NAMES " bytes_rx bytes_tx ended lifetime_ms lifetime_log2 accept_wait_log2 handshakes handshake_us " \
			"accepts accept_wait_ms rtts rtt_us"
#define OWNER_NAMES	" uid cgroup pid comm"
/* A histogram: so many of the first size, of the second, and of the last one. */
#define HISTOGRAM(first, second, last) first "," second ",0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0," last

/* In the order of NAMES; of the states those that tests need. */
#define ROW_OF(ports, proto, port, class, sockets, established, time_wait, listen) \
	proto " " port " " class " " sockets " 0 " established " 0 0 0 0 " time_wait " 0 0 0 " listen " 0 7 6 5 4 3 " ports
#define ROW(...) ROW_OF("1", __VA_ARGS__)

#define SSH		ROW("tcp", "22", "service", "3", "2", "0", "1") "\n"
#define HTTPS		ROW("tcp", "443", "service", "11", "10", "5", "1") "\n"
#define DOMAIN		ROW("udp", "53", "service", "2", "2", "0", "0") "\n"
#define UNBOUND		ROW_OF("0", "tcp", "0", "unbound", "1", "0", "0", "0") "\n"
#define TCP_TOTAL	ROW_OF("2", "tcp", "*", "ephemeral", "9", "8", "4", "0") "\n"
#define TCP_FOLDED	ROW_OF("600", "tcp", "*", "folded", "0", "0", "0", "0") "\n"
#define TCP_TO_443	ROW("tcp", "443", "remote", "2", "1", "4", "0") "\n"
#define TCP_TO_5432	ROW("tcp", "5432", "remote", "7", "7", "0", "0") "\n"
#define TCP_TO_ALL	ROW_OF("2", "tcp", "*", "remote", "9", "8", "4", "0") "\n"
#define TCP_40001	ROW("tcp", "40001", "ephemeral", "4", "4", "0", "0") "\n"
#define TCP_40002	ROW("tcp", "40002", "ephemeral", "5", "4", "4", "0") "\n"

/* fmemopen() refuses a size of 0. */
static inline FILE *table_open(const char *text)
{
	FILE *in = *text ? fmemopen((void *)text, strlen(text), "r") : fopen("/dev/null", "r");

	assert_non_null(in);

	return in;
}

/* The table is closed at once: for those whose first lines are wrong. */
static inline const char *table_refusal(const char *text)
{
	static struct portsock_snapshot snapshot;
	FILE *in = table_open(text);

	assert_int_equal(portsock_snapshot_open(&snapshot, in, "T"), -1);
	fclose(in);

	return snapshot.error.text;
}

static inline FILE *snapshot_of(struct portsock_snapshot *snapshot, const char *text)
{
	FILE *in = table_open(text);

	if (portsock_snapshot_open(snapshot, in, "T"))
		fail_msg("%s", snapshot->error.text);

	return in;
}

static inline const struct portsock_value *cell_of(const struct portsock_snapshot *snapshot, const char *name)
{
	unsigned int i;

	for (i = 0; i < snapshot->nr_fields; i++)
		if (!strcmp(snapshot->fields[i].name, name))
			return &snapshot->cells[i];
	fail_msg("no column %s", name);

	return NULL;
}

#endif
