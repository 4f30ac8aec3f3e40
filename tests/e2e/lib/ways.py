"""The same program three ways: over plain TCP, with Braid beneath it, and with Braid beneath it and the library preloaded. It has
to come to the same result each time.

Its clients run on the router of a home with two uplinks, its servers on the edge's machine, behind an edge of that daemon; over
plain TCP they have that machine's own address. Clients know it as HOST."""
import contextlib
import pathlib
import shutil
import signal
import tempfile

from . import home, net
from .env import prefix
from .proc import Process
from .proxy import BUILD, ROOT, Cpe, Section, listening
from .wait import Timeout, until

HOST = "server.test"
PLAIN, CARRIED, PRELOADED = WAYS = ("plain TCP", "Braid beneath", "braidrun")
RATE = 50  # Mbit/s of each uplink


class Way:
    """One of them; commands are run by it, or made for a Process."""

    def __init__(self, env, name, version, shared):
        self.env, self.name, self.version, self.folder = env, name, version, shared
        self.address = {PLAIN: home.EDGE}.get(name, home.SERVICE)[version]
        self._servers = []
        self.report = shared / "report"  # what the library says at the end of the clients' connections
        self.report.touch()
        self.report.chmod(0o666)

    def _braidrun(self, namespace, *options):
        """Words that come before those of the program."""
        if self.name is not PRELOADED:
            return ()
        daemon = next(d for d in self.env.daemons if d.namespace is namespace)
        return ("env", f"BRAID_LIBRARY={self.folder / 'libbraid-socket.so'}", f"BRAID_STATS={self.report}",
                ROOT / "deploy" / "braidrun", "--socket", daemon.directory / "app.sock", *options)

    def client(self, *argv):
        """The command on the router; its library asks the daemon at each connect, since it is told which uplinks to use."""
        cpe = self.env.home.cpe
        local = ",".join(uplink.address(version) for uplink in self.env.home.uplinks for version in home.VERSIONS)
        return cpe.command(*self._braidrun(cpe, "--local", local), *argv)

    def server(self, *argv):
        """The command on the edge's machine."""
        return self.env.home.edge.command(*self._braidrun(self.env.home.edge), *argv)

    def serve(self, ports, *argv, end=signal.SIGTERM, at=None):
        """A server that runs as long as this way is tried, once it listens; at the edge's unless told otherwise."""
        at = at or self.env.home.edge
        command = self.server(*argv) if at is self.env.home.edge else self.client(*argv)
        server = Process(command, argv[0])
        self._servers.append((server, end))

        def ready():
            open_ports = {int(line.split()[1].rpartition(":")[2], 16) for line in listening()}
            return not server.alive() or open_ports.issuperset(ports)

        with at.entered():
            until(ready, f"{argv[0]} listens at {ports}: {server.lines}", 20)
        assert server.alive(), f"{argv[0]} has ended: {server.lines}"
        if self.name is PRELOADED:
            maps = pathlib.Path(f"/proc/{server.pid}/maps").read_text()
            assert "libbraid-socket" in maps, f"{argv[0]} has not loaded the library"
        return server

    def stop(self):
        while self._servers:
            server, end = self._servers.pop()
            server.signal(end)
            with contextlib.suppress(Timeout):
                server.wait(10)
            server.kill()

    def carried(self):
        """Bytes by uplink, so far."""
        router = next(d for d in self.env.daemons if d.namespace is self.env.home.cpe)
        return {each["name"]: each["bytes"] for each in router.ctl("uplinks")["uplinks"]}

    def without_address(self, text):
        """What a program says of its peer differs in the peer's address."""
        return text.replace(self.address, "ADDRESS")


def start_daemons(env, version, ports):
    address = home.SERVICE[version]
    env.daemon(env.home.edge, [Section(f"edge p{port}", listen=net.join(address, port),
                                       target=net.join({4: "127.0.0.1", 6: "::1"}[version], port)) for port in ports])
    env.daemon(env.home.cpe, [Cpe(uplinks=[uplink.device for uplink in env.home.uplinks])])
    env.steer("up", "--local", at=env.home.cpe)


@contextlib.contextmanager
def shared_folder():
    """One that other users can read, with the library in it."""
    with tempfile.TemporaryDirectory(prefix=prefix()) as name:
        folder = pathlib.Path(name)
        folder.chmod(0o755)
        shutil.copy(BUILD / "libbraid-socket.so", folder)
        yield folder


def same_each_way(env, version, ports, work, least):
    """Calls work(way) for each, which starts the servers and says what has come out, as a dictionary: the same each time. Both
    uplinks must have carried at least so many bytes. ports: of the servers."""
    env.build_home({"mbit": RATE}, {"mbit": RATE})
    seen = {}
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(shared_folder())
        hosts = stack.enter_context(env.names(at=env.home.cpe))
        for name in WAYS:
            if name is CARRIED:
                start_daemons(env, version, ports)
            way = Way(env, name, version, folder)
            hosts.write_text(f"127.0.0.1 localhost\n::1 localhost\n{way.address} {HOST}\n")
            before = way.carried() if name is not PLAIN else {}
            try:
                seen[name] = work(way)
            finally:
                way.stop()
            if name is not PLAIN:
                used = {uplink: n - before[uplink] for uplink, n in way.carried().items()}
                assert len(used) == 2 and all(n >= least for n in used.values()), (name, used)
    for name, result in seen.items():
        different = {key: (seen[PLAIN].get(key), value) for key, value in result.items() if seen[PLAIN].get(key) != value}
        assert not different and result.keys() == seen[PLAIN].keys(), f"{name} differs from plain TCP: {different}"
    return seen[PLAIN]
