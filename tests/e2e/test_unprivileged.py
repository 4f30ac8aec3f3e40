"""The daemon as the unit of systemd starts it: an unprivileged user with the capabilities that it gives, and no others."""
import configparser
import os
import pwd
import re
import stat

from lib import proxy
from lib.proc import run
from lib.proxy import Cpe, Edge
from lib.stream import MIB, transfer
from lib.suite import braid_only, limit

from test_cpe import carried, converter, converters, counter, shaped
from test_reload import reload

UNIT = proxy.ROOT / "deploy" / "braid.service"
OTHER = Edge("other", port=8081)


def service():
    unit = configparser.ConfigParser(strict=False, interpolation=None)
    unit.optionxform = str
    unit.read(UNIT)
    return unit["Service"]


def unprivileged(env, *namespaces):
    """A command that becomes the daemon as the unit would have it. The test's user has another name than the unit's.
    namespaces: whose daemons have a folder of their own."""
    nobody = pwd.getpwnam("nobody")
    for directory in (env.directory, *(env.directory / namespace.name for namespace in namespaces)):
        directory.mkdir(exist_ok=True)
        directory.chmod(0o777)
    assert service()["NoNewPrivileges"] == "yes" and service()["User"] == "braid"
    assert service()["AmbientCapabilities"] == service()["CapabilityBoundingSet"]
    keeps = "-all," + ",".join("+" + name.removeprefix("CAP_").lower() for name in service()["AmbientCapabilities"].split())
    # Where no udev is, /dev/net/tun is root's alone.
    tun = env.directory / "tun"
    os.mknod(tun, 0o666 | stat.S_IFCHR, os.makedev(10, 200))
    tun.chmod(0o666)
    return ("unshare", "--mount", "sh", "-c", f'mount --bind {tun} /dev/net/tun && exec "$@"', "sh", "setpriv", f"--reuid={nobody.pw_uid}", f"--regid={nobody.pw_gid}", "--clear-groups", "--no-new-privs",
            f"--inh-caps={keeps}", f"--ambient-caps={keeps}", f"--bounding-set={keeps}")


@braid_only
@limit(150)
def test_everything_works_as_the_unit_has_it(env):
    """Connections, a reload that adds and takes away, a TUN that is deleted and comes back, an orderly end."""
    env.start([Edge("web"), Edge("web6", 6)], wrapper=unprivileged(env))
    status = open(f"/proc/{env.proxy.process.pid}/status").read()
    assert "CapEff:\t0000000000001000" in status and "NoNewPrivs:\t1" in status, status
    assert f"Uid:\t{pwd.getpwnam('nobody').pw_uid}" in status
    near, far = env.pair()
    transfer(near, far, MIB, end=False)
    reload(env.proxy, [Edge("web"), OTHER])
    assert env.proxy.http("/metrics")[0] == 200
    env.topology.braid.ip("link", "del", "braid0")
    env.proxy.process.wait_for_line("made anew")
    transfer(far, near, MIB)
    env.proxy.stop()
    env.proxy = None


@braid_only
@limit(240)
def test_a_home_and_its_converter_work_as_the_unit_has_them(env):
    """Uplinks with their rules, routes and packet filters: bytes both ways, over both."""
    shaped(env, uplinks=2)
    wrapper = unprivileged(env, env.home.edge, env.home.cpe)
    env.daemon(env.home.edge, [converter(env)], wrapper=wrapper)
    uplinks = [uplink.device for uplink in env.home.uplinks]
    router = env.daemon(env.home.cpe, [Cpe(uplinks=uplinks, mode="convert", peer=converters())], wrapper=wrapper)
    env.steer("up", "--lan", "lan", at=env.home.cpe)
    near, far = env.home_pair(4)
    transfer(near, far, 8 * MIB, end=False)
    transfer(far, near, 8 * MIB, end=False)
    assert len([bytes_out for bytes_out in carried(router, "bytes_out").values() if bytes_out > 0]) == 2
    assert counter(router, "without_mptcp") == 0


@braid_only
def test_the_unit_is_hardly_exposed(env):
    """As systemd judges it: below 2.0."""
    done = run(["systemd-analyze", "security", "--offline=true", "--threshold=20", UNIT], check=False)
    assert done.returncode == 0, "\n".join(line for line in done.stdout.splitlines() if "\u2713" not in line)


def calls_of(word):
    """The system calls that a word of SystemCallFilter= means: itself, or a set of sets."""
    if not word.startswith("@"):
        return {word}
    lines = run(["systemd-analyze", "syscall-filter", word]).stdout.splitlines()[1:]
    words = [line.strip() for line in lines if line.strip() and not line.strip().startswith("#")]
    return set().union(*map(calls_of, words))


def let_pass():
    """What the unit's filter does."""
    calls = calls_of("@default")
    for value in re.findall("^SystemCallFilter=(.*)$", UNIT.read_text(), re.MULTILINE):
        some = set().union(*map(calls_of, value.lstrip("~").split()))
        calls = calls - some if value.startswith("~") else calls | some
    return calls


@braid_only
def test_the_units_filter_has_the_daemons_in_it(env):
    """But for what its comments say, and for a limit that it sets itself; and the daemon may put up its own."""
    text = (proxy.ROOT / "src" / "service" / "seccomp_calls.c").read_text()
    listed = set(re.findall(r'"(\w+)"', text[text.index("seccomp_calls[] = {"):text.index("NULL};")]))
    more = {"seccomp", "socket", "mmap", "mprotect", "clone", "prctl", "fork", "execve"}
    without = calls_of("@chown") | {"sched_setaffinity", "setrlimit"}
    assert listed >= {"read", "epoll_wait", "sched_setaffinity"}
    assert listed | more <= let_pass() | without, (listed | more) - let_pass() - without
