"""A home's connections through a converter, over lines as they are: whose addresses change, that know no IPv6, that carry only
small packets, whose modems forget; and a converter that dies."""
import errno
import signal
import time

from lib import conntrack, home
from lib.stream import MIB, Receiver, Sender, read_error, receive, transfer
from lib.suite import braid_only, cases, limit, long
from lib.wait import FACTOR, until
from test_cpe import CONVERT, FAMILIES, converter, converters, counter, multi_pair, start, wan

WAYS = {f"{way}_{name}": (way, version) for way in ("up", "down") for name, version in FAMILIES.items()}
MBIT = 40


def carried(router):
    """Payload bytes by uplink, of all connections."""
    return {each["name"]: each["bytes"] for each in router.ctl("uplinks")["uplinks"]}


def alive(router, number=2):
    """Whether the only connection has so many subflows."""
    return sum(subflow["state"] == "ESTABLISHED" for subflow in wan(router)["subflows"]) == number


def converted(env, version, uplinks=2, over=None, **keys):
    """A connection over so many uplinks through the converter, whose addresses are of the same family unless told otherwise:
    the router's daemon, and the sockets of device and server."""
    env.build_home(*({"mbit": MBIT} for _ in range(uplinks)))
    env.daemon(env.home.edge, [converter(env)])
    router = start(env, mode="convert", peer=converters(version=over or version), **keys)
    near, far = env.home_pair(version)
    transfer(near, far, MIB, end=False)
    until(lambda: alive(router, uplinks), "a subflow over each uplink")
    return router, near, far


def under_way(env, way, version, size=48 * MIB, **keys):
    """The same with so many bytes under way upwards or downwards: router, sender, receiver."""
    router, near, far = converted(env, version, **keys)
    source, sink = (near, far) if way == "up" else (far, near)
    receiver, sender = Receiver(sink, size, end=False), Sender(source, size, end=False)
    receiver.reach(8 * MIB)
    return router, sender, receiver


def goes_on(router, sender, receiver, stall):
    """Without a pause of so many seconds, and over both uplinks."""
    before = carried(router)
    receiver.reach(40 * MIB)
    used = {name: count - before[name] for name, count in carried(router).items()}
    assert min(used.values()) > 2 * MIB, used
    sender.finish()
    receiver.finish()
    assert receiver.longest_gap < stall, f"nothing came for {receiver.longest_gap:.1f} s"


@long
@braid_only
@limit(90)
@cases(**WAYS)
def test_another_address_interrupts_nothing(env, way, version):
    router, sender, receiver = under_way(env, way, version)
    env.home.uplinks[0].change_address()
    goes_on(router, sender, receiver, 3)


@long
@braid_only
@limit(90)
@cases(**{f"{case}_{'told' if tells else 'silent'}": (*what, tells) for case, what in WAYS.items() for tells in (True, False)})
def test_a_line_that_carries_small_packets_only(env, way, version, tells):
    """1,400 bytes from some moment on; ICMP says so, or nobody does."""
    router, sender, receiver = under_way(env, way, version)
    env.home.uplinks[0].narrow(1400, tells)
    goes_on(router, sender, receiver, 3 if tells else 5)


@braid_only
def test_an_uplink_without_ipv6(env):
    """Connections of the LAN over IPv6 take the others, and those over IPv4 all."""
    env.build_home(*({"mbit": MBIT} for _ in range(3)))
    env.home.uplinks[0].disconnect(6)
    router = start(env, mode="transparent")
    for version, number in ((6, 2), (4, 3)):
        near, far = multi_pair(env, version)
        for source, sink in ((near, far), (far, near)):
            transfer(source, sink, 8 * MIB, end=False)
        until(lambda: alive(router, number), f"a subflow over each uplink that has IPv{version}")
        near.close()
        far.close()
        until(lambda: not router.connections(), "it has ended")
    used = carried(router)
    assert min(used.values()) > MIB, used


@braid_only
def test_a_lan_with_ipv6_and_uplinks_without(env):
    """The converter is reached by IPv4, although its address of IPv6 comes first; and by IPv6 once there is some."""
    env.build_home(*({"mbit": MBIT} for _ in range(3)))
    for uplink in env.home.uplinks:
        uplink.disconnect(6)
    env.daemon(env.home.edge, [converter(env)])
    router = start(env, mode="convert", peer=f"{converters(version=6)}, {converters(version=4)}")
    near, far = env.home_pair(6)
    assert far.getpeername()[0] == home.EDGE[6]
    for source, sink in ((near, far), (far, near)):
        transfer(source, sink, 16 * MIB, end=False)
    assert alive(router, 3) and min(carried(router).values()) > 2 * MIB, carried(router)
    near.close()
    far.close()
    until(lambda: not router.connections(), "it has ended")
    env.home.uplinks[2].connect(6)
    until(lambda: router.ctl("uplinks")["uplinks"][2]["ipv6"]["state"] == "up", "an uplink has IPv6")
    near, far = env.home_pair(6)
    transfer(far, near, MIB, end=False)
    assert {(each["path"], each["remote"]) for each in wan(router)["subflows"]} == {("wan2", converters(version=6))}
    assert counter(router, "without_mptcp") == 0


@braid_only
@cases(**FAMILIES)
def test_a_converter_that_is_killed(env, version):
    """New connections take the other one within a second. What it carried ends when its next daemon is there."""
    first = env.daemon(env.home.edge, [converter(env)])
    second_converter(env, version)
    router = start(env, mode="convert", peer=converters(1, 2, version=version))
    pairs = [env.home_pair(version) for _ in range(4)]
    for near, far in pairs:
        transfer(near, far, MIB, end=False)
    busy = Sender(pairs[0][0], 256 * MIB, end=False), Receiver(pairs[0][1], 256 * MIB, end=False)
    busy[1].reach(8 * MIB)
    kill(env, first)
    begun = time.monotonic()
    for _ in range(3):
        near, far = env.home_pair(version)
        assert time.monotonic() - begun < 1 * FACTOR, "the next converter is there within a second"
        assert far.getpeername()[0] == home.MULTI[version]
        transfer(far, near, MIB)
        begun = time.monotonic()
    env.daemon(env.home.edge, [converter(env)])
    begun = time.monotonic()
    assert [read_error(near) for near, _ in pairs[1:]] == [errno.ECONNRESET] * 3
    busy[0].join(2 * FACTOR)
    assert isinstance(busy[0].error, ConnectionResetError), busy[0].error
    assert time.monotonic() - begun < 2 * FACTOR


def second_converter(env, version):
    """On another machine, behind the second service address."""
    env.home.multi.sysctl(net__ipv4__ip_forward=1, net__ipv6__conf__all__forwarding=1)
    home.route(env.home.internet, home.service(2, version), home.MULTI[version], "multi")
    return env.daemon(env.home.multi, [converter(env, 2)])


def kill(env, daemon):
    env.daemons.remove(daemon)
    daemon.process.signal(signal.SIGKILL)
    daemon.process.wait()


@long
@braid_only
@limit(240)
def test_what_a_dead_converter_carried_ends_visibly(env):
    """Though nobody answers any more, and no next daemon comes: a minute and a half after the last retransmission that was
    answered, as with TCP, and the time that a connection may be without subflows."""
    first = env.daemon(env.home.edge, [converter(env)])
    start(env, mode="convert", peer=converters(), limits={"break_before_make": 5})
    near, far = env.home_pair(4)
    transfer(near, far, MIB, end=False)
    kill(env, first)
    near.sendall(b"anybody there?")
    assert read_error(near, 150) == errno.ECONNRESET


def known(env):
    """How many connections to the converter each modem has in its tables."""
    return [sum("ESTABLISHED" in entry and f"dport={CONVERT}" in entry for entry in conntrack.entries(uplink.modem))
            for uplink in env.home.uplinks]


@long
@braid_only
@limit(150)
@cases(**{f"{first}_first_{name}": (first, version) for first in ("device", "server") for name, version in FAMILIES.items()})
def test_modems_that_forget_after_30_s(env, first, version):
    """A transfer of 40 s does not care. A connection that was idle meanwhile goes on over new subflows when the device speaks; so that
    the server may be the first one, keepalives have to keep it known."""
    env.build_home({"mbit": 8}, {"mbit": 8})
    for uplink in env.home.uplinks:
        uplink.translate(forgets=30)
    env.daemon(env.home.edge, [converter(env)])
    router = start(env, mode="convert", peer=converters(version=version), limits={} if first == "device" else {"keepalive": 20})
    near, far = env.home_pair(version)
    transfer(near, far, MIB, end=False)
    until(lambda: alive(router) and known(env) == [1, 1], "it has a subflow over each uplink")
    other = env.home_pair(version)
    assert transfer(*other, 80 * MIB, limit=120).seconds > 35
    for sock in other:
        sock.close()
    source, sink = (near, far) if first == "device" else (far, near)
    until(lambda: known(env) == ([0, 0] if first == "device" else [1, 1]), "what has ended or was idle is forgotten")
    begun, before = time.monotonic(), carried(router)
    source.sendall(b"hello")
    assert receive(sink, 5) == b"hello"
    assert time.monotonic() - begun < (4 if first == "device" else 0.5) * FACTOR
    for one, other in ((near, far), (far, near)):
        transfer(one, other, 4 * MIB, end=False)
    used = {name: count - before[name] for name, count in carried(router).items()}
    assert alive(router) and min(used.values()) > 2 * MIB, used
