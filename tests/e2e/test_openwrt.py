"""The package for OpenWrt, as far as it is shell: run by busybox, with what it calls of OpenWrt's own written down instead."""
import os
import re
import shutil

from lib.proc import run
from lib.proxy import BUILD, ROOT
from lib.suite import braid_only, limit

BUSYBOX = shutil.which("busybox")
FILES = ROOT / "deploy" / "openwrt" / "files"
# What of rc.common, functions.sh and network.sh is used. A file of UCI is read by three functions, there as here.
FUNCTIONS = r"""
config_cb() { :; }; option_cb() { :; }; list_cb() { :; }
config_load() {
    for each in $(set | sed -n 's/^\(of_[a-z_0-9]*\)=.*/\1/p'); do unset "$each"; done
    sections= section= number=0
    . "$ROOT/etc/config/$1"
    [ -z "$section" ] || config_cb
}
config() {
    number=$((number + 1)) section=${2:-cfg$number}
    sections="$sections $section"
    eval "of_${section}=$1"
    config_cb "$1" "$section"
}
option() { eval "of_${section}_$1=\$2"; option_cb "$1" "$2"; }
list() { eval "of_${section}_$1=\"\${of_${section}_$1:+\$of_${section}_$1 }\$2\""; list_cb "$1" "$2"; }
config_get() { eval "$1=\${of_$2_$3:-${4:-}}"; }
config_get_bool() { config_get "$@"; eval "case \$$1 in 1 | on | true | yes) $1=1 ;; *) $1=0 ;; esac"; }
config_foreach() { local each; for each in $sections; do if eval "[ \"\$of_$each\" = $2 ]"; then $1 "$each"; fi; done; }
config_list_foreach() { local each all; config_get all "$1" "$2"; for each in $all; do $3 "$each"; done; }
network_get_device() { [ -e "$ROOT/networks/$2" ] && read -r "$1" <"$ROOT/networks/$2"; }
"""
INIT = r"""
. "$ROOT/lib/functions.sh"
for each in open_instance close_instance set_param add_reload_trigger; do
    eval "procd_$each() { echo \"$each \$*\"; }"
done
stop() { service_stopped; }
start() { start_service && service_started; }
. "$ROOT/init"
case $1 in reload) reload_service ;; triggers) service_triggers ;; *) "$1" ;; esac
"""
# A tool says how it was called and what it was told, or answers: whether the daemon runs, the package is enabled, a zone is there.
TOOL = r"""#!/bin/sh
case "$*" in
status) [ -e {root}/running ]; exit ;;
enabled) [ -e {root}/enabled ]; exit ;;
"-q get"*) [ -e {root}/zone ]; exit ;;
esac
echo "{name} $*"
[ "$2" != batch ] || cat
"""
UCI = """
config braid 'main'
	option enabled '1'
	option steer '--quic reject'
	list lan 'lan'
	list lan 'guests'
config tun
	option name 'braid0'
config uplink 'wan'
	option network 'wan'
config uplink 'lte'
	option network 'wwan'
	option cost '10'
config profile 'mine'
	option scheduler 'minrtt'
config cpe 'lan'
	option mode 'convert'
	list peer '198.51.100.7:5124'
	list peer '198.51.100.8:5124'
"""


class Router:
    """A root with the package's files in it, and the tools that busybox has. What else they call is written down."""

    def __init__(self, env):
        self.root = env.directory / "root"
        for folder in ("etc/config", "usr/lib/braid", "lib", "networks", "bin", "run"):
            (self.root / folder).mkdir(parents=True)
        (self.root / "lib/functions.sh").write_text(FUNCTIONS)
        (self.root / "start").write_text(INIT)
        for name in ("init", "hotplug", "defaults"):
            (self.root / name).write_text(self._here((FILES / f"braid.{name}").read_text()))
        shutil.copy(FILES / "uci.sh", self.root / "usr/lib/braid")
        shutil.copy(FILES / "braid.config", self.root / "etc/config/braid")
        self.tools = busybox(env)
        for name in ("braidctl", "braid-steer", "uci", "service"):
            path = self.root / "bin" / name
            path.write_text(TOOL.format(name=name, root=self.root))
            path.chmod(0o755)

    def _here(self, text):
        """A script with the paths of this root."""
        for path, place in ((". /lib/functions/network.sh", ":"), ("/usr/sbin/braidd", str(BUILD / "braidd")),
                            ("/etc/init.d/braid", "service"), ("/etc/init.d/firewall", "service firewall")):
            text = text.replace(path, place)
        return re.sub(r"(?<=[ =])(/lib/functions.sh|/usr/lib/braid/|/var/|/run\b)", rf"{self.root}\1", text)

    def network(self, name, device):
        (self.root / "networks" / name).write_text(f"{device}\n")

    def shell(self, script, *words, check=True, **env):
        done = run(["env", "-i", f"ROOT={self.root}", f"PATH={self.root}/bin:{self.tools}",
                    *(f"{name}={value}" for name, value in env.items()), BUSYBOX, "ash", self.root / script, *words], check=check)
        return done.stdout.splitlines() if check else done

    def call(self, action, check=True):
        """What the init script does."""
        return self.shell("start", action, check=check)

    def hotplug(self, action, network):
        return self.shell("hotplug", ACTION=action, INTERFACE=network)

    @property
    def ini(self):
        return (self.root / "var/etc/braid.ini").read_text()


def busybox(env):
    """A folder with all of its applets."""
    folder = env.directory / "busybox"
    folder.mkdir()
    run([BUSYBOX, "--install", "-s", folder])
    return folder


@braid_only
@limit(300)
def test_the_configuration_that_comes_with_it_is_off_and_can_be_switched_on(env):
    router = Router(env)
    assert router.call("start") == [] and not (router.root / "var").exists()
    path = router.root / "etc/config/braid"
    path.write_text(path.read_text().replace("enabled '0'", "enabled '1'"))
    router.network("wan", "eth1")
    router.network("lan", "br-lan")
    done = router.call("start")
    assert f"set_param command {BUILD}/braidd -c {router.root}/var/etc/braid.ini" in done
    assert done[-1] == f"braid-steer up --config {router.root}/var/etc/braid.ini --lan br-lan"
    assert "[uplink wan]\ninterface = eth1\n" in router.ini and "[cpe lan]\nmode = transparent\n" in router.ini
    assert os.stat(router.root / "var/etc/braid.ini").st_mode & 0o777 == 0o600


@braid_only
@limit(300)
def test_sections_of_uci_become_sections_and_networks_devices(env):
    router = Router(env)
    (router.root / "etc/config/braid").write_text(UCI)
    router.network("wan", "eth1")
    router.network("lan", "br-lan")
    router.network("guests", "br-guests")
    assert router.call("start")[-1].endswith("--quic reject --lan br-lan --lan br-guests")
    assert router.ini.split("\n", 1)[1] == """
[tun]
name = braid0

[uplink wan]
interface = eth1

[uplink lte]
interface = wwan
cost = 10

[profile mine]
scheduler = minrtt

[cpe lan]
mode = convert
peer = 198.51.100.7:5124, 198.51.100.8:5124
"""
    assert router.call("triggers") == ["add_reload_trigger braid"]


@braid_only
@limit(300)
def test_a_network_that_comes_up_is_told_to_the_daemon_and_a_flaw_is_not(env):
    router = Router(env)
    path = router.root / "etc/config/braid"
    path.write_text(UCI)
    router.network("wan", "eth1")
    (router.root / "running").touch()
    router.call("reload")
    assert "interface = wwan\n" in router.ini
    router.network("wwan", "wwan0")
    assert "braidctl reload" in router.call("reload")
    assert "interface = wwan0\n" in router.ini
    before = router.ini
    path.write_text(UCI.replace("'minrtt'", "'fastest'"))
    done = router.call("reload", check=False)
    assert done.returncode == 1 and "[profile mine] scheduler" in done.stderr and "braidctl reload" not in done.stdout
    assert router.ini == before and not (router.root / "var/etc/braid.ini.new").exists()
    (router.root / "running").unlink()
    path.write_text(UCI)
    assert "open_instance " in router.call("reload"), "it is started, if it did not run"
    path.write_text(UCI.replace("enabled '1'", "enabled '0'"))
    assert router.call("reload") == ["braid-steer down"] == router.call("stop")


@braid_only
@limit(300)
def test_only_networks_that_the_configuration_names_have_it_reloaded(env):
    router = Router(env)
    (router.root / "etc/config/braid").write_text(UCI)
    assert router.hotplug("ifup", "wan") == [], "it is not enabled"
    (router.root / "enabled").touch()
    for network in ("wan", "wwan", "lan", "guests"):
        for action in ("ifup", "ifupdate", "ifdown"):
            assert router.hotplug(action, network) == ["service reload"]
    assert router.hotplug("ifup", "loopback") == router.hotplug("ifup", "lte") == router.hotplug("ifup-failed", "wan") == []


@braid_only
@limit(300)
def test_the_firewall_has_a_zone_for_the_tun_unless_there_is_one(env):
    router = Router(env)
    done = router.shell("defaults")
    assert done[0] == "uci -q batch" and done[-1] == "commit firewall"
    for line in ("braid.device='braid0'", "braid_in.src='lan'", "braid_in.dest='braid'", "braid_out.src='braid'",
                 "braid_out.dest='wan'"):
        assert any(each.endswith(f"firewall.{line}") for each in done), line
    (router.root / "zone").touch()
    assert router.shell("defaults") == []


@braid_only
@limit(300)
def test_shellcheck_finds_no_fault(env):
    """Where it is at hand. What OpenWrt calls and sets, it does not know."""
    if shutil.which("shellcheck"):
        run(["shellcheck", "-s", "dash", "-e", "SC1090,SC1091,SC2034,SC2154,SC2317", *sorted(FILES.glob("braid.[!c]*")), FILES / "uci.sh"])


@braid_only
@limit(300)
def test_steering_is_set_up_and_removed_by_busybox(env):
    """But for ip, nft, and GNU's grep, which the package asks for."""
    tools, own = busybox(env), env.directory / "own"
    own.mkdir()
    for name in ("ip", "nft", "grep"):
        (own / name).symlink_to(shutil.which(name))

    def steer(*words, check=True):
        return env.topology.braid.run("env", "-i", f"PATH={own}:{tools}", BUSYBOX, "ash", ROOT / "deploy/braid-steer", *words,
                                      "--state", env.directory / "state", "--config", env.directory / "none", check=check)

    assert "up: TCP connections from server" in steer("up", "--lan", "server", "--watch", "no").stdout
    assert "MISSING" not in steer("status").stdout
    steer("down")
    assert steer("status", check=False).returncode == 3
    assert env.topology.braid.run("nft", "list", "ruleset").stdout == ""
