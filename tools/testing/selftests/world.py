# SPDX-License-Identifier: GPL-2.0-only
"""Runs the operations of program.py in fresh network namespaces and processes, counts what succeeded, and compares.

The model is what the calls' results say of the totals of each namespace and protocol: how many sockets came to hold a
port (opened), by connect() (connected), by accept() (accepted). Where a result leaves it open, such as when a port
turns from ephemeral to service, the model is an interval; each comparison narrows it to what the file says. Gauges have
no model: the kernel's tables say what they are.
"""

import errno
import marshal
import os
import shutil
import signal
import socket
import tempfile

import diag
import harness
import portsock
import protocols
import queues
import remotes
import worker
from program import ECHO, OPTIONS, STREAMS, Operation

PR_SET_CHILD_SUBREAPER = 36
KINDS = {"tcp": (socket.SOCK_STREAM, socket.IPPROTO_TCP), "udp": (socket.SOCK_DGRAM, socket.IPPROTO_UDP),
         "udplite": (socket.SOCK_DGRAM, protocols.IPPROTO_UDPLITE), "sctp": (socket.SOCK_STREAM, protocols.IPPROTO_SCTP),
         "dccp": (protocols.SOCK_DCCP, protocols.IPPROTO_DCCP), "mptcp": (socket.SOCK_STREAM, protocols.IPPROTO_MPTCP)}
NAMES = {kind[1]: proto for proto, kind in KINDS.items()}
DOUBTFUL = ("dccp",)            # in CLOSE it may name a port that it has given back
DATAGRAMS = ("udp", "udplite", "raw", "icmp")
MOVING = {number for number, name in diag.STATE.items() if name in ("fin_wait1", "last_ack", "closing")}
BY_TIMERS = ("time_wait", "syn_recv")           # what may go while it is looked at
ATTEMPTS = 3                                    # comparisons of these; all else is right at once, and the oracle, which
                                                # copies descriptors, introduces sockets that were missed to the module
TOGETHER = 6                                    # operations under way at a time

# connect() that did not begin: nothing of it reaches the port
NOT_BEGUN = {errno.EISCONN, errno.EALREADY, errno.EINVAL, errno.EAFNOSUPPORT, errno.ENETUNREACH, errno.EOPNOTSUPP, errno.EPIPE}
BEGUN = {0, errno.EINPROGRESS, errno.ECONNREFUSED, errno.ECONNRESET}

MANY = float("inf")


class Space:
    """A namespace, and what the calls say of its totals: {(protocol, name): [least, most]}."""

    def __init__(self, t):
        self.ns, self.counts, self.ranges = t.namespace(), {}, [(32768, 60999)]
        self.passive, self.resets, self.mptcp = 0, 0, False
        with self.ns:
            protocols.allow_ping()
            harness.sysctl("net.ipv4.tcp_fastopen", 0x207)

    def count(self, proto, name, least, most=None):
        entry = self.counts.setdefault((proto, name), [0, 0])
        entry[0] += least
        entry[1] += least if most is None else most


class Process:
    def __init__(self, number, pid, space):
        self.number, self.pid, self.space = number, pid, space
        self.pidfd = os.pidfd_open(pid)
        self.listens = True     # takes orders

    def end(self):
        try:
            os.kill(self.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass

    def wait(self):
        harness.until(lambda: harness.readable(self.pidfd, 1), f"process {self.pid} to end")
        os.close(self.pidfd)
        try:
            os.waitpid(self.pid, 0)
        except ChildProcessError:
            pass


class Thing:
    """A socket.

    holders: {process: descriptor}, with the process below zero while it is on its way there
    hold: "asked" for its port by number, "given" one, "connect" (has or had the one that connect() or accept() brought),
        "maybe", or None
    counted: is this hold in `connected`? None: maybe
    defers: its connect() may wait for the first data
    connects: it has called connect()
    older: it was there when the module was loaded, which may have taken its port for an ephemeral one
    """

    def __init__(self, proto, v6, many, space, inode):
        self.proto, self.v6, self.many, self.space, self.inode = proto, v6, many, space, inode
        self.holders, self.inherited, self.port, self.hold = {}, set(), 0, None
        self.counted = self.connecting = False
        self.listening = self.associated = self.shares = self.defers = self.connects = self.older = False

    def count(self, name, least, most=None):
        self.space.count(self.proto, name, least, most)


class World:
    """Where one program runs."""

    def __init__(self, t):
        self.t, self.skipped, self.done, self.late, self.at = t, 0, 0, 0, 0
        self.home = tempfile.mkdtemp()
        self.answers = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.answers.bind(self.home + "/driver")
        self.told = os.pipe() + os.pipe()
        self.processes, self.things, self.spaces, self.waiting = {}, {}, {}, []
        harness.check(harness.libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0), "prctl")
        for number in range(1, 4):
            self.spaces[number] = Space(t)
        self.base()

    def close(self):
        for process in self.processes.values():
            process.end()
        for process in self.processes.values():
            process.wait()
        for space in self.spaces.values():
            self.t.spaces.remove(space.ns)
            space.ns.close()
        for fd in self.told:
            os.close(fd)
        self.answers.close()
        shutil.rmtree(self.home)
        harness.check(harness.libc.prctl(PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0), "prctl")

    def base(self):
        """From here on the file counts."""
        head = portsock.read().head
        self.t.repaired = head["repaired"]
        self.missed = head["missed"]

    # orders and answers

    def run(self, operations):
        for self.at, op in enumerate(operations):
            if not op.beside or len(self.waiting) == TOGETHER or self.touches(op):
                self.collect()
            self.begin(op)
        self.collect()

    def touches(self, op):
        """Does it work on something that operations under way work on, too?"""
        busy = {thing for other in self.waiting for thing in (other.thing, *self.made(other)) if thing}
        return bool(busy & {op.thing, *self.made(op)})

    @staticmethod
    def made(op):
        return [arg[0] for arg in op.args if isinstance(arg, tuple)]

    def begin(self, op):
        run = getattr(self, "run_" + op.name, None)
        if run:
            self.collect()
            done = run(op) is not False
            self.done += done
            self.skipped += not done
            return
        process, thing = self.processes.get(op.process), self.things.get(op.thing)
        order = None
        fd = thing.holders.get(op.process) if thing else None
        if process and process.listens and (fd is not None or not op.thing or op.name == "socket"):
            order = getattr(self, "order_" + op.name)(op, process, thing, fd)
        if order is None:
            self.skipped += 1
            return
        self.done += 1
        self.tell(process, *order)
        self.waiting.append(op)

    def tell(self, process, *order):
        order = [int(word) if isinstance(word, int) else word for word in order]   # marshal knows no enumerations
        self.answers.sendto(marshal.dumps(order), f"{self.home}/orders{process.number}")

    def hear(self):
        if not harness.readable(self.answers, harness.DEADLINE):
            harness.fail("a process does not answer: " + "; ".join(map(str, self.waiting)))
        number, code, value = marshal.loads(self.answers.recv(65536))
        if code == -1:
            raise RuntimeError(value)
        return number, code, value

    def collect(self):
        """Wait for what is under way, and count it."""
        answers = {}
        for _ in self.waiting:
            number, code, value = self.hear()
            answers.setdefault(number, []).append((code, value))
        waiting, self.waiting = self.waiting, []
        for op in waiting:
            code, value = answers[op.process].pop(0)
            thing = self.things.get(op.thing)
            ended = getattr(self, "ended_" + op.name, None)
            if ended:
                ended(op, self.processes[op.process], thing, code, value)
            if thing and thing.hold not in ("asked", "given"):
                protocols.BOUND.pop(thing.inode, None)

    def ask(self, process, *order):
        self.tell(process, *order)
        return self.hear()[1:]

    def port(self, arg):
        """A port that is stated, or that of a socket; None when that is gone."""
        if not isinstance(arg, tuple):
            return arg
        return self.things[arg[0]].port if arg[0] in self.things else None

    def target(self, thing, arg):
        """The port to connect to, unless a SYN may find a connect() there that waits for the first data.

        Kernels take that for both connecting at once, though the other side never sent its SYN; when it is closed and its FIN
        gets no answer, half of them by chance warn in __tcp_retransmit_skb(). 5.10, 6.1 and 7.3 do, with the module and without.
        """
        port = self.port(arg)
        waits = any(other.defers and not other.listening and other is not thing and (other.space, other.port) == (thing.space, port)
                    for other in self.things.values())
        return None if waits and thing.proto in ("tcp", "mptcp") else port

    # sockets: what the process is told, and what its answer means

    def order_socket(self, op, process, _thing, _fd):
        proto, number, *words = op.args
        v6 = number == 6
        if proto == "raw":
            kind = socket.SOCK_RAW, words[-1]
        elif proto == "icmp":
            kind = socket.SOCK_DGRAM, socket.IPPROTO_ICMPV6 if v6 else socket.IPPROTO_ICMP
        else:
            kind = KINDS[proto]
        if "many" in words:
            kind = socket.SOCK_SEQPACKET, kind[1]
        return "socket", protocols.family(v6), *kind, "inherit" in words

    def ended_socket(self, op, process, _thing, code, value):
        if code:
            return
        fd, inode, _ = value
        thing = self.things[op.thing] = Thing(op.args[0], op.args[1] == 6, "many" in op.args, process.space, inode)
        thing.holders[op.process] = fd
        if "inherit" in op.args:
            thing.inherited.add(op.process)
        if thing.proto == "raw":
            thing.hold = "asked"
            thing.count("opened", 1)
        thing.space.mptcp |= thing.proto == "mptcp"

    def was_ephemeral(self, thing, port):
        """May sockets on this port have been given it? They count once more when it becomes a service."""
        older = [other.port for other in self.things.values() if other.older and (other.space, other.proto) ==
                 (thing.space, thing.proto)]
        return thing.proto == "icmp" or port in older or any(low <= port <= high for low, high in thing.space.ranges)

    def is_shared(self, thing):
        """May others be on its port? The kernel chooses one that such of another family or address have."""
        return any(other is not thing and (other.space, other.proto, other.port) == (thing.space, thing.proto, thing.port)
                   for other in self.things.values())

    def order_bind(self, op, _process, _thing, fd):
        port = self.port(op.args[1])
        return None if port is None else ("bind", fd, op.args[0], port)

    def ended_bind(self, op, _process, thing, code, port):
        if code or thing.proto == "raw":
            return
        thing.port = port
        if port:
            asked = self.port(op.args[1]) != 0
            self.came(thing)
            thing.hold = "asked" if asked else "given"
            if thing.proto == "mptcp" and (asked or thing.associated):
                protocols.BOUND[thing.inode] = port
            if asked and self.was_ephemeral(thing, port):
                thing.count("opened", 0, MANY)

    def came(self, thing):
        thing.count("opened", *((0, 1) if thing.hold == "maybe" else (1,)))
        thing.counted = None if thing.hold == "maybe" else False
        thing.hold = "given"

    def order_listen(self, op, _process, thing, fd):
        return ("listen", fd, op.args[0]) if thing.proto in STREAMS else None

    def ended_listen(self, op, _process, thing, code, port):
        thing.associated |= thing.proto in DOUBTFUL
        if thing.proto == "sctp" and not op.args[0]:
            thing.listening = thing.listening and code != 0
            return
        # bind() of SCTP leaves a port ephemeral that the kernel may choose
        chosen = thing.hold in ("given", "maybe") or thing.hold == "asked" and thing.proto == "sctp"
        if chosen and not thing.listening or thing.shares or thing.older:
            thing.count("opened", 0, MANY)      # the port may turn service
        if code:
            if thing.hold is None or thing.hold == "connect":
                thing.count("opened", 0, 1)
                thing.hold = "maybe"
            return
        thing.port, thing.listening = port, True
        if thing.hold in (None, "connect"):
            thing.hold = None
            self.came(thing)
            if self.is_shared(thing):
                thing.count("opened", 0, MANY)      # the port, which the kernel chose, turns service

    def order_connect(self, op, _process, thing, fd):
        port = self.target(thing, op.args[1])
        return None if port is None else ("connect", fd, op.args[0], port)

    def ended_connect(self, _op, _process, thing, code, value):
        thing.connects = True
        code, port = (code, thing.port) if code else value
        thing.port = port or thing.port
        if thing.proto in ("tcp", "dccp", "mptcp"):
            self.connected(thing, code)
            return
        self.has(thing, port)
        if thing.proto == "sctp":
            if not thing.many and not thing.counted and code not in NOT_BEGUN:
                thing.count("connected", code == 0 and thing.counted is False, 1)
                thing.counted = True if code == 0 else None
        elif code == 0 and thing.hold and not thing.counted:
            thing.count("connected", thing.counted is False, 1)
            # not if it was connected when the module was loaded, and only then
            thing.counted = True if thing.counted is False else None

    def has(self, thing, port):
        """A socket of a protocol whose getsockname() tells the truth."""
        if thing.proto == "raw":
            return
        if port and thing.hold in (None, "maybe"):
            self.came(thing)
        elif not port:
            thing.hold, thing.counted = None, False
        thing.port = port

    def connected(self, thing, code):
        """connect() of a protocol with a handshake. A second one says what became of the first."""
        if thing.connecting:
            thing.connecting = code in (errno.EALREADY, errno.EINPROGRESS)
            return
        thing.associated |= thing.proto in DOUBTFUL
        if code in NOT_BEGUN:
            return
        least = int(code in BEGUN and thing.connecting is False)
        thing.associated = True
        if thing.hold == "asked":
            if not thing.counted:
                thing.count("connected", least and thing.counted is False, 1)
                thing.counted = True if least else None
        else:
            new = thing.hold in (None, "connect")
            thing.count("opened", least if new else 0, 0 if thing.hold == "given" else 1)
            thing.count("connected", least, 1)
            thing.hold = "connect" if least or new else "maybe"
        if thing.proto == "dccp":
            thing.count("opened", 0, 1)
            thing.count("accepted", 0, 1)
        thing.connecting = code == errno.EINPROGRESS or (None if thing.defers else False)

    def order_fastopen(self, op, _process, thing, fd):
        port = self.target(thing, op.args[1])
        return None if port is None or thing.proto != "tcp" else ("send", fd, b"fast", harness.MSG_FASTOPEN, op.args[0], port)

    def ended_fastopen(self, _op, _process, thing, _code, value):
        code, port = value
        thing.port = port or thing.port
        self.connected(thing, code)
        thing.connecting = thing.connecting or code == 0

    def order_disconnect(self, _op, _process, thing, fd):
        return None if thing.proto == "sctp" else ("disconnect", fd)

    def ended_disconnect(self, _op, _process, thing, code, _port):
        thing.associated |= thing.proto in DOUBTFUL
        if code:
            return
        idle = thing.proto in ("tcp", "dccp", "mptcp") and thing.hold in ("given", "maybe") and not thing.listening
        thing.connecting = thing.listening = False
        if thing.proto == "raw":
            thing.hold = None
        elif thing.hold != "asked" and not idle:            # what was in CLOSE changes nothing
            thing.hold, thing.counted = None, False

    def order_accept(self, _op, _process, thing, fd):
        return ("accept", fd) if thing.listening else None

    def ended_accept(self, op, process, thing, code, value):
        if code:
            return
        fd, inode, number = value
        child = self.things[op.args[0][0]] = Thing(NAMES[number], thing.v6, False, thing.space, inode)
        child.holders[process.number] = fd
        child.hold, child.associated, child.port = "connect", True, thing.port
        if child.proto == "sctp":
            child.count("opened", 1)
            may_go_out = thing.many or thing.connects               # then the association is its own, handed out
            child.count("accepted", not may_go_out, 1)
            child.count("connected", 0, int(may_go_out))
            child.counted = True                # for this hold it is one that was accepted, whatever it connects to

    def order_peeloff(self, _op, _process, thing, fd):
        return ("peeloff", fd) if thing.many else None

    def ended_peeloff(self, op, process, thing, code, value):
        if not code:
            self.ended_accept(op, process, thing, code, value)
            thing.count("opened", 0, MANY)      # what was given its port is a service now

    def order_send(self, _op, _process, thing, fd):
        return "send", fd, ECHO[thing.v6] if thing.proto == "icmp" else b"data", 0

    def order_sendto(self, op, _process, thing, fd):
        port = self.port(op.args[1])
        if port is None or thing.proto in STREAMS and not thing.many:
            return None
        return "send", fd, ECHO[thing.v6] if thing.proto == "icmp" else b"data", 0, op.args[0], port

    def ended_send(self, _op, _process, thing, _code, value):
        if thing.proto not in ("tcp", "dccp", "mptcp"):
            self.has(thing, value[1])
        elif thing.proto == "dccp" and thing.hold not in ("asked", "given"):
            thing.count("opened", 0, 1)         # unlike TCP it is given a port, though it has nobody to send to
            thing.hold = thing.hold or "maybe"

    ended_sendto = ended_send

    def order_receive(self, _op, _process, _thing, fd):
        return "receive", fd

    def order_shutdown(self, op, _process, _thing, fd):
        return "shutdown", fd, op.args[0]

    def ended_shutdown(self, op, _process, thing, code, _value):
        thing.associated |= thing.proto in DOUBTFUL
        if code:
            return
        if thing.listening and op.args[0] != socket.SHUT_WR and thing.proto in ("tcp", "dccp", "mptcp"):
            thing.listening = False
            thing.hold = "asked" if thing.hold == "asked" else None
        if thing.connecting:
            thing.connecting = None

    def order_option(self, op, _process, _thing, fd):
        return "option", fd, *OPTIONS[op.args[0]]

    def ended_option(self, op, _process, thing, code, _value):
        thing.shares |= "REUSE" in op.args[0]
        thing.defers |= op.args[0] == "TCP_FASTOPEN_CONNECT"
        if not code and op.args[0] == "IPV6_ADDRFORM":
            thing.v6 = False

    def order_close(self, op, _process, thing, fd):
        self.leaves(op.thing, op.process)
        return "close", fd

    def leaves(self, number, *holders):
        thing = self.things[number]
        for holder in holders:
            thing.holders.pop(holder, None)
            thing.inherited.discard(holder)
        if not thing.holders:
            del self.things[number]

    # processes

    def run_spawn(self, op):
        number = op.args[0]
        pid = os.fork()
        if pid == 0:
            try:
                self.answers.close()
                signal.signal(signal.SIGCHLD, signal.SIG_IGN)
                server = worker.Worker(self.home, number, self.told)
                server.answer(0)
                server.serve()
            finally:
                os._exit(1)
        self.hear()
        process = self.processes[number] = Process(number, pid, None)
        self.enter(process, min(self.spaces))

    def enter(self, process, number):
        space = self.spaces[number]
        code, _ = self.ask(process, "setns", f"/proc/{os.getpid()}/fd/{space.ns.fd}")
        harness.equal(code, 0, "setns: error")
        process.space = space

    def run_fork(self, op):
        process = self.listener(op.process)
        if not process:
            return False
        self.tell(process, "fork", op.args[0])
        answers = {number: value for number, _, value in (self.hear(), self.hear())}
        self.processes[op.args[0]] = Process(op.args[0], answers[op.process], process.space)
        for thing in self.things.values():
            if op.process in thing.holders:
                thing.holders[op.args[0]] = thing.holders[op.process]
            if op.process in thing.inherited:
                thing.inherited.add(op.args[0])
        return True

    def listener(self, number):
        process = self.processes.get(number)
        return process if process and process.listens else None

    def run_exec(self, op):
        process = self.listener(op.process)
        if not process:
            return False
        self.tell(process, "exec")
        if not harness.readable(self.told[0], harness.DEADLINE):
            harness.fail(f"process {op.process} does not say that exec() is over")
        harness.equal(os.read(self.told[0], 100).split(), [b"%d" % op.process], "what exec() leads to")
        process.listens = False
        for number, thing in list(self.things.items()):
            keeps = op.process in thing.inherited
            self.leaves(number, -op.process, *() if keeps else (op.process,))
        return True

    def run_kill(self, op):
        process = self.processes.get(op.args[0])
        if not process:
            return False
        if any(-process.number in thing.holders for thing in self.things.values()):
            self.take(process)                  # what is on its way to a process that dies goes later, and nobody tells when
        del self.processes[process.number]
        process.end()
        process.wait()
        for number in list(self.things):
            self.leaves(number, process.number, -process.number)
        return True

    def order_pass(self, op, _process, _thing, fd):
        return ("pass", fd, op.args[0], op.thing) if self.listener(op.args[0]) else None

    def ended_pass(self, op, _process, thing, code, _value):
        if not code:
            thing.holders[-op.args[0]] = None   # on its way to that process

    def run_take(self, op):
        process = self.listener(op.process)
        if process:
            self.take(process)
        return bool(process)

    def take(self, process):
        for number, fd in self.ask(process, "take")[1]:
            thing = self.things[number]
            thing.holders.pop(-process.number, None)
            if process.number in thing.holders:
                self.ask(process, "close", fd)
            else:
                thing.holders[process.number] = fd

    # the world around

    def run_setns(self, op):
        process = self.listener(op.process)
        if not process or op.args[0] not in self.spaces:
            return False
        self.enter(process, op.args[0])
        return True

    def run_end(self, op):
        old, new = op.args
        if old not in self.spaces:
            return False
        self.spaces[new] = Space(self.t)
        space = self.spaces.pop(old)
        for process in self.processes.values():
            if process.space is space and process.listens:
                self.enter(process, new)
        self.t.spaces.remove(space.ns)
        space.ns.close()
        return True

    def run_range(self, op):
        number, low, high = op.args
        if number not in self.spaces:
            return False
        space = self.spaces[number]
        with space.ns:
            harness.sysctl("net.ipv4.ip_local_port_range", f"{low} {high}")
        space.ranges.append((low, high))
        return True

    def run_destroy(self, op):
        """What ss -K does, with all sockets on the port of one."""
        thing = self.things.get(op.thing)
        if not thing or not thing.port or thing.proto not in ("tcp", "udp") or thing.space not in self.spaces.values():
            return False
        with thing.space.ns:
            protocols.destroy(KINDS[thing.proto][1], thing.port)
        for other in self.things.values():
            if (other.space, other.proto, other.port) == (thing.space, thing.proto, thing.port):
                other.hold = "maybe" if other.hold == "given" else other.hold
                other.listening = other.listening and other.proto != "tcp"
        return True

    def run_unprobe(self, op):
        """Remove a protocol's module, if nobody uses it."""
        names = [name for name in protocols.MODULES[op.args[0]] if os.path.exists("/sys/module/" + name)]
        if any(thing.proto == op.args[0] for thing in self.things.values()) or not names:
            return False
        held = 2 * len(harness.live_namespaces())   # by control sockets; those of namespaces that are going went first
        if any(protocols.references(name) != held for name in names if name in ("sctp", "dccp_ipv4", "dccp_ipv6")):
            return False
        protocols.remove(*names)
        return True

    def run_probe(self, op):
        protocols.modprobe(*protocols.MODULES[op.args[0]])

    def run_unload(self, _op):
        if harness.loaded():
            harness.unload()

    def opens_and_resets(self):
        """What the kernel has counted, and the file is compared with: {space: (PassiveOpens, EstabResets)}."""
        counted = {}
        for space in self.spaces.values():
            with space.ns:
                snmp = diag.snmp()
                counted[space] = snmp["PassiveOpens"], snmp["EstabResets"]
        return counted

    def load(self):
        """Counters begin again, with what is there; what was counted as connected may be so once more."""
        after = {}

        def still():
            nonlocal after
            harness.unload()
            before = self.opens_and_resets()
            harness.load()
            after = self.opens_and_resets()
            return before == after

        harness.until(still, "a load while no connection came or was reset")
        self.base()
        for space in self.spaces.values():
            space.counts = {(proto, "opened"): [0, MANY] for proto in portsock.PROTOS}
            space.passive, space.resets = after[space]
        for thing in self.things.values():
            # one that is connected and connects again is not counted
            thing.counted = None if thing.proto in DATAGRAMS else False
            thing.older = thing.proto in ("sctp", "mptcp")

    # comparing

    def run_rest(self, _op):
        for process in self.processes.values():
            if process.listens:
                self.take(process)
        if not harness.loaded():
            self.load()
        while self.tidy():
            pass
        for number, space in self.spaces.items():
            with space.ns:
                self.compare(f"n{number}", space)

    def tidy(self):
        """Close DCCP sockets in CLOSE, for want of an oracle. Returns how many; others may have become so by that."""
        lost = 0
        for space in self.spaces.values():
            things = {n: thing for n, thing in self.things.items() if thing.proto == "dccp" and thing.associated
                      and thing.space is space}
            if not things:
                continue
            with space.ns:
                alive = {e.inode for family in protocols.FAMILIES for e in protocols.dump(family, KINDS["dccp"][1])
                         if diag.STATE.get(e.state) != "close"}
            for number, thing in things.items():
                if number in self.things and thing.inode not in alive:
                    self.lose(number)
                    lost += 1
        return lost

    def lose(self, number):
        """Close all descriptors of a socket, with the processes that take no orders."""
        for holder, fd in list(self.things[number].holders.items()):
            if self.listener(holder):
                self.ask(self.processes[holder], "close", fd)
                self.leaves(number, holder)
            else:
                self.run_kill(Operation("kill", 0, 0, (holder,)))

    @staticmethod
    def entries():
        """What sock_diag lists of protocols whose sockets move by themselves, as far as it may not move here."""
        numbers = [socket.IPPROTO_TCP] + [KINDS[proto][1] for proto in ("sctp", "dccp", "mptcp") if proto in protocols.PRESENT]
        return [(number, family, e) for number in numbers for family in protocols.FAMILIES
                for e in protocols.dump(family, number)]

    @staticmethod
    def still(entries):
        """To compare two dumps by, with the states of SCTP's associations. TIME_WAIT sockets may go in between."""
        found = {(number, family, e.state, e.port, e.peer, e.inode) for number, family, e in entries
                 if not e.mini or diag.STATE.get(e.state) == "syn_recv"}
        try:
            with open("/proc/net/sctp/assocs", encoding="ascii") as file:
                return found | {tuple(line.split()[:5]) for line in file.readlines()[1:]}
        except FileNotFoundError:
            return found

    @staticmethod
    def moving(entries):
        """FINs on their way whose answer is not there. One that had to be sent again is stuck and stands still long enough."""
        return [f"tcp {e.port} to {e.peer}: {diag.STATE[e.state]}" for number, _, e in entries
                if number == socket.IPPROTO_TCP and e.state in MOVING and not e.mini and e.timer == 1 and not e.retransmits]

    def compare(self, name, space):
        wrong, bad, moving = 0, [], []

        def equal():
            nonlocal wrong, bad, moving
            before = self.entries()
            moving, old = self.moving(before), self.still(before)
            if moving:
                return False
            peers = remotes.oracle()
            table, passive = portsock.read(), diag.snmp()["PassiveOpens"]
            rows, waiting = protocols.oracle(), queues.oracle()
            faults = self.t.faults(table, peers)                # asks the kernel as well
            moving = list(map(str, old ^ self.still(self.entries())))
            if moving:
                return False
            bad = self.gauges(table, rows, before) + queues.differences(table, waiting) + self.totals(space, table, passive)
            bad += faults
            if table.head["missed"] != self.missed:
                bad.append(f"missed: got {table.head['missed']}, expected {self.missed}")
            if bad:
                wrong += 1 if all(any(f": {name}: got" in line for name in BY_TIMERS) for line in bad) else ATTEMPTS
            return not bad or wrong >= ATTEMPTS

        try:
            harness.until(equal, f"sockets of {name} to come to rest")
        except harness.Failure as failure:
            harness.fail(str(failure), *moving)
        if bad:
            harness.fail(*(f"{name}: {line}" for line in bad[:20]))
        self.late += wrong

    @staticmethod
    def gauges(table, rows, before):
        upper = {key: dict(entry) for key, entry in rows.items()}
        for entry in upper.values():
            entry["time_wait"] = 0
        for number, _, e in before:
            if e.mini and diag.STATE.get(e.state) != "syn_recv":
                upper.setdefault((NAMES[number], e.port), diag.row())["time_wait"] += 1
        return protocols.differences(table, rows, upper=upper)

    def totals(self, space, table, passive):
        """The file's totals against the calls'. What is equal is where the next comparison begins."""
        space.count("tcp", "accepted", passive - space.passive)
        space.count("tcp", "opened", passive - space.passive)
        space.passive = passive
        bad = []
        ends, resets = sum(table.total("tcp", name) for name in portsock.ENDS), diag.snmp()["EstabResets"] - space.resets
        if ends != resets:
            bad.append(f"tcp *: ends: got {ends}, expected {resets} (by EstabResets)")
        for proto in protocols.PRESENT:
            for name in ("opened", "accepted", "connected"):
                least, most = space.counts.get((proto, name), (0, 0))
                got = table.total(proto, name)
                if space.mptcp and (proto == "mptcp" or proto == "tcp" and name != "accepted"):
                    least, most = 0, MANY       # subflows come without calls
                if not least <= got <= most:
                    bad.append(f"{proto} *: {name}: got {got}, expected {least}" + (f" to {most}" if most != least else "") +
                               " (by the calls)")
                else:
                    space.counts[proto, name] = [got, got]
        return bad
