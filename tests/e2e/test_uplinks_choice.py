"""What the operator says of uplinks decides which of them carries what: cost, quota, weight, backup."""
from lib import home, mptcp
from lib.env import PORT
from lib.proxy import Cpe, Section
from lib.stream import MIB, transfer
from lib.suite import alone, braid_only, cases
from lib.wait import until
from test_uplinks_data import carried

WAYS = {"up": True, "down": False}
LITTLE = 256 * 1024  # more than what finds out about a path


def over_two(env, *uplinks, **cpe):
    """The router's daemon with uplinks of these keys, each of 40 Mbit/s, and a connection from the LAN to the server with MPTCP over
    both: router, and the sockets of device and server."""
    env.build_home(*({"mbit": 40} for _ in uplinks))
    router = env.daemon(env.home.cpe, [*(Section(f"uplink wan{number}", interface=f"wan{number}", **keys)
                                         for number, keys in enumerate(uplinks)), Cpe(uplinks=(), mode="transparent", **cpe)])
    env.steer("up", "--lan", "lan", at=env.home.cpe)
    listener = env.listen(4, PORT, address=home.MULTI[4], multipath=True, at=env.home.multi)
    near = env.connect(4, PORT, home.MULTI[4], multipath=False, at=env.home.device)
    far = env.accept(listener)
    transfer(near, far, 1024, end=False)  # before that nothing is joined
    until(lambda: len(mptcp.established(far)) == 2, "a subflow over each uplink")
    return router, near, far


def over_quota(router):
    return {each["name"]: each["over_quota"] for each in router.ctl("uplinks")["uplinks"]}


@braid_only
@alone
def test_an_uplink_carries_no_more_than_its_quota(env):
    """The other one takes what is left, and what follows."""
    router, near, far = over_two(env, {"quota": "4MB"}, {"cost": 10}, scheduler="quota")
    transfer(near, far, 2 * MIB, end=False)
    assert not over_quota(router)["wan0"]
    transfer(near, far, 14 * MIB, end=False)
    until(lambda: over_quota(router) == {"wan0": True, "wan1": False}, "the quota is used")
    before = carried(router)
    assert 4e6 <= before["wan0"] < 4e6 + 2 * MIB and before["wan1"] >= 10 * MIB, before
    transfer(near, far, 4 * MIB, end=False)
    assert carried(router)["wan0"] - before["wan0"] < LITTLE


@braid_only
@alone
def test_weights_are_shares(env):
    """Of what does not take all that there is: a question of 48 KiB, and the next one when it has arrived."""
    router, near, far = over_two(env, {"weight": 3}, {}, scheduler="weighted")
    for _ in range(128):
        transfer(near, far, 48 * 1024, end=False)
    bytes_ = carried(router)
    assert 2 < bytes_["wan0"] / bytes_["wan1"] < 4, bytes_


@braid_only
@alone
@cases(**WAYS)
def test_a_backup_rests_until_it_is_needed(env, up):
    router, near, far = over_two(env, {}, {"backup": "yes"})
    source, sink = (near, far) if up else (far, near)
    transfer(source, sink, 8 * MIB, end=False)
    before = carried(router)
    assert before["wan1"] < LITTLE and before["wan0"] >= 8 * MIB, before
    env.home.uplinks[0].unplug()
    transfer(source, sink, 8 * MIB, end=False)
    between = carried(router)
    assert between["wan1"] - before["wan1"] >= 8 * MIB, between
    env.home.uplinks[0].plug()
    until(lambda: len(mptcp.established(far)) == 2, "the uplink is used again", 20)
    transfer(source, sink, 8 * MIB, end=False)
    after = carried(router)
    assert after["wan1"] - between["wan1"] < LITTLE and after["wan0"] - between["wan0"] >= 8 * MIB, after
