"""Fills in docs/study.md: the text is that of template.md, in which {{name}} stands for a table or a number."""
import re
import subprocess

import plots
import tables
from cells import BULK, ROOT, Cell

DOCUMENT = ROOT / "docs/study.md"
PLOTS = ROOT / "docs/study"
TEMPLATE = ROOT / "tests/study/template.md"
# Written by other programs of the tests, if they have run: the comparison with the kernel's sender in real time.
FRAGMENTS = {"kernel": PLOTS / "kernel.md"}


def _fairness(program):
    """The table of the fairness of coupled congestion control, by the program of tests/fairness."""
    if not program.exists():
        return "Not measured."
    done = subprocess.run([program, "--markdown"], capture_output=True, text=True)
    return done.stdout.strip()  # what it exits with says whether the bars are met, as the table does


def _fragment(path):
    return path.read_text().strip() if path.exists() else "Not measured."


def values(results, build, verdicts):
    default = build.profiles["bulk"]
    combinations = tables.combinations_of(results)
    filled = {
        "bars": tables.bars_table(verdicts),
        "missed": tables.missed_table(verdicts),
        "schedulers": tables.overview_table(results, [c for c in combinations if c[1] == default[1]], default),
        "congestion": tables.overview_table(results, [c for c in combinations if c[0] == default[0]], default),
        "others": tables.overview_table(results, [c for c in combinations if default[0] != c[0] and default[1] != c[1]],
                                        default),
        "best path": tables.verdict_table(verdicts, "never worse than the best path"),
        "acceptance": tables.verdict_table(verdicts, "Linux's acceptance test"),
        "interactive": tables.verdict_table(verdicts, "interactive: p99 of the delay"),
        "beside": tables.verdict_table(verdicts, "interactive beside bulk: p99 of the delay"),
        "pages": tables.verdict_table(verdicts, "pages"),
        "loss stalls": tables.loss_stall_table(results, default),
        "delays": tables.delay_table(results, default[1]),
        "outages": tables.outage_table(results, default),
        "scenarios": tables.scenario_tables(results),
        "fairness": _fairness(build.program.parent / "fairness"),
        "seeds": str(results.meta["seeds"]), "runs": f"{results.meta['runs']:,}",
    }
    filled |= {name: _fragment(path) for name, path in FRAGMENTS.items()}
    filled |= {f"{name} profile": "{}, {}".format(*choice) for name, choice in build.profiles.items()}
    return filled


class Number:
    """{{goodput SCENARIO DIRECTION SCHEDULER CONGESTION}} and the like: the mean of one quantity of one cell."""
    WORDS = {"goodput": (BULK, "goodput", 1), "p99": ("messages", "delay_p99", 1), "256KB": ("256 KB", "time", 0)}

    def __init__(self, results):
        self.results = results

    def __call__(self, words):
        if len(words) != 5 or words[0] not in self.WORDS:
            return None
        kind, quantity, digits = self.WORDS[words[0]]
        sample = self.results.of(Cell(words[1], kind, words[2] == "upload", words[3], words[4]), quantity)
        return f"{sample.mean:.{digits}f}" if sample else "(not measured)"


def write(results, build, verdicts):
    filled, number = values(results, build, verdicts), Number(results)

    def replace(match):
        name = match.group(1)
        value = filled.get(name)
        if value is None:
            value = number(name.split())
        if value is None:
            raise KeyError(f"template.md asks for {{{{{name}}}}}, which is nothing")
        return value

    PLOTS.mkdir(exist_ok=True)
    DOCUMENT.write_text(re.sub(r"\{\{([^{}]+)\}\}", replace, TEMPLATE.read_text()))
    (PLOTS / "data.csv").write_text(tables.data(results))
    plots.draw(results, build, PLOTS)
