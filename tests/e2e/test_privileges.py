"""[daemon] user: root starts the daemon, which becomes somebody else with what it needs, and no more; all works as before."""
import contextlib
import grp
import os
import pwd
import shutil

from lib import proxy
from lib.proc import Process, run
from lib.proxy import ADMIN, Cpe, Edge, configuration
from lib.stream import MIB, transfer
from lib.suite import braid_only, limit
from lib.wait import until

from test_reload import reload_text

USER = pwd.getpwnam("nobody")
AS_USER = {"user": USER.pw_name}
CAP_NET_BIND_SERVICE, CAP_NET_ADMIN, CAP_NET_RAW = 1 << 10, 1 << 12, 1 << 13
SETS = ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")


def statuses(pid):
    """What the kernel says of each thread."""
    found = []
    for task in os.listdir(f"/proc/{pid}/task"):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError), open(f"/proc/{pid}/task/{task}/status") as file:
            found.append(dict(line.rstrip("\n").split(":\t", 1) for line in file if ":\t" in line))
    return found


def unprivileged(daemon, capabilities=CAP_NET_ADMIN, groups=""):
    """Every thread of it is."""
    until(lambda: len(statuses(daemon.process.pid)) >= 4, "its threads: main, the log's, the closer, a worker")
    for status in statuses(daemon.process.pid):
        assert status["Uid"].split() == [str(USER.pw_uid)] * 4 and status["Gid"].split() == [str(USER.pw_gid)] * 4, status
        assert status["Groups"].strip() == groups and status["NoNewPrivs"] == "1", status
        assert {int(status[name], 16) for name in SETS} == {capabilities}, status


def reload(env, edges, **settings):
    """What braidctl says of another configuration, which is taken."""
    env.proxy.config.write_text(configuration(env.directory, edges, daemon=AS_USER, **settings))
    done = reload_text(env.proxy)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def own_place(env):
    """The folder of the daemon that is to come, and its program at a place where everybody may run it."""
    env.directory.chmod(0o755)
    folder = env.directory / "own"
    folder.mkdir()
    os.chown(folder, USER.pw_uid, USER.pw_gid)
    return folder, shutil.copy(proxy.BRAIDD, env.directory / "braidd")


def start(env, edges=None, **settings):
    env.directory.chmod(0o755)
    os.chown(env.directory, USER.pw_uid, USER.pw_gid)
    program = shutil.copy(proxy.BRAIDD, env.directory / "braidd")
    env.start(edges, program=program, daemon={**AS_USER, **settings.pop("daemon", {})}, **settings)


@braid_only
@limit(180)
def test_every_thread_is_somebody_else_who_can_all_that_root_can(env):
    """Connections, edges at low ports by a reload, a TUN that is made anew, an upgrade, an orderly end."""
    low = Edge("low", port=443)
    start(env, workers=2)
    unprivileged(env.proxy)
    near, far = env.pair()
    transfer(near, far, MIB, end=False)
    said = reload(env, [*proxy.default_edges(), low], workers=2)
    assert "cannot" not in said, said
    listener = env.listen()
    second = env.connect(port=443)
    transfer(second, env.accept(listener), MIB)
    env.topology.braid.ip("link", "del", "braid0")
    env.proxy.process.wait_for_line("made anew", 30)
    env.proxy.upgrade()
    unprivileged(env.proxy)
    transfer(far, near, MIB, end=False)
    env.proxy.upgrade()
    unprivileged(env.proxy)
    assert not [line for line in env.proxy.process.lines if "ermission" in line or "not permitted" in line]
    transfer(near, far, MIB)
    sockets = [env.directory / name for name in ("control.sock", "app.sock")]
    assert all(path.stat().st_uid == USER.pw_uid for path in sockets)
    env.proxy.stop()
    env.proxy = None
    assert not any(path.exists() for path in sockets)


@braid_only
@limit(120)
def test_a_root_daemon_gives_way_to_an_unprivileged_one(env):
    """The configuration names a user when another version takes over."""
    env.directory.chmod(0o755)
    os.chown(env.directory, USER.pw_uid, USER.pw_gid)
    env.start(program=shutil.copy(proxy.BRAIDD, env.directory / "braidd"))
    near, far = env.pair()
    assert {status["Uid"].split()[0] for status in statuses(env.proxy.process.pid)} == {"0"}
    said = reload(env, proxy.default_edges())
    assert "user: cannot change while braidd runs" in said, said
    env.proxy.upgrade()
    unprivileged(env.proxy)
    transfer(near, far, MIB)


@braid_only
@limit(120)
def test_directories_that_are_missing_are_made_for_the_user(env):
    folder, program = own_place(env)
    os.chown(folder, 0, 0)
    kept = folder / "kept"
    config = env.directory / "braid.ini"
    config.write_text(configuration(folder / "run", proxy.default_edges(), daemon={**AS_USER, "state_dir": kept}))
    daemon = Process(env.topology.braid.command(program, "-c", config), "braidd")
    try:
        daemon.wait_for_line("ready", 30)
        for made in (folder / "run", kept):
            assert (made.stat().st_uid, made.stat().st_gid) == (USER.pw_uid, USER.pw_gid), made
        assert run([proxy.BRAIDCTL, "-s", folder / "run" / "control.sock", "status"]).stdout
    finally:
        daemon.kill()


@braid_only
@limit(120)
def test_the_socket_for_programs_can_be_a_groups(env):
    group = grp.getgrnam("tty")
    start(env, daemon={"app_group": group.gr_name, "app_mode": "660"})
    unprivileged(env.proxy, groups=str(group.gr_gid))
    socket = (env.directory / "app.sock").stat()
    assert (socket.st_uid, socket.st_gid, socket.st_mode & 0o777) == (USER.pw_uid, group.gr_gid, 0o660)


@braid_only
@limit(120)
def test_another_group_can_be_its_own(env):
    group = grp.getgrnam("tty")
    start(env, daemon={"group": group.gr_name})
    for status in statuses(env.proxy.process.pid):
        assert status["Gid"].split() == [str(group.gr_gid)] * 4 and not status["Groups"].strip(), status


def run_with(env, text, expect):
    """The daemon with that configuration says a line with that in it, and ends before anything is touched."""
    folder, program = own_place(env)
    config = env.directory / "braid.ini"
    config.write_text(text.replace("@", str(folder)))
    done = env.topology.braid.run(program, "-c", config, check=False)
    assert done.returncode == 1 and expect in done.stderr and len(done.stderr.splitlines()) == 1, done
    assert not os.listdir(folder) and "braid0" not in env.topology.braid.run("ip", "link").stdout
    return config, program


@braid_only
def test_an_unknown_user_is_refused(env):
    text = configuration("@", proxy.default_edges(), daemon={"user": "no-such-user"})
    config, program = run_with(env, text, 'user: there is no user "no-such-user"; name one that exists, or make it')
    assert env.topology.braid.run(program, "-t", "-c", config, check=False).returncode == 1


@braid_only
def test_what_the_user_could_not_read_anew_is_refused(env):
    """The configuration itself, and a file of tokens."""
    tokens = env.directory / "tokens"
    tokens.write_text("0123456789abcdef0123456789abcdef\n")
    tokens.chmod(0o600)
    text = configuration("@", proxy.default_edges(), daemon=AS_USER)
    config, program = run_with(env, text.replace("[admin]\n", f"[admin]\ntoken_file = {tokens}\n"),
                               f"[admin] token_file: user {USER.pw_name} cannot read {tokens}")
    tokens.chmod(0o640)
    os.chown(tokens, 0, USER.pw_gid)
    config.chmod(0o600)
    done = env.topology.braid.run(program, "-c", config, check=False)
    assert done.returncode == 1 and f"the configuration: user {USER.pw_name} cannot read" in done.stderr, done
    config.chmod(0o640)
    os.chown(config, 0, USER.pw_gid)
    daemon = Process(env.topology.braid.command(program, "-c", config), "braidd")
    try:
        daemon.wait_for_line("ready", 30)
    finally:
        daemon.kill()


@braid_only
@limit(120)
def test_a_low_port_of_the_admin_surface_has_its_capability(env):
    """From the start; a reload cannot bring it, says so, and changes nothing."""
    folder, program = own_place(env)
    config = env.directory / "braid.ini"
    text = configuration(folder, proxy.default_edges(), daemon=AS_USER)
    config.write_text(text)
    low = text.replace(ADMIN, "127.0.0.1:80")
    daemon = Process(env.topology.braid.command(program, "-c", config), "braidd")
    try:
        daemon.wait_for_line("ready", 30)
        config.write_text(low)
        done = run([proxy.BRAIDCTL, "-s", folder / "control.sock", "reload"], check=False)
        assert done.returncode == 1 and "127.0.0.1:80" in done.stdout + done.stderr, done
    finally:
        daemon.kill()
    daemon = Process(env.topology.braid.command(program, "-c", config), "braidd")
    try:
        daemon.wait_for_line("ready", 30)
        for status in statuses(daemon.pid):
            assert int(status["CapEff"], 16) == CAP_NET_ADMIN | CAP_NET_BIND_SERVICE, status
        assert env.topology.braid.run("curl", "-s", "-m", "10", "http://127.0.0.1/metrics").stdout
    finally:
        daemon.kill()


@braid_only
@limit(240)
def test_iptables_runs_as_the_user(env):
    """A home with translation by iptables: rules, and bytes over both uplinks."""
    env.build_home({}, {})
    folder = env.directory / env.home.cpe.name
    folder.mkdir()
    env.directory.chmod(0o755)
    os.chown(folder, USER.pw_uid, USER.pw_gid)
    program = shutil.copy(proxy.BRAIDD, env.directory / "braidd")
    router = env.daemon(env.home.cpe, [Cpe(uplinks=("wan0", "wan1"))], program=program, daemon=AS_USER,
                        tun={"translation": "masquerade"})
    unprivileged(router, CAP_NET_ADMIN | CAP_NET_RAW)
    until(lambda: "BRAID_UPLINKS" in env.home.cpe.run("iptables", "-t", "nat", "-S").stdout, "iptables has the rules", 30)
    router.stop()
    env.daemons.clear()
    assert "SNAT" not in env.home.cpe.run("iptables", "-t", "nat", "-S").stdout


@braid_only
def test_only_root_becomes_somebody_else(env):
    text = configuration("@", proxy.default_edges(), daemon=AS_USER)
    folder, program = own_place(env)
    config = env.directory / "braid.ini"
    config.write_text(text.replace("@", str(folder)))
    done = env.topology.braid.run("setpriv", "--reuid=1", "--regid=1", "--clear-groups", program, "-c", config, check=False)
    assert done.returncode == 1 and "only root may become another one" in done.stderr, done
