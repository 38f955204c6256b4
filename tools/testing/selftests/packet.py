# SPDX-License-Identifier: GPL-2.0-only
"""A TCP peer made of single packets, so that a socket can be left in any state for as long as a test wants.

The namespace gets the address HERE on lo and a route for 10.9.0.0/16 to lo. Nobody lives behind that
route: what the kernel sends there is dropped, and only Peer objects answer, one segment at a time.
"""

import socket
import struct
import time

import harness

HERE = "10.8.0.1"
FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16
ETH_P_IP = 0x0800
PACKET_OUTGOING = 4


def checksum(data):
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def set_up():
    """Prepare the current namespace."""
    for where in ("all", "lo"):
        harness.sysctl(f"net.ipv4.conf.{where}.rp_filter", 0)
    harness.ip("address", "add", HERE + "/32", "dev", "lo")
    harness.ip("route", "add", "10.9.0.0/16", "dev", "lo", "src", HERE)


class Peer:
    """One connection of 10.9.x.y:port with the kernel's port `theirs` at HERE."""

    def __init__(self, case, theirs, port=1000, addr="10.9.0.1"):
        self.sock = case.keep(socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(ETH_P_IP)))
        self.sock.bind(("lo", ETH_P_IP))
        self.theirs, self.port, self.addr = theirs, port, addr
        self.snd, self.rcv = 1_000_000, 0
        self.stamp = None

    def send(self, flags, data=b"", seq=None, options=b""):
        src, dst = socket.inet_aton(self.addr), socket.inet_aton(HERE)
        seq = self.snd if seq is None else seq
        head = struct.pack("!HHIIBBHHH", self.port, self.theirs, seq & 0xffffffff,
                           self.rcv & 0xffffffff if flags & ACK else 0, (20 + len(options)) << 2, flags, 65535, 0, 0)
        tcp = head + options + data
        pseudo = src + dst + struct.pack("!BBH", 0, socket.IPPROTO_TCP, len(tcp))
        tcp = tcp[:16] + struct.pack("!H", checksum(pseudo + tcp)) + tcp[18:]
        ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(tcp), 0, 0, 64, socket.IPPROTO_TCP, 0, src, dst)
        ip = ip[:10] + struct.pack("!H", checksum(ip)) + ip[12:]
        self.sock.sendto(ip + tcp, ("lo", ETH_P_IP, 0, 1, b"\0" * 6))
        if seq == self.snd:
            self.snd += len(data) + bool(flags & SYN) + bool(flags & FIN)

    def wait(self, flags):
        """Wait for a segment with these flags from the kernel and take over its sequence number."""
        end = time.monotonic() + harness.DEADLINE
        while True:
            if not harness.readable(self.sock, end - time.monotonic()):
                harness.late(f"the kernel did not send a segment with flags {flags:#x} to {self.addr}:{self.port}")
            packet, where = self.sock.recvfrom(65536)
            if where[2] == PACKET_OUTGOING or packet[9] != socket.IPPROTO_TCP:
                continue
            tcp = packet[(packet[0] & 15) * 4:]
            sport, dport, seq, _, offset, got = struct.unpack_from("!HHIIBB", tcp)
            if packet[16:20] != socket.inet_aton(self.addr) or dport != self.port or got & flags != flags:
                continue
            self.theirs = sport
            length = len(tcp) - (offset >> 4) * 4
            self.rcv = seq + length + bool(got & SYN) + bool(got & FIN)
            return got

    def open(self):
        """Handshake as the active side."""
        self.send(SYN)
        self.wait(SYN | ACK)
        self.send(ACK)

    def answer(self):
        """Handshake as the passive side of the kernel's connect()."""
        self.wait(SYN)
        self.send(SYN | ACK)
        self.send(ACK)
