"""Programs that call at awkward moments, or with little left: what works without libbraid-socket works with it."""
import errno

from lib import home, mptcp
from lib.env import GREETING, PORT
from lib.proc import run
from lib.proxy import BUILD, ROOT
from lib.stream import receive
from lib.suite import braid_only, cases
from lib.wait import until
from test_app import connect, greet, program, refused, start, web_server

SOURCE = ROOT / "tests" / "e2e" / "lib" / "strained.c"
MOMENTS = {name: name for name in ("cancelled", "handler", "nowhere")}


@braid_only
@cases(**MOMENTS)
def test_an_awkward_moment(env, name):
    router = start(env)
    strained = env.directory / "strained"
    run(["cc", "-Wall", "-Wextra", "-Werror", "-pthread", "-o", strained, SOURCE])
    env.listen(address=home.MULTI[4], at=env.home.multi, multipath=True)
    wish = ("BRAID_PROFILE=bulk",) if name == "nowhere" else ()
    done = env.home.cpe.run("env", f"LD_PRELOAD={BUILD / 'libbraid-socket.so'}", f"BRAID_APP_SOCKET={router.directory / 'app.sock'}",
                            *wish, strained, name, home.MULTI[4], PORT, check=False)
    assert done.returncode == 0, (done.returncode, done.stderr)


@braid_only
def test_without_a_descriptor_left_nothing_is_done_that_was_not_wanted(env):
    """The daemon cannot be told of the wish, so there is no connection."""
    router = start(env)
    listener = env.listen(address=home.MULTI[4], at=env.home.multi, multipath=True)
    with program(env, router, BRAID_MPTCP="0") as child:
        child("kept('s', opened())")
        child("resource.setrlimit(resource.RLIMIT_NOFILE, (s.fileno() + 1, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))")
        assert refused(child, f"s.connect(('{home.MULTI[4]}', {PORT}))") == errno.ENOBUFS
        child("resource.setrlimit(resource.RLIMIT_NOFILE, (100, 100))")
        child(f"s.connect(('{home.MULTI[4]}', {PORT}))")
        assert not mptcp.is_mptcp(env.accept(listener))


@braid_only
def test_without_a_port_left_connect_says_so(env):
    router = start(env)
    env.listen(address=home.MULTI[4], at=env.home.multi, multipath=True)
    env.home.cpe.sysctl(net__ipv4__ip_local_port_range="40000 40003")
    for environment in ({}, {"BRAID_PROFILE": "bulk"}):
        with program(env, router, **environment) as child:
            said = child(f"[kept(f's{{n}}', opened()) or globals()[f's{{n}}'].connect_ex(('{home.MULTI[4]}', {PORT})) for n in range(6)]")
            assert said[0] == 0 and set(said) == {0, errno.EADDRNOTAVAIL}, said
            child("[globals()[f's{n}'].setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0)) for n in range(6)]")
        until(lambda: not router.connections(), "all have ended, and left no port in TIME_WAIT")


def answer(child, address):
    """What connect to the only port says; the port may be taken, as long as the daemon looks at the socket before."""
    child(f"kept('s', opened({6 if ':' in address else 4}))")
    error = refused(child, f"s.connect(('{address}', 40000))")
    child("s.close()")
    assert error in (errno.ECONNREFUSED, errno.EADDRNOTAVAIL), errno.errorcode.get(error, error)
    return error


@braid_only
def test_nobody_is_connected_to_himself(env):
    """The port that a connection is told by may be that which it is meant for, if nobody listens there: here there is no other."""
    router = start(env)
    env.home.cpe.sysctl(net__ipv4__ip_local_port_range="40000 40000")
    with program(env, router, BRAID_PROFILE="bulk") as child:
        for address in ("127.0.0.1", home.ROUTER[4], "::1"):
            until(lambda address=address: answer(child, address) == errno.ECONNREFUSED, f"{address} refuses")
        listener = env.listen(address=home.MULTI[4], port=40000, at=env.home.multi, multipath=True)
        child("kept('s', opened())")
        child(f"s.connect(('{home.MULTI[4]}', 40000))")
        greet(child, env.accept(listener))


@braid_only
def test_a_connection_that_children_have_too_is_reported_once(env):
    """By whom it was asked for, when that closes it."""
    router = start(env)
    report = env.directory / "report"
    report.touch()
    with program(env, router, BRAID_STATS=str(report)) as child:
        far = connect(env, child)
        greet(child, far)
        assert child("in_a_child('os.close(s.fileno())')") is None
        assert not report.read_text()
        child("s.sendall(b'and more')")
        assert receive(far, 8) == b"and more"
        child("s.close()")
        until(report.read_text, "the report")
        lines = [line.split() for line in report.read_text().splitlines()]
        assert len({tuple(line[2:4]) for line in lines}) == len(lines) and {line[0] for line in lines} == {str(child("os.getpid()"))}
        assert sum(int(line[4]) for line in lines) == len("good morningand more"), lines


@braid_only
def test_a_program_that_changes_its_directory_keeps_the_library(env):
    router = start(env)
    (env.directory / "lib").mkdir()
    library = env.directory / "lib" / "it.so"
    library.symlink_to(BUILD / "libbraid-socket.so")
    run_in = ("env", "-C", env.directory, "BRAID_LIBRARY=lib/it.so", ROOT / "deploy" / "braidrun", "--socket", router.directory / "app.sock")
    curl = f"curl -sS -m 10 http://{home.MULTI[4]}:{PORT}/"
    with web_server(env) as asked:
        done = env.home.cpe.run(*run_in, "--no-mptcp", "sh", "-c", f"cd / && {curl}")
        assert (done.stdout, done.stderr) == (GREETING.decode(), "") and not asked[0][1]
    spaced = env.directory / "l i b.so"
    spaced.symlink_to(library)
    done = env.home.cpe.run("env", f"BRAID_LIBRARY={spaced}", ROOT / "deploy" / "braidrun", "true", check=False)
    assert done.returncode == 2 and "blanks" in done.stderr


@braid_only
def test_beside_other_preloaded_libraries(env):
    """Before them and behind them; its own wishes hold in any case."""
    router = start(env)
    url = f"http://{home.MULTI[4]}:{PORT}/"
    curl = ("curl", "-sS", "-m", "10", url)
    one = env.home.uplinks[1].address()
    options = ("--socket", router.directory / "app.sock", "--no-mptcp", "--local", one)
    braid = ("env", f"BRAID_LIBRARY={BUILD / 'libbraid-socket.so'}", ROOT / "deploy" / "braidrun", *options)
    with web_server(env) as asked:
        for words in ((*braid, "stdbuf", "-oL", *curl), ("stdbuf", "-oL", *braid, *curl)):
            assert env.home.cpe.run(*words).stdout == GREETING.decode()
            assert asked.pop() == (one, False), words
