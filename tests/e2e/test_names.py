"""Targets that are names: what the name server says, and when it is asked again."""
import time

from lib import net
from lib.names import name_server
from lib.stream import MIB, transfer
from lib.suite import braid_only, limit, long

OTHER = "10.99.3.3"  # another address of the server


def start(env):
    env.server.ip("address", "add", f"{OTHER}/24", "dev", "eth0")
    return env.start([env.Edge("web", target="web.test:8080")])


def serves(env, address):
    """A new connection comes to this address of the server."""
    listener = env.listen(address=address)
    transfer(env.connect(), env.accept(listener), MIB)
    listener.close()


@braid_only
def test_addresses_are_good_for_their_ttl(env):
    with name_server(env, (net.SERVER[4], "web.test"), ttl=7) as names:
        begun = time.monotonic()
        start(env)
        serves(env, net.SERVER[4])
        names.set((OTHER, "web.test"))
        names.wait_for_question("web.test", 15)
        assert time.monotonic() - begun >= 7, "it was asked again too early"
        env.proxy.process.wait_for_line(f'target "web.test" is {OTHER}:8080 now')
        serves(env, OTHER)


@braid_only
def test_every_address_of_a_name_is_used(env):
    """Whichever of them is alive."""
    with name_server(env, (OTHER, "web.test"), (net.SERVER[4], "web.test"), (net.SERVER[6], "web.test")):
        start(env)
        serves(env, OTHER)
        serves(env, net.SERVER[4])
        listener = env.listen(6)
        transfer(env.connect(), env.accept(listener), MIB)


@braid_only
def test_a_name_that_does_not_exist_yet_is_asked_for_again_soon(env):
    with name_server(env) as names:
        start(env)
        env.proxy.process.wait_for_line('cannot resolve target "web.test": Domain name not found; its clients are refused; '
                                        "trying again in 2 s")
        names.set((net.SERVER[4], "web.test"))
        env.proxy.process.wait_for_line(f'target "web.test" is {net.SERVER[4]}:8080 now')
        serves(env, net.SERVER[4])


@braid_only
@limit(60)
def test_a_name_server_that_is_down_at_the_start(env):
    with name_server(env, (net.SERVER[4], "web.test"), start=False) as names:
        start(env)
        env.proxy.process.wait_for_line('cannot resolve target "web.test"', 20)
        names.start()
        env.proxy.process.wait_for_line(f'target "web.test" is {net.SERVER[4]}:8080 now', 30)
        serves(env, net.SERVER[4])


@long
@braid_only
@limit(120)
def test_a_name_server_that_goes_and_comes_back(env):
    """Meanwhile the addresses from before are kept."""
    with name_server(env, (net.SERVER[4], "web.test")) as names:
        start(env)
        serves(env, net.SERVER[4])
        names.stop()
        env.proxy.process.wait_for_line('cannot resolve target "web.test" again, keeping its address', 30)
        serves(env, net.SERVER[4])
        names.set((OTHER, "web.test"))
        names.start()
        env.proxy.process.wait_for_line(f'target "web.test" is {OTHER}:8080 now', 45)
        serves(env, OTHER)


@braid_only
@limit(60)
def test_another_name_server_is_asked_when_resolv_conf_names_it(env):
    with name_server(env, (net.SERVER[4], "web.test"), ttl=5) as names:
        names.resolv_conf.write_text(f"nameserver {OTHER}\n")
        start(env)
        env.proxy.process.wait_for_line('cannot resolve target "web.test"', 20)
        names.resolv_conf.write_text(f"nameserver {net.SERVER[4]}\n")
        env.proxy.process.wait_for_line(f'target "web.test" is {net.SERVER[4]}:8080 now', 30)
        serves(env, net.SERVER[4])
