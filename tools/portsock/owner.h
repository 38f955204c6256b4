/* SPDX-License-Identifier: GPL-2.0 */
#ifndef PORTSOCK_OWNER_H
#define PORTSOCK_OWNER_H

#include <stdbool.h>
#include <stdint.h>

#include "libportsock.h"

/**
 * portsock_owner_has_name() - are numbers of this column known by names?
 * @column: one of portsock_columns, or NULL
 */
bool portsock_owner_has_name(const struct portsock_column *column);

/**
 * portsock_owner_name() - what the number of an owner is known as
 * @column: one that portsock_owner_has_name()
 * @number: a user, or the inode number of a control group
 *
 * Control groups are looked for once, all of them.
 *
 * Return: a user's name, or a path below the mount of control groups; NULL if there is none.
 */
const char *portsock_owner_name(const struct portsock_column *column, uint64_t number);

/**
 * portsock_owner_read_cgroups() - look for control groups
 * @root: directory that they are mounted at
 */
void portsock_owner_read_cgroups(const char *root);

#endif
