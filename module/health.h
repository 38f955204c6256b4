/* SPDX-License-Identifier: GPL-2.0 */
#ifndef PORTSOCK_HEALTH_H
#define PORTSOCK_HEALTH_H

struct portsock_health;

void portsock_health_init(void);
void portsock_health_exit(void);
void portsock_health_read(struct portsock_health *report);

#endif /* PORTSOCK_HEALTH_H */
