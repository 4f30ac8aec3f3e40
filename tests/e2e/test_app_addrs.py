"""The application interface (RFC 6897 section 5.3.3): addresses and ports that programs name for their connections, and what
servers say of those that they accept."""
import errno

from lib import home, mptcp
from lib.env import GREETING
from lib.program import Program
from lib.proxy import PORT, Cpe
from lib.stream import receive
from lib.suite import braid_only, cases
from lib.wait import until

VERSIONS = {"ipv4": 4, "ipv6": 6}


def start(env, **keys):
    router = env.daemon(env.home.cpe, [Cpe(**keys)])
    env.steer("up", "--local", at=env.home.cpe)
    return router


def connect(env, child, version=4, before=(), port=PORT):
    """Opens socket `s` of the program, does what is to be done before, and connects it; the server's end."""
    address = env.home.where(env.home.multi)[version]
    listener = env.listen(version, port, address=address, at=env.home.multi, multipath=True)
    child(f"kept('s', opened({version}))")
    for expression in before:
        child(expression)
    child(f"s.connect(('{address}', {port}))")
    return env.accept(listener)


def greet(child, far):
    """Data both ways: subflows are opened when some has been acknowledged."""
    child(f"s.sendall({GREETING!r})")
    assert receive(far, len(GREETING)) == GREETING
    far.sendall(GREETING)
    assert child(f"received(s, {len(GREETING)})") == GREETING.decode()


def uplink_addresses(env, *numbers, version=4):
    return [env.home.uplinks[n].address(version) for n in numbers]


def local_ends(child):
    return sorted(tuple(local) for local, _ in child("subflows(s)"))


@braid_only
@cases(**VERSIONS)
def test_ports_that_are_named_are_those_on_the_wire(env, version):
    """Of the first subflow and of those that follow; all different, or the same."""
    router = start(env)
    zero, one, two = uplink_addresses(env, 0, 1, 2, version=version)
    with Program(env.home.cpe, router) as child:
        far = connect(env, child, version, before=[f"add(s, ('{zero}', 50100), ('{one}', 50101))"])
        greet(child, far)
        until(lambda: local_ends(child) == [(zero, 50100), (one, 50101)], "both have the ports that were named")
        child(f"add(s, ('{two}', 50100))")
        wanted = [(zero, 50100), (one, 50101), (two, 50100)]
        until(lambda: local_ends(child) == wanted, "so has one that was added later")
        assert sorted((s["remote"], s["remote_port"]) for s in mptcp.subflows(far)) == wanted


@braid_only
def test_a_port_that_cannot_be_had_is_said_where_it_is_known(env):
    router = start(env)
    zero, one = uplink_addresses(env, 0, 1)
    with Program(env.home.cpe, router) as child:
        child("kept('s', opened())")
        assert child.refused(f"add(s, ('{zero}', 49151))") == errno.EADDRNOTAVAIL  # below local_ports
        far = connect(env, child, before=[f"add(s, ('{zero}', 50200))"])
        greet(child, far)
        assert local_ends(child) == [(zero, 50200)]
        # another connection to the same server from the same port, and one that takes another
        child("kept('first', s), kept('s', opened())")
        child(f"add(s, ('{zero}', 50200))")
        assert child.refused(f"s.connect(('{home.MULTI[4]}', {PORT}))") == errno.EADDRINUSE
        child(f"add(s, ('{zero}', 50201), ('{one}', 50200))")
        far.close()
        again = connect(env, child, port=PORT + 1, before=[f"add(s, ('{zero}', 50200))"])  # another server, as far as TCP goes
        greet(child, again)
        assert local_ends(child) == [(zero, 50200)]
