"""Tables of medians and ratios, for the terminal and for docs/benchmarks.md."""
import datetime
import os
import platform
import re
import statistics

import cpe
import idle
import programs
from lib.proc import run
from lib.proxy import BRAIDD, ROOT
from rows import LOADS, MEMORY

DOCUMENT = ROOT / "docs/benchmarks.md"
NAMES = ("HAProxy", "Braid", "HAProxy, 256 KiB buffers", "no proxy")
BEGIN, END = "<!-- measured: begin -->", "<!-- measured: end -->"


def median(samples, name="value"):
    values = [sample[name] for sample in samples if name in sample]
    return statistics.median(values) if values else None


def spread(samples, digits):
    """The median and, behind it, the range."""
    values = [sample["value"] for sample in samples]
    if not values:
        return "-"
    return f"{number(statistics.median(values), digits)} ({number(min(values), digits)} - {number(max(values), digits)})"


def number(value, digits):
    return "-" if value is None else f"{value:,.{digits}f}"


def ratio(one, other):
    return one / other if one is not None and other else None


def met(row, of):
    if of is None:
        return "-"
    return "yes" if (of >= row.aim if row.higher_is_better else of <= row.aim) else "no"


def _speed(results, row):
    samples = [results.of(row.key, name) for name in NAMES]
    haproxy, braid, large, direct = (median(each) for each in samples)
    of = ratio(braid, haproxy)
    return [f"{row.title} ({row.unit})", spread(samples[0], row.digits), spread(samples[1], row.digits), number(of, 2),
            met(row, of), number(large, row.digits), number(ratio(braid, large), 2), number(direct, row.digits)]


def _cpu(results, load):
    row = load.rows[0]
    samples = [results.of(row.key, name) for name in NAMES]
    haproxy, braid, large, direct = (median(each, "cpu") for each in samples)
    of = ratio(braid, haproxy)
    return [f"{row.title.split(', median')[0]} ({load.cpu_unit})", number(haproxy, 3), number(braid, 3), number(of, 2),
            "-" if of is None else "yes" if of <= 1 else "no", number(large, 3), number(ratio(braid, large), 2),
            number(direct, 3)]


def _use(results, load):
    """What the proxies' own threads took of their CPU, with the interrupts that hit them."""
    row = load.rows[0]
    return [row.title.split(", median")[0], *(number(median(results.of(row.key, name), "proxy"), 2) for name in NAMES[:3])]


def _paths(results, load):
    row = load.rows[0]
    shares = [median(results.of(row.key, name), "share") for name in ("HAProxy", "Braid")]
    return [row.title, *("-" if share is None else f"{share:.0%}" for share in shares)]


def _memory(results):
    """Rows of the table of memory: its parts, then the sum."""
    lines = []
    for name, title in (("user", "the proxy's own"), ("kernel", "the kernel's, for the proxy"), ("total", "together")):
        haproxy, braid, large = (median(results.of("memory", who), name) for who in NAMES[:3])
        of = ratio(braid, haproxy)
        lines.append([f"{title} ({MEMORY.unit})", *(number(value and value / 1024, 1) for value in (haproxy, braid)),
                      number(of, 2), met(MEMORY, of) if name == "total" else "", number(large and large / 1024, 1),
                      number(ratio(braid, large), 2)])
    return lines


def _cpe(results, row):
    theirs, mine = (results.of(row.key, name) for name in cpe.NAMES)
    of = ratio(median(mine), median(theirs))
    return [f"{row.title} ({row.unit})", spread(theirs, row.digits), spread(mine, row.digits), number(of, 2), met(row, of)]


def _cpe_cpu(results, row):
    theirs, mine = (median(results.of(row.key, name), "cpu") for name in cpe.NAMES)
    of = ratio(mine, theirs)
    return [f"{row.title} (s/GB)", number(theirs, 3), number(mine, 3), number(of, 2), "-" if of is None else "yes" if of <= 1 else "no"]


def _program(results, row):
    samples, ratio_of = [results.of(row.key, name) for name in programs.NAMES], programs.of(results, row)
    return [f"{row.title} ({row.unit})", *(spread(each, row.digits) for each in samples), programs.compared(results, row),
            ratio_of.verdict(row) if ratio_of else "-", number(len(samples[0]), 0)]


def _program_counts(results, row, unit):
    """CPU time, then what was counted once."""
    in_unit = 1e3 if unit.startswith("ms") else 1e6
    counted = next(iter(results.of(row.key, "counted")), {})
    without, with_it = (median(results.of(row.key, name), "cpu") for name in programs.NAMES)
    return [f"{row.title.split(', median')[0]} ({unit})", *(number(value and value * in_unit, 1) for value in (without, with_it)),
            programs.compared(results, row, programs.of_cpu), *(number(counted.get(name), 2) for name in programs.NAMES),
            number(counted.get("instructions"), 0)]


def tables(results):
    """(heading, header, lines) of each."""
    if results.part in (None, "proxy"):
        yield from _proxy_tables(results)
    if results.part in (None, "idle"):
        yield ("Beside idle connections of two subflows, one proxy: medians (and what they are of those without)", *idle.table(results))
    if results.part in (None, "cpe"):
        yield from _cpe_tables(results)
    if results.part in (None, "programs"):
        yield from _program_tables(results)


def _program_tables(results):
    yield ("Programs on the machine of a CPE, with libbraid-socket preloaded, of which they use nothing: medians (and ranges); the ratio "
           "is the median of those of pairs (and lies within, with 95 % confidence)",
           ["", *programs.NAMES, "ratio", "within 3 %", "pairs"], [_program(results, row) for row, *_ in programs.LOADS])
    yield ("The program's own CPU time for these, its system calls, and instructions of the library",
           ["", *(f"CPU, {name}" for name in programs.NAMES), "ratio", *(f"system calls, {name}" for name in programs.NAMES),
            "instructions"], [_program_counts(results, row, unit) for row, *_, unit in programs.LOADS])


def _cpe_tables(results):
    header = ["", *cpe.NAMES, f"{cpe.NAMES[1]} / {cpe.NAMES[0]}", "aim met"]
    yield ("From a LAN through CPE and converter: medians (and ranges)", header, [_cpe(results, row) for row, _, _ in cpe.ROWS])
    yield ("CPU time of the whole machine for these: medians", header, [_cpe_cpu(results, row) for row, _, _ in cpe.ROWS])


def _proxy_tables(results):
    both = ["HAProxy", "Braid", "Braid / HAProxy", "aim met"]
    others = ["HAProxy 256K", "Braid / 256K", "no proxy"]
    yield ("Speed: medians (and ranges)", ["", *both, *others],
           [_speed(results, row) for load in LOADS for row in load.rows])
    yield ("CPU time of the whole machine: medians", ["", *both, *others],
           [_cpu(results, load) for load in LOADS])
    yield ("Share of its CPU that the proxy used", ["", "HAProxy", "Braid", "HAProxy 256K"],
           [_use(results, load) for load in LOADS])
    yield (f"Memory per idle connection, at {results.idle:,}", ["", *both, *others[:2]], _memory(results))
    yield ("Share of the path that carried less; for new connections, joins that were answered, per connection",
           ["", "HAProxy", "Braid"], [_paths(results, load) for load in LOADS[:6]])


def text(results):
    out = []
    for heading, header, lines in tables(results):
        table = [header, *lines]
        widths = [max(len(line[i]) for line in table) for i in range(len(header))]
        out += ["", heading] + ["  ".join([line[0].ljust(widths[0])] + [cell.rjust(width) for cell, width in
                                          zip(line[1:], widths[1:])]).rstrip() for line in table]
    return "\n".join(out + [""] + results.remarks + [f"FAILED {failure}" for failure in results.failures])


def markdown(results):
    out = [BEGIN, *(f"- {line}" for line in conditions(results))]
    for heading, header, lines in tables(results):
        out += ["", f"**{heading}**", "", "| " + " | ".join(header) + " |", "|" + "---|" * len(header)]
        out += ["| " + " | ".join(line) + " |" for line in lines]
    out += [""] + [f"- {remark}" for remark in results.remarks] + [f"- failed: {failure}" for failure in results.failures]
    return "\n".join(out + [END])


def _first_line(*argv):
    return run(argv, check=False).stdout.splitlines()[0].strip()


def _cpu_model():
    with open("/proc/cpuinfo") as file:
        return next((line.split(":")[1].strip() for line in file if line.startswith("model name")), "unknown")


def conditions(results):
    return [f"{datetime.date.today()}, Linux {platform.release()}, {os.cpu_count()} CPUs: {_cpu_model()}",
            f"Braid: {_first_line(BRAIDD, '-V')}, commit {_first_line('git', '-C', ROOT, 'rev-parse', '--short', 'HEAD')}",
            _first_line("haproxy", "-v").split(" - ")[0],
            f"rounds: {results.rounds}; seconds per load and round: {results.seconds:g}; minutes in all: "
            f"{results.minutes:.0f}; CPUs that others used just before: {results.background:.2f}"]


def write(results):
    """Replaces what was measured in the document; the words around it are written by people."""
    old = DOCUMENT.read_text()
    pattern = re.compile(re.escape(BEGIN) + ".*" + re.escape(END), re.DOTALL)
    if not pattern.search(old):
        raise RuntimeError(f"{DOCUMENT} has no place for what was measured")
    DOCUMENT.write_text(pattern.sub(lambda _: markdown(results), old))
