"""Clients, a proxy and a server in real time: the topology of the end-to-end tests with the paths of a scenario.

The client is the kernel's MPTCP, the server plain TCP; in between, Braid, or HAProxy on the kernel's own MPTCP. The
kernel's sockets use CUBIC everywhere.
"""
import itertools
import os
import pathlib
import re
import tempfile
import time

from lib import mptcp, net
from lib.proxy import PORT, Braid, Edge, HAProxy
from lib.stream import Sender, Timeline, noise
from lib.wait import until
from link import Link

NUMBERS = (1, 2, 4, 5, 6)  # of paths; the network between proxy and server is number 3
SCENARIOS = pathlib.Path(__file__).resolve().parent / "scenarios"
CARRIES = 20000  # bytes that a path has to deliver before it counts as carrying payload, more than any probing does
SEEDS = 16  # of the links of a measurement, so that no two paths lose the same packets
_count = itertools.count(1)


def prefix():
    """Of names that no other process uses, forked ones included."""
    return f"lab{os.getpid()}"


def be_preferred():
    """This process and all it starts from now on, both proxies alike, run as if the machine had nothing else to do; links go
    before them."""
    os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(5))


def path_names(scenario):
    return re.findall(r"^\[path\s+([^\]\s]+)\s*\]", pathlib.Path(scenario).read_text(), re.M)


def hosts(scenario):
    """The paths that share another one's wire: name: that other one."""
    sections = re.split(r"^\[path\s+([^\]\s]+)\s*\]", pathlib.Path(scenario).read_text(), flags=re.M)[1:]
    found = {name: re.search(r"^shares\s*=\s*(\S+)", text, re.M) for name, text in zip(sections[::2], sections[1::2])}
    return {name: match[1] for name, match in found.items() if match}


class Topology(net.Topology):
    """The paths' links are linkem's."""

    def __init__(self, prefix, scenario, directory, seed, only=None):
        self.scenario, self.directory, self.seed = scenario, directory, seed
        self.names = [name for name in path_names(scenario) if only in (None, name)]
        if not self.names:
            raise ValueError(f"{scenario}: there is no path {only}")
        self.paths = NUMBERS[:len(self.names)]
        self.links = {}
        super().__init__(prefix)

    def _wire(self, path):
        name, shares = self.names[self.paths.index(path)], hosts(self.scenario)
        if name in self.links:
            return
        beside = {other: self._devices(self.number(other)) for other, host in shares.items() if host == name and other in self.names}
        self.links[name] = Link(self.directory, self.client, f"up{path}", self.braid, f"path{path}", scenario=self.scenario,
                                path=name, seed=SEEDS * self.seed + path, beside=beside)
        self.links.update(self.links[name].beside)

    @staticmethod
    def _devices(path):
        return f"up{path}", f"path{path}"

    def number(self, name):
        return self.paths[self.names.index(name)]

    def delete(self):
        for link in self.links.values():
            link.kill()
        super().delete()


class Result:
    """What came out of a transfer."""

    def __init__(self, size, begun, receiver):
        self.size, self.begun = size, begun
        self.seconds = receiver.marks[-1][0] - begun  # from the connection's opening to the last byte
        self.mbit = size * 8 / self.seconds / 1e6
        self.receiver = receiver
        self.stall = None   # seconds without a byte after the path failed
        self.back = None    # seconds from a path's return until it carried payload again


class Lab:
    """A scenario with a proxy, as a context. proxy: "braid" or "haproxy"; keys: of Braid's [edge]."""

    def __init__(self, scenario, proxy, seed=1, only=None, keys=()):
        self.scenario, self.kind, self.seed, self.only, self.keys = pathlib.Path(scenario), proxy, seed, only, dict(keys)

    def __enter__(self):
        self._directory = tempfile.TemporaryDirectory(prefix=f"{prefix()}-")
        directory = pathlib.Path(self._directory.name)
        self.topology = self.proxy = None
        try:
            with net.new_namespaces_use("cubic"):
                self.topology = Topology(f"{prefix()}n{next(_count)}", self.scenario, directory, self.seed, self.only)
            for path in self.topology.paths[1:]:
                self.topology.endpoint(path)
            edges = [Edge("web", 4, **self.keys)]
            self.proxy = Braid(self.topology.braid, directory, edges, workers=1) if self.kind == "braid" \
                else HAProxy(self.topology.braid, directory, edges)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        if self.proxy:
            self.proxy.process.kill()
        if self.topology:
            self.topology.delete()
        self._directory.cleanup()

    @property
    def links(self):
        return self.topology.links

    def rates(self, direction):
        """Mbit/s of each path, headers included, in the long run."""
        return [link.stats()[direction]["rate"] * 8 / 1e6 for link in self.links.values()]

    def transfer(self, direction, size, during=None, limit=120.0):
        """Moves so many bytes over a new connection; direction "down" is towards the client. during(connection's
        begin, receiver, client's socket, result) runs meanwhile, and returns what it adds to the result."""
        noise()  # made before the time begins
        data = bytearray(size)
        listener = self.topology.server.socket()
        client = self.topology.client.socket(protocol=mptcp.IPPROTO_MPTCP)
        with listener, client:
            listener.bind((net.SERVER[4], PORT))
            listener.listen()
            listener.settimeout(20)
            client.settimeout(20)
            begun = time.monotonic()
            client.connect((net.SERVICE[4], PORT))
            far = listener.accept()[0]
            with far:
                sink, source = (client, far) if direction == "down" else (far, client)
                sender = Sender(source, size)
                receiver = Timeline(sink, size, data)
                told = during(begun, receiver) if during else {}
                sender.finish(limit)
                receiver.finish(limit)
        result = Result(size, begun, receiver)
        vars(result).update(told)
        return result

    def delivered(self, name, direction):
        return self.links[name].stats()[direction]["bytes"]

    def carries_again(self, name, direction, receiver, limit=20.0):
        """Waits until the path delivers payload; seconds until then, None if the transfer ended before."""
        returned, before = time.monotonic(), self.delivered(name, direction)
        self.links[name].up()
        until(lambda: self.delivered(name, direction) - before > CARRIES or not receiver.is_alive(), f"{name} carries again", limit)
        return time.monotonic() - returned if self.delivered(name, direction) - before > CARRIES else None

    def fail(self, direction, size, name, at, back=None, how="silent", watch=3.0):
        """A transfer during which a path fails `at` seconds after its begin: "silent", or "unplugged" at the client; and
        comes back, if silent, at the second `back`."""
        def during(begun, receiver):
            until(lambda: time.monotonic() >= begun + at or not receiver.is_alive(), "the time of the failure", at + 20)
            failed = time.monotonic()
            if how == "silent":
                self.links[name].down()
            else:
                self.topology.unplug(self.topology.number(name), "client")
            end = begun + back if back is not None else failed + watch
            until(lambda: time.monotonic() >= end or not receiver.is_alive(), "the stall is over", watch + 20)
            if time.monotonic() < end:
                raise AssertionError("the transfer ended too early to see what the failure does")
            told = {"watched": (failed, end)}
            if back is not None:
                told["back"] = self.carries_again(name, direction, receiver)
            return told

        result = self.transfer(direction, size, during)
        # Only now has a stall that lasted for longer come to its end.
        result.stall = result.receiver.silence(*result.watched)
        return result
