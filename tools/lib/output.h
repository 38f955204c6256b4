/* SPDX-License-Identifier: GPL-2.0 */
#ifndef PORTSOCK_OUTPUT_H
#define PORTSOCK_OUTPUT_H

#include "error.h"

/**
 * portsock_output_replace() - make a file hold this text
 * @path: the file; a regular one, if it is there
 * @text: all that it is to hold
 * @error: set on failure
 *
 * Written beside it, synced and renamed: who reads the file sees the old text or the new one.
 *
 * Return: 0, or -1 with the file as it was.
 */
int portsock_output_replace(const char *path, const char *text, struct portsock_error *error);

#endif
