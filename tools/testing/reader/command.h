/* SPDX-License-Identifier: GPL-2.0 */
/* Shell commands, what they print and what they end with. */
#ifndef PORTSOCK_TEST_COMMAND_H
#define PORTSOCK_TEST_COMMAND_H

#include <stdio.h>
#include <sys/wait.h>

#include "table.h"

static char output[262144];

/* Return: exit status of the shell command, what it prints in output[]. */
static inline int run(const char *command)
{
	FILE *out = popen(command, "r");
	size_t length;
	int status;

	assert_non_null(out);
	length = fread(output, 1, sizeof(output) - 1, out);
	output[length] = '\0';
	status = pclose(out);
	assert_true(WIFEXITED(status));

	return WEXITSTATUS(status);
}

static inline void expect(const char *command, int status, const char *printed)
{
	assert_int_equal(run(command), status);
	assert_string_equal(output, printed);
}

#endif
