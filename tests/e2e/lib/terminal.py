"""A program in a terminal: what it shows, line by line, and keys for it."""
import fcntl
import os
import pty
import re
import select
import signal
import struct
import termios

from .wait import FACTOR, until

SEQUENCE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
HOME = "\x1b[H"  # begins each frame


class Terminal:
    """Use it as a context: the program is gone afterwards. `shown` is its last frame, the lines without trailing blanks."""

    def __init__(self, argv, rows=30, columns=160):
        self._output = ""
        self.pid, self._fd = pty.fork()
        if self.pid == 0:
            os.execvp(str(argv[0]), [str(word) for word in argv])
        self.status = None
        self.resize(rows, columns)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.status is None:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        os.close(self._fd)

    def resize(self, rows, columns):
        fcntl.ioctl(self._fd, termios.TIOCSWINSZ, struct.pack("=HHHH", rows, columns, 0, 0))

    def press(self, keys):
        os.write(self._fd, keys.encode())

    def is_raw(self):
        """Whether keys come one by one."""
        return not termios.tcgetattr(self._fd)[3] & termios.ICANON

    def _read(self):
        while select.select([self._fd], [], [], 0)[0]:
            try:
                self._output += os.read(self._fd, 65536).decode(errors="replace")
            except OSError:  # nobody has the other end open any more
                return

    @property
    def said(self):
        """All of it, with its escape codes."""
        self._read()
        return self._output

    @property
    def shown(self):
        frames = self.said.split(HOME)[1:]
        whole = [frame for frame in frames if "\x1b[J" in frame]
        return [line.rstrip() for line in SEQUENCE.sub("", whole[-1]).split("\r\n")] if whole else []

    def until_shown(self, pattern, limit=30):
        """The first line in which the regular expression is found, once there is one."""
        return until(lambda: next((line for line in self.shown if re.search(pattern, line)), None),
                     f"'{pattern}' is on the screen: {self.shown}", limit)

    def end(self, limit=20):
        """Its exit status, once it has ended by itself."""
        def ended():
            self._read()
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            return (status,) if pid else None
        status, = until(ended, "the program ends", limit * FACTOR)
        self.status = os.waitstatus_to_exitcode(status)
        return self.status
