"""Many connections, several workers, and packets that nobody should send."""
import os
import random
import socket
import struct

from lib import mptcp, net
from lib.stream import MIB, noise, receive, transfer
from lib.suite import braid_only, cases, limit, long, memory
from lib.wait import FACTOR, stays, until

PIECE = 8192


def open_many(env, count):
    """Pairs of ends, matched by a number that the client sends first."""
    listener = env.listen()
    near = []
    far = {}
    for number in range(count):
        sock = env.connect()
        sock.sendall(struct.pack(">I", number))
        near.append(sock)
        accepted = env.accept(listener)
        far[struct.unpack(">I", receive(accepted, 4))[0]] = accepted
    return [(sock, far[number]) for number, sock in enumerate(near)]


def exchange(pairs):
    """Every connection carries a piece of its own in both directions, all of them at once."""
    data = noise()
    pieces = [data[i * PIECE:(i + 1) * PIECE] for i in range(2 * len(pairs))]
    for (near, far), up, down in zip(pairs, pieces, reversed(pieces)):
        near.sendall(up)
        far.sendall(down)
    for (near, far), up, down in zip(pairs, pieces, reversed(pieces)):
        assert receive(far, PIECE) == up, "wrong bytes came up"
        assert receive(near, PIECE) == down, "wrong bytes came down"


def close_all(env, pairs):
    for near, far in pairs:
        near.close()
    for near, far in pairs:
        assert far.recv(1) == b""
        far.close()
    env.no_connections()


@limit(90)
@cases(one_path=1, two_paths=2)
def test_1000_connections_at_once(env, paths):
    if paths == 2:
        env.topology.endpoint(2)
    env.start()
    pairs = open_many(env, 1000)
    exchange(pairs)
    until(lambda: all(len(mptcp.established(near)) == paths for near, _ in pairs), f"all have {paths} subflows", 20)
    if env.has_braidctl:
        listed = env.proxy.connections()
        assert len(listed) == 1000, f"braidctl lists {len(listed)} connections"
        assert {len(connection["subflows"]) for connection in listed} == {paths}
        assert env.proxy.ctl("status")["total"]["connections"] == 1000
    exchange(pairs)
    close_all(env, pairs)


@braid_only
@cases(one=1, two=2, five=5)
def test_joins_find_the_worker_of_their_connection(env, workers):
    env.topology.endpoint(2)
    env.start(workers=workers)
    pairs = open_many(env, 60)
    until(lambda: all(len(mptcp.established(near)) == 2 for near, _ in pairs), "all are joined")
    exchange(pairs)
    listed = env.proxy.connections()
    assert {connection["worker"] for connection in listed} == set(range(workers))
    assert all(int(connection["token"], 16) % workers == connection["worker"] for connection in listed)
    if workers > 1:
        assert env.proxy.counters()["BraidJoinHandedOver"] >= 1
    close_all(env, pairs)


@braid_only
def test_bulk_with_joins_on_another_worker(env):
    """As many connections as it takes until one has a subflow that came in through another worker's queue."""
    env.topology.shape(400)
    env.topology.endpoint(2)
    env.start(workers=2)
    until(lambda: bulk_pair(env), "a join was handed over", 30)


def bulk_pair(env):
    before = env.proxy.counters()["BraidJoinHandedOver"]
    near, far = env.pair(subflows=2)
    handed_over = env.proxy.counters()["BraidJoinHandedOver"] > before
    if handed_over:
        transfer(far, near, 64 * MIB, end=False)
        transfer(near, far, 64 * MIB, end=False)
        assert min(env.proxy.carried("bytes_out").values()) > MIB
    near.close()
    far.close()
    env.no_connections()
    return handed_over


@cases(**{f"{scheduler}_{congestion}": (scheduler, congestion) for scheduler in ("minrtt", "roundrobin")
          for congestion in ("cubic", "lia")})
def test_every_scheduler_with_every_congestion_control(env, scheduler, congestion):
    env.topology.shape(200)
    env.topology.endpoint(2)
    env.start([env.Edge("web", scheduler=scheduler, congestion=congestion)])
    near, far = env.pair(subflows=2)
    transfer(far, near, 32 * MIB, end=False)
    if env.has_braidctl:
        connection = env.proxy.connection()
        assert connection["scheduler"] == scheduler
        assert {subflow["congestion"] for subflow in connection["subflows"]} == {congestion}
        assert min(env.proxy.carried("bytes_out").values()) > MIB
    transfer(near, far, 32 * MIB)


@long
@limit(180)
def test_connections_come_and_go(env):
    """5,000 short ones with a request and a reply: nothing is left of them, and memory does not creep."""
    env.topology.endpoint(2)
    env.start()
    listener = env.listen()

    def thousand():
        for number in range(1000):
            near = env.client.socket(4, mptcp.IPPROTO_MPTCP)
            near.settimeout(10 * FACTOR)
            near.connect((net.SERVICE[4], 8080))
            near.sendall(b"request %d" % number)
            far, _ = listener.accept()
            assert far.recv(100) == b"request %d" % number
            far.sendall(b"reply")
            far.close()
            assert receive(near, 5) == b"reply" and near.recv(1) == b""
            near.close()
        env.no_connections()
        return env.proxy.process.memory()

    first = thousand()
    for _ in range(4):
        last = thousand()
    assert last < first + 16 * MIB * FACTOR, f"memory grew from {first} to {last}"


@braid_only
@memory
@limit(90)
def test_memory_comes_back(env):
    """Servers that do not read leave much in Braid; when the clients have gone it is the system's again."""
    env.start()
    before = env.proxy.process.memory()
    pairs = open_many(env, 150)
    chunk = noise()[:64 * 1024]
    for near, _ in pairs:
        near.setblocking(False)
    until(lambda: sum(fill(near, chunk) for near, _ in pairs) == 0 and env.proxy.process.memory() > before + 24 * MIB,
          "Braid holds what nobody reads", 30)
    for near, far in pairs:
        near.close()
        far.close()
    env.no_connections()
    until(lambda: env.proxy.process.memory() < before + 12 * MIB, "the memory comes back", 30)


def fill(sock, chunk):
    """Bytes that the socket takes now."""
    taken = 0
    try:
        while True:
            taken += sock.send(chunk)
    except BlockingIOError:
        return taken


def checksum(data):
    total = sum(struct.unpack(f">{len(data) // 2}H", data[:len(data) & ~1])) + (data[-1] << 8 if len(data) & 1 else 0)
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def hostile_segment(rng):
    """A TCP segment to the service whose options are noise, or nearly right; its checksum is right more often than not."""
    options = rng.choice([rng.randbytes(rng.randrange(0, 41)),
                          bytes([30, rng.randrange(0, 41)]) + rng.randbytes(rng.randrange(0, 38)),
                          b"\x02\x04\x05\xb4" + bytes([30, 12, 0x10 | rng.randrange(16), 0]) + rng.randbytes(8)])
    options = options[:40] + b"\0" * (-len(options[:40]) % 4)
    offset = rng.choice([5 + len(options) // 4] * 6 + [rng.randrange(16)])
    flags = rng.choice([0x02, 0x02, 0x12, 0x10, 0x18, 0x04, 0x11, rng.randrange(256)])
    header = struct.pack(">HHIIBBHHH", rng.randrange(65536), 8080, rng.getrandbits(32), rng.getrandbits(32), offset << 4, flags,
                         rng.randrange(65536), 0, 0)
    segment = header + options + rng.randbytes(rng.choice([0, 0, 1, 100, 1400]))
    if rng.random() < 0.9:
        ends = socket.inet_aton(net.client_address(1)) + socket.inet_aton(net.SERVICE[4])
        sum_ = checksum(ends + struct.pack(">HH", 6, len(segment)) + segment)
        segment = segment[:16] + struct.pack(">H", sum_) + segment[18:]
    return segment[:rng.choice([len(segment)] * 9 + [rng.randrange(len(segment))])]


@braid_only
def test_hostile_packets_are_counted_and_harm_nothing(env):
    """20,000 of them beside a running connection. The log stays short."""
    seed = int.from_bytes(os.urandom(4))
    rng = random.Random(seed)
    env.start()
    near, far = env.pair()
    with env.client.entered():
        raw = env.keep(socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_TCP))
    before = env.proxy.counters()
    for _ in range(20000):
        raw.sendto(hostile_segment(rng), (net.SERVICE[4], 0))
    stays(lambda: env.proxy.counters()["TcpInErrs"], "the counter of malformed packets")
    after = env.proxy.counters()
    assert after["TcpInErrs"] > before["TcpInErrs"] and after["TcpInCsumErrors"] > before["TcpInCsumErrors"], f"seed {seed}"
    assert len(env.proxy.process.lines) < 100, f"seed {seed}: the log has {len(env.proxy.process.lines)} lines"
    env.proxy.healthy()
    transfer(far, near, MIB, end=False)
    transfer(near, far, MIB)


@braid_only
@cases(of_one_network=(1, 8), of_many_networks=(100, 32))
def test_forged_syns_do_not_become_the_servers_connections(env, networks, most):
    """Beyond a few of each network and of all, a client has to show first that it exists."""
    env.topology.braid.ip("route", "add", "blackhole", "10.98.0.0/16")
    env.start(workers=1)
    listener = env.listen()
    with env.client.entered():
        raw = env.keep(socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW))
    for number in range(200):
        raw.sendto(bare_syn(f"10.98.{number % networks}.{number}", net.SERVICE[4], number), (net.SERVICE[4], 0))
    until(lambda: env.proxy.counters()["TcpInSegs"] >= 200, "the SYNs are there")
    near = env.connect()
    near.sendall(b"I exist")
    ready = []
    until(lambda: ready.extend(accept_all(listener)) or [sock for sock in ready if peek(sock) == b"I exist"],
          "the client's request comes through")
    assert len(ready) <= most + 1, f"200 forged SYNs are {len(ready) - 1} connections of the server"
    assert len(ready) > most, "an idle edge asks the server first"
    for sock in ready:
        sock.close()


@braid_only
def test_syn_flood_leaves_room_for_others(env):
    """SYNs whose sources never answer must not use up what a real client needs."""
    env.topology.braid.ip("route", "add", "blackhole", "10.98.0.0/16")
    env.start()
    listener = env.listen()
    with env.client.entered():
        raw = env.keep(socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW))
    for number in range(3000):
        raw.sendto(bare_syn(f"10.98.{number >> 8}.{number & 255}", net.SERVICE[4], number), (net.SERVICE[4], 0))
    near = env.connect()
    near.sendall(b"still there?")
    ready = []
    until(lambda: ready.extend(accept_all(listener)) or b"still there?" in [peek(sock) for sock in ready],
          "the real client's request comes through")
    for sock in ready:
        sock.close()


@braid_only
def test_mptcp_with_two_paths_under_a_syn_flood(env):
    """Beyond `half_open` Braid keeps no state; the kernel's client gets MPTCP and its second subflow all the same."""
    env.topology.braid.ip("route", "add", "blackhole", "10.98.0.0/16")
    env.topology.endpoint(2)
    env.start(workers=2, limits={"half_open": 4})
    listener = env.listen()
    with env.client.entered():
        raw = env.keep(socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW))
    for number in range(3000):
        raw.sendto(bare_syn(f"10.98.{number >> 8}.{number & 255}", net.SERVICE[4], number), (net.SERVICE[4], 0))
    until(lambda: env.proxy.counters()["TcpExtSyncookiesSent"] > 2000, "most SYNs were answered without state")
    near = env.connect()
    near.sendall(b"still there?")
    ready = []
    until(lambda: ready.extend(accept_all(listener)) or [sock for sock in ready if peek(sock) == b"still there?"],
          "the client's request comes through")
    far = next(sock for sock in ready if peek(sock) == b"still there?")
    far.setblocking(True)
    assert receive(far, 12) == b"still there?"
    assert env.proxy.counters()["TcpExtSyncookiesRecv"] == 1, "the client was answered without state, too"
    far.sendall(b"yes")
    assert receive(near, 3) == b"yes" and mptcp.is_mptcp(near)
    until(lambda: len(mptcp.established(near)) == 2, "the client has two subflows")
    transfer(far, near, MIB, end=False)
    transfer(near, far, MIB)
    for sock in ready:
        sock.close()


def bare_syn(source, target, number):
    """An IPv4 packet: a SYN without options."""
    ends = socket.inet_aton(source) + socket.inet_aton(target)
    segment = struct.pack(">HHIIBBHHH", 1024 + number, 8080, number, 0, 5 << 4, 2, 65535, 0, 0)
    segment = segment[:16] + struct.pack(">H", checksum(ends + struct.pack(">HH", 6, len(segment)) + segment)) + segment[18:]
    return struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(segment), 0, 0, 64, 6, 0) + ends + segment


def accept_all(listener):
    """The connections that wait to be accepted."""
    listener.setblocking(False)
    accepted = []
    try:
        while True:
            accepted.append(listener.accept()[0])
            accepted[-1].setblocking(False)
    except BlockingIOError:
        return accepted


def peek(sock):
    try:
        return sock.recv(100, socket.MSG_PEEK)
    except OSError:
        return None
