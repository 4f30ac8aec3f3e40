"""Another process takes over from daemons of each role: what they have put on the machine stays, and is theirs in the end."""
from lib import home, net, proxy
from lib.env import PORT
from lib.proxy import Cpe, Transparent
from lib.stream import MIB, transfer
from lib.suite import braid_only, cases, limit, long
from lib.wait import until
from test_cpe import converter, converters
from test_upgrade import talk_on, under_way, whole


def shown(namespace):
    """Routing rules, tables, translation: all that a daemon makes there. What sets contain changes by itself."""
    says = [namespace.run("ip", *version, *words, check=False).stdout for version in ((), ("-6",))
            for words in (("rule",), ("route", "show", "table", "all", "proto", "static"), ("route", "show", "table", "8684"))]
    says += [namespace.run("nft", "-t", "list", "ruleset").stdout,
             namespace.run("sysctl", "-n", "net.ipv4.ip_local_reserved_ports").stdout]
    return says


@braid_only
@limit(180)
@cases(proxy_v4=("proxy", 4), client_v6=("client", 6))
def test_a_transparent_edge(env, source, version):
    """A transfer in the server's name, with a source of its own and with the client's."""
    env.topology.shape(60)
    env.topology.endpoint(2, version=version)
    env.steer("up", "--source", source)
    env.start([Transparent("transit", source=source)])
    listener = env.listen(version)
    near = env.connect(version, to=net.SERVER[version])
    far = env.accept(listener)
    pumps = under_way(near, far, 32 * MIB)
    before = shown(env.topology.braid)
    for _ in range(2):
        env.proxy.upgrade()
        assert shown(env.topology.braid) == before
    another = env.connect(version, to=net.SERVER[version])
    transfer(another, env.accept(listener), 100000)
    whole(pumps)


def reserved(namespace):
    return namespace.run("sysctl", "-n", "net.ipv4.ip_local_reserved_ports").stdout.strip()


@braid_only
@limit(180)
def test_other_ports_are_reserved_once_the_other_process_goes_on(env):
    """And not if it does not: here it has no place for its socket."""
    env.build_home({}, {}, {})
    untouched = reserved(env.home.cpe)
    router = env.daemon(env.home.cpe, [Cpe()], tun={"local_ports": "40000-49999"})
    assert reserved(env.home.cpe) == "40000-49999"
    good = router.config.read_text().replace("40000-49999", "50000-50999")
    router.config.write_text(good.replace("[tun]", f"app_socket = /proc/nowhere/app.sock\n[tun]"))
    done = router.try_upgrade()
    assert done.returncode == 1 and "nowhere" in done.stdout, (done.stdout, done.stderr)
    assert reserved(env.home.cpe) == "40000-49999"
    router.config.write_text(good)
    router.upgrade()
    assert reserved(env.home.cpe) == "50000-50999"
    env.daemons.remove(router)
    router.stop()
    assert reserved(env.home.cpe) == untouched


@braid_only
@limit(180)
def test_a_cpe_keeps_its_rules_and_takes_them_back_in_the_end(env):
    env.build_home({}, {}, {})
    untouched = shown(env.home.cpe)
    router = env.daemon(env.home.cpe, [Cpe()])
    before = shown(env.home.cpe)
    assert before != untouched
    watch = proxy.Process(env.home.cpe.command("ip", "monitor", "rule", "route"), "ip monitor")
    rules = proxy.Process(env.home.cpe.command("nft", "monitor", "destroy", "tables"), "nft monitor")
    for _ in range(3):
        router.upgrade()
        assert shown(env.home.cpe) == before
    gone = [line for line in watch.lines + rules.lines if "Deleted" in line or "delete" in line]
    assert not gone, gone
    watch.kill()
    rules.kill()
    env.steer("up", "--lan", "lan", at=env.home.cpe)
    near, far = env.home_pair(server=env.home.multi)
    transfer(near, far, MIB)
    env.steer("down", at=env.home.cpe)
    env.daemons.remove(router)
    router.stop()
    assert shown(env.home.cpe) == untouched


@braid_only
@limit(180)
@cases(more=(1, 2), as_many=(2, 2), fewer=(2, 1))
def test_sockets_of_tproxy_listen_all_the_time(env, before, after):
    """Nobody is refused while it happens, nor afterwards by a socket that nobody accepts from."""
    env.build_home({}, {})
    keys = {"intercept": "tproxy"}
    env.steer("up", "--lan", "lan", "--tproxy", "8684", at=env.home.cpe)
    router = env.daemon(env.home.cpe, [Cpe(uplinks=("wan0", "wan1"), **keys)], workers=before)
    router.config.write_text(proxy.configuration(router.directory, [Cpe(uplinks=("wan0", "wan1"), **keys)], workers=after))
    router.upgrade()
    for _ in range(8):
        near, far = env.home_pair(server=env.home.multi)
        transfer(near, far, 10000)
        near.close()
        far.close()
    until(lambda: not router.connections(), "all have ended")
    router.upgrade()
    near, far = env.home_pair(server=env.home.multi)
    transfer(near, far, 10000)


@braid_only
@limit(180)
@cases(v4=4, v6=6)
def test_a_cpe_and_its_converter_under_a_transfer(env, version):
    """Either of them, in turn, with bytes under way in both directions."""
    env.build_home({"mbit": 30}, {"mbit": 30})
    edge = env.daemon(env.home.edge, [converter(env)])
    router = env.daemon(env.home.cpe, [Cpe(uplinks=("wan0", "wan1"), mode="convert", peer=converters(version=version))])
    env.steer("up", "--lan", "lan", at=env.home.cpe)
    pumps = under_way(*env.home_pair(version), 24 * MIB)
    for daemon in (router, edge, router):
        done = pumps[0].done
        daemon.upgrade()
        pumps[0].reach(min(done + MIB, 24 * MIB))
    whole(pumps)
    near, far = env.home_pair(version)
    transfer(near, far, 100000)


@braid_only
@long
@limit(500)
def test_a_cpe_and_its_converter_every_two_seconds(env):
    """In turn, for two minutes, under two hundred connections of IPv4 and IPv6 with bytes in both directions: none is lost. Behind
    each upgrade another one is opened, and closed."""
    env.build_home({"mbit": 60}, {"mbit": 60})
    edge = env.daemon(env.home.edge, [converter(env)], workers=2)
    peers = ", ".join(converters(version=version) for version in home.VERSIONS)
    router = env.daemon(env.home.cpe, [Cpe(uplinks=("wan0", "wan1"), mode="convert", peer=peers)], workers=2)
    env.steer("up", "--lan", "lan", at=env.home.cpe)
    pairs = [env.home_pair(home.VERSIONS[number % 2]) for number in range(200)]

    def upgrade(number):
        pause = (router, edge)[number % 2].upgrade()
        near, far = env.home_pair(home.VERSIONS[number // 2 % 2])
        transfer(near, far, 10000)
        near.close()
        far.close()
        return pause

    pauses = talk_on(pairs, upgrade)
    print(f"{len(pauses)} upgrades, pauses of {min(pauses):.0f} to {max(pauses):.0f} ms")
    for near, far in pairs:
        transfer(near, far, 1000)
