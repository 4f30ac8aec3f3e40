"""Events of the application interface (REQ14 of RFC 6897): a descriptor that tells a program what happens to its connection."""
import contextlib
import errno
import itertools
import json
import socket
import struct
import time

from lib import net
from lib.env import GREETING, Edge
from lib.program import Program
from lib.proc import Process, run
from lib.proxy import BRAIDCTL, PORT
from lib.stream import receive
from lib.suite import braid_only, cases
from lib.wait import until
from test_app import VERSIONS, ask, channel, connect, greet, local_addresses, program, refused, start, uplink_addresses, wan_of


class Watch:
    """The events of the program's socket, as they come."""

    def __init__(self, child, sock="s", name="e"):
        self.child, self.name, self.seen = child, name, []
        child(f"kept('{name}', watched({sock}))")

    def look(self):
        if not self.seen or self.seen[-1]["kind"] != "end":
            self.seen += self.child(f"news({self.name})")
        return self.seen

    def wait(self, what, **members):
        """The next event of this kind with these members; it and all before are forgotten."""
        def found():
            for i, event in enumerate(self.look()):
                if event["kind"] == what and all(event[key] == value for key, value in members.items()):
                    return i + 1
            return 0
        n = until(found, f"{what} {members}")
        event = self.seen[n - 1]
        del self.seen[:n]
        return event

    def kinds(self):
        return [event["kind"] for event in self.look()]


def trouble(child, expression):
    """The errno that it fails with; None: it does not."""
    try:
        child(expression)
    except OSError as error:
        return error.errno
    return None


@braid_only
@cases(**VERSIONS)
def test_a_program_is_told_how_its_connection_is_and_what_becomes_of_it(env, version):
    router = start(env)
    with program(env, router) as child:
        zero, one, two = uplink_addresses(env, 0, 1, 2, version=version)
        far = connect(env, child, version, before=[f"add(s, '{zero}')"])
        greet(child, far)
        watch = Watch(child)
        server = [env.home.where(env.home.multi)[version], PORT]
        first = watch.wait("established")
        assert first["flags"] == ["mptcp", "present"] and first["remote"] == server and first["local"][0] == zero
        up = watch.wait("subflow-up")
        assert up["flags"] == ["present"] and up["subflow"] == 0 and up["local"][0] == zero
        assert not child("readable(e)")
        child(f"add(s, '{one}')")
        assert child("readable(e, 10)")
        up = watch.wait("subflow-up")
        assert up["flags"] == [] and up["local"][0] == one and up["remote"] == server
        child(f"of_subflow(s, SPARE, {up['subflow']})")
        assert watch.wait("priority")["flags"] == ["backup"]
        child(f"of_subflow(s, USE, {up['subflow']})")
        assert watch.wait("priority", subflow=up["subflow"])["flags"] == []
        child(f"join(s, '{two}')")
        until(lambda: "subflow-up" in watch.kinds(), "the third subflow")
        child(f"of_subflow(s, CLOSE, {up['subflow']})")
        down = watch.wait("subflow-down")
        assert down["subflow"] == up["subflow"] and down["error"] == errno.ECONNABORTED and down["local"][0] == one
        child(f"remove(s, '{zero}')")
        assert watch.wait("subflow-down")["local"][0] == zero
        child("s.close()")
        far.close()
        assert watch.wait("closed")["error"] == 0
        assert watch.wait("end")


@braid_only
def test_the_peers_addresses_and_priorities_are_told(env):
    router = start(env)
    more = "198.18.3.7"
    env.home.multi.ip("address", "add", f"{more}/24", "dev", "eth0")
    env.home.multi.ip("mptcp", "limits", "set", "subflows", "4", "add_addr_accepted", "4")
    env.home.multi.ip("mptcp", "endpoint", "add", more, "dev", "eth0", "signal", "id", "5")
    with program(env, router) as child:
        far = connect(env, child)
        greet(child, far)
        watch = Watch(child)
        event = watch.wait("announced")
        assert event["remote"][0] == more and event["address_id"] == 5
        env.home.multi.ip("mptcp", "endpoint", "delete", "id", "5")
        event = watch.wait("withdrawn")
        assert event["remote"][0] == more and event["address_id"] == 5


@braid_only
def test_an_uplink_that_goes_and_comes_is_told(env):
    router = start(env)
    with program(env, router) as child:
        far = connect(env, child)
        greet(child, far)
        watch = Watch(child)
        one, = uplink_addresses(env, 1)
        until(lambda: watch.kinds().count("subflow-up") == 3, "a subflow over each uplink")
        env.home.uplinks[1].switch_off()
        down = watch.wait("subflow-down")
        assert down["local"][0] == one  # which the uplink has no more
        env.home.uplinks[1].switch_on()
        assert watch.wait("subflow-up")["local"][0] == one
        greet(child, far)


@braid_only
def test_plain_tcp_has_events_as_well(env):
    router = start(env)
    with program(env, router) as child:
        far = connect(env, child, before=["enable(s, 0)"])
        greet(child, far)
        watch = Watch(child)
        assert watch.wait("established")["flags"] == ["present"]
        far.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        far.close()
        assert watch.wait("subflow-down")["error"] == errno.ECONNRESET
        assert watch.wait("closed")["error"] == errno.ECONNRESET and watch.wait("end")


@braid_only
def test_a_server_is_told_of_its_clients_subflows(env):
    env.topology.endpoint(2)
    env.start([Edge("web", 4, target="127.0.0.1:9000")])
    with Program(env.topology.braid, env.proxy) as child:
        child("kept('l', socket.create_server(('127.0.0.1', 9000)))")
        near = env.connect()
        child("kept('s', l.accept()[0])")
        watch = Watch(child)
        near.sendall(GREETING)
        child(f"s.sendall(received(s, {len(GREETING)}).encode())")
        assert receive(near, len(GREETING)) == GREETING
        assert "mptcp" in watch.wait("established")["flags"]
        up = watch.wait("subflow-up", subflow=1)
        assert up["remote"][0] == net.client_address(2) and "by_peer" in up["flags"]
        near.close()
        child("s.close()")
        assert watch.wait("closed")["error"] == 0 and watch.wait("end")


@braid_only
def test_falling_back_is_told(env):
    env.start([Edge("web", 4, target="127.0.0.1:9000")])
    with Program(env.topology.braid, env.proxy) as child:
        child("kept('l', socket.create_server(('127.0.0.1', 9000)))")
        near = env.connect()
        child("kept('s', l.accept()[0])")
        near.sendall(GREETING)
        assert child(f"received(s, {len(GREETING)})") == GREETING.decode()
        watch = Watch(child)
        assert "mptcp" in watch.wait("established")["flags"]
        for direction in ("to braid", "to client"):
            env.topology.strip_mptcp(direction)
        child("s.sendall(bytes(100000))")
        assert receive(near, 100000) == bytes(100000)
        watch.wait("fallback")
        assert child("enable(s)") == 0
        again = Watch(child, name="f")
        assert "present" in again.wait("fallback")["flags"]


@braid_only
def test_who_does_not_read_loses_events_and_is_told_how_many(env):
    router = start(env)
    times = 1500
    with program(env, router) as child:
        far = connect(env, child)
        greet(child, far)
        watch = Watch(child)
        until(lambda: watch.kinds().count("subflow-up") == 3, "a subflow over each uplink")
        watch.seen.clear()
        child(f"[of_subflow(s, (SPARE, USE)[i % 2], 1) for i in range({times})]")
        child("s.close()")
        far.close()
        until(lambda: not router.connections(), "the connection has ended")
        until(lambda: watch.kinds()[-1:] == ["end"], "all that is left was read")
        events = watch.seen
        lost = sum(event.get("lost", 0) for event in events)
        told = watch.kinds()
        assert lost > 0 and told[-2] == "closed", told[-5:]
        # nothing but priorities, the ends of three subflows and of the connection
        assert lost + len(told) - told.count("lost") - told.count("end") == times + 4
        assert told.count("priority") > 64
    router.healthy()


@contextlib.contextmanager
def following(router, *words):
    """braidctl with these words."""
    process = Process([BRAIDCTL, "-s", router.control, *words], "braidctl")
    try:
        yield process
    finally:
        process.kill()


@braid_only
def test_the_operator_sees_the_events_of_all_connections_and_of_one(env):
    router, ports = start(env), itertools.count(PORT + 1)
    with following(router, "--json", "events") as every, program(env, router) as child:
        def is_told():
            connect(env, child, port=next(ports)).close()
            child("s.close()")
            return every.lines
        until(is_told, "it is told of events")
        until(lambda: not router.connections(), "these connections have ended")
        zero, one = uplink_addresses(env, 0, 1)
        far = connect(env, child, before=[f"add(s, '{zero}')"])
        greet(child, far)
        wan = wan_of(router)
        with following(router, "events", wan["id"]) as single:
            single.wait_for_line("subflow-up")
            child(f"add(s, '{one}')")
            until(lambda: local_addresses(child) == [zero, one], "the second subflow")
            child("s.close()")
            far.close()
            assert single.wait(10) == 0  # with the connection
        words = [line.split()[2] for line in single.lines]
        assert words == ["established", "subflow-up", "subflow-up", "subflow-down", "subflow-down", "closed"], single.lines
        assert [line.endswith("so far") for line in single.lines] == [True, True, False, False, False, False]

        def told():
            return [event for event in map(json.loads, every.lines) if event["connection"] == wan["id"]]
        until(lambda: told()[-1]["event"] == "closed", "who follows all is told as well")
        events = told()
        assert [event["event"] for event in events] == words and not any(event["present"] for event in events)
        assert events[0]["mptcp"] and [event["subflow"] for event in events if event["event"] == "subflow-up"] == [0, 1]
        assert all(abs(event["time_us"] / 1e6 - time.time()) < 60 for event in events)
        missing = run([BRAIDCTL, "-s", router.control, "events", "99999"], check=False)
        assert missing.returncode == 1 and "no connection has this id" in missing.stderr
        router.stop()
        env.daemons.remove(router)
        assert every.wait(10) == 1


@braid_only
def test_a_daemon_that_ends_ends_the_events(env):
    router = start(env)
    with program(env, router) as child:
        far = connect(env, child)
        greet(child, far)
        watch = Watch(child)
        watch.wait("established")
        router.process.kill()
        env.daemons.remove(router)
        until(lambda: watch.kinds() and watch.kinds()[-1] == "end", "the descriptor is at its end")
        assert "closed" not in watch.kinds()
        assert refused(child, "watched(s)") == errno.ENOPROTOOPT


@braid_only
def test_the_descriptor_is_like_others(env):
    """Closed on exec, for poll, and closing it is all that it takes; a copy in a child hears the same events, each once."""
    router = start(env)
    with program(env, router) as child:
        far = connect(env, child)
        greet(child, far)
        child("kept('e', watched(s))")
        assert child("os.get_inheritable(e)") is False
        assert child("readable(e, 10)")
        assert child("in_a_child('news(e, 1)')")[0]["kind"] == "established"
        assert child("readable(e, 10)") and child("news(e, 1)")[0]["kind"] == "subflow-up"
        for _ in range(300):  # more than a user may have at a time
            child("kept('more', watched(s))")
            child("os.close(more)")
        until(lambda: trouble(child, "kept('again', watched(s))") is None, "there is room again")
        assert child("enable(s)") == 1


@braid_only
def test_events_leave_the_last_descriptors_to_others(env):
    env.start([Edge("web", 4, target="127.0.0.1:9000")], descriptors=256)  # the last 64 are not for sockets to servers
    with Program(env.topology.braid, env.proxy) as child:
        child("kept('l', socket.create_server(('127.0.0.1', 9000), backlog=1000)), kept('s', None)")
        first = env.connect()
        child("kept('s', l.accept()[0])")
        assert trouble(child, "kept('e', watched(s))") is None
        first.sendall(GREETING)  # it is there
        assert child(f"received(s, {len(GREETING)})") == GREETING.decode()

        def is_short():
            for _ in range(64):  # more than there is room for, in the place of those that have been refused
                sock = env.open()
                sock.setblocking(False)
                with contextlib.suppress(BlockingIOError):
                    sock.connect((net.SERVICE[4], PORT))
            return trouble(child, "os.close(watched(s))") == errno.EMFILE
        until(is_short, "there is no descriptor for one more server, or for events")
        assert child("enable(s)") == 1 and not child("os.close(e)")


@braid_only
def test_events_are_for_who_has_the_connection_and_in_bounds(env):
    router = start(env)
    watch = b"Br" + struct.pack(">BBI", 1, 5, 7)
    with program(env, router) as child:
        connect(env, child)
        assert ask(router, watch) == errno.EBADF
        fresh = env.keep(env.home.cpe.socket(4))
        assert ask(router, watch, fresh) == errno.ENOTCONN
        child("kept('u', opened())")
        assert refused(child, "watched(u)") == errno.ENOTCONN
        most = 0
        while trouble(child, f"kept('e{most}', watched(s))") is None:
            most += 1
            assert most <= 256, "one user has a quarter of the places"
        assert refused(child, "watched(s)") == errno.EMFILE
        assert child("enable(s)") == 1  # questions have places of their own
        with channel(router) as sock:  # an event is nothing that a program says
            sock.sendall(b"Br" + struct.pack(">BBI", 1, 6, 7))
            assert sock.recv(10) == b""
        child("os.close(e0)")
        until(lambda: trouble(child, "kept('e0', watched(s))") is None, "a place is free again")
    router.healthy()
