/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What tells the rows of a table apart.
 */
#ifndef PORTSOCK_KEYS_H
#define PORTSOCK_KEYS_H

#include <linux/types.h>

#include "portsock.h"

/* No socket is on port 0: that stands for the total of the protocol. */
static inline u32 key_of(u8 proto, u16 port)
{
	return (u32)proto << 16 | port;
}

/* That of a row of class remote. */
static inline u32 key_remote(u8 proto, u16 port)
{
	return 1U << 24 | key_of(proto, port);
}

static inline bool key_is_remote(u32 key)
{
	return key >> 24;
}

static inline u8 key_proto(u32 key)
{
	return key >> 16;
}

static inline u16 key_port(u32 key)
{
	return key;
}

/* Is more to be known of a row that is not ephemeral than numbers of sockets? */
static inline bool key_is_deep(u32 key)
{
	return !key_is_remote(key) || key_proto(key) == PORTSOCK_TCP;
}

#endif /* PORTSOCK_KEYS_H */
