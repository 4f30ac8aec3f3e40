"""Middleboxes between the client's kernel and Braid, built of nftables and iptables in the proxy's namespace. In each case
the stream arrives whole and unaltered, or the connection falls back, or it ends visibly. (Stripping of the MPTCP option on
single paths: test_fallback.py; paths that go dark for good: test_paths.py.)"""
import socket
import struct
import threading

from lib import mptcp, net
from lib.proxy import PORT
from lib.stream import MIB, Receiver, Sender, noise, transfer
from lib.suite import braid_only, cases, long
from lib.wait import until

SIZE = 8 * MIB
NAT = "198.51.100"
WAYS = {"download": True, "upload": False}


def box(env, *rules, chain="prerouting", priority=-150):
    """Replaces the rules of the middlebox, and takes effect between two packets."""
    text = "table inet middlebox {}\ndelete table inet middlebox\ntable inet middlebox {\n chain box {\n"
    text += f"  type filter hook {chain} priority {priority}\n"
    env.topology.braid.run("nft", "-f", "-", stdin=text + "".join(f"  {rule}\n" for rule in rules) + " }\n}\n")


def both_ways(near, far, size=SIZE):
    transfer(far, near, size, end=False)
    transfer(near, far, size, end=False)


def ends(near, far, download):
    return (far, near) if download else (near, far)


def swapped(path, last):
    """The address of the client on that path looks like another, in both directions, without any state."""
    client, public = net.client_address(path), f"{NAT}.{last}"
    return (f'iifname "path{path}" ip saddr {client} ip saddr set {public}',
            f'iifname "braid0" ip daddr {public} ip daddr set {client}')


@cases(both_paths=(1, 2))
def test_addresses_and_ports_are_translated(env, *paths):
    translated(env, *paths)


@long
@cases(path_1=(1,), path_2=(2,))
def test_addresses_and_ports_are_translated_on_one_path(env, *paths):
    translated(env, *paths)


def translated(env, *paths):
    env.start()
    for path in paths:
        env.topology.braid.iptables("-t", "nat", "-A", "POSTROUTING", "-o", "braid0", "-p", "tcp", "-s",
                                    net.client_address(path), "-j", "SNAT", "--to-source", f"{NAT}.{path}:20000-20999",
                                    "--random")
    env.topology.shape(300)
    env.topology.endpoint(2)
    near, far = env.pair(subflows=2)
    both_ways(near, far)
    assert mptcp.is_mptcp(near) and len(mptcp.established(near)) == 2
    if env.has_braidctl:
        seen = " ".join(subflow["remote"] for subflow in env.proxy.connection()["subflows"])
        assert all(f"{NAT}.{path}:20" in seen for path in paths), f"nothing was translated: {seen}"


def test_a_translation_changes_midway(env):
    translation_changes(env, download=True)


@long
def test_a_translation_changes_midway_in_an_upload(env):
    translation_changes(env, download=False)


def translation_changes(env, download):
    """What comes over the path belongs to no subflow any more: it is reset, and the other path carries the rest."""
    env.topology.shape(100)
    env.topology.endpoint(2)
    env.start()
    box(env, *swapped(2, 7))
    near, far = env.pair(subflows=2)
    source, sink = ends(near, far, download)
    receiver, sender = Receiver(sink, SIZE), Sender(source, SIZE)
    receiver.reach(SIZE // 4)
    box(env, *swapped(2, 8))
    sender.finish()
    receiver.finish()


def test_the_client_changes_its_address_midway(env):
    near, far = env.two_paths(mbit=100)
    receiver, sender = Receiver(near, SIZE), Sender(far, SIZE)
    receiver.reach(SIZE // 4)
    env.client.ip("address", "del", f"{net.client_address(2)}/24", "dev", "up2")
    env.client.ip("address", "add", "10.99.2.9/24", "dev", "up2")
    sender.finish()
    receiver.finish()


def test_joins_are_dropped(env):
    env.topology.endpoint(2)
    env.start()
    box(env, 'iifname "path2" tcp option mptcp subtype 1 counter drop')
    near, far = env.pair()
    both_ways(near, far)
    until(lambda: env.client.counters()["MPTcpExtMPJoinSynTx"] >= 1, "the client tries to join")
    assert mptcp.is_mptcp(near) and len(mptcp.established(near)) == 1


def test_joins_lose_their_option(env):
    """A SYN without MP_JOIN asks for a plain connection: its answer makes the client give the subflow up."""
    env.topology.endpoint(2)
    env.start()
    env.topology.strip_mptcp("to braid", "--tcp-flags", "SYN,ACK", "SYN", path=2)
    near, far = env.pair()
    both_ways(near, far)
    assert mptcp.is_mptcp(near) and len(mptcp.established(near)) == 1


def test_announced_addresses_are_dropped(env):
    env.start([env.Edge("web", signal=[net.SIGNAL[4]])])
    box(env, 'oifname "path*" tcp option mptcp subtype 3 counter drop', chain="postrouting")
    near, far = env.pair()
    both_ways(near, far)
    assert mptcp.is_mptcp(near)
    if env.has_braidctl:
        assert env.proxy.counters()["MPTcpExtAddAddrTx"] >= 1, "Braid announced nothing"
    assert env.client.counters()["MPTcpExtAddAddr"] == 0, "an ADD_ADDR reached the client"


@cases(to_client=("-i", True), to_braid=("-o", False))
def test_resets_on_one_of_two_paths(env, way, download):
    resets(env, way, download)


@long
@cases(to_client_upload=("-i", False), to_braid_download=("-o", True))
def test_more_resets_on_one_of_two_paths(env, way, download):
    resets(env, way, download)


def resets(env, way, download):
    """To the client: the answer to its packets; to Braid: the answer to Braid's."""
    near, far = env.two_paths(mbit=100)
    source, sink = ends(near, far, download)
    receiver, sender = Receiver(sink, SIZE), Sender(source, SIZE)
    receiver.reach(SIZE // 4)
    env.topology.braid.iptables("-I", "FORWARD", way, "path2", "-p", "tcp", "-j", "REJECT", "--reject-with", "tcp-reset")
    sender.finish()
    receiver.finish()
    assert mptcp.is_mptcp(near)


def checksum(data):
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def forged_reset(source, target, sequence):
    """An IPv4 packet."""
    addresses = socket.inet_aton(source[0]) + socket.inet_aton(target[0])
    tcp = struct.pack("!HHIIBBHHH", source[1], target[1], sequence, 0, 5 << 4, 4, 0, 0, 0)
    pseudo = addresses + struct.pack("!BBH", 0, socket.IPPROTO_TCP, len(tcp))
    tcp = tcp[:16] + struct.pack("!H", checksum(pseudo + tcp)) + tcp[18:]
    return struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(tcp), 0, 0, 64, socket.IPPROTO_TCP, 0) + addresses + tcp


@braid_only
def test_forged_resets_all_over_the_sequence_space(env):
    """Some of them hit the window, none the next byte exactly: RFC 5961 section 3 answers those with a challenge ACK."""
    env.start()
    near, far = env.pair()
    transfer(near, far, MIB, end=False)
    client, target = near.getsockname(), (net.SERVICE[4], PORT)
    with env.topology.braid.entered():
        raw = env.keep(socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW))
    for sequence in range(1, 1 << 32, 1 << 17):
        raw.sendto(forged_reset(client, target, sequence), (target[0], 0))
    until(lambda: env.proxy.counters()["TcpExtTCPChallengeACK"] >= 1, "a reset in the window is challenged")
    both_ways(near, far, MIB)
    assert mptcp.is_mptcp(near)


@cases(timestamps="timestamp", all_but_mss="timestamp,sack-permitted,sack,wscale,mptcp,34,253,254")
def test_options_are_stripped_from_every_packet(env, options):
    stripped(env, options)


@long
@cases(all_unknown="30,34,253,254", sack="sack-permitted,sack", timestamps_and_sack="timestamp,sack-permitted,sack")
def test_more_options_are_stripped_from_every_packet(env, options):
    stripped(env, options)


def stripped(env, options):
    env.start()
    for chain, way in (("PREROUTING", "-i"), ("POSTROUTING", "-o")):
        env.topology.braid.iptables("-t", "mangle", "-A", chain, way, "path+", "-p", "tcp", "-j", "TCPOPTSTRIP",
                                    "--strip-options", options.replace("mptcp", "30"))
    near, far = env.pair()
    both_ways(near, far, 2 * MIB)
    assert mptcp.is_mptcp(near) == ("30" not in options and "mptcp" not in options)


def test_the_mss_is_clamped(env):
    clamped(env, 536)


@long
def test_the_mss_is_clamped_to_less_than_braid_sends(env):
    clamped(env, 88)


def clamped(env, mss):
    env.start()
    for chain in ("PREROUTING", "POSTROUTING"):
        env.topology.braid.iptables("-t", "mangle", "-A", chain, "-p", "tcp", "--tcp-flags", "SYN,RST", "SYN", "-j",
                                    "TCPMSS", "--set-mss", str(mss))
    near, far = env.pair()
    both_ways(near, far, MIB)
    assert mptcp.is_mptcp(near)


def test_the_path_gets_a_smaller_mtu_midway(env):
    smaller_mtu(env, offload=True)


@long
def test_the_path_gets_a_smaller_mtu_midway_without_segmentation_offload(env):
    smaller_mtu(env, offload=False)


def smaller_mtu(env, offload):
    """What is too long for it is refused with ICMP, or was split before by whoever offloads."""
    env.topology.shape(200)
    env.start()
    for namespace, device in ((env.client, "up1"), (env.topology.braid, "path1")):
        if not offload:
            namespace.ip("link", "set", "dev", device, "gso_max_segs", "1")
    for download in (True, False):
        near, far = env.pair()
        source, sink = ends(near, far, download)
        receiver, sender = Receiver(sink, SIZE), Sender(source, SIZE)
        receiver.reach(SIZE // 4)
        for namespace, device in ((env.client, "up1"), (env.topology.braid, "path1")):
            namespace.ip("link", "set", device, "mtu", "1300" if download else "1280")
        sender.finish()
        receiver.finish()


def silence(env, seconds, download):
    env.topology.shape(100)
    env.start()
    near, far = env.pair()
    source, sink = ends(near, far, download)
    receiver, sender = Receiver(sink, SIZE), Sender(source, SIZE)
    receiver.reach(SIZE // 4)
    env.topology.go_dark(1)
    threading.Event().wait(seconds)  # the silence itself
    env.topology.unstrip()
    sender.finish()
    receiver.finish()
    assert mptcp.is_mptcp(near)


@cases(**WAYS)
def test_the_only_path_is_silent_for_a_moment(env, download):
    silence(env, 0.3, download)


@long
@cases(**{f"{way}_{seconds}_s": (seconds, download) for way, download in WAYS.items() for seconds in (0.02, 2, 6, 12)})
def test_the_only_path_is_silent_for_long(env, seconds, download):
    silence(env, seconds, download)


def alter(env, path, direction):
    """One in fifty of the long packets gets other bytes at the beginning of its payload, with a right TCP checksum."""
    match = f'iifname "path{path}" tcp dport {PORT}' if direction == "to braid" else \
            f'oifname "path{path}" tcp sport {PORT}'
    box(env, f"{match} ip length > 1000 numgen inc mod 50 49 counter @ih,0,32 set 0xdeadbeef",
        chain="prerouting" if direction == "to braid" else "postrouting")


def altered(env):
    """How many packets the middlebox has changed."""
    listed = env.topology.braid.run("nft", "list", "table", "inet", "middlebox").stdout
    return int(listed.split("counter packets ")[1].split()[0])


@braid_only
@cases(**WAYS)
def test_payload_altered_on_one_of_two_paths_is_never_delivered(env, download):
    """The DSS checksum finds it, the subflow is given up, and the other one carries the right bytes."""
    env.client.sysctl(net__mptcp__checksum_enabled=1)
    env.topology.shape(100)
    env.topology.endpoint(2)
    env.start([env.Edge("web", checksum="on")])
    near, far = env.pair(subflows=2)
    alter(env, 2, "to client" if download else "to braid")
    source, sink = ends(near, far, download)
    receiver, sender = Receiver(sink, SIZE), Sender(source, SIZE)
    sender.finish()
    receiver.finish()
    assert altered(env) >= 1, "nothing was altered"


def altered_on_the_only_path(env, download):
    """The source's end, and a receiver that has begun."""
    env.client.sysctl(net__mptcp__checksum_enabled=1)
    env.topology.shape(100)
    env.start([env.Edge("web", checksum="on")])
    near, far = env.pair()
    alter(env, 1, "to client" if download else "to braid")
    source, sink = ends(near, far, download)
    return near, Receiver(sink, SIZE), Sender(source, SIZE)


def only_altered_is_wrong(env, receiver):
    wrong = sum(a != b for a, b in zip(receiver.data[:receiver.done], noise()))
    assert altered(env) >= 1, "nothing was altered"
    assert wrong <= 4 * altered(env), f"{wrong} wrong bytes, of {altered(env)} packets altered"


@braid_only
def test_payload_altered_on_the_only_path_ends_mptcp_or_the_connection(env):
    """With one subflow the receiver falls back, and the middlebox's bytes are the stream from then on (RFC 8684 section
    3.7), as it is with TCP; or the connection ends. It is never MPTCP that delivers them."""
    near, receiver, sender = altered_on_the_only_path(env, download=True)
    until(lambda: not receiver.is_alive(), "the transfer ends", 15)
    assert receiver.error or not mptcp.is_mptcp(near), "MPTCP goes on"
    only_altered_is_wrong(env, receiver)


@long
@braid_only
def test_payload_altered_in_an_upload_over_the_only_path_makes_braid_fall_back(env):
    """Braid says MP_FAIL and falls back, with DATA_ACKs until the client has fallen back, too. What follows is the
    client's affair: the TCP of Linux 6.18 may then stop sending although it has data and Braid's window is open."""
    altered_upload = altered_on_the_only_path(env, download=False)
    until(lambda: env.proxy.connection()["fell_back"] if env.proxy.connections() else True, "Braid falls back", 15)
    until(lambda: not mptcp.is_mptcp(altered_upload[0]), "the client has fallen back", 15)
    only_altered_is_wrong(env, altered_upload[1])
