// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>
#include <string.h>

#include "top.h"

#define LEVELS	8

static const char * const blocks[] = { "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█" };
static const char * const letters[] = { "_", ".", ",", "-", "=", "+", "*", "#" };

_Static_assert(PORTSOCK_TOP_SPARK <= PORTSOCK_TRAIL_NR, "so many looks are not remembered");

static double number_at(const struct portsock_trail *trail, unsigned long look)
{
	return trail->number[look % PORTSOCK_TRAIL_NR];
}

/* Each row has its own scale, from 0 to the highest number of its line. */
void portsock_top_spark(const struct portsock_trail *trail, unsigned long look, unsigned long looks, bool utf8,
			char *text, size_t size)
{
	const char * const *levels = utf8 ? blocks : letters;
	unsigned int nr = looks < PORTSOCK_TOP_SPARK ? looks : PORTSOCK_TOP_SPARK, i;
	double highest = 0, number;
	size_t used;

	for (i = 0; i < nr; i++)
		if (number_at(trail, look - i) > highest)
			highest = number_at(trail, look - i);
	used = snprintf(text, size, "%*s", PORTSOCK_TOP_SPARK - nr, "");
	for (i = nr; i > 0; i--) {
		number = number_at(trail, look - i + 1);
		used += snprintf(text + used, size - used, "%s",
				 number < 0 ? " " : levels[highest > 0 ? (int)(number / highest * (LEVELS - 1) + 0.5) : 0]);
	}
}
