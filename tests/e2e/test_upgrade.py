"""Another process takes over from the daemon: no connection is lost; or it does not, and the daemon goes on."""
import contextlib
import os
import selectors
import shutil
import signal
import socket
import statistics
import struct
import threading
import time

from lib import net, proxy
from lib.proc import run
from lib.proxy import BRAIDD, Edge, configuration
from lib.stream import MIB, Receiver, Sender, noise, receive, transfer
from lib.suite import alone, braid_only, cases, limit, long, memory
from lib.wait import FACTOR, until

OTHER_PORT = 8088
PROTOCOL = 2  # UPGRADE_PROTOCOL of src/service/upgrade_message.h


def own_program(env):
    """A copy of the daemon's program that a test may replace."""
    program = env.directory / "braidd"
    shutil.copy(BRAIDD, program)
    return program


def replace(program, text):
    """Another file has its name from now on, as packages do it."""
    following = program.with_suffix(".new")
    following.write_text(text)
    following.chmod(0o755)
    os.replace(following, program)


def under_way(near, far, size=64 * MIB):
    """So many bytes in both directions."""
    pumps = [Receiver(far, size), Receiver(near, size), Sender(near, size), Sender(far, size)]
    pumps[0].reach(MIB)
    pumps[1].reach(MIB)
    return pumps


def whole(pumps):
    """Every byte has come, and is the right one."""
    for pump in pumps[2:] + pumps[:2]:
        pump.finish()


def threads(daemon):
    """How many workers it has."""
    tasks = f"/proc/{daemon.process.pid}/task"
    return sum(open(f"{tasks}/{task}/comm").read().startswith("braid-w") for task in os.listdir(tasks))


def routes(env):
    return env.topology.braid.run("ip", "route", "show", "dev", "braid0").stdout


# ---- it goes on ---------------------------------------------------------------------------------------------------


@braid_only
@limit(180)
@cases(v4=4, v6=6)
def test_a_transfer_goes_on(env, version):
    """In both directions and over two paths, three times; what is shown of it is the same as before."""
    env.topology.shape(60)
    env.topology.endpoint(2, version=version)
    env.start()
    near, far = env.pair(version, subflows=2)
    pumps, nearly = under_way(near, far), 63 * MIB
    for receiver in pumps[:2]:
        receiver.halt_at(nearly)  # so that it is not over before it was looked at
    before, counters = env.proxy.connection(), env.proxy.counters()
    for _ in range(3):
        pid, done = env.proxy.process.pid, pumps[0].done
        env.proxy.upgrade()
        assert env.proxy.process.pid != pid
        pumps[0].reach(min(done + MIB, nearly))
    now = env.proxy.connection()
    for receiver in pumps[:2]:
        receiver.go_to_the_end()
    for key in ("id", "token", "client", "server", "edge"):
        assert now[key] == before[key], (key, now, before)
    assert len(now["subflows"]) == 2
    for name, value in env.proxy.counters().items():
        assert value >= counters[name], (name, value, counters[name])
    whole(pumps)
    env.no_connections()
    assert sum(edge["accepted"] for edge in env.proxy.ctl("status")["edges"]) == 1


@braid_only
@limit(180)
@cases(more=(1, 3), fewer=(3, 1), two_to_three=(2, 3), three_to_two=(3, 2))
def test_the_number_of_workers_changes(env, before, after):
    env.topology.endpoint(2)
    env.start(workers=before)
    pairs = [env.pair(subflows=2) for _ in range(8)]
    running = under_way(*env.pair(subflows=2))
    env.proxy.config.write_text(configuration(env.proxy.directory, proxy.default_edges(), workers=after))
    env.proxy.upgrade()
    until(lambda: threads(env.proxy) == after, "each worker has its thread")
    for near, far in pairs:
        transfer(near, far, 100000, end=False)
        transfer(far, near, 100000, end=False)
    listed = env.proxy.connections()  # what was running may be over
    assert len(listed) >= 8 and all(int(each["token"], 16) % after == each["worker"] for each in listed), listed
    whole(running)


@braid_only
def test_a_signal_upgrades(env):
    env.start()
    near, far = env.pair()
    env.proxy.process.expect_heir()
    env.proxy.process.signal(signal.SIGUSR2)
    line = env.proxy.process.wait_for_line("goes on where this one ends", 30)
    env.proxy.process.succeeded_by(int(line.split("process ")[1].split(",")[0]))
    transfer(near, far, MIB, end=False)
    transfer(far, near, MIB, end=False)


@braid_only
def test_routes_and_files_stay_and_go_in_the_end(env):
    """No route is taken away and put back, and the process that goes on takes them back when it ends."""
    env.start()
    before = routes(env)
    with env.topology.braid.entered():
        watch = proxy.Process(["ip", "monitor", "route", "link"], "ip monitor")
    files = {path.name: path.stat().st_ino for path in env.directory.iterdir() if path.is_socket()}
    env.proxy.upgrade()
    env.proxy.upgrade()
    assert routes(env) == before
    assert {path.name: path.stat().st_ino for path in env.directory.iterdir() if path.is_socket()} == files
    assert not any("braid0" in line for line in watch.lines), watch.lines
    watch.kill()
    status, _ = env.proxy.http("/api/v1/status")
    assert status == 200
    env.proxy.stop()
    assert net.SERVICE[4] not in env.topology.braid.run("ip", "route", "show", "table", "all").stdout
    assert not [path for path in env.directory.iterdir() if path.is_socket()]
    env.proxy = None


@braid_only
def test_a_crash_after_an_upgrade_is_told(env):
    """What outlives a crash is of the process that goes on: the next daemon tells the clients."""
    env.start()
    near, _ = env.pair()
    env.proxy.upgrade()
    os.kill(env.proxy.process.pid, signal.SIGKILL)
    env.proxy.process.wait()
    env.start()
    env.proxy.process.wait_for_line("without an end")
    near.settimeout(30)
    try:
        assert near.recv(1) == b""
    except ConnectionResetError:
        pass


@braid_only
def test_a_new_configuration_is_in_force(env):
    env.start([Edge("web")])
    near, far = env.pair()
    edges = [Edge("web"), Edge("other", port=OTHER_PORT)]
    env.proxy.config.write_text(configuration(env.proxy.directory, edges))
    env.proxy.upgrade()
    assert [edge["name"] for edge in env.proxy.ctl("status")["edges"]] == ["web", "other"]
    listener = env.listen()
    other = env.connect(port=OTHER_PORT)
    transfer(other, env.accept(listener), 1000)
    transfer(near, far, MIB)


# ---- it does not --------------------------------------------------------------------------------------------------

PROGRAMS = {
    "that_ends": ("#!/bin/sh\nexit 3\n", "has ended (it ended with status 3)"),
    "that_crashes": ("#!/bin/sh\nkill -SEGV $$\n", "has ended (it ended by signal 11"),
    "that_hangs": ("#!/bin/sh\nexec sleep 1000\n", "was silent for 5 seconds"),
    "that_talks": ("#!/bin/sh\nexec python3 -c 'import os, socket, time\n"
                   "socket.socket(fileno=int(os.environ[\"BRAID_TAKE_OVER\"])).send(b\"good morning, is anybody there?\")\n"
                   "time.sleep(1000)'\n", "said what is no message"),
    "of_another_protocol": ("#!/bin/sh\nexec python3 -c 'import os, socket, struct, time\n"
                            "socket.socket(fileno=int(os.environ[\"BRAID_TAKE_OVER\"])).send(struct.pack(\"<III\", 1, 99, 0) + b\"9.9\")\n"
                            "time.sleep(1000)'\n", f"version 9.9 hands over by protocol 99, this one by {PROTOCOL}"),
    "that_is_none": ("no program", "cannot be started"),
}


def children(pid):
    return run(["ps", "--ppid", pid, "-o", "pid="], check=False).stdout


def goes_on(env, pumps, done, why):
    """The daemon says why, and is as it was."""
    assert done.returncode == 1 and why in done.stdout + done.stderr, (done.returncode, done.stdout, done.stderr)
    env.proxy.process.wait_for_line(f"no upgrade: ")
    assert any(why in line and "this process goes on" in line for line in env.proxy.process.lines), env.proxy.process.lines
    whole(pumps)
    assert env.proxy.process.alive()


@braid_only
@limit(90)
@cases(**PROGRAMS)
def test_a_program(env, text, why):
    """Another file has the daemon's name by now, which does not take over."""
    program = own_program(env)
    env.start(program=program)
    pid = env.proxy.process.pid
    before = children(pid)
    pumps = under_way(*env.pair())
    replace(program, text)
    goes_on(env, pumps, env.proxy.try_upgrade(), why)
    assert env.proxy.process.pid == pid
    assert children(pid) == before
    replace(program, "")
    shutil.copy(BRAIDD, program)
    env.proxy.upgrade()
    answers = env.pair()
    transfer(*answers, 1000)


@braid_only
@limit(90)
@cases(flaw=(("[admin]\n", "[admin]\ncolour = red\n"), "colour"),
       another_tun=(("name = braid0", "name = braid1"), "there is another route"),
       a_foreign_address=((f"listen = {proxy.ADMIN}", "listen = 192.0.2.77:9180"), "192.0.2.77"))
def test_a_configuration_with(env, change, why):
    env.start()
    pumps = under_way(*env.pair())
    good = env.proxy.config.read_text()
    env.proxy.config.write_text(good.replace(*change))
    before = routes(env)
    goes_on(env, pumps, env.proxy.try_upgrade(), why)
    assert routes(env) == before
    env.proxy.config.write_text(good)
    env.proxy.upgrade()


@braid_only
def test_one_at_a_time(env):
    program = own_program(env)
    env.start(program=program)
    replace(program, "#!/bin/sh\nexec sleep 1000\n")
    env.proxy.process.signal(signal.SIGUSR2)
    env.proxy.process.wait_for_line("is started anew")
    done = run([proxy.BRAIDCTL, "-s", env.proxy.control, "upgrade"], check=False)
    assert done.returncode == 1 and "one under way" in done.stderr, (done.stdout, done.stderr)
    done = run([proxy.BRAIDCTL, "-s", env.proxy.control, "reload"], check=False)
    assert done.returncode == 1 and "about to be upgraded" in done.stdout, (done.stdout, done.stderr)
    env.proxy.process.wait_for_line("silent for 5 seconds", 30)


@braid_only
def test_told_to_end_in_the_middle(env):
    program = own_program(env)
    env.start(program=program)
    replace(program, "#!/bin/sh\nexec sleep 1000\n")
    env.proxy.process.signal(signal.SIGUSR2)
    env.proxy.process.wait_for_line("is started anew")
    env.proxy.stop()
    assert any("told to end" in line for line in env.proxy.process.lines)
    env.proxy = None


# Takes everything that a daemon hands over, as a program of this version would (src/service/upgrade_message.h), and then does this.
TAKER = f"""#!/usr/bin/env python3
import os, socket, struct, sys, time
channel = socket.socket(fileno=int(os.environ["BRAID_TAKE_OVER"]))
say = lambda kind, text=b"": channel.send(struct.pack("<III", kind, {PROTOCOL}, 0) + text)
say(1, b"9.9")
held = []
while True:
    data, descriptors, _, _ = socket.recv_fds(channel, 1024, 253)
    held += descriptors
    kind = struct.unpack("<I", data[:4])[0]
    if kind == 17:
        say(3)
    if kind == 20:
        break
"""


@braid_only
@limit(90)
@cases(is_silent=("time.sleep(1000)", "was silent for 5 seconds"), ends=("sys.exit(7)", "it ended with status 7"),
       refuses=("say(2, b'the state does not please')", "the state does not please"),
       is_out_of_turn=("say(3); time.sleep(1000)", "out of turn"))
def test_a_program_that_has_everything(env, action, why):
    """The sockets, the TUN and the state: and the daemon goes on all the same."""
    program = own_program(env)
    env.topology.endpoint(2)
    env.start(program=program)
    pumps = under_way(*env.pair(subflows=2))
    replace(program, TAKER + action + "\n")
    goes_on(env, pumps, env.proxy.try_upgrade(), why)


# ---- systemd ------------------------------------------------------------------------------------------------------


@braid_only
def test_the_supervisor_is_told_who_goes_on(env):
    """systemd believes the process that it knows: that one names the next, before the next says anything."""
    path = env.directory / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as supervisor:
        supervisor.bind(str(path))
        supervisor.settimeout(30)
        supervisor.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        os.environ["NOTIFY_SOCKET"] = str(path)
        env.start()
        first = env.proxy.process.pid
        assert heard(supervisor) == ("READY=1", first)
        env.proxy.upgrade()
        second = env.proxy.process.pid
        assert heard(supervisor) == (f"MAINPID={second}", first)
        assert heard(supervisor) == ("READY=1", second)


def heard(supervisor):
    """What was said next, and by which process."""
    text, ancillary, _, _ = supervisor.recvmsg(1024, socket.CMSG_SPACE(12))
    return text.decode(), struct.unpack("3i", ancillary[0][2])[0]


# ---- for a long time, and with many -------------------------------------------------------------------------------


@braid_only
@long
@limit(400)
def test_every_two_seconds_under_two_hundred_connections(env):
    """For two minutes, IPv4 and IPv6, in both directions: every byte comes, and no connection is lost."""
    env.topology.endpoint(2)
    env.topology.endpoint(2, version=6)
    env.topology.shape(100)
    env.start(workers=2)
    pairs = [env.pair(4 if number % 2 else 6) for number in range(200)]
    pauses = talk_on(pairs, lambda _: env.proxy.upgrade())
    assert len(env.proxy.connections()) == 200
    print(f"{len(pauses)} upgrades, pauses of {min(pauses):.0f} to {max(pauses):.0f} ms")
    for near, far in pairs:
        transfer(near, far, 1000)


def talk_on(pairs, upgrade, seconds=120, every=2):
    """Bytes in both directions of all of them, while upgrade(number) is called again and again; what it has returned each time."""
    stop, errors, told = threading.Event(), [], []
    noise()  # here, or each of the threads makes its own
    talkers = [threading.Thread(target=talk, args=(near, far, number, stop, errors)) for number, (near, far) in enumerate(pairs)]
    for talker in talkers:
        talker.start()
    begun = time.monotonic()
    try:
        while time.monotonic() - begun < seconds and not errors:
            told.append(upgrade(len(told)))
            time.sleep(every)  # this is what is tried, not a wait
    finally:
        stop.set()
        for talker in talkers:
            talker.join(60 * FACTOR)
    assert not errors, errors[:3]
    return told


def talk(near, far, number, stop, errors):
    """Pieces of different sizes, back and forth."""
    try:
        while not stop.is_set():
            transfer(near, far, 1000 + 997 * (number % 50), end=False)
            transfer(far, near, 100000, end=False)
    except Exception as error:  # shown by the test
        errors.append(repr(error))


@braid_only
@memory
@long
@limit(400)
def test_fifty_upgrades_do_not_grow(env):
    env.topology.endpoint(2)
    env.start(workers=2)
    pairs = [env.pair(subflows=1 + number % 2) for number in range(50)]

    def exercise(number):
        env.proxy.upgrade()
        near, far = pairs[number % 50]
        transfer(near, far, 200000, end=False)
        transfer(far, near, 200000, end=False)

    for number in range(5):
        exercise(number)
    before = len(os.listdir(f"/proc/{env.proxy.process.pid}/fd")), env.proxy.process.memory()
    for number in range(50):
        exercise(number)
    now = len(os.listdir(f"/proc/{env.proxy.process.pid}/fd")), env.proxy.process.memory()
    assert now[0] <= before[0], (before, now)
    assert now[1] < before[1] + 4 * MIB, (before, now)
    assert len(env.proxy.connections()) == 50


class Load:
    """Until stop(): bytes from one end to the other as fast as they go, or, with echo, a byte there and back again and again."""

    def __init__(self, near, far, echo=False):
        self.longest, self._halt, self.errors = 0.0, False, []
        for sock in (near, far):
            sock.settimeout(60 * FACTOR)
        work = ((self._ask, near), (self._answer, far)) if echo else ((self._send, near), (self._receive, far))
        self._ends = near, far
        self._threads = [threading.Thread(target=self._run, args=pair, daemon=True) for pair in work]
        for thread in self._threads:
            thread.start()

    def _run(self, work, sock):
        try:
            work(sock)
        except OSError as error:
            self.errors.append(error)

    def _send(self, sock):
        piece = bytes(MIB)
        while not self._halt:
            sock.send(piece)
        sock.shutdown(socket.SHUT_WR)

    def _receive(self, sock):
        room = bytearray(MIB)
        while sock.recv_into(room):
            pass

    def _ask(self, sock):
        while not self._halt:
            begun = time.monotonic()
            sock.sendall(b"?")
            sock.recv(1)
            self.longest = max(self.longest, time.monotonic() - begun)
        sock.shutdown(socket.SHUT_WR)

    def _answer(self, sock):
        while sock.recv(1):
            sock.sendall(b"!")

    def stop(self):
        self._halt = True
        for thread in self._threads:
            thread.join(60 * FACTOR)
        assert not self.errors and not any(thread.is_alive() for thread in self._threads), self.errors


@contextlib.contextmanager
def echoing(env):
    """A server in a process of its own, as no process has descriptors for both ends of so many."""
    listener = env.listen()
    server = os.fork()
    if server == 0:
        try:
            echo(listener)
        finally:
            os._exit(1)
    try:
        yield
    finally:
        os.kill(server, signal.SIGKILL)
        os.waitpid(server, 0)


def echo(listener):
    poll = selectors.DefaultSelector()
    listener.setblocking(False)
    poll.register(listener, selectors.EVENT_READ)
    while True:
        for key, _ in poll.select():
            sock = key.fileobj
            if sock is listener:
                with contextlib.suppress(BlockingIOError):
                    poll.register(sock.accept()[0], selectors.EVENT_READ)
            elif data := sock.recv(65536):
                sock.sendall(data)
            else:
                poll.unregister(sock)
                sock.close()


@braid_only
@long
@alone
@limit(1800)
@cases(one=(1, 100), thousand=(1000, 400), ten_thousand=(10000, 400))
def test_the_pause(env, count, most):
    """The table of docs/handover.md, a line each: `tests/e2e/run --long -k test_the_pause`. While others carry as much as there is CPU for,
    up and down; milliseconds, by the daemon, and as long as a client's byte took, out and back, at worst. The aim is 100."""
    env.start(workers=2)
    *busy, asked = [env.pair() for _ in range(5)]
    with echoing(env):
        many = [env.connect() for _ in range(count)]
        echoed(many)
        measure(env, count, most, busy, asked)
        echoed(many)
        assert len(env.proxy.connections()) >= count


def echoed(many):
    for sock in many:
        sock.sendall(b"hello")
    for sock in many:
        assert receive(sock, 5, 60) == b"hello"


def measure(env, count, most, busy, asked):
    loads = [Load(*(pair if number % 2 else reversed(pair))) for number, pair in enumerate(busy)]
    asker = Load(*asked, echo=True)
    pauses, waits = [], []
    for _ in range(5):
        asker.longest = 0.0
        pauses.append(env.proxy.upgrade())
        time.sleep(0.5)  # as long as the byte may be on its way that was under way meanwhile
        waits.append(asker.longest * 1000)
    for load in (*loads, asker):
        load.stop()
    print(f"| {count:,} | {min(pauses):.0f} | {statistics.median(pauses):.0f} | {max(pauses):.0f} | {statistics.median(waits):.0f} |")
    assert min(pauses) < most * FACTOR, pauses
