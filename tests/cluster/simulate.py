#!/usr/bin/env python3
"""What connections to a cluster of 100 machines suffer when one of them dies, is drained or returns, or another one comes: which share
is lost, and which loses a subflow. No packets: where a router's hash takes them before and after is all that matters.

    simulate.py [--machines N] [--connections N]

The numbers are drawn from a seed, so that two runs print the same; docs/cluster.md has this table.
"""
import argparse
import bisect
import random

BUCKETS = 4096  # of a resilient table
SEED = 8684


class Modulo:
    """The hash modulo the number of machines: simple switches."""
    name = "modulo"

    def __init__(self, machines):
        self.machines = sorted(machines)

    def change(self, machines):
        self.machines = sorted(machines)

    def machine(self, where):
        return self.machines[int(where * 2**32) % len(self.machines)]


class Threshold(Modulo):
    """Equal regions of the hash's range, one behind the other (RFC 2992): Linux, unless told otherwise."""
    name = "threshold"

    def machine(self, where):
        return self.machines[int(where * len(self.machines))]


class Resilient:
    """A table of buckets: those of who leaves are dealt out, and who comes gets a share of everybody's."""
    name = "resilient"

    def __init__(self, machines):
        self.buckets = [sorted(machines)[i % len(machines)] for i in range(BUCKETS)]

    def change(self, machines):
        had = set(self.buckets)
        new = [m for m in machines if m not in had]
        left = [i for i, m in enumerate(self.buckets) if m not in machines]
        stay = sorted(set(machines) - set(new))
        for n, i in enumerate(left):
            self.buckets[i] = stay[n % len(stay)]
        for m in new:
            for i in random.sample(range(BUCKETS), BUCKETS // len(machines)):
                self.buckets[i] = m

    def machine(self, where):
        return self.buckets[int(where * BUCKETS)]


class Consistent:
    """A ring with many points of each machine: balancers in software."""
    name = "consistent"
    POINTS = 200

    def __init__(self, machines):
        self.change(machines)

    def change(self, machines):
        points = sorted((random.Random(f"{m} {i}").random(), m) for m in machines for i in range(self.POINTS))
        self.at, self.whose = [p for p, _ in points], [m for _, m in points]

    def machine(self, where):
        return self.whose[bisect.bisect(self.at, where) % len(self.whose)]


# Name; which machines there are before and after, of n; the one that is gone for good, with what it had.
EVENTS = {
    "one dies": lambda n: (range(n), set(range(n)) - {n // 3}, n // 3),
    "one is drained": lambda n: (range(n), set(range(n)) - {n // 3}, None),
    "it returns": lambda n: (set(range(n)) - {n // 3}, range(n), None),
    "one more comes": lambda n: (range(n), range(n + 1), None),
}
CLIENTS = ("one path", "two paths, signal", "two paths, machines", "flows remembered")


class Flow:
    """Where a flow to the shared address goes, before and after."""

    def __init__(self, before, after):
        self.before, self.after = before, after
        self.moved = before != after


def fates(client, first, second, dead):
    """For a connection of first.before's: whether each of its subflows is there afterwards."""
    alive = first.before != dead
    if client == "one path":
        return [alive and not first.moved]
    if client == "two paths, signal":  # the second one is at the machine's own address
        return [alive and not first.moved, alive]
    if client == "two paths, machines":  # the second one was passed on by the machine where the hash took it, which knows its flows
        return [alive and not first.moved, alive and not second.moved and second.before != dead]
    return [alive, alive]


def suffered(hash_kind, event, machines, connections):
    """For each kind of clients: shares of connections that are lost, and of those that lose a subflow and live, in percent."""
    before, after, dead = EVENTS[event](machines)
    table = hash_kind(list(before))
    wheres = [(random.random(), random.random()) for _ in range(connections)]
    was = [(table.machine(a), table.machine(b)) for a, b in wheres]
    table.change(list(after))
    flows = [(Flow(x, table.machine(a)), Flow(y, table.machine(b))) for (a, b), (x, y) in zip(wheres, was)]
    found = []
    for client in CLIENTS:
        all_fates = [fates(client, first, second, dead) for first, second in flows]
        lost = sum(not any(f) for f in all_fates)
        hurt = sum(any(f) and not all(f) for f in all_fates)
        found.append((100 * lost / connections, 100 * hurt / connections))
    return found


def table(machines, connections):
    random.seed(SEED)
    yield "| event | hash | " + " | ".join(CLIENTS) + " |"
    yield "|---|---" + "|---" * len(CLIENTS) + "|"
    for event in EVENTS:
        for kind in (Modulo, Threshold, Resilient, Consistent):
            found = suffered(kind, event, machines, connections)
            cells = [f"{lost:.1f} %" + (f" ({hurt:.1f} %)" if "two" in client else "") for client, (lost, hurt) in zip(CLIENTS, found)]
            yield f"| {event} | {kind.name} | " + " | ".join(cells) + " |"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--machines", type=int, default=100, metavar="N")
    parser.add_argument("--connections", type=int, default=20000, metavar="N")
    arguments = parser.parse_args()
    for line in table(arguments.machines, arguments.connections):
        print(line)


if __name__ == "__main__":
    main()
