"""Which clients an edge serves: allow and deny, by a client's first address."""
from lib import mptcp, net
from lib.proxy import CONVERT_PORT, Converter
from lib.stream import MIB, transfer
from lib.suite import braid_only, cases

VERSIONS = {"ipv4": 4, "ipv6": 6}


def denied(env):
    return [edge["denied"] for edge in env.proxy.ctl("status")["edges"]]


def refused(env, version, **how):
    try:
        env.connect(version, **how)
    except ConnectionRefusedError:
        return True
    return False


@braid_only
@cases(**VERSIONS)
def test_whom_an_edge_denies_is_reset_and_counted(env, version):
    near = [net.client_address(path, version) for path in net.PATHS]
    env.start([env.Edge("web", version, deny=near[0])])
    listener = env.listen(version)
    assert refused(env, version, source=near[0])
    assert refused(env, version, source=near[0], multipath=False)
    assert denied(env) == [2]
    client = env.connect(version, source=near[1])
    assert mptcp.is_mptcp(client), "who is denied must not be told by falling back"
    transfer(client, env.accept(listener), MIB)
    listener.setblocking(False)
    try:
        raise AssertionError(f"the server was asked for a client that is denied: {listener.accept()}")
    except BlockingIOError:
        pass


@braid_only
def test_only_whom_an_edge_allows_is_served(env):
    env.start([env.Edge("web", 4, allow=f"{net.client_address(2)}/32"), env.Edge("web6", 6, allow=f"{net.client_address(2, 6)}/128")])
    for version in (4, 6):
        listener = env.listen(version)
        assert refused(env, version, source=net.client_address(1, version))
        transfer(env.connect(version, source=net.client_address(2, version)), env.accept(listener), MIB)
    assert denied(env) == [1, 1]


@braid_only
def test_a_reload_changes_who_is_served_and_ends_nothing(env):
    env.start([env.Edge("web")])
    listener = env.listen()
    client = env.connect(source=net.client_address(1))
    server = env.accept(listener)
    text = env.proxy.config.read_text()
    env.proxy.config.write_text(text.replace("[edge web]\n", f"[edge web]\ndeny = {net.client_address(1)}\n"))
    env.proxy.ctl("reload")
    assert refused(env, 4, source=net.client_address(1))
    transfer(client, server, MIB)


@braid_only
def test_a_converter_resets_whom_it_denies(env):
    env.start([Converter("conv", deny=net.client_address(1))])
    near = env.open(4, multipath=False, source=net.client_address(1))
    try:
        near.connect((net.SERVICE[4], CONVERT_PORT))
        raise AssertionError("the client was not refused")
    except ConnectionRefusedError:
        pass
    assert denied(env) == [1]
