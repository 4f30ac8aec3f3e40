"""What becomes of connections when the daemon is killed: the next one tells their clients."""
import signal
import socket
import struct
import threading
import time

from lib import net
from lib.env import PORT
from lib.proxy import Transparent
from lib.stream import receive
from lib.suite import braid_only, cases
from lib.wait import FACTOR, until

CLIENTS = 20
HELLO = b"hello"


def open_some(env, version, n=CLIENTS, **how):
    """Connections that have carried something both ways; the clients' ends."""
    listener, nears = env.listen(version), []
    for _ in range(n):
        near = env.connect(version, **how)
        far = env.accept(listener)
        for one, other in ((near, far), (far, near)):
            one.sendall(HELLO)
            assert receive(other, len(HELLO)) == HELLO
        nears.append(near)
    listener.close()
    return nears


def crash(env):
    env.proxy.process.signal(signal.SIGKILL)
    assert env.proxy.process.wait() == -signal.SIGKILL


def learn(nears):
    """Waits until each client has been told that its connection is gone; when the last one was."""
    told = []

    def wait(near):
        try:
            assert near.recv(1) == b"nothing", "a client sees an end in order"
        except ConnectionResetError:
            told.append(time.monotonic())

    threads = [threading.Thread(target=wait, args=(near,), daemon=True) for near in nears]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10 * FACTOR)
    assert len(told) == len(nears), f"{len(nears) - len(told)} of {len(nears)} clients still believe in their connection"
    return max(told)


@braid_only
@cases(v4=4, v6=6)
def test_idle_clients_are_told_at_once_by_the_next_daemon(env, version):
    """It may have another number of workers."""
    env.topology.endpoint(2, version=version)
    env.start(workers=2)
    nears = open_some(env, version)
    crash(env)
    env.start(workers=1)
    ready = time.monotonic()
    assert learn(nears) - ready < 1 * FACTOR
    assert env.proxy.counters()["BraidOrphans"] >= CLIENTS
    env.proxy.process.wait_for_line("their peers are told")


@braid_only
def test_a_client_of_plain_tcp_is_told_too(env):
    env.start()
    nears = open_some(env, 4, n=3, multipath=False)
    crash(env)
    env.start()
    learn(nears)


@braid_only
@cases(proxy="proxy", client="client")
def test_clients_of_a_transparent_edge_are_told(env, source):
    """Their packets would otherwise be passed on to a server that knows of nothing."""
    env.steer("up", "--source", source)
    env.start([Transparent("transit", source=source)])
    nears = open_some(env, 4, n=5, to=net.SERVER[4])
    assert len(env.proxy.connections()) == 5
    crash(env)
    env.start([Transparent("transit", source=source)])
    learn(nears)
    env.steer("down")


@braid_only
def test_a_client_whose_path_was_cut_at_the_restart_is_told_when_it_is_back(env):
    env.start()
    nears = open_some(env, 4, n=1)
    crash(env)
    env.topology.go_dark(1)
    env.start()
    until(lambda: env.proxy.counters()["BraidOrphans"] == 1, "the daemon knows of the client")
    env.topology.unstrip()
    learn(nears)


@braid_only
def test_the_same_port_can_be_used_again_at_once(env):
    """By a client that was told nothing, and began anew."""
    env.start()
    near = open_some(env, 4, n=1)[0]
    port = near.getsockname()[1]
    crash(env)
    env.topology.go_dark(1)
    near.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    near.close()
    env.start()
    env.topology.unstrip()
    env.close_sockets()
    listener, again = env.listen(), env.open()
    again.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    again.bind(("0.0.0.0", port))
    again.connect((net.SERVICE[4], PORT))
    again.sendall(HELLO)
    assert receive(env.accept(listener), len(HELLO)) == HELLO


@braid_only
def test_an_orderly_end_leaves_nothing_to_be_told(env):
    env.start()
    state = env.directory / "control.sock.state"
    assert state.stat().st_mode & 0o777 == 0o600
    open_some(env, 4, n=2)
    env.finish()
    assert not state.exists()


@braid_only
def test_a_state_that_cannot_be_kept_is_said_and_is_no_reason_to_fail(env):
    state = env.directory / "control.sock.state"
    state.write_text("something else")
    state.chmod(0o644)
    env.start()
    env.proxy.process.wait_for_line("will not be told")
    open_some(env, 4, n=1)
    env.finish()
    assert state.read_text() == "something else"


PATHS = "[path near]\nremote = 10.99.1.0/24\nquota = 100MB\n"


def carried_by(env):
    return {path["name"]: path["bytes"] for path in env.proxy.ctl("paths")["paths"]}["near"]


def carry(env, version=4):
    near, far = env.pair(version)
    near.sendall(b"x" * 100000)
    receive(far, 100000)


def restart(env, directory, **settings):
    """A daemon in the place of the one that is gone."""
    env.proxy = None
    env.start(more=PATHS, daemon={"state_dir": directory}, **settings)


@braid_only
def test_quotas_go_on_after_a_crash_and_after_an_end_in_order(env):
    directory = env.directory / "state"
    env.start(workers=2, more=PATHS, daemon={"state_dir": directory})
    carry(env)
    until(lambda: carried_by(env) >= 100000, "it is counted")
    until((directory / "quotas").exists, "it is written", 30)
    until(lambda: f"near {carried_by(env)}\n" in (directory / "quotas").read_text(), "all of it", 30)
    crashed_with = carried_by(env)
    crash(env)
    restart(env, directory, workers=1)
    assert carried_by(env) >= crashed_with
    carry(env)
    until(lambda: carried_by(env) >= crashed_with + 100000, "it goes on")
    env.proxy.ctl("kill", "edge=web")
    env.no_connections()
    ended_with = carried_by(env)
    env.proxy.process.signal(signal.SIGTERM)
    assert env.proxy.process.wait(40) == 0
    restart(env, directory)
    assert carried_by(env) >= ended_with
    env.proxy.ctl("paths", "clear")
    until(lambda: "near 0\n" in (directory / "quotas").read_text(), "what is counted anew is, in the file, too", 30)
    crash(env)
    (directory / "quotas").write_bytes((directory / "quotas").read_bytes()[:-3])
    restart(env, directory)
    assert (directory / "quotas.bad").exists()
    assert carried_by(env) == 0
