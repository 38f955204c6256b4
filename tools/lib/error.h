/* SPDX-License-Identifier: GPL-2.0 */
#ifndef PORTSOCK_ERROR_H
#define PORTSOCK_ERROR_H

/**
 * struct portsock_error - one line for the user
 * @text: what failed, with what value, and what to do about it; no newline
 */
struct portsock_error {
	char text[2048];
};

/**
 * portsock_error_set() - write the line
 * @error: where to
 * @format: as for printf(); longer lines are cut
 *
 * Return: -1, so that callers can return it at once.
 */
int portsock_error_set(struct portsock_error *error, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

#endif
