"""Connection tracking forgets what it knew: entries time out, an operator flushes them. Connections go on, Braid's in Braid
and the kernel's in the kernel, whichever end speaks first."""
import itertools

from lib import conntrack, mptcp, net
from lib.proxy import Transparent
from lib.stream import MIB, Receiver, Sender, receive, transfer
from lib.suite import braid_only, cases
from lib.wait import until

BACKENDS = ("nft", "iptables")
FIRST = ("client", "server")
EACH = {f"{backend}_ipv{version}_{first}_first": (backend, version, first)
        for (backend, version), first in itertools.product(itertools.product(BACKENDS, (4, 6)), FIRST)}
BACK = {f"{backend}_ipv{version}": (backend, version) for backend, version in (("nft", 6), ("iptables", 4))}


def start(env, backend, source="proxy", **keys):
    env.steer("up", "--backend", backend, "--source", source)
    return env.start([Transparent("transit", source=source, **keys)])


def forget(env):
    """All that connection tracking of the machine in the middle knows."""
    conntrack.flush(env.topology.braid)


def talk(first, second):
    """A few bytes each way, begun by the first."""
    for source, sink in ((first, second), (second, first)):
        source.sendall(b"hello")
        assert receive(sink, 5) == b"hello"


def pair_of_the_kernels(env, version):
    """A connection that Braid has no part in."""
    near, far = env.pair(version, multipath=False, to=net.SERVER[version])
    talk(near, far)
    return near, far


def ends(near, far, first):
    return (near, far) if first == "client" else (far, near)


@braid_only
@cases(**EACH)
def test_an_idle_connection_of_braids_goes_on(env, backend, version, first):
    """On both of its paths."""
    env.topology.endpoint(2, version=version)
    start(env, backend)
    near, far = env.pair(version, subflows=2, to=net.SERVER[version])
    for _ in range(2):
        forget(env)
        talk(*ends(near, far, first))
        transfer(far, near, MIB, end=False)
        transfer(near, far, MIB, end=False)
    assert env.proxy.counters()["BraidPassedBack"] == 0
    assert len(mptcp.established(near)) == 2
    forget(env)
    transfer(*ends(near, far, first), 64 * 1024)
    transfer(*reversed(ends(near, far, first)), 64 * 1024)


@braid_only
@cases(**BACK)
def test_connection_tracking_that_takes_up_nothing_midway(env, backend, version):
    """With tcp_loose = 0 what it has forgotten is invalid for it, for good."""
    start(env, backend)
    env.topology.braid.sysctl(net__netfilter__nf_conntrack_tcp_loose=0)
    kept, left = env.pair(version, to=net.SERVER[version]), pair_of_the_kernels(env, version)
    forget(env)
    for near, far in (kept, left):
        talk(near, far)
        transfer(far, near, MIB, end=False)
        transfer(near, far, MIB)
        transfer(far, near, 1000)


@braid_only
@cases(**BACK)
def test_in_the_middle_of_a_transfer(env, backend, version):
    env.topology.shape(100)
    env.topology.endpoint(2, version=version)
    start(env, backend)
    near, far = env.pair(version, subflows=2, to=net.SERVER[version])
    for source, sink in ((far, near), (near, far)):
        receiver, sender = Receiver(sink, 16 * MIB, end=False), Sender(source, 16 * MIB, end=False)
        for part in range(1, 8):
            receiver.reach(part * 2 * MIB)
            forget(env)
        sender.finish()
        receiver.finish()
    assert len(mptcp.established(near)) == 2


@braid_only
@cases(**BACK)
def test_a_connection_from_the_clients_address_goes_on(env, backend, version):
    start(env, backend, "client")
    near, far = env.pair(version, to=net.SERVER[version])
    for first in FIRST:
        forget(env)
        talk(*ends(near, far, first))
        transfer(far, near, MIB, end=False)
        transfer(near, far, MIB, end=False)


@braid_only
@cases(**BACK)
def test_an_entry_that_timed_out_is_missed_by_nobody(env, backend, version):
    start(env, backend)
    near, far = env.pair(version, to=net.SERVER[version])
    # What the entry is given with its next packet.
    env.topology.braid.sysctl(net__netfilter__nf_conntrack_tcp_timeout_established=1)
    for first in FIRST:
        talk(*ends(near, far, first))
        until(lambda: not any("ESTABLISHED" in entry for entry in conntrack.entries(env.topology.braid)), "the entries time out", 20)
    talk(near, far)


@braid_only
@cases(**EACH, **{f"{name}_masqueraded": (backend, version, first, True) for name, (backend, version, first) in EACH.items()
                  if first == "client"})
def test_a_connection_of_the_kernels_stays_the_kernels(env, backend, version, first, masquerade=False):
    """Braid is asked about it once, and hands it back. Its addresses are translated as before, which the kernel decides when it
    sees the client's first packet: so the server cannot be first then."""
    if masquerade:
        env.topology.braid.iptables("-t", "nat", "-A", "POSTROUTING", "-o", "server", "-j", "MASQUERADE", version=version)
    start(env, backend)
    near, far = pair_of_the_kernels(env, version)
    forget(env)
    talk(*ends(near, far, first))
    talk(*ends(near, far, first))
    asked = env.proxy.counters()["BraidPassedBack"]
    assert 0 < asked <= 4, f"passed back: {asked}"
    transfer(far, near, MIB, end=False)
    transfer(near, far, MIB)
    assert env.proxy.counters()["BraidPassedBack"] == asked, "packets of the kernel's connection still come to Braid"
