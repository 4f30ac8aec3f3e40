"""Version 0 of MPTCP (RFC 6824) against a peer that was written from that alone (lib/version0.py), as a client and as a server."""
import errno
import hashlib
import socket

from lib import home, net
from lib.env import PORT
from lib.proxy import Edge
from lib.stream import MIB, Receiver, Sender, noise, read_error
from lib.suite import braid_only, cases
from lib.version0 import ADD_ADDR, CAPABLE, FASTCLOSE, TCPRST, Host
from lib.wait import until
from test_cpe import start as start_cpe

SIZE = 2 * MIB
SERVICE = (net.SERVICE[4], PORT)
PLAIN_OF = {"version_1": {}, "by_default": {"versions": "1"}}


def edge(**keys):
    return [Edge("web", **{"versions": "0,1", **keys})]


def opened(env, host, checksum=False):
    """A client's connection through the edge: its two ends."""
    listener = env.listen()
    near = host.connect(net.client_address(1), SERVICE, checksum)
    far = env.accept(listener)
    listener.close()
    return near, far


def exchange(peer, kernel, size=SIZE):
    """So many bytes both ways at once, and both ends."""
    before = len(peer.received)
    pumps = Receiver(kernel, size), Sender(kernel, size)
    peer.send(noise()[:size])
    peer.end()
    for pump in pumps:
        pump.finish()
    peer.await_bytes(before + size)
    got, sent = (hashlib.sha256(each).hexdigest() for each in (peer.received[before:], noise()[:size]))
    assert got == sent, "other bytes have come than were sent"
    until(lambda: peer.peer_ended, "the end of the data has come", 30)
    assert not peer.flaws, peer.flaws


def begin(near, far):
    """A byte, whose DATA_ACK shows both ends that options pass."""
    near.send(b"x")
    assert far.recv(1) == b"x"
    until(lambda: near.data_una == 1, "the first byte is acknowledged", 30)


@braid_only
@cases(without_checksums=False, with_checksums=True)
def test_a_client_with_two_subflows(env, checksum):
    env.start(edge())
    with Host(env.topology.client) as host:
        near, far = opened(env, host, checksum)
        assert near.mptcp and near.checksum == checksum
        begin(near, far)
        second = near.join(net.client_address(2))
        shown = env.proxy.connection()
        assert (shown["mptcp"], shown["version"], shown["checksum"], len(shown["subflows"])) == (True, 0, checksum, 2)
        exchange(near, far)
        for flow in near.subflows:
            assert flow.bytes_out > SIZE // 10 and len(flow.stream) > SIZE // 10, "one of the subflows was hardly used"
        assert second.state == "established" and TCPRST not in near.seen
        near.close()
        env.no_connections()


@braid_only
def test_a_client_without_more(env):
    env.start(edge())
    with Host(env.topology.client) as host:
        near, far = opened(env, host)
        assert near.mptcp and env.proxy.connection()["version"] == 0
        exchange(near, far)
        near.close()
        env.no_connections()


@braid_only
@cases(**PLAIN_OF)
def test_where_it_is_not_allowed_a_client_gets_plain_tcp(env, keys):
    env.start([Edge("web", **keys)])
    with Host(env.topology.client) as host:
        near, far = opened(env, host)
        assert near.mptcp is False and CAPABLE not in near.seen
        exchange(near, far)
        env.no_connections()


@braid_only
def test_an_address_is_announced_without_a_proof(env):
    env.start(edge(signal=(net.SIGNAL[4],)))
    with Host(env.topology.client) as host:
        near, _ = opened(env, host)
        near.send(b"x")
        until(lambda: near.announced, "an address is announced", 30)
        # section 3.4.1: kind, length, subtype and IP version, an ID that is not 0, and the address
        option = near.announced[0]
        assert option[1:3] == bytes((8, ADD_ADDR << 4 | 4)) and option[3], option.hex()
        assert option[4:] == bytes(map(int, net.SIGNAL[4].split(".")))


@braid_only
def test_an_abort_is_told_on_an_ack(env):
    env.start(edge())
    with Host(env.topology.client) as host:
        near, far = opened(env, host)
        begin(near, far)
        assert env.proxy.ctl("kill", str(env.proxy.connection()["id"])) == {"killed": 1}
        until(lambda: near.fastclosed, "MP_FASTCLOSE has come with the client's key", 30)
        assert FASTCLOSE in near.seen and TCPRST not in near.seen
        assert read_error(far) == errno.ECONNRESET


@braid_only
def test_another_process_takes_it_over(env):
    env.start(edge())
    with Host(env.topology.client) as host:
        near, far = opened(env, host)
        begin(near, far)
        env.proxy.upgrade()
        near.join(net.client_address(2))  # whose HMAC is SHA-1's
        assert env.proxy.connection()["version"] == 0
        exchange(near, far)


def carried(env, host):
    """A connection of the home's device to the host's first port over the router: its two ends."""
    seen = len(host.connections)
    near = env.connect(4, 20000, home.MULTI[4], multipath=False, at=env.home.device)
    near.sendall(noise()[:100])
    far = until(lambda: next((c for c in host.connections[seen:] if len(c.received) == 100), None), "100 bytes come", 30)
    far.send(noise()[:100])
    assert near.recv(100, socket.MSG_WAITALL) == noise()[:100]
    return near, far


@braid_only
def test_a_server_of_version_0_is_found(env):
    """It answers version 1 without MPTCP, and is asked by version 0 the next time."""
    router = start_cpe(env, mode="transparent", versions="0,1")
    with Host(env.home.multi) as host:
        host.listen()
        near, far = carried(env, host)
        assert far.mptcp is False
        near.close()
        for _ in range(5):  # a machine that is very busy may have let a plain SYN win
            near, far = carried(env, host)
            if far.mptcp:
                break
            near.close()
        assert far.mptcp
        assert "version-0" in {each["kind"] for each in router.ctl("learned")["learned"]}
        until(lambda: len([f for f in far.subflows if f.state == "established"]) == 3, "a subflow over each uplink", 30)
        assert [c["version"] for c in router.connections() if c["side"] == "wan" and c["mptcp"]] == [0]
        exchange(far, near)
