"""Transparent mode: connections to any server, brought in by braid-steer, and everything else left to the kernel.

The servers' kernels do not hear of Braid: it answers in their name. The client connects to 10.99.3.2 or fd99:3::2.
"""
import contextlib
import errno
import itertools
import signal
import socket
import struct

from lib import mptcp, net, steer
from lib.env import PORT
from lib.ping import ping
from lib.proxy import Transparent
from lib.stream import MIB, receive, receive_all, transfer
from lib.suite import braid_only, cases, long
from lib.wait import FACTOR, stays, until

VERSIONS = {"ipv4": 4, "ipv6": 6}
BACKENDS = ("nft", "iptables")
SOURCES = ("proxy", "client")
# Each backend and each family, but not every combination: those that the quick tests leave out are in LEFT.
BOTH = {"nft_ipv4": ("nft", 4), "iptables_ipv6": ("iptables", 6)}
ALL = {f"{backend}_{source}_ipv{version}": (backend, source, version)
       for backend, source, version in itertools.product(BACKENDS, SOURCES, (4, 6))}
QUICK = {name: ALL[name] for name in ("nft_proxy_ipv4", "nft_client_ipv6", "iptables_proxy_ipv6", "iptables_client_ipv4")}
LEFT = {name: values for name, values in ALL.items() if name not in QUICK}
SIZE = 16 * MIB
SECOND = {4: "10.99.3.3", 6: "fd99:3::3"}  # another address of the server


def start(env, backend="nft", source="proxy", steer_ports=None, **keys):
    """The steering, and the daemon with one transparent edge."""
    options = ("--ports", steer_ports) if steer_ports else ()
    env.steer("up", "--backend", backend, "--source", source, *options)
    return env.start([Transparent("transit", source=source, **keys)])


def seen_by_the_server(env, version=4, port=PORT, multipath=True, listener_multipath=False):
    """A new connection to the server with something in it, and the address that it has for the server."""
    listener = env.listen(version, port=port, multipath=listener_multipath)
    near = env.open(version, multipath=multipath)
    near.connect((net.SERVER[version], port))
    far = env.accept(listener)
    listener.close()
    near.sendall(b"ping")
    assert receive(far, 4) == b"ping"
    far.sendall(b"pong")
    assert receive(near, 4) == b"pong"
    return near, far, far.getpeername()[0]


def count(env, name):
    """One of the daemon's counters."""
    return env.proxy.counters()[name]


@contextlib.contextmanager
def left_alone(env):
    """What is done inside never reaches the daemon. (The kernel's own multicast on the TUN does.)"""
    before = count(env, "TcpInSegs"), count(env, "IcmpInMsgs")
    yield
    assert (count(env, "TcpInSegs"), count(env, "IcmpInMsgs")) == before and not env.proxy.connections()


def the_kernels(env, version=4, **how):
    """A connection that goes through the kernel, from the client's own address."""
    near, far, address = seen_by_the_server(env, version, **how)
    assert address == net.client_address(1, version), f"the server sees {address}"
    return near, far


def braids(env, version=4, **how):
    """A connection that Braid ends; the edge has source = proxy."""
    near, far, address = seen_by_the_server(env, version, **how)
    assert address == net.braid_address(3, version), f"the server sees {address}"
    assert mptcp.is_mptcp(near) and not mptcp.is_mptcp(far)
    return near, far


@braid_only
@cases(**QUICK)
def test_bulk_over_two_paths_in_the_servers_name(env, backend, source, version):
    """Both subflows end in Braid, both carry, and the server sees who it is told it sees."""
    env.topology.shape(200)
    env.topology.endpoint(2, version=version)
    start(env, backend, source)
    near, far = env.pair(version, subflows=2, to=net.SERVER[version])
    assert near.getpeername()[:2] == (net.SERVER[version], PORT)
    assert {subflow["remote"] for subflow in mptcp.subflows(near)} == {net.SERVER[version]}
    wanted = net.braid_address(3, version) if source == "proxy" else net.client_address(1, version)
    assert far.getpeername()[0] == wanted, f"the server sees {far.getpeername()}"
    transfer(far, near, SIZE, end=False)
    transfer(near, far, SIZE, end=False)
    connection = env.proxy.connection()
    assert connection["mptcp"] and connection["service"] == net.join(net.SERVER[version], PORT)
    for direction in ("bytes_in", "bytes_out"):
        carried = env.proxy.carried(direction)
        assert min(carried.values()) > SIZE // 10 and sum(carried.values()) >= SIZE, f"{direction} of the paths: {carried}"


@braid_only
@long
@cases(**LEFT)
def test_bulk_over_two_paths_in_the_other_combinations(env, backend, source, version):
    test_bulk_over_two_paths_in_the_servers_name(env, backend, source, version)


@braid_only
@cases(**BOTH)
def test_any_address_and_any_port(env, backend, version):
    env.topology.server.ip("address", "add", f"{SECOND[version]}/{24 if version == 4 else 64}", "dev", "eth0",
                           *(["nodad"] if version == 6 else []))
    start(env, backend)
    for address, port in itertools.product((net.SERVER[version], SECOND[version]), (22, 80, PORT, 65535)):
        listener = env.listen(version, port=port, address=address)
        near = env.connect(version, port=port, to=address)
        far = env.accept(listener)
        assert far.getsockname()[:2] == near.getpeername()[:2] == (address, port)
        transfer(near, far, 64 * 1024, end=False)
        transfer(far, near, 64 * 1024)
        assert mptcp.is_mptcp(near)
        listener.close()


@braid_only
@cases(**BOTH)
def test_join_to_a_signalled_address(env, backend, version):
    start(env, backend, signal=[net.SIGNAL[version]])
    near, far = env.pair(version, subflows=2, to=net.SERVER[version])
    assert {subflow["remote"] for subflow in mptcp.subflows(near)} == {net.SERVER[version], net.SIGNAL[version]}
    assert len(env.proxy.connection()["subflows"]) == 2
    transfer(far, near, 4 * MIB, end=False)
    transfer(near, far, 4 * MIB)


@braid_only
@cases(**BOTH)
def test_plain_tcp_udp_and_icmp_are_left_to_the_kernel(env, backend, version):
    start(env, backend)
    with left_alone(env):
        near, far = the_kernels(env, version, multipath=False)
        transfer(near, far, MIB, end=False)
        transfer(far, near, MIB)
        server, client = (env.keep(each.socket(version, kind=socket.SOCK_DGRAM)) for each in (env.server, env.client))
        server.bind((net.SERVER[version], 5353))
        client.sendto(b"question", (net.SERVER[version], 5353))
        server.settimeout(5 * FACTOR)
        question, asker = server.recvfrom(100)
        assert question == b"question" and asker[0] == net.client_address(1, version)
        assert ping(env, version, net.SERVER[version]) == b"ping"


@braid_only
@cases(**BOTH)
def test_ports_outside_the_range_are_left_to_the_kernel(env, backend, version):
    start(env, backend, steer_ports="8000-8100", ports="8000-8100")
    for port in (7999, 8101):
        with left_alone(env):
            near, _ = the_kernels(env, version, port=port, listener_multipath=True)
            assert mptcp.is_mptcp(near)
            near.close()
    for port in (8000, 8100):
        braids(env, version, port=port)


@braid_only
@cases(**BOTH)
def test_what_the_edge_does_not_take_is_passed_back(env, backend, version):
    """The steering brings more ports than the edge wants: those connections are the kernel's, MPTCP end to end."""
    start(env, backend, ports="8000-8100")
    near, far = the_kernels(env, version, port=9000, listener_multipath=True)
    assert mptcp.is_mptcp(near) and mptcp.is_mptcp(far)
    assert count(env, "BraidPassedBack") == 1
    with left_alone(env):
        transfer(near, far, MIB, end=False)
        transfer(far, near, MIB)
    braids(env, version, port=8050)


@braid_only
@cases(**BOTH)
def test_what_is_passed_back_is_masqueraded_as_without_braid(env, backend, version):
    """The kernel decides on that with the first packet that it sees, so Braid makes it forget that one."""
    env.topology.braid.iptables("-t", "nat", "-A", "POSTROUTING", "-o", "server", "-j", "MASQUERADE", version=version)
    start(env, backend, ports="8000-8100")
    near, far, address = seen_by_the_server(env, version, port=9000, listener_multipath=True)
    assert address == net.braid_address(3, version), f"the server sees {address}"
    assert mptcp.is_mptcp(near) and mptcp.is_mptcp(far)
    with left_alone(env):
        transfer(near, far, MIB, end=False)
        transfer(far, near, MIB)


SYN, ACK = 2, 16


def forge(env, near, flags, seq=12345):
    """A segment with MP_CAPABLE, in the name of a connection that is open."""
    (source, sport), (server, port) = near.getsockname(), near.getpeername()
    addresses = socket.inet_aton(source) + socket.inet_aton(server)
    segment = struct.pack("!HHIIBBHHH4B", sport, port, seq, 0, 6 << 4, flags, 65535, 0, 0, 30, 4, 1, 1)
    words = struct.unpack("!18H", addresses + struct.pack("!HH", socket.IPPROTO_TCP, len(segment)) + segment)
    total = sum(words) % 0xffff
    segment = segment[:16] + struct.pack("!H", 0xffff - total) + segment[18:]
    raw = env.keep(env.client.socket(4, socket.IPPROTO_TCP, socket.SOCK_RAW))
    raw.sendto(segment, (server, 0))


@braid_only
@cases(**{f"{backend}_{'masqueraded' if masquerade else 'as_it_is'}_{port}": (backend, masquerade, port)
          for backend in BACKENDS for masquerade in (False, True) for port in (8050, 9000)})
def test_a_forged_syn_does_not_take_an_open_connection_from_the_kernel(env, backend, masquerade, port):
    """Whether the edge would take such a connection or pass it back."""
    if masquerade:
        env.topology.braid.iptables("-t", "nat", "-A", "POSTROUTING", "-o", "server", "-j", "MASQUERADE")
    start(env, backend, ports="8000-8100")
    near, far, _ = seen_by_the_server(env, port=port, multipath=False)
    with left_alone(env):
        forge(env, near, SYN)
        for _ in range(20):
            transfer(near, far, 1000, end=False)
            transfer(far, near, 1000, end=False)


@braid_only
@cases(**{backend: (backend,) for backend in BACKENDS})
def test_a_forged_segment_does_not_make_the_kernel_forget_an_open_connection(env, backend):
    """What is far ahead of the window is invalid for connection tracking, so Braid is asked, and passes it back. The addresses of
    the connection's own packets are translated, which cannot be done twice the same way."""
    env.topology.braid.iptables("-t", "nat", "-A", "POSTROUTING", "-o", "server", "-j", "MASQUERADE", "--random-fully")
    start(env, backend)
    near, far, _ = seen_by_the_server(env, multipath=False)
    for seq in (0, 1 << 31):  # one of the two is, at least
        forge(env, near, ACK, seq)
    until(lambda: count(env, "BraidPassedBack"), "Braid passes a segment back")
    stays(lambda: count(env, "BraidPassedBack"), "what Braid passes back")
    with left_alone(env):
        for _ in range(20):
            transfer(near, far, 1000, end=False)
            transfer(far, near, 1000, end=False)


@braid_only
@cases(**BOTH)
def test_a_syn_that_is_sent_again_is_not_passed_back_again(env, backend, version):
    """The server does not get the first one."""
    env.server.iptables("-A", "INPUT", "-p", "tcp", "--syn", "-m", "limit", "--limit", "1/hour", "--limit-burst", "1",
                        "-j", "DROP", version=version)
    start(env, backend, ports="8000-8100")
    near, _ = the_kernels(env, version, port=9000, listener_multipath=True)
    assert mptcp.is_mptcp(near)
    assert env.client.counters()["TcpRetransSegs"] >= 1
    assert count(env, "BraidPassedBack") == 1


@braid_only
@cases(**{f"{source}_ipv{version}": (source, version) for source in SOURCES for version in (4, 6)})
def test_refused_by_the_server_is_refused_to_the_client(env, source, version):
    start(env, source=source)
    sock = env.open(version)
    try:
        sock.connect((net.SERVER[version], PORT))
        raise AssertionError("connected to a server that does not listen")
    except OSError as error:
        assert error.errno == errno.ECONNREFUSED, error
    env.no_connections()


@braid_only
@cases(**BOTH)
def test_neighbouring_ports_of_one_client_do_not_meet(env, backend, version):
    """Its connections to one server, from ports that are next to one another or differ in one bit; some are plain and left to
    the kernel."""
    start(env, backend, "client", bypass="off")
    listener, kept = env.listen(version), []
    for port in (41001, 8232, 8233, 41000, 41002, 41003, 8235):
        near = env.open(version, multipath=port not in (41001, 41003, 8232, 8235))
        near.bind((net.client_address(1, version), port))
        near.connect((net.SERVER[version], PORT))
        kept.append((near, env.accept(listener)))
    for near, far in kept * 2:
        transfer(near, far, 1000, end=False)
        transfer(far, near, 1000, end=False)
    assert len({far.getpeername() for _, far in kept}) == len(kept)
    assert len(env.proxy.connections()) == 3


@braid_only
@cases(**VERSIONS)
def test_this_machines_own_services_are_its_own(env, version):
    """A connection to an address of the machine that Braid runs on."""
    start(env)
    with left_alone(env):
        listener = env.keep(env.topology.braid.socket(version))
        listener.bind((net.braid_address(1, version), 2222))
        listener.listen()
        near = env.connect(version, port=2222, to=net.braid_address(1, version))
        env.accept(listener).sendall(b"hello")
        assert receive(near, 5) == b"hello"


@braid_only
@cases(**BOTH)
def test_icmp_errors_about_a_steered_connection_reach_braid(env, backend, version):
    """The machine's own kernel says that segments in the server's name are too large for the path."""
    start(env, backend)
    near, far = env.pair(version, to=net.SERVER[version])
    env.topology.braid.ip("link", "set", "path1", "mtu", "1300")
    transfer(far, near, 4 * MIB)


@braid_only
@cases(proxy=("proxy", 4), client=("client", 4))
def test_strict_reverse_path_filter_elsewhere(env, source, version):
    """All devices but the TUN filter strictly, as some distributions have it. New ones, the TUN too, begin so."""
    for device in ("all", "default", "path1", "path2", "server"):
        env.topology.braid.sysctl(**{f"net__ipv4__conf__{device}__rp_filter": 1})
    env.topology.endpoint(2, version=version)
    start(env, source=source)
    near, far = env.pair(version, subflows=2, to=net.SERVER[version])
    transfer(near, far, 4 * MIB, end=False)
    transfer(far, near, 4 * MIB)


@braid_only
@cases(**{f"{name}_{case}": (number, *values) for name, number in (("killed", signal.SIGKILL), ("stopped", signal.SIGTERM))
          for case, values in BOTH.items()})
def test_without_the_daemon_new_connections_are_the_kernels(env, number, backend, version):
    env.client.sysctl(net__mptcp__close_timeout=1)
    start(env, backend)
    near, far = braids(env, version)
    assert env.server.counters()["MPTcpExtMPCapableSYNRX"] == 0, "the server's kernel saw an MPTCP client through Braid"
    end(env, number, near, far)
    kept = the_kernels(env, version, listener_multipath=True)
    assert all(mptcp.is_mptcp(sock) for sock in kept), "not MPTCP from end to end"
    assert env.server.counters()["MPTcpExtMPCapableSYNRX"] == 1
    the_kernels(env, version, port=81)
    the_kernels(env, version, port=82, multipath=False)
    env.start([Transparent("transit")])
    assert "braidd does not run" not in env.steer("status").stdout
    braids(env, version, port=83)
    transfer(*kept, MIB, end=False)
    transfer(*reversed(kept), MIB)
    # Two MiB are at least 32 packets. A few may come of the first connection, whose end the client repeats.
    assert count(env, "BraidPassedBack") < 8, "the connection of the time between was taken away from the kernel"


def end(env, number, near, far):
    """The daemon ends, and its connection with it, for both sides."""
    env.proxy.process.signal(number)
    if number == signal.SIGTERM:
        far.close()
        assert receive_all(near) == b""
        near.close()
    assert env.proxy.process.wait(20) == (0 if number == signal.SIGTERM else -number)
    env.proxy = None
    if number == signal.SIGKILL:
        with contextlib.suppress(ConnectionResetError):
            assert receive_all(far) == b""
        until(lambda: broken(near), "the client's connection ends", 20)


def broken(sock):
    """Whether it fails to send."""
    try:
        sock.send(b"x")
    except OSError:
        return True
    return False


@braid_only
@cases(**VERSIONS)
def test_new_connections_are_the_kernels_while_the_daemon_finishes_the_old(env, version):
    start(env)
    near, far = braids(env, version)
    env.proxy.process.signal(signal.SIGTERM)
    env.proxy.process.wait_for_line("finishing the open connections")
    the_kernels(env, version, port=81, listener_multipath=True)
    transfer(near, far, MIB)
    transfer(far, near, MIB)
    near.close()
    assert env.proxy.process.wait(20) == 0
    env.proxy = None


@braid_only
@cases(nft=("nft", "client"), iptables=("iptables", "client"))
def test_nothing_is_left_after_use(env, backend, source):
    before = steer.snapshot(env.topology.braid)
    start(env, backend, source)
    for version in (4, 6):
        transfer(*env.pair(version, to=net.SERVER[version]), 64 * 1024)
    env.close_sockets()
    env.proxy.stop()
    env.proxy = None
    env.steer("down")
    steer.same(before, steer.snapshot(env.topology.braid))
    the_kernels(env)
