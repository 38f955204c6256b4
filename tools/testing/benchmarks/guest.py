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
    """/proc/portsock: its health and its rows by (protocol, port)."""
    first, columns, *rows = read("/proc/portsock").splitlines()
    words = first.split()
    names = columns.split()
    rows = [dict(zip(names, row.split())) for row in rows]
    return dict(zip(words[::2], words[1::2])), {(row["proto"], row["port"]): row for row in rows}


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
    """The module."""

    def __init__(self):
        super().__init__("portsock")
        self.armed = None

    def start(self):
        run("insmod", f"{HERE}/portsock.ko")
        until(lambda: table()[0]["exact"] == "1", "portsock is exact")
        self.armed = re.findall(r"portsock: .*armed (.*)", run("dmesg"))[-1].strip()

    def stop(self, made):
        health, rows = table()
        accepted = int(rows["tcp", str(PORT)]["accepted"])
        if health["exact"] != "1" or accepted != made["abort"] + made["close"]:
            fail(f"portsock counted {accepted} of {made}: {health}")
        run("rmmod", "portsock")


class Tool(Nobody):
    """A program that prints a line for what it saw, or at its end."""

    def __init__(self, name, command, lines, seconds=60):
        super().__init__(name)
        self.command, self.lines, self.seconds = command, lines, seconds
        self.process = self.output = None

    def start(self):
        self.output = open(f"/tmp/{self.name}", "wb")   # pylint: disable=consider-using-with
        self.process = subprocess.Popen(self.command, stdout=self.output)   # pylint: disable=consider-using-with
        time.sleep(self.seconds)
        if self.process.poll() is not None:
            fail(f"{self.name} ended at once")

    def stop(self, made):
        time.sleep(5)
        self.process.send_signal(signal.SIGINT)
        self.process.wait(timeout=120)
        self.output.close()
        wanted, got = self.lines(made), sum(map(int, self.count(read(self.output.name))))
        if got < wanted:
            fail(f"{self.name} saw {got} of {wanted} events")
        say(f"{self.name} saw {got} events; {wanted} at least were expected")

    def count(self, text):
        """One for each line; for bpftrace what its map says."""
        return re.findall(r"^@\[.*\]: (\d+)$", text, re.MULTILINE) or [1] * len(text.splitlines())


def connections(made):
    return made["abort"] + made["close"]


RIVALS = (
    Tool("tcpstates", ("stdbuf", "-oL", "tcpstates"), lambda made: 2 * connections(made)),
    Tool("tcplife", ("stdbuf", "-oL", "tcplife"), connections),
    Tool("bpftrace", ("bpftrace", "-e", "tracepoint:sock:inet_sock_set_state "
                      "{ @[args->sport, args->newstate] = count(); }"), connections),
)
