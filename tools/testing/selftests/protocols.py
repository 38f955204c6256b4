# SPDX-License-Identifier: GPL-2.0-only
"""The oracle for every protocol, and expect() for tables that hold them. diag.py knows TCP and UDP; here are

* UDP-Lite, SCTP, DCCP, MPTCP by sock_diag (SCTP: an endpoint that listens or has an association);
* RAW by /proc/net/raw{,6} and ICMP echo sockets by /proc/net/icmp{,6}, which no sock_diag of 6.1 lists;
* what those do not list by the descriptors of all processes: sockets without a port, SCTP and DCCP sockets that
  are bound and no more, and MPTCP sockets in CLOSE: sock_diag lists some of these, with a port that they may have
  given back long ago.
"""

import contextlib
import ctypes
import errno
import fcntl
import os
import select
import socket
import struct
import subprocess
import time

import diag
import harness
import remotes
from portsock import PROTOS

IPPROTO_SCTP, IPPROTO_DCCP, IPPROTO_UDPLITE, IPPROTO_MPTCP = 132, 33, 136, 262
SOCK_DCCP = 6
# The modules of protocols that come and go, users first.
MODULES = {"sctp": ("sctp_diag", "sctp"), "dccp": ("dccp_diag", "dccp_ipv6", "dccp_ipv4", "dccp")}
SCTP_RTOINFO, SCTP_GET_ASSOC_ID_LIST, SCTP_SOCKOPT_PEELOFF = 0, 29, 102
NO_ASSOCIATION = 0x7fffffff
IP_FREEBIND = 15
INET_DIAG_REQ_PROTOCOL, INET_DIAG_PEERS = 3, 13
SOCK_DESTROY, NLM_F_REQUEST_ACK = 21, 5
FAMILIES = (socket.AF_INET, socket.AF_INET6)

# Protocols of which portsock does not see all in this kernel, and says so.
UNSEEN = frozenset(filter(None, os.environ.get("PORTSOCK_UNSEEN", "").split(",")))
# Those that it has not, as the file tools/testing/kernels states, or that are not to be used.
ABSENT = UNSEEN | frozenset(filter(None, os.environ.get("PORTSOCK_ABSENT", "").split(",")))
PRESENT = [proto for proto in PROTOS if proto not in ABSENT]

# What DCCP calls PARTOPEN and PASSIVE_CLOSEREQ counts as established and close_wait. They follow TCP's states.
TCP_MAX_STATES = 14 if diag.BOUND_INACTIVE else 13
DCCP_STATE = {**diag.STATE, TCP_MAX_STATES: "established", TCP_MAX_STATES + 1: "close_wait"}


class Entry:
    """One socket of a sock_diag dump."""

    def __init__(self, data, at, length):
        self.state, self.timer, self.retransmits = struct.unpack_from("=BBB", data, at + 17)
        self.port, self.peer = struct.unpack_from("!HH", data, at + 20)
        self.id = data[at + 20:at + 68]
        self.waiting, self.limit = struct.unpack_from("=II", data, at + 72)     # Recv-Q; of a listener, its limit
        self.inode, = struct.unpack_from("=I", data, at + 84)
        self.attributes, attr = set(), at + 88
        while attr + 4 <= at + length:
            size, name = struct.unpack_from("=HH", data, attr)
            self.attributes.add(name & 0x3fff)
            attr += (size + 3) & ~3
        self.mini = diag.INET_DIAG_SHUTDOWN not in self.attributes


def dump_once(family, protocol):
    request = struct.pack("=BBBxI48x", family, protocol & 0xff, 0, 0xffff)
    if protocol > 0xff:
        request += struct.pack("=HHI", 8, INET_DIAG_REQ_PROTOCOL, protocol)
    found = []
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, diag.NETLINK_SOCK_DIAG) as nl:
        nl.sendto(struct.pack("=IHHII", 16 + len(request), diag.SOCK_DIAG_BY_FAMILY, diag.NLM_F_REQUEST_DUMP, 1, 0)
                  + request, (0, 0))
        while True:
            data, at = nl.recv(1 << 18), 0
            while at < len(data):
                length, kind, flags, _, _ = struct.unpack_from("=IHHII", data, at)
                if flags & diag.NLM_F_DUMP_INTR:
                    return None
                if kind == diag.NLMSG_DONE:
                    return found
                if kind == diag.NLMSG_ERROR:
                    code = -struct.unpack_from("=i", data, at + 16)[0]
                    raise OSError(code, f"sock_diag: {os.strerror(code)} (family {family}, protocol {protocol})")
                found.append(Entry(data, at, length))
                at += (length + 3) & ~3


def dump(family, protocol):
    needs = {IPPROTO_SCTP: "sctp", IPPROTO_DCCP: "dccp"}.get(protocol)
    if needs and not os.path.exists("/sys/module/" + needs):    # asking would load it
        return []
    for _ in range(100):
        try:
            found = dump_once(family, protocol)
        except OSError as error:
            if error.errno == errno.ENOENT:                     # the protocol's module is not there
                return []
            raise
        if found is not None:
            return found
    raise RuntimeError("sock_diag dumps are interrupted all the time")


def destroy(protocol, port):
    """As ss -K: end all sockets on that port. The kernel does not want to end an MPTCP listener's subflow."""
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, diag.NETLINK_SOCK_DIAG) as nl:
        for family in FAMILIES:
            for entry in (e for e in dump(family, protocol) if e.port == port):
                request = struct.pack("=BBBxI", family, protocol, 0, 0xffff) + entry.id
                nl.sendto(struct.pack("=IHHII", 16 + len(request), SOCK_DESTROY, NLM_F_REQUEST_ACK, 1, 0) + request, (0, 0))
                error, = struct.unpack_from("=i", nl.recv(1 << 12), 16)
                refused = -errno.EINVAL if diag.STATE.get(entry.state) == "listen" else 0
                if error not in (0, refused, -errno.ENOENT, -errno.EOPNOTSUPP):
                    raise OSError(-error, f"SOCK_DESTROY: {os.strerror(-error)} (protocol {protocol}, port {port})")


def proc_words(name):
    """The words of each line of a file of /proc/net that looks like udp's, and its port."""
    try:
        with open(f"/proc/net/{name}", encoding="ascii") as file:
            lines = file.readlines()[1:]
    except FileNotFoundError:
        return []
    return [(words, int(words[1].split(":")[1], 16)) for words in map(str.split, lines)]


def proc_lines(name):
    """[(port, state, inode)] of such a file."""
    return [(port, int(words[3], 16), int(words[9])) for words, port in proc_words(name)]


def files():
    """Every inet socket of this network namespace that has a descriptor: (inode, socket). It is closed afterwards."""
    netns, seen = diag.netns_inum(), set()
    for pid in diag.processes():
        links = [(fd, inode) for fd, inode in diag.socket_links(pid) if inode not in seen]
        if not links:
            continue
        try:
            pidfd = os.pidfd_open(int(pid))
        except OSError:
            continue
        for fd, inode in links:
            copy = diag.copy_of(pid, pidfd, fd)
            if copy < 0:
                continue
            with socket.socket(fileno=copy) as sock:
                if inode in seen or sock.family not in FAMILIES:
                    continue
                ns = fcntl.ioctl(sock, diag.SIOCGSKNS)
                other = os.fstat(ns).st_ino != netns
                os.close(ns)
                if other:
                    continue
                seen.add(inode)
                yield inode, sock
        os.close(pidfd)


def name_of(sock):
    if sock.type == socket.SOCK_RAW:
        return "raw"
    return {IPPROTO_UDPLITE: "udplite", socket.IPPROTO_ICMP: "icmp", socket.IPPROTO_ICMPV6: "icmp",
            IPPROTO_SCTP: "sctp", IPPROTO_DCCP: "dccp", IPPROTO_MPTCP: "mptcp"}.get(sock.proto)


def icmp_lines():
    """{inode: (v6, port, state)}. The files of both families list a socket that follows one of the other family in
    the kernel's hash: then its descriptor tells."""
    found = {False: {}, True: {}}
    for v6, sockets in found.items():
        sockets.update((inode, (v6, port, state)) for port, state, inode in proc_lines("icmp6" if v6 else "icmp"))
    lines = found[False] | found[True]
    if twice := found[False].keys() & found[True].keys():
        lines.update((inode, found[sock.family == socket.AF_INET6][inode]) for inode, sock in files() if inode in twice)
    return lines


# Ports that bind() gave to MPTCP sockets, by inode: those that they asked for by number, which they keep, and those that were
# connected before, of which no kernel before 6.8 tells. Whoever binds such a one takes it away when the port has gone.
BOUND = {}


class Mptcp(socket.socket):
    """Notes which port it asks for."""

    def bind(self, address):
        super().bind(address)
        if address[1]:
            self.note()

    def note(self):
        """It has the port that it names."""
        BOUND[os.fstat(self.fileno()).st_ino] = self.getsockname()[1]


@contextlib.contextmanager
def every_port_reserved():
    """Meanwhile the kernel has no port to give."""
    def values(name):
        with open("/proc/sys/net/ipv4/" + name, encoding="ascii") as file:
            return file.read().split()

    before = values("ip_local_reserved_ports")
    harness.sysctl("net.ipv4.ip_local_reserved_ports", "-".join(values("ip_local_port_range")))
    try:
        yield
    finally:
        harness.sysctl("net.ipv4.ip_local_reserved_ports", "".join(before) + "\n")


def refuses(code, call, *args):
    """Does a call fail so? If it fails otherwise that is no answer."""
    try:
        call(*args)
    except OSError as error:
        if error.errno != code:
            raise
        return True
    return False


def mptcp_holds(sock, inode, port, subflows):
    """Does an MPTCP socket in CLOSE hold the port it names? If its first subflow does. That is in sock_diag, if it is not in
    CLOSE as well, since 6.8 even then. Otherwise one is asked that was not connected yet: bind() is refused with EINVAL if it
    has a port, and with another error if there are none to be had. All others have none, unless it is in BOUND: those that
    went on as plain TCP, which alone know every option of IP, and those that did not, which know none of bind()'s."""
    if not port or (inode, port) in subflows:
        return bool(port)
    if diag.BOUND_INACTIVE or BOUND.get(inode) == port:
        return not diag.BOUND_INACTIVE
    if not refuses(errno.EOPNOTSUPP, sock.getsockopt, socket.IPPROTO_IP, diag.IP_BIND_ADDRESS_NO_PORT) or \
            refuses(errno.EINVAL, sock.setsockopt, socket.IPPROTO_IP, IP_FREEBIND, 0):
        return False
    with every_port_reserved():
        try:
            sock.bind(("::" if sock.family == socket.AF_INET6 else "0.0.0.0", 0))
        except OSError as error:
            return error.errno == errno.EINVAL
    raise AssertionError("bind() found a port where there is none")


def getsockopt(sock, name, data):
    """Of SCTP, where the question is in what is to be filled."""
    data = ctypes.create_string_buffer(data, len(data))
    harness.check(harness.libc.getsockopt(sock.fileno(), IPPROTO_SCTP, name, data, ctypes.byref(ctypes.c_uint(len(data)))),
                  f"SCTP option {name}")
    return data.raw


def one_to_many(sock):
    """Is this SCTP socket for any number of associations? Only such a one looks for an association by its number."""
    try:
        getsockopt(sock, SCTP_RTOINFO, struct.pack("=iIII", NO_ASSOCIATION, 0, 0, 0))
    except OSError as error:
        if error.errno != errno.EINVAL:
            raise
        return True
    return False


def sctp_state(sock):
    """State of a bound SCTP socket that neither listens nor has an association. One whose association is over waits to be
    closed, whichever side ended it; poll() calls such a one writable, and no other but those for many associations."""
    poll = select.poll()
    poll.register(sock, select.POLLOUT)
    if any(event & select.POLLOUT for _, event in poll.poll(0)) and not one_to_many(sock):
        return "close_wait"
    return "close"


def others():
    """The rows of all protocols but TCP and UDP, and inodes of the sockets in it."""
    rows, known = {}, set()

    def add(proto, port, state, v6, inode=0, mini=False):
        known.add(inode)
        diag.add(rows, proto, port, state, v6, mini)

    for family in FAMILIES:
        v6 = family == socket.AF_INET6
        for e in dump(family, IPPROTO_UDPLITE):
            add("udplite", e.port, diag.STATE[e.state], v6, e.inode)
        for e in dump(family, IPPROTO_DCCP):
            add("dccp", e.port, DCCP_STATE[e.state], v6, e.inode, e.mini)
        for e in dump(family, IPPROTO_MPTCP):
            if diag.STATE[e.state] != "close":
                add("mptcp", e.port, diag.STATE[e.state], v6, e.inode)
        # associations follow their socket; a listener that has some comes twice on kernels such as 6.18.15
        sctp_sockets = [e for e in dump(family, IPPROTO_SCTP) if INET_DIAG_PEERS not in e.attributes]
        for e in {e.inode if diag.STATE[e.state] == "listen" else e: e for e in sctp_sockets}.values():
            add("sctp", e.port, diag.STATE[e.state], v6, e.inode)
        for port, state, inode in proc_lines("raw6" if v6 else "raw"):
            add("raw", port, diag.STATE[state], v6, inode)
    for inode, (v6, port, state) in icmp_lines().items():
        add("icmp", port, diag.STATE[state], v6, inode)
    known.discard(0)
    # they say that they belong to the MPTCP socket's descriptor
    listed = {(e.inode, e.port) for family in FAMILIES for e in dump(family, socket.IPPROTO_TCP) if e.inode}
    subflows = {}
    for inode, sock in files():
        proto = name_of(sock)
        if proto is None or inode in known and proto != "mptcp":
            continue
        v6 = sock.family == socket.AF_INET6
        port = 0 if proto in ("udplite", "raw", "icmp") else sock.getsockname()[1]
        if proto == "dccp" and v6 and not diag.holds_port(sock, v6, port):
            port = 0
        if proto == "mptcp":
            hidden = BOUND.get(inode) == port if inode in known else mptcp_holds(sock, inode, port, listed)
            if hidden and (inode, port) not in listed:                  # its first subflow, in CLOSE
                diag.add(subflows, "tcp", port, "close", v6, False)
            if inode in known:
                continue
            port = port if hidden else 0
        add(proto, port, sctp_state(sock) if proto == "sctp" and port else "close", v6)
    return rows, subflows


def cross_check(rows):
    """Differences between the oracle and other tables of the kernel."""
    bad = []
    numbers = {}
    for name in ("udplite", "udplite6"):
        numbers["udplite"] = numbers.get("udplite", 0) + len(proc_lines(name))
    numbers["raw"] = sum(len(dump(family, socket.IPPROTO_RAW)) for family in FAMILIES)
    for proto, number in numbers.items():
        mine = sum(e["sockets"] for (p, port), e in rows.items() if p == proto and port)
        if mine != number:
            bad.append(f"oracles differ: {number} sockets of {proto}, expected {mine}")
    try:
        with open("/proc/net/sctp/eps", encoding="ascii") as file:
            listeners = sum(line.split()[3] == "10" for line in file.readlines()[1:])
    except FileNotFoundError:
        return bad
    mine = sum(e["listen"] for (p, _), e in rows.items() if p == "sctp")
    if mine != listeners:
        bad.append(f"oracles differ: {listeners} sctp listeners in /proc/net/sctp/eps, expected {mine}")
    return bad


def oracle():
    """{(proto, port): gauges} of this network namespace, every protocol."""
    rows = diag.oracle()
    more, subflows = others()
    rows.update(more)
    for key, entry in subflows.items():
        have = rows.setdefault(key, diag.row())
        for name, value in entry.items():
            have[name] += value
    return rows


@contextlib.contextmanager
def every_protocol():
    """The harness compares the protocols that diag knows."""
    few, diag.PROTO = diag.PROTO, dict.fromkeys(PROTOS)
    try:
        yield
    finally:
        diag.PROTO = few


def differences(table, have, want=None, upper=None):
    with every_protocol():
        return harness.gauge_differences(table, have, upper) + \
            (harness.statement_differences(table, want) if want else [])


def expect(t, *statements):
    """Case.expect() for any protocol: the whole table has to come to rest as stated."""
    want = harness.Expected(statements)
    end = time.monotonic() + harness.DEADLINE
    while True:
        have = oracle()
        bad = harness.oracle_differences(have, want.oracle) or cross_check(have)
        if not bad and oracle() == have:
            break
        if time.monotonic() > end:
            harness.late("the kernel does not come to the state that the test describes", *bad)
        time.sleep(0.01)
    if not harness.with_module:
        return None
    return t.settle(lambda table: differences(table, have, want), lambda: oracle() == have)


def same(t):
    """Whatever is there: every gauge of the file equals the oracle; TIME_WAIT may expire meanwhile."""
    return t.twice(lambda: same_once(t))


def same_once(t):
    def still(rows):
        return {key: rest for key, e in rows.items()
                if any((rest := {n: v for n, v in e.items() if n != "time_wait"}).values())}

    end, wrong = time.monotonic() + harness.DEADLINE, None
    while True:
        before, peers = oracle(), remotes.oracle()
        table = harness.portsock.read()
        after = oracle()
        if still(before) == still(after):
            bad = differences(table, before, upper=after) + t.faults(table, peers)
            if not bad:
                return before, table
            wrong = wrong or time.monotonic()
            if time.monotonic() - wrong > harness.SETTLE:
                harness.fail(*bad[:40])
        else:
            bad, wrong = ["the oracle moves"], None
        if time.monotonic() > end:
            harness.late("no rest", *bad[:40])
        time.sleep(0.05)


# ---- sockets ---------------------------------------------------------------------------------------

def family(v6):
    return socket.AF_INET6 if v6 else socket.AF_INET


def modprobe(*names):
    subprocess.run(("modprobe", "-a") + names, check=True)


def references(name):
    """How many hold this module, other modules aside."""
    with open(f"/sys/module/{name}/refcnt", encoding="ascii") as file:
        return int(file.read()) - len(os.listdir(f"/sys/module/{name}/holders"))


def remove(*names):
    """Remove modules, users first. The control sockets of each namespace hold the module of their protocol, twice,
    so that it goes by force only; sockets of anybody else must be gone."""
    for name in names:
        def idle(name=name):
            return not os.path.exists("/sys/module/" + name) or references(name) <= 2 * harness.namespaces()

        harness.until(idle, f"sockets that hold {name} to go")
        if os.path.exists("/sys/module/" + name):
            subprocess.run(("rmmod", "-f", name), check=True)


def allow_ping():
    harness.sysctl("net.ipv4.ping_group_range", "0 2147483647")


def udplite(t, v6=False):
    return t.keep(socket.socket(family(v6), socket.SOCK_DGRAM, IPPROTO_UDPLITE))


def raw(t, number, v6=False):
    return t.keep(socket.socket(family(v6), socket.SOCK_RAW, number))


def icmp(t, v6=False):
    return t.keep(socket.socket(family(v6), socket.SOCK_DGRAM, socket.IPPROTO_ICMPV6 if v6 else socket.IPPROTO_ICMP))


def sctp(t, v6=False, many=False):
    return t.keep(socket.socket(family(v6), socket.SOCK_SEQPACKET if many else socket.SOCK_STREAM, IPPROTO_SCTP))


def dccp(t, v6=False):
    return t.keep(socket.socket(family(v6), SOCK_DCCP, IPPROTO_DCCP))


def mptcp(t, v6=False):
    return t.keep(Mptcp(family(v6), socket.SOCK_STREAM, IPPROTO_MPTCP))


def listening(sock, port, addr="", backlog=16):
    sock.bind((addr or ("::" if sock.family == socket.AF_INET6 else "0.0.0.0"), port))
    sock.listen(backlog)
    return sock


def associations(sock):
    data = sock.getsockopt(IPPROTO_SCTP, SCTP_GET_ASSOC_ID_LIST, 4 + 4 * 64)
    number, = struct.unpack_from("=I", data)
    return struct.unpack_from(f"={number}i", data, 4)


def peeloff(t, sock, association):
    """sctp_peeloff(): the association leaves a one-to-many socket for one of its own."""
    data = getsockopt(sock, SCTP_SOCKOPT_PEELOFF, struct.pack("=ii", association, 0))
    return t.keep(socket.socket(fileno=struct.unpack("=ii", data)[1]))
