"""docs/study/situations.md: what schedulers and congestion controls do in the situations."""
import statistics

import bars
from cells import CONGESTED, ROOT, STEADY_SECONDS, about, situations, steady, ways
from tables import number, spread, table

DOCUMENT = ROOT / "docs/study/situations.md"


def _cells():
    return [(scenario, upload) for scenario in situations() for upload in ways(scenario)]


def _defaults(results, default):
    """The default profile beside the sum of the paths and the best one alone."""
    rows = []
    for scenario, upload in _cells():
        cell = steady(scenario, upload, *default)
        best = bars.best_alone(results, scenario, upload, default[1], "steady", "goodput")
        if not results.has(cell) or not best:
            continue
        goodput, total = results.of(cell, "goodput"), bars.payload_rate(results.all(cell)[0])
        rows.append([f"{scenario}, {bars.direction(upload)}", number(total, 1), spread(goodput, 1), number(goodput.mean / total, 2),
                     number(best[0], 1), number(goodput.mean / best[0], 2), "yes" if scenario in CONGESTED else ""])
    return table(["", "sum", "goodput", "/ sum", "best path alone", "/ best", "loss is congestion only"], rows)


def _beside(results, default, choices):
    """Goodput of other choices, as a share of the default's."""
    rows, ratios = [], {choice: [] for choice in choices}
    for scenario, upload in _cells():
        mine = results.of(steady(scenario, upload, *default), "goodput")
        row = [f"{scenario}, {bars.direction(upload)}", spread(mine, 1)]
        for choice in choices:
            other = results.of(steady(scenario, upload, *choice), "goodput")
            if other and mine:
                ratios[choice].append(other.mean / mine.mean)
            row.append(number(other and mine and other.mean / mine.mean, 2))
        rows.append(row)
    rows.append(["geometric mean", "", *(number(ratios[choice] and statistics.geometric_mean(ratios[choice]), 2) for choice in choices)])
    return table(["", ", ".join(default), *(choice[choice[0] == default[0]] for choice in choices)], rows)


def write(results, build, verdicts):
    default = build.profiles["bulk"]
    found = dict.fromkeys((cell.sched, cell.cc) for cell in results.rows if cell.kind == "steady" and cell.alone < 0)
    missed = [[v.bar, v.cell, v.aim, v.measured] for v in verdicts if v.bar.startswith("situations") and not v.met]
    DOCUMENT.write_text("\n\n".join([
        "# Study: situations",
        "What lines do to those who depend on them, in virtual time, Braid at both ends: Mbit/s of payload over the first "
        f"{STEADY_SECONDS} s of a transfer that has no end, the handshake and slow start included. `make study STUDY=situations` "
        "writes this document; how the kernel's sender does as Braid's rival in the same situations stands in [kernel.md](kernel.md).",
        table(["scenario", ""], [[f"`{name}`", about(name)] for name in situations()]),
        "## The default profile", _defaults(results, default),
        "Missed (0.95 of the best path alone, 0.93 of the sum where loss is congestion only):" if missed else
        "0.95 of the best path alone, and 0.93 of the sum where loss is congestion only, are reached everywhere.",
        *([table(["bar", "cell", "aim", "measured"], missed)] if missed else []),
        "## Schedulers", "Goodput as a share of the default's; with the default congestion control.",
        _beside(results, default, [c for c in found if c[1] == default[1] and c != default]),
        "## Congestion controls", "The same with the default scheduler.",
        _beside(results, default, [c for c in found if c[0] == default[0] and c != default]),
    ]) + "\n")
