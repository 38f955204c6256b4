#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Tables of what was measured.

    report.py DIRECTORY PART...

The directory has the raw numbers, PART.json.
"""

import json
import os
import statistics
import sys

KINDS = {
    "abort": "TCP connection, both ends, ended by a reset",
    "close": "TCP connection, both ends, closed in good order (without the end of TIME_WAIT)",
    "udp": "UDP socket: socket, sendto, close",
    "listen": "TCP listener: socket, bind, listen, close",
}


def columns(head, rows):
    """Lines of a table; the first column is text, the others are numbers."""
    cells = [list(map(str, row)) for row in [head, *rows]]
    widths = [max(map(len, column)) for column in zip(*cells)]
    for row in cells:
        yield "  ".join(cell.ljust(width) if i == 0 else cell.rjust(width)
                        for i, (cell, width) in enumerate(zip(row, widths))).rstrip()


def medians(kind):
    """Who watches, and the median of all repetitions."""
    return {name: statistics.median(x for turn in turns for x in turn) for name, turns in kind.items()}


def connection(results):
    for name, kind in results["kinds"].items():
        values = medians(kind)
        bare = values["bare"]
        rows = []
        for who, value in values.items():
            spread = [statistics.median(turn) for turn in kind[who]]
            rows.append((who, f"{value:,.0f}", f"{value - bare:+,.0f}", f"{100 * (value - bare) / bare:+.2f} %",
                         f"{min(spread):,.0f} .. {max(spread):,.0f}", sum(map(len, kind[who]))))
        print(f"\n{KINDS[name]}; Linux {results['release']}")
        print("\n".join(columns(("", "instructions", "over bare", "of bare", "medians of runs", "repetitions"), rows)))


def hooks(results):
    probes = results["probes"]
    print("\nInstructions of an empty probe: " + ", ".join(f"{kind} {cost}" for kind, cost in probes.items()))
    for name, sites in results["kinds"].items():
        rows = []
        for site in sorted(sites, key=lambda site: -site["handler"]):
            probe = site["calls"] * probes[site["kind"]]
            rows.append((site["symbol"], site["kind"], site["calls"], probe, site["handler"], site["pool"],
                         probe + site["handler"] + site["pool"]))
        rows.append(("sum", "", *(sum(row[i] for row in rows) for i in range(2, 7))))
        print(f"\n{KINDS[name].split(' (')[0]}: where the instructions go; Linux {results['release']}")
        print("\n".join(columns(("hook", "kind", "hits", "probe", "handler", "allocation", "sum"),
                                ((*row[:2], f"{row[2]:.1f}", *(f"{n:,.0f}" for n in row[3:])) for row in rows))))


def main():
    directory, *parts = sys.argv[1:]
    for part in parts:
        with open(os.path.join(directory, part + ".json"), encoding="utf-8") as file:
            globals()[part](json.load(file))


main()
