#!/usr/bin/env python3
"""Writes the seeds of fuzz_convert into tests/fuzz/corpus/convert: a message with each TLV and each error code, and those
that are refused. The first byte says who sends: 0 the client, 1 the converter."""
import struct

from seeds import write

V4 = bytes(10) + b"\xff\xff" + bytes([192, 0, 2, 1])


def tlv(kind, value):
    value += bytes(-(len(value) + 2) % 4)
    return struct.pack(">BB", kind, (len(value) + 2) // 4) + value


def message(by, *tlvs, version=1, words=None, data=b""):
    body = b"".join(tlvs)
    header = struct.pack(">BBH", version, len(body) // 4 + 1 if words is None else words, 0x2263)
    return bytes([by]) + header + body + data


def connect(options=b"", address=V4, port=443):
    return tlv(10, struct.pack(">H", port) + address + options)


def seeds():
    yield "connect", message(0, connect(), data=b"GET / HTTP/1.1\r\n")
    yield "connect_extended", message(0, connect(b"\x1e\x02\x22\x06abcd\x08\x02\x01\x00"))
    yield "client_all", message(0, tlv(1, b"\0\0"), connect(), tlv(22, b"\0\0" + b"cookie42"))
    yield "yes", message(1)
    yield "converter_all", message(1, tlv(20, b"\0\0\x02\x04\x05\xb4\x01\x03\x03\x07"), tlv(21, b"\0\0\x04\x08\x1e"), connect())
    for code in (0, 1, 2, 3, 32, 33, 64, 65, 96, 97):
        value = b"\0" + message(0, connect())[1:] if code in (1, 2, 3) else b"\x01\x02"
        yield f"error_{code}", message(1, tlv(30, bytes([code]) + value))
    yield "unknown", message(1, tlv(77, b"\0\0"), tlv(78, b"\0\0abcd"))
    yield "twice", message(0, tlv(1, b"\0\0"), tlv(1, b"\0\0"))
    yield "beyond", message(0, connect(), words=5)
    yield "loopback", message(0, connect(address=bytes(15) + b"\1"))
    yield "version", message(0, connect(), version=2)
    yield "no_words", message(0, words=0)


if __name__ == "__main__":
    write("convert", seeds())
