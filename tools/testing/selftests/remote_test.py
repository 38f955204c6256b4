# SPDX-License-Identifier: GPL-2.0-only
"""Outgoing connections by the port they go to."""

import errno
import socket

import diag
import harness
import portsock
import protocols
from depth_test import Info, exchange, full, sampling, trying
from harness import equal, needs_module, port_of, sysctl, until
from protocols import dccp, listening, sctp, udplite
from tcp_test import IPV6_ADDRFORM, expect_error


def remotes(t):
    """All rows of class remote, at rest."""
    return protocols.same(t)[1].remotes


def numbers(row, names):
    return {name: row[name] for name in names if row and row[name]}


def expect(t, proto, port, **values):
    """What the row has in gauges, but for ipv6 and ports, and in counters of sockets, failures and ends; the rest is 0."""
    names = portsock.GAUGES[:1] + portsock.STATES + ("opened", "closed")
    if proto == "tcp":
        names += portsock.CONNECTS + ("connect_no_port",) + portsock.ENDS
    row = remotes(t).get((proto, port))
    equal(numbers(row, names), values, f"remote {proto} {port}")


# ---- TCP -------------------------------------------------------------------------------------------

@needs_module
def test_states(t):
    """From connect() to the end of TIME_WAIT, whichever side closes first."""
    server = t.listen(80)
    expect(t, "tcp", 80)
    client, child = t.pair(server)
    expect(t, "tcp", 80, sockets=1, established=1, opened=1)
    equal([key for key in remotes(t) if key[1] != "*"], [("tcp", 80)], "rows")
    client.shutdown(socket.SHUT_WR)
    t.eof(child)
    expect(t, "tcp", 80, sockets=1, fin_wait2=1, opened=1)
    t.drop(child)
    t.eof(client)
    t.drop(client)
    expect(t, "tcp", 80, time_wait=1, opened=1, closed=1)
    client, child = t.pair(server)
    t.end(child, client)
    expect(t, "tcp", 80, time_wait=1, opened=2, closed=2)
    client, child = t.pair(server)
    child.shutdown(socket.SHUT_WR)
    t.eof(client)
    expect(t, "tcp", 80, sockets=1, close_wait=1, time_wait=1, opened=3, closed=2)
    expect(t, "tcp", "*", sockets=1, close_wait=1, time_wait=1, opened=3, closed=2)


@needs_module
def test_families_share_a_row(t):
    server = t.listen(80, v6=True)
    t.pair(server)
    t.pair(server, None, True)
    expect(t, "tcp", 80, sockets=2, established=2, opened=2)
    equal(remotes(t)["tcp", 80]["ipv6"], 1, "ipv6")


@needs_module
def test_failures(t):
    sysctl("net.ipv4.tcp_syn_retries", 1)
    for _ in range(3):
        expect_error(errno.ECONNREFUSED, t.connect, 81)
    expect(t, "tcp", 81, opened=3, closed=3, connect_refused=3)
    full(t)
    sock = trying(t)
    expect(t, "tcp", 80, sockets=2, established=1, syn_sent=1, opened=2)
    t.drop(sock)
    expect(t, "tcp", 80, sockets=1, established=1, opened=2, closed=1, connect_given_up=1)
    protocols.destroy(socket.IPPROTO_TCP, port_of(trying(t)))
    expect(t, "tcp", 80, sockets=1, established=1, opened=3, closed=2, connect_given_up=1, connect_killed=1)
    expect_error(errno.ETIMEDOUT, t.connect, 80)
    expect(t, "tcp", 80, sockets=1, established=1, opened=4, closed=3, connect_given_up=1, connect_killed=1,
           connect_timeout=1)
    row = remotes(t)["tcp", 80]
    equal(row["retrans"], diag.snmp()["RetransSegs"], "retrans, by RetransSegs")
    expect(t, "tcp", "*", sockets=1, established=1, opened=7, closed=6, connect_refused=3, connect_given_up=1,
           connect_killed=1, connect_timeout=1)
    equal(diag.snmp()["ActiveOpens"], 7, "ActiveOpens")


@needs_module
def test_proxy_without_ports(t):
    """All ports lead to one server already; another server cannot be reached either once they are all taken."""
    sysctl("net.ipv4.ip_local_port_range", "50000 50003")
    server, taken = t.listen(80), []
    for _ in range(4):
        t.pair(server)
    for _ in range(3):
        expect_error(errno.EADDRNOTAVAIL, t.connect, 80)
    expect(t, "tcp", 80, sockets=4, established=4, opened=4, connect_no_port=3)
    for port in range(50000, 50004):
        taken.append(t.tcp(v6=True))
        taken[-1].setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        taken[-1].bind(("::", port))
    expect_error(errno.EADDRNOTAVAIL, t.connect, 81, None, True)
    expect(t, "tcp", 81, connect_no_port=1)
    expect(t, "tcp", "*", sockets=4, established=4, opened=4, connect_no_port=4)


@needs_module
def test_ends(t):
    server = t.listen(80)
    client, child = t.pair(server)
    harness.reset_on_close(child)
    t.drop(child)
    until(lambda: harness.readable(client, 0), "the reset")
    expect(t, "tcp", 80, opened=1, closed=1, resets=1)
    client, child = t.pair(server)
    harness.reset_on_close(client)
    t.drop(client)
    expect(t, "tcp", 80, opened=2, closed=2, resets=1, aborts=1)
    client, child = t.pair(server)
    harness.disconnect(client)
    expect(t, "tcp", 80, opened=3, closed=3, resets=1, aborts=2)
    client.connect(("127.0.0.1", 80))
    expect(t, "tcp", 80, sockets=1, established=1, opened=4, closed=3, resets=1, aborts=2)


@needs_module
def test_measurements(t):
    """They are those of the local ports."""
    server = t.listen(80)
    client, child = exchange(t, server, 1000, 5000)
    up = Info(client)
    t.end(client, child)
    t.end(*reversed(exchange(t, server, 10, 50)))
    table = protocols.same(t)[1]
    here, there = table.by_key["tcp", "*"], table.remotes["tcp", 80]
    equal((there["bytes_rx"], there["bytes_tx"], there["ended"], there["handshakes"], there["rtts"]), (5050, 1010, 2, 2, 2),
          "bytes, ended, handshakes, rtts")
    equal(there["rtt_us"] >= up.rtt > 0, True, "rtt_us")
    for name in (name for name in portsock.TCP_ONLY if name not in portsock.ACCEPTS):
        equal(there[name], here[name], f"{name}: remote and local")


@needs_module
def test_bytes_of_open_connections(t):
    server = t.listen(5432)
    sampling(t, 20)
    client, child = exchange(t, server)
    until(lambda: remotes(t)["tcp", 5432]["bytes_rx"] == 5000, "the first bytes")
    equal(remotes(t)["tcp", 5432]["bytes_tx"], 1000, "bytes_tx")
    equal(remotes(t)["tcp", "*"]["bytes_rx"], 5000, "bytes_rx of all")
    t.end(client, child)
    equal(remotes(t)["tcp", 5432]["bytes_rx"], 5000, "bytes_rx")
    harness.unload()


@needs_module
def test_client_that_bound_its_port(t):
    """By number, where accepted sockets are, too; its TIME_WAIT is there before it goes."""
    server = t.listen(80)
    client = t.tcp()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    client.bind(("127.0.0.2", 81))
    client.connect(("127.0.0.1", 80))
    child = t.accept(server)
    expect(t, "tcp", 80, sockets=1, established=1, opened=1)
    expect(t, "tcp", 81)
    t.end(client, child)
    expect(t, "tcp", 80, time_wait=1, opened=1, closed=1)
    other = t.tcp()
    other.bind(("127.0.0.3", 82))
    expect_error(errno.ECONNREFUSED, other.connect, ("127.0.0.1", 83))
    expect(t, "tcp", 83, opened=1, closed=1, connect_refused=1)
    other.listen()
    t.connect(82, "127.0.0.3")
    expect(t, "tcp", 83, opened=1, closed=1, connect_refused=1)
    expect(t, "tcp", 82, sockets=1, established=1, opened=1)


@needs_module
def test_socket_that_connects_to_itself(t):
    sock = t.tcp()
    sock.bind(("127.0.0.1", 81))
    sock.connect(("127.0.0.1", 81))
    expect(t, "tcp", 81, sockets=1, established=1, opened=1)
    equal(remotes(t)["tcp", 81]["accepted"], 0, "accepted")


# ---- other protocols -------------------------------------------------------------------------------

@needs_module
def test_udp(t):
    """While it is connected, and only if nobody asked for its port."""
    sock = t.udp()
    sock.connect(("127.0.0.1", 53))
    expect(t, "udp", 53, sockets=1, established=1, opened=1)
    sock.connect(("127.0.0.1", 123))
    expect(t, "udp", 53, opened=1, closed=1)
    expect(t, "udp", 123, sockets=1, established=1, opened=1)
    harness.disconnect(sock)
    expect(t, "udp", 123, opened=1, closed=1)
    sock.connect(("127.0.0.1", 123))
    sock.connect(("127.0.0.1", 0))
    expect(t, "udp", 123, opened=2, closed=2)
    t.drop(sock)
    expect(t, "udp", 123, opened=2, closed=2)
    six = t.udp(v6=True)
    six.connect(("::1", 53))
    expect(t, "udp", 53, sockets=1, established=1, opened=2, closed=1)
    equal(remotes(t)["udp", 53]["ipv6"], 1, "ipv6")
    six.connect(("::ffff:127.0.0.1", 53))
    six.setsockopt(socket.IPPROTO_IPV6, IPV6_ADDRFORM, socket.AF_INET)
    expect(t, "udp", 53, sockets=1, established=1, opened=2, closed=1)
    equal(remotes(t)["udp", 53]["ipv6"], 0, "ipv6")
    server = t.udp()
    server.bind(("127.0.0.1", 443))
    server.connect(("127.0.0.1", 40000))
    expect(t, "udp", 40000)
    chosen = t.udp()
    chosen.bind(("127.0.0.1", 0))
    chosen.connect(("127.0.0.1", 514))
    expect(t, "udp", 514, sockets=1, established=1, opened=1)
    expect(t, "udp", "*", sockets=2, established=2, opened=5, closed=3)


@needs_module
def test_protocols_without_remote_rows(t):
    if "udplite" not in protocols.ABSENT:
        udplite(t).connect(("127.0.0.1", 53))
    sock = t.keep(socket.socket(socket.AF_INET, socket.SOCK_RAW, 89))
    sock.connect(("127.0.0.1", 0))
    equal(sorted(remotes(t)), [], "rows")


@needs_module
def test_sctp_connection(t):
    server = listening(sctp(t), 80)
    client = sctp(t)
    client.connect(("127.0.0.1", 80))
    t.accept(server)
    expect(t, "sctp", 80, sockets=1, established=1, opened=1)
    equal([key for key in remotes(t) if key[1] != "*"], [("sctp", 80)], "rows")
    t.drop(client)
    until(lambda: remotes(t)["sctp", 80]["sockets"] == 0, "the end of the association")
    expect(t, "sctp", 80, opened=1, closed=1)


@needs_module
def test_dccp_connection(t):
    protocols.modprobe("dccp_ipv4")                             # Debian does not load it on demand
    server = listening(dccp(t), 80)
    client = dccp(t)
    client.connect(("127.0.0.1", 80))
    t.accept(server)
    expect(t, "dccp", 80, sockets=1, established=1, opened=1)
    equal([key for key in remotes(t) if key[1] != "*"], [("dccp", 80)], "rows")


@needs_module
def test_mptcp_connection(t):
    """The connection, and its subflow."""
    server = listening(protocols.mptcp(t), 80)
    client = protocols.mptcp(t)
    client.connect(("127.0.0.1", 80))
    t.accept(server)
    expect(t, "mptcp", 80, sockets=1, established=1, opened=1)
    expect(t, "tcp", 80, sockets=1, established=1, opened=1)
    equal(sorted(key for key in remotes(t) if key[1] != "*"), [("mptcp", 80), ("tcp", 80)], "rows")


# ---- what is older than the module -----------------------------------------------------------------

def guessed():
    return portsock.read().head["remote_guessed"]


@needs_module
def test_connections_older_than_the_module(t):
    server = t.listen(80)
    t.pair(server)
    closing, child = t.pair(server)
    t.end(closing, child)
    bound = t.tcp()
    bound.bind(("127.0.0.1", 81))
    bound.connect(("127.0.0.1", 80))
    t.accept(server)
    sock = t.udp()
    sock.connect(("127.0.0.1", 53))
    named = t.udp()
    named.bind(("127.0.0.1", 54))
    named.connect(("127.0.0.1", 53))
    t.reload()
    expect(t, "tcp", 80, sockets=2, established=2, time_wait=1, opened=2)
    expect(t, "udp", 53, sockets=1, established=1, opened=1)
    equal([key for key in remotes(t) if key[1] != "*"], [("tcp", 80), ("udp", 53)], "rows")
    equal(guessed(), 0, "remote_guessed")
    t.drop(bound)                                               # a mini-socket at once, as the peer does not close
    expect(t, "tcp", 80, sockets=1, established=1, time_wait=2, opened=2, closed=1)


@needs_module
def test_guesses(t):
    """bind() to 0 leaves no mark on a client. Whoever listens with no backlog has children that look like clients."""
    server, bare = t.listen(80), t.listen(82, backlog=0)
    client = t.tcp()
    client.bind(("127.0.0.1", 0))
    client.connect(("127.0.0.1", 80))
    child = t.accept(server)
    other, taken = t.pair(bare)
    t.reload()
    equal(guessed(), 2, "remote_guessed")
    expect(t, "tcp", 80, sockets=1, established=1, opened=1)
    expect(t, "tcp", port_of(other), sockets=1, established=1, opened=1)
    t.end(other, taken)
    equal(guessed(), 1, "remote_guessed")
    t.end(child, client)
    equal(guessed(), 0, "remote_guessed")
    t.pair(server)
    equal(guessed(), 0, "remote_guessed")
    expect(t, "tcp", 80, sockets=1, established=1, opened=2, closed=1)


# ---- the rows themselves ---------------------------------------------------------------------------

@needs_module
def test_idle_rows_are_folded(t):
    """A port scan: the total keeps what the rows had."""
    t.listen(80)
    scanned = 600
    for port in range(1000, 1000 + scanned):
        expect_error(errno.ECONNREFUSED, t.connect, port)
    rows = remotes(t)
    equal(len(rows) - 1 < scanned, True, "some were given up")
    equal(rows["tcp", "*"]["ports"], len(rows) - 1, "ports")
    expect(t, "tcp", "*", opened=scanned, closed=scanned, connect_refused=scanned)
    equal(("tcp", 80) in protocols.same(t)[1].by_key, True, "the service is still there")


@needs_module
def test_namespaces_are_apart(t):
    other = t.namespace()
    server = t.listen(80)
    t.pair(server)
    with other:
        equal(portsock.read().remotes, {}, "rows of the other namespace")


@needs_module
def test_switched_off(t):
    server = t.listen(80)
    older = t.pair(server)
    harness.unload()
    harness.load("remote=0")
    t.repaired = portsock.read().head["repaired"]
    t.pair(server)
    expect_error(errno.ECONNREFUSED, t.connect, 81)
    sock = t.udp()
    sock.connect(("127.0.0.1", 53))
    equal(remotes(t), {}, "rows")
    t.end(*older)
    equal(remotes(t), {}, "rows")
    harness.unload()


@needs_module
def test_totals_of_the_kernel(t):
    """Sums over ports, in a namespace that has nothing else, are what the kernel counts by itself."""
    server = t.listen(80)
    for _ in range(5):
        t.pair(server)
    for _ in range(2):
        expect_error(errno.ECONNREFUSED, t.connect, 81)
    table = protocols.same(t)[1]
    total = table.remotes["tcp", "*"]
    equal(total["opened"], diag.snmp()["ActiveOpens"], "opened, by ActiveOpens")
    equal(total["connect_refused"], diag.snmp()["AttemptFails"], "connect_refused, by AttemptFails")
    equal(sum(row["established"] for key, row in table.remotes.items() if key[1] != "*"), 5, "established")
