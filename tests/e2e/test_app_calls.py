"""What programs do with sockets, call by call, in Python (lib/exercise.py) and node: the same under braidrun as over plain TCP."""
import json
import pathlib
import sys

from lib import exercise
from lib.proc import run
from lib.stream import MIB
from lib.suite import braid_only, cases, limit, long
from lib.ways import HOST, same_each_way
from test_app_programs import VERSIONS, certificate

EXERCISE = pathlib.Path(exercise.__file__)
NODE = EXERCISE.with_suffix(".js")


@braid_only
@limit(180)
@cases(**VERSIONS)
def test_python(env, version):
    """Connecting without blocking, half-close, sendfile, splice, TLS, dup, fork, descriptors that are passed on, resets, threads, and
    a thousand descriptors."""
    certificate(env.directory)

    def work(way):
        way.serve((exercise.PORT, exercise.SECURE), sys.executable, EXERCISE, "server", version, env.directory / "certificate", env.directory / "key")
        done = run(way.client(sys.executable, EXERCISE, "client", HOST, env.directory / "certificate"), limit=120)
        assert not done.stderr, done.stderr
        return json.loads(done.stdout)

    result = same_each_way(env, version, (exercise.PORT, exercise.SECURE), work, MIB)
    assert result["half_close"][-1] and result["crowd"] == exercise.CROWD and result["threads"] == 160
    assert result["non_blocking"] == [[["EINPROGRESS", 0, 0], [True], 0], [["EINPROGRESS", "ECONNREFUSED", 0], [True], 0]]


@long
@braid_only
@limit(180)
def test_node(env):
    """Its event loop as client and as a cluster of processes that share listening sockets: HTTP, TLS, connections that are half open."""
    certificate(env.directory)

    def work(way):
        way.serve((8200, 8201, 8202), "node", NODE, "server", way.version, env.directory / "certificate", env.directory / "key")
        done = run(way.client("node", NODE, "client", HOST, env.directory / "certificate"), limit=120)
        assert not done.stderr, done.stderr
        return json.loads(done.stdout)

    result = same_each_way(env, 6, (8200, 8201, 8202), work, MIB)
    assert result["get"] == result["secure"] and result["put"] == [200, 64, result["get"][2]] and result["half-close"][:2] == [True, False]
    assert len(result["many"]) == 100 and all(each[:2] == [True, False] for each in result["many"])
