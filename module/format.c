// SPDX-License-Identifier: GPL-2.0
/*
 * Columns are found by name, so a new one may be appended; a change of meaning
 * needs a new format number. Reads as text, costs one pass.
 */
#include "format.h"

#include <linux/seq_file.h>

static const char * const proto_names[PORTSOCK_PROTO_NR] = {
	[PORTSOCK_TCP] = "tcp",
	[PORTSOCK_UDP] = "udp",
	[PORTSOCK_UDPLITE] = "udplite",
	[PORTSOCK_RAW] = "raw",
	[PORTSOCK_ICMP] = "icmp",
	[PORTSOCK_SCTP] = "sctp",
	[PORTSOCK_DCCP] = "dccp",
	[PORTSOCK_MPTCP] = "mptcp",
};

/**
 * portsock_format_proto() - the name of a protocol
 * @proto: enum portsock_proto
 */
const char *portsock_format_proto(int proto)
{
	return proto_names[proto];
}

static const char * const state_names[PORTSOCK_STATE_NR] = {
	[TCP_ESTABLISHED] = "established",
	[TCP_SYN_SENT] = "syn_sent",
	[TCP_SYN_RECV] = "syn_recv",
	[TCP_FIN_WAIT1] = "fin_wait1",
	[TCP_FIN_WAIT2] = "fin_wait2",
	[TCP_TIME_WAIT] = "time_wait",
	[TCP_CLOSE] = "close",
	[TCP_CLOSE_WAIT] = "close_wait",
	[TCP_LAST_ACK] = "last_ack",
	[TCP_LISTEN] = "listen",
	[TCP_CLOSING] = "closing",
};

static const char *class_name(const struct portsock_line *line)
{
	if (line->part != PORTSOCK_SERVICES)
		return " ephemeral";
	return line->port ? " service" : " unbound";
}

static void put(struct seq_file *m, u64 number)
{
	seq_put_decimal_ull(m, " ", number);
}

/**
 * portsock_format_head() - the health line and the column names
 * @m: file to print to
 * @health: what to say
 */
void portsock_format_head(struct seq_file *m, const struct portsock_health *health)
{
	int state;

	seq_printf(m, "portsock 1 netns %u exact %d missed %llu repaired %llu untracked %llu uptime_ms %llu\n",
		   health->netns, health->exact, health->missed,
		   health->repaired, health->untracked, health->uptime_ms);
	seq_puts(m, "proto port class sockets ipv6");
	for (state = 1; state < PORTSOCK_STATE_NR; state++) {
		seq_putc(m, ' ');
		seq_puts(m, state_names[state]);
	}
	seq_puts(m, " opened accepted connected closed peak\n");
}

/**
 * portsock_format_line() - one row
 * @m: file to print to
 * @line: the row
 */
void portsock_format_line(struct seq_file *m, const struct portsock_line *line)
{
	const struct portsock_counts *counts = &line->counts;
	int state;

	seq_puts(m, proto_names[line->proto]);
	if (line->part == PORTSOCK_TOTALS)
		seq_puts(m, " *");
	else
		put(m, line->port);
	seq_puts(m, class_name(line));
	put(m, counts->sockets);
	put(m, counts->ipv6);
	for (state = 1; state < PORTSOCK_STATE_NR; state++) {
		u32 minis = state == TCP_SYN_RECV ? line->requests : 0;

		put(m, (u64)counts->state[state] + minis);
	}
	put(m, portsock_opened(counts));
	put(m, counts->came[PORTSOCK_ACCEPTED]);
	put(m, counts->came[PORTSOCK_CONNECTED]);
	put(m, portsock_opened(counts) - counts->sockets);
	put(m, counts->peak);
	seq_putc(m, '\n');
}
