"""The log: how its lines look, those of connections that end, and when nobody reads it: the daemon goes on, and the lines
come later."""
import contextlib
import datetime
import errno
import json
import os
import resource
import signal
import socket
import struct

from lib import home, mptcp, net
from lib.env import PORT
from lib.proxy import CONVERT_PORT, Cpe, Section, default_edges
from lib.stream import MIB, read_error, receive, transfer
from lib.suite import braid_only, cases, limit
from lib.wait import until
from test_cpe import multi_pair
from test_steer_tproxy import up as steer_tproxy


@contextlib.contextmanager
def no_more_descriptors(env):
    """Within it the workers get no sockets to servers, and say so."""
    pid = env.proxy.process.pid
    usual = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (len(os.listdir(f"/proc/{pid}/fd")) - 1, usual[1]))
    try:
        yield
    finally:
        resource.prlimit(pid, resource.RLIMIT_NOFILE, usual)


@braid_only
def test_nobody_waits_for_a_reader_of_the_log_that_is_stuck(env):
    near, far = env.two_paths(workers=1)
    with env.proxy.process.unread():
        env.proxy.process.signal(signal.SIGUSR1)  # the main thread speaks
        with no_more_descriptors(env):
            try:
                env.connect()  # and the worker
                raise AssertionError("the daemon has a descriptor that it cannot have")
            except OSError as error:
                assert error.errno == errno.ECONNREFUSED, error
        transfer(near, far, 4 * MIB, end=False)
        new_near, new_far = env.pair()
        new_near.sendall(b"x")
        assert receive(new_far, 1) == b"x"
        assert env.proxy.ctl("status")["log_lines_lost"] == 0
    env.proxy.process.wait_for_line("User defined signal 1: ignored")
    env.proxy.process.wait_for_line("out of descriptors, memory or ports")


@braid_only
def test_the_end_does_not_wait_for_a_reader_of_the_log_that_is_stuck(env):
    env.start()
    with env.proxy.process.unread():
        env.proxy.process.signal(signal.SIGTERM)
        until(lambda: not env.proxy.process.alive(), "the daemon has ended")
    assert env.proxy.process.wait() == 0
    env.proxy = None


def is_now(stamp):
    said = datetime.datetime.fromisoformat(stamp)
    assert said.tzinfo and abs((datetime.datetime.now(datetime.timezone.utc) - said).total_seconds()) < 120, stamp


@braid_only
def test_lines_are_text_with_the_time_or_json_and_a_reload_changes_that(env):
    env.start()
    ready = next(line for line in env.proxy.process.lines if "ready" in line)
    stamp, rest = ready.split(" ", 1)
    is_now(stamp)
    assert rest.startswith("braidd: info: "), ready
    config = env.proxy.config.read_text()
    env.proxy.config.write_text(config.replace("[daemon]", "[daemon]\nlog_format = json"))
    env.proxy.ctl("reload")
    env.proxy.process.signal(signal.SIGUSR1)
    said = json.loads(env.proxy.process.wait_for_line("User defined signal 1: ignored"))
    is_now(said.pop("time"))
    assert said == {"level": "warn", "message": said["message"]}, said


# ---- connections that end --------------------------------------------------------------------------------------------

def reset(sock):
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


def ended(process):
    """The lines of connections, of a log in JSON."""
    lines = (json.loads(line) for line in process.lines if line.startswith("{"))
    return [line for line in lines if line["message"] == "connection ended"]


def last_of(env, number, daemon=None):
    process = (daemon or env.proxy).process
    lines = until(lambda: len(ended(process)) >= number and ended(process), f"{number} lines of connections", 60)
    assert len(lines) == number, lines
    return lines[-1]


def logging(env, **settings):
    env.start(daemon={"log_format": "json", "log_connections": "on"}, **settings)


@braid_only
def test_each_connection_leaves_a_line_that_says_who_how_much_over_which_path_and_why(env):
    paths = [Section(f"path p{n}", remote=f"{net.client_address(n)}/32") for n in net.PATHS]
    env.topology.endpoint(2)
    logging(env, edges=[*default_edges(), *paths])
    near, far = env.pair(subflows=2)
    client = near.getsockname()
    transfer(near, far, 4 * MIB, end=False)
    near.close()
    far.close()
    line = last_of(env, 1)
    assert (line["edge"], line["why"], line["protocol"], line["level"]) == ("web", "closed", "mptcp", "info"), line
    assert line["client"] == net.join(*client) and line["server"] == net.join(net.SERVER[4], 8080), line
    assert line["service"] == net.join(net.SERVICE[4], 8080) and line["subflows"] == 2, line
    assert line["in"] >= 4 * MIB and 0 < line["seconds"] < 600, line
    assert set(line["paths"]) == {"p1", "p2"} and sum(p["in"] for p in line["paths"].values()) >= line["in"], line


@braid_only
def test_a_subflow_that_ended_before_its_connection_counts(env):
    env.topology.endpoint(2)
    logging(env)
    near, far = env.pair(subflows=2)
    transfer(near, far, MIB, end=False)
    env.client.ip("mptcp", "endpoint", "flush")
    until(lambda: len(env.proxy.connection()["subflows"]) == 1, "a subflow has ended", 30)
    near.close()
    far.close()
    line = last_of(env, 1)
    assert line["subflows"] == 2 and line["paths"]["-"]["in"] >= MIB, line


@braid_only
def test_the_line_says_who_has_ended_the_connection(env):
    logging(env)
    near, _ = env.pair()
    reset(near)
    assert last_of(env, 1)["why"] == "client-reset"
    near, far = env.pair(multipath=False)
    reset(far)
    line = last_of(env, 2)
    assert (line["why"], line["protocol"]) == ("server-reset", "tcp"), line
    try:
        env.connect()
        raise AssertionError("nobody listens")
    except ConnectionRefusedError:
        pass
    assert last_of(env, 3)["why"] == "server-refused"
    warning = json.loads(env.proxy.process.wait_for_line("refused the connection"))
    assert warning["level"] == "warn" and "edge web" in warning["message"], warning
    env.topology.braid.ip("route", "add", "unreachable", f"{net.SERVER[4]}/32")
    try:
        env.connect()
        raise AssertionError("the server is unreachable")
    except OSError:
        pass
    assert last_of(env, 4)["why"] == "server-unreachable"


@braid_only
def test_connections_that_the_daemon_ends_have_a_line_too(env):
    logging(env)
    env.pair()
    process = env.proxy.process
    env.proxy.stop()
    env.proxy = None
    assert [line["why"] for line in ended(process)] == ["proxy-ended"]


@braid_only
def test_a_reload_begins_and_ends_the_lines_of_connections(env):
    env.start()
    config = env.proxy.config.read_text()

    def one_more():
        near, far = env.pair()
        near.close()
        far.close()
        env.no_connections()

    one_more()
    env.proxy.config.write_text(config.replace("[daemon]", "[daemon]\nlog_connections = on"))
    env.proxy.ctl("reload")
    one_more()
    said = env.proxy.process.wait_for_line("connection ended edge=web client=10.99.1.2:")
    assert " why=closed " in said and " paths.-.in=" in said, said
    env.proxy.config.write_text(config)
    env.proxy.ctl("reload")
    one_more()
    assert sum("connection ended" in line for line in env.proxy.process.lines) == 1


# ---- those that a CPE carries ----------------------------------------------------------------------------------------

def logging_router(env, intercept="tun", **keys):
    """A router that writes lines in JSON; it takes the LAN's connections as packets, or as sockets."""
    router = env.daemon(env.home.cpe, [Cpe(intercept=intercept, **keys)], daemon={"log_format": "json", "log_connections": "on"})
    if intercept == "tun":
        env.steer("up", "--lan", "lan", at=env.home.cpe)
    else:
        steer_tproxy(env, "nft")
    return router


def metric(router, name):
    return next(float(line.split()[-1]) for line in router.http("/metrics")[1].splitlines() if line.startswith(name + " "))


@braid_only
@limit(240)
@cases(tun_device=("tun", 0), tun_server=("tun", 1), tproxy_device=("tproxy", 0), tproxy_server=("tproxy", 1))
def test_what_a_cpe_carries_leaves_a_line_and_its_times(env, intercept, first):
    """Whoever closes first."""
    router = logging_router(env, intercept)
    pair = near, far = multi_pair(env)
    client = near.getsockname()
    transfer(near, far, 4 * MIB, end=False)
    transfer(far, near, 2 * MIB, end=False)
    until(lambda: len(mptcp.established(far)) == 3, "there is a subflow over each uplink", 60)
    for uplink in range(3):
        assert metric(router, f'braid_path_rtt_seconds_count{{path="wan{uplink}"}}') > 0, uplink
    pair[first].close()
    pair[not first].close()
    line = last_of(env, 1, router)
    server = net.join(home.MULTI[4], PORT)
    assert (line["cpe"], line["why"], line["protocol"], line["level"]) == ("lan", "closed", "mptcp", "info"), line
    assert "edge" not in line and line["client"] == net.join(*client), line
    assert line["service"] == line["server"] == server and 0 < line["seconds"] < 600, line
    assert (line["in"], line["out"]) == (4 * MIB, 2 * MIB), line
    assert line["subflows"] == 3 and set(line["paths"]) == {"wan0", "wan1", "wan2"}, line
    for way, least in ("in", 4 * MIB), ("out", 2 * MIB):
        assert sum(path[way] for path in line["paths"].values()) >= least, line
    for what in "connect", "first_byte", "connection":
        assert metric(router, f'braid_cpe_{what}_seconds_count{{cpe="lan"}}') == 1, what


@braid_only
@limit(240)
@cases(tun="tun", tproxy="tproxy")
def test_why_a_connection_of_the_lan_has_ended(env, intercept):
    router = logging_router(env, intercept)
    near, far = env.home_pair(server=env.home.multi)
    reset(near)
    assert last_of(env, 1, router)["why"] == "client-reset"
    near, far = env.home_pair(server=env.home.multi)
    reset(far)
    assert last_of(env, 2, router)["why"] == "server-reset"
    near, far = env.home_pair(server=env.home.multi)
    number, = (c["id"] for c in router.connections() if c["side"] == "wan")
    router.ctl("kill", str(number))
    line = last_of(env, 3, router)
    assert line["why"] == "killed" and line["client"] == net.join(*near.getsockname()), line
    near = env.open(4, multipath=False, at=env.home.device)
    assert (near.connect_ex((home.MULTI[4], PORT + 1)) or read_error(near)) == errno.ECONNREFUSED or intercept == "tproxy"
    line = last_of(env, 4, router)
    assert line["why"] == "server-refused" and "protocol" not in line and line["paths"] == {}, line
    env.home_pair(server=env.home.multi)
    process = router.process
    env.daemons.remove(router)
    router.stop()
    assert [line["why"] for line in ended(process)][4:] == ["proxy-ended"]


@braid_only
@limit(240)
def test_the_line_of_a_cpe_names_the_converter_and_counts_the_stream_alone(env):
    peer = net.join(home.SERVICE[4], CONVERT_PORT)
    edge = env.daemon(env.home.edge, [Section("edge conv", mode="convert", listen=peer, allow="any")],
                      daemon={"log_format": "json", "log_connections": "on"})
    router = logging_router(env, mode="convert", peer=peer)
    near, far = env.home_pair()
    transfer(near, far, MIB, end=False)
    near.close()
    far.close()
    here = last_of(env, 1, router)
    # the CPE probes its converter, too, and asks for nobody then
    there, = until(lambda: [line for line in ended(edge.process) if "server" in line], "the converter has told of it, too", 60)
    assert (here["server"], here["service"]) == (peer, net.join(home.PLAIN[4], PORT)), here
    assert (here["in"], here["out"], here["why"]) == (MIB, 0, "closed"), here
    assert there["edge"] == "conv" and there["server"] == here["service"] and there["why"] == "closed", there
