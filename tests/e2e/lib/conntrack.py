"""Connection tracking of a namespace: what conntrack -L and conntrack -F do, without the program."""
import os
import socket
import struct

NETLINK_NETFILTER = 12
DELETE = 1 << 8 | 2  # of the subsystem ctnetlink; without a tuple: everything
REQUEST_AND_ACK = 5
ERROR = 2


def entries(namespace):
    """The lines of /proc/net/nf_conntrack."""
    with namespace.entered(), open("/proc/thread-self/net/nf_conntrack") as file:
        return file.read().splitlines()


def flush(namespace):
    with namespace.entered(), socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_NETFILTER) as netlink:
        netlink.sendto(struct.pack("=IHHIIBBH", 20, DELETE, REQUEST_AND_ACK, 0, 0, socket.AF_UNSPEC, 0, 0), (0, 0))
        kind, error = struct.unpack_from("=4xH10xi", netlink.recv(4096))
    if kind != ERROR or error:
        raise OSError(-error, os.strerror(-error))
