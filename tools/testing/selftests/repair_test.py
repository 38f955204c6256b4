# SPDX-License-Identifier: GPL-2.0-only
"""Never silently wrong: each way to lose an event is provoked. What is lost is noticed (exact 0), and repaired
(exact 1, repaired tells how many records were wrong); what need not be lost is not."""

import contextlib
import errno
import itertools
import os
import signal
import socket
import subprocess
import threading
import time

import diag
import harness
import packet
import portsock
import protocols
from harness import HERE, Skip, disconnect, equal, fail, load, needs_module, service, star, sysctl, unbound, unload, until
from protocols import icmp, raw, same, sctp, udplite
from slow_ko import Slow, write

KPROBES = "/sys/kernel/debug/kprobes/enabled"
FAILSLAB = "/sys/kernel/debug/failslab/"
LOADS = round(100 * harness.SCALE)


def send_from(cpu, peer, flags):
    """A thread that sends a segment, which that CPU processes at once."""
    def work():
        os.sched_setaffinity(0, {cpu})
        peer.send(flags)
    thread = threading.Thread(target=work)
    thread.start()
    return thread


def missed():
    return portsock.read().head["missed"]


def lose(t, act):
    """act(n) does to the n-th socket what no kprobe sees. If that made probes miss something, the file does not claim
    to be exact until it is repaired (a repair may come in between: then try the next socket). If not, because what
    watches it is no kprobe, nothing was lost. At rest the file is right either way. Returns what was repaired."""
    t.repaired = None
    unload()                                                    # or the repair waits for that of the test before
    load()
    for n in range(5):
        before = portsock.read().head
        equal(before["exact"], 1, "exact before something gets lost")
        act(n)
        after = portsock.read().head
        if after["missed"] == before["missed"]:
            same(t)
            return 0
        if not after["exact"]:
            break
    else:
        fail(f"exact: got 1 each time that something had got lost ({before} -> {after}), expected 0")
    until(lambda: portsock.read().head["exact"], "exact 1")
    _, table = same(t)
    repaired = table.head["repaired"] - before["repaired"]
    if not repaired:
        fail(f"repaired: got {table.head['repaired']} after a loss, expected more than {before['repaired']}")
    return repaired


# ---- probes that are missed ------------------------------------------------------------------------

@needs_module
def test_lost_bind_is_repaired(t):
    """A hole: sockets that got a port unseen, of each protocol."""
    protocols.modprobe("sctp")
    protocols.allow_ping()
    makers = {"tcp": harness.Case.tcp, "udp": harness.Case.udp, "icmp": icmp}
    if "udplite" in protocols.PRESENT:
        makers["udplite"] = udplite
    if not os.path.isdir(FAILSLAB):                             # a debug kernel objects to how it is done
        makers["sctp"] = sctp
    repaired = 0
    with Slow() as slow:
        for proto, make in makers.items():
            socks = [make(t) for _ in range(5)]
            repaired += lose(t, lambda n, socks=socks: slow.lose("bind", socks[n], 6000 + n))
            equal(portsock.read().by_key[proto, 6000]["close"], 1, f"{proto} 6000: close")
            t.drop(*socks)
            same(t)
    equal(repaired > 0, True, "something got lost")
    t.notes.append(f"{repaired} repaired")


@needs_module
def test_lost_unbind_is_repaired(t):
    """A ghost: sockets that live on without the port that they had."""
    protocols.allow_ping()
    makers = {"udp": harness.Case.udp, "udplite": udplite, "icmp": icmp}
    repaired = 0
    with Slow() as slow:
        for make in (makers[proto] for proto in makers.keys() & set(protocols.PRESENT)):
            socks = [make(t) for _ in range(5)]
            for n, sock in enumerate(socks):
                sock.bind(("127.0.0.1", 6000 + n))
            repaired += lose(t, lambda n, socks=socks: slow.lose("unhash", socks[n]))
            t.drop(*socks)
            same(t)
    t.notes.append(f"{repaired} repaired")


@needs_module
def test_lost_raw_hash_and_unhash_are_repaired(t):
    with Slow() as slow:
        socks = [raw(t, 80 + n) for n in range(5)]
        repaired = lose(t, lambda n: slow.lose("unhash", socks[n]))
        lost = [sock for n, sock in enumerate(socks) if ("raw", 80 + n) not in protocols.oracle()]
        equal(bool(lost), True, "sockets that hold nothing by the kernel")
        repaired += lose(t, lambda n: slow.lose("hash", lost[n]) if n < len(lost) else fail("repaired at once each time"))
        t.drop(*socks)
        same(t)
    t.notes.append(f"{repaired} repaired")


@needs_module
def test_walks_that_are_needed_again_and_again(t):
    """Each waits twice as long as the one before; after a quiet while none waits."""
    t.repaired = None
    unload()
    load()
    socks = [t.tcp() for _ in range(5)]
    with Slow() as slow:
        def seconds(n):
            slow.lose("bind", socks[n], 6000 + n)
            began = time.monotonic()
            equal(portsock.read().head["exact"], 0, "exact after a loss")
            until(lambda: portsock.read().head["exact"], "exact 1")
            return time.monotonic() - began

        waits = [seconds(n) for n in range(4)]                  # 1, 2, 4 and 8 less what it takes to lose the next
        t.notes.append(f"exact 0 for {', '.join(f'{wait:.1f}' for wait in waits)} s")
        equal([wait > 2 ** n - 0.8 for n, wait in enumerate(waits)], [True] * 4, f"waits {waits} of 1, 2, 4 and 8 s")
        time.sleep(18)                                          # is the condition itself: nothing is lost for 16 s
        wait = seconds(4)
        equal(wait < 4, True, f"a wait of {wait} s after a quiet while is less than 4 s")
    same(t)


@needs_module
def test_namespace_is_made_during_a_walk(t):
    """It does not wait for a walk that is slow."""
    t.repaired = None
    protocols.modprobe("sctp")
    unload()
    with Slow() as slow:
        slow.hold_up_load("sctp_transport_traverse_process", 3000000)
        insmod = slow.begin("insmod", harness.ko_path())
        until(slow.load_held, "the walk to be held up")
        t.namespace()
        equal(slow.load_held(), 1, "the walk is held up still when unshare() returns")
        slow.let_load()
        equal(insmod.wait(), 0, "insmod's status")
    same(t)


@needs_module
def test_child_that_lost_its_request(t):
    """Two CPUs make a child each of the same request. The later one is nobody's and goes, unseen by everybody."""
    t.check_snmp = False                                        # it is one of PassiveOpens
    cpus = sorted(os.sched_getaffinity(0))
    packet.set_up()
    listener = t.listen(80)
    p = packet.Peer(t, 80)
    p.send(packet.SYN)
    p.wait(packet.SYN | packet.ACK)
    with Slow() as slow:
        slow.hold_up_children(500000)
        first = send_from(cpus[0], p, packet.ACK)
        until(slow.children, "the first child to be held up")
        send_from(cpus[1], p, packet.ACK).join()
        first.join()
    equal(diag.snmp()["PassiveOpens"], 2, "children that the kernel made")
    t.accept(listener)
    t.expect(service("tcp", 80, listen=1, established=1, accepted=1, peak=2))


@needs_module
def test_slow_kprobe_user(t):
    """The kernel expires mini-sockets in a timer softirq, on a CPU that is inside some kprobe's handler nearly
    all the time. Plain kprobes on the same functions lose events, portsock does not."""
    t.check_snmp = False
    sysctl("net.ipv4.tcp_fin_timeout", 1)
    home = os.sched_getaffinity(0)
    listener = t.listen(80, backlog=4096)
    with Slow() as slow:
        os.sched_setaffinity(0, {min(home)})                    # children inherit it
        try:
            slow.hold_up_sockets(3000)
            busy = subprocess.Popen((HERE + "/flood", "sockets"), stdin=subprocess.PIPE, stdout=subprocess.PIPE)
            equal(busy.stdout.readline(), b"ready\n", "flood says")
            lost, made = 0, 0
            end = time.monotonic() + harness.DEADLINE
            while lost < 20 and time.monotonic() < end:
                servers = []
                for _ in range(50):
                    client, server = t.pair(listener)
                    servers.append(server)
                    t.drop(client)                              # FIN_WAIT2 for a second, as a mini-socket
                made += len(servers)
                until(lambda: not any(e["time_wait"] for e in diag.oracle().values()), "mini-sockets to expire")
                for server in servers:
                    harness.reset_on_close(server)
                    t.drop(server)
                lost = slow.witness()["inet_twsk_bind_unhash"][1]
            busy.stdin.close()
            busy.wait()
            busy.stdout.close()
        finally:
            os.sched_setaffinity(0, home)
        t.notes.append(f"of {made} mini-sockets that ended, slow.ko's kprobes: {slow.witness()}; portsock missed {missed()}")
        if lost < 20:
            fail(f"a kprobe lost {lost} events: the load is not what it is meant to be")
    t.expect(service("tcp", 80, listen=1, accepted=made, closed=made, peak=None),
             star("tcp", connected=made, closed=made, peak=None))


@needs_module
def test_kprobes_switched_off(t):
    """debugfs can disarm all kprobes of the machine, without a word to those who own them."""
    t.repaired = None
    ghost, gone = t.udp(), t.udp()
    ghost.bind(("127.0.0.1", 6000))
    write(KPROBES, 0)
    try:
        hole = t.udp()
        hole.bind(("127.0.0.1", 6001))
        t.drop(ghost, gone)
        until(lambda: not portsock.read().head["exact"], "exact 0 while kprobes are off", 5)
    finally:
        write(KPROBES, 1)
    until(lambda: portsock.read().head["exact"], "exact 1")
    same(t)
    t.drop(hole)
    same(t)


# ---- sockets of the kernel's own ----------------------------------------------------------------------

@needs_module
def test_reset_child_that_the_kernel_accepts(t):
    """As SMC and NFS do: it holds no port, and no user has it."""
    listener = t.listen(80)
    client = t.connect(80)
    harness.reset_on_close(client)
    t.drop(client)
    rows = (service("tcp", 80, listen=1, accepted=1, closed=1, peak=2), star("tcp", connected=1, closed=1, peak=1))
    t.expect(*rows)
    with Slow() as slow:
        slow.accept(listener)
        t.expect(*rows)
        slow.accept(None)
        t.expect(*rows)


# ---- sockets that are asked -----------------------------------------------------------------------------

@needs_module
def test_whose_calls_are_heard_of_is_not_asked(t):
    """A call on a ping socket over IPv4 is heard of when it ends. One over IPv6 is not: the next reader asks, once."""
    protocols.allow_ping()
    with Slow() as slow:
        slow.count_calls("portsock_sk_ask")
        for n in range(5):
            icmp(t).bind(("127.0.0.1", 100 + n))
        portsock.read()
        equal(slow.calls(), 0, "ping sockets that were asked")
        icmp(t, v6=True).bind(("::1", 200))
        portsock.read()
        equal(slow.calls(), 1, "ping sockets over IPv6 that were asked")
        portsock.read()
        equal(slow.calls(), 1, "and not again")
    same(t)


# ---- callers in crowds -----------------------------------------------------------------------------

@needs_module
def test_900_threads_inside_bind(t):
    """Whoever has many threads inside of a call, here where no port is left, costs nobody an event."""
    taken = t.udp()
    taken.bind(("127.0.0.1", 40000))
    sysctl("net.ipv4.ip_local_port_range", "40000 40000")
    before = portsock.read().head
    crowd = subprocess.Popen((HERE + "/flood", "crowd", "900"), stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    equal(crowd.stdout.readline(), b"ready\n", "flood says")
    socks = []
    for n in range(100):
        socks.append(t.udp())
        socks[-1].bind(("127.0.0.1", 41000 + n))
        equal(portsock.read().head["exact"], 1, "exact")
    crowd.stdin.close()
    crowd.wait()
    crowd.stdout.close()
    t.expect(service("udp", 40000, close=1), *(service("udp", 41000 + n, close=1) for n in range(100)))
    equal(missed() - before["missed"], 0, "missed")


# ---- ftrace ----------------------------------------------------------------------------------------

@needs_module
def test_ftrace_off_and_on(t):
    """It cannot be switched off under the module, and the module cannot be loaded while it is off."""
    t.repaired = None
    listener = t.listen(80)
    try:
        sysctl("kernel.ftrace_enabled", 0)
        fail("kernel.ftrace_enabled=0 succeeded while portsock is loaded")
    except OSError as error:
        if error.errno == errno.EOPNOTSUPP:
            raise Skip("this kernel has ftrace always on") from error
        equal(error.errno, errno.EBUSY, "error of kernel.ftrace_enabled=0")
    t.expect(service("tcp", 80, listen=1))
    unload()
    sysctl("kernel.ftrace_enabled", 0)
    try:
        t.log.lines()
        status, message = harness.insmod()
        said = [line for line in t.log.lines() if line.startswith("portsock")]
        equal((status != 0, harness.loaded(), os.path.lexists("/proc/portsock"), os.path.exists("/proc/net/portsock")),
              (True, False, False, False), f"insmod while ftrace is off ({message}): refused, loaded, files")
        equal(any("ftrace_enabled" in line for line in said), True, f"the log tells why ({said})")
        with open("/proc/slabinfo", encoding="ascii") as file:
            equal([line for line in file if line.startswith("portsock")], [], "slab caches that are left")
    finally:
        sysctl("kernel.ftrace_enabled", 1)
    load()
    t.drop(listener)
    t.listen(81)
    rows, _ = same(t)
    equal(set(rows), {("tcp", 81)}, "ports by sock_diag")


# ---- memory ----------------------------------------------------------------------------------------

def may_fail(cache):
    """Some kernels let only the command line say so: slub_debug=A,CACHE,..."""
    path = f"/sys/kernel/slab/{cache}/failslab"
    if os.stat(path).st_mode & 0o200:
        write(path, 1)
    with open(path, encoding="ascii") as file:
        return file.read().strip() == "1"


@contextlib.contextmanager
def failslab(percent, tasks="N"):
    """So many allocations fail of caches that may; tasks "Y": of tasks that ask for it."""
    for name, value in (("ignore-gfp-wait", "N"), ("cache-filter", "Y"), ("task-filter", tasks), ("interval", 1),
                        ("times", -1), ("verbose", 0), ("probability", percent)):
        write(FAILSLAB + name, value)
    try:
        yield
    finally:
        write(FAILSLAB + "probability", 0)
        write(FAILSLAB + "task-filter", "N")


def needs_failslab(*caches):
    if not os.path.isdir(FAILSLAB):
        raise Skip("this kernel has no failslab; the debug kernel has")
    if not all([may_fail(cache) for cache in caches]):
        fail(f"boot with slub_debug=A,{','.join(caches)}, so that these may fail")


@needs_module
def test_no_memory_for_records(t):
    """The slab allocator refuses (fault injection, debug kernels only)."""
    needs_failslab("portsock_rec", "portsock_row")
    t.repaired = None
    before = portsock.read().head
    doubts = 0
    with failslab(90):
        listener = t.listen(80, backlog=1024)
        for n in range(300):
            t.udp().bind(("127.0.0.1", 6000 + n))
            t.udp()
            if n % 3 == 0:
                t.pair(listener)
                doubts += not portsock.read().head["exact"]
    equal(doubts > 0, True, "exact 0 while memory was short")
    until(lambda: portsock.read().head["exact"], "exact 1")
    _, table = same(t)
    repaired = table.head["repaired"] - before["repaired"]
    t.notes.append(f"exact 0 in {doubts} of 100 readings while memory was short, repaired {repaired}")
    equal(repaired > 0, True, "something was repaired")
    for sock in list(t.sockets):
        if sock.type == socket.SOCK_STREAM:
            harness.reset_on_close(sock)
        t.drop(sock)
    same(t)


@needs_module
def test_no_memory_for_another_address(t):
    """A disconnected socket gets the address back that it was bound to. Without memory for the bucket of that address the
    kernel takes the port away, when the socket is in CLOSE already, and no call fails."""
    needs_failslab("tcp_bind2_bucket")
    listener = t.listen(80)
    sock = t.tcp()
    sock.bind(("0.0.0.0", 6000))
    t.connect(80, sock=sock)
    t.accept(listener)
    before = portsock.read().head
    with failslab(100, tasks="Y"):
        try:
            write("/proc/self/make-it-fail", 1)
            disconnect(sock)
        finally:
            write("/proc/self/make-it-fail", 0)
    t.expect(service("tcp", 80, listen=1, accepted=1, closed=1, peak=2),
             service("tcp", 6000, connected=1, closed=1, peak=1), unbound("tcp", 2))
    times = {"uptime_ms": 0, "sample_age_ms": 0}
    equal({**portsock.read().head, **times}, {**before, **times}, "nothing was lost")
    t.tcp().bind(("0.0.0.0", 6000))                             # to the kernel, too, it is free


# What a load calls, one after the other.
LOAD_STEPS = ("blocking_notifier_chain_register", "register_kprobe", "unregister_kprobes", "ftrace_set_filter_ip",
              "register_ftrace_function", "tracepoint_probe_register")


PROTOCOL_MODULES = [name for proto, names in protocols.MODULES.items() if proto in protocols.PRESENT for name in names]


@needs_module
def test_protocols_come_while_it_is_loaded(t):
    """sctp and dccp come or go while a load of the module is at each of its steps: watched once, and unloaded with it."""
    t.repaired = None
    with Slow() as slow:
        for step, (before, during) in itertools.product(LOAD_STEPS, itertools.permutations((protocols.remove, protocols.modprobe))):
            unload()
            before(*PROTOCOL_MODULES)
            slow.hold_up_load(step, 3000000)
            insmod = slow.begin("insmod", harness.ko_path())
            until(slow.load_held, f"insmod to come to {step}")
            during(*PROTOCOL_MODULES)
            slow.let_load()
            equal(insmod.wait(), 0, f"insmod's status, held up in {step}")
            protocols.modprobe(*PROTOCOL_MODULES)
            sock = sctp(t)
            sock.bind(("127.0.0.1", 5000))
            same(t)
            t.drop(sock)
    unload()
    protocols.remove(*PROTOCOL_MODULES)
    protocols.modprobe(*PROTOCOL_MODULES)        # what was left armed would be called now
    sctp(t).bind(("127.0.0.1", 5000))
    load()
    same(t)


# ---- loading ---------------------------------------------------------------------------------------

def makers(stop, failures):
    """Sockets of the protocols that churn.c leaves out, made and closed until stop is set."""
    def work(make, bind):
        while not stop.is_set():
            try:
                with make() as sock:
                    if bind is not None:
                        sock.bind(bind)
                    time.sleep(0.0005)
                    if bind is not None and sock.type == socket.SOCK_DGRAM:
                        sock.connect(("127.0.0.1", 9))
            except OSError as error:
                failures.append(error)
                return

    kinds = [(lambda: socket.socket(socket.AF_INET, socket.SOCK_RAW, 89), ("127.0.0.1", 0)),
             (lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM, socket.IPPROTO_ICMP), ("127.0.0.1", 0)),
             (lambda: socket.socket(socket.AF_INET6, socket.SOCK_DGRAM, protocols.IPPROTO_UDPLITE), ("::1", 0)),
             (lambda: socket.socket(socket.AF_INET, socket.SOCK_STREAM, protocols.IPPROTO_SCTP), ("127.0.0.1", 0)),
             (lambda: socket.socket(socket.AF_INET, socket.SOCK_STREAM, protocols.IPPROTO_MPTCP), ("127.0.0.1", 0)),
             (lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM), None)]
    threads = [threading.Thread(target=work, args=kind) for kind in kinds]
    for thread in threads:
        thread.start()
    return threads


@needs_module
def test_load_under_churn(t):
    """LOADS times in the middle of it; each time what was loaded is compared, with the churn held still. It is
    unloaded then, too: life.reload_50_times_under_traffic has the rest, and waits long for tasks that run."""
    t.repaired = None
    protocols.modprobe("sctp")
    protocols.allow_ping()
    churn = t.churn("-s", 5, "-w", 3, "-d", 200)

    def mixed():
        stop, failures = threading.Event(), []
        makers(stop, failures)

    child = t.fork(mixed)
    compared = 0
    unload()
    for _ in range(LOADS):
        load()
        os.killpg(churn.proc.pid, signal.SIGSTOP)
        os.kill(child, signal.SIGSTOP)
        rows, _ = same(t)
        compared += sum(e["sockets"] for e in rows.values())
        unload()
        os.killpg(churn.proc.pid, signal.SIGCONT)
        os.kill(child, signal.SIGCONT)
    load()
    t.notes.append(f"{LOADS} times, {compared} sockets compared")
    equal(compared > LOADS * 16, True, "there was something to compare")
    t.kill(child)
    churn.stop()
    churn.quit()
    same(t)
