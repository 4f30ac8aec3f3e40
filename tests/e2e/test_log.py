"""The log: how its lines look, and when nobody reads it: the daemon goes on, and the lines come later."""
import contextlib
import datetime
import errno
import json
import os
import resource
import signal

from lib.stream import MIB, receive, transfer
from lib.suite import braid_only
from lib.wait import until


@contextlib.contextmanager
def no_more_descriptors(env):
    """Within it the workers get no sockets to servers, and say so."""
    pid = env.proxy.process.pid
    usual = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (len(os.listdir(f"/proc/{pid}/fd")) - 1, usual[1]))
    try:
        yield
    finally:
        resource.prlimit(pid, resource.RLIMIT_NOFILE, usual)


@braid_only
def test_nobody_waits_for_a_reader_of_the_log_that_is_stuck(env):
    near, far = env.two_paths(workers=1)
    with env.proxy.process.unread():
        env.proxy.process.signal(signal.SIGUSR1)  # the main thread speaks
        with no_more_descriptors(env):
            try:
                env.connect()  # and the worker
                raise AssertionError("the daemon has a descriptor that it cannot have")
            except OSError as error:
                assert error.errno == errno.ECONNREFUSED, error
        transfer(near, far, 4 * MIB, end=False)
        new_near, new_far = env.pair()
        new_near.sendall(b"x")
        assert receive(new_far, 1) == b"x"
        assert env.proxy.ctl("status")["log_lines_lost"] == 0
    env.proxy.process.wait_for_line("User defined signal 1: ignored")
    env.proxy.process.wait_for_line("out of descriptors, memory or ports")


@braid_only
def test_the_end_does_not_wait_for_a_reader_of_the_log_that_is_stuck(env):
    env.start()
    with env.proxy.process.unread():
        env.proxy.process.signal(signal.SIGTERM)
        until(lambda: not env.proxy.process.alive(), "the daemon has ended")
    assert env.proxy.process.wait() == 0
    env.proxy = None


def is_now(stamp):
    said = datetime.datetime.fromisoformat(stamp)
    assert said.tzinfo and abs((datetime.datetime.now(datetime.timezone.utc) - said).total_seconds()) < 120, stamp


@braid_only
def test_lines_are_text_with_the_time_or_json_and_a_reload_changes_that(env):
    env.start()
    ready = next(line for line in env.proxy.process.lines if "ready" in line)
    stamp, rest = ready.split(" ", 1)
    is_now(stamp)
    assert rest.startswith("braidd: info: "), ready
    config = env.proxy.config.read_text()
    env.proxy.config.write_text(config.replace("[daemon]", "[daemon]\nlog_format = json"))
    env.proxy.ctl("reload")
    env.proxy.process.signal(signal.SIGUSR1)
    said = json.loads(env.proxy.process.wait_for_line("User defined signal 1: ignored"))
    is_now(said.pop("time"))
    assert said == {"level": "warn", "message": said["message"]}, said
