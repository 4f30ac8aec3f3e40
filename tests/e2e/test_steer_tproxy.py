"""Interception by TPROXY: braid-steer --tproxy hands connections of the LAN, and of this machine, to sockets of the daemon's."""
import errno
import signal
import socket
import struct
import time

from lib import conntrack, home, net, steer
from lib.env import PORT
from lib.proxy import CONVERT_PORT, Cpe, Section
from lib.stream import MIB, read_error, transfer
from lib.suite import braid_only, cases
from lib.wait import FACTOR, until

BOTH = {"nft_ipv4": ("nft", 4), "nft_ipv6": ("nft", 6), "iptables_ipv4": ("iptables", 4), "iptables_ipv6": ("iptables", 6)}


def start(env, **keys):
    return env.daemon(env.home.cpe, [Cpe(intercept="tproxy", **keys)])


def up(env, backend, *options):
    env.steer("up", "--backend", backend, "--lan", "lan", "--local", "--tproxy", "8684", *options, at=env.home.cpe)


def counter(router, name):
    return router.ctl("status")["cpes"][0][name]


def both_ways(near, far):
    transfer(near, far, MIB, end=False)
    transfer(far, near, MIB, end=False)


def answered(env, expect):
    said = env.home.cpe.run(steer.SCRIPT, "status", "--state", env.steer_state, check=False).stdout
    return said.count(": somebody listens") == 2 * expect and "MISSING" not in said


def is_reset(env, version, to, port, at=None):
    """Whether it is a reset that the device sees: after it was connected, or just before it hears of that. Whoever refuses sends
    one instead."""
    near = env.open(version, multipath=False, at=at or env.home.device)
    near.settimeout(2 * FACTOR)
    return (near.connect_ex((to, port)) or read_error(near)) == errno.ECONNRESET


@braid_only
@cases(**BOTH)
def test_the_lan_and_this_machine_are_carried(env, backend, version):
    old = env.home_pair(version)
    up(env, backend)
    router = start(env)
    until(lambda: answered(env, True), "the watcher has seen who listens")
    for at in (env.home.device, env.home.cpe):
        near, far = env.home_pair(version, env.home.multi, at=at)
        both_ways(near, far)
        wan, = (c for c in router.connections() if c["side"] == "wan")
        assert near.getsockname()[0] in wan["client"]
        near.close()
        far.close()
        until(lambda: not router.connections(), "the connection has ended")
    assert (counter(router, "accepted"), counter(router, "closed")) == (2, 2)
    assert counter(router, "bytes_up") == counter(router, "bytes_down") == 2 * MIB
    both_ways(*old)
    near, far = env.home_pair(version, env.home.multi)
    for first, second in ((near, far), (far, near)):
        conntrack.flush(env.home.cpe)
        transfer(first, second, MIB, end=False)
    far.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    far.close()
    assert read_error(near) == errno.ECONNRESET


@braid_only
def test_through_a_converter(env):
    """Which says that a server refuses after it has taken the connection to itself."""
    peers = ", ".join(net.join(home.SERVICE[version], CONVERT_PORT) for version in (4, 6))
    env.daemon(env.home.edge, [Section("edge conv", mode="convert", listen=peers, allow="any")])
    router = start(env, mode="convert", peer=peers)
    up(env, "nft")
    for version in (4, 6):
        near, far = env.home_pair(version)
        both_ways(near, far)
        assert is_reset(env, version, home.PLAIN[version], PORT + 1)
    assert (counter(router, "accepted"), counter(router, "refused")) == (2, 2)


@braid_only
@cases(nft="nft", iptables="iptables")
def test_a_refusal_is_a_reset_at_once(env, backend):
    router = start(env, **{"except": "198.18.2.0/24"})
    up(env, backend)
    for version in (4, 6):
        begun = time.monotonic()
        assert is_reset(env, version, home.MULTI[version], PORT + 1) and time.monotonic() - begun < 1 * FACTOR
    assert is_reset(env, 4, home.PLAIN[4], PORT), "an exception that the rules do not know"
    assert is_reset(env, 4, "127.0.0.1", 8684, at=env.home.cpe), "nobody's destination"
    assert (counter(router, "refused"), counter(router, "passed"), counter(router, "connecting")) == (2, 1, 0)


@braid_only
@cases(nft_killed=("nft", 4, signal.SIGKILL), nft_stopped=("nft", 6, signal.SIGTERM),
       iptables_killed=("iptables", 6, signal.SIGKILL), iptables_stopped=("iptables", 4, signal.SIGTERM))
def test_without_the_daemon_the_kernel_forwards_within_a_second(env, backend, version, how):
    def made(at):
        near = env.open(version, multipath=False, at=at)
        near.settimeout(0.2)
        return near.connect_ex((home.PLAIN[version], PORT)) == 0

    router = start(env)
    up(env, backend)
    assert answered(env, True)
    near, far = env.home_pair(version, env.home.multi)
    both_ways(near, far)
    env.daemons.clear()
    env.listen(version, address=home.PLAIN[version], at=env.home.plain)
    router.process.signal(how)
    if how == signal.SIGTERM:
        near.close()
        far.close()
    router.process.wait()
    gone = time.monotonic()
    for at in (env.home.device, env.home.cpe):
        until(lambda: made(at), "the kernel forwards", 1)
    assert time.monotonic() - gone < 1.5 * FACTOR
    if how == signal.SIGKILL:
        near.sendall(b"anybody there?")
        assert read_error(near) in (0, errno.ECONNRESET), "the kernel closes sockets of whoever is gone"
    until(lambda: answered(env, False), "the rules are out of the way")
    router = start(env)
    until(lambda: made(env.home.device) and counter(router, "accepted"), "it has connections again")
    until(lambda: made(env.home.cpe) and counter(router, "accepted") > 2, "those of this machine, too")
