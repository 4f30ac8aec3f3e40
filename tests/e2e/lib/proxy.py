"""The proxy under test: Braid, or HAProxy on the kernel's own MPTCP as a yardstick for the tests themselves."""
import json
import os
import pathlib
import signal

from . import net
from .proc import Process, run
from .wait import Timeout, until

ROOT = pathlib.Path(__file__).resolve().parents[3]
BUILD = ROOT / os.environ.get("BRAID_BUILD", "build")
BRAIDD, BRAIDCTL = BUILD / "braidd", BUILD / "braidctl"
PORT = 8080
CONVERT_PORT = 5124
ADMIN = "127.0.0.1:9180"
SANITIZED = "san" in BUILD.name
STRICT = "log" if SANITIZED else "kill"  # sanitizers make system calls of their own
confined = False  # "run --confined": a system call that daemons are not known to need kills them
LAST_WORDS = ("AddressSanitizer", "LeakSanitizer", "ThreadSanitizer", "runtime error:", "Assertion `")


class Edge:
    """One [edge] section. Further keys (scheduler, congestion, checksum) are passed on as they are."""

    def __init__(self, name, version=4, target=None, signal=(), port=PORT, **keys):
        self.name, self.version, self.signal = name, version, signal
        self.address, self.port = net.SERVICE[version], port
        self.target = target or net.join(net.SERVER[version], PORT)
        self.keys = keys

    def section(self):
        lines = [f"[edge {self.name}]", f"listen = {net.join(self.address, self.port)}", f"target = {self.target}"]
        lines += [f"signal = {', '.join(self.signal)}"] if self.signal else []
        lines += [f"{key} = {value}" for key, value in self.keys.items()]
        return "\n".join(lines) + "\n"


class Transparent:
    """One [edge] section in transparent mode, for IPv4 and IPv6."""

    def __init__(self, name, signal=(), **keys):
        self.name, self.signal, self.keys = name, signal, keys

    def section(self):
        lines = [f"[edge {self.name}]", "mode = transparent"]
        lines += [f"signal = {', '.join(self.signal)}"] if self.signal else []
        lines += [f"{key} = {value}" for key, value in self.keys.items()]
        return "\n".join(lines) + "\n"


class Section:
    """Any section, as it stands in the file."""

    def __init__(self, title, **keys):
        self.title, self.keys = title, keys

    def section(self):
        return f"[{self.title}]\n" + "".join(f"{key} = {value}\n" for key, value in self.keys.items())


class Cpe:
    """A [cpe] section, with those of its uplinks: wan0, wan1 ... unless named."""

    def __init__(self, name="lan", uplinks=("wan0", "wan1", "wan2"), **keys):
        self.name, self.uplinks, self.keys = name, uplinks, keys

    def section(self):
        lines = [f"[uplink {device}]\ninterface = {device}" for device in self.uplinks]
        lines += [f"[cpe {self.name}]"] + [f"{key} = {value}" for key, value in self.keys.items()]
        return "\n".join(lines) + "\n"


class Converter:
    """One [edge] section in convert mode, for IPv4 and IPv6; every client may convert unless allow says otherwise."""

    def __init__(self, name, port=CONVERT_PORT, **keys):
        self.name, self.port, self.keys = name, port, keys

    def section(self):
        lines = [f"[edge {self.name}]", "mode = convert",
                 "listen = " + ", ".join(net.join(net.SERVICE[version], self.port) for version in (4, 6))]
        lines += [] if "allow" in self.keys or "open" in self.keys else ["allow = any"]
        lines += [f"{key} = {value}" for key, value in self.keys.items()]
        return "\n".join(lines) + "\n"


def default_edges(**keys):
    return [Edge("web", 4, **keys), Edge("web6", 6, **keys)]


def daemon_keys(keys):
    """Of [daemon]: those that a test names, where None is for the default, and the usual ones."""
    usual = {"seccomp": STRICT} if confined else {}
    return {key: value for key, value in {**usual, **(keys or {})}.items() if value is not None}


def configuration(directory, edges, workers=0, log_level="info", name="braid0", routes="auto",
                  limits=None, tun=None, daemon=None, more=""):
    return (f"[daemon]\nworkers = {workers}\ncontrol = {directory}/control.sock\nlog_level = {log_level}\n"
            + "".join(f"{key} = {value}\n" for key, value in daemon_keys(daemon).items()) +
            f"[tun]\nname = {name}\nroutes = {routes}\n" + "".join(f"{key} = {value}\n" for key, value in (tun or {}).items())
            + f"[admin]\nlisten = {ADMIN}\n[limits]\n"
            + "".join(f"{key} = {value}\n" for key, value in (limits or {}).items())
            + "".join(edge.section() for edge in edges) + more)


class Braid:
    """A running braidd, seen through braidctl --json and its admin port."""

    def __init__(self, namespace, directory, edges=None, descriptors=None, wrapper=(), environment=None,
                 program=BRAIDD, **settings):
        """descriptors: how many files it may have open; wrapper: the command that becomes it."""
        self.namespace, self.directory = namespace, directory
        self.control = directory / "control.sock"
        self.config = directory / "braid.ini"
        self.config.write_text(configuration(directory, edges or default_edges(), **settings))
        self.process = Process(namespace.command(*wrapper, program, "-c", self.config), "braidd", environment,
                               descriptors=descriptors)
        try:
            self.process.wait_for_line("ready")
        except BaseException:
            self.process.kill()
            raise

    def ctl(self, *command):
        """The JSON document that braidctl prints."""
        return json.loads(run([BRAIDCTL, "-s", self.control, "--json", *command]).stdout)

    def try_upgrade(self):
        """braidctl upgrade, whatever comes of it. The process that goes on is followed."""
        self.process.expect_heir()
        done = run([BRAIDCTL, "-s", self.control, "--json", "upgrade"], check=False)
        if done.returncode == 0:
            self.process.succeeded_by(json.loads(done.stdout)["pid"])
        return done

    def upgrade(self):
        """The same, which has to go well. For how many ms nobody worked."""
        done = self.try_upgrade()
        assert done.returncode == 0, done.stdout + done.stderr
        return json.loads(done.stdout)["pause_us"] / 1000

    def connections(self):
        return self.ctl("connections")["connections"]

    def connection(self):
        """The only connection there is, as `show` prints it."""
        listed = until(self.connections, "braidctl lists a connection")
        assert len(listed) == 1, f"{len(listed)} connections instead of one"
        return self.ctl("show", listed[0]["id"])

    def counters(self):
        """By the names that nstat uses."""
        return self.ctl("counters")

    def http(self, path):
        """Status code and body of a GET at the admin port."""
        done = self.namespace.run("curl", "-s", "-m", "10", "-w", "\n%{http_code}", f"http://{ADMIN}{path}")
        body, _, code = done.stdout.rpartition("\n")
        return int(code), body

    def carried(self, direction):
        """Payload bytes by path of the only connection; direction is "bytes_in" or "bytes_out"."""
        total = {path: 0 for path in net.PATHS}
        for subflow in self.connection()["subflows"]:
            for path in net.PATHS:
                if any(net.client_address(path, version) + suffix in subflow["remote"]
                       for version, suffix in ((4, ":"), (6, "]:"))):
                    total[path] += subflow[direction]
        return total

    def last_words(self):
        """What an assertion or a sanitizer said, if one did."""
        return next((line for line in self.process.lines if any(word in line for word in LAST_WORDS)), None)

    def healthy(self):
        """Complains if the daemon ended, or an assertion or a sanitizer said something."""
        said = self.last_words()
        assert not said, said
        assert self.process.alive(), f"braidd ended with {self.process.returncode()}"

    def stop(self, patience=1.0, limit=10.0):
        """SIGTERM, and a second one if it still waits for open connections then; exit status 0 in any case."""
        self.healthy()
        self.process.signal(signal.SIGTERM)
        try:
            status = self.process.wait(patience)
        except Timeout:
            self.process.signal(signal.SIGTERM)
            status = self.process.wait(limit)
        said = self.last_words()
        assert status == 0 and not said, f"braidd ended with {status} after SIGTERM: {said}"


class HAProxy:
    """The same edges served by HAProxy on kernel MPTCP sockets. Has nothing that looks like braidctl."""

    def __init__(self, namespace, directory, edges=None, **settings):
        edges = edges or default_edges()
        text = "global\n nbthread 1\n maxconn 4000\ndefaults\n mode tcp\n timeout connect 10s\n timeout client 1m\n" \
               " timeout server 1m\n"
        namespace.ip("mptcp", "limits", "set", "subflows", "4", "add_addr_accepted", "4")
        for edge in edges:
            for address in (edge.address, *edge.signal):
                namespace.ip("address", "add", f"{address}/{128 if ':' in address else 32}", "dev", "lo", "nodad")
            for address in edge.signal:
                namespace.ip("mptcp", "endpoint", "add", address, "dev", "lo", "signal")
            everywhere = net.join("0.0.0.0" if edge.version == 4 else "::", edge.port)
            text += f"listen {edge.name}\n bind {everywhere} {'v6only' * (edge.version == 6)}\n server s {edge.target}\n"
        (directory / "haproxy.cfg").write_text(text)
        self.process = Process(namespace.command("mptcpize", "run", "haproxy", "-db", "-f", directory / "haproxy.cfg"),
                               "haproxy")
        with namespace.entered():
            until(lambda: len(listening()) >= len(edges), "haproxy listens")

    def healthy(self):
        assert self.process.alive(), f"haproxy ended with {self.process.returncode()}"

    def stop(self):
        self.process.kill()


def listening():
    """The sockets of this thread's namespace that listen."""
    lines = []
    for table in ("tcp", "tcp6"):
        with open(f"/proc/thread-self/net/{table}") as file:
            lines += [line for line in file if line.split()[3] == "0A"]
    return lines
