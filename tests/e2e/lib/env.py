"""What a test is given: the topology, a server, the proxy, and sockets in the client's namespace."""
import contextlib
import functools
import itertools
import os
import pathlib
import shutil
import socket
import tempfile

from . import home, mptcp, net, steer
from .proxy import PORT, Braid, Edge, HAProxy, default_edges
from .stream import receive
from .wait import FACTOR, until

_numbers = itertools.count(1)
GREETING = b"good morning"


def prefix(pid=None):
    """What the names of all begin with that a test of this process, or of that one, makes."""
    return f"e2e{pid or os.getpid()}-"


class Env:
    Edge = Edge

    def __init__(self, proxy=Braid):
        self._proxy_class = proxy
        self._sockets = []
        self.proxy = None
        self.daemons = []  # of a home: its router's, the edge's
        self._directory = tempfile.TemporaryDirectory(prefix=prefix())
        self.directory = pathlib.Path(self._directory.name)

    @functools.cached_property
    def topology(self):
        """Made when it is first asked for: some tests need none."""
        return net.Topology(f"{prefix()}n{next(_numbers)}")

    @functools.cached_property
    def home(self):
        """As topology: with three uplinks as fast as the machine, unless build_home() has made another."""
        return self.build_home({}, {}, {})

    def build_home(self, *uplinks):
        """uplinks: for each the keywords of home.Uplink."""
        self.home = home.Home(f"{prefix()}h{next(_numbers)}", self.directory, uplinks)
        return self.home

    @property
    def client(self):
        return self.topology.client

    @property
    def server(self):
        return self.topology.server

    @property
    def has_braidctl(self):
        return isinstance(self.proxy, Braid)

    def start(self, edges=None, **settings):
        """The proxy, with an IPv4 and an IPv6 edge unless told otherwise."""
        self.proxy = self._proxy_class(self.topology.braid, self.directory, edges, **settings)
        return self.proxy

    def daemon(self, namespace, sections, **settings):
        """A daemon in that namespace, with a folder of its own, so that there may be several."""
        directory = self.directory / namespace.name
        directory.mkdir(exist_ok=True)
        self.daemons.append(Braid(namespace, directory, sections, **settings))
        return self.daemons[-1]

    def keep(self, sock):
        """The socket will be closed at the end of the test at the latest."""
        self._sockets.append(sock)
        return sock

    def listen(self, version=4, port=PORT, backlog=4096, address=None, multipath=False, at=None):
        """A socket, plain TCP unless told otherwise, that listens in the server's namespace; or at that address in that one."""
        listener = self.keep((at or self.server).socket(version, mptcp.IPPROTO_MPTCP if multipath else 0))
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((address or net.SERVER[version], port))
        listener.listen(backlog)
        listener.settimeout(20 * FACTOR)
        return listener

    def accept(self, listener):
        return self.keep(listener.accept()[0])

    def open(self, version=4, multipath=True, source=None, at=None):
        """A socket in the client's namespace, or in that one, not yet connected."""
        sock = self.keep((at or self.client).socket(version, mptcp.IPPROTO_MPTCP if multipath else 0))
        sock.settimeout(20 * FACTOR)
        if source:
            sock.bind((source, 0))
        return sock

    def connect(self, version=4, port=PORT, to=None, **how):
        """A connection from the client to the service address, or to that one."""
        sock = self.open(version, **how)
        sock.connect((to or net.SERVICE[version], port))
        return sock

    def pair(self, version=4, subflows=1, **how):
        """The two outer ends of a connection through the proxy. The client's has that many subflows: its kernel
        joins only after it has seen data acknowledged, so a greeting goes both ways first."""
        listener = self.listen(version)
        near = self.connect(version, **how)
        far = self.accept(listener)
        listener.close()
        if subflows > 1:
            near.sendall(GREETING)
            assert receive(far, len(GREETING)) == GREETING
            far.sendall(GREETING)
            assert receive(near, len(GREETING)) == GREETING
            until(lambda: len(mptcp.established(near)) == subflows, f"the client has {subflows} subflows")
        return near, far

    def home_pair(self, version=4, server=None, at=None, port=PORT, **how):
        """A connection, plain TCP unless told otherwise, from the home's device (or that namespace) to a server of the home's
        world (or that one): both ends. The server is the one without MPTCP unless named."""
        at, server = at or self.home.device, server or self.home.plain
        listener = self.listen(version, port, address=self.home.where(server)[version], at=server)
        near = self.connect(version, port, self.home.where(server)[version], **{"multipath": False, "at": at, **how})
        far = self.accept(listener)
        listener.close()
        return near, far

    def two_paths(self, mbit=None, version=4, flags=(), **settings):
        """Two paths for the client, shaped or not, the proxy on its way, and the ends of a connection over both."""
        if mbit:
            self.topology.shape(mbit)
        self.topology.endpoint(2, *flags, version=version)
        self.start(**settings)
        return self.pair(version, subflows=2)

    @contextlib.contextmanager
    def names(self, *entries, at=None):
        """What names mean for a proxy that starts meanwhile, in its namespace or in that one: addresses and names of its hosts
        file, which is given to the block and may be written anew (`ip netns exec` puts it in place)."""
        folder = pathlib.Path("/etc/netns") / (at or self.topology.braid).name
        folder.mkdir(parents=True)
        try:
            hosts = folder / "hosts"
            (folder / "nsswitch.conf").write_text("hosts: files\n")
            hosts.write_text("".join(f"{address} {name}\n" for address, name in entries))
            yield hosts
        finally:
            shutil.rmtree(folder)

    @property
    def steer_state(self):
        return self.directory / "steer.state"

    def steer(self, command, *options, expect=0, at=None):
        """Runs braid-steer in the proxy's namespace, or in that one."""
        done = (at or self.topology.braid).run(steer.SCRIPT, command, *options, "--state", self.steer_state, check=False)
        assert done.returncode == expect, f"braid-steer {command}: {done.returncode}\n{done.stdout}{done.stderr}"
        return done

    def no_connections(self):
        """Waits until the daemon has forgotten every connection."""
        if self.has_braidctl:
            until(lambda: not self.proxy.connections(), "the daemon has no connection left", 20)

    def finish(self):
        """The part of the end that can fail a test: every daemon is alive and goes in peace."""
        self.close_sockets()
        if self.proxy:
            self.proxy.healthy()
            self.proxy.stop()
            self.proxy = None
        while self.daemons:
            self.daemons[0].healthy()
            self.daemons.pop(0).stop()

    def close_sockets(self):
        while self._sockets:
            self._sockets.pop().close()

    def delete(self):
        """The part that must not fail: nothing is left."""
        self.close_sockets()
        if self.proxy:
            self.proxy.process.kill()
        for daemon in self.daemons:
            daemon.process.kill()
        steer.stop_watcher(self.steer_state)
        for made in ("topology", "home"):
            if made in vars(self):
                vars(self)[made].delete()
        self._directory.cleanup()


__all__ = ["Env", "Edge", "PORT", "default_edges", "prefix"]
