"""[daemon] seccomp: the filter of system calls is before every thread, and the process that starts the next version has none. That nothing
is missing from the filter is seen by "run --confined", under which a call that is not on the list kills the daemon."""
import os
import signal

from lib import proxy
from lib.proc import run
from lib.stream import MIB, transfer
from lib.suite import braid_only, cases, limit
from lib.wait import until
from test_admin_tls import ask, serve
from test_privileges import statuses
from test_upgrade import children

NONE, FILTERED = "0", "2"


def modes(pid):
    """Those of its threads."""
    return {status["Seccomp"] for status in statuses(pid)}


def filters(pid):
    """How many there are before each call; the machine may have some of its own."""
    return {int(status["Seccomp_filters"]) for status in statuses(pid)}


def spawner(env):
    """The one child that the daemon has."""
    pid, = map(int, children(env.proxy.process.pid).split())
    assert statuses(pid)[0]["Name"] == "braid-spawner"
    return pid


def gone(pid):
    return not os.path.exists(f"/proc/{pid}") or statuses(pid)[0]["State"].startswith("Z")


@braid_only
@limit(120)
def test_every_thread_has_it_and_what_starts_others_has_none(env):
    """Nor do filters pile up from upgrade to upgrade."""
    before = filters(os.getpid())
    env.start(workers=2, daemon={"seccomp": proxy.STRICT})
    assert len(statuses(env.proxy.process.pid)) >= 5 and modes(env.proxy.process.pid) == {FILTERED}
    own = {number + 1 for number in before}
    assert filters(env.proxy.process.pid) == own
    for _ in range(3):
        last = spawner(env)
        assert filters(last) == before
        env.proxy.upgrade()
        until(lambda: gone(last), "the spawner ends with its daemon", 30)
        assert filters(env.proxy.process.pid) == own
    last = spawner(env)
    env.proxy.stop()
    env.proxy = None
    until(lambda: gone(last), "the last one, too", 30)


@braid_only
@cases(default=(None, NONE if proxy.SANITIZED else FILTERED), refuse=("refuse", FILTERED), kill=("kill", FILTERED), log=("log", FILTERED), off=("off", NONE))
def test_a_word(env, word, mode):
    if proxy.SANITIZED and word in ("refuse", "kill"):
        word = "log"
    env.start(daemon={"seccomp": word})
    others = {NONE} & modes(os.getpid())
    assert modes(env.proxy.process.pid) == ({mode} if others else {FILTERED})  # else the machine has one for all


@braid_only
@limit(120)
def test_without_a_spawner_there_is_no_upgrade(env):
    """Somebody has ended it. All else goes on."""
    env.start()
    near, far = env.pair()
    os.kill(spawner(env), signal.SIGKILL)
    done = env.proxy.try_upgrade()
    assert done.returncode == 1 and "braid-spawner, the process that does so, has ended; restart instead" in done.stdout, done
    transfer(near, far, MIB)


@braid_only
@limit(120)
def test_signals_to_all_are_for_the_daemon(env):
    """As by "killall -r braid", or a terminal."""
    env.start()
    for number in (signal.SIGHUP, signal.SIGUSR1, signal.SIGINT, signal.SIGTERM):
        os.kill(spawner(env), number)
    env.proxy.upgrade()
    run([proxy.BRAIDCTL, "-s", env.proxy.control, "status"])


@braid_only
@limit(180)
def test_who_kills_finds_nothing_missing(env):
    """TLS for the admin port, by a reload, and again in the next version."""
    said = serve(env, daemon={"seccomp": proxy.STRICT})
    assert "cannot" not in said, said
    near, far = env.pair()
    for _ in range(2):
        assert ask(env).returncode == 0
        transfer(near, far, MIB, end=False)
        env.proxy.upgrade()
    assert modes(env.proxy.process.pid) == {FILTERED}
