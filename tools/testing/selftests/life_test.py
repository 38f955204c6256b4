# SPDX-License-Identifier: GPL-2.0-only
"""Load and unload, among old sockets and under traffic, and what a lot of traffic leaves."""

import contextlib
import errno
import os
import re
import signal
import socket
import time

import diag
import harness
import packet
import portsock
import protocols
import slow_ko
from harness import SCALE, eph, equal, fail, load, needs_module, port_of, service, star, unload, until
from slow_ko import Slow


def times(n):
    return max(1, round(n * SCALE))


def free_of_time_wait():
    return not any(e["time_wait"] for e in diag.oracle().values())


@needs_module
def test_load_line(t):
    t.repaired = None
    unload()
    equal((os.path.lexists("/proc/portsock"), os.path.exists("/proc/net/portsock")), (False, False), "files after rmmod")
    t.log.lines()
    load()
    lines = [line for line in t.log.lines() if "portsock" in line and "taint" not in line and "signature" not in line]
    equal(len(lines) == 1 or bool(protocols.UNSEEN), True, f"one line at load, but for what is not seen ({lines})")
    kinds = dict((kind, int(n)) for n, kind in re.findall(r"(\d+) (kprobes|ftrace hooks|tracepoints)", lines[-1]))
    equal(sorted(kinds), ["ftrace hooks", "kprobes", "tracepoints"], f"kinds of hooks in {lines[-1]!r}")
    equal(all(kinds.values()), True, f"some hooks of each kind in {lines[-1]!r}")


@needs_module
def test_load_twice(t):
    listener = t.listen(80)
    status, message = harness.insmod()
    equal((status != 0, "exists" in message), (True, True), f"second insmod ({status}, {message!r})")
    t.expect(service("tcp", 80, listen=1))
    t.drop(listener)


@needs_module
def test_bad_parameters(t):
    t.repaired = None
    unload()
    for param in ("hash_size=1000", "hash_size=512", "hash_size=33554432", "hash_size=-1", "hash_size=abc",
                  "mode=0666", "mode=0777", "mode=444444", "mode=rw", "mode=-1", "mode=8"):
        t.log.lines()
        status, message = harness.insmod(param)
        said = [line for line in t.log.lines() if "portsock" in line]
        if not status:
            unload()
            fail(f"insmod {param}: got success, expected a refusal")
        value = param.split("=")[1]
        equal(any(value in line for line in said), True,
              f"insmod {param} ({message}) says in the kernel log what it refused ({said})")
        equal(harness.loaded(), False, f"loaded after insmod {param}")
    load()


@needs_module
def test_good_parameters(t):
    t.repaired = None
    unload()
    load("hash_size=1024", "mode=0440")
    equal(oct(os.stat(portsock.PATH).st_mode & 0o777), "0o440", "mode")
    listener = t.listen(80)
    pairs = [t.pair(listener) for _ in range(200)]              # many to a bucket
    t.expect(service("tcp", 80, listen=1, established=200, accepted=200),
             *(eph("tcp", port_of(c), established=1, connected=1) for c, _ in pairs))
    unload()
    load()
    equal(oct(os.stat(portsock.PATH).st_mode & 0o777), "0o444", "mode by default")
    t.same()


@needs_module
def test_unload_with_file_open(t):
    t.repaired = None
    t.listen(80)
    with open(portsock.PATH, "rb", buffering=0) as file:
        equal(file.read(10), b"portsock 1", "beginning")
        unload()
        try:
            file.read(100000)
        except OSError:
            pass
        load()
        try:
            file.read(10)
        except OSError:
            pass
    t.same()


@needs_module
def test_unload_leaves_nothing(t):
    t.repaired = None
    t.listen(80)
    for _ in range(50):
        t.connect(80)
    unload()
    with open("/proc/slabinfo", encoding="ascii") as file:
        equal([line for line in file if line.startswith("portsock")], [], "slab caches after rmmod")
    equal(os.path.exists("/sys/module/portsock"), False, "/sys/module/portsock")
    with open("/proc/kallsyms", encoding="ascii") as file:
        equal([line for line in file if "[portsock]" in line][:3], [], "symbols after rmmod")
    load()
    t.same()


@needs_module
def test_unload_takes_the_file_first(t):
    """A read looks into listeners, and without the hooks nobody would tell that one is gone."""
    t.repaired = None
    with Slow() as slow:
        slow.others_run()
        slow.hold_up_load("unregister_kprobe", 3000000)
        rmmod = slow.begin("rmmod", "portsock")
        until(slow.load_held, "the unload to be held up")
        there = os.path.exists("/proc/portsock")
        equal(slow.load_held(), 1, "the unload is held up still when the file was looked for")
        slow.let_load()
        equal(there, False, "the file is there while hooks go")
        equal(rmmod.wait(), 0, "rmmod's status")
    load()
    t.same()


@needs_module
def test_ftrace_cannot_be_disabled(t):
    """kernel.ftrace_enabled=0 would silence the hooks without a word."""
    try:
        harness.sysctl("kernel.ftrace_enabled", 0)
    except OSError as error:
        # newer kernels refuse by themselves
        equal(error.errno in (errno.EBUSY, errno.EOPNOTSUPP), True, f"sysctl kernel.ftrace_enabled=0: {error}")
        return
    harness.sysctl("kernel.ftrace_enabled", 1)
    fail("sysctl kernel.ftrace_enabled=0 succeeded")


def inventory(t, connections):
    """Old sockets of every kind in the current namespace; returns the peers of its request mini-sockets."""
    packet.set_up()
    listener = t.listen(80, v6=True, backlog=4096)
    other = t.listen(81)
    t.listen(82, v6=True, backlog=4096)
    peers = []
    for n in range(connections):
        if n % 4 == 3:
            t.connect(82, "::1", v6=True)                       # nobody accepts it
        else:
            t.pair(listener, "::ffff:127.0.0.1" if n % 4 == 2 else "127.0.0.1", v6=n % 4 == 2)
    for n in range(20):
        c, s = t.pair(other)
        t.drop(*((c, s) if n % 2 else (s, c)))                  # TIME_WAIT on either side
    c, s = t.pair(other)
    t.drop(c)                                                   # CLOSE_WAIT, and a timewait mini-socket in FIN_WAIT2
    c, s = t.pair(other)
    c.shutdown(socket.SHUT_WR)                                  # a full socket in FIN_WAIT2
    for n in range(10):
        a = t.tcp(v6=n % 2 == 1)
        a.bind((harness.loopback(n % 2 == 1), 5000 + n))        # bound only
        t.tcp(v6=n % 2 == 1).bind((harness.loopback(n % 2 == 1), 0))
        t.udp(v6=n % 2 == 1).bind((harness.loopback(n % 2 == 1), 5100 + n))
        t.udp().connect(("127.0.0.1", 5100))
        t.udp().sendto(b"x", ("127.0.0.1", 5100))
        t.tcp()                                                 # unbound
        t.udp(v6=True)
        a = t.tcp()
        a.setblocking(False)
        a.connect_ex(("10.9.0.1", 81))                          # SYN_SENT for ever
        peers.append(packet.Peer(t, 81, port=2000 + n))
        peers[-1].send(packet.SYN)                              # request mini-sockets
    p = packet.Peer(t, 81)
    p.open()
    a = t.accept(other)
    t.drop(a)                                                   # an orphan in FIN_WAIT1
    child = t.tcp()
    child.bind(("127.0.0.1", 5200))
    t.connect(81, sock=child)                                   # explicitly bound and connected
    return peers


@needs_module
def test_load_among_old_sockets(t):
    """1000 connections, sockets in every state, three namespaces, and traffic while it loads."""
    t.repaired = None
    unload()
    peers = inventory(t, times(1000))
    second, third = t.namespace(), t.namespace()
    with second:
        peers += inventory(t, times(50))
    with third:
        churn = t.churn("-s", 7, "-w", times(4))
    busy = t.churn("-s", 8, "-w", times(4))
    until(lambda: diag.snmp()["ActiveOpens"] > 300, "traffic")
    load()
    busy.stop()
    churn.stop()
    until(lambda: portsock.read().head["exact"] == 1, "hooks that could not be tried amid the traffic are")
    for space in (t.ns, second, third):
        with space:
            t.same(bracket=True)
    rows, table = t.same(bracket=True)
    equal(rows["tcp", 80]["listen"], 1, "listener by sock_diag")
    for port in [80, 81, 82, 5200] + list(range(5000, 5010)):
        equal(table.by_key["tcp", port].cls, "service", f"class of tcp {port}, older than the module")
    for port in range(5100, 5110):
        equal(table.by_key["udp", port].cls, "service", f"class of udp {port}, older than the module")
    t.notes.append(f"missed {table.head['missed']} repaired {table.head['repaired']}")
    # and they leave as they should
    busy.quit()
    churn.quit()
    for peer in peers:                                          # requests would outlive their listener for half a minute
        peer.send(packet.RST, seq=peer.snd)
    for sock in list(t.sockets):
        if sock.family != socket.AF_PACKET:
            if sock.type == socket.SOCK_STREAM:
                harness.reset_on_close(sock)
            t.drop(sock)
    for space in (t.ns, second, third):
        with space:
            until(lambda: not any(e["sockets"] + e["mini"] - e["fin_wait1"] for e in diag.oracle().values()), "sockets to close")
            t.same(bracket=True)


@contextlib.contextmanager
def without(cpu):
    """This CPU is offline."""
    path = f"/sys/devices/system/cpu/cpu{cpu}/online"
    with open(path, "w", encoding="ascii") as file:
        file.write("0")
    try:
        yield
    finally:
        with open(path, "w", encoding="ascii") as file:
            file.write("1")


@needs_module
def test_cpu_goes_and_comes_back(t):
    """What a CPU has counted on its own stays when it goes, and goes on when it comes back."""
    if not os.path.exists("/sys/devices/system/cpu/cpu1/online"):
        raise harness.Skip("no CPU 1, or it cannot be taken offline")
    cpus = os.sched_getaffinity(0)
    listener = t.listen(80)
    try:
        with Slow() as slow:
            slow.count_calls("portsock_row_cell")
            slow_ko.crowd(True)
            os.sched_setaffinity(0, {1})
            pairs = [(t.connect(80), t.accept(listener)) for _ in range(10)]
            while not slow.calls():
                pairs.append((t.connect(80), t.accept(listener)))
                t.drop(*pairs.pop(0))
            t.same(bracket=True)
            os.sched_setaffinity(0, {0})
            with without(1):
                t.same(bracket=True)
                t.drop(*pairs.pop(), *pairs.pop())
                pairs.append((t.connect(80), t.accept(listener)))
                t.same(bracket=True)
            os.sched_setaffinity(0, {1})
            pairs.append((t.connect(80), t.accept(listener)))
            t.drop(*pairs.pop(0))
            t.same(bracket=True)
            slow_ko.crowd(False)
    finally:
        os.sched_setaffinity(0, cpus)
    t.drop(listener, *(sock for pair in pairs for sock in pair))
    t.same(bracket=True)


CLONE_FILES = 0x400
SOCKETS = 2000
SYS_CLONE = {"x86_64": 56, "aarch64": 220}[os.uname().machine]


def share_files():
    """A child that has the descriptors of this process, not a copy of them, until it is killed. Returns its pid."""
    pid = harness.check(harness.libc.syscall(SYS_CLONE, CLONE_FILES | signal.SIGCHLD, 0, 0, 0, 0), "clone")
    while pid == 0:
        signal.pause()
    return pid


@needs_module
def test_load_looks_at_shared_files_once(t):
    """Not once for each process that shares them."""
    def seconds():
        start = time.monotonic()
        load()
        took = time.monotonic() - start
        table = portsock.read()
        equal((table.head["exact"], table.by_key["udp", 0]["close"]), (1, SOCKETS), "exact, unbound sockets")
        unload()
        return took

    t.repaired = None
    unload()
    for _ in range(SOCKETS):
        t.udp()
    alone = seconds()
    t.children += [share_files() for _ in range(100)]
    shared = seconds()
    t.notes.append(f"{alone:.2f} s alone, {shared:.2f} s with 100 others")
    equal(shared < 2 * alone, True, f"the load took {alone:.2f} s, and {shared:.2f} s while 100 processes shared the files")
    load()


@needs_module
def test_reload_50_times_under_traffic(t):
    t.repaired = None
    other = t.namespace()
    pause = ("-w", 1, "-d", 3000)                               # unloading waits until every task slept once
    churns = [t.churn("-s", 3, *pause)]
    with other:
        churns.append(t.churn("-s", 4, *pause))
    n = times(50)
    for _ in range(n):
        unload()
        load()
        bad = portsock.read().faults(moving=True)
        if bad:
            fail("right after a load, while sockets come and go:", *bad[:20])
    made = [churn.stop() for churn in churns]
    t.notes.append(f"{n} times, while {sum(m['connects'] + m['binds'] + m['udp'] for m in made)} sockets were made")
    for space in (t.ns, other):
        with space:
            _, table = t.same(bracket=True)
    t.notes.append(f"missed {table.head['missed']} repaired {table.head['repaired']}")


def balance(table, churn, made):
    """The counters to the digit: against the kernel's own and what the program says it made. The kernel's PassiveOpens
    has also the children that lost their request to another, see repair.child_that_lost_its_request."""
    snmp = diag.snmp()
    equal(table.total("tcp", "accepted"), made["accepts"], "sum of tcp accepted, against what churn accepted")
    equal(snmp["PassiveOpens"] >= made["accepts"], True, "PassiveOpens is at least what churn accepted")
    equal(table.total("tcp", "connected"), snmp["ActiveOpens"], "sum of tcp connected, against the kernel's ActiveOpens")
    equal(made["connects"], snmp["ActiveOpens"], "connects of churn, against the kernel's ActiveOpens")
    equal(table.total("tcp", "opened"), churn["tcp"] + made["binds"] + snmp["ActiveOpens"] + made["accepts"],
          "sum of tcp opened, against listeners + binds + ActiveOpens + accepts")
    equal(table.total("udp", "opened"), churn["udp"] + made["udp"], "sum of udp opened, against what churn made")


def one_time_wait_on_each_side(t):
    """Returns the table before and after the kernel's timer takes them, in softirq."""
    listener = t.listen(80)
    c, s = t.pair(listener)
    port = port_of(c)
    t.end(c, s)
    c, s = t.pair(listener)
    t.end(s, c)
    return ((service("tcp", 80, listen=1, time_wait=1, accepted=2, closed=2, peak=2),
             eph("tcp", port, time_wait=1, connected=1, closed=1, peak=1), star("tcp", connected=2, closed=2, peak=1)),
            (service("tcp", 80, listen=1, accepted=2, closed=2, peak=2), star("tcp", connected=2, closed=2, peak=1)))


@needs_module
def test_churn_50000(t):
    """Nothing drifts: gauges, counters, and records in memory, right after it and when the last TIME_WAIT is gone."""
    before = harness.objects_at_rest()
    t.repaired = None
    quiet = t.namespace()                                       # what happens there is known to the digit
    with quiet:
        full, expired = one_time_wait_on_each_side(t)
        t.expect(*full)
    missed = portsock.read().head["missed"]
    ready = {"tcp": 8, "udp": 8}
    start = time.monotonic()
    churn = t.churn("-n", times(50000), "-w", 4, "-s", 1)
    made = churn.wait_line("done")
    seconds = time.monotonic() - start
    equal(made["failed"], 0, "calls that failed for want of a port")
    rows, table = t.same(bracket=True)
    t.notes.append(f"{made['connects']} connects, {made['binds']} binds, {made['udp']} udp in {seconds:.0f} s, "
                   f"{sum(e['time_wait'] for e in rows.values())} TIME_WAIT; "
                   f"missed {table.head['missed'] - missed} repaired {table.head['repaired']}")
    balance(table, ready, made)
    for port in range(7000, 7008):
        row = table.by_key["tcp", port]
        equal((row.cls, row["sockets"], row["listen"]), ("service", 1, 1), f"tcp {port}")
        row = table.by_key["udp", port]
        equal((row.cls, row["sockets"], row["close"]), ("service", 1, 1), f"udp {port}")
    until(free_of_time_wait, "the last TIME_WAIT to expire", 60 + 30 + seconds)
    with quiet:
        t.expect(*expired)
        t.drop(t.sockets[0])
    rows, table = t.same()
    balance(table, ready, made)
    equal([r.line for r in table.rows if r.cls == "ephemeral" and r.port != "*"], [], "ephemeral rows at the end")
    churn.quit()
    rows, table = t.same()
    equal(rows, {}, "sockets by sock_diag at the end")
    until(lambda: harness.objects()["portsock_rec"] <= before["portsock_rec"],
          f"records in memory to return to {before}; now {harness.objects()}")


@needs_module
def test_churn_counters_of_one_service(t):
    """The same traffic on one port only, so that both CPUs meet in one row."""
    churn = t.churn("-n", times(4000), "-w", 4, "-s", 2, "-P", 1)
    t.repaired = None
    made = churn.wait_line("done")
    _, table = t.same(bracket=True)
    balance(table, {"tcp": 1, "udp": 1}, made)
    equal(table.by_key["tcp", 7000]["accepted"], made["accepts"], "tcp 7000: accepted")
    equal(table.by_key["tcp", 7000]["peak"] >= 2, True, "tcp 7000: peak is more than the listener")
    churn.quit()
