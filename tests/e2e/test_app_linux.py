"""Programs that use Linux's own interface to MPTCP, with libbraid-socket preloaded: sockets of protocol IPPROTO_MPTCP are Braid's, and
tell what the kernel's would."""
import contextlib
import errno
import functools
import json
import socket

from lib import home, mptcp, net
from lib.carried import connect as connect_any, greet, start
from lib.env import GREETING, Edge
from lib.program import Program, told_in_full
from lib.proc import Process
from lib.proxy import BUILD, PORT, ROOT, listening
from lib.stream import MIB, receive
from lib.suite import braid_only, cases
from lib.wait import until

VERSIONS = {"ipv4": 4, "ipv6": 6}
LOOPBACK = {4: "127.0.0.1", 6: "::1"}
AGES = ("last_data_sent", "last_data_recv", "last_ack_recv")


connect = functools.partial(connect_any, opened="mptcp.opened")


def told(child, name="s"):
    return child(f"mptcp.info({name})")


@braid_only
@cases(**VERSIONS)
def test_such_a_socket_tells_of_its_connection_what_the_peers_kernel_knows(env, version):
    """The peer is the kernel's: what one end has sent the other has received, field by field."""
    router = start(env)
    with Program(env.home.cpe, router) as child:
        far = connect(env, child, version)
        assert child("mptcp.protocol(s)") == mptcp.IPPROTO_MPTCP and child("mptcp.says_mptcp(s)") == 1
        greet(child, far)
        until(lambda: len(mptcp.established(far)) == 3, "the server has a subflow over each uplink")
        until(lambda: told(child)["subflows"] == 2, "the program sees two beside the first")
        child(f"s.sendall(bytes({MIB}))")
        receive(far, MIB)
        far.sendall(bytes(1000))
        child("received(s, 1000)")
        theirs = mptcp.info(far)
        ours = until(lambda: (lambda now: now["bytes_acked"] == now["bytes_sent"] and now)(told(child)), "all is acknowledged")
        assert ours["bytes_sent"] == theirs["bytes_received"] == len(GREETING) + MIB
        assert ours["bytes_received"] == theirs["bytes_sent"] == len(GREETING) + 1000
        assert ours["write_seq"] == ours["snd_una"] == theirs["rcv_nxt"] and ours["rcv_nxt"] == theirs["write_seq"]
        assert ours["flags"] == theirs["flags"] == 2 and ours["csum_enabled"] == theirs["csum_enabled"] == 0
        assert ours["subflows"] == theirs["subflows"] and ours["subflows_total"] == theirs["subflows_total"] == 3
        assert ours["token"] == int(router.connections()[-1]["token"], 16) or ours["token"] == child("connid(s)")
        assert ours["local_addr_used"] == 2 <= ours["local_addr_max"] and ours["subflows_max"] >= 2
        assert ours["add_addr_signal"] == ours["add_addr_accepted"] == 0
        assert all(ours[age] < 10000 for age in AGES)


def ends(found):
    return sorted((each["local"][0], each["remote"][0], each["remote"][1]) for each in found)


@braid_only
@cases(**VERSIONS)
def test_each_subflow_is_told_as_linux_tells_of_its_own(env, version):
    router = start(env)
    with Program(env.home.cpe, router) as child:
        far = connect(env, child, version)
        greet(child, far)
        until(lambda: len(mptcp.established(far)) == 3, "the server has a subflow over each uplink")
        until(lambda: told(child)["subflows_total"] == 3, "the program sees them")
        child(f"s.sendall(bytes({MIB}))")
        receive(far, MIB)
        until(lambda: sum(each["bytes_out"] for each in child("mptcp.subflows(s)")) >= MIB, "all is acknowledged")
        whole, there, found = child("told_in_full(s)")
        assert there == 3 and whole["subflows_total"] == 3 and [each["id"] for each in found] == [1, 2, 3]
        assert sorted(each["local"][0] for each in found) == sorted(uplink.address(version) for uplink in env.home.uplinks)
        assert all(each["remote"] == [env.home.where(env.home.multi)[version], PORT] for each in found)
        theirs = {tuple(each["remote"]): each["tcp"] for each in told_in_full(far)[2]}
        assert len(theirs) == 3
        for each in found:
            ours, peers = each["tcp"], theirs[tuple(each["local"])]
            assert ours["state"] == peers["state"] == mptcp.ESTABLISHED and ours["ca_state"] == 0 and ours["retransmits"] == 0
            assert ours["options"] == peers["options"] == 7  # timestamps, SACK, window scale
            assert ours["snd_wscale"] == peers["rcv_wscale"] and ours["rcv_wscale"] == peers["snd_wscale"]
            assert ours["bytes_sent"] == ours["bytes_acked"] == peers["bytes_received"]
            assert ours["data_segs_out"] >= peers["bytes_received"] // 1500 and ours["unacked"] == ours["lost"] == 0
            assert 1000 < ours["snd_mss"] <= peers["advmss"] and ours["pmtu"] == 1500
            assert ours["snd_cwnd"] >= 2 and ours["rto"] >= 200000 and 0 < ours["min_rtt"] <= ours["rtt"] < 1000000
            assert ours["snd_wnd"] > 10000 and ours["max_pacing_rate"] == 2**64 - 1
        # the connection's own TCP_INFO stays the kernel's: that of the way to the daemon
        assert child("s.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 8)[0]") == mptcp.ESTABLISHED


def kernels_own(at, version):
    """Sockets of the kernel's, of a program without the library: each kind by its name."""
    child = Program(at, preload=False)
    child(f"kept('l', mptcp.opened({version}))")
    child(f"l.bind(('{LOOPBACK[version]}', 0)), l.listen()")
    child(f"kept('fresh', mptcp.opened({version}))")
    child(f"kept('c', mptcp.opened({version}))")
    child("c.connect(l.getsockname())")
    child("kept('a', l.accept()[0])")
    child("c.sendall(b'x'), received(a, 1), a.sendall(b'y')")
    assert child("received(c, 1)") == "y"
    child(f"kept('p', opened({version}))")
    child("p.connect(l.getsockname())")
    child("kept('ap', l.accept()[0])")
    child(f"kept('pl', socket.create_server(('{LOOPBACK[version]}', 0), family=l.family))")
    child(f"kept('f', mptcp.opened({version}))")
    child("f.connect(pl.getsockname())")
    return child


@braid_only
@cases(**VERSIONS)
def test_the_rules_of_what_is_asked_are_the_kernels(env, version):
    """Lengths, sizes old and new, partial structures, errors: a program compares sockets of this machine's kernel with Braid's."""
    kernel = kernels_own(env.home.multi, version)
    router = start(env)
    one = env.home.uplinks[1].address(version)
    with kernel, Program(env.home.cpe, router) as child:
        child(f"kept('fresh', mptcp.opened({version}))")
        assert child("mptcp.rules(fresh)") == kernel("mptcp.rules(fresh)")
        child(f"kept('l', mptcp.opened({version}))")
        child(f"l.bind(('{LOOPBACK[version]}', 0)), l.listen()")
        assert child("mptcp.rules(l)") == kernel("mptcp.rules(l)")
        far = connect(env, child, version, before=[f"add(s, '{one}')"])  # one subflow, as the kernel's
        greet(child, far)
        assert child("mptcp.rules(s)") == kernel("mptcp.rules(c)")
        connect(env, child, version, server=env.home.plain, port=PORT + 1)
        assert child("mptcp.rules(s)") == kernel("mptcp.rules(f)")
        assert child("mptcp.protocol(s)") == mptcp.IPPROTO_MPTCP and child("mptcp.says_mptcp(s)") == 0
        child(f"kept('t', opened({version}))")
        assert child("mptcp.rules(t)") == kernel("mptcp.rules(p)")


@braid_only
@cases(**VERSIONS)
def test_a_server_is_told_which_of_its_clients_are_mptcp(env, version):
    env.topology.endpoint(2, version=version)
    env.start([Edge("web", version, target=net.join(LOOPBACK[version], 9000))])
    kernel = kernels_own(env.client, version)
    with kernel, Program(env.topology.braid, env.proxy) as child:
        child(f"kept('l', mptcp.opened({version}))")
        child(f"l.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1), l.bind(('{LOOPBACK[version]}', 9000)), l.listen()")
        assert child("mptcp.protocol(l)") == mptcp.IPPROTO_MPTCP
        near = env.connect(version)
        child("kept('s', l.accept()[0])")
        near.sendall(GREETING)
        child(f"s.sendall(received(s, {len(GREETING)}).encode())")
        assert receive(near, len(GREETING)) == GREETING
        assert child("mptcp.protocol(s)") == mptcp.IPPROTO_MPTCP and child("mptcp.says_mptcp(s)") == 1
        until(lambda: told(child)["subflows"] == 1, "the second path of the client is seen")
        ours, theirs = told(child), mptcp.info(near)
        assert ours["rcv_nxt"] == theirs["write_seq"] and ours["snd_una"] == theirs["rcv_nxt"]
        assert ours["local_addr_used"] == 0 and theirs["local_addr_used"] == 1
        service = [net.SERVICE[version], PORT]
        assert [each["local"] for each in child("told_in_full(s)")[2]] == [service] * 2
        assert ends(child("told_in_full(s)")[2]) == sorted((service[0], *each["local"]) for each in mptcp.full_info(near)[2])
        plain = env.connect(version, multipath=False)
        child("kept('p', l.accept()[0])")
        assert child("mptcp.rules(p)") == kernel("mptcp.rules(ap)")
        assert child("mptcp.protocol(p)") == socket.IPPROTO_TCP
        # by another descriptor, and in a child
        child("kept('d', s.dup()), s.close()")
        assert child("mptcp.protocol(d)") == mptcp.IPPROTO_MPTCP and child("in_a_child('mptcp.says_mptcp(d)')") == 1
        near.close(), plain.close()
        assert child("received(d, 1)") == ""


@braid_only
@cases(**VERSIONS)
def test_without_a_daemon_it_is_as_if_it_had_fallen_back(env, version):
    env.home.cpe.sysctl(net__mptcp__enabled=0)  # nor need the kernel know MPTCP
    with Program(env.home.cpe, preload=False) as child:
        try:
            child("mptcp.opened()")
            raise AssertionError("the kernel has no MPTCP here")
        except OSError as error:
            assert error.errno in (errno.ENOPROTOOPT, errno.EPROTONOSUPPORT)
    with Program(env.home.cpe) as child:
        far = connect(env, child, version)
        greet(child, far)
        assert not mptcp.is_mptcp(far)
        assert child("mptcp.protocol(s)") == mptcp.IPPROTO_MPTCP and child("mptcp.says_mptcp(s)") == 0
        assert child("mptcp.is_mptcp(s)") is False


@braid_only
def test_the_kernel_need_not_know_mptcp_and_the_user_has_the_last_word(env):
    env.home.cpe.sysctl(net__mptcp__enabled=0)
    router = start(env)
    with Program(env.home.cpe, router) as child:
        far = connect(env, child)
        assert mptcp.is_mptcp(far) and child("mptcp.is_mptcp(s)") is True
        far = connect(env, child, port=PORT + 1, before=["enable(s, 0)"])
        assert not mptcp.is_mptcp(far) and child("mptcp.is_mptcp(s)") is False
        bound = env.home.uplinks[2].address()
        far = connect(env, child, port=PORT + 2, before=[f"s.bind(('{bound}', 0))"])
        greet(child, far)  # who asks for MPTCP has it from the address that it has bound to, too
        assert [each["local"][0] for each in child("told_in_full(s)")[2]] == [bound] and mptcp.is_mptcp(far)
        for kind, protocol in ((socket.SOCK_DGRAM, mptcp.IPPROTO_MPTCP), (socket.SOCK_SEQPACKET, mptcp.IPPROTO_MPTCP)):
            with contextlib.suppress(OSError):
                child(f"socket.socket(socket.AF_INET, {int(kind)}, {protocol})")
                raise AssertionError("left to the kernel, which has no such sockets")
    with Program(env.home.cpe, router, BRAID_MPTCP="0") as child:  # braidrun --no-mptcp
        far = connect(env, child, port=PORT + 3)
        assert not mptcp.is_mptcp(far) and child("mptcp.is_mptcp(s)") is False


@braid_only
def test_a_connection_that_does_not_block_and_one_that_is_over(env):
    router = start(env)
    with Program(env.home.cpe, router) as child:
        address = home.MULTI[4]
        listener = env.listen(4, address=address, at=env.home.multi, multipath=True)
        child("kept('s', mptcp.opened()), s.setblocking(False)")
        assert child(f"s.connect_ex(('{address}', {PORT}))") == errno.EINPROGRESS
        assert child("mptcp.protocol(s)") == mptcp.IPPROTO_MPTCP and child("mptcp.says_mptcp(s)") == 1
        assert told(child)["flags"] in (0, 2)
        far = env.accept(listener)
        assert child("select.select([], [s], [], 10)[1] == [s]")
        until(lambda: told(child)["flags"] == 2, "the connection over the uplinks is there")
        child("s.setblocking(True)")
        greet(child, far)
        far.close()
        assert child("received(s, 1)") == ""
        child("s.shutdown(socket.SHUT_WR)")
        until(lambda: not router.connections(), "it is over")
        assert told(child)["subflows_total"] <= 1 and child("mptcp.protocol(s)") == mptcp.IPPROTO_MPTCP


# ---- ordinary programs

def under_braidrun(env, router, *words):
    return env.home.cpe.run("mptcpize", "run", "env", f"BRAID_LIBRARY={BUILD / 'libbraid-socket.so'}", ROOT / "deploy" / "braidrun",
                            "--socket", router.directory / "app.sock", *words, limit=60)


@braid_only
@cases(**{"kernel-with-mptcp": 1, "kernel-without": 0})
def test_mptcpize_has_programs_ask_for_braids_sockets(env, kernel):
    """libmptcpwrap asks the kernel for MPTCP instead of TCP, by itself: libbraid-socket before it takes one of Braid's instead."""
    router = start(env)
    env.home.cpe.sysctl(net__mptcp__enabled=kernel)
    server = Process(env.home.multi.command("mptcpize", "run", "iperf3", "-s"), "iperf3")
    script = "import socket, sys; sys.path.insert(0, {0!r}); import mptcp; s = socket.create_connection(({1!r}, 5201)); " \
             "print(mptcp.protocol(s), mptcp.is_mptcp(s))".format(str(ROOT / "tests" / "e2e" / "lib"), home.MULTI[4])
    try:
        with env.home.multi.entered():
            until(listening, "iperf3 listens")
        assert under_braidrun(env, router, "python3", "-c", script).stdout.split() == ["262", "True"]
        done = under_braidrun(env, router, "iperf3", "-c", home.MULTI[4], "-t", "1", "-J")
    finally:
        server.kill()
    assert json.loads(done.stdout)["end"]["sum_received"]["bytes"] > MIB


HAPROXY = """global
    nbthread 2
defaults
    mode tcp
    timeout connect 10s
    timeout client 10s
    timeout server 10s
listen all
    bind 127.0.0.1:8080
    option splice-auto
    server one {server}
"""


@braid_only
def test_haproxy_listens_and_connects_by_such_sockets(env):
    """A program with threads, splice and children, all of whose sockets are of MPTCP, where the kernel has none."""
    router = start(env)
    env.home.cpe.sysctl(net__mptcp__enabled=0)
    config = env.directory / "haproxy.cfg"
    config.write_text(HAPROXY.format(server=net.join(home.MULTI[4], PORT)))
    listener = env.listen(address=home.MULTI[4], at=env.home.multi, multipath=True)
    words = ["mptcpize", "run", "env", f"BRAID_LIBRARY={BUILD / 'libbraid-socket.so'}", ROOT / "deploy" / "braidrun",
             "--socket", router.directory / "app.sock", "haproxy", "-f", config]
    proxy = Process(env.home.cpe.command(*map(str, words)), "haproxy")
    try:
        with env.home.cpe.entered():
            until(lambda: any(":1F90 " in line for line in listening()), "haproxy listens")  # port 8080
        for _ in range(3):
            near = env.open(multipath=False, at=env.home.cpe)
            near.connect(("127.0.0.1", 8080))
            far = env.accept(listener)
            near.sendall(GREETING)
            assert receive(far, len(GREETING)) == GREETING and mptcp.is_mptcp(far)
            far.sendall(bytes(MIB))
            assert len(receive(near, MIB)) == MIB
            far.close()
            assert near.recv(1) == b""
            near.close()
    finally:
        proxy.kill()
