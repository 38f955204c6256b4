# SPDX-License-Identifier: GPL-2.0-only
"""What waits in sockets and what the kernel dropped there; connections that failed or ended; what was sent again."""

import ctypes
import errno
import os
import socket
import struct
import subprocess
import tempfile
import time

import diag
import harness
import portsock
import protocols
import queues
from harness import equal, loopback, needs_module, port_of, sysctl, until
from protocols import allow_ping, dccp, icmp, listening, raw, sctp, udplite
from tcp_test import expect_error

SO_ATTACH_FILTER = 26
BPF_RET = 0x06
TCP_USER_TIMEOUT = 18


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
    equal(drops, diag.snmp("Udp")["RcvbufErrors"], "drops, by RcvbufErrors")


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


# ---- connect() that fails --------------------------------------------------------------------------

def attempt_fails():
    return diag.snmp()["AttemptFails"]


def expect_ends(t, port, **values):
    """The row's failures and ends; those that are not named are 0."""
    names = portsock.CONNECTS + ("connect_no_port",) + portsock.ENDS
    now = row(t, "tcp", port)
    equal({name: now[name] for name in names if now[name]}, values, f"tcp {port}")


@needs_module
def test_connect_refused(t):
    bound = t.tcp()
    bound.bind(("127.0.0.1", 81))
    expect_error(errno.ECONNREFUSED, bound.connect, ("127.0.0.1", 80))
    expect_error(errno.ECONNREFUSED, t.connect, 80)
    expect_error(errno.ECONNREFUSED, t.connect, 80, None, True)
    expect_ends(t, 81, connect_refused=1)
    expect_ends(t, "*", connect_refused=2)
    equal(attempt_fails(), 3, "AttemptFails")


def full(t, port=80):
    """A listener that has no room for connections any more."""
    server = t.listen(port, backlog=0)
    clients(t, port, 1)
    return server


def trying(t, port=80):
    """connect() waits for an answer."""
    sock = t.tcp()
    sock.setblocking(False)
    equal(sock.connect_ex(("127.0.0.1", port)), errno.EINPROGRESS, "connect()")
    return sock


@needs_module
def test_connect_timeout(t):
    sysctl("net.ipv4.tcp_syn_retries", 1)
    full(t)
    expect_error(errno.ETIMEDOUT, t.connect, 80)
    expect_ends(t, "*", connect_timeout=1)
    equal(attempt_fails(), 1, "AttemptFails")
    equal(same(t).total("tcp", "retrans"), diag.snmp()["RetransSegs"], "retrans, by RetransSegs")


def unreachable(t):
    """An address that a router says so of."""
    router = t.namespace()
    harness.ip("link", "add", "name", "v1", "type", "veth", "peer", "name", "v2", "netns", f"/proc/{os.getpid()}/fd/{router.fd}")
    for space, name, address in ((t.ns, "v1", "10.7.0.1/24"), (router, "v2", "10.7.0.2/24")):
        with space:
            harness.ip("addr", "add", address, "dev", name)
            harness.ip("link", "set", name, "up")
    with router:
        sysctl("net.ipv4.ip_forward", 1)
        harness.ip("route", "add", "unreachable", "10.9.0.0/16")
    harness.ip("route", "add", "10.9.0.0/16", "via", "10.7.0.2")
    return "10.9.0.1"


@needs_module
def test_connect_unreachable(t):
    expect_error(errno.EHOSTUNREACH, t.connect, 80, unreachable(t))
    expect_ends(t, "*", connect_unreachable=1)
    equal(attempt_fails(), 1, "AttemptFails")


@needs_module
def test_connect_given_up(t):
    full(t)
    t.drop(trying(t))
    expect_ends(t, "*", connect_given_up=1)
    harness.disconnect(trying(t))
    expect_ends(t, "*", connect_given_up=2)
    equal(attempt_fails(), 0, "AttemptFails")


@needs_module
def test_connect_killed(t):
    full(t)
    sock = trying(t)
    protocols.destroy(socket.IPPROTO_TCP, port_of(sock))
    expect_ends(t, "*", connect_killed=1)
    equal(attempt_fails(), 1, "AttemptFails")


@needs_module
def test_connect_without_a_port(t):
    """What a proxy dies of: all ports lead to the same server already."""
    sysctl("net.ipv4.ip_local_port_range", "50000 50003")
    server = t.listen(80)
    for _ in range(4):
        t.pair(server)
    for _ in range(3):
        expect_error(errno.EADDRNOTAVAIL, t.connect, 80)
    expect_ends(t, "*", connect_no_port=3)
    equal(row(t, "tcp", 80)["connect_no_port"], None, "tcp 80: connect_no_port")


# ---- connections that end --------------------------------------------------------------------------

def estab_resets():
    return diag.snmp()["EstabResets"]


@needs_module
def test_reset_by_the_peer(t):
    server = t.listen(80)
    client, child = t.pair(server)
    harness.reset_on_close(client)
    t.drop(client)
    until(lambda: harness.readable(child, 0), "the reset")
    expect_ends(t, 80, resets=1)
    expect_ends(t, "*", aborts=1)
    client, child = t.pair(server)
    client.shutdown(socket.SHUT_WR)
    t.eof(child)                                                # CLOSE_WAIT
    harness.reset_on_close(client)
    t.drop(client)
    until(lambda: child.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR), "the reset")
    expect_ends(t, 80, resets=2)
    expect_ends(t, "*", aborts=1)                               # FIN_WAIT2: it was closed already
    equal(estab_resets(), 3, "EstabResets")


@needs_module
def test_aborts(t):
    """Unread data, connect(AF_UNSPEC), ss -K."""
    server = t.listen(80)
    client, child = t.pair(server)
    client.sendall(b"x")
    until(lambda child=child: harness.readable(child, 0), "data")
    t.drop(child)
    until(lambda client=client: harness.readable(client, 0), "the reset")
    expect_ends(t, 80, aborts=1)
    expect_ends(t, "*", resets=1)
    client, child = t.pair(server)
    harness.disconnect(child)
    until(lambda client=client: harness.readable(client, 0), "the reset")
    expect_ends(t, 80, aborts=2)
    expect_ends(t, "*", resets=2)
    client, child = t.pair(server)
    protocols.destroy(socket.IPPROTO_TCP, port_of(client))
    until(lambda child=child: harness.readable(child, 0), "the reset")
    expect_ends(t, 80, aborts=2, resets=1)
    expect_ends(t, "*", resets=2, aborts=1)
    equal(estab_resets(), 6, "EstabResets")


@needs_module
def test_abort_of_what_waits_for_accept(t):
    server = t.listen(80)
    socks = clients(t, 80, 2)
    until(lambda: waits(server) == 2, "2 connections")
    t.drop(server)
    for sock in socks:
        until(lambda sock=sock: harness.readable(sock, 0), "the reset")
    expect_ends(t, 80, aborts=2)
    expect_ends(t, "*", resets=2)
    equal(estab_resets(), 4, "EstabResets")


@needs_module
def test_abort_of_a_socket_that_keeps_its_port(t):
    server = t.listen(80)
    client = t.tcp()
    client.bind(("127.0.0.1", 81))
    t.connect(80, sock=client)
    child = t.accept(server)
    harness.reset_on_close(child)
    t.drop(child)
    until(lambda: harness.readable(client, 0), "the reset")
    expect_ends(t, 80, aborts=1)
    expect_ends(t, 81, resets=1)
    equal(row(t, "tcp", 81)["close"], 1, "tcp 81: close")


@needs_module
def test_good_order_is_no_end_for_a_cause(t):
    server = t.listen(80)
    t.end(*t.pair(server))
    t.end(*reversed(t.pair(server)))
    expect_ends(t, 80)
    expect_ends(t, "*")
    equal(estab_resets(), 0, "EstabResets")


def time_out(sock, peer):
    """It sends, and is not answered: the peer drops what comes."""
    refuse(peer)
    sock.setsockopt(socket.IPPROTO_TCP, TCP_USER_TIMEOUT, 1000)
    sock.sendall(b"x")
    until(lambda: harness.readable(sock, 0), "the timeout")


@needs_module
def test_timeout(t):
    """The peer is silent: it drops what comes."""
    server = t.listen(80)
    client, child = t.pair(server)
    time_out(child, client)
    expect_error(errno.ETIMEDOUT, child.recv, 1)
    expect_ends(t, 80, timeouts=1)
    equal(estab_resets(), 1, "EstabResets")
    table = same(t)
    equal(table.by_key["tcp", 80]["retrans"] > 0, True, "something was sent again")
    equal(table.total("tcp", "retrans"), diag.snmp()["RetransSegs"], "retrans, by RetransSegs")


@needs_module
def test_retrans_of_an_answer_to_a_request(t):
    """A listener that wants data first sends its SYN-ACK again."""
    server = t.listen(80)
    server.setsockopt(socket.IPPROTO_TCP, socket.TCP_DEFER_ACCEPT, 1)
    client = t.connect(80)
    until(lambda: diag.snmp()["RetransSegs"], "a SYN-ACK to be sent again")
    client.sendall(b"x")
    child = t.accept(server)
    t.drop(client, child)
    table = same(t)
    equal(table.by_key["tcp", 80]["retrans"], diag.snmp()["RetransSegs"], "retrans, by RetransSegs")


# ---- what is measured of connections ---------------------------------------------------------------

class Info:
    """What TCP itself says of a connection."""

    def __init__(self, sock):
        data = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 136)
        self.rtt, = struct.unpack_from("=I", data, 68)
        self.acked, self.received = struct.unpack_from("=QQ", data, 120)


def received(sock, number):
    data = b""
    while len(data) < number:
        data += sock.recv(number - len(data))
    return data


def measured(t, port, **values):
    now = row(t, "tcp", port)
    for name, value in values.items():
        equal(now[name], value, f"tcp {port}: {name}")


def exchange(t, server, up=1000, down=5000, v6=False):
    """A connection that has carried so many bytes each way."""
    client, child = t.pair(server, None, v6)
    client.sendall(bytes(up))
    received(child, up)
    child.sendall(bytes(down))
    received(client, down)
    return client, child


@needs_module
def test_bytes_in_good_order(t):
    """Whoever closes first, and over both families."""
    server = t.listen(80, v6=True)
    rx = tx = 0
    for v6 in (False, True):
        for first in (0, 1):
            ends = exchange(t, server, 1000 + rx, 5000, v6)
            rx, tx = rx + 1000 + rx, tx + 5000
            t.end(*(ends if first == 0 else reversed(ends)))
            measured(t, 80, bytes_rx=rx, bytes_tx=tx)
            measured(t, "*", bytes_rx=tx, bytes_tx=rx)


@needs_module
def test_bytes_of_a_socket_that_keeps_its_port(t):
    server = t.listen(80)
    client = t.tcp()
    client.bind(("127.0.0.1", 81))
    t.connect(80, sock=client)
    child = t.accept(server)
    client.sendall(bytes(123))
    received(child, 123)
    t.drop(child)
    t.eof(client)
    t.drop(client)
    measured(t, 80, bytes_rx=123, bytes_tx=0)
    measured(t, 81, bytes_rx=0, bytes_tx=123)


@needs_module
def test_bytes_of_a_reset_connection(t):
    """What was not confirmed was not sent; what was not read was received."""
    server = t.listen(80)
    client, child = exchange(t, server)
    client.sendall(bytes(77))
    until(lambda: Info(child).received == 1077, "the bytes")
    up, down = Info(client), Info(child)
    t.drop(child)                                               # there is unread data
    until(lambda: harness.readable(client, 0), "the reset")
    measured(t, 80, bytes_rx=1077, bytes_tx=down.acked)
    measured(t, "*", bytes_rx=5000, bytes_tx=up.acked - 1)


@needs_module
def test_bytes_after_a_half_close(t):
    server = t.listen(80)
    client, child = exchange(t, server)
    client.shutdown(socket.SHUT_WR)
    t.eof(child)
    child.sendall(bytes(10))
    received(client, 10)
    harness.reset_on_close(child)
    up, down = Info(client), Info(child)
    t.drop(child)
    until(lambda: harness.readable(client, 0), "the reset")
    measured(t, 80, bytes_rx=1000, bytes_tx=down.acked)
    measured(t, "*", bytes_rx=5010, bytes_tx=1000)
    equal(up.acked, 1002, "SYN, bytes and FIN")


@needs_module
def test_bytes_of_fast_open(t):
    sysctl("net.ipv4.tcp_fastopen", 0x603)                      # without a cookie
    server = t.listen(80)
    server.setsockopt(socket.IPPROTO_TCP, socket.TCP_FASTOPEN, 5)
    client = t.tcp()
    client.sendto(bytes(50), socket.MSG_FASTOPEN, ("127.0.0.1", 80))
    child = t.accept(server)
    received(child, 50)
    child.sendall(bytes(9))
    received(client, 9)
    t.end(client, child)
    measured(t, 80, bytes_rx=50, bytes_tx=9, ended=1)
    measured(t, "*", bytes_rx=9, bytes_tx=50, ended=1)


@needs_module
def test_bytes_of_subflows(t):
    if "mptcp" in protocols.ABSENT:
        raise harness.Skip("this kernel has no MPTCP")
    server = listening(protocols.mptcp(t), 80)
    client = protocols.mptcp(t)
    client.connect(("127.0.0.1", 80))
    client.sendall(bytes(100))
    child = t.accept(server)
    received(child, 100)
    t.drop(client)
    t.eof(child)
    t.drop(child)
    until(lambda: same(t).by_key["tcp", 80]["ended"] == 1, "the subflow to end")
    measured(t, 80, bytes_rx=100)
    measured(t, "*", bytes_tx=100)


def one_in(histogram, milliseconds):
    """It has one value, that one."""
    return histogram[milliseconds.bit_length()] == 1 == sum(histogram)


@needs_module
def test_lifetimes(t):
    """From when it was established to when it was over, TIME_WAIT not in it."""
    least = most = 0
    for port, seconds in (80, 0), (81, 0.05), (82, 0.3):
        server = t.listen(port)
        before = time.monotonic()
        client, child = t.pair(server)
        born = time.monotonic()
        time.sleep(seconds)
        over = time.monotonic()
        t.end(client, child)
        until(lambda port=port: diag.oracle()["tcp", port]["sockets"] == 1, "the connection to end")
        now, lived = row(t, "tcp", port), (over - born, time.monotonic() - before)
        least, most = least + lived[0], most + lived[1]
        equal(1000 * lived[0] - 1 <= now["lifetime_ms"] <= 1000 * lived[1], True,
              f"tcp {port}: lifetime_ms {now['lifetime_ms']} is between {1000 * lived[0]:.1f} and {1000 * lived[1]:.1f}")
        equal((now["ended"], one_in(now["lifetime_log2"], now["lifetime_ms"])), (1, True), f"tcp {port}: {now.line}")
    now = row(t, "tcp", "*")
    equal((now["ended"], 1000 * least - 1 <= now["lifetime_ms"] <= 1000 * most), (3, True), f"tcp *: {now.line}")


@needs_module
def test_accept_wait(t):
    server = t.listen(80)
    before = time.monotonic()
    client = t.connect(80)
    until(lambda: waits(server) == 1, "a connection")
    began = time.monotonic()
    time.sleep(0.07)
    measured(t, 80, accepts=0)
    over = time.monotonic()
    child = t.accept(server)
    most = time.monotonic() - before
    now = row(t, "tcp", 80)
    equal(1000 * (over - began) - 1 <= now["accept_wait_ms"] <= 1000 * most, True,
          f"accept_wait_ms {now['accept_wait_ms']} is between {1000 * (over - began):.1f} and {1000 * most:.1f}")
    equal((now["accepts"], one_in(now["accept_wait_log2"], now["accept_wait_ms"])), (1, True), now.line)
    t.drop(client, child)
    measured(t, 80, accepts=1)


@needs_module
def test_handshake(t):
    """The first sample of the round trip time, on both sides."""
    server = t.listen(80)
    client, child = t.pair(server)
    up, down = Info(client), Info(child)
    measured(t, 80, handshakes=1, handshake_us=down.rtt)
    measured(t, "*", handshakes=1, handshake_us=up.rtt)
    expect_error(errno.ECONNREFUSED, t.connect, 81)
    measured(t, "*", handshakes=1)


@needs_module
def test_round_trip_time_at_the_end(t):
    server = t.listen(80)
    client, child = exchange(t, server)
    harness.reset_on_close(child)
    up, down = Info(client), Info(child)
    t.drop(child)
    until(lambda: harness.readable(client, 0), "the reset")
    measured(t, 80, rtts=1, rtt_us=down.rtt)
    measured(t, "*", rtts=1, rtt_us=up.rtt)


@needs_module
def test_connections_older_than_the_module(t):
    """What they carry from then on counts; nobody knows how old they are."""
    server = t.listen(80)
    client, child = exchange(t, server)
    waiting = t.connect(80)
    t.reload()
    measured(t, 80, bytes_rx=0, bytes_tx=0)
    t.accept(server)
    client.sendall(bytes(11))
    received(child, 11)
    t.end(client, child)
    measured(t, 80, bytes_rx=11, bytes_tx=0, ended=0, lifetime_ms=0, accepts=0, accept_wait_ms=0)
    measured(t, "*", bytes_rx=0, bytes_tx=11, ended=0)
    t.drop(waiting)


def sampling(t, milliseconds):
    """Load the module anew, with another interval."""
    harness.unload()
    harness.load(f"sample_ms={milliseconds}")
    t.repaired = portsock.read().head["repaired"]


@needs_module
def test_bytes_of_open_connections(t):
    """A pool of a database never closes them; somebody reads."""
    server = t.listen(80)
    sampling(t, 20)
    client, child = exchange(t, server)
    until(lambda: row(t, "tcp", 80)["bytes_rx"] == 1000 and row(t, "tcp", "*")["bytes_tx"] == 1000, "the first bytes")
    measured(t, 80, bytes_tx=Info(child).acked, ended=0)
    client.sendall(bytes(11))
    received(child, 11)
    until(lambda: row(t, "tcp", 80)["bytes_rx"] == 1011, "more bytes")
    equal(portsock.read().head["sample_age_ms"] < 1000 * harness.DEADLINE, True, "the age of what was read")
    client.shutdown(socket.SHUT_WR)
    t.eof(child)
    until(lambda: portsock.read().head["sample_age_ms"] < 20 and row(t, "tcp", 80)["close_wait"], "another look")
    measured(t, 80, bytes_rx=1011)
    t.drop(child)
    t.eof(client)
    t.drop(client)
    measured(t, 80, bytes_rx=1011, bytes_tx=5000, ended=1)
    measured(t, "*", bytes_rx=5000, bytes_tx=1011, ended=1)
    harness.unload()


@needs_module
def test_bytes_of_open_connections_if_nobody_is_to_ask(t):
    server = t.listen(80)
    sampling(t, 0)
    ends = exchange(t, server)
    for _ in range(3):
        measured(t, 80, bytes_rx=0, bytes_tx=0)
        time.sleep(0.05)
    t.end(*ends)
    measured(t, 80, bytes_rx=1000, bytes_tx=5000)
    harness.unload()


# ---- who it is -------------------------------------------------------------------------------------

def owner(t, proto, port):
    now = row(t, proto, port)
    return now["pid"], now["comm"]


def called(name):
    with open("/proc/self/comm", "w", encoding="utf-8") as file:
        file.write(name)


def process(t, name, work):
    """Does that under this name, and stays."""
    def run():
        called(name)
        work()

    return t.fork(run)


@needs_module
def test_who_listens(t):
    """Until he is gone; then whoever accepts, which is somebody else."""
    server = t.tcp()
    server.bind(("127.0.0.1", 80))
    equal(owner(t, "tcp", 80), (None, "-"), "who has bound it only")
    master = process(t, "a master", lambda: server.listen(5))
    equal(owner(t, "tcp", 80), (master, "a master"), "who listens")
    socks = clients(t, 80, 2)
    worker = process(t, "wörker", server.accept)
    equal(owner(t, "tcp", 80), (master, "a master"), "who listens, though somebody else accepts")
    t.kill(master)
    equal(row(t, "tcp", 80)["pid"], worker, "who accepts")
    t.kill(worker)
    equal(owner(t, "tcp", 80), (None, "-"), "nobody")
    t.drop(*socks)


@needs_module
def test_who_listens_without_bind(t):
    port = os.memfd_create("port")

    def work():
        sock = socket.socket(socket.AF_INET6, socket.SOCK_STREAM)
        sock.listen(1)
        os.write(port, b"%d" % port_of(sock))
        socks.append(sock)

    socks = []
    pid = process(t, "autobound", work)
    equal(owner(t, "tcp", int(os.pread(port, 10, 0))), (pid, "autobound"), "who listens")
    os.close(port)


@needs_module
def test_who_binds_a_datagram_socket(t):
    for v6 in (False, True):
        sock = t.udp(v6)
        name = f"named{v6:d}"
        pid = process(t, name, lambda sock=sock, v6=v6: sock.bind((loopback(v6), 53 + v6)))
        equal(owner(t, "udp", 53 + v6), (pid, name), "who called bind()")
        process(t, "another", lambda sock=sock: sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096))
        equal(owner(t, "udp", 53 + v6), (pid, name), "who called bind(), whoever uses it")


@needs_module
def test_who_was_sent_a_listener(t):
    server = t.listen(80)
    ends = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    pid = process(t, "listener", lambda: server.listen(1))
    equal(owner(t, "tcp", 80)[0], os.getpid(), "who called listen() first")
    t.drop(server)
    server = t.tcp()
    server.bind(("127.0.0.1", 81))
    first = process(t, "first", lambda: server.listen(1))
    socket.send_fds(ends[0], [b"x"], [server.fileno()])
    second = process(t, "second", lambda: socket.recv_fds(ends[1], 1, 1))
    equal(owner(t, "tcp", 81), (first, "first"), "who listens")
    t.kill(first)
    equal(owner(t, "tcp", 81), (second, "second"), "who was sent it")
    for end in ends:
        end.close()
    t.kill(pid)


@needs_module
def test_uid_is_of_who_has_the_socket(t):
    """fchown() gives it to somebody else."""
    def make():
        os.setresuid(1234, 1234, 1234)
        for sock in (t.listen(8080), t.udp()):
            kept.append(sock)
        kept[1].bind(("127.0.0.1", 8053))

    kept = []
    pid = t.fork(make)
    equal((row(t, "tcp", 8080)["uid"], row(t, "udp", 8053)["uid"]), (1234, 1234), "uid")
    equal(row(t, "tcp", 8080)["pid"], pid, "pid")
    server = t.listen(81)
    equal(row(t, "tcp", 81)["uid"], 0, "tcp 81: uid")
    os.fchown(server.fileno(), 4321, -1)
    equal(row(t, "tcp", 81)["uid"], 4321, "tcp 81: uid")
    t.drop(server)
    equal((row(t, "tcp", 81)["uid"], row(t, "tcp", 81)["cgroup"]), (None, None), "tcp 81 without a socket")


@needs_module
def test_cgroup_is_where_the_socket_was_made(t):
    with tempfile.TemporaryDirectory() as top:
        subprocess.run(("mount", "-t", "cgroup2", "none", top), check=True)
        try:
            group = top + "/depth"
            os.mkdir(group)

            def make():
                with open(group + "/cgroup.procs", "w", encoding="ascii") as file:
                    file.write("0")
                kept.append(t.listen(80))

            kept = []
            pid = t.fork(make)
            equal(row(t, "tcp", 80)["cgroup"], os.stat(group).st_ino, "tcp 80: cgroup")
            t.kill(pid)
            until(lambda: not diag.oracle().get(("tcp", 80), {}).get("sockets"), "the listener to go")
            os.rmdir(group)
        finally:
            subprocess.run(("umount", top), check=True)


@needs_module
def test_process_that_the_reader_cannot_see(t):
    """Numbers are those of the PID namespace that /proc was mounted for."""
    t.listen(80)
    told = subprocess.check_output(("unshare", "--pid", "--fork", "--mount-proc", "cat", "/proc/net/portsock"), text=True)
    seen = portsock.Table(told).by_key["tcp", 80]
    equal((seen["pid"], seen["comm"], seen["uid"]), (None, "-", 0), "in another PID namespace")
    equal(owner(t, "tcp", 80)[0], os.getpid(), "in this one")


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
