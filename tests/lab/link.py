"""A running linkem between two namespaces, seen through its control socket."""
import json
import socket

from lib.proc import Process, run
from lib.proxy import BUILD

LINKEM, PROBE = BUILD / "linkem", BUILD / "probe"


class LinkError(Exception):
    pass


class Link:
    """a and b are namespaces, device_a and device_b the names of what it makes there. The addresses, as
    "10.1.0.1/24", are set at both ends. `beside`: paths that share their wire with this one, path: (device_a, device_b);
    their links are in self.beside, by path, and of the same process."""

    def __init__(self, directory, a, device_a, b, device_b, addresses_a=(), addresses_b=(), scenario=None, path=None, seed=1,
                 settings=(), beside=()):
        self.a, self.b = a, b
        self._control = self._socket(directory, device_a)
        argv = [LINKEM, "--seed", seed, *self._ends(device_a, device_b, self._control)]
        if scenario:
            argv += ["--scenario", scenario, "--path", path]
        for key, value in dict(settings).items():
            argv += ["--set", f"{key}={value}"]
        self.beside = {}
        for name, devices in dict(beside).items():
            other = self.beside[name] = Link.__new__(Link)
            other.a, other.b, other.beside = a, b, {}
            other._control = self._socket(directory, devices[0])
            argv += [*self._ends(*devices, other._control), "--path", name]
        self.process = Process(argv, f"linkem {device_a}")
        for other in self.beside.values():
            other.process = self.process
        try:
            self.process.wait_for_line("ready")
            for namespace, device, addresses in ((a, device_a, addresses_a), (b, device_b, addresses_b)):
                for address in addresses:
                    namespace.ip("address", "add", address, "dev", device, *(("nodad",) if ":" in address else ()))
        except BaseException:
            self.process.kill()
            raise

    def _socket(self, directory, device):
        return directory / f"{self.a.name}-{device}.sock"

    def _ends(self, device_a, device_b, control):
        return ["--a", f"{self.a.name}:{device_a}", "--b", f"{self.b.name}:{device_b}", "--control", control]

    def command(self, text):
        """The lines of the answer before "ok"."""
        with socket.socket(socket.AF_UNIX) as s:
            s.settimeout(10)
            s.connect(str(self._control))
            s.sendall(text.encode() + b"\n")
            lines = []
            for line in s.makefile():
                line = line.rstrip("\n")
                if line == "ok":
                    return lines
                if line.startswith("error: "):
                    raise LinkError(line)
                lines.append(line)
        raise LinkError(f"{text}: no answer")

    def set(self, key, value):
        self.command(f"set {key} {value}")

    def down(self):
        """From now on it loses everything, and tells nobody."""
        self.command("down")

    def up(self):
        self.command("up")

    def stats(self):
        """By direction, "down" and "up": name -> number."""
        result = {}
        for line in self.command("stats"):
            direction, *words = line.split()
            result[direction] = {name: int(value) for name, value in zip(words[::2], words[1::2])}
        return result

    def cpu(self):
        """Seconds of CPU that the process has taken, with what the kernel did on its behalf."""
        with open(f"/proc/{self.process.pid}/schedstat") as file:
            return int(file.read().split()[0]) / 1e9

    def stop(self):
        """As told: exit status 0."""
        self.command("quit")
        status = self.process.wait()
        if status != 0:
            raise LinkError(f"linkem ended with {status}")

    def kill(self):
        self.process.kill()
        self._control.unlink(missing_ok=True)


def probe(sender, receiver, address, count, size, mbit):
    """Sends datagrams from one namespace to the other; what arrived (see tests/lab/probe)."""
    return json.loads(run([PROBE, sender.name, receiver.name, address, count, size, mbit], limit=120).stdout)
