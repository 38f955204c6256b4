// SPDX-License-Identifier: GPL-2.0
/* What users and control groups are called. */
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "owner.h"
#include "table.h"

#define UID	(&portsock_columns[PORTSOCK_COLUMN_UID])
#define CGROUP	(&portsock_columns[PORTSOCK_COLUMN_CGROUP])

static void user_has_a_name(void **state)
{
	(void)state;
	assert_string_equal(portsock_owner_name(UID, 0), "root");
	assert_string_equal(portsock_owner_name(UID, 0), "root");
	assert_null(portsock_owner_name(UID, 4000000001u));
	assert_null(portsock_owner_name(UID, 4000000001u));
}

static uint64_t directory_make(const char *path)
{
	struct stat status;

	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_equal(stat(path, &status), 0);

	return status.st_ino;
}

static void cgroup_is_a_path(void **state)
{
	char root[] = "/tmp/portsock-owner.XXXXXX";
	uint64_t slice, service;
	struct stat status;

	(void)state;
	assert_non_null(mkdtemp(root));
	assert_int_equal(stat(root, &status), 0);
	assert_int_equal(chdir(root), 0);
	slice = directory_make("a.slice");
	service = directory_make("a.slice/b.service");
	portsock_owner_read_cgroups(root);
	assert_int_equal(rmdir("a.slice/b.service") | rmdir("a.slice") | rmdir(root), 0);

	assert_string_equal(portsock_owner_name(CGROUP, status.st_ino), "/");
	assert_string_equal(portsock_owner_name(CGROUP, slice), "/a.slice");
	assert_string_equal(portsock_owner_name(CGROUP, service), "/a.slice/b.service");
	assert_null(portsock_owner_name(CGROUP, UINT64_MAX));
}

static void numbers_with_names_are_owners(void **state)
{
	(void)state;
	assert_true(portsock_owner_has_name(UID));
	assert_true(portsock_owner_has_name(CGROUP));
	assert_false(portsock_owner_has_name(&portsock_columns[PORTSOCK_COLUMN_PID]));
	assert_false(portsock_owner_has_name(NULL));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(user_has_a_name),
		cmocka_unit_test(cgroup_is_a_path),
		cmocka_unit_test(numbers_with_names_are_owners),
	};

	return cmocka_run_group_tests_name("owners", tests, NULL, NULL);
}
