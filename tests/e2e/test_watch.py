"""braidctl watch: a line for what happens, while it happens."""
import json
import os
import subprocess

from lib import net, proxy
from lib.proc import run
from lib.proxy import Edge
from lib.stream import MIB, Receiver, Sender, transfer
from lib.suite import braid_only, cases, limit
from lib.wait import until
from test_app_events import following
from test_cpe import start as start_cpe
from test_targets import ADDRESSES, ask, at, servers
from test_targets import start as start_targets

PATIENCE = 60
MANY = 2500  # connections; their events are more than wait for who does not read, in the daemon and on the way


def watch(daemon, *words):
    return following(daemon, "--json", "watch", *words)


def seen(process):
    return [json.loads(line) for line in process.lines]


def kinds(process, connection=None):
    return [event["event"] for event in seen(process) if connection in (None, event.get("connection"))]


def heard(env, process):
    """It is there from now on: connections are made until it tells of one."""
    def told():
        near, far = env.pair()
        near.close()
        far.close()
        return process.lines
    until(told, "it is told of events", PATIENCE)
    env.no_connections()


@braid_only
@limit(300)
def test_a_connection_comes_lives_and_goes(env):
    """And its subflows; with whose it is."""
    env.start(workers=2)
    with watch(env.proxy) as process:
        heard(env, process)
        env.topology.endpoint(2)
        near, far = env.pair(subflows=2)
        number = env.proxy.connection()["id"]
        transfer(near, far, MIB, end=False)
        until(lambda: kinds(process, number).count("subflow-up") == 2, "both subflows are told of", PATIENCE)
        client = net.join(*near.getsockname()[:2])
        near.close()
        far.close()
        until(lambda: "closed" in kinds(process, number), "its end is told", PATIENCE)
        assert kinds(process, number)[:2] == ["established", "subflow-up"], kinds(process)
        assert kinds(process, number).count("subflow-down") == 2
        for event in seen(process):
            assert event["edge"] == "web"
            assert event["client"] == client or event["connection"] != number


@braid_only
@limit(300)
def test_only_what_is_asked_for_is_told(env):
    env.start(workers=2)
    with watch(env.proxy, "--edge", "web6") as six, watch(env.proxy, "kind=closed,established") as some, \
            watch(env.proxy, "client=203.0.113.0/24") as others, watch(env.proxy) as every:
        def told():
            for near, far in (env.pair(), env.pair(version=6)):
                near.close()
                far.close()
            return six.lines and some.lines and every.lines
        until(told, "all of them are told", PATIENCE)
        env.no_connections()
        near, far = env.pair()  # from here on each of them watches
        number = env.proxy.connection()["id"]
        near.close()
        far.close()
        for each in some, every:
            until(lambda: "closed" in kinds(each, number), "its end is told", PATIENCE)
        until(lambda: kinds(six).count("established") == kinds(six).count("closed"), "all ends are told", PATIENCE)
        assert {event["edge"] for event in seen(six)} == {"web6"}
        assert set(kinds(some)) == {"closed", "established"} and {event["edge"] for event in seen(some)} == {"web", "web6"}
        assert kinds(some, number) == ["established", "closed"], kinds(some, number)
        assert kinds(every, number) == ["established", "subflow-up", "subflow-down", "closed"], kinds(every, number)
        assert not others.lines
    for words, why in (("edge=none", 'there is no edge or CPE "none"'), ("kind=nothing", "this command takes edge=NAME"),
                       ("idle=3", "this command takes edge=NAME")):
        done = run([proxy.BRAIDCTL, "-s", env.proxy.control, "watch", words], check=False)
        assert done.returncode == 1 and why in done.stderr, done


@braid_only
@limit(300)
def test_a_path_that_falls_silent_and_is_heard_again(env):
    env.topology.shape(40)
    env.topology.endpoint(2)
    env.start()
    with watch(env.proxy, "kind=path-silent,path-heard,established") as process:
        heard(env, process)
        near, far = env.pair(subflows=2)
        pumps = Receiver(near, 64 * MIB), Sender(far, 64 * MIB)
        pumps[0].reach(2 * MIB)
        env.topology.go_dark(2)

        def told():
            """Of the path that is dark, last; the other one may be suspected in vain meanwhile."""
            of_it = [event for event in seen(process) if event.get("remote", "").startswith(net.client_address(2) + ":")]
            return of_it[-1]["event"] if of_it and of_it[-1]["subflow"] == 1 else None
        until(lambda: told() == "path-silent", "the path is told to be silent", PATIENCE)
        env.topology.unstrip()
        until(lambda: told() == "path-heard", "and to be heard again", PATIENCE)
        pumps[1].finish()
        pumps[0].finish()


@braid_only
@limit(300)
def test_an_uplink_goes_down_and_comes_back(env):
    router = start_cpe(env)
    with watch(router, "kind=uplink,established") as process:
        def told(state):
            return any(event["event"] == "uplink" and event["uplink"] == "wan0" and event["family"] == "ipv4" and
                       event["state"] == state for event in seen(process))

        def watches():
            for end in env.home_pair():
                end.close()
            return process.lines
        until(watches, "it watches", PATIENCE)
        env.home.uplinks[0].unplug()
        until(lambda: told("down"), "it is told to be down", PATIENCE)
        env.home.uplinks[0].plug()
        until(lambda: told("up"), "it is told to be up", PATIENCE)
        assert "lan" in {event["edge"] for event in seen(process) if event["event"] == "established"}


@braid_only
@limit(300)
def test_a_target_is_ejected_and_comes_back(env):
    with servers(env, ADDRESSES[:2]) as them:
        start_targets(env, at(*ADDRESSES[:2]), workers=1, eject=2, eject_time=1)
        with watch(env.proxy, "kind=target") as process, watch(env.proxy, "kind=established") as ready:
            until(lambda: ask(env)[0].close() or ready.lines, "it watches", PATIENCE)
            them[0].stop()
            until(lambda: ask(env)[0].close() or process.lines, "the target is ejected", PATIENCE)
            event = seen(process)[0]
            assert (event["target"], event["state"], event["edge"]) == (at(ADDRESSES[0])[0], "ejected", "web"), event
            with servers(env, ADDRESSES[:1]):
                until(lambda: ask(env)[0].close() or any(event["state"] == "up" for event in seen(process)),
                      "it is asked again", PATIENCE)


@braid_only
@limit(400)
def test_who_does_not_read_slows_nobody_and_hears_how_much_he_has_missed(env):
    env.start(limits={"connections": 100000})
    slow = subprocess.Popen([proxy.BRAIDCTL, "-s", env.proxy.control, "--json", "watch"], stdout=subprocess.PIPE, text=True)
    try:
        with watch(env.proxy) as process:
            heard(env, process)
            def closed():
                return sum('"event":"closed"' in line for line in process.lines)
            listener, told, before = env.listen(), len(process.lines), closed()
            for _ in range(MANY // 100):
                pairs = [(env.connect(), env.accept(listener)) for _ in range(100)]
                for pair in pairs:
                    for end in pair:
                        end.close()
            until(lambda: closed() - before >= MANY, "who reads is told of all", PATIENCE)
            assert len(process.lines) - told >= 4 * MANY and "lost" not in kinds(process)
        env.no_connections()
        lost = 0
        for line in slow.stdout:
            event = json.loads(line)
            lost += event.get("lost", 0)
            if lost:
                break
        assert lost > 0
    finally:
        slow.kill()
        slow.wait(PATIENCE)


@braid_only
@limit(120)
@cases(idle=False, busy=True)
def test_who_hangs_up_ends_it(env, busy):
    """Without a word: its reader has had enough, whether something happens or not."""
    env.start()
    read, write = os.pipe()
    process = subprocess.Popen([proxy.BRAIDCTL, "-s", env.proxy.control, "watch"], stdout=write, stderr=subprocess.PIPE)
    try:
        os.close(write)
        os.set_blocking(read, False)
        if busy:
            def first():
                near, far = env.pair()
                near.close()
                far.close()
                try:
                    return os.read(read, 1)
                except BlockingIOError:
                    return b""
            until(first, "it has begun", PATIENCE)
        os.close(read)
        process.wait(PATIENCE)
        assert process.stderr.read() == b""
    finally:
        process.kill()
        process.wait(PATIENCE)
        process.stderr.close()
    env.proxy.healthy()
