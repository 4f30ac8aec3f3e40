"""Servers that speak MPTCP themselves are found by the first connection and left to their clients from then on."""
import socket

from lib import mptcp, net
from lib.stream import MIB, receive, transfer
from lib.suite import braid_only, cases
from lib.wait import until

PORT = 8443
QUESTION, ANSWER = b"who are you to me?", b"the server itself"
FAMILIES = {"v4": 4, "v6": 6}
SOURCES = {"proxy": "proxy", "client": "client"}


class Transit:
    """A transparent edge."""

    def __init__(self, **keys):
        self.keys = keys

    def section(self):
        return "\n".join(["[edge transit]", "mode = transparent", *(f"{key} = {value}" for key, value in self.keys.items()),
                          ""])


def begin(env, source="proxy", workers=0, **keys):
    env.start([Transit(source=source, **keys)], workers=workers)
    env.steer("up", "--source", source)


def listen(env, version=4, multipath=True):
    listener = env.keep(env.server.socket(version, mptcp.IPPROTO_MPTCP if multipath else 0))
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((net.SERVER[version], PORT))
    listener.listen(64)
    listener.settimeout(20)
    return listener


def visit(env, listener, version=4):
    """A connection that has carried something both ways: the client's end, and the server's."""
    near = env.open(version)
    near.connect((net.SERVER[version], PORT))
    far = env.accept(listener)
    near.sendall(QUESTION)
    assert receive(far, len(QUESTION)) == QUESTION
    far.sendall(ANSWER)
    assert receive(near, len(ANSWER)) == ANSWER
    return near, far


def is_direct(near, far):
    """Nobody is in between: with a proxy, the server sees another port at least."""
    return far.getpeername()[:2] == near.getsockname()[:2]


def bypassed(env):
    return env.proxy.ctl("bypass")["bypass"]


@braid_only
@cases(**{f"{family}_{name}": (version, source) for family, version in FAMILIES.items()
          for name, source in SOURCES.items()})
def test_the_first_connection_is_relayed_and_later_ones_are_the_servers_own(env, version, source):
    begin(env, source)
    listener = listen(env, version)
    first = visit(env, listener, version)
    assert not is_direct(*first)
    assert (first[1].getpeername()[0] == net.client_address(1, version)) == (source == "client")
    entry, = bypassed(env)
    assert entry["server"] == net.join(net.SERVER[version], PORT) and entry["edge"] == "transit"
    assert 500 < entry["left_s"] <= 600 and entry["passed"] == 0
    for number in range(1, 4):
        near, far = visit(env, listener, version)
        assert is_direct(near, far) and mptcp.is_mptcp(near) and mptcp.is_mptcp(far)
        entry, = bypassed(env)
        assert entry["passed"] == number, entry
    assert len(env.proxy.connections()) == 1
    assert env.proxy.ctl("status")["edges"][0]["bypassed"] == 3
    first[0].sendall(QUESTION)
    assert receive(first[1], len(QUESTION)) == QUESTION


@braid_only
def test_joins_of_a_bypassed_connection_reach_the_server(env):
    env.server.ip("mptcp", "limits", "set", "subflows", "4")
    env.topology.endpoint(2)
    begin(env)
    listener = listen(env)
    visit(env, listener)
    near, far = visit(env, listener)
    assert is_direct(near, far)
    until(lambda: len(mptcp.established(near)) == 2, "the client has two subflows")
    until(lambda: len(mptcp.established(far)) == 2, "the server has two subflows")
    assert len(env.proxy.connections()) == 1


@braid_only
def test_every_worker_knows(env):
    begin(env, workers=4)
    listener = listen(env)
    visit(env, listener)
    until(lambda: is_direct(*visit(env, listener)), "a connection goes past Braid")
    direct = [is_direct(*visit(env, listener)) for _ in range(24)]
    assert all(direct), direct
    entry, = bypassed(env)
    assert entry["passed"] >= 25, entry


@braid_only
def test_nothing_is_bypassed_if_it_is_off(env):
    begin(env, bypass="off")
    listener = listen(env)
    for _ in range(3):
        near, far = visit(env, listener)
        assert not is_direct(near, far) and mptcp.is_mptcp(near) and not mptcp.is_mptcp(far)
    assert not bypassed(env)
    assert len(env.proxy.connections()) == 3


@braid_only
def test_a_plain_server_is_not_bypassed(env):
    begin(env)
    listener = listen(env, multipath=False)
    for _ in range(3):
        near, far = visit(env, listener)
        assert not is_direct(near, far) and mptcp.is_mptcp(near)
    assert not bypassed(env)
    assert len(env.proxy.connections()) == 3


@braid_only
def test_without_mptcp_in_the_kernel_everything_is_relayed(env):
    env.topology.braid.sysctl(net__mptcp__enabled=0)
    begin(env, "client")
    listener = listen(env)
    for _ in range(3):
        near, far = visit(env, listener)
        assert not is_direct(near, far) and mptcp.is_mptcp(near) and not mptcp.is_mptcp(far)
        assert far.getpeername()[0] == net.client_address(1)
    assert not bypassed(env)
    said = [line for line in env.proxy.process.lines if "no MPTCP" in line]
    assert len(said) == 1, said


@braid_only
def test_the_time_ends(env):
    begin(env, bypass=1)
    listener = listen(env)
    visit(env, listener)
    until(lambda: not bypassed(env), "the server is forgotten")
    assert not is_direct(*visit(env, listener))


@braid_only
def test_the_operator_can_let_it_be_forgotten(env):
    begin(env)
    listener = listen(env)
    visit(env, listener)
    assert is_direct(*visit(env, listener))
    document = env.proxy.ctl("bypass", "clear")
    assert document["count"] == 1 and document["cleared"]
    assert not bypassed(env)
    assert not is_direct(*visit(env, listener))
    assert is_direct(*visit(env, listener))


@braid_only
@cases(mptcp=(True,), fallen_back=(False,))
def test_the_probing_connection_carries_a_whole_stream_both_ways(env, multipath):
    begin(env)
    near, far = visit(env, listen(env, multipath=multipath))
    assert mptcp.is_mptcp(far) == multipath
    transfer(near, far, 16 * MIB)
    transfer(far, near, 16 * MIB)
    env.no_connections()
