/* SPDX-License-Identifier: GPL-2.0 */
#ifndef PORTSOCK_VERSION_H
#define PORTSOCK_VERSION_H

#define PORTSOCK_VERSION "0.1.0"

#endif /* PORTSOCK_VERSION_H */
