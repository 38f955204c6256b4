#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""What depends on how many sockets there are: reading, memory, loading.

    crowd.py [--most N]

The connections' clients are in a namespace of their own, so that this one has
only the servers' sockets, on ten ports.
"""

import argparse
import ctypes
import os
import re
import subprocess
import time

import guest

EPHEMERAL = 28000
EXPORTER_PORT = 9100
REPETITIONS = 7
HERE, THERE, NETNS = "10.1.0.0", "10.2.0.0", "/run/netns/clients"


def ip(words):
    guest.run("ip", *words.split())


class Crowd:
    """hold, and the namespaces it works in."""

    def __init__(self):
        ip("netns add clients")
        ip("link add here type veth peer name there netns clients")
        for side, network, other in (("", HERE, THERE), ("-n clients ", THERE, HERE)):
            device = "there" if side else "here"
            ip(f"{side}link set lo up")
            ip(f"{side}address add {network[:-3]}255.254/32 dev {device}")
            ip(f"{side}link set {device} up")
            # every address of the network is ours
            ip(f"{side}route add local {network}/16 dev lo")
            ip(f"{side}route add {other}/16 dev {device}")
        for command in ([], ["ip", "netns", "exec", "clients"]):
            guest.run(*command, "sysctl", "-qw", "net.ipv4.ip_local_port_range=1024 65000")
        guest.write("/proc/sys/fs/nr_open", 1 << 21)
        self.hold = subprocess.Popen([f"{guest.HERE}/hold", NETNS, HERE, THERE], text=True,   # pylint: disable=consider-using-with
                                     stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def grow(self, what, n):
        self.hold.stdin.write(f"{what} {n}\n")
        self.hold.stdin.flush()
        if self.hold.stdout.readline() != "ready\n":
            guest.fail(f"hold could not open {n} {what} connections")
        guest.say(f"{n} {what} connections are there")
        time.sleep(3)


def timed(*what, repetitions=REPETITIONS):
    """Instructions and bytes, or status, of each repetition but the first, for which caches fill."""
    out = guest.run(f"{guest.HERE}/timed", str(repetitions + 1), *what)
    pairs = [list(map(int, line.split())) for line in out.splitlines()][1:]
    if what[0] == "run" and any(status for _, status in pairs):
        guest.fail(f"{' '.join(what)} failed: {pairs}")
    if what[0] != "run" and not all(size for _, size in pairs):
        guest.fail(f"{' '.join(what)}: nothing was read")
    return pairs


class Exporter:
    """node_exporter with one collector."""

    def __init__(self, collector):
        self.process = subprocess.Popen(                    # pylint: disable=consider-using-with
            ["prometheus-node-exporter", "--collector.disable-defaults", f"--collector.{collector}",
             f"--web.listen-address=127.0.0.1:{EXPORTER_PORT}", "--web.disable-exporter-metrics"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        port = f":{EXPORTER_PORT}"
        guest.until(lambda: port in guest.run("ss", "-tlnH"), "node_exporter listens", 600)

    def __enter__(self):
        return self

    def __exit__(self, *args):
        self.process.kill()
        self.process.wait()


def readers():
    """Instructions of each way to learn how many sockets there are."""
    costs = {
        "read of /proc/portsock": timed("read", "/proc/portsock"),
        "its services": timed("services", "/proc/portsock"),
        "cat /proc/portsock": timed("run", "cat", "/proc/portsock"),
        "cat /dev/null": timed("run", "cat", "/dev/null"),
        "ss -s": timed("run", "ss", "-s"),
        "ss -tan | wc -l": timed("run", "sh", "-c", "ss -tan | wc -l", repetitions=3),
        "cat /proc/net/tcp": timed("run", "cat", "/proc/net/tcp", repetitions=3),
    }
    for collector in ("tcpstat", "sockstat"):
        with Exporter(collector):
            costs[f"node_exporter {collector}"] = timed("http", str(EXPORTER_PORT), repetitions=5)
    return costs


def output_sizes():
    size = lambda command: int(guest.run("sh", "-c", f"{command} | wc -c"))    # noqa: E731
    return {command: size(command) for command in ("cat /proc/portsock", "ss -tan", "cat /proc/net/tcp")}


def slab(name):
    """Objects in use and bytes of a slab cache, with what is not in use."""
    line = re.search(rf"^{name} .*$", guest.read("/proc/slabinfo"), re.MULTILINE)[0].split()
    slabs = int(line[line.index("slabdata") + 2])
    return {"objects": int(line[1]), "object_bytes": int(line[3]),
            "bytes": slabs * int(line[5]) * os.sysconf("SC_PAGESIZE")}


def vmalloced():
    """Bytes of all that the kernel allocated piece by piece."""
    return os.sysconf("SC_PAGESIZE") * sum(map(int, re.findall(r" pages=(\d+) ", guest.read("/proc/vmallocinfo"))))


BPF_MAP_CREATE, BPF_MAP_TYPE_HASH, SYS_BPF = 0, 1, 321


def map_bytes(key_size, value_size, entries):
    """What a BPF hash of so many entries takes; its elements are allocated at once."""
    libc = ctypes.CDLL(None, use_errno=True)
    attr = (ctypes.c_uint32 * 32)(BPF_MAP_TYPE_HASH, key_size, value_size, entries)
    before = vmalloced()
    fd = libc.syscall(SYS_BPF, BPF_MAP_CREATE, ctypes.byref(attr), ctypes.sizeof(attr))
    if fd < 0:
        guest.fail(f"bpf(BPF_MAP_CREATE): {os.strerror(ctypes.get_errno())}")
    used = vmalloced() - before
    os.close(fd)
    if used < entries * (key_size + value_size):
        guest.fail(f"a map of {entries} entries seems to take {used} bytes")
    time.sleep(2)               # it goes after a grace period
    return used


def tool_maps(name):
    """Key size, value size and entries of the hashes in which a tool has one entry for each socket."""
    tool = next(tool for tool in guest.RIVALS if tool.name == name)
    tool.start()
    maps = []
    for fd in os.listdir(f"/proc/{tool.process.pid}/fdinfo"):
        info = dict(re.findall(r"^(\w+):\s+(\w+)$", guest.read(f"/proc/{tool.process.pid}/fdinfo/{fd}"), re.MULTILINE))
        if info.get("map_type") == str(BPF_MAP_TYPE_HASH):
            maps.append([int(info["key_size"]), int(info["value_size"]), int(info["max_entries"])])
    tool.process.terminate()
    tool.process.wait()
    # Those by address of a socket; others are filters, which stay empty.
    return [m for m in maps if m[0] == ctypes.sizeof(ctypes.c_void_p)]


def memory():
    records, rows = slab("portsock_rec"), slab("portsock_row")
    sockets = records["objects"]
    result = {"records": records, "rows": rows, "output": output_sizes(), "rivals": {}}
    for name in ("tcplife", "tcpstates"):
        result["rivals"][name] = [{"key": key, "value": value, "own_entries": entries, "entries": sockets,
                                    "bytes": map_bytes(key, value, sockets)}
                                  for key, value, entries in tool_maps(name)]
        if not result["rivals"][name]:
            guest.fail(f"{name} has no hash by address")
    return result


def idle():
    """Nanoseconds that the processor slept, which are no instructions."""
    slept = re.findall(r"\.(?:idle|iowait)_sleeptime\s*: (\d+) nsecs", guest.read("/proc/timer_list"))
    if len(slept) != 2:
        guest.fail(f"/proc/timer_list says of two times: {slept}")
    return sum(map(int, slept))


def busy(action, *args):
    """Instructions of an action, and of whatever else runs meanwhile."""
    start, slept = time.monotonic_ns(), idle()
    action(*args)
    return time.monotonic_ns() - start - (idle() - slept)


def read_and_wait():
    """A read, and a second for what it has begun."""
    guest.read("/proc/portsock")
    time.sleep(1)


def sampling():
    """Instructions of a read that has open connections asked what they have carried, and of one that does not."""
    costs = {}
    for milliseconds in (1, 0):
        guest.run("rmmod", "portsock")
        guest.run("insmod", f"{guest.HERE}/portsock.ko", f"sample_ms={milliseconds}")
        guest.until_exact()
        costs[milliseconds] = [busy(read_and_wait) for _ in range(REPETITIONS)]
    return {"asked": costs[1], "not asked": costs[0]}


def loading():
    """insmod among all these sockets: its instructions, and how long it lets nobody else run."""
    preempt = "/sys/kernel/debug/sched/preempt"
    insmod, rmmod = ["insmod", f"{guest.HERE}/portsock.ko"], ["rmmod", "portsock"]
    floor = guest.Floor()
    guest.run(*rmmod)
    instructions, delays = [], {"nothing": guest.latency(time.sleep, 1)}
    for _ in range(3):
        instructions.append(busy(guest.run, *insmod))
        guest.run(*rmmod)
    modes = ["as booted"]
    if os.path.exists(preempt):
        modes = ["voluntary", "full"]
    for mode in modes:
        if mode != "as booted":
            guest.write(preempt, mode)
        delays[f"insmod of empty probes, preemption {mode}"] = guest.latency(floor.start)
        delays[f"rmmod of empty probes, preemption {mode}"] = guest.latency(floor.stop, {})
        delays[f"insmod, preemption {mode}"] = guest.latency(guest.run, *insmod)
        delays[f"walks over all sockets, preemption {mode}"] = guest.walk()
        delays[f"rmmod, preemption {mode}"] = guest.latency(guest.run, *rmmod)
    guest.run(*insmod)
    guest.until_exact()
    return {"instructions": instructions, "delays": delays}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--most", type=int, default=100000)
    args = parser.parse_args()
    time.sleep(5)
    crowd = Crowd()
    guest.Portsock().start()
    results = {"readers": {}, "most": args.most}
    readers()                   # what these leave in the table is there from now on
    for n in (n for n in (1000, 10000, 100000, 500000) if n <= args.most):
        crowd.grow("service", n)
        results["readers"][n] = readers()
        guest.save("crowd", results)
    for name, measure in (("memory", memory), ("loading", loading), ("sampling", sampling)):
        results[name] = measure()
        guest.save("crowd", results)
        guest.say(f"{name}: measured")
    crowd.grow("ephemeral", EPHEMERAL)
    results["ephemeral"] = readers()
    guest.save("crowd", results)


main()
