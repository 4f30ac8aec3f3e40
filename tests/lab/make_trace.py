#!/usr/bin/env python3
"""Makes a trace of an LTE link's rate in mahimahi's format, or tells the statistics of trace files.

The rate is a mean times the exponential of an Ornstein-Uhlenbeck process (the scheduler's share and slow fading),
times the factor of a Markov chain of good reception, deep fades and outages; the whole is scaled to the mean asked for.
Each line is the time in milliseconds of an opportunity to send 1,500 bytes.
"""
import argparse
import math
import pathlib
import random
import sys

OPPORTUNITY = 1500 * 8  # bits
STEP = 20  # milliseconds for which a rate holds
CORRELATION, DEVIATION = 1000.0, 0.45  # milliseconds; of the logarithm of the rate
STATES = {  # factor of the rate, mean stay in milliseconds, (next state, probability)
    "good": (1.0, 3000, (("fade", 0.9), ("outage", 0.1))),
    "fade": (0.12, 400, (("good", 0.85), ("outage", 0.15))),
    "outage": (0.0, 150, (("fade", 1.0),)),
}
WINDOW = 100  # milliseconds over which the statistics take a rate
HERE = pathlib.Path(__file__).resolve().parent


def shape(rng, steps):
    """The rate of each step, in units of its own."""
    keep = math.exp(-STEP / CORRELATION)
    level, state = rng.gauss(0, DEVIATION), "good"
    for _ in range(steps):
        factor, stay, after = STATES[state]
        yield factor * math.exp(level)
        level = keep * level + math.sqrt(1 - keep * keep) * rng.gauss(0, DEVIATION)
        if rng.random() < STEP / stay:
            state = rng.choices([name for name, _ in after], [weight for _, weight in after])[0]


def make(seed, mbit, seconds):
    """The times of the opportunities."""
    rates = list(shape(random.Random(seed), seconds * 1000 // STEP))
    scale = mbit * 1e3 / (sum(rates) / len(rates))  # to bits per millisecond
    credit, times = 0.0, []
    for ms in range(seconds * 1000):
        credit += rates[ms // STEP] * scale
        while credit >= OPPORTUNITY:
            credit -= OPPORTUNITY
            times.append(ms + 1)
    if times[-1] != seconds * 1000:
        times.append(seconds * 1000)  # the last time is the length of the trace
    return times


def statistics(times):
    """Mean and quantiles in Mbit/s, the longest time without an opportunity in ms."""
    windows = [0] * -(-times[-1] // WINDOW)
    for ms in times:
        windows[(ms - 1) // WINDOW if ms else 0] += OPPORTUNITY / WINDOW / 1e3
    windows.sort()
    gap = max(after - before for before, after in zip([0] + times, times))
    quantiles = {q: windows[min(int(q / 100 * len(windows)), len(windows) - 1)] for q in (5, 25, 50, 75, 95)}
    return len(times) * OPPORTUNITY / times[-1] / 1e3, quantiles, gap


def table(files):
    lines = ["| trace | s | mean | 5 % | 25 % | 50 % | 75 % | 95 % | longest outage |", "|" + "---|" * 9]
    for file in files:
        times = [int(line) for line in file.read_text().split()]
        mean, quantiles, gap = statistics(times)
        cells = " | ".join(f"{rate:.1f}" for rate in quantiles.values())
        lines.append(f"| {file.name} | {times[-1] / 1000:.0f} | {mean:.1f} | {cells} | {gap} ms |")
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int)
    parser.add_argument("--mbit", type=float, help="the mean rate, Mbit/s")
    parser.add_argument("--seconds", type=int, default=30, help="length (30)")
    parser.add_argument("--stats", nargs="*", type=pathlib.Path, metavar="FILE",
                        help="a table of the statistics of these files, or of all that the scenarios have")
    arguments = parser.parse_args()
    if arguments.stats is not None:
        print(table(arguments.stats or sorted((HERE / "scenarios/traces").iterdir())))
    elif arguments.seed is None or arguments.mbit is None:
        parser.error("expected --seed and --mbit, or --stats")
    else:
        sys.stdout.writelines(f"{ms}\n" for ms in make(arguments.seed, arguments.mbit, arguments.seconds))


if __name__ == "__main__":
    main()
