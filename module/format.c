// SPDX-License-Identifier: GPL-2.0
/*
 * Prints the lines of /proc/portsock. Readers find columns by name, so a
 * new column may be appended; another meaning of a column needs another
 * format number.
 */
#include "format.h"

#include <linux/bits.h>
#include <linux/kernel.h>
#include <linux/math64.h>
#include <linux/seq_file.h>
#include <linux/time64.h>
#include <linux/uidgid.h>

#include "owner.h"

#define NAME(id, name, ...) { #name },
static const char proto_names[][10] = { PORTSOCK_PROTOS(NAME) };
static const char class_names[][10] = { PORTSOCK_CLASSES(NAME) };

#define COLUMN_NAME(id, name, ...) " " #name
static const char column_names[] = PORTSOCK_COLUMNS(COLUMN_NAME);

/**
 * portsock_format_proto() - the name of a protocol
 * @proto: enum portsock_proto
 */
const char *portsock_format_proto(int proto)
{
	return proto_names[proto];
}

/* There is no answer, which is not 0. */
#define NO_ANSWER U64_MAX

/* Connection requests are not sockets, but they count as syn_recv. */
static u64 state_column(const struct portsock_line *line, int state)
{
	u64 minis = state == TCP_SYN_RECV ? line->queue.requests : 0;

	return line->counts.state[state] + minis;
}

static u64 column_sockets(const struct portsock_line *line)
{
	return line->counts.sockets;
}

static u64 column_ipv6(const struct portsock_line *line)
{
	return line->counts.ipv6;
}

static u64 column_opened(const struct portsock_line *line)
{
	return portsock_opened(&line->counts);
}

static u64 column_accepted(const struct portsock_line *line)
{
	return line->counts.came[PORTSOCK_ACCEPTED];
}

static u64 column_connected(const struct portsock_line *line)
{
	return line->counts.came[PORTSOCK_CONNECTED];
}

static u64 column_closed(const struct portsock_line *line)
{
	return portsock_opened(&line->counts) - line->counts.sockets;
}

/* Nobody keeps the sum of rows of class remote while nobody reads. */
static u64 column_peak(const struct portsock_line *line)
{
	return line->total && line->class == PORTSOCK_REMOTE ?
		       NO_ANSWER : line->counts.peak;
}

static u64 column_ports(const struct portsock_line *line)
{
	return line->ports;
}

/* Sockets of services only are asked what waits in them. */
static bool line_asks(const struct portsock_line *line, unsigned long protos)
{
	return line->class == PORTSOCK_SERVICE && BIT(line->proto) & protos;
}

static u64 column_backlog(const struct portsock_line *line)
{
	return line_asks(line, PORTSOCK_PROTOS_LISTEN) ? line->queue.backlog :
							 NO_ANSWER;
}

static u64 column_backlog_max(const struct portsock_line *line)
{
	return line_asks(line, PORTSOCK_PROTOS_LISTEN) ? line->queue.limit :
							 NO_ANSWER;
}

/* Is the row about a local port, and more known than numbers of sockets? */
static bool line_is_deep(const struct portsock_line *line)
{
	return line->deep && line->class != PORTSOCK_REMOTE;
}

/* Nobody listens on an ephemeral port. */
static bool line_listened(const struct portsock_line *line)
{
	return line_is_deep(line) && line->class != PORTSOCK_EPHEMERAL &&
	       BIT(line->proto) & PORTSOCK_PROTOS_LISTEN;
}

static u64 column_backlog_peak(const struct portsock_line *line)
{
	return line_listened(line) ? line->depth.backlog_peak : NO_ANSWER;
}

static u64 column_listen_drops(const struct portsock_line *line)
{
	return line_listened(line) ? line->depth.drops : NO_ANSWER;
}

static u64 column_rcv_queue(const struct portsock_line *line)
{
	return line_asks(line, PORTSOCK_PROTOS_DATAGRAM) ? line->queue.bytes :
							   NO_ANSWER;
}

static u64 column_rcv_drops(const struct portsock_line *line)
{
	return line_is_deep(line) &&
	       BIT(line->proto) & PORTSOCK_PROTOS_DATAGRAM ?
		       line->depth.drops : NO_ANSWER;
}

/* Single ephemeral rows have none of it, their total has. */
static bool line_connects(const struct portsock_line *line)
{
	return line->deep && line->proto == PORTSOCK_TCP;
}

#define COLUMN_END(name, cause)						\
	static u64 column_##name(const struct portsock_line *line)	\
	{								\
		return line_connects(line) ? line->depth.ends[cause] :	\
					     NO_ANSWER;			\
	}

COLUMN_END(connect_refused, PORTSOCK_REFUSED)
COLUMN_END(connect_timeout, PORTSOCK_TIMED_OUT)
COLUMN_END(connect_unreachable, PORTSOCK_UNREACHABLE)
COLUMN_END(connect_given_up, PORTSOCK_GIVEN_UP)
COLUMN_END(connect_killed, PORTSOCK_KILLED)
COLUMN_END(resets, PORTSOCK_RESET)
COLUMN_END(timeouts, PORTSOCK_TIMEOUT)
COLUMN_END(aborts, PORTSOCK_ABORTED)

/* There is no row of a local port to count it in but the total. */
static u64 column_connect_no_port(const struct portsock_line *line)
{
	return line_connects(line) &&
	       (line->class == PORTSOCK_EPHEMERAL ||
		line->class == PORTSOCK_REMOTE) ?
		       line->depth.ends[PORTSOCK_NO_PORT] : NO_ANSWER;
}

/* Of a port of others nothing is accepted. */
static bool line_accepts(const struct portsock_line *line)
{
	return line_connects(line) && line->class != PORTSOCK_REMOTE;
}

#define COLUMN(name, answers, number)					\
	static u64 column_##name(const struct portsock_line *line)	\
	{								\
		return answers(line) ? line->depth.number : NO_ANSWER;	\
	}

#define COLUMN_MS(name, answers, number)				\
	static u64 column_##name(const struct portsock_line *line)	\
	{								\
		return answers(line) ?					\
			       div_u64(line->depth.number, USEC_PER_MSEC) : \
			       NO_ANSWER;				\
	}

COLUMN(retrans, line_connects, retrans)
COLUMN(bytes_rx, line_connects, bytes.rx)
COLUMN(bytes_tx, line_connects, bytes.tx)
COLUMN(ended, line_connects, ended)
COLUMN_MS(lifetime_ms, line_connects, lifetime.us)
COLUMN(handshakes, line_connects, handshakes.nr)
COLUMN(handshake_us, line_connects, handshakes.us)
COLUMN(accepts, line_accepts, accepts)
COLUMN_MS(accept_wait_ms, line_accepts, accept_wait.us)
COLUMN(rtts, line_connects, rtts.nr)
COLUMN(rtt_us, line_connects, rtts.us)

static const u64 *list_lifetime_log2(const struct portsock_line *line)
{
	return line_connects(line) ? line->depth.lifetime.log2 : NULL;
}

static const u64 *list_accept_wait_log2(const struct portsock_line *line)
{
	return line_accepts(line) ? line->depth.accept_wait.log2 : NULL;
}

/* Columns that identify the row are printed before the numbers. */
#define NUMBER_IDENTITY(state, column)
#define NUMBER_TEXT(state, column)
#define NUMBER_STATE(state, column) state_column(line, state),
#define NUMBER_GAUGE(state, column) column(line),
#define NUMBER_COUNTER(state, column) column(line),
#define NUMBER_PEAK(state, column) column(line),
#define NUMBER_SUM(state, column) column(line),
#define NUMBER_HISTOGRAM(state, column) 0,
#define NUMBER(id, name, heading, kind, ...) \
	NUMBER_##kind(TCP_##id, column_##name)

/* The same, to make use of, but for those behind numbers of sockets. */
#define COUNT_IDENTITY(use, place, state, column)
#define COUNT_TEXT(use, place, state, column)
#define COUNT_STATE(use, place, state, column) use(state_column(line, state))
#define COUNT_GAUGE(use, place, state, column) \
	use((place) < PLACES_COUNTS ? column(line) : 0)
#define COUNT_COUNTER(use, place, state, column) \
	COUNT_GAUGE(use, place, state, column)
#define COUNT_PEAK(use, place, state, column) \
	COUNT_GAUGE(use, place, state, column)
#define COUNT_SUM(use, place, state, column) use(0)
#define COUNT_HISTOGRAM(use, place, state, column) use(0)

#define IN_LIST(number) (number),
#define COUNT_IN_LIST(id, name, heading, kind, ...) \
	COUNT_##kind(IN_LIST, PLACE_##name, TCP_##id, column_##name)

#define OR(number) | (number)
#define COUNT_OR(id, name, heading, kind, ...) \
	COUNT_##kind(OR, PLACE_##name, TCP_##id, column_##name)

#define DIGIT(number) ' ', '0' + (number),
#define COUNT_DIGIT(id, name, heading, kind, ...) \
	COUNT_##kind(DIGIT, PLACE_##name, TCP_##id, column_##name)

/* A histogram in the place of a number. */
#define LIST_IDENTITY(list)
#define LIST_TEXT(list)
#define LIST_STATE(list) NULL,
#define LIST_GAUGE(list) NULL,
#define LIST_COUNTER(list) NULL,
#define LIST_PEAK(list) NULL,
#define LIST_SUM(list) NULL,
#define LIST_HISTOGRAM(list) list,
#define LIST(id, name, heading, kind, ...) LIST_##kind(list_##name)

/* Places of columns among those; what comes first is numbers of sockets. */
#define PLACE_IDENTITY(name)
#define PLACE_TEXT(name)
#define PLACE_STATE(name) PLACE_##name,
#define PLACE_GAUGE(name) PLACE_##name,
#define PLACE_COUNTER(name) PLACE_##name,
#define PLACE_PEAK(name) PLACE_##name,
#define PLACE_SUM(name) PLACE_##name,
#define PLACE_HISTOGRAM(name) PLACE_##name,
#define PLACE(id, name, heading, kind, ...) PLACE_##kind(name)

enum place {
	PORTSOCK_COLUMNS(PLACE)
	PLACES,
	PLACES_COUNTS = PLACE_backlog,
};

/* Of single ephemeral rows there is nothing else. */
#define DASH_IDENTITY
#define DASH_TEXT " -"
#define DASH_STATE " -"
#define DASH_GAUGE " -"
#define DASH_COUNTER " -"
#define DASH_PEAK " -"
#define DASH_SUM " -"
#define DASH_HISTOGRAM " -"
#define DASH(id, name, heading, kind, ...) DASH_##kind

static const char dashes[] = PORTSOCK_COLUMNS(DASH) "\n";

static void list_print(struct seq_file *m, const u64 *list)
{
	int i;

	if (!list) {
		seq_puts(m, " -");
		return;
	}
	for (i = 0; i < PORTSOCK_HISTOGRAM_NR; i++)
		seq_put_decimal_ull(m, i ? "," : " ", list[i]);
}

/**
 * portsock_format_head() - the health line and the column names
 * @m: file to print to
 * @health: what to say
 */
void portsock_format_head(struct seq_file *m,
			  const struct portsock_health *health)
{
#define KEY(name, ...) { " " #name " ", now.name },
	const struct portsock_health now = *health;
	const struct {
		const char *name;
		u64 number;
	} keys[] = { PORTSOCK_KEYS(KEY) };
	size_t i;

	seq_printf(m, "portsock %d", PORTSOCK_FORMAT);
	for (i = 0; i < ARRAY_SIZE(keys); i++)
		seq_put_decimal_ull(m, keys[i].name, keys[i].number);
	seq_putc(m, '\n');
	seq_puts(m, column_names + 1);
	seq_putc(m, '\n');
}

static void number_print(struct seq_file *m, bool answer, u64 number)
{
	if (answer)
		seq_put_decimal_ull(m, " ", number);
	else
		seq_puts(m, " -");
}

/* The last columns: who has the sockets that were asked. */
static void owner_print(struct seq_file *m, const struct portsock_line *line,
			struct pid_namespace *ns)
{
	const struct portsock_queue *queue = &line->queue;
	struct portsock_process process;
	bool found;

	found = queue->any && line->deep &&
		portsock_owner_find(&line->depth.by, &line->depth.user, ns,
				    &process);
	number_print(m, queue->any, queue->any ?
		     from_kuid_munged(seq_user_ns(m), queue->uid) : 0);
	number_print(m, queue->any && queue->cgroup, queue->cgroup);
	number_print(m, found, found ? process.pid : 0);
	seq_putc(m, ' ');
	seq_escape(m, found ? process.comm : "-", "\n\t\\");
	seq_putc(m, '\n');
}

static void numbers_print(struct seq_file *m, const struct portsock_line *line,
			  const u64 *numbers, int place, int end)
{
	static const u64 *(*const lists[])(const struct portsock_line *line) = {
		PORTSOCK_COLUMNS(LIST)
	};

	for (; place < end; place++)
		if (lists[place])
			list_print(m, lists[place](line));
		else
			number_print(m, numbers[place] != NO_ANSWER,
				     numbers[place]);
}

static void all_print(struct seq_file *m, const struct portsock_line *line)
{
	const u64 numbers[] = { PORTSOCK_COLUMNS(NUMBER) };

	numbers_print(m, line, numbers, 0, PLACES);
}

/* Numbers of sockets, all at once. Returns false if one has more than a digit. */
static bool digits_print(struct seq_file *m, const struct portsock_line *line)
{
	const char text[] = { PORTSOCK_COLUMNS(COUNT_DIGIT) };

	if ((0 PORTSOCK_COLUMNS(COUNT_OR)) > 7)
		return false;
	return !seq_write(m, text, 2 * PLACES_COUNTS);
}

static noinline void counts_print(struct seq_file *m,
				  const struct portsock_line *line)
{
	const u64 numbers[] = { PORTSOCK_COLUMNS(COUNT_IN_LIST) };

	numbers_print(m, line, numbers, 0, PLACES_COUNTS);
}

/* A port that the kernel chose is one of many. */
static void single_print(struct seq_file *m, const struct portsock_line *line)
{
	if (!digits_print(m, line))
		counts_print(m, line);
	seq_write(m, dashes + 2 * PLACES_COUNTS,
		  sizeof(dashes) - 1 - 2 * PLACES_COUNTS);
}

/**
 * portsock_format_line() - one row
 * @m: file to print to
 * @line: the row
 * @ns: the reader's PID namespace
 */
void portsock_format_line(struct seq_file *m, const struct portsock_line *line,
			  struct pid_namespace *ns)
{
	seq_puts(m, proto_names[line->proto]);
	if (line->total)
		seq_puts(m, " *");
	else
		seq_put_decimal_ull(m, " ", line->port);
	seq_putc(m, ' ');
	seq_puts(m, class_names[line->class]);
	if (line->class == PORTSOCK_EPHEMERAL && !line->total) {
		single_print(m, line);
	} else {
		all_print(m, line);
		owner_print(m, line, ns);
	}
}
