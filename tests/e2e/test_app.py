"""The application interface (RFC 6897): programs on the machine of a CPE, with libbraid-socket preloaded, set and read the
options of their own connections."""
import array
import concurrent.futures
import contextlib
import errno
import http.server
import json
import signal
import socket
import struct
import threading
import time

from lib import home, mptcp, net
from lib.carried import connect, greet, refuses, start, uplink_addresses
from lib.env import GREETING, Edge
from lib.program import Program
from lib.proc import Process, run
from lib.proxy import BUILD, PORT, ROOT, Cpe, Section, listening
from lib.stream import MIB, receive
from lib.suite import braid_only, cases
from lib.wait import FACTOR, until

VERSIONS = {"ipv4": 4, "ipv6": 6}
OWN = {4: "10.200.0.254", 6: "fd00:200::fe"}


@contextlib.contextmanager
def program(env, router, **how):
    with Program(env.home.cpe, router, **how) as child:
        yield child


def refused(child, expression):
    """The errno that it fails with."""
    try:
        value = child(expression)
    except OSError as error:
        return error.errno
    raise AssertionError(f"{expression} gave {value}")


def wan_of(router):
    """The only connection over the uplinks."""
    wan, = (c for c in router.connections() if c["side"] == "wan")
    return router.ctl("show", wan["id"])


def local_addresses(child):
    return sorted(local[0] for local, _ in child("subflows(s)"))


@braid_only
@cases(**VERSIONS)
def test_a_program_reads_what_has_become_of_its_connection(env, version):
    router = start(env)
    with program(env, router) as child:
        far = connect(env, child, version)
        greet(child, far)
        wanted = sorted(uplink.address(version) for uplink in env.home.uplinks)
        until(lambda: local_addresses(child) == wanted, "the program sees a subflow over each uplink")
        server = [env.home.where(env.home.multi)[version], PORT]
        assert all(remote == server for _, remote in child("subflows(s)"))
        assert len(child("subflows(s, most=2)")) == 2
        assert child("enable(s)") == 1
        wan = next(c for c in router.connections() if c["side"] == "wan")
        assert child("connid(s)") == int(router.ctl("show", wan["id"])["token"], 16)
        assert child("s.getpeername()")[:2] == server and child("s.getsockname()")[0] == OWN[version]
        assert refused(child, "enable(s, 0)") == errno.EISCONN


@braid_only
def test_connections_that_come_by_way_of_a_socket_are_known_as_well(env):
    """mode tproxy: their source is the uplink's by which the kernel would have sent them, which nobody has bound to."""
    router = env.daemon(env.home.cpe, [Cpe(intercept="tproxy", listen="127.0.0.1:8684, [::1]:8684")])
    env.steer("up", "--local", "--tproxy", "8684", at=env.home.cpe)
    with program(env, router) as child:
        far = connect(env, child)
        greet(child, far)
        assert child("enable(s)") == 1 and child("connid(s)") > 0
        one, = uplink_addresses(env, 1)
        far = connect(env, child, port=PORT + 1, before=[f"add(s, '{one}')"])
        greet(child, far)
        assert local_addresses(child) == [one]
        connect(env, child, port=PORT + 2, before=["enable(s, 0)"])
        assert child("enable(s)") == 0


@braid_only
def test_before_there_is_a_connection_little_can_be_read(env):
    router = start(env)
    with program(env, router) as child:
        child("kept('s', opened())")
        for option in ("enable(s)", "connid(s)", "subflows(s)"):
            assert refused(child, option) == errno.ENOTCONN
        child("enable(s, 0)")
        assert child("enable(s)") == 0
        assert refused(child, "enable(s, -1)") == errno.EINVAL
        for option in ("ADD", "REMOVE"):
            assert refused(child, f"s.getsockopt(LEVEL, {option})") == errno.ENOPROTOOPT
        for option in ("SUBFLOWS", "CONNID"):
            assert refused(child, f"s.setsockopt(LEVEL, {option}, 1)") == errno.ENOPROTOOPT
        child("kept('l', socket.create_server(('127.0.0.1', 0)))")
        assert refused(child, "of_subflow(l, CLOSE, 0)") == errno.EOPNOTSUPP


@braid_only
def test_to_a_server_without_mptcp_it_is_plain_tcp(env):
    router = start(env)
    with program(env, router) as child:
        far = connect(env, child, server=env.home.plain)
        greet(child, far)
        assert child("enable(s)") == 0
        assert refused(child, "connid(s)") == errno.EOPNOTSUPP
        assert len(child("subflows(s)")) == 1


@braid_only
def test_without_a_daemon_there_are_no_such_options_and_tcp_works(env):
    with Program(env.home.cpe) as child:
        for before in ("enable(s, 0)", f"add(s, '{env.home.uplinks[0].address()}')"):
            child("kept('s', opened())")
            assert refused(child, before) == errno.ENOPROTOOPT
        far = connect(env, child)
        greet(child, far)
        for option in ("enable(s)", "connid(s)", "subflows(s)"):
            assert refused(child, option) == errno.ENOPROTOOPT

def listed(addresses):
    return ", ".join(f"'{address}'" for address in addresses)


def syns_with_mptcp(router):
    return router.counters()["MPTcpExtMPCapableSYNTX"]


@braid_only
@cases(**VERSIONS)
def test_a_program_that_wants_no_mptcp_has_none(env, version):
    router = start(env)
    with program(env, router) as child:
        far = connect(env, child, version, before=["enable(s, 0)"])
        assert child("enable(s)") == 0 and not mptcp.is_mptcp(far)
        greet(child, far)
        assert len(child("subflows(s)")) == 1 and syns_with_mptcp(router) == 0
        far = connect(env, child, version, port=PORT + 1, before=["enable(s, 1)"])
        assert child("enable(s)") == 1 and mptcp.is_mptcp(far)


@braid_only
def test_the_statistics_tell_what_each_subflow_has_carried(env):
    router = start(env)
    with program(env, router) as child:
        far = connect(env, child)
        greet(child, far)
        until(lambda: len(child("subflows(s)")) == 3, "a subflow over each uplink")
        with concurrent.futures.ThreadPoolExecutor(1) as beside:  # the buffers may not hold it all
            got = beside.submit(receive, far, 4 * MIB)
            child(f"s.sendall(bytes({4 * MIB}))")
            got.result()
        figures = child("statistics(s)")
        assert [f["subflow"] for f in figures] == [0, 1, 2] and all(f["flags"] == 1 for f in figures), figures
        assert sum(f["sent"] for f in figures) >= 4 * MIB + len(GREETING)
        assert sum(f["received"] for f in figures) == len(GREETING) and figures[0]["rtt_us"] > 0
        assert sorted(f["local"][0] for f in figures) == uplink_addresses(env, 0, 1, 2)


@braid_only
def test_single_subflows_are_opened_spared_and_closed(env):
    router = start(env)
    with program(env, router) as child:
        zero, one = uplink_addresses(env, 0, 1)
        far = connect(env, child, before=[f"add(s, '{zero}')"])
        greet(child, far)
        until(lambda: not refuses(child, f"join(s, '{one}', port=50321)", errno.EAGAIN), "the server has shown that it has the key")
        until(lambda: [[one, 50321], [home.MULTI[4], PORT]] in child("subflows(s)"), "the subflow that was asked for")
        assert refused(child, f"join(s, '{one}', ('198.18.2.2', {PORT}))") == errno.EACCES
        assert refused(child, "join(s, '192.0.2.9')") == errno.EADDRNOTAVAIL
        first, second = child("statistics(s)")
        child(f"of_subflow(s, SPARE, {first['subflow']})")
        until(lambda: [f["flags"] for f in child("statistics(s)")] == [3, 1], "the first is a backup")
        until(lambda: env.home.multi.counters()["MPTcpExtMPPrioRx"] == 1, "the server has heard of it")
        before = child("statistics(s)")
        child(f"s.sendall(bytes({MIB}))")
        receive(far, MIB)
        after = child("statistics(s)")
        spare, used = (after[number]["sent"] - before[number]["sent"] for number in (0, 1))
        assert spare < MIB // 4 and spare + used >= MIB, (spare, used)  # where the one that is used hesitates, a little may go by the other
        child(f"of_subflow(s, USE, {first['subflow']})")
        until(lambda: child("statistics(s)")[0]["flags"] == 1, "and one like the other again")
        child(f"of_subflow(s, CLOSE, {second['subflow']})")
        until(lambda: local_addresses(child) == [zero], "the second is gone")
        assert refused(child, f"of_subflow(s, CLOSE, {second['subflow']})") == errno.ENOENT
        greet(child, far)


@braid_only
def test_a_profile_is_named_before_and_later(env):
    router = start(env)
    with program(env, router) as child:
        child("kept('s', opened())")
        assert refused(child, "profile(s, 'none-such')") == errno.EINVAL
        connect(env, child, before=["profile(s, 'interactive')"])
        assert child("profile(s)") == "interactive" and wan_of(router)["scheduler"] == "lowlatency"
        child("profile(s, 'resilient')")
        assert child("profile(s)") == "resilient" and wan_of(router)["scheduler"] == "redundant"


@braid_only
def test_only_the_addresses_that_were_added_are_used(env):
    router = start(env)
    with program(env, router) as child:
        one, two = uplink_addresses(env, 1, 2)
        far = connect(env, child, before=[f"add(s, '{two}')"])
        greet(child, far)
        child(f"add(s, '{one}')")
        until(lambda: local_addresses(child) == [one, two], "a subflow from the address that was added")
        assert {s["remote"] for s in mptcp.subflows(far)} == {one, two}


@braid_only
def test_an_address_that_is_removed_is_left_and_the_peer_is_told(env):
    router = start(env)
    with program(env, router) as child:
        zero, one, two = uplink_addresses(env, 0, 1, 2)
        far = connect(env, child)
        greet(child, far)
        until(lambda: local_addresses(child) == [zero, one, two], "a subflow over each uplink")
        child(f"remove(s, '{zero}')")  # that of the first subflow
        until(lambda: local_addresses(child) == [one, two], "no subflow is left there")
        until(lambda: env.home.multi.counters()["MPTcpExtRmAddr"] == 1, "the server has heard of it")
        greet(child, far)
        assert child("s.getsockname()")[0] == OWN[4]


@braid_only
def test_the_first_address_is_left_when_there_is_another(env):
    """RFC 6897 section 5.3.3: alternatives come before the removal."""
    router = start(env)
    with program(env, router) as child:
        one, two = uplink_addresses(env, 1, 2)
        far = connect(env, child, before=[f"add(s, '{one}')"])
        greet(child, far)
        child(f"remove(s, '{one}')")
        child(f"add(s, '{two}')")
        until(lambda: local_addresses(child) == [two], "the connection has moved")
        greet(child, far)


@braid_only
def test_addresses_of_both_families_in_one_call_and_none_that_is_no_uplinks(env):
    router = start(env)
    with program(env, router) as child:
        mixed = [*uplink_addresses(env, 0, 1), *uplink_addresses(env, 2, version=6)]
        for foreign in ("192.0.2.9", "192.168.77.1"):
            child("kept('s', opened())")
            assert refused(child, f"add(s, {listed([*mixed, foreign])})") == errno.EADDRNOTAVAIL
        assert refused(child, "s.setsockopt(LEVEL, ADD, b'1234')") == errno.EAFNOSUPPORT
        assert refused(child, f"add(s, {listed(mixed * 3)})") == errno.EINVAL
        far = connect(env, child, 6, before=[f"add(s, {listed(mixed)})"])
        greet(child, far)
        assert local_addresses(child) == uplink_addresses(env, 2, version=6)


@braid_only
def test_a_program_that_binds_to_an_address_means_that_one(env):
    """Also without the library, and unless it says otherwise (RFC 6897 sections 4.2.1 and 5.3.2)."""
    router = start(env)
    two, one = uplink_addresses(env, 2, 1)
    with Program(env.home.cpe, router, preload=False) as child:
        far = connect(env, child, before=[f"s.bind(('{two}', 0))"])
        assert not mptcp.is_mptcp(far) and not router.connections()  # the kernel's, as without Braid
    with program(env, router) as child:
        far = connect(env, child, port=PORT + 1, before=[f"s.bind(('{two}', 0))", "enable(s, 1)"])
        greet(child, far)
        assert child("enable(s)") == 1 and local_addresses(child) == [two]
        far = connect(env, child, port=PORT + 2, before=[f"s.bind(('{two}', 0))", f"add(s, '{one}')"])
        greet(child, far)
        until(lambda: local_addresses(child) == [one, two], "the address that it has bound to, and the one it has added")


@braid_only
def test_a_program_that_binds_to_a_device_is_the_kernels(env):
    router = start(env)
    with program(env, router) as child:
        far = connect(env, child, before=["s.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b'wan1')"])
        assert far.getpeername()[0] == env.home.uplinks[1].address() and not router.connections()
        assert refused(child, "enable(s)") == errno.ENOPROTOOPT


@braid_only
def test_descriptors_may_be_duplicated_and_children_inherit(env):
    router = start(env)
    with program(env, router) as child:
        far = connect(env, child, before=["enable(s, 0)", "kept('old', s)", "kept('s', s.dup())", "old.close()"])
        assert not mptcp.is_mptcp(far)
        assert child("enable(s)") == 0
        far = connect(env, child, port=PORT + 1)
        assert child("in_a_child('enable(s)')") == 1


@braid_only
def test_threads_and_their_children_do_not_disturb_one_another(env):
    """More of them than the daemon lets in of one user at a time: they wait for their turn."""
    router = start(env)
    with program(env, router) as child:
        address = home.MULTI[4]
        env.listen(address=address, at=env.home.multi, multipath=True)
        assert child(f"in_threads(100, lambda i: asked_for('{address}', {PORT}, i % 2))") == [0, 1] * 50
        forks = f"lambda i: in_a_child(\"asked_for('{address}', {PORT}, {{}})\".format(i % 2))"
        assert child(f"in_threads(10, {forks})") == [0, 1] * 5
    assert not any("warn" in line for line in router.process.lines)


@braid_only
def test_a_connection_that_does_not_block_keeps_its_wishes(env):
    router = start(env)
    with program(env, router) as child:
        two, = uplink_addresses(env, 2)
        address = env.home.where(env.home.multi)[4]
        listener = env.listen(4, address=address, at=env.home.multi, multipath=True)
        for expression in ("kept('s', opened())", "s.setblocking(False)", f"add(s, '{two}')"):
            child(expression)
        assert child(f"s.connect_ex(('{address}', {PORT}))") == errno.EINPROGRESS
        far = env.accept(listener)
        assert child("select.select([], [s], [], 10)[1] == [s]")
        assert child("s.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)") == 0
        child("s.setblocking(True)")
        greet(child, far)
        assert local_addresses(child) == [two] and child("enable(s)") == 1


SERVERS = {"ipv4": (4, "127.0.0.1"), "ipv6": (6, "::1")}


@braid_only
@cases(**SERVERS)
def test_a_server_reads_what_its_clients_have(env, version, address):
    """The other way round: of a connection that it has accepted from the daemon of an edge on its machine."""
    env.topology.endpoint(2, version=version)
    env.start([Edge("web", version, target=net.join(address, 9000))])
    with Program(env.topology.braid, env.proxy) as child:
        child(f"kept('l', socket.create_server(('{address}', 9000), family=opened({version}).family))")
        near = env.connect(version)
        child("kept('s', l.accept()[0])")
        near.sendall(GREETING)
        child(f"s.sendall(received(s, {len(GREETING)}).encode())")
        assert receive(near, len(GREETING)) == GREETING
        service = net.SERVICE[version]
        clients = sorted(net.client_address(path, version) for path in (1, 2))
        until(lambda: sorted(remote[0] for _, remote in child("subflows(s)")) == clients, "both paths of the client are seen")
        assert all(local == [service, PORT] for local, _ in child("subflows(s)"))
        assert child("enable(s)") == 1 and child("connid(s)") == int(env.proxy.connection()["token"], 16)
        plain = env.connect(version, multipath=False)
        child("kept('p', l.accept()[0])")
        assert child("enable(p)") == 0 and child("enable(s)") == 1
        assert refused(child, "connid(p)") == errno.EOPNOTSUPP
        near.close()
        assert child("received(s, 1)") == ""
        plain.close()


def braidrun(env, router, *words, **how):
    """Runs a program on the router under braidrun to its end."""
    return env.home.cpe.run("env", f"BRAID_LIBRARY={BUILD / 'libbraid-socket.so'}", ROOT / "deploy" / "braidrun", "--socket",
                            router.directory / "app.sock", *words, **how)


@contextlib.contextmanager
def web_server(env):
    """In the namespace of the server with MPTCP; gives the peers that it has been asked by, and whether by MPTCP."""
    asked = []

    class Answer(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append((self.client_address[0], mptcp.is_mptcp(self.connection)))
            self.send_response(200)
            self.end_headers()
            self.wfile.write(GREETING)

        def log_message(self, *_):
            pass

    listener = env.listen(address=home.MULTI[4], at=env.home.multi, multipath=True)
    server = http.server.HTTPServer(listener.getsockname(), Answer, bind_and_activate=False)
    server.socket.close()
    server.socket = listener
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield asked
    finally:
        server.shutdown()
        thread.join()


@braid_only
def test_curl_under_braidrun(env):
    router = start(env)
    url = f"http://{home.MULTI[4]}:{PORT}/"
    one, two = uplink_addresses(env, 1, 2)
    with web_server(env) as asked:
        for options in ((), ("--no-mptcp",), ("--local", one), (f"--local={one},{two}", "--no-mptcp"),
                        ("--profile", "interactive", "--local", two)):
            done = braidrun(env, router, *options, "curl", "-sS", "-m", "10", url)
            assert done.stdout == GREETING.decode()
        assert asked[0][1] and not asked[1][1]
        assert asked[2] == (one, True) and asked[3] == (one, False) and asked[4] == (two, True)
        for options, why in (("--profile", "none-such"), "Invalid argument"), (("--local", "192.0.2.9"), "assign requested address"):
            done = braidrun(env, router, *options, "curl", "-sSv", "-m", "10", url, check=False)
            assert done.returncode == 7 and why in done.stderr, done.stderr
        assert len(asked) == 5
        assert braidrun(env, router, "sh", "-c", "exit 3", check=False).returncode == 3


@braid_only
def test_stats_are_a_table_of_subflows_and_bytes(env):
    router = start(env)
    listener = env.listen(address=home.MULTI[4], at=env.home.multi, multipath=True)
    script = (f"import socket; s = socket.create_connection(('{home.MULTI[4]}', {PORT}));\n"
              f"while (n := s.recv(65536)): pass\ns.close()")
    done = []
    thread = threading.Thread(target=lambda: done.append(braidrun(env, router, "--stats", "python3", "-c", script)))
    thread.start()
    far = env.accept(listener)
    far.sendall(bytes(8 * MIB))
    until(lambda: len(mptcp.established(far)) == 3, "a subflow over each uplink")
    far.sendall(bytes(8 * MIB))
    far.close()
    thread.join()
    assert done, "it has ended in order"
    head, *rows, total = [line.split() for line in done[0].stderr.splitlines()]
    assert head == ["process", "connection", "local", "remote", "sent", "received", "rtt/ms"]
    assert sorted(row[2].rpartition(":")[0] for row in rows) == uplink_addresses(env, 0, 1, 2)
    assert {row[3] for row in rows} == {f"{home.MULTI[4]}:{PORT}"} and len({row[1] for row in rows}) == 1
    assert sum(int(row[5]) for row in rows) == int(total[5]) >= 16 * MIB and all(float(row[6]) >= 0 for row in rows)
    assert braidrun(env, router, "--stats", "sh", "-c", "exit 3", check=False).returncode == 3


@braid_only
def test_braidrun_says_what_is_wrong(env):
    for words in (("--local", "nonsense", "true"), ("--local", "1.2.3.4," * 9, "true"), ("--profile", "x" * 32, "true"), ("--local",),
                  ("--nonsense", "true"), ()):
        done = run([ROOT / "deploy" / "braidrun", *words], check=False)
        assert done.returncode == 2 and done.stderr.startswith("braidrun: ") and done.stderr.count("\n") == 1, (words, done.stderr)


# ---- calls of SCTP's

@braid_only
@cases(**VERSIONS)
def test_a_program_for_sctp_chooses_and_sees_addresses(env, version):
    router = start(env)
    server = [env.home.where(env.home.multi)[version], PORT]
    listener = env.listen(version, PORT, address=server[0], at=env.home.multi, multipath=True)
    with program(env, router) as child:
        own = uplink_addresses(env, 0, 1, version=version)
        child(f"kept('s', opened({version}))")
        child(f"bindx(s, {listed(own)})")
        assert [address for address, _ in child("addresses_of(s, True)")] == own
        child(f"s.settimeout(None), connectx(s, {PORT}, '{server[0]}')")
        far = env.accept(listener)
        greet(child, far)
        until(lambda: sorted(address for address, _ in child("addresses_of(s, True)")) == sorted(own), "both have a subflow")
        assert all(port == child("s.getsockname()")[1] for _, port in child("addresses_of(s, True)"))
        assert child("addresses_of(s, False)") == [server]
        child(f"bindx(s, '{own[0]}', add_them=False)")
        until(lambda: [address for address, _ in child("addresses_of(s, True)")] == own[1:], "one is taken away")
        third = uplink_addresses(env, 2, version=version)
        child(f"bindx(s, '{third[0]}')")
        until(lambda: sorted(address for address, _ in child("addresses_of(s, True)")) == sorted(own[1:] + third), "another one comes")
        greet(child, far)
        assert refused(child, "bindx(s, '192.0.2.9')") == errno.EADDRNOTAVAIL


@braid_only
def test_iperf3_for_sctp_runs_over_mptcp(env):
    """A program written for SCTP, as it is packaged. Its server has TCP sockets, too, and no daemon on its machine."""
    env.build_home(*({"mbit": 50} for _ in range(3)))  # else one is enough
    peer = net.join(home.service(1, 4), 5124)
    env.daemon(env.home.edge, [Section("edge conv", mode="convert", open="yes", listen=peer)])
    router = start(env, mode="convert", peer=peer)
    server = Process(env.home.plain.command("env", f"LD_PRELOAD={BUILD / 'libbraid-socket.so'}", "BRAID_SCTP=1", "iperf3", "-s"), "iperf3")
    try:
        with env.home.plain.entered():
            until(listening, "iperf3 listens")
        words = [word for address in uplink_addresses(env, 1, 2) for word in ("-X", address)]
        done = braidrun(env, router, "--sctp", "iperf3", "-4", "--sctp", "-N", "-c", home.PLAIN[4], "-n", "20M", "-J", *words, limit=60)
    finally:
        server.kill()
    assert json.loads(done.stdout)["end"]["sum_received"]["bytes"] > 2**20
    used = {each["name"]: each["bytes"] for each in router.ctl("uplinks")["uplinks"]}
    # its control connection is an ordinary one
    assert used["wan0"] < 2**17 and used["wan1"] > 2**20 and used["wan2"] > 2**20, used


# ---- who means harm

def channel(router):
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    sock.settimeout(10)
    sock.connect(str(router.directory / "app.sock"))
    return sock


def question(kind=2, option=1, number=7):
    """A request as of src/app/message.h: to read ENABLE, unless told otherwise."""
    return b"Br" + struct.pack(">BBIBBB", 1, kind, number, 1, 1, option)


def ask(router, message, *descriptors):
    """The errno that is answered, 0 for success; None: the daemon has hung up."""
    with channel(router) as sock:
        rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [d.fileno() for d in descriptors]))] if descriptors else []
        sock.sendmsg([message], rights)
        answer = sock.recv(4096)
    if not answer:
        return None
    assert answer[:4] == b"Br\x01\x04" and answer[4:8] == struct.pack(">I", 7)
    return struct.unpack(">I", answer[10:14])[0] if answer[8:10] == b"\x03\x04" else 0


@braid_only
def test_who_has_no_descriptor_of_the_connection_is_told_nothing(env):
    router = start(env)
    with program(env, router) as child, open("/dev/null") as file:
        connect(env, child)
        own, far = child("s.getsockname()"), child("s.getpeername()")
        assert ask(router, question()) == errno.EBADF
        assert ask(router, question(), file) == errno.ENOTSOCK
        udp = env.keep(env.home.cpe.socket(4, socket.IPPROTO_UDP, socket.SOCK_DGRAM))
        assert ask(router, question(), udp) == errno.EOPNOTSUPP
        fresh = env.keep(env.home.cpe.socket(4))
        assert ask(router, question(), fresh) == errno.ENOTCONN
        assert ask(router, question(), fresh, fresh) == errno.EBADF
        # The same addresses, in another network namespace, where anybody may have them.
        forger = env.home.add("forger")
        for address in (own[0], far[0]):
            forger.ip("address", "add", f"{address}/32", "dev", "lo")
        listener = env.listen(address=far[0], port=far[1], at=forger)
        forged = env.open(source=None, multipath=False, at=forger)
        forged.bind(tuple(own))
        forged.connect(tuple(far))
        env.accept(listener)
        assert forged.getsockname() == tuple(own) and forged.getpeername() == tuple(far)
        assert ask(router, question(), forged) == errno.EXDEV
        assert child("enable(s)") == 1


@braid_only
def test_nonsense_and_idle_programs_harm_nobody(env):
    router = start(env)
    with program(env, router) as child:
        connect(env, child)
        for message in (b"", b"x", b"Br", b"Br\x02\x02\0\0\0\x07", question()[:-1], question(kind=4), b"\xff" * 3000):
            if message:
                assert ask(router, message) is None
        for option in (0, *range(100, 110), 255):
            assert ask(router, question(option=option)) is None
        idle = [channel(router) for _ in range(64)]  # of one user no more are let in
        with channel(router) as crowd:
            assert crowd.recv(10) == b""
        idle.pop().close()
        assert child("enable(s)") == 1
        for sock in idle:
            sock.close()
    router.healthy()


@braid_only
def test_a_daemon_that_ends_or_stands_still_hangs_nobody(env):
    router = start(env)
    with program(env, router) as child:
        far = connect(env, child)
        assert child("enable(s)") == 1
        router.process.signal(signal.SIGSTOP)
        started = time.monotonic()
        assert refused(child, "enable(s)") == errno.ENOBUFS
        assert time.monotonic() - started < 5 * FACTOR
        router.process.signal(signal.SIGCONT)
        until(lambda: child("enable(s)") == 1, "it works again")
        far.close()
        child("s.close()")
        router.stop()
        env.daemons.remove(router)
        child("kept('s', opened())")
        assert refused(child, "enable(s, 0)") == errno.ENOPROTOOPT
        start(env)
        until(lambda: connect(env, child, port=PORT + 1), "a connection by the next daemon")
        assert child("enable(s)") == 1
