#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""soak.py SECONDS [LOADS] - the guest's half of tools/testing/soak

Traffic of every protocol in three namespaces, namespaces that come and go, stress-ng's socket stressors, and the
module unloaded and loaded LOADS times in the middle of it (2; stress-ng and the namespaces pause for that, since both
wait, hook by hook, until every task has slept). At the end all stands still and every namespace is
compared with the kernel (by `portsock check` and by the oracle of these tests), then all is closed
and the slab caches have to be as full as they were. Exit status 1 when anything differs.
"""

import os
import resource
import shutil
import signal
import socket
import subprocess
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import harness      # pylint: disable=wrong-import-position
import portsock     # pylint: disable=wrong-import-position
import protocols    # pylint: disable=wrong-import-position

AT_HAND = 128 * os.cpu_count()  # free objects that the module may keep
STRESSORS = "sock udp sockabuse sockmany sctp dccp rawsock rawudp ping-sock".split()


def pair_of(proto):
    """A connection over loopback, closed by one side or the other; the listener lives on."""
    kind = {"sctp": (socket.SOCK_STREAM, protocols.IPPROTO_SCTP), "dccp": (protocols.SOCK_DCCP, protocols.IPPROTO_DCCP),
            "mptcp": (socket.SOCK_STREAM, protocols.IPPROTO_MPTCP)}[proto]
    listener = protocols.listening(socket.socket(socket.AF_INET, *kind), 9000)

    def one():
        with socket.socket(socket.AF_INET, *kind) as client:
            client.connect(("127.0.0.1", 9000))
            with listener.accept()[0] as server:
                server.send(b"x")
                client.recv(1)
                if proto != "dccp":
                    harness.reset_on_close(client)
    return one


def datagram(*kind):
    def one():
        with socket.socket(socket.AF_INET, *kind) as sock:
            sock.connect(("127.0.0.1", 9))
        with socket.socket(socket.AF_INET, *kind) as sock:
            sock.bind(("127.0.0.1", 0))
        with socket.socket(socket.AF_INET, *kind) as sock:
            sock.bind(("127.0.0.1", 9001))
    return one


class Figures:
    def __init__(self):
        self.events = self.missed = self.repaired = self.loads = 0

    def take(self, spaces):
        """Before the module goes, or at the end: what it has counted."""
        for space in spaces:
            with space:
                table = portsock.read()
            for row in table.rows:
                if row.cls != "ephemeral" or row.port == "*":
                    self.events += row["opened"] + row["closed"]
        self.missed += table.head["missed"]
        self.repaired += table.head["repaired"]


def signal_group(proc, number):
    try:
        os.killpg(proc.pid, number)
    except ProcessLookupError:
        pass


class Traffic:
    """All of it, each process in a group of its own."""

    def __init__(self, t, seconds):
        self.t, self.procs, self.stress = t, [], None
        self.spaces = harness.namespaces()
        for n, space in enumerate(t.spaces[:3]):
            with space:
                self.run(harness.HERE + "/churn", "-s", n + 1, "-w", 2, "-d", 500)
                for proto in ("sctp", "dccp", "mptcp"):
                    self.fork(lambda proto=proto: pair_of(proto))
                self.fork(lambda: datagram(socket.SOCK_DGRAM, protocols.IPPROTO_UDPLITE))
                self.fork(lambda: datagram(socket.SOCK_DGRAM, socket.IPPROTO_ICMP))
                self.fork(lambda: datagram(socket.SOCK_RAW, 89))
        with t.spaces[3]:
            if shutil.which("stress-ng"):
                # one after the other
                words = [word for name in STRESSORS for word in ("--" + name, "1")]
                self.stress = self.run("stress-ng", "--quiet", "--sequential", "1", "--timeout", max(3, seconds // len(STRESSORS)),
                                       "--temp-path", "/tmp", *words)
        self.namespaces = None

    def run(self, *args):
        self.procs.append(subprocess.Popen(tuple(map(str, args)), stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
                                           stderr=subprocess.DEVNULL, start_new_session=True, preexec_fn=lambda: os.nice(5)))
        return self.procs[-1]

    def fork(self, make):
        pid = os.fork()
        if pid == 0:
            try:
                os.setsid()
                one = make()
                while True:
                    try:
                        one()
                    except OSError:
                        pass                                    # a busy machine refuses now and then
                    time.sleep(0.005)
            finally:
                os._exit(1)
        self.t.children.append(pid)

    def more(self):
        """Namespaces, some at a time, beside all that; once most are gone, as nobody unloads while many go."""
        if self.namespaces and self.namespaces.poll() is None:
            return
        if harness.namespaces() <= self.spaces + 5:
            self.namespaces = subprocess.Popen((harness.HERE + "/flood", "netns", "5"))

    def rest(self, on):
        """Pause what never sleeps."""
        if on and self.namespaces:
            self.namespaces.wait()
        if self.stress:
            signal_group(self.stress, signal.SIGSTOP if on else signal.SIGCONT)

    def stand_still(self):
        self.rest(True)
        for proc in self.procs:
            signal_group(proc, signal.SIGSTOP)
        for pid in self.t.children:
            os.kill(pid, signal.SIGSTOP)

    def end(self):
        for proc in self.procs:
            signal_group(proc, signal.SIGKILL)
            proc.stdin.close()
            proc.wait()
        for pid in list(self.t.children):
            self.t.kill(pid)


def differs(what, problem):
    """Print what is wrong. Returns the number of lines that say so."""
    lines = str(problem).split("\n")
    print(f"not ok - {what}", *lines, sep="\n  ", flush=True)
    return len(lines)


def compare(t, spaces):
    """Returns the number of lines that differ, all namespaces together."""
    drift = 0
    for n, space in enumerate(spaces):
        with space:
            try:
                rows, _ = protocols.same(t)
                print(f"namespace {n}: {sum(e['sockets'] for e in rows.values())} sockets, equal", flush=True)
            except harness.Failure as problem:
                drift += differs(f"namespace {n} against the kernel", problem)
            try:
                harness.reader_agrees()
            except harness.Failure as problem:
                drift += differs(f"namespace {n}", problem)
    return drift


def main():
    seconds = int(sys.argv[1])
    loads = int(sys.argv[2]) if len(sys.argv) > 2 else 2
    resource.setrlimit(resource.RLIMIT_NOFILE, (65536, 65536))
    # rmmod waits until every task has slept, which in all this and emulated may take its time.
    harness.sysctl("kernel.hung_task_timeout_secs", 600)
    subprocess.run(("modprobe", "-a", "sctp", "dccp_ipv4", "dccp_ipv6"), check=False)
    log = harness.KernelLog()
    if not harness.loaded():
        harness.load()
    before = harness.objects()
    figures, drift = Figures(), 0
    with harness.Case(log) as t:
        t.repaired = None
        while len(t.spaces) < 4:
            t.namespace()
        for space in t.spaces:
            with space:
                protocols.allow_ping()
        traffic = Traffic(t, seconds)
        start = time.monotonic()
        while (now := time.monotonic() - start) < seconds:
            traffic.more()
            if now > (figures.loads + 1) * seconds / (loads + 1):
                traffic.rest(True)
                figures.take(t.spaces)
                harness.unload()
                harness.load()
                traffic.rest(False)
                figures.loads += 1
                took = time.monotonic() - start - now
                print(f"[{now:4.0f} s] unloaded and loaded, which took {took:.0f} s", flush=True)
            time.sleep(0.2)
        traffic.stand_still()
        print(f"[{time.monotonic() - start:4.0f} s] all stands still", flush=True)
        # where a load amid all this left no time for the self-test, it is tried again after a minute at most
        harness.until(lambda: portsock.read().head["exact"], "exact 1", 150)
        drift += compare(t, t.spaces)
        figures.take(t.spaces)
        traffic.end()
        drift += compare(t, t.spaces)
    t = None
    try:
        harness.until(lambda: all(n <= before[name] + AT_HAND for name, n in harness.objects().items()), "slab to return", 120)
    except harness.Failure as problem:
        drift += differs("memory", problem)
    print(f"slab {before} -> {harness.objects()}")
    alarms = [line for line in log.lines() if harness.ALARM.search(line)]
    if alarms:
        differs("kernel log", "\n".join(alarms[:20]))
    print(f"{figures.events} events in {seconds} s, {figures.loads} loads in between, drift {drift}, "
          f"missed {figures.missed}, repaired {figures.repaired}")
    bad = drift + len(alarms)
    print(f"{0 if bad else 1} passed, {1 if bad else 0} failed")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
