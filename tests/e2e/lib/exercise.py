"""What programs do with sockets, one thing after the other: `client HOST` says as JSON what has come of each, and `server` is its
other side. Nothing in it knows of Braid."""
import array
import concurrent.futures
import contextlib
import errno
import hashlib
import json
import os
import queue
import select
import signal
import socket
import ssl
import struct
import sys
import tempfile
import threading

PORT, SECURE, REFUSING = 8100, 8101, 8102
BULK = 2 << 20
CROWD = 1000
LIMIT = 30  # seconds
ends = queue.Queue()


def bulk():
    return hashlib.shake_256(b"bulk").digest(BULK)


def fails(call, *arguments):
    """The name of the error with which it fails."""
    try:
        return f"no error: {call(*arguments)}"
    except OSError as error:
        return errno.errorcode.get(error.errno, type(error).__name__)


# ---- the server's side: the first byte says what is wanted

def whole(sock):
    """How much came, and what it was."""
    digest, n = hashlib.sha256(), 0
    while data := sock.recv(1 << 16):
        digest.update(data)
        n += len(data)
    return f"{n} {digest.hexdigest()}"


def send_file(sock):
    with tempfile.TemporaryFile() as file:
        file.write(bulk())
        file.seek(0)
        sock.sendfile(file)  # with TLS it is sent otherwise


def answer(sock):
    wish = sock.recv(1)
    if wish == b"d":  # tells what came, once that has ended
        sock.sendall(whole(sock).encode())
    elif wish == b"e":  # echoes until it ends
        while data := sock.recv(1 << 16):
            sock.sendall(data)
    elif wish == b"f":
        send_file(sock)
    elif wish == b"r":  # resets
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    elif wish == b"w":  # waits for the end, of whatever kind
        sock.sendall(b"!")
        ends.put(fails(sock.recv, 1))
    elif wish == b"s":  # tells what kind it was
        sock.sendall(ends.get(timeout=LIMIT).encode())


def serve_one(sock, context):
    with contextlib.suppress(OSError), contextlib.ExitStack() as stack:
        if context:
            sock = context.wrap_socket(sock, server_side=True)
        stack.enter_context(sock)
        sock.settimeout(LIMIT)
        answer(sock)


def accept_all(listener, context, forks):
    """In a thread for each connection, or in a child."""
    while True:
        sock, _ = listener.accept()
        if forks and os.fork() == 0:
            serve_one(sock, context)
            os._exit(0)
        if forks:
            sock.close()
        else:
            threading.Thread(target=serve_one, args=(sock, context), daemon=True).start()


def server(version, certificate, key):
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    family = socket.AF_INET6 if version == "6" else socket.AF_INET
    secure = socket.create_server(("", SECURE), family=family)
    if os.fork() == 0:
        accept_all(secure, context, True)
    secure.close()
    accept_all(socket.create_server(("", PORT), family=family, backlog=CROWD), None, False)


# ---- the client's side

def in_a_child(work):
    """Whether work() is true in a process that is forked."""
    child = os.fork()
    if child == 0:
        try:
            os._exit(0 if work() else 1)
        except Exception as error:
            print(repr(error), file=sys.stderr)
        finally:
            os._exit(2)
    return lambda: os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


class Client:
    """Each method without an underscore is one thing to do."""

    def __init__(self, host, certificate):
        self._host, self._certificate = host, certificate
        self._family, _, _, _, self._to = socket.getaddrinfo(host, PORT, type=socket.SOCK_STREAM)[0]

    def _address(self, port):
        return (self._to[0], port, *self._to[2:])

    def _open(self):
        sock = socket.socket(self._family)
        sock.settimeout(LIMIT)
        return sock

    def _connect(self, wish=b""):
        sock = self._open()
        sock.connect(self._to)
        sock.sendall(wish)
        return sock

    def _echoed(self, sock, data):
        sock.sendall(data)
        got = b""
        while len(got) < len(data):
            got += sock.recv(len(data) - len(got)) or b"(end)"
        return got == data

    def _pending(self, port):
        """A connect that does not block: what it says, and what it has come to once the socket is writable."""
        with socket.socket(self._family) as sock:
            sock.setblocking(False)
            at_once = sock.connect_ex(self._address(port))
            poll = select.poll()
            poll.register(sock, select.POLLOUT)
            events = poll.poll(LIMIT * 1000)
            error = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            again = sock.connect_ex(self._address(port)) if not error else 0
            names = [errno.errorcode.get(each, each) for each in (at_once, error, again)]
            return names, [bool(event & select.POLLOUT) for _, event in events], sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)

    def half_close(self):
        with self._connect(b"d") as sock:
            sock.sendall(bulk())
            sock.shutdown(socket.SHUT_WR)
            said = sock.recv(100).decode()
            return said, sock.recv(1) == b"", fails(sock.send, b"x"), said == f"{BULK} {hashlib.sha256(bulk()).hexdigest()}"

    def sendfile_there(self):
        with self._connect(b"d") as sock:
            send_file(sock)
            sock.shutdown(socket.SHUT_WR)
            return sock.recv(100).decode()

    def sendfile_back(self):
        with self._connect(b"f") as sock:
            return whole(sock)

    def splice(self):
        with self._connect(b"f") as sock:
            read, write = os.pipe()
            digest, n = hashlib.sha256(), 0
            sock.settimeout(None)
            while (moved := os.splice(sock.fileno(), write, 1 << 16)) > 0:
                data = os.read(read, moved)
                while len(data) < moved:
                    data += os.read(read, moved - len(data))
                digest.update(data)
                n += moved
            os.close(read)
            os.close(write)
            return n, digest.hexdigest()

    def non_blocking(self):
        return self._pending(PORT), self._pending(REFUSING)

    def blocking_refused(self):
        with self._open() as sock:
            return fails(sock.connect, self._address(REFUSING)), fails(sock.getpeername), fails(sock.send, b"x")

    def wrong_calls(self):
        with self._connect(b"e") as sock, socket.socket(socket.AF_UNIX) as unix, self._open() as fresh:
            other = socket.socket(socket.AF_INET if self._family == socket.AF_INET6 else socket.AF_INET6)
            with other:
                families = fails(other.connect, ("::1", PORT) if other.family == socket.AF_INET6 else ("127.0.0.1", REFUSING))
            return (fails(sock.connect, self._to), fails(sock.listen), fails(unix.connect, "/nonexistent"), families,
                    fails(fresh.recv, 1), fails(fresh.shutdown, socket.SHUT_WR), fails(sock.getsockopt, socket.IPPROTO_TCP, 99),
                    fails(fresh.setsockopt, socket.IPPROTO_TCP, 99, 1), fails(fresh.setsockopt, 9999, 1, 1))

    def options(self):
        with self._connect(b"e") as sock:
            told = [sock.getsockopt(socket.SOL_SOCKET, option) for option in (socket.SO_TYPE, socket.SO_ERROR, socket.SO_KEEPALIVE,
                                                                               socket.SO_REUSEADDR, socket.SO_PROTOCOL)]
            for level, option, value in ((socket.IPPROTO_TCP, socket.TCP_NODELAY, 1), (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
                                         (socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 77), (socket.SOL_SOCKET, socket.SO_RCVBUF, 100000),
                                         (socket.SOL_SOCKET, socket.SO_SNDBUF, 100000), (socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, 9999),
                                         (socket.SOL_SOCKET, socket.SO_PRIORITY, 3), (socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1),
                                         (socket.IPPROTO_TCP, socket.TCP_CORK, 0)):
                sock.setsockopt(level, option, value)
                told.append(sock.getsockopt(level, option))
            return told, sock.getpeername() == self._to, self._echoed(sock, b"after all that")

    def timeout_of_receiving(self):
        with self._connect(b"e") as sock:
            sock.settimeout(None)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("ll", 0, 10000))
            return fails(sock.recv, 1), self._echoed(sock, b"x")

    def peek_and_wait(self):
        with self._connect(b"e") as sock:
            sock.sendall(b"0123456789")
            peeked = sock.recv(10, socket.MSG_PEEK | socket.MSG_WAITALL)
            taken = sock.recv(4).decode(), sock.recv(6, socket.MSG_WAITALL).decode()
            sock.setblocking(False)
            return peeked.decode(), taken, fails(sock.recv, 1)

    def scattered(self):
        with self._connect(b"d") as sock:
            sent = sock.sendmsg([b"a" * 1000, b"b" * 1000, b"c"])
            sock.shutdown(socket.SHUT_WR)
            one, two = bytearray(10), bytearray(100)
            n = sock.recvmsg_into([one, two])[0]
            return sent, n, (one + two)[:n].decode()

    def is_reset(self):
        with self._connect(b"r") as sock:
            return fails(sock.recv, 1), fails(sock.getpeername)

    def resets(self):
        sock = self._connect(b"w")
        sock.recv(1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        sock.close()
        with self._connect(b"s") as other:
            return other.recv(20).decode()

    def duplicates(self):
        with self._connect(b"d") as sock:
            copy = sock.dup()
            other = os.dup2(sock.fileno(), 500)
            sock.close()
            os.write(other, b"one ")
            os.close(other)
            copy.sendall(b"two")
            copy.shutdown(socket.SHUT_WR)
            with copy:
                return copy.recv(100).decode()

    def children(self):
        """One takes a connection over, one makes its own."""
        with self._connect(b"d") as sock:
            def both():
                sock.sendall(b"from a child")
                with self._connect(b"e") as own:
                    return self._echoed(own, b"its own")
            status = in_a_child(both)()
            sock.sendall(b", and its parent")
            sock.shutdown(socket.SHUT_WR)
            return status, sock.recv(100).decode()

    def passed_on(self):
        """A connection that another process is given."""
        here, there = socket.socketpair()

        def take():
            here.close()
            _, descriptors, _, _ = socket.recv_fds(there, 1, 1)
            with socket.socket(fileno=descriptors[0]) as sock:
                sock.settimeout(LIMIT)
                return self._echoed(sock, b"in other hands")
        end = in_a_child(take)
        there.close()
        with self._connect(b"e") as sock:
            here.sendmsg([b"x"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [sock.fileno()]))])
        here.close()
        return end()

    def everything_closed(self):
        """As daemons do; and then it goes on."""
        def close_all():
            for fd in range(3, 256):
                with contextlib.suppress(OSError):
                    os.close(fd)
            with self._connect(b"e") as sock:
                return self._echoed(sock, b"afterwards") and sock.fileno() == 3
        return in_a_child(close_all)()

    def tls(self):
        context = ssl.create_default_context(cafile=self._certificate)
        with socket.create_connection((self._host, SECURE), LIMIT) as sock, \
                context.wrap_socket(sock, server_hostname=self._host) as safe:
            safe.sendall(b"f")
            return safe.version(), whole(safe)

    def edges_of_events(self):
        """Edge-triggered, and nothing is missed."""
        with self._connect(b"f") as sock, select.epoll() as events:
            sock.setblocking(False)
            events.register(sock, select.EPOLLIN | select.EPOLLET | select.EPOLLRDHUP)
            n = 0
            while True:
                events.poll(LIMIT)
                try:
                    while data := sock.recv(1 << 16):
                        n += len(data)
                    return n
                except BlockingIOError:
                    pass

    def threads(self):
        def some(number):
            right = 0
            for turn in range(5):
                with self._connect(b"e") as sock:
                    right += self._echoed(sock, f"{number} {turn}".encode() * 100)
            return right
        with concurrent.futures.ThreadPoolExecutor(32) as pool:
            return sum(pool.map(some, range(32)))

    def crowd(self):
        """Very many descriptors at a time, each of which has its own."""
        socks = [self._connect(b"e") for _ in range(CROWD)]
        for number, sock in enumerate(socks):
            sock.sendall(b"%d\n" % number)
        right = sum(sock.recv(20) == b"%d\n" % number for number, sock in enumerate(socks))
        for sock in socks:
            sock.close()
        return right


def client(host, certificate):
    tasks = Client(host, certificate)
    names = [name for name in vars(Client) if not name.startswith("_")]
    seen = {}
    for name in names:
        try:
            seen[name] = getattr(tasks, name)()
        except Exception as error:  # which is to be the same
            seen[name] = repr(error)
    print(json.dumps(seen))


if __name__ == "__main__":
    {"server": server, "client": client}[sys.argv[1]](*sys.argv[2:])
