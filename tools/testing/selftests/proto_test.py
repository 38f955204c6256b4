# SPDX-License-Identifier: GPL-2.0-only
"""Every protocol but TCP and UDP: each way to get and to lose a port, kernel sockets, modules that come and go."""

import errno
import os
import socket
import subprocess

import harness
import portsock
import protocols
from harness import (any_star, disconnect, eph, equal, load, needs_history, needs_module, port_of, service, star,
                     unbound, unload, until)
from protocols import MODULES, allow_ping, dccp, expect, icmp, listening, modprobe, mptcp, raw, remove, same, sctp, udplite
from tcp_test import IPV6_ADDRFORM, expect_error

ECHO = bytes((8, 0, 0, 0, 0, 0, 0, 1)) + b"portsock"
SO_PROTOCOL = 38


# ---- what there is ---------------------------------------------------------------------------------

def test_absent_protocols(t):
    """Only what this kernel is known to lack may be missing, and that is missing altogether."""
    makers = {"tcp": t.tcp, "udp": t.udp, "udplite": lambda: udplite(t), "raw": lambda: raw(t, 89), "icmp": lambda: icmp(t),
              "sctp": lambda: sctp(t), "dccp": lambda: dccp(t), "mptcp": lambda: mptcp(t)}
    if "dccp" not in protocols.UNSEEN:                          # its control sockets count; Debian does not load it on demand
        subprocess.run(("modprobe", "-aq", "dccp_ipv4", "dccp_ipv6"), check=False)
    allow_ping()
    equal(set(makers), set(protocols.PROTOS), "protocols that this test knows")
    absent = set()
    for proto in makers.keys() - protocols.UNSEEN:
        try:
            makers[proto]()
        except OSError as error:
            equal(error.errno in (errno.EPROTONOSUPPORT, errno.ESOCKTNOSUPPORT), True, f"{proto}: {error}")
            absent.add(proto)
    equal(absent, set(protocols.ABSENT - protocols.UNSEEN), "protocols that this kernel has not")
    _, table = same(t)
    equal({r.proto for r in table.rows}, set(protocols.PRESENT), "protocols of the table")


# ---- UDP-Lite --------------------------------------------------------------------------------------

def test_udplite_alone_is_unbound(t):
    a, _ = udplite(t), udplite(t, v6=True)
    expect(t, unbound("udplite", 2, ipv6=1))
    t.drop(a)
    expect(t, unbound("udplite", 1, ipv6=1))


def test_udplite_bind(t):
    a, b = udplite(t), udplite(t, v6=True)
    a.bind(("127.0.0.1", 53))
    b.bind(("::1", 53))
    t.udp().bind(("127.0.0.1", 53))                             # a port of another protocol
    expect(t, service("udplite", 53, close=2, ipv6=1), service("udp", 53, close=1))
    t.drop(a, b)
    expect(t, service("udplite", 53, closed=2, peak=2), service("udp", 53, close=1))


def test_udplite_autobind_and_connect(t):
    a, b = udplite(t), udplite(t, v6=True)
    a.sendto(b"x", ("127.0.0.1", 53))
    b.connect(("::1", 53))
    expect(t, eph("udplite", port_of(a), close=1), eph("udplite", port_of(b), established=1, ipv6=1, connected=1))
    disconnect(b)
    expect(t, eph("udplite", port_of(a), close=1), unbound("udplite", 1, ipv6=1),
           star("udplite", connected=1, closed=1, peak=2))
    t.drop(a, b)
    expect(t, star("udplite", connected=1, closed=2, peak=2))


def test_udplite_addrform(t):
    """The socket is asked what came of connect() before it becomes another."""
    a = udplite(t, v6=True)
    a.connect(("::ffff:127.0.0.1", 53))
    a.setsockopt(socket.IPPROTO_IPV6, IPV6_ADDRFORM, socket.AF_INET)
    expect(t, eph("udplite", a.getsockname()[1], established=1, connected=1))
    t.drop(a)
    expect(t, star("udplite", connected=1, closed=1, peak=1))


def test_udplite_failed_bind(t):
    a, b = udplite(t), udplite(t)
    a.bind(("127.0.0.1", 53))
    expect_error(errno.EADDRINUSE, b.bind, ("127.0.0.1", 53))
    expect(t, service("udplite", 53, close=1), unbound("udplite", 1))


# ---- RAW -------------------------------------------------------------------------------------------

def test_raw_port_is_the_protocol(t):
    a, b, c = raw(t, 1), raw(t, 255), raw(t, 58, v6=True)
    expect(t, service("raw", 1, close=1), service("raw", 255, close=1), service("raw", 58, close=1, ipv6=1))
    t.drop(a, b, c)
    expect(t, service("raw", 1, closed=1, peak=1), service("raw", 255, closed=1, peak=1),
           service("raw", 58, closed=1, peak=1))


def test_raw_families_share_a_row(t):
    a, b, _ = raw(t, 47), raw(t, 47, v6=True), raw(t, 47)
    expect(t, service("raw", 47, close=3, ipv6=1))
    t.drop(a, b)
    expect(t, service("raw", 47, close=1, closed=2, peak=3))


@needs_module
def test_raw_socket_of_another_protocol(t):
    """What carries TCP, UDP or SCTP segments by hand is no TCP, UDP or SCTP socket."""
    for number in (6, 17, 132, 33, 136, 1):
        raw(t, number)
        raw(t, number, v6=True)
    table = harness.portsock.read()
    equal([(r.proto, r.port, r.cls, r["sockets"], r["ipv6"]) for r in table.rows],
          [("raw", number, "service", 2, 1) for number in (1, 6, 17, 33, 132, 136)], "rows")


def test_raw_bind_and_connect(t):
    a, b = raw(t, 89), raw(t, 89, v6=True)
    a.bind(("127.0.0.1", 0))
    a.connect(("127.0.0.1", 0))
    b.connect(("::1", 0))
    expect(t, service("raw", 89, established=2, ipv6=1, connected=2))
    t.drop(a, b)
    expect(t, service("raw", 89, connected=2, closed=2, peak=2))


def test_raw_disconnect_unhashes(t):
    """connect(AF_UNSPEC) takes a raw socket out of the kernel's table for good: it receives nothing any more."""
    a = raw(t, 89)
    a.connect(("127.0.0.1", 0))
    disconnect(a)
    expect(t, service("raw", 89, connected=1, closed=1, peak=1), unbound("raw", 1))
    t.drop(a)
    expect(t, service("raw", 89, connected=1, closed=1, peak=1))


# ---- ICMP echo sockets -----------------------------------------------------------------------------

def test_icmp_alone_is_unbound(t):
    allow_ping()
    a, _ = icmp(t), icmp(t, v6=True)
    expect(t, unbound("icmp", 2, ipv6=1))
    t.drop(a)
    expect(t, unbound("icmp", 1, ipv6=1))


def test_icmp_bind(t):
    allow_ping()
    a, b = icmp(t), icmp(t, v6=True)
    a.bind(("127.0.0.1", 7))
    b.bind(("::1", 8))
    expect(t, service("icmp", 7, close=1), service("icmp", 8, close=1, ipv6=1))
    t.drop(a, b)
    expect(t, service("icmp", 7, closed=1, peak=1), service("icmp", 8, closed=1, peak=1))


def test_icmp_autobind(t):
    allow_ping()
    a, b, c = icmp(t), icmp(t, v6=True), icmp(t)
    a.sendto(ECHO, ("127.0.0.1", 0))
    equal(a.recv(64)[0], 0, "type of the answer")
    b.connect(("::1", 0))
    c.bind(("127.0.0.1", 0))
    expect(t, eph("icmp", port_of(a), close=1), eph("icmp", port_of(b), established=1, ipv6=1, connected=1),
           eph("icmp", port_of(c), close=1))
    t.drop(a, b, c)
    expect(t, star("icmp", connected=1, closed=3, peak=3))


def test_icmp_disconnect(t):
    allow_ping()
    a, b = icmp(t), icmp(t)
    a.connect(("127.0.0.1", 0))
    b.bind(("127.0.0.1", 7))
    b.connect(("127.0.0.1", 0))
    expect(t, eph("icmp", port_of(a), established=1, connected=1), service("icmp", 7, established=1, connected=1))
    disconnect(a)
    disconnect(b)
    expect(t, unbound("icmp", 1), star("icmp", connected=1, closed=1, peak=1), service("icmp", 7, close=1, connected=1))


def test_icmp_failed_bind(t):
    allow_ping()
    a, b = icmp(t), icmp(t)
    for sock in (a, b):
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 0)      # they have it by default
    a.bind(("127.0.0.1", 7))
    expect_error(errno.EADDRINUSE, b.bind, ("127.0.0.1", 7))
    expect(t, service("icmp", 7, close=1), unbound("icmp", 1))


# ---- SCTP ------------------------------------------------------------------------------------------

def sctp_server(t, port=5000, v6=False, many=False):
    return listening(sctp(t, v6, many), port)


def sctp_client(t, port=5000, v6=False):
    sock = sctp(t, v6)
    sock.connect((harness.loopback(v6), port))
    return sock


def settled(listener):
    """Wait until the association of a client that connect() returned to is established on this side, too."""
    until(lambda: harness.readable(listener, 0), "an association to accept")


def test_sctp_alone_is_unbound(t):
    a, _, _, d = sctp(t), sctp(t, many=True), sctp(t, v6=True), sctp(t, v6=True, many=True)
    expect(t, unbound("sctp", 4, ipv6=2))
    t.drop(a, d)
    expect(t, unbound("sctp", 2, ipv6=1))


def test_sctp_bind(t):
    a, b, c = sctp(t), sctp(t, v6=True, many=True), sctp(t)
    a.bind(("127.0.0.1", 5000))
    b.bind(("::1", 5001))
    c.bind(("127.0.0.1", 0))
    expect(t, service("sctp", 5000, close=1), service("sctp", 5001, close=1, ipv6=1), eph("sctp", port_of(c), close=1))
    t.drop(a, b, c)
    expect(t, service("sctp", 5000, closed=1, peak=1), service("sctp", 5001, closed=1, peak=1),
           star("sctp", closed=1, peak=1))


def test_sctp_failed_bind(t):
    a, b, c = sctp(t), sctp(t), sctp(t)
    a.bind(("127.0.0.1", 5000))
    expect_error(errno.EADDRINUSE, b.bind, ("127.0.0.1", 5000))
    expect_error(errno.EADDRNOTAVAIL, c.bind, ("192.0.2.1", 5001))
    expect(t, service("sctp", 5000, close=1), unbound("sctp", 2))


def test_sctp_listen(t):
    a, b = sctp_server(t), sctp_server(t, 5001, many=True)
    c = sctp(t)
    c.listen(1)                                                 # asks for no port and gets one
    expect(t, service("sctp", 5000, listen=1), service("sctp", 5001, listen=1), service("sctp", port_of(c), listen=1))
    port = port_of(c)
    t.drop(a, b, c)
    expect(t, *(service("sctp", n, closed=1, peak=1) for n in (5000, 5001, port)))


def test_sctp_accept(t):
    server = sctp_server(t, v6=True)
    a, b = sctp_client(t), sctp_client(t, v6=True)
    settled(server)
    client = dict(established=1, connected=1)
    clients = eph("sctp", port_of(a), **client), eph("sctp", port_of(b), ipv6=1, **client)
    expect(t, service("sctp", 5000, listen=1, ipv6=1), *clients)
    t.accept(server)
    expect(t, service("sctp", 5000, listen=1, established=1, ipv6=2, accepted=1), *clients)
    t.accept(server)
    expect(t, service("sctp", 5000, listen=1, established=2, ipv6=3, accepted=2), *clients)


def test_sctp_close(t):
    """Whichever side closes, both end; the other one is in what SCTP calls CLOSING until it closes as well."""
    server = sctp_server(t)
    a, b = sctp_client(t), sctp_client(t)
    sa, sb = t.accept(server), t.accept(server)
    if port_of(a) == sa.getpeername()[1]:
        sa, sb = sb, sa                                         # sa belongs to b from here on
    t.drop(a)
    expect(t, service("sctp", 5000, listen=1, established=1, close_wait=1, accepted=2),
           eph("sctp", port_of(b), established=1, connected=1), star("sctp", connected=2, closed=1, peak=2))
    t.drop(sa)
    expect(t, service("sctp", 5000, listen=1, close_wait=1, accepted=2, closed=1, peak=3),
           eph("sctp", port_of(b), close_wait=1, connected=1), star("sctp", connected=2, closed=1, peak=2))
    harness.reader_agrees()                                     # sock_diag lists none of the two
    t.drop(b, sb, server)
    expect(t, service("sctp", 5000, accepted=2, closed=3, peak=3), star("sctp", connected=2, closed=2, peak=2))


def test_sctp_port_outlives_close(t):
    """A closed socket holds its port until the last association is gone."""
    server = sctp_server(t)
    a = sctp_client(t)
    s = t.accept(server)
    port = port_of(a)
    harness.ip("link", "set", "lo", "down")                     # SHUTDOWN gets lost
    t.drop(a)
    expect(t, service("sctp", 5000, listen=1, established=1, accepted=1), eph("sctp", port, close=1, connected=1))
    harness.ip("link", "set", "lo", "up")
    expect(t, service("sctp", 5000, listen=1, close_wait=1, accepted=1), star("sctp", connected=1, closed=1, peak=1))
    t.drop(s, server)
    expect(t, service("sctp", 5000, accepted=1, closed=2, peak=2), star("sctp", connected=1, closed=1, peak=1))


def test_sctp_abort(t):
    """Without its association a socket is not established any more, whatever it says itself: it waits to be closed."""
    server = sctp_server(t)
    a, b = sctp_client(t), sctp_client(t, v6=False)
    sa, sb = t.accept(server), t.accept(server)
    if port_of(a) == sb.getpeername()[1]:
        sa, sb = sb, sa
    for sock in (a, sb):
        harness.reset_on_close(sock)
        t.drop(sock)
    for sock in (sa, b):
        until(lambda sock=sock: harness.readable(sock, 0), "the abort")
    expect(t, service("sctp", 5000, listen=1, close_wait=1, accepted=2, closed=1, peak=3),
           eph("sctp", port_of(b), close_wait=1, connected=1), star("sctp", connected=2, closed=1, peak=2))
    harness.reader_agrees()
    t.drop(sa, b)
    expect(t, service("sctp", 5000, listen=1, accepted=2, closed=2, peak=3), star("sctp", connected=2, closed=2, peak=2))


def test_sctp_listens_no_more(t):
    """listen(fd, 0) leaves the socket its port."""
    a, b = sctp_server(t), sctp_server(t, 5001, v6=True, many=True)
    expect(t, service("sctp", 5000, listen=1), service("sctp", 5001, listen=1, ipv6=1))
    for sock in (a, b):
        sock.listen(0)
    expect(t, service("sctp", 5000, close=1), service("sctp", 5001, close=1, ipv6=1))
    harness.reader_agrees()
    a.listen(1)
    expect(t, service("sctp", 5000, listen=1), service("sctp", 5001, close=1, ipv6=1))
    t.drop(a, b)
    expect(t, service("sctp", 5000, closed=1, peak=1), service("sctp", 5001, closed=1, peak=1))


def test_sctp_refused(t):
    a, b = sctp(t), sctp(t)
    b.bind(("127.0.0.1", 5001))
    expect_error(errno.ECONNREFUSED, a.connect, ("127.0.0.1", 5000))
    expect_error(errno.ECONNREFUSED, b.connect, ("127.0.0.1", 5000))
    expect(t, eph("sctp", port_of(a), close=1), service("sctp", 5001, close=1))     # unlike TCP, a keeps it
    t.drop(a, b)
    expect(t, star("sctp", closed=1, peak=1), service("sctp", 5001, closed=1, peak=1))


def test_sctp_one_to_many(t):
    """One socket, any number of associations: it stays what it is."""
    server = sctp_server(t, many=True)
    clients = [sctp(t, many=True) for _ in range(3)]
    for n, client in enumerate(clients):
        client.sendto(b"x", ("127.0.0.1", 5000))
        until(lambda n=n: len(protocols.associations(server)) == n + 1, "the association")
    expect(t, service("sctp", 5000, listen=1), *(eph("sctp", port_of(c), close=1) for c in clients))
    t.drop(*clients)
    expect(t, service("sctp", 5000, listen=1), star("sctp", closed=3, peak=3))


def test_sctp_peeloff(t):
    server = sctp_server(t, many=True)
    a, b = sctp_client(t), sctp_client(t)
    until(lambda: len(protocols.associations(server)) == 2, "two associations")
    clients = [eph("sctp", port_of(c), established=1, connected=1) for c in (a, b)]
    expect(t, service("sctp", 5000, listen=1), *clients)
    s = protocols.peeloff(t, server, protocols.associations(server)[0])
    expect(t, service("sctp", 5000, listen=1, established=1, accepted=1), *clients)
    harness.reset_on_close(s)
    t.drop(s)
    until(lambda: len(protocols.associations(server)) == 1, "one association")
    t.drop(a, b, server)
    expect(t, service("sctp", 5000, accepted=1, closed=2, peak=2), star("sctp", connected=2, closed=2, peak=2))


def test_sctp_peeloff_of_a_client(t):
    """What went out has not been accepted, and what ended after it was peeled off is not established."""
    server = sctp_server(t)
    a = sctp(t, many=True)
    a.sendto(b"x", ("127.0.0.1", 5000))
    until(lambda: protocols.associations(a), "the association")
    s, port = t.accept(server), port_of(a)
    equal(s.recv(1), b"x", "data")
    expect(t, service("sctp", 5000, listen=1, established=1, accepted=1), eph("sctp", port, close=1))
    b = protocols.peeloff(t, a, protocols.associations(a)[0])
    expect(t, service("sctp", 5000, listen=1, established=1, accepted=1), eph("sctp", port, close=1, established=1, connected=1))
    t.drop(s)
    expect(t, service("sctp", 5000, listen=1, accepted=1, closed=1, peak=2), eph("sctp", port, close=1, close_wait=1, connected=1))
    t.drop(b)
    expect(t, service("sctp", 5000, listen=1, accepted=1, closed=1, peak=2), eph("sctp", port, close=1, connected=1, closed=1, peak=2),
           star("sctp", connected=1, closed=1, peak=2))


# ---- DCCP ------------------------------------------------------------------------------------------

def dccp_server(t, port=5000, v6=False):
    modprobe("dccp_ipv4", "dccp_ipv6", "dccp_diag")             # Debian does not load them by itself
    return listening(dccp(t, v6), port)


def dccp_client(t, port=5000, v6=False):
    sock = dccp(t, v6)
    sock.connect((harness.loopback(v6), port))
    return sock


def test_dccp_alone_is_unbound(t):
    modprobe("dccp_ipv4", "dccp_ipv6", "dccp_diag")
    a, _ = dccp(t), dccp(t, v6=True)
    expect(t, unbound("dccp", 2, ipv6=1))
    t.drop(a)
    expect(t, unbound("dccp", 1, ipv6=1))


def test_dccp_bind(t):
    modprobe("dccp_ipv4", "dccp_ipv6", "dccp_diag")
    a, b, c = dccp(t), dccp(t, v6=True), dccp(t)
    a.bind(("127.0.0.1", 5000))
    b.bind(("::1", 5000))
    c.bind(("127.0.0.1", 0))
    expect(t, service("dccp", 5000, close=2, ipv6=1), eph("dccp", port_of(c), close=1))
    t.drop(a, b, c)
    expect(t, service("dccp", 5000, closed=2, peak=2), star("dccp", closed=1, peak=1))


def test_dccp_connection(t):
    """From listen() to TIME_WAIT; the client is in PARTOPEN, which counts as established."""
    server = dccp_server(t, v6=True)
    a, b = dccp_client(t, v6=True), dccp_client(t)
    sa, sb = t.accept(server), t.accept(server)
    if port_of(a) == sb.getpeername()[1]:
        sa, sb = sb, sa
    expect(t, service("dccp", 5000, listen=1, established=2, ipv6=3, accepted=2),
           eph("dccp", port_of(a), established=1, ipv6=1, connected=1), eph("dccp", port_of(b), established=1, connected=1))
    port_a, port_b = port_of(a), port_of(b)
    t.drop(a)
    expect(t, service("dccp", 5000, listen=1, established=1, close_wait=1, ipv6=3, accepted=2),
           eph("dccp", port_a, closing=1, ipv6=1, connected=1), eph("dccp", port_b, established=1, connected=1))
    t.drop(sa)
    expect(t, service("dccp", 5000, listen=1, established=1, ipv6=2, accepted=2, closed=1, peak=3),
           eph("dccp", port_a, time_wait=1, connected=1, closed=1, peak=1), eph("dccp", port_b, established=1, connected=1),
           star("dccp", connected=2, closed=1, peak=2))
    t.drop(sb)
    harness.readable(b, 5)
    t.drop(b, server)
    until(lambda: not any(e["sockets"] for e in protocols.oracle().values()), "full sockets to go")
    _, table = same(t)
    equal([(r.proto, r.port, r["time_wait"]) for r in table.singles() if r["time_wait"]],
          sorted([("dccp", port_a, 1), ("dccp", port_b, 1)]), "TIME_WAIT")


def test_dccp_agrees(t):
    """`portsock check` knows the states that DCCP alone has: PARTOPEN, and PASSIVE_CLOSEREQ until the client reads."""
    server, bound = dccp_server(t), dccp(t)
    bound.bind(("127.0.0.1", 5001))
    client = dccp_client(t)
    accepted = t.accept(server)
    expect(t, service("dccp", 5000, listen=1, established=1, accepted=1), service("dccp", 5001, close=1),
           eph("dccp", port_of(client), established=1, connected=1))
    harness.reader_agrees()
    t.drop(accepted)
    expect(t, service("dccp", 5000, listen=1, fin_wait1=1, accepted=1), service("dccp", 5001, close=1),
           eph("dccp", port_of(client), close_wait=1, connected=1))
    harness.reader_agrees()


def test_dccp_refused(t):
    modprobe("dccp_ipv4", "dccp_diag")
    a, b = dccp(t), dccp(t)
    b.bind(("127.0.0.1", 5001))
    expect_error(errno.ECONNREFUSED, a.connect, ("127.0.0.1", 5000))
    expect_error(errno.ECONNREFUSED, b.connect, ("127.0.0.1", 5000))
    port = port_of(a)                                           # the one it had
    t.drop(a)                                                   # no oracle tells that it has none now
    expect(t, service("dccp", 5001, close=1, time_wait=1, connected=1),
           eph("dccp", port, time_wait=1, connected=1, closed=1, peak=1), star("dccp", connected=1, closed=1, peak=1))


# ---- MPTCP -----------------------------------------------------------------------------------------

def test_mptcp_alone_is_unbound(t):
    """Its first subflow is there already, but is the kernel's."""
    a, _ = mptcp(t), mptcp(t, v6=True)
    expect(t, unbound("mptcp", 2, ipv6=1))
    t.drop(a)
    expect(t, unbound("mptcp", 1, ipv6=1))


def test_mptcp_bind(t):
    a, b = mptcp(t), mptcp(t, v6=True)
    a.bind(("127.0.0.1", 80))
    b.bind(("::1", 80))
    expect(t, service("mptcp", 80, close=2, ipv6=1), service("tcp", 80, close=2, ipv6=1))
    t.drop(a, b)
    expect(t, service("mptcp", 80, closed=2, peak=2), service("tcp", 80, closed=2, peak=2))


def test_mptcp_listen(t):
    a = listening(mptcp(t), 80)
    expect(t, service("mptcp", 80, listen=1), service("tcp", 80, listen=1))
    t.drop(a)
    expect(t, service("mptcp", 80, closed=1, peak=1), service("tcp", 80, closed=1, peak=1))


@needs_history
def test_mptcp_connection(t):
    server = listening(mptcp(t), 80)
    a = mptcp(t)
    a.connect(("127.0.0.1", 80))
    s = t.accept(server)
    s.sendall(b"x")
    equal(a.recv(1), b"x", "data")
    port = port_of(a)
    expect(t, *(row for proto in ("mptcp", "tcp") for row in (
        service(proto, 80, listen=1, established=1, accepted=1), eph(proto, port, established=1, connected=1))))
    harness.reset_on_close(a)
    t.drop(a)
    until(lambda: harness.readable(s, 0), "the reset")
    t.drop(s, server)
    until(lambda: not any(e["sockets"] for e in protocols.oracle().values()), "full sockets to go")
    _, table = same(t)
    equal([(r.proto, r.port, r["sockets"]) for r in table.singles() if r["sockets"]], [], "rows with sockets")
    row = table.by_key["mptcp", 80]
    equal((row["opened"], row["closed"], row["accepted"]), (2, 2, 1), "mptcp 80: opened, closed, accepted")


@needs_history
def test_mptcp_orderly_close(t):
    server = listening(mptcp(t, v6=True), 80)
    a = mptcp(t, v6=True)
    a.connect(("::1", 80))
    s = t.accept(server)
    a.shutdown(socket.SHUT_WR)
    t.eof(s)
    same(t)
    t.end(s, a)
    until(lambda: not any(e["sockets"] - e["listen"] for e in protocols.oracle().values()), "full sockets to go")
    _, table = same(t)
    row = table.by_key["mptcp", 80]
    equal((row["listen"], row["sockets"], row["opened"], row["accepted"]), (1, 1, 2, 1), "mptcp 80")


def test_mptcp_child_that_waits(t):
    """A connection counts from the handshake on, not from accept() on."""
    server = listening(mptcp(t), 80)
    a = mptcp(t)
    a.connect(("127.0.0.1", 80))
    a.sendall(b"x")
    want = [row for proto in ("mptcp", "tcp") for row in (
        service(proto, 80, listen=1, established=1, accepted=1), eph(proto, port_of(a), established=1, connected=1))]
    expect(t, *want)
    t.accept(server)
    expect(t, *want)


def test_mptcp_second_subflow(t):
    """Subflows are TCP sockets with ports of their own, the MPTCP socket has one."""
    subprocess.run("ip mptcp limits set subflow 2 add_addr_accepted 2 && ip mptcp endpoint add 127.0.0.2 dev lo subflow",
                   shell=True, check=True)
    server = listening(mptcp(t), 80)
    a = mptcp(t)
    a.connect(("127.0.0.1", 80))
    s = t.accept(server)
    a.sendall(b"x")
    equal(s.recv(1), b"x", "data")
    s.sendall(b"x")
    until(lambda: protocols.oracle().get(("tcp", 80), {}).get("established") == 2, "the second subflow")
    rows, table = same(t)
    equal(table.by_key["mptcp", 80]["established"], 1, "mptcp 80: established")
    equal(table.by_key["mptcp", port_of(a)]["established"], 1, "the client's mptcp port: established")
    equal(sum(e["established"] for (p, _), e in rows.items() if p == "tcp"), 4, "subflows by sock_diag")


def test_mptcp_client_of_plain_tcp(t):
    server = t.listen(80)
    a = mptcp(t)
    a.connect(("127.0.0.1", 80))
    t.accept(server)
    expect(t, service("tcp", 80, listen=1, established=1, accepted=1), eph("tcp", port_of(a), established=1, connected=1),
           eph("mptcp", port_of(a), established=1, connected=1))


def test_mptcp_server_of_plain_tcp(t):
    """accept() then hands out a plain TCP socket."""
    server = listening(mptcp(t), 80)
    a = t.connect(80)
    s = t.accept(server)
    equal(s.getsockopt(socket.SOL_SOCKET, SO_PROTOCOL), socket.IPPROTO_TCP, "protocol of what was accepted")
    row = eph("tcp", port_of(a), established=1, connected=1)
    expect(t, service("mptcp", 80, listen=1), service("tcp", 80, listen=1, established=1, accepted=1), row)


def test_mptcp_refused(t):
    a, b, c = mptcp(t), mptcp(t, v6=True), mptcp(t)
    a.bind(("127.0.0.1", 81))
    b.bind(("::1", 0))
    expect_error(errno.ECONNREFUSED, a.connect, ("127.0.0.1", 80))
    expect_error(errno.ECONNREFUSED, b.connect, ("::1", 80))
    expect_error(errno.ECONNREFUSED, c.connect, ("127.0.0.1", 80))
    _, table = same(t)                                          # the one whose port was asked for has it still
    equal([(r.proto, r.port, r.cls, r["close"]) for r in table.singles() if r["sockets"]],
          [("tcp", 81, "service", 1), ("mptcp", 0, "unbound", 2), ("mptcp", 81, "service", 1)], "rows with sockets")
    t.drop(a, b, c)
    _, table = same(t)
    equal([(r.proto, r.port, r["sockets"]) for r in table.singles() if r["sockets"]], [], "rows with sockets")


def both(*rows):
    """Rows that an MPTCP socket and its only subflow have alike."""
    return [make(proto, port, **values) for make, port, values in rows for proto in ("mptcp", "tcp")]


def test_mptcp_bound_stays_bound(t):
    """What a socket that did not connect is told without success, or in vain, leaves it its port."""
    socks = [mptcp(t, v6) for v6 in (False, True)]
    socks[0].bind(("0.0.0.0", 5002))
    socks[1].bind(("::1", 5003))
    rows = both((service, 5002, dict(close=1)), (service, 5003, dict(close=1, ipv6=1)))
    expect(t, *rows)
    for sock in socks:
        expect_error(errno.ENOTCONN, sock.shutdown, socket.SHUT_RDWR)
    expect(t, *rows)
    for sock in socks:
        disconnect(sock)
    expect(t, *rows)


def test_mptcp_listener_shut_down(t):
    """It does not listen any more, and keeps its port if it asked for that one."""
    socks = [listening(mptcp(t), 5002), listening(mptcp(t, v6=True), 0)]
    port = port_of(socks[1])
    expect(t, *both((service, 5002, dict(listen=1)), (service, port, dict(listen=1, ipv6=1))),
           *(any_star(proto) for proto in ("mptcp", "tcp")))
    for sock in socks:
        sock.shutdown(socket.SHUT_RD)
    stars = [any_star(proto) for proto in ("mptcp", "tcp")]     # where the port was before it was listened on
    gone = service, port, dict(closed=1, peak=1)
    expect(t, *both((service, 5002, dict(close=1)), gone), unbound("mptcp", 1, ipv6=1), *stars)
    socks[1].listen(1)
    listens = service, port_of(socks[1]), dict(listen=1, ipv6=1, opened=None, closed=None, peak=None)
    expect(t, *both((service, 5002, dict(close=1)), *[gone][port == port_of(socks[1]):], listens), *stars)


def test_mptcp_reset_while_it_is_held(t):
    """A connection that was reset has no port, though the program did not close it; one whose port was asked for has."""
    server = listening(mptcp(t), 80)
    clients = [mptcp(t) for _ in range(3)]
    clients[1].bind(("127.0.0.1", 81))
    children = []
    for client in clients:
        client.connect(("127.0.0.1", 80))
        client.sendall(b"x")
        children.append(t.accept(server))
        equal(children[-1].recv(1), b"x", "data")
    ports = [port_of(client) for client in clients]
    connected = dict(established=1, connected=1)
    expect(t, *both((service, 80, dict(listen=1, established=3, accepted=3)), (eph, ports[0], connected),
                    (service, 81, connected), (eph, ports[2], connected)))
    for gone, kept in ((clients[0], children[0]), (children[1], clients[1]), (children[2], clients[2])):
        kept.sendall(b"y")                                      # unread data; SO_LINGER does not do it on 6.18.15
        until(lambda gone=gone: harness.readable(gone, 0), "data")
        t.drop(gone)
        until(lambda kept=kept: harness.readable(kept, 0), "the reset")
    expect(t, *both((service, 80, dict(listen=1, accepted=3, closed=3, peak=4)), (service, 81, dict(close=1, connected=1))),
           unbound("mptcp", 2), *(star(proto, connected=2, closed=2, peak=2) for proto in ("mptcp", "tcp")))
    t.drop(children[0], clients[1], clients[2])
    expect(t, *both((service, 80, dict(listen=1, accepted=3, closed=3, peak=4)), (service, 81, dict(closed=1, connected=1, peak=1))),
           *(star(proto, connected=2, closed=2, peak=2) for proto in ("mptcp", "tcp")))


def test_mptcp_plain_tcp_reset_while_it_is_held(t):
    """The same of a client that went on as plain TCP, as the connection was reset before it was any other."""
    server = listening(mptcp(t), 80)
    a, b = mptcp(t), mptcp(t, v6=True)
    b.bind(("::ffff:127.0.0.1", 81))
    a.connect(("127.0.0.1", 80))
    b.connect(("::ffff:127.0.0.1", 80))
    t.drop(server)
    expect(t, *both((service, 80, dict(accepted=2, closed=3, peak=3)), (service, 81, dict(close=1, ipv6=1, connected=1))),
           unbound("mptcp", 1), *(star(proto, connected=1, closed=1, peak=1) for proto in ("mptcp", "tcp")))


def test_mptcp_plain_tcp_binds_again(t):
    """Such a client, reset by a server without MPTCP, may ask for a port once more."""
    server = t.listen(80)
    a = mptcp(t, v6=True)
    a.connect(("::ffff:127.0.0.1", 80))
    s = t.accept(server)
    harness.reset_on_close(s)
    t.drop(s, server)
    until(lambda: harness.readable(a, 0), "the reset")
    a.bind(("::", 0))
    a.note()
    _, table = same(t)
    equal([(r.proto, r.port, r.cls, r["close"], r["ipv6"]) for r in table.singles() if r["sockets"]],
          [(proto, port_of(a), "ephemeral", 1, 1) for proto in ("tcp", "mptcp")], "rows with sockets")
    expect_error(errno.EADDRINUSE, t.tcp().bind, ("127.0.0.1", port_of(a)))


def test_mptcp_ended_while_it_is_held(t):
    """Both sides have said that no more will come: without a subflow they have no port, though nobody closed them."""
    server = listening(mptcp(t), 80)
    a = mptcp(t)
    a.connect(("127.0.0.1", 80))
    a.sendall(b"x")
    s = t.accept(server)
    equal(s.recv(1), b"x", "data")
    s.sendall(b"x")
    equal(a.recv(1), b"x", "data")
    a.shutdown(socket.SHUT_WR)
    t.eof(s)
    s.shutdown(socket.SHUT_WR)
    t.eof(a)
    until(lambda: not any(e["established"] for e in protocols.oracle().values()), "the connection to end")
    _, table = same(t)                                          # which side is left in TIME_WAIT is a matter of chance
    equal([(r.proto, r.port, r.cls, r["sockets"]) for r in table.singles() if r["sockets"]],
          [("tcp", 80, "service", 1), ("mptcp", 0, "unbound", 2), ("mptcp", 80, "service", 1)], "rows with sockets")


# ---- sockets of the kernel -------------------------------------------------------------------------

def test_kernel_vxlan(t):
    harness.ip("link", "add", "vx0", "type", "vxlan", "id", "5", "dstport", "4789", "local", "127.0.0.1", "dev", "lo")
    harness.ip("link", "set", "vx0", "up")
    expect(t, service("udp", 4789, close=1))
    harness.ip("link", "del", "vx0")
    expect(t, service("udp", 4789, closed=1, peak=1))


def test_kernel_wireguard(t):
    """One socket for each family, both on one port."""
    harness.ip("link", "add", "wg0", "type", "wireguard")
    harness.ip("link", "set", "wg0", "up")
    rows, table = same(t)
    port, = (port for _, port in rows)
    equal((rows["udp", port]["sockets"], rows["udp", port]["ipv6"]), (2, 1), "sockets by sock_diag")
    equal(table.by_key["udp", port]["close"], 2, f"udp {port}: close")
    equal([r.line for r in table.rows if r.cls == "unbound"], [], "unbound rows")
    harness.ip("link", "del", "wg0")
    rows, _ = same(t)
    equal(rows, {}, "sockets by sock_diag without wg0")


def test_kernel_l2tp(t):
    modprobe("l2tp_netlink")
    harness.ip("l2tp", "add", "tunnel", "tunnel_id", "1", "peer_tunnel_id", "1", "encap", "udp",
               "local", "127.0.0.1", "remote", "127.0.0.1", "udp_sport", "1701", "udp_dport", "1702")
    expect(t, service("udp", 1701, established=1, connected=1))
    harness.ip("l2tp", "del", "tunnel", "tunnel_id", "1")
    expect(t, service("udp", 1701, connected=1, closed=1, peak=1))


def nfsd(name, value):
    with open("/proc/fs/nfsd/" + name, "wb", buffering=0) as file:
        file.write(value.encode() + b"\n")


@needs_history
def test_kernel_nfs(t):
    t.check_snmp = False
    modprobe("nfsd")
    subprocess.run(("mount", "-t", "nfsd", "nfsd", "/proc/fs/nfsd"), check=True)
    try:
        nfsd("portlist", "tcp 2049")                            # and asks for rpcbind, in vain, from ports of its own
        _, table = same(t)
        row = table.by_key["tcp", 2049]
        equal((row.cls, row["listen"], row["ipv6"]), ("service", 2, 1), "tcp 2049: class, listen, ipv6")
        client = t.connect(2049)
        rows, table = same(t)
        equal(rows["tcp", 2049]["established"], 1, "connections by sock_diag")
        equal(table.by_key["tcp", 2049]["accepted"], 1, "tcp 2049: accepted")
        harness.reset_on_close(client)
        t.drop(client)
        try:
            nfsd("threads", "1")                                # fails without rpcbind, which lets all ports go
            nfsd("threads", "0")
        except OSError:
            pass
        until(lambda: not any(e["sockets"] for e in protocols.oracle().values()), "the server's sockets to go")
        _, table = same(t)
        row = table.by_key["tcp", 2049]
        equal((row["opened"], row["accepted"], row["closed"], row["peak"]), (3, 1, 3, 3), "tcp 2049: counters")
        equal([r.line for r in table.rows if r.cls == "unbound" and r["sockets"]], [], "unbound sockets")
    finally:
        subprocess.run(("umount", "/proc/fs/nfsd"), check=True)


# ---- all of them -----------------------------------------------------------------------------------

def zoo(t):
    """Sockets of every protocol, in every shape in which a walk has to find them. Returns those that serve."""
    if "dccp" not in protocols.ABSENT:
        modprobe("dccp_ipv4", "dccp_ipv6", "dccp_diag")
    allow_ping()
    for v6 in (False, True):
        address = harness.loopback(v6)
        for make, bound in ((udplite, 5000), (icmp, 70), (sctp, 5000), (dccp, 5000), (mptcp, 5100), (harness.Case.tcp, 5000),
                            (harness.Case.udp, 5000)):
            if make.__name__ in protocols.ABSENT:
                continue
            make(t, v6=v6)                                      # unbound
            make(t, v6=v6).bind((address, bound + v6))
            make(t, v6=v6).bind((address, 0))
        for make in (udplite, icmp, harness.Case.udp):
            if make.__name__ in protocols.ABSENT:
                continue
            make(t, v6=v6).connect((address, 53))
        raw(t, 89, v6)
        raw(t, 89, v6).connect((address, 0))
        sctp(t, v6, many=True).bind((address, 5002))
    disconnect_me = raw(t, 90)
    disconnect_me.connect(("127.0.0.1", 0))
    disconnect(disconnect_me)
    servers = {"sctp": sctp_server(t, 6000), "many": sctp_server(t, 6001, many=True)}
    for make in (dccp, mptcp):
        if make.__name__ not in protocols.ABSENT:
            servers[make.__name__] = listening(make(t), 6000)
    for proto, make in (("sctp", sctp), ("dccp", dccp), ("mptcp", mptcp)):
        if proto in protocols.ABSENT:
            continue
        for _ in range(2):                                      # one is accepted, one has to wait
            client = make(t)
            client.connect(("127.0.0.1", 6000))
            if proto == "mptcp":
                client.sendall(b"x")
        t.accept(servers[proto])
    client = sctp(t)
    client.connect(("127.0.0.1", 6001))
    until(lambda: protocols.associations(servers["many"]), "an association")
    protocols.peeloff(t, servers["many"], protocols.associations(servers["many"])[0])
    return servers


def close_all(t):
    for sock in list(t.sockets):
        if sock.type in (socket.SOCK_STREAM, socket.SOCK_SEQPACKET):
            harness.reset_on_close(sock)
        t.drop(sock)
    until(lambda: not any(e["sockets"] for e in protocols.oracle().values()), "all sockets to go")
    same(t)


def test_zoo(t):
    zoo(t)
    rows, table = same(t)
    equal({proto for proto, _ in rows}, set(protocols.PRESENT), "protocols by the oracle")
    equal({r.proto for r in table.rows if r.cls == "unbound"}, set(protocols.PRESENT), "protocols with unbound rows")
    harness.reader_agrees()
    close_all(t)


@needs_module
def test_zoo_is_older_than_the_module(t):
    t.repaired = None
    unload()
    zoo(t)
    load()
    same(t)
    close_all(t)


def sent(t, *socks):
    """Sends sockets to where nobody looks for them; returns who receives them there."""
    there, here = (t.keep(sock) for sock in socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM))
    socket.send_fds(here, [b"x"], [sock.fileno() for sock in socks])
    t.drop(*socks)
    return there


@needs_module
def test_sockets_on_their_way_are_older_than_the_module(t):
    """In no table, in nobody's hands: those without a port count when they are received, all others at once."""
    t.repaired = None
    unload()
    bound = [t.tcp(), t.udp(v6=True)]
    for n, sock in enumerate(bound):
        sock.bind((harness.loopback(n == 1), 80))
    server = sctp(t)
    server.bind(("127.0.0.1", 80))
    server.listen(5)
    way = sent(t, t.tcp(), t.udp(v6=True), sctp(t), *bound, server)
    load()
    table = portsock.read()
    equal({key: (row["sockets"], row["close"], row["listen"]) for key, row in table.by_key.items()},
          {("tcp", 80): (1, 1, 0), ("udp", 80): (1, 1, 0), ("sctp", 80): (1, 0, 1)}, "sockets, close, listen while they are on their way")
    for fd in socket.recv_fds(way, 1, 6)[1]:
        t.keep(socket.socket(fileno=fd))
    expect(t, unbound("tcp", 1), unbound("udp", 1, ipv6=1), unbound("sctp", 1), service("tcp", 80, close=1),
           service("udp", 80, close=1, ipv6=1), service("sctp", 80, listen=1))
    t.drop(*t.sockets[-6:])
    expect(t, *(service(proto, 80, closed=1, peak=1) for proto in ("tcp", "udp", "sctp")))


# ---- modules that come and go ----------------------------------------------------------------------

@needs_module
def test_class_is_the_same_after_a_load(t):
    """What SCTP and MPTCP sockets asked for, and the children of listeners that are gone. The kernel does not tell of an SCTP
    socket whether it asked for its port, if that is one that it might have been given."""
    rows, ranged = [], {sctp: 40000, mptcp: 40001}
    for make in (sctp, mptcp):
        proto = make.__name__
        if proto in protocols.ABSENT:
            continue
        also = ("tcp",) if make is mptcp else ()
        idle, bound = make(t), make(t)
        idle.bind(("127.0.0.1", 5000 + len(rows)))
        bound.bind(("127.0.0.1", 6000 + len(rows)))
        rows += [service(p, port_of(idle), close=1) for p in (proto, *also)]
        for client, port in ((make(t), 7000 + len(rows)), (bound, 8000 + len(rows)), (make(t), ranged[make])):
            listener = listening(make(t), port)
            client.connect(("127.0.0.1", port))
            client.send(b"x")
            equal(t.accept(listener).recv(1), b"x", "data")
            t.drop(listener)
            row = service if client is bound else eph
            rows += [service(p, port, established=1, accepted=1, closed=1, peak=2) for p in (proto, *also)]
            rows += [row(p, port_of(client), established=1, connected=1) for p in (proto, *also)]
    asked = sctp(t)
    asked.bind(("127.0.0.1", 40002))
    rows += [eph("sctp", 40002, close=1), any_star("sctp")]     # 40000 was one of them until it was listened on
    expect(t, *rows)
    t.reload()
    expect(t, *harness.older(rows))


@needs_module
def test_closed_sctp_socket_is_older_than_the_module(t):
    t.repaired = None
    unload()
    server = sctp_server(t)
    a = sctp_client(t)
    s = t.accept(server)
    port = port_of(a)
    harness.ip("link", "set", "lo", "down")                     # SHUTDOWN gets lost
    t.drop(a)
    load()
    expect(t, service("sctp", 5000, listen=1, established=1), eph("sctp", port, close=1))
    harness.ip("link", "set", "lo", "up")
    expect(t, service("sctp", 5000, listen=1, close_wait=1), star("sctp", closed=1, peak=1))
    t.drop(s, server)
    expect(t, service("sctp", 5000, closed=2, peak=2), star("sctp", closed=1, peak=1))


def sctp_works(t, port):
    server = sctp_server(t, port)
    client = sctp_client(t, port)
    s = t.accept(server)
    expect(t, service("sctp", port, listen=1, established=1, accepted=1, opened=None, closed=None, peak=None),
           eph("sctp", port_of(client), established=1, connected=1), any_star("sctp"),
           *(service("sctp", n, closed=2, accepted=1, peak=2) for n in range(5000, port)))
    for sock in (client, s):
        harness.reset_on_close(sock)
    t.drop(client)
    until(lambda: harness.readable(s, 0), "the abort")
    t.drop(s, server)


@needs_module
def test_sctp_comes_and_goes(t):
    """It comes after portsock, goes and comes again under it; portsock comes after it; it goes and portsock stays."""
    t.repaired = None
    unload()
    remove(*MODULES["sctp"])
    load()
    equal(os.path.exists("/sys/module/sctp"), False, "sctp is there")
    for n in range(3):
        modprobe("sctp")
        sctp_works(t, 5000 + n)
        expect(t, *(service("sctp", 5000 + i, closed=2, accepted=1, peak=2) for i in range(n + 1)),
               star("sctp", connected=n + 1, closed=n + 1, peak=1))
        remove(*MODULES["sctp"])
        expect(t, *(service("sctp", 5000 + i, closed=2, accepted=1, peak=2) for i in range(n + 1)),
               star("sctp", connected=n + 1, closed=n + 1, peak=1))
    modprobe("sctp")
    unload()
    load()
    server = sctp_server(t)
    expect(t, service("sctp", 5000, listen=1))
    t.drop(server)
    remove(*MODULES["sctp"])
    unload()                                                    # probes of functions that are gone
    load()
    expect(t)


@needs_module
def test_dccp_comes_and_goes(t):
    t.repaired = None
    unload()
    remove(*MODULES["dccp"])
    load()
    for n in range(2):
        modprobe("dccp_ipv4", "dccp_diag")
        equal(os.path.exists("/sys/module/dccp_ipv4"), True, "dccp_ipv4 is there")
        a, b = dccp(t), dccp(t)
        a.bind(("127.0.0.1", 5000))
        expect(t, service("dccp", 5000, close=1, opened=n + 1, closed=n, peak=1), unbound("dccp", 1))
        t.drop(a, b)
        expect(t, service("dccp", 5000, closed=n + 1, peak=1))
        remove(*MODULES["dccp"])
        expect(t, service("dccp", 5000, closed=n + 1, peak=1))
    modprobe("dccp_ipv4", "dccp_diag")
    server = listening(dccp(t), 5001)
    unload()
    load()
    expect(t, service("dccp", 5001, listen=1))
    client = dccp_client(t, 5001)
    s = t.accept(server)
    expect(t, service("dccp", 5001, listen=1, established=1, accepted=1),
           eph("dccp", port_of(client), established=1, connected=1))
    t.drop(client, s, server)
    same(t)


@needs_module
def test_modules_come_while_sockets_are_made(t):
    """The first socket of a protocol, made the moment its module is there, is not missed."""
    t.repaired = None
    until(lambda: not any(key[0] == "sctp" for key in protocols.oracle()), "no sctp")
    for _ in range(3):
        remove(*MODULES["sctp"])
        sock = sctp(t)                                          # loads it
        expect(t, unbound("sctp", 1))
        t.drop(sock)
