"""What a service address answers to those who do not speak TCP: whoever looks for a fault pings it, and browsers try QUIC."""
import socket

from lib import net
from lib.ping import ping, pinger, request
from lib.suite import braid_only, cases
from lib.wait import FACTOR, until

VERSIONS = {"ipv4": 4, "ipv6": 6}


@cases(**VERSIONS)
def test_a_service_address_answers_a_ping(env, version):
    env.start()
    for size in (0, 1, 56, 1400):
        data = bytes(range(250)) * 6
        assert ping(env, version, net.SERVICE[version], data[:size]) == data[:size]


@cases(**VERSIONS)
def test_a_signalled_address_answers_a_ping(env, version):
    env.start([env.Edge("web", version, signal=[net.SIGNAL[version]])])
    assert ping(env, version, net.SIGNAL[version]) == b"ping"


@cases(**VERSIONS)
def test_udp_is_refused_at_once(env, version):
    env.start()
    sock = env.keep(env.client.socket(version, kind=socket.SOCK_DGRAM))
    sock.settimeout(5 * FACTOR)
    sock.connect((net.SERVICE[version], 443))
    sock.send(b"hello")
    try:
        raise AssertionError(f"UDP was answered: {sock.recv(100)}")
    except ConnectionRefusedError:
        pass


@braid_only
@cases(**VERSIONS)
def test_one_source_gets_a_tenth_of_the_answers(env, version):
    """In a second; the burst may fall into two."""
    env.start(limits={"icmp_answers": 50})
    sock = pinger(env, version)
    for _ in range(40):
        sock.sendto(request(version), (net.SERVICE[version], 0))
    until(lambda: env.proxy.counters()["IcmpInEchos"] == 40, "the daemon has seen every ping")
    counters = env.proxy.counters()
    assert 5 <= counters["IcmpOutEchoReps"] <= 10, f"{counters['IcmpOutEchoReps']} replies"
    assert counters["IcmpOutEchoReps"] + counters["BraidIcmpLimited"] == 40
