// SPDX-License-Identifier: GPL-2.0
/*
 * Rows and totals that CPUs have cells of; on which CPU something happens is
 * chosen at random.
 */
#include <linux/delay.h>
#include <linux/prandom.h>

static unsigned int sleeps;
static void sleep_unlocked(unsigned int microseconds);
#define usleep_range(least, most) sleep_unlocked(least)

/* As 4 gauges that begin at 2^30 are 0 together; one more came later. */
#define CELLS_NR() 3
#define CELLS_CPU() (prandom_u32_state(&cpus) % 4)
static struct rnd_state cpus, ops;

#include "rows.h"

#include <linux/module.h>

#define SHARES 64
#define PORTS 4
#define EPHEMERALS 60	/* ports behind these, never services */
#define REMOTE 5000
#define REMOTES 2
#define KEYS (PORTS + REMOTES + 1)

/* What happens in the first table happens in the second one, which has cells. */
static struct portsock_table *tables[2];
static struct portsock_share shares[2][SHARES];
static struct inet_connection_sock *listeners;
static struct portsock_cells *cells[KEYS];
static u64 now;

static int busy_test_init(struct kunit *test)
{
	int err = table_test_init(test);

	prandom_seed_state(&cpus, 1);
	memset(shares, 0, sizeof(shares));
	memset(cells, 0, sizeof(cells));
	now = 1000;
	tables[0] = test->priv;
	if (err)
		return err;
	tables[1] = portsock_table_new(true);
	return tables[1] ? 0 : -ENOMEM;
}

static u32 key_nr(int i)
{
	if (i < PORTS)
		return key_of(PORTSOCK_TCP, i + 1);
	if (i < PORTS + REMOTES)
		return key_remote(PORTSOCK_TCP, REMOTE + i - PORTS);
	return key_of(PORTSOCK_TCP, 0);
}

static void gather(int i)
{
	mutex_lock(&portsock_cells_mutex);
	if (key_port(key_nr(i)))
		portsock_row_gather(cells[i]);
	else
		portsock_total_gather(&tables[1]->totals.of[PORTSOCK_TCP]);
	mutex_unlock(&portsock_cells_mutex);
	portsock_cells_free(cells[i]);
	cells[i] = NULL;
}

static void spread(struct kunit *test, int i)
{
	struct portsock_cells *new = portsock_cells_alloc();
	bool total = !key_port(key_nr(i)), spread = true;

	KUNIT_ASSERT_NOT_NULL(test, new);
	new->table = tables[1];
	new->key = key_nr(i);
	mutex_lock(&portsock_cells_mutex);
	if (total)
		portsock_total_spread(&tables[1]->totals.of[PORTSOCK_TCP], new);
	else
		spread = portsock_row_spread(new);
	mutex_unlock(&portsock_cells_mutex);
	if (spread)
		cells[i] = new;
	else
		portsock_cells_free(new);
}

static void busy_test_exit(struct kunit *test)
{
	int i;

	for (i = 0; i < KEYS; i++)
		if (cells[i])
			gather(i);
	for (i = 0; i < SHARES; i++) {
		if (shares[0][i].table)
			portsock_share_del(&shares[0][i]);
		if (shares[1][i].table)
			portsock_share_del(&shares[1][i]);
	}
	portsock_rows_kill(tables[1]);
	KUNIT_EXPECT_EQ(test, portsock_busy_nr, 0);
	table_test_exit(test);
}

static u32 random(u32 below)
{
	return prandom_u32_state(&ops) % below;
}

static const u8 states[] = {
	TCP_ESTABLISHED, TCP_ESTABLISHED, TCP_SYN_SENT, TCP_FIN_WAIT1,
	TCP_CLOSE_WAIT, TCP_CLOSE, TCP_TIME_WAIT, TCP_SYN_RECV, TCP_LISTEN,
};

static u16 any_port(void)
{
	switch (random(8)) {
	case 0:
		return 0;
	case 1 ... 4:
		return 1 + random(PORTS);
	default:
		return 1 + PORTS + random(EPHEMERALS);
	}
}

/* A socket holds a port, or something else changes. */
static void hold_any(struct kunit *test, int i)
{
	const struct portsock_birth birth = {
		.since = now,
		.handshake = random(3) * 100,
	};
	const struct portsock_end end = {
		.cause = random(PORTSOCK_CAUSE_NR),
		.now = now,
		.rtt = random(100),
		.bytes = { random(100), random(100) },
	};
	struct portsock_holding h = {
		.proto = PORTSOCK_TCP,
		.port = any_port(),
		.state = states[random(ARRAY_SIZE(states))],
		.ipv6 = random(2),
		.how = random(PORTSOCK_HOW_NR),
		.service = random(3) == 0,
		.remote = random(2) ? REMOTE + random(REMOTES) : 0,
		.guessed = random(4) == 0,
		.owner.tgid = random(3),
	};
	int t, err[2];

	if (shares[0][i].row && random(3))
		h.port = key_port(shares[0][i].row->key);
	if (h.port > PORTS) {
		h.service = false;
		if (h.state == TCP_LISTEN)
			h.state = TCP_ESTABLISHED;
	}
	h.queues = h.state == TCP_LISTEN && h.port;
	h.service |= h.queues;
	/* a listener is no connection */
	if (h.state == TCP_ESTABLISHED && random(2) && !shares[0][i].queues)
		h.birth = &birth;
	if (h.state == TCP_CLOSE && random(2) && !shares[0][i].queues)
		h.end = &end;
	if (!h.queues && h.state != TCP_LISTEN)
		h.owner.tgid = 0;
	for (t = 0; t < 2; t++) {
		h.table = tables[t];
		shares[t][i].sk = (struct sock *)&listeners[i];
		err[t] = portsock_share_hold(&shares[t][i], &h);
	}
	KUNIT_ASSERT_EQ(test, err[0], err[1]);
}

static void step_any(struct kunit *test, int i)
{
	const struct portsock_birth birth = { .since = now, .handshake = 7 };
	u8 state = random(2) ? TCP_ESTABLISHED : TCP_CLOSE_WAIT;
	bool born = state == TCP_ESTABLISHED && random(2);
	u64 step;

	if (!shares[0][i].row)
		return;
	step = portsock_step(PORTSOCK_TCP, key_port(shares[0][i].row->key),
			     shares[0][i].ipv6, state);
	KUNIT_ASSERT_EQ(test,
			portsock_share_step(&shares[0][i], step,
					    born ? &birth : NULL),
			portsock_share_step(&shares[1][i], step,
					    born ? &birth : NULL));
}

static void over_any(int i)
{
	const struct portsock_end end = {
		.cause = PORTSOCK_RESET,
		.now = now,
		.bytes = { 5, 6 },
	};
	bool ends = random(2), releases = random(3) == 0;
	int t;

	if (!shares[0][i].table)
		return;
	ends &= !shares[0][i].queues;
	for (t = 0; t < 2; t++) {
		if (releases)
			portsock_share_release(&shares[t][i], shares[t][i].ipv6,
					       ends ? &end : NULL);
		else
			portsock_share_over(&shares[t][i], ends ? &end : NULL);
	}
}

/* What is done with a connection, or a listener, and changes no number of sockets. */
static void use_any(int i)
{
	const struct portsock_owner user = { .tgid = 1 + random(5) };
	const struct portsock_bytes bytes = { random(1000), random(1000) };
	u32 what = random(4);
	int t;

	for (t = 0; t < 2; t++) {
		struct portsock_share *share = &shares[t][i];

		if (!share->table)
			continue;
		if (what == 0)
			portsock_share_accept(share, now, &user);
		else if (what == 1)
			portsock_share_retrans(share, 3);
		else if (what == 2)
			portsock_share_use(share, now, &user);
		else if (portsock_share_carries(share))
			portsock_share_carried(share, &bytes);
	}
	((struct sock *)&listeners[i])->sk_ack_backlog = random(9);
}

static void look(int i)
{
	mutex_lock(&portsock_cells_mutex);
	if (key_port(key_nr(i)))
		portsock_row_look(cells[i]);
	else
		portsock_total_look(&tables[1]->totals.of[PORTSOCK_TCP]);
	mutex_unlock(&portsock_cells_mutex);
}

static void cells_any(struct kunit *test)
{
	int i = random(KEYS);

	if (cells[i] && random(2))
		look(i);
	else if (cells[i])
		gather(i);
	else
		spread(test, i);
}

/* What readers remember they have shown is not what they show. */
static void line_plain(struct portsock_line *line)
{
	line->depth.bytes_shown = (struct portsock_bytes){ };
	line->depth.drops_shown = 0;
	line->depth.used = 0;
	if (!line->deep)
		memset(&line->depth, 0, sizeof(line->depth));
	if (line->part == PORTSOCK_EPHEMERALS)
		line->queue = (struct portsock_queue){ };
}

static void expect_same(struct kunit *test, int op)
{
	const u32 guessed = atomic_read(&tables[0]->guessed);
	struct portsock_cursor cursors[2] = { };
	static struct portsock_line line[2];
	bool any[2];
	int t;

	KUNIT_ASSERT_EQ(test, guessed, atomic_read(&tables[1]->guessed));
	do {
		for (t = 0; t < 2; t++) {
			memset(&line[t], 0, sizeof(line[t]));
			any[t] = portsock_table_next(tables[t], &cursors[t],
						     &line[t]);
			if (any[t])
				line_plain(&line[t]);
		}
		KUNIT_ASSERT_EQ(test, any[0], any[1]);
		KUNIT_ASSERT_EQ_MSG(test, line[0].port, line[1].port,
				    "operation %d", op);
		KUNIT_ASSERT_EQ_MSG(test, line[0].counts.peak,
				    line[1].counts.peak,
				    "operation %d, class %d, port %d", op,
				    line[0].class, line[0].port);
		KUNIT_ASSERT_EQ_MSG(test, 0,
				    memcmp(&line[0].counts, &line[1].counts,
					   sizeof(line[0].counts)),
				    "operation %d, class %d, port %d", op,
				    line[0].class, line[0].port);
		KUNIT_ASSERT_EQ_MSG(test, 0,
				    memcmp(&line[0].depth, &line[1].depth,
					   sizeof(line[0].depth)),
				    "operation %d, class %d, port %d", op,
				    line[0].class, line[0].port);
		KUNIT_ASSERT_EQ_MSG(test, 0,
				    memcmp(&line[0], &line[1], sizeof(line[0])),
				    "operation %d, class %d, port %d", op,
				    line[0].class, line[0].port);
	} while (any[0]);
}

static void cells_say_what_one_would(struct kunit *test)
{
	u64 short_before = portsock_gauges_short();
	int op;

	listeners = listening_socks(test, SHARES);
	prandom_seed_state(&ops, 5);
	for (op = 0; op < 20000; op++) {
		int i = random(SHARES);

		now += random(5000);
		switch (random(16)) {
		case 0 ... 5:
			hold_any(test, i);
			break;
		case 6 ... 9:
			step_any(test, i);
			break;
		case 10 ... 11:
			over_any(i);
			break;
		case 12 ... 14:
			use_any(i);
			break;
		default:
			cells_any(test);
		}
		if (op % 7 == 0)
			expect_same(test, op);
	}
	KUNIT_EXPECT_EQ(test, portsock_gauges_short(), short_before);
}

/* What cells say together is less than none. */
static void sum_below_none_is_mended(struct kunit *test)
{
	struct portsock_holding h = service(test, PORTSOCK_TCP, 1,
					    TCP_ESTABLISHED);
	u64 before = portsock_gauges_short();
	struct portsock_counts counts;

	h.table = tables[1];
	add(test, &shares[1][0], h);
	spread(test, 0);
	KUNIT_ASSERT_NOT_NULL(test, cells[0]);
	cells[0]->cell[2].numbers.counts.sockets -= 3;
	test->priv = tables[1];
	counts = row_counts(test, PORTSOCK_SERVICES, PORTSOCK_TCP, 1);
	KUNIT_EXPECT_EQ(test, counts.sockets, 0);
	KUNIT_EXPECT_EQ(test, counts.state[TCP_ESTABLISHED], 1);
	KUNIT_EXPECT_EQ(test, portsock_gauges_short(), before + 1);
	look(0);
	KUNIT_EXPECT_EQ(test, portsock_gauges_short(), before + 2);
	counts = row_counts(test, PORTSOCK_SERVICES, PORTSOCK_TCP, 1);
	KUNIT_EXPECT_EQ(test, counts.sockets, 0);
	KUNIT_EXPECT_EQ(test, portsock_gauges_short(), before + 2);
	test->priv = tables[0];
	/* or it would be found again when the share goes */
	cells[0]->cell[2].numbers.counts.sockets++;
}

/* Room for one more socket is found in whatever cell it is. */
static void peak_does_not_add_up_over_cpus(struct kunit *test)
{
	struct portsock_holding h = service(test, PORTSOCK_TCP, 1,
					    TCP_ESTABLISHED);
	struct portsock_line line;
	int i;

	h.table = tables[1];
	add(test, &shares[1][0], h);
	spread(test, 0);
	for (i = 0; i < 100; i++) {
		add(test, &shares[1][1], h);
		portsock_share_del(&shares[1][1]);
	}
	KUNIT_ASSERT_TRUE(test, line_find(tables[1], PORTSOCK_SERVICES,
					  PORTSOCK_TCP, 1, &line));
	KUNIT_EXPECT_EQ(test, line.counts.sockets, 1);
	KUNIT_EXPECT_EQ(test, line.counts.peak, 2);
	KUNIT_EXPECT_EQ(test, portsock_opened(&line.counts), 101);
}

/* More came on one CPU, and went on another, than a cell has numbers for. */
static void gauges_of_a_cell_do_not_drift_away(struct kunit *test)
{
	struct portsock_holding h = service(test, PORTSOCK_TCP, 1,
					    TCP_ESTABLISHED);
	u64 before = portsock_gauges_short();
	struct portsock_counts *from, *to;
	struct portsock_line line;
	int i;

	h.table = tables[1];
	add(test, &shares[1][0], h);
	spread(test, 0);
	for (i = 0; i < 8; i++) {
		/* a quarter of what there are numbers for */
		from = &cells[0]->cell[1].numbers.counts;
		to = &cells[0]->cell[2].numbers.counts;
		from->state[TCP_ESTABLISHED] -= 1U << 29;
		to->state[TCP_ESTABLISHED] += 1U << 29;
		look(0);
		add(test, &shares[1][1], h);
		portsock_share_del(&shares[1][1]);
	}
	KUNIT_ASSERT_TRUE(test, line_find(tables[1], PORTSOCK_SERVICES,
					  PORTSOCK_TCP, 1, &line));
	KUNIT_EXPECT_EQ(test, line.counts.state[TCP_ESTABLISHED], 1);
	KUNIT_EXPECT_EQ(test, portsock_gauges_short(), before);
}

/* Readers wait for each other no longer than it takes to read. */
static void sleep_unlocked(unsigned int microseconds)
{
	sleeps += !mutex_is_locked(&portsock_cells_mutex);
	udelay(microseconds);
}

static void readers_let_cpus_have_their_cells(struct kunit *test)
{
	struct portsock_holding h = service(test, PORTSOCK_TCP, 1,
					    TCP_ESTABLISHED);
	struct portsock_line line;

	h.table = tables[1];
	add(test, &shares[1][0], h);
	spread(test, 0);
	KUNIT_EXPECT_EQ(test, portsock_cells_rest(cells[0]), 0);
	cells[0]->ready = ktime_get_mono_fast_ns() + 5 * NSEC_PER_MSEC;
	KUNIT_EXPECT_GT(test, portsock_cells_rest(cells[0]), 1000);
	sleeps = 0;
	KUNIT_ASSERT_TRUE(test, line_find(tables[1], PORTSOCK_SERVICES,
					  PORTSOCK_TCP, 1, &line));
	KUNIT_EXPECT_GE(test, sleeps, 1);
	KUNIT_EXPECT_EQ(test, line.counts.sockets, 1);
	KUNIT_EXPECT_LE(test, cells[0]->ready,
			ktime_get_mono_fast_ns() + CELLS_REST_MAX);
}

/* Each time that room is taken from all cells costs all CPUs. */
static void room_is_shared_if_it_is_scarce(struct kunit *test)
{
	struct portsock_holding h = service(test, PORTSOCK_TCP, 1,
					    TCP_ESTABLISHED);
	struct cells_peak *peak;
	int i;

	h.table = tables[1];
	add(test, &shares[1][0], h);
	spread(test, 0);
	peak = &cells[0]->peaks[CELLS_SOCKETS];
	for (i = 1; i < SHARES; i++)
		add(test, &shares[1][i], h);
	KUNIT_EXPECT_FALSE(test, peak->shared);
	for (i = 0; i < 500; i++) {
		add(test, &shares[0][0], h);
		portsock_share_del(&shares[0][0]);
	}
	KUNIT_EXPECT_TRUE(test, peak->shared);
	KUNIT_EXPECT_EQ(test, peak->collects, CELLS_COLLECTS);
	KUNIT_EXPECT_EQ(test, peak->peak, SHARES + 1);
	look(0);
	KUNIT_EXPECT_FALSE(test, peak->shared);
}

/* A row that nobody is in any more is idle, but not before its cells go. */
static void row_is_idle_when_its_cells_are_gone(struct kunit *test)
{
	struct portsock_holding h = service(test, PORTSOCK_TCP, 1,
					    TCP_ESTABLISHED);

	h.table = tables[1];
	add(test, &shares[1][0], h);
	spread(test, 0);
	portsock_share_del(&shares[1][0]);
	KUNIT_EXPECT_EQ(test, tables[1]->idle.nr, 0);
	gather(0);
	KUNIT_EXPECT_EQ(test, tables[1]->idle.nr, 1);
	spread(test, 0);
	KUNIT_EXPECT_NULL(test, cells[0]);
}

static struct kunit_case busy_cases[] = {
	KUNIT_CASE(sum_below_none_is_mended),
	KUNIT_CASE(peak_does_not_add_up_over_cpus),
	KUNIT_CASE(gauges_of_a_cell_do_not_drift_away),
	KUNIT_CASE(readers_let_cpus_have_their_cells),
	KUNIT_CASE(room_is_shared_if_it_is_scarce),
	KUNIT_CASE(row_is_idle_when_its_cells_are_gone),
	KUNIT_CASE(cells_say_what_one_would),
	{ }
};

static struct kunit_suite busy_suite = {
	.name = "portsock_busy",
	.init = busy_test_init,
	.exit = busy_test_exit,
	.test_cases = busy_cases,
};

kunit_test_suites(&busy_suite);

MODULE_LICENSE("GPL");
