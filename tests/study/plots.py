"""The plots of docs/study.md, drawn by gnuplot."""
import subprocess

import bars
import results as runs
from cells import BULK, OBJECTS, SILENT_FROM, SILENT_UNTIL, Cell, paths_of, scenarios

CURVE_MS = 100
COLOURS = ("#4477aa", "#ee6677", "#228833", "#ccbb44", "#66ccee", "#aa3377", "#bbbbbb", "#222222", "#997700", "#004488",
           "#dd8800", "#009988", "#cc3311", "#777777")
HEAD = """set terminal svg size {width},{height} font 'sans,11' background '#ffffff' noenhanced
set output '{file}'
set border 3 lw 0.7
set tics nomirror out
set grid ytics lc rgb '#dddddd' lw 0.7
"""


class GnuplotFailed(Exception):
    pass


def _gnuplot(script):
    try:
        done = subprocess.run(["gnuplot"], input=script, capture_output=True, text=True)
    except FileNotFoundError:
        raise GnuplotFailed("gnuplot is not installed (deploy/install-deps.sh study)") from None
    if done.returncode != 0:
        raise GnuplotFailed(f"gnuplot: {done.stderr}")


def _block(name, rows):
    return f"${name} << EOD\n" + "\n".join(" ".join(str(value) for value in row) for row in rows) + "\nEOD\n"


def _quote(text):
    return '"' + str(text).replace('"', "'") + '"'


def bars_plot(file, title, groups, series, value, label, width=1100, height=420, log=False):
    """Clustered bars: value(group, series) or None. Groups lie side by side, a bar of each series in each."""
    rows = [[_quote("scenario"), *map(_quote, series)]]
    rows += [[_quote(group), *(f"{value(group, one):.5g}" if value(group, one) else "0" for one in series)] for group in groups]
    script = HEAD.format(width=width, height=height, file=file) + _block("d", rows) + f"""
set style data histogram
set style histogram clustered gap 1.5
set style fill solid 0.9 noborder
set boxwidth 0.9
set key outside right top vertical samplen 1 spacing 1.1
set ylabel {_quote(label)}
set title {_quote(title)}
{'set logscale y' if log else 'set yrange [0:*]'}
set xtics scale 0
plot """
    colours = (COLOURS[i % len(COLOURS)] for i in range(len(series)))
    _gnuplot(script + ", ".join(f"$d using {i + 2}:xtic(1) title columnheader lc rgb '{colour}'"
                                for i, colour in enumerate(colours)) + "\n")


def lines_plot(file, title, series, xlabel, ylabel, width=720, height=380, extra="", step=False):
    """series: [(name, [(x, y)])]."""
    script = HEAD.format(width=width, height=height, file=file)
    script += "".join(_block(f"d{i}", points) for i, (_, points) in enumerate(series))
    script += f"""
set key outside right top vertical samplen 1.5 spacing 1.1
set title {_quote(title)}
set xlabel {_quote(xlabel)}
set ylabel {_quote(ylabel)}
{extra}
plot """
    style = "steps" if step else "lines"
    _gnuplot(script + ", ".join(f"$d{i} using 1:2 with {style} lw 1.6 lc rgb '{COLOURS[i % len(COLOURS)]}' title {_quote(name)}"
                                for i, (name, _) in enumerate(series)) + "\n")


# ---- what is drawn ----

def _goodput_plots(results, combinations, folder, name, what):
    for upload in (False, True):
        def share(scenario, series):
            if series == "best path alone":
                best = bars.best_alone(results, scenario, upload, combinations[0][1], BULK, "goodput")
                one = results.of(Cell(scenario, BULK, upload, *combinations[0]), "rate")
                return best[0] / _payload(results, scenario, upload, combinations[0]) if best and one is not None else None
            cell = Cell(scenario, BULK, upload, *titles[series])
            return results.of(cell, "goodput").mean / bars.payload_rate(results.all(cell)[0]) if results.has(cell) else None

        titles = {sched if what == "schedulers" else cc: (sched, cc) for sched, cc in combinations}
        bars_plot(folder / f"{name}-{bars.direction(upload)}.svg",
                  f"Goodput of {BULK}, {bars.direction(upload)}: {what}", scenarios(), ["best path alone", *titles], share,
                  "share of the sum of the paths")


def _payload(results, scenario, upload, combination):
    return bars.payload_rate(results.all(Cell(scenario, BULK, upload, *combination))[0])


def _completion_plots(results, schedulers, cc, folder):
    for kind in [kind for kind in OBJECTS if kind != "16 KB"]:
        def ratio(scenario, sched):
            best = bars.best_alone(results, scenario, False, cc, kind, "time", most=False)
            sample = results.of(Cell(scenario, kind, False, sched, cc), "time")
            return sample.mean / best[0] if sample and best else None

        file = folder / f"completion-{kind.replace(' ', '').lower()}.svg"
        bars_plot(file, f"Time to download {kind}, by the best path alone", scenarios(), schedulers, ratio,
                  "time / best path alone", height=360)


def _delay_plots(results, build, folder, names):
    """Of one run each, of the first seed: the points of the distribution are not stored with the results."""
    cc = build.profiles["interactive"][1]
    choices = {f"{name} profile: {build.profiles[name][0]}": build.profiles[name] for name in ("bulk", "interactive", "resilient")}
    for scenario in names:
        cells = {title: Cell(scenario, "messages", False, *choice) for title, choice in choices.items()}
        cells |= {f"{path} alone": Cell(scenario, "messages", False, build.schedulers[0], cc, alone)
                  for alone, path in enumerate(paths_of(scenario))}
        series, least, most = [], 1e9, 0
        for title, cell in cells.items():
            quantiles = runs.measure(build.program, cell, 1, ("-q",))["cdf"]
            series.append((title, [(delay, i / (len(quantiles) - 1)) for i, delay in enumerate(quantiles)]))
            least, most = min(least, quantiles[0]), max(most, quantiles[-1])
        lines_plot(folder / f"delay-{scenario}.svg", f"Delivery delay of small messages: {scenario}, download", series,
                   "delay (ms), logarithmic", "share of the messages", step=True,
                   extra=f"set logscale x\nset xrange [{least * 0.8}:{most * 1.2}]")


def _outage_plots(results, build, folder, wanted):
    for scenario, silent in wanted:
        cell = Cell(scenario, "outage", False, *build.profiles["bulk"], silent=silent)
        run = runs.measure(build.program, cell, 1, ("-c", CURVE_MS))
        names = ["delivered in order", *(f"arrived over {path}" for path in paths_of(scenario))]
        series = []
        for column, name in enumerate(names):
            points = [(i * run["step"] / 1e3, (after[column] - before[column]) * 8 / run["step"] / 1e3)
                      for i, (before, after) in enumerate(zip(run["curve"], run["curve"][1:]), 1)]
            series.append((name, points))
        lines_plot(folder / f"outage-{scenario}.svg",
                   f"An outage of {paths_of(scenario)[silent]}, {SILENT_FROM} s to {SILENT_UNTIL} s: {scenario}, download",
                   series, "time (s)", "Mbit/s", extra="set xrange [8:24]\nset yrange [0:*]\nset object rectangle from "
                   f"{SILENT_FROM}, graph 0 to {SILENT_UNTIL}, graph 1 behind fillcolor rgb '#eeeeee' fillstyle solid noborder")


def draw(results, build, folder):
    """All plots, as SVG files in the folder."""
    folder.mkdir(exist_ok=True)
    default = build.profiles["bulk"]
    _goodput_plots(results, [(sched, default[1]) for sched in build.schedulers], folder, "schedulers", "schedulers")
    _goodput_plots(results, [(default[0], cc) for cc in build.congestion], folder, "congestion", "congestion controls")
    _completion_plots(results, build.schedulers, default[1], folder)
    _delay_plots(results, build, folder, ("lossy-both", "satellite-lte", "wifi-lte"))
    _outage_plots(results, build, folder, (("equal", 0), ("wifi-lte", 0)))
