"""A host that speaks version 0 of MPTCP, made of RFC 6824 alone: no kernel here does, and what Braid thinks of it is
not asked. It has packets of its own, over IPv4: they leave by raw sockets and come by a packet socket, and the
namespace's kernel sees none of those to its ports. Its TCP is the simplest that is right: a fixed window, in-order
data, and repetitions after half a second."""
import hashlib
import hmac
import os
import select
import socket
import struct
import threading
import time

from .wait import until

FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16
CAPABLE, JOIN, DSS, ADD_ADDR, REMOVE_ADDR, PRIO, FAIL, FASTCLOSE, TCPRST = range(9)
ETH_P_IP, OUTGOING, SO_RCVBUFFORCE = 0x0800, 4, 33
MASK, SCALE, PAYLOAD, IN_FLIGHT, REPEAT = 0xFFFFFFFF, 6, 1400, 40 * 1400, 0.5
PATIENCE = 60.0


def token_and_idsn(key):
    """Section 3.1: the left 32 and the right 64 bits of the key's SHA-1."""
    digest = hashlib.sha1(key).digest()
    return digest[:4], int.from_bytes(digest[-8:], "big")


def join_hmac(key, other_key, nonce, other_nonce):
    """Section 3.2: those of whoever sends it come first."""
    return hmac.new(key + other_key, nonce + other_nonce, hashlib.sha1).digest()


def ones_sum(data):
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total


def dss_checksum(dsn, ssn, length, data):
    """Section 3.3.1: over the data and a pseudo-header."""
    return ~ones_sum(bytes(data) + b"\0" * (len(data) % 2) + struct.pack("!QIHH", dsn, ssn, length, 0)) & 0xFFFF


def options_of(raw):
    """MPTCP's options by their subtypes, each with its kind and length."""
    found = {}
    while raw and raw[0]:
        size = 1 if raw[0] == 1 else raw[1]
        if raw[0] == 30:
            found[raw[2] >> 4] = raw[:size]
        raw = raw[size:]
    return found


class Subflow:
    """Offsets count from the SYN, which is 0."""

    def __init__(self, connection, local, remote, state, join_id=None):
        self.connection, self.local, self.remote, self.state, self.join_id = connection, local, remote, state, join_id
        self.iss, self.irs, self.una, self.nxt, self.rcv_nxt = int.from_bytes(os.urandom(4), "big"), 0, 0, 1, 1
        self.nonce, self.other_nonce = os.urandom(4), None
        self.stream, self.mapped, self.maps = bytearray(), 1, {}  # what came in order, from offset 1 on
        self.sent, self.repeat_at, self.peer_fin, self.fin_at, self.bytes_out = [], 0.0, False, None, 0

    def send(self, flags, options=b"", payload=b"", at=None):
        options += b"\1" * (-len(options) % 4)
        (source, sport), (target, dport) = self.local, self.remote
        tcp = struct.pack("!HHIIBBHHH", sport, dport, self.iss + (self.nxt if at is None else at) & MASK,
                          self.irs + self.rcv_nxt & MASK if flags & ACK else 0, 5 + len(options) // 4 << 4, flags,
                          0xFFFF, 0, 0) + options + payload
        pseudo = socket.inet_aton(source) + socket.inet_aton(target) + struct.pack("!HH", 6, len(tcp))
        tcp = tcp[:16] + struct.pack("!H", ~ones_sum(pseudo + tcp) & 0xFFFF) + tcp[18:]
        self.connection.host.emit(source, target, tcp)

    def send_data(self, dsn, payload):
        """New data: it is kept with its mapping until it is acknowledged."""
        self.sent.append((self.nxt, dsn, payload))
        self.repeat_at = time.monotonic() + REPEAT
        self.send(ACK | PSH, self.connection.mapping(dsn, self.nxt, payload), payload)
        self.nxt += len(payload)
        self.bytes_out += len(payload)

    def repeat(self):
        at, dsn, payload = self.sent[0]
        self.repeat_at = time.monotonic() + REPEAT
        self.send(ACK, self.connection.mapping(dsn, at, payload), payload, at)

    def close(self):
        if self.fin_at is None:
            self.fin_at = self.nxt
            self.nxt += 1
        self.send(ACK | FIN, self.connection.acknowledgment(), at=self.fin_at)

    def take(self, offset, payload):
        """In-order bytes; what is out of order comes again."""
        if offset <= self.rcv_nxt < offset + len(payload):
            fresh = payload[self.rcv_nxt - offset:]
            self.stream += fresh
            self.rcv_nxt += len(fresh)


class Connection:
    """mptcp: None until it is known whether it is. received: the stream so far."""

    def __init__(self, host, checksum, key=None):
        self.host, self.checksum, self.mptcp = host, checksum, None
        self.key, self.other_key = key or os.urandom(8), None
        self.token, self.idsn = token_and_idsn(self.key)
        self.subflows, self.received, self.pieces = [], bytearray(), {}
        self.waiting, self.written, self.data_una, self.ends, self.peer_ended = bytearray(), 0, 0, False, False
        self.fin_repeat_at, self.fin_dsn, self.fastclosed, self.announced, self.flaws, self.seen = 0.0, None, False, [], [], set()

    # ---- what a test does --------------------------------------------------------------------------------

    def join(self, source):
        """One more subflow, from that address; returns when it may carry data."""
        first = self.subflows[0]
        with self.host.lock:
            flow = self.host.flow(self, (source, self.host.port()), first.remote, "syn-sent", len(self.subflows))
            self._send_syn(flow)
        until(lambda: flow.state == "established", "the join is established", PATIENCE)
        return flow

    def send(self, data):
        with self.host.lock:
            self.waiting += data

    def end(self):
        """DATA_FIN behind what was sent."""
        self.ends = True

    def await_bytes(self, count):
        until(lambda: len(self.received) >= count or self.flaws, f"{count} bytes come", PATIENCE)
        assert not self.flaws, self.flaws

    def close(self):
        """Both directions have ended: FINs on all subflows, until they are answered."""
        with self.host.lock:
            for flow in self.subflows:
                flow.close()

    # ---- options -----------------------------------------------------------------------------------------

    @property
    def data_ack(self):
        return self.other_idsn + 1 + len(self.received) + self.peer_ended & (1 << 64) - 1

    def capable(self, *keys):
        return struct.pack("!BBBB", 30, 4 + 8 * len(keys), CAPABLE << 4, 0x01 | self.checksum << 7) + b"".join(keys)

    def acknowledgment(self):
        if not self.mptcp:
            return b""
        if not (self.ends and not self.waiting):
            return struct.pack("!BBBBQ", 30, 12, DSS << 4, 0x03, self.data_ack)
        dsn = self.idsn + 1 + self.written & (1 << 64) - 1
        option = struct.pack("!BBBBQQIH", 30, 26 + 2 * self.checksum, DSS << 4, 0x1F, self.data_ack, dsn, 0, 1)
        return option + (struct.pack("!H", dss_checksum(dsn, 0, 1, b"")) if self.checksum else b"")

    def mapping(self, offset, ssn, payload):
        if not self.mptcp:
            return b""
        dsn = self.idsn + 1 + offset & (1 << 64) - 1
        option = struct.pack("!BBBBQQIH", 30, 26 + 2 * self.checksum, DSS << 4, 0x0F, self.data_ack, dsn, ssn,
                             len(payload))
        return option + (struct.pack("!H", dss_checksum(dsn, ssn, len(payload), payload)) if self.checksum else b"")

    def _send_syn(self, flow):
        flow.repeat_at = time.monotonic() + REPEAT
        options = struct.pack("!BBHBBBB", 2, 4, 1460, 1, 3, 3, SCALE)
        answers = flow.state == "syn-received"
        if flow.join_id is None:
            options += self.capable(self.key) if self.mptcp is not False else b""
        elif answers:
            options += struct.pack("!BBBB", 30, 16, JOIN << 4, flow.join_id) + \
                join_hmac(self.key, self.other_key, flow.nonce, flow.other_nonce)[:8] + flow.nonce
        else:
            options += struct.pack("!BBBB", 30, 12, JOIN << 4, flow.join_id) + self.other_token + flow.nonce
        flow.send(SYN | (ACK if answers else 0), options, at=0)

    def _send_third_ack(self, flow):
        flow.repeat_at = time.monotonic() + REPEAT
        if flow.join_id is None:
            flow.send(ACK, self.capable(self.key, self.other_key) if self.mptcp else b"")
        else:
            flow.send(ACK, struct.pack("!BBBB", 30, 24, JOIN << 4, 0) +
                      join_hmac(self.key, self.other_key, flow.nonce, flow.other_nonce))

    # ---- segments ----------------------------------------------------------------------------------------

    def learn(self, key):
        self.other_key = key
        self.other_token, self.other_idsn = token_and_idsn(key)

    def _flaw(self, what):
        self.flaws.append(what)

    def segment(self, flow, flags, seq, ack, options, payload):
        self.seen.update(options)
        if flags & RST:
            flow.state = "reset"
            return
        if flow.state == "syn-sent":
            self._synack(flow, flags, seq, options)
            return
        offset = (seq - flow.irs + (1 << 31) & MASK) - (1 << 31)
        acked = (ack - flow.iss & MASK) if flags & ACK else flow.una
        if flow.una <= acked <= flow.nxt:
            flow.una = acked
            flow.sent = [each for each in flow.sent if each[0] + len(each[2]) > acked]
        if flow.state == "syn-received" and not self._third_ack(flow, flags, options):
            return
        if flow.state == "pre" and not flags & SYN:
            flow.state = "established"  # the fourth ACK
        if flags & SYN:
            self._send_third_ack(flow)
            return
        before = flow.rcv_nxt, len(self.received), self.peer_ended
        self._take_options(flow, options)
        flow.take(offset, payload)
        self._deliver(flow)
        if flags & FIN and offset + len(payload) == flow.rcv_nxt and not flow.peer_fin:
            flow.peer_fin, flow.rcv_nxt = True, flow.rcv_nxt + 1
        probed = offset < before[0] and flow.state == "established"
        if flow.state == "established" and (payload or flags & FIN or probed or self.peer_ended != before[2]):
            flow.send(ACK, self.acknowledgment())

    def _synack(self, flow, flags, seq, options):
        if flags & (SYN | ACK) != SYN | ACK:
            return
        flow.irs, flow.rcv_nxt, flow.una = seq, 1, 1
        if flow.join_id is None:
            option = options.get(CAPABLE, b"")
            self.mptcp = len(option) == 12 and option[2] & 15 == 0 and bool(option[3] & 1)
            if self.mptcp:
                self.checksum |= option[3] >> 7
                self.learn(option[4:12])
            flow.state = "established"
        else:
            option = options.get(JOIN, b"")
            flow.other_nonce = option[12:16]
            right = join_hmac(self.other_key, self.key, flow.other_nonce, flow.nonce)[:8]
            if len(option) != 16 or option[4:12] != right:
                self._flaw(f"the SYN/ACK of a join has {option.hex()}, not the HMAC {right.hex()}")
            flow.state = "pre"
        self._send_third_ack(flow)

    def _third_ack(self, flow, flags, options):
        """False: it is none."""
        if flags & SYN:
            self._send_syn(flow)
            return False
        if flow.join_id is None:
            if self.mptcp:
                self.mptcp = options.get(CAPABLE, b"")[4:] == self.other_key + self.key
        elif options.get(JOIN, b"")[4:] != join_hmac(self.other_key, self.key, flow.other_nonce, flow.nonce):
            self._flaw("the third ACK of a join has a wrong HMAC")
        flow.state = "established"
        if flow.join_id is not None:
            flow.send(ACK, self.acknowledgment())
        return True

    def _take_options(self, flow, options):
        if FASTCLOSE in options:
            self.fastclosed = options[FASTCLOSE][4:12] == self.key
            if self.fastclosed:  # section 3.5: answered with a RST, and all subflows are gone
                flow.send(RST | ACK)
                for each in self.subflows:
                    each.state = "reset"
        if ADD_ADDR in options and options[ADD_ADDR] not in self.announced:
            self.announced.append(options[ADD_ADDR])
        if DSS not in options or not self.mptcp:
            return
        option = options[DSS]
        bits, at = option[3], 4
        if bits & 1:
            size = 8 if bits & 2 else 4
            acked = int.from_bytes(option[at:at + size], "big") - self.idsn - 1 & (1 << 8 * size) - 1
            self.data_una = max(self.data_una, acked) if acked <= self.written + 1 else self.data_una
            at += size
        if bits & 4:
            size = 8 if bits & 8 else 4
            dsn = int.from_bytes(option[at:at + size], "big") - self.other_idsn - 1 & (1 << 8 * size) - 1
            ssn, length = struct.unpack_from("!IH", option, at + size)
            summed = option[at + size + 6:at + size + 8] if self.checksum else None
            flow.maps[(ssn, dsn, length)] = (bool(bits & 16), summed)

    def _deliver(self, flow):
        """What mappings that are here as a whole say of the stream."""
        if self.mptcp is False:
            self.received += flow.stream[len(self.received):]
            self.peer_ended |= flow.peer_fin
            return
        for (ssn, dsn, length), (fin, summed) in list(flow.maps.items()):
            count = length - fin
            if count and ssn + count > flow.rcv_nxt:
                continue
            data = bytes(flow.stream[ssn - 1:ssn - 1 + count]) if count else b""
            if summed is not None:
                right = struct.pack("!H", dss_checksum(self.other_idsn + 1 + dsn & (1 << 64) - 1, ssn, length, data))
                if summed != right:
                    self._flaw(f"a mapping of {length} bytes has the checksum {summed.hex()}, not {right.hex()}")
            if len(data) > len(self.pieces.get(dsn, b"")) and dsn + len(data) > len(self.received):
                self.pieces[dsn] = data
            if fin:
                self.fin_dsn = dsn + count
            del flow.maps[(ssn, dsn, length)]
        self._put_together()

    def _put_together(self):
        more = True
        while more:
            more = False
            for dsn, data in list(self.pieces.items()):
                at = len(self.received)
                if dsn + len(data) <= at:
                    del self.pieces[dsn]
                elif dsn <= at:
                    self.received += data[at - dsn:]
                    more = True
        self.peer_ended |= self.fin_dsn == len(self.received)

    # ---- time --------------------------------------------------------------------------------------------

    def work(self, now):
        for flow in self.subflows:
            if flow.state in ("syn-sent", "syn-received") and now >= flow.repeat_at:
                self._send_syn(flow)
            elif flow.state == "pre" and now >= flow.repeat_at:
                self._send_third_ack(flow)
            elif flow.state == "established" and flow.sent and now >= flow.repeat_at:
                flow.repeat()
        ready = [flow for flow in self.subflows if flow.state == "established" and flow.fin_at is None]
        while self.waiting:
            flow = min(ready, key=lambda each: each.nxt - each.una, default=None)
            if not flow or flow.nxt - flow.una >= IN_FLIGHT:
                break
            payload = bytes(self.waiting[:PAYLOAD])
            del self.waiting[:PAYLOAD]
            flow.send_data(self.written, payload)
            self.written += len(payload)
        if self.ends and not self.waiting and self.data_una <= self.written and now >= self.fin_repeat_at and ready:
            self.fin_repeat_at = now + REPEAT
            if self.mptcp:
                ready[0].send(ACK, self.acknowledgment())
            elif self.mptcp is False and ready[0].una == ready[0].nxt:
                ready[0].close()


class Host:
    """In that namespace, with a hundred ports."""

    def __init__(self, namespace, first_port=20000):
        self.lock, self.connections, self._flows, self._senders = threading.RLock(), [], {}, {}
        self._namespace, self._listens, self._port, self._over = namespace, None, first_port, False
        namespace.iptables("-t", "raw", "-A", "PREROUTING", "-p", "tcp", "--dport", f"{first_port}:{first_port + 99}",
                           "-j", "DROP")
        with namespace.entered():
            self._ear = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(ETH_P_IP))
        self._ear.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 64 << 20)
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def port(self):
        self._port += 1
        return self._port - 1

    def flow(self, connection, local, remote, state, join_id=None):
        flow = Subflow(connection, local, remote, state, join_id)
        self._flows[local, remote] = flow
        connection.subflows.append(flow)
        return flow

    def connect(self, source, remote, checksum=False):
        """A connection; returns when its SYN is answered. What the answer was is in its mptcp."""
        connection = Connection(self, checksum)
        with self.lock:
            self.connections.append(connection)
            flow = self.flow(connection, (source, self.port()), remote, "syn-sent")
            connection._send_syn(flow)
        until(lambda: flow.state == "established", "the SYN is answered", PATIENCE)
        return connection

    def listen(self, checksum=False):
        """From now on whoever connects to the host's first port is answered, in version 0 or, whoever offers that not, by plain TCP."""
        self._listens = checksum

    def _syn(self, local, remote, seq, options):
        joined = options.get(JOIN, b"")
        if joined:
            for connection in self.connections:
                if connection.token == joined[4:8]:
                    flow = self.flow(connection, local, remote, "syn-received", len(connection.subflows))
                    flow.other_nonce, flow.irs = joined[8:12], seq
                    connection._send_syn(flow)
            return
        connection = Connection(self, self._listens)
        option = options.get(CAPABLE, b"")
        # section 3.1: version 0 has a key of eight bytes there; without it the option is as good as none
        connection.mptcp = len(option) == 12 and option[2] & 15 == 0
        if connection.mptcp:
            connection.learn(option[4:12])
            connection.checksum |= option[3] >> 7
        self.connections.append(connection)
        flow = self.flow(connection, local, remote, "syn-received")
        flow.irs = seq
        connection._send_syn(flow)

    def emit(self, source, target, segment):
        if source not in self._senders:
            with self._namespace.entered():
                self._senders[source] = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_TCP)
            self._senders[source].bind((source, 0))
        self._senders[source].sendto(segment, (target, 0))

    def _packet(self, packet):
        at = (packet[0] & 15) * 4
        size, = struct.unpack_from("!H", packet, 2)
        sport, dport, seq, ack, header, flags = struct.unpack_from("!HHIIBB", packet, at)
        data = at + (header >> 4) * 4
        remote, local = (socket.inet_ntoa(packet[12:16]), sport), (socket.inet_ntoa(packet[16:20]), dport)
        options = options_of(packet[at + 20:data])
        flow = self._flows.get((local, remote))
        if flow:
            flow.connection.segment(flow, flags, seq, ack, options, packet[data:size])
        elif flags & (SYN | ACK) == SYN and self._listens is not None and dport == self._port:
            self._syn(local, remote, seq, options)

    def _run(self):
        while not self._over:
            heard, _, _ = select.select([self._ear], [], [], 0.02)
            with self.lock:
                for _ in range(64 if heard else 0):
                    packet, where = self._ear.recvfrom(70000)
                    if where[2] != OUTGOING and packet[9] == socket.IPPROTO_TCP:
                        self._packet(packet)
                    if not select.select([self._ear], [], [], 0)[0]:
                        break
                for connection in self.connections:
                    connection.work(time.monotonic())

    def stop(self):
        self._over = True
        self._thread.join()
        for each in (self._ear, *self._senders.values()):
            each.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()
