"""What a device in a home sees of the world: how fast, how soon, and how long nothing comes when an uplink fails."""
import contextlib
import json
import socket
import statistics
import threading
import time

from lib import home
from lib.proc import Process, busy
from lib.stream import Sender, Timeline, noise
from lib.wait import until

PORT = 8080
MIB = 1 << 20
OBJECTS = [1000 + 7919 * i % 60000 for i in range(100)]  # bytes, 1 KB to 60 KB
BROWSER = 6       # connections at a time, as browsers have to a host
LIMIT = 120.0
SMALL = 1000
FAIL_AT, WATCH = 2.0, 5.0
# Of speed(): key: (title, way, connections)
SPEED = {f"{way} {count}": (f"{'download' if way == 'down' else 'upload'}, {count} connection{'s' * (count > 1)}", way, count)
         for way in ("down", "up") for count in (1, 16)}


class Server(threading.Thread):
    """On the plain server: for each connection a thread that answers "N\\n" with N bytes, as often as it is asked."""

    def __init__(self, house):
        super().__init__(daemon=True)
        noise()  # takes seconds on a busy machine, and in each of the first answers at once, if it is not made before
        self.listener = house.plain.socket()
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.listener.bind((home.PLAIN[4], PORT))
        self.listener.listen(256)
        self.raw = []  # connections that are not to be answered, but handed out, for whoever waits for one
        self.hand_out = False
        self.start()

    def run(self):
        with contextlib.suppress(OSError):
            while True:
                connection = self.listener.accept()[0]
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                if self.hand_out:
                    self.raw.append(connection)
                else:
                    threading.Thread(target=self.answer, args=(connection,), daemon=True).start()

    @staticmethod
    def answer(connection):
        with connection, contextlib.suppress(OSError), connection.makefile("rb") as lines:
            for line in lines:
                connection.sendall(memoryview(noise())[:int(line)])

    def close(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()


def connect(house):
    sock = house.device.socket()
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    sock.settimeout(LIMIT)
    sock.connect((home.PLAIN[4], PORT))
    return sock


def fetch(house, size):
    """Asks for so many bytes over a new connection; seconds until the first one, and until the last."""
    begun = time.monotonic()
    with connect(house) as sock:
        sock.sendall(b"%d\n" % size)
        done, first = 0, None
        while done < size:
            got = sock.recv(65536)
            if not got:
                raise AssertionError(f"the answer ended after {done} of {size} bytes")
            first = first or time.monotonic() - begun
            done += len(got)
    return first, time.monotonic() - begun


def first_byte(house, server, times=15):
    """Median seconds from connect() to the first byte of a small answer, over new connections."""
    del server
    return statistics.median(fetch(house, SMALL)[0] for _ in range(times))


def page(house, server):
    """Seconds for a page of 100 objects, each over a connection of its own, six at a time."""
    del server
    waiting, lock, errors = list(OBJECTS), threading.Lock(), []

    def work():
        try:
            while True:
                with lock:
                    if not waiting:
                        return
                    size = waiting.pop()
                fetch(house, size)
        except (OSError, AssertionError) as error:
            errors.append(error)

    begun = time.monotonic()
    workers = [threading.Thread(target=work, daemon=True) for _ in range(BROWSER)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(LIMIT)
    if errors or waiting:
        raise AssertionError(f"the page failed: {errors[:1]}")
    return time.monotonic() - begun


def pairs(house, server, count):
    """So many connections, as (device's socket, server's socket)."""
    result = []
    server.hand_out = True
    for _ in range(count):
        near = connect(house)
        near.sendall(b"\n")  # whoever splices may wait for the first byte before it connects to the server
        far = until(lambda: server.raw and server.raw.pop(), "the connection arrives at the server", 20)
        far.settimeout(LIMIT)
        assert far.recv(1) == b"\n"
        result.append((near, far))
    server.hand_out = False
    return result


def goodput(house, server, way, count, total):
    """Mbit/s of so many connections at once, that carry `total` bytes together, until the last byte is here: what the bytes
    are made of, where they go, and the proof that they are right take their time before and after that."""
    size = total // count
    ends = pairs(house, server, count)
    noise()
    rooms = [bytearray(size) for _ in ends]
    try:
        begun = time.monotonic()
        moves = []
        for (near, far), room in zip(ends, rooms):
            source, sink = (far, near) if way == "down" else (near, far)
            moves.append((Sender(source, size), Timeline(sink, size, room)))
        for sender, receiver in moves:
            sender.finish(LIMIT)
            receiver.finish(LIMIT)
        return size * count * 8 / (max(receiver.marks[-1][0] for _, receiver in moves) - begun) / 1e6
    finally:
        for near, far in ends:
            near.close()
            far.close()


def stall(house, server, way, uplink, size):
    """The longest time without a byte after an uplink has fallen silent in both directions."""
    (near, far), = pairs(house, server, 1)
    with near, far:
        source, sink = (far, near) if way == "down" else (near, far)
        sender, receiver = Sender(source, size), Timeline(sink, size, bytearray(size))
        begun = time.monotonic()
        until(lambda: time.monotonic() >= begun + FAIL_AT or not receiver.is_alive(), "the time of the failure", 20)
        if not receiver.is_alive():
            raise AssertionError("the transfer ended before the uplink failed")
        failed = time.monotonic()
        uplink.go_silent()
        try:
            until(lambda: time.monotonic() >= failed + WATCH or not receiver.is_alive(), "the stall is over", 30)
            sender.finish(LIMIT)
            receiver.finish(LIMIT)
        finally:
            uplink.speak()
        return receiver.silence(failed, failed + WATCH)


def speed(house, way, count, seconds):
    """Gbit/s that iperf3 sees, and CPU seconds of the whole machine, both proxies, iperf3 and the kernel, per GB."""
    server = Process(house.plain.command("iperf3", "-s", "-1", "--forceflush"), "iperf3 -s")
    try:
        server.wait_for_line("Server listening")
        before = busy()
        told = house.device.run("iperf3", "-c", home.PLAIN[4], "-J", "-t", seconds, "-P", count, *(("-R",) if way == "down" else ()),
                                limit=seconds + 30)
        rate = json.loads(told.stdout)["end"]["sum_received"]
        return rate["bits_per_second"] / 1e9, (busy() - before) / (rate["bytes"] / 1e9)
    finally:
        server.kill()
