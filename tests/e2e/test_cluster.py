"""Clients of several machines that share an address: each join reaches the machine that has its connection, and what happens to one
machine is not felt by others' clients."""
import contextlib
import json

from lib import cluster, home, mptcp, net, proxy
from lib.cluster import PATIENCE, own
from lib.env import prefix
from lib.proc import run
from lib.stream import MIB, receive, transfer
from lib.suite import braid_only, cases, limit, long
from lib.wait import until
from lib.wire import ACK, CAPABLE, SYN, Wire
from test_cpe import start as start_cpe

NO_JOIN = 0x20  # flag C
STEERING = {"signal": "signal", "router": "router", "machines": "machines"}


@braid_only
@limit(120)
@cases(v4=(4, 4096), v6=(6, 4096), v4_cookie=(4, 0), v6_cookie=(6, 0))
def test_clients_as_they_come_join_at_the_address_of_the_machine_alone(env, version, half_open):
    """Flag C in the SYN/ACK, and ADD_ADDR. The client's kernel, which takes no announcement by default, is told by the flag that it must."""
    env.topology.limits(subflows=2, add_addr_accepted=0)
    env.topology.endpoint(2, version=version)
    with Wire(env.topology.client, "up") as wire:
        env.start([env.Edge("web", version, signal=[net.SIGNAL[version]], joins="signalled")], limits={"half_open": half_open})
        near, far = env.pair(version, subflows=2)
        joined = {(flow["local"], flow["remote"]) for flow in mptcp.established(near)}
        assert joined == {(net.client_address(1, version), net.SERVICE[version]),
                          (net.client_address(2, version), net.SIGNAL[version])}, joined
        answers = until(lambda: [s for s in list(wire.segments) if s.flags & (SYN | ACK) == SYN | ACK and CAPABLE in s.mptcp],
                        "the SYN/ACK was seen")
        assert all(s.capable_flags & NO_JOIN for s in answers), answers
    transfer(near, far, MIB, end=False)
    transfer(far, near, MIB)


@braid_only
@limit(180)
@cases(v4=4, v6=6)
def test_a_router_with_uplinks_heeds_the_flag_of_others(env, version):
    """The kernel's server is behind a balancer, as it says: only its own address is joined, over all uplinks."""
    multi, own = env.home.multi, home.world_net(3, version, 77)
    multi.sysctl(net__mptcp__allow_join_initial_addr_port=0)
    home.address(multi, "eth0", own)
    multi.ip("mptcp", "limits", "set", "subflows", "8", "add_addr_accepted", "8")
    multi.ip("mptcp", "endpoint", "add", own, "dev", "eth0", "signal")
    router = start_cpe(env, mode="transparent")
    listener = env.listen(version, address="0.0.0.0" if version == 4 else "::", multipath=True, at=multi)
    near = env.connect(version, to=home.MULTI[version], multipath=False, at=env.home.device)
    far = env.accept(listener)
    until(lambda: len(mptcp.established(far)) >= 4, "there are subflows over all uplinks, without a byte of data", PATIENCE)
    ends = [flow["local"] for flow in mptcp.subflows(far)]
    assert ends.count(home.MULTI[version]) == 1 and set(ends) == {home.MULTI[version], own}, ends
    assert router.counters()["MPTcpExtMPJoinSynTx"] == len(ends) - 1
    for one, other in ((near, far), (far, near)):
        one.sendall(b"good morning")
        assert receive(other, 12) == b"good morning"


@contextlib.contextmanager
def cluster_of(env, steering, machines=3, floats=False):
    made = cluster.Cluster(prefix(), env.directory, steering, machines, floats)
    try:
        if not floats:
            made.shared_by(*range(1, machines + 1))
        yield made
        for machine in made.machines:
            machine.stop()
    finally:
        made.delete()


def all_have_joined(connections):
    until(lambda: all(len(c.flows()) == 2 for c in connections), "each connection has two subflows", PATIENCE)


def everybody_is_served(connections):
    for c in connections:
        c.socket.sendall(b"still here?")
    for c in connections:
        c.hear(b"still here?")


def end_visibly(connections):
    """Whoever sends finds out."""
    for c in connections:
        c.socket.sendall(b"anybody?")
    for c in connections:
        try:
            c.hear(b"anybody?")
            raise AssertionError("there was an answer")
        except TimeoutError as error:
            assert error.errno, "the client waits in vain"
        except OSError:
            pass


def close(connections):
    for c in connections:
        c.socket.close()


def life(env, steering, count):
    """What becomes of clients in the life of a cluster: so many, of both families."""
    with cluster_of(env, steering) as c:
        clients = c.connect(count)
        assert {one.machine for one in clients} == {1, 2, 3}
        all_have_joined(clients)
        until(lambda: c.counter("MPTcpExtMPJoinAckRx") == count, "the machines have all joins", PATIENCE)
        assert c.counter("MPTcpExtMPJoinNoTokenFound") == 0

        first, second, third = c.machines[:3]
        leaving = first.drain()
        c.shared_by(2, 3)
        everybody_is_served(clients)
        new = c.connect(count // 2)
        assert {one.machine for one in new} == {2, 3}
        all_have_joined(new)
        clients += new
        close([one for one in clients if one.machine == 1])
        clients = [one for one in clients if one.machine != 1]
        assert leaving.wait(PATIENCE) == 0, leaving.lines
        everybody_is_served(clients)

        third.crash()
        c.shared_by(2)
        end_visibly([one for one in clients if one.machine == 3])
        close([one for one in clients if one.machine == 3])
        clients = [one for one in clients if one.machine == 2]
        everybody_is_served(clients)

        third.start()
        c.shared_by(2, 3)
        c.add(4)
        c.shared_by(2, 3, 4)
        everybody_is_served(clients)
        new = c.connect(count)
        assert {one.machine for one in new} == {2, 3, 4}
        all_have_joined(new)
        everybody_is_served(clients + new)
        close(clients + new)


@braid_only
@limit(300)
@cases(**STEERING)
def test_clients_of_three_machines(env, steering):
    life(env, steering, 48)


@long
@braid_only
@limit(900)
@cases(**STEERING)
def test_three_hundred_clients_of_three_machines(env, steering):
    life(env, steering, 300)


def withdrawn(c, machine):
    """The router has no way to the shared addresses that leads to this machine."""
    if c.floats:
        return not has_next_hop(machine)
    return all(machine.number not in c.hops(version) for version in (4, 6))


def takes_connections(machine):
    return not any(edge["drained"] for edge in machine.braid.ctl("status")["edges"])


def joins_at_own(connection):
    return sum(flow["remote"] in (own(connection.machine, 4), own(connection.machine, 6)) for flow in connection.flows())


@braid_only
@limit(300)
@cases(bgp=False, vrrp=True)
def test_a_drain_withdraws_the_shared_address_first(env, floats):
    """Nobody is refused meanwhile, and whoever is there already may join at the machine's own address until the end."""
    with cluster_of(env, "signal", machines=2, floats=floats) as c:
        first = c.machines[0]
        until(lambda: not withdrawn(c, first), "the first machine is where clients come to", PATIENCE)
        clients = c.connect(16)
        all_have_joined(clients)
        of_first = [one for one in clients if one.machine == 1]
        with (first.directory / "cluster.conf").open("a") as conf:
            conf.write("SETTLE=20\n")
        leaving = first.drain()
        until(lambda: withdrawn(c, first), "the shared addresses lead elsewhere", PATIENCE)
        assert takes_connections(first), "it was drained before"
        until(lambda: not takes_connections(first), "it is drained", PATIENCE)
        c.one_more_way()
        # that at the shared address leads to the other machine now, which resets it if it is used
        until(lambda: all(joins_at_own(one) == 2 for one in of_first), "there are joins at the own address", PATIENCE)
        assert leaving.alive()
        everybody_is_served(clients)
        close(clients)
        assert leaving.wait(PATIENCE) == 0, leaving.lines


def has_next_hop(machine):
    """The next hop that moves is there."""
    return "10.0.0.5/" in machine.namespace.run("ip", "-o", "address", "show", "eth0").stdout


@braid_only
@limit(300)
def test_two_machines_without_bgp(env):
    """The one that has the next hop is drained, and the other one takes it."""
    with cluster_of(env, "signal", machines=2, floats=True) as c:
        first, second = c.machines
        until(lambda: has_next_hop(first) and not has_next_hop(second), "the first machine has the next hop", PATIENCE)
        clients = c.connect(16)
        assert {one.machine for one in clients} == {1}
        all_have_joined(clients)
        leaving = first.drain()
        until(lambda: has_next_hop(second), "the second machine has the next hop", PATIENCE)
        new = c.connect(16)
        assert {one.machine for one in new} == {2}
        all_have_joined(new)
        everybody_is_served(clients + new)
        close(clients)
        assert leaving.wait(PATIENCE) == 0, leaving.lines
        close(new)


@braid_only
def test_the_table_of_the_documentation_is_what_the_simulation_prints(env):
    table = run([proxy.ROOT / "tests/cluster/simulate.py"], limit=120).stdout
    assert table.count("\n") == 18 and table in (proxy.ROOT / "docs/cluster.md").read_text()


@braid_only
def test_several_machines_are_added_up(env):
    """One that is asked by two names is two; one that does not answer is named."""
    env.start()
    near, far = env.pair()
    env.pair(6)
    env.proxy.ctl("drain", "web6")

    def ask(*words, status=0):
        done = env.topology.braid.run(proxy.BRAIDCTL, *words, check=False)
        assert done.returncode == status, done
        return done

    said = json.loads(ask("--json", "--hosts", f"127.0.0.1,http://{proxy.ADMIN}", "status").stdout)
    assert [machine["connections"] for machine in said["machines"]] == [2, 2] and said["total"]["connections"] == 4
    assert {edge["name"]: (edge["connections"], edge["drained"]) for edge in said["edges"]} == {"web": (2, 0), "web6": (2, 2)}
    done = ask("--hosts", f"{proxy.ADMIN},127.0.0.1:1", "top", status=1)
    assert "127.0.0.1:1                  does not answer\n" in done.stdout and "all (1 of 2 answer)" in done.stdout
    assert "http://127.0.0.1:1: " in done.stderr
    for words in (("connections",), ("top", "limit=3")):
        assert "--hosts is an option of status and top" in ask("--hosts", "127.0.0.1", *words, status=2).stderr
    transfer(near, far, MIB)
