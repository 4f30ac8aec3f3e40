"""Tests several at a time, each in a process of its own: what two of them could share they would have to find on the machine."""
import ctypes
import dataclasses
import os
import signal
import sys
import tempfile
import time
import traceback

PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)


@dataclasses.dataclass
class Result:
    what: object
    pid: int
    well: bool    # work() has returned true
    killed: int   # by which signal, or 0
    said: str     # all that was printed
    seconds: float


class Child:
    """A process that does one piece of work. Whatever it and its own children say is kept until it has ended."""

    def __init__(self, work, what):
        self.what, self.begun = what, time.monotonic()
        self._said = tempfile.TemporaryFile(mode="w+", errors="replace")
        sys.stdout.flush()
        parent = os.getpid()
        self.pid = os.fork()
        if self.pid == 0:
            self._live(work, parent)

    def _live(self, work, parent):
        """Never returns. An interruption reaches the child through its parent alone, so once, or by the parent's death."""
        status = 1
        try:
            os.setsid()
            _libc.prctl(PR_SET_PDEATHSIG, signal.SIGINT)
            if os.getppid() == parent:
                os.dup2(self._said.fileno(), 1)
                os.dup2(self._said.fileno(), 2)
                status = 0 if work(self.what) else 1
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(status)

    def ended(self, status):
        self._said.seek(0)
        with self._said:
            said = self._said.read()
        code = os.waitstatus_to_exitcode(status)
        return Result(self.what, self.pid, code == 0, max(-code, 0), said, time.monotonic() - self.begun)


def run(work, whats, jobs, end=float("inf")):
    """Calls work() with each of whats in a process of its own, up to so many at once; none begins after the end, of time.monotonic().
    Yields a Result for each, in the order in which they end. Who closes the generator ends those that run."""
    waiting, children = list(reversed(whats)), {}
    try:
        while (waiting and time.monotonic() < end) or children:
            while waiting and len(children) < jobs and time.monotonic() < end:
                child = Child(work, waiting.pop())
                children[child.pid] = child
            pid, status = os.wait()
            yield children.pop(pid).ended(status)
    finally:
        for pid in children:
            os.kill(pid, signal.SIGINT)
        for pid in children:
            os.waitpid(pid, 0)
