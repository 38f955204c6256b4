/* SPDX-License-Identifier: GPL-2.0 */
#ifndef PORTSOCK_NEGOTIATE_H
#define PORTSOCK_NEGOTIATE_H

#include <stdbool.h>

/**
 * portsock_wants_openmetrics() - is OpenMetrics what the client prefers?
 * @accept: its header Accept, NULL if it sent none
 *
 * Return: true if it names OpenMetrics 1.0, or no version, and Prometheus text not with a higher weight.
 */
bool portsock_wants_openmetrics(const char *accept);

/**
 * portsock_wants_gzip() - may the answer be compressed?
 * @encodings: the header Accept-Encoding, NULL if there is none
 */
bool portsock_wants_gzip(const char *encodings);

#endif
