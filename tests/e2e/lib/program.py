"""A program of its own process that does with sockets what it is told, with libbraid-socket preloaded or not.

Its half is this file, run as a script: it reads an expression per line and writes what that gives as JSON."""
import contextlib
import ctypes
import json
import os
import resource  # pylint: disable=unused-import
import select
import socket
import struct
import subprocess
import sys
import threading
import time

if __name__ == "__main__":
    import mptcp
else:
    from . import mptcp
    from .proxy import BUILD
    from .wait import FACTOR

ENABLE, ADD, REMOVE, SUBFLOWS, CONNID = range(10002, 10007)
STATISTICS, PROFILE, OPEN, CLOSE, SPARE, USE = range(10010, 10016)
FATE_SHARING, EXPECT_BYTES, EXPECT_DURATION, EXPECT_RATE, REDUNDANCY, NUMBER, PATH_MANAGER = range(10025, 10032)
LEVEL = socket.IPPROTO_TCP
ADDRESS = 28  # bytes of a union tcp_multipath_address


class Program:
    """name = program.socket() etc. give names of the child's sockets; calls that fail raise OSError as there."""

    def __init__(self, namespace, daemon=None, preload=True, **environment):
        """daemon: whose socket for programs it uses; None: there is none where it looks."""
        path = daemon.directory / "app.sock" if daemon else "/nonexistent/app.sock"
        variables = {"BRAID_APP_SOCKET": str(path), **environment}
        if preload:
            variables["LD_PRELOAD"] = str(BUILD / "libbraid-socket.so")
        self._child = subprocess.Popen(namespace.command("env", *(f"{k}={v}" for k, v in variables.items()), sys.executable,
                                                         __file__),
                                       stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def __call__(self, expression):
        timer = threading.Timer(20 * FACTOR, self._child.kill)
        timer.start()
        try:
            self._child.stdin.write(expression + "\n")
            self._child.stdin.flush()
            line = self._child.stdout.readline()
        finally:
            timer.cancel()
        assert line, f"the program has ended, or hangs: {expression}"
        value, error = json.loads(line)
        if error:
            raise OSError(*error)
        return value

    def refused(self, expression):
        """The errno that it fails with."""
        try:
            value = self(expression)
        except OSError as error:
            return error.errno
        raise AssertionError(f"{expression} gave {value}")

    def end(self):
        self._child.stdin.close()
        self._child.wait(10)
        self._child.stdout.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        with contextlib.suppress(OSError):
            self._child.stdin.close()
        self._child.kill()
        self._child.wait()
        self._child.stdout.close()


# ---- the program's half

def packed(address, port=0):
    """A struct sockaddr_in or sockaddr_in6."""
    if ":" in address:
        return struct.pack("=HHI16sI", socket.AF_INET6, socket.htons(port), 0, socket.inet_pton(socket.AF_INET6, address), 0)
    return struct.pack("=HH4s8x", socket.AF_INET, socket.htons(port), socket.inet_aton(address))


def unpacked(raw):
    family, port = struct.unpack_from("=HH", raw)
    if family == socket.AF_INET:
        return [socket.inet_ntoa(raw[4:8]), socket.ntohs(port)]
    return [socket.inet_ntop(socket.AF_INET6, raw[8:24]), socket.ntohs(port)]


def with_port(address):
    """An address alone, or one with a port."""
    return (address, 0) if isinstance(address, str) else address


def add(sock, *addresses):
    sock.setsockopt(LEVEL, ADD, b"".join(packed(*with_port(a)) for a in addresses))


def remove(sock, *addresses):
    sock.setsockopt(LEVEL, REMOVE, b"".join(packed(*with_port(a)) for a in addresses))


def enable(sock, value=None):
    """Sets it, or reads it."""
    if value is None:
        return sock.getsockopt(LEVEL, ENABLE)
    return sock.setsockopt(LEVEL, ENABLE, value)


def connid(sock):
    return struct.unpack("=I", sock.getsockopt(LEVEL, CONNID, 4))[0]


def subflows(sock, most=16):
    raw = sock.getsockopt(LEVEL, SUBFLOWS, most * 2 * ADDRESS)
    return [[unpacked(raw[at:]), unpacked(raw[at + ADDRESS:])] for at in range(0, len(raw), 2 * ADDRESS)]


def statistics(sock):
    """A dictionary for each subflow."""
    size = 2 * ADDRESS + 40
    raw = sock.getsockopt(LEVEL, STATISTICS, 10 * size)
    names = ("subflow", "flags", "rtt_us", "min_rtt_us", "retransmissions", "reserved", "sent", "received")
    return [{"local": unpacked(raw[at:]), "remote": unpacked(raw[at + ADDRESS:]),
             **dict(zip(names, struct.unpack_from("=6I2Q", raw, at + 2 * ADDRESS)))} for at in range(0, len(raw), size)]


def profile(sock, name=None):
    if name is None:
        return sock.getsockopt(LEVEL, PROFILE, 64).rstrip(b"\0").decode()
    return sock.setsockopt(LEVEL, PROFILE, name.encode())


def path_manager(sock, name=None):
    if name is None:
        return sock.getsockopt(LEVEL, PATH_MANAGER, 64).rstrip(b"\0").decode()
    return sock.setsockopt(LEVEL, PATH_MANAGER, name.encode())


def number(sock, option, value=None):
    """Sets one of those of 64 bits, or reads it."""
    if value is None:
        return struct.unpack("=Q", sock.getsockopt(LEVEL, option, 8))[0]
    return sock.setsockopt(LEVEL, option, struct.pack("=Q", value))


def join(sock, local, remote=None, port=0):
    """Opens a subflow; to the peer's first address unless told otherwise."""
    ends = (packed(local, port), packed(*remote) if remote else b"")
    sock.setsockopt(LEVEL, OPEN, b"".join(end.ljust(ADDRESS, b"\0") for end in ends))


def of_subflow(sock, option, number):
    """CLOSE, SPARE or USE."""
    sock.setsockopt(LEVEL, option, struct.pack("=I", number))


EVENTS = ("lost", "established", "subflow-up", "subflow-down", "subflow-failed", "priority", "announced", "withdrawn", "fallback",
          "closed")
FLAGS = ("mptcp", "backup", "by_peer", "present")


def library(name, *arguments):
    """A function of libbraid-socket."""
    result = getattr(ctypes.CDLL(None, use_errno=True), name)(*arguments)
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result


def watched(sock):
    """A descriptor that does not block, for news()."""
    descriptor = library("braid_socket_events", sock.fileno())
    os.set_blocking(descriptor, False)
    return descriptor


def news(descriptor, most=10000):
    """The events that have come: a dictionary each, of the last the kind "end"."""
    found, event = [], ctypes.create_string_buffer(32 + 2 * ADDRESS)
    while len(found) < most:
        try:
            more = library("braid_socket_event_read", descriptor, event)
        except BlockingIOError:
            break
        if not more:
            return [*found, {"kind": "end"}]
        kind, flags, subflow, lost, error, reset, address_id, _ = struct.unpack_from("=4I2i2I", event.raw)
        one = {"kind": EVENTS[kind], "flags": [name for bit, name in enumerate(FLAGS) if flags >> bit & 1], "subflow": subflow,
               "lost": lost, "error": error, "reset": reset, "address_id": address_id}
        if kind:
            one |= {"local": unpacked(event.raw[32:]), "remote": unpacked(event.raw[32 + ADDRESS:])}
        found.append(one)
    return found


def readable(descriptor, seconds=0):
    return bool(select.select([descriptor], [], [], seconds)[0])


def sctp(name, *arguments):
    """One of SCTP's calls."""
    result = getattr(ctypes.CDLL(None, use_errno=True), name)(*arguments)
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result


def bindx(sock, *addresses, add_them=True):
    return sctp("sctp_bindx", sock.fileno(), b"".join(map(packed, addresses)), len(addresses), 1 if add_them else 2)


def connectx(sock, port, *addresses):
    return sctp("sctp_connectx", sock.fileno(), b"".join(packed(address, port) for address in addresses), len(addresses), None)


def addresses_of(sock, local):
    """What sctp_getladdrs or sctp_getpaddrs gives."""
    found = ctypes.c_void_p()
    n, which = sctp("sctp_getladdrs" if local else "sctp_getpaddrs", sock.fileno(), 0, ctypes.byref(found)), []
    at = found.value
    for _ in range(n):
        size = 16 if ctypes.c_uint16.from_address(at).value == socket.AF_INET else 28
        which.append(unpacked(ctypes.string_at(at, size)))
        at += size
    sctp("sctp_freeladdrs" if local else "sctp_freepaddrs", found)
    return which


TCP_INFO = ("state ca_state retransmits probes backoff options wscales app_limited rto ato snd_mss rcv_mss unacked sacked lost "
            "retrans fackets last_data_sent last_ack_sent last_data_recv last_ack_recv pmtu rcv_ssthresh rtt rttvar snd_ssthresh "
            "snd_cwnd advmss reordering rcv_rtt rcv_space total_retrans pacing_rate max_pacing_rate bytes_acked bytes_received "
            "segs_out segs_in notsent_bytes min_rtt data_segs_in data_segs_out delivery_rate busy_time rwnd_limited sndbuf_limited "
            "delivered delivered_ce bytes_sent bytes_retrans dsack_dups reord_seen rcv_ooopack snd_wnd").split()


def told_in_full(sock):
    """mptcp.full_info, with each struct tcp_info as a dictionary."""
    whole, there, found = mptcp.full_info(sock)
    for each in found:
        tcp = dict(zip(TCP_INFO, struct.unpack("=8B24I4Q6I4Q2I2Q4I", each["tcp"])))
        tcp["snd_wscale"], tcp["rcv_wscale"] = tcp["wscales"] & 15, tcp["wscales"] >> 4
        each["tcp"] = tcp
    return whole, there, found


def opened(version=4):
    sock = socket.socket(socket.AF_INET if version == 4 else socket.AF_INET6)
    sock.settimeout(10)
    return sock


class NameOptions(ctypes.Structure):
    """struct braid_name_options."""

    PREPARE = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_int, ctypes.c_void_p)
    _fields_ = [("family", ctypes.c_int), ("flags", ctypes.c_int), ("timeout_ms", ctypes.c_int), ("prepare", PREPARE),
                ("arg", ctypes.c_void_p)]


def named(host, port, before=None):
    """A socket that braid_connect_name gives; before(socket) is called for each that is tried."""
    def prepare(fd, _):
        if before:
            sock = socket.socket(fileno=fd)
            before(sock)
            sock.detach()
        return 0

    options = NameOptions(timeout_ms=10000, prepare=NameOptions.PREPARE(prepare))
    call = ctypes.CDLL(None, use_errno=True).braid_connect_name
    fd = call(host.encode(), str(port).encode(), ctypes.byref(options))
    if fd < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return socket.socket(fileno=fd)


def set_options(sock, *options):
    """Each a level, the name of an option in this module or in socket, and its value."""
    for level, name, value in options:
        sock.setsockopt(level, getattr(socket, name), value)


def asked_without_waiting(sock, address, port):
    """A connect that does not block, and what has become of it."""
    sock.setblocking(False)
    error = sock.connect_ex((address, port))
    select.select([], [sock], [], 10)
    sock.settimeout(10)
    return [error, sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)]


def kept(name, sock):
    globals()[name] = sock


def received(sock, n):
    data = b""
    while len(data) < n:
        got = sock.recv(n - len(data))
        if not got:
            break
        data += got
    return data.decode()


def in_a_child(expression):
    """What it gives in a process that was forked."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(write, json.dumps(eval(expression)).encode())  # pylint: disable=eval-used
        os._exit(0)
    os.close(write)
    os.waitpid(child, 0)
    with os.fdopen(read) as file:
        return json.loads(file.read())


def in_threads(n, work):
    """What work(i) gives in n threads that begin at the same time."""
    start, results = threading.Barrier(n), [None] * n

    def one(i):
        start.wait()
        try:
            results[i] = work(i)
        except OSError as error:
            results[i] = str(error)

    threads = [threading.Thread(target=one, args=(i,)) for i in range(n)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def asked_for(address, port, value):
    """What has become of a connection that was asked for with ENABLE set so; and it is closed."""
    with opened(6 if ":" in address else 4) as sock:
        enable(sock, value)
        sock.connect((address, port))
        return enable(sock)


class Callers:
    """Threads that set and read an option of connections of their own, again and again, until they are told to end."""

    def __init__(self, n, address, port):
        self.ending, self.lock, self.longest, self.errors, self.served, self.done = False, threading.Lock(), 0.0, [], 0, 0
        self.threads = [threading.Thread(target=self._work, args=(address, port)) for _ in range(n)]
        for thread in self.threads:
            thread.start()

    def _timed(self, call, *arguments):
        """What the call gives, None if it fails; how long it took is noted."""
        begun, value, error = time.monotonic(), None, None
        try:
            value = call(*arguments)
        except BlockingIOError:
            pass
        except OSError as why:
            error = why.errno
        with self.lock:
            self.longest, self.done = max(self.longest, time.monotonic() - begun), self.done + 1
            if error:
                self.errors.append(error)
        return value

    def _work(self, address, port):
        while not self.ending:
            with opened(6 if ":" in address else 4) as sock:
                sock.setblocking(False)  # what the kernel takes for it is not meant
                self._timed(enable, sock, 1)
                self._timed(sock.connect, (address, port))
                select.select([], [sock], [], 0.5)
                if self._timed(enable, sock) == 1:
                    with self.lock:
                        self.served += 1

    def end(self):
        self.ending = True
        for thread in self.threads:
            thread.join()
        return [self.longest, sorted(set(self.errors)), self.served]


def main():
    for line in sys.stdin:
        try:
            print(json.dumps([eval(line), None]), flush=True)  # pylint: disable=eval-used
        except OSError as error:
            print(json.dumps([None, [error.errno, os.strerror(error.errno) if error.errno else str(error)]]), flush=True)


if __name__ == "__main__":
    main()
