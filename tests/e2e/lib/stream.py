"""Moving many bytes through a connection and proving that they are the right ones."""
import functools
import os
import socket
import threading
import time

from .wait import FACTOR, Timeout, until

MIB = 1 << 20
BULK = 256 * MIB  # as much noise as any transfer wants
STALL = 20.0      # seconds without a byte after which a transfer has failed


@functools.lru_cache(maxsize=1)
def noise():
    """Bytes to send, the same throughout a run: nothing in them repeats, so no displacement goes unnoticed."""
    return os.urandom(BULK)


class Pump(threading.Thread):
    """A thread that reports what went wrong in it to whoever calls finish()."""

    def __init__(self):
        super().__init__(daemon=True)
        noise()                 # here, or two threads make one each
        self.error = None
        self.done = 0           # bytes so far
        self.seconds = None     # from start to end
        self.longest_gap = 0.0  # seconds without progress, once there has been some
        self._gate = threading.Event()
        self._gate.set()
        self._paused = threading.Event()
        self._halt = None       # bytes at which it stands still by itself
        self.start()

    def run(self):
        begun = self._last = time.monotonic()
        try:
            self.work()
        except Exception as error:  # shown by finish()
            self.error = error
        self.seconds = time.monotonic() - begun

    def progress(self, count):
        now = time.monotonic()
        if self.done:
            self.longest_gap = max(self.longest_gap, now - self._last)
        self._last = now
        self.done += count
        if self._halt is not None and self.done >= self._halt:
            self._halt = None
            self._gate.clear()
        if not self._gate.is_set():
            self._paused.set()
            self._gate.wait()

    def pause(self):
        """Returns when the thread stands still, outside the socket's functions."""
        self._paused.clear()
        self._gate.clear()
        until(lambda: self._paused.is_set() or not self.is_alive(), "the transfer pauses", STALL)

    def halt_at(self, count):
        """Lets the thread go on until that many bytes have gone through; it then stands still, however late we look."""
        self._paused.clear()
        self._halt = count
        self.resume()

    def go_to_the_end(self):
        """It halts no more."""
        self._halt = None
        self.resume()

    def halted(self):
        """Returns when the thread has come to where it was to halt."""
        until(lambda: self._paused.is_set() or not self.is_alive(), f"{self._halt} bytes have come", STALL)

    def resume(self):
        self._last = time.monotonic()
        self._gate.set()

    def reach(self, count, limit=STALL):
        """Waits until that many bytes have gone through."""
        def reached():
            if self.error:
                raise self.error
            return self.done >= count
        until(reached, f"{type(self).__name__} has {count} bytes (it has {self.done})", limit)

    def finish(self, limit=60.0):
        self.join(limit * FACTOR)
        if self.is_alive():
            raise Timeout(f"{type(self).__name__} is not done after {limit * FACTOR:.0f} s, at {self.done} bytes")
        if self.error:
            raise self.error
        return self


class Sender(Pump):
    """Sends the first size bytes of noise(), then ends its direction unless told not to."""

    def __init__(self, sock, size, end=True):
        assert size <= BULK, "there are no more bytes of noise"
        self.sock, self.size, self.end = sock, size, end
        sock.settimeout(STALL * FACTOR)
        super().__init__()

    def work(self):
        data = memoryview(noise())
        while self.done < self.size:
            self.progress(self.sock.send(data[self.done:min(self.done + MIB, self.size)]))
        if self.end:
            self.sock.shutdown(socket.SHUT_WR)

    def stop(self):
        """Nothing more behind what is being sent; the end, if there is to be one."""
        self.size = self.done


class Receiver(Pump):
    """Receives exactly size bytes, and the end of the stream if told so. data: where to, a bytearray of that size."""

    def __init__(self, sock, size, end=True, data=None):
        self.sock, self.size, self.end = sock, size, end
        self.data = bytearray(size) if data is None else data
        sock.settimeout(STALL * FACTOR)
        super().__init__()

    def work(self):
        room = memoryview(self.data)
        while self.done < self.size:
            count = self.sock.recv_into(room[self.done:self.done + MIB])
            if not count:
                raise AssertionError(f"the stream ended after {self.done} of {self.size} bytes")
            self.progress(count)
        if self.end and self.sock.recv(1):
            raise AssertionError(f"the stream goes on after {self.size} bytes")

    def check_prefix(self):
        """What has come so far is right, even if it is not all."""
        done = self.done
        if not noise().startswith(memoryview(self.data)[:done]):
            raise AssertionError(f"the first wrong byte is at {self.first_wrong()} of {done} received")

    def first_wrong(self):
        step = 4096
        block = next(i for i in range(0, self.size, step) if self.data[i:i + step] != noise()[i:min(i + step, self.size)])
        return next(i for i in range(block, self.size) if self.data[i] != noise()[i])

    def finish(self, limit=60.0):
        super().finish(limit)
        if not noise().startswith(self.data):
            raise AssertionError(f"the first wrong byte is at {self.first_wrong()} of {self.size}")
        return self


class Follower(Pump):
    """Receives what a sender sends until it is stopped, and the end of the stream: as much as there is time for."""

    def __init__(self, sock):
        self.sock = sock
        sock.settimeout(STALL * FACTOR)
        super().__init__()

    def work(self):
        right = memoryview(noise())
        while piece := self.sock.recv(MIB):
            if right[self.done:self.done + len(piece)] != piece:
                raise AssertionError(f"a wrong byte is among the {len(piece)} behind {self.done}")
            self.progress(len(piece))


class Timeline(Receiver):
    """Remembers when what had arrived."""

    def __init__(self, sock, size, data):
        self.marks = []  # (time, bytes)
        super().__init__(sock, size, data=data)

    def progress(self, count):
        super().progress(count)
        self.marks.append((time.monotonic(), self.done))

    def silence(self, begin, end):
        """Seconds without a byte, of the gaps that touch that span of time."""
        times = [at for at, _ in self.marks]
        return max((after - before for before, after in zip(times, times[1:]) if after >= begin and before <= end), default=0.0)


def transfer(source, sink, size, end=True, limit=60.0):
    """Moves size bytes from one socket to the other, checks them and returns the finished receiver."""
    receiver, sender = Receiver(sink, size, end), Sender(source, size, end)
    sender.finish(limit)
    return receiver.finish(limit)


def receive_all(sock, limit=10.0):
    """Everything up to the end of the stream."""
    sock.settimeout(limit * FACTOR)
    pieces = []
    while piece := sock.recv(65536):
        pieces.append(piece)
    return b"".join(pieces)


def receive(sock, count, limit=10.0):
    """Exactly count bytes."""
    sock.settimeout(limit * FACTOR)
    data = b""
    while len(data) < count:
        piece = sock.recv(count - len(data))
        if not piece:
            raise AssertionError(f"the stream ended after {data!r}, {count} bytes were expected")
        data += piece
    return data


def read_error(sock, limit=5.0):
    """The errno with which reading ends; 0 for an end of stream."""
    sock.settimeout(limit * FACTOR)
    try:
        while sock.recv(65536):
            pass
        return 0
    except OSError as error:
        if isinstance(error, TimeoutError):
            raise
        return error.errno
