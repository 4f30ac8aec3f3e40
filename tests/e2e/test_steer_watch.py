"""braid-steer's watcher: what others remove of the steering is put back, and connections go on."""
import os
import signal

from lib import net, steer
from lib.proxy import Transparent
from lib.stream import MIB, receive, transfer
from lib.suite import braid_only, cases
from lib.wait import until

BACKENDS = {"nft": ("nft",), "iptables": ("iptables",)}


def flush(env, backend):
    """What a firewall begins with when it is loaded anew."""
    if backend == "nft":
        env.topology.braid.run("nft", "flush", "ruleset")
    else:
        for program in ("iptables-restore", "ip6tables-restore"):
            env.topology.braid.run(program, "-w", stdin="*mangle\nCOMMIT\n")


def whole(env):
    return env.topology.braid.run(steer.SCRIPT, "status", "--state", env.steer_state, check=False).returncode == 0


def at_rest(env):
    """Nothing is on the way. A client's ACK that meets no rules would go to the server, which resets the connection."""
    def quiet():
        return not any(connection["send_queued"] or any(subflow["in_flight"] for subflow in connection["subflows"])
                       for connection in env.proxy.connections())
    until(quiet, "all is acknowledged")


def watcher(env):
    pid = steer.watcher(env.steer_state)
    assert pid, "there is no watcher"
    return pid


@braid_only
@cases(**BACKENDS)
def test_the_rules_come_back(env, backend):
    env.steer("up", "--backend", backend, "--source", "client", "--ports", "80-90", "--in", "path1", "--in", "path2",
              "--except", "192.0.2.0/24", "--except", "2001:db8::/32")
    wanted = steer.snapshot(env.topology.braid)
    for _ in range(2):
        flush(env, backend)
        until(lambda: whole(env), "the packet filter's rules are there again")
        for family, rule in (("-4", "8684"), ("-6", "8685"), ("-6", "8684"), ("-4", "8685")):
            env.topology.braid.ip(family, "rule", "del", "priority", rule)
        until(lambda: whole(env), "the routing rules are there again")
    steer.same(wanted, steer.snapshot(env.topology.braid))


@braid_only
def test_the_reverse_path_filter_is_put_off_again(env):
    """Of this nothing tells, so it takes until the watcher looks by itself."""
    env.steer("up")
    env.topology.braid.sysctl(net__ipv4__conf__all__rp_filter=1)
    assert not whole(env)
    until(lambda: whole(env), "the filter is off again")


@braid_only
@cases(nft=("nft", "proxy", 4), iptables=("iptables", "client", 6))
def test_open_connections_go_on_when_a_firewall_is_loaded_anew(env, backend, source, version):
    env.steer("up", "--backend", backend, "--source", source)
    env.start([Transparent("transit", source=source)])
    near, far = env.pair(version, to=net.SERVER[version])
    for _ in range(2):
        at_rest(env)
        flush(env, backend)
        until(lambda: whole(env), "the rules are there again")
        near.sendall(b"hello")
        assert receive(far, 5) == b"hello"
        transfer(far, near, MIB, end=False)
        env.pair(version, to=net.SERVER[version])
        until(lambda: len(env.proxy.connections()) > 1, "a new connection is Braid's, too")


@braid_only
def test_it_goes_with_the_steering(env):
    env.steer("up")
    first = watcher(env)
    env.steer("up", "--ports", "80-90")
    second = watcher(env)
    assert not steer.is_watcher(first) and "watcher" in env.steer("status").stdout
    env.steer("down")
    until(lambda: not steer.is_watcher(second), "the watcher has ended")
    env.steer("up", "--watch", "no")
    assert steer.watcher(env.steer_state) is None
    env.steer("up")
    third = watcher(env)
    os.killpg(third, signal.SIGKILL)
    until(lambda: "none     watcher" in env.steer("status").stdout, "status tells of its end")


@braid_only
def test_it_goes_when_the_state_file_does(env):
    env.steer("up")
    pid = watcher(env)
    env.steer_state.unlink()
    until(lambda: not steer.is_watcher(pid), "the watcher has ended")
