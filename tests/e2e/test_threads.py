"""Everything that crosses threads at the same time: connections, questions, changes, the end. "make tsan" runs this
with the thread sanitizer, which sees a race also where nothing came of it."""
import contextlib
import json
import random
import signal
import socket
import subprocess
import threading

from lib import net, proxy
from lib.proc import Process, run
from lib.stream import receive
from lib.suite import alone, braid_only, limit, long
from lib.wait import FACTOR, until

CLIENTS = 6
CONNECTIONS, QUESTIONS_ASKED, CHANGES = 3000, 40, 10  # at least
QUESTIONS = (["status"], ["connections"], ["counters"], ["paths"], ["bypass"], ["algorithms"])
SETTINGS = (("scheduler", "minrtt"), ("scheduler", "roundrobin"), ("congestion", "reno"), ("congestion", "bbr"),
            ("profile", "bulk"), ("profile", "interactive"))


class Crowd:
    """Clients that open connections, exchange a few bytes and close, until they are refused at the end."""

    def __init__(self, env, listener):
        self.env, self.listener = env, listener
        self.done, self.failures = 0, []
        self.ending = threading.Event()
        self._count = threading.Lock()
        self.threads = [threading.Thread(target=self._serve, daemon=True) for _ in range(2)]
        self.threads += [threading.Thread(target=self._visit, args=(number,), daemon=True) for number in range(CLIENTS)]
        for thread in self.threads:
            thread.start()

    def _serve(self):
        while True:
            try:
                with self.listener.accept()[0] as sock:
                    sock.settimeout(20 * FACTOR)
                    while data := sock.recv(65536):
                        sock.sendall(data)
            except TimeoutError:
                pass
            except OSError:
                if self.listener.fileno() < 0:
                    return

    def _visit(self, number):
        while True:
            try:
                with self.env.client.socket(4, 262 if number % 3 else 0) as sock:
                    sock.settimeout(20 * FACTOR)
                    sock.connect((net.SERVICE[4], proxy.PORT))
                    sock.sendall(b"x" * 3000)
                    sock.shutdown(socket.SHUT_WR)
                    receive(sock, 3000)
            except (OSError, AssertionError) as error:
                if self.ending.is_set():
                    return
                self.failures.append(error)
            with self._count:
                self.done += 1

    def clients(self):
        return [thread for thread in self.threads[2:] if thread.is_alive()]


class Curious(threading.Thread):
    """Asks and changes all the time. What it gets is no matter: a connection may have ended before it is changed."""

    def __init__(self, env):
        super().__init__(daemon=True)
        self.env, self.asked, self.changed = env, 0, 0
        self.stopped = threading.Event()
        self.start()

    def ctl(self, *words):
        return run([proxy.BRAIDCTL, "-s", self.env.proxy.control, "--json", *words], check=False)

    def run(self):
        dice = random.Random(1)
        while not self.stopped.is_set():
            self.asked += self.ctl(*dice.choice(QUESTIONS)).returncode == 0
            self.env.proxy.http("/metrics")
            for connection in self.env.proxy.connections() if dice.random() < 0.5 else []:
                self.changed += self.ctl("set", str(connection["id"]), *dice.choice(SETTINGS)).returncode == 0
            for connection in self.env.proxy.connections()[:2]:
                self.follow(connection["id"])

    def follow(self, connection):
        """Is told of its events, until it ends or there is no more time."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            run([proxy.BRAIDCTL, "-s", self.env.proxy.control, "events", connection], check=False, limit=0.2)

    def stop(self):
        self.stopped.set()
        self.join(60 * FACTOR)


@alone
@long
@limit(400)
@braid_only
def test_threads_do_not_meet_without_order(env):
    env.topology.endpoint(2)
    env.start(workers=2, log_level="debug",
              more="[path lte]\nremote = 10.99.2.0/24\nquota = 1GB\n")
    crowd = Crowd(env, env.listen())
    near = env.connect()
    curious = Curious(env)
    follower = Process([proxy.BRAIDCTL, "-s", env.proxy.control, "--json", "events"], "braidctl")
    until(lambda: crowd.done >= CONNECTIONS and curious.asked >= QUESTIONS_ASKED and curious.changed >= CHANGES,
          "there was enough of everything", 60)
    env.proxy.process.signal(signal.SIGHUP)
    curious.stop()
    env.proxy.healthy()
    crowd.ending.set()
    env.proxy.process.signal(signal.SIGTERM)  # in the middle of it all
    env.proxy.process.wait_for_line("finishing the open connections")
    until(lambda: not crowd.clients(), "the clients have heard of the end", 60)
    near.close()
    env.proxy.stop(patience=30.0, limit=30.0)
    env.proxy = None
    assert follower.wait() == 1  # at the end of the daemon, which is the last that it says
    events = [json.loads(line) for line in follower.lines[:-1]]
    assert sum(event["event"] == "closed" for event in events) + sum(event.get("lost", 0) for event in events) >= CONNECTIONS
    assert not crowd.failures, crowd.failures[:3]
