// SPDX-License-Identifier: GPL-2.0
/*
 * How long a walk waits that is needed again and again.
 */
#include <kunit/test.h>

#include <linux/module.h>

#include "../module/pace.h"

static struct portsock_pace pace;
static unsigned long now;

static int pace_test_init(struct kunit *test)
{
	now = ULONG_MAX - 30 * HZ;	/* jiffies wrap */
	portsock_pace_begin(&pace, now);
	return 0;
}

/*
 * Seconds until a walk is due, looking every second, while something is lost
 * all the time.
 */
static int seconds_to_walk(void)
{
	int seconds = 0;

	do {
		now += HZ;
		seconds++;
	} while (!portsock_pace_due(&pace, now, true));
	return seconds;
}

static void quiet(int seconds)
{
	while (seconds--) {
		now += HZ;
		portsock_pace_due(&pace, now, false);
	}
}

static void walk_is_never_due_without_a_loss(struct kunit *test)
{
	int i;

	for (i = 0; i < 200; i++) {
		now += HZ;
		KUNIT_EXPECT_FALSE(test, portsock_pace_due(&pace, now, false));
	}
}

static void walk_waits_twice_as_long_each_time(struct kunit *test)
{
	static const int waits[] = { 1, 2, 4, 8, 16, 32, 60, 60, 60 };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(waits); i++) {
		KUNIT_EXPECT_EQ(test, seconds_to_walk(), waits[i]);
		now += 5 * HZ;		/* which is what it takes */
		portsock_pace_walked(&pace, now);
	}
}

static void walk_does_not_wait_after_a_quiet_while(struct kunit *test)
{
	int i;

	for (i = 0; i < 4; i++) {
		seconds_to_walk();
		portsock_pace_walked(&pace, now);
	}
	quiet(15);
	KUNIT_EXPECT_EQ(test, pace.pause, 16 * HZ);
	quiet(1);
	KUNIT_EXPECT_EQ(test, seconds_to_walk(), 1);
	portsock_pace_walked(&pace, now);
	KUNIT_EXPECT_EQ(test, seconds_to_walk(), 2);
}

static void loss_within_the_while_waits_for_its_end(struct kunit *test)
{
	int i;

	for (i = 0; i < 3; i++) {
		seconds_to_walk();
		portsock_pace_walked(&pace, now);
	}
	quiet(6);
	KUNIT_EXPECT_EQ(test, seconds_to_walk(), 2);
	portsock_pace_walked(&pace, now);
	KUNIT_EXPECT_EQ(test, seconds_to_walk(), 16);
}

static struct kunit_case pace_cases[] = {
	KUNIT_CASE(walk_is_never_due_without_a_loss),
	KUNIT_CASE(walk_waits_twice_as_long_each_time),
	KUNIT_CASE(walk_does_not_wait_after_a_quiet_while),
	KUNIT_CASE(loss_within_the_while_waits_for_its_end),
	{ }
};

static struct kunit_suite pace_suite = {
	.name = "portsock_pace",
	.init = pace_test_init,
	.test_cases = pace_cases,
};

kunit_test_suite(pace_suite);

MODULE_LICENSE("GPL");
