"""What the client's kernel knows of an MPTCP socket (include/uapi/linux/mptcp.h); programs with libbraid-socket
ask in the same way."""
import ctypes
import errno
import socket
import struct

IPPROTO_MPTCP = 262
SOL_MPTCP = 284
MPTCP_INFO, MPTCP_TCPINFO, MPTCP_SUBFLOW_ADDRS, MPTCP_FULL_INFO = 1, 2, 3, 4
SO_PROTOCOL, TCP_IS_MPTCP = 38, 43
FLAG_FALLBACK = 1 << 0
MAX_SUBFLOWS = 16
TCPINFO_SIZE, ADDRS_SIZE = 232, 256
INFO_SIZE, FULL_SIZE = 96, 136
ESTABLISHED, LISTEN = 1, 10
INFO = ("subflows add_addr_signal add_addr_accepted subflows_max add_addr_signal_max add_addr_accepted_max flags token write_seq "
        "snd_una rcv_nxt local_addr_used local_addr_max csum_enabled retransmits bytes_retrans bytes_sent bytes_received "
        "bytes_acked subflows_total last_data_sent last_data_recv last_ack_recv").split()
_libc = ctypes.CDLL(None, use_errno=True)


def _address(raw):
    family, = struct.unpack_from("=H", raw)
    if family == socket.AF_INET:
        return socket.inet_ntop(family, raw[4:8])
    if family == socket.AF_INET6:
        return socket.inet_ntop(family, raw[8:24]).removeprefix("::ffff:")
    return None


def option(sock, level, number, given, length):
    """What getsockopt gives if it is given these bytes; Python's cannot pass any in, so libc is asked."""
    buffer = ctypes.create_string_buffer(given, max(length, len(given), 1))
    size = ctypes.c_uint32(length)
    if _libc.getsockopt(sock.fileno(), level, number, buffer, ctypes.byref(size)) != 0:
        raise OSError(ctypes.get_errno(), f"getsockopt({level}, {number})")
    return buffer.raw[:size.value]


def _records(sock, number, size):
    """The per-subflow records that the kernel returns behind a struct mptcp_subflow_data."""
    raw = option(sock, SOL_MPTCP, number, struct.pack("=IIII", 16, 0, 0, size), 16 + MAX_SUBFLOWS * size)
    count, = struct.unpack_from("=I", raw, 4)
    return [raw[16 + i * size:16 + (i + 1) * size] for i in range(min(count, MAX_SUBFLOWS))]


def opened(version=4):
    return socket.socket(socket.AF_INET if version == 4 else socket.AF_INET6, socket.SOCK_STREAM, IPPROTO_MPTCP)


def info(sock):
    """struct mptcp_info as a dictionary; fields that an older kernel lacks are 0."""
    raw = sock.getsockopt(SOL_MPTCP, MPTCP_INFO, INFO_SIZE)
    return _info(raw)


def _info(raw):
    return dict(zip(INFO, struct.unpack_from("=6B2xII3Q3BxI4QB3x3I", raw.ljust(INFO_SIZE, b"\0"))))


def full_info(sock, most=MAX_SUBFLOWS):
    """By MPTCP_FULL_INFO: the connection, how many subflows there are, and their ids, ends and struct tcp_info."""
    ids, tcps = (ctypes.create_string_buffer(most * size) for size in (8 + ADDRS_SIZE, TCPINFO_SIZE))
    head = struct.pack("=6I2Q", 0, TCPINFO_SIZE, 0, 8 + ADDRS_SIZE, 0, most, ctypes.addressof(ids), ctypes.addressof(tcps))
    raw = option(sock, SOL_MPTCP, MPTCP_FULL_INFO, head, FULL_SIZE)
    there, = struct.unpack_from("=I", raw, 16)
    found = []
    for i in range(min(there, most)):
        at = i * (8 + ADDRS_SIZE)
        number, = struct.unpack_from("=I", ids.raw, at)
        found.append({"id": number, "local": end(ids.raw[at + 8:]), "remote": end(ids.raw[at + 136:]),
                      "tcp": tcps.raw[i * TCPINFO_SIZE:(i + 1) * TCPINFO_SIZE]})
    return _info(raw[40:]), there, found


def end(raw):
    """Address and port of a sockaddr; None: it is none."""
    address = _address(raw)
    return address and [address, int.from_bytes(raw[2:4], "big")]


def protocol(sock):
    return sock.getsockopt(socket.SOL_SOCKET, SO_PROTOCOL)


def says_mptcp(sock):
    """TCP_IS_MPTCP"""
    return sock.getsockopt(socket.IPPROTO_TCP, TCP_IS_MPTCP)


def is_mptcp(sock):
    """Whether the connection still speaks MPTCP: false after a fallback and for plain TCP."""
    try:
        raw = sock.getsockopt(SOL_MPTCP, MPTCP_INFO, 256)
    except OSError as error:
        if error.errno in (errno.EOPNOTSUPP, errno.ENOPROTOOPT):
            return False
        raise
    flags, = struct.unpack_from("=I", raw, 8)
    return not flags & FLAG_FALLBACK


def subflows(sock):
    """A dictionary for each subflow: local, remote, remote_port, state, bytes_in, bytes_out (acknowledged)."""
    result = []
    for tcp, addresses in zip(_records(sock, MPTCP_TCPINFO, TCPINFO_SIZE),
                               _records(sock, MPTCP_SUBFLOW_ADDRS, ADDRS_SIZE)):
        acked, received = struct.unpack_from("=QQ", tcp, 120)
        result.append({"local": _address(addresses[:128]), "remote": _address(addresses[128:]),
                       "remote_port": struct.unpack_from(">H", addresses, 130)[0], "state": tcp[0], "bytes_in": received,
                       "bytes_out": acked})
    return result


def established(sock):
    return [subflow for subflow in subflows(sock) if subflow["state"] == ESTABLISHED]


# ---- rules of what is asked for, as a list to be compared with another socket's

_HEADS = ((16, 0, 0, 200, 16 + 8 * 200), (16, 0, 0, 200, 16), (16, 0, 0, 200, 15), (15, 0, 0, 200, 200), (200, 0, 0, 200, 100),
          (16, 1, 0, 0, 400), (16, 0, 1, 0, 400), (16, 0, 0, 0, 400), (16, 0, 0, 8, 400), (24, 0, 0, 8, 400),
          (16, 0, 0, 2**31, 400), (2**31, 0, 0, 8, 400), (16, 0, 0, 224, 100), (16, 0, 0, 224, 240), (16, 0, 0, 8, 24), (16, 0, 0, 8, 23))
# size_tcpinfo_kernel, _user, size_sfinfo_kernel, _user, num_subflows, size_arrays_user, length
_FULL_HEADS = ((0, 224, 0, 264, 0, 8, 136), (0, 224, 0, 264, 0, 8, 40), (0, 224, 0, 264, 0, 8, 39), (0, 224, 0, 264, 0, 8, 50),
               (0, 224, 0, 264, 0, 8, 400), (0, 224, 0, 264, 0, 0, 136), (0, 0, 0, 0, 0, 8, 136), (0, 8, 0, 4, 0, 8, 136),
               (1, 224, 0, 264, 0, 8, 136), (0, 224, 1, 264, 0, 8, 136), (0, 224, 0, 264, 1, 8, 136),
               (0, 2**31, 0, 264, 0, 8, 136), (0, 224, 0, 2**31, 0, 8, 136))


def _outcome(sock, level, number, given, length, shape):
    """The length of what is given and its head, or the errno; how large struct tcp_info is depends on the kernel."""
    try:
        raw = option(sock, level, number, given, length)
    except OSError as error:
        return errno.errorcode[error.errno]
    head = list(struct.unpack_from(shape, raw.ljust(struct.calcsize(shape), b"\0")))
    return [len(raw), *(TCPINFO_SIZE if 264 < v < 512 else v for v in head)]


def rules(sock):
    """How the options of MPTCP sockets behave, whatever they tell."""
    found = [("protocol", protocol(sock)), ("type", sock.type), *(("is mptcp", n, _outcome(sock, 6, TCP_IS_MPTCP, b"", n, "=B")) for n in range(9))]
    for length in (0, 1, 8, 44, 95, INFO_SIZE, 97, 400):
        found.append(("info", length, _outcome(sock, SOL_MPTCP, MPTCP_INFO, b"", length, "=0B")))
    for number in (MPTCP_TCPINFO, MPTCP_SUBFLOW_ADDRS):
        for *head, length in _HEADS:
            found.append((number, head, length, _outcome(sock, SOL_MPTCP, number, struct.pack("=4I", *head), length, "=4I")))
    room = ctypes.create_string_buffer(8 * 600)
    for *head, length in _FULL_HEADS:
        given = struct.pack("=6I2Q", *head, ctypes.addressof(room), ctypes.addressof(room))
        found.append(("full", head, length, _outcome(sock, SOL_MPTCP, MPTCP_FULL_INFO, given, length, "=6I")))
    found += [("unknown", number, _outcome(sock, SOL_MPTCP, number, b"", 4, "=B")) for number in (0, 5, 99)]
    for number in (MPTCP_INFO, 99):
        try:
            sock.setsockopt(SOL_MPTCP, number, 1)
        except OSError as error:
            found.append(("set", number, errno.errorcode[error.errno]))
    return found
