# SPDX-License-Identifier: GPL-2.0-only
"""UDP: every way to get and to lose a port."""

import errno
import socket

import refusal
from harness import disconnect, eph, equal, port_of, service, star, sysctl, unbound
from tcp_test import IPV6_ADDRFORM, expect_error


def bound(t, port, addr="127.0.0.1", v6=False):
    a = t.udp(v6)
    a.bind((addr, port))
    return a


def test_socket_alone_is_unbound(t):
    a, _ = t.udp(), t.udp(v6=True)
    t.expect(unbound("udp", 2, ipv6=1))
    t.drop(a)
    t.expect(unbound("udp", 1, ipv6=1))


def test_bind(t):
    a = bound(t, 53)
    t.expect(service("udp", 53, close=1))
    t.drop(a)
    t.expect(service("udp", 53, closed=1, peak=1))
    bound(t, 53)
    t.expect(service("udp", 53, close=1, closed=1, peak=1))


def test_bind_refused_by_a_control_group(t):
    if not refusal.FREES_PORT:
        t.notes.append("this kernel lets the socket keep the port, tcp.bind_refused_by_a_control_group has that")
        return
    with refusal.Refusal():
        expect_error(errno.EPERM, t.udp().bind, ("127.0.0.1", 53))
    t.expect(unbound("udp", 1))


def test_bind_zero_is_ephemeral(t):
    a = bound(t, 0)
    t.expect(eph("udp", port_of(a), close=1))
    t.drop(a)
    t.expect(star("udp", closed=1, peak=1))


def test_autobind_by_sendto(t):
    bound(t, 53)
    a = t.udp()
    a.sendto(b"x", ("127.0.0.1", 53))
    a.sendto(b"x", ("127.0.0.1", 53))
    t.expect(service("udp", 53, close=1), eph("udp", port_of(a), close=1))
    t.drop(a)
    t.expect(service("udp", 53, close=1), star("udp", closed=1, peak=1))


def test_autobind_by_connect(t):
    bound(t, 53)
    a = t.udp()
    a.connect(("127.0.0.1", 53))
    t.expect(service("udp", 53, close=1), eph("udp", port_of(a), established=1, connected=1))
    t.drop(a)
    t.expect(service("udp", 53, close=1), star("udp", connected=1, closed=1, peak=1))


def test_connect_twice(t):
    a = t.udp()
    a.connect(("127.0.0.1", 53))
    port = port_of(a)
    a.connect(("127.0.0.1", 54))
    equal(port_of(a), port, "port after the second connect")
    t.expect(eph("udp", port, established=1, connected=1))
    t.drop(a)
    t.expect(star("udp", connected=1, closed=1, peak=1))


def test_bind_and_connect(t):
    a = bound(t, 53)
    a.connect(("127.0.0.1", 54))
    t.expect(service("udp", 53, established=1, connected=1))
    t.drop(a)
    t.expect(service("udp", 53, connected=1, closed=1, peak=1))


def test_disconnect_of_autobound_socket(t):
    a = t.udp()
    a.connect(("127.0.0.1", 53))
    t.expect(eph("udp", port_of(a), established=1, connected=1))
    disconnect(a)
    t.expect(star("udp", connected=1, closed=1, peak=1), unbound("udp", 1))
    a.connect(("127.0.0.1", 53))
    t.expect(eph("udp", port_of(a), established=1, connected=1), star("udp", connected=2, closed=1, peak=1))
    t.drop(a)
    t.expect(star("udp", connected=2, closed=2, peak=1))


def test_disconnect_of_bound_socket(t):
    a = bound(t, 53)
    a.connect(("127.0.0.1", 54))
    disconnect(a)
    t.expect(service("udp", 53, close=1, connected=1))
    a.connect(("127.0.0.1", 55))
    t.expect(service("udp", 53, established=1, connected=None))


def test_reuseport_group(t):
    group = []
    for _ in range(4):
        a = t.udp()
        a.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        a.bind(("0.0.0.0", 53))
        group.append(a)
    t.expect(service("udp", 53, close=4))
    t.drop(*group[:2])
    t.expect(service("udp", 53, close=2, closed=2, peak=4))


def test_failed_bind_leaves_nothing(t):
    bound(t, 53)
    a, b = t.udp(), t.udp()
    expect_error(errno.EADDRINUSE, a.bind, ("127.0.0.1", 53))
    expect_error(errno.EADDRNOTAVAIL, b.bind, ("192.0.2.1", 54))
    t.expect(service("udp", 53, close=1), unbound("udp", 2))
    a.bind(("127.0.0.1", 55))
    t.expect(service("udp", 53, close=1), service("udp", 55, close=1), unbound("udp", 1))


def test_failed_autobind_leaves_nothing(t):
    sysctl("net.ipv4.ip_local_port_range", "40000 40000")
    a, b = t.udp(), t.udp()
    a.sendto(b"x", ("127.0.0.1", 53))
    expect_error(errno.EAGAIN, b.sendto, b"x", ("127.0.0.1", 53))
    t.expect(eph("udp", 40000, close=1), unbound("udp", 1))


def test_v6(t):
    a = bound(t, 53, "::1", v6=True)
    b = t.udp(v6=True)
    b.connect(("::1", 53))
    t.expect(service("udp", 53, close=1, ipv6=1), eph("udp", port_of(b), established=1, ipv6=1, connected=1))
    t.drop(a, b)
    t.expect(service("udp", 53, closed=1, peak=1), star("udp", connected=1, closed=1, peak=1))


def test_v4_mapped(t):
    a = bound(t, 53, "::", v6=True)
    b = t.udp(v6=True)
    b.connect(("::ffff:127.0.0.1", 53))
    c = t.udp()
    c.connect(("127.0.0.1", 53))
    b.send(b"x")
    c.send(b"x")
    equal(a.recv(1) + a.recv(1), b"xx", "data")
    t.expect(service("udp", 53, close=1, ipv6=1), eph("udp", port_of(b), established=1, ipv6=1, connected=1),
             eph("udp", port_of(c), established=1, connected=1))


def test_addrform(t):
    a = bound(t, 53, "::", v6=True)
    b = t.udp(v6=True)
    b.connect(("::ffff:127.0.0.1", 53))
    b.setsockopt(socket.IPPROTO_IPV6, IPV6_ADDRFORM, socket.AF_INET)
    t.expect(service("udp", 53, close=1, ipv6=1), eph("udp", b.getsockname()[1], established=1, connected=1))
    t.drop(a, b)
    t.expect(service("udp", 53, closed=1, peak=1), star("udp", connected=1, closed=1, peak=1))


def test_v4_and_v6_share_a_row(t):
    bound(t, 53)
    bound(t, 53, "::1", v6=True)
    t.expect(service("udp", 53, close=2, ipv6=1))


def test_tcp_and_udp_do_not_share_a_row(t):
    t.listen(53)
    bound(t, 53)
    t.udp()
    t.tcp()
    t.expect(service("tcp", 53, listen=1), service("udp", 53, close=1), unbound("tcp", 1), unbound("udp", 1))


def test_bind_turns_ephemeral_port_into_service(t):
    sysctl("net.ipv4.ip_local_port_range", "40000 40000")
    a = t.udp()
    a.connect(("127.0.0.1", 53))
    t.expect(eph("udp", 40000, established=1, connected=1))
    b = t.udp()
    b.bind(("127.0.0.2", 40000))
    t.expect(service("udp", 40000, established=1, close=1), star("udp", connected=1, closed=1, peak=1))
    t.drop(a, b)
    t.expect(service("udp", 40000, closed=2, peak=2), star("udp", connected=1, closed=1, peak=1))


def test_shared_by_fork(t):
    a = bound(t, 53)
    child = t.fork(lambda: None)
    t.drop(a)
    t.expect(service("udp", 53, close=1))
    t.kill(child)
    t.expect(service("udp", 53, closed=1, peak=1))


def test_killed_process(t):
    def work():
        for n in range(60):
            bound(t, 6000 + n)
            t.udp().sendto(b"x", ("127.0.0.1", 53))

    child = t.fork(work)
    rows, _ = t.same()
    equal(sum(e["sockets"] for e in rows.values()), 120, "sockets before the kill")
    t.kill(child)
    t.expect(*(service("udp", 6000 + n, closed=1, peak=1) for n in range(60)), star("udp", closed=60, peak=60))


def test_sendto_that_is_refused(t):
    """An ICMP port unreachable changes an error, not the port."""
    a = t.udp()
    a.connect(("127.0.0.1", 53))
    a.send(b"x")
    expect_error(errno.ECONNREFUSED, a.recv, 1)
    t.expect(eph("udp", port_of(a), established=1, connected=1))


def test_shutdown_changes_nothing(t):
    a = t.udp()
    a.connect(("127.0.0.1", 53))
    a.shutdown(socket.SHUT_RDWR)
    t.expect(eph("udp", port_of(a), established=1, connected=1))


def test_counters_add_up(t):
    for n in range(300):
        a = t.udp()
        if n % 3 == 0:
            a.connect(("127.0.0.1", 53))
        elif n % 3 == 1:
            a.sendto(b"x", ("127.0.0.1", 53))
        else:
            a.bind(("127.0.0.1", 53))
        t.drop(a)
    t.expect(service("udp", 53, closed=100, peak=1), star("udp", connected=100, closed=200, peak=1))


def test_all_ports_of_a_range(t):
    ports = [1, 2, 255, 256, 257, 511, 512, 1023, 1024, 4095, 4096, 32767, 32768, 65279, 65280, 65534, 65535]
    for port in ports:
        bound(t, port)
    t.expect(*(service("udp", port, close=1) for port in ports))
