# SPDX-License-Identifier: GPL-2.0-only
"""Read /proc/portsock, format 1. Columns are found by name, unknown ones are kept as text."""

PATH = "/proc/portsock"

FULL_STATES = ("established", "syn_sent", "syn_recv", "fin_wait1", "fin_wait2", "close",
               "close_wait", "last_ack", "listen", "closing")
STATES = FULL_STATES + ("time_wait",)
GAUGES = ("sockets", "ipv6") + STATES
COUNTERS = ("opened", "accepted", "connected", "closed", "peak")
LISTENER = ("backlog", "backlog_max", "backlog_peak", "listen_drops")
RECEIVER = ("rcv_queue", "rcv_drops")
CONNECTS = ("connect_refused", "connect_timeout", "connect_unreachable", "connect_given_up", "connect_killed")
ENDS = ("resets", "timeouts", "aborts")
MEASURED = ("bytes_rx", "bytes_tx", "ended", "lifetime_ms", "handshakes", "handshake_us", "accepts", "accept_wait_ms", "rtts",
            "rtt_us")
HISTOGRAMS = {"lifetime_log2": "ended", "accept_wait_log2": "accepts"}
BUCKETS = 28
OWNER = ("uid", "cgroup", "pid")
TCP_ONLY = CONNECTS + ("connect_no_port",) + ENDS + ("retrans",) + MEASURED + tuple(HISTOGRAMS)
DEPTH = LISTENER + RECEIVER + TCP_ONLY
# Those whose value is now, and not of what is gone.
NOW = ("backlog", "backlog_max", "rcv_queue")
LISTENING = ("tcp", "sctp", "dccp")
RECEIVING = ("udp", "udplite", "raw", "icmp")
PROTOS = ("tcp", "udp", "udplite", "raw", "icmp", "sctp", "dccp", "mptcp")
CLASSES = ("service", "ephemeral", "unbound", "folded", "remote")
ACCEPTS = ("accepts", "accept_wait_ms", "accept_wait_log2")


class FormatError(Exception):
    """The file does not keep the format's promises."""


def need(condition, message):
    if not condition:
        raise FormatError(message)


class Row:
    """One line: proto, port (int or "*"), cls, and every other column as an attribute of col."""

    def __init__(self, columns, line):
        fields = line.split(None, len(columns) - 1)
        need(len(fields) == len(columns), f"{len(fields)} fields for {len(columns)} columns: {line!r}")
        text = dict(zip(columns, fields))
        need(text["proto"] in PROTOS, f"unknown proto in {line!r}")
        need(text["class"] in CLASSES, f"unknown class in {line!r}")
        self.proto, self.cls = text.pop("proto"), text.pop("class")
        port = text.pop("port")
        need(port == "*" or port.isdigit() and int(port) < 65536, f"bad port in {line!r}")
        self.port = port if port == "*" else int(port)
        self.col = text
        for name in OWNER:
            need(text[name] == "-" or text[name].isdigit(), f"{name} is {text[name]!r} in {line!r}")
            self.col[name] = None if text[name] == "-" else int(text[name])
        unknown = ("peak",) if (self.cls, self.port) == ("remote", "*") else ()
        for name in unknown:
            need(text[name] == "-", f"{name} is {text[name]!r} in {line!r}")
            self.col[name] = None
        for name in (name for name in GAUGES + COUNTERS + ("ports",) if name not in unknown):
            need(text[name].isdigit(), f"{name} is {text[name]!r} in {line!r}")
            self.col[name] = int(text[name])
        for name in DEPTH:
            parts = text[name].split(",")
            need(text[name] == "-" or all(map(str.isdigit, parts)) and len(parts) == (BUCKETS if name in HISTOGRAMS else 1),
                 f"{name} is {text[name]!r} in {line!r}")
            values = None if text[name] == "-" else tuple(map(int, parts))
            self.col[name] = values if name in HISTOGRAMS or values is None else values[0]
        self.line = line

    def answers(self):
        """The columns that have a number in such a row, where all of them may have none."""
        if self.cls == "unbound" or self.cls == "ephemeral" and self.port != "*":
            return ()
        if self.cls == "remote":
            return tuple(name for name in TCP_ONLY if name not in ACCEPTS) if self.proto == "tcp" else ()
        names = LISTENER if self.proto in LISTENING else RECEIVER if self.proto in RECEIVING else ()
        if self.cls == "ephemeral":
            names = names if names == RECEIVER else ()
        names = tuple(name for name in names if self.cls == "service" or name not in NOW)
        if self.proto == "tcp":
            names += tuple(name for name in TCP_ONLY if self.cls == "ephemeral" or name != "connect_no_port")
        return names

    @property
    def key(self):
        """(proto, port); of the two totals of a protocol (proto, "*") is the ephemeral one, (proto, "folded") the other."""
        return self.proto, self.cls if self.cls == "folded" else self.port

    def __getitem__(self, name):
        return self.col[name]


class Table:
    """The parsed file: head (the pairs of line 1), columns, rows in file order. Rows of class remote are apart: remotes,
    by (protocol, remote port)."""

    def __init__(self, text):
        need(text.endswith("\n"), "the last line has no end")
        lines = text[:-1].split("\n")
        need(len(lines) >= 2, f"only {len(lines)} lines")
        words = lines[0].split()
        need(words[:2] == ["portsock", "1"], f"line 1 is {lines[0]!r}")
        need(len(words) % 2 == 0, f"line 1 is not made of pairs: {lines[0]!r}")
        self.head = dict(zip(words[2::2], words[3::2]))
        for key in ("netns", "exact", "missed", "repaired", "untracked", "uptime_ms", "port_min", "port_max", "sample_age_ms",
                    "remote_guessed"):
            need(self.head.get(key, "").isdigit(), f"line 1 lacks {key}: {lines[0]!r}")
            self.head[key] = int(self.head[key])
        self.columns = lines[1].split()
        need(len(set(self.columns)) == len(self.columns), f"a column appears twice: {lines[1]!r}")
        for name in ("proto", "port", "class") + GAUGES + COUNTERS + ("ports",) + DEPTH + OWNER + ("comm",):
            need(name in self.columns, f"no column {name}: {lines[1]!r}")
        need("comm" not in self.columns[:-1], "comm is not the last column")
        self.lines = [Row(self.columns, line) for line in lines[2:]]
        self.rows = [row for row in self.lines if row.cls != "remote"]
        self.by_key = {row.key: row for row in self.rows}
        self.remotes = {row.key: row for row in self.lines if row.cls == "remote"}
        need(len(self.by_key) + len(self.remotes) == len(self.lines), "two rows of one port")
        self.text = text

    def singles(self, proto=None):
        """The rows of one port each, so that sums count nothing twice."""
        return [r for r in self.rows if r.port != "*" and proto in (None, r.proto)]

    def total(self, proto, name, unbound=False):
        """Sum of a counter over the protocol, ports that are gone or were folded included."""
        return sum(r[name] or 0 for r in self.rows if r.proto == proto
                   and (r.cls == "service" or r.port == "*" or unbound and r.cls == "unbound"))

    def faults(self, moving=False):
        """Every promise of the format that needs no oracle. While sockets come and go, rows are read one
        after the other, and only each row by itself adds up."""
        bad = []
        order = [(2, PROTOS.index(r.proto), 65536 if r.port == "*" else r.port) if r.cls == "remote" else
                 (1, PROTOS.index(r.proto), r.cls == "folded") if r.port == "*" else
                 (3 if r.cls == "ephemeral" else 0, PROTOS.index(r.proto), r.port) for r in self.lines]
        if order != sorted(order):
            bad.append("rows are not in order: " + " ".join(f"{r.proto}/{r.port}/{r.cls}" for r in self.lines))
        for r in self.lines:
            name = ("remote " if r.cls == "remote" else "") + " ".join(map(str, r.key))
            full = sum(r[s] for s in FULL_STATES)
            if not full - r["syn_recv"] <= r["sockets"] <= full:
                bad.append(f"{name}: sockets {r['sockets']}, but its states add up to {full}")
            if r["opened"] - r["closed"] != r["sockets"]:
                bad.append(f"{name}: opened {r['opened']} - closed {r['closed']} is not sockets {r['sockets']}")
            if r["accepted"] > r["opened"] or r["connected"] > r["opened"]:
                bad.append(f"{name}: accepted {r['accepted']} or connected {r['connected']} exceed opened {r['opened']}")
            if r["peak"] is not None and not r["sockets"] <= r["peak"] <= r["opened"]:
                bad.append(f"{name}: peak {r['peak']} not between sockets {r['sockets']} and opened {r['opened']}")
            for column in DEPTH:
                if (r[column] is None) == (column in r.answers()):
                    bad.append(f"{name}: {column} is {r[column]}")
            if r.cls != "service" and any(r[column] not in (None, "-") for column in OWNER + ("comm",)):
                bad.append(f"{name}: somebody has a row of class {r.cls}: {r.line}")
            for column, count in HISTOGRAMS.items():
                if r[column] is not None and sum(r[column]) != r[count]:
                    bad.append(f"{name}: {column} adds up to {sum(r[column])}, but {count} is {r[count]}")
            if r["backlog"] and r["backlog"] > r["backlog_peak"]:
                bad.append(f"{name}: backlog {r['backlog']} exceeds backlog_peak {r['backlog_peak']}")
            if r["ipv6"] > r["sockets"]:
                bad.append(f"{name}: ipv6 {r['ipv6']} exceeds sockets {r['sockets']}")
            if (r.port == 0) != (r.cls == "unbound") and r.proto in ("tcp", "udp"):
                bad.append(f"{name}: port and class {r.cls} do not fit")
            if r.cls == "unbound" and r["close"] != r["sockets"]:
                bad.append(f"{name}: unbound sockets in a state other than close")
            if r.port == "*" and r.cls not in ("ephemeral", "folded", "remote") or r.cls == "folded" and r.port != "*":
                bad.append(f"{name}: port {r.port} of class {r.cls}")
            if r.cls == "folded" and (not r["ports"] or any(r[name] for name in GAUGES)):
                bad.append(f"{name}: nothing was folded, or is still there: {r.line}")
            if r.port != "*" and r["ports"] != (r.cls != "unbound"):
                bad.append(f"{name}: ports {r['ports']} of class {r.cls}")
            if r.cls == "ephemeral" and r.port != "*" and not r["sockets"] + r["time_wait"] + r["syn_recv"]:
                bad.append(f"{name}: an ephemeral row outlived its last socket and time_wait")
            if r.cls == "remote" and (r["accepted"] or r["listen"] or r["close"] or r["connected"] != r["opened"]):
                bad.append(f"{name}: a socket that did not connect: {r.line}")
        for cls in ("ephemeral", "remote") if not moving else ():
            bad += self.sum_faults(cls)
        return bad

    def sum_faults(self, cls):
        """Is each total of a class the sum of its rows?"""
        bad = []
        for proto in sorted({r.proto for r in self.lines if r.cls == cls}):
            star = (self.remotes if cls == "remote" else self.by_key).get((proto, "*"))
            if not star:
                bad.append(f"{proto}: {cls} rows without a * row")
                continue
            singles = [r for r in self.lines if (r.proto, r.cls) == (proto, cls) and r.port != "*"]
            for name in GAUGES + ("ports",):
                if star[name] != sum(r[name] for r in singles):
                    bad.append(f"{cls} {proto} *: {name} {star[name]}, its rows add up to {sum(r[name] for r in singles)}")
            for name in COUNTERS[:4] + (star.answers() if cls == "remote" else ()):
                if name not in HISTOGRAMS and star[name] < sum(r[name] or 0 for r in singles):
                    bad.append(f"{cls} {proto} *: {name} {star[name]} is less than its rows' "
                               f"{sum(r[name] or 0 for r in singles)}")
        return bad


def read_text(path=PATH):
    with open(path, "rb", buffering=0) as file:
        parts = []
        while part := file.read(1 << 16):
            parts.append(part)
    return b"".join(parts).decode("utf-8", "backslashreplace")


def read(path=PATH):
    return Table(read_text(path))
