/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the hooks did not see, or could not record, is set right here.
 */
#ifndef PORTSOCK_RESYNC_H
#define PORTSOCK_RESYNC_H

#include "format.h"

void portsock_resync_init(void);
void portsock_resync_exit(void);

void portsock_resync_health(struct portsock_health *health);

#endif /* PORTSOCK_RESYNC_H */
