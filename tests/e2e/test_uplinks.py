"""The router's uplinks: followed as they come, change and go, routed and translated, probed, and taken back in the end."""
import json
import signal

from lib import conntrack, home
from lib.proxy import Edge, Section
from lib.stream import MIB, transfer
from lib.suite import braid_only, cases, limit, long
from lib.wait import stays, until

FAMILIES = {"v4": 4, "v6": 6}
PROBED = 443  # a port of the server without MPTCP
RANGE = (49152, 61439)


def target(*versions, port=PROBED):
    return ", ".join(f"[{home.PLAIN[6]}]:{port}" if version == 6 else f"{home.PLAIN[4]}:{port}" for version in versions)


def sections(env, numbers=(0, 1, 2), **keys):
    """An edge, since a daemon has to have something to do, and these uplinks."""
    return [Edge("web", 4, target=f"{home.PLAIN[4]}:80"),
            *(Section(f"uplink up{number}", interface=f"wan{number}", **keys) for number in numbers)]


def start(env, *numbers, **keys):
    keys = {"probe": "off", **keys}
    return env.daemon(env.home.cpe, sections(env, numbers or (0, 1, 2), **keys))


def uplink(router, number):
    return router.ctl("uplinks")["uplinks"][number]


def way(router, number, version):
    return uplink(router, number)[f"ipv{version}"]


def is_up(router, number, version, address):
    now = way(router, number, version)
    return now["state"] == "up" and now["address"] == address


def all_up(env, router):
    return all(is_up(router, each.number, version, each.address(version))
               for each in env.home.uplinks for version in home.VERSIONS)


def kernel_state(env):
    """What uplinks could leave behind on the router: rules, routes of all tables, nftables, a sysctl."""
    cpe = env.home.cpe
    state = {"tables": cpe.run("nft", "list", "tables").stdout,
             "reserved": cpe.run("sysctl", "-n", "net.ipv4.ip_local_reserved_ports").stdout}
    for version in home.VERSIONS:
        state[f"rules{version}"] = cpe.run("ip", f"-{version}", "rule").stdout
        state[f"routes{version}"] = sorted(cpe.run("ip", f"-{version}", "route", "show", "table", "all").stdout.split("\n"))
    return state


def table_of(env, number, version):
    """The default routes of an uplink's table, but for the one that refuses."""
    done = env.home.cpe.run("ip", f"-{version}", "-j", "route", "show", "table", str(8701 + number), check=False)
    return [(route["dev"], route.get("gateway")) for route in json.loads(done.stdout or "[]")
            if route.get("type", "unicast") == "unicast"]


def translations(env):
    return env.home.cpe.run("nft", "list", "table", "inet", "braid_uplinks", check=False).stdout


@braid_only
def test_each_uplink_is_routed_and_translated(env):
    router = start(env)
    for each in env.home.uplinks:
        for version in home.VERSIONS:
            until(lambda: is_up(router, each.number, version, each.address(version)), f"{each.device} is up")
            assert table_of(env, each.number, version) == [(each.device, each.gateway(version))]
            inner = way(router, each.number, version)["inner"]
            word = "ip" if version == 4 else "ip6"
            assert f'oifname "{each.device}" {word} saddr {inner} {word} saddr set {each.address(version)}' in translations(env)
    listed = env.home.cpe.run("sysctl", "-n", "net.ipv4.ip_local_reserved_ports", "net.ipv4.conf.braid0.rp_filter")
    assert listed.stdout.split() == [f"{RANGE[0]}-{RANGE[1]}", "2"]


@braid_only
def test_what_becomes_of_an_uplink_is_followed_at_once(env):
    router = start(env)
    each = env.home.uplinks[1]
    until(lambda: all_up(env, router), "all uplinks are up")
    for fail, mend, lacks in (("unplug", "plug", "no carrier"), ("switch_off", "switch_on", "no carrier")):
        getattr(each, fail)()
        for version in home.VERSIONS:
            until(lambda: way(router, 1, version)["lacks"] == lacks, f"{fail} is noticed")
            assert table_of(env, 1, version) == []
        assert f'"{each.device}"' not in translations(env)
        getattr(each, mend)()
        until(lambda: all_up(env, router), f"it is used again after {mend}")
        for version in home.VERSIONS:
            assert table_of(env, 1, version) == [(each.device, each.gateway(version))], mend
    for version in home.VERSIONS:
        each.disconnect(version)
        until(lambda: way(router, 1, version)["lacks"] == "no address", f"IPv{version} has no address")
        assert way(router, 1, 10 - version)["state"] == "up"
        each.connect(version)
        until(lambda: all_up(env, router), f"IPv{version} is back")
    each.change_address()
    until(lambda: all_up(env, router), "the new addresses are used")
    for version in home.VERSIONS:
        assert each.address(version) in translations(env)
    env.home.cpe.ip("route", "del", "default", "dev", each.device)
    until(lambda: way(router, 1, 4)["lacks"] == "no default route", "a lost default route is noticed")
    router.healthy()


@braid_only
def test_an_interface_may_come_later_and_its_gateway_be_the_operators(env):
    each = env.home.uplinks[2]
    env.home.cpe.ip("link", "set", each.device, "down")
    env.home.cpe.ip("link", "set", each.device, "name", "later0")
    router = start(env, 0, 2, gateway=f"{each.gateway(4)}, {each.gateway(6)}")
    assert way(router, 1, 4)["lacks"] == "there is no such interface"
    env.home.cpe.ip("link", "set", "later0", "name", each.device)
    env.home.cpe.ip("link", "set", each.device, "up")
    env.home.cpe.ip("address", "replace", f"{each.address(4)}/24", "dev", each.device)
    until(lambda: is_up(router, 1, 4, each.address(4)), "it is used once it is there, without a default route")
    assert way(router, 1, 4)["gateway"] == each.gateway(4)


@braid_only
def test_a_default_route_may_have_several_ways_or_be_in_a_table_of_its_own(env):
    router = start(env)
    until(lambda: all_up(env, router), "all uplinks are up")
    first, second, third = env.home.uplinks
    for version in home.VERSIONS:
        for each in env.home.uplinks:
            env.home.cpe.ip(f"-{version}", "route", "del", "default", "dev", each.device)
        until(lambda: all(way(router, number, version)["lacks"] == "no default route" for number in range(3)), "none is left")
        env.home.cpe.ip(f"-{version}", "route", "add", "default", "nexthop", "via", first.gateway(version), "dev", first.device,
                        "nexthop", "via", second.gateway(version), "dev", second.device)
        env.home.cpe.ip(f"-{version}", "route", "add", "default", "via", third.gateway(version), "dev", third.device, "table", "77")
    until(lambda: all_up(env, router), "all uplinks are up again")
    for each in env.home.uplinks:
        for version in home.VERSIONS:
            assert table_of(env, each.number, version) == [(each.device, each.gateway(version))]


@braid_only
def test_what_others_remove_is_put_back(env):
    router = start(env)
    until(lambda: all_up(env, router), "all uplinks are up")
    wanted, cpe = translations(env), env.home.cpe
    for command in (("nft", "flush", "ruleset"), ("nft", "flush", "chain", "inet", "braid_uplinks", "departures"),
                    ("nft", "delete", "table", "inet", "braid_uplinks")):
        cpe.run(*command)
        until(lambda: translations(env) == wanted, f"{' '.join(command)} is undone")
    before = kernel_state(env)
    for version in home.VERSIONS:
        cpe.ip(f"-{version}", "rule", "del", "priority", "8690")
        cpe.ip(f"-{version}", "route", "flush", "table", "8702")
    cpe.ip("address", "del", "10.200.0.254/24", "dev", "braid0")
    until(lambda: {key: sorted(value) for key, value in kernel_state(env).items()} ==
          {key: sorted(value) for key, value in before.items()}, "rules, routes and the address are put back")
    assert any("somebody has changed or removed" in line for line in router.process.lines)


@braid_only
def test_an_orderly_end_leaves_nothing_and_a_crash_nothing_that_lasts(env):
    before = kernel_state(env)
    router = start(env)
    until(lambda: all_up(env, router), "all uplinks are up")
    assert kernel_state(env) != before
    router.process.signal(signal.SIGKILL)
    router.process.wait(10)
    for server in (env.home.plain, env.home.multi):  # LAN and kernel go on meanwhile
        near, far = env.home_pair(4, server)
        transfer(near, far, MIB)
    second = start(env, 1)  # two uplinks are no longer in the configuration
    assert is_up(second, 0, 4, env.home.uplinks[1].address(4))
    rules = env.home.cpe.run("ip", "rule").stdout
    assert rules.count("8690:") == 1 and "from 10.200.0.1 lookup 8701" in rules, rules
    assert table_of(env, 0, 4) == [("wan1", env.home.uplinks[1].gateway(4))]
    assert table_of(env, 1, 4) == table_of(env, 2, 4) == []
    assert '"wan0"' not in translations(env)
    second.stop()
    env.daemons.clear()
    assert kernel_state(env) == before
    env.home.cpe.run("sysctl", "-w", "net.ipv4.ip_local_reserved_ports=8080")
    third = start(env)
    assert env.home.cpe.run("sysctl", "-n", "net.ipv4.ip_local_reserved_ports").stdout.strip() == "8080,49152-61439"
    third.stop()
    env.daemons.clear()
    assert env.home.cpe.run("sysctl", "-n", "net.ipv4.ip_local_reserved_ports").stdout.strip() == "8080"


@braid_only
@cases(**FAMILIES)
def test_without_nftables_iptables_translates(env, version):
    before = kernel_state(env)
    env.listen(version, PROBED, address=home.PLAIN[version], at=env.home.plain)
    router = env.daemon(env.home.cpe, sections(env, probe=target(version)), tun={"translation": "masquerade"})
    until(lambda: all(way(router, number, version)["srtt_us"] for number in range(3)), "each uplink carries packets")
    assert not translations(env)
    program = "iptables" if version == 4 else "ip6tables"
    env.home.cpe.run(program, "-t", "nat", "-F", "POSTROUTING")
    until(lambda: "BRAID_UPLINKS" in env.home.cpe.run(program, "-t", "nat", "-S", "POSTROUTING").stdout, "the jump is put back")
    router.stop()
    env.daemons.clear()
    left = env.home.cpe.run("nft", "list", "ruleset").stdout
    assert "BRAID" not in left, left
    assert kernel_state(env)["routes4"] == before["routes4"]


@long
@braid_only
@limit(90)
@cases(**FAMILIES)
def test_probes_find_a_silent_uplink(env, version):
    listener = env.listen(version, PROBED, address=home.PLAIN[version], at=env.home.plain)
    router = start(env, probe=target(version))
    until(lambda: all(way(router, number, version)["srtt_us"] for number in range(3)), "each uplink's round trip is known")
    each = env.home.uplinks[0]
    each.go_silent()
    until(lambda: way(router, 0, version)["state"] == "silent", "the silent uplink is found", limit=15)
    assert way(router, 0, version)["loss_percent"] > 0
    assert way(router, 1, version)["state"] == way(router, 2, version)["state"] == "up"
    each.speak()
    until(lambda: way(router, 0, version)["state"] == "up", "it is used again", limit=5)
    assert any(f"uplink up0: IPv{version} is silent" in line for line in router.process.lines)
    listener.setblocking(False)
    try:
        listener.accept()
        raise AssertionError("a probe was a connection for the server")
    except BlockingIOError:
        pass
    env.home.cpe.run("nft", "flush", "ruleset")
    conntrack.flush(env.home.cpe)
    stays(lambda: [way(router, number, version)["state"] for number in range(3)], "a flushed firewall makes no silence", span=6)


@braid_only
def test_a_refusal_is_an_answer_and_nobody_is_asked_if_there_is_nobody(env):
    router = start(env, probe=target(4, port=81))
    until(lambda: all(way(router, number, 4)["srtt_us"] for number in range(3)), "refusals tell the round trip")
    assert way(router, 0, 6)["probes"] == 0 and way(router, 0, 6)["loss_percent"] is None
    status, body = router.http("/metrics")
    assert status == 200 and 'braid_uplink_usable{uplink="up0",family="ipv4"} 1\n' in body


@braid_only
@cases(**FAMILIES)
def test_connections_of_others_are_left_alone_also_from_these_ports(env, version):
    """What the kernel masquerades has the ports of the LAN's devices, and programs may bind to what they like."""
    def pair(at, port):
        listener = env.listen(version, address=home.PLAIN[version], at=env.home.plain)
        near = env.open(version, multipath=False, at=at)
        near.bind(("", port))
        near.connect((home.PLAIN[version], listener.getsockname()[1]))
        far = env.accept(listener)
        listener.close()
        return near, far
    before = [pair(env.home.device, RANGE[0] + 10), pair(env.home.cpe, RANGE[0] + 11)]
    router = start(env)
    until(lambda: all_up(env, router), "all uplinks are up")
    for near, far in before + [pair(env.home.device, RANGE[0] + 12), pair(env.home.cpe, RANGE[0] + 13)]:
        transfer(far, near, MIB)  # the server speaks first
