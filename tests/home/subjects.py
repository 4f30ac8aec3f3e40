"""What bonds the uplinks of a home: Braid at both ends, what people use today at both ends, or nothing."""
import contextlib
import json
import os
import pathlib
import shutil
import tempfile

from lib import home
from lib.net import new_namespaces_use
from lib.proc import Process
from lib.proxy import Braid, Cpe, Section
from lib.steer import SCRIPT, stop_watcher
from lib.wait import until

LAN_PORT, SERVER_PORT, CONVERTER_PORT = 1080, 8388, 5124
MARK_TABLE = 9000  # of the routing tables of the kernel's uplinks
REDIRECT = """table ip peer {
    chain pre {
        type nat hook prerouting priority dstnat; policy accept;
        iifname "lan" meta l4proto tcp redirect to :%d
    }
}
""" % LAN_PORT


class Subject:
    name, programs = None, ()

    def __init__(self):
        self.processes = []

    @classmethod
    def lacks(cls):
        """The programs of it that are not installed."""
        return [program for program in cls.programs if not shutil.which(program)]

    def start(self, house, directory):
        pass

    def stop(self):
        while self.processes:
            self.processes.pop().kill()


class Direct(Subject):
    """No proxy: the router forwards over the first uplink."""
    name = "no bonding"


class BraidSubject(Subject):
    """Braid as CPE and as converter, with the defaults of both."""
    name, state, cpe = "Braid", None, None
    steering = ("--lan", "lan")
    near, far = {}, {}  # keys of the CPE and the converter beside the defaults
    daemon = {}  # and of both daemons

    def start(self, house, directory):
        at_cpe, at_edge = directory / "cpe", directory / "edge"
        for each in (at_cpe, at_edge):
            each.mkdir()
        converter = f"{home.SERVICE[4]}:{CONVERTER_PORT}"
        edge = Braid(house.edge, at_edge, [Section("edge conv", mode="convert", listen=converter, allow="10.0.0.0/8",
                                               targets="any", **self.far)], **self.daemon)
        self.processes.append(edge.process)
        self.cpe = Braid(house.cpe, at_cpe, [Cpe(uplinks=[uplink.device for uplink in house.uplinks], mode="convert", peer=converter,
                                         **self.near)], **self.daemon)
        self.processes.append(self.cpe.process)
        self.state = directory / "steer"
        house.cpe.run(SCRIPT, "up", *self.steering, "--state", self.state)

    def stop(self):
        if self.state:
            stop_watcher(self.state)
        super().stop()


class EarlySubject(BraidSubject):
    """The same, answering devices at once, and with their first bytes in the SYN: 0-RTT."""
    name, near, far = "Braid, early", {"answer": "early"}, {"early": "yes"}


class Shadowsocks(Subject):
    """Debian's shadowsocks-libev, redirected to in the router, on the kernel's MPTCP at both ends, set up as its users are
    told to: every uplink an endpoint with a routing table of its own."""
    name, programs = "Shadowsocks", ("ss-redir", "ss-server", "mptcpize")

    def start(self, house, directory):
        common = {"server": home.EDGE[4], "server_port": SERVER_PORT, "password": "home", "method": "aes-128-gcm",
                  "timeout": 600, "mode": "tcp_only", "no_delay": True}
        self._endpoints(house)
        self._run(house.edge, directory, "ss-server", common)
        self._run(house.cpe, directory, "ss-redir", {**common, "local_address": "0.0.0.0", "local_port": LAN_PORT})
        house.cpe.run("nft", "-f", "-", stdin=REDIRECT)

    def _run(self, namespace, directory, program, settings):
        path = directory / f"{program}.json"
        path.write_text(json.dumps(settings))
        process = Process(namespace.command("mptcpize", "run", program, "-c", path), program)
        self.processes.append(process)
        port = settings.get("local_port", settings["server_port"])

        def listens():
            return str(port) in namespace.run("ss", "-Hltn", f"sport = {port}").stdout
        until(lambda: not process.alive() or listens(), f"{program} listens")
        if not process.alive():
            raise RuntimeError(f"{program}: " + " | ".join(process.lines))

    @staticmethod
    def _endpoints(house):
        for namespace in (house.cpe, house.edge):
            namespace.ip("mptcp", "limits", "set", "subflows", "8", "add_addr_accepted", "8")
        house.cpe.ip("mptcp", "endpoint", "flush")
        for uplink in house.uplinks:
            table = MARK_TABLE + uplink.number
            house.cpe.ip("route", "replace", "default", "via", uplink.gateway(), "dev", uplink.device, "table", table)
            house.cpe.run("sh", "-c", f"ip rule del table {table} 2>/dev/null; "
                          f"ip rule add from {uplink.address()} table {table}")
            house.cpe.ip("mptcp", "endpoint", "add", uplink.address(), "dev", uplink.device, "subflow")

    def stop(self):
        super().stop()


@contextlib.contextmanager
def at_home(subject, uplinks):
    """A house of its own with the subject at work, which finds nothing that another one has left."""
    with tempfile.TemporaryDirectory(prefix="home-") as name:
        with new_namespaces_use("cubic"):
            house = home.Home(f"hs{os.getpid()}", pathlib.Path(name), uplinks)
        try:
            try:
                subject.start(house, pathlib.Path(name))
                yield house
            finally:
                subject.stop()
        finally:
            house.delete()
