# SPDX-License-Identifier: GPL-2.0-only
"""What the benchmarks in the guest share: who watches the sockets, and where results go."""

import json
import os
import re
import signal
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
PORT = 5001                     # loop.c
PERIOD = 20000                  # ns, of latency


def fail(what):
    sys.exit(f"{os.path.basename(sys.argv[0])}: {what}")


def run(*command):
    """What a command prints; it has to succeed."""
    done = subprocess.run(command, stdout=subprocess.PIPE, check=False)
    if done.returncode:
        fail(f"{' '.join(command)} ended with status {done.returncode}")
    return done.stdout.decode()


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def write(path, value):
    with open(path, "w", encoding="utf-8") as file:
        file.write(str(value))


def save(name, results):
    """Results leave the guest as NAME.json."""
    results = dict(results, release=os.uname().release)
    with open(os.path.join(os.environ["PORTSOCK_OUT"], name + ".json"), "w", encoding="utf-8") as file:
        json.dump(results, file, indent=1)


def say(what):
    print(f"[{time.monotonic():6.1f} guest s] {what}", flush=True)


def until(condition, what, seconds=60):
    end = time.monotonic() + seconds
    while not (value := condition()):
        if time.monotonic() > end:
            fail(f"waited {seconds} s in vain: {what}")
        time.sleep(0.05)
    return value


def table():
    """/proc/portsock: its health and its rows of local ports, by (protocol, port)."""
    first, columns, *rows = read("/proc/portsock").splitlines()
    words = first.split()
    names = columns.split()
    rows = [dict(zip(names, row.split())) for row in rows]
    return dict(zip(words[::2], words[1::2])), {(row["proto"], row["port"]): row for row in rows if row["class"] != "remote"}


def until_exact():
    until(lambda: table()[0]["exact"] == "1", "portsock is exact")


def latency(action, *args):
    """Longest delay while something is done."""
    with subprocess.Popen([f"{HERE}/latency", str(PERIOD)], stdout=subprocess.PIPE, text=True) as process:
        process.stdout.readline()
        action(*args)
        process.terminate()
        runs, most = map(int, process.communicate()[0].split())
    if process.returncode or runs < 100:
        fail(f"latency ran {runs} times, status {process.returncode}")
    return most


def walk():
    """Longest delay while portsock looks at all sockets again and again, as kprobes tell it nothing."""
    enabled = "/sys/kernel/debug/kprobes/enabled"
    write(enabled, 0)
    if table()[0]["exact"] != "0":
        fail("portsock is exact without kprobes")
    longest = latency(time.sleep, 5)
    write(enabled, 1)
    until_exact()
    return longest


class Nobody:
    """Nobody watches."""

    def __init__(self, name="bare"):
        self.name = name

    def start(self):
        pass

    def stop(self, made):
        """Ends it, and fails unless it saw all of `made`: numbers of sockets by kind."""


class Floor(Nobody):
    """Empty probes where portsock has its own."""

    def __init__(self):
        super().__init__("floor")
        self.armed = None

    def start(self):
        run("insmod", f"{HERE}/floor.ko")
        self.armed = read("/sys/module/floor/parameters/armed").strip()

    def stop(self, made):
        run("rmmod", "floor")


class Portsock(Nobody):
    """The module, with parameters."""

    def __init__(self, *parameters):
        super().__init__(" ".join(("portsock", *parameters)))
        self.parameters = parameters
        self.armed = None

    def start(self):
        run("insmod", f"{HERE}/portsock.ko", *self.parameters)
        until_exact()
        self.armed = re.findall(r"portsock: .*armed (.*)", run("dmesg"))[-1].strip()

    def stop(self, made):
        health, rows = table()
        accepted = int(rows["tcp", str(PORT)]["accepted"])
        if health["exact"] != "1" or accepted != made["abort"] + made["close"]:
            fail(f"portsock counted {accepted} of {made}: {health}")
        run("rmmod", "portsock")


class Tool(Nobody):
    """A program that tells what it saw: a line for each event, or a map of counts."""

    def __init__(self, name, command, events):
        super().__init__(name)
        self.command, self.events = command, events
        self.process = self.output = None
        self.before = 0

    def start(self):
        self.output = open(f"/tmp/{self.name}", "wb")   # pylint: disable=consider-using-with
        self.process = subprocess.Popen(("stdbuf", "-oL", *self.command), stdout=self.output)   # pylint: disable=consider-using-with
        # Its start waits for a disk, which the guest's clock knows nothing of.
        until(self.sees, f"{self.name} sees a connection", 1000)
        time.sleep(10)
        self.before = self.saw()

    def sees(self):
        run(f"{HERE}/loop", "abort", "1", "1")
        time.sleep(1)
        if self.process.poll() is not None:
            fail(f"{self.name} ended")
        return self.saw()

    def saw(self):
        """Events so far: lines but the first, which names columns."""
        return max(0, len(read(self.output.name).splitlines()) - 1)

    def stop(self, made):
        time.sleep(5)
        self.process.send_signal(signal.SIGINT)
        self.process.wait(timeout=120)
        wanted, got = self.events(made), self.saw() - self.before
        if got != wanted:
            fail(f"{self.name} saw {got} of {wanted} events")


class Bpftrace(Tool):
    """bpftrace says what is in its maps when asked to."""

    def saw(self):
        # SIGUSR1 = 10; before it is caught it would end the program
        if self.process.poll() is None:
            caught = re.search(r"SigCgt:\s*(\w+)", read(f"/proc/{self.process.pid}/status"))
            if not int(caught.group(1), 16) >> 9 & 1:
                return 0
            self.process.send_signal(signal.SIGUSR1)
            time.sleep(2)
        # Maps are printed one after the other; the last print counts.
        last = {}
        for port, state, n in re.findall(r"^@\[(\d+), (\d+)\]: (\d+)$", read(self.output.name), re.MULTILINE):
            last[port, state] = int(n)
        return sum(last.values())


def changes(made):
    """Changes of state: six of a connection that is reset, ten of one that ends in order, two of a listener."""
    return 6 * made["abort"] + 10 * made["close"] + 2 * (made["listen"] + made["loop"])


RIVALS = (
    Tool("tcpstates", ("tcpstates",), changes),
    Tool("tcplife", ("tcplife",), lambda made: 2 * (made["abort"] + made["close"])),
    # Its maps hold 4096 keys unless told otherwise, and lose what comes after.
    Bpftrace("bpftrace", ("env", "BPFTRACE_MAP_KEYS_MAX=65536", "bpftrace", "-e", "tracepoint:sock:inet_sock_set_state "
                          "{ @[args->sport, args->newstate] = count(); }"), changes),
)
