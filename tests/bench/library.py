"""What libbraid-socket adds to a program, counted: instructions of the library itself, of the load generator under callgrind, and
system calls of the load generator. Each is what a longer run has more of than a shorter one, so that neither what a process does
when it starts nor the one question that it asks the daemon is in it.
"""
import instruments
from lib.proxy import BUILD, ROOT

LIBRARY, CLIENT = BUILD / "libbraid-socket.so", BUILD / "bench/client"
SHORT, LONG = 0.1, 0.6  # seconds


def braidrun(daemon):
    """The words before a program's own that have it run with the library."""
    return ("env", f"BRAID_LIBRARY={LIBRARY}", ROOT / "deploy/braidrun", "--socket", daemon.directory / "app.sock")


def load(kind, connections, seconds, to):
    """Those of a load from its first connection on, over TCP."""
    return (CLIENT, "-T", "-w", 0, "-n", connections, "-t", seconds, *to, kind)


def _more(measure, units):
    """Per unit, of what measure(seconds) tells."""
    (few, less), (many, more) = measure(SHORT), measure(LONG)
    return (more - less) / (units(many) - units(few))


def instructions_each(namespace, daemon, kind, connections, to, units):
    """The library's, per unit; units: of the load generator's answer, how many there were."""
    def wrap(argv):
        return namespace.command(*braidrun(daemon), *argv)
    return _more(lambda seconds: instruments.callgrind(LIBRARY, load(kind, connections, seconds, to), wrap), units)


def system_calls_each(namespace, words, kind, connections, to, units):
    """The program's, per unit; words: those before its own."""
    return _more(lambda seconds: instruments.system_calls(namespace.command(*words, *load(kind, connections, seconds, to))), units)
