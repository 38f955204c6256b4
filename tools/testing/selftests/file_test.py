# SPDX-License-Identifier: GPL-2.0-only
"""The file as a file: reads of any size, seeks, many readers, no writers."""

import os
import re
import stat

import harness
import portsock
from harness import equal, fail, needs_module, service
from portsock import PATH

ROWS = 150


def mask(text):
    """Times are what moves while nothing moves."""
    return re.sub(rb"(_ms )(\d+)", lambda m: m[1] + b"#" * len(m[2]), text, count=2)


def fill(t):
    for n in range(ROWS):
        a = t.udp() if n % 2 else t.tcp()
        a.bind(("127.0.0.1", 5000 + n))


def whole():
    return mask(portsock.read_text().encode())


def steadily(work):
    """Run work(reference); again when a time got another digit meanwhile, or lost some, and moved everything behind it."""
    while True:
        reference = whole()
        try:
            return work(reference)
        except harness.Failure:
            if len(whole()) == len(reference):
                raise


@needs_module
def test_symlink(t):
    equal(os.readlink(PATH), "self/net/portsock", "link")
    equal(os.stat(PATH).st_ino, os.stat("/proc/self/net/portsock").st_ino, "inode")
    t.expect()


@needs_module
def test_empty_table(t):
    table = t.expect()
    equal([r.line for r in table.rows if r["sockets"]], [], "rows of an empty namespace")
    equal(table.head["netns"], t.ns.inum, "netns")


@needs_module
def test_mode(t):
    equal(stat.filemode(os.stat(PATH).st_mode), "-r--r--r--", "mode")


@needs_module
def test_everybody_reads(t):
    """As nobody, in a namespace of root's."""
    def work():
        os.setgroups([])
        os.setgid(65534)
        os.setuid(65534)
        portsock.read()
        try:
            os.close(os.open(PATH, os.O_WRONLY))
        except PermissionError:
            return
        fail("nobody may open the file for writing")

    t.fork(work)


@needs_module
def test_write_refused(t):
    before = whole()
    try:
        fd = os.open(PATH, os.O_RDWR)
    except OSError:
        return
    try:
        os.write(fd, b"0\n")
    except OSError:
        equal(whole(), before, "file after a refused write")
    else:
        fail("write() succeeded")
    finally:
        os.close(fd)


@needs_module
def test_columns(t):
    columns = portsock.read().columns
    first = ["proto", "port", "class", "sockets", "ipv6", "established", "syn_sent", "syn_recv", "fin_wait1", "fin_wait2",
             "time_wait", "close", "close_wait", "last_ack", "listen", "closing", "opened", "accepted", "connected", "closed", "peak",
             "ports"]
    equal(columns[:len(first)], first, "columns of the first wave")


def port_range(path=portsock.PATH):
    head = portsock.read(path).head
    return head["port_min"], head["port_max"]


@needs_module
def test_range_of_ephemeral_ports(t):
    """Of the namespace that the file shows, whoever reads it; as the sysctl says."""
    with open("/proc/sys/net/ipv4/ip_local_port_range", encoding="ascii") as file:
        equal(port_range(), tuple(map(int, file.read().split())), "range at first")
    for want in ((1024, 65535), (50000, 50000), (32768, 60999)):
        harness.sysctl("net.ipv4.ip_local_port_range", "%d %d" % want)
        equal(port_range(), want, "range after a change")
    harness.sysctl("net.ipv4.ip_local_port_range", "40000 40009")
    child = t.fork(lambda: None)                                # stays here while the test goes elsewhere
    with t.namespace():
        equal(port_range(f"/proc/{child}/net/portsock"), (40000, 40009), "range seen from another namespace")
        equal(port_range(), (32768, 60999), "range of a new namespace")


@needs_module
def test_no_pointers(t):
    fill(t)
    found = re.search(r"[0-9a-f]*[a-f][0-9a-f]{11,}", portsock.read_text())
    equal(found, None, "something like a kernel pointer")


@needs_module
def test_small_reads(t):
    fill(t)

    def work(reference):
        for size in (1, 7, 100, 4095, 4096, 65536):
            with open(PATH, "rb", buffering=0) as file:
                parts = []
                while part := file.read(size):
                    parts.append(part)
            equal(mask(b"".join(parts)) == reference, True, f"the same bytes in reads of {size}")

    steadily(work)


@needs_module
def test_pread(t):
    fill(t)

    def work(reference):
        fd = os.open(PATH, os.O_RDONLY)
        end, times = len(reference), reference.index(b"\n")
        for offset in (end // 2, 0, 1, 4096, end - 1, 100, end - 200, 4095, 4097, end // 3):
            for size in (1, 100, 5000):
                got, part = b"", b"-"
                while len(got) < size and part:                 # a seq_file may give less than it has
                    part = os.pread(fd, size - len(got), offset + len(got))
                    got += part
                if times < offset < end:
                    equal(got == reference[offset:offset + size], True, f"pread({size}, {offset}) gives the file's bytes")
        equal(os.pread(fd, 10, end), b"", "pread() at the end")
        equal(os.pread(fd, 10, end + 100000), b"", "pread() behind the end")
        os.close(fd)

    steadily(work)


@needs_module
def test_seek_and_read_again(t):
    fill(t)
    with open(PATH, "rb", buffering=0) as file:
        first = file.read(1000)
        file.seek(0)
        again = b""
        while part := file.read(100000):
            again += part
        equal(mask(again)[:500], mask(first)[:500], "beginning after lseek(0)")
        a = t.udp()
        a.bind(("127.0.0.1", 4000))                             # a change between two passes over an open file
        file.seek(0)
        third = b""
        while part := file.read(100000):
            third += part
    equal(third.count(b"\nudp 4000 service 1 "), 1, "new row after lseek(0)")
    equal(third.count(b"\n"), again.count(b"\n") + 1, "lines")


@needs_module
def test_rows_come_and_go_under_a_reader(t):
    """No row twice, none left out that was there all the time, and every line whole."""
    fill(t)
    with open(PATH, "rb", buffering=0) as file:
        text = b""
        n = 0
        while part := file.read(256):
            text += part
            a = t.udp() if n % 2 else t.tcp()
            a.bind(("127.0.0.1", 4000 + n % 40 if n % 3 else 5200 + n % 40))
            t.drop(a)
            n += 1
    table = portsock.Table(text.decode())
    missing = [n for n in range(ROWS) if ("udp" if n % 2 else "tcp", 5000 + n) not in table.by_key]
    equal(missing, [], "rows that were there all the time and were not shown")


@needs_module
def test_many_readers(t):
    """Eight processes read while sockets come and go; every single file keeps the format's promises."""
    listener = t.listen(80)

    def work():
        for _ in range(30):
            bad = portsock.read().faults(moving=True)
            if bad:
                os.write(2, ("\n".join(bad) + "\n").encode())
                fail(*bad)

    pids = []
    for _ in range(8):
        pid = os.fork()
        if pid == 0:
            code = 1
            try:
                work()
                code = 0
            finally:
                os._exit(code)
        pids.append(pid)
    for _ in range(200):
        c, s = t.pair(listener)
        harness.reset_on_close(c)
        t.drop(c, s)
    equal([os.waitpid(pid, 0)[1] for pid in pids], [0] * 8, "readers' exit status")
    t.expect(service("tcp", 80, listen=1, accepted=200, closed=200, peak=2), harness.star("tcp", connected=200, closed=200, peak=1))


@needs_module
def test_services_before_ephemeral_ports(t):
    """A reader of services stops at the first ephemeral line."""
    t.listen(30000)
    t.udp().bind(("127.0.0.1", 60000))
    clients = [t.connect(30000) for _ in range(3)]
    t.udp().connect(("127.0.0.1", 60000))
    t.tcp()
    table = portsock.read()
    equal(table.faults(), [], "promises")
    equal([(r.proto, r.port) for r in table.rows if r.cls != "ephemeral" and r["sockets"]],
          [("tcp", 0), ("tcp", 30000), ("udp", 60000)], "services and unbound rows")
    rest = [(r.proto, r.port) for r in table.rows if r.cls == "ephemeral"]
    equal(rest[:5], [("tcp", "*"), ("udp", "*")] + sorted(("tcp", harness.port_of(c)) for c in clients), "totals, then ports")
