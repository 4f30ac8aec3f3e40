"""Networks that split packets. Between the client and the proxy stands a router; what it sends to the proxy, or to the
client, is cut into fragments unless it fits."""
from lib import net
from lib.env import PORT
from lib.proxy import Transparent
from lib.stream import MIB, transfer
from lib.suite import braid_only, cases
from lib.wait import until

BACKENDS = {"nft": "nft", "iptables": "iptables"}
MTU = 1400


def small_link(router):
    """To the proxy. A device with a small MTU would not receive large packets either, a route concerns one direction."""
    router.ip("route", "change", "default", "via", net.braid_address(net.LINK), "dev", "near", "mtu", str(MTU))


def access_router(env):
    """Its link to the proxy is small, and the client does not forbid it to fragment."""
    router = env.topology.router_before_client()
    small_link(router)
    env.client.sysctl(net__ipv4__ip_no_pmtu_disc=1)
    return router


def created(router):
    return router.counters()["IpFragCreates"]


@cases(mptcp=True, plain_tcp=False)
def test_an_upload_in_fragments(env, multipath):
    router = access_router(env)
    env.start()
    near, far = env.pair(multipath=multipath)
    transfer(near, far, 4 * MIB, end=False)
    transfer(far, near, MIB)
    assert created(router) > 100, "the router made no fragments"


@braid_only
def test_fragments_that_are_lost_cost_their_packets(env):
    router = access_router(env)
    env.start()
    near, far = env.pair()
    env.topology.braid.iptables("-t", "raw", "-A", "PREROUTING", "-i", "path1", "-f", "-m", "statistic", "--mode", "nth",
                                "--every", "100", "--packet", "0", "-j", "DROP")
    transfer(near, far, 2 * MIB, end=False)
    assert created(router) > 100, "the router made no fragments"
    until(lambda: env.proxy.counters()["IpReasmFails"] > 0, "what is incomplete was given up")
    transfer(far, near, MIB)


@cases(mptcp=True, plain_tcp=False)
def test_a_download_through_a_network_that_clears_df(env, multipath):
    """Fragments of different packets must not be taken for those of one, though every hundredth is lost. The proxy's
    packets are numbered by it and, where the kernel cuts them, by the kernel."""
    router = env.topology.router_before_client(mtu=MTU)
    router.run("nft", "-f", "-", stdin='table ip clear {\n chain df {\n  type filter hook prerouting priority -300\n'
                                       '  iifname "near" ip protocol tcp ip frag-off set 0\n }\n}\n')
    env.topology.braid.ip("link", "set", "dev", "path1", "gso_max_segs", "1")
    env.start()
    near, far = env.pair(multipath=multipath)
    env.client.iptables("-t", "raw", "-A", "PREROUTING", "-i", "up1", "-m", "statistic", "--mode", "nth", "--every", "100",
                        "--packet", "0", "-j", "DROP")
    transfer(far, near, 4 * MIB, end=False)
    counters = env.client.counters()
    assert counters["IpReasmOKs"] > 1000, "nothing was put together"
    assert counters["TcpInCsumErrors"] == 0, "fragments of different packets were mixed up"


@braid_only
@cases(**BACKENDS)
def test_transparent_mode(env, backend):
    """Connection tracking puts packets together before they are steered, and they come in fragments all the same. Those
    of a connection that is passed back are the kernel's, and none is lost."""
    router = access_router(env)
    env.steer("up", "--backend", backend)
    env.start([Transparent("transit", ports=f"{PORT}")])
    near, far = env.pair(to=net.SERVER[4])
    transfer(near, far, MIB, end=False)
    transfer(far, near, MIB)
    assert env.proxy.counters()["IpReasmOKs"] > 100
    listener = env.listen(port=9000, multipath=True)
    near = env.connect(port=9000, to=net.SERVER[4])
    far = env.accept(listener)
    before = created(router)
    transfer(near, far, MIB, end=False)
    transfer(far, near, MIB)
    assert created(router) > before + 100


@braid_only
@cases(**BACKENDS)
def test_a_servers_answers_to_the_clients_address(env, backend):
    """A router before the server splits what it sends to a socket that has the client's address."""
    router = env.topology.router_before_server()
    small_link(router)
    env.server.sysctl(net__ipv4__ip_no_pmtu_disc=1)
    env.steer("up", "--backend", backend, "--source", "client")
    env.start([Transparent("transit", source="client", bypass="off")])
    near, far = env.pair(to=net.SERVER[4])
    assert far.getpeername()[0] == net.client_address(1)
    transfer(far, near, MIB, end=False)
    transfer(near, far, MIB)
    assert created(router) > 100, "the router made no fragments"
