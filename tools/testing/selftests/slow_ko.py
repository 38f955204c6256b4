# SPDX-License-Identifier: GPL-2.0-only
"""slow.ko, another kprobe user, which makes others lose events and holds up what they do."""

import os
import subprocess

from harness import HERE, Skip

SLOW = "/sys/module/slow/parameters/"


def write(path, value):
    with open(path, "w", encoding="ascii") as file:
        file.write(str(value))


def crowd(on):
    """CPUs get cells of whatever somebody comes to, and lose them, all the time."""
    wanted, found = ("portsock_want", "portsock_netns_spread", "portsock_spread_look"), {}
    with open("/proc/kallsyms", encoding="ascii") as file:
        for line in file:
            address, _, name, *module = line.split()
            if module == ["[portsock]"] and name in wanted:
                found[name] = address
    if not os.path.exists(SLOW):
        subprocess.run(("insmod", HERE + "/slow/slow.ko"), check=True)
    write(SLOW + "crowd", " ".join(found[name] for name in wanted) if on else "\n")


class Slow:
    """slow.ko, another kprobe user, for as long as it lasts."""

    def __enter__(self):
        self.here = os.path.exists(SLOW)
        if not self.here:
            subprocess.run(("insmod", HERE + "/slow/slow.ko"), check=True)
        return self

    def __exit__(self, *unused):
        os.sched_setaffinity(0, range(os.cpu_count()))
        if not self.here:
            subprocess.run(("rmmod", "slow"), check=True)

    def lose(self, what, sock, port=0):
        """Do this to a socket so that no kprobe sees it."""
        write(SLOW + "lose", f"{what} {sock.fileno()} {port}")

    def hold_up_sockets(self, usecs):
        """Let each socket() take so long."""
        write(SLOW + "usecs", usecs)

    def hold_up_children(self, usecs):
        """Let the making of each child of a TCP listener take so long."""
        write(SLOW + "child_usecs", usecs)

    def children(self):
        """How many children were or are held up."""
        with open(SLOW + "children", encoding="ascii") as file:
            return int(file.read())

    def hold_up_load(self, symbol, usecs, passes=0):
        """Hold insmod or rmmod up behind its first call of this function, or behind a later one, until let_load()."""
        write(SLOW + "load", f"{symbol} {usecs} {passes}")

    def begin(self, *command):
        """Begins insmod or rmmod, which is to be held up, on a processor of its own: with PREEMPT_RT timers of whoever
        slept there last do not expire meanwhile."""
        os.sched_setaffinity(0, {0})
        return subprocess.Popen(command, preexec_fn=lambda: os.sched_setaffinity(0, {1}))

    def others_run(self):
        """To be called first where something is to happen while a load is held up."""
        if os.uname().release.startswith("5.10."):
            raise Skip("here nothing else runs while insmod or rmmod is held up: kretprobes take a lock with interrupts off")

    def let_load(self):
        write(SLOW + "load", "\n")

    def load_held(self):
        """0, 1 while it is held up, 2 once it was."""
        with open(SLOW + "load_held", encoding="ascii") as file:
            return int(file.read())

    def count_calls(self, function):
        write(SLOW + "calls", function)

    def calls(self):
        """How often that function was called since."""
        with open(SLOW + "calls", encoding="ascii") as file:
            return int(file.read())

    def accept(self, listener):
        """The kernel accepts a connection for itself. With None it closes the one before."""
        write(SLOW + "accept", listener.fileno() if listener else -1)

    def witness(self):
        """{symbol: (hits, missed)} of its own kprobes."""
        with open(SLOW + "witness", encoding="ascii") as file:
            return {symbol: (int(hits), int(missed)) for symbol, hits, missed in map(str.split, file)}
