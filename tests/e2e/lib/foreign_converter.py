"""A converter made from RFC 8803 alone, on sockets of the kernel's. Its kernel answers a SYN before the server is asked, and
takes what the SYN carries if fast_open is set, else leaves it to be sent again."""
import contextlib
import errno
import os
import socket
import struct
import threading

from . import convert, mptcp
from .convert import message, tlv
from .stream import receive

MPTCP = 30
OPTIONS = b"\x02\x04\x05\xb4\x04\x02"
CAPABLE = bytes((MPTCP, 12, 1, 1)) + bytes(8)
LISTENING = {True: 0x602, False: 0}  # net.ipv4.tcp_fastopen: for all listeners, without cookies of TCP's own


class Refusal(Exception):
    """What the client is answered with."""

    def __init__(self, code, value=b"\0"):
        super().__init__(code)
        self.tlv = tlv(convert.ERROR, bytes((code,)) + value)


def read_tlvs(sock):
    version, words, magic = struct.unpack(">BBH", receive(sock, 4))
    assert magic == convert.MAGIC and words > 0
    body, found = receive(sock, 4 * (words - 1)), {}
    if version != convert.VERSION:
        raise Refusal(convert.UNSUPPORTED_VERSION, bytes((convert.VERSION,)))
    while body:
        kind, length = body[0], 4 * body[1]
        if not 0 < length <= len(body) or kind in found:
            raise Refusal(convert.MALFORMED, b"\0")
        found[kind], body = body[2:length], body[length:]
    return found


def kinds(options):
    found = []
    while options:
        if options[0] > 1:
            found.append(options[0])
        options = options[1 if options[0] <= 1 else options[1]:]
    return found


class ForeignConverter:
    """cookies: each client's address has one, which it has to show. knows: the TCP options that a client may ask for. answer: says
    this to everybody, whatever he wants. asked: the servers that were wanted, with options and cookie."""

    def __init__(self, env, address, port, fast_open=False, cookies=False, knows=(MPTCP,), answer=None):
        self.env, self.namespace, self.asked = env, env.home.edge, []
        self.cookies, self.knows, self.answer = {} if cookies else None, knows, answer
        self.namespace.sysctl(net__ipv4__tcp_fastopen=LISTENING[fast_open])
        self.version = 6 if ":" in address else 4
        self.listener = env.listen(self.version, port, address=address, multipath=True, at=self.namespace)
        self.listener.settimeout(None)
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        with contextlib.suppress(OSError):  # the test is over
            while True:
                with contextlib.suppress(ConnectionAbortedError):  # a candidate that has lost was reset meanwhile
                    threading.Thread(target=self._serve, args=self.listener.accept(), daemon=True).start()

    def _serve(self, client, address):
        client.settimeout(20)
        with client, contextlib.suppress(OSError, AssertionError):
            try:
                server, answer = self._follow(read_tlvs(client), address[0])
            except Refusal as refusal:
                client.sendall(message(refusal.tlv))
                client.shutdown(socket.SHUT_WR)
                client.recv(1)  # it resets
                return
            client.sendall(message(*answer))
            if server:
                with server:
                    for sock in (client, server):
                        sock.settimeout(None)  # whoever has nothing to say may be silent for as long as he likes
                    relay(client, server)

    def _follow(self, tlvs, client):
        """The server's socket, and the TLVs that the client is told; or Refusal."""
        told = [tlv(convert.SUPPORTED, bytes((0, 0, *self.knows)))] if convert.INFO in tlvs else []
        if self.cookies is not None:
            self._check_cookie(tlvs, client)
        if convert.CONNECT not in tlvs:
            return None, told
        port, packed, options = struct.unpack(">H", tlvs[convert.CONNECT][:2])[0], tlvs[convert.CONNECT][2:18], tlvs[convert.CONNECT][18:]
        self.asked.append((port, kinds(options), tlvs.get(convert.COOKIE, b"\0\0")[2:]))
        if self.answer:
            raise Refusal(*self.answer)
        unknown = [kind for kind in kinds(options) if kind not in self.knows]
        if unknown:
            raise Refusal(convert.UNSUPPORTED_OPTION, bytes(unknown))
        server = self._connect(packed, port, MPTCP in kinds(options))
        if options:
            told.append(tlv(convert.EXTENDED_HEADER, b"\0\0" + OPTIONS + (CAPABLE if mptcp.is_mptcp(server) else b"")))
        return server, told

    def _check_cookie(self, tlvs, client):
        right = self.cookies.setdefault(client, os.urandom(12))
        if convert.COOKIE not in tlvs:
            raise Refusal(convert.MISSING_COOKIE, b"\0" + right)
        if tlvs[convert.COOKIE][2:] != right:
            raise Refusal(convert.NOT_AUTHORIZED)

    def _connect(self, packed, port, multipath):
        is_v4 = packed[:12] == bytes(10) + b"\xff\xff"
        host = socket.inet_ntop(socket.AF_INET, packed[12:]) if is_v4 else socket.inet_ntop(socket.AF_INET6, packed)
        server = self.namespace.socket(4 if is_v4 else 6, mptcp.IPPROTO_MPTCP if multipath else 0)
        server.settimeout(10)
        try:
            server.connect((host, port))
        except ConnectionRefusedError:
            raise Refusal(convert.RESET) from None
        except OSError as error:
            code = {errno.EHOSTUNREACH: convert.UNREACHABLE}.get(error.errno, convert.NETWORK_FAILURE)
            raise Refusal(code, b"\1") from None
        return server


def relay(a, b):
    """Until both directions have ended. Who aborts aborts the other."""
    back = threading.Thread(target=pump, args=(b, a), daemon=True)
    back.start()
    pump(a, b)
    back.join()


def pump(source, sink):
    try:
        while data := source.recv(1 << 16):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        for sock in (source, sink):
            with contextlib.suppress(OSError):
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                sock.shutdown(socket.SHUT_RD)  # wakes the other thread; SHUT_WR would send an orderly end first
