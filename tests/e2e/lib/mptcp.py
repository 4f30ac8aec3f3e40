"""What the client's kernel knows of an MPTCP socket (include/uapi/linux/mptcp.h)."""
import ctypes
import errno
import socket
import struct

IPPROTO_MPTCP = 262
SOL_MPTCP = 284
MPTCP_INFO, MPTCP_TCPINFO, MPTCP_SUBFLOW_ADDRS = 1, 2, 3
FLAG_FALLBACK = 1 << 0
MAX_SUBFLOWS = 16
TCPINFO_SIZE, ADDRS_SIZE = 232, 256
ESTABLISHED = 1
_libc = ctypes.CDLL(None, use_errno=True)


def _address(raw):
    family, = struct.unpack_from("=H", raw)
    if family == socket.AF_INET:
        return socket.inet_ntop(family, raw[4:8])
    if family == socket.AF_INET6:
        return socket.inet_ntop(family, raw[8:24]).removeprefix("::ffff:")
    return None


def _records(sock, option, size):
    """The per-subflow records that the kernel returns behind a struct mptcp_subflow_data."""
    header = struct.pack("=IIII", 16, 0, 0, size)
    # Python's getsockopt cannot pass the header in, so libc is asked.
    buffer = ctypes.create_string_buffer(header, 16 + MAX_SUBFLOWS * size)
    length = ctypes.c_uint32(len(buffer))
    if _libc.getsockopt(sock.fileno(), SOL_MPTCP, option, buffer, ctypes.byref(length)) != 0:
        raise OSError(ctypes.get_errno(), "getsockopt(SOL_MPTCP)")
    count, = struct.unpack_from("=I", buffer.raw, 4)
    return [buffer.raw[16 + i * size:16 + (i + 1) * size] for i in range(min(count, MAX_SUBFLOWS))]


def is_mptcp(sock):
    """Whether the connection still speaks MPTCP: false after a fallback and for plain TCP."""
    try:
        info = sock.getsockopt(SOL_MPTCP, MPTCP_INFO, 256)
    except OSError as error:
        if error.errno in (errno.EOPNOTSUPP, errno.ENOPROTOOPT):
            return False
        raise
    flags, = struct.unpack_from("=I", info, 8)
    return not flags & FLAG_FALLBACK


def subflows(sock):
    """A dictionary for each subflow: local, remote, state, bytes_in, bytes_out (acknowledged)."""
    result = []
    for info, addresses in zip(_records(sock, MPTCP_TCPINFO, TCPINFO_SIZE),
                               _records(sock, MPTCP_SUBFLOW_ADDRS, ADDRS_SIZE)):
        acked, received = struct.unpack_from("=QQ", info, 120)
        result.append({"local": _address(addresses[:128]), "remote": _address(addresses[128:]), "state": info[0],
                       "bytes_in": received, "bytes_out": acked})
    return result


def established(sock):
    return [subflow for subflow in subflows(sock) if subflow["state"] == ESTABLISHED]
