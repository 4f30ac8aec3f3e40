"""The programs of docs/examples/socket, which show the application interface, against a daemon."""
import contextlib
import hashlib
import http.server
import os
import re
import socket
import threading

from lib import home, mptcp, net
from lib.env import GREETING, Edge
from lib.proc import Process
from lib.proxy import BUILD, PORT, ROOT
from lib.stream import MIB, receive
from lib.suite import braid_only, cases
from lib.wait import FACTOR
from test_app import VERSIONS, start, uplink_addresses

EXAMPLES = BUILD / "examples" / "socket"


@contextlib.contextmanager
def running(namespace, daemon, name, *words, **variables):
    variables = [f"{key}={value}" for key, value in {"BRAID_APP_SOCKET": f"{daemon.directory}/app.sock", **variables}.items()]
    process = Process(namespace.command("env", *variables, EXAMPLES / name, *words), name)
    try:
        yield process
    finally:
        process.kill()


def said(env, daemon, name, *words, **variables):
    """What an example says that runs on the router to its end, line by line."""
    with running(env.home.cpe, daemon, name, *words, **variables) as process:
        status = process.wait(20)
        assert status == 0, f"{name}: {status}: {process.lines}"
        return process.lines


@contextlib.contextmanager
def echo(env, version=4, port=PORT):
    """A server with MPTCP that gives back what it gets; its address and port."""
    listener = env.listen(version, port, address=env.home.where(env.home.multi)[version], at=env.home.multi, multipath=True)
    threads = []

    def serve(sock):
        with contextlib.suppress(OSError):
            while data := sock.recv(65536):
                sock.sendall(data)
            sock.close()

    def accept():
        with contextlib.suppress(OSError):
            while True:
                sock = env.keep(listener.accept()[0])
                threads.append(threading.Thread(target=serve, args=(sock,), daemon=True))
                threads[-1].start()

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    try:
        yield listener.getsockname()[0], port
    finally:
        with contextlib.suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        thread.join(10 * FACTOR)


@braid_only
def test_each_program_is_in_the_list(env):
    """And is tried here."""
    sources = {path.stem for path in (ROOT / "docs" / "examples" / "socket").glob("*.c")}
    listed = set(re.findall(r"^\| `(\w+) ", (ROOT / "docs" / "examples" / "README.md").read_text(), re.M))
    with open(__file__) as file:
        tried = set(re.findall(r'(?:said\(env|running\(env|EXAMPLES /).*?"(\w+)"', file.read()))
    assert sources == listed == tried and env, (sources, listed, tried)


@braid_only
@cases(**VERSIONS)
def test_enable_addresses_and_subflows(env, version):
    router = start(env)
    zero, one, two = uplink_addresses(env, 0, 1, 2, version=version)
    with echo(env, version) as server:
        assert said(env, router, "enable", "1", *server) == ["MPTCP"]
        assert said(env, router, "enable", "0", *server) == ["plain TCP"]
        lines = said(env, router, "addresses", *server, zero, one, two)
        assert lines[0] == f"connected from {zero}" and sorted(lines[1:3]) == [f"and from {one}", f"and from {two}"]
        assert lines[3:] == [f"no more from {zero}"]
        *pairs, last = said(env, router, "subflows", *server, "3")
        assert sorted(pairs) == [f"{each} to {server[0]}" for each in (zero, one, two)]
        assert re.fullmatch("connection [0-9a-f]{8}", last)


@braid_only
def test_statistics_profiles_and_single_subflows(env):
    router = start(env)
    zero, one = uplink_addresses(env, 0, 1)
    with echo(env) as server:
        lines = said(env, router, "statistics", *server)
        figures = [re.fullmatch(r"subflow \d from (\S+): sent (\d+), received (\d+), .* ms", line).groups() for line in lines]
        assert zero in [address for address, *_ in figures]
        assert sum(int(sent) for _, sent, _ in figures) >= MIB
        assert said(env, router, "profile", *server, "interactive", "resilient") == ["interactive", "resilient"]
        assert said(env, router, "single", *server, zero, one) == [f"opened subflow 1 from {one}", "backup: 1", "backup: 0",
                                                                    "closed subflow 1"]


@braid_only
def test_what_a_connection_is_for(env):
    router = start(env)
    with echo(env) as server:
        assert said(env, router, "wishes", *server) == ["2 subflows", "redundancy 2", "fate sharing 1"]


@braid_only
def test_names_and_sctps_calls(env):
    router = start(env)
    zero, one = uplink_addresses(env, 0, 1)
    with echo(env) as server, env.names((server[0], "server.example"), at=env.home.cpe):
        assert said(env, router, "name", "server.example", PORT) == [f"connected to {server[0]}"]
        local, remote = said(env, router, "sctp", *server, zero, one)
        assert sorted(local.split()[1:]) == [zero, one] and remote == f"remote: {server[0]}"


@braid_only
def test_linuxs_own_interface_with_the_library_preloaded(env):
    router = start(env)
    with echo(env) as server:
        line, = said(env, router, "linux", *server, "3", LD_PRELOAD=BUILD / "libbraid-socket.so")
        assert re.fullmatch("3 subflows, connection [0-9a-f]{8}", line)


@braid_only
def test_the_monitor_tells_what_happens(env):
    router = start(env)
    zero, one, two = uplink_addresses(env, 0, 1, 2)
    address = home.MULTI[4]
    listener = env.listen(address=address, at=env.home.multi, multipath=True)
    with running(env.home.cpe, router, "monitor", address, PORT) as monitor:
        far = env.accept(listener)
        far.sendall(receive(far, 6))
        monitor.wait_for_line("subflow 2 from")
        env.home.uplinks[1].switch_off()
        monitor.wait_for_line("subflow-down")
        far.close()
        assert monitor.wait(20) == 0
    assert monitor.lines[0] == "established: MPTCP"
    ups = [line.split() for line in monitor.lines if line.startswith("subflow-up")]
    assert sorted(words[4] for words in ups) == [zero, one, two] and {words[6] for words in ups} == {address}
    assert any(line.startswith("subflow-down") and one in line for line in monitor.lines), monitor.lines
    assert monitor.lines[-1] == "closed: in order"


class Files(http.server.BaseHTTPRequestHandler):
    body = b""

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", str(len(self.body)))
        self.end_headers()
        self.wfile.write(self.body)

    def log_message(self, *_):
        pass


@braid_only
def test_the_downloader_moves_from_one_uplink_to_another(env):
    env.build_home(*({"mbit": 40} for _ in range(3)))
    router = start(env)
    zero, one = uplink_addresses(env, 0, 1)
    Files.body = os.urandom(12 * MIB)
    address = home.MULTI[4]
    listener = env.listen(address=address, at=env.home.multi, multipath=True)
    server = http.server.ThreadingHTTPServer(listener.getsockname(), Files, bind_and_activate=False)
    server.socket.close()
    server.socket = listener
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    target = env.directory / "file"
    try:
        words = ["env", f"BRAID_APP_SOCKET={router.directory}/app.sock", "sh", "-c", f'"$@" >{target}', "sh",
                 EXAMPLES / "download", address, PORT, "/file", zero, one]
        done = env.home.cpe.run(*words, limit=40)
    finally:
        server.shutdown()
        thread.join()
    assert hashlib.sha256(target.read_bytes()).digest() == hashlib.sha256(Files.body).digest()
    first, second, last = ({address: int(n) for address, n in zip(words[::2], words[1::2])}
                           for words in (line.partition(": ")[2].split() for line in done.stderr.splitlines()))
    assert set(first) == {zero} and set(second) == {zero, one} and set(last) == {one}, done.stderr
    assert first[zero] > 3 * MIB and second[one] > MIB // 4 and last[one] > 2 * MIB, done.stderr


@braid_only
def test_the_server_sees_its_clients_paths(env):
    env.topology.endpoint(2)
    env.start([Edge("web", 4, target="127.0.0.1:9000")])
    with running(env.topology.braid, env.proxy, "server", "127.0.0.1", "9000", "2") as server:
        server.wait_for_line("listening")
        near = env.connect()
        near.sendall(GREETING[:6])
        assert receive(near, 6) == GREETING[:6]
        line = server.wait_for_line("MPTCP from")
        assert sorted(line.split()[2:]) == [net.client_address(1), net.client_address(2)]
        near.sendall(GREETING)
        assert receive(near, len(GREETING)) == GREETING
        near.close()
        assert server.wait(10) == 0


@braid_only
def test_a_server_says_what_holds_for_all_of_its_clients(env):
    env.topology.endpoint(2)
    env.start([Edge("web", 4, target="127.0.0.1:9000", signal=[net.SIGNAL[4]])])

    def greet():
        near = env.connect()
        near.sendall(GREETING[:6])
        assert receive(near, 6) == GREETING[:6]
        return near

    with running(env.topology.braid, env.proxy, "listen", "127.0.0.1", "9000", "interactive", net.SIGNAL[4]) as server:
        server.wait_for_line("listening")
        near = greet()
        server.wait_for_line(f"a client with profile interactive has joined at {net.SIGNAL[4]}")
        assert mptcp.is_mptcp(near)
        server.wait_for_line("no more MPTCP")
        assert not mptcp.is_mptcp(greet())
        server.wait_for_line("a client with plain TCP")
        assert server.wait(10) == 0
