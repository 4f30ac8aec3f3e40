"""The matrix: which transfers are measured. Names of algorithms come from the program, scenarios from the lab."""
import dataclasses
import pathlib
import re
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]
SCENARIOS = ROOT / "tests/lab/scenarios"
ACCEPTANCE = "linux-"  # scenarios of Linux's own acceptance test begin with this
# Those over which every scheduler and congestion control is measured. All others are situations: what lines do to those
# who depend on them, over which the profiles are measured.
MATRIX = ("equal", "good-bad", "lossy", "lossy-both", "near-far", "one-bad", "satellite-lte", "trace-dsl", "unequal", "wifi-lte")
# Situations in which loss is congestion only: what the paths carry together has to be used there.
CONGESTED = ("bloat", "codel", "dsl-lte", "far-near", "fibre-lte", "five", "long-fat", "reorder", "shared-cell", "small-mtu",
             "thin-ack")
UPLOAD_ONLY = ("thin-ack",)  # the other way is for acknowledgements alone
KIB, MIB = 1 << 10, 1 << 20
OBJECTS = {"16 KB": 16 * KIB, "256 KB": 256 * KIB, "4 MB": 4 * MIB, "64 MB": 64 * MIB}
BULK, ACCEPTANCE_SIZE = "64 MB", 16 * MIB
MESSAGE_SECONDS, MESSAGE_SEEDS, LOSSY_SEEDS, SITUATION_SEEDS, SHORT_SEEDS = 60, 4, 20, 3, 5
SHORT = ("16 KB", "256 KB", "4 MB")
OUTAGE_SECONDS, SILENT_FROM, SILENT_UNTIL = 30, 10, 18
LONG_SECONDS = 600
STEADY_SECONDS = 20
BESIDE, BESIDE_SECONDS, BESIDE_SEEDS = "minrtt", 20, 5  # the scheduler of the transfer beside, as of the default profile
PAGE_SEEDS = 3
GIVE_UP = 900  # seconds of virtual time after which a transfer counts as not completed


@dataclasses.dataclass(frozen=True)
class Cell:
    scenario: str
    kind: str  # a size of OBJECTS, "messages", "beside" (such beside bulk), "page", "outage", "long", "steady" or "acceptance"
    upload: bool
    sched: str
    cc: str
    alone: int = -1  # the only path in use; -1: all
    silent: int = -1  # the path that has the outage; -1: none
    span: int = 0  # seconds, for "long" and "steady"; of "messages" if it is not the usual time
    first: int = 0  # the path that the connection begins over

    def arguments(self, extra=()):
        words = ["-S", self.sched, "-C", self.cc, "-l", GIVE_UP, *extra]
        if self.kind in OBJECTS:
            words += ["-b", OBJECTS[self.kind]]
        elif self.kind == "acceptance":
            words += ["-b", ACCEPTANCE_SIZE]
        elif self.kind == "messages":
            words += ["-m", self.span or MESSAGE_SECONDS]
        elif self.kind == "beside":
            words += ["-m", BESIDE_SECONDS, "-B", BESIDE]
        elif self.kind == "page":
            words.append("-p")
        elif self.kind == "outage":
            words += ["-t", OUTAGE_SECONDS, "-o", f"{self.silent}:{SILENT_FROM}:{SILENT_UNTIL}"]
        else:
            words += ["-t", self.span]
        if self.upload:
            words.append("-u")
        if self.alone >= 0:
            words += ["-a", self.alone]
        if self.first > 0:
            words += ["-f", self.first]
        return [str(word) for word in (*words, SCENARIOS / f"{self.scenario}.ini")]


@dataclasses.dataclass(frozen=True)
class Build:
    """What the program offers. The first of each list is the default of this build."""
    program: pathlib.Path
    schedulers: tuple
    congestion: tuple
    examples: tuple  # schedulers of docs/examples: only measured when named
    profiles: dict  # name: (scheduler, congestion control)

    @staticmethod
    def of(program):
        lines = subprocess.run([program, "--list"], check=True, capture_output=True, text=True).stdout.splitlines()
        words = [line.split() for line in lines]
        names = {what: tuple(w[1] for w in words if w[0] == what) for what in ("scheduler", "congestion", "example")}
        profiles = {w[1]: (w[2], w[3]) for w in words if w[0] == "profile"}
        return Build(program, names["scheduler"], names["congestion"], names["example"], profiles)


def paths_of(scenario):
    """The names of a scenario's paths."""
    text = (SCENARIOS / f"{scenario}.ini").read_text()
    return re.findall(r"^\[path (\S+)\]", text, re.MULTILINE)


def quickest(scenario):
    """The path with the shortest round trip, over which a race begins a connection."""
    text = (SCENARIOS / f"{scenario}.ini").read_text()
    return min(enumerate(re.findall(r"^rtt *= *(\d+)ms", text, re.MULTILINE)), key=lambda found: int(found[1]))[0]


def about(scenario):
    return re.search(r"^about *= *(.*)$", (SCENARIOS / f"{scenario}.ini").read_text(), re.MULTILINE).group(1)


def scenarios(acceptance=False):
    if not acceptance:
        return list(MATRIX)
    return sorted(path.stem for path in SCENARIOS.glob(f"{ACCEPTANCE}*.ini"))


def situations():
    names = sorted(path.stem for path in SCENARIOS.glob("*.ini"))
    return [name for name in names if name not in MATRIX and not name.startswith(ACCEPTANCE)]


def ways(scenario):
    """Directions, as Cell.upload has them."""
    return (True,) if scenario in UPLOAD_ONLY else (False, True)


def steady(scenario, upload, sched, cc, alone=-1):
    """As much as goes in a while: goodput, whatever the paths' schedules do."""
    return Cell(scenario, "steady", upload, sched, cc, alone, span=STEADY_SECONDS)


def steady_all(build, names):
    """What the bars need: all paths, and each alone."""
    sched, cc = build.profiles["bulk"]
    return [steady(scenario, upload, sched, cc, alone) for scenario in names for upload in ways(scenario)
            for alone in range(-1, len(paths_of(scenario)))]


def short(scenario, size, upload, sched, cc):
    """A transfer whose time the handshake and the first round trips decide."""
    return Cell(scenario, size, upload, sched, cc, first=quickest(scenario))


def _short(build, names):
    """(cell, seed) of what the bar needs."""
    pair = build.profiles["bulk"]
    cells = [*(short(scenario, size, upload, *pair) for scenario in names for size in SHORT for upload in (False, True)),
             *_alone(build, names, SHORT, [pair[1]])]
    return [(cell, seed) for cell in cells for seed in range(1, SHORT_SEEDS + 1)]


def everywhere():
    """All scenarios and situations."""
    return [*scenarios(), *situations()]


def _with_alone(kind, names, directions, profile, seeds, first=lambda _: 0):
    """(cell, seed) of all paths, and of each alone."""
    cells = [Cell(name, kind, upload, *profile, alone, first=0 if alone >= 0 else first(name)) for name in names
             for upload in directions(name) for alone in range(-1, len(paths_of(name)))]
    return [(cell, seed) for cell in cells for seed in range(1, seeds + 1)]


def page(scenario, sched, cc):
    """A page is downloaded."""
    return Cell(scenario, "page", False, sched, cc, first=quickest(scenario))


def interactive(build):
    """(cell, seed) of paced streams by themselves, in situations, and beside a bulk transfer, everywhere; and of pages."""
    paced, bulk = build.profiles["interactive"], build.profiles["bulk"]
    pages = [name for name in everywhere() if False in ways(name)]
    return [*_with_alone("messages", situations(), ways, paced, SITUATION_SEEDS),
            *_with_alone("beside", everywhere(), ways, paced, BESIDE_SEEDS),
            *_with_alone("page", pages, lambda _: (False,), bulk, PAGE_SEEDS, quickest)]


def _situations(build):
    """With every scheduler and congestion control besides."""
    axes, _ = _combinations(build)
    return [*steady_all(build, situations()), *(steady(scenario, upload, sched, cc) for sched, cc in axes
                                                for scenario in situations() for upload in ways(scenario))]


def of_situations(build, seeds):
    """(cell, seed) of these alone."""
    return [(cell, seed) for seed in range(1, seeds + 1) for cell in dict.fromkeys(_situations(build))]


def _combinations(build):
    """(scheduler, congestion control): every scheduler with the default congestion control and every congestion control
    with the default scheduler; then those with other schedulers that weigh paths by their rates."""
    default = build.profiles["bulk"]
    axes = [default, *((sched, default[1]) for sched in build.schedulers), *((default[0], cc) for cc in build.congestion)]
    others = [(sched, cc) for sched in ("minrtt", "blest", "ecf") for cc in build.congestion if sched in build.schedulers]
    return list(dict.fromkeys(axes)), [pair for pair in dict.fromkeys(others) if pair not in axes]


def _both_ways(names, kinds, combinations):
    return [Cell(scenario, kind, upload, sched, cc) for sched, cc in combinations for kind in kinds
            for scenario in names for upload in (False, True)]


def _alone(build, names, kinds, congestion):
    return [Cell(scenario, kind, upload, build.schedulers[0], cc, alone) for cc in congestion for kind in kinds
            for scenario in names for upload in (False, True) for alone in range(len(paths_of(scenario)))]


def _profiles(build, names):
    """What the bars need of the profiles."""
    bulk, interactive, resilient = (build.profiles[name] for name in ("bulk", "interactive", "resilient"))
    messages = [interactive, resilient, ("minrtt", resilient[1])]
    return [*_both_ways(names, (BULK,), [bulk]), *_alone(build, names, (BULK,), [bulk[1]]),
            *_both_ways(names, ("messages",), messages), *_alone(build, names, ("messages",), [interactive[1]]),
            *_outages(names, [bulk]), *_acceptance(build)]


def _outages(names, combinations):
    for scenario in names:
        for upload in (False, True):
            for silent in range(len(paths_of(scenario))):
                for sched, cc in combinations:
                    yield Cell(scenario, "outage", upload, sched, cc, silent=silent)


def _spared_outages(scenario, combination):
    """One path alone while another one has the outage: what stalls there are without one."""
    paths = range(len(paths_of(scenario)))
    return [Cell(scenario, "outage", upload, *combination, alone, silent) for upload in (False, True) for alone in paths
            for silent in paths if silent != alone]


def _acceptance(build):
    for scenario in scenarios(acceptance=True):
        for upload in (False, True):
            yield Cell(scenario, "acceptance", upload, *build.profiles["bulk"])


def _long(build, names, span):
    """The resilient profile for ten minutes, and each path alone for long enough to know its rate."""
    sched, cc = build.profiles["resilient"]
    for scenario in names:
        yield Cell(scenario, "long", False, sched, cc, span=span)
        for alone in range(len(paths_of(scenario))):
            yield Cell(scenario, "long", False, sched, cc, alone, span=60)


def _lossy(build):
    """What resilient is judged by. A minute has about ten messages whose both copies are lost, and they decide its p99:
    single runs scatter."""
    resilient = build.profiles["resilient"]
    cells = _both_ways(["lossy-both"], ("messages",), [resilient, ("minrtt", resilient[1])])
    return [(cell, seed) for cell in cells for seed in range(1, LOSSY_SEEDS + 1)]


def full(build, seeds):
    """(cell, seed) of everything, seed by seed and the profiles first, so that a run which is cut short has measured
    what matters most."""
    names, default = scenarios(), build.profiles["bulk"]
    kinds = (*(kind for kind in OBJECTS if kind != BULK), "messages")
    axes, others = _combinations(build)
    cells = [*_profiles(build, names),
             *_both_ways(names, (BULK,), axes),
             *_both_ways(names, kinds, axes), *_alone(build, names, kinds, [default[1]]),
             *_spared_outages("lossy-both", default),
             *_outages(["equal"], [(sched, default[1]) for sched in build.schedulers]),
             *_both_ways(names, (BULK,), others), *_alone(build, names, (BULK,), build.congestion)]
    rounds = [[(cell, seed) for cell in dict.fromkeys(cells)] for seed in range(1, seeds + 1)]
    for seed in range(1, min(seeds, SITUATION_SEEDS) + 1):
        rounds[seed - 1] += [(cell, seed) for cell in dict.fromkeys(_situations(build))]
    first = [*_lossy(build), *_short(build, names), *interactive(build), *rounds[0], *((cell, 1) for cell in _long(build, names, LONG_SECONDS))]
    return list(dict.fromkeys(sum(rounds[1:], first)))


def quick(build, seeds):
    """The profiles only, with what the bars need."""
    names = scenarios()
    cells = [*_profiles(build, names), *_long(build, names, 60), *steady_all(build, situations())]
    plan = [(cell, seed) for cell in cells for seed in range(1, (MESSAGE_SEEDS if cell.kind == "messages" else seeds) + 1)]
    return list(dict.fromkeys(plan + _lossy(build) + _short(build, names) + interactive(build)))
