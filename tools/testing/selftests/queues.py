# SPDX-License-Identifier: GPL-2.0-only
"""What waits in sockets, by the kernel's own tables: listeners and UDP by sock_diag, raw and ICMP sockets by /proc/net."""

import socket
import struct

import diag
import protocols

SO_MEMINFO = 55
SK_MEMINFO_DROPS = 8
# sock_diag says 0 for DCCP, whatever waits.
LISTENING = {"tcp": socket.IPPROTO_TCP, "sctp": protocols.IPPROTO_SCTP}
DATAGRAM = {"udp": socket.IPPROTO_UDP, "udplite": protocols.IPPROTO_UDPLITE}


def drops(sock):
    """What the kernel has dropped at a socket: the d of ss -m."""
    return struct.unpack_from("=9I", sock.getsockopt(socket.SOL_SOCKET, SO_MEMINFO, 36))[SK_MEMINFO_DROPS]


def waiting_lines(name):
    """[(port, bytes, inode)] of a file of /proc/net that looks like udp's."""
    return [(port, int(words[4].split(":")[1], 16), int(words[9])) for words, port in protocols.proc_words(name)]


def oracle():
    """{(proto, port): {column: value}} of all ports that have a socket in which something may wait."""
    rows = {}

    def add(proto, port, **values):
        row = rows.setdefault((proto, port), dict.fromkeys(values, 0))
        for name, value in values.items():
            row[name] += value

    for family in protocols.FAMILIES:
        v6 = family == socket.AF_INET6
        for proto, number in LISTENING.items():
            # a listener of SCTP that has associations comes twice on kernels such as 6.18.15
            entries = {e.inode or e.id: e for e in protocols.dump(family, number) if diag.STATE.get(e.state) == "listen"}
            for e in entries.values():
                add(proto, e.port, backlog=e.waiting, backlog_max=e.limit)
        for proto, number in DATAGRAM.items():
            for e in protocols.dump(family, number):
                add(proto, e.port, rcv_queue=e.waiting)
        for port, waiting, _ in waiting_lines("raw6" if v6 else "raw"):
            add("raw", port, rcv_queue=waiting)
    # the files of both families list a socket that follows one of the other family in the kernel's hash
    for port, waiting in {inode: rest for name in ("icmp", "icmp6") for *rest, inode in waiting_lines(name)}.values():
        add("icmp", port, rcv_queue=waiting)
    return rows


def differences(table, rows):
    """What waits in the file's services, against the oracle."""
    bad = []
    for row in (row for row in table.singles() if row.proto != "dccp"):
        have = rows.get(row.key, {})
        bad += [f"{row.proto} {row.port}: {name}: got {row[name]}, expected {have.get(name, 0)} (by the kernel's tables)"
                for name in ("backlog", "backlog_max", "rcv_queue") if name in row.answers() and row[name] != have.get(name, 0)]
    return bad
