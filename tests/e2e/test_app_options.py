"""Options of a program's socket (RFC 6897 section 4.4): they apply to all subflows, which is looked at on the uplinks. What the
packets of the socket show is heeded without the library, of devices of the LAN as well; of the rest the library tells."""
import contextlib
import errno
import socket
import struct
import threading

from lib import mptcp, net
from lib.env import GREETING, Edge
from lib.program import Program
from lib.proxy import PORT, Cpe
from lib.stream import receive
from lib.suite import braid_only, cases
from lib.wait import until
from lib.wire import FASTCLOSE, Wire

VERSIONS = {"ipv4": 4, "ipv6": 6}


def start(env, **keys):
    router = env.daemon(env.home.cpe, [Cpe(**keys)])
    by_socket = ("--tproxy", "8684") if keys.get("intercept") == "tproxy" else ()
    env.steer("up", "--lan", "lan", "--local", *by_socket, at=env.home.cpe)
    return router


@contextlib.contextmanager
def uplinks(env):
    """What comes out of them, and what servers send, as the world sees it."""
    with Wire(env.home.internet, ("line", "multi")) as wire:
        yield wire


def set_class(sock, version, value):
    if version == 4:
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, value)
    else:
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_TCLASS, value)


def connect(env, version=4, before=lambda sock: None, port=PORT):
    """A device's socket, and the server's end."""
    address = env.home.where(env.home.multi)[version]
    listener = env.listen(version, port, address=address, at=env.home.multi, multipath=True)
    sock = env.home.device.socket(version)
    sock.settimeout(10)
    before(sock)
    sock.connect((address, port))
    return sock, env.accept(listener)


def greet(sock, far):
    sock.sendall(GREETING)
    assert receive(far, len(GREETING)) == GREETING
    far.sendall(GREETING)
    assert receive(sock, len(GREETING)) == GREETING


def both_joined(env, wire, port=PORT):
    """SYNs on all uplinks."""
    until(lambda: {s.device for s in wire.of(port, is_syn=True)} == {f"line{u.number}" for u in env.home.uplinks},
          "there is a subflow over each uplink")


def from_home(wire, port=PORT):
    return [s for s in wire.of(port) if s.device.startswith("line")]


@braid_only
@cases(**VERSIONS)
def test_the_traffic_class_of_a_device_is_on_all_subflows(env, version):
    start(env)
    with uplinks(env) as wire:
        sock, far = connect(env, version, lambda sock: set_class(sock, version, 0xb8))
        greet(sock, far)
        both_joined(env, wire)
        assert {s.traffic_class for s in from_home(wire)} == {0xb8}, wire.segments
        set_class(sock, version, 0x28)  # as ssh does, when it knows what for
        n = len(from_home(wire))
        greet(sock, far)
        wire.await_some(PORT, "data of the new class", lambda s: s.traffic_class == 0x28 and s.length > 0)
        assert not [s for s in from_home(wire)[n:] if s.length > 0 and s.traffic_class != 0x28], wire.segments


@braid_only
def test_segments_over_the_uplinks_are_as_small_as_the_device_wants(env):
    start(env)
    with uplinks(env) as wire:
        sock, far = connect(env, before=lambda sock: sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, 700))
        greet(sock, far)
        both_joined(env, wire)
        for writer, reader in ((sock, far), (far, sock)):
            writer.sendall(bytes(100_000))
            assert receive(reader, 100_000) == bytes(100_000)
        assert {s.mss for s in from_home(wire) if s.is_syn} == {700}, wire.segments


@braid_only
def test_a_small_receive_buffer_bounds_the_windows_over_the_uplinks(env):
    start(env)
    with uplinks(env) as wire:
        sock, far = connect(env, before=lambda sock: sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16384))
        greet(sock, far)
        both_joined(env, wire)
        assert mptcp.is_mptcp(far)
        far.sendall(bytes(200_000))
        assert receive(sock, 200_000) == bytes(200_000)
        scale = max(s.scale for s in from_home(wire) if s.is_syn)
        assert max(s.window << (0 if s.is_syn else scale) for s in from_home(wire)) <= 16384 + (1 << scale), wire.segments


@braid_only
def test_with_hardly_any_buffer_there_is_no_mptcp_unless_the_operator_wants_it(env):
    def little(sock):
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1500)

    start(env)
    with uplinks(env) as wire:
        sock, far = connect(env, before=little)
        greet(sock, far)
        assert not mptcp.is_mptcp(far)
        wire.await_some(PORT, "its data", lambda s: s.length > 0)
        assert not [s for s in from_home(wire) if s.mptcp], wire.segments


@braid_only
@cases(**VERSIONS)
def test_what_a_syn_shows_is_heeded_where_the_kernel_has_answered_it(env, version):
    start(env, intercept="tproxy")
    with uplinks(env) as wire:
        def special(sock):
            set_class(sock, version, 0xb8)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, 700)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16384)

        sock, far = connect(env, version, before=special)
        greet(sock, far)
        both_joined(env, wire)
        far.sendall(bytes(200_000))
        assert receive(sock, 200_000) == bytes(200_000)
        assert {s.traffic_class for s in from_home(wire)} == {0xb8}, wire.segments
        assert {s.mss for s in from_home(wire) if s.is_syn} == {700}, wire.segments
        scale = max(s.scale for s in from_home(wire) if s.is_syn)
        assert max(s.window << (0 if s.is_syn else scale) for s in from_home(wire)) <= 16384 + (1 << scale), wire.segments


@braid_only
def test_hardly_any_buffer_is_no_wish_for_mptcp_where_the_kernel_has_answered(env):
    start(env, intercept="tproxy")
    sock, far = connect(env, before=lambda sock: sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1500))
    greet(sock, far)
    assert not mptcp.is_mptcp(far)


@braid_only
def test_the_operator_may_have_mptcp_for_the_smallest_buffers(env):
    start(env, least_buffer=0)
    sock, far = connect(env, before=lambda sock: sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1500))
    greet(sock, far)
    assert mptcp.is_mptcp(far)


@braid_only
def test_what_is_not_to_be_heeded_is_not(env):
    start(env, heed="none")
    with uplinks(env) as wire:
        def special(sock):
            set_class(sock, 4, 0xb8)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, 700)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1500)

        sock, far = connect(env, before=special)
        greet(sock, far)
        both_joined(env, wire)
        assert {s.traffic_class for s in from_home(wire)} == {0}, wire.segments
        assert min(s.mss for s in from_home(wire) if s.is_syn) > 700, wire.segments


@braid_only
def test_a_close_with_linger_0_is_a_fast_close_on_the_wire(env):
    start(env)
    with uplinks(env) as wire:
        sock, far = connect(env)
        greet(sock, far)
        both_joined(env, wire)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        sock.close()
        wire.await_some(PORT, "a fast close", lambda s: FASTCLOSE in s.mptcp)
        try:
            assert far.recv(1) != b"", "the server sees an end in order"
        except ConnectionResetError:
            pass


def profile_now(router):
    wan, = (c for c in router.connections() if c["side"] == "wan")
    return router.ctl("show", wan["id"])["profile_now"]


@braid_only
def test_without_nagle_an_automatic_profile_is_interactive(env):
    """Pieces of which the kernel would hold back the second one if it were allowed to."""
    router = start(env, profile="auto")
    sock, far = connect(env)
    greet(sock, far)
    assert profile_now(router) == "bulk"

    def written(nodelay):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, nodelay)
        for _ in range(20):
            sock.sendall(b"x" * 100)
        assert receive(far, 2000) == b"x" * 2000

    written(0)
    assert profile_now(router) == "bulk"
    written(1)
    assert profile_now(router) == "interactive"


# ---- what only the library can tell

TCP, SOCKET = socket.IPPROTO_TCP, socket.SOL_SOCKET
KEEPALIVE = [(SOCKET, "SO_KEEPALIVE", 1), (TCP, "TCP_KEEPIDLE", 2), (TCP, "TCP_KEEPINTVL", 1), (TCP, "TCP_KEEPCNT", 2)]


def kept_alive(router):
    return router.counters()["TcpExtTCPKeepAlive"]


def ask(env, child, *options, connect="s.connect(({address!r}, {port}))", port=PORT):
    """Socket `s` of the program, with these options, is connected; the server's end."""
    address = env.home.where(env.home.multi)[4]
    listener = env.listen(4, port, address=address, at=env.home.multi, multipath=True)
    child("kept('s', opened())")
    child(f"set_options(s, *{list(options)!r})")
    child(connect.format(address=address, port=port))
    return env.accept(listener)


def exchange(child, far):
    child(f"s.sendall({GREETING!r})")
    assert receive(far, len(GREETING)) == GREETING
    far.sendall(GREETING)
    assert child(f"received(s, {len(GREETING)})") == GREETING.decode()


def wan_of(router):
    wan, = (c for c in router.connections() if c["side"] == "wan")
    return router.ctl("show", wan["id"])


@braid_only
@cases(blocking="s.connect(({address!r}, {port}))", non_blocking="asked_without_waiting(s, {address!r}, {port})")
def test_a_programs_keepalives_are_sent_over_all_subflows(env, connect):
    router = start(env)
    with Program(env.home.cpe, router) as child, uplinks(env) as wire:
        far = ask(env, child, *KEEPALIVE, connect=connect)
        exchange(child, far)
        both_joined(env, wire)
        until(lambda: kept_alive(router) >= 2 * len(env.home.uplinks), "each subflow is asked")
        far.sendall(GREETING)
        assert child(f"received(s, {len(GREETING)})") == GREETING.decode()


@braid_only
def test_a_keepalive_may_be_set_and_taken_back_while_the_connection_lives(env):
    router = start(env)
    with Program(env.home.cpe, router) as child:
        far = ask(env, child)
        exchange(child, far)
        assert kept_alive(router) == 0
        child(f"set_options(s, *{KEEPALIVE!r})")
        until(lambda: kept_alive(router) > 0, "the peer is asked")
        child("set_options(s, (1, 'SO_KEEPALIVE', 0))")
        n = kept_alive(router)
        far.sendall(GREETING)
        assert child(f"received(s, {len(GREETING)})") == GREETING.decode()
        assert child("select.select([s], [], [], 4)[0] == []")
        assert kept_alive(router) == n


@braid_only
def test_a_user_timeout_ends_the_connection_when_no_uplink_works(env):
    router = start(env)
    with Program(env.home.cpe, router) as child:
        far = ask(env, child, (TCP, "TCP_USER_TIMEOUT", 1500))
        exchange(child, far)
        for uplink in env.home.uplinks:
            uplink.go_silent()
        child("s.sendall(b'into the void')")
        try:
            child("s.recv(1).decode()")
        except OSError as error:
            assert error.errno == errno.ECONNRESET, error
        else:
            raise AssertionError("the program hears of nothing")
        assert router.counters()["BraidStalled"] == 1


@braid_only
def test_a_small_send_buffer_bounds_ours_and_one_too_small_means_no_mptcp(env):
    router = start(env)
    with Program(env.home.cpe, router) as child:
        assert mptcp.is_mptcp(ask(env, child, (SOCKET, "SO_SNDBUF", 20_000)))
        assert not mptcp.is_mptcp(ask(env, child, (SOCKET, "SO_SNDBUF", 1), port=PORT + 1))
        child("kept('s', opened())")
        child("s.setsockopt(LEVEL, ENABLE, 1)")  # who says that he wants it gets it
        address = env.home.where(env.home.multi)[4]
        listener = env.listen(4, PORT + 2, address=address, at=env.home.multi, multipath=True)
        child("s.setsockopt(1, socket.SO_SNDBUF, 1)")
        child(f"s.connect(('{address}', {PORT + 2}))")
        assert mptcp.is_mptcp(env.accept(listener))


@braid_only
def test_a_programs_congestion_control_is_that_of_all_subflows(env):
    router = start(env)
    with Program(env.home.cpe, router) as child, uplinks(env) as wire:
        far = ask(env, child, (TCP, "TCP_CONGESTION", b"reno"))
        exchange(child, far)
        both_joined(env, wire)
        assert {s["congestion"] for s in wan_of(router)["subflows"]} == {"reno"}
        child("s.setsockopt(LEVEL, socket.TCP_CONGESTION, b'cubic')")


@braid_only
def test_a_server_behind_an_edge_has_its_keepalives_too(env):
    env.topology.endpoint(2)
    env.start([Edge("web", 4, target=net.join("127.0.0.1", 9000))])
    with Program(env.topology.braid, env.proxy) as child:
        child("kept('l', socket.create_server(('127.0.0.1', 9000)))")
        near = env.connect(4)
        child("kept('s', l.accept()[0])")
        near.sendall(GREETING)
        assert child(f"received(s, {len(GREETING)})") == GREETING.decode()
        child(f"set_options(s, *{KEEPALIVE!r})")
        until(lambda: kept_alive(env.proxy) > 0, "the client is asked")


@braid_only
def test_a_server_behind_an_edge_has_what_its_connections_have_inherited(env):
    env.topology.endpoint(2)
    env.start([Edge("web", 4, target=net.join("127.0.0.1", 9000))])
    with Program(env.topology.braid, env.proxy) as child:
        child("kept('l', socket.create_server(('127.0.0.1', 9000)))")
        child(f"set_options(l, *{KEEPALIVE!r})")
        near = env.connect(4)
        child("kept('s', l.accept()[0])")
        near.sendall(GREETING)
        assert child(f"received(s, {len(GREETING)})") == GREETING.decode()
        until(lambda: kept_alive(env.proxy) > 0, "the client is asked")


class Listener:
    """Takes messages of programs, instead of the daemon, and notes their kinds."""

    def __init__(self, path):
        self.kinds = []
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._socket.bind(str(path))
        self._socket.listen()
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        with contextlib.suppress(OSError):
            while True:
                channel, _ = self._socket.accept()
                with channel:
                    request = channel.recv(4096)
                    self.kinds.append(request[3])
                    channel.send(b"Br\x01\x04" + request[4:8])

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()


@braid_only
def test_what_half_of_all_programs_set_costs_no_message(env):
    """TCP_NODELAY, keepalive as the kernel has it, what packets show, and anything of other sockets."""
    connect, get, put = 1, 2, 3
    with Listener(env.directory / "ear.sock") as ear, \
         Program(env.home.cpe, BRAID_APP_SOCKET=str(env.directory / "ear.sock")) as child:
        usual = [(TCP, "TCP_NODELAY", 1), (TCP, "TCP_MAXSEG", 1000), (SOCKET, "SO_RCVBUF", 100_000), (SOCKET, "SO_KEEPALIVE", 1),
                 (SOCKET, "SO_PRIORITY", 1), (0, "IP_TOS", 16)]
        ask(env, child, *usual)
        child(f"set_options(s, *{usual!r})")
        child("kept('u', socket.socket(type=socket.SOCK_DGRAM))")
        child("set_options(u, (1, 'SO_SNDBUF', 10000), (1, 'SO_KEEPALIVE', 1))")
        child("u.connect(('192.0.2.1', 9))")
        child("kept('l', socket.create_server(('127.0.0.1', 0)))")
        child(f"set_options(l, *{KEEPALIVE!r})")
        child("kept('s', opened())")
        child(f"set_options(s, *{KEEPALIVE!r})")
        child("s.connect(l.getsockname())")  # to this machine itself
        assert set(ear.kinds) <= {get}, ear.kinds  # the one question whether a policy names the program
        ask(env, child, *KEEPALIVE, port=PORT + 1)
        assert ear.kinds.count(put) == 1 and connect not in ear.kinds, ear.kinds
        child("kept('l', socket.create_server(('127.0.0.1', 0))), kept('s', opened())")
        child("s.connect(l.getsockname()), kept('accepted', l.accept()[0])")
        assert ear.kinds.count(put) == 1, "what has inherited nothing is told of"
