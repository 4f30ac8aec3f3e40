"""A home with several uplinks, and the world that it talks to.

                               wan0   10.0.0.0/24  modem  100.64.0.0/24
    device ------------- cpe ======== wan1   10.0.1.0/24  modem  100.64.1.0/24  ===== internet ----- edge    198.18.1.2
      192.168.77.0/24    .1     \\=== wan2   10.0.2.0/24  modem  100.64.2.0/24 ===/           |----- plain   198.18.2.2
      .2, no MPTCP                .2               .1 .2              .1                      \\----- multi   198.18.3.2
                                                                                                     (MPTCP)
The same in IPv6: fd77::/64, 2001:db8:aN::/64, 2001:db8:bN::/64, 2001:db8:18:N::/64. Of the service addresses,
198.51.100.0/24 and 2001:db8:51::/64, none is on an interface: they are routed to the edge, whose daemon has them routed into
its TUN. The modems translate only if told so. The router masquerades what leaves by an uplink, as routers of homes do.
"""
import pathlib
import sys

from . import net
from .net import Namespace

DEVICE = {4: "192.168.77.2", 6: "fd77::2"}
ROUTER = {4: "192.168.77.1", 6: "fd77::1"}
EDGE = {4: "198.18.1.2", 6: "2001:db8:18:1::2"}    # the edge's machine itself
PLAIN = {4: "198.18.2.2", 6: "2001:db8:18:2::2"}   # a server without MPTCP
MULTI = {4: "198.18.3.2", 6: "2001:db8:18:3::2"}   # one with
SERVICE = {4: "198.51.100.1", 6: "2001:db8:51::1"}
LENGTH = {4: 24, 6: 64}
VERSIONS = (4, 6)
WORLD = ("edge", "plain", "multi")

MASQUERADE = """table inet home {
    chain post {
        type nat hook postrouting priority srcnat; policy accept;
        oifname "wan*" masquerade
    }
}
"""
# Of what a modem forwards; the sets' elements are directions: the devices that packets come by.
MODEM = """table inet modem {
    set silent { type ifname; }
    set mute { type ifname; }
    chain forward {
        type filter hook forward priority filter; policy accept;
        iifname @silent drop
    }
    chain output {
        type filter hook output priority filter; policy accept;
        oifname @mute icmp type destination-unreachable drop
        oifname @mute icmpv6 type { destination-unreachable, packet-too-big } drop
    }
}
"""
TRANSLATION = """table inet nat {
    chain post {
        type nat hook postrouting priority srcnat; policy accept;
        oifname "line" masquerade
    }
    chain forward {
        type filter hook forward priority filter; policy accept;
        ct state invalid drop
    }
    chain input {
        type filter hook input priority filter; policy accept;
        iifname "line" ct state new,invalid meta l4proto tcp drop
    }
}
"""


def wan_net(uplink, version, host):
    return f"10.0.{uplink}.{host}" if version == 4 else f"2001:db8:a{uplink}::{host}"


def line_net(uplink, version, host):
    return f"100.64.{uplink}.{host}" if version == 4 else f"2001:db8:b{uplink}::{host}"


def world_net(number, version, host):
    return f"198.18.{number}.{host}" if version == 4 else f"2001:db8:18:{number}::{host}"


def service(number, version=4):
    """One of the addresses that are routed to the edge's daemon."""
    return f"198.51.100.{number}" if version == 4 else f"2001:db8:51::{number}"


def cidr(address, length=None):
    version = 6 if ":" in address else 4
    return f"{address}/{length or LENGTH[version]}"


def address(namespace, device, *addresses):
    for each in addresses:
        namespace.ip("address", "replace", cidr(each), "dev", device, *(("nodad",) if ":" in each else ()))


def route(namespace, to, via, device, *more):
    namespace.ip("-6" if ":" in via else "-4", "route", "replace", to, "via", via, "dev", device, *more)


class Uplink:
    """One of the router's uplinks, with its modem. It forwards in both families, translates nothing, and is as fast as the
    machine, unless told otherwise: mbit: its rate; rtt in milliseconds: then its line is linkem's (`make build/linkem`)."""

    def __init__(self, home, number, mbit=None, rtt=None):
        self.home, self.number, self.device = home, number, f"wan{number}"
        self.host, self.link = {4: 2, 6: 2}, None
        self.modem = home.add(f"m{number}")
        self.modem.sysctl(net__ipv4__ip_forward=1, net__ipv6__conf__all__forwarding=1,
                          net__ipv6__conf__all__keep_addr_on_down=1)
        net.link(home.cpe, self.device, self.modem, "cpe")
        self._line(mbit, rtt)
        for version in VERSIONS:
            address(self.modem, "cpe", wan_net(number, version, 1))
            route(self.modem, "default", line_net(number, version, 1), "line")
            route(home.internet, cidr(wan_net(number, version, 0)), line_net(number, version, 2), f"line{number}")
            self.connect(version)
        self.modem.run("nft", "-f", "-", stdin=MODEM)

    def _line(self, mbit, rtt):
        near, far, device = self.modem, self.home.internet, f"line{self.number}"
        if rtt is None:
            net.link(near, "line", far, device)
            if mbit:
                self.shape(mbit)
        else:
            self.link = _link_class()(self.home.directory, near, "line", far, device,
                                      settings={"rtt": f"{rtt}ms", **({"rate": f"{mbit}mbit"} if mbit else {})})
        for version in VERSIONS:
            address(near, "line", line_net(self.number, version, 2))
            address(far, device, line_net(self.number, version, 1))

    def ends(self):
        """The two ends of the line: namespace and device."""
        return (self.modem, "line"), (self.home.internet, f"line{self.number}")

    def shape(self, mbit):
        """A rate for both directions, from now on."""
        if self.link:
            self.link.set("rate", f"{mbit}mbit")
            return
        for namespace, device in self.ends():
            namespace.tc("qdisc", "replace", "dev", device, "root", "tbf", "rate", f"{mbit}mbit", "burst", "128kb",
                         "latency", "40ms")

    def address(self, version=4):
        """What the router has there at present."""
        return wan_net(self.number, version, self.host[version])

    def gateway(self, version=4):
        return wan_net(self.number, version, 1)

    def connect(self, version):
        """Gives the router's device an address of that family and a default route, as DHCP or a router advertisement would."""
        address(self.home.cpe, self.device, self.address(version))
        route(self.home.cpe, "default", self.gateway(version), self.device, "metric", str(100 + self.number), "proto",
              "dhcp" if version == 4 else "ra")

    def disconnect(self, version):
        """Takes that family away from the router's device, as if its lease had come to an end."""
        self.home.cpe.ip(f"-{version}", "route", "del", "default", "dev", self.device)
        self.home.cpe.ip("address", "del", cidr(self.address(version)), "dev", self.device)

    def change_address(self, *versions):
        """The router's device gets another address in place of the one it has; in both families unless told otherwise."""
        for version in versions or VERSIONS:
            self.disconnect(version)
            self.host[version] = 5 - self.host[version]
            self.connect(version)

    def unplug(self):
        """The cable is pulled: the router's device has no carrier."""
        self.modem.ip("link", "set", "cpe", "down")

    def plug(self):
        self.modem.ip("link", "set", "cpe", "up")

    def switch_off(self):
        """The router's device is taken down: it loses its routes and, of IPv6, its address."""
        self.home.cpe.ip("link", "set", self.device, "down")

    def switch_on(self):
        """It is up again, and has been given what it had."""
        self.home.cpe.ip("link", "set", self.device, "up")
        for version in VERSIONS:
            self.connect(version)

    def go_silent(self, *ways):
        """The modem swallows what it should forward, in the direction "up", "down", or both; nobody is told."""
        for way in ways or ("up", "down"):
            self.modem.run("nft", "add", "element", "inet", "modem", "silent", "{", "cpe" if way == "up" else "line", "}")

    def speak(self):
        """The opposite."""
        self.modem.run("nft", "flush", "set", "inet", "modem", "silent")

    def narrow(self, mtu, tells=True):
        """The line carries packets of at most that size. The modem and the world say so to whoever sends larger ones, or do
        not."""
        for namespace, device in self.ends():
            namespace.ip("link", "set", device, "mtu", str(mtu))
        if not tells:
            self.modem.run("nft", "add", "element", "inet", "modem", "mute", "{", "cpe", "}")
            self.home.internet.run("nft", "-f", "-", stdin=MODEM)
            for device in WORLD:
                self.home.internet.run("nft", "add", "element", "inet", "modem", "mute", "{", device, "}")

    def translate(self, forgets=None):
        """The modem translates addresses from now on, and forgets connections that are silent for that many seconds: their
        packets vanish then."""
        self.modem.run("nft", "-f", "-", stdin=TRANSLATION)
        if forgets:
            self.modem.sysctl(net__netfilter__nf_conntrack_tcp_timeout_established=forgets,
                              net__netfilter__nf_conntrack_tcp_timeout_unacknowledged=forgets,
                              net__netfilter__nf_conntrack_tcp_loose=0)


def _link_class():
    """Of the lab, which leans on this folder."""
    lab = str(pathlib.Path(__file__).resolve().parents[2] / "lab")
    if lab not in sys.path:
        sys.path.append(lab)
    from link import Link
    return Link


class Home:
    """The namespaces, whose names begin with prefix. uplinks: for each the keywords of Uplink; directory: for the control
    sockets of linkem."""

    def __init__(self, prefix, directory, uplinks=({}, {}, {})):
        self.prefix, self.directory, self._made, self.uplinks, self._far = prefix, directory, [], [], None
        try:
            self.device, self.cpe, self.internet = self.add("de"), self.add("cp"), self.add("in")
            self.edge, self.plain, self.multi = self.add("ed"), self.add("pl"), self.add("mu")
            for namespace in (self.cpe, self.internet, self.edge):
                namespace.sysctl(net__ipv4__ip_forward=1, net__ipv6__conf__all__forwarding=1)
            for namespace in (self.device, self.plain):
                namespace.sysctl(net__mptcp__enabled=0)
            self._lan()
            self._world()
            for number, how in enumerate(uplinks):
                self.uplinks.append(Uplink(self, number, **how))
            self.cpe.run("nft", "-f", "-", stdin=MASQUERADE)
        except BaseException:
            self.delete()
            raise

    def add(self, role):
        namespace = Namespace(f"{self.prefix}-{role}")
        self._made.append(namespace)
        namespace.sysctl(net__ipv4__conf__all__rp_filter=0, net__ipv4__conf__default__rp_filter=0,
                         net__ipv6__conf__all__accept_dad=0, net__ipv6__conf__default__accept_dad=0)
        return namespace

    def _lan(self):
        net.link(self.device, "eth0", self.cpe, "lan")
        address(self.device, "eth0", *DEVICE.values())
        address(self.cpe, "lan", *ROUTER.values())
        for version in VERSIONS:
            route(self.device, "default", ROUTER[version], "eth0")

    def _world(self):
        for number, name in enumerate(WORLD, 1):
            host = getattr(self, name)
            net.link(host, "eth0", self.internet, name)
            for version in VERSIONS:
                address(host, "eth0", world_net(number, version, 2))
                address(self.internet, name, world_net(number, version, 1))
                route(host, "default", world_net(number, version, 1), "eth0")
        for version in VERSIONS:
            route(self.internet, cidr(service(0, version)), EDGE[version], "edge")

    def where(self, server):
        """The addresses of a namespace of the world, by family."""
        return {self.edge: EDGE, self.plain: PLAIN, self.multi: MULTI}[server]

    def put_away(self, server, rtt):
        """Gives a namespace of the world addresses that are so many milliseconds away; by family."""
        self._far = _link_class()(self.directory, self.internet, "far", server, "far", settings={"rtt": f"{2 * rtt}ms"})
        for version in VERSIONS:  # the way back is its usual one
            address(self.internet, "far", world_net(9, version, 1))
            address(server, "far", world_net(9, version, 2))
        return {version: world_net(9, version, 2) for version in VERSIONS}

    def delete(self):
        for link in (self._far, *(uplink.link for uplink in self.uplinks)):
            if link:
                link.kill()
        while self._made:
            self._made.pop().delete()
