#!/usr/bin/env python3
"""Writes the seeds of fuzz_proxy_protocol into tests/fuzz/corpus/proxy_protocol: headers of both versions and all families,
and those that are refused."""
import struct

from seeds import write

SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
V4 = bytes([192, 0, 2, 1, 198, 51, 100, 2]) + struct.pack(">HH", 4711, 80)
V6 = bytes.fromhex("20010db8000000000000000000000001" "20010db8000000000000000000000002") + struct.pack(">HH", 4711, 80)


def crc32c(data):
    crc = 0xffffffff
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82f63b78 if crc & 1 else 0)
    return crc ^ 0xffffffff


def tlv(kind, value):
    return struct.pack(">BH", kind, len(value)) + value


def header(body, command=0x21, family=0x11):
    return SIGNATURE + struct.pack(">BBH", command, family, len(body)) + body


def with_checksum(body):
    whole = header(body + tlv(3, bytes(4)))
    return whole[:-4] + struct.pack(">I", crc32c(whole))


def seeds():
    yield "tcp4", b"PROXY TCP4 192.0.2.1 198.51.100.2 4711 80\r\nGET / HTTP/1.1\r\n"
    yield "tcp6", b"PROXY TCP6 2001:db8::1 2001:db8::2 4711 80\r\n"
    yield "unknown", b"PROXY UNKNOWN and more\r\n"
    yield "octal", b"PROXY TCP4 192.0.2.01 198.51.100.2 4711 080\r\n"
    yield "v4", header(V4)
    yield "v6", header(V6, family=0x21)
    yield "local", header(b"", command=0x20, family=0)
    yield "unspec", header(b"\1\2\3", family=0)
    yield "unix", header(bytes(216), family=0x31)
    yield "udp", header(V4, family=0x12)
    yield "tlvs", header(V4 + tlv(4, b"") + tlv(2, b"host.example") + tlv(0xe0, b"2"))
    yield "checksum", with_checksum(V4 + tlv(0xe0, b"2"))
    yield "checksum_bad", header(V4 + tlv(3, b"abcd"))
    yield "tlv_beyond", header(V4 + b"\xe0\xff\xff")


if __name__ == "__main__":
    write("proxy_protocol", seeds())
