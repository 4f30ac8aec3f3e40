"""What is measured: one function per kind of load. Each returns named numbers, and raises if the load was not what it
was meant to be."""
import dataclasses
import functools
import typing

MAX_FAILED = 0.01
RATE_CONCURRENCY = 16
ANSWER = 64 * 1024  # bytes, of a page's parts
TALKERS, STREAM = 64, 64  # connections with messages, and how many messages are under way on each in a stream
MPTCP_SHARE = 0.99  # of new connections that have to be MPTCP


def goodput(field, subject, seconds, kind, connections):
    got = subject.load(field, kind, "-n", connections, "-t", seconds)
    if got["bytes"] == 0:
        raise RuntimeError("nothing arrived")
    share = min(got["flows"]) / max(1, sum(got["flows"]))
    if share == 0:  # how little is the scheduler's choice: minRTT leaves a path alone while a faster one has room
        raise RuntimeError("one of the two paths carried nothing")
    return {"value": got["bytes"] * 8 / got["seconds"] / 1e9, "cpu": got["cpu"] / (got["bytes"] / 1e9),
            "proxy": got["proxy_cpu"] / got["seconds"], "share": share}


def rate(field, subject, seconds, *options):
    before = field.topology.client.counters()
    got = subject.load(field, "rate", "-n", RATE_CONCURRENCY, "-t", seconds, *options)
    after = field.topology.client.counters()
    gone = {name: after[f"MPTcpExt{name}"] - before[f"MPTcpExt{name}"]
            for name in ("MPCapableSYNTX", "MPCapableSYNACKRX", "MPJoinSynAckRx")}
    if got["failed"] > MAX_FAILED * got["all"]:
        raise RuntimeError(f"{got['failed']} of {got['all']} connections failed")
    if gone["MPCapableSYNACKRX"] < MPTCP_SHARE * gone["MPCapableSYNTX"]:
        raise RuntimeError(f"{gone['MPCapableSYNACKRX']} of {gone['MPCapableSYNTX']} connections were MPTCP")
    return {"value": got["connections"] / got["seconds"], "cpu": got["cpu"] / got["connections"] * 1000,
            "proxy": got["proxy_cpu"] / got["seconds"], "share": gone["MPJoinSynAckRx"] / gone["MPCapableSYNTX"]}


def round_trip(field, subject, seconds):
    """Both percentiles come from the same run."""
    got = subject.load(field, "rtt", "-t", seconds)
    common = {"cpu": got["cpu"] / got["count"] * 1e6, "proxy": got["proxy_cpu"] / got["seconds"]}
    return {"p50": {"value": got["p50"], **common}, "p99": {"value": got["p99"], **common}}


def requests(field, subject, seconds):
    return rate(field, subject, seconds, "-a", ANSWER)


def messages(field, subject, seconds, window):
    got = subject.load(field, "messages", "-n", TALKERS, "-W", window, "-t", seconds)
    return {"value": got["count"] / got["seconds"], "cpu": got["cpu"] / got["count"] * 1e6, "proxy": got["proxy_cpu"] / got["seconds"]}


@dataclasses.dataclass(frozen=True)
class Row:
    key: str
    title: str
    unit: str
    digits: int = 2
    higher_is_better: bool = True
    aim: float = 1.0  # Braid / HAProxy, at least or at most


@dataclasses.dataclass(frozen=True)
class Load:
    """One run of the generator, and the row or rows that come from it."""
    rows: tuple
    measure: typing.Callable
    cpu_unit: str

    def run(self, field, subject, seconds):
        got = self.measure(field, subject, seconds)
        return got if len(self.rows) > 1 else {self.rows[0].key: got}


def _goodput_load(kind, connections):
    title = f"{'download' if kind == 'down' else 'upload'}, {connections} connection{'s' * (connections > 1)}"
    row = Row(f"{kind}{connections}", title, "Gbit/s")
    return Load((row,), lambda field, subject, seconds: goodput(field, subject, seconds, kind, connections), "s/GB")


LOADS = (
    _goodput_load("down", 1),
    _goodput_load("down", 16),
    _goodput_load("up", 1),
    _goodput_load("up", 16),
    Load((Row("rate", "new connections, 1 KB each way", "1/s", 0),), rate, "ms each"),
    Load((Row("requests", "requests, answers of 64 KB", "1/s", 0),), requests, "ms each"),
    Load((Row("p50", "1-byte round trip, median", "µs", 1, False), Row("p99", "1-byte round trip, p99", "µs", 1, False)),
         round_trip, "µs each"),
    Load((Row("turns", "64-byte messages, 64 connections, one at a time", "1/s", 0),), functools.partial(messages, window=1), "µs each"),
    Load((Row("stream", "64-byte messages, 64 connections, a stream", "1/s", 0),), functools.partial(messages, window=STREAM), "µs each"),
)
MEMORY = Row("memory", "memory per idle connection", "KiB", 1, False, 0.5)
