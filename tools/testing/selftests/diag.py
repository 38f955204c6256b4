# SPDX-License-Identifier: GPL-2.0-only
"""The oracle: what the kernel's own tables say about the sockets of one network namespace.

Three sources, none of them portsock:

* sock_diag: every hashed TCP socket, TIME_WAIT and request mini-socket, and every bound UDP socket;
* the descriptors of all processes: TCP sockets that are bound only or hold no port at all, which no
  table of a 6.1 kernel lists (sock_diag does since 6.8), and UDP sockets without a port;
* /proc/net/{tcp,udp,sockstat,snmp}: cross-checks.
"""

import ctypes
import errno
import fcntl
import os
import socket
import struct

from portsock import FULL_STATES, GAUGES

NETLINK_SOCK_DIAG = 4
SOCK_DIAG_BY_FAMILY = 20
NLM_F_REQUEST_DUMP = 0x301
NLM_F_DUMP_INTR = 0x10
NLMSG_ERROR, NLMSG_DONE = 2, 3
INET_DIAG_SHUTDOWN = 8          # attribute that every full socket carries and no mini-socket does
SIOCGSKNS = 0x894C
SYS_PIDFD_GETFD = 438
IP_BIND_ADDRESS_NO_PORT = 24
BOUND_INACTIVE = os.environ.get("PORTSOCK_HEURISTIC") is None and \
    tuple(int(n) for n in os.uname().release.split("-")[0].split(".")[:2]) >= (6, 8)

STATE = {1: "established", 2: "syn_sent", 3: "syn_recv", 4: "fin_wait1", 5: "fin_wait2", 6: "time_wait",
         7: "close", 8: "close_wait", 9: "last_ack", 10: "listen", 11: "closing", 12: "syn_recv", 13: "close"}
PROTO = {"tcp": socket.IPPROTO_TCP, "udp": socket.IPPROTO_UDP}

libc = ctypes.CDLL(None, use_errno=True)

# Is a child that was reset while it waits in an accept queue an unbound socket? It holds no port and exists,
# but nobody has a descriptor of it.
DEAD_CHILDREN_ARE_UNBOUND = False


def row():
    return dict.fromkeys(GAUGES + ("mini",), 0)


def add(rows, proto, port, state, v6, mini):
    """Count one socket; a mini-socket is not part of sockets and ipv6."""
    entry = rows.setdefault((proto, port), row())
    if mini and state != "syn_recv":
        state = "time_wait"     # FIN_WAIT2 as the substate of a timewait mini-socket
    entry[state] += 1
    if mini:
        entry["mini"] += state == "syn_recv"
    else:
        entry["sockets"] += 1
        entry["ipv6"] += v6


def dump_once(family, protocol):
    """[(state, local port, inode, receive queue, is a mini-socket, remote port)] or None when the dump was interrupted."""
    states = 0xfff | (1 << 13 if BOUND_INACTIVE else 0)
    request = struct.pack("=BBBxI48x", family, protocol, 0, states)
    found = []
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_SOCK_DIAG) as nl:
        nl.sendto(struct.pack("=IHHII", 16 + len(request), SOCK_DIAG_BY_FAMILY, NLM_F_REQUEST_DUMP, 1, 0)
                  + request, (0, 0))
        while True:
            data, at = nl.recv(1 << 18), 0
            while at < len(data):
                length, kind, flags, _, _ = struct.unpack_from("=IHHII", data, at)
                if flags & NLM_F_DUMP_INTR:
                    return None
                if kind == NLMSG_DONE:
                    return found
                if kind == NLMSG_ERROR:
                    code = -struct.unpack_from("=i", data, at + 16)[0]
                    raise OSError(code, f"sock_diag: {os.strerror(code)} (family {family}, protocol {protocol})")
                state, = struct.unpack_from("=B", data, at + 17)
                port, peer = struct.unpack_from("!HH", data, at + 20)
                queue, _, _, inode = struct.unpack_from("=IIII", data, at + 72)
                attr, mini = at + 88, True
                while attr + 4 <= at + length:
                    size, name = struct.unpack_from("=HH", data, attr)
                    if name == INET_DIAG_SHUTDOWN:
                        mini = False
                        break
                    attr += (size + 3) & ~3
                found.append((state, port, inode, queue, mini, peer))
                at += (length + 3) & ~3


def dump(family, protocol):
    for _ in range(100):
        found = dump_once(family, protocol)
        if found is not None:
            return found
    raise RuntimeError("sock_diag dumps are interrupted all the time")


def holds_port(sock, v6, port):
    """Does a socket in CLOSE hold a port? getsockname() keeps naming ports that were given back. What is tried here is
    refused with EINVAL exactly when sk_num is set, and otherwise changes nothing but that name."""
    if not port:
        return False
    try:
        if v6:
            v6only = sock.getsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY)
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, v6only)
            return False
        no_port = sock.getsockopt(socket.IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT)
        sock.setsockopt(socket.IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1)
        try:
            sock.bind(("0.0.0.0", 0))
            return False
        finally:
            sock.setsockopt(socket.IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, no_port)
    except OSError as error:
        if error.errno != errno.EINVAL:
            raise
        return True


def processes():
    """Those that can have descriptors. The kernel's threads are most of what there is, and take most of the time."""
    try:
        with open("/proc/2/task/2/children", encoding="ascii") as file:
            threads = set(file.read().split())
    except FileNotFoundError:   # the kernel was built without it
        threads = set()
    return [name for name in os.listdir("/proc") if name.isdigit() and name not in threads]


def socket_links(pid):
    """[(descriptor, inode)] of a process's sockets. Whoever closes something meanwhile is not at rest."""
    links = []
    try:
        for fd in os.listdir(f"/proc/{pid}/fd"):
            try:
                link = os.readlink(f"/proc/{pid}/fd/{fd}")
            except OSError:     # such as the descriptor that listed this directory
                continue
            if link.startswith("socket:["):
                links.append((int(fd), int(link[8:-1])))
    except OSError:
        pass
    return links


def copy_of(pid, pidfd, fd):
    """A descriptor for what a process has as fd, or -1. To pass one from process to process lets the module meet the
    socket, whatever it missed before: not done with those of this process, which most tests use."""
    if int(pid) != os.getpid():
        return libc.syscall(SYS_PIDFD_GETFD, pidfd, fd, 0)
    try:
        return os.dup(fd)
    except OSError:
        return -1


def fd_sockets(netns, known):
    """[(proto, port, v6)] of the TCP and UDP sockets that have a descriptor and are not in known inodes."""
    found, seen = [], set()
    for pid in processes():
        links = [(fd, inode) for fd, inode in socket_links(pid) if inode not in known and inode not in seen]
        if not links:
            continue
        try:
            pidfd = os.pidfd_open(int(pid))
        except OSError:
            continue
        for fd, inode in links:
            copy = copy_of(pid, pidfd, fd)
            if copy < 0:
                continue
            sock = socket.socket(fileno=copy)
            seen.add(inode)
            try:
                if (sock.family not in (socket.AF_INET, socket.AF_INET6) or sock.type == socket.SOCK_RAW
                        or sock.proto not in PROTO.values()):
                    continue
                ns = fcntl.ioctl(sock, SIOCGSKNS)
                other = os.fstat(ns).st_ino != netns
                os.close(ns)
                if other:
                    continue
                v6, port = sock.family == socket.AF_INET6, sock.getsockname()[1]
                if sock.proto == socket.IPPROTO_UDP:
                    found.append(("udp", 0, v6))
                else:
                    held = not BOUND_INACTIVE and holds_port(sock, v6, port)
                    found.append(("tcp", port if held else 0, v6))
            finally:
                sock.close()
        os.close(pidfd)
    return found


def netns_inum():
    return os.stat("/proc/self/ns/net").st_ino


def oracle():
    """{(proto, port): gauges} of this process's network namespace; port 0 is the unbound row."""
    rows, known, waiting = {}, set(), {}
    for proto, number in PROTO.items():
        for family in (socket.AF_INET, socket.AF_INET6):
            for state, port, inode, queue, mini, _ in dump(family, number):
                known.add(inode)
                add(rows, proto, port, STATE[state], family == socket.AF_INET6, mini)
                if proto == "tcp" and STATE[state] == "listen":
                    waiting[port] = waiting.get(port, 0) + queue
                elif proto == "tcp" and not inode and not mini and STATE[state] in ("established", "close_wait", "syn_recv"):
                    waiting[port] = waiting.get(port, 0) - 1    # no orphan is in these states: it waits alive
    known.discard(0)
    for proto, port, v6 in fd_sockets(netns_inum(), known):
        add(rows, proto, port, "close", v6, False)
    if DEAD_CHILDREN_ARE_UNBOUND:
        for _ in range(sum(waiting.values())):
            add(rows, "tcp", 0, "close", False, False)
    return rows


def proc_net():
    """The same from /proc/net/{tcp,tcp6,udp,udp6}; bound-only and unbound TCP sockets are not in there."""
    rows = {}
    for proto in PROTO:
        for suffix in ("", "6"):
            with open(f"/proc/net/{proto}{suffix}", encoding="ascii") as file:
                for line in file.readlines()[1:]:
                    words = line.split()
                    # mini-sockets have no columns behind the pointer
                    mini = proto == "tcp" and len(words) <= 12
                    add(rows, proto, int(words[1].split(":")[1], 16), STATE[int(words[3], 16)],
                        suffix == "6", mini)
    return rows


def visible(rows):
    """The part of oracle() that proc_net() can see."""
    cut = {}
    for (proto, port), entry in rows.items():
        if proto == "tcp":
            entry = dict(entry)
            hidden, entry["close"] = entry["close"], 0
            entry["sockets"] -= hidden
            entry["ipv6"] = 0   # which of the hidden ones are AF_INET6 is not kept
        if port and any(entry.values()):
            cut[proto, port] = entry
    return cut


def proc_net_differences(rows):
    """Differences between the two oracles: [] unless the oracle itself is at fault."""
    mine, theirs = visible(rows), proc_net()
    for (proto, _), entry in theirs.items():
        if proto == "tcp":
            entry["ipv6"] = 0
    return [f"oracles differ on {proto} {port}: sock_diag {mine.get((proto, port))}, /proc/net {theirs.get((proto, port))}"
            for proto, port in sorted(set(mine) | set(theirs)) if mine.get((proto, port)) != theirs.get((proto, port))]


def sockstat():
    """{"TCP": {"inuse": n, ..}, "TCP6": {..}, ..} of this namespace (orphan, alloc and mem are the machine's)."""
    stat = {}
    for name in ("sockstat", "sockstat6"):
        with open(f"/proc/net/{name}", encoding="ascii") as file:
            for line in file:
                words = line.replace(":", "").split()
                stat[words[0]] = dict(zip(words[1::2], map(int, words[2::2])))
    return stat


def sockstat_differences(rows):
    stat = sockstat()
    full = sum(sum(e[s] for s in FULL_STATES if s != "close") - e["mini"] for (p, _), e in rows.items() if p == "tcp")
    tcp = stat["TCP"]["inuse"] + stat["TCP6"]["inuse"]
    udp = stat["UDP"]["inuse"] + stat["UDP6"]["inuse"]
    bound = sum(e["sockets"] for (p, port), e in rows.items() if p == "udp" and port)
    return [f"oracles differ: {name} {a} by sock_diag, {b} by sockstat"
            for name, a, b in (("tcp", full, tcp), ("udp", bound, udp)) if a != b]


def counters(path, name):
    with open(path, encoding="ascii") as file:
        names, values = [line.split()[1:] for line in file if line.startswith(name + ":")]
    return dict(zip(names, map(int, values)))


def snmp(name="Tcp"):
    """This namespace's counters of a protocol of /proc/net/snmp, of TCP: ActiveOpens, PassiveOpens, .."""
    return counters("/proc/net/snmp", name)


def tcp_ext():
    """This namespace's TcpExt counters of /proc/net/netstat: EmbryonicRsts, .."""
    return counters("/proc/net/netstat", "TcpExt")


def snmp6():
    """This namespace's counters of IPv6: Udp6RcvbufErrors, .."""
    with open("/proc/net/snmp6", encoding="ascii") as file:
        return {name: int(value) for name, value in map(str.split, file)}
