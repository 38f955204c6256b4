/* SPDX-License-Identifier: GPL-2.0 */
#ifndef PORTSOCK_DISTRIBUTION_H
#define PORTSOCK_DISTRIBUTION_H

#include <stdbool.h>

#include "metrics.h"

/**
 * portsock_distribution_has() - is the column told as a part of a distribution?
 * @column: one of portsock_columns
 *
 * Return: true for sums, what they are to be divided by, and histograms.
 */
bool portsock_distribution_has(const struct portsock_column *column);

/**
 * portsock_distributions_write() - write sums with their counts, as histograms where there are any, or as summaries
 * @metrics: where to, and how
 * @feed: ended
 * @remote: of remote ports, not of local ones
 */
void portsock_distributions_write(const struct portsock_metrics *metrics, const struct portsock_feed *feed, bool remote);

#endif
