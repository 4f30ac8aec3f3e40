#!/usr/bin/env python3
"""Writes the seeds of fuzz_wire into tests/fuzz/corpus/wire: the smallest packet of each kind that is in tests/captures
(IP version, TCP flags, layout of the options, with or without payload), and the kinds that the captures lack: IPv6
extension headers, IPv4 options, fragments, ICMP errors, SACK. Run it again after adding a capture."""
import ipaddress
import pathlib
import struct

from seeds import write

CAPTURES = pathlib.Path(__file__).resolve().parents[1] / "captures"


def packets(path):
    data = path.read_bytes()
    link = 20 if struct.unpack_from("<I", data, 20)[0] == 276 else 14
    at = 24
    while at + 16 <= len(data):
        captured = struct.unpack_from("<I", data, at + 8)[0]
        yield data[at + 16 + link:at + 16 + captured]
        at += 16 + captured


def layout(options):
    """Kinds and lengths of the options, with the first two bytes of MPTCP ones: these hold subtype and flags."""
    out, at = [], 0
    while at < len(options):
        if options[at] <= 1:
            out.append(bytes(options[at:at + 1]))
            at += 1
            continue
        out.append(bytes(options[at:at + (4 if options[at] == 30 and options[at + 2] >> 4 == 2 else 2)]))
        if options[at] == 30:
            out.append(bytes([options[at + 2]]))
        at += options[at + 1]
    return tuple(out)


def kind(packet):
    header = (packet[0] & 15) * 4 if packet[0] >> 4 == 4 else 40
    tcp = packet[header:]
    options = tcp[20:(tcp[12] >> 4) * 4]
    return packet[0] >> 4, tcp[13], layout(options), len(tcp) > 20 + len(options)


def checksum(data):
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return total ^ 0xffff


def with_sum(data, at, pseudo=b""):
    return data[:at] + struct.pack(">H", checksum(pseudo + data)) + data[at + 2:]


def v4(proto, body, options=b"", frag=0x4000, src="192.0.2.1", dst="198.51.100.7"):
    head = struct.pack(">BBHHHBBH", 0x45 + len(options) // 4, 0, 20 + len(options) + len(body), 0, frag, 64, proto, 0)
    head += ipaddress.ip_address(src).packed + ipaddress.ip_address(dst).packed + options
    return with_sum(head, 10) + body


def v6(proto, body, src="2001:db8::1", dst="2001:db8:1::7"):
    return (struct.pack(">IHBB", 0x60000000, len(body), proto, 64) + ipaddress.ip_address(src).packed +
            ipaddress.ip_address(dst).packed + body)


def pseudo6(proto, body, src="2001:db8::1", dst="2001:db8:1::7"):
    return ipaddress.ip_address(src).packed + ipaddress.ip_address(dst).packed + struct.pack(">II", len(body), proto)


def tcp(flags=2, options=b"", payload=b""):
    return struct.pack(">HHIIBBHHH", 40000, 443, 1, 2, 80 + len(options) * 4, flags, 65535, 0, 0) + options + payload


def handmade():
    syn4 = v4(6, tcp())
    syn6 = v6(6, with_sum(tcp(), 16, pseudo6(6, tcp())))
    for kind4, code, rest in ((3, 1, 0), (3, 3, 0), (3, 4, 1400), (3, 13, 0), (11, 0, 0), (5, 0, 0)):
        yield f"icmp4_{kind4}_{code}", v4(1, with_sum(struct.pack(">BBHI", kind4, code, 0, rest) + syn4, 2))
    for kind6, code, rest in ((1, 0, 0), (1, 1, 0), (1, 4, 0), (2, 0, 1280), (3, 0, 0), (128, 0, 0)):
        body = struct.pack(">BBHI", kind6, code, 0, rest) + syn6
        yield f"icmp6_{kind6}_{code}", v6(58, with_sum(body, 2, pseudo6(58, body)))
    body = with_sum(tcp(), 16, pseudo6(6, tcp()))
    yield "ip6_hop_by_hop", v6(0, b"\x06\0\1\4\0\0\0\0" + body)
    yield "ip6_all_extensions", v6(0, b"\x3c\0\1\4\0\0\0\0\x2b\0\1\4\0\0\0\0\x06\2\0\0" + b"\0" * 20 + body)
    yield "ip6_routing_to_go", v6(43, b"\x06\2\0\1" + b"\0" * 20 + body)
    yield "ip6_fragment", v6(44, b"\x06\0\0\1\0\0\0\1" + body)
    yield "ip4_options", v4(6, tcp(), options=b"\x94\4\0\0\1\1\1\0")
    yield "ip4_fragment", v4(6, tcp(), frag=0x2000)
    yield "ip4_udp", v4(17, b"\0" * 8)
    for blocks in (1, 2, 3, 4):
        yield f"sack_{blocks}", v4(6, tcp(16, b"\1\1\5" + bytes([2 + 8 * blocks]) + bytes(range(8 * blocks))))
    yield "remove_addr_many", v4(6, tcp(16, b"\x1e\x28\x40" + bytes(range(37))))
    yield "add_addr_v6_port", v4(6, tcp(16, b"\x1e\x1e\x30\2\x20\1\x0d\xb8" + bytes(14) + bytes(8) + b"\1\1"))
    yield "duplicate_prio", v4(6, tcp(16, b"\x1e\3\x50\1\x1e\3\x51\1"))
    yield "dss_infinite", v4(6, tcp(16, b"\x1e\x0e\x20\4" + bytes(10) + b"\1\1"))
    yield "eol", v4(6, tcp(2, b"\2\4\5\xb4\0\0\0\0"))


def main():
    smallest = {}
    for path in sorted(CAPTURES.glob("*.pcap")):
        for packet in packets(path):
            old = smallest.get(kind(packet))
            if old is None or len(packet) < len(old):
                smallest[kind(packet)] = packet
    write("wire", [(f"capture_{number:03}", smallest[key]) for number, key in enumerate(sorted(smallest))] + list(handmade()))


if __name__ == "__main__":
    main()
