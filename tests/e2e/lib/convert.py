"""The Convert Protocol as RFC 8803 writes it down, for a client: messages to the converter, and its answers."""
import dataclasses
import ipaddress
import struct

from .stream import receive

MAGIC, VERSION = 0x2263, 1
INFO, CONNECT, EXTENDED_HEADER, SUPPORTED, COOKIE, ERROR = 1, 10, 20, 21, 22, 30
UNSUPPORTED_VERSION, MALFORMED, UNSUPPORTED_MESSAGE, MISSING_COOKIE = 0, 1, 2, 3
NOT_AUTHORIZED, UNSUPPORTED_OPTION, RESOURCE_EXCEEDED, NETWORK_FAILURE, RESET, UNREACHABLE = 32, 33, 64, 65, 96, 97


def tlv(kind, value=b"\0\0"):
    """value: what follows the length, padded here."""
    value += bytes(-(len(value) + 2) % 4)
    return struct.pack(">BB", kind, (len(value) + 2) // 4) + value


def connect_tlv(address, port, tcp_options=b""):
    ip = ipaddress.ip_address(address)
    packed = ip.packed if ip.version == 6 else bytes(10) + b"\xff\xff" + ip.packed
    return tlv(CONNECT, struct.pack(">H", port) + packed + tcp_options)


def message(*tlvs, version=VERSION, words=None):
    body = b"".join(tlvs)
    return struct.pack(">BBH", version, 1 + len(body) // 4 if words is None else words, MAGIC) + body


@dataclasses.dataclass
class Message:
    """What a converter has said. Of each TLV that may come, what follows its length."""
    tlvs: dict = dataclasses.field(default_factory=dict)

    def __contains__(self, kind):
        return kind in self.tlvs

    @property
    def error(self):
        """Its code and value; None: it is none."""
        value = self.tlvs.get(ERROR)
        return value and (value[0], value[1:])

    @property
    def supported(self):
        return set(self.tlvs[SUPPORTED][2:]) - {0}

    @property
    def options(self):
        """The server's TCP options: kind -> value."""
        found, rest = {}, self.tlvs[EXTENDED_HEADER][2:]
        while rest:
            if rest[0] <= 1:
                rest = rest[1:]
                continue
            found[rest[0]], rest = rest[2:rest[1]], rest[rest[1]:]
        return found


def parse(body):
    found = {}
    while body:
        kind, length = body[0], 4 * body[1]
        assert 0 < length <= len(body) and kind not in found, f"what the converter sends is malformed: {body.hex()}"
        found[kind], body = body[2:length], body[length:]
    return Message(found)


def read_message(sock, limit=10.0):
    """The message that the converter's stream begins with; what follows it stays in the socket."""
    version, words, magic = struct.unpack(">BBH", receive(sock, 4, limit))
    assert (version, magic) == (VERSION, MAGIC) and words > 0
    return parse(receive(sock, 4 * (words - 1)) if words > 1 else b"")
