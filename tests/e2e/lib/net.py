"""Network namespaces, and the topology of every end-to-end test.

             path 1, 10.99.1.0/24, fd99:1::/64
   client ===================================== braid ----------------------------- server
             path 2, 10.99.2.0/24, fd99:2::/64    |    10.99.3.0/24, fd99:3::/64
       .2                                    .1   |  .1                           .2
                                                 TUN: 10.99.9.1, fd99:9::1

The service addresses are on no interface: they are routed to the TUN. Sockets are made inside a namespace by entering
it with a thread for a moment; from then on they belong to it, and the test uses them like its own.
"""
import contextlib
import ctypes
import fcntl
import json
import os
import socket

from .proc import run

CLONE_NEWNET = 0x40000000
_libc = ctypes.CDLL(None, use_errno=True)

PATHS = (1, 2)
LINK = 4  # the network between the proxy's host and a router
SERVICE = {4: "10.99.9.1", 6: "fd99:9::1"}
SIGNAL = {4: "10.99.9.2", 6: "fd99:9::2"}
SERVER = {4: "10.99.3.2", 6: "fd99:3::2"}
CONGESTION = "/proc/sys/net/ipv4/tcp_congestion_control"
FAMILY = {4: socket.AF_INET, 6: socket.AF_INET6}


def client_address(path, version=4):
    return f"10.99.{path}.2" if version == 4 else f"fd99:{path}::2"


def braid_address(path, version=4):
    return f"10.99.{path}.1" if version == 4 else f"fd99:{path}::1"


def join(address, port):
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


def _setns(fd):
    if _libc.setns(fd, CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "setns")


class Namespace:
    def __init__(self, name):
        self.name = name
        run(["ip", "netns", "add", name])
        self._fd = os.open(f"/run/netns/{name}", os.O_RDONLY | os.O_CLOEXEC)
        self.ip("link", "set", "lo", "up")

    def command(self, *argv):
        """The argument vector that runs argv inside."""
        return ["ip", "netns", "exec", self.name, *argv]

    def run(self, *argv, **how):
        return run(self.command(*argv), **how)

    def ip(self, *argv):
        return run(["ip", "-n", self.name, *argv])

    def tc(self, *argv):
        return run(["tc", "-n", self.name, *argv])

    @contextlib.contextmanager
    def entered(self):
        """This thread is inside while the block runs."""
        outside = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        _setns(self._fd)
        try:
            yield
        finally:
            _setns(outside)
            os.close(outside)

    def socket(self, version=4, protocol=0, kind=socket.SOCK_STREAM):
        with self.entered():
            return socket.socket(FAMILY[version], kind, protocol)

    def sysctl(self, **settings):
        """Dots are written as two underscores: net__ipv4__ip_forward=1."""
        with self.entered():
            for key, value in settings.items():
                with open("/proc/sys/" + key.replace("__", "/"), "w") as file:
                    file.write(str(value))

    def counters(self):
        """What nstat knows: name -> value since the namespace was made."""
        return json.loads(self.run("nstat", "-a", "-s", "-z", "-j").stdout)["kernel"]

    def iptables(self, *rule, version=4):
        self.run("iptables" if version == 4 else "ip6tables", "-w", *rule)

    def delete(self):
        os.close(self._fd)
        run(["ip", "netns", "del", self.name])


def link(left, left_name, right, right_name):
    """A veth pair between two namespaces, up at both ends."""
    run(["ip", "link", "add", left_name, "netns", left.name, "type", "veth", "peer", "name", right_name,
         "netns", right.name])
    for end, name in ((left, left_name), (right, right_name)):
        end.ip("link", "set", name, "up")


@contextlib.contextmanager
def new_namespaces_use(congestion):
    """The congestion control of namespaces that are made inside the block: they inherit it in the moment of their making,
    and cannot change it themselves. Whoever else does this waits."""
    lock = os.open("/run", os.O_RDONLY | os.O_CLOEXEC)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with open(CONGESTION) as file:
            usual = file.read()
        try:
            with open(CONGESTION, "w") as file:
                file.write(congestion)
            yield
        finally:
            with open(CONGESTION, "w") as file:
                file.write(usual)
    finally:
        os.close(lock)


class Topology:
    """Three namespaces whose names begin with prefix. The client can use both paths, from the start or later."""
    paths = PATHS

    def __init__(self, prefix):
        self._made, self.prefix = [], prefix
        try:
            self.client, self.braid, self.server = (self._add(f"{prefix}-{role}") for role in ("cl", "br", "sv"))
            for namespace in self._made:
                namespace.sysctl(net__ipv4__conf__all__rp_filter=0, net__ipv4__conf__default__rp_filter=0,
                                 net__ipv6__conf__all__accept_dad=0, net__ipv6__conf__default__accept_dad=0)
            self.client.sysctl(net__mptcp__blackhole_timeout=0)
            self.braid.sysctl(net__ipv4__ip_forward=1, net__ipv6__conf__all__forwarding=1)
            for path in self.paths:
                self._connect_path(path)
            link(self.server, "eth0", self.braid, "server")
            self._address(self.server, "eth0", SERVER[4], SERVER[6])
            self._address(self.braid, "server", braid_address(3), braid_address(3, 6))
            self._route(self.server, "eth0", 3, "main")
            self.limits(subflows=4, add_addr_accepted=4)
        except BaseException:
            self.delete()
            raise

    def _add(self, name):
        namespace = Namespace(name)
        self._made.append(namespace)
        return namespace

    @staticmethod
    def _address(namespace, device, v4, v6):
        namespace.ip("address", "add", f"{v4}/24", "dev", device)
        namespace.ip("address", "add", f"{v6}/64", "dev", device, "nodad")

    @staticmethod
    def _route(namespace, device, path, table):
        for version in (4, 6):
            namespace.ip(f"-{version}", "route", "add", "default", "via", braid_address(path, version), "dev", device,
                         "table", table)

    def _wire(self, path):
        """Makes the devices of a path, up at both ends."""
        link(self.client, f"up{path}", self.braid, f"path{path}")

    def _connect_path(self, path):
        self._wire(path)
        self._address(self.client, f"up{path}", client_address(path), client_address(path, 6))
        self._address(self.braid, f"path{path}", braid_address(path), braid_address(path, 6))
        if path == 1:
            self._route(self.client, "up1", 1, "main")
        self._route(self.client, f"up{path}", path, str(100 + path))
        for version in (4, 6):
            self.client.ip(f"-{version}", "rule", "add", "from", client_address(path, version), "table", str(100 + path))

    def _router(self, near, near_device, far, far_device, number, mtu):
        """Puts a router into the link from near_device of the proxy's host to far_device, which keeps its addresses, those of
        network `number`. The link behind the router carries packets of mtu bytes, which the far end does not know."""
        router = self._add(f"{self.prefix}-r{number}")
        router.sysctl(net__ipv4__ip_forward=1, net__ipv6__conf__all__forwarding=1)
        far.ip("link", "del", far_device)
        link(near, near_device, router, "near")
        link(router, "far", far, far_device)
        router.ip("link", "set", "far", "mtu", str(mtu))
        self._address(near, near_device, braid_address(LINK), braid_address(LINK, 6))
        self._address(router, "near", client_address(LINK), client_address(LINK, 6))
        self._address(router, "far", braid_address(number), braid_address(number, 6))
        self._address(far, far_device, client_address(number), client_address(number, 6))
        self._route(router, "near", LINK, "main")
        self._route(far, far_device, number, "main")
        for version, prefix in ((4, f"10.99.{number}.0/24"), (6, f"fd99:{number}::/64")):
            near.ip(f"-{version}", "route", "replace", prefix, "via", client_address(LINK, version), "dev", near_device)
        return router

    def router_before_server(self, mtu=1500):
        return self._router(self.braid, "server", self.server, "eth0", 3, mtu)

    def router_before_client(self, mtu=1500):
        """In path 1."""
        return self._router(self.braid, "path1", self.client, "up1", 1, mtu)

    def limits(self, subflows, add_addr_accepted):
        self.client.ip("mptcp", "limits", "set", "subflows", str(subflows), "add_addr_accepted", str(add_addr_accepted))

    def endpoint(self, path, *flags, version=4):
        """Lets the client's path manager use its address on that path; flags as of ip-mptcp(8)."""
        self.client.ip("mptcp", "endpoint", "add", client_address(path, version), "dev", f"up{path}",
                       *(flags or ("subflow",)))

    def shape(self, mbit, *paths):
        """A token bucket in both directions of each path given, or of both."""
        for path in paths or self.paths:
            for namespace, device in ((self.client, f"up{path}"), (self.braid, f"path{path}")):
                namespace.tc("qdisc", "replace", "dev", device, "root", "tbf", "rate", f"{mbit}mbit", "burst", "128kb",
                             "latency", "40ms")

    def go_dark(self, path):
        """Everything on the path vanishes, in both directions; neither end is told."""
        for version in (4, 6):
            for chain, way in (("PREROUTING", "-i"), ("POSTROUTING", "-o")):
                self.braid.iptables("-t", "mangle", "-A", chain, way, f"path{path}", "-j", "DROP", version=version)

    def unplug(self, path, end):
        """The interface of the path is switched off at one end, "client" or "braid"."""
        namespace, device = (self.client, f"up{path}") if end == "client" else (self.braid, f"path{path}")
        namespace.ip("link", "set", device, "down")

    def strip_mptcp(self, direction, *match, path=None, version=4):
        """Turns the MPTCP options of TCP segments that match into NOPs. direction: "to braid" or "to client"."""
        chain, way = ("PREROUTING", "-i") if direction == "to braid" else ("POSTROUTING", "-o")
        for each in (path,) if path else self.paths:
            self.braid.iptables("-t", "mangle", "-A", chain, way, f"path{each}", "-p", "tcp", *match, "-j", "TCPOPTSTRIP",
                                "--strip-options", "30", version=version)

    def unstrip(self):
        """Takes the rules of strip_mptcp and go_dark away."""
        for version in (4, 6):
            self.braid.iptables("-t", "mangle", "-F", version=version)

    def lose(self, probability, path):
        """Loses that share of the packets on the path, in both directions."""
        for chain, way in (("PREROUTING", "-i"), ("POSTROUTING", "-o")):
            self.braid.iptables("-t", "mangle", "-A", chain, way, f"path{path}", "-m", "statistic", "--mode", "random",
                                "--probability", str(probability), "-j", "DROP")

    def swallow(self, size, path):
        """Packets of more than size bytes vanish on the path, in both directions, and nobody is told."""
        for namespace, device in ((self.braid, f"path{path}"), (self.client, f"up{path}")):
            namespace.ip("link", "set", "dev", device, "gso_max_segs", "1")  # a filter sees super-packets else
            for version in (4, 6):
                namespace.iptables("-t", "raw", "-A", "PREROUTING", "-i", device, "-m", "length", "--length",
                                   f"{size + 1}:65535", "-j", "DROP", version=version)

    def delete(self):
        while self._made:
            self._made.pop().delete()


def namespaces(prefix):
    """The names of the existing namespaces that begin with prefix."""
    listed = json.loads(run(["ip", "-j", "netns", "list"]).stdout or "[]")
    return [entry["name"] for entry in listed if entry["name"].startswith(prefix)]
