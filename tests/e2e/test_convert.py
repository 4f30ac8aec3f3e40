"""The converter (RFC 8803), spoken to by a client that is made from the RFC alone: plain TCP and the kernel's MPTCP sockets,
the message in the SYN or behind it, success and every error."""
import errno
import hmac
import random
import select
import socket
import struct
import time

from lib import convert, mptcp, net
from lib.convert import connect_tlv, message, read_message, tlv
from lib.env import PORT
from lib.proxy import CONVERT_PORT, Converter
from lib.stream import MIB, receive, receive_all, transfer
from lib.suite import braid_only, cases, limit, long
from lib.wait import until

SYN, LATER = "syn", "later"
WHEN = {SYN: SYN, LATER: LATER}
FAMILIES = {f"ipv{near}_to_ipv{far}": (near, far) for near in (4, 6) for far in (4, 6)}
KINDS = {f"{'mptcp' if multipath else 'tcp'}_{when}": (multipath, when) for multipath in (False, True) for when in WHEN}


def start(env, limits=None, workers=0, **keys):
    env.client.sysctl(net__ipv4__tcp_fastopen=5)  # data in a SYN without a cookie
    return env.start([Converter("conv", **keys)], limits=limits, workers=workers)


def ask(env, first, version=4, when=SYN, multipath=False, source=None):
    """A connection to the converter that begins with these bytes, in its SYN or behind the handshake."""
    near = env.open(version, multipath=multipath, source=source)
    address = (net.SERVICE[version], CONVERT_PORT)
    if when == SYN:
        assert near.sendto(first, socket.MSG_FASTOPEN, address) == len(first)
        assert select.select([], [near], [], near.gettimeout())[1], "the converter does not answer"
    else:
        near.connect(address)
        near.sendall(first)
    return near


def to_server(version=4, port=PORT, tcp_options=b""):
    return connect_tlv(net.SERVER[version], port, tcp_options)


def counter(env, name):
    edge, = env.proxy.ctl("status")["edges"]
    return edge[name]


def refusal(near, limit=10.0):
    """Code and value of the error that the converter answers with; its stream ends behind it, in order."""
    error = read_message(near, limit).error
    assert receive_all(near) == b""
    return error


def refused(env, first, **how):
    near = ask(env, first, **how)
    error = refusal(near)
    near.close()  # until it has, the daemon counts it among those that connect
    return error


# ---- success -------------------------------------------------------------------------------------------------------------


@braid_only
@cases(**KINDS)
def test_a_connection_through_the_converter(env, multipath, when):
    start(env)
    listener = env.listen()
    near = ask(env, message(to_server()) + b"first", when=when, multipath=multipath)
    far = env.accept(listener)
    assert receive(far, 5) == b"first"
    assert read_message(near).tlvs == {}
    far.sendall(b"answer")
    assert receive(near, 6) == b"answer"
    assert mptcp.is_mptcp(near) == multipath
    transfer(near, far, MIB)
    transfer(far, near, MIB)


@braid_only
@cases(**FAMILIES)
def test_families_may_be_mixed(env, near_version, far_version):
    start(env)
    listener = env.listen(far_version)
    near = ask(env, message(to_server(far_version)), near_version, multipath=True)
    far = env.accept(listener)
    assert read_message(near).tlvs == {}
    near.sendall(b"ping")
    assert receive(far, 4) == b"ping"
    assert env.proxy.connection()["server"] == net.join(net.SERVER[far_version], PORT)


@braid_only
@cases(**WHEN)
def test_a_server_may_speak_first(env, when):
    start(env)
    listener = env.listen()
    near = ask(env, message(to_server()), when=when, multipath=True)
    far = env.accept(listener)
    far.sendall(b"220 welcome")
    assert read_message(near).tlvs == {}
    assert receive(near, 11) == b"220 welcome"


@braid_only
@cases(**KINDS)
def test_each_direction_ends_by_itself(env, multipath, when):
    start(env)
    listener = env.listen()
    near = ask(env, message(to_server()) + b"question", when=when, multipath=multipath)
    near.shutdown(socket.SHUT_WR)
    far = env.accept(listener)
    assert receive_all(far) == b"question"
    far.sendall(b"answer")
    far.close()
    assert read_message(near).tlvs == {}
    assert receive_all(near) == b"answer"
    until(lambda: counter(env, "closed") == 1, "the connection ends in order")


@braid_only
@cases(tcp=False, mptcp=True)
def test_syns_with_data_may_be_lost(env, multipath):
    """A client's kernel sends its SYN again without the data: it has to be answered, and the message follows."""
    start(env)
    listener = env.listen()
    longest = 20 + 60
    env.topology.braid.iptables("-t", "raw", "-A", "PREROUTING", "-p", "tcp", "--syn", "--dport", str(CONVERT_PORT),
                                "-m", "length", "--length", f"{longest + 1}:65535", "-j", "DROP")
    near = ask(env, message(to_server()) + b"first", multipath=multipath)
    assert receive(env.accept(listener), 5) == b"first"
    assert read_message(near).tlvs == {} and mptcp.is_mptcp(near) == multipath


@braid_only
@cases(**KINDS)
def test_syns_that_are_answered_without_keeping_state(env, multipath, when):
    start(env, limits={"half_open": 0}, allow=f"!{net.client_address(2)}, any")
    listener = env.listen()
    near = ask(env, message(to_server()) + b"first", when=when, multipath=multipath)
    assert receive(env.accept(listener), 5) == b"first"
    assert read_message(near).tlvs == {}
    assert env.proxy.counters()["TcpExtSyncookiesRecv"] == 1
    assert refused(env, message(to_server(port=PORT + 1)), when=when, multipath=multipath) == (convert.RESET, b"\0")
    other = net.client_address(2)
    assert refused(env, message(to_server()), when=when, multipath=multipath, source=other) == (convert.NOT_AUTHORIZED, b"\0")


@braid_only
def test_a_message_may_come_byte_by_byte(env):
    start(env)
    listener = env.listen()
    near = env.connect(port=CONVERT_PORT, multipath=False)
    near.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for byte in message(to_server(), tlv(convert.INFO)) + b"!":
        near.sendall(bytes([byte]))
    assert receive(env.accept(listener), 1) == b"!"
    assert read_message(near).supported == {4, 8, 30}


@braid_only
def test_a_client_may_ask_what_the_converter_supports(env):
    start(env)
    for when in WHEN:
        near = ask(env, message(tlv(convert.INFO)), when=when)
        assert read_message(near).supported == {4, 8, 30}
        assert receive_all(near) == b""
    assert counter(env, "errors") == 0


@braid_only
@cases(ipv4=4, ipv6=6)
def test_the_servers_options_come_back_if_they_were_asked_for(env, version):
    start(env)
    asked = message(to_server(version, tcp_options=b"\x1e\x02"))
    for multipath in (False, True):
        listener = env.listen(version, multipath=multipath)
        near = ask(env, asked, multipath=True)
        env.accept(listener)
        listener.close()
        options = read_message(near).options
        assert (30 in options) == multipath, f"kinds {set(options)}"
        mss, = struct.unpack(">H", options[2])
        assert 500 <= mss <= 1460 and {3, 4, 8} <= set(options)
    env.listen(version)
    assert convert.EXTENDED_HEADER not in read_message(ask(env, message(to_server(version))))


# ---- errors --------------------------------------------------------------------------------------------------------------


@braid_only
@cases(**KINDS)
def test_a_refusing_server(env, multipath, when):
    start(env)
    assert refused(env, message(to_server()), when=when, multipath=multipath) == (convert.RESET, b"\0")
    assert counter(env, "refused") == counter(env, "errors") == 1


@braid_only
@cases(port=(4, "icmp-port-unreachable", 3), prohibited=(4, "icmp-admin-prohibited", 13),
       host=(4, "icmp-host-unreachable", 1), ipv6=(6, "icmp6-adm-prohibited", 1))
def test_an_unreachable_server(env, version, reject, code):
    start(env)
    env.server.iptables("-A", "INPUT", "-p", "tcp", "--dport", str(PORT), "-j", "REJECT", "--reject-with", reject,
                        version=version)
    for when in WHEN:
        assert refused(env, message(to_server(version)), when=when) == (convert.UNREACHABLE, bytes([code]))


@braid_only
def test_a_server_that_there_is_no_way_to(env):
    start(env)
    assert refused(env, message(connect_tlv("203.0.113.1", 80))) == (convert.NETWORK_FAILURE, b"\1")
    assert counter(env, "unreachable") == 1


def drop(env, port=PORT):
    """The server's machine answers nothing at this port."""
    env.server.iptables("-A", "INPUT", "-p", "tcp", "--dport", str(port), "-j", "DROP")


@braid_only
@long
@cases(**KINDS)
def test_a_silent_server(env, multipath, when):
    start(env)
    drop(env)
    near = ask(env, message(to_server()), when=when, multipath=multipath)
    assert mptcp.is_mptcp(near) == multipath, "it was answered too late"
    assert refusal(near, limit=15) == (convert.NETWORK_FAILURE, b"\1")  # the server has ten seconds


@braid_only
def test_what_nobody_may_connect_to(env):
    start(env, targets=f"!{net.SERVER[6]}, any")
    env.listen(6)
    for address in ("127.0.0.1", "127.1.2.3", "224.0.0.1", "255.255.255.255", "0.0.0.0", "::1", "::", "ff02::1"):
        first = message(connect_tlv(address, 80))
        assert refused(env, first) == (convert.MALFORMED, b"\0" + first), address
    own = (net.braid_address(1), net.braid_address(3), net.braid_address(3, 6), net.SERVICE[4], net.SERVICE[6])
    special = ("169.254.169.254", "169.254.1.1", "100.100.100.200", "fe80::1", "fd00:ec2::254", "::7f00:1", "0.1.2.3")
    for address in (*own, *special, net.SERVER[6]):
        for port in (80, 9180, CONVERT_PORT):
            assert refused(env, message(connect_tlv(address, port))) == (convert.NOT_AUTHORIZED, b"\0"), address
    assert counter(env, "forbidden") == 3 * (len(own) + len(special) + 1)


@braid_only
@cases(**KINDS)
def test_who_may_not_convert(env, multipath, when):
    start(env, allow=f"!{net.client_address(1)}, 10.99.0.0/16")
    env.listen()
    assert refused(env, message(to_server()), when=when, multipath=multipath) == (convert.NOT_AUTHORIZED, b"\0")
    assert refused(env, message(to_server()), version=6) == (convert.NOT_AUTHORIZED, b"\0")
    assert read_message(ask(env, message(to_server()), source=net.client_address(2))).tlvs == {}
    assert counter(env, "unauthorized") == 2


MALFORMED = {
    "empty": message(),
    "cookie_alone": message(tlv(convert.COOKIE, b"\0\0abcd")),
    "twice": message(to_server(), to_server()),
    "info_twice": message(tlv(convert.INFO), tlv(convert.INFO)),
    "tlv_of_no_length": message(b"\x01\x00\x00\x00"),
    "tlv_beyond_the_message": message(to_server(), words=4),
    "connect_too_short": message(tlv(convert.CONNECT, bytes(6))),
    "port_0": message(to_server(port=0)),
    "option_beyond_its_list": message(to_server(tcp_options=b"\x1e\x05")),
    "option_of_no_length": message(to_server(tcp_options=b"\x1e\x00")),
}
UNSUPPORTED = {f"type_{kind}": message(to_server(), tlv(kind)) for kind in (0, 2, 20, 21, 30, 255)}


@braid_only
@cases(**WHEN)
def test_messages_that_cannot_be_taken_come_back(env, when):
    start(env)
    for messages, code in ((MALFORMED, convert.MALFORMED), (UNSUPPORTED, convert.UNSUPPORTED_MESSAGE)):
        for name, first in messages.items():
            size = 4 * first[1]
            said = refused(env, first + b"data behind it", when=when)
            assert said == (code, b"\0" + first[:size]), f"{name}: {said}"
    assert counter(env, "malformed") == len(MALFORMED) + len(UNSUPPORTED)


@braid_only
def test_an_echo_fits_into_a_message(env):
    start(env)
    first = message(to_server(), tlv(99, bytes(2 + 4 * 248)))
    assert len(first) == 1020
    code, value = refused(env, first, when=LATER)
    assert code == convert.UNSUPPORTED_MESSAGE and value == b"\0" + first[:1012]


@braid_only
@cases(**WHEN)
def test_other_versions_and_other_protocols(env, when):
    start(env)
    for version in (0, 2, 255):
        assert refused(env, message(to_server(), version=version), when=when) == (convert.UNSUPPORTED_VERSION, b"\1")
    for first in (b"GET / HTTP/1.1\r\n\r\n", message(words=0), b"\x16\x03\x01\x00\x05"):
        try:
            near = ask(env, first, when=when)
            near.recv(1)
        except ConnectionError as error:
            assert error.errno in (errno.ECONNRESET, errno.ECONNREFUSED)
        else:
            raise AssertionError(f"{first} was not reset")
    assert counter(env, "errors") == 3


@braid_only
def test_tcp_options_that_cannot_be_had(env):
    start(env)
    env.listen()
    asked = b"\x1d\x10" + bytes(14) + b"\x1e\x02\x22\x06abcd\x13\x12" + bytes(16) + b"\x22\x02\x08\x0a" + bytes(8)
    code, value = refused(env, message(to_server(tcp_options=asked)))
    assert code == convert.UNSUPPORTED_OPTION and set(value) - {0} == {8, 19, 29, 34}
    ignored = b"\x02\x04\x05\xb4\x03\x03\x07\x05\x02\x01\x00"
    near = ask(env, message(to_server(tcp_options=ignored + b"\x04\x02\x08\x02\x1e\x02")))
    assert convert.EXTENDED_HEADER in read_message(near)


@braid_only
def test_an_error_is_followed_by_no_reset(env):
    start(env)
    near = ask(env, message(to_server()), when=LATER)
    near.sendall(b"x" * 100000)  # nobody reads it, and it is no reason for a reset either
    assert refusal(near) == (convert.RESET, b"\0")
    near.close()
    until(lambda: not env.proxy.connections(), "the connection is gone")
    assert counter(env, "client_reset") == 0


# ---- cookies -------------------------------------------------------------------------------------------------------------


@braid_only
@cases(**WHEN)
def test_a_cookie_proves_an_address(env, when):
    start(env, cookie="address")
    env.listen()
    code, value = refused(env, message(to_server()), when=when)
    assert code == convert.MISSING_COOKIE and value[0] == 0 and len(value) == 17
    cookie = tlv(convert.COOKIE, b"\0\0" + value[1:])
    for _ in range(2):
        assert read_message(ask(env, message(to_server(), cookie), when=when)).tlvs == {}
    other = net.client_address(2)
    assert refused(env, message(to_server(), cookie), when=when, source=other) == (convert.NOT_AUTHORIZED, b"\0")
    for wrong in (b"", value[1:13], bytes(16), value[1:] + bytes(4)):
        first = message(to_server(), tlv(convert.COOKIE, b"\0\0" + wrong))
        assert refused(env, first, when=when) == (convert.NOT_AUTHORIZED, b"\0")


PSK = "correct-horse-battery"


def psk_cookie(address, port=PORT, number=1, shift=0, psk=PSK):
    stamp = struct.pack(">II", number, int(time.time()) + shift)
    said = stamp + connect_tlv(address, port)[2:20]
    return tlv(convert.COOKIE, b"\0\0" + stamp + hmac.digest(psk.encode(), said, "sha256")[:16])


@braid_only
@cases(**WHEN)
def test_a_cookie_proves_a_secret(env, when):
    start(env, cookie="psk", psk=PSK, open="yes")
    env.listen()
    server, no = net.SERVER[4], (convert.NOT_AUTHORIZED, b"\0")
    good = message(to_server(), psk_cookie(server))
    assert read_message(ask(env, good, when=when)).tlvs == {}
    assert refused(env, good, when=when) == no, "it was good twice"
    assert refused(env, message(to_server()), when=when) == no
    for wrong in (psk_cookie(server, psk="another-horse-battery"), psk_cookie(server, port=81), psk_cookie(net.SERVER[6]),
                  psk_cookie(server, shift=-90), psk_cookie(server, shift=90), tlv(convert.COOKIE, bytes(26))):
        assert refused(env, message(to_server(), wrong), when=when) == no
    for number, shift in ((2, -50), (3, 50)):
        assert read_message(ask(env, message(to_server(), psk_cookie(server, number=number, shift=shift)))).tlvs == {}


# ---- those who do harm ---------------------------------------------------------------------------------------------------


@braid_only
def test_one_client_waits_for_so_many_servers_and_no_more(env):
    start(env, workers=1, pending=3)
    drop(env)
    waiting = [env.connect(port=CONVERT_PORT) for _ in range(3)]
    for near in waiting:
        near.sendall(message(to_server()))
    until(lambda: counter(env, "connecting") == 3, "three wait")
    env.listen(port=PORT + 1)
    one_more = message(to_server(port=PORT + 1))
    assert refused(env, one_more) == (convert.RESOURCE_EXCEEDED, b"\1")
    assert read_message(ask(env, one_more, source=net.client_address(2))).tlvs == {}
    gone = waiting.pop()
    gone.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    gone.close()
    until(lambda: counter(env, "connecting") == 2, "one has gone")
    assert read_message(ask(env, one_more)).tlvs == {}


def raw_syn(env, payload, source, port):
    """A SYN with this payload, sent by nobody."""
    with env.client.entered(), socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW) as raw:
        raw.sendto(syn_packet(payload, source, port), (net.SERVICE[4], 0))


def checksum(data):
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return total ^ 0xffff


def syn_packet(payload, source, port):
    ends = socket.inet_aton(source) + socket.inet_aton(net.SERVICE[4])
    tcp = struct.pack(">HHIIBBHHH", port, CONVERT_PORT, 1000, 0, 0x50, 2, 65535, 0, 0) + payload
    tcp = tcp[:16] + struct.pack(">H", checksum(ends + struct.pack(">HH", 6, len(tcp)) + tcp)) + tcp[18:]
    return struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(tcp), 0, 0, 64, 6, 0) + ends + tcp


@braid_only
def test_strangers_get_few_connections_by_forged_syns(env):
    start(env, limits={"unproven": 4, "unproven_source": 2}, workers=1)
    listener = env.listen()
    for number in range(200):
        raw_syn(env, message(to_server()), f"192.0.{number % 50}.{number // 50 + 1}", 20000 + number)
    until(lambda: counter(env, "incoming") == 200, "all of them are here")
    near = ask(env, message(to_server()) + b"I exist")  # whoever is there gets through
    assert read_message(near).tlvs == {}
    seen = []

    def heard():
        while select.select([listener], [], [], 0)[0]:
            seen.append(env.accept(listener))
        return select.select(seen, [], [], 0)[0]

    until(heard, "the client is heard at the server")
    assert len(seen) == 4 + 1, f"{len(seen)} connections"


@braid_only
def test_bare_syns_are_ignored_if_that_is_wanted(env):
    start(env, bare_syn="ignore")
    env.listen()
    near = env.open(multipath=False)
    near.settimeout(1.5)
    try:
        near.connect((net.SERVICE[4], CONVERT_PORT))
    except TimeoutError:
        pass
    else:
        raise AssertionError("a bare SYN was answered")
    assert read_message(ask(env, message(to_server()))).tlvs == {}
    assert not [c for c in env.proxy.connections() if c["state"] != "ESTABLISHED"]


@braid_only
@long
@limit(90)
def test_silent_clients_are_given_up(env):
    start(env)
    nears = [env.connect(port=CONVERT_PORT, multipath=multipath) for multipath in (False, True)]
    nears[0].sendall(b"\x01\x06")
    until(lambda: counter(env, "overdue") == 2, "both are given up", 20)
    until(lambda: not env.proxy.connections(), "and gone")


@braid_only
def test_garbage_in_place_of_messages(env):
    start(env)
    env.listen()
    rng = random.Random(8803)
    good = message(to_server(tcp_options=b"\x1e\x02"), tlv(convert.INFO), tlv(convert.COOKIE, b"\0\0cookie"))
    for number in range(200):
        first = bytearray(good)
        for _ in range(rng.randrange(1, 6)):
            first[rng.randrange(len(first))] = rng.choice((0, 1, 2, 30, 255, rng.randrange(256)))
        if number % 3 == 0:
            first = first[:rng.randrange(1, len(first))]
        with env.open(multipath=number % 2 == 0) as near:
            near.settimeout(0.05)
            try:
                near.sendto(bytes(first), socket.MSG_FASTOPEN, (net.SERVICE[4], CONVERT_PORT))
                near.recv(2000)
            except OSError:
                pass
    env.proxy.healthy()
    until(lambda: counter(env, "incoming") == 200, "all of them were seen")
    assert read_message(ask(env, message(to_server()))).tlvs == {}
