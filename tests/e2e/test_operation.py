"""What the operator sees: braidctl, the admin port, the metrics."""
import json
import socket

from lib import net, proxy
from lib.proc import run
from lib.stream import MIB, transfer
from lib.suite import braid_only, cases
from lib.wait import until

CONNECTION = {"id": int, "edge": str, "mptcp": bool, "state": str, "client": str, "server": str, "token": str,
              "bytes_from_client": int, "bytes_to_client": int, "subflows": list}
SUBFLOW = {"id": int, "local": str, "remote": str, "state": str, "backup": bool, "srtt_us": int, "cwnd": int,
           "bytes_in": int, "bytes_out": int, "retransmits": int, "mss": int}


def has(thing, names):
    for name, kind in names.items():
        assert type(thing.get(name)) is kind, f"{name} is {thing.get(name)!r}, not a {kind.__name__}"


def check_connection(connection, up, down):
    has(connection, CONNECTION)
    assert connection["edge"] == "web" and connection["mptcp"]
    assert connection["client"].startswith(net.client_address(1) + ":")
    assert connection["server"] == net.join(net.SERVER[4], proxy.PORT)
    assert connection["bytes_from_client"] == up and connection["bytes_to_client"] == down
    assert len(connection["subflows"]) == 2
    for subflow in connection["subflows"]:
        has(subflow, SUBFLOW)
        assert subflow["local"] == net.join(net.SERVICE[4], proxy.PORT)
        assert 1300 < subflow["mss"] <= 1460 and subflow["srtt_us"] > 0 and subflow["cwnd"] > 0
    assert sum(subflow["bytes_in"] for subflow in connection["subflows"]) >= up
    assert sum(subflow["bytes_out"] for subflow in connection["subflows"]) >= down


def loaded(env):
    """A connection over two paths that has carried 2 MiB up and 3 MiB down, and the greeting."""
    near, far = env.two_paths(mbit=200)
    transfer(near, far, 2 * MIB, end=False)
    transfer(far, near, 3 * MIB, end=False)
    greeting = 12
    up, down = 2 * MIB + greeting, 3 * MIB + greeting
    until(lambda: env.proxy.connection()["bytes_to_client"] == down, "the last byte is acknowledged")
    return up, down


@braid_only
def test_braidctl_and_admin_port_tell_the_same(env):
    up, down = loaded(env)
    by_control = env.proxy.ctl("connections")["connections"]
    assert len(by_control) == 1
    number = str(by_control[0]["id"])
    code, body = env.proxy.http("/api/v1/connections")
    assert code == 200
    by_http = json.loads(body)["connections"]
    code, body = env.proxy.http(f"/api/v1/connections/{number}")
    assert code == 200
    for connection in (by_control[0], by_http[0], env.proxy.ctl("show", number), json.loads(body)):
        check_connection(connection, up, down)
    status = env.proxy.ctl("status")
    assert status["version"] and [edge["name"] for edge in status["edges"]] == ["web", "web6"]
    code, body = env.proxy.http("/api/v1/status")
    assert code == 200 and json.loads(body).keys() == status.keys()
    code, body = env.proxy.http("/api/v1/counters")
    assert code == 200 and json.loads(body).keys() == env.proxy.counters().keys()


@braid_only
def test_counters_have_the_names_and_values_of_nstat(env):
    loaded(env)
    counters = env.proxy.counters()
    at_client = env.client.counters()
    assert counters["MPTcpExtMPCapableSYNRX"] == at_client["MPTcpExtMPCapableSYNTX"] == 1
    assert counters["MPTcpExtMPCapableACKRX"] == 1
    assert counters["MPTcpExtMPJoinSynRx"] == 1
    assert counters["MPTcpExtMPJoinAckRx"] == at_client["MPTcpExtMPJoinSynAckRx"] == 1
    assert counters["TcpPassiveOpens"] == at_client["TcpActiveOpens"] == 2
    assert counters["TcpInSegs"] > 1000 and counters["TcpOutSegs"] > 1000
    ours = {name for name in counters if name.startswith("MPTcpExt")}
    strangers = ours - at_client.keys()
    assert not strangers, f"nstat knows no {sorted(strangers)}"


@braid_only
def test_braidctl_text_is_for_people(env):
    loaded(env)
    for command in (["status"], ["connections"], ["show", str(env.proxy.connection()["id"])], ["counters"]):
        text = run([proxy.BRAIDCTL, "-s", env.proxy.control, *command]).stdout
        assert text.strip() and not text.startswith("{"), f"{command} prints {text[:80]!r}"


@braid_only
def test_braidctl_fails_with_a_line(env):
    env.start()
    for command in (["show", "999999"], ["show", "nonsense"], ["show"], ["nonsense"], []):
        done = run([proxy.BRAIDCTL, "-s", env.proxy.control, *command], check=False)
        assert done.returncode != 0 and done.stderr.strip(), f"{command}: {done.returncode}, {done.stderr!r}"
    done = run([proxy.BRAIDCTL, "-s", env.directory / "nobody.sock", "status"], check=False)
    assert done.returncode != 0 and "nobody.sock" in done.stderr


@braid_only
def test_braidctl_without_an_output_says_so(env):
    env.start()
    for streams in (">&-", "<&- >&-", ">/dev/full"):
        done = run(["sh", "-c", f"exec {proxy.BRAIDCTL} -s {env.proxy.control} status {streams}"], check=False)
        assert done.returncode == 1 and "output" in done.stderr, f"{streams}: {done.returncode} {done.stderr!r}"
    done = run(["sh", "-c", f"exec {proxy.BRAIDCTL} -s {env.proxy.control} status 2>&-"])
    assert done.stdout.startswith("Braid ")


@braid_only
def test_metrics_satisfy_promtool(env):
    loaded(env)
    code, body = env.proxy.http("/metrics")
    assert code == 200 and "braid_" in body
    done = run(["promtool", "check", "metrics"], stdin=body, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@braid_only
def test_admin_port_answers_strangers_with_an_error(env):
    env.start()
    for path in ("/page", "/api/v1/nonsense", "/api/v1/connections/999999", "/api/v1/connections/x", "/metrics/more"):
        code, _ = env.proxy.http(path)
        assert code == 404, f"{path}: {code}"
    assert b" 405 " in raw_request(env, "POST", "127.0.0.1:9180")
    assert b" 200 " in raw_request(env, "HEAD", "127.0.0.1:9180")
    # A web page elsewhere that has its name resolved to 127.0.0.1 must not read this through a browser.
    assert b" 403 " in raw_request(env, "GET", "attacker.example:9180")


def raw_request(env, method, host):
    """The status line of the answer."""
    with env.topology.braid.entered():
        sock = env.keep(socket.create_connection(("127.0.0.1", 9180), 5))
    sock.sendall(f"{method} /api/v1/status HTTP/1.1\r\nHost: {host}\r\nContent-Length: 0\r\n\r\n".encode())
    return sock.recv(4096).split(b"\r\n")[0]


@braid_only
def test_admin_port_is_on_loopback_only(env):
    env.start()
    sock = env.open(multipath=False)
    sock.settimeout(2)
    try:
        sock.connect((net.braid_address(1), 9180))
    except OSError:
        return
    raise AssertionError("the admin port answers the client's network")


@braid_only
def test_idle_admin_clients_do_not_hold_up_the_rest(env):
    """A hundred connections to the admin port that say nothing, and one to the control socket."""
    near, far = env.two_paths()
    with env.topology.braid.entered():
        idle = [env.keep(socket.create_connection(("127.0.0.1", 9180), 5)) for _ in range(100)]
    control = env.keep(socket.socket(socket.AF_UNIX))
    control.connect(str(env.proxy.control))
    transfer(far, near, 8 * MIB, end=False)
    assert env.proxy.ctl("status") and len(idle) == 100
    transfer(near, far, 8 * MIB)


def admin_client(env, request, buffer=None):
    """A connection to the admin port that has said so much."""
    sock = env.keep(env.topology.braid.socket(4))
    if buffer:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
    sock.connect(("127.0.0.1", 9180))
    sock.sendall(request)
    return sock


@braid_only
def test_the_daemon_answers_when_descriptors_are_used_up(env):
    """Admin clients that finish no request take nothing from others, and connections leave the daemon what it needs."""
    env.start(descriptors=256, workers=1)
    listener = env.listen()
    idle = [admin_client(env, b"G") for _ in range(300)]
    pairs, refused = [], 0
    while not refused:
        near = env.open(multipath=len(pairs) % 2 == 0)
        try:
            near.connect((net.SERVICE[4], proxy.PORT))
            pairs.append((near, env.accept(listener)))
        except ConnectionRefusedError:
            refused += 1
    assert len(pairs) > 100, len(pairs)
    assert env.proxy.ctl("status")["total"]["connections"] == len(pairs)
    assert env.proxy.http("/metrics")[0] == 200
    for near, far in pairs[::20]:
        transfer(near, far, 1000, end=False)
    assert len(idle) == 300


@braid_only
def test_lists_that_nobody_reads_do_not_keep_braidctl_out(env):
    env.topology.braid.sysctl(net__ipv4__tcp_wmem="4096 4096 4096")  # the kernel takes little of an answer
    env.start()
    pairs = [env.pair(multipath=False) for _ in range(100)]
    readers = [admin_client(env, b"GET /api/v1/connections HTTP/1.1\r\nHost: localhost\r\n\r\n", 2304)
               for _ in range(60)]
    for _ in range(3):
        assert env.proxy.ctl("status")["total"]["connections"] == len(pairs)
        assert len(env.proxy.ctl("connections")["connections"]) == len(pairs)
        assert env.proxy.http("/metrics")[0] == 200
    assert len(readers) == 60


@braid_only
@cases(error="error", warn="warn")
def test_ready_is_said_at_every_log_level(env, level):
    env.start(log_level=level)  # waits for the line


@braid_only
def test_log_names_the_edges_and_stays_short(env):
    up, down = loaded(env)
    assert up and down
    lines = env.proxy.process.lines
    assert any("ready" in line for line in lines) and len(lines) < 20, lines
