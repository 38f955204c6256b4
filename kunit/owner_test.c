// SPDX-License-Identifier: GPL-2.0
/*
 * Who is shown for a port.
 */
#include <kunit/test.h>
#include <linux/module.h>
#include <linux/pid_namespace.h>

#include "../module/owner.c"

/* insmod, which runs the cases in this kernel, or init. */
static struct portsock_owner owner_of(const struct task_struct *task)
{
	return (struct portsock_owner){ task->tgid, start_of(task) };
}

static const struct portsock_owner nobody;

/* A process that is not the first. */
static struct task_struct *child_get(struct kunit *test)
{
	struct task_struct *task, *found = NULL;

	rcu_read_lock();
	for_each_process(task)
		if (task->tgid != 1 && !(task->flags & PF_KTHREAD))
			found = task;
	if (found)
		get_task_struct(found);
	rcu_read_unlock();
	KUNIT_ASSERT_NOT_NULL(test, found);
	return found;
}

static void nobody_is_found_for_nobody(struct kunit *test)
{
	struct portsock_process process;

	KUNIT_EXPECT_FALSE(test, portsock_owner_find(&nobody, &nobody,
						     &init_pid_ns, &process));
}

static void process_is_found_by_its_number_and_age(struct kunit *test)
{
	struct task_struct *task = child_get(test);
	struct portsock_owner by = owner_of(task);
	struct portsock_process process;

	KUNIT_EXPECT_TRUE(test, portsock_owner_find(&by, &nobody, &init_pid_ns,
						    &process));
	KUNIT_EXPECT_EQ(test, process.pid, task->tgid);
	KUNIT_EXPECT_STREQ(test, process.comm, task->comm);
	by.start++;
	KUNIT_EXPECT_FALSE(test, portsock_owner_find(&by, &nobody, &init_pid_ns,
						     &process));
	by = owner_of(task);
	by.tgid = PID_MAX_LIMIT - 1;
	KUNIT_EXPECT_FALSE(test, portsock_owner_find(&by, &nobody, &init_pid_ns,
						     &process));
	put_task_struct(task);
}

static void user_is_shown_when_who_made_it_is_gone(struct kunit *test)
{
	struct portsock_owner by = { PID_MAX_LIMIT - 1, 1 };
	struct task_struct *task = child_get(test);
	struct portsock_owner user = owner_of(task);
	struct portsock_process process;

	KUNIT_EXPECT_TRUE(test, portsock_owner_find(&by, &user, &init_pid_ns,
						    &process));
	KUNIT_EXPECT_EQ(test, process.pid, task->tgid);
	put_task_struct(task);
}

static void first_process_is_shown_if_there_is_no_other(struct kunit *test)
{
	struct portsock_owner by = { 1, start_of(&init_task) };
	struct task_struct *task = child_get(test);
	struct portsock_owner user = owner_of(task);
	struct portsock_process process;

	rcu_read_lock();
	by = owner_of(pid_task(find_pid_ns(1, &init_pid_ns), PIDTYPE_TGID));
	rcu_read_unlock();
	KUNIT_EXPECT_TRUE(test, portsock_owner_find(&by, &user, &init_pid_ns,
						    &process));
	KUNIT_EXPECT_EQ(test, process.pid, task->tgid);
	user.start++;
	KUNIT_EXPECT_TRUE(test, portsock_owner_find(&by, &user, &init_pid_ns,
						    &process));
	KUNIT_EXPECT_EQ(test, process.pid, 1);
	/* the other way round who made it one comes first */
	user = owner_of(task);
	KUNIT_EXPECT_TRUE(test, portsock_owner_find(&user, &by, &init_pid_ns,
						    &process));
	KUNIT_EXPECT_EQ(test, process.pid, task->tgid);
	put_task_struct(task);
}

static struct kunit_case owner_cases[] = {
	KUNIT_CASE(nobody_is_found_for_nobody),
	KUNIT_CASE(process_is_found_by_its_number_and_age),
	KUNIT_CASE(user_is_shown_when_who_made_it_is_gone),
	KUNIT_CASE(first_process_is_shown_if_there_is_no_other),
	{ }
};

static struct kunit_suite owner_suite = {
	.name = "portsock_owner",
	.test_cases = owner_cases,
};

kunit_test_suite(owner_suite);

MODULE_LICENSE("GPL");
