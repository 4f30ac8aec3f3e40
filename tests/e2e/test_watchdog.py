"""What a service manager sees: life as long as every thread has some, and none when one hangs."""
import ctypes
import os
import socket
import time

from lib.stream import transfer
from lib.suite import braid_only, cases, limit
from lib.wait import FACTOR, until

from test_reload import threads

PTRACE_DETACH, PTRACE_SEIZE, PTRACE_INTERRUPT, WALL = 17, 0x4206, 0x4207, 0x40000000
LIMIT_US = 2000000


def ptrace(request, task):
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.ptrace(request, task, None, None) != 0:
        raise OSError(ctypes.get_errno(), f"ptrace {request:#x} of {task}")


class Frozen:
    """One thread that stands still while all others run."""

    def __init__(self, task):
        self.task = task

    def __enter__(self):
        ptrace(PTRACE_SEIZE, self.task)
        ptrace(PTRACE_INTERRUPT, self.task)
        os.waitpid(self.task, WALL)

    def __exit__(self, *_):
        ptrace(PTRACE_DETACH, self.task)


class Manager:
    """Listens as systemd does."""

    def __init__(self, env):
        self.path = env.directory / "notify"
        self.socket = env.keep(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM))
        self.socket.bind(str(self.path))

    def environment(self):
        return {"NOTIFY_SOCKET": str(self.path), "WATCHDOG_USEC": str(LIMIT_US)}

    def beats(self, seconds):
        """How many signs of life come within that time."""
        count, end = 0, time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            self.socket.settimeout(left)
            try:
                count += self.socket.recv(4096) == b"WATCHDOG=1"
            except TimeoutError:
                pass
        return count

    def forget(self):
        self.socket.setblocking(False)
        while True:
            try:
                self.socket.recv(4096)
            except BlockingIOError:
                return


def task_named(daemon, name):
    names = {open(f"/proc/{daemon.process.pid}/task/{task}/comm").read().strip(): int(task)
             for task in os.listdir(f"/proc/{daemon.process.pid}/task")}
    return names[name]


@braid_only
@limit(150)
@cases(first=(0,), last=(-1,))
def test_a_worker_that_hangs_is_noticed(env, place):
    manager = Manager(env)
    env.start(workers=2, environment=manager.environment())
    near, far = env.pair()
    assert manager.beats(4 * FACTOR) >= 2
    name = sorted(threads(env.proxy))[place]
    with Frozen(task_named(env.proxy, name)):
        env.proxy.process.wait_for_line("does not answer: the watchdog")
        manager.forget()
        assert manager.beats(3) == 0, f"{name} stands still, and all is said to be well"
    env.proxy.process.wait_for_line("answers again")
    until(lambda: manager.beats(1) > 0, "signs of life come again")
    transfer(near, far, 100000)


@braid_only
def test_nobody_is_told_who_does_not_ask(env):
    manager = Manager(env)
    env.start(environment={"NOTIFY_SOCKET": str(manager.path)})
    assert manager.beats(3) == 0
