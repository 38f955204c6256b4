# SPDX-License-Identifier: GPL-2.0-only
"""Outgoing connections by the kernel's own tables, which do not say which side began one.

A socket on an ephemeral port that is connected went out: nobody listens on such a port. One on the port of a service
came in, as a rule, but a client may have bound that port by number. So there are two bounds.
"""

import socket

import diag
import portsock

STATES = tuple(name for name in portsock.STATES if name not in ("close", "listen"))
PARAMETER = "/sys/module/portsock/parameters/remote"


def enabled():
    with open(PARAMETER, encoding="ascii") as file:
        return file.read() == "Y\n"


def oracle():
    """{(proto, remote port): {state: [local port of each socket]}}; None if there is nothing to compare."""
    if not enabled():
        return None
    rows = {}
    for proto, number in diag.PROTO.items():
        for family in (socket.AF_INET, socket.AF_INET6):
            for state, port, _, _, mini, peer in diag.dump(family, number):
                name = "time_wait" if mini and diag.STATE[state] != "syn_recv" else diag.STATE[state]
                if peer and name in STATES and not (mini and name == "syn_recv"):
                    rows.setdefault((proto, peer), {}).setdefault(name, []).append(port)
    return rows


def differences(table, before, exact=True):
    """The rows of class remote against the bounds, of which those of TIME_WAIT, which may end meanwhile, are of before the
    table was read. Without exact the lower one is that of a guess: none."""
    bad = []
    rows = oracle()
    if rows is None:
        return bad
    ephemeral = {row.key for row in table.singles() if row.cls == "ephemeral"}
    for key in sorted(set(rows) | {key for key in table.remotes if key[1] != "*" and key[0] in diag.PROTO}):
        row, sockets = table.remotes.get(key), rows.get(key, {})
        for name in STATES:
            ports = (before.get(key, {}) if name == "time_wait" else sockets).get(name, [])
            least = sum((key[0], port) in ephemeral for port in ports) if exact and name != "time_wait" else 0
            got = row[name] if row else 0
            if not least <= got <= len(ports):
                bad.append(f"remote {key[0]} {key[1]}: {name}: got {got}, expected {least} to {len(ports)} (by sock_diag)")
    return bad
