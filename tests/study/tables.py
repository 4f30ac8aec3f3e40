"""The tables of docs/study.md."""
import csv
import io
import math
import statistics

import bars
from cells import BULK, OBJECTS, Cell, about, paths_of, scenarios

KIB, MIB = 1 << 10, 1 << 20
OVERVIEW = (("goodput / best path alone", "share_best", 2), ("least of these", "least_best", 2),
            ("goodput / sum of the paths", "share_sum", 2), ("goodput / default's", "of_default", 2),
            ("256 KB: time / best path alone", "object", 2), ("messages: p99 / best path alone", "p99", 2),
            ("sent twice", "twice", 1), ("largest reordering buffer (MiB)", "reorder", 1))


def table(head, rows):
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return "\n".join(lines + ["| " + " | ".join(str(cell) for cell in row) + " |" for row in rows])


def number(value, digits):
    return "-" if value is None else f"{value:,.{digits}f}"


def spread(sample, digits, unit=1):
    """The mean and half of its 95 % interval."""
    if sample is None:
        return "-"
    half = number(sample.half / unit, digits)
    return number(sample.mean / unit, digits) + (f" ± {half}" if float(half.replace(",", "")) else "")


# ---- bars ----

def bars_table(verdicts):
    rows = []
    for bar, group in bars.by_bar(verdicts).items():
        worst = min(group, key=lambda verdict: verdict.margin)
        met = sum(verdict.met for verdict in group)
        rows.append([bar, worst.aim, f"{worst.measured}: {worst.cell}", "yes" if met == len(group) else
                     f"in {met} of {len(group)} cells"])
    return table(["bar", "aim in the worst cell", "measured there", "met"], rows)


def missed_table(verdicts):
    rows = [[v.bar, v.cell, v.aim, v.measured] for v in verdicts if not v.met]
    return table(["bar", "cell", "aim", "measured"], rows) if rows else "Every bar is met in every cell."


def verdict_table(verdicts, bar):
    rows = [[v.cell, v.aim, v.measured, "yes" if v.met else "no"] for v in verdicts if v.bar == bar]
    return table(["cell", "aim", "measured", "met"], rows) if rows else "Not measured."


# ---- one scenario ----

def _goodput(results, cell):
    sample = results.of(cell, "goodput")
    if sample is None:
        return "-"
    complete = all(run["complete"] for run in results.all(cell))
    return spread(sample, 1) + ("" if complete else " (given up)")


def _percent(results, cell, quantity, of):
    one, other = results.of(cell, quantity), results.of(cell, of)
    return "-" if one is None else f"{100 * one.mean / other.mean:.1f} %"


def _row(results, title, key):
    """One row: what one choice does in one scenario and direction; key makes the cell of a kind."""
    bulk, messages = key(BULK), key("messages")
    times = [spread(results.of(key(kind), "time"), 0 if kind in ("16 KB", "256 KB") else 2, 1 if kind in
             ("16 KB", "256 KB") else 1000) for kind in OBJECTS]
    delays = [spread(results.of(messages, name), 1) for name in ("delay_p50", "delay_p99")]
    peak = results.of(bulk, "reorder_peak")
    memory = results.of(bulk, "memory_sender")
    return [title, _goodput(results, bulk), *times, *delays, _percent(results, bulk, "twice", "bytes"),
            number(peak and peak.worst / KIB, 0), number(memory and memory.worst / MIB, 1)]


HEAD = ["", "goodput (Mbit/s)", "16 KB (ms)", "256 KB (ms)", "4 MB (s)", "64 MB (s)", "delay p50 (ms)", "delay p99 (ms)",
        "sent twice", "reordering (KiB)", "sender's memory (MiB)"]


def scenario_table(results, scenario, upload):
    found = [cell for cell in results.rows if (cell.scenario, cell.upload, cell.kind) == (scenario, upload, BULK)]
    combinations = list(dict.fromkeys((cell.sched, cell.cc) for cell in found if cell.alone < 0))
    rows = []
    for alone, name in enumerate(paths_of(scenario)):
        for sched, cc in dict.fromkeys((cell.sched, cell.cc) for cell in found if cell.alone == alone):
            if cc == combinations[0][1]:
                rows.append(_row(results, f"*{name} alone, {cc}*",
                                 lambda kind: Cell(scenario, kind, upload, sched, cc, alone)))
    for sched, cc in combinations:
        rows.append(_row(results, f"{sched}, {cc}", lambda kind: Cell(scenario, kind, upload, sched, cc)))
    return table(HEAD, rows)


def scenario_tables(results):
    parts = []
    for scenario in scenarios():
        for upload in (False, True):
            parts.append(f"**{about(scenario)} (`{scenario}`), {bars.direction(upload)}**\n\n" +
                         scenario_table(results, scenario, upload))
    return "\n\n".join(parts)


# ---- all scenarios together ----

def _geometric(values):
    values = [value for value in values if value]
    return statistics.geometric_mean(values) if values else None


def _ratio(results, cell, cc, quantity, most):
    """By the best path alone with this congestion control."""
    best = bars.best_alone(results, cell.scenario, cell.upload, cc, cell.kind, quantity, most)
    sample = results.of(cell, quantity)
    return sample.mean / best[0] if best and sample else None


def overview(results, sched, cc, default):
    """What one choice does over all scenarios and both directions; {name: value or None}."""
    def each(kind):
        return [cell for cell in results.rows
                if (cell.kind, cell.sched, cell.cc, cell.alone) == (kind, sched, cc, -1)]

    def same(cell):
        return results.of(Cell(cell.scenario, cell.kind, cell.upload, *default), "goodput")

    bulk = each(BULK)
    best = [ratio for ratio in (_ratio(results, cell, cell.cc, "goodput", True) for cell in bulk) if ratio]
    return {
        "share_best": _geometric(best), "least_best": min(best, default=None),
        "share_sum": _geometric(results.of(cell, "goodput").mean / bars.payload_rate(results.all(cell)[0]) for cell in bulk),
        "of_default": _geometric(results.of(cell, "goodput").mean / same(cell).mean for cell in bulk if same(cell)),
        "object": _geometric(_ratio(results, cell, default[1], "time", False) for cell in each("256 KB")),
        "p99": _geometric(_ratio(results, cell, default[1], "delay_p99", False) for cell in each("messages")),
        "twice": 100 * statistics.fmean(results.of(c, "twice").mean / results.of(c, "bytes").mean for c in bulk),
        "reorder": max(results.of(cell, "reorder_peak").worst for cell in bulk) / MIB,
    }


def combinations_of(results):
    return list(dict.fromkeys((cell.sched, cell.cc) for cell in results.rows if cell.kind == BULK and cell.alone < 0))


def overview_table(results, combinations, default):
    rows = []
    for sched, cc in combinations:
        values = overview(results, sched, cc, default)
        rows.append([f"{sched}, {cc}", *(number(values[name], digits) + (" %" if name == "twice" else "")
                                         for _, name, digits in OVERVIEW)])
    return table(["", *(title for title, _, _ in OVERVIEW)], rows)


# ---- failover ----

def outage_table(results, profile):
    rows = []
    for scenario in scenarios():
        for silent, name in enumerate(paths_of(scenario)):
            for upload in (False, True):
                cell = Cell(scenario, "outage", upload, *profile, silent=silent)
                if results.has(cell):
                    runs = results.all(cell)
                    rows.append([scenario, name, bars.direction(upload), spread(results.of(cell, "stall"), 0),
                                 number(statistics.fmean(map(bars.stall_aim, runs)), 0),
                                 spread(results.of(cell, "carried"), 0), spread(results.of(cell, "flowing"), 0)])
    return table(["scenario", "silent path", "", "longest stall (ms)", "2 SRTT + 50 ms", "first data after the return (ms)",
                  "64 KiB after the return (ms)"], rows)


def loss_stall_table(results, profile):
    rows = []
    names = paths_of(bars.LOSSY_BOTH)
    for silent, name in enumerate(names):
        for upload in (False, True):
            cell = Cell(bars.LOSSY_BOTH, "outage", upload, *profile, silent=silent)
            for alone in range(len(names)):
                other = Cell(bars.LOSSY_BOTH, "outage", upload, *profile, alone=alone, silent=silent)
                if results.has(cell) and results.has(other):
                    rows.append([f"{name} is silent, {bars.direction(upload)}", spread(results.of(cell, "stall"), 0),
                                 f"{names[alone]}: {spread(results.of(other, 'stall'), 0)}"])
    return table(["", "longest stall (ms)", "of the other path alone (ms)"], rows)


# ---- small messages ----

def delay_table(results, cc):
    found = [cell for cell in results.rows if cell.kind == "messages" and cell.cc == cc]
    choices = list(dict.fromkeys(cell.sched for cell in found if cell.alone < 0))
    rows = []
    for scenario in scenarios():
        for upload in (False, True):
            best = bars.best_alone(results, scenario, upload, cc, "messages", "delay_p99", most=False)
            rows.append([f"{scenario}, {bars.direction(upload)}", number(best and best[0], 1),
                         *(spread(results.of(Cell(scenario, "messages", upload, sched, cc), "delay_p99"), 1)
                           for sched in choices)])
    return table(["", "best path alone", *choices], rows)


# ---- data ----

MEANS = ("time", "goodput", "twice", "delay_p50", "delay_p99", "stall", "carried", "flowing")  # with intervals
PEAKS = ("reorder_peak", "memory_sender", "memory_receiver")  # of all runs


def digits(value):
    """Four significant digits."""
    return f"{value:.{max(0, 3 - int(math.floor(math.log10(abs(value)))))}f}" if value else "0"


def data(results):
    """Means, half of their 95 % intervals, and peaks as CSV, for docs/study/data.csv."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["scenario", "direction", "kind", "scheduler", "congestion", "alone", "silent", "runs",
                     *(f"{name}{what}" for name in MEANS for what in ("", "_ci")), *PEAKS])
    for cell, runs in results.rows.items():
        names = paths_of(cell.scenario)
        values = []
        for name in MEANS:
            sample = results.of(cell, name)
            values += [digits(sample.mean), digits(sample.half)] if sample else ["", ""]
        values += [results.of(cell, name).worst for name in PEAKS]
        writer.writerow([cell.scenario, bars.direction(cell.upload), cell.kind, cell.sched, cell.cc,
                         names[cell.alone] if cell.alone >= 0 else "", names[cell.silent] if cell.silent >= 0 else "",
                         len(runs), *values])
    return out.getvalue()
