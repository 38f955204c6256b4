// SPDX-License-Identifier: GPL-2.0
#include <dirent.h>
#include <linux/magic.h>
#include <pwd.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "owner.h"

/**
 * struct name - a number and what it is known as
 * @number: the number
 * @text: NULL if nothing
 */
struct name {
	uint64_t number;
	char *text;
};

static void *users, *cgroups;

static int name_compare(const void *a, const void *b)
{
	const struct name *one = a, *other = b;

	return (one->number > other->number) - (one->number < other->number);
}

static const struct name *name_find(void *const *names, uint64_t number)
{
	struct name **node = tfind(&(struct name) { .number = number }, names, name_compare);

	return node ? *node : NULL;
}

static const struct name *name_add(void **names, uint64_t number, const char *text)
{
	struct name *name = malloc(sizeof(*name)), **node;

	if (!name)
		return NULL;
	*name = (struct name) { number, text ? strdup(text) : NULL };
	node = tsearch(name, names, name_compare);
	if (node && *node == name)
		return name;
	free(name->text);
	free(name);

	return node ? *node : NULL;
}

/* Wherever users are kept, nobody is asked twice. */
static const struct name *user_find(uint64_t number)
{
	const struct name *name = name_find(&users, number);
	const struct passwd *user;

	if (name)
		return name;
	user = getpwuid(number);

	return name_add(&users, number, user ? user->pw_name : NULL);
}

/* @path begins with the root, which is so many bytes long. */
static void cgroups_walk(const char *path, size_t root)
{
	DIR *dir = opendir(path);
	struct dirent *entry;
	char *child;

	while (dir && (entry = readdir(dir))) {
		if (entry->d_type != DT_DIR || *entry->d_name == '.')
			continue;
		if (asprintf(&child, "%s/%s", path, entry->d_name) < 0)
			break;
		name_add(&cgroups, entry->d_ino, child + root);
		cgroups_walk(child, root);
		free(child);
	}
	if (dir)
		closedir(dir);
}

void portsock_owner_read_cgroups(const char *root)
{
	struct stat status;

	if (stat(root, &status))
		return;
	name_add(&cgroups, status.st_ino, "/");
	cgroups_walk(root, strlen(root));
}

/* Beside control groups of version 1 those of version 2 have a directory of their own, and other inode numbers. */
static const char *cgroups_root(void)
{
	static const char * const roots[] = { "/sys/fs/cgroup", "/sys/fs/cgroup/unified" };
	struct statfs status;
	size_t i;

	for (i = 0; i < sizeof(roots) / sizeof(*roots); i++)
		if (!statfs(roots[i], &status) && status.f_type == CGROUP2_SUPER_MAGIC)
			return roots[i];

	return NULL;
}

static const struct name *cgroup_find(uint64_t number)
{
	static bool are_read;
	const char *root = are_read || cgroups ? NULL : cgroups_root();

	if (root)
		portsock_owner_read_cgroups(root);
	are_read = true;

	return name_find(&cgroups, number);
}

bool portsock_owner_has_name(const struct portsock_column *column)
{
	return column == &portsock_columns[PORTSOCK_COLUMN_UID] || column == &portsock_columns[PORTSOCK_COLUMN_CGROUP];
}

const char *portsock_owner_name(const struct portsock_column *column, uint64_t number)
{
	const struct name *name = column == &portsock_columns[PORTSOCK_COLUMN_UID] ? user_find(number) : cgroup_find(number);

	return name ? name->text : NULL;
}
