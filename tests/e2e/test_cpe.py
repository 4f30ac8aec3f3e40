"""A device of the LAN that knows nothing of MPTCP, and the router that carries its connections over several uplinks."""
import contextlib
import errno
import json
import select
import selectors
import socket
import struct
import threading
import time

from lib import home, mptcp, net
from lib.env import PORT
from lib.proxy import Cpe, Section
from lib.stream import MIB, Receiver, Sender, noise, read_error, receive, transfer
from lib.suite import alone, braid_only, cases, long
from lib.wait import FACTOR, until

FAMILIES = {"v4": 4, "v6": 6}
CONVERT = 5124
PIECE = 8192


def start(env, workers=0, limits=None, tun=None, **keys):
    """The router's daemon, with as many uplinks as the home has."""
    uplinks = [uplink.device for uplink in env.home.uplinks]
    router = env.daemon(env.home.cpe, [Cpe(uplinks=uplinks, **keys)], workers=workers, limits=limits, tun=tun)
    env.steer("up", "--lan", "lan", at=env.home.cpe)
    return router


def shaped(env, mbit=50, uplinks=3):
    env.build_home(*({"mbit": mbit} for _ in range(uplinks)))


def counter(router, name):
    return router.ctl("status")["cpes"][0][name]


def wan(router):
    """The connection over the uplinks of the only one that is carried."""
    found = [c for c in router.connections() if c["side"] == "wan"]
    assert len(found) == 1, found
    return router.ctl("show", found[0]["id"])


def carried(router, direction):
    """Payload bytes by uplink; direction is "bytes_in" or "bytes_out"."""
    total = {}
    for subflow in wan(router)["subflows"]:
        total[subflow["path"]] = total.get(subflow["path"], 0) + subflow[direction]
    return total


def multi_pair(env, version=4):
    listener = env.listen(version, PORT, address=home.MULTI[version], multipath=True, at=env.home.multi)
    near = env.connect(version, PORT, home.MULTI[version], multipath=False, at=env.home.device)
    far = env.accept(listener)  # which stays open: without it the kernel takes no joins
    assert mptcp.is_mptcp(far)
    return near, far


@braid_only
@cases(**FAMILIES)
def test_a_server_with_mptcp_is_reached_over_all_uplinks(env, version):
    shaped(env)
    router = start(env, mode="transparent")
    near, far = multi_pair(env, version)
    transfer(near, far, 16 * MIB, end=False)
    until(lambda: len(mptcp.established(far)) == 3, f"a subflow over each uplink: {mptcp.subflows(far)}")
    up = carried(router, "bytes_out")
    assert set(up) == {"wan0", "wan1", "wan2"} and sum(b > MIB for b in up.values()) >= 2, up
    transfer(far, near, 16 * MIB, end=False)
    assert sum(b > MIB for b in carried(router, "bytes_in").values()) >= 2
    lan, = (c for c in router.connections() if c["side"] == "lan")
    assert not lan["mptcp"] and lan["client"].startswith(f"{home.DEVICE[4]}:" if version == 4 else f"[{home.DEVICE[6]}]:")
    assert lan["joined_with"] == wan(router)["id"] and lan["bytes_from_client"] == 16 * MIB
    near.close()
    far.close()
    until(lambda: counter(router, "closed") == 1, "the connection has ended in order")
    assert counter(router, "without_mptcp") == 0 and counter(router, "bytes_up") == 16 * MIB
    code, metrics = router.http("/metrics")
    assert code == 200 and 'braid_cpe_accepted_total{cpe="lan"} 1' in metrics


@braid_only
@cases(**FAMILIES)
def test_a_server_without_mptcp_is_reached_over_one_uplink(env, version):
    router = start(env)
    near, far = env.home_pair(version)
    transfer(near, far, 4 * MIB, end=False)
    transfer(far, near, 4 * MIB)
    assert counter(router, "without_mptcp") == 1


@braid_only
def test_plain_tcp_may_be_refused(env):
    router = start(env, plain="refuse")
    env.listen(4, PORT, address=home.PLAIN[4], at=env.home.plain)
    near = env.open(4, multipath=False, at=env.home.device)
    assert near.connect_ex((home.PLAIN[4], PORT)) == errno.ECONNREFUSED
    assert counter(router, "not_mptcp") == 1


@braid_only
@cases(**FAMILIES)
def test_who_refuses_refuses_and_who_is_not_there_is_unreachable(env, version):
    router = start(env)
    near = env.open(version, multipath=False, at=env.home.device)
    assert near.connect_ex((home.MULTI[version], PORT)) == errno.ECONNREFUSED
    nobody = home.world_net(3, version, 99)
    near = env.open(version, multipath=False, at=env.home.device)
    assert near.connect_ex((nobody, PORT)) == errno.EHOSTUNREACH
    assert (counter(router, "refused"), counter(router, "unreachable"), counter(router, "accepted")) == (1, 1, 0)


@long
@braid_only
@cases(down=("unplug", 4), silent=("go_silent", 4), down6=("switch_off", 6), silent6=("go_silent", 6))
def test_a_transfer_goes_on_when_an_uplink_fails(env, failure, version):
    """Either direction, the uplink that it began on."""
    shaped(env, 40, 2)
    router = start(env)
    near, far = multi_pair(env, version)
    for source, sink in ((near, far), (far, near)):
        sending, receiving = Sender(source, 24 * MIB, end=False), Receiver(sink, 24 * MIB, end=False)
        receiving.reach(4 * MIB)
        getattr(env.home.uplinks[0], failure)()
        sending.finish()
        receiving.finish()
        assert receiving.longest_gap < 5, receiving.longest_gap
        getattr(env.home.uplinks[0], {"unplug": "plug", "switch_off": "switch_on", "go_silent": "speak"}[failure])()
        until(lambda: len(mptcp.established(far)) == 2, "the uplink is used again", 30)
    assert counter(router, "wan_reset") == 0


@braid_only
def test_a_new_connection_does_not_wait_for_an_uplink_that_is_silent(env):
    router = start(env)
    env.home.uplinks[0].go_silent()
    near, far = multi_pair(env)
    transfer(near, far, MIB)
    assert counter(router, "accepted") == 1


@braid_only
def test_without_uplinks_connections_are_the_kernels(env):
    """They are passed back, and the kernel says what it has to say."""
    router = start(env)
    env.listen(4, PORT, address=home.MULTI[4], at=env.home.multi)
    for uplink in env.home.uplinks:
        uplink.unplug()

    def passed():
        near = env.open(4, multipath=False, at=env.home.device)
        near.settimeout(0.5)
        return near.connect_ex((home.MULTI[4], PORT)) and counter(router, "passed")
    until(passed, "a connection is left to the kernel")
    for uplink in env.home.uplinks:
        uplink.plug()
    until(lambda: not env.open(4, multipath=False, at=env.home.device).connect_ex((home.MULTI[4], PORT))
          and counter(router, "accepted"), "a connection is carried again", 20)


# ---- towards an edge ----

def explicit_edge(env, server=None):
    """An edge at the service addresses, each before the same server without MPTCP."""
    return env.daemon(env.home.edge, [
        Section(f"edge v{version}", listen=net.join(home.service(1, version), 443),
                target=net.join((server or home.PLAIN)[version], PORT)) for version in home.VERSIONS])


def converter(env, number=1, **keys):
    return Section(f"edge conv{number}", mode="convert", open="yes", listen=", ".join(
        net.join(home.service(number, version), CONVERT) for version in home.VERSIONS), **keys)


def converters(*numbers, version=4):
    """The key of a CPE that names them."""
    return ", ".join(net.join(home.service(number, version), CONVERT) for number in numbers or (1,))


@braid_only
@cases(**FAMILIES)
def test_everything_goes_to_an_explicit_edge(env, version):
    """Whatever the device meant: nobody has that address. Bytes both ways, over all uplinks."""
    shaped(env)
    edge = explicit_edge(env)
    router = start(env, mode="explicit", peer=net.join(home.service(1, version), 443))
    listener = env.listen(version, PORT, address=home.PLAIN[version], at=env.home.plain)
    near = env.connect(version, 80, home.world_net(3, version, 99), multipath=False, at=env.home.device)
    far = env.accept(listener)
    transfer(near, far, 16 * MIB, end=False)
    assert sum(b > MIB for b in carried(router, "bytes_out").values()) >= 2
    transfer(far, near, 16 * MIB)
    assert counter(router, "without_mptcp") == 0 and edge.connections() is not None


@braid_only
def test_the_name_of_a_peer_is_looked_up(env):
    explicit_edge(env)
    with env.names((home.service(1), "vps.test"), at=env.home.cpe):
        router = start(env, mode="explicit", peer="vps.test:443")
        listener = env.listen(4, PORT, address=home.PLAIN[4], at=env.home.plain)
        env.connect(4, 80, home.MULTI[4], multipath=False, at=env.home.device)
        env.accept(listener)
        assert counter(router, "accepted") == 1


@braid_only
@cases(v4=(4, 4), v6=(6, 6), v4_over_v6=(4, 6), v6_over_v4=(6, 4))
def test_a_converter_is_told_the_server(env, version, over):
    """A server without MPTCP, of either family, through a converter of either: bytes both ways, over all uplinks."""
    shaped(env)
    env.daemon(env.home.edge, [converter(env)])
    router = start(env, mode="convert", peer=converters(version=over))
    near, far = env.home_pair(version)
    assert far.getpeername()[0] == home.EDGE[version]
    transfer(near, far, 16 * MIB, end=False)
    assert sum(b > MIB for b in carried(router, "bytes_out").values()) >= 2
    transfer(far, near, 16 * MIB)
    assert counter(router, "accepted") == 1 and counter(router, "without_mptcp") == 0


@braid_only
def test_a_server_behind_a_converter_that_speaks_first_is_heard(env):
    env.daemon(env.home.edge, [converter(env)])
    start(env, mode="convert", peer=converters())
    near, far = env.home_pair(4)
    far.sendall(b"220 good morning\r\n")
    assert receive(near, 18) == b"220 good morning\r\n"
    near.shutdown(socket.SHUT_WR)
    assert far.recv(1) == b""
    far.sendall(b"bye")
    far.close()
    assert receive(near, 3) == b"bye" and near.recv(1) == b""


@braid_only
def test_what_servers_behind_a_converter_do_means_what_it_means(env):
    env.daemon(env.home.edge, [converter(env)])
    router = start(env, mode="convert", peer=converters())
    near = env.open(4, multipath=False, at=env.home.device)
    assert near.connect_ex((home.PLAIN[4], PORT)) == errno.ECONNREFUSED
    near = env.open(4, multipath=False, at=env.home.device)
    assert near.connect_ex((home.world_net(2, 4, 99), PORT)) == errno.EHOSTUNREACH
    assert (counter(router, "refused"), counter(router, "unreachable"), counter(router, "accepted")) == (1, 1, 0)
    near, far = env.home_pair(4)
    far.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    far.close()
    assert read_error(near) == errno.ECONNRESET


@braid_only
def test_the_next_converter_takes_over_within_a_second(env):
    """The first one's address is nobody's; its packets vanish."""
    env.daemon(env.home.edge, [converter(env, 2)])
    env.home.edge.run("nft", "-f", "-", stdin="table inet gone {\nchain pre {\ntype filter hook prerouting priority raw;\n"
                      f"ip daddr {home.service(1)} drop\n}}\n}}\n")
    router = start(env, mode="convert", peer=converters(1, 2))
    begun = time.monotonic()
    near, far = env.home_pair(4)
    took = time.monotonic() - begun
    assert took < 1.2 * FACTOR, took
    transfer(near, far, MIB)
    assert counter(router, "accepted") == 1


@braid_only
@cases(down="unplug", silent="go_silent")
def test_a_converted_transfer_goes_on_when_an_uplink_fails(env, failure):
    shaped(env, 40, 2)
    env.daemon(env.home.edge, [converter(env)])
    router = start(env, mode="convert", peer=converters())
    near, far = env.home_pair(4)
    for source, sink in ((near, far), (far, near)):
        sending, receiving = Sender(source, 24 * MIB, end=False), Receiver(sink, 24 * MIB, end=False)
        receiving.reach(4 * MIB)
        getattr(env.home.uplinks[0], failure)()
        sending.finish()
        receiving.finish()
        assert receiving.longest_gap < 5, receiving.longest_gap
        getattr(env.home.uplinks[0], {"unplug": "plug", "go_silent": "speak"}[failure])()
        until(lambda: len([s for s in wan(router)["subflows"] if s["state"] == "ESTABLISHED"]) == 2,
              "the uplink is used again", 30)


@braid_only
@cases(address=("address", {}), secret=("psk", {"psk": "correct-horse-battery"}))
def test_a_converter_that_wants_cookies(env, cookie, secret):
    """The device notices nothing, also when the converter has forgotten what it gave; a connection that is asked for over two
    uplinks shows each a cookie of its own."""
    env.build_home({}, {"rtt": 10})  # so that the first one is asked first
    edge = env.daemon(env.home.edge, [converter(env, cookie=cookie, **secret)])
    router = start(env, workers=1, mode="convert", peer=converters(), **({"cookie": cookie, **secret} if secret else {}))

    def go(refused):
        listener = env.listen(4, PORT, address=home.PLAIN[4], at=env.home.plain)
        near = env.connect(4, PORT, home.PLAIN[4], multipath=False, at=env.home.device)
        far = env.accept(listener)
        listener.close()
        transfer(near, far, MIB // 4, end=False)
        transfer(far, near, MIB // 4)
        turned_away = edge.ctl("status")["edges"][0]["unauthorized"]
        assert turned_away == (0 if secret else refused), turned_away
    until(lambda: all(uplink["ipv4"]["srtt_us"] for uplink in router.ctl("uplinks")["uplinks"]), "both uplinks were probed")
    for _ in range(2):
        go(1)
    env.home.uplinks[0].go_silent()
    for _ in range(2):
        go(2)
    env.home.uplinks[0].speak()
    env.home.uplinks[0].change_address()
    env.home.uplinks[1].unplug()
    until(lambda: [uplink["ipv4"]["state"] for uplink in router.ctl("uplinks")["uplinks"]] == ["up", "down"] and
          router.ctl("uplinks")["uplinks"][0]["ipv4"]["address"] == env.home.uplinks[0].address(), "one uplink is left")
    for _ in range(2):
        go(3)
    edge.stop()
    env.daemons.remove(edge)
    edge = env.daemon(env.home.edge, [converter(env, cookie=cookie, **secret)])
    for _ in range(2):  # what is shown is not known any more
        go(2)
    assert counter(router, "straight") == 0 and counter(router, "without_mptcp") == 0


def straight(router):
    return [entry["destination"] for entry in router.ctl("learned")["learned"] if entry["kind"] == "straight"]


@braid_only
@cases(v4_stripped=(4, "strip"), v6_stripped=(6, "strip"), v4_silent=(4, "drop"), v6_silent=(6, "drop"))
def test_a_server_with_mptcp_needs_no_converter(env, version, flaw):
    """The converter tells so with the first connection, and later ones go straight over all uplinks, until that does not work any
    more. The device notices nothing."""
    env.daemon(env.home.edge, [converter(env)])
    router = start(env, mode="convert", peer=converters(version=version))
    listener = env.listen(version, PORT, address=home.MULTI[version], multipath=True, at=env.home.multi)

    def connected():
        """To whom the server believes to be connected, and the ends."""
        begun = time.monotonic()
        near = env.connect(version, PORT, home.MULTI[version], multipath=False, at=env.home.device)
        took = time.monotonic() - begun
        far = env.accept(listener)
        transfer(near, far, MIB // 4, end=False)
        transfer(far, near, MIB // 4, end=False)
        return far.getpeername()[0], far, took
    peer, _, _ = connected()
    assert peer == home.EDGE[version]
    until(lambda: straight(router) == [net.join(home.MULTI[version], PORT)], "the converter has told it")
    for _ in range(2):
        peer, far, _ = connected()
        assert peer in [uplink.address(version) for uplink in env.home.uplinks]
        until(lambda: len(mptcp.established(far)) == 3, f"a subflow over each uplink: {mptcp.subflows(far)}")
    assert (counter(router, "bypassed"), counter(router, "without_mptcp"), counter(router, "straight")) == (2, 0, 0)
    for uplink in env.home.uplinks:
        rule = ("-j", "TCPOPTSTRIP", "--strip-options", "30") if flaw == "strip" else ("-j", "DROP")
        uplink.modem.iptables("-t", "mangle", "-A", "FORWARD", "-p", "tcp", "-d", home.MULTI[version], *rule, version=version)
    for limit in (1 if flaw == "drop" else 0, 0):
        peer, far, took = connected()
        assert peer == home.EDGE[version] and limit <= took < limit + 0.25 * FACTOR, took
        assert not straight(router)
    assert (counter(router, "bypassed"), counter(router, "without_mptcp"), counter(router, "straight")) == (2, 0, 0)


@braid_only
def test_an_operator_may_want_every_connection_through_the_converter(env):
    env.daemon(env.home.edge, [converter(env)])
    router = start(env, mode="convert", peer=converters(), bypass="no")
    listener = env.listen(4, PORT, address=home.MULTI[4], multipath=True, at=env.home.multi)
    for _ in range(3):
        near = env.connect(4, PORT, home.MULTI[4], multipath=False, at=env.home.device)
        far = env.accept(listener)
        transfer(near, far, MIB // 4)
        assert far.getpeername()[0] == home.EDGE[4] and not mptcp.is_mptcp(far)
    assert not straight(router)


@braid_only
def test_without_a_converter_connections_go_straight(env):
    """Its machine is there, and no converter on it: better no aggregate than no internet."""
    router = start(env, mode="convert", peer=net.join(home.EDGE[4], CONVERT))
    near, far = env.home_pair(4)
    transfer(near, far, MIB)
    assert (counter(router, "straight"), counter(router, "without_mptcp")) == (1, 1)


@braid_only
def test_a_server_that_is_slow_to_answer_is_bonded_too(env):
    """The converter answers when the server has, which may be late; if the uplink is lost meanwhile, another one is asked."""
    edge = env.daemon(env.home.edge, [converter(env)])
    router = start(env, mode="convert", peer=converters())
    listener = env.listen(4, PORT, address=home.PLAIN[4], at=env.home.plain)
    env.home.plain.run("nft", "-f", "-", stdin="table inet slow {\nchain input {\ntype filter hook input priority 0;\n"
                       f"tcp dport {PORT} drop\n}}\n}}\n")
    near = env.keep(env.home.device.socket())
    near.setblocking(False)
    near.connect_ex((home.PLAIN[4], PORT))
    until(lambda: edge.ctl("status")["edges"][0]["incoming"] >= 2, "the converter was asked, and whether it is there")
    env.home.uplinks[0].go_silent()
    until(lambda: edge.ctl("status")["edges"][0]["incoming"] >= 4, "another uplink was asked")
    env.home.plain.run("nft", "delete", "table", "inet", "slow")
    near.setblocking(True)
    near.sendall(b"!")
    far, waiting = listener, [listener]
    while far is listener:  # the converter may not know that the first uplink is lost, and connect for that, too
        far = select.select(waiting, [], [], 10 * FACTOR)[0][0]
        waiting += [env.accept(listener)] if far is listener else []
    assert receive(far, 1) == b"!"
    transfer(near, far, MIB, end=False)
    assert wan(router)["mptcp"] and counter(router, "without_mptcp") == 0


@braid_only
@alone
@cases(**FAMILIES)
def test_a_server_that_takes_600_ms_gets_one_connection(env, version):
    """By way of a converter: all uplinks are bonded, and none but the first has asked for the server. One that is silent costs the
    head start and no more, although the server takes longer than that."""
    env.build_home({}, {"rtt": 10})  # so that the first one is asked first
    server = env.home.plain
    address = env.home.put_away(server, 600)[version]
    env.daemon(env.home.edge, [converter(env)])
    router = start(env, workers=1, mode="convert", peer=converters(version=version))
    server.run("nft", "-f", "-", stdin="table inet count {\ncounter asked {}\nchain input {\ntype filter hook input priority 0;\n"
               f"tcp dport {PORT} tcp flags & (syn | ack) == syn counter name asked\n}}\n}}\n")

    def connected():
        """How long it takes a connection to open, and how many the server sees."""
        server.run("nft", "reset", "counter", "inet", "count", "asked")
        listener = env.listen(version, PORT, address=address, at=server)
        near = env.open(version, multipath=False, at=env.home.device)
        begun = time.monotonic()
        near.connect((address, PORT))
        took = time.monotonic() - begun
        far = env.accept(listener)
        near.sendall(b"ping")
        assert receive(far, 4) == b"ping"
        listener.close()
        told = json.loads(server.run("nft", "-j", "list", "counter", "inet", "count", "asked").stdout)
        return took, next(item["counter"]["packets"] for item in told["nftables"] if "counter" in item)
    until(lambda: all(uplink[f"ipv{version}"]["srtt_us"] for uplink in router.ctl("uplinks")["uplinks"]), "both were probed")
    connected()  # so that neighbours know each other's addresses
    took, connections = connected()
    assert 0.6 <= took < 0.6 + 0.2 * FACTOR and connections == 1, (took, connections)
    env.home.uplinks[0].go_silent()
    took, connections = connected()
    assert 0.85 <= took < 0.85 + 0.2 * FACTOR and connections == 1, (took, connections)
    assert counter(router, "without_mptcp") == 0


class Echo(threading.Thread):
    """Sends each connection's first PIECE bytes back, turned round; and what is reset before that is nobody's loss."""

    def __init__(self, listener):
        super().__init__(daemon=True)
        self.listener, self.answered, self.over = listener, 0, False
        self.start()

    def run(self):
        with selectors.DefaultSelector() as self.ready:
            self.ready.register(self.listener, selectors.EVENT_READ)
            while not self.over:
                for key, _ in self.ready.select(0.1):
                    if key.fileobj is self.listener:
                        self.ready.register(self.listener.accept()[0], selectors.EVENT_READ, bytearray())
                    elif not self.goes_on(key.fileobj, key.data):
                        self.ready.unregister(key.fileobj)
                        key.fileobj.close()

    def goes_on(self, sock, data):
        """Whether more is to come."""
        with contextlib.suppress(ConnectionError):
            more = sock.recv(PIECE)
            data += more
            if more and len(data) < PIECE:
                return True
            self.answered += len(data) == PIECE
            sock.sendall(data[::-1])
        return False


@braid_only
def test_a_thousand_connections_at_a_time(env):
    """Through a converter, by two workers at either end: all are open before the first one ends, and each gets its own bytes. A SYN
    that takes long is joined by one over another uplink, whose server sees a connection that is reset at once."""
    env.daemon(env.home.edge, [converter(env, pending=2000)], workers=2, limits={"unproven": 2000, "unproven_source": 1000})
    router = start(env, workers=2, mode="convert", peer=converters())
    echo = Echo(env.listen(4, PORT, address=home.PLAIN[4], at=env.home.plain))
    try:
        nears = []
        for _ in range(1000):
            near = env.open(4, multipath=False, at=env.home.device)
            near.setblocking(False)
            near.connect_ex((home.PLAIN[4], PORT))
            nears.append(near)
        until(lambda: counter(router, "open") == 1000, "all are open", 30)
        pieces = [noise()[number * PIECE:(number + 1) * PIECE] for number in range(len(nears))]
        for near, piece in zip(nears, pieces):
            near.settimeout(20 * FACTOR)
            near.sendall(piece)
        for near, piece in zip(nears, pieces):
            assert receive(near, PIECE) == piece[::-1]
    finally:
        echo.over = True
        echo.join()
    assert echo.answered == 1000 and counter(router, "accepted") == 1000
