"""The log when nobody reads it: the daemon goes on, and the lines come later."""
import contextlib
import errno
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
