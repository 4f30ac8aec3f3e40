"""A TUN device in the place of Braid's that answers each SYN with a RST: what was steered into it is refused, to everybody's
sight, and its answers have to find their way back, too. Or it accepts every connection, and does not care for it any more."""
import contextlib
import fcntl
import ipaddress
import os
import select
import struct
import threading

TUNSETIFF, TUNSETPERSIST = 0x400454CA, 0x400454CB
IFF_TUN, IFF_NO_PI = 0x0001, 0x1000
SYN, RST, ACK = 0x02, 0x04, 0x10
ADDRESSES = ("10.200.0.254/24", "fd00:200::fe/64")


def checksum(data):
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


class Refuser:
    """Exists until closed; a persistent device stays then, and nobody reads from it."""

    def __init__(self, namespace, name="braid0", persistent=False, accepts=False):
        self._flags = SYN | ACK if accepts else RST | ACK
        self.sources = []  # of the SYNs, in their order
        self._stop, self._wake = os.pipe()
        with namespace.entered():
            self._fd = os.open("/dev/net/tun", os.O_RDWR | os.O_CLOEXEC)
            fcntl.ioctl(self._fd, TUNSETIFF, struct.pack("16sH22x", name.encode(), IFF_TUN | IFF_NO_PI))
            fcntl.ioctl(self._fd, TUNSETPERSIST, int(persistent))
        for address in ADDRESSES:
            namespace.ip("address", "replace", address, "dev", name, *(("nodad",) if ":" in address else ()))
        namespace.ip("link", "set", name, "up")
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self):
        while True:
            ready, _, _ = select.select([self._fd, self._stop], [], [])
            if self._stop in ready:
                return
            with contextlib.suppress(OSError):  # the device may be down
                self._answer(os.read(self._fd, 65536))

    def _answer(self, packet):
        version = packet[0] >> 4
        start, protocol = ((packet[0] & 15) * 4, packet[9]) if version == 4 else (40, packet[6])
        if protocol != 6 or packet[start + 13] & (SYN | ACK) != SYN:
            return
        sport, dport, seq = struct.unpack_from("!HHI", packet, start)
        source, target = (packet[12:16], packet[16:20]) if version == 4 else (packet[8:24], packet[24:40])
        self.sources.append(str(ipaddress.ip_address(source)))
        tcp = struct.pack("!HHIIBBHHH", dport, sport, 0, seq + 1 & 0xFFFFFFFF, 5 << 4, self._flags, 65535, 0, 0)
        total = checksum(target + source + struct.pack("!HH", 6, len(tcp)) + tcp)
        tcp = tcp[:16] + struct.pack("!H", total) + tcp[18:]
        if version == 4:
            ip = struct.pack("!BBHHHBBH", 0x45, 0, 40, 0, 0, 64, 6, 0) + target + source
            ip = ip[:10] + struct.pack("!H", checksum(ip)) + ip[12:]
        else:
            ip = struct.pack("!IHBB", 6 << 28, 20, 6, 64) + target + source
        os.write(self._fd, ip + tcp)

    def close(self):
        os.write(self._wake, b".")
        self._thread.join()
        for each in (self._fd, self._stop, self._wake):
            os.close(each)
