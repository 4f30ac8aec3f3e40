"""Options of a program's socket (RFC 6897 section 4.4): they apply to all subflows, which is looked at on the uplinks. What the
packets of the socket show is heeded without the library, of devices of the LAN as well; of the rest the library tells."""
import contextlib
import socket
import struct

from lib import mptcp
from lib.env import GREETING
from lib.proxy import PORT, Cpe
from lib.stream import receive
from lib.suite import braid_only, cases
from lib.wait import until
from lib.wire import FASTCLOSE, Wire

VERSIONS = {"ipv4": 4, "ipv6": 6}


def start(env, **keys):
    router = env.daemon(env.home.cpe, [Cpe(**keys)])
    env.steer("up", "--lan", "lan", "--local", at=env.home.cpe)
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
