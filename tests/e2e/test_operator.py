"""What an operator does to connections: picks some out of many, and ends them."""
import errno
import json

from lib import net, proxy
from lib.proc import run
from lib.proxy import Converter, Edge, Transparent
from lib.stream import read_error, receive
from lib.suite import braid_only, cases
from lib.wait import until

CLIENTS = {"mptcp": True, "plain_tcp": False}


def answers(near, far):
    near.sendall(b"ping")
    assert receive(far, 4) == b"ping"
    far.sendall(b"pong")
    assert receive(near, 4) == b"pong"


def ids(listed):
    return [connection["id"] for connection in listed]


def refused(env, *command):
    """What braidctl says to a command that the daemon refuses."""
    done = run([proxy.BRAIDCTL, "-s", env.proxy.control, *command], check=False)
    assert done.returncode == 1, done
    return done.stderr


def number_of(env, near):
    """The id of a client's connection."""
    client = net.join(*near.getsockname()[:2])
    return next(connection["id"] for connection in env.proxy.connections() if connection["client"] == client)


@braid_only
@cases(**CLIENTS)
def test_a_connection_that_is_killed_ends_for_both_sides_and_no_other(env, multipath):
    env.start(workers=2)
    near, far = env.pair(multipath=multipath)
    answers(near, far)
    others = [env.pair() for _ in range(3)]
    number = number_of(env, near)
    assert env.proxy.ctl("kill", str(number)) == {"killed": 1}
    assert read_error(near) == errno.ECONNRESET
    assert read_error(far) == errno.ECONNRESET
    assert env.client.counters().get("MPTcpExtMPFastcloseRx", 0) == int(multipath)
    until(lambda: number not in ids(env.proxy.connections()), "it is gone")
    assert "no connection has this id" in refused(env, "kill", str(number))
    for pair in others:
        answers(*pair)
    assert sum(edge["killed"] for edge in env.proxy.ctl("status")["edges"]) == 1
    assert sum(edge["client_reset"] for edge in env.proxy.ctl("status")["edges"]) == 0


@braid_only
def test_all_that_filters_fit_are_killed_and_counted(env):
    env.start(workers=2)
    web = [env.pair() for _ in range(5)]
    web6 = [env.pair(version=6) for _ in range(3)]
    assert env.proxy.ctl("kill", "--edge", "web6", "--client", "192.0.2.0/24") == {"killed": 0}
    assert env.proxy.ctl("kill", "--edge", "web6") == {"killed": 3}
    for pair in web6:
        assert [read_error(end) for end in pair] == [errno.ECONNRESET] * 2
    for pair in web:
        answers(*pair)
    assert env.proxy.ctl("kill", "client=0.0.0.0/0") == {"killed": 5}
    for pair in web:
        assert [read_error(end) for end in pair] == [errno.ECONNRESET] * 2
    env.no_connections()
    for command in ("kill", "kill all", "kill 1 2", "kill limit=3"):
        assert run([proxy.BRAIDCTL, "-s", env.proxy.control, *command.split()], check=False).returncode != 0


@braid_only
def test_lists_are_filtered_and_come_in_pages(env):
    env.start(workers=2)
    pairs = [env.pair() for _ in range(7)] + [env.pair(version=6)]
    listed = env.proxy.connections()
    of_web = [connection["id"] for connection in listed if connection["edge"] == "web"]
    assert len(of_web) == 7

    def asked(*words):
        by_option = env.proxy.ctl("connections", *(f"--{word}" for word in words))
        code, body = env.proxy.http("/api/v1/connections?" + "&".join(words))
        assert code == 200, body
        assert ids(json.loads(body)["connections"]) == ids(by_option["connections"])
        assert by_option["count"] == len(by_option["connections"])
        return by_option

    assert ids(asked("edge=web")["connections"]) == of_web
    assert len(asked("edge=web6", "state=established")["connections"]) == 1
    assert asked("edge=web", "state=closing")["count"] == 0
    assert asked("client=" + net.client_address(1))["count"] == 7
    assert asked("server=" + net.join(net.SERVER[4], proxy.PORT))["count"] == 7
    assert asked("subflows=0-1")["count"] == 8 and asked("subflows=2-")["count"] == 0
    assert asked("idle=3600")["count"] == 0
    until(lambda: env.proxy.ctl("connections", "--idle=1")["count"] == 8, "nothing has happened for a second")
    assert asked("idle=1")["count"] == 8
    answers(*pairs[0])
    page, after = [], "after=0"
    while after:
        part = asked("edge=web", "limit=3", after)
        page += ids(part["connections"])
        after = part["next_after"] and f"after={part['next_after']}"
    assert page == of_web
    assert len(asked("sort=age", "limit=2")["connections"]) == 2
    for wrong, why in (("idle=x", "a number of seconds"), ("edge=none", "no edge or CPE"), ("size=1", "this command takes")):
        code, body = env.proxy.http(f"/api/v1/connections?{wrong}")
        assert code == 400 and why in json.loads(body)["error"]
        assert why in refused(env, "connections", wrong)


def text(env, *command):
    return run([proxy.BRAIDCTL, "-s", env.proxy.control, *command]).stdout


@braid_only
def test_the_configuration_in_force_is_a_file_that_means_the_same(env):
    """Also behind a reload; what differs from the defaults is enough of it."""
    secret = "correct-horse-battery"
    edges = [Edge("web", eject=5), Converter("convert", cookie="psk", psk=secret), Transparent("transit", ports="443")]
    env.start(edges, workers=1, limits={"keepalive": 60})
    for command in (["config"], ["config", "--changed"]):
        whole, shown = text(env, "config"), text(env, *command)
        assert "[edge web]\n" in shown and "eject = 5\n" in shown and "keepalive = 60\n" in shown
        assert secret not in shown and "psk = " in shown
        assert ("eject_time = 30\n" in shown) == (len(command) == 1)
        env.proxy.config.write_text(shown)
        checked = run([proxy.BRAIDD, "-t", "-c", env.proxy.config])
        assert not checked.stderr, checked.stderr
        text(env, "reload")
        assert text(env, "config") == whole and text(env, *command) == shown
    shown = env.proxy.ctl("config")
    keys = {(one["section"], key["key"]): key for one in shown["sections"] for key in one["keys"]}
    assert keys["edge web", "eject"]["value"] == "5" and keys["edge web", "eject"]["changed"]
    assert keys["edge web", "eject_time"]["value"] == "30" and not keys["edge web", "eject_time"]["changed"]
    assert keys["edge convert", "psk"]["value"] is None and keys["edge convert", "psk"]["secret"]
    code, body = env.proxy.http("/api/v1/config?changed=yes")
    assert code == 200 and json.loads(body) == env.proxy.ctl("config", "--changed")
