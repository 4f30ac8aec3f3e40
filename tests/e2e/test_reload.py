"""The configuration, read anew while connections are open: what changes is in force, and they go on."""
import errno
import os
import signal
import socket

from lib import net, proxy
from lib.proc import run
from lib.proxy import Edge, Section, configuration
from lib.stream import MIB, Receiver, Sender, receive, transfer
from lib.suite import braid_only, cases, limit, memory
from lib.wait import until
from test_cpe import CONVERT, converter, converters, start

OTHER, OTHER_PORT = net.SERVICE[4], 8088  # the address of an edge that comes and goes


def write(daemon, edges, **settings):
    daemon.config.write_text(configuration(daemon.directory, edges, **settings))


def reload_text(daemon):
    return run([proxy.BRAIDCTL, "-s", daemon.control, "reload"], check=False)


def reload(daemon, edges, **settings):
    """What braidctl says of another configuration, which is taken."""
    write(daemon, edges, **settings)
    done = reload_text(daemon)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def under_way(env, edges, size=64 * MIB, **settings):
    """A connection of the kernel's MPTCP over two paths with so many bytes under way in both directions."""
    env.topology.shape(60)
    env.topology.endpoint(2)
    env.start(edges, **settings)
    near, far = env.pair(subflows=2)
    pumps = [Receiver(far, size), Receiver(near, size), Sender(near, size), Sender(far, size)]
    pumps[0].reach(2 * MIB)
    pumps[1].reach(2 * MIB)
    return pumps


def whole(pumps):
    """Every byte has come, and is the right one."""
    for pump in pumps[2:] + pumps[:2]:
        pump.finish()


def answers(env, port, server_port=proxy.PORT):
    """A new connection to that port of the service reaches its server."""
    listener = env.listen(port=server_port)
    near = env.connect(port=port)
    far = env.accept(listener)
    listener.close()
    transfer(near, far, 1000, end=False)
    near.close()
    far.close()


def refused(env, port):
    try:
        env.connect(port=port)
    except OSError as error:
        return error.errno == errno.ECONNREFUSED
    return False


@braid_only
@limit(90)
def test_an_edge_comes_changes_and_goes_under_a_transfer(env):
    web = Edge("web")
    pumps = under_way(env, [web])
    assert refused(env, OTHER_PORT)
    assert "[edge other] added" in reload(env.proxy, [web, Edge("other", port=OTHER_PORT)])
    answers(env, OTHER_PORT)
    elsewhere = Edge("other", port=OTHER_PORT, target=net.join(net.SERVER[4], 8099), scheduler="roundrobin")
    assert "[edge other] changed: target, scheduler" in reload(env.proxy, [elsewhere, web])
    answers(env, OTHER_PORT, 8099)
    assert "[edge other] removed" in reload(env.proxy, [web])
    assert refused(env, OTHER_PORT)
    assert [edge["name"] for edge in env.proxy.ctl("status")["edges"]] == ["web"]
    whole(pumps)


@braid_only
@limit(90)
def test_the_edge_of_a_transfer_changes_and_then_goes(env):
    """What is open keeps its server and its algorithms, and ends when it ends; then the address is routed no more."""
    pumps = under_way(env, [Edge("web"), Edge("six", 6)])
    before = env.proxy.connection()
    reload(env.proxy, [Edge("web", target=net.join(net.SERVER[4], 8099), scheduler="roundrobin"), Edge("six", 6)])
    answers(env, proxy.PORT, 8099)
    until(lambda: len(env.proxy.connections()) == 1, "the new one has ended")
    now = env.proxy.connection()
    assert now["server"] == before["server"] and now["scheduler"] == before["scheduler"] != "roundrobin"
    reload(env.proxy, [Edge("six", 6)])
    assert refused(env, proxy.PORT)
    assert env.proxy.connection()["edge"] == "web"
    routes = env.topology.braid.run("ip", "route", "show", "dev", "braid0").stdout
    assert net.SERVICE[4] in routes, routes
    whole(pumps)
    env.no_connections()
    until(lambda: net.SERVICE[4] not in env.topology.braid.run("ip", "route", "show", "dev", "braid0").stdout,
          "the route has gone with the last connection")


@braid_only
@limit(90)
def test_an_edge_moves_to_another_address_and_back(env):
    """Its counters are those of one edge all the time."""
    pumps = under_way(env, [Edge("web")])
    reload(env.proxy, [Edge("web", port=OTHER_PORT)])
    answers(env, OTHER_PORT)
    assert refused(env, proxy.PORT)
    edge = env.proxy.ctl("status")["edges"][0]
    assert edge["accepted"] == 2 and edge["bytes_to_server"] > MIB, edge
    reload(env.proxy, [Edge("web")])
    answers(env, proxy.PORT)
    whole(pumps)
    env.no_connections()
    edge = env.proxy.ctl("status")["edges"][0]
    assert edge["accepted"] == 3 and edge["bytes_to_server"] >= 64 * MIB, edge


FLAWS = {"not_ini": "what is this", "unknown_key": "[edge web]\ncolour = red\n",
         "nobody_listens_there": "[edge web]\nlisten = 10.99.9.1:8080\ntarget = 10.99.3.2:80\n[admin]\nlisten = 192.0.2.77:9180\n",
         "no_edge": "[limits]\nsubflows = 2\n"}


@braid_only
@cases(**FLAWS)
def test_a_file_with_a_flaw_changes_nothing(env, text):
    env.start()
    near, far = env.pair()
    before = env.proxy.ctl("status")["edges"]
    good = env.proxy.config.read_text()
    base = f"[daemon]\ncontrol = {env.proxy.control}\n"
    env.proxy.config.write_text(base + text)
    done = reload_text(env.proxy)
    assert done.returncode == 1 and str(env.proxy.config) in done.stdout, (done.returncode, done.stdout)
    assert "has not changed" in done.stderr
    document = run([proxy.BRAIDCTL, "-s", env.proxy.control, "--json", "reload"], check=False)
    assert document.returncode == 1 and '"error":' in document.stdout
    env.proxy.process.wait_for_line("has not changed")
    assert [edge["name"] for edge in env.proxy.ctl("status")["edges"]] == [edge["name"] for edge in before]
    transfer(near, far, MIB, end=False)
    transfer(far, near, MIB, end=False)
    env.proxy.config.write_text(good)
    assert reload_text(env.proxy).returncode == 0


@braid_only
def test_what_cannot_change_is_said_and_the_rest_is_taken(env):
    env.start(workers=1)
    said = reload(env.proxy, [Edge("web"), Edge("other", port=OTHER_PORT)], workers=3, name="braid7", limits={"subflows": 2})
    assert "[daemon] workers: cannot change while braidd runs: it stays as it was (1)" in said, said
    assert "[tun] name: cannot change while braidd runs: it stays as it was (braid0)" in said, said
    assert "[edge other] added" in said and "[limits] changed: subflows" in said, said
    assert "1 worker," in env.proxy.process.wait_for_line("ready:") and len(threads(env.proxy)) == 1
    answers(env, OTHER_PORT)
    assert "stays as it was" in reload(env.proxy, [Edge("web")], name="braid7", workers=1)
    assert "stays" not in reload(env.proxy, [Edge("web")], workers=1)


@braid_only
def test_a_hangup_reloads(env):
    env.start()
    write(env.proxy, [Edge("other", port=OTHER_PORT)], log_level="debug")
    env.proxy.process.signal(signal.SIGHUP)
    env.proxy.process.wait_for_line("read anew")
    answers(env, OTHER_PORT)
    env.proxy.config.write_text("[edge\n")
    env.proxy.process.signal(signal.SIGHUP)
    env.proxy.process.wait_for_line("has not changed")
    answers(env, OTHER_PORT)


@braid_only
def test_the_level_of_the_log_changes(env):
    env.start([Edge("web")], log_level="warn")
    reload(env.proxy, [Edge("web")], log_level="info")
    env.proxy.process.wait_for_line("read anew")
    env.proxy.process.lines.clear()
    reload(env.proxy, [Edge("web"), Edge("other", port=OTHER_PORT)], log_level="info")
    env.proxy.process.wait_for_line("[edge other] added")
    reload(env.proxy, [Edge("web"), Edge("other", port=OTHER_PORT)], log_level="warn")
    env.proxy.process.lines.clear()
    reload(env.proxy, [Edge("web")], log_level="warn")
    env.proxy.process.wait_for_line("read anew")
    assert not any("removed" in line for line in env.proxy.process.lines), env.proxy.process.lines


@braid_only
def test_the_admin_port_moves(env):
    env.start()
    near, far = env.pair()
    text = env.proxy.config.read_text()
    env.proxy.config.write_text(text.replace(proxy.ADMIN, "127.0.0.1:9188"))
    assert reload_text(env.proxy).returncode == 0
    with env.topology.braid.entered():
        sock = env.keep(socket.create_connection(("127.0.0.1", 9188), 5))
        try:
            socket.create_connection(("127.0.0.1", 9180), 5)
            raise AssertionError("the old port answers")
        except ConnectionRefusedError:
            pass
    sock.sendall(b"GET /api/v1/status HTTP/1.1\r\nHost: localhost\r\n\r\n")
    assert b" 200 " in sock.recv(4096)
    transfer(near, far, MIB)


def threads(daemon):
    """The names of its workers' threads."""
    names = [open(f"/proc/{daemon.process.pid}/task/{task}/comm").read().strip()
             for task in os.listdir(f"/proc/{daemon.process.pid}/task")]
    return [name for name in names if name.startswith("braid-w")]


def descriptors(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


def each_way(number):
    """Configurations that differ in turn: edges that come and go, algorithms, limits, paths."""
    edges = [Edge("web", scheduler=("minrtt", "roundrobin")[number % 2], checksum=("off", "on")[number % 2])]
    edges += [Edge("other", port=OTHER_PORT)] * (number % 3 > 0)
    more = "[profile mine]\nscheduler = redundant\n[path lte]\nremote = 10.99.2.0/24\nquota = 1GB\n" * (number % 4 > 1)
    return edges, {"limits": {"subflows": 4 + number % 4}, "more": more}


@braid_only
@limit(150)
def test_two_hundred_reloads_under_fifty_connections(env):
    """Neither descriptors nor memory grow, and every connection goes on."""
    env.topology.endpoint(2)
    env.start([Edge("web")], workers=2)
    pairs = [env.pair(subflows=1 + (number % 2)) for number in range(50)]
    for number in range(12):
        edges, settings = each_way(number)
        reload(env.proxy, edges, workers=2, **settings)
    pid = env.proxy.process.pid
    before, bytes_before = descriptors(pid), env.proxy.process.memory()
    for number in range(200):
        edges, settings = each_way(number)
        write(env.proxy, edges, workers=2, **settings)
        assert reload_text(env.proxy).returncode == 0
        near, far = pairs[number % 50]
        transfer(near, far, 10000, end=False)
        transfer(far, near, 10000, end=False)
    assert len(env.proxy.connections()) == 50
    until(lambda: descriptors(pid) <= before, f"{before} descriptors as before")
    if "san" not in os.environ.get("BRAID_BUILD", ""):
        grown = env.proxy.process.memory() - bytes_before
        assert grown < 2 * MIB, f"{grown} bytes more after 200 reloads"
    for near, far in pairs:
        transfer(near, far, 1000)


# ---- uplinks ------------------------------------------------------------------------------------------------------


def cpe_sections(peer, uplinks, **keys):
    return [proxy.Cpe(uplinks=uplinks, mode="convert", peer=peer, **keys)]


@braid_only
@limit(90)
def test_an_uplink_joins_and_leaves_a_cpe_that_carries(env):
    env.build_home(*({"mbit": 30} for _ in range(3)))
    env.daemon(env.home.edge, [converter(env)])
    peer = converters()
    router = env.daemon(env.home.cpe, cpe_sections(peer, ("wan0", "wan1")))
    steer(env)
    near, far = env.home_pair()
    receiver, sender = Receiver(far, 60 * MIB), Sender(near, 60 * MIB)
    receiver.reach(4 * MIB)
    assert "[uplink wan2] added" in reload(router, cpe_sections(peer, ("wan0", "wan1", "wan2")))
    until(lambda: used(router).get("wan2", 0) > MIB, "the new uplink carries")
    assert "[uplink wan0] removed" in reload(router, cpe_sections(peer, ("wan2", "wan1")))
    until(lambda: set(used(router)) == {"wan1", "wan2"}, "it is shown no more")
    assert all(flow["path"] != "wan0" or flow["state"] != "ESTABLISHED" for flow in flows(router)) or \
        until(lambda: all(flow["path"] != "wan0" for flow in flows(router)), "its subflow is gone")
    sender.finish()
    receiver.finish()
    near, far = env.home_pair()
    transfer(near, far, MIB)


def steer(env):
    env.steer("up", "--lan", "lan", at=env.home.cpe)


def flows(router):
    return [flow for each in router.connections() for flow in router.ctl("show", each["id"])["subflows"]]


def used(router):
    return {each["name"]: each["bytes"] for each in router.ctl("uplinks")["uplinks"]}
