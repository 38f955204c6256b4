# SPDX-License-Identifier: GPL-2.0-only
"""What a test works with: a fresh network namespace, sockets that are closed behind it, and expect().

expect() is given the whole table as the test's author states it, waits until the oracle says the same
(a slow machine needs time to come to rest), and then compares /proc/portsock with both: every gauge of
every row with the oracle, every counter, class and the presence of rows with the statement.
"""

import ctypes
import fcntl
import glob
import os
import re
import select
import signal
import socket
import struct
import subprocess
import time

import diag
import portsock
import remotes
from portsock import COUNTERS, FULL_STATES, GAUGES

DEADLINE = float(os.environ.get("PORTSOCK_DEADLINE", "60"))
SETTLE = 2.0                    # how long the file may differ while the oracle stands still
SCALE = float(os.environ.get("PORTSOCK_SCALE", "1"))
CROWD = os.environ.get("PORTSOCK_CROWD", "") == "1"        # CPUs have cells of everything, and lose them, all the time
RELOAD = os.environ.get("PORTSOCK_RELOAD", "") == "1"      # load the module anew behind each comparison, and compare again
HERE = os.path.dirname(os.path.abspath(__file__))
READER = os.path.join(HERE, "portsock")

CLONE_NEWNET = 0x40000000
IP_BIND_ADDRESS_NO_PORT = 24
MSG_FASTOPEN = 0x20000000
SIOCGIFFLAGS, SIOCSIFFLAGS, IFF_UP = 0x8913, 0x8914, 1

libc = ctypes.CDLL(None, use_errno=True)
with_module = True              # False: check the tests and the oracle only (run --oracle)


class Failure(Exception):
    """A comparison failed; its lines are printed below `not ok`."""


class Late(Failure):
    """A deadline passed. It is in the guest's seconds, which go on as the guest does."""


class Skip(Exception):
    """This system cannot run the test, for the reason given."""


def fail(*lines):
    raise Failure("\n".join(lines))


def late(*lines):
    raise Late("\n".join(lines))


def until(condition, what, deadline=None):
    """Wait for condition() and return its value."""
    end = time.monotonic() + (deadline or DEADLINE)
    while not (value := condition()):
        if time.monotonic() > end:
            late(f"waited {deadline or DEADLINE:.0f} s in vain: {what}")
        time.sleep(0.01)
    return value


def readable(file, seconds):
    """Wait for input. Not select(): there are more than 1024 descriptors."""
    poll = select.poll()
    poll.register(file, select.POLLIN)
    return bool(poll.poll(max(0, seconds) * 1000))


def equal(got, expected, what):
    if got != expected:
        fail(f"{what}: got {got!r}, expected {expected!r}")


# ---- statements about rows ------------------------------------------------------------------------

class Statement:
    """What a row has to be. A counter that is None is not checked."""

    def __init__(self, cls, proto, port, values):
        self.cls, self.key = cls, (proto, port)
        self.ports = values.pop("ports", None)
        self.mini = values.pop("mini", 0)
        unknown = set(values) - set(GAUGES) - set(COUNTERS)
        assert not unknown, unknown
        self.gauges = dict.fromkeys(GAUGES, 0)
        self.gauges.update({k: v for k, v in values.items() if k in GAUGES})
        self.gauges["sockets"] = sum(self.gauges[s] for s in FULL_STATES) - self.mini
        sockets = self.gauges["sockets"]
        self.counters = {"accepted": 0, "connected": 0, "closed": 0, **{k: v for k, v in values.items() if k in COUNTERS}}
        closed = self.counters["closed"]
        self.counters.setdefault("opened", None if closed is None else sockets + closed)
        assert "peak" in self.counters or closed == 0, f"{self.key}: peak is not known once something was closed"
        self.counters.setdefault("peak", sockets)

    def oracle(self):
        return dict(self.gauges, mini=self.mini)


def service(proto, port, **values):
    return Statement("service", proto, port, values)


def eph(proto, port, **values):
    return Statement("ephemeral", proto, port, values)


def unbound(proto, n, ipv6=0):
    return Statement("unbound", proto, 0, dict(close=n, ipv6=ipv6, opened=None, accepted=None, connected=None, closed=None, peak=None))


def star(proto, **values):
    """The * row: its counters, those of ports that are gone included. Its gauges follow from the other rows."""
    return Statement("ephemeral", proto, "*", values)


def folded(proto, ports, **values):
    """The * row of services that were folded: that many rows, and what they had counted."""
    return Statement("folded", proto, "folded", dict(values, ports=ports))


def any_star(proto):
    """The * row after a port changed its class: only what holds for every row is checked."""
    return Statement("ephemeral", proto, "*", dict(opened=None, accepted=None, connected=None, closed=None, peak=None))


def older(rows):
    """The same when the module is younger than the sockets."""
    for row in rows:
        row.counters = dict.fromkeys(row.counters)
    return rows


class Expected:
    def __init__(self, statements):
        self.rows = {s.key: s for s in statements}
        assert len(self.rows) == len(statements)
        self.oracle = {k: s.oracle() for k, s in self.rows.items() if k[1] != "*" and any(s.oracle().values())}
        for proto in {p for p, _ in self.rows}:
            singles = [s for (p, port), s in self.rows.items() if p == proto and port != "*" and s.cls == "ephemeral"]
            if (proto, "*") in self.rows:
                total = self.rows[proto, "*"]
            elif singles:
                total = self.rows[proto, "*"] = star(proto, closed=0)
                for name in ("accepted", "connected", "closed", "opened"):
                    parts = [s.counters[name] for s in singles]
                    total.counters[name] = None if None in parts else sum(parts)
                total.counters["peak"] = None if total.counters["closed"] != 0 else \
                    sum(s.gauges["sockets"] for s in singles)
            else:
                continue
            for name in GAUGES:
                total.gauges[name] = sum(s.gauges[name] for s in singles)
            total.mini = sum(s.mini for s in singles)
            if total.counters["closed"] is not None and total.counters["opened"] is not None:
                total.counters["opened"] = total.gauges["sockets"] + total.counters["closed"]

    def total(self, name):
        """Sum of a tcp counter, or None when a part of it is not stated."""
        parts = [s.counters[name] for (p, port), s in self.rows.items()
                 if p == "tcp" and port != 0 and (s.cls in ("service", "folded") or port == "*")]
        return None if None in parts else sum(parts)


def gauge_text(entry):
    return " ".join(f"{k} {entry[k]}" for k in GAUGES + ("mini",) if entry.get(k)) or "nothing"


def oracle_differences(got, expected):
    return [f"{p} {port}: the kernel has {gauge_text(got.get((p, port), {}))}; the test expects "
            f"{gauge_text(expected.get((p, port), {}))}"
            for p, port in sorted(set(got) | set(expected)) if got.get((p, port)) != expected.get((p, port))]


def gauge_differences(table, oracle, upper=None):
    """The file's gauges against the oracle's. With upper, time_wait may lie between the two dumps."""
    bad = []
    seen = {}
    for r in table.singles():
        if r.proto not in diag.PROTO:
            continue
        seen[r.key] = r
        have = oracle.get(r.key, diag.row())
        above = upper.get(r.key, diag.row()) if upper is not None else have
        bad += [f"{r.proto} {r.port}: {name}: got {r[name]}, expected {have[name]} (by sock_diag)"
                for name in GAUGES if not min(have[name], above[name]) <= r[name] <= max(have[name], above[name])]
        if sum(r[s] for s in FULL_STATES) - r["sockets"] != have["mini"]:
            bad.append(f"{r.proto} {r.port}: sockets {r['sockets']} is not the sum of its full sockets' states "
                       f"(with {have['mini']} request mini-sockets)")
    for key, entry in sorted(oracle.items()):
        if key not in seen and any(entry.values()) and (upper is None or any(upper.get(key, {}).values())):
            bad.append(f"{key[0]} {key[1]}: got no row, expected {gauge_text(entry)} (by sock_diag)")
    return bad


def statement_differences(table, expected):
    """The file's rows and classes against the statements; their counters too, unless loading the module cleared them."""
    bad = []
    for key, want in sorted(expected.rows.items(), key=str):
        r = table.by_key.get(key)
        if r is None:
            if any(want.gauges.values()) or not RELOAD and (want.cls in ("service", "folded") or
                                                            key[1] == "*" and want.counters["opened"]):
                bad.append(f"{key[0]} {key[1]}: got no row, expected class {want.cls}, {gauge_text(want.gauges)}")
            continue
        if r.cls != want.cls:
            bad.append(f"{key[0]} {key[1]}: class: got {r.cls}, expected {want.cls}")
        if want.ports not in (None, r["ports"]) and not (RELOAD and want.cls == "folded"):
            bad.append(f"{key[0]} {key[1]}: ports: got {r['ports']}, expected {want.ports}")
        for name in COUNTERS if not RELOAD else ():
            value = want.counters[name]
            if value is not None and r[name] != value:
                bad.append(f"{key[0]} {key[1]}: {name}: got {r[name]}, expected {value}")
    for r in table.rows:
        if r.key not in expected.rows and r.proto in diag.PROTO and not (r.cls == "unbound" and not r["sockets"]):
            bad.append(f"{r.proto} {r.port}: got a row, expected none: {r.line}")
    return bad


# ---- kernel log ------------------------------------------------------------------------------------

# "Warning:" in small letters is for administrators, such as DCCP's about lost packets.
ALARM = re.compile(r"WARNING:|(?i:BUG:|Oops|Call Trace|KASAN|general protection|kernel panic|inconsistent lock|"
                   r"possible recursive|circular locking|rcu: INFO|soft lockup|hung task|leaked|refcount_t|"
                   r"unregister_netdevice: waiting|Objects remaining|slab error)")


class KernelLog:
    """Lines that /dev/kmsg got since the last call."""

    def __init__(self):
        try:
            self.fd = os.open("/dev/kmsg", os.O_RDONLY | os.O_NONBLOCK)
            os.lseek(self.fd, 0, os.SEEK_END)
        except OSError:
            self.fd = -1

    def lines(self):
        found = []
        while self.fd >= 0:
            try:
                text = os.read(self.fd, 8192).decode("utf-8", "replace")
            except BlockingIOError:
                break
            except BrokenPipeError:
                found.append("(the kernel log ran over)")
                continue
            found.append(text.split(";", 1)[-1].split("\n", 1)[0])
        return found


# ---- a test's surroundings -------------------------------------------------------------------------

class Namespace:
    """A network namespace with lo up. Enter it with Case.inside()."""

    def __init__(self):
        self.homes = []
        home = os.open("/proc/self/ns/net", os.O_RDONLY)
        try:
            check(libc.unshare(CLONE_NEWNET), "unshare")
            self.fd = os.open("/proc/self/ns/net", os.O_RDONLY)
            self.inum = os.fstat(self.fd).st_ino
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
                flags = struct.unpack_from("=16sh", fcntl.ioctl(sock, SIOCGIFFLAGS, struct.pack("=16s24x", b"lo")))[1]
                fcntl.ioctl(sock, SIOCSIFFLAGS, struct.pack("=16sh22x", b"lo", flags | IFF_UP))
        finally:
            check(libc.setns(home, CLONE_NEWNET), "setns")
            os.close(home)

    def __enter__(self):
        self.homes.append(os.open("/proc/self/ns/net", os.O_RDONLY))
        check(libc.setns(self.fd, CLONE_NEWNET), "setns")
        return self

    def __exit__(self, *unused):
        home = self.homes.pop()
        check(libc.setns(home, CLONE_NEWNET), "setns")
        os.close(home)

    def close(self):
        os.close(self.fd)


def reader_agrees():
    """`portsock check` must find no difference in this namespace."""
    if not with_module:
        return
    done = subprocess.run((READER, "check"), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode:
        raise Failure(f"portsock check ended with {done.returncode}\n{done.stdout}")


def check(result, what):
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, f"{what}: {os.strerror(code)}")
    return result


def sysctl(name, value):
    with open("/proc/sys/" + name.replace(".", "/"), "w", encoding="ascii") as file:
        file.write(str(value))


def ip(*words):
    subprocess.run(("ip",) + words, check=True)


def port_of(sock):
    return sock.getsockname()[1]


AF_UNSPEC = struct.pack("=H14x", socket.AF_UNSPEC)


def disconnect(sock):
    """connect(AF_UNSPEC)"""
    check(libc.connect(sock.fileno(), AF_UNSPEC, len(AF_UNSPEC)), "connect(AF_UNSPEC)")


def reset_on_close(sock):
    """close() will send RST and leave nothing behind."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def loopback(v6=False):
    return "::1" if v6 else "127.0.0.1"


class Case:
    """One test: its namespace is current while the test runs, its sockets and children die with it."""

    def __init__(self, log):
        self.log = log
        self.sockets, self.children, self.spaces = [], [], []
        self.churns, self.notes = [], []

    def __enter__(self):
        self.ns = self.namespace()
        self.ns.__enter__()
        self.check_snmp = True
        self.repaired = portsock.read().head["repaired"] if with_module else 0
        return self

    def __exit__(self, *unused):
        for churn in self.churns:
            churn.kill()
        for sock in self.sockets:
            sock.close()
        for pid in list(self.children):
            self.kill(pid)
        self.ns.__exit__()
        for space in self.spaces:
            space.close()

    # namespaces and processes

    def namespace(self):
        space = Namespace()
        self.spaces.append(space)
        return space

    def fork(self, work):
        """Run work() in a child that then waits to be killed; returns its pid once work() is done."""
        reader, writer = os.pipe()
        pid = os.fork()
        if pid == 0:
            try:
                os.close(reader)
                work()
                os.write(writer, b"+")
                while True:
                    signal.pause()
            finally:
                os._exit(1)
        os.close(writer)
        self.children.append(pid)
        done = os.read(reader, 1)
        os.close(reader)
        equal(done, b"+", "a child's work")
        return pid

    def kill(self, pid):
        self.children.remove(pid)
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)

    def churn(self, *args):
        """Start churn.c in the current namespace; returns once its listeners are there."""
        churn = Churn(*args)
        self.churns.append(churn)
        churn.wait_line("ready")
        return churn

    # sockets

    def keep(self, sock):
        patience = struct.pack("ll", int(DEADLINE), 0)  # not settimeout(): that makes every connect() non-blocking
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, patience)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, patience)
        self.sockets.append(sock)
        return sock

    def tcp(self, v6=False):
        return self.keep(socket.socket(socket.AF_INET6 if v6 else socket.AF_INET, socket.SOCK_STREAM))

    def udp(self, v6=False):
        return self.keep(socket.socket(socket.AF_INET6 if v6 else socket.AF_INET, socket.SOCK_DGRAM))

    def listen(self, port, addr=None, backlog=128, v6=False, **options):
        """A listener; options are SOL_SOCKET names in lower case, such as so_reuseport=1."""
        sock = self.tcp(v6)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        for name, value in options.items():
            sock.setsockopt(socket.SOL_SOCKET, getattr(socket, name.upper()), value)
        sock.bind((addr or ("::" if v6 else "0.0.0.0"), port))
        sock.listen(backlog)
        return sock

    def connect(self, port, addr=None, v6=False, sock=None):
        sock = sock or self.tcp(v6)
        sock.connect((addr or loopback(v6), port))
        return sock

    def accept(self, listener):
        return self.keep(listener.accept()[0])

    def pair(self, listener, addr=None, v6=False):
        client = self.connect(port_of(listener), addr, v6)
        return client, self.accept(listener)

    def drop(self, *socks):
        for sock in socks:
            self.sockets.remove(sock)
            sock.close()

    def leave(self, sock, peer):
        """close() a socket whose peer stays. If the ACK of its FIN comes just before close() lets go of it, it stays in
        FIN_WAIT2 for a minute, a full socket; so the ACK has to come first."""
        sock.shutdown(socket.SHUT_WR)
        self.eof(peer)
        until(lambda: diag.STATE[sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0]] == "fin_wait2", "FIN_WAIT2")
        self.drop(sock)

    def end(self, sock, peer):
        """close() both ends of a connection. The first one's FIN has to come before the other's close(), so that its end
        alone is left in TIME_WAIT."""
        self.drop(sock)
        self.eof(peer)
        self.drop(peer)

    def eof(self, sock):
        equal(sock.recv(1), b"", "recv() of the other side's FIN")

    # comparing

    def expect(self, *statements):
        """The table has to come to rest as stated. Returns the file's table (None without the module)."""
        want = Expected(statements)
        end = time.monotonic() + DEADLINE
        while True:
            have = diag.oracle()
            bad = oracle_differences(have, want.oracle)
            if not bad:
                bad = diag.proc_net_differences(have) + diag.sockstat_differences(have)
            if not bad and diag.oracle() == have:
                break
            if time.monotonic() > end:
                late("the kernel does not come to the state that the test describes", *bad)
            time.sleep(0.01)
        if self.check_snmp:
            snmp = diag.snmp()
            for name, counter in (("accepted", "PassiveOpens"), ("connected", "ActiveOpens")):
                if want.total(name) is not None:
                    equal(want.total(name), snmp[counter], f"sum of {name} as stated, against the kernel's {counter}")
        if not with_module:
            return None
        return self.settle(lambda table: gauge_differences(table, have) + statement_differences(table, want),
                           lambda: diag.oracle() == have)

    def reload(self):
        """Load the module anew."""
        unload()
        load()
        if self.repaired is not None:
            self.repaired = portsock.read().head["repaired"]

    def settle(self, differences, still):
        """Read the file until it is right; if so asked, load the module anew and read again."""
        table = self.settled(differences, still)
        if RELOAD:
            self.reload()
            self.settled(differences, still)
        return table

    def settled(self, differences, still):
        """Read the file until differences() are none; SETTLE seconds at most, with the oracle standing still."""
        start = time.monotonic()
        while True:
            peers = remotes.oracle()
            table = portsock.read()
            bad = differences(table) + self.faults(table, peers)
            if not bad:
                break
            if time.monotonic() - start > SETTLE:
                if not still():
                    fail("sockets moved while they should rest", *bad)
                fail(*bad, *("| " + line for line in table.text.splitlines()[:40]))
            time.sleep(0.02)
        late = time.monotonic() - start
        if late > 0.25:
            self.notes.append(f"the file was right only after {late:.2f} s")
        return table

    def faults(self, table, peers):
        """Of promises that the file makes whatever there is, and of what hardly a test looks at, at rest; peers: of
        remotes.oracle(), before the table was read."""
        return table.faults() + self.head_faults(table) + remotes.differences(table, peers, exact=not RELOAD)

    def head_faults(self, table):
        bad = []
        if table.head["netns"] != diag.netns_inum():
            bad.append(f"netns: got {table.head['netns']}, expected {diag.netns_inum()}")
        if table.head["exact"] != 1:
            bad.append(f"exact: got {table.head['exact']}, expected 1")
        if table.head["untracked"] != 0:
            bad.append(f"untracked: got {table.head['untracked']}, expected 0")
        if self.repaired is not None and table.head["repaired"] != self.repaired:
            bad.append(f"repaired: got {table.head['repaired']}, expected {self.repaired}: a hook missed something")
        return bad

    def same(self, bracket=False):
        """Whatever is there: every gauge of the file equals the oracle. With bracket, TIME_WAIT sockets may
        expire meanwhile and are only enclosed by two dumps, everything else is still compared exactly."""
        return self.twice(lambda: self.same_once(bracket))

    def twice(self, compare):
        """compare() returns (rows, table). If so asked, load the module anew: it finds the same rows, of the same classes."""
        rows, table = compare()
        if RELOAD and table:
            self.reload()
            after = rows_that_stay(compare()[1])
            bad = [f"{key[0]} {key[1]}: class: was {was}, is {after[key]} after the module was loaded anew"
                   for key, was in rows_that_stay(table).items() if after.get(key, was) != was]
            if bad:
                fail(*bad)
        return rows, table

    def same_once(self, bracket):
        def fixed(rows):
            return {k: {n: v for n, v in e.items() if n != "time_wait" or not bracket} for k, e in rows.items()
                    if any(v for n, v in e.items() if n != "time_wait" or not bracket)}

        end = time.monotonic() + DEADLINE
        start = None
        while True:
            before, peers = diag.oracle(), with_module and remotes.oracle()
            table = portsock.read() if with_module else None
            after = diag.oracle()
            bad = ["the oracle moves"]
            if fixed(before) == fixed(after):
                if not with_module:
                    return before, None
                bad = gauge_differences(table, before, after) + self.faults(table, peers)
                if not bad:
                    if start is not None and time.monotonic() - start > 0.25:
                        self.notes.append(f"the file was right only after {time.monotonic() - start:.2f} s")
                    return before, table
                start = start or time.monotonic()
                if time.monotonic() - start > SETTLE:
                    fail(*bad[:40])
            else:
                start = None
            if time.monotonic() > end:
                late("no rest", *bad[:40])
            time.sleep(0.05)


# ---- the module ------------------------------------------------------------------------------------

def ko_path():
    """The module under test: $PORTSOCK_KO or the nearest portsock.ko above this directory."""
    if os.environ.get("PORTSOCK_KO"):
        return os.environ["PORTSOCK_KO"]
    where = HERE
    while where != "/":
        for path in (f"{where}/portsock.ko", f"{where}/module/portsock.ko"):
            if os.path.exists(path):
                return path
        where = os.path.dirname(where)
    return None


def loaded():
    return os.path.exists("/sys/module/portsock/refcnt")


def insmod(*params):
    """Returns insmod's exit status and message."""
    done = subprocess.run(("insmod", ko_path()) + params, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if not done.returncode:
        crowd(True)
    return done.returncode, done.stdout.strip()


def rmmod():
    crowd(False)
    done = subprocess.run(("rmmod", "portsock"), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode:
        crowd(True)
    return done.returncode, done.stdout.strip()


def crowd(on):
    """If so asked: CPUs have cells of rows as soon as these are there, or no longer."""
    if CROWD and loaded():
        import slow_ko          # pylint: disable=import-outside-toplevel,cyclic-import
        slow_ko.crowd(on)


def load(*params):
    status, message = insmod(*params)
    if status:
        fail(f"insmod {' '.join(params)}: {message}")


def unload():
    """rmmod, again while somebody reads the file."""
    until(lambda: not loaded() or rmmod()[0] == 0, "rmmod portsock")


def needs_history(test):
    """Mark a test that makes no sense when the module is loaded anew in between: it reads counters by itself."""
    test.needs_history = True
    return test


def rows_that_stay(table):
    """{(proto, port): class} of the rows that are there after another load as well."""
    return {r.key: r.cls for r in table.singles() if r["sockets"] or r["time_wait"]}


def needs_module(test):
    """Mark a test that makes no sense with --oracle."""
    test.needs_module = True
    return test


SHELF = 330                     # more than free objects a CPU may lack (255) and idle rows that have what they need (64)
shelf_ns = None


def fill_shelves():
    """Leave as many free objects on every CPU as the module keeps there, so that only others can differ."""
    global shelf_ns             # pylint: disable=global-statement
    shelf_ns = shelf_ns or Namespace()
    cpus = os.sched_getaffinity(0)
    with shelf_ns:
        for cpu in cpus:
            os.sched_setaffinity(0, {cpu})
            socks = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2 * SHELF)]
            for number, sock in enumerate(socks):
                sock.bind(("127.0.0.1", 1024 + number // 2 if number % 2 else 0))
            for sock in socks:
                sock.close()
    os.sched_setaffinity(0, cpus)
    time.sleep(0.1)             # rows go after a grace period; whoever waits for a number asks again anyway


def objects():
    """{cache: objects in use} of the module's slab caches, counted after the CPUs gave theirs back."""
    fill_shelves()
    with open("/proc/slabinfo", encoding="ascii") as file:
        names = [line.split()[0] for line in file if line.startswith("portsock")]
    if not {"portsock_rec", "portsock_row"} <= set(names):
        fail(f"/proc/slabinfo has no caches portsock_rec and portsock_row (but {names}): the kernel merged them with "
             "others, so that nobody can count what is in them; boot with slab_nomerge")
    for name in names:
        with open(f"/sys/kernel/slab/{name}/shrink", "w", encoding="ascii") as file:
            file.write("1")
    with open("/proc/slabinfo", encoding="ascii") as file:
        return {line.split()[0]: int(line.split()[1]) for line in file if line.startswith("portsock")}


def namespaces():
    """How many network namespaces there are, those included that only a dying socket holds, such as an MPTCP one for a
    minute."""
    with open("/sys/kernel/slab/net_namespace/shrink", "w", encoding="ascii") as file:
        file.write("1")
    with open("/proc/slabinfo", encoding="ascii") as file:
        return 1 + sum(int(line.split()[1]) for line in file if line.startswith("net_namespace "))


def live_namespaces():
    """Inode numbers of those that a process is in, or that this one has a descriptor of."""
    found = set()
    for path in glob.glob("/proc/[0-9]*/ns/net") + glob.glob("/proc/self/fd/*"):
        try:
            name = os.readlink(path)
        except OSError:         # it is gone
            continue
        if name.startswith("net:"):
            found.add(name)
    return found


def objects_at_rest():
    """objects(), once namespaces of earlier tests are gone: they go asynchronously, and nothing tells when. A second of
    the guest's is some dozen grace periods."""
    last, since = objects(), time.monotonic()
    while time.monotonic() - since < 1:
        time.sleep(0.1)
        now = objects()
        if now != last:
            last, since = now, time.monotonic()
    return last


class Churn:
    """churn.c in the background; result() gives the numbers it printed."""

    def __init__(self, *args):
        self.proc = subprocess.Popen((f"{HERE}/churn",) + tuple(map(str, args)), stdin=subprocess.PIPE,
                                     stdout=subprocess.PIPE, text=True, start_new_session=True)

    def wait_line(self, word, deadline=600):
        if not readable(self.proc.stdout, deadline):
            late(f"churn did not say {word} within {deadline} s")
        line = self.proc.stdout.readline()
        if not line.startswith(word):
            fail(f"churn said {line!r} instead of {word}")
        words = line.split()[1:]
        return dict(zip(words[::2], map(int, words[1::2])))

    def stop(self):
        """Stop the workers; the listeners stay until quit()."""
        os.killpg(self.proc.pid, signal.SIGTERM)
        return self.wait_line("done")

    def quit(self):
        self.proc.stdin.close()
        status = self.proc.wait(60)
        self.proc.stdout.close()
        equal(status, 0, "churn's exit status")

    def kill(self):
        if self.proc.poll() is None:
            os.killpg(self.proc.pid, signal.SIGKILL)
            self.proc.wait()
        self.proc.stdin.close()
        self.proc.stdout.close()
