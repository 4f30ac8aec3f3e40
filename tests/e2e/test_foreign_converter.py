"""A CPE and a converter that is not Braid's: one made from the RFC alone, on MPTCP sockets of the kernel's."""
import errno
import socket
import struct

from lib import convert, home, mptcp, net
from lib.env import PORT
from lib.foreign_converter import MPTCP, ForeignConverter
from lib.stream import MIB, read_error, receive, receive_all, transfer
from lib.suite import braid_only, cases
from lib.wait import until
from test_cpe import CONVERT, carried, converter, counter, shaped, start, straight

FAST = {"syn": True, "stream": False}  # whether its kernel takes what a SYN carries
KINDS = {f"v{version}_{when}": (version, fast) for version in home.VERSIONS for when, fast in FAST.items()}


def through(env, version=4, fast_open=False, **how):
    """The router, and the converter that it goes through."""
    foreign = ForeignConverter(env, home.EDGE[version], CONVERT, fast_open, **how)
    return start(env, workers=1, mode="convert", peer=net.join(home.EDGE[version], CONVERT)), foreign


def connect_ex(env, address=home.PLAIN[4], port=PORT):
    near = env.open(4, multipath=False, at=env.home.device)
    return near, near.connect_ex((address, port))


@braid_only
@cases(**KINDS)
def test_both_directions_over_all_uplinks(env, version, fast_open):
    shaped(env)
    router, foreign = through(env, version, fast_open)
    near, far = env.home_pair(version)
    assert far.getpeername()[0] == home.EDGE[version] and foreign.asked == [(PORT, [MPTCP], b"")]
    assert (env.home.edge.counters()["TcpExtTCPFastOpenPassive"] > 0) == fast_open
    transfer(near, far, 16 * MIB, end=False)
    assert sum(b > MIB for b in carried(router, "bytes_out").values()) >= 2
    transfer(far, near, 16 * MIB, end=False)
    assert sum(b > MIB for b in carried(router, "bytes_in").values()) >= 2
    near.shutdown(socket.SHUT_WR)
    assert far.recv(1) == b""
    far.sendall(b"bye")
    far.close()
    assert receive_all(near) == b"bye"
    assert (counter(router, "without_mptcp"), counter(router, "straight")) == (0, 0)


@braid_only
@cases(**FAST)
def test_a_server_may_speak_first_and_reset(env, fast_open):
    through(env, fast_open=fast_open)
    near, far = env.home_pair(4)
    far.sendall(b"220 good morning\r\n")
    assert receive(near, 18) == b"220 good morning\r\n"
    far.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    far.close()
    assert read_error(near) == errno.ECONNRESET


@braid_only
@cases(**FAST)
def test_what_servers_do_means_what_it_means(env, fast_open):
    """One whose kernel takes a SYN's data says yes before it has asked the server. The first device that is told so is reset; from
    then on the message is waited for."""
    router, _ = through(env, fast_open=fast_open)
    if fast_open:
        near, error = connect_ex(env)  # which may not return before the RST is here, and then tells that
        assert (error or read_error(near)) == errno.ECONNRESET and counter(router, "late") == 1
    for _ in range(2):
        assert connect_ex(env)[1] == errno.ECONNREFUSED
    assert connect_ex(env, home.world_net(2, 4, 99))[1] == errno.EHOSTUNREACH
    near, far = env.home_pair(4)
    transfer(near, far, MIB // 4)


@braid_only
def test_its_cookies_are_shown(env):
    router, foreign = through(env, cookies=True)
    for _ in range(3):
        near, far = env.home_pair(4)
        transfer(near, far, MIB // 4)
    right = set(foreign.cookies.values())
    assert {cookie for _, _, cookie in foreign.asked} <= right and len(foreign.asked) == 3
    for client in foreign.cookies:
        foreign.cookies[client] = bytes(12)  # the old one is wrong
    near, far = env.home_pair(4)
    transfer(near, far, MIB // 4)
    assert foreign.asked[-1][2] == bytes(12) and counter(router, "straight") == 0


@braid_only
@cases(**FAST)
def test_it_tells_which_servers_speak_mptcp(env, fast_open):
    router, foreign = through(env, fast_open=fast_open)
    listener = env.listen(4, PORT, address=home.MULTI[4], multipath=True, at=env.home.multi)
    for number in range(2):
        near = env.connect(4, PORT, home.MULTI[4], multipath=False, at=env.home.device)
        far = env.accept(listener)
        transfer(near, far, MIB // 4)
        assert mptcp.is_mptcp(far) and (far.getpeername()[0] == home.EDGE[4]) == (number == 0)
        until(lambda: straight(router) == [net.join(home.MULTI[4], PORT)], "the converter has told it")
    for number in range(2):
        near, far = env.home_pair(4)
        transfer(near, far, MIB // 4)
    assert foreign.asked == [(PORT, [MPTCP], b"")] * 2 + [(PORT, [], b"")] and counter(router, "bypassed") == 1


@braid_only
def test_one_that_does_not_know_the_option_is_asked_without(env):
    router, foreign = through(env, knows=())
    for _ in range(2):
        near, far = env.home_pair(4)
        transfer(near, far, MIB // 4)
    assert foreign.asked == [(PORT, [MPTCP], b""), (PORT, [], b""), (PORT, [], b"")] and counter(router, "straight") == 0


@braid_only
@cases(exhausted=(convert.RESOURCE_EXCEEDED, b"\x05", True), failed=(convert.NETWORK_FAILURE, b"\0", True),
       unauthorized=(convert.NOT_AUTHORIZED, b"\0", False))
def test_one_that_does_not_want_is_passed_over(env, code, value, rests):
    """The next one, Braid's own, carries the connection; whoever says for how long is left alone as long."""
    foreign = ForeignConverter(env, home.EDGE[4], CONVERT, answer=(code, value))
    env.daemon(env.home.edge, [converter(env)])
    router = start(env, workers=1, mode="convert",
                   peer=", ".join(net.join(address, CONVERT) for address in (home.EDGE[4], home.service(1))))
    for _ in range(3):
        near, far = env.home_pair(4)
        transfer(near, far, MIB // 4)
    assert len(foreign.asked) == (1 if rests else 3)
    assert (counter(router, "accepted"), counter(router, "without_mptcp"), counter(router, "straight")) == (3, 0, 0)
