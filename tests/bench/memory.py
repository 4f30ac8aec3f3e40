"""Memory of idle connections: the proxy's own, and the kernel's behind them.

User: growth of the proxy's resident set and page tables. Kernel: growth of the slab caches that sockets live in
(objects, times the share of a slab that each takes) and of the pages in socket buffers (/proc/net/sockstat).
MemAvailable would count whatever else the machine does, and so would two of the caches: a dentry per open file and a
security blob per socket are added instead of what /proc/slabinfo says of theirs.

Slab caches are the machine's, so the ends' share is taken off: the client's and the server's, which are half of what
a connection between two MPTCP ends costs, and half of one between two TCP ends, both without a proxy.
"""
import re
import signal

SOCKET_CACHES = re.compile(r"(MPTCP|TCP|request_sock|tw_sock|sock_inode_cache|filp|lsm_file|eventpoll|ep_head|"
                           r"tcp_bind|inet_peer|ip_dst|skbuff|kmalloc)")
FOLLOWS = {"dentry": "filp", "lsm_inode_cache": "sock_inode_cache"}
PAGE = 4096


def slab_objects():
    """Cache name -> (objects in use, bytes of slab per object)."""
    found = {}
    with open("/proc/slabinfo") as file:
        for line in list(file)[2:]:
            name, active, _, _, per_slab, pages = line.split()[:6]
            found[name] = (int(active), int(pages) * PAGE / int(per_slab))
    return found


def kernel_bytes():
    caches = slab_objects()
    total = sum(count * size for name, (count, size) in caches.items() if SOCKET_CACHES.match(name))
    total += sum(caches[leader][0] * caches[name][1] for name, leader in FOLLOWS.items() if name in caches)
    with open("/proc/net/sockstat") as file:
        return total + next(int(line.split()[-1]) for line in file if line.startswith("TCP:")) * PAGE


def user_bytes(process):
    if not process:
        return 0
    with open(f"/proc/{process.pid}/status") as status:
        values = dict(line.split(":", 1) for line in status)
    return sum(int(values[key].split()[0]) * 1024 for key in ("VmRSS", "VmPTE"))


def grow(field, subject, connections, *options):
    """Bytes (user, kernel) that this number of idle connections costs, all ends together. The proxy ends before the
    connections do: what is measured is idleness, not a burst of ten thousand RSTs."""
    def now():
        return user_bytes(subject.process), kernel_bytes()

    def steady():
        """To a few bytes per connection: the machine is never quite still."""
        field.rested(lambda: tuple(round(value / connections / 200) for value in now()), "memory")
        return now()
    before = steady()
    client = subject.idle(field, connections, *options)
    after = steady()
    client.signal(signal.SIGTERM)
    client.wait_for_line("subflows:")
    subject.stop()
    client.signal(signal.SIGINT)
    if client.wait(30) != 0:
        raise RuntimeError(f"{client.name}: {client.lines[-1]}")
    field.quiet()
    return after[0] - before[0], after[1] - before[1]


def ends(field, direct, plain, connections):
    """Bytes of kernel memory for a client's end with MPTCP and a server's end with TCP, per connection."""
    _, both_mptcp = grow(field, direct, connections)
    _, both_tcp = grow(field, plain, connections, "-T")
    return (both_mptcp + both_tcp) / 2 / connections


def per_connection(field, subject, connections, ends_bytes):
    """Of a proxy that has just been started: what was freed before would be used again and not be seen."""
    user, kernel = grow(field, subject, connections)
    return {"user": user / connections, "kernel": kernel / connections - ends_bytes,
            "total": (user + kernel) / connections - ends_bytes}
