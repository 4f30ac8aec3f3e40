#!/usr/bin/env python3
"""Writes the seeds of fuzz_app into tests/fuzz/corpus/app: a message of each kind, each item, and some that are refused."""
import struct

from seeds import write

V4 = bytes(10) + b"\xff\xff" + bytes([192, 0, 2, 1]) + struct.pack(">H", 443)
V6 = bytes.fromhex("20010db8000000000000000000000001") + struct.pack(">H", 443)
OPTION, TARGET, ERROR, VALUE, ADD, REMOVE, PAIR, PROFILE, FIGURES, PROGRAM, EVENT, TCP, MPTCP, PATH_MANAGER, NUMBER = range(1, 16)


def message(kind, *items, version=1):
    return b"Br" + struct.pack(">BBI", version, kind, 7) + b"".join(struct.pack(">BB", what, len(v)) + v for what, v in items)


def seeds():
    yield "connect", message(1, (TARGET, V4), (VALUE, bytes(4)), (ADD, V4), (ADD, V6), (REMOVE, V6), (PROFILE, b"latency"))
    yield "numbers", message(1, (TARGET, V4), (PATH_MANAGER, b"on-demand"), *[(NUMBER, bytes([i]) + bytes(range(8))) for i in range(7)])
    yield "get", message(2, (OPTION, b"\x04"))
    yield "set", message(3, (OPTION, b"\x02"), (ADD, V4))
    yield "socket", message(3, (OPTION, b"\x0d"), (VALUE, bytes([0, 0, 0, 1])))
    yield "answer", message(4, (VALUE, b"\1\2\3\4"), (PAIR, V4 + V4), (PAIR, V6 + V6))
    yield "statistics", message(4, (PAIR, V4 + V4), (FIGURES, bytes(range(36))))
    yield "program", message(2, (PROGRAM, b"/usr/bin/curl"))
    yield "watch", message(5)
    yield "event", message(6, (PAIR, V4 + V4), (EVENT, bytes(range(1, 13))))
    yield "linux", message(4, (PAIR, V4 + V4), (PAIR, V6 + V6), (TCP, bytes(range(116))), (TCP, bytes(116)), (MPTCP, bytes(range(75))))
    yield "listen", message(7, (VALUE, bytes(4)), (ADD, V4), (PROFILE, b"bulk"))
    yield "error", message(4, (ERROR, struct.pack(">I", 92)))
    yield "unknown_item", message(2, (OPTION, b"\x01"), (200, b"more"))
    yield "version", message(2, (OPTION, b"\x01"), version=2)
    yield "cut_off", message(3, (OPTION, b"\x02"), (ADD, V4))[:-1]
    yield "too_many", message(3, (OPTION, b"\x02"), *[(ADD, V4)] * 9)


if __name__ == "__main__":
    write("app", seeds())
