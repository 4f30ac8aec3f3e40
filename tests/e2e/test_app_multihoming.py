"""MPTCP and other layers that move connections (RFC 6897 section 6.3): SHIM6, HIP and Mobile IPv6, as a machine shows them."""
import contextlib
import errno
import socket

from lib import home, mptcp
from lib.env import GREETING
from lib.proxy import PORT, Cpe
from lib.stream import receive
from lib.suite import braid_only, cases
from lib.wait import until

HOME = "2001:db8:77::1"  # an address that is a home address
SHIM6, HIP = 140, 139


def start(env):
    router = env.daemon(env.home.cpe, [Cpe()])
    env.steer("up", "--lan", "lan", at=env.home.cpe)
    return router


def connected(env, version, port=PORT):
    """A device's connection to a server with MPTCP, and data both ways; the server's end."""
    address = env.home.where(env.home.multi)[version]
    listener = env.listen(6, port, address="::", at=env.home.multi, multipath=True)
    near = env.open(version, multipath=False, at=env.home.device)
    near.connect((address, port))
    far = env.accept(listener)
    near.sendall(GREETING)
    assert receive(far, len(GREETING)) == GREETING
    far.sendall(GREETING)
    assert receive(near, len(GREETING)) == GREETING
    return far


def wan_of(router, port):
    """The number of the connection over the uplinks to this port."""
    return next(c["id"] for c in router.connections() if c["side"] == "wan" and c["server"].endswith(f":{port}"))


def is_used(router, layer):
    return layer in router.ctl("uplinks")["multihoming"]


@contextlib.contextmanager
def mobile_ipv6(env):
    env.home.cpe.ip("-6", "address", "add", f"{HOME}/128", "dev", "lan", "home")
    try:
        yield "Mobile IPv6"
    finally:
        env.home.cpe.ip("-6", "address", "del", f"{HOME}/128", "dev", "lan")


@contextlib.contextmanager
def shim6(env):
    with env.home.cpe.socket(6, SHIM6, socket.SOCK_RAW):
        yield "SHIM6"


@braid_only
@cases(mobile_ipv6=mobile_ipv6, shim6=shim6)
def test_ipv6_is_plain_tcp_while_something_else_moves_it(env, layer):
    router = start(env)
    assert mptcp.is_mptcp(connected(env, 6))
    # the server has both families, and a path manager would use both
    env.home.multi.ip("mptcp", "endpoint", "add", home.MULTI[6], "dev", "eth0", "signal")
    env.home.multi.ip("mptcp", "limits", "set", "subflows", "8", "add_addr_accepted", "8")
    far = connected(env, 4, PORT + 1)
    until(lambda: len(mptcp.established(far)) == 6, "subflows of both families")
    with layer(env) as name:
        router.process.wait_for_line(f"this machine uses {name}, which MPTCP is not to be mixed with", 10)
        assert is_used(router, name)
        assert not mptcp.is_mptcp(connected(env, 6, PORT + 2))
        announced = router.counters()["MPTcpExtAddAddr"]
        far = connected(env, 4, PORT + 3)
        assert mptcp.is_mptcp(far)
        until(lambda: router.counters()["MPTcpExtAddAddr"] > announced, "the server announces its other address")
        until(lambda: len(mptcp.established(far)) >= 3, "subflows of IPv4")
        assert len(router.ctl("show", wan_of(router, PORT + 3))["subflows"]) == 3  # no other is being opened
        assert router.ctl("status")["cpes"][0]["kept_off"] == 1
    router.process.wait_for_line(f"this machine does not use {name} any more", 10)
    assert not is_used(router, name)
    assert mptcp.is_mptcp(connected(env, 6, PORT + 4))


@braid_only
def test_hip_keeps_its_identities_and_nothing_else(env):
    router = start(env)
    with env.home.cpe.socket(4, HIP, socket.SOCK_RAW):
        router.process.wait_for_line("this machine uses HIP", 10)
        assert is_used(router, "HIP")
        assert mptcp.is_mptcp(connected(env, 6)) and mptcp.is_mptcp(connected(env, 4, PORT + 1))
        before = router.ctl("status")["cpes"][0]["incoming"]
        near = env.open(6, multipath=False, at=env.home.device)
        assert near.connect_ex(("2001:20::1", PORT)) in (errno.EHOSTUNREACH, errno.ENETUNREACH)  # which the kernel says
        assert router.ctl("status")["cpes"][0]["incoming"] == before
