"""braidctl record: what a connection is given and does, in a file; and replay, which does the same again."""
import contextlib
import shutil
import signal
import statistics
import struct

from lib.proc import Process, run
from lib.proxy import BRAIDCTL, BUILD
from lib.stream import BULK, MIB, transfer
from lib.suite import alone, braid_only, limit, long
from lib.wait import until

PATIENCE = 90
REPLAY = BUILD / "replay"
SVG_HEAD = "<svg "
PCAPNG_PACKET = 6  # the type of a block ...
PCAPNG_OUT = 2     # ... and the flags in it


@contextlib.contextmanager
def recording(env, what, file, *words):
    process = Process([BRAIDCTL, "-s", env.proxy.control, "record", str(what), str(file), *words], "braidctl")
    try:
        yield process
    finally:
        process.kill()


def ended(process):
    """Its exit status, once it is over by itself."""
    until(lambda: not process.alive(), "braidctl has ended", PATIENCE)
    return process.returncode()


def replayed(file, *words):
    done = run([REPLAY, *words, str(file)], check=False)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr
    return done.stdout


def captured(file):
    """What others make of the file, if there are any here."""
    if shutil.which("capinfos"):
        assert "pcapng" in run(["capinfos", str(file)]).stdout
    if shutil.which("tshark"):
        shown = run(["tshark", "-r", str(file), "-Y", "tcp.options.mptcp.subtype == 0"]).stdout
        assert shown.count("\n") >= 2, shown


def pairs_until_recorded(env, file):
    """As many connections as it takes: the first ones may come before the workers know of the recording."""
    pairs = []

    def begun():
        pairs.append(env.pair())
        return file.exists()
    until(begun, "a connection is recorded", PATIENCE)
    return pairs


@braid_only
@limit(400)
def test_the_next_connection_of_an_edge_is_recorded_and_done_again(env):
    """From its SYN to its end, with two paths."""
    env.start(workers=2)
    file = env.directory / "edge.pcapng"
    with recording(env, "web", file, "--connections", "1") as process:
        env.topology.endpoint(2)
        pairs = pairs_until_recorded(env, file)
        for near, far in pairs:
            transfer(near, far, MIB, end=False)
            transfer(far, near, MIB, end=False)
        for near, far in pairs:
            near.close()
            far.close()
        assert ended(process) == 0, process.lines
    told = replayed(file, "--svg", str(env.directory / "plot.svg"))
    assert "all as recorded" in told and "the connection has ended" in told
    assert "picks subflow" in told and "MP_CAPABLE" in told
    assert (env.directory / "plot.svg").read_text().startswith(SVG_HEAD)
    captured(file)


@braid_only
@limit(400)
def test_a_connection_is_recorded_from_its_middle_on_over_two_paths(env):
    env.start(workers=2)
    env.topology.endpoint(2)
    near, far = env.pair(subflows=2)
    until(lambda: len(env.proxy.connection()["subflows"]) == 2, "both subflows are there", PATIENCE)
    transfer(near, far, MIB, end=False)
    number, file = env.proxy.connection()["id"], env.directory / "middle.pcapng"
    with recording(env, number, file, "--bytes", "64") as process:
        until(file.exists, "it is recorded", PATIENCE)
        again = run([BRAIDCTL, "-s", env.proxy.control, "record", str(number), str(env.directory / "second")], check=False)
        assert again.returncode == 1 and "recorded already" in again.stderr, again.stderr
        size = file.stat().st_size
        transfer(far, near, 8 * MIB, end=False)
        until(lambda: file.stat().st_size > size + 10_000, "the file grows", PATIENCE)
        process.signal(signal.SIGINT)
        assert ended(process) == 0, process.lines
    told = replayed(file)
    assert told.count("picks subflow") > 10 and "all as recorded" in told
    near.close()
    far.close()
    env.no_connections()


def seconds_of_transfer(env, near, far, file):
    """How long that takes; while the connection is recorded, if there is a file to record it in."""
    if not file:
        return transfer(near, far, BULK, end=False).seconds
    with recording(env, env.proxy.connection()["id"], file) as process:
        until(file.exists, "it is recorded", PATIENCE)
        seconds = seconds_of_transfer(env, near, far, None)
        process.signal(signal.SIGINT)
        assert ended(process) == 0, process.lines
    return seconds


@alone
@long
@braid_only
@limit(900)
def test_the_connection_that_is_recorded_is_hardly_slower(env):
    """Less than a twentieth where nothing else is measured, and far less than a fifth anywhere (docs/recorder.md)."""
    env.start()
    near, far = env.pair()
    without, recorded = [], []
    for turn in range(5):
        without.append(seconds_of_transfer(env, near, far, None))
        recorded.append(seconds_of_transfer(env, near, far, env.directory / f"{turn}.pcapng"))
    plain, slower = statistics.median(without), statistics.median(recorded)
    print(f"goodput while it is recorded: {plain / slower:.3f} of that without, {8e-9 * BULK / plain:.1f} Gbit/s")
    assert plain / slower > 0.8, (without, recorded)


def made_test(file, name, *words):
    """A test made of a recording: its NAME.test."""
    done = run([REPLAY, "--as-test", str(name), *words, str(file)], check=False)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr
    return name.with_name(name.name + ".test")


def alter_window(file):
    """That of the last packet that left with data, as if the core had offered another one."""
    at, last, content = 0, None, bytearray(file.read_bytes())
    while at < len(content):
        kind, length = struct.unpack_from("<II", content, at)
        if kind == PCAPNG_PACKET and content[at + 28] >> 4 == 4:
            packet = at + 28
            here = struct.unpack_from("<I", content, at + 20)[0]
            flags = packet + (here + 3) // 4 * 4 + 4
            if content[flags] == PCAPNG_OUT:
                last = packet + (content[packet] & 15) * 4 + 14
        at += length
    content[last] ^= 0x40
    file.write_bytes(content)


def judged(test, *words):
    return run([REPLAY, *(words or ["--test"]), str(test)], check=False)


@braid_only
@limit(400)
def test_a_recording_becomes_a_test(env):
    """What comes of it is compared, or each packet; what is expected can be changed, and accepted again."""
    env.start(workers=2)
    file = env.directory / "recorded.pcapng"
    with recording(env, "web", file, "--bytes", "100", "--connections", "1") as process:
        env.topology.endpoint(2)
        pairs = pairs_until_recorded(env, file)
        for near, far in pairs:
            transfer(near, far, 20_000, end=False)
            transfer(far, near, 200_000, end=False)
        for near, far in pairs:
            near.close()
            far.close()
        assert ended(process) == 0, process.lines
    test = made_test(file, env.directory / "short")
    expected = test.read_text()
    assert "read = 20000 " in expected and "acknowledged = " in expected, expected
    test.write_text(expected.replace("read = 20000 ", "read = 20001 ").replace("end = ", "end = not "))
    failed = judged(test)
    assert failed.returncode == 1 and "read: 20000, and = 20001 is expected" in failed.stdout, failed.stdout
    assert "--accept" in failed.stdout and "does what was recorded" in failed.stdout, failed.stdout
    assert judged(test, "--accept").returncode == 0 and test.read_text() == expected
    exact = made_test(file, env.directory / "exact", "--exact")
    assert "\nexact\n" in exact.read_text()
    recorded = exact.with_suffix(".pcapng")
    alter_window(recorded)
    differs = judged(exact)
    assert differs.returncode == 1 and "first does something else" in differs.stdout, differs.stdout
    assert judged(exact, "--accept").returncode == 0 and judged(exact).returncode == 0
    exact.write_text("nothing <= 3\n")
    wrong = judged(exact)
    assert wrong.returncode == 1 and "exact.test:1:" in wrong.stderr, wrong.stderr


def numbers_in(file):
    """Of the connections in a recording, each of which is done again."""
    return [int(line.split()[1]) for line in replayed(file).splitlines() if line.startswith("connection ")]


@braid_only
@limit(400)
def test_all_connections_of_an_edge_are_recorded_in_one_file(env):
    """Those of both workers, until there are as many as were asked for; one of them can be shown by itself."""
    env.start(workers=2)
    many = 6
    file = env.directory / "all.pcapng"
    pairs = []

    def begun():
        pairs.append(env.pair())
        return file.exists()
    with recording(env, "web", file, "--connections", str(many)) as process:
        until(begun, "a connection is recorded", PATIENCE)
        while len(pairs) < 2 * many:
            pairs.append(env.pair())
        for near, far in pairs:
            transfer(near, far, 10_000, end=False)
            near.close()
            far.close()
        assert ended(process) == 0, process.lines
    numbers = numbers_in(file)
    assert len(set(numbers)) == many, numbers
    one = replayed(file, "--connection", str(numbers[-1]))
    assert one.count("all as recorded") == 1 and one.startswith(f"connection {numbers[-1]} of web"), one[:200]
    captured(file)
    none = run([REPLAY, "--connection", "4711471147", str(file)], check=False)
    assert none.returncode == 1 and "is not in it" in none.stderr, none.stderr


@braid_only
@limit(400)
def test_a_recording_of_an_edge_ends_when_it_is_long_enough(env):
    env.start(workers=2)
    file, most = env.directory / "some.pcapng", 30_000
    pairs = []
    with recording(env, "web", file, "--total", str(most)) as process:
        def full():
            pairs.append(env.pair())
            transfer(*pairs[-1], 10_000, end=False)
            return not process.alive()
        until(full, "the file is full", PATIENCE)
        assert process.returncode() == 0, process.lines
    assert file.stat().st_size <= most and numbers_in(file)
    for near, far in pairs:
        near.close()
        far.close()
    env.no_connections()


@braid_only
@limit(200)
def test_what_cannot_be_recorded_is_told(env):
    env.start(workers=2)
    file = env.directory / "nothing.pcapng"
    for what, reason in ("4711", "no connection with this id"), ("nowhere", "nowhere"):
        done = run([BRAIDCTL, "-s", env.proxy.control, "record", what, str(file)], check=False)
        assert done.returncode == 1 and reason in done.stderr, done.stderr
    assert not file.exists()
    done = run([REPLAY, str(REPLAY)], check=False)
    assert done.returncode == 1 and "no recording" in done.stderr, done.stderr
