"""Rows of programs on the machine of a CPE: the load generator as it is, and under braidrun, by turns, in one house. It uses
nothing of the application interface, so that what differs is what the library costs those who have it preloaded.

The machine's own connections go by way of the TUN (braid-steer up --local) over three uplinks that nobody slows down, through a
converter, to a plain server.
"""
import json
import statistics

from field import CLIENT, SERVER, SYSCTLS
from lib import home
from lib.proc import CommandFailed, Process, run
from lib.proxy import BUILD, ROOT
from lib.wait import Timeout
from rows import RATE_CONCURRENCY, Row
from subjects import BraidSubject, at_home

NAMES = ("as it is", "under braidrun")
UPLINKS = ({}, {}, {})
PORT = 8080
PAIRS = 4  # of turns, in each round
MOST_FAILED = 0.01
LEAST, MOST = 0.97, 1.03  # of what it is without the library

# The load generator's kind, how many connections, and what of its answer counts
LOADS = (
    (Row("program rate", "new connections, 1 KB each way", "1/s", 0, True, LEAST), "rate", RATE_CONCURRENCY,
     lambda got: got["connections"] / got["seconds"]),
    (Row("program p50", "1-byte round trip, median", "µs", 1, False, MOST), "rtt", 1, lambda got: got["p50"]),
    (Row("program down", "download, 1 connection", "Gbit/s", 2, True, LEAST), "down", 1,
     lambda got: got["bytes"] * 8 / got["seconds"] / 1e9),
    (Row("program up", "upload, 1 connection", "Gbit/s", 2, True, LEAST), "up", 1,
     lambda got: got["bytes"] * 8 / got["seconds"] / 1e9),
)


class LocalSubject(BraidSubject):
    """Carries the router's own connections as well."""
    steering = ("--lan", "lan", "--local")


def _run(house, subject, name, kind, connections, seconds):
    words = ["env", f"BRAID_LIBRARY={BUILD / 'libbraid-socket.so'}", ROOT / "deploy/braidrun", "--socket",
             subject.cpe.directory / "app.sock"] if name == NAMES[1] else []
    before = subject.cpe.counters()["TcpPassiveOpens"]
    got = json.loads(run(house.cpe.command(*words, CLIENT, "-T", "-w", 0.2, "-n", connections, "-t", seconds, home.PLAIN[4], PORT,
                                           kind), limit=60).stdout)
    if got.get("failed", 0) > MOST_FAILED * got.get("all", 1):
        raise RuntimeError(f"{got['failed']} of {got['all']} connections failed")
    if subject.cpe.counters()["TcpPassiveOpens"] < before + got.get("connections", connections):
        raise RuntimeError("the connections did not come by way of the CPE")
    return got


def _measure(house, subject, results):
    seconds = max(0.5, results.seconds / PAIRS)
    for turn in range(PAIRS * results.rounds):
        for row, kind, connections, value in LOADS:
            for name in NAMES if turn % 2 == 0 else NAMES[::-1]:
                got = results.attempt(f"program, {row.title}, {name}", _run, house, subject, name, kind, connections, seconds)
                if got:
                    results.add(row.key, name, {"value": value(got), "turn": turn})
        print(f"programs, turn {turn + 1} of {PAIRS * results.rounds}: " +
              ", ".join(f"{row.key.split()[1]} {ratio:.3f}" for row, *_ in LOADS if (ratio := of(results, row, turn))), flush=True)


def of(results, row, turn=None):
    """Under braidrun over as it is: the median of the pairs of turns, or that of one of them; None: there is none."""
    one, other = ({sample["turn"]: sample["value"] for sample in results.of(row.key, name)} for name in NAMES)
    ratios = [other[each] / one[each] for each in one if each in other and one[each] and turn in (None, each)]
    return statistics.median(ratios) if ratios else None


def measure(results):
    try:
        subject = LocalSubject()
        with at_home(subject, UPLINKS) as house:
            for namespace in (house.cpe, house.edge, house.plain):
                namespace.sysctl(**SYSCTLS)
            server = Process(house.plain.command(SERVER, home.PLAIN[4], PORT), f"server {PORT}")
            try:
                server.wait_for_line("ready")
                _measure(house, subject, results)
            finally:
                server.kill()
    except (CommandFailed, Timeout, RuntimeError, OSError) as error:
        results.note(f"programs: {str(error).splitlines()[-1]}")
