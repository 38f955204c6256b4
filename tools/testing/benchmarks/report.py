#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Tables of what was measured.

    report.py DIRECTORY PART...
    report.py DIRECTORY --check FILE        compare what portsock adds with FILE
    report.py DIRECTORY --update FILE       write it there

The directory has the raw numbers, PART.json.
"""

import argparse
import json
import os
import statistics
import sys

TOLERANCE = 0.1
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


def added(results):
    """By kind, the instructions that portsock adds."""
    values = {name: medians(kind) for name, kind in results["kinds"].items()}
    return {name: value["portsock"] - value["bare"] for name, value in values.items()}


def check(results, path):
    """A failure for each kind that costs other than it did; that it costs less is to be written down."""
    with open(path, encoding="utf-8") as file:
        lines = [line.split() for line in file if not line.startswith("#")]
    expected = {name: int(value) for name, value in lines}
    got = added(results)
    if not expected or expected.keys() != got.keys():
        sys.exit(f"{path} has {sorted(expected)}, measured were {sorted(got)}")
    failed = 0
    for name, value in got.items():
        good = abs(value - expected[name]) <= TOLERANCE * expected[name]
        failed += not good
        print(f"{'ok' if good else 'not ok'} {name}: portsock adds {value:.0f} instructions, {expected[name]} expected"
              f" ({100 * (value / expected[name] - 1):+.1f} %)")
        if not good:
            print("    if that is meant: tools/testing/bench --update")
    print(f"{len(got) - failed} passed, {failed} failed")
    return failed


def update(results, path):
    with open(path, "w", encoding="utf-8") as file:
        file.write(f"# Instructions that portsock adds; written by bench --update on Linux {results['release']}.\n")
        file.writelines(f"{name} {value:.0f}\n" for name, value in added(results).items())


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("directory")
    parser.add_argument("parts", nargs="*")
    parser.add_argument("--check")
    parser.add_argument("--update")
    args = parser.parse_args()

    def load(part):
        with open(os.path.join(args.directory, part + ".json"), encoding="utf-8") as file:
            return json.load(file)

    for part in args.parts:
        globals()[part](load(part))
    if args.update:
        update(load("connection"), args.update)
    if args.check and check(load("connection"), args.check):
        sys.exit(1)


main()
