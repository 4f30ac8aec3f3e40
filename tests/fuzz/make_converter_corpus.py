#!/usr/bin/env python3
"""Writes the seeds of fuzz_converter into tests/fuzz/corpus/converter: conversations of a client with a converter, from the
SYN to the end, whose servers answer, refuse, are late or leave. The steps are those of fuzz_converter.c."""
from make_convert_corpus import connect, message, tlv
from seeds import write

SYN, SENDS, READY, ENDS, RESETS, ANSWER, S_SENDS, S_ENDS, S_RESETS, TIME = range(10)
PSK, ONE_PENDING, CLOSED, IGNORES_BARE, STRANGERS_WAIT, EARLY = 2, 4, 8, 16, 32, 64
REFUSED = 8


def step(what, how=0, data=b"", client=0):
    return bytes([what | client << 4, how]) + data


def syn(data=b"", client=0, how=4):
    """The SYN's payload is counted in units of eight bytes."""
    return step(SYN, how, bytes([7, len(data) // 8]) + data, client)


def said(*tlvs, data=b""):
    whole = message(0, *tlvs, data=data)[1:]
    return whole + b"." * (-len(whole) % 8)


def seeds():
    web = said(connect(), data=b"GET / HTTP/1.1\r\n\r\n")
    talk = step(S_SENDS, 5, b"hello") + step(SENDS, 4, b"more") + step(READY) + step(S_SENDS, 3, b"bye")
    end = step(ENDS) + step(S_ENDS) + step(READY) + step(READY)
    yield "whole", bytes([0]) + syn(web) + step(ANSWER) + step(READY) + talk + end
    yield "pieces", bytes([0]) + syn() + step(READY) + step(SENDS, 9, web[:9]) + step(SENDS, len(web) - 9, web[9:]) + step(ANSWER) + talk + end
    yield "refused", bytes([0]) + syn(web) + step(ANSWER, REFUSED) + step(READY) + step(RESETS)
    yield "unreachable_late", bytes([0]) + syn(web) + step(TIME, 60) + step(READY) + step(ANSWER, REFUSED + 2) + step(TIME, 250) + end
    yield "late", bytes([0]) + syn(web) + step(TIME, 60) + step(READY) + step(ANSWER) + talk + step(S_RESETS) + step(READY)
    yield "leaves", bytes([0]) + syn(web) + step(READY) + step(RESETS) + step(ANSWER)
    yield "silent", bytes([0]) + syn() + step(READY) + step(TIME, 250) + step(READY)
    yield "forbidden", bytes([CLOSED]) + syn(web) + step(READY) + step(RESETS)
    yield "bare", bytes([IGNORES_BARE]) + syn() + syn(web) + step(ANSWER) + step(READY) + end
    yield "cookie", bytes([1]) + syn(said(tlv(1, b"\0\0"), connect())) + step(READY)
    yield "psk", bytes([PSK]) + syn(said(connect(), tlv(22, b"\0\0" + bytes(24)))) + step(READY)
    yield "strangers", bytes([STRANGERS_WAIT]) + syn(web) + step(READY) + step(ANSWER) + talk + end
    two = syn(web) + syn(web, client=1) + step(ANSWER) + step(READY) + step(ANSWER, client=1) + step(READY, client=1)
    yield "two", bytes([ONE_PENDING]) + two + talk
    yield "early", bytes([EARLY]) + syn(web) + step(ANSWER) + talk + end
    yield "early_again", bytes([EARLY]) + syn(web) + step(ANSWER) + step(RESETS) + syn(web) + step(ANSWER) + step(RESETS)
    yield "extended", bytes([0]) + syn(said(tlv(1, b"\0\0"), connect(b"\x1e\x02"))) + step(ANSWER) + step(READY) + end
    yield "loopback", bytes([0]) + syn(said(connect(address=bytes(15) + b"\1"))) + step(READY) + step(RESETS)


if __name__ == "__main__":
    write("converter", seeds())
