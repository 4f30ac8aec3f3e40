"""braid-steer up --lan and --local: whose packets go into the TUN, and whose do not. No daemon is needed: a TUN that refuses
every connection shows what comes there, and that what comes out of it finds its way. A connection that is made was the
kernel's."""
import contextlib
import errno
import os
import shutil
import socket
import time

from lib import home, ping, steer
from lib.env import PORT
from lib.proc import Process, run
from lib.proxy import Section, configuration
from lib.refuser import Refuser
from lib.stream import MIB, read_error, transfer
from lib.suite import braid_only, cases, long
from lib.wait import FACTOR, until

BACKENDS = {"nft": "nft", "iptables": "iptables"}
VERSIONS = (4, 6)
TUN, KERNEL = "into the TUN", "the kernel's way"
UNSPECIFIC = {4: "0.0.0.0", 6: "::"}


@contextlib.contextmanager
def refuser(env, **how):
    tun = Refuser(env.home.cpe, **how)
    try:
        yield tun
    finally:
        tun.close()


def up(env, backend, *options, **how):
    return env.steer("up", "--backend", backend, *options, at=env.home.cpe, **how)


def lan(env, backend, *options, **how):
    return up(env, backend, "--lan", "lan", *options, **how)


def status(env, expect=0):
    return env.steer("status", expect=expect, at=env.home.cpe).stdout


def whole(env):
    return env.home.cpe.run(steer.SCRIPT, "status", "--state", env.steer_state, check=False).returncode == 0


def way(env, version=4, at=None, server=None, port=PORT, to=None, patience=2, **how):
    """Where a new connection goes."""
    server = server or env.home.plain
    listener = env.listen(version, port, address=UNSPECIFIC[version], at=server)
    try:
        near = env.open(version, at=at or env.home.device, **{"multipath": False, **how})
        near.settimeout(patience * FACTOR)
        near.connect((to or env.home.where(server)[version], port))
        env.accept(listener)
        return KERNEL
    except ConnectionRefusedError:
        return TUN
    finally:
        listener.close()


def ways(env, **how):
    """In both families, which have to be the same."""
    four, six = (way(env, version, **how) for version in VERSIONS)
    assert four == six, f"IPv4 goes {four}, IPv6 {six}"
    return four


def enter(env, uid=None, cgroup=None, version=4):
    """Where a connection goes that a process of that user, or in that control group, makes on the router."""
    script = ("import socket, sys\ntry:\n socket.create_connection((sys.argv[1], int(sys.argv[2])), 2)\n"
              "except ConnectionRefusedError:\n sys.exit(3)\n")
    listener = env.listen(version, address=UNSPECIFIC[version], at=env.home.plain)
    join = f"echo $$ >{cgroup}/cgroup.procs && " if cgroup else ""
    become = f"setpriv --reuid {uid} --clear-groups " if uid else ""
    done = env.home.cpe.run("sh", "-c", f'{join}exec {become}python3 -c "$0" "$@"', script, home.PLAIN[version], PORT,
                            check=False)
    listener.close()
    assert done.returncode in (0, 3), done.stderr
    return TUN if done.returncode == 3 else KERNEL


@braid_only
@cases(**BACKENDS)
def test_tcp_of_the_lan_and_nothing_else(env, backend):
    cpe, device = env.home.cpe, env.home.device
    assert "up: TCP connections from lan and TCP connections of this machine to ports" in lan(env, backend, "--local").stdout
    lan(env, backend)
    assert ways(env) == KERNEL, "without the TUN it is all the kernel's"
    with refuser(env) as tun:
        lan(env, backend)
        assert ways(env) == TUN and tun.sources[-2:] == [home.DEVICE[4], home.DEVICE[6]]
        assert ways(env, at=cpe) == KERNEL, "the router's own connections, without --local"
        for version in VERSIONS:
            assert way(env, version, server=cpe, to=home.ROUTER[version]) == KERNEL, "to the router itself"
            address = env.home.uplinks[1].gateway(version)
            if version == 4:
                assert way(env, version, server=env.home.uplinks[1].modem, to=address) == KERNEL, "a private destination"
            listener = env.keep(env.home.plain.socket(version, kind=socket.SOCK_DGRAM))
            listener.bind((home.PLAIN[version], 443))
            near = env.keep(device.socket(version, kind=socket.SOCK_DGRAM))
            near.sendto(b"datagram", (home.PLAIN[version], 443))
            listener.settimeout(2 * FACTOR)
            assert listener.recv(100) == b"datagram"
            assert ping.ping(env, version, home.PLAIN[version], at=device) == b"ping"


@braid_only
@cases(**BACKENDS)
def test_exceptions(env, backend):
    mac = env.home.device.run("cat", "/sys/class/net/eth0/address").stdout.strip()
    with refuser(env):
        for options, spared, others in (
                (("--except", "198.18.2.0/24", "--except", "2001:db8:18:2::/64"), {}, {"server": env.home.multi}),
                (("--except-port", "8080", "--except-port", "90-99"), {}, {"port": 8081}),
                (("--except-port", "8000-9000"), {}, {"port": 9001}),
                (("--ports", "8081-9000"), {}, {"port": 8081}),
                (("--except-mac", mac), {}, None),
                (("--except-mac", "02:00:5e:10:00:01"), None, {}),
                (("--private", "yes"), None, {})):
            lan(env, backend, *options)
            assert spared is None or ways(env, **spared) == KERNEL, options
            assert others is None or ways(env, **others) == TUN, options
        lan(env, backend, "--private", "yes")
        modem = env.home.uplinks[1].modem
        assert way(env, server=modem, to=env.home.uplinks[1].gateway()) == TUN, "a private destination, if told so"


@braid_only
@cases(**BACKENDS)
def test_who_speaks_mptcp_is_left_alone_but_for_an_edge(env, backend):
    env.home.device.sysctl(net__mptcp__enabled=1)
    with refuser(env):
        lan(env, backend)
        assert ways(env, multipath=True) == KERNEL and ways(env) == TUN
        lan(env, backend, "--edge", "yes")
        assert ways(env, multipath=True) == TUN and ways(env) == TUN
        up(env, backend)
        assert ways(env, multipath=True) == TUN and ways(env) == KERNEL


@long
@braid_only
@cases(**BACKENDS)
def test_names_that_dnsmasq_resolves(env, backend):
    """What they stand for goes the kernel's way, also after up, which does not empty the sets, and after a firewall's reload."""
    def ask(name, kind):
        env.home.cpe.run("python3", "-c", "import socket, sys\ns = socket.socket(type=socket.SOCK_DGRAM)\ns.settimeout(5)\n"
                         "q = b'\\0\\1\\1\\0\\0\\1' + bytes(6) + b''.join(bytes([len(p)]) + p.encode() for p in sys.argv[1]"
                         ".split('.')) + b'\\0\\0' + bytes([int(sys.argv[2])]) + b'\\0\\1'\n"
                         "s.sendto(q, ('127.0.0.1', 53))\ns.recv(512)", name, kind)

    lan(env, backend, "--local", "--quic", "reject")
    upstream, table = env.directory / "upstream", "inet#braid_names"
    upstream.write_text(f"{home.PLAIN[4]} plain.test\n{home.PLAIN[6]} plain.test\n")
    servers = [Process(env.home.plain.command(
        "dnsmasq", "--no-daemon", "--conf-file=/dev/null", "--no-resolv", "--no-hosts", f"--addn-hosts={upstream}", "--pid-file",
        "--log-queries"), "dnsmasq upstream")]
    try:
        servers[0].wait_for_line(f"read {upstream}")
        servers.append(Process(env.home.cpe.command(
            "dnsmasq", "--no-daemon", "--conf-file=/dev/null", "--no-resolv", "--no-hosts", "--pid-file", "--user=root",
            "--bind-interfaces", "--listen-address=127.0.0.1", f"--server={home.PLAIN[4]}",
            f"--nftset=/plain.test/4#{table}#names4,6#{table}#names6", "--log-queries"), "dnsmasq"))
        servers[1].wait_for_line("using nameserver")
        with refuser(env):
            lan(env, backend, "--local", "--quic", "reject")
            assert ways(env) == TUN and ways(env, at=env.home.cpe) == TUN
            for kind in (1, 28):
                ask("plain.test", kind)
            until(lambda: ways(env) == KERNEL, "the addresses are in the sets")
            assert ways(env, server=env.home.multi) == TUN and ways(env, at=env.home.cpe) == KERNEL
            near = env.keep(env.home.device.socket(4, kind=socket.SOCK_DGRAM))
            near.connect((home.PLAIN[4], 443))
            near.send(b"QUIC, to such a name")
            lan(env, backend, "--local", "--quic", "reject")
            assert ways(env) == KERNEL
            copy = env.directory / "steer.state.names"
            until(lambda: copy.exists() and home.PLAIN[6] in copy.read_text(), "a copy is kept")
            env.home.cpe.run("nft", "delete", "table", "inet", "braid_names")
            until(lambda: whole(env), "the sets are there again")
            assert ways(env) == KERNEL
    finally:
        for each in servers:
            each.kill()


@braid_only
@cases(**BACKENDS)
def test_connections_that_begin_elsewhere_are_not_touched(env, backend):
    """To a server in the LAN: by a forwarded port, and to its own address. And one that the kernel had before Braid came."""
    cpe, device = env.home.cpe, env.home.device
    cpe.run("nft", "-f", "-", stdin="table ip forwarded {\nchain pre {\ntype nat hook prerouting priority dstnat;\n"
            f"iifname \"wan0\" tcp dport 8080 dnat to {home.DEVICE[4]}\n}}\n}}\n")
    uplink = env.home.uplinks[0]
    for namespace, via, dev in ((env.home.internet, home.line_net(0, 6, 2), "line0"), (uplink.modem, uplink.address(6), "cpe")):
        home.route(namespace, "fd77::/64", via, dev)
    old = [env.home_pair(version) for version in VERSIONS]
    with refuser(env):
        lan(env, backend)
        for version, address in ((4, uplink.address()), (6, home.DEVICE[6])):
            listener = env.listen(version, address=home.DEVICE[version], at=device)
            near = env.connect(version, to=address, multipath=False, at=env.home.plain)
            far = env.accept(listener)
            transfer(near, far, MIB, end=False)
            transfer(far, near, MIB)
            listener.close()
        for near, far in old:
            transfer(near, far, MIB)
        assert ways(env) == TUN


@braid_only
@cases(**BACKENDS)
def test_connections_of_this_machine(env, backend):
    cpe = env.home.cpe
    with refuser(env) as tun:
        up(env, backend, "--local", "--except", "198.18.3.0/24", "--except", "2001:db8:18:3::/64", "--except-port", "90-99",
           "--except-user", "65534")
        assert ways(env, at=cpe) == TUN and tun.sources[-2:] == ["10.200.0.254", "fd00:200::fe"]
        assert ways(env) == KERNEL, "the LAN's, without --lan"
        assert ways(env, at=cpe, server=env.home.multi) == KERNEL and ways(env, at=cpe, port=95) == KERNEL
        for version in VERSIONS:
            assert way(env, version, at=cpe, source=env.home.uplinks[0].address(version)) == KERNEL, "who is bound to an uplink"
            assert enter(env, version=version) == TUN and enter(env, uid=65534, version=version) == KERNEL
            near = env.open(version, multipath=False, at=cpe)
            near.setsockopt(socket.SOL_SOCKET, socket.SO_MARK, 0x1B0000)
            listener = env.listen(version, address=home.PLAIN[version], at=env.home.plain)
            near.connect((home.PLAIN[version], PORT))
            listener.close()
            # A server of the router's answers whoever calls it by the way that the call came.
            listener = env.listen(version, address=UNSPECIFIC[version], at=cpe)
            near = env.connect(version, to=env.home.uplinks[0].address(version), multipath=False, at=env.home.plain)
            transfer(near, env.accept(listener), MIB)
            listener.close()
        lan(env, backend, "--local")
        assert ways(env, at=cpe) == TUN and ways(env) == TUN
    assert ways(env, at=cpe) == KERNEL and ways(env) == KERNEL


@contextlib.contextmanager
def cgroup():
    mount = next(line.split()[1] for line in open("/proc/mounts") if line.split()[2] == "cgroup2")
    folder = f"{mount}/braid-e2e-{os.getpid()}"
    os.mkdir(folder)
    try:
        yield folder
    finally:
        os.rmdir(folder)


@braid_only
@cases(**BACKENDS)
def test_a_control_group_of_this_machine(env, backend):
    """`ip netns exec` hides the folders of control groups, and without it braid-steer does not see the TUN: so both in turn."""
    with cgroup() as folder, refuser(env):
        up(env, backend, "--local", "--watch", "no")
        with env.home.cpe.entered():
            run([steer.SCRIPT, "up", "--backend", backend, "--local", "--quic", "reject", "--except-cgroup",
                 os.path.basename(folder), "--watch", "no", "--state", env.steer_state])
        for version in VERSIONS:
            assert enter_group(env, folder, version) == KERNEL and enter_group(env, None, version) == TUN
        env.steer("down", at=env.home.cpe)


def enter_group(env, folder, version):
    with env.home.cpe.entered():
        listener = env.listen(version, address=UNSPECIFIC[version], at=env.home.plain)
        script = ("import socket, sys\ntry:\n socket.create_connection((sys.argv[1], int(sys.argv[2])), 2)\n"
                  "except ConnectionRefusedError:\n sys.exit(3)\n")
        join = f"echo $$ >{folder}/cgroup.procs && " if folder else ""
        done = run(["sh", "-c", f'{join}exec python3 -c "$0" "$@"', script, home.PLAIN[version], PORT], check=False)
        listener.close()
    assert done.returncode in (0, 3), done.stderr
    return TUN if done.returncode == 3 else KERNEL


@braid_only
@cases(**BACKENDS)
def test_quic_is_rejected_if_told_so(env, backend):
    def answer(at, version, port=443):
        near = env.keep(at.socket(version, kind=socket.SOCK_DGRAM))
        near.settimeout(2 * FACTOR)
        near.connect((home.PLAIN[version], port))
        listener = env.keep(env.home.plain.socket(version, kind=socket.SOCK_DGRAM))
        listener.bind((home.PLAIN[version], port))
        listener.settimeout(0.5)
        try:
            near.send(b"hello")
            return listener.recv(100)
        except PermissionError:
            return "rejected"  # on this machine
        except TimeoutError:
            near.settimeout(0.5)
            try:
                near.recv(100)
            except ConnectionRefusedError:
                return "rejected"
        finally:
            listener.close()

    mac = env.home.device.run("cat", "/sys/class/net/eth0/address").stdout.strip()
    lan(env, backend, "--local", "--quic", "reject")
    for version in VERSIONS:
        for at in (env.home.device, env.home.cpe):
            assert answer(at, version) == "rejected" and answer(at, version, 444) == b"hello"
    for options in (("--except-mac", mac), ("--except", "198.18.2.2", "--except", home.PLAIN[6])):
        lan(env, backend, "--quic", "reject", *options)
        for version in VERSIONS:
            assert answer(env.home.device, version) == b"hello" and answer(env.home.cpe, version) == b"hello"


@braid_only
@cases(off=0, strict=1, loose=2)
def test_reverse_path_filters(env, value):
    """Whatever all others have, the TUN's is loose, and only that is changed."""
    cpe = env.home.cpe
    cpe.sysctl(net__ipv4__conf__all__rp_filter=value, net__ipv4__conf__default__rp_filter=value)
    for device in ("lan", "wan0", "wan1", "wan2"):
        cpe.sysctl(**{f"net__ipv4__conf__{device}__rp_filter": value})
    with refuser(env):
        before = steer.settings(cpe)
        lan(env, "nft", "--local")
        assert ways(env) == TUN and ways(env, at=cpe) == TUN
        assert steer.settings(cpe) == {**before, "braid0": 2}
        env.steer("down", at=cpe)
        assert steer.settings(cpe) == before


@braid_only
def test_without_the_daemon_the_kernel_forwards_within_a_second(env):
    with refuser(env):
        lan(env, "nft", "--local")
        assert ways(env) == TUN and ways(env, at=env.home.cpe) == TUN
    gone = time.monotonic()
    assert ways(env) == KERNEL and ways(env, at=env.home.cpe) == KERNEL
    assert time.monotonic() - gone < 1 * FACTOR
    with refuser(env):
        for version in VERSIONS:
            until(lambda: way(env, version) == TUN, "the watcher has led it there again")
        assert ways(env, at=env.home.cpe) == TUN
        until(lambda: whole(env), "the device has its settings again")


@braid_only
def test_a_device_that_outlives_the_daemon_keeps_nothing(env):
    """The kernel looks at carriers once a second."""
    def is_forwarded(at):
        try:
            return ways(env, at=at, patience=0.3) == KERNEL
        except TimeoutError:
            return False

    with refuser(env, persistent=True):
        lan(env, "nft", "--local")
        assert ways(env) == TUN and ways(env, at=env.home.cpe) == TUN
    for at in (env.home.device, env.home.cpe):
        until(lambda: is_forwarded(at), "the kernel forwards", 2)


@braid_only
@cases(**BACKENDS)
def test_what_the_daemon_had_when_it_ended_is_reset(env, backend):
    """No server would answer, since addresses of such a connection are not translated."""
    with refuser(env, accepts=True):
        lan(env, backend)
        open_ones = [env.connect(version, to=home.PLAIN[version], multipath=False, at=env.home.device) for version in VERSIONS]
    for near in open_ones:
        near.sendall(b"anybody there?")
        assert read_error(near) == errno.ECONNRESET


OPTIONS = {
    "lan": ("--lan", "lan"),
    "local": ("--local",),
    "all": ("--lan", "lan", "--lan", "wan2", "--local", "--edge", "yes", "--source", "client", "--ports", "80-9000", "--except",
            "192.0.2.0/24", "--except", "192.0.2.9", "--except", "2001:db8:77::/48", "--except-port", "25", "--except-mac",
            "02:00:5e:10:00:01", "--except-user", "nobody", "--quic", "reject"),
    "tproxy": ("--lan", "lan", "--local", "--tproxy", "8684", "--quic", "reject", "--except-user", "0"),
}


@long
@braid_only
@cases(**{f"{backend}_{name}": (backend, name) for backend in BACKENDS for name in OPTIONS})
def test_twice_is_once_and_down_leaves_no_trace(env, backend, name):
    with refuser(env):
        before = steer.snapshot(env.home.cpe)
        up(env, backend, *OPTIONS[name])
        once = steer.snapshot(env.home.cpe)
        said = status(env)
        assert "MISSING" not in said and "--lan lan" in said or name == "local"
        up(env, backend, *OPTIONS[name])
        steer.same(once, steer.snapshot(env.home.cpe))
        other = next(each for each in BACKENDS if each != backend)
        up(env, other, *OPTIONS["all" if name == "lan" else "lan"])
        up(env, backend, *OPTIONS[name])
        steer.same(once, steer.snapshot(env.home.cpe))
        env.steer("down", at=env.home.cpe)
        steer.same(before, steer.snapshot(env.home.cpe))
        env.steer("down", at=env.home.cpe)
        steer.same(before, steer.snapshot(env.home.cpe))


@braid_only
@cases(**BACKENDS)
def test_what_others_remove_comes_back(env, backend):
    cpe = env.home.cpe
    with refuser(env):
        lan(env, backend, "--local", "--quic", "reject")
        wanted = steer.snapshot(cpe)
        for _ in range(2):
            if backend == "nft":
                cpe.run("nft", "flush", "ruleset")
                cpe.run("nft", "-f", "-", stdin=home.MASQUERADE)
            else:
                for table in ("mangle", "nat", "filter"):
                    for program in ("iptables-restore", "ip6tables-restore"):
                        cpe.run(program, "-w", stdin=f"*{table}\nCOMMIT\n")
            until(lambda: whole(env), "the packet filter's rules are there again")
            assert ways(env) == TUN
            for family, priority in (("-4", "8684"), ("-6", "8684"), ("-4", "8675"), ("-6", "8676"), ("-6", "8682")):
                cpe.ip(family, "rule", "del", "priority", priority)
            until(lambda: whole(env), "the routing rules are there again")
            assert ways(env, at=cpe) == TUN
        steer.same(wanted, steer.snapshot(cpe))


@braid_only
def test_status_compares_with_the_configuration(env):
    def written(**keys):
        config = env.directory / "braid.ini"
        config.write_text(configuration(env.directory, [Section("cpe lan", **keys)]))
        return config

    def said(config, expect):
        return env.steer("status", "--config", config, expect=expect, at=env.home.cpe).stdout

    env.steer("up", "--source", "client", at=env.home.cpe)
    assert "--lan DEV" in said(written(mode="convert"), 1)
    lan(env, "nft")
    said(written(mode="convert"), 0)
    assert "--tproxy 8684" in said(written(intercept="tproxy"), 1)
    lan(env, "nft", "--tproxy", "8684")
    said(written(intercept="tproxy"), 0)
    assert "intercept = tun" in said(written(intercept="tun"), 1)


@braid_only
def test_the_tuns_own_addresses_are_those_of_the_configuration(env):
    config = env.directory / "braid.ini"
    config.write_text("[tun]\nuplinks4 = 10.9.8.0/24 ; others\nuplinks6 = fd00:9::/64\n")
    up(env, "nft", "--local", "--config", config)
    rules = env.home.cpe.run("ip", "rule").stdout + env.home.cpe.run("ip", "-6", "rule").stdout
    assert "from 10.9.8.0/24 iif lo" in rules and "from fd00:9::/64 iif lo" in rules


WRONG = {
    "nothing_to_steer": ("--edge", "no"),
    "mac_without_a_lan": ("--local", "--except-mac", "02:00:5e:10:00:01"),
    "mac_that_is_none": ("--lan", "lan", "--except-mac", "02:00:5e:10:00"),
    "user_without_local": ("--lan", "lan", "--except-user", "root"),
    "user_that_is_none": ("--local", "--except-user", "no such user"),
    "port_range": ("--lan", "lan", "--except-port", "9-1"),
    "cgroup_with_blanks": ("--local", "--except-cgroup", "a b"),
    "quic_unknown": ("--lan", "lan", "--quic", "drop"),
    "quic_without_a_lan": ("--quic", "reject"),
    "tproxy_without_a_lan": ("--tproxy", "8684"),
    "tproxy_no_port": ("--lan", "lan", "--tproxy", "1-2"),
    "tproxy_with_an_edge": ("--lan", "lan", "--edge", "yes", "--tproxy", "8684"),
    "source_without_an_edge": ("--lan", "lan", "--source", "client"),
}


@braid_only
@cases(**{name: (words,) for name, words in WRONG.items()})
def test_wrong_command_line(env, words):
    done = run([steer.SCRIPT, "up", *words], check=False)
    assert done.returncode == 2 and done.stderr and not done.stdout, (done.returncode, done.stdout, done.stderr)


@braid_only
def test_help_and_manual_name_every_option(env):
    done = run([steer.SCRIPT, "--help"])
    for option in ("--edge", "--lan", "--local", "--private", "--except-port", "--except-mac", "--except-user",
                   "--except-cgroup", "--quic", "--tproxy"):
        assert option in done.stdout and option.removeprefix("--") in steer.MANUAL.read_text(), option


@braid_only
def test_it_finds_its_parts_where_make_install_puts_them(env):
    """Also if it is called by another name."""
    root = env.directory / "usr"
    for folder, files in (("sbin", [steer.SCRIPT]), ("lib/braid/steer", (steer.SCRIPT.parent / "steer").iterdir())):
        (root / folder).mkdir(parents=True)
        for each in files:
            shutil.copy(each, root / folder)
    (env.directory / "link").symlink_to(root / "sbin" / steer.SCRIPT.name)
    for program in (root / "sbin" / steer.SCRIPT.name, env.directory / "link"):
        assert env.home.cpe.run(program, "status", "--state", env.steer_state, check=False).stdout == "down\n"
    shutil.rmtree(root / "lib")
    assert "make install" in run([env.directory / "link", "status"], check=False).stderr
    planned = run(["make", "-n", "-C", steer.SCRIPT.parents[1], "install", "PREFIX=/usr"]).stdout
    assert "/usr/lib/braid/steer deploy/steer/*.sh" in planned
