#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Tables of what was measured.

    report.py DIRECTORY PART...
    report.py DIRECTORY --check FILE        compare what portsock adds with FILE
    report.py DIRECTORY --update FILE       write it there
    report.py DIRECTORY --plot              rivals and crowd, as what gnuplot reads

The directory has the raw numbers, PART.json.
"""

import argparse
import json
import os
import statistics
import sys

WORKLOADS = {
    "hot": "one service port",
    "many": "many service ports",
    "ephemeral": "ephemeral ports",
}
IDLE = 0.9
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


def crowd(results):
    crowds = results["readers"]
    costs = {n: {who: statistics.median(cost for cost, _ in runs) for who, runs in readers.items()}
             for n, readers in crowds.items()}
    last = costs[max(costs, key=int)]
    cheapest, read = last["cat /proc/portsock"], last["read of /proc/portsock"]
    print(f"\nReading, instructions, by sockets on ten service ports; Linux {results['release']}")
    print("\n".join(columns(("", *(f"{int(n):,}" for n in costs), "times cat", "times read"),
                            ((who, *(f"{cost[who]:,.0f}" for cost in costs.values()), f"{last[who] / cheapest:,.2f}", f"{last[who] / read:,.2f}")
                             for who in last))))

    after = {who: statistics.median(cost for cost, _ in runs) for who, runs in results["ephemeral"].items()}
    print("\nThe same with ephemeral rows: 28,000 more connections, each from a port of its own")
    print("\n".join(columns(("", "instructions", "without them", "of ss -tan | wc -l"),
                            ((who, f"{cost:,.0f}", f"{last[who]:,.0f}", f"{100 * cost / after['ss -tan | wc -l']:.3f} %")
                             for who, cost in after.items()))))

    memory = results["memory"]
    sockets, rows = memory["records"]["objects"], memory["rows"]["objects"]
    parts = [("portsock: records", sockets, memory["records"]["bytes"]),
             ("portsock: rows", rows, memory["rows"]["bytes"])]
    for tool, maps in memory["rivals"].items():
        parts += [(f"{tool}: BPF hash, key {m['key']}, value {m['value']}, made as large (its own: {m['own_entries']:,})",
                   m["entries"], m["bytes"]) for m in maps]
    print(f"\nMemory with {sockets:,} sockets")
    print("\n".join(columns(("", "objects", "bytes", "bytes per object"),
                            ((what, f"{n:,}", f"{size:,}", f"{size / n:.1f}") for what, n, size in parts))))
    for command, size in memory["output"].items():
        print(f"{command} prints {size:,} bytes.")

    loading = results["loading"]
    print(f"\nLoading among {sockets:,} sockets: insmod takes {statistics.median(loading['instructions']):,.0f} instructions.")
    asked, not_asked = (statistics.median(results["sampling"][how]) for how in ("asked", "not asked"))
    print(f"Asking these sockets what they have carried takes {asked - not_asked:,.0f} instructions.")
    print("Longest time nobody else got the processor, instructions:")
    print("\n".join(columns(("while", "longest"), ((what, f"{n:,}") for what, n in loading["delays"].items()))))


def listeners(results):
    one, many = results["delays"].values()
    numbers = [f"{int(n):,}" for n in results["delays"]]
    print(f"\nLongest time nobody else got the processor, instructions, by listeners on one port; Linux {results['release']}")
    print("\n".join(columns(("while", *numbers, "ratio"),
                            ((what, f"{one[what]:,}", f"{many[what]:,}", f"{many[what] / one[what]:.2f}") for what in one))))


def scaling(results):
    """One line for each workload and number of threads: sockets per second of a table that all threads have, and of one
    for each, in relation to that of one thread; the part of the processors that the threads had."""
    runs = {}
    for name, table, threads, rate, had in results["runs"]:
        runs.setdefault((name, table, threads), []).append((rate, had))
    median = {key: statistics.median(rate for rate, _ in values) for key, values in runs.items()}
    rows = []
    for name, table, threads in runs:
        if threads == 1 or table == "own":
            continue
        one, together, own = (median[key] for key in ((name, "one", 1), (name, table, threads), (name, "own", threads)))
        had = statistics.median(had for _, had in runs[name, table, threads])
        rows.append((WORKLOADS[name], threads, f"{one:,.0f}", f"{together:,.0f}", f"{together / one:.2f}",
                     f"{own / one:.2f}", f"{100 * had:.0f} %"))
    print("\nSockets per second of processor time, from when they come to when they are forgotten;"
          "\nmodule/socks.c and below as a program on this machine")
    print("\n".join(columns(("", "threads", "1 thread", "all", "ratio", "own tables", "of the processors"), rows)))
    least = min(had for *_, had in results["runs"])
    if least < IDLE:
        print(f"Once threads had but {100 * least:.0f} % of their processors, as others worked there: the ratios may be"
              " too good.")


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


def plot(connections, crowds):
    """A script for gnuplot: what is added to a connection, and what reading costs."""
    values = medians(connections["kinds"]["abort"])
    bars = [(who, value - values["bare"]) for who, value in values.items() if who != "bare"]
    lines = ("cat /proc/portsock", "node_exporter sockstat", "node_exporter tcpstat", "cat /proc/net/tcp", "ss -tan | wc -l")
    readers = {int(n): readers for n, readers in crowds["readers"].items()}
    print("""set terminal svg size 1000,420 noenhanced
set multiplot layout 1,2
set style fill solid 0.7
set boxwidth 0.6
set logscale y
set format y "%.0s%c"
set grid ytics
unset key
set title "Added to a TCP connection that takes {:,.0f} instructions"
set ylabel "instructions"
plot "-" using 0:2:xtic(1) with boxes, "" using 0:2:3 with labels offset 0,0.7""".replace("{:,.0f}", f"{values['bare']:,.0f}"))
    for _ in range(2):
        print("\n".join(f'"{who}" {value:.0f} "{value:,.0f}"' for who, value in bars) + "\ne")
    print(f"""set logscale xy
set key left top
set title "Reading how many sockets there are"
set rmargin 5
set xrange [500:{2 * max(readers)}]
set xlabel "sockets"
plot {", ".join(f'"-" with linespoints title "{who}"' for who in lines)}""")
    for who in lines:
        print("\n".join(f"{n} {statistics.median(cost for cost, _ in costs[who]):.0f}"
                        for n, costs in sorted(readers.items())) + "\ne")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("directory")
    parser.add_argument("parts", nargs="*")
    parser.add_argument("--check")
    parser.add_argument("--update")
    parser.add_argument("--plot", action="store_true")
    args = parser.parse_args()

    def load(part):
        with open(os.path.join(args.directory, part + ".json"), encoding="utf-8") as file:
            return json.load(file)

    for part in args.parts:
        globals()[part](load(part))
    if args.plot:
        plot(load("connection"), load("crowd"))
    if args.update:
        update(load("connection"), args.update)
    if args.check and check(load("connection"), args.check):
        sys.exit(1)


main()
