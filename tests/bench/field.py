"""The topology of the end-to-end tests with everything that is compared in it: HAProxy, Braid, and no proxy at all.

The proxies run at the same time in the same namespace; whichever is not asked does nothing.
"""
import json
import os
import pathlib
import tempfile

from lib import net
from lib.proc import Process, run, running
from lib.proxy import BUILD, PORT, Braid, Edge
from lib.wait import stays, until

MPTCP_LISTEN = BUILD / "bench/mptcp_listen.so"
CLIENT, SERVER = BUILD / "bench/client", BUILD / "bench/server"
HAPROXY_ADDRESS, LARGE_HAPROXY_ADDRESS = "10.99.9.101", "10.99.9.102"
MPTCP_PORT, BACKEND = 8081, net.SERVER[4]
SYSCTLS = {"net__ipv4__ip_local_port_range": "1024 65535", "net__ipv4__tcp_tw_reuse": "1"}
CPUS = os.sched_getaffinity(0)
PROXY_CPUS = {max(CPUS)}
LOAD_CPUS = CPUS - PROXY_CPUS or CPUS  # of the clients and the servers
LARGE_BUFFERS = "tune.bufsize 262144"
HAPROXY_CONFIG = """\
global
    nbthread 1
    maxconn 6000
    maxpipes 1000
    {tuning}
defaults
    mode tcp
    {option}
    timeout connect 10s
    timeout client 10m
    timeout server 10m
listen bench
    bind {address}:{port}
    server backend {backend}:{port}
"""


def new_topology(prefix):
    """Its namespaces use CUBIC, Debian's default."""
    with net.new_namespaces_use("cubic"):
        return net.Topology(prefix)


def pin(process, cpus):
    """With all its threads."""
    for task in os.listdir(f"/proc/{process.pid}/task"):
        os.sched_setaffinity(int(task), cpus)


class Subject:
    """Something that a client can connect to."""
    process = None

    def load(self, field, kind, *options, limit=60.0):
        """Runs the load generator; its result as a dictionary."""
        pid = ("-p", self.process.pid) if self.process else ()
        argv = field.topology.client.command(CLIENT, "-w", field.ramp, *options, *pid, self.address, self.port, kind)
        return json.loads(run(argv, limit=limit).stdout)

    def idle(self, field, connections, *options):
        """A process that keeps that many connections open until its second SIGTERM, or SIGINT (idle.c);
        they are open when this returns."""
        argv = field.topology.client.command(CLIENT, "-n", connections, *options, self.address, self.port, "idle")
        process = Process(argv, f"client of {self.name}")
        process.wait_for_line("ready", 60)
        return process

    def pin(self):
        """All proxies get one CPU for themselves; they have one thread that works."""
        pin(self.process, PROXY_CPUS)

    def alive(self):
        return not self.process or self.process.alive()

    def start(self, field):
        pass

    def stop(self):
        if self.process:
            self.process.kill()
            self.process = None


class Direct(Subject):
    """No proxy: the client's subflows are routed through the proxies' namespace to an MPTCP server."""
    name, address, port = "no proxy", BACKEND, MPTCP_PORT


class PlainTcp(Subject):
    """No proxy and no MPTCP: what the server's end of a connection costs."""
    name, address, port = "plain TCP", BACKEND, PORT


class HAProxy(Subject):
    """As an operator would set it up. Without splice-auto it is a little slower."""
    name, address, port, tuning, option = "HAProxy", HAPROXY_ADDRESS, PORT, "", "option splice-auto"
    words = ("mptcpize", "run", "haproxy")

    def start(self, field):
        namespace = field.topology.braid
        path = field.directory / f"{self.address}.cfg"
        path.write_text(HAPROXY_CONFIG.format(address=self.address, port=self.port, backend=BACKEND, tuning=self.tuning,
                                               option=self.option))
        argv = namespace.command(*self.words, "-db", "-f", path)
        self.process = Process(argv, "haproxy")
        until(lambda: not self.process.alive() or field.listens(self.address), "haproxy listens")
        if not self.process.alive():
            raise RuntimeError("haproxy: " + " | ".join(self.process.lines))
        self.pin()


class LargeHAProxy(HAProxy):
    """As who cares about speed would tune it: buffers of 16 times the size that Debian ships, and plain TCP to the server.
    HAProxy 3.5 is slower with splice-auto then, Debian's as fast as without. HAPROXY may name another program than Debian's."""
    name, address, tuning, option = "HAProxy, 256 KiB buffers", LARGE_HAPROXY_ADDRESS, LARGE_BUFFERS, ""
    words = ("env", f"LD_PRELOAD={MPTCP_LISTEN}", os.environ.get("HAPROXY", "haproxy"))


class BraidSubject(Subject):
    name, address, port = "Braid", net.SERVICE[4], PORT

    def start(self, field):
        tun = {"rps": ", ".join(map(str, LOAD_CPUS))} if field.spread else None
        self.daemon = Braid(field.topology.braid, field.directory, [Edge("bench", 4)], workers=1, tun=tun)
        self.process = self.daemon.process
        self.pin()


class Field:
    """Namespaces, servers and a directory, as a context."""

    def __init__(self, prefix, ramp=0.5, steer=False, spread=False):
        self.prefix, self.ramp, self.steer, self.spread = prefix, ramp, steer, spread

    def __enter__(self):
        os.sched_setaffinity(0, LOAD_CPUS)  # inherited by all but the proxies
        self._directory = tempfile.TemporaryDirectory(prefix=f"{self.prefix}-")
        self.directory = pathlib.Path(self._directory.name)
        self.topology = new_topology(self.prefix)
        self.servers = []
        try:
            self._prepare()
        except BaseException:
            self.__exit__()
            raise
        return self

    def _prepare(self):
        topology = self.topology
        for namespace in (topology.client, topology.braid, topology.server):
            namespace.sysctl(**SYSCTLS)
        for namespace in (topology.braid, topology.server):
            namespace.ip("mptcp", "limits", "set", "subflows", "4", "add_addr_accepted", "4")
        for address in (HAPROXY_ADDRESS, LARGE_HAPROXY_ADDRESS):
            topology.braid.ip("address", "add", f"{address}/32", "dev", "lo")
        topology.endpoint(2)
        if self.steer:
            self._steer()
        for options, port in (((), PORT), (("-M",), MPTCP_PORT)):
            server = Process(topology.server.command(SERVER, *options, BACKEND, port), f"server {port}")
            self.servers.append(server)
            server.wait_for_line("ready")

    def _steer(self):
        """Receive packet steering: each namespace's packets are processed by its own CPUs, as on a machine of its own.
        Otherwise the kernel does that on the CPU that sent them."""
        def give(namespace, cpus, *devices):
            for device in devices:
                mask = f"{sum(1 << cpu for cpu in cpus):x}"
                namespace.run("tee", f"/sys/class/net/{device}/queues/rx-0/rps_cpus", stdin=mask)
        give(self.topology.client, LOAD_CPUS, "up1", "up2")
        give(self.topology.server, LOAD_CPUS, "eth0")
        give(self.topology.braid, PROXY_CPUS, "path1", "path2", "server")

    def listens(self, address):
        """Whether somebody listens at an address of the proxies' namespace."""
        packed = "".join(f"{int(byte):02X}" for byte in reversed(address.split(".")))
        with self.topology.braid.entered(), open("/proc/thread-self/net/tcp") as file:
            return any(line.split()[1].startswith(packed) and line.split()[3] == "0A" for line in file)

    def connections(self):
        """TCP sockets in use in the server's namespace."""
        with self.topology.server.entered(), open("/proc/thread-self/net/sockstat") as file:
            return next(int(line.split()[2]) for line in file if line.startswith("TCP:"))

    def quiet(self):
        """Waits until the last load's connections have ended."""
        until(lambda: self.connections() <= len(self.servers) + 1, "the server has no connection left", 30)

    def rested(self, value, what):
        return stays(value, what, span=0.3, limit=20)

    def __exit__(self, *_):
        for process in running():
            process.kill()
        self.topology.delete()
        self._directory.cleanup()
        os.sched_setaffinity(0, CPUS)
