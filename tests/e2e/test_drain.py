"""An edge or a CPE that is drained: nobody new comes in, and whoever is there stays until he goes."""
import errno

from lib import mptcp, net, proxy
from lib.proc import Process, run
from lib.proxy import Converter, Edge
from lib.stream import MIB, Receiver, Sender, receive, transfer
from lib.suite import braid_only, cases, limit
from lib.wait import until
from test_cpe import counter as cpe_counter
from test_cpe import start as start_cpe
from test_reload import OTHER_PORT, answers, refused, reload
from test_transparent import braids, the_kernels
from test_transparent import start as start_transparent

PATIENCE = 60


def ctl(env, *command):
    """braidctl's own exit status and words."""
    return run([proxy.BRAIDCTL, "-s", env.proxy.control, *command], check=False, limit=PATIENCE)


def is_drained(env, name):
    return next(edge["drained"] for edge in env.proxy.ctl("status")["edges"] if edge["name"] == name)


def waiting(env, *command):
    """braidctl, at work beside the test."""
    return Process([proxy.BRAIDCTL, "-s", env.proxy.control, "drain", "web", "--wait", *command], "braidctl")


@braid_only
@limit(120)
@cases(one_worker=1, two_workers=2)
def test_nobody_new_comes_to_a_drained_edge_and_whoever_is_there_stays(env, workers):
    env.topology.endpoint(2)
    env.start(workers=workers)
    near, far = env.pair(subflows=2)
    plain, plain_far = env.pair(multipath=False)
    assert ctl(env, "drain", "web").stdout == "edge web: drained, 2 connections\n"
    for _ in range(8):  # each worker gets some of them
        assert refused(env, proxy.PORT)
    assert is_drained(env, "web") and not is_drained(env, "web6")
    assert env.proxy.ctl("drain") == {"edges": [{"name": "web", "drained": True, "connections": 2}], "cpes": []}
    code, metrics = env.proxy.http("/metrics")
    assert code == 200 and 'braid_edge_drained{edge="web"} 1\nbraid_edge_drained{edge="web6"} 0\n' in metrics
    near6, far6 = env.pair(version=6)
    for one, other in ((near, far), (far, near), (plain, plain_far), (near6, far6)):
        transfer(one, other, MIB, end=False)
    assert ctl(env, "undrain", "web").stdout == "edge web: takes connections, 2 connections\n"
    for _ in range(4):
        answers(env, proxy.PORT)
    assert not is_drained(env, "web") and ctl(env, "drain").stdout == "nothing is drained\n"
    transfer(near, far, MIB)


@braid_only
@limit(120)
def test_a_path_that_comes_later_is_joined_all_the_same(env):
    env.start()
    near, far = env.pair()
    transfer(near, far, MIB, end=False)
    env.proxy.ctl("drain", "web")
    env.topology.endpoint(2)
    until(lambda: len(mptcp.established(near)) == 2, "the new path has a subflow", PATIENCE)
    transfer(far, near, MIB)


@braid_only
@limit(180)
def test_who_waits_hears_when_the_last_one_has_gone(env):
    """How many are left meanwhile; or, if there is no more time, that there are some."""
    env.start(workers=2)
    pairs = [env.pair() for _ in range(2)]
    done = ctl(env, "drain", "web", "--wait", "0")
    assert done.returncode == 3 and done.stderr == "web: 2 connections left\n", done
    waits = waiting(env)
    waits.wait_for_line("web: 2 connections left", PATIENCE)
    for end in pairs.pop():
        end.close()
    waits.wait_for_line("web: 1 connection left", PATIENCE)
    env.proxy.upgrade()
    receiver, sender = Receiver(pairs[0][1], MIB), Sender(pairs[0][0], MIB)
    sender.finish()
    receiver.finish()
    assert waits.alive()
    for end in pairs.pop():
        end.close()
    assert waits.wait(PATIENCE) == 0, waits.lines
    assert waits.lines[-1].strip() == "web: 0 connections left", waits.lines
    assert ctl(env, "drain", "web", "--wait").returncode == 0


@braid_only
@limit(120)
def test_who_waits_hears_that_it_is_not_drained_any_more(env):
    env.start()
    env.pair()
    waits = waiting(env)
    waits.wait_for_line("web: 1 connection left", PATIENCE)
    env.proxy.ctl("undrain", "web")
    assert waits.wait(PATIENCE) == 1
    assert "web is not drained any more" in waits.lines[-1]


@braid_only
@limit(180)
def test_it_stays_drained_until_its_name_goes(env):
    """Through another configuration, other addresses and another process; not through the end of its section."""
    web, six = Edge("web"), Edge("six", 6)
    env.start([web, six], workers=2)
    near, far = env.pair()
    env.proxy.ctl("drain", "web")
    reload(env.proxy, [Edge("web", scheduler="roundrobin"), six], workers=2)
    assert refused(env, proxy.PORT) and is_drained(env, "web")
    reload(env.proxy, [Edge("web", port=OTHER_PORT), six], workers=2)
    assert refused(env, OTHER_PORT) and is_drained(env, "web")
    env.proxy.config.write_text(env.proxy.config.read_text().replace("workers = 2", "workers = 3"))
    env.proxy.upgrade()
    for _ in range(8):
        assert refused(env, OTHER_PORT)
    assert is_drained(env, "web")
    transfer(near, far, MIB, end=False)
    reload(env.proxy, [six], workers=3)
    reload(env.proxy, [web, six], workers=3)
    assert not is_drained(env, "web")
    answers(env, proxy.PORT)
    transfer(far, near, MIB)


@braid_only
@limit(120)
@cases(v4=4, v6=6)
def test_new_connections_pass_a_drained_transparent_edge(env, version):
    start_transparent(env)
    near, far = braids(env, version)
    env.proxy.ctl("drain", "transit")
    the_kernels(env, version, port=81, listener_multipath=True)
    transfer(near, far, MIB, end=False)
    transfer(far, near, MIB, end=False)
    env.proxy.ctl("undrain", "transit")
    braids(env, version, port=82)
    transfer(near, far, MIB)


@braid_only
@limit(120)
def test_a_drained_converter_is_a_closed_port(env):
    env.start([Converter("convert")])
    assert ctl(env, "drain", "convert").stdout == "edge convert: drained, 0 connections\n"
    near = env.open()
    assert near.connect_ex((net.SERVICE[4], proxy.CONVERT_PORT)) == errno.ECONNREFUSED
    env.proxy.ctl("undrain", "convert")
    near = env.open()
    near.connect((net.SERVICE[4], proxy.CONVERT_PORT))


@braid_only
@limit(120)
@cases(v4=4, v6=6)
def test_new_connections_pass_a_drained_cpe(env, version):
    router = start_cpe(env)
    near, far = env.home_pair(version)
    transfer(near, far, MIB, end=False)
    assert router.ctl("drain", "lan") == {"edges": [], "cpes": [{"name": "lan", "drained": True, "connections": 1}]}
    before = cpe_counter(router, "incoming")
    new, new_far = env.home_pair(version, port=81)
    new.sendall(b"ping")
    assert receive(new_far, 4) == b"ping"
    assert cpe_counter(router, "incoming") == before and cpe_counter(router, "drained")
    transfer(far, near, MIB)
    router.ctl("undrain", "lan")
    env.home_pair(version, port=82)
    assert cpe_counter(router, "incoming") == before + 1


@braid_only
def test_a_name_that_is_none_is_told_which_there_are(env):
    env.start()
    for command in ("drain", "undrain"):
        done = ctl(env, command, "wob")
        assert done.returncode == 1, done
        assert done.stderr == 'braidctl: there is no edge or CPE "wob"; it is one of: web, web6\n', done
    assert ctl(env, "undrain").returncode == 2
    assert ctl(env, "status", "--wait").returncode == 2
    assert ctl(env, "drain", "web", "--wait", "soon").returncode == 2
    assert not is_drained(env, "web")
