/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a program that reads tables of portsock needs: link with libportsock.a.
 *
 * A source is opened, a snapshot reads its rows one at a time, a filter chooses among
 * them; rows have a whole table in memory, netns finds the tables of all namespaces, a
 * feed has what monitoring agents are told, formats write that. Errors are sentences for
 * the user.
 */
#ifndef LIBPORTSOCK_H
#define LIBPORTSOCK_H

#include "column.h"
#include "error.h"
#include "feed.h"
#include "filter.h"
#include "format.h"
#include "metrics.h"
#include "netns.h"
#include "output.h"
#include "reserved.h"
#include "rows.h"
#include "service.h"
#include "snapshot.h"
#include "source.h"
#include "state.h"

#endif
