"""ICMP errors about packets whose addresses are not this machine's: of the sockets that speak to the server in the client's
name, and of the subflows that speak to the client in the server's."""
import errno
import time

from lib import net
from lib.proxy import PORT, Transparent
from lib.stream import MIB, transfer
from lib.suite import braid_only, cases
from lib.wait import FACTOR

BACKENDS = ("nft", "iptables")
EACH = {f"{backend}_ipv{version}": (backend, version) for backend in BACKENDS for version in (4, 6)}
DEAD = {4: "10.99.3.99", 6: "fd99:3::99"}
PATIENCE = 10  # seconds that Braid waits for a silent server


def start(env, backend, source="client"):
    """The server is asked by an MPTCP socket with one backend, with the other by a TCP socket."""
    env.steer("up", "--backend", backend, "--source", source)
    env.start([Transparent("transit", source=source, **({"bypass": "off"} if backend == "iptables" else {}))])


def time_to_fail(env, version):
    """How long it takes until a connection to a server that is not there fails. Between namespaces the error can be back
    before the daemon's connect() is; the kernel then waits for the one about the next SYN, and by that time the client has
    been answered, so that it is reset instead."""
    sock = env.open(version)
    begun = time.monotonic()
    try:
        sock.connect((DEAD[version], PORT))
        sock.recv(1)
        raise AssertionError("connected to nobody")
    except OSError as error:
        assert error.errno in (errno.EHOSTUNREACH, errno.ECONNRESET), error
    return time.monotonic() - begun


@braid_only
@cases(**EACH)
def test_a_small_link_before_the_server(env, backend, version):
    """An upload whose segments are too large for a link behind a router."""
    env.topology.router_before_server(mtu=1400)
    start(env, backend)
    near, far = env.pair(version, to=net.SERVER[version])
    assert far.getpeername()[0] == net.client_address(1, version)
    transfer(near, far, MIB, end=False)


@braid_only
@cases(**EACH)
def test_a_small_link_before_the_client(env, backend, version):
    """A download in the server's name."""
    env.topology.router_before_client(mtu=1400)
    start(env, backend, "proxy")
    near, far = env.pair(version, to=net.SERVER[version])
    transfer(far, near, MIB, end=False)


@braid_only
@cases(**EACH)
def test_a_router_that_knows_no_way_to_the_server(env, backend, version):
    router = env.topology.router_before_server()
    router.ip(f"-{version}", "route", "add", "unreachable", DEAD[version])
    start(env, backend)
    took = time_to_fail(env, version)
    assert took < PATIENCE / 2 * FACTOR, f"{took:.1f} s"


@braid_only
@cases(**EACH)
def test_a_server_in_the_proxys_own_network_that_is_not_there(env, backend, version):
    """Then it is the proxy's own kernel that says so."""
    start(env, backend)
    env.topology.braid.sysctl(**{f"net__ipv{version}__neigh__server__retrans_time_ms": 100})
    took = time_to_fail(env, version)
    assert took < PATIENCE / 2 * FACTOR, f"{took:.1f} s"
