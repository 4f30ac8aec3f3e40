"""What others do to the TUN and its routes: network managers, administrators, scripts. The daemon puts back what is its
own and says so once; where it cannot, it ends with an error."""
import os

from lib import net
from lib.env import PORT
from lib.proxy import Transparent
from lib.stream import MIB, receive, transfer
from lib.suite import braid_only, cases
from lib.wait import until

HELLO = b"hello again"


def echo(near, far):
    """Bytes pass both ways."""
    for one, other in ((near, far), (far, near)):
        one.sendall(HELLO)
        assert receive(other, len(HELLO)) == HELLO


def repaired(env, words):
    return env.proxy.process.wait_for_line(words)


@braid_only
@cases(deleted=(("link", "del", "braid0"), "made anew"), down=(("link", "set", "braid0", "down"), "brought up again"),
       route4=(("route", "del", net.SERVICE[4]), "put back"), route6=(("-6", "route", "del", net.SERVICE[6]), "put back"),
       flushed=(("route", "flush", "dev", "braid0"), "put back"))
def test_connections_go_on_and_new_ones_come_after_the_tun_was(env, command, words):
    """Over both families, in the middle of connections with two subflows."""
    env.topology.endpoint(2)
    env.start(workers=2)
    ends = [env.pair(4, subflows=2), env.pair(6)]
    env.topology.braid.ip(*command)
    repaired(env, words)
    for near, far in ends + [env.pair(4), env.pair(6)]:
        echo(near, far)
    transfer(*ends[0], 4 * MIB, end=False)
    said = [line for line in env.proxy.process.lines if "put back" in line]
    assert len(said) == 1, said


def receiving_cpus(env, queue):
    """Those that receive what a worker writes, as a number with a bit for each."""
    return int(env.topology.braid.run("cat", f"/sys/class/net/braid0/queues/rx-{queue}/rps_cpus").stdout.replace(",", ""), 16)


@braid_only
def test_the_kernel_receives_where_the_operator_says(env):
    """Also by a device that was made anew; and bytes pass."""
    env.start(workers=2, tun={"rps": "0"})
    ends = env.pair(4)
    assert [receiving_cpus(env, queue) for queue in range(2)] == [1, 1]
    env.topology.braid.ip("link", "del", "braid0")
    repaired(env, "made anew")
    assert [receiving_cpus(env, queue) for queue in range(2)] == [1, 1]
    echo(*ends)
    transfer(*ends, 4 * MIB, end=False)


def cpu_seconds(process):
    with open(f"/proc/{process.pid}/stat") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@braid_only
def test_a_tun_that_cannot_be_made_anew_ends_the_daemon(env):
    """Its name is another device's by the time that the daemon looks: after a first repair it waits for a second."""
    env.start()
    braid = env.topology.braid
    braid.ip("link", "del", "braid0")
    repaired(env, "made anew")
    braid.ip("link", "del", "braid0")
    braid.ip("link", "add", "braid0", "type", "veth", "peer", "name", "other")
    process, env.proxy = env.proxy.process, None
    try:
        assert process.wait(10) == 1
    finally:
        process.kill()
    assert any("braid0" in line and "ending" in line for line in process.lines), process.lines


@braid_only
def test_a_tun_that_is_deleted_again_and_again_is_made_anew_with_pauses(env):
    """Who fights with the daemon does not make it spin."""
    env.start()
    before = cpu_seconds(env.proxy.process)
    for _ in range(3):
        until(lambda: "braid0" in env.topology.braid.ip("-br", "link", "show", "up").stdout, "the TUN is back")
        env.topology.braid.ip("link", "del", "braid0")
    served_again(env)
    assert cpu_seconds(env.proxy.process) - before < 1
    assert sum("made anew" in line for line in env.proxy.process.lines) == 3


def served_again(env):
    """Waits until a client's connection comes about."""
    listener = env.listen()

    def attempt():
        near = env.open()
        near.settimeout(2)
        try:
            near.connect((net.SERVICE[4], PORT))
        except OSError:
            return None
        return near

    near = until(attempt, "a client is served again")
    echo(near, env.accept(listener))


@braid_only
def test_a_renamed_tun_is_brought_up_under_its_new_name(env):
    env.start()
    for command in (("down",), ("name", "renamed")):
        env.topology.braid.ip("link", "set", "braid0", *command)
    served_again(env)
    assert "renamed" in env.topology.braid.ip("-br", "link", "show", "up").stdout


@braid_only
def test_a_route_that_another_takes_is_said_and_taken_back_when_it_is_free(env):
    env.start()
    braid = env.topology.braid
    braid.ip("route", "replace", net.SERVICE[4], "dev", "server", "scope", "link")
    env.proxy.process.wait_for_line("has taken the place")
    braid.ip("route", "del", net.SERVICE[4], "dev", "server")
    repaired(env, "put back")
    echo(*env.pair(4))


@braid_only
def test_a_listen_address_that_becomes_the_machines_own_is_said(env):
    env.start()
    braid = env.topology.braid
    braid.ip("address", "add", f"{net.SERVICE[4]}/32", "dev", "lo")
    line = env.proxy.process.wait_for_line("has become an address of this machine")
    assert net.SERVICE[4] in line
    braid.ip("address", "del", f"{net.SERVICE[4]}/32", "dev", "lo")
    served_again(env)


@braid_only
@cases(v4=4, v6=6)
def test_the_route_of_what_is_steered_is_put_back(env, version):
    """By the daemon: braid-steer's watcher, which would do it as well, is not there."""
    env.steer("up", "--watch", "no")
    env.start([Transparent("transit")])
    env.topology.braid.ip(f"-{version}", "route", "flush", "table", "8684")
    repaired(env, "put back")
    # ip flushes until nothing is left, and so takes away again what was put back meanwhile
    until(lambda: "braid0" in env.topology.braid.ip(f"-{version}", "route", "show", "table", "8684").stdout, "the route is back")
    listener = env.listen(version)
    near = env.connect(version, to=net.SERVER[version])
    far = env.accept(listener)
    echo(near, far)
    until(lambda: env.proxy.connections(), "the connection goes through the daemon")
    env.close_sockets()
    env.steer("down")
