"""Garbage of every kind at the full rate of a process that does nothing else, over a path of the client's: those who come
meanwhile are served, and the memory that it cost comes back."""
import multiprocessing
import random
import socket
import struct
import threading
import time

from lib import net
from lib.env import PORT
from lib.stream import receive
from lib.suite import alone, braid_only, limit, long, memory
from lib.wait import FACTOR, until

SECONDS = 15
EACH = 2000  # packets of each kind, sent again and again
MIB = 1 << 20
FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16
CAPABLE = b"\x1e\x04\x01\x01"
KINDS = ((SYN, b"", b""), (SYN, CAPABLE, b""), (ACK, b"", b""), (RST, b"", b""), (FIN | ACK, b"", b""),
         (PSH | ACK, b"", b"x" * 100))
HELLO = b"hello"


def checksum(data):
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    total = (total >> 16) + (total & 0xFFFF)
    return ~(total + (total >> 16)) & 0xFFFF


def packet(flags, options, payload, number):
    """An IPv4 packet of one of two hundred hosts that do not exist, all numbers in it drawn by lot."""
    source, service = socket.inet_aton(f"10.99.1.{3 + number % 200}"), socket.inet_aton(net.SERVICE[4])
    header = struct.pack("!HHIIBBHHH", random.randrange(1024, 65536), PORT, random.getrandbits(32), random.getrandbits(32),
                         (20 + len(options)) // 4 << 4, flags, 65535, 0, 0)
    segment = header + options + payload
    pseudo = source + service + struct.pack("!BBH", 0, 6, len(segment))
    segment = segment[:16] + struct.pack("!H", checksum(pseudo + segment)) + segment[18:]
    return struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(segment), 0, 0, 64, 6, 0, source, service) + segment


def flood(client, sent):
    """In a process of its own."""
    packets = [packet(*kind, number) for kind in KINDS for number in range(EACH)]
    random.shuffle(packets)
    sock = client.socket(4, socket.IPPROTO_RAW, socket.SOCK_RAW)
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        for each in packets:
            try:
                sock.sendto(each, (net.SERVICE[4], 0))
                sent.value += 1
            except OSError:
                pass  # the queue of the path is full


def answer(listener):
    """A server for one client after the other."""
    while True:
        try:
            far = listener.accept()[0]
            far.sendall(receive(far, len(HELLO)))
            far.close()
        except (OSError, AssertionError):
            if listener.fileno() < 0:
                return


def visit(env):
    near = env.client.socket(4, socket.IPPROTO_MPTCP)
    near.settimeout(15 * FACTOR)
    near.connect((net.SERVICE[4], PORT))
    near.sendall(HELLO)
    assert receive(near, len(HELLO)) == HELLO
    near.close()


@alone
@braid_only
@long
@memory
@limit(150)
def test_new_clients_come_first_and_memory_comes_back(env):
    env.start(workers=2, limits={"syn_timeout": 5})
    listener = env.listen()
    listener.settimeout(None)
    server = threading.Thread(target=answer, args=(listener,), daemon=True)
    server.start()
    visit(env)
    before = env.proxy.process.memory()
    sent = multiprocessing.Value("L", 0, lock=False)
    noise = multiprocessing.Process(target=flood, args=(env.client, sent))
    noise.start()
    visits = 0
    try:
        until(lambda: sent.value > 0, "garbage comes")
        while noise.is_alive():
            visit(env)
            visits += 1
    finally:
        noise.kill()
        noise.join()
    assert visits > 0 and sent.value > 10000 * SECONDS / FACTOR, f"{visits} visits, {sent.value} packets"
    until(lambda: env.proxy.process.memory() < before + 4 * MIB, "memory has come back", 60)
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    server.join(5)
