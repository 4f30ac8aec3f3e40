"""PROXY protocol: servers learn whose connection it is, by a header before all else."""
import socket
import struct

from lib import balancers, mptcp, net
from lib.proxy import PORT, Edge, Transparent, configuration
from lib.stream import MIB, receive, transfer
from lib.suite import braid_only, cases, limit

VERSIONS = {"ipv4": 4, "ipv6": 6}
HEADERS = {"v1_ipv4": ("v1", 4), "v2_ipv4": ("v2", 4), "v1_ipv6": ("v1", 6), "v2_ipv6": ("v2", 6)}
SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
FAMILIES = {4: (socket.AF_INET, 4, 0x11), 6: (socket.AF_INET6, 16, 0x21)}


def start(env, proxy_protocol, version=4, **keys):
    return env.start([Edge("web", version, proxy_protocol=proxy_protocol, **keys)])


def read_v1(sock):
    line = b""
    while not line.endswith(b"\r\n"):
        line += receive(sock, 1)
    word, family, source, destination, source_port, destination_port = line.decode().split()
    assert word == "PROXY" and family == ("TCP6" if ":" in source else "TCP4"), line
    return (source, int(source_port)), (destination, int(destination_port)), {}


def read_v2(sock, version):
    head = receive(sock, 16)
    family, size, code = FAMILIES[version]
    assert head[:12] == SIGNATURE and head[12:14] == bytes((0x21, code)), head
    body = receive(sock, struct.unpack(">H", head[14:])[0])
    ends = [socket.inet_ntop(family, body[at:at + size]) for at in (0, size)]
    ports = struct.unpack(">HH", body[2 * size:2 * size + 4])
    tlvs, rest = {}, body[2 * size + 4:]
    while rest:
        kind, length = struct.unpack(">BH", rest[:3])
        tlvs[kind], rest = rest[3:3 + length], rest[3 + length:]
    return (ends[0], ports[0]), (ends[1], ports[1]), tlvs


def read_header(sock, kind, version=4):
    """Of a server's connection: source, destination and TLVs."""
    return read_v1(sock) if kind == "v1" else read_v2(sock, version)


def expect_client(near, header, version=4, to=None):
    """The header is about this client's connection."""
    source, destination, tlvs = header
    assert source == near.getsockname()[:2], (source, near.getsockname())
    assert destination == (to or net.SERVICE[version], PORT), destination
    return tlvs


def fetch(near):
    """The body of the answer to a request."""
    near.sendall(b"GET / HTTP/1.0\r\nHost: web\r\n\r\n")
    answer = b""
    while data := near.recv(65536):
        answer += data
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b" 200 " in head.split(b"\r\n")[0], answer
    return body.decode().split()


@braid_only
@cases(**HEADERS)
def test_the_server_hears_it_first_and_once(env, kind, version):
    """Whether the client speaks first, or the server does."""
    start(env, kind, version)
    listener = env.listen(version)
    near = env.connect(version)
    far = env.accept(listener)
    tlvs = expect_client(near, read_header(far, kind, version), version)
    far.sendall(b"220 ready")
    assert receive(near, 9) == b"220 ready"
    transfer(near, far, MIB, end=False)
    transfer(far, near, MIB)
    if kind == "v2":
        assert tlvs[0xe0] == b"1" and tlvs[0xe1].decode() == net.join(*near.getsockname()[:2]), tlvs


@braid_only
def test_plain_clients_have_a_header_without_subflows(env):
    start(env, "v2")
    listener = env.listen()
    near = env.connect(multipath=False)
    far = env.accept(listener)
    tlvs = expect_client(near, read_header(far, "v2"))
    assert set(tlvs) == {3}, tlvs
    transfer(near, far, MIB)


@braid_only
@cases(**HEADERS)
def test_nginx_knows_the_client(env, kind, version):
    start(env, kind, version)
    with balancers.nginx(env, net.SERVER[version], PORT, version):
        near = env.connect(version)
        assert mptcp.is_mptcp(near)
        address, port = near.getsockname()[:2]
        assert fetch(near) == [address, str(port)]


@braid_only
@cases(**HEADERS)
def test_haproxy_knows_the_client(env, kind, version):
    """It checks the checksum of version 2, too."""
    start(env, kind, version)
    with balancers.haproxy_behind(env, net.SERVER[version], PORT, version):
        near = env.connect(version)
        address, port = near.getsockname()[:2]
        assert fetch(near) == [address, str(port), net.SERVICE[version], str(PORT)]


@braid_only
def test_the_next_target_hears_it_if_the_first_refuses(env):
    other = "10.99.3.3"
    env.server.ip("address", "replace", f"{other}/24", "dev", "eth0")
    start(env, "v1", target=f"{other}:{PORT}, {net.SERVER[4]}:{PORT} backup")
    listener = env.listen()
    for _ in range(2):
        near = env.connect()
        far = env.accept(listener)
        expect_client(near, read_header(far, "v1"))
        transfer(near, far, MIB)


@braid_only
@cases(**VERSIONS)
def test_a_transparent_edge_sends_it_too(env, version):
    env.steer("up")
    env.start([Transparent("transit", proxy_protocol="v2")])
    listener = env.listen(version)
    near = env.connect(version, to=net.SERVER[version])
    far = env.accept(listener)
    expect_client(near, read_header(far, "v2", version), version, to=net.SERVER[version])
    transfer(near, far, MIB, end=False)
    transfer(far, near, MIB)
    assert not env.proxy.ctl("bypass")["bypass"]


@braid_only
@limit(120)
def test_an_upgrade_leaves_out_and_repeats_none(env):
    """One connection has had its header; the server of another has not answered yet."""
    start(env, "v2")
    listener = env.listen()
    open_near = env.connect()
    open_far = env.accept(listener)
    read_header(open_far, "v2")
    rule = ("INPUT", "-p", "tcp", "--syn", "--dport", str(PORT), "-j", "DROP")
    env.server.iptables("-A", *rule)
    late_near = env.connect()  # answered after 0.9 s, its server notwithstanding
    late_near.sendall(b"early bird")
    env.proxy.upgrade()
    env.server.iptables("-D", *rule)
    late_far = env.accept(listener)
    expect_client(late_near, read_header(late_far, "v2"))
    assert receive(late_far, 10) == b"early bird"
    for near, far in ((open_near, open_far), (late_near, late_far)):
        transfer(near, far, MIB, end=False)
        transfer(far, near, MIB)


@braid_only
@limit(120)
def test_an_edge_that_is_gone_after_an_upgrade_still_sends_it(env):
    start(env, "v1")
    listener = env.listen()
    rule = ("INPUT", "-p", "tcp", "--syn", "--dport", str(PORT), "-j", "DROP")
    env.server.iptables("-A", *rule)
    near = env.connect()
    env.proxy.config.write_text(configuration(env.proxy.directory, [Edge("other", port=PORT + 1)]))
    env.proxy.upgrade()
    env.server.iptables("-D", *rule)
    far = env.accept(listener)
    expect_client(near, read_header(far, "v1"))
    transfer(near, far, MIB)


@braid_only
def test_a_reload_changes_it_for_new_connections(env):
    start(env, "v1")
    listener = env.listen()
    near = env.connect()
    far = env.accept(listener)
    read_header(far, "v1")
    text = env.proxy.config.read_text()
    env.proxy.config.write_text(text.replace("proxy_protocol = v1", "proxy_protocol = off"))
    env.proxy.ctl("reload")
    transfer(near, far, MIB)
    near = env.connect()
    transfer(near, env.accept(listener), MIB)


# ---- from a balancer in front ---------------------------------------------------------------------------------------

FRONT = 9000
FRONTS = {"v1_ipv4": ("send-proxy", 4), "v2_ipv4": ("send-proxy-v2", 4), "v2_crc_ipv4": ("send-proxy-v2 proxy-v2-options crc32c", 4),
          "v1_ipv6": ("send-proxy", 6), "v2_ipv6": ("send-proxy-v2", 6)}
LOOPBACK = {4: "127.0.0.1", 6: "::1"}


def start_behind(env, version=4, **settings):
    keys = settings.pop("keys", {})
    everybody = {4: "10.99.0.0/16", 6: "fd99::/16"}[version]
    return env.start([Edge("web", version, accept_proxy_protocol=everybody, **keys)], **settings)


def in_front(env, keyword, version=4):
    return balancers.haproxy_in_front(env, env.client, FRONT, net.join(net.SERVICE[version], PORT), keyword, version)


def through(env, version=4):
    """A client of the balancer's."""
    return env.connect(version, port=FRONT, to=LOOPBACK[version], multipath=False)


def edge_of(env):
    edge, = env.proxy.ctl("status")["edges"]
    return edge


@braid_only
@cases(**FRONTS)
def test_the_client_is_the_one_that_haproxy_names(env, keyword, version):
    start_behind(env, version, daemon={"log_connections": "on"})
    listener = env.listen(version)
    with in_front(env, keyword, version):
        near = through(env, version)
        far = env.accept(listener)
        transfer(near, far, MIB, end=False)
        transfer(far, near, MIB, end=False)
        name = net.join(*near.getsockname()[:2])
        assert [each["client"] for each in env.proxy.connections()] == [name]
        env.proxy.upgrade()
        assert [each["client"] for each in env.proxy.connections()] == [name]
        transfer(near, far, MIB, end=False)
        transfer(far, near, MIB)
        near.close()
        far.close()
        env.proxy.process.wait_for_line(f"client={name}", 30)


@braid_only
@cases(**HEADERS)
def test_it_is_handed_on(env, kind, version):
    """From HAProxy through Braid to HAProxy."""
    start_behind(env, version, keys={"proxy_protocol": kind})
    with balancers.haproxy_behind(env, net.SERVER[version], PORT, version), in_front(env, "send-proxy-v2", version):
        near = through(env, version)
        address, port = near.getsockname()[:2]
        assert fetch(near) == [address, str(port), LOOPBACK[version], str(FRONT)]


def dismissed(near):
    """The connection has ended, by a RST."""
    try:
        return near.recv(1) == b""
    except ConnectionResetError:
        return True


@braid_only
def test_a_balancer_without_a_header_is_turned_away(env):
    start_behind(env)
    env.listen()
    for multipath in (False, True):
        near = env.connect(multipath=multipath)
        near.sendall(b"GET / HTTP/1.1\r\n\r\n")
        assert dismissed(near)
    assert edge_of(env)["malformed"] == 2
    env.proxy.process.wait_for_line("is in accept_proxy_protocol and sent no PROXY protocol header that is whole and right", 30)
    near = env.connect()
    near.sendall(b"PROXY TCP4 10.1.2.3")
    assert dismissed(near)
    assert edge_of(env)["overdue"] == 1


@braid_only
def test_whom_a_balancer_may_bring(env):
    """allow is about clients, and others need no header."""
    line = "PROXY TCP4 {} 198.51.100.1 4711 80\r\n"
    env.start([Edge("web", allow="192.0.2.0/24, 10.99.2.0/24", accept_proxy_protocol=net.client_address(1))])
    listener = env.listen()
    near = env.connect(source=net.client_address(1))
    near.sendall(line.format("192.0.2.7").encode() + b"hello")
    assert receive(env.accept(listener), 5) == b"hello"
    near = env.connect(source=net.client_address(1))
    near.sendall(line.format("192.0.3.7").encode())
    assert dismissed(near) and edge_of(env)["denied"] == 1
    near = env.connect(source=net.client_address(2))
    transfer(near, env.accept(listener), MIB)


@braid_only
def test_an_upgrade_while_the_header_comes(env):
    start_behind(env)
    listener = env.listen()
    near = env.connect()
    near.sendall(b"PROXY TCP4 192.0.2.7 198")
    env.proxy.upgrade()
    near.sendall(b".51.100.1 4711 80\r\nhello")
    far = env.accept(listener)
    assert receive(far, 5) == b"hello"
    assert env.proxy.connection()["client"] == "192.0.2.7:4711"
    transfer(near, far, MIB)
