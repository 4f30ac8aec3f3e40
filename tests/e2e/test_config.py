"""Bad configurations and bad circumstances: one line that says where and what, exit status 1, nothing touched."""
import json
import os

from lib import net, proxy
from lib.env import default_edges
from lib.proc import Process, run
from lib.stream import MIB, transfer
from lib.suite import braid_only, cases

GOOD = """[daemon]
workers = 1
control = @/control.sock
log_level = info
[tun]
name = braid0
routes = auto
[admin]
listen = 127.0.0.1:9180
[edge web]
listen = 10.99.9.1:8080
target = 10.99.3.2:8080
signal = 10.99.9.2
scheduler = minrtt
congestion = cubic
checksum = off
"""

# what is wrong: the line of GOOD that is replaced, by what, and the word that the complaint has to name
BAD = {
    "unknown_key": (2, "wokers = 1", "wokers"),
    "unknown_section": (8, "[admni]", "admni"),
    "workers_not_a_number": (2, "workers = many", "workers"),
    "workers_negative": (2, "workers = -1", "workers"),
    "workers_absurd": (2, "workers = 100000", "workers"),
    "control_too_long_for_a_socket": (3, "control = /" + "x" * 120, "control"),
    "unknown_log_level": (4, "log_level = loud", "log_level"),
    "tun_name_too_long": (6, "name = abcdefghijklmnopq", "name"),
    "tun_name_with_a_slash": (6, "name = a/b", "name"),
    "routes_unknown": (7, "routes = sometimes", "routes"),
    "admin_without_port": (9, "listen = 127.0.0.1", "listen"),
    "edge_without_a_name": (10, "[edge]", "edge"),
    "listen_not_an_address": (11, "listen = 10.99.9.256:8080", "listen"),
    "listen_without_port": (11, "listen = 10.99.9.1", "listen"),
    "listen_port_too_large": (11, "listen = 10.99.9.1:65536", "listen"),
    "listen_ipv6_without_brackets": (11, "listen = fd99::1:8080:", "listen"),
    "target_empty": (12, "target =", "target"),
    "target_without_port": (12, "target = 10.99.3.2", "target"),
    "target_is_the_listen_address": (12, "target = 10.99.9.1:8080", "target"),
    "signal_not_an_address": (13, "signal = 10.99.9.2, nonsense", "signal"),
    "unknown_scheduler": (14, "scheduler = fastest", "scheduler"),
    "unknown_congestion_control": (15, "congestion = none", "congestion"),
    "checksum_neither_on_nor_off": (16, "checksum = maybe", "checksum"),
    "no_equals_sign": (14, "scheduler minrtt", "key = value"),
    "source_of_an_explicit_edge": (14, "source = client", "source"),
    "ports_of_an_explicit_edge": (14, "ports = 80-443", "ports"),
    "unknown_profile": (14, "profile = fast", "profile"),
    "profiles_of_an_explicit_edge": (14, "profiles = 443:bulk", "profiles"),
    "unknown_path_manager": (14, "path_manager = full", "path_manager"),
    "path_without_addresses": (16, "[path lte]", "remote"),
    "profile_that_is_not_to_be_changed": (16, "[profile auto]", "auto"),
    "key_twice": (14, "target = 10.99.3.2:81", "target"),
}
TRANSPARENT = GOOD[:GOOD.index("[edge")] + "[edge any]\nmode = transparent\nsource = client\n"
EDGE = "[edge two]\nlisten = 10.99.9.1:8080\ntarget = 10.99.3.2:81\n"


def write(env, text):
    path = env.directory / "braid.ini"
    path.write_text(text.replace("@", str(env.directory)))
    return path


def replaced(line, text):
    lines = GOOD.splitlines()
    lines[line - 1] = text
    return "\n".join(lines) + "\n"


def complaint(done):
    """The one line that the daemon wrote before it ended with status 1."""
    lines = (done.stderr + done.stdout).splitlines()
    assert done.returncode == 1, f"exit status {done.returncode}: {lines}"
    assert len(lines) == 1, f"not one line: {lines}"
    return lines[0]


def refused(env, text, line, word, namespace=None):
    """Both ways to meet a configuration refuse it: -t, and a start if a namespace is given for it."""
    config = write(env, text)
    commands = [[proxy.BRAIDD, "-t", "-c", config]]
    commands += [namespace.command(proxy.BRAIDD, "-c", config)] if namespace else []
    for command in commands:
        said = complaint(run(command, check=False))
        assert f"{config}:{line}" in said, f"no {config}:{line} in: {said}"
        assert word in said, f"no {word} in: {said}"


@braid_only
@cases(**BAD)
def test_bad_configuration_is_refused(env, line, text, word):
    refused(env, replaced(line, text), line, word)


@braid_only
def test_transparent_edge_with_a_target_is_refused(env):
    refused(env, TRANSPARENT + "target = 10.99.3.2:80\n", 13, "target")


@braid_only
def test_missing_target_is_refused(env):
    refused(env, "".join(line + "\n" for line in GOOD.splitlines() if not line.startswith("target")), 10, "target")


@braid_only
def test_duplicate_listen_is_refused(env):
    refused(env, GOOD + EDGE, 18, "listen")


@braid_only
def test_duplicate_edge_is_refused(env):
    refused(env, GOOD + EDGE.replace("two", "web").replace("8080", "8081"), 17, "web")


@braid_only
def test_missing_file_is_named(env):
    said = complaint(run([proxy.BRAIDD, "-c", env.directory / "nowhere.ini"], check=False))
    assert "nowhere.ini" in said


@braid_only
def test_example_configuration_is_good(env):
    example = (proxy.ROOT / "conf" / "braid.ini").read_text()
    assert "no [edge NAME] section" in complaint(run([proxy.BRAIDD, "-t", "-c", write(env, example)], check=False))
    for line in ("[edge web]", "listen = 10.99.9.1:8080", "target = 10.99.3.2:8080"):
        assert f"\n;{line}\n" in example
        example = example.replace(f"\n;{line}\n", f"\n{line}\n")
    assert run([proxy.BRAIDD, "-t", "-c", write(env, example)]).returncode == 0
    assert run([proxy.BRAIDD, "-t", "-c", write(env, GOOD)]).returncode == 0
    assert run([proxy.BRAIDD, "-t", "-c", write(env, TRANSPARENT)]).returncode == 0


@braid_only
def test_refused_configuration_touches_nothing(env):
    namespace = env.topology.braid
    before = traces(env)
    for line, text, word in BAD.values():
        refused(env, replaced(line, text), line, word, namespace)
    assert traces(env) == before


def traces(env):
    """What a daemon leaves in the namespace and in the file system."""
    routes = [route["dst"] for version in ("-4", "-6")
              for route in json.loads(run(["ip", "-n", env.topology.braid.name, "-j", version, "route"]).stdout)]
    devices = [device["ifname"] for device in json.loads(env.topology.braid.ip("-j", "link").stdout)]
    return routes, devices, sorted(name for name in os.listdir(env.directory) if not name.endswith(".ini"))


@braid_only
def test_end_of_the_daemon_leaves_no_trace(env):
    before = traces(env)
    env.start()
    assert "braid0" in traces(env)[1] and net.SERVICE[4] in traces(env)[0] and net.SERVICE[6] in traces(env)[0]
    env.proxy.stop()
    env.proxy = None
    assert traces(env) == before


@braid_only
def test_start_without_cap_net_admin_is_refused(env):
    before = traces(env)
    config = write(env, GOOD)
    said = complaint(env.topology.braid.run("setpriv", "--bounding-set=-net_admin", "--inh-caps=-net_admin",
                                            str(proxy.BRAIDD), "-c", str(config), check=False))
    assert "CAP_NET_ADMIN" in said, said
    assert traces(env) == before


@braid_only
def test_clients_addresses_without_the_capability_are_refused(env):
    config = write(env, TRANSPARENT)
    said = complaint(env.topology.braid.run("setpriv", "--bounding-set=-net_admin,-net_raw",
                                            "--inh-caps=-net_admin,-net_raw", str(proxy.BRAIDD), "-c", str(config),
                                            check=False))
    assert "edge any: source = client" in said and "CAP_NET_ADMIN" in said, said


def second(env, **settings):
    """What a second daemon beside the running one says: same namespace, a directory of its own."""
    directory = env.directory / "second"
    directory.mkdir()
    text = proxy.configuration(directory, settings.pop("edges", default_edges()), **settings)
    (directory / "braid.ini").write_text(text.replace(proxy.ADMIN, settings.pop("admin", "127.0.0.1:9181")))
    return complaint(env.topology.braid.run(str(proxy.BRAIDD), "-c", str(directory / "braid.ini"), check=False))


def still_serves(env):
    near, far = env.pair()
    near.sendall(b"x")
    assert far.recv(1) == b"x"


@braid_only
def test_tun_in_use_is_refused(env):
    env.start()
    assert "braid0" in second(env)
    still_serves(env)


@braid_only
def test_control_socket_in_use_is_refused(env):
    env.start()
    config = env.directory / "other.ini"
    config.write_text(env.proxy.config.read_text().replace("braid0", "braid1").replace(proxy.ADMIN, "127.0.0.1:9181"))
    said = complaint(env.topology.braid.run(str(proxy.BRAIDD), "-c", str(config), check=False))
    assert "control" in said, said
    still_serves(env)
    assert env.proxy.ctl("status")


@braid_only
def test_control_socket_of_a_dead_daemon_is_replaced(env):
    env.start()
    env.proxy.process.kill()
    assert env.proxy.control.exists()
    env.start()
    still_serves(env)


@braid_only
def test_admin_port_in_use_is_refused(env):
    env.start()
    config = env.directory / "other.ini"
    text = env.proxy.config.read_text().replace("braid0", "braid1").replace("control.sock", "other.sock")
    config.write_text(text)
    said = complaint(env.topology.braid.run(str(proxy.BRAIDD), "-c", str(config), check=False))
    assert "listen" in said and "9180" in said, said
    still_serves(env)


@braid_only
def test_existing_tun_is_used(env):
    env.topology.braid.ip("tuntap", "add", "dev", "braid0", "mode", "tun", "multi_queue", "vnet_hdr")
    env.start()
    still_serves(env)


def fails_to_connect(env, version):
    try:
        env.connect(version)
    except OSError as error:
        return not isinstance(error, TimeoutError)
    return False


@braid_only
def test_target_name_that_does_not_resolve_keeps_nobody_else_from_being_served(env):
    """It is looked up again, and used as soon as there is an address."""
    with env.names(("10.99.3.77", "other.test")) as hosts:
        env.start([env.Edge("late", 6, target="late.test:8080"), env.Edge("web")])
        env.proxy.process.wait_for_line('edge late: cannot resolve target "late.test"')
        near, far = env.pair()
        transfer(near, far, MIB)
        assert fails_to_connect(env, 6)
        hosts.write_text(f"{net.SERVER[4]} late.test\n")
        env.proxy.process.wait_for_line('edge late: target "late.test" is 10.99.3.2:8080 now')
        listener = env.listen()
        transfer(env.connect(6), env.accept(listener), MIB)


@braid_only
@cases(own=(net.SERVICE[4], "the listen address"), another_port=(net.SERVICE[4], "the listen address", 7000),
       signalled=(net.SIGNAL[4], "a signal address"))
def test_target_name_that_leads_back_here_is_not_used(env, address, word, port=8080):
    """Not at the start, and not when the name changes."""
    with env.names((address, "loop.test")) as hosts:
        env.start([env.Edge("web", target=f"loop.test:{port}", signal=[net.SIGNAL[4]])])
        env.proxy.process.wait_for_line(f'edge web: target "loop.test" resolves to {address}, which is {word} of [edge web]')
        assert fails_to_connect(env, 4)
        assert env.proxy.counters()["TcpPassiveOpens"] <= 1, "the connection came back"
        hosts.write_text(f"{address} loop.test\n{net.SERVER[4]} loop.test\n")
        env.proxy.process.wait_for_line('edge web: target "loop.test" is 10.99.3.2')


@braid_only
def test_listening_on_an_address_of_this_machine_is_said(env):
    """With routes = auto it is refused."""
    env.topology.braid.ip("address", "add", f"{net.SERVICE[4]}/32", "dev", "lo")
    env.start([env.Edge("web")], routes="none")
    env.proxy.process.wait_for_line(f"{net.SERVICE[4]} is an address of this machine itself")


@braid_only
def test_options(env):
    for option in ("-h", "--help"):
        assert run([proxy.BRAIDD, option]).stdout.startswith("usage: braidd")
    for option in ("-V", "--version"):
        assert run([proxy.BRAIDD, option]).stdout.startswith("braidd ")
    assert run([proxy.BRAIDD, "-Z"], check=False).returncode == 1
    assert run([proxy.BRAIDD, "stray"], check=False).returncode == 1


@braid_only
def test_a_device_that_is_no_tun_is_called_so(env):
    said = complaint(env.topology.braid.run(str(proxy.BRAIDD), "-c",
                                            str(write(env, GOOD.replace("name = braid0", "name = lo"))), check=False))
    assert "lo exists and is not a TUN" in said, said


@braid_only
def test_check_tells_every_error_and_warns(env):
    wrong = GOOD.replace("workers = 1", "workers = many").replace("scheduler = minrtt", "scheduler = fastest")
    done = run([proxy.BRAIDD, "-t", "-c", write(env, wrong)], check=False)
    assert done.returncode == 1
    assert [line.split(": ")[1] for line in done.stderr.splitlines()] == ["[daemon] workers", "[edge web] scheduler"]
    odd = GOOD + "[profile mine]\nscheduler = backup\n"
    done = run([proxy.BRAIDD, "-t", "-c", write(env, odd)])
    assert done.stdout.endswith("ok\n") and "warning: " in done.stderr and "[profile mine]" in done.stderr
    env.proxy = None
    process = Process(env.topology.braid.command(proxy.BRAIDD, "-c", write(env, odd)), "braidd")
    assert "warn" in process.wait_for_line("[profile mine] no edge and no CPE uses it")
    process.wait_for_line("ready")
    process.kill()
