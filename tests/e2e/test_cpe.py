"""A device of the LAN that knows nothing of MPTCP, and the router that carries its connections over several uplinks."""
import errno

from lib import home, mptcp
from lib.env import PORT
from lib.proxy import Cpe
from lib.stream import MIB, Receiver, Sender, transfer
from lib.suite import braid_only, cases
from lib.wait import until

FAMILIES = {"v4": 4, "v6": 6}


def steer(env):
    """TCP of the LAN into the TUN."""
    for version in FAMILIES.values():
        env.home.cpe.ip(f"-{version}", "rule", "add", "priority", "8684", "fwmark", "0x1e0000/0xff0000", "lookup", "8684")
    env.home.cpe.run("nft", "-f", "-", stdin="table inet bcpe {\nchain pre {\ntype filter hook prerouting priority mangle;\n"
                     "iifname \"lan\" meta l4proto tcp meta mark set meta mark & 0xff00ffff | 0x1e0000\n}\n}\n")


def start(env, **keys):
    """The router's daemon, with as many uplinks as the home has."""
    router = env.daemon(env.home.cpe, [Cpe(uplinks=[uplink.device for uplink in env.home.uplinks], **keys)])
    steer(env)
    return router


def shaped(env, mbit=50, uplinks=3):
    env.build_home(*({"mbit": mbit} for _ in range(uplinks)))


def counter(router, name):
    return router.ctl("status")["cpes"][0][name]


def wan(router):
    """The connection over the uplinks of the only one that is carried."""
    found = [c for c in router.connections() if c["side"] == "wan"]
    assert len(found) == 1, found
    return router.ctl("show", found[0]["id"])


def carried(router, direction):
    """Payload bytes by uplink; direction is "bytes_in" or "bytes_out"."""
    total = {}
    for subflow in wan(router)["subflows"]:
        total[subflow["path"]] = total.get(subflow["path"], 0) + subflow[direction]
    return total


def multi_pair(env, version=4):
    listener = env.listen(version, PORT, address=home.MULTI[version], multipath=True, at=env.home.multi)
    near = env.connect(version, PORT, home.MULTI[version], multipath=False, at=env.home.device)
    far = env.accept(listener)  # which stays open: without it the kernel takes no joins
    assert mptcp.is_mptcp(far)
    return near, far


@braid_only
@cases(**FAMILIES)
def test_a_server_with_mptcp_is_reached_over_all_uplinks(env, version):
    shaped(env)
    router = start(env, mode="transparent")
    near, far = multi_pair(env, version)
    transfer(near, far, 16 * MIB, end=False)
    until(lambda: len(mptcp.established(far)) == 3, f"a subflow over each uplink: {mptcp.subflows(far)}")
    up = carried(router, "bytes_out")
    assert set(up) == {"wan0", "wan1", "wan2"} and sum(b > MIB for b in up.values()) >= 2, up
    transfer(far, near, 16 * MIB, end=False)
    assert sum(b > MIB for b in carried(router, "bytes_in").values()) >= 2
    lan, = (c for c in router.connections() if c["side"] == "lan")
    assert not lan["mptcp"] and lan["client"].startswith(f"{home.DEVICE[4]}:" if version == 4 else f"[{home.DEVICE[6]}]:")
    assert lan["joined_with"] == wan(router)["id"] and lan["bytes_from_client"] == 16 * MIB
    near.close()
    far.close()
    until(lambda: counter(router, "closed") == 1, "the connection has ended in order")
    assert counter(router, "without_mptcp") == 0 and counter(router, "bytes_up") == 16 * MIB
    code, metrics = router.http("/metrics")
    assert code == 200 and 'braid_cpe_accepted_total{cpe="lan"} 1' in metrics


@braid_only
@cases(**FAMILIES)
def test_a_server_without_mptcp_is_reached_over_one_uplink(env, version):
    router = start(env)
    near, far = env.home_pair(version)
    transfer(near, far, 4 * MIB, end=False)
    transfer(far, near, 4 * MIB)
    assert counter(router, "without_mptcp") == 1


@braid_only
def test_plain_tcp_may_be_refused(env):
    router = start(env, plain="refuse")
    env.listen(4, PORT, address=home.PLAIN[4], at=env.home.plain)
    near = env.open(4, multipath=False, at=env.home.device)
    assert near.connect_ex((home.PLAIN[4], PORT)) == errno.ECONNREFUSED
    assert counter(router, "not_mptcp") == 1


@braid_only
@cases(**FAMILIES)
def test_who_refuses_refuses_and_who_is_not_there_is_unreachable(env, version):
    router = start(env)
    near = env.open(version, multipath=False, at=env.home.device)
    assert near.connect_ex((home.MULTI[version], PORT)) == errno.ECONNREFUSED
    nobody = home.world_net(3, version, 99)
    near = env.open(version, multipath=False, at=env.home.device)
    assert near.connect_ex((nobody, PORT)) == errno.EHOSTUNREACH
    assert (counter(router, "refused"), counter(router, "unreachable"), counter(router, "accepted")) == (1, 1, 0)


@braid_only
@cases(down=("unplug", 4), silent=("go_silent", 4), down6=("switch_off", 6), silent6=("go_silent", 6))
def test_a_transfer_goes_on_when_an_uplink_fails(env, failure, version):
    """Either direction, the uplink that it began on."""
    shaped(env, 40, 2)
    router = start(env)
    near, far = multi_pair(env, version)
    for source, sink in ((near, far), (far, near)):
        sending, receiving = Sender(source, 24 * MIB, end=False), Receiver(sink, 24 * MIB, end=False)
        receiving.reach(4 * MIB)
        getattr(env.home.uplinks[0], failure)()
        sending.finish()
        receiving.finish()
        assert receiving.longest_gap < 5, receiving.longest_gap
        getattr(env.home.uplinks[0], {"unplug": "plug", "switch_off": "switch_on", "go_silent": "speak"}[failure])()
        until(lambda: len(mptcp.established(far)) == 2, "the uplink is used again", 30)
    assert counter(router, "wan_reset") == 0


@braid_only
def test_a_new_connection_does_not_wait_for_an_uplink_that_is_silent(env):
    router = start(env)
    env.home.uplinks[0].go_silent()
    near, far = multi_pair(env)
    transfer(near, far, MIB)
    assert counter(router, "accepted") == 1


@braid_only
def test_without_uplinks_connections_are_the_kernels(env):
    """They are passed back, and the kernel says what it has to say."""
    router = start(env)
    env.listen(4, PORT, address=home.MULTI[4], at=env.home.multi)
    for uplink in env.home.uplinks:
        uplink.unplug()

    def passed():
        near = env.open(4, multipath=False, at=env.home.device)
        near.settimeout(0.5)
        return near.connect_ex((home.MULTI[4], PORT)) and counter(router, "passed")
    until(passed, "a connection is left to the kernel")
    for uplink in env.home.uplinks:
        uplink.plug()
    until(lambda: not env.open(4, multipath=False, at=env.home.device).connect_ex((home.MULTI[4], PORT))
          and counter(router, "accepted"), "a connection is carried again", 20)
