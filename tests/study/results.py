"""The results of the runs: running them in parallel, keeping them in a file, and means with intervals."""
import concurrent.futures
import dataclasses
import json
import math
import os
import statistics
import subprocess
import sys
import time

from cells import Cell

# Student's t for 95 %, by degrees of freedom.
T95 = {1: 12.706, 2: 4.303, 3: 3.182, 4: 2.776, 5: 2.571, 6: 2.447, 7: 2.365, 8: 2.306, 9: 2.262, 14: 2.145, 19: 2.093}


@dataclasses.dataclass(frozen=True)
class Sample:
    """Values of one quantity, one of each seed."""
    values: tuple

    @property
    def mean(self):
        return statistics.fmean(self.values)

    @property
    def median(self):
        return statistics.median(self.values)

    @property
    def half(self):
        """Half of the 95 % interval of the mean; 0 if there is only one value."""
        n = len(self.values)
        if n < 2:
            return 0.0
        known = max(k for k in T95 if k <= n - 1)
        return T95[known] * statistics.stdev(self.values) / math.sqrt(n)

    @property
    def worst(self):
        return max(self.values)

    @property
    def least(self):
        return min(self.values)


class Results:
    def __init__(self):
        self.rows = {}  # Cell: {seed: result}
        self.alone = {}  # (scenario, upload, cc, kind): cells of one path alone
        self.meta = {}

    def add(self, cell, seed, result):
        if cell.alone >= 0 and cell.silent < 0 and cell not in self.rows:
            self.alone.setdefault((cell.scenario, cell.upload, cell.cc, cell.kind), []).append(cell)
        self.rows.setdefault(cell, {})[seed] = result

    def has(self, cell):
        return cell in self.rows

    def all(self, cell):
        """The results of a cell, one of each seed."""
        return [self.rows[cell][seed] for seed in sorted(self.rows[cell])]

    def of(self, cell, name):
        """The values of one quantity, or None if the cell was not measured or has no such quantity."""
        if cell not in self.rows:
            return None
        values = tuple(result[name] for result in self.all(cell) if name in result)
        return Sample(values) if values else None

    def save(self, path):
        rows = [[dataclasses.astuple(cell), seed, result] for cell, seeds in self.rows.items()
                for seed, result in seeds.items()]
        path.write_text(json.dumps({"meta": self.meta, "rows": rows}))

    @staticmethod
    def load(path):
        results, stored = Results(), json.loads(path.read_text())
        results.meta = stored["meta"]
        for cell, seed, result in stored["rows"]:
            results.add(Cell(*cell), seed, result)
        return results


class RunFailed(Exception):
    pass


def measure(program, cell, seed, extra=()):
    command = [str(program), *cell.arguments(("-s", seed, *extra))]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        raise RunFailed(f"{' '.join(command)}: exit {done.returncode}: {done.stderr.strip()}")
    return json.loads(done.stdout)


class Progress:
    def __init__(self, total):
        self.total, self.done, self.begun, self.told = total, 0, time.monotonic(), 0.0

    def step(self):
        self.done += 1
        now = time.monotonic()
        if now - self.told < (1 if sys.stderr.isatty() else 15) and self.done < self.total:
            return
        self.told = now
        left = (now - self.begun) / self.done * (self.total - self.done)
        end = "\r" if sys.stderr.isatty() and self.done < self.total else "\n"
        print(f"  {self.done} of {self.total} runs, about {left:.0f} s left   ", end=end, file=sys.stderr, flush=True)


def run_all(program, plan, results, until):
    """Runs (cell, seed) pairs on all CPUs, in this order; begins none after the monotonic time until. Returns the
    failures; a run that fails does not stop the others."""
    def one(cell, seed):
        return measure(program, cell, seed) if time.monotonic() < until else None

    failures, progress = [], Progress(len(plan))
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        jobs = {pool.submit(one, cell, seed): (cell, seed) for cell, seed in plan}
        for job in concurrent.futures.as_completed(jobs):
            try:
                result = job.result()
                if result:
                    results.add(*jobs[job], result)
            except RunFailed as failure:
                failures.append(str(failure))
            progress.step()
    return failures
