# SPDX-License-Identifier: GPL-2.0-only
"""TCP: every way to get a port, to pass through the states, and to lose it."""

import errno
import socket

import diag
import harness
import packet
import portsock
import refusal
import steer
from harness import (MSG_FASTOPEN, any_star, disconnect, eph, equal, fail, needs_history, needs_module, older, port_of,
                     reset_on_close, service, star, sysctl, unbound, until)
from packet import ACK, FIN, RST, SYN

TCP_FASTOPEN, TCP_FASTOPEN_CONNECT = 23, 30
IPV6_ADDRFORM = 1


def expect_error(code, call, *args):
    try:
        call(*args)
    except OSError as error:
        equal(errno.errorcode.get(error.errno), errno.errorcode[code], "error")
    else:
        fail(f"got success, expected {errno.errorcode[code]}")


# ---- without a connection --------------------------------------------------------------------------

def test_socket_alone_is_unbound(t):
    t.expect()
    a, b = t.tcp(), t.tcp(v6=True)
    t.expect(unbound("tcp", 2, ipv6=1))
    t.drop(a)
    t.expect(unbound("tcp", 1, ipv6=1))
    t.drop(b)
    t.expect()


@needs_module
def test_bind_refused_by_a_control_group(t):
    """The kernel gives the port, asks a program, and takes the port back; before 5.17 it does not."""
    with refusal.Refusal():
        expect_error(errno.EPERM, t.tcp().bind, ("127.0.0.1", 80))
        expect_error(errno.EPERM, t.tcp(v6=True).bind, ("::1", 81))
    if not refusal.FREES_PORT:
        expect_error(errno.EADDRINUSE, t.tcp().bind, ("127.0.0.1", 80))
        row = portsock.read().by_key["tcp", 80]
        equal((row["close"], row["closed"]), (1, 0), "close, closed of a port that only the next bind() shows to be taken")
        return
    t.expect(unbound("tcp", 2, ipv6=1), *(service("tcp", port, closed=1, peak=1) for port in (80, 81)))


def test_bind_only(t):
    a = t.tcp()
    a.bind(("127.0.0.1", 5000))
    t.expect(service("tcp", 5000, close=1))
    t.drop(a)
    t.expect(service("tcp", 5000, closed=1, peak=1))


def test_bind_zero_is_ephemeral(t):
    a = t.tcp()
    a.bind(("127.0.0.1", 0))
    t.expect(eph("tcp", port_of(a), close=1))
    t.drop(a)
    t.expect(star("tcp", closed=1, peak=1))


def test_failed_bind_leaves_nothing(t):
    t.listen(80, "127.0.0.1")
    a, b = t.tcp(), t.tcp()
    expect_error(errno.EADDRINUSE, a.bind, ("127.0.0.1", 80))
    expect_error(errno.EADDRNOTAVAIL, b.bind, ("192.0.2.1", 81))
    t.expect(service("tcp", 80, listen=1), unbound("tcp", 2))


def test_listen(t):
    a = t.listen(80)
    t.expect(service("tcp", 80, listen=1))
    a.listen(10)
    t.expect(service("tcp", 80, listen=1))
    t.drop(a)
    t.expect(service("tcp", 80, closed=1, peak=1))
    t.listen(80)
    t.expect(service("tcp", 80, listen=1, closed=1, peak=1))


def test_listen_without_bind(t):
    a = t.tcp()
    a.listen()
    t.expect(service("tcp", port_of(a), listen=1), any_star("tcp"))
    t.drop(a)


def test_listen_turns_ephemeral_port_into_service(t):
    a = t.tcp()
    a.bind(("127.0.0.1", 0))
    port = port_of(a)
    t.expect(eph("tcp", port, close=1))
    a.listen()
    t.expect(service("tcp", port, listen=1), any_star("tcp"))
    c, s = t.pair(a)
    t.expect(service("tcp", port, listen=1, established=1, accepted=1), eph("tcp", port_of(c), established=1, connected=1),
             any_star("tcp"))
    t.drop(a)
    t.expect(service("tcp", port, established=1, accepted=1, closed=1, peak=2),
             eph("tcp", port_of(c), established=1, connected=1), any_star("tcp"))


def test_bind_turns_ephemeral_port_into_service(t):
    """Somebody binds explicitly the port that a connection got from the kernel: a row begins, `*` keeps the history."""
    t.listen(80)
    sysctl("net.ipv4.ip_local_port_range", "40000 40000")
    a = t.connect(80)
    t.expect(service("tcp", 80, listen=1, established=1, accepted=1), eph("tcp", 40000, established=1, connected=1))
    b = t.tcp()
    b.bind(("127.0.0.2", 40000))
    t.expect(service("tcp", 80, listen=1, established=1, accepted=1),
             service("tcp", 40000, established=1, close=1), star("tcp", connected=1, closed=1, peak=1))
    t.drop(a, b)


def test_listener_shutdown(t):
    """shutdown() takes a listener to CLOSE; it was bound explicitly and keeps its port."""
    a = t.listen(80)
    a.shutdown(socket.SHUT_RDWR)
    t.expect(service("tcp", 80, close=1))
    a.listen()
    t.expect(service("tcp", 80, listen=1))


def test_reuseport_group(t):
    group = [t.listen(80, so_reuseport=1) for _ in range(5)]
    t.expect(service("tcp", 80, listen=5))
    clients = [t.connect(80) for _ in range(20)]
    rows = [eph("tcp", port_of(c), established=1, connected=1) for c in clients]
    t.expect(service("tcp", 80, listen=5, established=20, accepted=20), *rows)
    for c in clients:
        reset_on_close(c)
    t.drop(*clients)
    t.expect(service("tcp", 80, listen=5, accepted=20, closed=20, peak=25),
             star("tcp", connected=20, closed=20, peak=20))
    t.drop(*group)
    t.expect(service("tcp", 80, accepted=20, closed=25, peak=25), star("tcp", connected=20, closed=20, peak=20))


def test_reuseaddr_on_two_addresses(t):
    t.listen(80, "127.0.0.1")
    t.listen(80, "127.0.0.2")
    t.listen(80, "::1", v6=True)
    t.expect(service("tcp", 80, listen=3, ipv6=1))


# ---- connections -----------------------------------------------------------------------------------

def test_connection_open(t):
    listener = t.listen(80)
    c = t.connect(80)
    table = (service("tcp", 80, listen=1, established=1, accepted=1), eph("tcp", port_of(c), established=1, connected=1))
    t.expect(*table)
    t.accept(listener)
    t.expect(*table)


def test_client_closes_first(t):
    c, s = t.pair(t.listen(80))
    port = port_of(c)
    t.leave(c, s)
    t.expect(service("tcp", 80, listen=1, close_wait=1, accepted=1),
             eph("tcp", port, time_wait=1, connected=1, closed=1, peak=1), star("tcp", connected=1, closed=1, peak=1))
    t.drop(s)
    t.expect(service("tcp", 80, listen=1, accepted=1, closed=1, peak=2),
             eph("tcp", port, time_wait=1, connected=1, closed=1, peak=1), star("tcp", connected=1, closed=1, peak=1))


def test_server_closes_first(t):
    c, s = t.pair(t.listen(80))
    port = port_of(c)
    t.leave(s, c)
    t.expect(service("tcp", 80, listen=1, time_wait=1, accepted=1, closed=1, peak=2),
             eph("tcp", port, close_wait=1, connected=1))
    t.drop(c)
    t.expect(service("tcp", 80, listen=1, time_wait=1, accepted=1, closed=1, peak=2),
             star("tcp", connected=1, closed=1, peak=1))


def test_time_wait_keeps_service_after_listener(t):
    listener = t.listen(80)
    c, s = t.pair(listener)
    t.end(s, c)
    t.drop(listener)
    t.expect(service("tcp", 80, time_wait=1, accepted=1, closed=2, peak=2), star("tcp", connected=1, closed=1, peak=1))


def test_half_closed(t):
    c, s = t.pair(t.listen(80))
    c.shutdown(socket.SHUT_WR)
    t.eof(s)
    t.expect(service("tcp", 80, listen=1, close_wait=1, accepted=1), eph("tcp", port_of(c), fin_wait2=1, connected=1))
    s.shutdown(socket.SHUT_WR)
    t.eof(c)
    # the server's socket went through LAST_ACK, the client's became TIME_WAIT; both descriptors are still open
    t.expect(service("tcp", 80, listen=1, accepted=1, closed=1, peak=2), unbound("tcp", 2),
             eph("tcp", port_of(c), time_wait=1, connected=1, closed=1, peak=1), star("tcp", connected=1, closed=1, peak=1))
    t.drop(c, s)


def test_shutdown_read_changes_nothing(t):
    c, s = t.pair(t.listen(80))
    c.shutdown(socket.SHUT_RD)
    t.expect(service("tcp", 80, listen=1, established=1, accepted=1), eph("tcp", port_of(c), established=1, connected=1))


def test_reset_by_client(t):
    c, s = t.pair(t.listen(80))
    reset_on_close(c)
    t.drop(c)
    # the server's descriptor is open, its socket lost the port
    t.expect(service("tcp", 80, listen=1, accepted=1, closed=1, peak=2), unbound("tcp", 1),
             star("tcp", connected=1, closed=1, peak=1))
    t.drop(s)
    t.expect(service("tcp", 80, listen=1, accepted=1, closed=1, peak=2), star("tcp", connected=1, closed=1, peak=1))


def test_reset_by_server(t):
    c, s = t.pair(t.listen(80))
    reset_on_close(s)
    t.drop(s)
    t.expect(service("tcp", 80, listen=1, accepted=1, closed=1, peak=2), unbound("tcp", 1),
             star("tcp", connected=1, closed=1, peak=1))


def test_reset_by_unread_data(t):
    c, s = t.pair(t.listen(80))
    c.send(b"unread")
    until(lambda: s.recv(1, socket.MSG_PEEK), "data")
    t.drop(s)
    t.expect(service("tcp", 80, listen=1, accepted=1, closed=1, peak=2), unbound("tcp", 1),
             star("tcp", connected=1, closed=1, peak=1))


def test_refused_connect(t):
    a = t.tcp()
    expect_error(errno.ECONNREFUSED, t.connect, 81, None, False, a)
    t.expect(star("tcp", connected=1, closed=1, peak=1), unbound("tcp", 1))
    for _ in range(50):
        expect_error(errno.ECONNREFUSED, a.connect, ("127.0.0.1", 81))
    t.expect(star("tcp", connected=51, closed=51, peak=1), unbound("tcp", 1))
    t.drop(a)
    t.expect(star("tcp", connected=51, closed=51, peak=1))


def test_refused_connect_of_bound_socket(t):
    a = t.tcp()
    a.bind(("127.0.0.1", 5000))
    expect_error(errno.ECONNREFUSED, a.connect, ("127.0.0.1", 81))
    t.expect(service("tcp", 5000, close=1, connected=1))
    t.drop(a)
    t.expect(service("tcp", 5000, connected=1, closed=1, peak=1))


def test_unroutable_connect(t):
    a = t.tcp()
    expect_error(errno.ENETUNREACH, a.connect, ("192.0.2.1", 81))
    t.expect(unbound("tcp", 1))


def test_reset_of_bound_socket_keeps_port(t):
    """SOCK_BINDPORT_LOCK: only close() gives the port back."""
    listener = t.listen(80)
    a = t.tcp()
    a.bind(("127.0.0.1", 5000))
    t.connect(80, sock=a)
    s = t.accept(listener)
    t.expect(service("tcp", 80, listen=1, established=1, accepted=1), service("tcp", 5000, established=1, connected=1))
    reset_on_close(s)
    t.drop(s)
    t.expect(service("tcp", 80, listen=1, accepted=1, closed=1, peak=2), service("tcp", 5000, close=1, connected=1))
    t.drop(a)
    t.expect(service("tcp", 80, listen=1, accepted=1, closed=1, peak=2),
             service("tcp", 5000, connected=1, closed=1, peak=1))


def test_bind_zero_then_connect(t):
    t.listen(80)
    a = t.tcp()
    a.bind(("127.0.0.1", 0))
    t.connect(80, sock=a)
    t.expect(service("tcp", 80, listen=1, established=1, accepted=1), eph("tcp", port_of(a), established=1, connected=1))


def test_bind_address_no_port(t):
    t.listen(80)
    a = t.tcp()
    a.setsockopt(socket.IPPROTO_IP, harness.IP_BIND_ADDRESS_NO_PORT, 1)
    a.bind(("127.0.0.3", 0))
    t.expect(service("tcp", 80, listen=1), unbound("tcp", 1))
    t.connect(80, sock=a)
    t.expect(service("tcp", 80, listen=1, established=1, accepted=1), eph("tcp", port_of(a), established=1, connected=1))


def test_explicit_port_shared_by_two_connections(t):
    l1, l2 = t.listen(80), t.listen(81)
    socks = [t.tcp(), t.tcp()]
    for a in socks:
        a.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        a.bind(("127.0.0.1", 5000))
    t.expect(service("tcp", 80, listen=1), service("tcp", 81, listen=1), service("tcp", 5000, close=2))
    t.connect(80, sock=socks[0])
    t.connect(81, sock=socks[1])
    s1, _ = t.accept(l1), t.accept(l2)
    t.expect(service("tcp", 80, listen=1, established=1, accepted=1), service("tcp", 81, listen=1, established=1, accepted=1),
             service("tcp", 5000, established=2, connected=2))
    t.end(s1, socks[0])
    t.expect(service("tcp", 80, listen=1, time_wait=1, accepted=1, closed=1, peak=2),
             service("tcp", 81, listen=1, established=1, accepted=1),
             service("tcp", 5000, established=1, connected=2, closed=1, peak=2))
    reset_on_close(socks[1])
    t.drop(socks[1])
    t.expect(service("tcp", 80, listen=1, time_wait=1, accepted=1, closed=1, peak=2),
             service("tcp", 81, listen=1, accepted=1, closed=1, peak=2), unbound("tcp", 1),
             service("tcp", 5000, connected=2, closed=2, peak=2))


def test_ephemeral_port_shared_by_two_connections(t):
    """The second connect() gets its port without inet_bind_hash() and without inet_ehash_nolisten()."""
    sysctl("net.ipv4.ip_local_port_range", "40000 40000")
    l1, l2 = t.listen(80), t.listen(81)
    a, b = t.connect(80), t.connect(81)
    services = (service("tcp", 80, listen=1, established=1, accepted=1), service("tcp", 81, listen=1, established=1, accepted=1))
    t.expect(*services, eph("tcp", 40000, established=2, connected=2))
    c = t.tcp()
    expect_error(errno.EADDRNOTAVAIL, c.connect, ("127.0.0.1", 80))
    t.expect(*services, eph("tcp", 40000, established=2, connected=2), unbound("tcp", 1))
    t.drop(c)
    reset_on_close(a)
    t.drop(a)
    t.accept(l1)
    t.expect(service("tcp", 80, listen=1, accepted=1, closed=1, peak=2), services[1], unbound("tcp", 1),
             eph("tcp", 40000, established=1, connected=2, closed=1, peak=2), star("tcp", connected=2, closed=1, peak=2))
    reset_on_close(b)
    t.drop(b)
    t.accept(l2)
    t.expect(service("tcp", 80, listen=1, accepted=1, closed=1, peak=2), service("tcp", 81, listen=1, accepted=1, closed=1, peak=2),
             unbound("tcp", 2), star("tcp", connected=2, closed=2, peak=2))


def test_same_port_listens_and_connects(t):
    """A listener's port used as the source of a connection elsewhere."""
    t.listen(80, so_reuseport=1)
    t.listen(81)
    a = t.tcp()
    a.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    a.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    a.bind(("127.0.0.1", 80))
    t.connect(81, sock=a)
    t.expect(service("tcp", 80, listen=1, established=1, connected=1), service("tcp", 81, listen=1, established=1, accepted=1))


# ---- IPv6 ------------------------------------------------------------------------------------------

def test_v6_connection(t):
    c, s = t.pair(t.listen(80, v6=True), v6=True)
    t.expect(service("tcp", 80, listen=1, established=1, ipv6=2, accepted=1),
             eph("tcp", port_of(c), established=1, ipv6=1, connected=1))
    t.end(s, c)
    t.expect(service("tcp", 80, listen=1, time_wait=1, ipv6=1, accepted=1, closed=1, peak=2),
             star("tcp", connected=1, closed=1, peak=1))


def test_dual_stack_and_mapped(t):
    listener = t.listen(80, v6=True)
    a, s = t.pair(listener)                                         # AF_INET client: the child is AF_INET6
    b, sb = t.pair(listener, "::ffff:127.0.0.1", v6=True)
    t.expect(service("tcp", 80, listen=1, established=2, ipv6=3, accepted=2),
             eph("tcp", port_of(a), established=1, connected=1), eph("tcp", port_of(b), established=1, ipv6=1, connected=1))
    ports = port_of(b)
    t.leave(s, a)
    t.leave(b, sb)
    t.expect(service("tcp", 80, listen=1, close_wait=1, time_wait=1, ipv6=2, accepted=2, closed=1, peak=3),
             eph("tcp", port_of(a), close_wait=1, connected=1),
             eph("tcp", ports, time_wait=1, connected=1, closed=1, peak=1), star("tcp", connected=2, closed=1, peak=2))


def test_v4_and_v6_share_a_row(t):
    t.listen(80)
    six = t.tcp(v6=True)
    six.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    six.bind(("::", 80))
    six.listen()
    a, b = t.connect(80), t.connect(80, v6=True)
    t.expect(service("tcp", 80, listen=2, established=2, ipv6=2, accepted=2),
             eph("tcp", port_of(a), established=1, connected=1), eph("tcp", port_of(b), established=1, ipv6=1, connected=1))


def test_addrform(t):
    """IPV6_ADDRFORM turns a v4-mapped AF_INET6 socket into an AF_INET one under our feet, and nothing else."""
    t.listen(80)
    a, b = (t.connect(80, "::ffff:127.0.0.1", v6=True) for _ in range(2))
    six, four = dict(established=1, ipv6=1, connected=1), dict(established=1, connected=1)
    t.expect(service("tcp", 80, listen=1, established=2, accepted=2), eph("tcp", port_of(a), **six), eph("tcp", port_of(b), **six))
    a.setsockopt(socket.IPPROTO_IPV6, IPV6_ADDRFORM, socket.AF_INET)
    t.expect(service("tcp", 80, listen=1, established=2, accepted=2), eph("tcp", a.getsockname()[1], **four), eph("tcp", port_of(b), **six))
    refused = t.tcp(v6=True)                                        # it is not connected
    expect_error(errno.ENOTCONN, refused.setsockopt, socket.IPPROTO_IPV6, IPV6_ADDRFORM, socket.AF_INET)
    t.expect(service("tcp", 80, listen=1, established=2, accepted=2), eph("tcp", a.getsockname()[1], **four), eph("tcp", port_of(b), **six),
             unbound("tcp", 1, ipv6=1))
    reset_on_close(a)
    reset_on_close(b)
    t.drop(a, b, refused)
    t.expect(service("tcp", 80, listen=1, accepted=2, closed=2, peak=3), star("tcp", connected=2, closed=2, peak=2))


# ---- connect(AF_UNSPEC) ----------------------------------------------------------------------------

def test_disconnect_of_autobound_socket(t):
    listener = t.listen(80)
    a, s = t.pair(listener)
    disconnect(a)
    t.drop(s)
    t.expect(service("tcp", 80, listen=1, accepted=1, closed=1, peak=2), unbound("tcp", 1),
             star("tcp", connected=1, closed=1, peak=1))
    t.connect(80, sock=a)
    t.expect(service("tcp", 80, listen=1, established=1, accepted=2, closed=1, peak=2),
             eph("tcp", port_of(a), established=1, connected=1), star("tcp", connected=2, closed=1, peak=1))


def test_disconnect_of_bound_socket(t):
    listener = t.listen(80)
    a = t.tcp()
    a.bind(("127.0.0.1", 5000))
    t.connect(80, sock=a)
    s = t.accept(listener)
    disconnect(a)
    t.drop(s)
    t.expect(service("tcp", 80, listen=1, accepted=1, closed=1, peak=2), service("tcp", 5000, close=1, connected=1))
    t.connect(80, sock=a)                                           # still the same socket on the same port
    t.check_snmp = False                                            # ActiveOpens counts attempts, connected counts sockets
    t.expect(service("tcp", 80, listen=1, established=1, accepted=2, closed=1, peak=2),
             service("tcp", 5000, established=1, connected=None))


def test_disconnect_while_connecting(t):
    packet.set_up()
    a = t.tcp()
    a.setblocking(False)
    a.connect_ex(("10.9.0.1", 80))
    t.expect(eph("tcp", port_of(a), syn_sent=1, connected=1))
    disconnect(a)
    t.expect(star("tcp", connected=1, closed=1, peak=1), unbound("tcp", 1))


def test_disconnected_child(t):
    """An accepted socket that is disconnected and becomes a client."""
    listener = t.listen(80)
    c, s = t.pair(listener)
    reset_on_close(c)
    t.drop(c)
    disconnect(s)
    t.expect(service("tcp", 80, listen=1, accepted=1, closed=1, peak=2), unbound("tcp", 1),
             star("tcp", connected=1, closed=1, peak=1))
    t.connect(80, "127.0.0.2", sock=s)
    t.expect(service("tcp", 80, listen=1, established=1, accepted=2, closed=1, peak=2),
             eph("tcp", port_of(s), established=1, connected=1), star("tcp", connected=2, closed=1, peak=1))


# ---- listeners and their queues --------------------------------------------------------------------

def test_listener_closed_with_unaccepted_children(t):
    listener = t.listen(80)
    clients = [t.connect(80) for _ in range(10)]
    t.expect(service("tcp", 80, listen=1, established=10, accepted=10),
             *(eph("tcp", port_of(c), established=1, connected=1) for c in clients))
    t.drop(listener)
    t.expect(service("tcp", 80, accepted=10, closed=11, peak=11), unbound("tcp", 10),
             star("tcp", connected=10, closed=10, peak=10))


def test_listener_closed_with_request(t):
    packet.set_up()
    listener = t.listen(80)
    packet.Peer(t, 80).send(SYN)
    t.expect(service("tcp", 80, listen=1, syn_recv=1, mini=1))
    t.drop(listener)
    t.expect(service("tcp", 80, closed=1, peak=1))


def test_listener_closed_before_child(t):
    listener = t.listen(80)
    c, s = t.pair(listener)
    t.drop(listener)
    t.expect(service("tcp", 80, established=1, accepted=1, closed=1, peak=2), eph("tcp", port_of(c), established=1, connected=1))
    t.end(s, c)
    t.expect(service("tcp", 80, time_wait=1, accepted=1, closed=2, peak=2), star("tcp", connected=1, closed=1, peak=1))


def test_backlog_overflow(t):
    """The accept queue takes two (backlog 1), the other SYNs are dropped."""
    t.listen(80, backlog=1)
    clients = []
    for _ in range(8):
        c = t.tcp()
        c.setblocking(False)
        c.connect_ex(("127.0.0.1", 80))
        clients.append(c)
        if len(clients) <= 2:
            until(lambda s=c: s.connect_ex(("127.0.0.1", 80)) == 0, "connection")
    rows = [eph("tcp", port_of(c), established=1, connected=1) for c in clients[:2]]
    rows += [eph("tcp", port_of(c), syn_sent=1, connected=1) for c in clients[2:]]
    t.expect(service("tcp", 80, listen=1, established=2, accepted=2), *rows)
    t.drop(*clients[2:])
    t.expect(service("tcp", 80, listen=1, established=2, accepted=2), *rows[:2],
             star("tcp", connected=8, closed=6, peak=8))


def test_requests_wait_for_acceptance(t):
    """Request mini-sockets: first without an ACK, then acknowledged while the accept queue is full."""
    packet.set_up()
    listener = t.listen(80, backlog=4)
    peers = [packet.Peer(t, 80, port=1000 + n) for n in range(2)]
    for p in peers:
        p.send(SYN)
        p.wait(SYN | ACK)
    t.expect(service("tcp", 80, listen=1, syn_recv=2, mini=2))
    clients = [t.connect(80) for _ in range(5)]
    rows = [eph("tcp", port_of(c), established=1, connected=1) for c in clients]
    t.expect(service("tcp", 80, listen=1, established=5, syn_recv=2, mini=2, accepted=5), *rows)
    for p in peers:
        p.send(ACK)
    t.expect(service("tcp", 80, listen=1, established=5, syn_recv=2, mini=2, accepted=5), *rows)
    t.accept(listener)
    peers[0].send(ACK)
    t.expect(service("tcp", 80, listen=1, established=6, syn_recv=1, mini=1, accepted=6), *rows)
    peers[1].send(RST, seq=peers[1].snd)
    t.expect(service("tcp", 80, listen=1, established=6, accepted=6), *rows)


def test_requests_of_another_port(t):
    """What a program has a listener receive is on the port that it was sent to; its request counts where the listener is."""
    packet.set_up()
    listener = t.listen(80)
    with steer.Steer(listener, 7777):
        p = packet.Peer(t, 7777)
        p.send(SYN)
        p.wait(SYN | ACK)
        rows = diag.oracle()
        equal({port: entry["syn_recv"] for (_, port), entry in rows.items()}, {80: 0, 7777: 1}, "syn_recv by sock_diag")
        if harness.with_module:
            equal({r.port: r["syn_recv"] for r in portsock.read().rows}, {0: 0, 80: 1}, "syn_recv")
        harness.reader_agrees()
        p.send(ACK)
        rows = service("tcp", 80, listen=1), service("tcp", 7777, established=1, accepted=1)
        t.expect(*rows)
        if harness.with_module:
            t.reload()
            t.expect(*older(rows))


@needs_module
def test_class_is_the_same_after_a_load(t):
    """What makes a port a service can be told when its listener is gone, and bind() to any port is no reason."""
    packet.set_up()
    bound, chosen, ended = t.tcp(), t.tcp(), t.listen(81)
    bound.bind(("127.0.0.1", 5000))
    chosen.bind(("127.0.0.1", 0))
    rows, clients = [], [t.tcp(), bound, chosen, t.tcp(v6=True)]
    for port, sock in zip((80, 82, 83, 40000), clients):
        v6 = sock.family == socket.AF_INET6
        listener = t.listen(port, v6=v6)
        t.connect(port, sock=sock, v6=v6)
        t.accept(listener)
        t.drop(listener)
        make = service if sock is bound else eph
        rows += [service("tcp", port, established=1, ipv6=int(v6), accepted=1, closed=1, peak=2),
                 make("tcp", port_of(sock), established=1, ipv6=int(v6), connected=1)]
    client, child = t.pair(ended)
    t.end(child, client)
    t.drop(ended)
    rows += [service("tcp", 81, time_wait=1, accepted=1, closed=2, peak=2), star("tcp", connected=4, closed=1, peak=None)]
    t.expect(*rows)
    t.reload()
    t.expect(*older(rows))


def test_request_over_v6(t):
    """Only through a full accept queue: SYNs of v6 clients that nobody may answer twice."""
    t.listen(80, v6=True, backlog=0)
    c = t.connect(80, v6=True)
    d = t.tcp(v6=True)
    d.setblocking(False)
    d.connect_ex(("::1", 80))
    t.expect(service("tcp", 80, listen=1, established=1, ipv6=2, accepted=1),
             eph("tcp", port_of(c), established=1, ipv6=1, connected=1), eph("tcp", port_of(d), syn_sent=1, ipv6=1, connected=1))


def test_syn_cookies(t):
    """With cookies a SYN leaves no trace; the ACK makes the child."""
    packet.set_up()
    sysctl("net.ipv4.tcp_syncookies", 2)
    t.listen(80)
    p = packet.Peer(t, 80)
    p.send(SYN)
    p.wait(SYN | ACK)
    t.expect(service("tcp", 80, listen=1))
    p.send(ACK)
    t.expect(service("tcp", 80, listen=1, established=1, accepted=1))
    p.send(RST | ACK)
    t.expect(service("tcp", 80, listen=1, accepted=1, closed=1, peak=2))


# ---- states that need a slow peer ------------------------------------------------------------------

def test_active_close_step_by_step(t):
    packet.set_up()
    listener = t.listen(80)
    p = packet.Peer(t, 80)
    p.open()
    s = t.accept(listener)
    t.drop(s)
    p.wait(FIN)
    t.expect(service("tcp", 80, listen=1, fin_wait1=1, accepted=1))
    p.send(ACK)                                                     # an orphan in FIN_WAIT2 is a timewait mini-socket
    t.expect(service("tcp", 80, listen=1, time_wait=1, accepted=1, closed=1, peak=2))
    p.send(FIN | ACK)
    p.wait(ACK)
    t.expect(service("tcp", 80, listen=1, time_wait=1, accepted=1, closed=1, peak=2))
    p.send(RST, seq=p.snd)                                          # TIME-WAIT assassination
    t.expect(service("tcp", 80, listen=1, accepted=1, closed=1, peak=2))


def test_orphan_in_long_fin_wait2(t):
    """With tcp_fin_timeout above 60 s the orphan stays a full socket."""
    packet.set_up()
    sysctl("net.ipv4.tcp_fin_timeout", 120)
    listener = t.listen(80)
    p = packet.Peer(t, 80)
    p.open()
    s = t.accept(listener)
    t.drop(s)
    p.wait(FIN)
    p.send(ACK)
    t.expect(service("tcp", 80, listen=1, fin_wait2=1, accepted=1))
    p.send(FIN | ACK)
    t.expect(service("tcp", 80, listen=1, time_wait=1, accepted=1, closed=1, peak=2))


def test_simultaneous_close(t):
    packet.set_up()
    listener = t.listen(80)
    p = packet.Peer(t, 80)
    p.open()
    s = t.accept(listener)
    before = p.rcv
    t.drop(s)
    p.wait(FIN)
    acked, p.rcv = p.rcv, before
    p.send(FIN | ACK)                                               # our FIN crosses theirs
    t.expect(service("tcp", 80, listen=1, closing=1, accepted=1))
    p.rcv = acked
    p.send(ACK)
    t.expect(service("tcp", 80, listen=1, time_wait=1, accepted=1, closed=1, peak=2))


def test_passive_close_step_by_step(t):
    packet.set_up()
    listener = t.listen(80)
    p = packet.Peer(t, 80)
    p.open()
    s = t.accept(listener)
    p.send(FIN | ACK)
    t.expect(service("tcp", 80, listen=1, close_wait=1, accepted=1))
    t.drop(s)
    p.wait(FIN)
    t.expect(service("tcp", 80, listen=1, last_ack=1, accepted=1))
    p.send(ACK)
    t.expect(service("tcp", 80, listen=1, accepted=1, closed=1, peak=2))


def test_simultaneous_open(t):
    packet.set_up()
    a = t.tcp()
    p = packet.Peer(t, 0, port=81)
    a.setblocking(False)
    a.connect_ex(("10.9.0.1", 81))
    p.wait(SYN)
    t.expect(eph("tcp", port_of(a), syn_sent=1, connected=1))
    p.send(SYN)
    p.wait(SYN | ACK)
    t.expect(eph("tcp", port_of(a), syn_recv=1, connected=1))       # a full socket, although in SYN_RECV
    p.send(ACK)
    t.expect(eph("tcp", port_of(a), established=1, connected=1))
    p.send(RST | ACK)
    t.expect(star("tcp", connected=1, closed=1, peak=1), unbound("tcp", 1))


def test_self_connection(t):
    a = t.tcp()
    a.bind(("127.0.0.1", 5000))
    a.connect(("127.0.0.1", 5000))
    t.expect(service("tcp", 5000, established=1, connected=1))
    t.drop(a)
    t.expect(service("tcp", 5000, time_wait=1, connected=1, closed=1, peak=1))


def test_connecting_and_given_up(t):
    packet.set_up()
    a = t.tcp()
    a.setblocking(False)
    a.connect_ex(("10.9.0.1", 81))
    t.expect(eph("tcp", port_of(a), syn_sent=1, connected=1))
    t.drop(a)
    t.expect(star("tcp", connected=1, closed=1, peak=1))


def test_connection_timed_out(t):
    """TCP_USER_TIMEOUT: the kernel's timer kills the socket, in softirq."""
    packet.set_up()
    a = t.tcp()
    a.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, 300)
    a.setsockopt(socket.IPPROTO_TCP, socket.TCP_SYNCNT, 1)
    expect_error(errno.ETIMEDOUT, a.connect, ("10.9.0.1", 81))
    t.expect(star("tcp", connected=1, closed=1, peak=1), unbound("tcp", 1))


def test_sock_destroy(t):
    """ss -K: tcp_abort() from another process."""
    listener = t.listen(80)
    a, s = t.pair(listener)
    done = harness.subprocess.run(("ss", "-K", "-t", "dport", "=", "80"), stdout=harness.subprocess.DEVNULL,
                                  stderr=harness.subprocess.DEVNULL, check=False)
    equal(done.returncode, 0, "ss -K")
    t.expect(service("tcp", 80, listen=1, accepted=1, closed=1, peak=2), unbound("tcp", 2),
             star("tcp", connected=1, closed=1, peak=1))


# ---- TIME_WAIT -------------------------------------------------------------------------------------

def test_time_wait_recycled_by_syn(t):
    packet.set_up()
    listener = t.listen(80)
    p = packet.Peer(t, 80)
    p.open()
    s = t.accept(listener)
    t.drop(s)
    p.wait(FIN)
    p.send(FIN | ACK)
    t.expect(service("tcp", 80, listen=1, time_wait=1, accepted=1, closed=1, peak=2))
    p.snd += 1_000_000
    p.send(SYN)
    p.wait(SYN | ACK)
    t.expect(service("tcp", 80, listen=1, syn_recv=1, mini=1, accepted=1, closed=1, peak=2))
    p.send(ACK)
    t.expect(service("tcp", 80, listen=1, established=1, accepted=2, closed=1, peak=2))


def test_time_wait_reused_by_connect(t):
    """tcp_tw_reuse: connect() takes over the port and the place of a TIME_WAIT socket."""
    listener = t.listen(80)
    sysctl("net.ipv4.tcp_tw_reuse", 1)

    def client():
        a = t.tcp()
        a.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        a.bind(("127.0.0.1", 5000))
        return a

    a = t.connect(80, sock=client())
    s = t.accept(listener)
    t.end(a, s)
    t.expect(service("tcp", 80, listen=1, accepted=1, closed=1, peak=2),
             service("tcp", 5000, time_wait=1, connected=1, closed=1, peak=1))
    b = client()
    t.expect(service("tcp", 80, listen=1, accepted=1, closed=1, peak=2),
             service("tcp", 5000, close=1, time_wait=1, connected=1, closed=1, peak=1))
    until(lambda: b.connect_ex(("127.0.0.1", 80)) != errno.EADDRNOTAVAIL, "tcp_tw_reuse")
    t.expect(service("tcp", 80, listen=1, established=1, accepted=2, closed=1, peak=2),
             service("tcp", 5000, established=1, connected=2, closed=1, peak=1))


def test_ephemeral_time_wait_reused_by_connect(t):
    """The kernel lets the TIME_WAIT go before connect() is over: the row ends and begins anew, `*` knows both."""
    t.listen(80)
    sysctl("net.ipv4.tcp_tw_reuse", 1)
    sysctl("net.ipv4.ip_local_port_range", "40000 40000")
    a, s = t.pair(t.sockets[0])
    t.end(a, s)
    t.expect(service("tcp", 80, listen=1, accepted=1, closed=1, peak=2),
             eph("tcp", 40000, time_wait=1, connected=1, closed=1, peak=1), star("tcp", connected=1, closed=1, peak=1))
    b = t.tcp()
    until(lambda: b.connect_ex(("127.0.0.1", 80)) != errno.EADDRNOTAVAIL, "tcp_tw_reuse")
    t.expect(service("tcp", 80, listen=1, established=1, accepted=2, closed=1, peak=2),
             eph("tcp", 40000, established=1, connected=1), star("tcp", connected=2, closed=1, peak=1))


def test_no_room_for_time_wait(t):
    """tcp_max_tw_buckets 0: the socket closes without a TIME_WAIT."""
    sysctl("net.ipv4.tcp_max_tw_buckets", 0)
    c, s = t.pair(t.listen(80))
    t.drop(c)
    t.drop(s)
    t.expect(service("tcp", 80, listen=1, accepted=1, closed=1, peak=2), star("tcp", connected=1, closed=1, peak=1))


def test_many_time_waits_on_one_service(t):
    listener = t.listen(80)
    for _ in range(100):
        c, s = t.pair(listener)
        t.end(s, c)
    t.expect(service("tcp", 80, listen=1, time_wait=100, accepted=100, closed=100, peak=None),
             star("tcp", connected=100, closed=100, peak=None))


# ---- fast open -------------------------------------------------------------------------------------

def fastopen_listener(t, mode):
    sysctl("net.ipv4.tcp_fastopen", mode)
    listener = t.tcp()
    listener.bind(("0.0.0.0", 80))
    listener.setsockopt(socket.IPPROTO_TCP, TCP_FASTOPEN, 16)
    listener.listen(16)
    return listener


def test_fastopen_both_ends(t):
    listener = fastopen_listener(t, 0x3)
    a = t.tcp()
    a.sendto(b"get a cookie", MSG_FASTOPEN, ("127.0.0.1", 80))
    t.accept(listener)
    t.expect(service("tcp", 80, listen=1, established=1, accepted=1), eph("tcp", port_of(a), established=1, connected=1))
    b = t.tcp()
    b.sendto(b"use it", MSG_FASTOPEN, ("127.0.0.1", 80))
    s2 = t.accept(listener)
    equal(s2.recv(10), b"use it", "data")
    t.expect(service("tcp", 80, listen=1, established=2, accepted=2),
             eph("tcp", port_of(a), established=1, connected=1), eph("tcp", port_of(b), established=1, connected=1))


def test_fastopen_deferred_connect(t):
    listener = fastopen_listener(t, 0x3)
    a = t.tcp()
    a.setsockopt(socket.IPPROTO_TCP, TCP_FASTOPEN_CONNECT, 1)
    t.connect(80, sock=a)                                           # no cookie yet: an ordinary connect
    a.send(b"x")
    t.accept(listener)
    b = t.tcp()
    b.setsockopt(socket.IPPROTO_TCP, TCP_FASTOPEN_CONNECT, 1)
    t.connect(80, sock=b)                                           # returns at once, nothing was sent
    t.check_snmp = False                                            # ActiveOpens counts the SYN
    t.expect(service("tcp", 80, listen=1, established=1, accepted=1), eph("tcp", port_of(a), established=1, connected=1),
             eph("tcp", port_of(b), syn_sent=1, connected=1))
    b.send(b"y")
    t.check_snmp = True
    t.expect(service("tcp", 80, listen=1, established=2, accepted=2), eph("tcp", port_of(a), established=1, connected=1),
             eph("tcp", port_of(b), established=1, connected=1))


def test_fastopen_child_in_syn_recv(t):
    """A full socket in SYN_RECV: accepted and readable before the handshake is over."""
    packet.set_up()
    listener = fastopen_listener(t, 0x203)
    p = packet.Peer(t, 80)
    p.send(SYN, b"data")
    p.wait(SYN | ACK)
    t.expect(service("tcp", 80, listen=1, syn_recv=1, accepted=1))
    s = t.accept(listener)
    equal(s.recv(10), b"data", "data")
    t.expect(service("tcp", 80, listen=1, syn_recv=1, accepted=1))
    p.send(ACK)
    t.expect(service("tcp", 80, listen=1, established=1, accepted=1))
    q = packet.Peer(t, 80, port=1001)
    q.send(SYN, b"data")
    q.wait(SYN | ACK)
    t.expect(service("tcp", 80, listen=1, established=1, syn_recv=1, accepted=2))
    q.send(RST | ACK)
    t.expect(service("tcp", 80, listen=1, established=1, accepted=2, closed=1, peak=3))


def test_fastopen_child_not_accepted(t):
    """The listener goes while a fast open child is in SYN_RECV and another one is a request."""
    packet.set_up()
    listener = fastopen_listener(t, 0x203)
    p, q = packet.Peer(t, 80), packet.Peer(t, 80, port=1001)
    p.send(SYN, b"data")
    q.send(SYN)
    p.wait(SYN | ACK)
    q.wait(SYN | ACK)
    t.expect(service("tcp", 80, listen=1, syn_recv=2, mini=1, accepted=1))
    t.drop(listener)
    t.expect(service("tcp", 80, accepted=1, closed=2, peak=2))


# ---- processes -------------------------------------------------------------------------------------

def test_socket_shared_by_fork(t):
    listener = t.listen(80)
    c = t.connect(80)
    port = port_of(c)
    child = t.fork(lambda: None)
    rows = (service("tcp", 80, listen=1, established=1, accepted=1), eph("tcp", port, established=1, connected=1))
    t.expect(*rows)
    t.drop(c, listener)
    t.expect(*rows)
    t.kill(child)
    t.expect(service("tcp", 80, accepted=1, closed=2, peak=2), star("tcp", connected=1, closed=1, peak=1))


def test_socket_duplicated(t):
    a = t.listen(80)
    b = t.keep(a.dup())
    t.drop(a)
    t.expect(service("tcp", 80, listen=1))
    t.drop(b)
    t.expect(service("tcp", 80, closed=1, peak=1))


def test_socket_in_flight(t):
    """A descriptor that only sits in a unix socket's queue still holds its port."""
    left, right = (t.keep(s) for s in socket.socketpair(socket.AF_UNIX))
    listener = t.listen(80)
    socket.send_fds(left, [b"x"], [listener.fileno()])
    t.drop(listener)
    t.expect(service("tcp", 80, listen=1))
    t.drop(left, right)
    t.expect(service("tcp", 80, closed=1, peak=1))


@needs_history
def test_killed_process(t):
    """SIGKILL with many sockets of all kinds."""
    keep = []

    def work():
        listener = t.listen(80)
        for n in range(60):
            keep.extend(t.pair(listener))
            a = t.tcp()
            a.bind(("127.0.0.1", 6000 + n))
            t.tcp()
            t.connect(80)

    child = t.fork(work)
    rows, table = t.same()
    equal(rows["tcp", 80]["established"], 120, "connections before the kill")
    equal(rows["tcp", 0]["sockets"], 60, "unbound before the kill")
    t.kill(child)
    until(lambda: not any(e["sockets"] for e in diag.oracle().values()), "the kernel to close everything")
    rows, table = t.same()
    if table:
        row = table.by_key["tcp", 80]
        equal([row[n] for n in ("sockets", "opened", "accepted", "connected", "closed", "peak")], [0, 121, 120, 0, 121, 121], "tcp 80")
        for n in range(60):
            row = table.by_key["tcp", 6000 + n]
            equal((row.cls, row["sockets"], row["opened"], row["closed"]), ("service", 0, 1, 1), f"tcp {6000 + n}")
        row = table.by_key["tcp", "*"]
        equal([row[n] for n in ("sockets", "opened", "connected", "closed")], [0, 120, 120, 120], "tcp *")


# ---- numbers ---------------------------------------------------------------------------------------

def test_counters_add_up(t):
    """300 connections on three services: the counters to the digit, ports of all of them folded into one row."""
    listeners = [t.listen(80 + n) for n in range(3)]
    for n in range(300):
        listener = listeners[n % 3]
        c, s = t.pair(listener)
        reset_on_close(c)
        t.drop(c, s)
    t.expect(*(service("tcp", 80 + n, listen=1, accepted=100, closed=100, peak=2) for n in range(3)),
             star("tcp", connected=300, closed=300, peak=1))


def test_peak_is_a_high_water_mark(t):
    listener = t.listen(80)
    for high in (3, 7, 5):
        pairs = [t.pair(listener) for _ in range(high)]
        for c, s in pairs:
            reset_on_close(c)
            t.drop(c, s)
    t.expect(service("tcp", 80, listen=1, accepted=15, closed=15, peak=8), star("tcp", connected=15, closed=15, peak=7))


def test_socket_memory_reused(t):
    """The same struct sock again and again under other ports (SLAB_TYPESAFE_BY_RCU)."""
    for n in range(200):
        a = t.tcp()
        a.bind(("127.0.0.1", 6000 + n % 10))
        if n % 3 == 0:
            a.listen()
        t.drop(a)
    t.expect(*(service("tcp", 6000 + n, closed=20, peak=1) for n in range(10)))


def test_all_ports_of_a_range(t):
    """Ports at both ends and around the page boundaries of any table."""
    ports = [1, 2, 255, 256, 257, 511, 512, 1023, 1024, 4095, 4096, 32767, 32768, 65279, 65280, 65534, 65535]
    for port in ports:
        a = t.tcp()
        a.bind(("127.0.0.1", port))
    t.expect(*(service("tcp", port, close=1) for port in ports))
