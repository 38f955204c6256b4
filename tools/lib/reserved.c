// SPDX-License-Identifier: GPL-2.0
#include "reserved.h"

static unsigned int overlap(unsigned int from, unsigned int to, unsigned int first, unsigned int last)
{
	if (from < first)
		from = first;
	if (to > last)
		to = last;

	return from <= to ? to - from + 1 : 0;
}

unsigned int portsock_reserved_count(FILE *in, unsigned int first, unsigned int last)
{
	unsigned int from, to, count = 0;

	/* The kernel prints them sorted, and each port once. */
	while (fscanf(in, "%5u", &from) == 1) {
		if (fscanf(in, "-%5u", &to) != 1)
			to = from;
		count += overlap(from, to, first, last);
		if (fgetc(in) != ',')
			break;
	}

	return count;
}
