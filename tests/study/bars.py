"""The bars: what the default profile (and the others, where said) must reach, each judged in every cell it is about."""
import dataclasses

from cells import (ACCEPTANCE_SIZE, BULK, CONGESTED, LONG_SECONDS, SHORT, Cell, about, everywhere, page, paths_of, scenarios,
                   short, situations, steady, ways)

MTU = 1500
BEST_SHARE = 0.95  # of the best path alone
SUM_SHARES = {"equal": 0.93, "unequal": 0.93, "near-far": 0.85}  # of the sum of the rates, by scenario
SITUATION_SHARE = 0.93
STALL_RTTS, STALL_MS, RETURN_MS = 2, 50, 2000
DELAY_FACTOR = 1.2  # of the best path alone
RESILIENT_FACTOR = 0.5  # of minrtt's
REDUNDANT_SHARE = 0.9
LOSSY_BOTH = "lossy-both"


@dataclasses.dataclass(frozen=True)
class Verdict:
    bar: str
    cell: str  # scenario and direction, with what else tells it from others
    aim: str
    measured: str
    met: bool
    margin: float  # of the aim that was reached, more than 1: met; for the choice of the worst


def direction(upload):
    return "upload" if upload else "download"


def best_alone(results, scenario, upload, cc, kind, quantity, most=True, of="mean"):
    """(mean, path) of the path that does best alone, or None if none was measured. of: another property of the sample."""
    found = [(getattr(results.of(cell, quantity), of), cell.alone) for cell in results.alone.get((scenario, upload, cc, kind), ())]
    if not found:
        return None
    return max(found) if most else min(found)


def payload_rate(result):
    """Mbit/s of payload that the paths of a run carry together at best: a packet of MTU bytes has mss of them."""
    return sum(result["rate"]) * result["mss"] / MTU


def _cells(results, kind, profile, names=None):
    for scenario in names or scenarios():
        for upload in (False, True):
            cell = Cell(scenario, kind, upload, *profile)
            if results.has(cell):
                yield cell


def best_path(results, profile):
    for cell in _cells(results, BULK, profile):
        goodput = results.of(cell, "goodput")
        best = best_alone(results, cell.scenario, cell.upload, cell.cc, BULK, "goodput")
        if not best:
            continue
        share = goodput.mean / best[0]
        yield Verdict("never worse than the best path", f"{cell.scenario}, {direction(cell.upload)}",
                      f">= {BEST_SHARE} x {best[0]:.1f} Mbit/s", f"{share:.2f} x ({goodput.mean:.1f} Mbit/s)",
                      share >= BEST_SHARE, share / BEST_SHARE)


def sum_of_rates(results, profile):
    for scenario, aim in SUM_SHARES.items():
        for cell in _cells(results, BULK, profile, [scenario]):
            total = payload_rate(results.all(cell)[0])
            share = results.of(cell, "goodput").mean / total
            yield Verdict("sum of the paths", f"{scenario}, {direction(cell.upload)}", f">= {aim} x {total:.1f} Mbit/s",
                          f"{share:.3f} x", share >= aim, share / aim)


def in_situations(results, profile):
    """What lines do: the best path alone, and the sum where loss is congestion only."""
    for scenario in situations():
        for upload in ways(scenario):
            cell, where = steady(scenario, upload, *profile), f"{scenario}, {direction(upload)}"
            best = best_alone(results, scenario, upload, profile[1], "steady", "goodput")
            if not results.has(cell) or not best:
                continue
            goodput, total = results.of(cell, "goodput").mean, payload_rate(results.all(cell)[0])
            yield Verdict("situations: never worse than the best path", where, f">= {BEST_SHARE} x {best[0]:.1f} Mbit/s",
                          f"{goodput / best[0]:.2f} x ({goodput:.1f} Mbit/s)", goodput >= BEST_SHARE * best[0],
                          goodput / best[0] / BEST_SHARE)
            if scenario in CONGESTED:
                yield Verdict("situations: sum of the paths", where, f">= {SITUATION_SHARE} x {total:.1f} Mbit/s",
                              f"{goodput / total:.3f} x", goodput >= SITUATION_SHARE * total, goodput / total / SITUATION_SHARE)


def short_transfers(results, profile):
    """By medians: a SYN that is lost costs a second, whoever sends it."""
    for scenario in scenarios():
        for size in SHORT:
            for upload in (False, True):
                cell = short(scenario, size, upload, *profile)
                if results.has(cell):
                    yield _short_transfer(results, cell, f"{scenario}, {size}, {direction(upload)}")


def pages(results, profile):
    for scenario in everywhere():
        cell = page(scenario, *profile)
        if results.has(cell):
            yield _short_transfer(results, cell, scenario, "pages")


def _short_transfer(results, cell, where, bar="short transfers"):
    paths = results.alone[cell.scenario, cell.upload, cell.cc, cell.kind]
    best = min(paths, key=lambda path: results.of(path, "time").median)
    time, took = results.of(best, "time").median, results.of(cell, "time").median
    round_trip = max(max(run["srtt"]) for run in results.all(best))
    aim = time + round_trip
    return Verdict(bar, where, f"<= {time:.0f} + {round_trip:.0f} ms", f"{took:.0f} ms", took <= aim, aim / took)


def acceptance(results, profile):
    for cell in _cells(results, "acceptance", profile, scenarios(acceptance=True)):
        limit = ACCEPTANCE_SIZE * 8 / (0.9 * sum(results.all(cell)[0]["rate"]) * 1e3) + 450
        took = results.of(cell, "time").worst
        yield Verdict("Linux's acceptance test", f"{about(cell.scenario).split(': ')[-1]}, {direction(cell.upload)}",
                      f"<= {limit:.0f} ms", f"{took:.0f} ms", took <= limit, limit / took)


def stall_aim(result):
    """Milliseconds: by the larger round-trip time, since it takes one to miss an acknowledgement of the silent path, and
    about one until what is sent again over the other path has arrived."""
    return STALL_RTTS * max(result["srtt"]) + STALL_MS


def failover(results, profile):
    for scenario in scenarios():
        names = paths_of(scenario)
        for upload in (False, True):
            for silent, name in enumerate(names):
                cell = Cell(scenario, "outage", upload, *profile, silent=silent)
                if results.has(cell):
                    yield from _failover(results, cell, f"{scenario}, {direction(upload)}, {name} is silent")


def _failover(results, cell, where):
    runs = results.all(cell)
    worst = max(runs, key=lambda run: run["stall"] - stall_aim(run))
    aim = stall_aim(worst)
    yield Verdict("failover: stall", where, f"<= {aim:.0f} ms", f"{worst['stall']:.0f} ms", worst["stall"] <= aim,
                  aim / max(worst["stall"], 1))
    back = [run["carried"] for run in runs]
    latest = max(back) if min(back) >= 0 else float("inf")
    yield Verdict("failover: return", where, f"<= {RETURN_MS} ms", "never" if latest == float("inf") else f"{latest:.0f} ms",
                  latest <= RETURN_MS, RETURN_MS / max(latest, 1))


def interactive(results, profile):
    """By itself, and beside the bulk transfer of another connection over the same paths. Medians: a p99 of 20 s is that of the eight
    latest messages, and where one is lost more or less that is another one."""
    for kind, bar in (("messages", "interactive: p99 of the delay"), ("beside", "interactive beside bulk: p99 of the delay")):
        for cell in _cells(results, kind, profile, everywhere()):
            best = best_alone(results, cell.scenario, cell.upload, cell.cc, kind, "delay_p99", most=False, of="median")
            if not best:
                continue
            p99 = results.of(cell, "delay_p99").median
            yield Verdict(bar, f"{cell.scenario}, {direction(cell.upload)}", f"<= {DELAY_FACTOR} x {best[0]:.1f} ms",
                          f"{p99 / best[0]:.2f} x ({p99:.1f} ms)", p99 <= DELAY_FACTOR * best[0], DELAY_FACTOR * best[0] / p99)


def resilient(results, profile):
    for cell in _cells(results, "messages", profile, [LOSSY_BOTH]):
        other = Cell(cell.scenario, "messages", cell.upload, "minrtt", cell.cc)
        if not results.has(other):
            continue
        p99, theirs = results.of(cell, "delay_p99").mean, results.of(other, "delay_p99").mean
        yield Verdict("resilient: p99 at 5 % loss", f"{cell.scenario}, {direction(cell.upload)}",
                      f"< {RESILIENT_FACTOR} x {theirs:.1f} ms", f"{p99 / theirs:.2f} x ({p99:.1f} ms)",
                      p99 < RESILIENT_FACTOR * theirs, RESILIENT_FACTOR * theirs / p99)


def redundant(results, profile):
    for cell in results.rows:
        if cell.kind != "long" or cell.alone >= 0 or (cell.sched, cell.cc) != profile:
            continue
        best = best_alone(results, cell.scenario, cell.upload, cell.cc, "long", "goodput")
        share = results.of(cell, "goodput").mean / best[0]
        minutes = f"{cell.span / 60:.0f} min"
        yield Verdict("redundant for " + (minutes if cell.span == LONG_SECONDS else "a minute"),
                      f"{cell.scenario}, {direction(cell.upload)}", f">= {REDUNDANT_SHARE} x {best[0]:.1f} Mbit/s",
                      f"{share:.2f} x", share >= REDUNDANT_SHARE, share / REDUNDANT_SHARE)


def judge(results, build):
    """All verdicts, in the order of the bars."""
    bulk, slow, safe = (build.profiles[name] for name in ("bulk", "interactive", "resilient"))
    return [*best_path(results, bulk), *sum_of_rates(results, bulk), *in_situations(results, bulk), *acceptance(results, bulk),
            *short_transfers(results, bulk), *pages(results, bulk), *failover(results, bulk), *interactive(results, slow), *resilient(results, safe),
            *redundant(results, safe)]


def by_bar(verdicts):
    """{bar: verdicts}, in order."""
    grouped = {}
    for verdict in verdicts:
        grouped.setdefault(verdict.bar, []).append(verdict)
    return grouped
