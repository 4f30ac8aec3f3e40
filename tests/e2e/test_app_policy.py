"""Policies of the configuration (RFC 6897 section 4.5): what connections of this machine get whose programs say nothing, or do."""
import contextlib
import errno
import os
import signal

from lib import carried, home, mptcp
from lib.env import GREETING
from lib.proc import CommandFailed
from lib.program import Program
from lib.proxy import PORT, Cpe, Section
from lib.stream import receive
from lib.suite import braid_only, cases
from lib.wait import until

SOMEBODY = 4711  # a user's number; it need not have a name
CGROUPS = "mount -t cgroup2 none /sys/fs/cgroup"


class WithCgroups:
    """A namespace whose programs see the control groups of version 2, which "ip netns exec" hides."""

    def __init__(self, namespace):
        self._namespace = namespace

    def __getattr__(self, name):
        return getattr(self._namespace, name)

    def command(self, *argv):
        return self._namespace.command("sh", "-c", f'{CGROUPS} && exec "$@"', "sh", *argv)


def start(env, *policies, namespace=None, **keys):
    """A daemon on the router with these policies, each a dictionary; their names are p0, p1, ..."""
    sections = [Section(f"policy p{i}", **policy) for i, policy in enumerate(policies)]
    router = env.daemon(namespace or env.home.cpe, [Cpe(**keys), Section("profile later", path_manager="on-demand"), *sections])
    env.steer("up", "--local", at=env.home.cpe)
    return router


@contextlib.contextmanager
def connection(env, child, version=4, port=PORT, before=()):
    """Socket `s` of the program connected to a server with MPTCP, and data both ways; the server's end."""
    listener = carried.listen(env, version, port=port)
    far = carried.connect(env, child, version, before=before, listener=listener)
    carried.greet(child, far)
    yield far
    child("s.close()")
    far.close()
    listener.close()


def policy_of(router, port=PORT):
    """Of the one connection over the uplinks to this port."""
    wan = until(lambda: [c for c in router.connections() if c["side"] == "wan" and c["server"].endswith(f":{port}")], "it is listed")
    return router.ctl("show", wan[0]["id"])["policy"]


def address(env, number, version=4):
    return env.home.uplinks[number].address(version)


@braid_only
@cases(ipv4=4, ipv6=6)
def test_who_asks_decides_for_programs_that_say_nothing(env, version):
    """Without the preload, and with sockets of either family."""
    router = start(env, {"user": SOMEBODY, "mptcp": "no"}, {"user": "any", "ports": PORT + 1, "uplinks": "wan1"})
    with Program(env.home.cpe, preload=False) as child:
        with connection(env, child, version) as far:
            assert mptcp.is_mptcp(far)
            until(lambda: len(mptcp.established(far)) == 3, "all uplinks are used")
            assert policy_of(router) is None
        with connection(env, child, version, PORT + 1) as far:
            assert mptcp.is_mptcp(far) and far.getpeername()[0] == address(env, 1, version)
            assert policy_of(router, PORT + 1) == "p1"
        child(f"os.setuid({SOMEBODY})")
        for port in PORT + 2, PORT + 1:  # the first one that it comes under counts
            with connection(env, child, version, port) as far:
                assert not mptcp.is_mptcp(far)
                assert policy_of(router, port) == "p0"
    assert router.ctl("status")["cpes"][0]["by_policy"] == 3


@braid_only
def test_who_asks_is_known_of_connections_that_come_by_way_of_a_socket(env):
    router = start(env, {"user": SOMEBODY, "mptcp": "no"}, intercept="tproxy", listen="127.0.0.1:8684, [::1]:8684")
    env.steer("up", "--local", "--tproxy", "8684", at=env.home.cpe)
    with Program(env.home.cpe, preload=False) as child:
        with connection(env, child) as far:
            assert mptcp.is_mptcp(far) and policy_of(router) is None
        child(f"os.setuid({SOMEBODY})")
        with connection(env, child, port=PORT + 1) as far:
            assert not mptcp.is_mptcp(far) and policy_of(router, PORT + 1) == "p0"


@braid_only
def test_who_has_no_mptcp_needs_no_converter(env):
    """There is none at that address: the others wait for it in vain, or go on by plain TCP when it has refused."""
    router = start(env, {"user": SOMEBODY, "mptcp": "no"}, mode="convert", peer=f"{home.EDGE[4]}:1")
    with Program(env.home.cpe, preload=False) as child:
        child(f"os.setuid({SOMEBODY})")
        with connection(env, child) as far:
            assert not mptcp.is_mptcp(far)
    assert router.ctl("status")["cpes"][0]["straight"] == 1
    assert not any("peer" in line and "warn" in line for line in router.process.lines), "the converter was asked"


@braid_only
def test_what_is_asked_for_decides_for_devices_of_the_lan_as_well(env):
    router = start(env, {"user": "any", "mptcp": "no"}, {"to": f"!{home.MULTI[4]}, 0.0.0.0/0", "mptcp": "no"},
                   {"ports": f"1, {PORT}-{PORT + 1}", "profile": "later", "uplinks": "wan2, wan0"})
    env.steer("up", "--lan", "lan", at=env.home.cpe)
    listener = env.listen(address=home.MULTI[4], at=env.home.multi, multipath=True)
    near = env.open(multipath=False, at=env.home.device)
    near.connect((home.MULTI[4], PORT))
    far = env.accept(listener)
    near.sendall(GREETING)
    assert receive(far, len(GREETING)) == GREETING
    assert mptcp.is_mptcp(far) and policy_of(router) == "p2"
    wan, = (c for c in router.connections() if c["side"] == "wan")
    shown = router.ctl("show", wan["id"])
    assert shown["profile"] == "later" and shown["path_manager"] == "on-demand" and len(shown["subflows"]) == 1


@braid_only
def test_control_groups_hold_those_below_them(env):
    place = WithCgroups(env.home.cpe)
    name = f"braid-{os.getpid()}"
    start(env, {"cgroup": f"{name}/inner", "mptcp": "no"}, namespace=place)
    try:
        with Program(place, preload=False) as child:
            child(f"os.makedirs('/sys/fs/cgroup/{name}/inner/below')")
            child(f"os.mkdir('/sys/fs/cgroup/{name}/innermost')")
            for port, (group, used) in enumerate((("", True), ("innermost", True), ("inner", False), ("inner/below", False)), PORT):
                child(f"open('/sys/fs/cgroup/{name}/{group}/cgroup.procs', 'w').write(str(os.getpid()))")
                with connection(env, child, port=port) as far:
                    assert mptcp.is_mptcp(far) == used, group
    finally:
        env.home.cpe.run("sh", "-c", f"{CGROUPS}; cd /sys/fs/cgroup && find {name} -depth -type d -exec rmdir {{}} +")


@braid_only
def test_programs_are_known_if_they_are_preloaded(env):
    """By the name of their file, or by its path; and only those that a policy names have to say."""
    path = os.path.realpath("/proc/self/exe")
    router = start(env, {"program": "none-such", "mptcp": "no"}, {"program": f"other, {path}", "ports": PORT, "mptcp": "no"},
                   {"program": os.path.basename(path), "uplinks": "wan1"})
    with Program(env.home.cpe, router) as child:
        with connection(env, child) as far:
            assert not mptcp.is_mptcp(far) and policy_of(router) == "p1"
        with connection(env, child, port=PORT + 1) as far:
            assert mptcp.is_mptcp(far) and policy_of(router, PORT + 1) == "p2"
    with Program(env.home.cpe, preload=False) as child, connection(env, child, port=PORT + 2) as far:
        assert mptcp.is_mptcp(far) and policy_of(router, PORT + 2) is None


@braid_only
def test_a_daemon_that_does_not_answer_is_asked_once(env):
    """Whether a policy names the program. Its connections here are not Braid's, and have to come about whatever the daemon does."""
    router = start(env, {"program": os.path.basename(os.path.realpath("/proc/self/exe")), "mptcp": "no"})
    with Program(env.home.cpe, router) as child:
        child("kept('l', socket.create_server(('127.0.0.1', 0)))")
        connecting = "(time.monotonic(), socket.create_connection(l.getsockname()).close(), time.monotonic())"
        router.process.signal(signal.SIGSTOP)
        try:
            took = [end - begin for begin, _, end in (child(connecting) for _ in range(3))]
        finally:
            router.process.signal(signal.SIGCONT)
        assert 1.5 < took[0] < 4 and max(took[1:]) < 1, took


@braid_only
def test_what_a_program_says_itself_comes_before(env):
    router = start(env, {"user": "any", "mptcp": "no", "uplinks": "wan0", "profile": "interactive"})
    one = address(env, 1)
    with Program(env.home.cpe, router) as child:
        with connection(env, child) as far:
            assert not mptcp.is_mptcp(far) and far.getpeername()[0] == address(env, 0)
        with connection(env, child, port=PORT + 1, before=["enable(s, 1)"]) as far:
            assert mptcp.is_mptcp(far) and far.getpeername()[0] == address(env, 0)
            assert child("profile(s)") == "interactive"
        with connection(env, child, port=PORT + 2, before=[f"add(s, '{one}')", "profile(s, 'bulk')"]) as far:
            assert mptcp.is_mptcp(far) and far.getpeername()[0] == one
            assert child("profile(s)") == "bulk"


@braid_only
def test_an_uplink_that_is_wanted_alone_is_not_replaced_by_others(env):
    start(env, {"ports": PORT, "uplinks": "wan2"})
    env.home.uplinks[2].unplug()
    with Program(env.home.cpe, preload=False) as child:
        child("kept('s', opened())")
        try:
            child(f"s.connect(('{home.MULTI[4]}', {PORT}))")
            raise AssertionError("it is connected")
        except OSError as error:
            assert error.errno in (errno.EHOSTUNREACH, errno.ECONNREFUSED), error
        with connection(env, child, port=PORT + 1) as far:
            assert mptcp.is_mptcp(far)


@braid_only
def test_what_a_policy_lacks_is_said_at_the_start(env):
    """The namespaces of the tests do not show the control groups."""
    try:
        start(env, {"cgroup": "some/group", "mptcp": "no"})
    except CommandFailed as error:
        assert "policies that depend on who asks: control groups of version 2 are mounted neither" in str(error), error
        return
    raise AssertionError("it has started")
