#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Where the instructions of a connection or socket go, hook by hook."""

import time

import guest

KINDS = ("abort", "close", "udp", "listen")
COUNT = 500
SITES = "/sys/module/profiled/parameters/sites"
COLUMNS = ("calls", "handler", "pool_calls", "pool")


def numbers(text, width):
    return {tuple(words[:width]): list(map(int, words[width:])) for words in map(str.split, text.splitlines())}


def main():
    time.sleep(5)
    guest.run("insmod", f"{guest.HERE}/floor.ko")
    probes = {kind[0]: cost[0] for kind, cost in numbers(guest.read("/sys/module/floor/parameters/costs"), 1).items()}
    guest.run("rmmod", "floor")
    guest.run("insmod", f"{guest.HERE}/profiled.ko")
    guest.until(lambda: guest.table()[0]["exact"] == "1", "portsock is exact")
    results = {}
    for kind in KINDS:
        guest.run(f"{guest.HERE}/loop", kind, "50", "1")        # pools and caches fill
        guest.write(SITES, 0)
        guest.run(f"{guest.HERE}/loop", kind, str(COUNT), "1")
        results[kind] = [dict(zip(("kind", "symbol", *COLUMNS), (*key, *(n / COUNT for n in values))))
                         for key, values in numbers(guest.read(SITES), 2).items() if values[0] >= COUNT // 2]
    guest.run("rmmod", "profiled")
    guest.save("hooks", {"unit": "instructions per socket or connection", "probes": probes, "kinds": results})


main()
