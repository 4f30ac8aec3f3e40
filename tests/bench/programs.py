"""Rows of programs on the machine of a CPE: the load generator as it is, and under braidrun, by turns, in one house. It uses
nothing of the application interface, so that what differs is what the library costs those who have it preloaded.

The machine's own connections go by way of the TUN (braid-steer up --local) over three uplinks that nobody slows down, through a
converter, to a plain server. Each of the four programs stays on a CPU, and each daemon has one worker: left to the scheduler and to the
hashes of ports, the same load is twice as fast one time as another. What is left of that is met by many short turns, each with
a process and connections of its own. The ratio is the median of those of the pairs, with an interval of confidence; a row has turns until
its interval is narrow enough to tell what it aims at, or all turns are used up.
"""
import contextlib
import json
import os

import library
import pairs
from field import CLIENT, CPUS, SERVER, SYSCTLS, pin
from instruments import can_count_calls
from lib import home
from lib.proc import CommandFailed, Process, run
from lib.wait import Timeout
from rows import RATE_CONCURRENCY, Row
from subjects import BraidSubject, at_home

NAMES = ("as it is", "under braidrun")
UPLINKS = ({}, {}, {})
PORT = 8080
PAIRS, LEAST_PAIRS = 10, 12  # in each round, on average of the rows; of a row in any case
TURNS = 10  # that a load's seconds are divided into
SPANS = {"rtt": (0.05, 0.4)}  # the ramp in seconds, and how much of a turn's seconds is enough: what drifts drifts in between
USUAL_SPAN = (0.15, 0.8)
MOST_FAILED = 0.01
LEAST, MOST = 0.97, 1.03  # of what it is without the library
PROGRAM, CPE, CONVERTER, PLAIN = range(4)

# Row, the load generator's kind, how many connections, and what of its answer counts; then, of its answer, by what its CPU time and
# what the library adds are counted, and the unit of its CPU time.
LOADS = (
    (Row("program rate", "new connections, 1 KB each way", "1/s", 0, True, LEAST), "rate", RATE_CONCURRENCY,
     lambda got: got["connections"] / got["seconds"], lambda got: got["connections"], "µs each"),
    (Row("program p50", "1-byte round trip, median", "µs", 1, False, MOST), "rtt", 1, lambda got: got["p50"],
     lambda got: got["count"], "µs each"),
    (Row("program down", "download, 1 connection", "Gbit/s", 2, True, LEAST), "down", 1,
     lambda got: got["bytes"] * 8 / got["seconds"] / 1e9, lambda got: got["bytes"] / 1e9, "ms per GB"),
    (Row("program up", "upload, 1 connection", "Gbit/s", 2, True, LEAST), "up", 1,
     lambda got: got["bytes"] * 8 / got["seconds"] / 1e9, lambda got: got["bytes"] / 1e9, "ms per GB"),
)


def cpu(who):
    """The CPU of one of the four. On two, those share one that are on one machine, or would be."""
    cpus = sorted(CPUS)[:4]
    return {cpus[who * len(cpus) // 4]}


@contextlib.contextmanager
def on_cpu_of(who):
    """What is started meanwhile stays there."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cpu(who))
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


class LocalSubject(BraidSubject):
    """Carries the router's own connections as well."""
    steering = ("--lan", "lan", "--local")
    daemon = {"workers": 1}

    def start(self, house, directory):
        super().start(house, directory)
        for process, who in zip(self.processes, (CONVERTER, CPE)):
            pin(process, cpu(who))


def _words(subject, name):
    return library.braidrun(subject.cpe) if name == NAMES[1] else ()


def _run(house, subject, name, kind, connections, seconds):
    before = subject.cpe.counters()["TcpPassiveOpens"]
    ramp, share = SPANS.get(kind, USUAL_SPAN)
    with on_cpu_of(PROGRAM):
        got = json.loads(run(house.cpe.command(*_words(subject, name), CLIENT, "-T", "-w", ramp, "-n", connections, "-t", share * seconds,
                                               home.PLAIN[4], PORT, kind), limit=60).stdout)
    if got.get("failed", 0) > MOST_FAILED * got.get("all", 1):
        raise RuntimeError(f"{got['failed']} of {got['all']} connections failed")
    if subject.cpe.counters()["TcpPassiveOpens"] < before + got.get("connections", connections):
        raise RuntimeError("the connections did not come by way of the CPE")
    return got


def _pair(house, subject, load, turn, results):
    """True unless one of the two failed."""
    row, kind, connections, value, units, _ = load
    seconds, both = results.seconds / TURNS, {}
    for name in NAMES if turn % 2 == 0 else NAMES[::-1]:
        both[name] = results.attempt(f"program, {row.title}, {name}", _run, house, subject, name, kind, connections, seconds)
    if not all(both.values()):
        return False
    for name, got in both.items():
        results.add(row.key, name, {"value": value(got), "cpu": got["own_cpu"] / units(got)})
    return True


def _measure(house, subject, results):
    left, turn, loads = PAIRS * results.rounds * len(LOADS), 0, list(LOADS)
    while left > 0 and loads:
        for load in loads[:left]:
            row = load[0]
            ok, so_far = _pair(house, subject, load, turn, results), of(results, row)
            if not ok or (turn + 1 >= LEAST_PAIRS and so_far and so_far.is_narrow()):
                loads.remove(load)
            left -= 1
        turn += 1
        if turn % PAIRS == 0 or left <= 0 or not loads:
            so_far = ", ".join(f"{row.key.split()[1]} {compared(results, row)}" for row, *_ in LOADS)
            print(f"programs, {turn} turns: {so_far}", flush=True)


def _count(house, subject, results):
    """What the library adds, and of system calls both."""
    for row, kind, _, _, units, _ in LOADS:
        each = (kind, 1, (home.PLAIN[4], PORT), lambda got, units=units: units({**got, "connections": got.get("all")}))
        sample = {"instructions": library.instructions_each(house.cpe, subject.cpe, *each)}
        if can_count_calls():
            sample |= {name: library.system_calls_each(house.cpe, _words(subject, name), *each) for name in NAMES}
        results.add(row.key, "counted", sample)


def _ratio(results, row, what):
    one, other = ([sample[what] for sample in results.of(row.key, name)] for name in NAMES)
    return pairs.compare([with_it / without for without, with_it in zip(one, other) if without])


def of(results, row):
    """Under braidrun over as it is; None: there are too few."""
    return _ratio(results, row, "value")


def of_cpu(results, row):
    """The same of the program's own CPU time per unit."""
    return _ratio(results, row, "cpu")


def compared(results, row, ratio=of):
    """As text: median and interval."""
    got = ratio(results, row)
    return f"{got.ratio:.3f} ({got.low:.3f} - {got.high:.3f})" if got else "-"


def measure(results):
    pairs.self_test()
    try:
        subject = LocalSubject()
        with at_home(subject, UPLINKS) as house:
            for namespace in (house.cpe, house.edge, house.plain):
                namespace.sysctl(**SYSCTLS)
            with on_cpu_of(PLAIN):
                server = Process(house.plain.command(SERVER, home.PLAIN[4], PORT), f"server {PORT}")
            try:
                server.wait_for_line("ready")
                _measure(house, subject, results)
                if not results.quick:
                    results.attempt("programs, counting", _count, house, subject, results)
            finally:
                server.kill()
    except (CommandFailed, Timeout, RuntimeError, OSError) as error:
        results.note(f"programs: {str(error).splitlines()[-1]}")
