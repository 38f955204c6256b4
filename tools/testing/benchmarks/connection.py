#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""What a socket costs, in instructions, depending on who watches.

    connection.py [--rivals] [--rounds N] [--repetitions N]
"""

import argparse
import time

import guest

KINDS = {"abort": 50, "close": 50, "udp": 100, "listen": 100}       # how many in one repetition
WARM = 3                        # repetitions at the start that do not count


def measure(kind, repetitions):
    out = guest.run(f"{guest.HERE}/loop", kind, str(KINDS[kind]), str(repetitions + WARM))
    return [int(line) / KINDS[kind] for line in out.split()][WARM:]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rivals", action="store_true")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--repetitions", type=int, default=20)
    args = parser.parse_args()
    bare, floor, portsock = guest.Nobody(), guest.Floor(), guest.Portsock()
    rounds = [(bare, floor, bare, portsock, bare, guest.Portsock("remote=0"))] * args.rounds
    if args.rivals:
        for rival in guest.RIVALS:
            rounds.append((bare, rival))
    rounds.append((bare,))

    time.sleep(5)               # the guest comes to rest
    results = {kind: {} for kind in KINDS}
    for watcher in (watcher for turn in rounds for watcher in turn):
        watcher.start()
        time.sleep(2)
        for kind in KINDS:
            results[kind].setdefault(watcher.name, []).append(measure(kind, args.repetitions))
        made = {kind: count * (args.repetitions + WARM) for kind, count in KINDS.items()}
        watcher.stop({**made, "loop": len(KINDS)})      # each run of loop has a listener of its own
        time.sleep(2)
        guest.say(f"{watcher.name}: measured")
    if floor.armed != portsock.armed:
        guest.fail(f"the floor is not portsock's: {floor.armed}; portsock: {portsock.armed}")
    guest.save("connection", {"unit": "instructions per socket or connection", "kinds": results,
                              "armed": portsock.armed})


main()
