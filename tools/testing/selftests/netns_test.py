# SPDX-License-Identifier: GPL-2.0-only
"""Network namespaces: nobody sees another one's numbers, and nothing is left of those that are gone."""

import json
import os
import subprocess

import harness
import portsock
from harness import Namespace, eph, equal, needs_module, port_of, service, star, unbound, until


def test_same_port_in_two(t):
    other = t.namespace()
    a = t.listen(80)
    with other:
        b = t.listen(80)
        c, s = t.pair(b)
        t.expect(service("tcp", 80, listen=1, established=1, accepted=1), eph("tcp", port_of(c), established=1, connected=1))
    t.expect(service("tcp", 80, listen=1))
    d = t.connect(80)
    t.expect(service("tcp", 80, listen=1, established=1, accepted=1), eph("tcp", port_of(d), established=1, connected=1))
    t.drop(a)
    t.expect(service("tcp", 80, accepted=1, closed=2, peak=2), unbound("tcp", 1), star("tcp", connected=1, closed=1, peak=1))
    with other:
        t.expect(service("tcp", 80, listen=1, established=1, accepted=1), eph("tcp", port_of(c), established=1, connected=1))
        t.end(s, c)
        t.expect(service("tcp", 80, listen=1, time_wait=1, accepted=1, closed=1, peak=2), star("tcp", connected=1, closed=1, peak=1))


def test_same_udp_port_in_two(t):
    other = t.namespace()
    for space in (t.ns, other):
        with space:
            t.udp().bind(("127.0.0.1", 53))
            t.udp().connect(("127.0.0.1", 53))
    with other:
        third = t.udp()
        third.bind(("127.0.0.2", 53))
        t.expect(service("udp", 53, close=2), eph("udp", port_of(t.sockets[3]), established=1, connected=1))
    t.expect(service("udp", 53, close=1), eph("udp", port_of(t.sockets[1]), established=1, connected=1))


def test_socket_stays_where_it_was_made(t):
    """A process moves on, its sockets keep their namespace; what it makes then is elsewhere."""
    a = t.listen(80)
    b = t.tcp()
    other = t.namespace()
    with other:
        b.bind(("127.0.0.1", 81))
        t.expect()
        c = t.tcp()
        t.expect(unbound("tcp", 1))
        t.drop(c)
    t.expect(service("tcp", 80, listen=1), service("tcp", 81, close=1))
    t.drop(a, b)
    t.expect(service("tcp", 80, closed=1, peak=1), service("tcp", 81, closed=1, peak=1))


@needs_module
def test_through_proc_pid(t):
    """An agent outside reads a container's file through a process in it."""
    other = t.namespace()
    with other:
        def work():
            t.listen(80)
            t.connect(80)
            t.udp().bind(("127.0.0.1", 53))

        pid = t.fork(work)
        rows, inside = t.same()
    path = f"/proc/{pid}/net/portsock"
    outside = portsock.read(path)
    equal([r.line for r in outside.rows], [r.line for r in inside.rows], f"rows of {path}")
    equal(outside.head["netns"], other.inum, "netns")
    equal(rows["tcp", 80]["listen"], 1, "listener by sock_diag")
    equal(harness.gauge_differences(outside, rows), [], "differences")
    t.expect()
    harness.ip("netns", "attach", "inside", str(pid))
    try:
        for name in (str(pid), "inside"):
            told = json.loads(subprocess.check_output((harness.READER, "--netns", name, "--json")))
            equal(told["portsock"]["netns"], other.inum, f"netns, with --netns {name}")
            equal([(row["proto"], row["port"], row["sockets"]) for row in told["rows"] if row["class"] == "service"],
                  [(*row.key, row["sockets"]) for row in outside.rows if row.cls == "service"], f"rows with --netns {name}")
    finally:
        harness.ip("netns", "delete", "inside")


@needs_module
def test_file_open_in_another(t):
    """A file shows the namespace in which it was opened, also after its reader left it."""
    other = t.namespace()
    with other:
        t.udp().bind(("127.0.0.1", 53))
        fd = os.open(portsock.PATH, os.O_RDONLY)
    table = portsock.Table(os.read(fd, 65536).decode())
    os.close(fd)
    equal(table.head["netns"], other.inum, "netns")
    equal([r.key for r in table.rows if r["sockets"]], [("udp", 53)], "rows")


@needs_module
def test_first_namespace_is_not_touched(t):
    with open("/proc/1/net/portsock", encoding="ascii") as file:
        before = portsock.Table(file.read())
    listener = t.listen(80)
    for _ in range(50):
        c, s = t.pair(listener)
        t.drop(s, c)
    with open("/proc/1/net/portsock", encoding="ascii") as file:
        after = portsock.Table(file.read())
    equal([r.line for r in after.rows], [r.line for r in before.rows], "rows of the first namespace")


def dirty(space, t):
    """Sockets of all kinds, TIME_WAIT and request mini-sockets; all descriptors closed, as when a container dies."""
    first = len(t.sockets)
    with space:
        listener = t.listen(80)
        for n in range(5):
            c, s = t.pair(listener)
            t.drop(s, c)
        t.pair(listener)
        t.connect(80)
        t.udp().bind(("127.0.0.1", 53))
        t.udp().connect(("127.0.0.1", 53))
        t.tcp().bind(("127.0.0.1", 0))
        t.tcp()
        t.udp()
    mine = t.sockets[first:]
    for sock in mine:
        t.drop(sock)


@needs_module
def test_death_gives_everything_back(t):
    t.expect()
    before = harness.objects_at_rest()
    for n in range(10):
        space = Namespace()
        dirty(space, t)
        space.close()
    until(lambda: harness.objects() == before,
          f"the slab caches to return from {harness.objects()} to {before}")


@needs_module
def test_death_with_time_wait(t):
    """The module's own exit for a namespace runs before TCP purges its TIME_WAIT sockets."""
    count = max(20, round(200 * harness.SCALE))                 # all within the minute that TIME_WAIT lasts
    before = harness.objects_at_rest()
    space = Namespace()
    with space:
        listener = t.listen(80)
        for _ in range(count):
            c, s = t.pair(listener)
            t.end(s, c)
        t.drop(listener)
        rows, _ = t.same()
        equal(rows["tcp", 80]["time_wait"], count, "TIME_WAIT before the namespace dies")
    during = harness.objects()
    equal(sum(during.values()) - sum(before.values()) >= count, True, "records were made for TIME_WAIT sockets")
    space.close()
    until(lambda: harness.objects() == before, f"the slab caches to return from {during} to {before}")


@needs_module
def test_many_come_and_go(t):
    before = harness.objects_at_rest()
    for n in range(max(10, round(200 * harness.SCALE))):
        space = Namespace()
        with space:
            t.listen(80)
            c = t.connect(80)
            t.udp().bind(("127.0.0.1", 53))
            if n % 50 == 0:
                t.expect(service("tcp", 80, listen=1, established=1, accepted=1), service("udp", 53, close=1),
                         eph("tcp", port_of(c), established=1, connected=1))
            t.drop(*t.sockets[-3:])
        space.close()
    until(lambda: harness.objects() == before, f"the slab caches to return to {before}")
    t.expect()


@needs_module
def test_many_at_once(t):
    """Each has its own number of sockets on the same ports; all of them are right at the same time."""
    spaces = [t.namespace() for _ in range(max(5, round(20 * harness.SCALE)))]
    for n, space in enumerate(spaces):
        with space:
            t.listen(80)
            for _ in range(n):
                t.connect(80)
                t.udp().sendto(b"x", ("127.0.0.1", 53))
    for n, space in enumerate(spaces):
        with space:
            rows, table = t.same()
            equal(rows["tcp", 80]["established"], n, "connections by sock_diag")
            row = table.by_key["tcp", 80]
            equal((row["listen"], row["established"], row["opened"], row["accepted"]), (1, n, n + 1, n), "tcp 80")
            equal(table.total("udp", "opened"), n, "udp opened")
