"""One scheduler beside the default one, over all scenarios: tests/study/run --sched NAME."""
import statistics
import sys
import time

import bars
import cells
import results as runs
from cells import Cell
from tables import table

OBJECTS = ("16 KB", "256 KB", "4 MB")
PACED_SECONDS = 25
COLUMNS = ("goodput", *OBJECTS, "p99")
CHEAP = 2  # times as many seeds for what takes little to simulate


def _cell(column, scenario, upload, sched, cc):
    if column == "goodput":
        return cells.steady(scenario, upload, sched, cc)
    if column == "p99":
        return Cell(scenario, "messages", upload, sched, cc, span=PACED_SECONDS)
    return Cell(scenario, column, upload, sched, cc)


def _value(results, column, cell):
    quantity = {"goodput": "goodput", "p99": "delay_p99"}.get(column, "time")
    sample = results.of(cell, quantity)
    return sample.mean if sample else None


def _plan(places, pair, cc, seeds):
    return [(_cell(column, scenario, upload, sched, cc), seed) for column in COLUMNS
            for seed in range(1, seeds * (1 if column == "goodput" else CHEAP) + 1)
            for scenario, upload in places for sched in pair]


def gain(column, mine, other):
    """What the new one makes of the default's, more than 1: better."""
    return mine / other if column == "goodput" else other / mine


def _text(column, mine, other):
    digits = 1 if column in ("goodput", "p99") else 0
    return f"{mine:.{digits}f} / {other:.{digits}f} = {mine / other:.2f}"


def rows_of(results, places, sched, default, cc):
    """(rows of the table, {column: gains})"""
    rows, gains = [], {column: [] for column in COLUMNS}
    for scenario, upload in places:
        row = [f"{scenario}, {bars.direction(upload)}"]
        for column in COLUMNS:
            mine, other = (_value(results, column, _cell(column, scenario, upload, name, cc)) for name in (sched, default))
            row.append(_text(column, mine, other) if mine and other else "-")
            if mine and other:
                gains[column].append((gain(column, mine, other), row[0]))
        rows.append(row)
    return rows, gains


def _summary(sched, gains):
    for column in COLUMNS:
        if not gains[column]:
            continue
        better = sorted((g, where) for g, where in gains[column] if g > 1.02)
        worse = sorted((g, where) for g, where in gains[column] if g < 0.98)
        mean = statistics.geometric_mean(g for g, _ in gains[column])
        line = f"{column}: {sched} is better by more than 2 % in {len(better)} of {len(gains[column])}, worse in {len(worse)}; "
        line += f"gain {mean:.3f} in the geometric mean"
        line += f", at best {better[-1][0]:.2f} ({better[-1][1]})" if better else ""
        yield line + (f", at worst {worse[0][0]:.2f} ({worse[0][1]})" if worse else "")


def run(build, sched, seeds, only):
    default, cc = build.profiles["bulk"]
    if sched not in build.schedulers + build.examples:
        sys.exit(f"{sched}: expected one of {', '.join(build.schedulers + build.examples)}")
    places = [(scenario, upload) for scenario in (*cells.scenarios(), *cells.situations()) for upload in cells.ways(scenario)
              if only in (None, scenario)]
    results, begun = runs.Results(), time.monotonic()
    plan = list(dict.fromkeys(_plan(places, (sched, default), cc, seeds)))
    print(f"study: {sched} beside {default}, {len(plan)} runs")
    failures = runs.run_all(build.program, plan, results, float("inf"))
    rows, gains = rows_of(results, places, sched, default, cc)
    print(table(["", "goodput, Mbit/s", *(f"{name}, ms" for name in OBJECTS), "p99 of messages, ms"], rows))
    print("\n".join(_summary(sched, gains)))
    for failure in failures:
        print(f"FAILED {failure}")
    print(f"study: each cell is {sched} / {default}; {time.monotonic() - begun:.0f} s, {len(failures)} runs failed")
    return 1 if failures else 0
