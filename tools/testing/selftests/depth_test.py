# SPDX-License-Identifier: GPL-2.0-only
"""What waits in sockets, and what the kernel dropped there."""

import ctypes
import errno
import socket
import struct

import harness
import portsock
import protocols
import queues
from harness import equal, loopback, needs_module, port_of, until
from protocols import allow_ping, dccp, icmp, listening, raw, sctp, udplite

SO_ATTACH_FILTER = 26
BPF_RET = 0x06


def same(t):
    """Comes to rest, and everything is what the kernel's tables say. Returns the file."""
    _, table = protocols.same(t)
    rows = queues.oracle()
    bad = queues.differences(table, rows)
    if bad:
        harness.fail(*bad)
    return table


def row(t, proto, port):
    return same(t).by_key[proto, port]


def expect(t, proto, port, **values):
    """The row's columns, once the kernel's tables say the same of those that are in them."""
    def reached():
        have = queues.oracle().get((proto, port), {})
        return proto == "dccp" or all(have.get(name, 0) == value for name, value in values.items() if name in portsock.NOW)

    until(reached, f"{proto} {port} to have {values}")
    now = row(t, proto, port)
    for name, value in values.items():
        equal(now[name], value, f"{proto} {port}: {name}")


def waits(sock):
    """How many connections wait for accept() at it, by sock_diag."""
    return queues.oracle()["tcp", port_of(sock)]["backlog"]


def clients(t, port, number, v6=False):
    """Connections that come, and wait."""
    return [t.connect(port, v6=v6) for _ in range(number)]


# ---- listeners -------------------------------------------------------------------------------------

@needs_module
def test_backlog(t):
    """What waits is what came and was not accepted; a limit of 2 holds 3."""
    server = t.listen(80, backlog=2)
    expect(t, "tcp", 80, backlog=0, backlog_max=2, backlog_peak=0, listen_drops=0)
    clients(t, 80, 3)
    expect(t, "tcp", 80, backlog=3, backlog_max=2, backlog_peak=3, listen_drops=0)
    t.accept(server)
    t.accept(server)
    expect(t, "tcp", 80, backlog=1, backlog_max=2, backlog_peak=3)
    clients(t, 80, 1)
    expect(t, "tcp", 80, backlog=2, backlog_max=2, backlog_peak=3)
    t.drop(server)
    expect(t, "tcp", 80, backlog=0, backlog_max=0, backlog_peak=3, listen_drops=0)


@needs_module
def test_backlog_peak_needs_no_reader(t):
    server = t.listen(80, backlog=8, v6=True)
    socks = clients(t, 80, 2, v6=True) + clients(t, 80, 3)
    until(lambda: waits(server) == 5, "5 connections")
    for _ in socks:
        t.accept(server)
    expect(t, "tcp", 80, backlog=0, backlog_max=8, backlog_peak=5)


@needs_module
def test_backlog_limit_changes_without_a_change_of_state(t):
    server = t.listen(80, backlog=2)
    server.listen(7)
    expect(t, "tcp", 80, backlog=0, backlog_max=7)


@needs_module
def test_backlog_of_several_listeners(t):
    """They add up; each is full by itself."""
    servers = [t.listen(80, addr, backlog=backlog, so_reuseport=1)
               for addr, backlog in (("127.0.0.1", 1), ("127.0.0.2", 2), ("127.0.0.3", 4))]
    for number in (1, 2, 2):
        t.connect(80, f"127.0.0.{number}")
    expect(t, "tcp", 80, backlog=3, backlog_max=7, backlog_peak=3)
    t.drop(servers[1])
    expect(t, "tcp", 80, backlog=1, backlog_max=5, backlog_peak=3)


@needs_module
def test_backlog_of_a_socket_that_listens_again(t):
    server = t.listen(80, backlog=1)
    clients(t, 80, 1)
    expect(t, "tcp", 80, backlog=1, backlog_max=1)
    server.shutdown(socket.SHUT_RD)
    expect(t, "tcp", 80, backlog=0, backlog_max=0, backlog_peak=1)
    server.listen(3)
    expect(t, "tcp", 80, backlog=0, backlog_max=3, backlog_peak=1)


def overflow(t, server, v6=False):
    """A SYN more than the accept queue holds. The kernel drops it, again each time that it is sent."""
    before = queues.drops(server)
    client = t.tcp(v6)
    client.setblocking(False)
    equal(client.connect_ex((loopback(v6), port_of(server))), errno.EINPROGRESS, "connect()")
    until(lambda: queues.drops(server) > before, "a SYN to be dropped")
    t.drop(client)


@needs_module
def test_listen_drops(t):
    """The d of ss -m, which outlives the listener."""
    server = t.listen(80, backlog=0, v6=True)
    clients(t, 80, 1)
    overflow(t, server)
    overflow(t, server, v6=True)
    drops = queues.drops(server)
    equal(drops >= 2, True, f"{drops} drops are 2 or more")
    expect(t, "tcp", 80, backlog=1, backlog_max=0, backlog_peak=1, listen_drops=drops)
    t.drop(server)
    expect(t, "tcp", 80, backlog=0, listen_drops=drops)
    server = t.listen(80, backlog=0)
    clients(t, 80, 1)
    overflow(t, server)
    expect(t, "tcp", 80, listen_drops=drops + queues.drops(server))


@needs_module
def test_listen_drops_of_a_socket_that_listens_again(t):
    """Its number goes on; the row's as well."""
    server = t.listen(80, backlog=0)
    clients(t, 80, 1)
    overflow(t, server)
    server.shutdown(socket.SHUT_RD)
    drops = queues.drops(server)
    expect(t, "tcp", 80, listen_drops=drops)
    server.listen(0)
    clients(t, 80, 1)
    overflow(t, server)
    equal(queues.drops(server) > drops, True, "the socket goes on counting")
    expect(t, "tcp", 80, listen_drops=queues.drops(server))


@needs_module
def test_drops_of_a_connection_are_not_the_listeners(t):
    server = t.listen(80)
    client, child = t.pair(server)
    refuse(child)
    client.sendall(b"x")
    until(lambda: queues.drops(child), "a segment to be dropped")
    equal(queues.drops(server), 0, "what the listener dropped")
    expect(t, "tcp", 80, listen_drops=0)


# ---- datagrams -------------------------------------------------------------------------------------

def refuse(sock):
    """The kernel drops all that comes."""
    code = ctypes.create_string_buffer(struct.pack("=HBBI", BPF_RET, 0, 0, 0))
    sock.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, struct.pack("HP", 1, ctypes.addressof(code)))


def receiver(t, port, v6=False, make=None):
    sock = make(t, v6) if make else t.udp(v6)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)     # the least that may be
    sock.bind((loopback(v6), port))
    return sock


def flood(t, sock, number=40):
    """More datagrams than it has room for."""
    family, kind, proto = sock.family, sock.type, sock.proto
    sender = t.keep(socket.socket(family, kind, proto))
    for _ in range(number):
        sender.sendto(bytes(200), sock.getsockname()[:2])
    until(lambda: queues.drops(sock), "a datagram to be dropped")
    t.drop(sender)


def read_all(sock):
    sock.setblocking(False)
    try:
        while True:
            sock.recv(1000)
    except BlockingIOError:
        pass


def rcvbuf_errors(name):
    """Of this namespace, for want of room."""
    with open("/proc/net/snmp", encoding="ascii") as file:
        names, values = [line.split()[1:] for line in file if line.startswith(name + ":")]
    return int(dict(zip(names, values))["RcvbufErrors"])


def check_receiver(t, proto, sock):
    port = port_of(sock)
    expect(t, proto, port, rcv_queue=0, rcv_drops=0)
    flood(t, sock)
    drops = queues.drops(sock)
    now = row(t, proto, port)
    equal(now["rcv_drops"], drops, f"{proto} {port}: rcv_drops, by SO_MEMINFO")
    equal(now["rcv_queue"] > 0, True, f"{proto} {port}: something waits")
    read_all(sock)
    expect(t, proto, port, rcv_queue=0, rcv_drops=drops)
    t.drop(sock)
    expect(t, proto, port, rcv_queue=0, rcv_drops=drops)
    return drops


@needs_module
def test_udp_receiver(t):
    drops = check_receiver(t, "udp", receiver(t, 53))
    equal(drops, rcvbuf_errors("Udp"), "drops, by RcvbufErrors")


@needs_module
def test_udp_receiver_over_ipv6(t):
    check_receiver(t, "udp", receiver(t, 53, v6=True))


@needs_module
def test_udplite_receiver(t):
    check_receiver(t, "udplite", receiver(t, 53, make=udplite))


@needs_module
def test_udp_receivers_of_one_port(t):
    """They add up, whether they are connected or not; what one that is gone has dropped stays."""
    socks = []
    for number in (1, 2, 3):
        sock = t.udp()
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
        sock.bind((f"127.0.0.{number}", 53))
        socks.append(sock)
        flood(t, sock)
    peer = t.udp()
    peer.bind(("127.0.0.1", 54))
    socks[2].connect(("127.0.0.1", 54))
    drops = sum(map(queues.drops, socks))
    equal(row(t, "udp", 53)["rcv_drops"], drops, "udp 53: rcv_drops")
    t.drop(socks[0], socks[2])
    equal(row(t, "udp", 53)["rcv_drops"], drops, "udp 53: rcv_drops")
    equal(row(t, "udp", 54)["rcv_drops"], 0, "udp 54: rcv_drops")


@needs_module
def test_udp_socket_that_a_filter_refuses(t):
    sock = receiver(t, 53)
    refuse(sock)
    flood(t, sock, 3)
    equal(queues.drops(sock), 3, "datagrams that were refused")
    expect(t, "udp", 53, rcv_queue=0, rcv_drops=3)


@needs_module
def test_udp_drops_of_ephemeral_ports(t):
    """Their total has what those dropped that are gone."""
    sock = receiver(t, 0)
    flood(t, sock)
    drops = queues.drops(sock)
    table = same(t)
    equal((table.by_key["udp", port_of(sock)]["rcv_drops"], table.by_key["udp", "*"]["rcv_queue"]), (None, None),
          "what is not measured")
    before = table.by_key["udp", "*"]["rcv_drops"]
    t.drop(sock)
    equal(row(t, "udp", "*")["rcv_drops"] - before, drops, "udp *: rcv_drops")


@needs_module
def test_udp_socket_that_changes_its_port(t):
    """What it dropped before is not the new port's."""
    sock = receiver(t, 0)
    peer = t.udp()
    peer.bind(("127.0.0.1", 54))
    flood(t, sock)
    drops = queues.drops(sock)
    harness.disconnect(sock)                                    # takes the port, which the kernel chose
    before = row(t, "udp", "*")["rcv_drops"]
    equal(before, drops, "udp *: rcv_drops")
    sock.bind(("127.0.0.1", 53))
    expect(t, "udp", 53, rcv_drops=0)
    flood(t, sock)
    equal(row(t, "udp", 53)["rcv_drops"], queues.drops(sock) - drops, "udp 53: rcv_drops")


@needs_module
def test_raw_receiver(t):
    """Every raw socket of a protocol gets what comes of it."""
    for v6 in (False, True):
        sock = raw(t, 253 + v6, v6)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
        for _ in range(40):
            sock.sendto(bytes(200), (loopback(v6), 0))
        until(lambda sock=sock: queues.drops(sock), "a datagram to be dropped")
        drops = queues.drops(sock)
        equal(row(t, "raw", 253 + v6)["rcv_drops"], drops, "raw: rcv_drops")
        read_all(sock)
        t.drop(sock)
        expect(t, "raw", 253 + v6, rcv_queue=0, rcv_drops=drops)


@needs_module
def test_icmp_receiver(t):
    """Answers to an echo socket that does not read them."""
    allow_ping()
    sock = icmp(t)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
    sock.bind(("127.0.0.1", 7))
    for _ in range(40):
        sock.sendto(bytes((8, 0, 0, 0, 0, 0, 0, 1)) + bytes(200), ("127.0.0.1", 0))
    until(lambda: queues.drops(sock), "an answer to be dropped")
    drops = queues.drops(sock)
    now = same(t).by_key["icmp", port_of(sock)]
    if now.cls == "service":
        equal(now["rcv_drops"], drops, "icmp: rcv_drops")
    t.drop(sock)
    total = same(t).by_key.get(("icmp", "*"))
    equal((total or now)["rcv_drops"], drops, "icmp: rcv_drops of those that are gone")


# ---- other protocols that listen -------------------------------------------------------------------

@needs_module
def test_sctp_backlog(t):
    server = listening(sctp(t), 80, backlog=4)
    socks = [sctp(t) for _ in range(3)]
    for sock in socks:
        sock.connect(("127.0.0.1", 80))
    expect(t, "sctp", 80, backlog=3, backlog_max=4, backlog_peak=3, listen_drops=0)
    t.accept(server)
    expect(t, "sctp", 80, backlog=2, backlog_max=4, backlog_peak=3)


@needs_module
def test_dccp_backlog(t):
    protocols.modprobe("dccp_ipv4")                             # Debian does not load it on demand
    server = listening(dccp(t), 80, backlog=4)
    socks = [dccp(t) for _ in range(3)]
    for sock in socks:
        sock.connect(("127.0.0.1", 80))
    expect(t, "dccp", 80, backlog=3, backlog_max=4, backlog_peak=3, listen_drops=0)
    t.accept(server)
    expect(t, "dccp", 80, backlog=2, backlog_max=4, backlog_peak=3)


# ---- the module comes later ------------------------------------------------------------------------

@needs_module
def test_sockets_older_than_the_module(t):
    """What waits is seen at once; drops count from then."""
    server = t.listen(80, backlog=0)
    clients(t, 80, 1)
    overflow(t, server)
    sock = receiver(t, 53)
    flood(t, sock)
    t.reload()
    expect(t, "tcp", 80, backlog=1, backlog_max=0, backlog_peak=1, listen_drops=0)
    equal(row(t, "udp", 53)["rcv_drops"], 0, "udp 53: rcv_drops")
    before = queues.drops(server), queues.drops(sock)
    overflow(t, server)
    flood(t, sock)
    now = same(t)
    equal(now.by_key["tcp", 80]["listen_drops"], queues.drops(server) - before[0], "tcp 80: listen_drops")
    equal(now.by_key["udp", 53]["rcv_drops"], queues.drops(sock) - before[1], "udp 53: rcv_drops")
