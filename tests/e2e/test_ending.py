"""Signals, and the end of the daemon while connections are open: everybody is told."""
import errno
import signal
import socket

from lib.stream import BULK, MIB, Receiver, Sender, read_error, receive
from lib.suite import braid_only, cases, long
from lib.wait import FACTOR

CLIENTS = {"mptcp": True, "plain_tcp": False}
HARMLESS = {"user1": (signal.SIGUSR1, "User defined signal 1")}  # the second one is an upgrade


def answers(near, far):
    near.sendall(b"ping")
    assert receive(far, 4) == b"ping"
    far.sendall(b"pong")
    assert receive(near, 4) == b"pong"


@braid_only
@cases(**HARMLESS)
def test_signals_out_of_habit_change_nothing(env, number, name):
    env.start(log_level="warn")
    near, far = env.pair()
    env.proxy.process.signal(number)
    assert "ignored" in env.proxy.process.wait_for_line(name)
    answers(near, far)
    near.close()
    far.close()
    env.no_connections()
    env.proxy.stop(patience=10.0)
    env.proxy = None


def end_now(env):
    """Ends the daemon by a second signal, and waits until it is gone."""
    env.proxy.process.signal(signal.SIGTERM)
    env.proxy.process.wait_for_line("finishing the open connections")
    env.proxy.process.signal(signal.SIGTERM)
    assert env.proxy.process.wait(10) == 0
    env.proxy = None


@braid_only
@cases(**CLIENTS)
def test_second_signal_tells_clients_and_servers(env, multipath):
    env.start()
    near, far = env.pair(multipath=multipath)
    answers(near, far)
    end_now(env)
    assert read_error(near) == errno.ECONNRESET
    assert read_error(far) == errno.ECONNRESET
    assert env.client.counters().get("MPTcpExtMPFastcloseRx", 0) == int(multipath)


@braid_only
def test_second_signal_tells_everybody_in_the_middle_of_transfers(env):
    """Over two paths with data under way in both directions, with one direction ended, and idle ones."""
    near, far = env.two_paths(mbit=100, workers=2)
    sender, receiver = Sender(near, BULK, end=False), Receiver(near, 64 * MIB, end=False)
    down = Sender(far, BULK, end=False)  # more than all buffers take
    receiver.reach(MIB)
    idle = [env.pair(multipath=i % 2 == 0) for i in range(40)]
    half_closed, ended = env.pair()
    half_closed.shutdown(socket.SHUT_WR)
    assert ended.recv(1) == b""
    end_now(env)
    for pump in (sender, receiver, down):
        pump.join(5 * FACTOR)
        assert pump.error, f"{type(pump).__name__} goes on as if nothing had happened, at {pump.done} bytes"
    for end in (half_closed, *(end for pair in idle for end in pair)):
        assert read_error(end) == errno.ECONNRESET


@long
@braid_only
def test_end_of_the_drain_tells_clients_and_servers(env):
    env.start()
    near, far = env.pair()
    env.proxy.process.signal(signal.SIGTERM)
    assert env.proxy.process.wait(40) == 0
    env.proxy = None
    assert read_error(near) == errno.ECONNRESET
    assert read_error(far) == errno.ECONNRESET
