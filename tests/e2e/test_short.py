"""Connections that do not last long: a request and its answer, which is when a kernel's client learns that it may join."""
import time

from lib import mptcp
from lib.stream import receive
from lib.suite import cases
from lib.wait import FACTOR, until

CONNECTIONS = 20


@cases(answered=True, silent=False)
def test_a_second_subflow_within_a_tenth_of_a_second(env, answers):
    """Of the request, whether the server answers it or takes its time."""
    env.topology.endpoint(2)
    env.start()
    listener = env.listen()
    took = []
    for _ in range(CONNECTIONS):
        near = env.connect()
        near.sendall(b"request")
        begun = time.monotonic()
        far = env.accept(listener)
        assert receive(far, 7) == b"request"
        if answers:
            far.sendall(b"reply")
            assert receive(near, 5) == b"reply"
        until(lambda: len(mptcp.established(near)) == 2, "both subflows", 5)
        took.append(time.monotonic() - begun)
        far.close()
        assert near.recv(10) == b""
        near.close()
    assert sorted(took)[CONNECTIONS // 2] < 0.1 * FACTOR, sorted(took)
