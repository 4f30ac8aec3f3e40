"""Middleboxes that take the MPTCP option away, and clients that never had it: served as plain TCP, unnoticed."""
import contextlib

from lib import mptcp
from lib.stream import MIB, Receiver, Sender, transfer
from lib.suite import braid_only, cases, limit, long
from lib.wait import Timeout, until

SIZE = 4 * MIB
NOT_SYN = ("--tcp-flags", "SYN", "NONE")

# direction and match of the packets whose option is taken away before the connection begins
HANDSHAKE = {
    "syn": [("to braid", "--tcp-flags", "SYN,ACK", "SYN")],
    "synack": [("to client", "--tcp-flags", "SYN,ACK", "SYN,ACK")],
    "third_ack_and_all_that_follows_it": [("to braid", *NOT_SYN)],
    "every_packet_of_braid_after_the_synack": [("to client", *NOT_SYN)],
    "every_packet_after_the_synack": [("to braid", *NOT_SYN), ("to client", *NOT_SYN)],
    "every_packet": [("to braid",), ("to client",)],
}
DIRECTIONS = {"client_to_braid": ["to braid"], "braid_to_client": ["to client"], "both_ways": ["to braid", "to client"]}


def exchange(near, far, size=SIZE):
    """Both ways, one after the other, and both ends."""
    transfer(near, far, size, end=False)
    transfer(far, near, size, end=False)
    near.close()
    assert far.recv(1) == b"", "the client's end of the stream does not reach the server"
    far.close()


@cases(**{f"{name}_ipv{version}": (rules, version) for name, rules in HANDSHAKE.items() for version in (4, 6)})
def test_option_stripped_from_the_handshake(env, rules, version):
    env.start()
    for direction, *match in rules:
        env.topology.strip_mptcp(direction, *match, version=version)
    near, far = env.pair(version)
    far.sendall(b"server first")
    assert near.recv(100) == b"server first"
    assert not mptcp.is_mptcp(near), "the client still takes this for MPTCP"
    exchange(near, far)
    env.no_connections()


@braid_only
@cases(**DIRECTIONS)
def test_download_goes_on_when_the_option_vanishes_midway(env, directions):
    """Braid has to notice that no DATA_ACK comes any more. (Between two Linux kernels this ends in wrong bytes.)"""
    env.topology.shape(200)
    env.start()
    near, far = env.pair()
    stripped_midway(env, far, near, directions)


@braid_only
@cases(**DIRECTIONS)
def test_upload_is_never_falsified_when_the_option_vanishes_midway(env, directions):
    """A Linux client may send the same data again in vain or give up; what reaches the server has to be right."""
    env.topology.shape(200)
    env.start()
    near, far = env.pair()
    receiver, sender = Receiver(far, 16 * MIB), Sender(near, 16 * MIB)
    receiver.reach(4 * MIB)
    for direction in directions:
        env.topology.strip_mptcp(direction)
    watch(receiver, sender)


@braid_only
@limit(120)
@cases(some=0.02, much=0.05)
def test_download_goes_on_over_a_lossy_path_when_the_option_has_vanished(env, probability):
    """Linux that has fallen back loses data where retransmissions overlap in part what it has."""
    env.topology.shape(200)
    env.start()
    near, far = env.pair()
    stripped_midway(env, far, near, ["to client"], loss=probability)


def stripped_midway(env, source, sink, directions, path=None, loss=0):
    """loss: on path 1, from then on."""
    size = 16 * MIB
    receiver, sender = Receiver(sink, size), Sender(source, size)
    receiver.reach(size // 4)
    if loss:
        env.topology.lose(loss, 1)
    for direction in directions:
        env.topology.strip_mptcp(direction, path=path)
    sender.finish()
    receiver.finish()


@cases(download=True, upload=False)
def test_option_stripped_on_one_of_two_paths_costs_only_that_path(env, download):
    near, far = env.two_paths(mbit=100)
    stripped_midway(env, *((far, near) if download else (near, far)), ["to braid", "to client"], path=2)
    assert mptcp.is_mptcp(near)


@braid_only
@cases(to_braid=("to braid", "original"), to_client=("to client", "reply"))
def test_download_with_the_option_stripped_from_the_nth_packet_on(env, direction, way):
    env.start()
    for first in range(1, 13):
        strip_from(env, direction, way, first)
        near, far = env.pair()
        with noted(f"stripped from packet {first} on"):
            transfer(far, near, MIB)


@braid_only
@cases(to_braid=("to braid", "original"), to_client=("to client", "reply"))
def test_upload_with_the_option_stripped_from_the_nth_packet_on(env, direction, way):
    """From the third packet of the client, the second of the server on, a Linux client does not always notice."""
    env.start()
    for first in range(1, 13):
        strip_from(env, direction, way, first)
        near, far = env.pair()
        with noted(f"stripped from packet {first} on"):
            if first <= 2:
                transfer(near, far, MIB)
            else:
                watch(Receiver(far, MIB), Sender(near, MIB), limit=1.0)


def watch(receiver, sender, limit=3.0):
    """Whether the upload ends, fails, stops or drags on: what has come is right. Retransmissions have had their time."""
    with contextlib.suppress(Timeout):
        until(lambda: not (receiver.is_alive() or sender.is_alive()), "the upload ends", limit)
    receiver.check_prefix()


def strip_from(env, direction, way, first):
    """The packets in that direction of each connection, counted from 1, lose the option from first on."""
    env.topology.unstrip()
    env.topology.strip_mptcp(direction, "-m", "connbytes", "--connbytes", f"{first}:", "--connbytes-mode", "packets",
                             "--connbytes-dir", way)


@contextlib.contextmanager
def noted(text):
    """An exception inside carries the text."""
    try:
        yield
    except Exception as error:
        error.add_note(text)
        raise


@cases(ipv4=4, ipv6=6)
def test_plain_tcp_client_is_served(env, version):
    env.start()
    near, far = env.pair(version, multipath=False)
    if env.has_braidctl:
        assert env.proxy.connection()["mptcp"] is False
    exchange(near, far, 64 * MIB)


def test_plain_tcp_client_survives_loss(env):
    env.topology.shape(200)
    env.topology.lose(0.01, path=1)
    env.start()
    near, far = env.pair(multipath=False)
    exchange(near, far, 8 * MIB)


def test_joins_are_not_expected_after_fallback(env):
    """A client with a second path whose connection fell back does not get a second subflow, and loses nothing."""
    env.topology.endpoint(2)
    env.start()
    env.topology.strip_mptcp("to braid", *NOT_SYN)
    near, far = env.pair()
    exchange(near, far)
    assert env.client.counters()["MPTcpExtMPJoinSynAckRx"] == 0


@long
@cases(off_off=("off", 0), off_on=("off", 1), on_off=("on", 0), on_on=("on", 1))
def test_checksums_are_used_if_one_side_wants_them(env, braid, client):
    env.client.sysctl(net__mptcp__checksum_enabled=client)
    env.topology.shape(200)
    env.topology.endpoint(2)
    env.start([env.Edge("web", checksum=braid)])
    near, far = env.pair(subflows=2)
    if env.has_braidctl:
        assert env.proxy.connection()["mptcp"] is True
    exchange(near, far, 16 * MIB)
    assert env.client.counters()["MPTcpExtDataCsumErr"] == 0
