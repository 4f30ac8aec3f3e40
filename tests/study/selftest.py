"""Tests of the study's own arithmetic: that intervals are right, and that a bar which is missed is told."""
import bars
import cells
import compare
import results as runs
import tables
from cells import BULK, Cell

PROFILE = ("some", "other")


def _store(cell, *values):
    """Results of one cell: a run of each value, which are dicts."""
    results = runs.Results()
    for seed, value in enumerate(values):
        results.add(cell, seed, value)
    return results


def _merge(*parts):
    merged = runs.Results()
    for part in parts:
        for cell, runs_of in part.rows.items():
            for seed, result in runs_of.items():
                merged.add(cell, seed, result)
    return merged


def check_interval():
    sample = runs.Sample((1.0, 2.0, 3.0, 4.0, 5.0))
    assert sample.mean == 3 and abs(sample.half - 1.9632) < 1e-3
    assert runs.Sample((7.0,)).half == 0
    assert tables.spread(sample, 1) == "3.0 ± 2.0" and tables.spread(runs.Sample((7.0,)), 1) == "7.0"


def _bulk(goodput, alone):
    whole = _store(Cell("equal", BULK, False, *PROFILE), {"goodput": goodput, "rate": [50, 50], "mss": 1500})
    paths = [_store(Cell("equal", BULK, False, "any", PROFILE[1], path), {"goodput": rate}) for path, rate in enumerate(alone)]
    return _merge(whole, *paths)


def check_best_path():
    """Judged by the better path, whichever it is."""
    for alone in ((100, 20), (20, 100)):
        assert [verdict.met for verdict in bars.best_path(_bulk(94.9, alone), PROFILE)] == [False]
        assert [verdict.met for verdict in bars.best_path(_bulk(95.1, alone), PROFILE)] == [True]


def check_sum():
    assert [verdict.met for verdict in bars.sum_of_rates(_bulk(92.9, (50, 50)), PROFILE)] == [False]
    assert [verdict.met for verdict in bars.sum_of_rates(_bulk(93.1, (50, 50)), PROFILE)] == [True]


def check_failover():
    """One bad run of several is enough; a path that never returns is late."""
    cell = Cell("equal", "outage", False, *PROFILE, silent=0)

    def met(*stalls, carried=100):
        given = [{"stall": stall, "srtt": [20, 30], "carried": carried} for stall in stalls]
        return [verdict.met for verdict in bars.failover(_store(cell, *given), PROFILE)]

    assert met(109, 110) == [True, True] and met(10, 111) == [False, True]
    assert met(10, carried=-1) == [True, False] and met(10, carried=2001) == [True, False]


def check_delays():
    messages = Cell("lossy-both", "messages", True, *PROFILE)
    minrtt = _store(Cell("lossy-both", "messages", True, "minrtt", PROFILE[1]), {"delay_p99": 100})
    for p99, met in ((49, True), (51, False)):
        assert [verdict.met for verdict in bars.resilient(_merge(_store(messages, {"delay_p99": p99}), minrtt), PROFILE)] == [met]


def check_situations():
    """The sum counts where loss is congestion only."""
    def met(scenario, goodput):
        whole = _store(cells.steady(scenario, True, *PROFILE), {"goodput": goodput, "rate": [50, 50], "mss": 1500})
        alone = _store(cells.steady(scenario, True, *PROFILE, 0), {"goodput": 60})
        return [verdict.met for verdict in bars.in_situations(_merge(whole, alone), PROFILE)]

    assert met("codel", 93.1) == [True, True] and met("codel", 92.9) == [True, False] and met("codel", 56) == [False, False]
    assert met("bursty", 57.1) == [True] and met("bursty", 56) == [False]


def check_short_transfers():
    """By the path that is quicker alone, and its round trip."""
    whole = cells.short("equal", "16 KB", False, *PROFILE)
    alone = [_store(Cell("equal", "16 KB", False, "any", PROFILE[1], path), {"time": time, "srtt": [time / 10, 0]})
             for path, time in enumerate((300, 200))]
    for time, met in ((220, True), (221, False)):
        results = _merge(_store(whole, {"time": time}, {"time": time}, {"time": 1000}), *alone)
        assert [verdict.met for verdict in bars.short_transfers(results, PROFILE)] == [met]


def check_interactive():
    """By the path that is better alone and the median, by itself and beside bulk, over situations as well."""
    for kind in ("messages", "beside"):
        for p99, met in ((12, True), (12.1, False)):
            alone = [_store(Cell("codel", kind, True, "any", PROFILE[1], path), {"delay_p99": ms}) for path, ms in enumerate((30, 10))]
            results = _merge(_store(Cell("codel", kind, True, *PROFILE), {"delay_p99": p99}, {"delay_p99": 1}, {"delay_p99": 99}), *alone)
            assert [verdict.met for verdict in bars.interactive(results, PROFILE)] == [met]


def check_page():
    """As short transfers are, from the path that answers first."""
    whole = cells.page("near-far", *PROFILE)
    alone = [_store(Cell("near-far", "page", False, "any", PROFILE[1], path), {"time": time, "srtt": [10, 0]})
             for path, time in enumerate((200, 300))]
    for time, met in ((210, True), (211, False)):
        results = _merge(_store(whole, {"time": time}), *alone)
        assert [verdict.met for verdict in bars.pages(results, PROFILE)] == [met]


def check_gain():
    """More goodput, and less time, is better."""
    assert compare.gain("goodput", 20, 10) == 2 and compare.gain("256 KB", 20, 10) == 0.5


def check_all():
    for check in (check_interval, check_best_path, check_sum, check_situations, check_short_transfers, check_interactive, check_page, check_gain, check_failover, check_delays):
        check()
