"""Bulk transfers over two paths, and what happens when one of them goes."""
import signal
import time

from lib import mptcp, net
from lib.stream import BULK, MIB, Receiver, Sender, transfer
from lib.suite import braid_only, cases, long
from lib.wait import FACTOR, until

VERSIONS = {"ipv4": 4, "ipv6": 6}
MIDDLE = 48 * MIB  # long enough to be interrupted
PAUSE = 18.0       # seconds: kernels back off for 13 by then
AFTER_PAUSE = 15   # seconds to finish what takes less than five
STALL = 3.0        # seconds: Linux itself needs up to 0.4 s to reinject, an RTO may double once or twice


def both_carry(env, near, direction, size):
    """Both subflows had a real part of it, in the eyes of the client's kernel and of braidctl."""
    seen = [subflow[direction] for subflow in mptcp.subflows(near)]
    assert len(seen) == 2 and min(seen) > size // 10, f"the client's subflows carried {seen} of {size} bytes"
    if env.has_braidctl:
        carried = env.proxy.carried({"bytes_in": "bytes_out", "bytes_out": "bytes_in"}[direction])
        assert min(carried.values()) > size // 10, f"braidctl says that the paths carried {carried} of {size} bytes"
        assert sum(carried.values()) >= size, f"braidctl says that the paths carried {carried}, less than {size} bytes"
    assert env.client.counters()["MPTcpExtMPJoinSynAckRx"] >= 1, "nstat counts no join"


@cases(**VERSIONS)
def test_download_of_256_mib_uses_both_paths(env, version):
    near, far = env.two_paths(mbit=500, version=version)
    transfer(far, near, BULK, end=False)
    both_carry(env, near, "bytes_in", BULK)


@cases(**VERSIONS)
def test_upload_of_256_mib_uses_both_paths(env, version):
    near, far = env.two_paths(mbit=500, version=version)
    transfer(near, far, BULK, end=False)
    both_carry(env, near, "bytes_out", BULK)


def test_both_directions_at_once(env):
    near, far = env.two_paths(mbit=200)
    down, up = Receiver(near, MIDDLE), Receiver(far, MIDDLE)
    Sender(far, MIDDLE)
    Sender(near, MIDDLE)
    down.finish()
    up.finish()
    env.no_connections()


@long
@cases(download=True, upload=False)
def test_256_mib_over_unshaped_paths(env, download):
    near, far = env.two_paths()
    transfer(*((far, near) if download else (near, far)), BULK)


@cases(**{f"{way}_path{path}": (way == "download", path) for way in ("download", "upload") for path in net.PATHS})
def test_transfer_survives_killing_a_subflow(env, download, path):
    near, far = env.two_paths(mbit=100)
    interrupted(*((far, near) if download else (near, far)),
                lambda: env.client.run("ss", "-K", "-t", "src", net.client_address(path)))
    assert len(mptcp.established(near)) == 1, "ss -K killed nothing"


@cases(**{f"{way}_path{path}": (way == "download", path) for way in ("download", "upload") for path in net.PATHS})
def test_transfer_survives_a_path_going_dark(env, download, path):
    near, far = env.two_paths(mbit=100)
    interrupted(*((far, near) if download else (near, far)), lambda: env.topology.go_dark(path))


@cases(**{f"{way}_{end}": (way == "download", end) for way in ("download", "upload") for end in ("client", "braid")})
def test_transfer_survives_an_unplugged_interface(env, download, end):
    near, far = env.two_paths(mbit=100)
    interrupted(*((far, near) if download else (near, far)), lambda: env.topology.unplug(2, end))


def interrupted(source, sink, disturb):
    """A transfer that is disturbed after a quarter of it."""
    receiver, sender = Receiver(sink, MIDDLE, end=False), Sender(source, MIDDLE, end=False)
    receiver.reach(MIDDLE // 4)
    disturb()
    sender.finish()
    receiver.finish()
    assert receiver.longest_gap < STALL * FACTOR, f"nothing came for {receiver.longest_gap:.2f} s"


@long
@braid_only
def test_transfers_go_on_after_a_pause_of_the_machine(env):
    """A snapshot or a migration: all of the daemon stands still, nothing else does, and no path was silent."""
    near, far = env.two_paths(mbit=100)
    receivers = Receiver(near, MIDDLE, end=False), Receiver(far, MIDDLE, end=False)
    senders = Sender(far, MIDDLE, end=False), Sender(near, MIDDLE, end=False)
    for receiver in receivers:
        receiver.reach(MIDDLE // 4)
    before = env.proxy.counters()
    env.proxy.process.signal(signal.SIGSTOP)
    time.sleep(PAUSE)  # what is tested is how long it takes, not what happens meanwhile
    env.proxy.process.signal(signal.SIGCONT)
    for receiver in receivers:
        receiver.reach(MIDDLE // 2)
    after = env.proxy.counters()
    for pump in senders + receivers:
        pump.finish(AFTER_PAUSE)
    stalls = [receiver.longest_gap - PAUSE for receiver in receivers]
    assert max(stalls) < STALL * FACTOR, f"after the pause nothing came for {stalls} s"
    assert after["BraidResumed"] > before["BraidResumed"], "the pause was not noticed"
    assert after["BraidSuspected"] == before["BraidSuspected"], "a path was suspected because our own clock had stood still"


@cases(download=True, upload=False)
def test_transfer_survives_random_loss_on_one_path(env, download):
    near, far = env.two_paths(mbit=100)
    env.topology.lose(0.01, path=2)
    transfer(*((far, near) if download else (near, far)), 16 * MIB)


@cases(**VERSIONS)
def test_announced_address_is_joined(env, version):
    env.start([env.Edge("web", version, signal=[net.SIGNAL[version]])])
    near, far = env.pair(version, subflows=2)
    assert net.SIGNAL[version] in [subflow["remote"] for subflow in mptcp.subflows(near)]
    counters = env.client.counters()
    assert counters["MPTcpExtAddAddr"] >= 1 and counters["MPTcpExtMPJoinSynAckRx"] >= 1
    transfer(far, near, 4 * MIB, end=False)
    transfer(near, far, 4 * MIB)


def test_several_announced_addresses_are_joined(env):
    env.start([env.Edge("web", signal=("10.99.9.2", "10.99.9.3"))])
    near, far = env.pair(subflows=3)
    remotes = {subflow["remote"] for subflow in mptcp.subflows(near)}
    assert remotes == {"10.99.9.1", "10.99.9.2", "10.99.9.3"}
    transfer(near, far, 4 * MIB)


@braid_only
@cases(any=("any", 2), signalled=("signalled", 1))
def test_joins_go_where_the_edge_wants_them(env, joins, expected):
    """With flag C a kernel opens no subflow to the address that it has connected to, from whatever endpoint."""
    env.topology.endpoint(2)
    env.start([env.Edge("web", signal=[net.SIGNAL[4]], joins=joins)])
    near, far = env.pair(subflows=expected + 1)
    transfer(far, near, 4 * MIB, end=False)
    remotes = [subflow["remote"] for subflow in mptcp.subflows(near)]
    assert remotes.count(net.SIGNAL[4]) == 1 and remotes.count(net.SERVICE[4]) == expected, f"subflows to {remotes}"


def test_backup_path_rests_until_it_is_needed(env):
    near, far = env.two_paths(mbit=100, flags=("subflow", "backup"))
    transfer(far, near, 8 * MIB, end=False)
    spare = next(subflow for subflow in mptcp.subflows(near) if subflow["local"] == net.client_address(2))
    assert spare["bytes_in"] < 64 * 1024, f"the backup subflow carried {spare['bytes_in']} bytes"
    interrupted(far, near, lambda: env.topology.go_dark(1))


@braid_only
def test_backup_flag_and_priority_change_are_seen(env):
    near, far = env.two_paths(flags=("subflow", "backup"))

    def backups():
        return {subflow["remote"].rpartition(":")[0]: subflow["backup"] for subflow in env.proxy.connection()["subflows"]}
    assert backups() == {net.client_address(1): False, net.client_address(2): True}
    env.client.ip("mptcp", "endpoint", "change", net.client_address(2), "nobackup")
    until(lambda: not any(backups().values()), "MP_PRIO ends the backup state")
    transfer(far, near, 4 * MIB)


def test_removed_address_ends_its_subflow_only(env):
    near, far = env.two_paths(mbit=100)
    interrupted(far, near, lambda: env.client.ip("mptcp", "endpoint", "flush"))
    until(lambda: len(mptcp.established(near)) == 1, "the subflow of the removed address has gone")
    transfer(near, far, MIB)


@cases(**VERSIONS)
def test_download_through_a_path_with_a_smaller_mtu(env, version):
    """The kernel in between answers large segments with ICMP fragmentation needed, or packet too big."""
    env.start()
    near, far = env.pair(version)
    env.topology.braid.ip("link", "set", "path1", "mtu", "1300")
    transfer(far, near, 16 * MIB)


@braid_only
@cases(**VERSIONS)
def test_transfers_over_a_path_that_swallows_big_packets(env, version):
    """A download finds the size that passes (RFC 4821). The peer of an upload learns it from the MSS that the next
    connection announces."""
    env.start()
    env.topology.swallow(1400, path=1)
    near, far = env.pair(version)
    transfer(far, near, 16 * MIB, end=False)
    counters = env.proxy.counters()
    assert counters["BraidMtuLowered"] >= 1 and counters["TcpExtTCPMTUPSuccess"] >= 1, "the search was not needed"
    near, far = env.pair(version)
    transfer(near, far, 4 * MIB)
