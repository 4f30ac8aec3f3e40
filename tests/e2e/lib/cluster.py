"""Several machines behind a router that shares clients out among them, with the files of deploy/cluster as they stand there.

            path 1, 172.16.1.0/24, fd01::/64                    10.0.0.0/24, fd00::/64
   client =================================== router (BIRD) ============================ machine 1: braidd, BIRD, server
            path 2, 172.16.2.0/24, fd02::/64         |                                   machine 2 ...
       .2                                   .1       .1                              .11, .12 ...

All machines announce 192.0.2.1 and 2001:db8::1; 198.51.100.11 and 2001:db8:1::11 are machine 1's alone.
"""
import contextlib
import json
import pathlib
import selectors
import signal
import socket
import threading

from . import mptcp, net
from .proc import Process, run
from .proxy import BRAIDCTL, Braid, Section
from .wait import until

DEPLOY = pathlib.Path(__file__).resolve().parents[3] / "deploy/cluster"
SHARED = {4: "192.0.2.1", 6: "2001:db8::1"}
PORT, TARGET_PORT = 8080, 9000
PLACES = 8  # machines that there may be ...
MOST = 4  # ... and that there ever are
PATIENCE = 60
PATHS = (1, 2)
BUSY = 30  # seconds that a machine may take for what is quick


def lan(number, version):
    return f"10.0.0.{10 + number}" if version == 4 else f"fd00::{10 + number}"


def own(number, version):
    return f"198.51.100.{10 + number}" if version == 4 else f"2001:db8:1::{10 + number}"


class Server(threading.Thread):
    """Greets whoever comes to a machine with that machine's number, and sends back what it gets."""

    def __init__(self):
        super().__init__(daemon=True)
        self._selector = selectors.DefaultSelector()
        self._wake, self._ear = socket.socketpair()
        self._selector.register(self._ear, selectors.EVENT_READ)
        self._sockets = [self._wake, self._ear]
        self.start()

    def serve(self, namespace, number):
        listener = namespace.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", TARGET_PORT))
        listener.listen(1024)
        listener.setblocking(False)
        self._sockets.append(listener)
        self._selector.register(listener, selectors.EVENT_READ, number)

    def run(self):
        while True:
            for key, _ in self._selector.select():
                if key.fileobj is self._ear:
                    return
                with contextlib.suppress(OSError):
                    self._look(key)

    def _look(self, key):
        if key.data:
            client, _ = key.fileobj.accept()
            client.sendall(bytes([key.data]))
            self._sockets.append(client)
            self._selector.register(client, selectors.EVENT_READ)
            return
        try:
            data = key.fileobj.recv(4096)
        except ConnectionError:
            data = b""
        if data:
            key.fileobj.sendall(data)
        else:
            self._selector.unregister(key.fileobj)
            key.fileobj.close()

    def stop(self):
        self._wake.close()
        self.join()
        for one in self._sockets:
            one.close()


class Bird:
    def __init__(self, namespace, directory, text):
        self.namespace, self.socket = namespace, directory / "bird.ctl"
        self.socket.unlink(missing_ok=True)
        config = directory / "bird.conf"
        # a busy machine is silent for longer than half a second
        config.write_text(text.replace("log syslog all;", "log stderr all;").replace("multiplier 5;", "multiplier 30;"))
        self.process = Process(namespace.command("bird", "-f", "-c", config, "-s", self.socket, "-P", directory / "bird.pid"), "bird")
        until(self.socket.exists, "BIRD answers", BUSY)

    def kill(self):
        self.process.kill()


class Machine:
    def __init__(self, cluster, number):
        self.cluster, self.number = cluster, number
        self.namespace = net.Namespace(f"{cluster.prefix}m{number}")
        self.braid, self.leaving = None, None
        self.speakers = []  # what tells the router
        self.directory = cluster.directory / f"m{number}"
        self.directory.mkdir()
        self.namespace.sysctl(net__ipv4__conf__all__rp_filter=0, net__ipv4__conf__default__rp_filter=0,
                              net__ipv6__conf__all__accept_dad=0, net__ipv6__conf__default__accept_dad=0,
                              net__ipv4__ip_forward=1, net__ipv6__conf__all__forwarding=1)
        net.link(self.namespace, "eth0", cluster.router, f"m{number}")
        cluster.router.ip("link", "set", f"m{number}", "master", "lan")
        cluster.server.serve(self.namespace, number)

    def sections(self):
        keys = {"joins": "signalled"} if self.cluster.steering == "signal" else {}
        for version in (4, 6):
            alone = {"signal": own(self.number, version)} if self.cluster.steering == "signal" else {}
            yield Section(f"edge web{version}", listen=net.join(SHARED[version], PORT), target=f"127.0.0.1:{TARGET_PORT}", **keys, **alone)

    def start(self):
        """The daemon, BIRD, and what tells BIRD of the daemon."""
        self.namespace.ip("link", "set", "eth0", "up")
        for version, bits in ((4, 24), (6, 64)):  # an interface that goes down loses some of it
            self.namespace.ip("address", "replace", f"{lan(self.number, version)}/{bits}", "dev", "eth0", *["nodad"] * (version == 6))
            self.namespace.ip(f"-{version}", "route", "replace", "default", "via", self.cluster.gateway(version))
        daemon = {} if self.cluster.steering == "signal" else {"instance": f"{self.number} of {PLACES}"}
        self.braid = Braid(self.namespace, self.directory, list(self.sections()), workers=2, daemon=daemon)
        said = f"BRAIDCTL='{BRAIDCTL} -s {self.braid.control}'\nFLAG={self.directory}/drained\n"
        (self._keepalived if self.cluster.floats else self._bird)(said)

    def _bird(self, said):
        text = (DEPLOY / "bird-machine.conf").read_text()
        for version in (4, 6):
            text = text.replace(lan(1, version), lan(self.number, version)).replace(own(1, version), own(self.number, version))
        if self.cluster.steering == "machines":
            text += "".join(self._way_to(number) for number in range(1, MOST + 1) if number != self.number)
        bird = Bird(self.namespace, self.directory, text)
        (self.directory / "cluster.conf").write_text(
            f"{said}BIRDC='birdc -s {bird.socket}'\nSTEERING={'token' if self.cluster.steering == 'router' else 'signal'}\n")
        self.speakers = [bird.process, Process(self.command("watch"), "braid-cluster", self.environment)]

    @staticmethod
    def _way_to(number):
        text = (DEPLOY / "bird-machine-token.conf").read_text()
        for version in (4, 6):
            text = text.replace(own(2, version), own(number, version))
        return text.replace("machine2_", f"machine{number}_").replace("9102", str(9100 + number))

    def _keepalived(self, said):
        """The first machine has the higher priority."""
        (self.directory / "cluster.conf").write_text(f"{said}BIRDC=true\nSETTLE=10\n")
        text = (DEPLOY / "keepalived.conf").read_text().replace("/usr/local/lib/braid", str(DEPLOY))
        config = self.directory / "keepalived.conf"
        config.write_text(text.replace("priority 150", f"priority {160 - 10 * self.number}"))
        pids = [word for flag in "prc" for word in (f"-{flag}", self.directory / f"{flag}.pid")]
        self.speakers = [Process(self.namespace.command("keepalived", "-n", "-l", "-f", config, *pids), "keepalived", self.environment)]

    @property
    def environment(self):
        return {"BRAID_CLUSTER_CONF": str(self.directory / "cluster.conf")}

    def command(self, *words):
        return self.namespace.command(DEPLOY / "braid-cluster", *words)

    def drain(self):
        """braid-cluster drain, at work beside the test."""
        self.leaving = Process(self.command("drain"), "braid-cluster", self.environment)
        return self.leaving

    def crash(self):
        """Nobody is told."""
        self.namespace.ip("link", "set", "eth0", "down")
        self.braid.process.signal(signal.SIGKILL)
        self.braid.process.wait()
        self.silence()
        self.braid = None

    def silence(self):
        while self.speakers:
            self.speakers.pop().kill()

    def stop(self):
        """In order, as far as it runs."""
        if self.braid:
            self.braid.stop()

    def delete(self):
        if self.braid:
            self.braid.process.kill()
        if self.leaving:
            self.leaving.kill()
        self.silence()
        self.namespace.delete()


class Connection:
    def __init__(self, cluster, version, sock):
        self.version, self.socket = version, sock
        sock.settimeout(PATIENCE)
        sock.connect((SHARED[version], PORT))
        self.machine = sock.recv(1)[0]
        self.echo(b"good morning")

    def hear(self, said):
        """What was sent comes back."""
        back = b""
        while len(back) < len(said):
            more = self.socket.recv(4096)
            if not more:
                raise ConnectionError("the end of the stream")
            back += more
        assert back == said

    def echo(self, said):
        self.socket.sendall(said)
        self.hear(said)

    def flows(self):
        return mptcp.established(self.socket)


class Cluster:
    """steering: "signal", by an address that is each machine's own; "router", by tokens, at the router; "machines", by tokens,
    among the machines. floats: not by BGP, but with a next hop that moves."""

    def __init__(self, prefix, directory, steering, machines=3, floats=False):
        self.prefix, self.directory, self.steering, self.floats = prefix, directory, steering, floats
        self.machines, self.server, self.bird = [], Server(), None
        self.client = self.router = None
        try:
            self._paths()
            if floats:
                self._routes(machines)
            else:
                self.bird = Bird(self.router, self.directory, self._router_text())
            for number in range(1, machines + 1):
                self.add(number)
            if steering == "router":
                self._steer(self.router, "tables=kept")
        except BaseException:
            self.delete()
            raise

    @staticmethod
    def gateway(version):
        return "10.0.0.1" if version == 4 else "fd00::1"

    def _paths(self):
        self.client, self.router = net.Namespace(f"{self.prefix}cl"), net.Namespace(f"{self.prefix}ro")
        for namespace in (self.client, self.router):
            namespace.sysctl(net__ipv4__conf__all__rp_filter=0, net__ipv4__conf__default__rp_filter=0,
                             net__ipv6__conf__all__accept_dad=0, net__ipv6__conf__default__accept_dad=0)
        self.client.sysctl(net__mptcp__blackhole_timeout=0, net__mptcp__close_timeout=2)
        self.router.sysctl(net__ipv4__ip_forward=1, net__ipv6__conf__all__forwarding=1,
                           net__ipv4__fib_multipath_hash_policy=1, net__ipv6__fib_multipath_hash_policy=1)
        self.router.ip("link", "add", "lan", "type", "bridge")
        self.router.ip("link", "set", "lan", "up")
        for version, bits in ((4, 24), (6, 64)):
            self.router.ip("address", "add", f"{self.gateway(version)}/{bits}", "dev", "lan", *["nodad"] * (version == 6))
        for path in PATHS:
            net.link(self.client, f"up{path}", self.router, f"p{path}")
            for version, bits in ((4, 24), (6, 64)):
                near, far = ((f"172.16.{path}.2", f"172.16.{path}.1") if version == 4 else (f"fd0{path}::2", f"fd0{path}::1"))
                self.client.ip("address", "add", f"{near}/{bits}", "dev", f"up{path}", *["nodad"] * (version == 6))
                self.router.ip("address", "add", f"{far}/{bits}", "dev", f"p{path}", *["nodad"] * (version == 6))
                for table in [str(100 + path)] + ["main"] * (path == 1):
                    self.client.ip(f"-{version}", "route", "add", "default", "via", far, "dev", f"up{path}", "table", table)
                self.client.ip(f"-{version}", "rule", "add", "from", near, "table", str(100 + path))
                if path == 2:
                    self.client.ip("mptcp", "endpoint", "add", near, "dev", f"up{path}", "subflow")

    def _routes(self, machines):
        for version, hop in ((4, "10.0.0.5"), (6, "fd00::5")):
            self.router.ip(f"-{version}", "route", "add", SHARED[version], "via", hop)
            for number in range(1, machines + 1):
                self.router.ip(f"-{version}", "route", "add", own(number, version), "via", lan(number, version))

    def _router_text(self):
        text = (DEPLOY / "bird-router.conf").read_text()
        more = (DEPLOY / "bird-router-token.conf").read_text()
        for number in range(1, MOST + 1) if self.steering == "router" else ():
            for version in (4, 6):
                one = more if version == 4 else one
                one = one.replace(lan(1, version), lan(number, version))
            text += one.replace("machine1_", f"machine{number}_").replace("9101", str(9100 + number))
        return text

    def add(self, number):
        machine = Machine(self, number)
        self.machines.append(machine)
        if self.steering == "machines":
            self._steer(machine.namespace, f"self={number}", "strangers=pass", "tables=kept")
        machine.start()
        return machine

    def _steer(self, namespace, *words):
        """braidctl cluster, into the kernel of that namespace."""
        said = [f"of={PLACES}", f"service={SHARED[4]},{SHARED[6]}", *words]
        said += [f"{number}={lan(number, 4)},{lan(number, 6)}" for number in range(1, MOST + 1)]
        namespace.run("nft", "-f", "-", stdin=run([BRAIDCTL, "cluster", "rules", *said]).stdout)
        namespace.run("sh", "-c", run([BRAIDCTL, "cluster", "routes", *said]).stdout)

    def hops(self, version):
        """The numbers of the machines that share the shared address."""
        routes = json.loads(self.router.run("ip", f"-{version}", "-j", "route", "show", SHARED[version]).stdout or "[]")
        hops = [hop for route in routes for hop in route.get("nexthops", [route])]
        names = {lan(m.number, version): m.number for m in self.machines}
        return {names[hop["gateway"]] for hop in hops if hop.get("gateway") in names}

    def _know(self, namespace, numbers):
        """The tables of that namespace, which BIRD keeps, have ways to those machines."""
        return all(namespace.run("ip", f"-{version}", "route", "show", "table", 9100 + number, check=False).stdout.strip()
                   for number in numbers for version in (4, 6))

    def shared_by(self, *numbers):
        """Waits for it. Joins may come as soon as there are new clients, so whoever passes these on has to know the ways."""
        until(lambda: all(self.hops(version) == set(numbers) for version in (4, 6)), f"the router shares out among {numbers}", PATIENCE)
        if self.steering == "router":
            until(lambda: self._know(self.router, numbers), f"the router knows the ways to {numbers}", PATIENCE)
        if self.steering == "machines":
            until(lambda: all(self._know(machine.namespace, set(numbers) - {machine.number}) for machine in self.machines
                              if machine.number in numbers), f"{numbers} know the ways to each other", PATIENCE)

    def connect(self, count):
        """So many connections, of IPv4 and IPv6 in turn."""
        return [Connection(self, version, self.client.socket(version, mptcp.IPPROTO_MPTCP)) for version in (4, 6) * (count // 2)]

    def one_more_way(self):
        """The client gets further addresses, from which its kernel joins at all addresses that it has joined at already."""
        for version, address, bits in ((4, "172.16.2.3", 24), (6, "fd02::3", 64)):
            self.client.ip("address", "add", f"{address}/{bits}", "dev", "up2", *["nodad"] * (version == 6))
            self.client.ip(f"-{version}", "rule", "add", "from", address, "table", "102")
            self.client.ip("mptcp", "endpoint", "add", address, "dev", "up2", "subflow", "fullmesh")

    def counter(self, name):
        return sum(machine.braid.counters()[name] for machine in self.machines if machine.braid)

    def delete(self):
        for machine in self.machines:
            machine.delete()
        if self.bird:
            self.bird.kill()
        self.server.stop()
        for namespace in (self.client, self.router):
            if namespace:
                namespace.delete()


