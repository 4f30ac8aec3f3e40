"""What an operator chooses: algorithms and profiles, also of living connections, and what paths cost and may carry."""
from lib import net, proxy
from lib.env import PORT
from lib.proc import run
from lib.proxy import Transparent
from lib.stream import MIB, Receiver, Sender, noise, receive, transfer
from lib.suite import braid_only, cases
from lib.wait import until

KINDS = ("scheduler", "congestion", "path_manager", "profile")
PATHS = ("[path near]\nremote = 10.99.1.0/24\nweight = 3\n"
         "[path far]\nremote = 10.99.2.2\ncost = 7\nquota = {quota}\n")


def attempt(env, *command):
    """braidctl, whatever comes of it."""
    return run([proxy.BRAIDCTL, "-s", env.proxy.control, *command], check=False)


def choices(env, kind):
    return [choice["name"] for choice in env.proxy.ctl("algorithms")[kind]]


@braid_only
def test_algorithms_are_listed_with_what_they_are(env):
    env.start()
    listed = env.proxy.ctl("algorithms")
    text = attempt(env, "algorithms").stdout
    for kind in KINDS:
        assert listed[kind], kind
        for choice in listed[kind]:
            assert kind == "profile" or choice["about"], choice
            assert any(line.split()[:2] == [kind, choice["name"]] for line in text.splitlines()), choice
    code, _ = env.proxy.http("/api/v1/algorithms")
    assert code == 200


@braid_only
@cases(scheduler="scheduler", congestion="congestion", profile="profile")
def test_a_transfer_goes_on_through_every_choice(env, what):
    """Each is set while bytes are on their way to the client and from it; all of them arrive."""
    near, far = env.two_paths(mbit=100)
    number = str(env.proxy.connection()["id"])
    names = choices(env, what)
    step = 2 * MIB
    size = step * (len(names) + 1)
    noise()  # makes the bytes, which takes a while, before anybody waits for them
    down = Receiver(near, size, end=False)
    down.halt_at(MIB // 2)
    sent = Sender(far, size, end=False)
    up, sent_up = Receiver(far, size, end=False), Sender(near, size, end=False)
    for i, name in enumerate(names):
        down.halted()  # with more on its way
        assert down.done < size, "the choice came too late to matter"
        shown = env.proxy.ctl("set", number, what, name)
        assert shown[what] == name and shown["id"] == int(number), shown
        shown = env.proxy.connection()
        assert shown[what] == name
        if what == "congestion":
            assert {subflow["congestion"] for subflow in shown["subflows"]} == {name}
        down.halt_at(step * (i + 1) + MIB // 2)
    down.halted()
    down.resume()
    for pump in (sent, sent_up, down, up):
        pump.finish()


@braid_only
def test_set_says_what_is_wrong(env):
    env.start()
    env.pair()
    number = str(env.proxy.connection()["id"])
    for what in ("scheduler", "congestion", "profile"):
        done = attempt(env, "set", number, what, "nonsense")
        assert done.returncode == 1 and "nonsense" in done.stderr, done
        assert all(name in done.stderr for name in choices(env, what)), done.stderr
    for command in (("set", "999999", "profile", "bulk"), ("set", "999999", "scheduler", "nonsense")):
        assert attempt(env, *command).returncode == 1
    for command in (("set",), ("set", number), ("set", number, "profile"), ("set", "x", "profile", "bulk"),
                    ("set", number, "checksum", "on"), ("algorithms", "x"), ("paths", "x")):
        done = attempt(env, *command)
        assert done.returncode == 2 and done.stderr.strip(), (command, done)


@braid_only
def test_ports_have_profiles(env):
    env.steer("up")
    env.start([Transparent("transit", profile="economy", profiles=f"{PORT + 1}:mine, 9000-9100:interactive")],
              more="[profile mine]\nscheduler = roundrobin\ncongestion = lia\n")
    expected = {PORT: "economy", PORT + 1: "mine", 9100: "interactive"}
    for port in expected:
        listener = env.listen(port=port)
        near = env.open()
        near.connect((net.SERVER[4], port))
        far = env.accept(listener)
        listener.close()
        transfer(far, near, MIB, end=False)
    found = {int(c["server"].rpartition(":")[2]): c for c in env.proxy.connections()}
    assert {port: found[port]["profile"] for port in found} == expected
    assert (found[PORT + 1]["scheduler"], found[PORT + 1]["congestion"]) == ("roundrobin", "lia")
    by_name = {choice["name"]: choice for choice in env.proxy.ctl("algorithms")["profile"]}
    assert found[PORT]["scheduler"] == by_name["economy"]["scheduler"]


@braid_only
def test_an_automatic_profile_follows_the_servers_way_of_sending(env):
    near, far = env.two_paths(edges=[env.Edge("web", profile="auto")])
    assert env.proxy.connection()["profile_now"] == "bulk"
    for _ in range(12):  # each answer is acknowledged before the next one
        near.sendall(b"?")
        assert receive(far, 1) == b"?"
        far.sendall(b"!" * 100)
        receive(near, 100)
        until(lambda: env.proxy.connection()["send_queued"] == 0, "the answer is acknowledged")
    shown = env.proxy.connection()
    assert (shown["profile"], shown["profile_now"]) == ("auto", "interactive")
    transfer(far, near, 4 * MIB, end=False)
    assert env.proxy.connection()["profile_now"] == "bulk"


@braid_only
def test_paths_have_names_costs_and_quotas(env):
    near, far = env.two_paths(mbit=100, more=PATHS.format(quota="1MB"))
    transfer(far, near, 8 * MIB, end=False)
    subflows = {subflow["path"]: subflow for subflow in env.proxy.connection()["subflows"]}
    assert (subflows["near"]["cost"], subflows["near"]["weight"]) == (0, 3)
    assert (subflows["far"]["cost"], subflows["far"]["weight"]) == (7, 1)
    listed = {path["name"]: path for path in env.proxy.ctl("paths")["paths"]}
    assert listed["far"]["quota"] == 1000000 and listed["near"]["quota"] is None
    assert listed["far"]["subflows"] == listed["near"]["subflows"] == 1
    assert listed["near"]["bytes"] + listed["far"]["bytes"] >= 8 * MIB
    assert listed["far"]["bytes"] >= 1000000 and listed["far"]["over_quota"] and subflows["far"]["over_quota"]
    carried = listed["far"]["bytes"]
    transfer(far, near, 4 * MIB, end=False)
    later = {path["name"]: path["bytes"] for path in env.proxy.ctl("paths")["paths"]}
    assert later["far"] - carried < MIB, "a path goes on beyond its quota"
    assert env.proxy.ctl("paths", "clear")["cleared"]
    assert [path["bytes"] for path in env.proxy.ctl("paths")["paths"]] == [0, 0]
    code, body = env.proxy.http("/metrics")
    assert code == 200 and 'braid_path_quota_bytes{path="far"} 1000000' in body


def on_each_worker(env, workers):
    """Connections, of which each worker has one at least, as their two ends by their ids."""
    listener = env.listen()
    ends = {}
    for _ in range(50):
        before = {c["id"] for c in env.proxy.connections()}
        near = env.connect()
        far = env.accept(listener)
        number = until(lambda: {c["id"] for c in env.proxy.connections()} - before, "it is listed").pop()
        ends[number] = near, far
        if len({number % workers for number in ends}) == workers:
            return ends
    raise AssertionError("one worker got all connections")


@braid_only
def test_a_quota_is_that_of_all_workers_together(env):
    env.start(workers=2, more="[path near]\nremote = 10.99.1.0/24\nquota = 2MB\n")
    ends = on_each_worker(env, 2)
    one, other = (next(number for number in ends if number % 2 == worker) for worker in (0, 1))
    near, far = ends[one]
    transfer(far, near, 4 * MIB, end=False)
    for number in (one, other):
        until(lambda: env.proxy.ctl("show", str(number))["subflows"][0]["over_quota"], f"{number} has heard of it", 10)
    assert env.proxy.ctl("paths")["paths"][0]["bytes"] >= 4 * MIB
    env.proxy.ctl("paths", "clear")
    assert not env.proxy.ctl("show", str(other))["subflows"][0]["over_quota"]
