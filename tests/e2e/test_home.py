"""The topology that tests of the client side use (lib/home.py) is as it says: no daemon is needed."""
import errno
import socket
import time

from lib import conntrack, home
from lib.proxy import PORT
from lib.stream import MIB, receive, transfer
from lib.suite import alone, braid_only, cases
from lib.wait import until

VERSIONS = {"ipv4": 4, "ipv6": 6}


def peer(sock):
    return sock.getpeername()[0]


def over(env, uplink, version=4):
    """A connection of the router's own over that uplink, None if none comes about within a second."""
    listener = env.listen(version, address=home.PLAIN[version], at=env.home.plain)
    near = env.open(version, multipath=False, at=env.home.cpe)
    near.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, uplink.device.encode())
    near.settimeout(1)
    try:
        near.connect((home.PLAIN[version], PORT))
    except OSError as error:
        assert isinstance(error, TimeoutError) or error.errno in (errno.ENETUNREACH, errno.EHOSTUNREACH), error
        return None
    else:
        return near, env.accept(listener)
    finally:
        listener.close()


@braid_only
@cases(**VERSIONS)
def test_the_device_reaches_every_server_and_each_uplink_works(env, version):
    for server in (env.home.plain, env.home.multi, env.home.edge):
        near, far = env.home_pair(version, server)
        transfer(near, far, MIB)
        assert peer(far) == env.home.uplinks[0].address(version)
    for uplink in env.home.uplinks:
        near, far = over(env, uplink, version)
        assert peer(far) == uplink.address(version)


@braid_only
@cases(**VERSIONS)
def test_an_uplink_fails_in_each_way_and_comes_back(env, version):
    uplink, other = env.home.uplinks[:2]
    for fail, mend in (("unplug", "plug"), ("switch_off", "switch_on"), ("go_silent", "speak")):
        getattr(uplink, fail)()
        assert over(env, uplink, version) is None, fail
        assert over(env, other, version), f"{other.device} while {uplink.device} does {fail}"
        getattr(uplink, mend)()
        until(lambda: over(env, uplink, version), f"{uplink.device} works after {mend}")
    uplink.disconnect(version)
    assert over(env, uplink, version) is None
    uplink.connect(version)
    before = uplink.address(version)
    uplink.change_address(version)
    _, far = over(env, uplink, version)
    assert peer(far) == uplink.address(version) != before


@braid_only
def test_silence_of_one_direction(env):
    uplink = env.home.uplinks[0]
    near, far = over(env, uplink)
    uplink.go_silent("down")
    near.sendall(b"up")
    assert receive(far, 2) == b"up"
    far.sendall(b"down")
    try:
        receive(near, 4, limit=1)
    except TimeoutError:
        uplink.speak()
    assert receive(near, 4) == b"down"


@braid_only
def test_a_modem_translates_and_forgets(env):
    uplink = env.home.uplinks[0]
    uplink.translate(forgets=1)
    near, far = over(env, uplink)
    assert peer(far) == "100.64.0.2"
    transfer(far, near, 1000, end=False)
    until(lambda: not any("10.0.0.2" in entry and "ESTABLISHED" in entry for entry in conntrack.entries(uplink.modem)),
          "the modem has forgotten it")
    far.sendall(b"too late")
    near.settimeout(1)
    try:
        assert not near.recv(1), "the modem still knows the connection"
    except OSError:
        pass


@braid_only
@cases(tells=(True,), mute=(False,))
def test_a_narrow_line_tells_or_does_not(env, tells):
    uplink = env.home.uplinks[0]
    uplink.narrow(1400, tells)
    for version in (4, 6):
        near, far = over(env, uplink, version)
        for source, sink in ((near, far), (far, near)):
            source.settimeout(1)
            try:
                source.sendall(bytes(100000))
                receive(sink, 100000, limit=1)
                assert tells, "large packets came through"
            except TimeoutError:
                assert not tells, "large packets did not come through, though their size was complained of"


@alone
@braid_only
def test_rate_and_delay_are_those_asked_for(env):
    env.build_home({"mbit": 20}, {"mbit": 40, "rtt": 60})
    for uplink, rate, rtt in zip(env.home.uplinks, (20, 40), (0, 0.06)):
        begun = time.monotonic()
        near, far = over(env, uplink)
        assert rtt <= time.monotonic() - begun < rtt + 0.05
        for source, sink in ((near, far), (far, near)):
            got = transfer(source, sink, 2 * MIB, end=False)
            assert 0.6 * rate < 2 * MIB * 8 / got.seconds / 1e6 < 1.05 * rate, (uplink.device, got.seconds)
