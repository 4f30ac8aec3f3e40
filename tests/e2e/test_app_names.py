"""Connecting by name (REQ5 of RFC 6897's appendix): all addresses of a name are candidates, and the first that answers is it."""
import contextlib
import errno
import pathlib
import shutil

from lib import carried, home, mptcp
from lib.env import GREETING
from lib.program import Program
from lib.proc import Process
from lib.proxy import BUILD, PORT, Cpe
from lib.stream import receive
from lib.suite import braid_only
from lib.wait import until

NAME = "server.test"


@contextlib.contextmanager
def called(namespace, *addresses):
    """What the programs of a namespace find for NAME."""
    folder = pathlib.Path("/etc/netns") / namespace.name
    folder.mkdir(parents=True)
    try:
        (folder / "nsswitch.conf").write_text("hosts: files\n")
        (folder / "hosts").write_text("".join(f"{address} {NAME}\n" for address in addresses))
        yield
    finally:
        shutil.rmtree(folder)


@contextlib.contextmanager
def program(env, *addresses, **how):
    with called(env.home.cpe, *addresses):
        router = env.daemon(env.home.cpe, [Cpe()])
        env.steer("up", "--local", at=env.home.cpe)
        with Program(env.home.cpe, router, **how) as child:
            yield child


def listen(env, version=4, server=None):
    server = server or env.home.multi
    return env.listen(version, address=env.home.where(server)[version], at=server, multipath=server is env.home.multi)


def greet(env, child, listener):
    """Data both ways over socket `s`; the server's end."""
    far = env.accept(listener)
    carried.greet(child, far)
    return far


@braid_only
def test_a_name_is_connected_by_mptcp_like_an_address(env):
    with program(env, home.MULTI[6], home.MULTI[4]) as child:
        listener = listen(env, 6)
        child(f"kept('s', named('{NAME}', {PORT}))")
        far = greet(env, child, listener)
        assert mptcp.is_mptcp(far) and child("enable(s)") == 1 and child("s.getblocking()")
        assert child("s.getpeername()")[:2] == [home.MULTI[6], PORT]
        until(lambda: len(child("subflows(s)")) == 3, "a subflow over each uplink")


@braid_only
def test_further_addresses_are_alternatives_and_nothing_else(env):
    """RFC 6897 section 6.4: of one name, but not therefore of one host. The first refuses, the second answers, the third is left."""
    with program(env, home.PLAIN[4], home.MULTI[4], home.EDGE[4]) as child:
        listener = listen(env)
        child(f"kept('s', named('{NAME}', {PORT}))")
        greet(env, child, listener)
        until(lambda: len(child("subflows(s)")) == 3, "a subflow over each uplink")
        assert {remote[0] for _, remote in child("subflows(s)")} == {home.MULTI[4]}


@braid_only
def test_a_silent_address_of_the_other_family_is_overtaken(env):
    with program(env, home.MULTI[6], home.MULTI[4]) as child:
        env.home.multi.run("nft", "-f", "-", stdin="table ip6 silent { chain in { type filter hook input priority 0; "
                                                  f"tcp dport {PORT} drop; }}; }}")
        listener = listen(env)
        child(f"kept('s', named('{NAME}', {PORT}))")
        greet(env, child, listener)
        assert child("s.getpeername()") == [home.MULTI[4], PORT] and child("enable(s)") == 1


@braid_only
def test_what_is_set_before_holds_for_every_candidate(env):
    with program(env, home.PLAIN[4], home.MULTI[4]) as child:
        one = env.home.uplinks[1].address()
        listener = listen(env)
        child(f"kept('s', named('{NAME}', {PORT}, lambda s: (enable(s, 0), add(s, '{one}'))))")
        far = greet(env, child, listener)
        assert not mptcp.is_mptcp(far) and far.getpeername()[0] == one


@braid_only
def test_braid_connect_is_that_on_the_command_line(env):
    with called(env.home.cpe, home.PLAIN[4], home.MULTI[4]):
        router = env.daemon(env.home.cpe, [Cpe()])
        env.steer("up", "--local", at=env.home.cpe)
        listener = listen(env)

        def connect(*options):
            return Process(env.home.cpe.command("env", f"BRAID_APP_SOCKET={router.directory / 'app.sock'}", BUILD / "braid-connect",
                                                "-v", *options, NAME, PORT), "braid-connect")

        for options, means in ((), "MPTCP"), (("-n", "-4"), "TCP"), (("-p", "interactive"), "MPTCP"):
            client = connect(*options)
            far = env.accept(listener)
            client.wait_for_line(f"connected to {home.MULTI[4]} port {PORT} by {means}")
            assert mptcp.is_mptcp(far) == (means == "MPTCP")
            far.sendall(GREETING + b"\n")
            far.close()
            client.wait_for_line(GREETING.decode())
            assert client.wait() == 0
        assert connect("-6").wait() == 1 and connect("-p", "none-such").wait() == 1 and connect("-t", "0").wait() == 2
        script = f"printf up | {BUILD / 'braid-connect'} {NAME} {PORT}"
        client = Process(env.home.cpe.command("sh", "-c", script), "sh")
        far = env.accept(listener)
        assert receive(far, 2) == b"up" and far.recv(1) == b""  # the end of the input is passed on ...
        far.sendall(b"down\n")  # ... and the other direction goes on
        client.wait_for_line("down")
        far.close()
        assert client.wait() == 0


@braid_only
def test_without_the_daemon_it_is_plain_tcp(env):
    with called(env.home.cpe, home.MULTI[6], home.PLAIN[4]), Program(env.home.cpe) as child:
        listener = listen(env, server=env.home.plain)
        child(f"kept('s', named('{NAME}', {PORT}))")
        greet(env, child, listener)
        try:
            child("named('nobody.test', 80)")
            raise AssertionError("a name that nobody has was found")
        except OSError as error:
            assert error.errno == errno.ENOENT, error
