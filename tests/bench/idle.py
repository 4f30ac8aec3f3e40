"""What many idle connections cost those that are busy: loads beside none, and beside 1,000 and more of them, by turns. They are
Braid's own, over two subflows each, and stay open while the loads run: whatever is done for each connection there is, in timers and
tables, falls into the loads.
"""
import contextlib
import dataclasses
import resource
import signal
import statistics

from field import BraidSubject
from rows import LOADS

COUNTS = (0, 1000, 10000, 20000)
SPARE_FILES = 1000  # beside those of the idle connections; each costs client, proxy and server one
MOST = 1.03  # of what it is without; of a rate, at least the inverse
KEYS = ("down1", "up1", "rate", "p50", "p99")


@dataclasses.dataclass(frozen=True)
class Measure:
    """A column of a load: its row's own value, or the CPU time of the machine."""
    row: object
    name: str  # of the sample: value, cpu
    title: str
    digits: int
    higher_is_better: bool

    @property
    def key(self):
        return f"idle {self.row.key} {self.name}"

    def met(self, of):
        return "yes" if (of >= 1 / MOST if self.higher_is_better else of <= MOST) else "no"


def _measures():
    for load in LOADS:
        for row in load.rows:
            if row.key in KEYS:
                yield Measure(row, "value", f"{row.title} ({row.unit})", row.digits, row.higher_is_better)
        if load.rows[0].key in KEYS:
            yield Measure(load.rows[0], "cpu", f"CPU, {load.rows[0].title.split(', median')[0]} ({load.cpu_unit})", 3, False)


MEASURES = tuple(_measures())


@contextlib.contextmanager
def _open(field, subject, count):
    """That many idle connections; all of them and their subflows have to be there to the end."""
    if not count:
        yield
        return
    client = subject.idle(field, count)
    try:
        field.rested(lambda: _spent(subject.process), "what follows so many handshakes")
        yield
        client.signal(signal.SIGTERM)
        told = client.wait_for_line("subflows:")
        if int(told.split()[-1]) != 2 * count:
            raise RuntimeError(f"{told} instead of {2 * count}")
        client.signal(signal.SIGTERM)
        client.wait(60)
    finally:
        client.kill()
        field.quiet()


def _spent(process):
    """CPU time, in ticks of 10 ms."""
    with open(f"/proc/{process.pid}/stat") as file:
        return sum(int(value) for value in file.read().rsplit(")", 1)[1].split()[11:13])


def _beside(field, subject, count, results, turn):
    with _open(field, subject, count):
        for load in LOADS:
            if load.rows[0].key not in KEYS:
                continue
            got = results.attempt(f"{load.rows[0].title} beside {count} idle connections", load.run, field, subject, results.seconds)
            for each in MEASURES if got else ():
                if each.row in load.rows:
                    results.add(each.key, count, {"value": got[each.row.key][each.name], "turn": turn})


def counts(results):
    """As many as the machine lets one process have files for."""
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    most = COUNTS[-1] if most == resource.RLIM_INFINITY else min(COUNTS[-1], most - SPARE_FILES)
    return COUNTS[:2] if results.quick else tuple(sorted({min(count, most) for count in COUNTS}))


def measure(field, results):
    subject = BraidSubject()
    subject.start(field)
    try:
        for turn in range(results.rounds):
            print(f"idle connections, round {turn + 1} of {results.rounds}", flush=True)
            for count in counts(results) if turn % 2 == 0 else counts(results)[::-1]:
                results.attempt(f"{count} idle connections", _beside, field, subject, count, results, turn)
            for each in MEASURES:
                print(f"  {each.title}: " + ", ".join(_cell(results, each, count) for count in counts(results)), flush=True)
    finally:
        subject.stop()


def of(results, measure_, count):
    """What it is of that without idle connections: the median of the rounds; None: there is none."""
    alone, beside = ({sample["turn"]: sample["value"] for sample in results.of(measure_.key, each)} for each in (0, count))
    ratios = [beside[turn] / alone[turn] for turn in beside if alone.get(turn)]
    return statistics.median(ratios) if ratios else None


def _cell(results, measure_, count):
    samples = [sample["value"] for sample in results.of(measure_.key, count)]
    if not samples:
        return "-"
    ratio = of(results, measure_, count)
    return f"{statistics.median(samples):,.{measure_.digits}f}" + (f" ({ratio:.2f})" if count and ratio else "")


def table(results):
    """Header and lines."""
    lines = []
    for each in MEASURES:
        ratios = [of(results, each, count) for count in counts(results) if count]
        met = "-" if None in ratios else "yes" if all(each.met(ratio) == "yes" for ratio in ratios) else "no"
        lines.append([each.title, *(_cell(results, each, count) for count in counts(results)), met])
    return ["", *(f"{count:,} idle" if count else "none idle" for count in counts(results)), "within 3 %"], lines
