/* SPDX-License-Identifier: GPL-2.0 */
#ifndef PORTSOCK_REPORT_H
#define PORTSOCK_REPORT_H

#include "check.h"

/**
 * portsock_report() - print what a check found, what it compared and what it could not
 * @check: all looks taken; the rows found different and moving are counted
 *
 * One line per difference; the last line is the verdict.
 *
 * Return: exit status.
 */
enum portsock_check_status portsock_report(struct portsock_check *check);

#endif
