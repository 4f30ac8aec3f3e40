"""Rows of a CPE: a device of a LAN, which knows nothing of MPTCP, behind a router with three uplinks that nobody slows down,
and iperf3 to a plain server behind a converter; beside what people use today at both ends. House, peers and measurement are
those of the home study (tests/home), by turns in one run.
"""
import shutil

import measures
from lib.proc import CommandFailed
from lib.wait import Timeout
from rows import Row
from subjects import BraidSubject, Shadowsocks, at_home

NAMES = (Shadowsocks.name, BraidSubject.name)
UPLINKS = ({}, {}, {})
ROWS = tuple((Row(f"cpe {key}", title, "Gbit/s"), way, count) for key, (title, way, count) in measures.SPEED.items())


def peers(results):
    """Who takes part; why somebody does not is told."""
    if not shutil.which("iperf3"):
        results.remark("CPE rows: none, as iperf3 is not installed")
        return []
    taking_part = []
    for peer in (Shadowsocks, BraidSubject):
        if peer.lacks():
            results.remark(f"CPE rows: without {peer.name}; not installed: {' '.join(peer.lacks())}")
        else:
            taking_part.append(peer)
    return taking_part


def _measure(house, peer, results):
    for row, way, count in ROWS:
        got = results.attempt(f"CPE, {row.title}, {peer.name}", measures.speed, house, way, count, max(1, round(results.seconds)),
                              counts=peer is BraidSubject)
        if got:
            results.add(row.key, peer.name, {"value": got[0], "cpu": got[1]})
            print(f"  CPE, {row.title}, {peer.name}: {got[0]:.{row.digits}f} {row.unit}; {got[1]:.3f} s/GB of CPU")


def measure(results):
    """Each round in a house of its own for each peer, in the other order every time."""
    taking_part = peers(results)
    for turn in range(results.rounds):
        if taking_part:
            print(f"CPE, round {turn + 1} of {results.rounds}", flush=True)
        for peer in taking_part if turn % 2 == 0 else taking_part[::-1]:
            try:
                with at_home(peer(), UPLINKS) as house:
                    _measure(house, peer, results)
            except (CommandFailed, Timeout, RuntimeError, OSError) as error:
                results.note(f"CPE, {peer.name}: {str(error).splitlines()[-1]}", counts=peer is BraidSubject)
