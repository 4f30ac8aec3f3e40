"""A real name server (dnsmasq) in the server's namespace."""
import contextlib
import pathlib
import shutil
import signal

from . import net
from .proc import Process


class NameServer:
    """Knows what is written into its table, and nothing else; every answer is good for ttl seconds."""

    def __init__(self, namespace, directory, resolv_conf, ttl):
        self._namespace, self._table, self._ttl = namespace, directory / "names", ttl
        self.resolv_conf = resolv_conf  # of the proxy
        resolv_conf.write_text(f"nameserver {net.SERVER[4]}\n")
        self._table.write_text("")
        self._process = None

    def start(self):
        self._process = Process(self._namespace.command(
            "dnsmasq", "--no-daemon", "--conf-file=/dev/null", "--no-resolv", "--no-hosts", f"--addn-hosts={self._table}",
            "--local=/test/", f"--local-ttl={self._ttl}", f"--listen-address={net.SERVER[4]}", "--bind-interfaces",
            "--log-queries", "--pid-file"), "dnsmasq")
        self._process.wait_for_line(f"read {self._table}")

    def stop(self):
        """Who asks is refused from now on."""
        if self._process:
            self._process.kill()
            self._process = None

    def set(self, *entries):
        """Pairs of an address and a name, in the place of those from before."""
        self._table.write_text("".join(f"{address} {name}\n" for address, name in entries))
        if self._process:
            self._process.lines.clear()
            self._process.signal(signal.SIGHUP)
            self._process.wait_for_line(f"read {self._table}")

    def wait_for_question(self, name, limit=10.0):
        """The next one from now on."""
        self._process.lines.clear()
        self._process.wait_for_line(f"query[A] {name}", limit)


@contextlib.contextmanager
def name_server(env, *entries, ttl=6, start=True):
    """A name server with these entries, that a proxy which starts meanwhile asks, and nothing else (`ip netns exec` puts the
    files in place)."""
    folder = pathlib.Path("/etc/netns") / env.topology.braid.name
    folder.mkdir(parents=True)
    server = NameServer(env.server, env.directory, folder / "resolv.conf", ttl)
    try:
        (folder / "nsswitch.conf").write_text("hosts: dns\n")
        server.set(*entries)
        if start:
            server.start()
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder)
