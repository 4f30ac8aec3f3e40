"""braidctl top in a terminal: live, with keys; and one answer for who is none."""
import os
import re
import signal

from lib import proxy
from lib.proc import run
from lib.proxy import Section
from lib.stream import MIB, Receiver, Sender
from lib.suite import braid_only, limit
from lib.terminal import Terminal
from lib.wait import until

PATHS = [Section(f"path {name}", remote=f"10.99.{number}.0/24") for number, name in ((1, "dsl"), (2, "lte"))]


def top(env, *words, **size):
    return Terminal([proxy.BRAIDCTL, "-s", env.proxy.control, "top", *words], **size)


def rows(terminal):
    """Those of connections: their ids, as they come."""
    lines = terminal.shown
    head = next((i for i, line in enumerate(lines) if re.match(r"ID +EDGE", line)), len(lines))
    return [int(line.split()[0]) for line in lines[head + 1:] if re.match(r"\d+ +\S+ +(mptcp|tcp|fallback)", line)]


def rate(line):
    """Bit/s, the first of a line."""
    number, unit = re.search(r"([\d.]+) (.?)bit/s", line).groups()
    return float(number) * {"": 1, "k": 1e3, "M": 1e6, "G": 1e9}[unit]


@braid_only
@limit(120)
def test_rates_and_connections_are_live(env):
    near, far = env.two_paths(edges=[*proxy.default_edges(), *PATHS], mbit=50)
    with top(env) as terminal:
        terminal.until_shown("^1 of 1 connection$")
        assert terminal.is_raw()
        number = env.proxy.connection()["id"]
        assert rows(terminal) == [number]
        sink = Receiver(near, 128 * MIB, end=False)
        Sender(far, 128 * MIB, end=False)
        for path in ("dsl", "lte"):
            terminal.until_shown(rf"^{path} +\S+ \S+ +[\d.]+ Mbit/s +[\d.]+ ms")
        until(lambda: any(rate(line.split("bit/s", 1)[1]) > 1e6 for line in terminal.shown if line.startswith(f"{number} ")),
              "the connection's rate is shown", 30)
        sink.finish(120)
        near.close()
        far.close()
        terminal.until_shown("^0 of 0 connections$")
        terminal.press("q")
        assert terminal.end() == 0 and not terminal.is_raw()
        assert terminal.said.endswith("\x1b[?25h\x1b[?1049l"), "the terminal is as it was before"


@braid_only
@limit(120)
def test_keys_sort_search_and_pause(env):
    env.start()
    pairs = [env.pair(version) for version in (4, 4, 6)]
    ids = [connection["id"] for connection in env.proxy.connections()]
    web6 = next(c["id"] for c in env.proxy.connections() if c["edge"] == "web6")
    with top(env, "sort=age") as terminal:
        terminal.until_shown("by age")
        until(lambda: sorted(rows(terminal)) == sorted(ids), "all are shown", 30)
        terminal.press("S")
        terminal.until_shown("by bytes")
        terminal.press("s\x1b[Bs")  # an arrow between them means nothing
        terminal.until_shown("by rtt")
        terminal.press("/weq\x7fb6")
        terminal.until_shown("^find: web6_")
        terminal.press("\r")
        terminal.until_shown('with "web6"')
        until(lambda: rows(terminal) == [web6], "the one is shown", 30)
        terminal.press("/nonsense")
        terminal.until_shown("^find: nonsense_")
        terminal.press("\x1b")
        terminal.until_shown("^q quit")
        assert rows(terminal) == [web6], "what was not taken changes nothing"
        terminal.press("c")
        until(lambda: sorted(rows(terminal)) == sorted(ids), "all are shown again", 30)
        terminal.press("p")
        terminal.until_shown("paused")
        for near, far in pairs:
            near.close()
            far.close()
        env.no_connections()
        assert sorted(rows(terminal)) == sorted(ids), "it stands still"
        terminal.press("p")
        terminal.until_shown("^0 of 0 connections$")
        terminal.press("\x03")
        assert terminal.end() == 0


@braid_only
@limit(120)
def test_another_size_a_silent_daemon_and_a_signal(env):
    env.start()
    for _ in range(20):
        env.pair(multipath=False)
    with top(env, rows=30) as terminal:
        terminal.until_shown("^20 of 20 connections$")
        terminal.resize(14, 40)
        until(lambda: len(terminal.shown) <= 14 and 0 < len(rows(terminal)) < 10, "what there is room for is shown", 30)
        assert max(map(len, terminal.shown)) <= 40
        terminal.resize(40, 160)
        until(lambda: len(rows(terminal)) == 20, "all are shown again", 30)
        env.proxy.process.signal(signal.SIGSTOP)
        try:
            terminal.until_shown("does not answer", 60)
            assert len(rows(terminal)) == 20, "what was known stays"
        finally:
            env.proxy.process.signal(signal.SIGCONT)
        terminal.until_shown("^q quit", 60)
        os.kill(terminal.pid, signal.SIGTERM)
        assert terminal.end() == 0 and not terminal.is_raw()


@braid_only
def test_who_is_no_terminal_gets_one_answer(env):
    env.start()
    done = run([proxy.BRAIDCTL, "-s", env.proxy.control, "top"])
    assert done.stdout.startswith("ID") and "\x1b" not in done.stdout
    assert env.proxy.ctl("top")["connections"] == []
    with top(env, "sort=nonsense") as terminal:
        assert terminal.end() == 2 and "sort=KEY, one of rate bytes" in terminal.said
    with Terminal([proxy.BRAIDCTL, "-s", env.directory / "nobody.sock", "top"]) as terminal:
        assert terminal.end() == 1 and "no such socket" in terminal.said
