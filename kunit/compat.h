/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Stands in for ../module/compat.h, which needs the compile tests of ../Kbuild:
 * what the code under test takes from it, as the kernel of the suites has it.
 * Comes before that code.
 */
#ifndef PORTSOCK_COMPAT_H
#define PORTSOCK_COMPAT_H

#include <net/sock.h>

#define portsock_sk_uid(sk) ((sk)->sk_uid)
#define sk_drops_read(sk) atomic_read(&(sk)->sk_drops)

#endif /* PORTSOCK_COMPAT_H */
