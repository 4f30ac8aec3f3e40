"""Several targets of one edge: who is spread how, and what clients notice of a server that is gone."""
import contextlib
import threading

from lib import net
from lib.names import name_server
from lib.proxy import PORT
from lib.stream import MIB, receive, transfer
from lib.suite import braid_only, limit
from lib.wait import until

ADDRESSES = [f"10.99.3.{host}" for host in (2, 3, 4)]


class Server:
    """Tells each client its own address, and keeps the connection until end()."""

    def __init__(self, env, address):
        self.address, self.accepted, self._connections = address, 0, []
        self._listener = env.listen(address=address)
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self):
        self._listener.settimeout(None)
        with contextlib.suppress(OSError):
            while True:
                sock, _ = self._listener.accept()
                self.accepted += 1
                self._connections.append(sock)
                sock.sendall(self.address.ljust(16).encode())

    def stop(self):
        """New connections are refused from now on; those that are open stay so."""
        self._listener.shutdown(2)
        self._thread.join(10)
        self._listener.close()

    def end(self):
        self.stop()
        for sock in self._connections:
            sock.close()


@contextlib.contextmanager
def servers(env, addresses=ADDRESSES):
    for address in addresses:
        if address != net.SERVER[4]:
            env.server.ip("address", "replace", f"{address}/24", "dev", "eth0")
    all_of_them = [Server(env, address) for address in addresses]
    try:
        yield all_of_them
    finally:
        for server in all_of_them:
            with contextlib.suppress(OSError):
                server.end()


def start(env, targets, workers=0, **keys):
    return env.start([env.Edge("web", target=", ".join(targets), **keys)], workers=workers)


def at(*hosts):
    return [f"{host}:{PORT}" for host in hosts]


def ask(env, **how):
    """A connection, and who serves it."""
    near = env.connect(**how)
    return near, receive(near, 16).decode().strip()


def end(them, clients):
    """Both ends of all connections."""
    for near, _ in clients:
        near.close()
    for server in them:
        server.end()


def targets(env):
    """By their address."""
    return {target["address"]: target for target in env.proxy.ctl("targets")["targets"]}


@braid_only
def test_connections_are_even_whatever_worker_has_them(env):
    with servers(env) as them:
        start(env, at(*ADDRESSES), workers=3)
        clients = [ask(env) for _ in range(60)]
        got = [sum(who == address for _, who in clients) for address in ADDRESSES]
        assert sum(got) == 60 and max(got) - min(got) <= 3, f"connections are spread as {got}"
        seen = targets(env)
        assert [seen[f"{address}:{PORT}"]["connections"] for address in ADDRESSES] == got
        end(them, clients)
        until(lambda: all(target["connections"] == 0 for target in targets(env).values()), "all connections have ended", 30)
        assert sum(target["connections_total"] for target in targets(env).values()) == 60


@braid_only
def test_weights_and_backups(env):
    with servers(env):
        start(env, [at(ADDRESSES[0])[0], at(ADDRESSES[1])[0] + " weight 3", at(ADDRESSES[2])[0] + " backup"], workers=1)
        got = [who for _, who in [ask(env) for _ in range(40)]]
        assert [got.count(address) for address in ADDRESSES] == [10, 30, 0]


@braid_only
def test_no_client_notices_that_a_server_is_gone(env):
    with servers(env) as them:
        start(env, at(*ADDRESSES), workers=1, eject_time=3, slow_start=2)
        held, _ = zip(*[ask(env) for _ in range(9)])
        them[1].stop()
        got = [who for _, who in [ask(env) for _ in range(30)]]
        assert ADDRESSES[1] not in got
        gone = targets(env)[f"{ADDRESSES[1]}:{PORT}"]
        assert gone["failures"] >= 3 and gone["ejections"] >= 1, gone
        env.proxy.process.wait_for_line(f"target {ADDRESSES[1]}:{PORT} is not asked for 3 s")
        edge, = env.proxy.ctl("status")["edges"]
        assert edge["refused"] == edge["unreachable"] == 0 and edge["open"] == 39
        code, metrics = env.proxy.http("/metrics")
        assert code == 200 and f'braid_target_failures_total{{edge="web",target="{ADDRESSES[1]}:{PORT}"}} {gone["failures"]}' in metrics
        them.append(Server(env, ADDRESSES[1]))
        until(lambda: ask(env)[1] == ADDRESSES[1], "it is used again", 30)
        env.proxy.process.wait_for_line(f"target {ADDRESSES[1]}:{PORT} answers again")
        for near in held:
            near.close()


@braid_only
def test_a_silent_server_costs_a_quarter_of_a_second(env):
    with servers(env, ADDRESSES[:2]):
        env.server.iptables("-A", "INPUT", "-p", "tcp", "-d", ADDRESSES[1], "-j", "DROP")
        start(env, at(*ADDRESSES[:2]), workers=1)
        got = [who for _, who in [ask(env) for _ in range(10)]]
        assert got == [ADDRESSES[0]] * 10
        silent = targets(env)[f"{ADDRESSES[1]}:{PORT}"]
        assert silent["state"] == "ejected" and silent["failures"] == 3 and silent["ejections"] == 1, silent


@braid_only
def test_a_client_stays_with_its_server_by_hash(env):
    with servers(env) as them:
        start(env, at(*ADDRESSES), workers=2, balance="hash")
        first, second = (net.client_address(path) for path in net.PATHS)
        mine, other = ask(env, source=first)[1], ask(env, source=second)[1]
        assert {ask(env, source=first)[1] for _ in range(8)} == {mine}
        assert {ask(env, source=second)[1] for _ in range(8)} == {other}
        them[ADDRESSES.index(mine)].stop()
        fallback = {ask(env, source=first)[1] for _ in range(8)}
        assert len(fallback) == 1 and mine not in fallback
        if other != mine:
            assert {ask(env, source=second)[1] for _ in range(8)} == {other}


@braid_only
def test_a_reload_changes_targets_and_ends_no_connection(env):
    with servers(env) as them:
        start(env, at(*ADDRESSES[:2]), workers=2)
        held = [ask(env) for _ in range(8)]
        text = env.proxy.config.read_text()
        env.proxy.config.write_text(text.replace(", ".join(at(*ADDRESSES[:2])), ", ".join(at(*ADDRESSES[1:]))))
        env.proxy.ctl("reload")
        gone, stays = (targets(env)[f"{address}:{PORT}"] for address in ADDRESSES[:2])
        assert gone["state"] == "gone" and stays["state"] == "up"
        assert gone["connections"] + stays["connections"] == 8 and 3 <= gone["connections"] <= 5, (gone, stays)
        assert ADDRESSES[0] not in [ask(env)[1] for _ in range(8)]
        end(them, held)
        until(lambda: f"{ADDRESSES[0]}:{PORT}" not in targets(env), "the last connection of the one that is gone has ended", 30)


@braid_only
@limit(90)
def test_every_address_of_a_name_is_a_target_of_its_own(env):
    with name_server(env, *[(address, "web.test") for address in ADDRESSES[:2]], ttl=5) as names, servers(env):
        start(env, [f"web.test:{PORT}"], workers=1, balance="least")
        assert sorted(ask(env)[1] for _ in range(8)) == sorted(ADDRESSES[:2] * 4)
        names.set((ADDRESSES[1], "web.test"), (ADDRESSES[2], "web.test"))
        until(lambda: f"{ADDRESSES[2]}:{PORT}" in targets(env), "the new address is known", 30)
        assert sorted({ask(env)[1] for _ in range(8)}) == sorted(ADDRESSES[1:])


@braid_only
def test_a_single_target_serves_as_before(env):
    start(env, at(ADDRESSES[0]))
    listener = env.listen()
    transfer(env.connect(), env.accept(listener), MIB)
    only, = env.proxy.ctl("targets")["targets"]
    assert only["state"] == "up" and only["connections"] == 1 and only["failures"] == 0
