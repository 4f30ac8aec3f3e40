#!/usr/bin/env python3
"""Writes the seeds of fuzz_recording into tests/fuzz/corpus/recording: the small ones of tests/recordings, their beginnings, and
what nobody would have recorded. To be run again when those are made anew, since states of another version are refused."""
import pathlib
import struct

from seeds import write

RECORDINGS = pathlib.Path(__file__).resolve().parents[1] / "recordings"
CUSTOM, PACKET = 0xbad, 6
NUMBER = 32473  # src/record/pcapng.h
EVENTS, ENDS = 2, 3  # src/record/recorder.h
RUN, FLUSH, FAIL, RELEASE, WRITE, RETURN = 2, 3, 5, 11, 16, 35  # include/braid/tap.h
HAS_TIME, HAS_ALL = 8, 16  # src/record/event_code.c


def blocks(recording):
    at = 0
    while at < len(recording):
        length = struct.unpack_from("<I", recording, at + 4)[0]
        yield recording[at:at + length]
        at += length


def number(value):
    out = b""
    while value > 127:
        out += bytes([value & 127 | 128])
        value >>= 7
    return out + bytes([value])


def custom(body):
    padded = body + bytes(-len(body) % 4)
    length = struct.pack("<I", len(padded) + 20)
    return struct.pack("<I", CUSTOM) + length + struct.pack("<II", NUMBER, len(body)) + padded + length


def connection(recording):
    """The number of the first one, as its events begin with it."""
    for block in blocks(recording):
        if struct.unpack_from("<I", block)[0] == CUSTOM and block[16] == EVENTS:
            end = 17
            while block[end] & 128:
                end += 1
            return block[17:end + 1]
    raise ValueError("there are no events")


def cause(kind, *numbers, later=None):
    """Something that is done to the connection, `later` microseconds behind what is in front of it."""
    has = len(numbers) | HAS_ALL | (HAS_TIME if later is not None else 0)
    when = number(2 * later) if later is not None else b""
    return bytes([kind, has]) + when + number(0) + number(1) + b"".join(map(number, numbers))


def flush_inside(block):
    """The user flushes in a callback, before he returns from it."""
    end = bytes([RETURN, HAS_ALL])
    if struct.unpack_from("<I", block)[0] != CUSTOM or block[16] != EVENTS or end not in block:
        return block
    body = block[16:16 + struct.unpack_from("<I", block, 12)[0]]
    return custom(body.replace(end, cause(FLUSH, later=0) + end, 1))


def broken_off_inside(parts):
    """What there is in front of the first return from a callback."""
    end = bytes([RETURN, HAS_ALL])
    for i, block in enumerate(parts):
        if struct.unpack_from("<I", block)[0] == CUSTOM and block[16] == EVENTS and end in block:
            return b"".join(parts[:i]) + custom(block[16:block.index(end)])
    return b""


def seeds():
    for name in ("burst-loss", "two-paths"):
        whole = (RECORDINGS / f"{name}.pcapng").read_bytes()
        parts = list(blocks(whole))
        begin, events = b"".join(parts[:3]), bytes([EVENTS]) + connection(whole)
        yield name, whole
        yield f"{name}-half", b"".join(parts[:len(parts) // 2])
        yield f"{name}-torn", whole[:len(whole) // 3]
        yield f"{name}-begins", begin
        yield f"{name}-twice", whole + b"".join(parts[2:])
        yield f"{name}-backwards", begin + b"".join(reversed(parts[3:]))
        yield f"{name}-inputs", begin + b"".join(p for p in parts[3:] if struct.unpack_from("<I", p)[0] == PACKET)
        yield f"{name}-broken-off", broken_off_inside(parts)
        yield f"{name}-inside", b"".join(map(flush_inside, parts))
        for what, done in (("later", cause(RUN, later=1 << 62)), ("much", cause(WRITE, 1 << 62)),
                           ("failed", cause(FAIL, 1, 1) + cause(FLUSH, later=1)),
                           ("released", cause(RELEASE) + cause(FLUSH, later=1) + cause(WRITE, 100))):
            yield f"{name}-{what}", b"".join(parts[:-8]) + custom(events + done) + b"".join(parts[-8:])


if __name__ == "__main__":
    write("recording", seeds())
