#!/usr/bin/env python3
"""Checks that the files of each folder of src/ do not lean on each other in rings: a reader can then take them one by one.

For calls (and for data), from the symbols of the objects: what a file leaves undefined and another file of its folder
defines. For includes, from the #include lines. A pointer to a function does not show here, and is no way around.
Usage: rings.py BUILD, the folder that has src/*/*.o; or rings.py --self-test.
"""
import collections
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
LARGEST = 3  # files of a ring that the protocol itself makes

# Rings that may stay: the files (with their folder, without .c) -> why the protocol makes them one.
REASONS = {}

INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"', re.M)


def components(graph):
    """The strongly connected components of {node: set of nodes} with more than one node (Tarjan, without recursion)."""
    index, low, stack, found = {}, {}, [], []
    for root in graph:
        if root in index:
            continue
        work = [(root, iter(sorted(graph[root])))]
        index[root] = low[root] = len(index)
        stack.append(root)
        while work:
            node, successors = work[-1]
            for other in successors:
                if other not in index:
                    index[other] = low[other] = len(index)
                    stack.append(other)
                    work.append((other, iter(sorted(graph[other]))))
                    break
                if other in stack:
                    low[node] = min(low[node], index[other])
            else:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[node])
                if low[node] == index[node]:
                    at = stack.index(node)
                    if len(stack) - at > 1:
                        found.append(set(stack[at:]))
                    del stack[at:]
    return found


def shortest_cycle(graph, ring):
    """The nodes of one of the shortest cycles within a component, the first one again at its end."""
    best = None
    for start in sorted(ring):
        came, queue = {}, collections.deque([start])
        while queue and start not in came:
            node = queue.popleft()
            for other in sorted(graph[node] & ring):
                if other not in came:
                    came[other] = node
                    queue.append(other)
        cycle, node = [start], came[start]
        while node != start:
            cycle.append(node)
            node = came[node]
        cycle = [start] + cycle[:0:-1] + [start]
        if best is None or len(cycle) < len(best):
            best = cycle
    return best


def symbols(path):
    """(defined, undefined) global symbols of an object."""
    defined, undefined = set(), set()
    for line in subprocess.run(["nm", "-P", "-g", path], capture_output=True, text=True, check=True).stdout.splitlines():
        name, kind = line.split()[:2]
        (undefined if kind in "Uwv" else defined).add(name)
    return defined, undefined


def calls(build):
    """({file: files of its folder whose symbols it wants}, {(file, file): the symbols})."""
    objects = {}
    for source in sorted((ROOT / "src").glob("*/*.c")):
        name = source.relative_to(ROOT / "src").with_suffix("").as_posix()
        path = build / "src" / f"{name}.o"
        if not path.exists():
            sys.exit(f"rings: {path} is missing: run make")
        objects[name] = symbols(path)
    owner = {symbol: name for name, (defined, _) in objects.items() for symbol in defined}
    graph, why = {name: set() for name in objects}, collections.defaultdict(set)
    for name, (_, undefined) in objects.items():
        for symbol in undefined:
            other = owner.get(symbol, name)
            if other != name and other.split("/")[0] == name.split("/")[0]:
                graph[name].add(other)
                why[name, other].add(symbol)
    return graph, why


def includes():
    """{header: headers of its folder that it includes}; nobody includes a .c file."""
    graph = {}
    for path in sorted((ROOT / "src").glob("*/*.h")):
        name = path.relative_to(ROOT / "src").as_posix()
        graph[name] = {other for other in INCLUDE.findall(path.read_text()) if other.split("/")[0] == name.split("/")[0]}
    return graph


def judge(ring):
    """Why this ring may not be, or None."""
    if frozenset(ring) in REASONS:
        return None if len(ring) <= LARGEST else f"a ring of more than {LARGEST} files, whatever the reason"
    return "a ring"


def check_calls(build):
    graph, why = calls(build)
    rings = components(graph)
    complaints = [f"{', '.join(sorted(ring))}: no ring any more, take it out of the list" for ring in REASONS
                  if set(ring) not in rings]
    for ring in rings:
        verdict = judge(ring)
        if not verdict:
            continue
        cycle = shortest_cycle(graph, ring)
        steps = [f"    {a}.c -> {b}.c: {', '.join(sorted(why[a, b]))}" for a, b in zip(cycle, cycle[1:])]
        complaints.append("\n".join([f"src/{cycle[0]}.c: {verdict} of calls, of {len(ring)} files:"] + steps))
    return len(graph), complaints


def check_includes():
    graph = includes()
    complaints = []
    for ring in components({node: others & graph.keys() for node, others in graph.items()}):
        complaints.append(f"a ring of includes: {' -> '.join(shortest_cycle(graph, ring))}")
    return complaints


def check_names():
    """A name means one thing: no two files of src/ and include/ are called the same."""
    seen, complaints = {}, []
    for path in sorted([*(ROOT / "include").rglob("*.h"), *(ROOT / "src").rglob("*.[ch]")]):
        if path.name in seen:
            complaints.append(f"{seen[path.name]} and {path.relative_to(ROOT)} have the same name")
        seen[path.name] = path.relative_to(ROOT)
    return complaints


def self_test():
    graph = {"a": {"b"}, "b": {"c", "d"}, "c": {"a"}, "d": {"e"}, "e": set(), "f": {"g"}, "g": {"f", "a"}}
    rings = sorted(components(graph), key=sorted)
    assert rings == [{"a", "b", "c"}, {"f", "g"}], rings
    assert shortest_cycle(graph, rings[0]) == ["a", "b", "c", "a"], shortest_cycle(graph, rings[0])
    assert components({"a": {"b"}, "b": set()}) == []


def main():
    self_test()
    if sys.argv[1:] == ["--self-test"]:
        return 0
    files, complaints = check_calls(pathlib.Path(sys.argv[1]))
    complaints += check_includes() + check_names()
    for complaint in complaints:
        print(complaint, file=sys.stderr)
    print(f"rings: {files} files, {len(complaints)} complaints")
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
