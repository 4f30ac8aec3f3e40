"""Child processes: each in a process group of its own, ended by its pid, its output kept line by line."""
import contextlib
import ctypes
import fcntl
import os
import resource
import signal
import subprocess
import threading

from .wait import FACTOR, Timeout, until

PR_SET_CHILD_SUBREAPER = 36
_libc = ctypes.CDLL(None, use_errno=True)
_running = set()
_usual = resource.getrlimit(resource.RLIMIT_NOFILE)


class CommandFailed(Exception):
    pass


def run(argv, check=True, stdin=None, limit=30.0):
    """Runs a command to its end and returns it with .returncode, .stdout and .stderr."""
    argv = [str(word) for word in argv]
    done = subprocess.run(argv, input=stdin, capture_output=True, text=True, timeout=limit * FACTOR)
    if check and done.returncode != 0:
        raise CommandFailed(f"{' '.join(argv)}: exit {done.returncode}: {done.stderr.strip()}")
    return done


def _limits(descriptors):
    """The tests themselves need many files; the daemon has to cope with what everybody gets, or with so many."""
    limit = (descriptors, descriptors) if descriptors else _usual
    return lambda: resource.setrlimit(resource.RLIMIT_NOFILE, limit)


def busy():
    """CPU seconds that the machine has been busy."""
    with open("/proc/stat") as file:
        user, nice, system, _, _, irq, softirq = map(int, file.readline().split()[1:8])
    return (user + nice + system + irq + softirq) / os.sysconf("SC_CLK_TCK")


class Heir:
    """A process that goes on where its parent has ended, with as much of subprocess.Popen as is needed. It is ours to wait for."""

    def __init__(self, pid, stdout):
        self.pid, self.stdout, self.returncode = pid, stdout, None

    def poll(self):
        if self.returncode is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.returncode = os.waitstatus_to_exitcode(status)
        return self.returncode

    def wait(self, limit):
        try:
            until(lambda: self.poll() is not None, "it ends", limit / FACTOR)
        except Timeout:
            raise subprocess.TimeoutExpired(f"pid {self.pid}", limit) from None


class Process:
    """A child that runs beside the test. Both its streams end up in .lines, in the order in which they are read."""

    def __init__(self, argv, name, env=None, descriptors=None):
        self.name = name
        self.lines = []
        self._child = subprocess.Popen([str(word) for word in argv], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                       stderr=subprocess.STDOUT, text=True, errors="replace", start_new_session=True,
                                       env={**os.environ, **(env or {})}, preexec_fn=_limits(descriptors))
        self.pid = self._group = self._child.pid
        self._reading = threading.Event()
        self._reading.set()
        self._parked = threading.Event()
        _running.add(self)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self):
        for line in self._child.stdout:
            self.lines.append(line.rstrip("\n"))
            if not self._reading.is_set():
                self._parked.set()
                self._reading.wait()

    @contextlib.contextmanager
    def unread(self):
        """Within it nobody reads the streams, and their pipe is full to the last byte."""
        pipe = os.open(f"/proc/{self.pid}/fd/2", os.O_WRONLY | os.O_NONBLOCK)  # the child's own description may block
        try:
            self._parked.clear()
            self._reading.clear()
            os.write(pipe, b".\n")
            until(self._parked.is_set, "the reader stands still")
            fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, 4096)
            with contextlib.suppress(BlockingIOError):
                while os.write(pipe, b"\n"):
                    pass
            yield
        finally:
            os.close(pipe)
            self._reading.set()

    def expect_heir(self):
        """From now on processes whose parents end are this one's children."""
        _libc.prctl(PR_SET_CHILD_SUBREAPER, 1)

    def succeeded_by(self, pid):
        """It ends, in order, and that one, which it has started, goes on in its place."""
        before, self._child = self._child, Heir(pid, self._child.stdout)
        assert before.wait(10 * FACTOR) in (0, None) and before.returncode == 0, before.returncode
        self.pid = pid

    def alive(self):
        return self._child.poll() is None

    def wait_for_line(self, word, limit=10.0):
        """The first line with that word in it. Fails at once if the process ends without having said it."""
        def found():
            ended = not self.alive()
            if ended:
                self._reader.join(1)
            line = next((line for line in self.lines if word in line), None)
            if line is None and ended:
                said = "\n".join(self.lines[-20:])
                raise CommandFailed(f"{self.name} ended with {self.returncode()} and did not say '{word}', but:\n{said}")
            return line
        return until(found, f"{self.name} says '{word}'", limit)

    def signal(self, number):
        if self.alive():
            os.kill(self.pid, number)

    def wait(self, limit=10.0):
        """Its exit status, negative for a signal."""
        try:
            self._child.wait(limit * FACTOR)
        except subprocess.TimeoutExpired:
            raise Timeout(f"{self.name} (pid {self.pid}) did not end within {limit * FACTOR:.0f} s") from None
        self._reader.join(2)
        _running.discard(self)
        return self._child.returncode

    def returncode(self):
        return self._child.poll()

    def kill(self):
        """Ends it and whatever it started."""
        try:
            os.killpg(self._group, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.wait()

    def memory(self):
        """Resident bytes."""
        with open(f"/proc/{self.pid}/status") as status:
            return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmRSS"))


def running():
    """The processes started here that have not been waited for."""
    return [process for process in _running if process.alive()]
