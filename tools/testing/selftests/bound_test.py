# SPDX-License-Identifier: GPL-2.0-only
"""Memory: live sockets and a documented number of idle rows, whatever has been there before."""

import os
import subprocess
import time

import harness
import portsock
import protocols
from harness import HERE, SCALE, equal, fail, folded, needs_module, service, star, until
from portsock import COUNTERS

# PORTSOCK_IDLE_* of module/idle.h; tests run in a namespace that is not the first
IDLE_FIRST = 512
IDLE_MAX = 64
IDLE_OTHERS = 4096
USE_SECONDS = 120               # and PORTSOCK_USE_SECONDS
AT_HAND = 128                   # free objects that the module may keep, for each CPU and cache
EPHEMERALS = round(1000000 * SCALE)
NAMESPACES = round(10000 * SCALE)
LAST_PORT = round(65535 * SCALE)


def flood(*args):
    subprocess.run((HERE + "/flood",) + tuple(map(str, args)), check=True)


def objects():
    have = harness.objects()
    with open("/sys/kernel/slab/kmalloc-2k/shrink", "w", encoding="ascii") as file:
        file.write("1")
    with open("/proc/slabinfo", encoding="ascii") as file:
        have["kmalloc-2k"] = sum(int(line.split()[1]) for line in file if line.startswith("kmalloc-2k "))
    return have


def returned(before, slack=0):
    """Wait until the slab caches hold what they did, but for free objects at hand."""
    slack += AT_HAND * os.cpu_count()

    def back():
        now = harness.objects()
        return all(now[name] <= before[name] + slack for name in now)

    until(back, f"slab to return to {before} (with {slack} more at most); now {harness.objects()}")
    return harness.objects()


def lines():
    return len(portsock.read_text().splitlines())


@needs_module
def test_ephemeral_ports(t):
    before, size = objects(), lines()
    flood("ephemeral", EPHEMERALS)
    after = returned(before)
    connected = (EPHEMERALS + 2) // 3
    tcp = EPHEMERALS // 3
    t.expect(star("udp", connected=connected, closed=EPHEMERALS - tcp, peak=1), star("tcp", closed=tcp, peak=1))
    equal(lines() - size, 6, "lines that the file has grown by: two totals, two rows for unbound sockets, a remote port and its total")
    t.notes.append(f"{EPHEMERALS} sockets, slab {before} -> {after}")


@needs_module
def test_namespaces(t):
    """Their tables go as well: they are kmalloc'ed, 2 KiB each."""
    flood("netns", 10)
    before = objects()
    flood("netns", NAMESPACES)

    def back():
        now = objects()
        return now["kmalloc-2k"] < before["kmalloc-2k"] + NAMESPACES // 2

    until(back, f"tables of {NAMESPACES} namespaces to go: {before} -> {objects()}", 600)
    after = returned(before)
    t.notes.append(f"{NAMESPACES} namespaces, slab {before} -> {after}")
    t.expect()


@needs_module
def test_port_scan_of_listeners(t):
    """Each port was a service once: the idle rows of the last ones stay, the others are in the folded total."""
    before = objects()
    flood("ports", 1, LAST_PORT)
    returned(before, IDLE_MAX)
    n = LAST_PORT - IDLE_MAX
    table = t.expect(folded("tcp", n, closed=n, peak=1),
                     *(service("tcp", port, closed=1, peak=1) for port in range(n + 1, LAST_PORT + 1)))
    rows = [r.port for r in table.rows if r.cls == "service"]
    equal(rows, list(range(n + 1, LAST_PORT + 1)), "ports of idle rows")
    for sock in [t.listen(1), t.listen(LAST_PORT)]:                 # one that was folded, one that was not
        t.drop(sock)
    table = portsock.read()
    equal((table.by_key["tcp", 1]["opened"], table.by_key["tcp", LAST_PORT]["opened"]), (1, 2),
          f"opened of tcp 1 and {LAST_PORT}")
    equal((table.by_key["tcp", "folded"]["opened"], table.by_key["tcp", "folded"]["ports"]), (n + 1, n + 1),
          "opened and ports of the folded total")
    equal(len([r for r in table.rows if r.cls == "service"]), IDLE_MAX, "idle rows")


@needs_module
def test_idle_rows_fold_least_recently_used_first(t):
    first = 20000
    flood("ports", first, first + IDLE_MAX - 1)
    keep = t.listen(first)                                      # in use, then the most recently used
    used = t.listen(first + 1)
    t.drop(used)
    flood("ports", 30000, 30009)                                # ten more
    table = portsock.read()
    services = {r.port for r in table.rows if r.cls == "service"}
    gone = set(range(first, first + IDLE_MAX)) - services
    # first is in use and does not count, so that there was room for one
    equal(sorted(gone), list(range(first + 2, first + 11)), "ports that were folded")
    equal(table.by_key["tcp", first + 1]["opened"], 2, f"opened of tcp {first + 1}")
    row = table.by_key["tcp", "folded"]
    equal((row["ports"], row["opened"], row["closed"]), (9, 9, 9), "ports, opened and closed of the folded total")
    t.drop(keep)


@needs_module
def test_counters_do_not_jump_when_services_fold(t):
    """Agents rate them, row by row and summed up: each event is counted once, where it was, and nothing goes back."""
    with t.tcp() as client, t.listen(9):
        client.connect(("127.0.0.1", 9))                        # the ephemeral total has something to lose
    flood("ports", 20000, 20000 + IDLE_MAX - 1)
    last = portsock.read()
    ephemeral = last.by_key["tcp", "*"].line
    before = last.by_key["tcp", "folded"]                       # port 9: a listener and a connection
    equal([before[name] for name in COUNTERS + ("ports",)], [2, 1, 0, 2, 2, 1], "the first row that was folded")
    again = range(20000, 20015)                                 # what the first fifteen fold comes back, and folds others
    for n, port in enumerate([*range(30000, 30015), *again]):
        t.drop(t.listen(port))
        table = portsock.read()
        equal(table.by_key["tcp", port]["opened"], 1, f"opened of tcp {port}, whose row begins anew")
        equal(table.by_key["tcp", "*"].line, ephemeral, "the ephemeral total, with which this has nothing to do")
        for name, step in dict(opened=1, closed=1, accepted=0, connected=0).items():
            equal(table.total("tcp", name), last.total("tcp", name) + step, f"{name} by all after port {port}")
        row = table.by_key["tcp", "folded"]
        equal([row[name] for name in COUNTERS + ("ports",)], [3 + n, 1, 0, 3 + n, 2, 2 + n], f"folded total after port {port}")
        equal(table.faults(), [], "promises")
        last = table
    equal([port for port in again if ("tcp", port) not in last.by_key], [], "ports that came back")


@needs_module
def test_services_in_use_are_not_folded(t):
    n = IDLE_MAX + 100
    socks = [t.listen(20000 + i) for i in range(n)]
    flood("ports", 30000, 30099)
    t.expect(*(service("tcp", 20000 + i, listen=1) for i in range(n)),
             *(service("tcp", 30000 + i, closed=1, peak=1) for i in range(100 - IDLE_MAX, 100)),
             folded("tcp", 100 - IDLE_MAX, closed=100 - IDLE_MAX, peak=1))
    t.drop(*socks)
    table = portsock.read()
    equal(len([r for r in table.rows if r.cls == "service"]), IDLE_MAX, "idle rows")
    equal(table.total("tcp", "opened"), n + 100, "opened by all")


@needs_module
def test_each_protocol_folds(t):
    """One list for the whole namespace, but each protocol has a total of its own."""
    protocols.allow_ping()
    for port in range(1, 301):
        for make in (protocols.icmp, harness.Case.udp):
            sock = make(t)
            sock.bind(("127.0.0.1", port))
            t.drop(sock)
    table = portsock.read()
    services = [r for r in table.rows if r.cls == "service"]
    equal(len(services), IDLE_MAX, "idle rows")
    for proto in ("udp", "icmp"):
        equal(table.total(proto, "opened"), 300, f"{proto}: opened by all")
        equal(table.by_key[proto, "folded"]["ports"], 300 - IDLE_MAX // 2, f"{proto}: rows that were folded")
    equal({r.port for r in services}, set(range(301 - IDLE_MAX // 2, 301)), "ports of idle rows")


@needs_module
def test_used_service_stays(t):
    """What another user asks for, and lets go at once, drives out nothing but such."""
    used = t.listen(80)
    time.sleep(USE_SECONDS + 1)
    t.drop(used)
    subprocess.run((HERE + "/flood", "ports", "20000", "20512"), user="nobody", check=True)
    services = {r.port for r in portsock.read().rows if r.cls == "service"}
    if 80 not in services:
        fail("tcp 80 was folded")
    equal(services - {80}, set(range(20513 - IDLE_MAX + 1, 20513)), "ports of other idle rows")


@needs_module
def test_first_namespace_keeps_more(t):
    subprocess.run(("nsenter", "-t", "1", "-n", HERE + "/flood", "ports", "20000", str(20000 + IDLE_FIRST)), check=True)
    rows = [r for r in portsock.read("/proc/1/net/portsock").rows if r.cls == "service"]
    equal(len([r for r in rows if not r["sockets"] + r["time_wait"]]), IDLE_FIRST, "idle rows")
    t.expect()


@needs_module
def test_many_namespaces(t):
    """All together keep so many and no more; who comes late has some, too."""
    before = objects()
    spaces = 100
    args = HERE + "/flood", "spaces", str(spaces), str(round(max(100, 700 * SCALE)))
    with subprocess.Popen(args, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as flooding:
        equal(flooding.stdout.readline(), "ready\n", "flood")
        now = returned(before, IDLE_OTHERS)
        last = len([r for r in portsock.read(f"/proc/{flooding.pid}/net/portsock").rows if r.cls == "service"])
        flooding.stdin.close()
    equal(flooding.returncode, 0, "exit status of flood")
    if not 0 < last < IDLE_MAX:
        fail(f"the last of {spaces} namespaces has {last} idle rows")
    t.notes.append(f"slab {before} -> {now}, the last namespace has {last} idle rows")
    returned(before)
    t.expect()


@needs_module
def test_file_is_small_again(t):
    socks = [t.udp() for _ in range(2000)]
    for sock in socks:
        sock.connect(("127.0.0.1", 9))
    until(lambda: lines() == 2000 + 6, f"a line for each port; {lines()}")
    t.drop(*socks)
    equal(lines(), 6, "lines: two heads, the total, unbound sockets, the remote port and its total")
    if portsock.read().by_key["udp", "*"]["peak"] != 2000:
        fail("udp *: peak is not 2000")
