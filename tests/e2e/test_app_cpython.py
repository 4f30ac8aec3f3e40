"""The network tests of CPython, as Debian has them: under braidrun none fails that passes without."""
import contextlib
import errno
import xml.etree.ElementTree

from lib import proc
from lib.proxy import BUILD, ROOT
from lib.suite import alone, braid_only, limit, long
from test_app import start

PYTHON = "/usr/bin/python3"  # that to which libpython3.11-testsuite belongs
ASYNCIO = ("base_events", "buffered_proto", "events", "selector_events", "sendfile", "server", "sock_lowlevel", "ssl", "sslproto",
           "streams", "subprocess", "unix_events")
MODULES = ("test_socket", "test_ssl", *(f"test_asyncio.test_{name}" for name in ASYNCIO), "test_epoll", "test_ftplib",
           "test_httplib", "test_httpservers", "test_poll", "test_poplib", "test_select", "test_selectors", "test_smtplib",
           "test_urllib2_localnet", "test_xmlrpc")
LEAST = 1500  # tests that there are in them
PATIENCE = 240  # seconds for a run


class Run:
    """A run of them that has begun. only: names of tests instead of all. Sockets of virtual machines are nobody's namespace's."""

    def __init__(self, folder, command, only=()):
        self.folder = folder
        folder.mkdir(exist_ok=True)
        self._report = folder / "report.xml"
        self._report.unlink(missing_ok=True)
        which = [word for name in only for word in ("-m", name)]
        modules = sorted({module for name in only for module in MODULES if f".{module}." in name}) or MODULES
        self._process = proc.Process(command("env", "-C", folder, f"TMPDIR={folder}", PYTHON, "-m", "test", "--junit-xml", self._report, "-j2",
                                        "--timeout", PATIENCE // 2, *which, "-i", "*VSOCK*", *modules), "CPython's tests")

    def kill(self):
        self._process.kill()

    def results(self):
        """Whether each has passed, by its name."""
        try:
            self._process.wait(PATIENCE)
        finally:
            self._process.kill()
        assert self._report.exists(), self._process.lines[-20:]
        cases = xml.etree.ElementTree.parse(self._report).iter("testcase")
        return {case.get("name"): not any(part.tag in ("failure", "error") for part in case) for case in cases}

    def said(self):
        return "\n".join(self._process.lines)


def not_passed(reference, seen):
    """Those that have passed, or were there, in the reference only."""
    return sorted(name for name, passed in reference.items() if passed and not seen.get(name))


@alone
@long
@braid_only
@limit(600)
def test_cpython(env):
    """Both at the same time, each in a network namespace of its own. The library asks the daemon at each connect, since there is a
    wish. What seems to fail is tried again by itself, both ways: some tests measure time. Braid's ports are none of those that the
    kernel draws: those below them would be drawn so often that tests whose servers have just left meet themselves there."""
    router = start(env, tun={"local_ports": "61000-65535"})
    plain = env.home.add("py")

    def braidrun(profile, *words):
        return env.home.cpe.command("env", f"BRAID_LIBRARY={BUILD / 'libbraid-socket.so'}", ROOT / "deploy" / "braidrun", "--profile",
                                    profile, "--stats", "--socket", router.directory / "app.sock", *words)

    ways = {"without": plain.command, "with": lambda *words: braidrun("bulk", *words)}
    connect = "import socket; print(socket.socket().connect_ex(('127.0.0.1', 9)))"
    for profile, error in (("none-such", errno.EINVAL), ("bulk", errno.ECONNREFUSED)):  # connects to this machine ask, too
        assert proc.run(braidrun(profile, PYTHON, "-c", connect)).stdout == f"{error}\n"

    def run(*only):
        with contextlib.ExitStack() as stack:
            runs = {name: Run(env.directory / name, command, only) for name, command in ways.items()}
            for each in runs.values():
                stack.callback(each.kill)
            return {name: each.results() for name, each in runs.items()}, runs["with"].said()

    first, said = run()
    assert len(first["without"]) > LEAST and sum(first["without"].values()) > 0.9 * LEAST, len(first["without"])
    suspects = not_passed(first["without"], first["with"])
    if suspects:
        second, said = run(*suspects)
        worse = not_passed(second["without"], second["with"])
        assert not worse, f"{worse}\n{said}"
    print(f"{len(first['without'])} tests without, {len(first['with'])} with; tried again: {suspects}")
