"""TCP segments as they are on the wire: what a namespace sees, and what their headers say."""
import contextlib
import socket
import struct
import threading

from .wait import until

ETH_P_ALL = 3
OUTGOING = 4  # PACKET_OUTGOING
FIN, SYN, RST, ACK = 1, 2, 4, 16
CAPABLE, JOIN, FASTCLOSE = 0, 1, 7  # subtypes of MPTCP's option


class Segment:
    """device: where it was seen; window as in its header, not scaled; mptcp: the subtypes that it has, and
    the flags of MP_CAPABLE."""

    def __init__(self, device, packet):
        self.device = device
        if packet[0] >> 4 == 4:
            self.traffic_class, at, size = packet[1], (packet[0] & 15) * 4, struct.unpack_from("!H", packet, 2)[0]
            self.source, self.destination = (socket.inet_ntoa(packet[i:i + 4]) for i in (12, 16))
        else:
            self.traffic_class, at = struct.unpack_from("!H", packet)[0] >> 4 & 255, 40
            size = 40 + struct.unpack_from("!H", packet, 4)[0]
            self.source, self.destination = (socket.inet_ntop(socket.AF_INET6, packet[i:i + 16]) for i in (8, 24))
        self.source_port, self.destination_port = struct.unpack_from("!HH", packet, at)
        self.flags, self.window = packet[at + 13], struct.unpack_from("!H", packet, at + 14)[0]
        data = at + (packet[at + 12] >> 4) * 4
        self.length, self.size = size - data, size - at - 20  # payload; payload and options
        self.mss, self.scale, self.mptcp, self.capable_flags = None, None, set(), 0
        self._options(packet[at + 20:data])

    def _options(self, raw):
        while raw and raw[0] != 0:
            size = 1 if raw[0] == 1 else raw[1]
            if raw[0] == 2:
                self.mss = struct.unpack_from("!H", raw, 2)[0]
            if raw[0] == 3:
                self.scale = raw[2]
            if raw[0] == 30:
                self.mptcp.add(raw[2] >> 4)
                if raw[2] >> 4 == CAPABLE:
                    self.capable_flags = raw[3]
            raw = raw[size:]

    @property
    def is_syn(self):
        return self.flags & (SYN | ACK) == SYN

    def __repr__(self):
        return (f"<{self.device} {self.source}:{self.source_port} > {self.destination}:{self.destination_port} class "
                f"{self.traffic_class:02x} flags {self.flags:02x} window {self.window} mss {self.mss} size {self.size} "
                f"mptcp {sorted(self.mptcp)}>")


def is_tcp(packet):
    return packet[9:10] == b"\x06" if packet[:1] and packet[0] >> 4 == 4 else packet[6:7] == b"\x06"


class Wire:
    """Segments that come in by devices whose names begin so, in the order in which they did."""

    def __init__(self, namespace, devices):
        with namespace.entered():
            self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(ETH_P_ALL))
        self._socket.settimeout(0.1)
        self._devices, self.segments, self._ends = devices, [], False
        self._thread = threading.Thread(target=self._listen)
        self._thread.start()

    def _listen(self):
        while not self._ends:
            with contextlib.suppress(TimeoutError):
                packet, at = self._socket.recvfrom(65536)
                if at[0].startswith(self._devices) and at[2] != OUTGOING and is_tcp(packet):
                    self.segments.append(Segment(at[0], packet))

    def of(self, port, **has):
        """Those to or from this port whose attributes are these."""
        return [s for s in list(self.segments) if port in (s.source_port, s.destination_port) and
                all(getattr(s, name) == value for name, value in has.items())]

    def await_some(self, port, what, which):
        until(lambda: any(map(which, self.of(port))), what)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._ends = True
        self._thread.join()
        self._socket.close()
