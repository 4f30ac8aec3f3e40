"""A router that answers its devices at once (answer = early), and a converter that passes on what SYNs bring (early = yes):
request and answer in one round trip, and no request twice."""
import errno
import socket
import struct
import threading
import time

from lib import home, net
from lib.env import PORT
from lib.proxy import Cpe, Section
from lib.refuser import checksum
from lib.stream import MIB, read_error, receive, transfer
from lib.suite import alone, braid_only, cases
from lib.wait import FACTOR, until

CONVERT = 5124
ETH_P_ALL = 3
RTT = 60  # ms, of every uplink
WAYS = {f"{intercept}_v{version}": (intercept, version) for intercept in ("tun", "tproxy") for version in (4, 6)}
SYNACKS = "tcp sport 5124 tcp flags & (syn | ack) == syn | ack"
SYNS = "tcp dport 5124 tcp flags & (syn | ack) == syn"


class Server(threading.Thread):
    """Answers each line with the same one, once for a connection, and counts how often it has had which."""

    def __init__(self, env, version, wait=0.0):
        super().__init__(daemon=True)
        self.listener = env.listen(version, PORT, address=home.PLAIN[version], at=env.home.plain)
        self.listener.settimeout(None)
        self.counts, self.wait = {}, wait
        self.start()

    def run(self):
        while True:
            try:
                connection = self.listener.accept()[0]
            except OSError:
                return
            threading.Thread(target=self.answer, args=(connection,), daemon=True).start()

    def answer(self, connection):
        with connection:
            try:
                line = connection.makefile("rb").readline()
                self.counts[line] = self.counts.get(line, 0) + 1
                time.sleep(self.wait)  # it is slow
                connection.sendall(line)
                connection.recv(1)  # the client ends it
            except OSError:
                pass


def start(env, intercept="tun", version=4, rtt=RTT, early="yes", **keys):
    """Router and converter, and one connection that makes the way known."""
    if rtt:
        env.build_home(*({"rtt": rtt} for _ in range(2)))
    listen = net.join(home.service(1, version), CONVERT)
    edge = env.daemon(env.home.edge, [Section("edge conv", mode="convert", open="yes", listen=listen, early=early)])
    uplinks = [uplink.device for uplink in env.home.uplinks]
    router = env.daemon(env.home.cpe, [Cpe(uplinks=uplinks, mode="convert", peer=listen, answer="early", intercept=intercept, **keys)],
                        workers=1)  # each learns for itself which ways work
    env.steer("up", "--lan", "lan", *(("--tproxy", "8684") if intercept == "tproxy" else ()), at=env.home.cpe)
    return router, edge


def request(env, version, text):
    """What comes back, None if it is a reset, and the seconds that it took."""
    near = env.open(version, multipath=False, at=env.home.device)
    near.settimeout(20 * FACTOR)
    near.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # by a RST: nothing of it is left anywhere
    begun = time.monotonic()
    try:
        near.connect((home.PLAIN[version], PORT))
        near.sendall(text)
        got = receive(near, len(text))
    except (ConnectionError, AssertionError):
        got = None
    finally:
        near.close()
    return got, time.monotonic() - begun


def counts(daemon, kind):
    return daemon.ctl("status")[kind][0]


def lose(uplink, what, count=None):
    """The modem loses these packets, all of them or the first ones."""
    some = f"limit rate 1/hour burst {count} packets " if count else ""
    uplink.modem.run("nft", "-f", "-", stdin="table inet lossy {\nchain way {\ntype filter hook forward priority -10; policy accept;\n"
                     f"{what} {some}drop\n}}\n}}\n")


def find(uplink):
    uplink.modem.run("nft", "delete", "table", "inet", "lossy")


@alone
@braid_only
@cases(**WAYS)
def test_request_and_answer_take_one_round_trip(env, intercept, version):
    router, edge = start(env, intercept, version)
    server = Server(env, version)
    took = [request(env, version, b"request %d\n" % i) for i in range(6)]
    assert [got for got, _ in took] == [b"request %d\n" % i for i in range(6)], took
    best = min(seconds for _, seconds in took[1:])
    assert RTT / 1e3 <= best < 1.5 * RTT / 1e3 and took[0][1] > 1.8 * RTT / 1e3, took
    assert counts(router, "cpes")["first_bytes"] == 5 and counts(edge, "edges")["early"] == 5
    assert counts(router, "cpes")["without_mptcp"] == 0 and set(server.counts.values()) == {1}


@braid_only
@cases(**WAYS)
def test_what_follows_the_first_bytes_is_carried(env, intercept, version):
    """More than a SYN takes at once, in both directions, over all uplinks, and the ends of both."""
    router, _ = start(env, intercept, version, rtt=None)
    for _ in range(2):
        listener = env.listen(version, PORT, address=home.PLAIN[version], at=env.home.plain)
        near = env.connect(version, PORT, home.PLAIN[version], multipath=False, at=env.home.device)
        near.sendall(b"x" * 5000)
        far = env.accept(listener)
        listener.close()
        assert receive(far, 5000) == b"x" * 5000
        transfer(near, far, 4 * MIB, end=False)
        transfer(far, near, 4 * MIB)
        near.close()
        far.close()
    assert counts(router, "cpes")["first_bytes"] == 1
    until(lambda: counts(router, "cpes")["closed"] == 2, "both have ended in order")


@braid_only
@cases(**WAYS)
def test_what_the_server_does_is_heard_at_once(env, intercept, version):
    """A refusal is a RST; and a server that speaks first is not waited for the second time."""
    start(env, intercept, version, first_bytes=200)
    server = Server(env, version)
    assert request(env, version, b"known\n")[0] == b"known\n"
    server.listener.shutdown(socket.SHUT_RDWR)
    server.listener.close()
    got, seconds = request(env, version, b"refused\n")
    assert got is None and seconds < 2 * RTT / 1e3 * FACTOR
    for turn in range(2):
        listener = env.listen(version, PORT + 1, address=home.PLAIN[version], at=env.home.plain)
        begun = time.monotonic()
        near = env.connect(version, PORT + 1, home.PLAIN[version], multipath=False, at=env.home.device)
        far = env.accept(listener)
        seconds = time.monotonic() - begun
        assert (seconds > 0.2) == (turn == 0), seconds
        far.sendall(b"220 good morning\r\n")
        assert receive(near, 18) == b"220 good morning\r\n"
        far.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        far.close()
        assert read_error(near) == errno.ECONNRESET
        listener.close()


@braid_only
@cases(syn=(SYNS, 1, True), synack=(SYNACKS, 1, True), all_synacks=(SYNACKS, None, False), all_syns=(SYNS, None, False))
def test_no_request_arrives_twice(env, what, count, answered):
    """The first SYN or SYN/ACK of each uplink is lost, or all are. The server is slow besides."""
    router, _ = start(env)
    server = Server(env, 4, wait=0.3)
    assert request(env, 4, b"known\n")[0] == b"known\n"
    for uplink in env.home.uplinks:
        lose(uplink, what, count)
    got, seconds = request(env, 4, b"once\n")
    for uplink in env.home.uplinks:
        find(uplink)
    assert got == (b"once\n" if answered else None), (got, seconds)
    assert seconds < 8 * FACTOR
    assert server.counts.get(b"once\n", 0) == (0 if what is SYNS and not answered else 1)
    assert request(env, 4, b"again\n")[0] == b"again\n"  # over whatever uplink
    assert server.counts[b"again\n"] == 1 and counts(router, "cpes")["first_bytes"] == (2 if answered else 0)


def complete(frame):
    """The checksum of a TCP segment of IPv4 that the device was to complete."""
    ip, length = frame[14:], struct.unpack("!H", frame[16:18])[0]
    tcp = bytearray(ip[20:length])
    tcp[16:18] = b"\0\0"
    pseudo = ip[12:20] + struct.pack("!HH", 6, len(tcp)) + bytes(tcp) + b"\0" * (len(tcp) % 2)
    tcp[16:18] = struct.pack("!H", checksum(pseudo))
    return frame[:34] + bytes(tcp)


@braid_only
def test_a_copy_of_a_syn_that_comes_late_is_no_second_request(env):
    """The network delivers it when its connection is over."""
    router, edge = start(env, rtt=None)
    server = Server(env, 4)
    assert request(env, 4, b"known\n")[0] == b"known\n"
    with env.home.cpe.entered():
        wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
    with wire:
        wire.settimeout(5 * FACTOR)
        assert request(env, 4, b"once\n")[0] == b"once\n"
        syn, at = b"", ("",)
        while b"once\n" not in syn or not at[0].startswith("wan"):
            syn, at = wire.recvfrom(65536)
        until(lambda: not edge.connections() and not router.connections(), "it is over")
        incoming = counts(edge, "edges")["incoming"]
        wire.sendto(complete(syn), (at[0], ETH_P_ALL))
        until(lambda: counts(edge, "edges")["incoming"] == incoming + 1, "the converter has had it")
    assert request(env, 4, b"next\n")[0] == b"next\n"
    assert server.counts == {b"known\n": 1, b"once\n": 1, b"next\n": 1}


@braid_only
def test_without_the_converters_consent_nothing_comes_early(env):
    """It has the data with the SYN, and keeps it for the third ACK."""
    _, edge = start(env, early="no")
    server = Server(env, 4)
    took = [request(env, 4, b"request %d\n" % i) for i in range(3)]
    assert all(got for got, _ in took) and min(seconds for _, seconds in took) > 1.8 * RTT / 1e3, took
    assert counts(edge, "edges")["early"] == 0 and set(server.counts.values()) == {1}
