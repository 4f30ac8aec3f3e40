"""deploy/braid-steer: what it sets up, that twice is once, and that nothing is left of it. No daemon is needed."""
import re

from lib import net, steer
from lib.proc import run
from lib.proxy import Transparent
from lib.stream import transfer
from lib.suite import braid_only, cases, long

BACKENDS = {"nft": "nft", "iptables": "iptables"}
BOTH = {f"{backend}_{source}": (backend, source) for backend in BACKENDS for source in ("proxy", "client")}


def tun(env, rp_filter=None):
    """A TUN device that exists before the daemon."""
    env.topology.braid.ip("tuntap", "add", "braid0", "mode", "tun")
    env.topology.braid.ip("link", "set", "braid0", "up")
    if rp_filter is not None:
        env.topology.braid.sysctl(net__ipv4__conf__braid0__rp_filter=rp_filter)


@braid_only
@cases(**BACKENDS)
def test_rules_of_others_stay(env, backend):
    """In the same tables and hooks, and on neighbouring numbers."""
    braid = env.topology.braid
    for version in (4, 6):
        braid.iptables("-t", "mangle", "-N", "THEIRS", version=version)
        braid.iptables("-t", "mangle", "-A", "PREROUTING", "-j", "THEIRS", version=version)
        braid.iptables("-t", "mangle", "-A", "THEIRS", "-i", "path1", "-j", "MARK", "--set-xmark", "0x7/0xff",
                       version=version)
        braid.ip(f"-{version}", "rule", "add", "fwmark", "0x1e0000/0xff0000", "priority", "8683", "lookup", "8683")
        braid.ip(f"-{version}", "route", "add", "default", "dev", "path2", "table", "8683")
    before = steer.snapshot(braid)
    env.steer("up", "--backend", backend, "--source", "client")
    env.steer("down")
    steer.same(before, steer.snapshot(braid))


@braid_only
@cases(**BOTH)
def test_twice_is_once_and_down_leaves_no_trace(env, backend, source):
    tun(env, rp_filter=1)
    before = steer.snapshot(env.topology.braid)
    options = ("--backend", backend, "--source", source, "--in", "path1", "--in", "path2",
               "--except", "192.0.2.0/24", "--except", "2001:db8::/32", "--except", "192.0.2.9")
    env.steer("up", *options)
    once = steer.snapshot(env.topology.braid)
    assert once != before
    env.steer("up", *options)
    steer.same(once, steer.snapshot(env.topology.braid))
    env.steer("down")
    steer.same(before, steer.snapshot(env.topology.braid))
    env.steer("down")
    steer.same(before, steer.snapshot(env.topology.braid))


@braid_only
@cases(**BACKENDS)
def test_up_with_other_options_replaces_the_former(env, backend):
    """The other backend, another device, no way back any more: nothing of the former is left beside it."""
    other = next(name for name in BACKENDS if name != backend)
    before = steer.snapshot(env.topology.braid)
    env.steer("up", "--backend", backend, "--ports", "80-90")
    wanted = steer.snapshot(env.topology.braid)
    env.steer("up", "--backend", other, "--tun", "other0", "--source", "client", "--in", "path1")
    env.steer("up", "--backend", backend, "--ports", "80-90")
    steer.same(wanted, steer.snapshot(env.topology.braid))
    env.steer("down")
    steer.same(before, steer.snapshot(env.topology.braid))


@braid_only
@cases(**BACKENDS)
def test_status_says_what_there_is_and_what_is_missing(env, backend):
    def up():
        env.steer("up", "--backend", backend, "--source", "client", "--ports", "80-90", "--watch", "no")

    assert env.steer("status", expect=3).stdout == "down\n"
    up()
    said = env.steer("status").stdout
    assert "--source client --ports 80-90" in said and backend in said and "MISSING" not in said
    assert "braidd does not run" in said
    tun(env)
    up()
    assert "braidd does not run" not in env.steer("status").stdout
    env.topology.braid.ip("rule", "del", "priority", "8685")
    said = env.steer("status", expect=1).stdout
    assert said.count("MISSING") == 1 and "MISSING  IPv4 rule for packets to Braid's sockets" in said
    up()
    env.steer("status")
    env.steer("down")
    env.steer("status", expect=3)


@long
@braid_only
def test_status_and_the_daemon_say_what_the_configuration_lacks(env):
    """And the command that they name mends it."""
    env.steer("up", "--ports", "80-9000", "--in", "path1", "--in", "path2")
    env.start([Transparent("transit", source="client")])
    line = env.proxy.process.wait_for_line("source = client, but")
    assert "edge transit" in line and "braid-steer up --source client" in line
    said = env.steer("status", "--config", env.proxy.config, expect=1).stdout
    mends = re.search(r"DIFFERS .*`braid-steer up (.*)`", said)[1]
    assert mends == "--tun braid0 --source client --ports 80-9000 --in path1 --in path2"
    env.steer("up", *mends.split())
    env.proxy.process.wait_for_line("answers to the clients' addresses are brought", 20)
    env.steer("status", "--config", env.proxy.config)
    transfer(*env.pair(to=net.SERVER[4]), 1000)
    env.steer("down")
    env.proxy.process.wait_for_line("no connections are steered", 20)


@braid_only
@cases(**BACKENDS)
def test_down_finds_everything_without_the_state_file(env, backend):
    before = steer.snapshot(env.topology.braid)
    env.steer("up", "--backend", backend, "--source", "client")
    env.steer_state.unlink()
    env.steer("down")
    after = steer.snapshot(env.topology.braid)
    # That iptables' own table was not there before is in the file only.
    steer.same(*(steer.without_empty_mangle(each) for each in (before, after)))


@braid_only
def test_reverse_path_filter_is_off_on_the_tun_and_as_before_elsewhere(env):
    tun(env, rp_filter=1)
    # of "all", of one device, of "default"
    for everywhere, own, default in ((1, 1, 0), (1, 0, 0), (0, 1, 1), (0, 0, 0), (2, 2, 1), (1, 2, 0)):
        env.topology.braid.sysctl(net__ipv4__conf__all__rp_filter=everywhere, net__ipv4__conf__path1__rp_filter=own,
                                  net__ipv4__conf__default__rp_filter=default)
        before = steer.settings(env.topology.braid)
        env.steer("up")
        env.steer("up")
        during = steer.settings(env.topology.braid)
        assert max(during.pop("braid0"), during.pop("all")) == 0
        assert during == {device: max(value, everywhere) for device, value in before.items() if device in during}
        env.steer("down")
        assert steer.settings(env.topology.braid) == before


@braid_only
def test_what_others_changed_since_is_left_alone(env):
    env.topology.braid.sysctl(net__ipv4__conf__all__rp_filter=1)
    env.steer("up")
    env.topology.braid.sysctl(net__ipv4__conf__path1__rp_filter=2)
    env.steer("down")
    after = steer.settings(env.topology.braid)
    assert after["path1"] == 2 and after["path2"] == 0 and after["all"] == 1


@braid_only
@cases(**BACKENDS)
def test_what_fails_is_undone(env, backend):
    """A prefix that is longer than an address is found by the backend only, after the routing has been set up."""
    tun(env, rp_filter=1)
    before = steer.snapshot(env.topology.braid)
    done = env.steer("up", "--backend", backend, "--except", "192.0.2.1/99", expect=1)
    assert "what was done is undone" in done.stderr
    steer.same(before, steer.snapshot(env.topology.braid))
    env.steer("status", expect=3)


WRONG = {
    "nothing": (),
    "unknown_command": ("sideways",),
    "unknown_option": ("up", "--fast", "yes"),
    "no_value": ("up", "--tun"),
    "device_with_a_slash": ("up", "--tun", "a/b"),
    "device_too_long": ("up", "--in", "abcdefghijklmnopq"),
    "ports_not_numbers": ("up", "--ports", "http-https"),
    "ports_reversed": ("up", "--ports", "90-80"),
    "ports_too_large": ("up", "--ports", "1-65536"),
    "port_zero": ("up", "--ports", "0-80"),
    "source_unknown": ("up", "--source", "server"),
    "backend_unknown": ("up", "--backend", "ebtables"),
    "exception_not_an_address": ("up", "--except", "example.org"),
    "watch_neither_yes_nor_no": ("up", "--watch", "daily"),
    "state_in_no_directory": ("up", "--state", "/nodir/steer.state"),
    "state_is_a_directory": ("status", "--state", "/run"),
    "device_that_is_none": ("up", "--in", "."),
}


@braid_only
@cases(**{name: (words,) for name, words in WRONG.items()})
def test_wrong_command_line(env, words):
    done = run([steer.SCRIPT, *words], check=False)
    assert done.returncode == 2 and done.stderr and not done.stdout, (done.returncode, done.stdout, done.stderr)


@braid_only
@cases(no_such_device=("--in", "nodev0"), the_tun_itself=("--in", "braid0"), not_a_tun=("--tun", "path1"))
def test_devices_that_cannot_be_meant(env, option, device):
    before = steer.snapshot(env.topology.braid)
    assert f"{option}: " in (said := env.steer("up", option, device, expect=2).stderr) and device in said
    steer.same(before, steer.snapshot(env.topology.braid))


@braid_only
def test_help_names_every_option(env):
    done = run([steer.SCRIPT, "--help"])
    for option in ("--tun", "--ports", "--source", "--in", "--except", "--backend", "--watch", "--config", "--state"):
        assert option in done.stdout and option.removeprefix("--") in steer.MANUAL.read_text(), option
