# SPDX-License-Identifier: GPL-2.0-only
"""Sums over all ports are the kernel's own totals of a namespace in which nothing else goes on."""

import errno
import socket

import diag
import harness
import portsock
import protocols
from depth_test import flood, full, receiver, refuse, same, time_out, trying, unreachable
from harness import equal, loopback, needs_module, port_of, sysctl, until
from tcp_test import expect_error


def total(t, proto, *names):
    table = same(t)
    return sum(table.total(proto, name) for name in names)


def bound(t, port, v6=False):
    """A client that names its own port."""
    sock = t.tcp(v6)
    sock.bind((loopback(v6), port))
    return sock


def servers(t):
    """(listener, whether it is one of IPv6)"""
    return [(t.listen(80), False), (t.listen(81, v6=True), True)]


def reset(t, sock, peer):
    harness.reset_on_close(sock)
    t.drop(sock)
    until(lambda: harness.readable(peer, 0), "the reset")


@needs_module
def test_opens(t):
    """ActiveOpens and PassiveOpens, those that failed or are over included."""
    for server, v6 in servers(t):
        port = port_of(server)
        t.pair(server, v6=v6)
        t.end(*t.pair(server, v6=v6))
        reset(t, *t.pair(server, v6=v6))
        t.connect(port, v6=v6, sock=bound(t, port + 1000, v6))
        t.accept(server)
        expect_error(errno.ECONNREFUSED, t.connect, 82, None, v6)
        expect_error(errno.ECONNREFUSED, bound(t, port + 2000, v6).connect, (loopback(v6), 82))
    full(t, 83)
    t.drop(trying(t, 83))
    table = same(t)
    kernel = diag.snmp()
    equal(table.total("tcp", "connected"), kernel["ActiveOpens"], "connected, by ActiveOpens")
    equal(table.total("tcp", "accepted"), kernel["PassiveOpens"], "accepted, by PassiveOpens")
    equal((kernel["ActiveOpens"], kernel["PassiveOpens"]), (14, 9), "of the kernel")


@needs_module
def test_attempts_that_fail(t):
    """AttemptFails, without requests that the client resets: they are no connect() of this side."""
    sysctl("net.ipv4.tcp_syn_retries", 1)
    for v6 in (False, True):
        expect_error(errno.ECONNREFUSED, t.connect, 90, None, v6)
        expect_error(errno.ECONNREFUSED, bound(t, 91 + v6, v6).connect, (loopback(v6), 90))
    full(t, 80)
    expect_error(errno.ETIMEDOUT, t.connect, 80)
    expect_error(errno.ETIMEDOUT, bound(t, 93).connect, ("127.0.0.1", 80))
    expect_error(errno.EHOSTUNREACH, t.connect, 80, unreachable(t))
    for sock in (trying(t), trying(t)):
        protocols.destroy(socket.IPPROTO_TCP, port_of(sock))
    t.drop(trying(t))                                           # given up: no failure of TCP's
    server = t.listen(81)
    server.setsockopt(socket.IPPROTO_TCP, socket.TCP_DEFER_ACCEPT, 30)
    client = t.connect(81)                                      # established here, a request there
    harness.reset_on_close(client)
    t.drop(client)
    until(lambda: diag.tcp_ext()["EmbryonicRsts"], "the request to be reset")
    fails = diag.snmp()["AttemptFails"] - diag.tcp_ext()["EmbryonicRsts"]
    equal(total(t, "tcp", "connect_refused", "connect_timeout", "connect_unreachable", "connect_killed"), fails,
          "connect_*, by AttemptFails")
    equal(fails, 9, "AttemptFails less EmbryonicRsts")


@needs_module
def test_ends_that_are_not_in_good_order(t):
    """EstabResets, which counts both sides of a connection that is here with both."""
    for server, v6 in servers(t):
        reset(t, *t.pair(server, v6=v6))
        reset(t, *reversed(t.pair(server, v6=v6)))
        client = t.connect(port_of(server), v6=v6, sock=bound(t, port_of(server) + 1000, v6))
        reset(t, t.accept(server), client)
        client, child = t.pair(server, v6=v6)
        client.shutdown(socket.SHUT_WR)
        t.eof(child)
        reset(t, child, client)                                 # CLOSE_WAIT resets FIN_WAIT2, which does not count
        client, child = t.pair(server, v6=v6)
        protocols.destroy(socket.IPPROTO_TCP, port_of(client))
        until(lambda child=child: harness.readable(child, 0), "the reset")
        t.end(*t.pair(server, v6=v6))
    client, child = t.pair(t.listen(82))
    time_out(child, client)
    equal(total(t, "tcp", *portsock.ENDS), diag.snmp()["EstabResets"], "resets, timeouts and aborts, by EstabResets")
    equal(diag.snmp()["EstabResets"], 2 * (2 + 2 + 2 + 1 + 2) + 1, "EstabResets")


@needs_module
def test_segments_sent_again(t):
    """RetransSegs: SYNs, SYN-ACKs, data and FINs, of services and of ephemeral ports."""
    sysctl("net.ipv4.tcp_syn_retries", 1)
    full(t, 80)
    expect_error(errno.ETIMEDOUT, t.connect, 80)
    expect_error(errno.ETIMEDOUT, bound(t, 93).connect, ("127.0.0.1", 80))
    server = t.listen(81, v6=True)
    server.setsockopt(socket.IPPROTO_TCP, socket.TCP_DEFER_ACCEPT, 1)
    client = t.connect(81, v6=True)
    before = diag.snmp()["RetransSegs"]
    until(lambda: diag.snmp()["RetransSegs"] > before, "a SYN-ACK to be sent again")
    client.sendall(b"x")
    child = t.accept(server)
    time_out(client, child)
    time_out(*t.pair(t.listen(82)))
    closing, peer = t.pair(t.listen(83))
    refuse(peer)
    port, before = port_of(closing), diag.snmp()["RetransSegs"]
    t.drop(closing)
    until(lambda: diag.snmp()["RetransSegs"] > before, "a FIN to be sent again")
    protocols.destroy(socket.IPPROTO_TCP, port)
    equal(total(t, "tcp", "retrans"), diag.snmp()["RetransSegs"], "retrans, by RetransSegs")


@needs_module
def test_datagrams_without_room(t):
    """RcvbufErrors: of services and of ephemeral ports, over both families."""
    for v6 in (False, True):
        socks = [receiver(t, port, v6) for port in (53, 54, 0)]
        for sock in socks:
            flood(t, sock)
        t.drop(*socks)                                          # an ephemeral port tells when it goes
    kernel = diag.snmp("Udp")["RcvbufErrors"] + diag.snmp6()["Udp6RcvbufErrors"]
    equal(total(t, "udp", "rcv_drops"), kernel, "rcv_drops, by RcvbufErrors")
    equal(kernel >= 6, True, "each socket has dropped one")
