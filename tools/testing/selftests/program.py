# SPDX-License-Identifier: GPL-2.0-only
"""Random programs: operations on sockets, processes and namespaces, written down before any of them is run.

A seed gives the same program on every kernel, as nothing that a kernel answers goes into it. Operations name what
they work on by number; where that is not there, or of another kind, there is nothing to do, so that any part of
a program is a program as well.
"""

import socket
import struct
import typing

import protocols

SPACES = 3                      # network namespaces
PROCESSES = 5                   # at most
THINGS = 40                     # sockets, at most
BATCHES = (20, 120, 240, 400)    # operations between two comparisons

STREAMS = ("tcp", "sctp", "dccp", "mptcp")
RANGES = ((32768, 60999), (32768, 60999), (40000, 40007), (4998, 5009))
SERVICES = range(5000, 5006)
CLOSED = 9                      # nobody listens there
ECHO = {False: bytes((8, 0, 0, 0, 0, 0, 0, 1)), True: bytes((128, 0, 0, 0, 0, 0, 0, 1))}

# How often, relative to each other. A batch leaves some out and prefers others.
ALWAYS = {"socket": 14, "bind": 9, "listen": 7, "connect": 14, "accept": 10, "close": 9}
SOMETIMES = {"send": 6, "sendto": 4, "receive": 4, "shutdown": 5, "disconnect": 7, "option": 7, "linger": 4, "fastopen": 3,
             "peeloff": 2, "unlisten": 2, "addrform": 2, "pass": 4, "take": 3, "setns": 2, "fork": 1, "exec": 0.3, "kill": 0.6, "end": 0.5,
             "range": 1, "destroy": 0.8, "unprobe": 0.08, "unload": 0.02}

# What gives sockets to another process, or takes them.
PROCESSES_COME = ("spawn", "fork", "exec", "kill", "pass", "take")

OPTIONS = {
    "SO_REUSEADDR": (socket.SOL_SOCKET, socket.SO_REUSEADDR, 1),
    "SO_REUSEPORT": (socket.SOL_SOCKET, socket.SO_REUSEPORT, 1),
    "IP_BIND_ADDRESS_NO_PORT": (socket.IPPROTO_IP, 24, 1),
    "IP_LOCAL_PORT_RANGE 41000-41003": (socket.IPPROTO_IP, 51, struct.pack("=I", 41000 | 41003 << 16)),
    "IPV6_V6ONLY": (socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1),
    "TCP_FASTOPEN": (socket.IPPROTO_TCP, 23, 16),
    "TCP_FASTOPEN_CONNECT": (socket.IPPROTO_TCP, 30, 1),
    "SO_LINGER 0": (socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)),
    "IPV6_ADDRFORM": (socket.IPPROTO_IPV6, 1, socket.AF_INET),
}


class Operation(typing.NamedTuple):
    """One line of a program. beside: it need not wait until the one before is done."""
    name: str
    process: int = 0            # who does it; 0: the driver
    thing: int = 0              # the socket
    args: tuple = ()
    beside: bool = False

    def __str__(self):
        words = ["& " if self.beside else "  ", f"p{self.process}: " if self.process else "", self.name]
        words += [f" s{self.thing}"] if self.thing else []
        words += [f" port of s{arg[0]}" if isinstance(arg, tuple) else f" {arg}" for arg in self.args]
        return "".join(words)


class Thing:
    """A socket as the program expects it to be."""

    def __init__(self, number, proto, v6, many, space, process, inherit):
        self.number, self.proto, self.v6, self.many, self.space = number, proto, v6, many, space
        self.holders, self.inherit = {process}, inherit
        self.listening = self.used = self.bound = False
        self.waiting = 0        # for accept()
        self.mapped = False     # connected to an IPv4 address, as an IPv6 socket


class Program:
    """Writes itself with the help of a random generator."""

    def __init__(self, random, operations):
        self.random, self.operations = random, []
        self.things, self.processes, self.spaces = {}, {}, list(range(1, SPACES + 1))
        self.mail = {}          # by process: things on their way
        self.gone = None        # a module that was removed
        self.number = 0         # of the last thing
        self.last_process, self.last_space = 0, SPACES
        self.spawn()
        self.spawn()
        while len(self.operations) < operations:
            self.batch()

    def add(self, name, process=0, thing=0, *args):
        self.operations.append(Operation(name, process, thing, args, bool(process) and self.random.random() < 0.35))
        return True

    def batch(self):
        protos = [proto for proto in protocols.PRESENT if self.random.random() < 0.4] or ["tcp"]
        self.protos = protos + ["tcp"] * (self.random.random() < 0.5)
        weights = {name: weight * self.random.choice((1, 1, 2)) for name, weight in ALWAYS.items()}
        weights |= {name: weight * self.random.choice((0, 1, 1, 3)) for name, weight in SOMETIMES.items()}
        end = len(self.operations) + self.random.choice(BATCHES)
        while len(self.operations) < end:
            name, = self.random.choices(list(weights), list(weights.values()))
            if len(self.things) >= THINGS and name in ("socket", "accept", "peeloff"):
                name = "close"
            getattr(self, "write_" + name)()
        if self.gone:
            self.write_probe()
        self.add("rest")

    # what there is to choose from

    def chance(self, probability):
        return self.random.random() < probability

    def process(self):
        return self.random.choice(list(self.processes))

    def some(self, fits, always=False):
        """(a process, a thing that it holds): mostly one that fits."""
        held = [t for t in self.things.values() if t.holders & self.processes.keys()]
        fitting = [t for t in held if fits(t)]
        if not fitting and (always or self.chance(0.7)):
            return None
        if fitting and (always or self.chance(0.85)):
            held = fitting
        if not held:
            return None
        thing = self.random.choice(held)
        return self.random.choice(sorted(thing.holders & self.processes.keys())), thing

    def target(self, thing):
        """(address, port) to send or connect to."""
        if thing.proto in ("raw", "icmp"):
            return "::1" if thing.v6 else "127.0.0.1", 0
        group = ("tcp", "mptcp") if thing.proto in ("tcp", "mptcp") else (thing.proto,)
        near = [t for t in self.things.values() if t.proto in group and t.space == thing.space and t is not thing]
        servers = [t for t in near if t.listening]
        port = CLOSED
        if servers and self.chance(0.85):
            server = self.random.choice(servers)
            server.waiting += 1
            port = (server.number,)
        elif near and self.chance(0.7):
            port = (self.random.choice(near).number,)
        if thing.v6:
            return self.random.choice(("::1", "::1", "::ffff:127.0.0.1")), port
        return self.random.choice(("127.0.0.1", "127.0.0.1", "127.0.0.2")), port

    def new(self, process, proto, v6, many, space, inherit=False):
        self.number += 1
        thing = self.things[self.number] = Thing(self.number, proto, v6, many, space, process, inherit)
        return thing

    def drop(self, thing, process):
        thing.holders.discard(process)
        if not thing.holders and not any(thing.number in way for way in self.mail.values()):
            self.things.pop(thing.number, None)

    # sockets

    def write_socket(self):
        proto = self.random.choice(self.protos)
        if proto == self.gone:
            return False
        process = self.process()
        v6, inherit = self.chance(0.5), self.chance(0.3)
        many = proto == "sctp" and self.chance(0.3)
        thing = self.new(process, proto, v6, many, self.processes[process], inherit)
        thing.bound = proto == "raw"
        words = ["many"] * many + ["inherit"] * inherit + [self.random.choice((89, 90))] * (proto == "raw")
        return self.add("socket", process, thing.number, proto, 6 if v6 else 4, *words)

    def write_bind(self):
        if not (found := self.some(lambda t: not t.bound and not t.used)):
            return False
        process, thing = found
        if thing.proto in ("raw", "icmp"):
            address = "::1" if thing.v6 else "127.0.0.1"
            port = self.random.choice((0, 7, 8)) if thing.proto == "icmp" else 0
        else:
            address = self.random.choice(("::1", "::", "::ffff:127.0.0.1") if thing.v6 else ("127.0.0.1", "127.0.0.2", "0.0.0.0"))
            near = [t for t in self.things.values() if t.proto == thing.proto and t.space == thing.space and t is not thing]
            port = self.random.choice(SERVICES)
            if self.chance(0.35):
                port = 0
            elif near and self.chance(0.15):
                port = (self.random.choice(near).number,)
        thing.bound = True
        return self.add("bind", process, thing.number, address, port)

    def write_listen(self):
        if not (found := self.some(lambda t: t.proto in STREAMS and not t.used and not t.listening, always=self.chance(0.9))):
            return False
        process, thing = found
        if thing.proto not in STREAMS:
            return False
        backlog = self.random.choice((0, 1, 1, 4, 16))
        thing.listening = thing.bound = True
        return self.add("listen", process, thing.number, max(1, backlog) if thing.proto == "sctp" else backlog)

    def write_unlisten(self):
        if not (found := self.some(lambda t: t.proto == "sctp" and t.listening, always=True)):
            return False
        process, thing = found
        thing.listening = False
        return self.add("listen", process, thing.number, 0)

    def write_connect(self):
        if not (found := self.some(lambda t: not t.listening and not t.used)):
            return False
        process, thing = found
        thing.used = not thing.listening
        address, port = self.target(thing)
        thing.mapped = "." in address and thing.v6
        return self.add("connect", process, thing.number, address, port)

    def write_fastopen(self):
        if not (found := self.some(lambda t: t.proto == "tcp" and not t.listening and not t.used, always=True)):
            return False
        process, thing = found
        thing.used = True
        return self.add("fastopen", process, thing.number, *self.target(thing))

    def write_disconnect(self):
        if not (found := self.some(lambda t: t.used)):
            return False
        process, thing = found
        if thing.proto == "sctp":
            return False
        thing.used = thing.listening = False
        return self.add("disconnect", process, thing.number)

    def write_accept(self):
        if not (found := self.some(lambda t: t.listening and not t.many and t.waiting, always=self.chance(0.95))):
            return False
        process, thing = found
        thing.waiting = max(0, thing.waiting - 1)
        child = self.new(process, thing.proto, thing.v6, False, thing.space)
        child.used = child.bound = True
        return self.add("accept", process, thing.number, (child.number,))

    def write_peeloff(self):
        if not (found := self.some(lambda t: t.many, always=True)):
            return False
        process, thing = found
        child = self.new(process, thing.proto, thing.v6, False, thing.space)
        child.used = child.bound = True
        return self.add("peeloff", process, thing.number, (child.number,))

    def write_send(self):
        if not (found := self.some(lambda t: t.used and t.proto != "raw", always=True)):
            return False
        return self.add("send", found[0], found[1].number)

    def write_sendto(self):
        if not (found := self.some(lambda t: t.proto in ("udp", "udplite", "icmp") or t.many, always=True)):
            return False
        process, thing = found
        thing.bound = True
        return self.add("sendto", process, thing.number, *self.target(thing))

    def write_receive(self):
        if not (found := self.some(lambda t: t.used)):
            return False
        return self.add("receive", found[0], found[1].number)

    def write_shutdown(self):
        if not (found := self.some(lambda t: t.used and t.proto in STREAMS)):
            return False
        process, thing = found
        how = self.random.choice((socket.SHUT_RD, socket.SHUT_WR, socket.SHUT_WR, socket.SHUT_RDWR))
        if how != socket.SHUT_WR:
            thing.listening = False
        return self.add("shutdown", process, thing.number, how)

    def write_close(self):
        if not (found := self.some(lambda t: True)):
            return False
        process, thing = found
        self.drop(thing, process)
        return self.add("close", process, thing.number)

    def write_option(self):
        if not (found := self.some(lambda t: not t.bound and not t.used)):
            return False
        process, thing = found
        name = self.random.choice([n for n in OPTIONS if n not in ("SO_LINGER 0", "IPV6_ADDRFORM")
                                   and (thing.v6 or n != "IPV6_V6ONLY") and (thing.proto == "tcp" or "TCP" not in n)])
        return self.add("option", process, thing.number, name)

    def write_linger(self):
        """close() will send a reset; mostly at once."""
        if not (found := self.some(lambda t: t.proto in STREAMS and t.used, always=True)):
            return False
        process, thing = found
        self.add("option", process, thing.number, "SO_LINGER 0")
        if self.chance(0.7):
            self.drop(thing, process)
            self.add("close", process, thing.number)
        return True

    def write_addrform(self):
        if not (found := self.some(lambda t: t.mapped and t.proto in ("tcp", "udp", "udplite"), always=True)):
            return False
        return self.add("option", found[0], found[1].number, "IPV6_ADDRFORM")

    # processes

    def spawn(self):
        self.last_process += 1
        self.processes[self.last_process] = self.spaces[0]
        self.mail[self.last_process] = []
        return self.add("spawn", 0, 0, self.last_process)

    def write_fork(self):
        if len(self.processes) >= PROCESSES:
            return False
        parent = self.process()
        self.last_process += 1
        child = self.last_process
        self.processes[child] = self.processes[parent]
        self.mail[child] = []
        for thing in self.things.values():
            if parent in thing.holders:
                thing.holders.add(child)
        return self.add("fork", parent, 0, child)

    def leave(self, process):
        """The process takes no orders any more."""
        del self.processes[process]
        way = self.mail.pop(process)
        for number in way:
            if number in self.things:
                self.drop(self.things[number], process)
        if len(self.processes) < 2:
            self.spawn()

    def write_exec(self):
        process = self.process()
        self.add("exec", process)
        for thing in list(self.things.values()):
            if process in thing.holders and not thing.inherit:
                self.drop(thing, process)
        self.leave(process)
        return True

    def write_kill(self):
        holders = {p for t in self.things.values() for p in t.holders} | self.processes.keys()
        process = self.random.choice(sorted(holders))
        self.add("kill", 0, 0, process)
        for thing in list(self.things.values()):
            self.drop(thing, process)
        if process in self.processes:
            self.leave(process)
        return True

    def write_pass(self):
        if not (found := self.some(lambda t: True)):
            return False
        process, thing = found
        to = self.process()
        if len(self.mail[to]) < 6:
            self.mail[to].append(thing.number)
            self.add("pass", process, thing.number, to)
            if self.chance(0.5):
                self.drop(thing, process)
                self.add("close", process, thing.number)
        return True

    def write_take(self):
        process = self.process()
        for number in self.mail[process]:
            if number in self.things:
                self.things[number].holders.add(process)
        self.mail[process].clear()
        return self.add("take", process)

    # the world around

    def write_setns(self):
        process, space = self.process(), self.random.choice(self.spaces)
        self.processes[process] = space
        return self.add("setns", process, 0, space)

    def write_end(self):
        """A namespace loses its name, and everybody in it moves; what it has of sockets keeps it a while. A new one comes."""
        old = self.random.choice(self.spaces)
        self.last_space += 1
        self.spaces[self.spaces.index(old)] = self.last_space
        for process, space in self.processes.items():
            if space == old:
                self.processes[process] = self.last_space
        return self.add("end", 0, 0, old, self.last_space)

    def write_range(self):
        return self.add("range", 0, 0, self.random.choice(self.spaces), *self.random.choice(RANGES))

    def write_destroy(self):
        if not (found := self.some(lambda t: t.proto in ("tcp", "udp") and (t.bound or t.used), always=True)):
            return False
        return self.add("destroy", 0, found[1].number)

    def write_unprobe(self):
        """A module goes while none of its sockets are there."""
        if self.gone:
            return self.write_probe()
        names = [name for name in ("sctp", "dccp") if name in protocols.PRESENT]
        if not names:
            return False
        name = self.random.choice(names)
        for thing in list(self.things.values()):
            if thing.proto == name:
                for process in sorted(thing.holders & self.processes.keys()):
                    self.add("close", process, thing.number)
                    self.drop(thing, process)
        self.gone = name
        return self.add("unprobe", 0, 0, name)

    def write_probe(self):
        self.add("probe", 0, 0, self.gone)
        self.gone = None
        return True

    def write_unload(self):
        """The module under test goes, and is loaded before the next comparison."""
        return self.add("unload")
