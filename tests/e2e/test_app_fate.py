"""What programs, and operators, ask of one connection in numbers and by name: that it ends with its first subflow, what it is
expected to carry, how many subflows it has, by which path manager, and how much goes over several paths (REQ7, 9, 10, 12 and 13
of RFC 6897)."""
import errno

from lib import home
from lib.env import GREETING
from lib.proxy import PORT
from lib.stream import MIB
from lib.suite import braid_only, cases
from lib.wait import until

from test_app import braidrun, connect, greet, local_addresses, program, refuses, start, uplink_addresses, wan_of, web_server

FIRST_GONE = "BraidFateShared"


def has(child, n):
    until(lambda: len(child("subflows(s)")) == n, f"{n} subflows, of {child('statistics(s)')}")


def first_uplink(child):
    """That whose address the connection began from: the one with the number 0."""
    first, = (s for s in child("statistics(s)") if s["subflow"] == 0)
    return first["local"][0]


SAID = {"policy": ("yes", [], None), "before": ("no", ["number(s, FATE_SHARING, 1)"], None),
        "later": ("no", [], "number(s, FATE_SHARING, 1)")}


@braid_only
@cases(**SAID)
def test_a_connection_ends_with_its_first_subflow(env, policy, before, later):
    router = start(env, fate_sharing=policy)
    with program(env, router) as child:
        far = connect(env, child, before=before)
        greet(child, far)
        has(child, 3)
        if later:
            assert child("number(s, FATE_SHARING)") == 0
            child(later)
        assert child("number(s, FATE_SHARING)") == 1 and wan_of(router)["fate_sharing"]
        child(f"remove(s, '{first_uplink(child)}')")
        assert refuses(child, "received(s, 1)", errno.ECONNRESET)
        far.settimeout(10)
        try:
            raise AssertionError(f"the server has received {far.recv(1)}")
        except ConnectionResetError:
            pass
        assert router.counters()[FIRST_GONE] == 1
        assert router.ctl("status")["cpes"][0]["first_gone"] == 1


@braid_only
@cases(policy=("no", []), said=("yes", ["number(s, FATE_SHARING, 0)"]))
def test_or_goes_on_without_it(env, policy, before):
    router = start(env, fate_sharing=policy)
    with program(env, router) as child:
        far = connect(env, child, before=before)
        greet(child, far)
        has(child, 3)
        first = first_uplink(child)
        child(f"remove(s, '{first}')")
        until(lambda: first not in local_addresses(child), "the first uplink is left")
        greet(child, far)
        # asked for before the subflow has ended it would be heeded
        until(lambda: [len(one["subflows"]) for one in router.connections() if one["side"] == "wan"] == [2], "the subflow has ended")
        assert refuses(child, "number(s, FATE_SHARING, 1)", errno.ENOENT), "it is too late to share a fate"
        assert router.counters()[FIRST_GONE] == 0


@braid_only
def test_what_is_expected_decides_when_subflows_are_opened(env):
    router = start(env, path_manager="on-demand")
    with program(env, router) as child:
        for port, before, subflows in ((PORT, [], 1), (PORT + 1, [f"number(s, EXPECT_BYTES, {MIB})"], 3),
                                       (PORT + 2, ["number(s, EXPECT_RATE, 10 ** 10)", "number(s, EXPECT_DURATION, 5000)"], 3),
                                       (PORT + 3, ["number(s, EXPECT_BYTES, 1000)"], 1)):
            far = connect(env, child, before=before, port=port)
            greet(child, far)
            has(child, subflows)
        assert child("number(s, EXPECT_BYTES)") == 1000 and child("number(s, EXPECT_RATE)") == 0
        child(f"number(s, EXPECT_BYTES, {MIB})")  # it is more after all
        has(child, 3)
        assert refuses(child, "number(s, EXPECT_BYTES, 2 ** 63)", errno.EINVAL)


@braid_only
def test_a_number_of_subflows_may_be_asked_for(env):
    router = start(env)
    with program(env, router) as child:
        far = connect(env, child, before=["number(s, NUMBER, 1)"])
        assert child("number(s, NUMBER)") == 1
        greet(child, far)
        greet(child, far)
        has(child, 1)
        for n in (2, 3, 1):  # the server's kernel takes no more than three
            child(f"number(s, NUMBER, {n})")
            has(child, n)
            greet(child, far)
        one, = uplink_addresses(env, 1)
        far = connect(env, child, before=[f"add(s, '{one}')", "number(s, NUMBER, 3)"], port=PORT + 1)
        greet(child, far)
        has(child, 3)
        assert local_addresses(child) == 3 * [one]
        assert refuses(child, "number(s, NUMBER, 17)", errno.EINVAL)


@braid_only
def test_a_path_manager_is_named_before_and_later(env):
    router = start(env)
    with program(env, router) as child:
        far = connect(env, child, before=["path_manager(s, 'on-demand')"])
        greet(child, far)
        assert child("path_manager(s)") == "on-demand" == wan_of(router)["path_manager"]
        has(child, 1)
        child("profile(s, 'interactive')")  # which names none, and would bring the CPE's
        assert child("path_manager(s)") == "on-demand"
        child("path_manager(s, 'fullmesh')")
        has(child, 3)
        assert refuses(child, "path_manager(s, 'none-such')", errno.EINVAL)


@braid_only
def test_redundancy_is_none_some_or_all(env):
    router = start(env)
    with program(env, router) as child:
        far = connect(env, child, before=["number(s, REDUNDANCY, 2)"])
        greet(child, far)
        has(child, 3)
        assert child("number(s, REDUNDANCY)") == 2 and wan_of(router)["scheduler"] == "redundant"
        for _ in range(20):
            greet(child, far)
        sent = [s["sent"] for s in child("statistics(s)")]
        assert min(sent) >= 15 * len(GREETING), sent
        for level in (0, 1):
            child(f"number(s, REDUNDANCY, {level})")
            assert child("number(s, REDUNDANCY)") == level and wan_of(router)["scheduler"] == "minrtt"
            greet(child, far)
        assert refuses(child, "number(s, REDUNDANCY, 3)", errno.EINVAL)


@braid_only
def test_without_a_connection_they_read_as_they_were_set(env):
    router = start(env)
    with program(env, router) as child:
        child("kept('s', opened())")
        for option in ("number(s, FATE_SHARING)", "number(s, EXPECT_BYTES)", "path_manager(s)"):
            assert refuses(child, option, errno.ENOTCONN)
        child("s.setsockopt(LEVEL, NUMBER, 3)")  # an int will do
        assert child("s.getsockopt(LEVEL, NUMBER)") == 3 and child("number(s, NUMBER)") == 3
        assert refuses(child, "s.setsockopt(LEVEL, NUMBER, -1)", errno.EINVAL)
        assert refuses(child, "s.setsockopt(LEVEL, NUMBER, b'1')", errno.EINVAL)


@braid_only
def test_all_of_them_under_braidrun(env):
    router = start(env)
    url = f"http://{home.MULTI[4]}:{PORT}/"
    with web_server(env) as asked:
        for options in (("--path-manager", "on-demand", "--subflows", "2", "--expect-bytes", "5MB"),
                        ("--expect-duration=10", "--expect-rate=1KB"), ("--redundancy", "all", "--fate-sharing=yes")):
            done = braidrun(env, router, *options, "curl", "-sS", "-m", "10", url)
            assert done.stdout == GREETING.decode()
        assert len(asked) == 3
        done = braidrun(env, router, "--path-manager", "none-such", "curl", "-sSv", "-m", "10", url, check=False)
        assert done.returncode == 7 and "Invalid argument" in done.stderr, done.stderr
    for words in (("--subflows", "17"), ("--subflows", "x"), ("--expect-bytes", "5mb"), ("--expect-rate", ""), ("--expect-duration", "-1"),
                  ("--redundancy", "most"), ("--fate-sharing", "1"), ("--path-manager", "x" * 32), ("--expect-nothing", "1")):
        done = braidrun(env, router, *words, "true", check=False)
        assert done.returncode == 2 and done.stderr.startswith("braidrun: ") and done.stderr.count("\n") == 1, (words, done.stderr)


@braid_only
def test_an_operator_sets_them_as_well(env):
    router = start(env)
    with program(env, router) as child:
        far = connect(env, child)
        greet(child, far)
        has(child, 3)
        number = wan_of(router)["id"]
        for what, name, shown, value in (("path_manager", "on-demand", "path_manager", "on-demand"),
                                         ("redundancy", "all", "scheduler", "redundant"), ("redundancy", "none", "scheduler", "minrtt"),
                                         ("fate_sharing", "yes", "fate_sharing", True), ("fate_sharing", "no", "fate_sharing", False)):
            assert router.ctl("set", number, what, name)[shown] == value
        assert wan_of(router)["profile"] == "bulk"
        router.ctl("set", number, "subflows", "1")
        has(child, 1)
        assert child("number(s, NUMBER)") == 1
        greet(child, far)
