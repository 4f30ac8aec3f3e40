"""Connections that begin over several uplinks, some of which are dead or do not like MPTCP: how long that takes, and what later
ones make of it. In the modem of an uplink stands a middlebox of nftables or iptables."""
import errno
import time

from lib import home, mptcp
from lib.env import PORT
from lib.stream import MIB, transfer
from lib.suite import alone, braid_only, cases, long
from lib.wait import FACTOR, until
from test_cpe import FAMILIES, start

HEAD_START = 0.25
# More than the head start of one uplink, less than that of two; and no head start at all.
LATE, AT_ONCE = (HEAD_START, 0.3), (0, 0.1)
SYN = 'iifname "cpe" tcp flags & (syn | ack) == syn tcp option mptcp subtype 0'


def box(uplink, *rules):
    uplink.modem.run("nft", "-f", "-", stdin="table inet box {\nchain forward {\ntype filter hook forward priority 0;\n"
                     + "\n".join(rules) + "\n}\n}\n")


def strip(uplink):
    for iptables in ("iptables", "ip6tables"):
        uplink.modem.run(iptables, "-t", "mangle", "-A", "FORWARD", "-p", "tcp", "-j", "TCPOPTSTRIP", "--strip-options", "30")


def winner(env, near, listener):
    """The server's end of the connection. A candidate that has lost may have been there for a moment."""
    near.sendall(b"!")
    while True:
        far = env.accept(listener)
        try:
            assert far.recv(1) == b"!"
            return far
        except ConnectionResetError:
            far.close()


def opened(env, within, version=4, server=None):
    """Both ends of a connection of the LAN's device to a server, that with MPTCP unless named, opened within so many seconds, and
    whether it is MPTCP over the uplinks."""
    server = server or env.home.multi
    address = env.home.where(server)[version]
    listener = env.listen(version, PORT, address=address, multipath=server is env.home.multi, at=server)
    near = env.open(version, multipath=False, at=env.home.device)
    begun = time.monotonic()
    near.connect((address, PORT))
    took = time.monotonic() - begun
    far = winner(env, near, listener)
    listener.close()
    assert within[0] <= took < within[1] * FACTOR, took
    transfer(near, far, MIB // 4, end=False)
    over_mptcp = server is env.home.multi and mptcp.is_mptcp(far)
    transfer(far, near, MIB // 4)
    for sock in (near, far):
        sock.close()
    return over_mptcp


def learned(router):
    return {(entry["uplink"], entry["kind"], entry["destination"]): entry for entry in router.ctl("learned")["learned"]}


def uplink_of(router, name):
    return next(uplink for uplink in router.ctl("uplinks")["uplinks"] if uplink["name"] == name)


def destination(version):
    return f"{home.MULTI[4]}:{PORT}" if version == 4 else f"[{home.MULTI[6]}]:{PORT}"


PREFIX = {4: "198.18.3.0/24", 6: "2001:db8:18::/48"}


@alone
@braid_only
@cases(**FAMILIES)
def test_the_first_uplink_is_dead_when_the_first_connection_begins(env, version):
    """It costs the head start once: the others know, whichever worker they are of."""
    router = start(env)
    env.home.uplinks[0].go_silent()
    assert opened(env, LATE, version)
    entry = until(lambda: learned(router).get(("wan0", "silent", destination(version))), "the silence is learned")
    assert entry["believed"] and 1 <= entry["left_s"] <= 5
    for _ in range(4):
        assert opened(env, AT_ONCE, version)
    router.ctl("learned", "clear")
    assert not learned(router)
    assert opened(env, LATE, version)


@alone
@long
@braid_only
def test_it_is_tried_again_after_a_while(env):
    router = start(env)
    env.home.uplinks[0].go_silent()
    opened(env, LATE)
    env.home.uplinks[0].speak()
    until(lambda: not learned(router), "what was learned is over", 10)
    opened(env, AT_ONCE)
    assert not learned(router)


@alone
@braid_only
@cases(**FAMILIES)
def test_an_uplink_that_drops_syns_with_the_option(env, version):
    """The only one: a plain SYN follows, and comes first from the third connection on, as one SYN may have been lost."""
    env.build_home({})
    router = start(env)
    box(env.home.uplinks[0], f"{SYN} drop")
    key = ("wan0", "dropped", PREFIX[version])
    assert not opened(env, LATE, version)
    first = until(lambda: learned(router).get(key), "it is learned")
    assert first["times"] == 1 and not first["believed"]
    until(lambda: learned(router)[key]["left_s"] < first["left_s"] - 1, "it is more than a second ago")  # else the same loss
    assert not opened(env, LATE, version)
    second = until(lambda: learned(router)[key]["believed"] and learned(router)[key], "it is believed")
    assert second["times"] == 2
    for _ in range(4):
        assert not opened(env, AT_ONCE, version)


@alone
@braid_only
@cases(**FAMILIES)
def test_one_that_answers_them_with_a_reset(env, version):
    """It makes plain TCP at once, and the next connection takes the uplink over which MPTCP can be had."""
    router = start(env)
    box(env.home.uplinks[0], f"{SYN} reject with tcp reset")
    assert not opened(env, AT_ONCE, version)
    entry = until(lambda: learned(router).get(("wan0", "dropped", PREFIX[version])), "it is learned")
    assert entry["believed"]
    for _ in range(4):
        assert opened(env, AT_ONCE, version)


@alone
@braid_only
@cases(**FAMILIES)
def test_one_that_takes_the_option_away(env, version):
    """With a peer that is known to speak MPTCP: connections after the first take the uplink that leaves it."""
    env.build_home({}, {"rtt": 10}, {"rtt": 10})  # probes of the peer would put another one first, or not
    router = start(env, mode="explicit", peer=destination(version))
    strip(env.home.uplinks[0])
    assert not opened(env, AT_ONCE, version)
    entry = until(lambda: learned(router).get(("wan0", "stripped", PREFIX[version])), "it is learned")
    assert entry["believed"]
    until(lambda: uplink_of(router, "wan0")["strips_option_30"], "the uplink is known for it")
    router.process.wait_for_line("uplink wan0: takes away TCP option 30")
    assert not uplink_of(router, "wan1")["strips_option_30"]
    for _ in range(4):
        assert opened(env, AT_ONCE, version)


@alone
@braid_only
@cases(**FAMILIES)
def test_where_plain_tcp_may_not_be_the_next_uplink_carries_it(env, version):
    """Without delay, whatever the first one does to the option; it is refused only if no uplink leaves it."""
    router = start(env, plain="refuse")
    strip(env.home.uplinks[0])
    assert opened(env, AT_ONCE, version)
    box(env.home.uplinks[1], f"{SYN} reject with tcp reset")
    assert opened(env, AT_ONCE, version)
    strip(env.home.uplinks[2])
    near = env.open(version, multipath=False, at=env.home.device)
    env.listen(version, PORT, address=home.MULTI[version], multipath=True, at=env.home.multi)
    assert near.connect_ex((home.MULTI[version], PORT)) == errno.ECONNREFUSED
    status = router.ctl("status")["cpes"][0]
    assert status["refused"] + status["not_mptcp"] == 1


@alone
@braid_only
def test_servers_without_mptcp_are_no_reproach(env):
    router = start(env)
    for _ in range(3):
        opened(env, AT_ONCE, server=env.home.plain)
    assert ("wan0", "stripped", "198.18.2.0/24") in learned(router)
    assert not any(uplink["strips_option_30"] for uplink in router.ctl("uplinks")["uplinks"])
    assert opened(env, AT_ONCE)


@alone
@braid_only
def test_an_uplink_with_another_address_is_another_uplink(env):
    router = start(env)
    box(env.home.uplinks[0], f"{SYN} reject with tcp reset")
    opened(env, AT_ONCE)
    until(lambda: learned(router), "it is learned")
    env.home.uplinks[0].change_address()
    until(lambda: not learned(router), "it is forgotten")
