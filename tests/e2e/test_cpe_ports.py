"""More short connections of a home to one converter than its router has ports, as it would have in a minute at a thousand a second."""
import time

from lib import home
from lib.stream import receive
from lib.suite import alone, braid_only, cases, limit
from lib.wait import FACTOR
from test_cpe import PORT, converter, converters, counter, start

PORTS = (50000, 51199)
CONNECTIONS = 2000
LONGEST = 0.2  # a SYN that was lost, or found no port, is repeated later than that


def exchange(env, listener, first):
    """One connection with a request and an answer; first: which end closes first. Seconds from the SYN to both ends."""
    begun = time.monotonic()
    near = env.home.device.socket(4)
    with near:
        near.settimeout(10 * FACTOR)
        near.connect((home.PLAIN[4], PORT))
        near.sendall(b"request")
        far = listener.accept()[0]
        with far:
            far.settimeout(10 * FACTOR)
            assert receive(far, 7) == b"request"
            far.sendall(b"reply")
            assert receive(near, 5) == b"reply"
            one, other = (near, far) if first == "device" else (far, near)
            one.close()
            assert other.recv(1) == b""
    return time.monotonic() - begun


@alone
@braid_only
@limit(90)
@cases(device="device", server="server")
def test_ports_are_had_again(env, first):
    """Whichever end closes first, and so keeps TIME_WAIT: no connection fails, hardly any waits, and most live long enough for joins."""
    env.daemon(env.home.edge, [converter(env)])
    router = start(env, tun={"local_ports": "%d-%d" % PORTS}, mode="convert", peer=converters())
    listener = env.listen(4, PORT, address=home.PLAIN[4], at=env.home.plain)
    took = sorted(exchange(env, listener, first) for _ in range(CONNECTIONS))
    assert counter(router, "accepted") == CONNECTIONS
    joins = router.counters()["MPTcpExtMPJoinSynTx"]
    assert joins > 0.8 * 2 * CONNECTIONS, f"{joins} joins"  # without ports it was 0.64; a quick connection ends before it joins
    slow = sum(each > LONGEST * FACTOR for each in took)
    assert slow < CONNECTIONS / 100, f"{slow} took longer than {LONGEST} s, the longest {took[-1]:.2f} s"
