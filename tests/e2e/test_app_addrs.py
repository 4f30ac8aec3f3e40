"""The application interface (RFC 6897 section 5.3.3): addresses and ports that programs name for their connections, and what
servers say of those that they accept."""
import contextlib
import errno

from lib import home, mptcp, net
from lib.carried import connect, greet, refuses, start, uplink_addresses
from lib.env import GREETING, Edge
from lib.program import Program
from lib.proxy import PORT
from lib.stream import receive
from lib.suite import braid_only, cases
from lib.wait import until

VERSIONS = {"ipv4": 4, "ipv6": 6}


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


SERVERS = {"ipv4": (4, "127.0.0.1"), "ipv6": (6, "::1")}


@contextlib.contextmanager
def server(env, version, address, **keys):
    """A program that listens as `l` behind an edge of its machine's daemon, and may announce one more address."""
    env.topology.endpoint(2, version=version)
    env.start([Edge("web", version, target=net.join(address, 9000), signal=[net.SIGNAL[version]], **keys)])
    with Program(env.topology.braid, env.proxy) as child:
        child(f"kept('l', socket.create_server(('{address}', 9000), family=opened({version}).family))")
        yield child


def accept(child, near):
    child("kept('s', l.accept()[0])")
    near.sendall(GREETING)
    child(f"s.sendall(received(s, {len(GREETING)}).encode())")
    assert receive(near, len(GREETING)) == GREETING


def at(near):
    """The server's addresses that the client has subflows to."""
    return {subflow["remote"] for subflow in mptcp.established(near)}


@braid_only
@cases(**SERVERS)
def test_a_server_says_at_which_addresses_its_client_may_join(env, version, address):
    service, other = net.SERVICE[version], net.SIGNAL[version]
    port = 8443 if version == 4 else 0
    with server(env, version, address, path_manager="passive") as child:
        near = env.connect(version)
        accept(child, near)
        assert at(near) == {service}
        assert child.refused(f"add(s, '{address}')") == errno.EADDRNOTAVAIL  # nobody could be told to come there
        child(f"add(s, ('{other}', {port}))")
        until(lambda: at(near) == {service, other}, "the client has heard of the other address")
        assert [other, port or PORT] in child("[local for local, _ in subflows(s)]")
        child(f"remove(s, '{service}')")
        until(lambda: at(near) == {other}, "the first one is left")
        until(lambda: env.client.counters()["MPTcpExtRmAddr"] >= 1, "the client has heard of that, too")
        near.sendall(GREETING)
        assert child(f"received(s, {len(GREETING)})") == GREETING.decode()


@braid_only
@cases(**SERVERS)
def test_a_client_hears_of_a_removal_when_it_has_another_address(env, version, address):
    """And not before: it may leave the first one then."""
    service, other = net.SERVICE[version], net.SIGNAL[version]
    with server(env, version, address, path_manager="passive") as child:
        near = env.connect(version)
        accept(child, near)
        child(f"remove(s, '{service}')")
        near.sendall(GREETING)
        assert child(f"received(s, {len(GREETING)})") == GREETING.decode()
        assert at(near) == {service} and env.client.counters()["MPTcpExtRmAddr"] == 0
        child(f"add(s, '{other}')")
        until(lambda: at(near) == {other}, "the client has moved")
        until(lambda: env.client.counters()["MPTcpExtRmAddr"] >= 1, "the client has heard of the removal")
        near.sendall(GREETING)
        assert child(f"received(s, {len(GREETING)})") == GREETING.decode()


def speaks_mptcp(env, child, version):
    """Whether a new client of the server gets MPTCP."""
    near = env.connect(version)
    accept(child, near)
    said = child("enable(s)")
    assert said == mptcp.is_mptcp(near)
    near.close()
    return said == 1


@braid_only
@cases(**SERVERS)
def test_a_server_that_listens_without_mptcp_has_clients_without(env, version, address):
    """Said before listen or later; and its word goes with its socket."""
    with server(env, version, address) as child:
        assert speaks_mptcp(env, child, version)
        child("enable(l, 0)")
        assert not speaks_mptcp(env, child, version)
        assert env.client.counters()["MPTcpExtMPCapableFallbackSYNACK"] == 1  # there was no MP_CAPABLE in the SYN/ACK
        child("enable(l, 1)")
        assert speaks_mptcp(env, child, version)
        anywhere = "0.0.0.0" if version == 4 else "::"
        for expression in ("l.close()", f"kept('l', opened({version}))", "l.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)",
                           f"l.bind(('{anywhere}', 9000))", "enable(l, 0)", "l.listen()"):
            child(expression)
        assert not speaks_mptcp(env, child, version)
        child("l.close()")
        child(f"kept('l', socket.create_server(('{address}', 9000), family=opened({version}).family))")
        until(lambda: speaks_mptcp(env, child, version), "what the one before has said is forgotten")


@braid_only
@cases(**SERVERS)
def test_a_server_that_listens_names_the_addresses_of_its_clients(env, version, address):
    service, other = net.SERVICE[version], net.SIGNAL[version]
    with server(env, version, address) as child:
        assert child.refused(f"add(l, '{address}')") == errno.EADDRNOTAVAIL
        assert child.refused("profile(l, 'none-such')") == errno.EINVAL
        child(f"remove(l, '{other}')")
        near = env.connect(version)
        accept(child, near)
        until(lambda: len(mptcp.established(near)) == 2, "the client's second path")
        assert at(near) == {service}  # the edge would announce the other
        child(f"add(l, '{other}'), profile(l, 'interactive')")
        near = env.connect(version)
        accept(child, near)
        until(lambda: at(near) == {service, other}, "the client has heard of the other address")
        assert child("profile(s)") == "interactive"


@braid_only
def test_nobody_else_speaks_for_who_listens(env):
    with server(env, 4, "127.0.0.1") as child:
        for expression in ("kept('b', opened())", "b.bind(('127.0.0.1', 0))"):
            child(expression)
        assert child("enable(b, 0)") is None  # a wish, until it listens
        assert child.refused("of_subflow(l, CLOSE, 1)") == errno.EOPNOTSUPP
        # another user: nothing but the descriptor counts, which only the owner gives away; each has so many
        for i in range(128):
            child(f"kept('many{i}', socket.create_server(('127.0.0.1', 0))), enable(many{i}, 0)")
        assert child.refused("enable(l, 0)") == errno.ENOBUFS
        child("many7.close()")
        until(lambda: not refuses(child, "enable(l, 0)", errno.ENOBUFS), "the one that is gone has made room")
        assert not speaks_mptcp(env, child, 4)
