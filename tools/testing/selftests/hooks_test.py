# SPDX-License-Identifier: GPL-2.0-only
"""Hooks that do not fire. Compilers inline functions and give others new names; here the module gets another name
written where that of a function stands: of none, as if it were gone, or of one that is never called, as if it were
inlined where it matters. What is not seen is named in the kernel log, and the table does not claim to be exact."""

import contextlib
import os
import re
import socket
import subprocess
import tempfile
import time

import diag
import harness
import portsock
import protocols
from harness import equal, fail, ip, needs_module, port_of, service, unload, until
from protocols import PRESENT, icmp, mptcp, raw
from slow_ko import Slow

GONE = "no_such_fn"
SILENT = "tcp_abort"                                            # for `ss -K` only


def image():
    with open(harness.ko_path(), "rb") as file:
        return file.read()


def hashdance():
    """The kernel has one of these."""
    return next(s for s in ("inet_twsk_hashdance", "inet_twsk_hashdance_schedule") if f"{s}\0".encode() in image())


def sayings(t):
    """What the module has said in the kernel log since it was last read."""
    return [line for line in t.log.lines() if line.startswith("portsock: ") and "taint" not in line]


def load(t, replace=None):
    """Loads the module, with other names in place of those of functions. Returns what it said in the kernel log."""
    t.repaired = None
    unload()
    changed = image()
    for old, new in (replace or {}).items():
        changed, found = re.subn(rb"(?<!\w)%b\0" % old.encode(), new.encode().ljust(len(old) + 1, b"\0"), changed)
        equal((found > 0, len(new) <= len(old)), (True, True), f"{old} is in the module, and {new} is not longer")
    t.log.lines()
    with tempfile.TemporaryDirectory() as directory:
        with open(f"{directory}/portsock.ko", "wb") as file:
            file.write(changed)
        done = subprocess.run(("insmod", file.name), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    said = sayings(t)
    if done.returncode:
        fail(f"insmod: {done.stdout.strip()}", *said)
    return said


def exact():
    return portsock.read().head["exact"]


def complaints(said):
    return [line for line in said if "version" not in line]


def check_complaint(said, *words):
    """There is just one, with these words."""
    found = complaints(said)
    equal([len(found)] + [word for word in words if word not in found[0]], [1], f"complaints in {found}, words not in it")


@needs_module
def test_all_fire(t):
    """And nothing is left of the sockets that made them. Orphans of the tests before may end meanwhile: none is new."""
    sockstat = open("/proc/1/net/sockstat", encoding="ascii")   # the first namespace's

    def sockets():
        sockstat.seek(0)
        found = {}
        for line in sockstat:
            proto, numbers = line.split(": ")
            words = numbers.split()
            found |= {f"{proto} {name}": int(value) for name, value in zip(words[::2], words[1::2])
                      if proto != "FRAG" and name != "mem"}
        found["TCP alloc"] -= found["TCP orphan"]
        return found, found.pop("TCP orphan")

    with sockstat:
        unload()
        until(lambda: not sockets()[0]["TCP tw"], "the last TIME_WAIT of others", 90)
        before, orphans = sockets()
        start = time.monotonic()
        said = load(t)
        t.notes.append(f"{time.monotonic() - start:.2f} s")
        equal(exact(), 1, "exact")
        if not protocols.UNSEEN:
            equal(complaints(said), [], "complaints")
        after, left = sockets()
        equal(after, before, "sockets")
        if left > orphans:
            fail(f"orphans: {left}, where there were {orphans}")


@needs_module
def test_each_protocol_is_watched(t):
    """Or else it is named in the kernel log, and the table does not claim to be exact once there is a socket of it."""
    makers = {"udplite": protocols.udplite, "mptcp": mptcp}     # DCCP comes as a module, which has sockets of its own
    unseen = {proto for line in complaints(load(t)) if "a socket of " in line for proto in line.split("a socket of ")[1].split()}
    equal(unseen, set(protocols.UNSEEN), "protocols of which not all is seen")
    equal(exact(), 1, "exact without sockets of these")
    for proto in makers.keys() & protocols.UNSEEN:
        load(t)
        sock = makers[proto](t)
        equal(exact(), 0, f"exact with a socket of {proto}")
        t.drop(sock)


@needs_module
def test_core_hook_that_is_silent(t):
    """Each of them is missed, and named."""
    for symbol in ("inet_bind_hash", "inet_csk_get_port", "tcp_fastopen_defer_connect", "inet_put_port", "udp_lib_unhash",
                   "ip4_datagram_release_cb", "ip6_datagram_release_cb", "sk_common_release", "security_sock_graft",
                   "security_socket_post_create", hashdance()):
        said = load(t, {symbol: SILENT})
        found = complaints(said)
        equal(any(f"{SILENT} is not called; the table will not claim to be exact" in line for line in found), True,
              f"{symbol} is silent, and that is said ({found})")
        equal(exact(), 0, f"exact while {symbol} is silent")
        t.notes.append(f"{symbol}: {'; '.join(found)}")
    time.sleep(3)
    equal(exact(), 0, "exact, later")


@needs_module
def test_core_hook_that_is_gone(t):
    try:
        load(t, {"inet_bind_hash": GONE})
    except harness.Failure as failure:
        equal(f"cannot hook {GONE}: error -2; not loaded" in str(failure), True, f"the reason ({failure})")
    else:
        fail("loaded without inet_bind_hash()")


@needs_module
def test_end_of_time_wait_is_seen_another_way(t):
    """inet_twsk_bind_unhash() is inlined by clang."""
    for name in (SILENT, GONE):
        said = load(t, {"inet_twsk_bind_unhash": name})
        check_complaint(said, name)
        equal(exact(), 1, "exact")
        with t.namespace():
            listener = t.listen(80)
            c, s = t.pair(listener)
            port = port_of(c)
            t.end(s, c)
            t.expect(service("tcp", 80, listen=1, time_wait=1, accepted=1, closed=1, peak=2),
                     harness.star("tcp", connected=1, closed=1, peak=1))
            c = t.tcp()
            c.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            c.bind(("127.0.0.1", port))                         # its SYN ends it
            t.connect(80, sock=c)
            s = t.accept(listener)
            harness.reset_on_close(c)
            t.drop(c, s)
            t.check_snmp = False
            t.expect(service("tcp", 80, listen=1, accepted=2, closed=2, peak=2), service("tcp", port, connected=1, closed=1, peak=1),
                     harness.star("tcp", connected=1, closed=1, peak=1))
            t.drop(listener)
    said = load(t, {"inet_twsk_bind_unhash": SILENT, "tcp_twsk_destructor": SILENT})
    equal((len(complaints(said)), exact()), (2, 0), f"complaints ({said}), exact without either")


@needs_module
def test_optional_protocols_cost_their_own_exactness(t):
    """From the first socket of such a protocol on."""
    protocols.allow_ping()
    for symbol, proto, make in (("mptcp_copy_inaddrs", "mptcp", mptcp), ("mptcp_destroy", "mptcp", mptcp),
                                ("raw_hash_sk", "raw", lambda t: raw(t, 80)), ("ping_unhash", "icmp", icmp)):
        if proto not in PRESENT:
            continue
        said = load(t, {symbol: GONE})
        check_complaint(said, f"cannot hook {GONE}", f"once there is a socket of {proto}")
        t.listen(80)
        t.udp()
        equal(exact(), 1, f"exact without {symbol}() and without a socket of {proto}")
        sock = make(t)
        equal(exact(), 0, f"exact without {symbol}() and with a socket of {proto}")
        said = load(t, {symbol: GONE})                          # one that was there before
        equal(exact(), 0, f"exact without {symbol}() and with a socket of {proto} that is older than the module")
        t.drop(*t.sockets)
        del sock
    for symbol, lines in (("__udp_disconnect", ("udplite", "udplite raw icmp")), ("raw_unhash_sk", ("raw",)),
                          ("mptcp_destroy", ("mptcp",))):
        if not set(lines[-1].split()) & set(PRESENT):
            continue
        said = complaints(load(t, {symbol: SILENT}))
        equal([(SILENT in line, line.split("once there is a socket of ")[-1]) for line in said],
              [(True, protos) for protos in lines], f"complaints ({said})")
        equal(exact(), 1, f"exact while {symbol}() is silent, without a socket of {lines[-1]}")


@contextlib.contextmanager
def first_namespace():
    """That in which the module tries its hooks."""
    home, first = (os.open(f"/proc/{pid}/ns/net", os.O_RDONLY) for pid in ("self", 1))
    harness.check(harness.libc.setns(first, harness.CLONE_NEWNET), "setns")
    try:
        yield
    finally:
        harness.check(harness.libc.setns(home, harness.CLONE_NEWNET), "setns")
        os.close(first)
        os.close(home)


@needs_module
def test_stranger_on_its_port(t):
    """Somebody connects to the trial's listener before its own client does."""
    t.repaired = None
    with Slow() as slow, first_namespace():
        slow.others_run()
        unload()
        slow.hold_up_load("inet_listen", 3000000, passes=1)     # that of an unbound socket comes first
        with slow.begin("insmod", harness.ko_path()) as insmod:
            until(slow.load_held, "insmod to listen")
            listeners = [port for port, state, _ in protocols.proc_lines("tcp") if diag.STATE[state] == "listen"]
            equal(len(listeners), 1, "listeners")
            stranger = t.connect(listeners[0])
            equal(slow.load_held(), 1, "insmod is held up still when that has connected")
            slow.let_load()
        equal(insmod.returncode, 0, "insmod's status")
    equal(complaints(sayings(t)), [], "complaints")
    equal(exact(), 1, "exact")
    t.drop(stranger)
    t.same()


@needs_module
def test_without_loopback_the_trial_comes_later(t):
    """Until then the table does not claim to be exact."""
    with first_namespace():
        ip("link", "set", "lo", "down")
    try:
        said = load(t)
        check_complaint(said, "could be tried over loopback")
        time.sleep(3)
        equal(exact(), 0, "exact while lo is down")
        listener = t.listen(80)
    finally:
        with first_namespace():
            ip("link", "set", "lo", "up")
    until(exact, "exact once lo is up")
    equal([line for line in t.log.lines() if line.startswith("portsock: ")], ["portsock: self-test: done now"],
          "the kernel log")
    t.expect(service("tcp", 80, listen=1))
    t.drop(listener)
