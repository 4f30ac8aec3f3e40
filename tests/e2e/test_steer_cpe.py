"""braid-steer and a CPE's daemon together: what is carried, what is passed back, and what others do to the packet filter and to
the daemon meanwhile."""
import errno
import time

from lib import conntrack, home, steer
from lib.env import PORT
from lib.proxy import Cpe
from lib.stream import MIB, read_error, transfer
from lib.suite import braid_only, cases
from lib.wait import FACTOR, until

BOTH = {"nft_ipv4": ("nft", 4), "iptables_ipv6": ("iptables", 6)}
BACKENDS = {"nft": "nft", "iptables": "iptables"}


def start(env, **keys):
    return env.daemon(env.home.cpe, [Cpe(**keys)])


def up(env, backend, *options):
    env.steer("up", "--backend", backend, "--lan", "lan", *options, at=env.home.cpe)


def lan_side(router):
    return [c for c in router.connections() if c["side"] == "lan"]


def counter(router, name):
    return router.ctl("status")["cpes"][0][name]


def both_ways(near, far):
    transfer(near, far, MIB, end=False)
    transfer(far, near, MIB, end=False)


@braid_only
@cases(**BOTH)
def test_the_lan_and_this_machine_are_carried(env, backend, version):
    router = start(env)
    up(env, backend, "--local")
    for at, source in ((env.home.device, home.DEVICE), (env.home.cpe, {4: "10.200.0.254", 6: "fd00:200::fe"})):
        near, far = env.home_pair(version, env.home.multi, at=at)
        both_ways(near, far)
        assert source[version] in lan_side(router)[-1]["client"]
        near.close()
        far.close()
        until(lambda: not router.connections(), "the connection has ended")
    assert counter(router, "accepted") == 2
    near, far = env.home_pair(version, at=env.home.device, server=env.home.plain)
    assert far.getpeername()[0] in [uplink.address(version) for uplink in env.home.uplinks]


@braid_only
@cases(**BACKENDS)
def test_what_the_cpe_does_not_want_is_the_kernels(env, backend):
    """Although it was steered there: it is passed back. In the middle of a connection that the kernel has it changes nothing
    when connection tracking forgets everything. The router's own rules masquerade the LAN, and nothing else."""
    env.home.cpe.run("nft", "-f", "-", stdin="flush ruleset\ntable inet home {\nchain post {\ntype nat hook postrouting "
                     "priority srcnat;\nip saddr 192.168.77.0/24 oifname \"wan*\" masquerade\n"
                     "ip6 saddr fd77::/64 oifname \"wan*\" masquerade\n}\n}\n")
    router = start(env, **{"except": "198.18.2.0/24, 2001:db8:18:2::/64"})
    up(env, backend, "--local")
    for version in (4, 6):
        for at in (env.home.device, env.home.cpe):
            near, far = env.home_pair(version, at=at)
            both_ways(near, far)
            conntrack.flush(env.home.cpe)
            near.sendall(b"first")
            assert far.recv(5) == b"first"
            both_ways(near, far)
    assert counter(router, "passed") >= 4 and not router.connections()


@braid_only
@cases(**BOTH)
def test_connections_go_on_when_connection_tracking_forgets(env, backend, version):
    """Whoever speaks first then: one that is carried, one that the kernel had before, one of a device with MPTCP."""
    env.home.device.sysctl(net__mptcp__enabled=1)
    old = env.home_pair(version)
    router = start(env)
    up(env, backend, "--local")
    carried = [env.home_pair(version, env.home.multi, at=at) for at in (env.home.device, env.home.cpe)]
    assert len(lan_side(router)) == 2
    own = env.home_pair(version, multipath=True, port=PORT + 1)
    assert len(lan_side(router)) == 2
    for near, far in carried + carried:
        conntrack.flush(env.home.cpe)
        far.sendall(b"hello")
        assert near.recv(5) == b"hello"
        both_ways(near, far)
    # What is masqueraded is lost if the server speaks first, with or without Braid.
    for near, far in (*carried, old, own):
        conntrack.flush(env.home.cpe)
        near.sendall(b"hello")
        assert far.recv(5) == b"hello"
        both_ways(near, far)
    assert len(lan_side(router)) == 2


@braid_only
@cases(**BACKENDS)
def test_connections_go_on_when_a_firewall_is_loaded_anew(env, backend):
    router = start(env)
    up(env, backend, "--local")
    pairs = [env.home_pair(version, env.home.multi, at=at) for version in (4, 6) for at in (env.home.device, env.home.cpe)]
    for pair in pairs:
        both_ways(*pair)
    for _ in range(2):
        until(lambda: not any(c["send_queued"] or any(s["in_flight"] for s in c["subflows"]) for c in router.connections()),
              "all is acknowledged")
        env.home.cpe.run("nft", "flush", "ruleset")
        env.home.cpe.run("nft", "-f", "-", stdin=home.MASQUERADE)
        until(lambda: env.home.cpe.run(steer.SCRIPT, "status", "--state", env.steer_state, check=False).returncode == 0,
              "the steering is there again")
        for pair in pairs:
            both_ways(*pair)


@braid_only
@cases(**BOTH)
def test_the_daemon_is_killed_and_comes_back(env, backend, version):
    """New connections are made within a second, and stay the kernel's; the device hears at once of those that Braid had."""
    router = start(env)
    up(env, backend, "--local")
    near, far = env.home_pair(version, env.home.multi)
    both_ways(near, far)
    env.daemons.clear()
    router.process.kill()
    gone = time.monotonic()
    kernels = env.home_pair(version), env.home_pair(version, at=env.home.cpe)
    assert time.monotonic() - gone < 1 * FACTOR
    near.sendall(b"anybody there?")
    assert read_error(near) == errno.ECONNRESET
    router = start(env)
    until(lambda: env.home_pair(version, env.home.multi) and lan_side(router), "new connections are carried again")
    before = len(lan_side(router))
    for pair in kernels:
        both_ways(*pair)
    assert len(lan_side(router)) == before
