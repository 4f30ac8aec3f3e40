"""Health checks: targets that are not well get no new connections, and clients notice nothing."""
import contextlib

from lib import balancers, net
from lib.names import name_server
from lib.proxy import PORT
from lib.stream import MIB, receive, transfer
from lib.suite import braid_only, cases, limit
from lib.wait import until
from test_targets import ADDRESSES, Server, ask, at, servers, start, targets


def state(env, address):
    known = targets(env).get(f"{address}:{PORT}")
    return known and known["state"]


def becomes(env, address, what):
    until(lambda: state(env, address) == what, f"{address} is {what}", 60)


def reload(env, before, after):
    text = env.proxy.config.read_text()
    assert before in text, text
    env.proxy.config.write_text(text.replace(before, after))
    env.proxy.ctl("reload")


@braid_only
@limit(180)
def test_a_target_that_is_down_gets_no_new_connections(env):
    """Those that it has go on."""
    with servers(env, ADDRESSES[:2]) as them:
        start(env, at(*ADDRESSES[:2]), workers=2, health="connect", health_interval=1, health_fall=2)
        held = [ask(env) for _ in range(6)]
        them[1].stop()
        becomes(env, ADDRESSES[1], "down")
        env.proxy.process.wait_for_line(f"target {ADDRESSES[1]}:{PORT} is down, and gets no new connections: it refuses connections (2 health checks in a row)", 30)
        failures = targets(env)[f"{ADDRESSES[1]}:{PORT}"]["failures"]
        assert {ask(env)[1] for _ in range(12)} == {ADDRESSES[0]}
        assert targets(env)[f"{ADDRESSES[1]}:{PORT}"]["failures"] == failures, "it was asked for a connection"
        assert targets(env)[f"{ADDRESSES[1]}:{PORT}"]["connections"] == sum(who == ADDRESSES[1] for _, who in held)
        code, metrics = env.proxy.http("/metrics")
        assert code == 200 and f'braid_target_up{{edge="web",target="{ADDRESSES[1]}:{PORT}"}} 0' in metrics
        them.append(Server(env, ADDRESSES[1]))
        becomes(env, ADDRESSES[1], "up")
        env.proxy.process.wait_for_line(f"target {ADDRESSES[1]}:{PORT} is up again: 2 health checks in a row went well", 30)
        assert ADDRESSES[1] in {ask(env)[1] for _ in range(12)}
        for near, _ in held:
            near.close()


@braid_only
@limit(180)
def test_a_server_that_answers_badly_is_down(env):
    """It takes connections all the time. nginx knows one path only."""
    start(env, at(ADDRESSES[0]), health="http /missing", health_interval=1)
    with balancers.nginx(env, ADDRESSES[0], PORT, options="", known="/healthz"):
        becomes(env, ADDRESSES[0], "down")
        with contextlib.suppress(OSError):
            env.connect().recv(1)
            raise AssertionError("the client was not refused")
        env.proxy.process.wait_for_line("every other target, by their health checks", 30)
        reload(env, "http /missing", "http /healthz")
        becomes(env, ADDRESSES[0], "up")
        near = env.connect()
        near.sendall(b"GET /healthz HTTP/1.0\r\n\r\n")
        assert receive(near, 15) == b"HTTP/1.1 200 OK"


@braid_only
@limit(180)
@cases(v1=("v1",), v2=("v2",))
def test_servers_that_expect_a_header_are_well(env, kind):
    start(env, at(ADDRESSES[0]), health="http /", health_interval=1, proxy_protocol=kind)
    with balancers.haproxy_behind(env, ADDRESSES[0], PORT):
        becomes(env, ADDRESSES[0], "up")
        env.server.iptables("-A", "INPUT", "-p", "tcp", "--dport", str(PORT), "-j", "DROP")
        becomes(env, ADDRESSES[0], "down")
        env.server.iptables("-D", "INPUT", "-p", "tcp", "--dport", str(PORT), "-j", "DROP")
        becomes(env, ADDRESSES[0], "up")


@braid_only
@limit(180)
@cases(same=2, more=3)
def test_a_reload_and_an_upgrade_keep_what_is_known(env, workers):
    """It is not said once more, on workers that there were not before either. And nobody is asked any more once the key is gone."""
    with servers(env, ADDRESSES[:2]) as them:
        start(env, at(*ADDRESSES[:2]), workers=2, health="connect", health_interval=1)
        them[1].stop()
        becomes(env, ADDRESSES[1], "down")
        reload(env, "health_interval = 1", "health_interval = 3600")
        assert state(env, ADDRESSES[1]) == "down"
        text = env.proxy.config.read_text()
        assert "workers = 2" in text, text
        env.proxy.config.write_text(text.replace("workers = 2", f"workers = {workers}"))
        before, failures = them[0].accepted, targets(env)[f"{ADDRESSES[1]}:{PORT}"]["failures"]
        env.proxy.upgrade()
        until(lambda: them[0].accepted > before, "both are asked by the process that goes on", 60)
        assert {ask(env)[1] for _ in range(12)} == {ADDRESSES[0]}
        assert state(env, ADDRESSES[1]) == "down"
        assert targets(env)[f"{ADDRESSES[1]}:{PORT}"]["failures"] == failures, "it was asked for a connection"
        told = [line for line in env.proxy.process.lines if "is down, and gets no new connections" in line]
        assert len(told) == 1, told
        reload(env, "health = connect", "health = off")
        assert state(env, ADDRESSES[1]) == "up"


@braid_only
@limit(180)
def test_a_name_that_does_not_resolve_yet_is_asked_later(env):
    with name_server(env, start=False, ttl=5) as names:
        start(env, [f"web.test:{PORT}"], workers=1, health="connect", health_interval=1)
        assert not targets(env)
        names.start()
        names.set((ADDRESSES[0], "web.test"))
        becomes(env, ADDRESSES[0], "down")
        listener = env.listen()
        becomes(env, ADDRESSES[0], "up")
        near = env.connect()
        near.sendall(b"hello")
        far = next(sock for sock in iter(lambda: env.accept(listener), None) if says_hello(sock))
        transfer(near, far, MIB)


def says_hello(sock):
    """A check's connection ends without a word."""
    with contextlib.suppress(ConnectionResetError):
        return sock.recv(5) == b"hello"
    return False
