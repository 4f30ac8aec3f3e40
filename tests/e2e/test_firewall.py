"""What the operator forbids is not reached through a transparent edge: by the edge's own list of servers, and by a firewall
that is written as braid-steer(8) shows."""
import errno

from lib import mptcp, net
from lib.env import PORT
from lib.proxy import Transparent
from lib.stream import MIB, transfer
from lib.suite import braid_only, cases

VERSIONS = {"ipv4": 4, "ipv6": 6}
BOTH = {"nft_ipv4": ("nft", 4), "iptables_ipv6": ("iptables", 6)}
FORBIDDEN = 2222
NFT = f"""
table inet filter {{
    chain forward {{
        type filter hook forward priority filter; policy drop;
        ct state established,related accept
        iifname "braid0" accept
        iifname "path1" fib daddr oifname "server" tcp dport {PORT} accept
        iifname "path1" fib daddr oifname "server" tcp dport 9000 accept
    }}
}}
"""


def iptables_firewall(env, version):
    network = "10.99.3.0/24" if version == 4 else "fd99:3::/64"
    for rule in (("-m", "conntrack", "--ctstate", "ESTABLISHED,RELATED"), ("-i", "braid0"),
                 ("-i", "path1", "-d", network, "-p", "tcp", "--dport", str(PORT)),
                 ("-i", "path1", "-d", network, "-p", "tcp", "--dport", "9000")):
        env.topology.braid.iptables("-A", "FORWARD", *rule, "-j", "ACCEPT", version=version)
    env.topology.braid.iptables("-P", "FORWARD", "DROP", version=version)


def fails(env, version, port, multipath):
    """The error of a connection that is not to come about."""
    sock = env.open(version, multipath=multipath)
    sock.settimeout(2)
    try:
        sock.connect((net.SERVER[version], port))
    except OSError as error:
        return error
    raise AssertionError(f"connected to port {port}")


@braid_only
@cases(**BOTH)
def test_what_forward_forbids_is_not_reached_through_braid(env, backend, version):
    """By plain TCP, through Braid, and where Braid passes back; what is allowed works in all three ways."""
    env.steer("up", "--backend", backend)
    env.start([Transparent("transit", ports="1-8999")])
    if backend == "nft":
        env.topology.braid.run("nft", "-f", "-", stdin=NFT)
    else:
        iptables_firewall(env, version)
    for port in (FORBIDDEN, 9001):
        env.listen(version, port=port)
        for multipath in (False, True):
            fails(env, version, port, multipath)
    assert not env.proxy.connections() and env.proxy.counters()["BraidPassedBack"] == 0
    for port, multipath in ((PORT, False), (PORT, True), (9000, True)):
        listener = env.listen(version, port=port)
        near = env.connect(version, port=port, multipath=multipath, to=net.SERVER[version])
        far = env.accept(listener)
        transfer(near, far, MIB, end=False)
        transfer(far, near, MIB)
        assert mptcp.is_mptcp(near) == (multipath and port == PORT)
        listener.close()


@braid_only
@cases(**VERSIONS)
def test_a_server_that_targets_forbids_is_unreachable(env, version):
    env.steer("up")
    env.start([Transparent("transit", targets=f"!{net.SERVER[version]}")])
    env.listen(version)
    error = fails(env, version, PORT, multipath=True)
    assert error.errno == errno.EHOSTUNREACH, error
    other = 10 - version
    transfer(*env.pair(other, to=net.SERVER[other]), MIB)
