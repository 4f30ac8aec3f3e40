"""braidctl kill: both ends of a connection hear of it within a second, whatever is under way, at an edge and at a CPE."""
import errno
import select
import statistics
import time

from lib import home, net
from lib.env import GREETING, PORT
from lib.proxy import Cpe
from lib.stream import read_error, receive
from lib.suite import braid_only, cases, limit
from lib.wait import FACTOR, until
from test_cpe import converter, converters
from test_cpe import start as start_cpe
from test_steer_tproxy import up as steer_tproxy

KILLS = 5        # of which the median counts: a machine that is busy with something else is no fault of ours
AT_ONCE = 1.0    # seconds
PATIENCE = 60
LOADS = {"idle": "", "full": "both"}


def fill(end):
    """As far as there is room: what is sent waits everywhere, and nobody reads."""
    end.setblocking(False)
    try:
        while True:
            end.send(bytes(65536))
    except BlockingIOError:
        pass


def multi_pairs(env, number):
    """Connections of the home's device to a kernel with MPTCP."""
    listener = env.listen(4, PORT, address=home.MULTI[4], multipath=True, at=env.home.multi)
    return [(env.connect(4, PORT, home.MULTI[4], multipath=False, at=env.home.device), env.accept(listener))
            for _ in range(number)]


def heard_after(daemon, number, ends):
    """Seconds from braidctl's end until both ends know that their connection is none any more."""
    poller, left = select.poll(), {end.fileno() for end in ends}
    for each in left:
        poller.register(each, 0)
    assert daemon.ctl("kill", str(number)) == {"killed": 1}
    begun = time.monotonic()
    while left:
        heard = poller.poll((begun + PATIENCE * FACTOR - time.monotonic()) * 1000)
        assert heard, "an end has not heard of it"
        for each, _ in heard:
            poller.unregister(each)
            left.discard(each)
    took = time.monotonic() - begun
    assert [read_error(end) for end in ends] == [errno.ECONNRESET] * 2
    return took


def kill_some(daemon, pairs, number_of, load):
    """Each of the connections in turn; the others go on meanwhile. load: which directions are full, "up" or "both"."""
    took = []
    for n, (near, far) in enumerate(pairs):
        number = number_of(near)
        for end in {"": (), "up": (near,), "both": (near, far)}[load]:
            fill(end)
        took.append(heard_after(daemon, number, (near, far)))
        for other_near, other_far in pairs[n + 1:]:
            other_near.sendall(GREETING)
            assert receive(other_far, len(GREETING)) == GREETING
    assert statistics.median(took) <= AT_ONCE * FACTOR, took


def number_at(daemon, near, side):
    client = net.join(*near.getsockname()[:2])
    found, = until(lambda: [c["id"] for c in daemon.connections() if c["client"] == client and c["side"] == side],
                   "the connection is listed", PATIENCE)
    return found


@braid_only
@limit(240)
@cases(**{f"{name}_{client}": (load, client) for name, load in LOADS.items() for client in ("mptcp", "tcp")})
def test_at_an_edge(env, load, client):
    """By a client that is a kernel, over two paths if it speaks MPTCP."""
    if client == "mptcp":
        env.topology.endpoint(2)
    env.start(workers=2)
    pairs = [env.pair(subflows=2 if client == "mptcp" else 1, multipath=client == "mptcp") for _ in range(KILLS)]
    kill_some(env.proxy, pairs, lambda near: number_at(env.proxy, near, None), load)
    env.no_connections()
    assert sum(edge["killed"] for edge in env.proxy.ctl("status")["edges"]) == KILLS


@braid_only
@limit(240)
@cases(**{f"{name}_{side}": (load, side) for name, load in LOADS.items() for side in ("lan", "wan")})
def test_at_a_cpe(env, load, side):
    """Whichever of its two connections is named; the server is a kernel with MPTCP."""
    router = start_cpe(env, workers=2)
    kill_some(router, multi_pairs(env, KILLS), lambda near: number_at(router, near, side), load)
    until(lambda: not router.connections(), "the router has no connection left", PATIENCE)
    assert router.ctl("status")["cpes"][0]["killed"] == KILLS


@braid_only
@limit(240)
@cases(**LOADS)
def test_at_a_cpe_that_has_the_devices_sockets(env, load):
    router = env.daemon(env.home.cpe, [Cpe(intercept="tproxy")])
    steer_tproxy(env, "nft")
    kill_some(router, multi_pairs(env, KILLS), lambda near: number_at(router, near, "wan"), load)
    until(lambda: not router.connections(), "the router has no connection left", PATIENCE)


@braid_only
@limit(240)
@cases(router=False, converter=True)
def test_between_a_cpe_and_a_converter(env, at_converter):
    """At either of the two daemons: the other one passes it on, behind what the server has sent, of which nothing waits."""
    edge = env.daemon(env.home.edge, [converter(env)], workers=1)
    router = start_cpe(env, mode="convert", peer=converters())
    pairs = [env.home_pair() for _ in range(KILLS)]
    if not at_converter:
        kill_some(router, pairs, lambda near: number_at(router, near, "wan"), "up")
        return

    def number_of(near):
        """The converter knows the uplinks' addresses only: its connections are as old as the devices'."""
        at = [pair[0] for pair in pairs].index(near)
        listed = sorted(c["id"] for c in edge.connections())
        assert len(listed) == KILLS - at, listed
        return listed[0]
    kill_some(edge, pairs, number_of, "up")
