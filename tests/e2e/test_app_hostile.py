"""The socket for programs (app_socket) under programs that mean harm: descriptors of every kind, nonsense, crowds, and a daemon
that dies beneath them. It goes on to serve everybody else, keeps none of what it was given, and nobody hangs."""
import array
import contextlib
import errno
import os
import pathlib
import random
import select
import signal
import socket
import struct
import tempfile
import threading
import time
import traceback

from lib import home
from lib.env import GREETING
from lib.proxy import PORT
from lib.suite import braid_only, limit
from lib.wait import FACTOR, until
from test_app import ask, channel, connect, greet, program, question, refused, start

NOBODY = 65534
MPTCP = 262
PATIENCE = 2.0  # seconds that a call may take (src/socket/ask.c)


def descriptors(router):
    """How many the daemon has."""
    return len(os.listdir(f"/proc/{router.process.pid}/fd"))


@contextlib.contextmanager
def nothing_kept(router):
    """What programs hand over meanwhile is closed again."""
    before = descriptors(router)
    yield
    until(lambda: descriptors(router) <= before, "the daemon has closed what it was given")
    router.healthy()


def send(sock, message, *fds):
    rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", fds))] if fds else []
    sock.sendmsg([message], rights)


def outcome(router, message, *fds):
    """The errno that is answered; None: it has hung up."""
    with channel(router) as sock:
        send(sock, message, *fds)
        try:
            answer = sock.recv(2048)
        except ConnectionResetError:  # with something of ours unread
            return None
    return (struct.unpack(">I", answer[10:14])[0] if answer[8:10] == b"\x03\x04" else 0) if answer else None


def is_served(child):
    assert child("enable(s)") == 1


def all_kinds(env, directory):
    """Descriptors of all sorts, each with the reasons for which it may be refused."""
    cpe = env.home.cpe
    no_socket, no_tcp = {errno.ENOTSOCK}, {errno.EOPNOTSUPP}
    path = os.path.join(directory, "file")
    with open(path, "w"):
        pass
    near, far = os.pipe()
    one, other = socket.socketpair()
    poll = select.epoll()
    yield from ((fd, no_socket) for fd in (
        near, far, os.open(path, os.O_RDWR), os.open(path, os.O_PATH), os.open(directory, os.O_RDONLY), os.open(directory, os.O_PATH),
        os.open("/dev/zero", os.O_RDWR), os.open("/proc/self/mem", os.O_RDWR), os.dup(poll.fileno()), os.memfd_create("x"),
        os.pidfd_open(os.getpid()), os.open("/dev/net/tun", os.O_RDWR)))
    yield one.detach(), no_tcp
    yield other.detach(), no_tcp
    with cpe.entered():
        for family, kind, protocol in ((socket.AF_INET, socket.SOCK_DGRAM, 0), (socket.AF_INET6, socket.SOCK_DGRAM, 0),
                                       (socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_TCP), (socket.AF_INET, socket.SOCK_STREAM, MPTCP),
                                       (socket.AF_NETLINK, socket.SOCK_RAW, 0), (socket.AF_PACKET, socket.SOCK_RAW, 0),
                                       (socket.AF_UNIX, socket.SOCK_SEQPACKET, 0), (socket.AF_ALG, socket.SOCK_SEQPACKET, 0),
                                       (socket.AF_VSOCK, socket.SOCK_STREAM, 0)):
            with contextlib.suppress(OSError):  # not in every kernel
                yield socket.socket(family, kind, protocol).detach(), no_tcp
        listener = socket.create_server(("127.0.0.1", 0))
        near = socket.create_connection(listener.getsockname())
        far = listener.accept()[0]
        yield listener.detach(), {errno.ENOTCONN}
        yield near.detach(), {errno.ENOPROTOOPT}  # a connection, but none of ours
        far.close()
        yield socket.socket(socket.AF_INET6, socket.SOCK_STREAM).detach(), {errno.ENOTCONN}
    outside = socket.socket()
    yield outside.detach(), {errno.EXDEV}


@braid_only
def test_descriptors_of_every_kind_are_refused_and_none_is_kept(env):
    router = start(env)
    with program(env, router) as child, tempfile.TemporaryDirectory() as directory:
        connect(env, child)
        with nothing_kept(router):
            tried = 0
            for fd, reasons in all_kinds(env, directory):
                assert outcome(router, question(), fd) in reasons, (os.readlink(f"/proc/self/fd/{fd}"), reasons)
                os.close(fd)
                tried += 1
            assert tried >= 20
        is_served(child)


@braid_only
def test_several_descriptors_are_as_good_as_none(env):
    """As many as the kernel lets through, also with messages that are none, and more than one message at once."""
    router = start(env)
    with program(env, router) as child:
        connect(env, child)
        with env.home.cpe.socket() as fresh, nothing_kept(router):
            for n in (2, 3, 5, 64, 253):
                assert outcome(router, question(), *[fresh.fileno()] * n) == errno.EBADF
                assert outcome(router, b"nonsense", *[fresh.fileno()] * n) is None
            with channel(router) as sock:
                send(sock, question(kind=4), *[fresh.fileno()] * 100)
                with contextlib.suppress(OSError):  # the daemon may hang up at any of them
                    for _ in range(20):
                        send(sock, question(), fresh.fileno())
                        send(sock, question(kind=4), *[fresh.fileno()] * 100)
        is_served(child)


@braid_only
def test_the_channel_may_carry_itself_and_its_like(env):
    """Descriptors that refer to one another in queues that nobody reads: the kernel's collector finds them."""
    router = start(env)
    with program(env, router) as child:
        connect(env, child)
        with nothing_kept(router):
            for _ in range(50):
                one, other = channel(router), channel(router)
                send(one, question(), other.fileno())
                with contextlib.suppress(OSError):
                    send(other, b"nonsense", one.fileno(), other.fileno())
                one.close()
                other.close()
        is_served(child)


def in_a_child(work):
    """In a process of its own: what work() returns, a number below 255."""
    child = os.fork()
    if child == 0:
        status = 255
        try:
            status = work()
        except Exception:  # pylint: disable=broad-except
            traceback.print_exc()
        finally:
            os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def hand_over_lingering(env, asks, address, *before):
    """A socket whose last close waits for ten minutes, as its peer takes nothing. Ours goes with its process, which waits for
    nothing."""
    with env.home.cpe.socket() as sock:
        sock.connect(address)
        sock.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            while True:
                sock.send(bytes(1 << 16))
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 600))
        for message in before:
            send(asks, message)
        send(asks, question(), sock.fileno())
        os._exit(0)


@braid_only
def test_a_socket_that_lingers_holds_up_nobody(env):
    """The daemon has the last descriptor of it: in its hand, in a queue that it reads no more, or in one that it never reads."""
    router = start(env)
    with program(env, router) as child:
        connect(env, child)
        with env.home.cpe.entered():
            listener = env.keep(socket.create_server(("127.0.0.1", 0)))
        with nothing_kept(router):
            crowd = [channel(router) for _ in range(64)]
            until(lambda: not is_let_in(router), "no more of this user are let in")
            for way in ("hand", "queue", "door"):
                router.process.signal(signal.SIGSTOP)
                asking = [channel(router) if way == "door" else crowd.pop() for _ in range(5)]
                for asks in asking:
                    before = [b"nonsense"] if way == "queue" else []
                    assert in_a_child(lambda: hand_over_lingering(env, asks, listener.getsockname(), *before)) == 0
                router.process.signal(signal.SIGCONT)
                begun = time.monotonic()
                router.ctl("connections")
                assert time.monotonic() - begun < 2 * FACTOR, way
                for asks in asking:
                    asks.close()
            for asks in crowd:
                asks.close()
        is_served(child)


def is_let_in(router):
    with channel(router) as sock:
        return not select.select([sock], [], [], 0.2)[0] or sock.recv(10) != b""


# ---- other users

def as_nobody(work):
    """The same as another user."""
    def change():
        os.setgroups([])
        os.setgid(NOBODY)
        os.setuid(NOBODY)
        return work()
    return in_a_child(change)


def open_folders(router):
    """Other users get as far as the socket's own mode lets them."""
    path = router.directory
    while path.parent != pathlib.Path(tempfile.gettempdir()).parent:
        path.chmod(path.stat().st_mode | 0o011)
        path = path.parent


@braid_only
def test_one_users_crowd_is_not_anothers(env):
    router = start(env)
    open_folders(router)
    ready, done = os.pipe(), os.pipe()

    def crowd():
        held = [channel(router) for _ in range(64)]
        with channel(router) as more:
            full = more.recv(10) == b""
        os.write(ready[1], b"x")
        os.read(done[0], 1)
        return 0 if full and held else 1

    with program(env, router) as child:
        connect(env, child)
        results = []
        beside = threading.Thread(target=lambda: results.append(as_nobody(crowd)))
        beside.start()
        try:
            os.read(ready[0], 1)
            is_served(child)
        finally:
            os.write(done[1], b"x")
            beside.join()
        assert results == [0]
        for fd in (*ready, *done):
            os.close(fd)


@braid_only
def test_who_was_given_the_descriptor_may_ask_and_who_was_not_may_not(env):
    """Whatever user he is or has been: a server hands connections to children of other users."""
    router = start(env)
    open_folders(router)
    address = home.MULTI[4]
    listener = env.listen(address=address, at=env.home.multi, multipath=True)
    sock = env.keep(env.home.cpe.socket())
    sock.settimeout(10 * FACTOR)
    sock.connect((address, PORT))
    far = env.accept(listener)
    sock.sendall(GREETING)
    assert far.recv(100) == GREETING
    assert outcome(router, question(), sock.fileno()) == 0
    assert as_nobody(lambda: outcome(router, question(), sock.fileno())) == 0
    forged = env.keep(env.home.cpe.socket())
    for option in (socket.SO_REUSEADDR, socket.SO_REUSEPORT):
        forged.setsockopt(socket.SOL_SOCKET, option, 1)
    try:
        forged.bind(sock.getsockname())
    except OSError as error:
        assert error.errno == errno.EADDRINUSE
    else:
        raise AssertionError("the ends of a connection can be had twice")


# ---- nonsense

@braid_only
@limit(120)
def test_random_messages_and_descriptors_do_no_harm(env):
    """Beside a program that is served all the time."""
    router = start(env)
    seed = random.randrange(1 << 30)
    print(f"    seed {seed}")
    draw = random.Random(seed)
    with program(env, router) as child, tempfile.TemporaryDirectory() as directory:
        connect(env, child)
        with nothing_kept(router):
            fds = [fd for fd, _ in all_kinds(env, directory)]
            for turn in range(200):
                message = bytearray(question(kind=draw.randrange(5), option=draw.randrange(24)) + draw.randbytes(draw.choice((0, 0, 3, 40))))
                for _ in range(draw.randrange(3)):
                    message[draw.randrange(len(message))] = draw.randrange(256)
                with channel(router) as sock:
                    for _ in range(draw.choice((1, 1, 2, 5))):
                        with contextlib.suppress(OSError):
                            send(sock, bytes(message), *draw.choices(fds, k=draw.choice((0, 1, 1, 1, 2, 9))))
                    if draw.random() < 0.5:
                        with contextlib.suppress(OSError):
                            sock.recv(4096)
                if turn % 50 == 0:
                    is_served(child)
            for fd in fds:
                os.close(fd)
        is_served(child)


# ---- the daemon goes

@braid_only
@limit(120)
def test_a_daemon_that_is_killed_under_many_calls_hangs_none(env):
    """Each call ends in time, with an answer or with an error that the manual names, and works again with the next daemon."""
    router = start(env)
    address = home.MULTI[4]
    env.listen(address=address, at=env.home.multi, multipath=True)
    with program(env, router) as child:
        for number in (signal.SIGKILL, signal.SIGTERM, signal.SIGKILL):
            child(f"kept('callers', Callers(8, '{address}', {PORT}))")
            until(lambda: child("callers.served") >= 8, "calls are answered")
            if number == signal.SIGTERM:
                router.stop()
            else:
                router.process.signal(number)
                router.process.wait()
            env.daemons.remove(router)
            child("kept('before', callers.done)")
            until(lambda: child("callers.done - before") >= 40, "calls end without a daemon")
            router = start(env)
            child("kept('before', callers.served)")
            until(lambda: child("callers.served - before") >= 8, "and are answered by the next one")
            longest, errors, _ = child("callers.end()")
            assert longest < (PATIENCE + 1) * FACTOR, longest
            assert set(errors) <= {errno.ENOPROTOOPT, errno.ENOTCONN, errno.ENOBUFS}, errors
        far = connect(env, child, port=PORT + 1)
        greet(child, far)
        is_served(child)


@braid_only
def test_a_connection_of_the_last_daemon_is_no_connection_of_the_next(env):
    router = start(env)
    with program(env, router) as child:
        connect(env, child)
        is_served(child)
        router.process.signal(signal.SIGKILL)
        router.process.wait()
        env.daemons.remove(router)
        assert refused(child, "enable(s)") == errno.ENOPROTOOPT
        router = start(env)
        until(lambda: refused(child, "enable(s)") in (errno.ENOTCONN, errno.ENOPROTOOPT), "it is said that it is gone")
        connect(env, child, port=PORT + 1)
        is_served(child)
