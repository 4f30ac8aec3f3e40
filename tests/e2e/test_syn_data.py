"""Data in the SYN of the kernel's MPTCP (MSG_FASTOPEN without a cookie), to a converter: what comes again, and how, when SYNs
and SYN/ACKs are lost, or the server takes its time."""
import contextlib
import threading

from lib import mptcp, net
from lib.convert import message, read_message
from lib.proxy import CONVERT_PORT
from lib.stream import MIB, receive, transfer
from lib.suite import braid_only, cases
from lib.wait import until
from test_convert import ask, start, to_server

FIRST = b"and the first bytes of the client"


def drop(namespace, chain, *match, packets=1):
    """Loses so many of the packets that match, in that namespace."""
    for _ in range(packets):  # each rule sees what those before it have let pass
        namespace.iptables("-t", "raw", "-A", chain, "-p", "tcp", *match, "-m", "statistic", "--mode", "nth", "--every", "1000",
                           "--packet", "0", "-j", "DROP")


@contextlib.contextmanager
def slow_server(env, seconds):
    env.server.iptables("-A", "INPUT", "-p", "tcp", "--syn", "-j", "DROP")
    relief = threading.Timer(seconds, lambda: env.server.iptables("-F", "INPUT"))
    relief.start()
    yield
    relief.join()


def converse(env, listener, near, multipath):
    """What the SYN carried is there once, and everything behind it."""
    far = env.accept(listener)
    assert receive(far, len(FIRST)) == FIRST
    assert read_message(near).tlvs == {}
    assert mptcp.is_mptcp(near) == multipath
    assert env.proxy.connection()["mptcp"] == multipath
    transfer(near, far, MIB)
    transfer(far, near, MIB)


@braid_only
@cases(ipv4=4, ipv6=6)
def test_data_of_the_syn_is_no_part_of_the_data_space_of_joined_subflows(env, version):
    start(env)
    env.topology.endpoint(2, "subflow", version=version)
    listener = env.listen(version)
    near = ask(env, message(to_server(version)) + FIRST, version, multipath=True)
    far = env.accept(listener)
    assert receive(far, len(FIRST)) == FIRST
    far.sendall(FIRST)
    assert read_message(near).tlvs == {} and receive(near, len(FIRST)) == FIRST
    until(lambda: len(mptcp.established(near)) == 2, "the client has joined")
    transfer(near, far, 4 * MIB)
    transfer(far, near, 4 * MIB)
    assert env.client.counters()["MPTcpExtDssFallback"] == 0


@braid_only
@cases(one=1, two=2)
def test_lost_syns(env, packets):
    start(env)
    drop(env.topology.braid, "PREROUTING", "--syn", "--dport", str(CONVERT_PORT), packets=packets)
    listener = env.listen()
    converse(env, listener, ask(env, message(to_server()) + FIRST, multipath=True), True)


@braid_only
@cases(one=1, two=2)
def test_lost_synacks(env, packets):
    """The first one acknowledged the data of the SYN, the next one must not."""
    start(env)
    drop(env.client, "PREROUTING", "--tcp-flags", "SYN,ACK", "SYN,ACK", "--sport", str(CONVERT_PORT), packets=packets)
    listener = env.listen()
    converse(env, listener, ask(env, message(to_server()) + FIRST, multipath=True), True)


@braid_only
@cases(one_syn_more=1.5, two_syns_more=2.5, too_slow=5)
def test_a_slow_server(env, seconds):
    """The client's SYN has come again, bare, when it is answered: before it gives MPTCP up, should the server take longer."""
    start(env)
    listener = env.listen()
    with slow_server(env, seconds):
        near = ask(env, message(to_server()) + FIRST, multipath=True)
    converse(env, listener, near, True)


@braid_only
def test_a_lost_third_ack(env):
    start(env)
    drop(env.topology.braid, "PREROUTING", "--tcp-flags", "SYN,ACK", "ACK", "--dport", str(CONVERT_PORT))
    listener = env.listen()
    near = ask(env, message(to_server()) + FIRST, multipath=True)
    near.sendall(b"more")
    far = env.accept(listener)
    assert receive(far, len(FIRST) + 4) == FIRST + b"more"
    assert read_message(near).tlvs == {} and mptcp.is_mptcp(near)


@braid_only
def test_a_middlebox_that_lets_no_mptcp_pass(env):
    env.topology.strip_mptcp("to braid", "--syn")
    start(env)
    listener = env.listen()
    converse(env, listener, ask(env, message(to_server()) + FIRST, multipath=True), False)
