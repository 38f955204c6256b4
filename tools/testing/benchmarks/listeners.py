#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""How long nobody else gets the processor, by how many listeners one port has. Anybody may have so many, each on
an address of its own."""

import resource
import socket
import time

import guest

PORT = 6001
NUMBERS = (1, 100000)
RM, IN = ["rmmod", "portsock"], ["insmod", f"{guest.HERE}/portsock.ko"]


def add(sockets):
    i = len(sockets)
    sock = socket.socket()
    sock.bind((f"127.{1 + (i >> 16)}.{i >> 8 & 255}.{i & 255}", PORT))
    sock.listen()
    sockets.append(sock)


def listen(sockets, n):
    while len(sockets) < n:
        add(sockets)
    _, rows = guest.table()
    if (got := int(rows["tcp", str(PORT)]["listen"])) != n:
        guest.fail(f"{n} sockets listen, the file says {got}")


def reads():
    for _ in range(10):
        guest.read("/proc/portsock")


def one_more(sockets):
    for _ in range(10):
        add(sockets)
        sockets.pop().close()


def delays(sockets):
    return {"nothing": guest.latency(time.sleep, 1),
            "reading": guest.latency(reads),
            "one listener comes and goes": guest.latency(one_more, sockets),
            "walks over all sockets": guest.walk(),
            "rmmod": guest.latency(guest.run, *RM),
            "one listener comes and goes, without portsock": guest.latency(one_more, sockets),
            "insmod": guest.latency(guest.run, *IN)}


def main():
    limit = NUMBERS[-1] + 1000
    guest.write("/proc/sys/fs/nr_open", limit)
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
    guest.Portsock().start()
    sockets, results = [], {}
    for n in NUMBERS:
        listen(sockets, n)
        guest.say(f"{n} listeners")
        results[n] = delays(sockets)
        guest.save("listeners", {"delays": results})


main()
