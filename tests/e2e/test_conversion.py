"""The rules of conversion: what one side does, the other side sees."""
import contextlib
import errno
import os
import signal
import socket
import struct
import threading
import time

from lib import mptcp, net
from lib.stream import BULK, MIB, Receiver, Sender, read_error, receive, receive_all, transfer
from lib.suite import braid_only, cases
from lib.wait import FACTOR, stays, until

CLIENTS = {"mptcp": True, "plain_tcp": False}
DEAD = "10.99.3.99"  # an address of the server's network that nobody has


def reset(sock):
    """Closes with a RST, or MP_FASTCLOSE."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


def connect_error(env, limit, **how):
    """The errno with which a connection attempt fails, and after how long."""
    sock = env.open(**how)
    sock.settimeout(limit * FACTOR)
    begun = time.monotonic()
    try:
        sock.connect((net.SERVICE[how.get("version", 4)], 8080))
    except TimeoutError:
        raise AssertionError(f"the connection was neither refused nor accepted within {limit} s") from None
    except OSError as error:
        return error.errno, time.monotonic() - begun
    raise AssertionError("the connection was accepted though the server cannot be reached")


@cases(**CLIENTS)
def test_client_ends_its_direction_first(env, multipath):
    env.start()
    near, far = env.pair(multipath=multipath)
    near.sendall(b"question")
    near.shutdown(socket.SHUT_WR)
    assert receive_all(far) == b"question"
    transfer(far, near, 8 * MIB)
    env.no_connections()


@cases(**CLIENTS)
def test_server_ends_its_direction_first(env, multipath):
    env.start()
    near, far = env.pair(multipath=multipath)
    far.sendall(b"greeting")
    far.shutdown(socket.SHUT_WR)
    assert receive_all(near) == b"greeting"
    transfer(near, far, 8 * MIB)
    env.no_connections()


def test_both_end_without_a_byte(env):
    env.start()
    near, far = env.pair()
    near.shutdown(socket.SHUT_WR)
    far.shutdown(socket.SHUT_WR)
    assert receive_all(near) == receive_all(far) == b""
    env.no_connections()


def test_server_speaks_first(env):
    """The client's third ACK carries no data, and its kernel has confirmed nothing yet."""
    env.topology.endpoint(2)
    env.start()
    near, far = env.pair()
    transfer(far, near, MIB, end=False)
    assert mptcp.is_mptcp(near)
    until(lambda: len(mptcp.established(near)) == 2, "the second path is joined")
    transfer(near, far, MIB)


def test_both_sides_may_keep_silent_before_they_speak(env):
    env.start()
    listener = env.listen()
    pairs = [(env.connect(), env.accept(listener)) for _ in range(3)]
    time.sleep(1.5)  # the silence is the subject: longer than a SYN's or a third ACK's first timeout
    for near, far in pairs:
        far.sendall(b"late")
        assert receive(near, 4) == b"late"
        near.sendall(b"later")
        assert receive(far, 5) == b"later"
        assert mptcp.is_mptcp(near)


@braid_only
@cases(**CLIENTS)
def test_refused_by_the_server_is_refused_to_the_client(env, multipath):
    env.start()
    error, seconds = connect_error(env, 2.0, multipath=multipath)
    assert error == errno.ECONNREFUSED and seconds < 0.5 * FACTOR, (errno.errorcode[error], seconds)
    env.no_connections()
    near, far = env.pair(multipath=multipath)
    transfer(near, far, MIB)


@braid_only
@cases(refused=(f"{net.SERVER[4]}:8080", "refused the connection"),
       no_route=("10.77.0.1:80", "is unreachable: Network is unreachable"),
       silent=(f"{DEAD}:80", "is unreachable: No route to host"))
def test_a_server_that_does_not_come_is_said_once(env, target, words):
    """Not once for each of its clients."""
    env.start([env.Edge("web", target=target)], workers=1)
    for _ in range(3):
        near = env.open()
        try:
            near.connect((net.SERVICE[4], 8080))
            read_error(near, 8.0)
        except OSError:
            pass
    env.proxy.process.wait_for_line(f"warn: edge web: server {target} {words}")
    said = [line for line in env.proxy.process.lines if "edge web: server" in line]
    assert len(said) <= 2, said  # the silent one takes three seconds each time, and a line is due every ten


@braid_only
@cases(ipv4=4, ipv6=6)
def test_no_route_to_the_server_fails_at_once(env, version):
    env.start([env.Edge("web", version, target=net.join({4: "10.77.0.1", 6: "fd77::1"}[version], 80))])
    error, seconds = connect_error(env, 2.0, version=version)
    assert error in (errno.EHOSTUNREACH, errno.ENETUNREACH, errno.ECONNREFUSED), errno.errorcode[error]
    assert seconds < 0.5 * FACTOR, f"after {seconds:.2f} s"


@braid_only
def test_silent_server_address_fails_when_the_kernel_gives_up(env):
    """Nobody answers ARP: the kernel knows after three seconds. The client was answered before that."""
    env.start([env.Edge("web", target=f"{DEAD}:80")])
    near = env.connect()
    near.sendall(b"anybody there?")
    assert read_error(near, 8.0) == errno.ECONNRESET
    env.no_connections()


@contextlib.contextmanager
def busy(env, seconds):
    """The server drops SYNs for so long."""
    env.server.iptables("-A", "INPUT", "-p", "tcp", "--syn", "-j", "DROP")
    relief = threading.Timer(seconds, lambda: env.server.iptables("-F", "INPUT"))
    relief.start()
    yield
    relief.join()


@cases(one_syn_lost=0.5, two_lost=2.5)
def test_a_slow_server_does_not_turn_its_clients_away_from_mptcp(env, seconds):
    """A Linux client whose SYNs go unanswered believes in a network that drops MPTCP, and does without for an hour."""
    env.client.sysctl(net__mptcp__blackhole_timeout=3600)
    env.start()
    listener = env.listen()
    with busy(env, seconds):
        begun = time.monotonic()
        near = env.connect()
        assert time.monotonic() - begun < 0.99 * FACTOR, "the client has sent a second SYN"
        near.sendall(b"question")  # before the server is there, and so is the end
        near.shutdown(socket.SHUT_WR)
        far = env.accept(listener)
        assert receive_all(far) == b"question"
        far.sendall(b"answer")
        far.close()
        assert receive_all(near) == b"answer" and mptcp.is_mptcp(near)
    near, far = env.connect(), env.accept(listener)
    assert mptcp.is_mptcp(near) and env.client.counters()["MPTcpExtBlackhole"] == 0
    transfer(near, far, MIB)


@braid_only
@cases(**{f"{client}_{'quietly' if quiet else 'resets'}": (multipath, quiet) for client, multipath in CLIENTS.items()
          for quiet in (False, True)})
def test_a_client_may_leave_before_the_server_is_there(env, multipath, quiet):
    env.server.iptables("-A", "INPUT", "-p", "tcp", "--syn", "-j", "DROP")
    env.start()
    near = env.connect(multipath=multipath)
    near.sendall(b"nobody there?")
    until(lambda: env.proxy.connections(), "the connection is listed")
    if quiet:
        near.close()
        assert env.proxy.connections(), "what the client sent is still the server's"
        listener = env.listen()  # first: a SYN that comes through and finds nobody is refused
        env.server.iptables("-F", "INPUT")
        far = env.accept(listener)
        assert receive_all(far) == b"nobody there?"
        far.close()
    else:
        reset(near)
    env.no_connections()


@braid_only
@cases(refused_late=True, silent=False)
def test_a_server_that_never_comes_resets_the_client(env, refuses):
    env.server.iptables("-A", "INPUT", "-p", "tcp", "--syn", "-j", "DROP")
    env.start()
    near = env.connect()
    near.sendall(b"nobody there?")
    if refuses:
        env.server.iptables("-F", "INPUT")
    assert read_error(near, 12.0) == errno.ECONNRESET
    env.no_connections()


@braid_only
@cases(only_ipv4=4, only_ipv6=6)
def test_all_addresses_of_a_name_are_tried(env, version):
    with env.names((net.SERVER[6], "backend.test"), (net.SERVER[4], "backend.test")):
        env.start([env.Edge("web", target="backend.test:8080")])
    listener = env.listen(version)
    for _ in range(3):
        near, far = env.connect(), env.accept(listener)
        transfer(near, far, MIB)


@braid_only
@cases(**CLIENTS)
def test_reset_by_the_server_resets_the_client(env, multipath):
    if multipath:
        env.topology.endpoint(2)
    env.start()
    near, far = env.pair(multipath=multipath, subflows=2 if multipath else 1)
    reset(far)
    assert read_error(near) == errno.ECONNRESET
    if multipath:
        assert env.client.counters()["MPTcpExtMPFastcloseRx"] >= 1, "the client got no MP_FASTCLOSE"
    env.no_connections()


@braid_only
@cases(**{f"{client}_{'end_and_' * ends}reset": (multipath, ends) for client, multipath in CLIENTS.items()
          for ends in (False, True)})
def test_an_answer_with_a_reset_behind_it_arrives(env, multipath, ends):
    """A server that has its answer before it has read the whole request closes with bytes unread."""
    env.start()
    answer = b"413" + os.urandom(8000)  # more would not leave before the close, which discards what has not left
    for _ in range(10):
        near, far = env.pair(multipath=multipath)
        near.sendall(bytes(5000))
        assert receive(far, 100) == bytes(100)
        until(lambda: far.recv(4900, socket.MSG_PEEK) == bytes(4900), "the rest of the request waits at the server")
        far.sendall(answer)
        if ends:
            far.shutdown(socket.SHUT_WR)
        far.close()
        assert receive(near, len(answer)) == answer
        assert read_error(near) in (errno.ECONNRESET, *((0, errno.EPIPE) if ends else ()))
        near.close()
    env.no_connections()


@braid_only
@cases(**CLIENTS)
def test_reset_by_the_client_resets_the_server(env, multipath):
    if multipath:
        env.topology.endpoint(2)
    env.start()
    near, far = env.pair(multipath=multipath, subflows=2 if multipath else 1)
    reset(near)
    assert read_error(far) == errno.ECONNRESET
    env.no_connections()


@braid_only
@cases(**CLIENTS)
def test_reset_in_the_middle_of_a_transfer(env, multipath):
    env.topology.shape(100)
    env.start()
    for source_resets in (True, False):
        for download in (True, False):
            near, far = env.pair(multipath=multipath)
            source, sink = (far, near) if download else (near, far)
            receiver, sender = Receiver(sink, BULK), Sender(source, BULK)
            receiver.reach(MIB)
            quitter, victim = (sender, receiver) if source_resets else (receiver, sender)
            quitter.pause()
            reset(quitter.sock)
            victim.join(10 * FACTOR)
            assert isinstance(victim.error, (ConnectionResetError, BrokenPipeError)), \
                f"{type(quitter).__name__} has reset, {type(victim).__name__} has {victim.error!r}, download: {download}"
            quitter.resume()
    env.no_connections()


@cases(path1=1, path2=2)
def test_end_of_one_subflow_never_reaches_the_server(env, path):
    near, far = env.two_paths()
    env.client.run("ss", "-K", "-t", "src", net.client_address(path))
    until(lambda: len(mptcp.established(near)) == 1, "one subflow is left")
    transfer(near, far, MIB, end=False)
    transfer(far, near, MIB)


@cases(ipv4=4, ipv6=6)
def test_server_of_the_other_ip_version(env, version):
    other = 10 - version
    env.start([env.Edge("web", version, target=net.join(net.SERVER[other], 8080))])
    listener = env.listen(other)
    near = env.connect(version)
    far = env.accept(listener)
    transfer(near, far, MIB, end=False)
    transfer(far, near, MIB)


def test_target_may_be_a_host_name(env):
    env.start([env.Edge("web", target="localhost:7000")])
    listener = env.keep(env.topology.braid.socket())
    listener.bind(("127.0.0.1", 7000))
    listener.listen()
    near = env.connect()
    far = env.accept(listener)
    transfer(far, near, MIB)


def grows_little(env, work, allowance=48 * MIB):
    """work() leaves the daemon's resident memory about where it was. Sanitizers keep freed memory for a while."""
    before = env.proxy.process.memory()
    result = work()
    growth = env.proxy.process.memory() - before
    assert growth < allowance * (8 if FACTOR > 1 else 1), f"the daemon grew by {growth // MIB} MiB"
    return result


@cases(**{f"{client}_{way}": (multipath, way == "download") for client, multipath in CLIENTS.items()
          for way in ("download", "upload")})
def test_a_reader_that_stops_stops_the_sender(env, multipath, download):
    env.start()
    near, far = env.pair(multipath=multipath)
    source, sink = (far, near) if download else (near, far)

    def fill():
        sender = Sender(source, BULK)
        stuck = stays(lambda: sender.done, "the sender")
        assert stuck < 64 * MIB, f"{stuck // MIB} MiB went into a connection that nobody reads"
        return sender

    sender = grows_little(env, fill)
    receiver = grows_little(env, lambda: Receiver(sink, BULK).finish())
    sender.finish()
    assert receiver.done == BULK


def test_many_stopped_readers_do_not_use_up_the_memory(env):
    env.start()
    listener = env.listen()

    def fill():
        pairs = [(env.connect(), env.accept(listener)) for _ in range(40)]
        senders = [Sender(far, BULK) for _, far in pairs]
        stays(lambda: sum(sender.done for sender in senders), "the senders")
        return pairs, senders

    pairs, senders = grows_little(env, fill, 400 * MIB)
    for (near, far), sender in zip(pairs, senders):
        reset(near)
        sender.join(10 * FACTOR)
        assert sender.error
        far.close()
    env.no_connections()
    near, far = env.connect(), env.accept(listener)
    transfer(far, near, MIB)


@braid_only
def test_sigterm_lets_a_transfer_finish_and_takes_nothing_new(env):
    env.start()
    near, far = env.pair()
    receiver, sender = Receiver(near, 64 * MIB), Sender(far, 64 * MIB)
    receiver.reach(MIB)
    receiver.pause()
    env.proxy.process.signal(signal.SIGTERM)
    env.proxy.process.wait_for_line("finishing the open connections")
    listener = env.listen()
    refused, _ = connect_error(env, 5.0)
    assert refused in (errno.ECONNREFUSED, errno.EHOSTUNREACH, errno.ENETUNREACH)
    listener.close()
    receiver.resume()
    sender.finish()
    near.shutdown(socket.SHUT_WR)
    receiver.finish()
    assert env.proxy.process.wait(20) == 0
    env.proxy = None
