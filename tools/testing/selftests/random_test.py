# SPDX-License-Identifier: GPL-2.0-only
"""Random programs (program.py), run in fresh namespaces (world.py): what the file says equals the kernel's tables and
the calls that succeeded. A program that fails is cut down to what still fails in the same way."""

import os
import random
import re

import harness
import program
import protocols
import world
from harness import needs_module

SEED = int(os.environ.get("PORTSOCK_SEED", "11"))
OPERATIONS = int(os.environ.get("PORTSOCK_OPERATIONS", "5000"))
LENGTH = 400                    # of a program, at least: it is what has to be run again and again to cut it down
RUNS = 200                      # of a program that fails


def attempt(t, operations):
    """Run it. Returns the world, when it is gone, and what was wrong (None: nothing)."""
    place, problem = world.World(t), None
    try:
        place.run(operations)
    except (harness.Failure, OSError) as failure:
        problem = str(failure)
    finally:
        place.close()
    return place, problem


def kind(problem):
    """What is wrong, without the numbers: {(protocol, column)}."""
    return set(re.findall(r"(\w+) \S+: (\w+): got", problem)) or {re.sub(r"\d+", "", problem.split("\n", 1)[0])}


class Cutter:
    """Leaves out what the failure does not need."""

    def __init__(self, t, operations, problem):
        self.t, self.operations, self.problem, self.kind, self.runs = t, operations, problem, kind(problem), 0

    def fails(self, operations):
        """If it fails in the same way, go on with it."""
        if self.runs == RUNS:
            return False
        self.runs += 1
        _, problem = attempt(self.t, operations + [program.Operation("rest")])
        if problem is None or not kind(problem) & self.kind:
            return False
        self.operations, self.problem = operations, problem
        return True

    def leave_out(self, parts, concerns):
        """Leave out many parts at a time, then fewer. concerns(operation): the parts it belongs to."""
        size = len(parts)
        while size:
            for at in range(0, len(parts), size):
                some = set(parts[at:at + size])
                rest = [op for op in self.operations if not some & concerns(op)]
                if len(rest) < len(self.operations):
                    self.fails(rest)
            size //= 2

    def cut(self):
        self.fails([op for op in self.operations if op.name != "rest"])
        self.fails([op._replace(beside=False) for op in self.operations])
        self.fails([program.Operation("spawn", 0, 0, (1,))] +
                   [op._replace(process=min(op.process, 1)) for op in self.operations if op.name not in program.PROCESSES_COME])
        things = sorted({op.thing for op in self.operations if op.thing})
        self.leave_out(things, lambda op: {op.thing, *world.World.made(op)})
        while True:
            before, numbers = len(self.operations), {}
            for op in self.operations:
                numbers[id(op)] = len(numbers)
            self.leave_out(list(numbers.values()), lambda op, numbers=numbers: {numbers[id(op)]})
            if len(self.operations) == before:
                return self


def report(t, seed, operations, problem):
    # first of all, for if cutting does not come to its end
    print(f"# seed {seed} failed: {problem.splitlines()[0]}", flush=True)
    cutter = Cutter(t, operations, problem).cut()
    harness.fail(problem, f"seed {seed}: PORTSOCK_SEED={seed} PORTSOCK_OPERATIONS=1 runs this program alone",
                 f"cut down in {cutter.runs} runs to {len(cutter.operations)} operations:",
                 *map(str, cutter.operations), "which end with:", cutter.problem)


@needs_module
def test_programs(t):
    for proto in protocols.MODULES.keys() & set(protocols.PRESENT):
        protocols.modprobe(*protocols.MODULES[proto])
    written = done = skipped = late = 0
    seed = SEED - 1
    while written < OPERATIONS:
        seed += 1
        operations = program.Program(random.Random(seed), LENGTH).operations
        written += len(operations)
        place, problem = attempt(t, operations)
        done, skipped, late = done + place.done, skipped + place.skipped, late + place.late
        if problem:
            report(t, seed, operations[:place.at], problem)
    t.notes.append(f"seeds {SEED} to {seed}: {done} operations done, {skipped} had nothing to work on")
    if late:
        t.notes.append(f"{late} comparisons were equal only when made again")
