"""What becomes of connections over uplinks whose addresses, firewall or paths change under them."""
import time

from lib import conntrack, home, mptcp
from lib.env import PORT
from lib.proxy import Cpe
from lib.stream import BULK, MIB, Follower, Receiver, Sender, transfer
from lib.suite import braid_only, cases, limit, long
from lib.wait import FACTOR, until

FAMILIES = {"v4": 4, "v6": 6}
WAYS = {f"{way}_{name}": (way, version) for way in ("up", "down") for name, version in FAMILIES.items()}


def over_two(env, version, mbit=40):
    """The router's daemon with two uplinks of that rate, and a connection from the LAN to the server with MPTCP, over both of
    them: router, and the sockets of device and server."""
    env.build_home({"mbit": mbit}, {"mbit": mbit})
    router = env.daemon(env.home.cpe, [Cpe(uplinks=("wan0", "wan1"), mode="transparent")])
    env.steer("up", "--lan", "lan", at=env.home.cpe)
    listener = env.listen(version, PORT, address=home.MULTI[version], multipath=True, at=env.home.multi)
    near = env.connect(version, PORT, home.MULTI[version], multipath=False, at=env.home.device)
    far = env.accept(listener)
    transfer(near, far, MIB, end=False)
    until(lambda: len(mptcp.established(far)) == 2, "a subflow over each uplink")
    return router, near, far


def carried_over_two(env, way, version, endless=False):
    """The same with 48 MiB under way upwards or downwards, or with as many as there are until the sender is stopped: router, sender,
    receiver, and the server's socket."""
    router, near, far = over_two(env, version)
    source, sink = (near, far) if way == "up" else (far, near)
    receiver = Follower(sink) if endless else Receiver(sink, 48 * MIB, end=False)
    sender = Sender(source, BULK if endless else 48 * MIB, end=endless)
    receiver.reach(8 * MIB)
    return router, sender, receiver, far


def finish(sender, receiver, stall):
    sender.finish()
    receiver.finish()
    assert receiver.longest_gap < stall * FACTOR, f"nothing came for {receiver.longest_gap:.1f} s"


def carried(router):
    """Payload bytes by uplink."""
    return {each["name"]: each["bytes"] for each in router.ctl("uplinks")["uplinks"]}


@braid_only
@limit(90)
@cases(**WAYS)
def test_flushed_connection_tracking_ends_no_subflow(env, way, version):
    """Firewalls flush it when they are reloaded. Nor does it do harm if what nftables knows of our connections is lost."""
    router, sender, receiver, far = carried_over_two(env, way, version, endless=True)
    ends = {(s["local"], s["remote"]) for s in mptcp.established(far)}
    for flush in (lambda: conntrack.flush(env.home.cpe),
                  lambda: env.home.cpe.run("nft", "flush", "set", "inet", "braid_uplinks", f"flows{4 if version == 4 else 6}")):
        flush()
        before, done = carried(router), receiver.done
        receiver.reach(done + 12 * MIB)
        assert all(carried(router)[name] - before[name] > 2 * MIB for name in before), "both uplinks go on"
    assert {(s["local"], s["remote"]) for s in mptcp.established(far)} == ends
    assert env.home.cpe.counters()["TcpOutRsts"] == 0
    sender.stop()
    finish(sender, receiver, 1)
    assert receiver.done == sender.done


@braid_only
@cases(**FAMILIES)
def test_an_idle_connection_outlives_what_is_known_of_it(env, version):
    """As after ten minutes, and the server speaks first: the kernel must not answer."""
    router, near, far = over_two(env, version)
    conntrack.flush(env.home.cpe)
    env.home.cpe.run("nft", "flush", "set", "inet", "braid_uplinks", f"flows{version}")
    transfer(far, near, 4 * MIB, end=False)
    assert len(mptcp.established(far)) == 2 and env.home.cpe.counters()["TcpOutRsts"] == 0


@long
@braid_only
@limit(90)
@cases(**WAYS)
def test_a_reloaded_firewall_ends_no_connection(env, way, version):
    """Until our rules are put back, the kernel may reset subflows; then they are opened again."""
    router, sender, receiver, far = carried_over_two(env, way, version)
    env.home.cpe.run("nft", "flush", "ruleset")
    until(lambda: "daddr set" in env.home.cpe.run("nft", "list", "ruleset").stdout, "the rules are put back")
    env.steer("up", "--lan", "lan", at=env.home.cpe)
    finish(sender, receiver, 5)


@long
@braid_only
@limit(90)
@cases(**WAYS)
def test_another_address_interrupts_nothing(env, way, version):
    router, sender, receiver, far = carried_over_two(env, way, version)
    env.home.uplinks[0].change_address()
    before = carried(router)
    receiver.reach(40 * MIB)
    assert carried(router)["wan0"] - before["wan0"] > 2 * MIB, "the uplink is used with its new address"
    finish(sender, receiver, 3)


@braid_only
@limit(90)
@cases(**WAYS)
def test_a_narrow_line_is_told_by_icmp(env, way, version):
    """The error comes to the interface's address, and is about a segment from there."""
    router, sender, receiver, far = carried_over_two(env, way, version)
    env.home.uplinks[0].narrow(1400)
    before = carried(router)
    receiver.reach(40 * MIB)
    assert carried(router)["wan0"] - before["wan0"] > 2 * MIB, "the narrow line goes on"
    finish(sender, receiver, 3)


@long
@braid_only
@limit(180)
@cases(**WAYS)
def test_an_uplink_that_flaps_interrupts_nothing(env, way, version):
    """It loses its carrier every three seconds, and gets it back as long after, for a minute."""
    router, near, far = over_two(env, version, mbit=8)
    source, sink = (near, far) if way == "up" else (far, near)
    receiver, sender = Receiver(sink, 100 * MIB, end=False), Sender(source, 100 * MIB, end=False)
    for _ in range(10):
        for change, state in ((env.home.uplinks[0].unplug, "down"), (env.home.uplinks[0].plug, "up")):
            change()
            until(lambda: router.ctl("uplinks")["uplinks"][0][f"ipv{version}"]["state"] == state, f"it is {state}")
            done, begun = receiver.done, time.monotonic()
            until(lambda: time.monotonic() - begun > 3, "three seconds are over")
            assert receiver.done > done, f"nothing comes while it is {state}"
    finish(sender, receiver, 3)
    assert carried(router)["wan0"] > 8 * MIB, "it is used whenever it is there"


@braid_only
@limit(60)
def test_probes_ask_the_peers_and_one_that_is_dead_is_no_silent_uplink(env):
    dead, alive = f"{home.world_net(2, 4, 99)}:443", f"{home.PLAIN[4]}:443"
    router = env.daemon(env.home.cpe, [Cpe(mode="explicit", peer=f"{dead}, {alive}")])

    def known():
        return [each["ipv4"] for each in router.ctl("uplinks")["uplinks"]]
    until(lambda: all(way["srtt_us"] and way["loss_percent"] for way in known()), "the second peer was asked, after the first", 15)
    assert [way["state"] for way in known()] == ["up"] * 3
