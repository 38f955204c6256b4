/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What open connections have carried is looked at once in a while.
 */
#ifndef PORTSOCK_SAMPLE_H
#define PORTSOCK_SAMPLE_H

#include <linux/types.h>

void portsock_sample_begin(void);
void portsock_sample_end(void);
void portsock_sample_ask(void);
u64 portsock_sample_age_ms(void);

#endif /* PORTSOCK_SAMPLE_H */
