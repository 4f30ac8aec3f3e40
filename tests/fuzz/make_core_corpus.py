#!/usr/bin/env python3
"""Writes the hand-made part of the corpus of fuzz_core: scripts that lead through whole lives of connections.

Usage: make_core_corpus.py FOLDER. The record formats are those of the do_* functions of core_script.c.
"""
import pathlib
import struct
import sys

V6, PLAIN, V0, CSUM, NO_ACK, BAD_ACK, NO_DSS = 1, 2, 4, 8, 16, 32, 64  # of a handshake
BACKUP, NO_JOIN_ACK, PLAIN_JOIN_ACK, BAD_HMAC = 2, 4, 8, 16  # of a join
SUPER, UNMAPPED, DATA_FIN, FIN, BAD_SUM = 1, 2, 4, 8, 16  # of data
ECHO, CHECKSUM, KEEPALIVE, LITTLE_MEMORY, SMALL_BUFFERS, MORE = 32, 16, 8, 4, 3, 128  # of the first byte
COOKIES, TWO_CORES, CLIENTS, SYN_DATA = 1, 4, 32, 64  # of the first byte of more choices
SYN_AGAIN, BARE_AGAIN, PLAIN_AGAIN, REPEATS, MAPS, OVERTAKES = 1, 2, 4, 8, 16, 32  # of a SYN with data
WRAP_32, WRAP_63, WRAP_64, WRAP_TCP = 1, 2, 3, 4  # of the second
CCS, SCHEDS, PMS = 7, 10, 4  # as many numbers name all of them
OPTIONS = 27  # of a connection, in the order of include/braid/option.h


def begin(flags=ECHO):
    return bytes([flags, 0, 0])  # and the addresses listened on


def begin_more(how=0, wrap=0, algorithms=(0, 0, 0), flags=ECHO, clients=()):
    """The first byte and the choices behind it; algorithms: congestion control, scheduler, path manager; clients: which
    of them, and flag C."""
    return bytes([flags | MORE, how, wrap, *algorithms, *clients, 0, 0])


def handshake(slot=0, how=0):
    return bytes([0, slot, how, 0, 0])


def syn_data(slot=0, how=0, length=24, again=0, repeated=()):
    """A handshake with so much data in the SYN; repeated: what the SYN that comes again has of it."""
    return bytes([0, slot, how | 128, 0, 0]) + struct.pack(">H", length) + bytes([again, *repeated])


def join(slot, conn=0, how=0, host=1, token=0):
    return bytes([2, slot, conn, how, host, 0, token])


def answer(slot=0, how=1):
    return bytes([3, slot, how, 0])


def data(slot=0, how=0, length=1000):
    return bytes([4, slot, how]) + struct.pack(">H", length)


def ack(slot=0, window=255):
    return bytes([6, slot, window])


def flags(slot, index):
    """A segment with the index-th set of flags of do_segment, nothing else unusual."""
    return bytes([7, slot, 0, index, 0, 0]) + struct.pack(">H", 500)


def mptcp(slot, has, *head, ids=(0, 0, 0)):
    """A segment with the MPTCP options of the mask `has`; head: what DSS and ADD_ADDR read."""
    return bytes([7, slot, 32, 0, 0, 0]) + struct.pack(">HH", 500, has) + bytes(head) + bytes([0, *ids, 0, 0, 0])


def sack(slot, blocks):
    return bytes([7, slot, 16, 0, 0, 0]) + struct.pack(">H", 500) + bytes([len(blocks)]) + b"".join(
        struct.pack(">HBHB", back, 0, length, 0) for back, length in blocks)


def late(slot, by, length=500):
    """Mapped data that leaves a gap of `by` bytes in the subflow's sequence space."""
    return bytes([7, slot, 33]) + struct.pack(">H", length) + bytes([0, 170, by, 0]) + struct.pack(">HH", 500, 4) + \
        bytes([15, 0, 0, 0, 0, 0]) + bytes(7)


def icmp(slot, how=0, mtu=1200):
    return bytes([12, slot, how, 0]) + struct.pack(">H", mtu)


def wait(mantissa, exponent):
    return bytes([13, mantissa, exponent])


def act(what, index=0, *more):
    return bytes([14, what, index, *more])


def connect(how=0, length=()):
    return bytes([15, 1, how, 0, 0, *length])


def fragments(size, how=0):
    """Packets with payload come in fragments from here on. how: 1 backwards, 2 one is lost, 4 one contradicts."""
    return bytes([16, 5 | how << 3, (size - 60) // 8])


def core(number):
    """What follows goes to this worker's core."""
    return bytes([16, 1 | number << 1])


def change(what, *more, index=0):
    return bytes([16, index << 1, what, *more])


BATCH = bytes([15, 0])
ENDPOINT, SCHED, CC, PM, OPTION, READ_COPY, CLOSE = 0, 2, 3, 4, 5, 6, 7  # of a change
HOLD, ACCEPT, WRITE, READ, SHUTDOWN, ABORT, RELEASE, PRIO, RESET, ADDRESS, ANSWER = 1, 2, 3, 5, 6, 7, 8, 9, 10, 11, 12
BIG_WRITE = act(WRITE, 0, 0x4e, 0x00, 1)

SCRIPTS = {
    "handshake": [handshake()],
    "handshake-v6-checksum": [handshake(0, V6 | CSUM), data(0), ack(0)],
    "plain": [handshake(0, PLAIN), data(0, UNMAPPED), ack(0), data(0, UNMAPPED | FIN, 1), ack(0), ack(0)],
    "version-0": [handshake(0, V0), data(0, UNMAPPED), ack(0)],
    "third-ack-lost": [handshake(0, NO_ACK), data(0), ack(0)],
    "third-ack-stripped": [handshake(0, BAD_ACK), data(0, UNMAPPED), ack(0)],
    "echo-and-close": [handshake(), data(), ack(), data(0, DATA_FIN), ack(), flags(0, 2), ack(), wait(255, 18)],
    "super-packets": [handshake(), data(0, SUPER, 19000), ack(), data(0, SUPER, 15000), ack()],
    "join": [handshake(), join(1), data(1), ack(1), data(0), ack(0), data(1, DATA_FIN), ack(0), ack(1)],
    "join-backup-prio": [handshake(), join(1, 0, BACKUP), mptcp(1, 0x0020), mptcp(1, 0x2020), data(0)],
    "join-bad": [handshake(), join(1, 0, BAD_HMAC), join(2, 0, PLAIN_JOIN_ACK), join(3, 0, 0, 1, 255)],
    "join-slow": [handshake(), join(1, 0, NO_JOIN_ACK), wait(255, 14), ack(1), data(1)],
    "subflow-reset": [handshake(), join(1), data(1), flags(1, 4), data(0), ack(0), wait(255, 16)],
    "all-reset": [handshake(), data(), flags(0, 4), wait(255, 16), join(1), data(1), ack(1), wait(255, 22)],
    "fastclose": [handshake(), data(), mptcp(0, 0x0080)],
    "fastclose-wrong-key": [handshake(), data(), mptcp(0, 0x1080)],
    "add-addr": [handshake(), mptcp(0, 0x0008, 0x18, 1, 0), act(ADDRESS, 0, 0, 0, 1, 1), wait(255, 14),
                 wait(255, 16), mptcp(0, 0x0010, ids=(1, 0, 0))],
    "remove-addr": [handshake(), join(1), mptcp(0, 0x0010, ids=(1, 0, 0)), wait(255, 18), ack(0)],
    "withdraw": [handshake(), join(1), act(ADDRESS, 0, 1, 0, 0, 0), wait(255, 16), ack(0)],
    "mp-fail": [handshake(0, CSUM), data(), mptcp(0, 0x0040), data(0, UNMAPPED), ack()],
    "bad-checksum": [handshake(0, CSUM), data(), data(0, BAD_SUM), data(), mptcp(0, 0x0040), ack()],
    "bad-checksum-two": [handshake(0, CSUM), join(1), data(1), data(1, BAD_SUM), data(0), ack()],
    "no-mapping": [handshake(), data(0, UNMAPPED), ack(), data(0, UNMAPPED), ack()],
    "no-mapping-two": [handshake(), join(1), data(1, UNMAPPED), data(0), ack(0)],
    "out-of-order": [handshake(), late(0, 100), late(0, 50), data(0, 0, 400), data(0, 0, 900), ack()],
    "download": [handshake(), BIG_WRITE, ack(), BIG_WRITE, ack(), act(SHUTDOWN), ack(), data(0, DATA_FIN, 1)],
    "download-lost": [handshake(), BIG_WRITE, sack(0, [(3000, 1400)]), sack(0, [(6000, 4000), (1400, 1400)]),
                      wait(255, 12), wait(255, 16), ack()],
    "download-timeout": [handshake(), BIG_WRITE] + [wait(255, 16)] * 6 + [ack()],
    "download-two": [handshake(), join(1), BIG_WRITE, ack(0), BIG_WRITE, wait(255, 15), ack(1), wait(255, 17), ack(0)],
    "zero-window": [handshake(), ack(0, 0), BIG_WRITE, wait(255, 16), ack(0, 0), wait(255, 17), ack(0, 255)],
    "give-up": [handshake(), BIG_WRITE] + [wait(255, 23)] * 10,
    "keepalive": [handshake()] + [wait(255, 18), ack()] + [wait(255, 19)] * 5,
    "pending": [act(HOLD), handshake(), act(ACCEPT), handshake(0), wait(255, 16)],
    "pending-reset": [act(HOLD), BATCH, handshake(0, NO_ACK), flags(0, 3), BATCH, wait(1, 1)],
    "abort": [handshake(), data(), act(ABORT)],
    "release": [handshake(), data(), act(SHUTDOWN), act(RELEASE), ack(), data(0, DATA_FIN, 1), ack()],
    "release-unread": [handshake(), act(RELEASE), data(), ack()],
    "reset-ours": [handshake(), join(1), act(RESET, 0, 1), data(0), ack(0)],
    "mtu": [handshake(), BIG_WRITE, icmp(0, 1, 1000), ack(), BIG_WRITE, icmp(0, 1, 100), wait(255, 14)],
    "unreachable": [handshake(), BIG_WRITE, icmp(0, 0), ack()],
    "connect": [connect(), answer(0, 1), BIG_WRITE, ack(0), data(0), act(SHUTDOWN), data(0, DATA_FIN, 1), ack(0)],
    "connect-plain": [connect(4), answer(0, 0), BIG_WRITE, ack(0), data(0, UNMAPPED | FIN)],
    "connect-fallback": [connect(), answer(0, 0), BIG_WRITE, ack(0), data(0, UNMAPPED)],
    "connect-refused": [connect(), flags(0, 4)],
    "connect-unreachable": [connect(), icmp(0, 0), connect(1), wait(255, 22), wait(255, 22)],
    "connect-checksum": [connect(2), answer(0, 1), BIG_WRITE, ack(0), data(0)],
    "connect-join": [connect(), answer(0, 1), data(0), act(ADDRESS, 0, 2, 0, 0, 0, 0), answer(1, 2), ack(1), data(1),
                     BIG_WRITE, ack(0), ack(1)],
    "connect-join-bad": [connect(), answer(0, 1), data(0), act(ADDRESS, 0, 2, 0, 0, 0, 0), answer(1, 6)],
    "rst-in-window": [handshake(), data(), bytes([7, 0, 0, 3, 170, 5, 0, 1, 0]), flags(0, 3)],
    "syn-again": [handshake(), data(), flags(0, 5), flags(0, 6)],
    "time-wait": [handshake(0, PLAIN), act(SHUTDOWN), ack(), data(0, UNMAPPED | FIN), wait(255, 16), flags(0, 5), ack()],
    "options": [handshake(), bytes([10, 0, 3, 20, 0]) + bytes([30, 12, 0x20, 0x01]) + bytes(8),
                bytes([10, 0, 2, 0, 0]) + bytes([30, 0, 1, 1, 30, 4, 0xf0, 1]), ack()],
    "raw": [bytes([11, 0, 40]) + bytes.fromhex("45000028000040004006000000000000000000000050005000000000000000005002")],
}


TWO_PATHS = [handshake(), join(1), BIG_WRITE, ack(0), BIG_WRITE, wait(255, 14), ack(1), data(0), ack(0), data(1), ack(1)]
WHOLE_LIFE = [*TWO_PATHS, act(SHUTDOWN), ack(0), data(0, DATA_FIN, 1), ack(0), ack(1), wait(255, 16)]
OLD_CLIENTS, OLD_CONNECT = (0, 4 | 8), 32  # version 0 is taken, and addresses without a proof; is asked for


def in_version_0(records):
    """The same, with clients that offer version 0."""
    return [bytes([0, record[1], record[2] | V0, *record[3:]]) if record[0] == 0 else record for record in records]


MORE_SCRIPTS = {
    "cookies": [begin_more(COOKIES), *SCRIPTS["echo-and-close"]],
    "cookies-plain": [begin_more(COOKIES), *SCRIPTS["plain"]],
    "cookies-checksum": [begin_more(COOKIES, flags=ECHO | CHECKSUM), *SCRIPTS["join"]],
    "clients-plain": [begin_more(CLIENTS, clients=(3, 0)), *SCRIPTS["download"]],
    "clients-plain-cookies": [begin_more(CLIENTS | COOKIES, clients=(3, 0)), *SCRIPTS["plain"]],
    "clients-mptcp-flag-c": [begin_more(CLIENTS | COOKIES, clients=(2, 1)), *SCRIPTS["join"], *SCRIPTS["plain"]],
    "two-cores": [begin_more(TWO_CORES), handshake(), core(1), join(1), data(1), ack(1), core(0), data(0), ack(0)],
    "two-cores-lost": [begin_more(TWO_CORES), core(1), handshake(), core(0), data(0), ack(0), flags(0, 4)],
    "fragments": [begin_more(), fragments(500), *WHOLE_LIFE],
    "fragments-backwards": [begin_more(), fragments(100, 1), *WHOLE_LIFE],
    "fragments-faulty": [begin_more(), handshake(), fragments(100, 2), data(0), data(0), fragments(100, 4), data(0), wait(255, 16),
                         ack(0)],
    "endpoints": [begin_more(algorithms=(0, 0, 2)), handshake(), data(0), change(ENDPOINT, 2 | 16 | 32, 1), wait(255, 12),
                  answer(1, 2), ack(1), change(ENDPOINT, 64, 1), wait(255, 14), ack(1)],
    "signal": [begin_more(algorithms=(0, 0, 1)), change(ENDPOINT, 4 | 32, 1), handshake(), data(0), ack(0), wait(255, 14),
               mptcp(0, 0x0008, 0x19, 1, 0), change(ENDPOINT, 64, 1), wait(255, 14), ack(0)],
    "changes": [begin_more(), *TWO_PATHS, change(SCHED, 5), change(CC, 2), change(PM, 2), change(OPTION, 0, 40, 0, 1),
                BIG_WRITE, ack(0), ack(1), data(0), change(READ_COPY, 1, 0), change(CLOSE), ack(0), ack(1)],
    "options": [begin_more(), *TWO_PATHS, *(change(OPTION, option, 0, 7, 0) for option in range(OPTIONS + 1)), BIG_WRITE, ack(0),
                ack(1), data(0)],
    **{f"syn-data-{name}": [begin_more(SYN_DATA | how, wrap, clients=(5, 180), flags=flags), *records, data(0), ack(0), data(0),
                            join(1), data(1), act(SHUTDOWN), ack(0), data(0, DATA_FIN, 1)]
       for name, how, wrap, flags, records in (
           ("taken", 0, 0, ECHO, [syn_data()]),
           ("bare-again", 0, 0, ECHO, [act(HOLD), syn_data(0, NO_ACK, 24, SYN_AGAIN | BARE_AGAIN), act(ACCEPT)]),
           ("repeated", 0, 0, ECHO, [syn_data(0, 0, 24, SYN_AGAIN | BARE_AGAIN | REPEATS)]),
           ("mapped", 0, 0, ECHO, [syn_data(0, 0, 24, SYN_AGAIN | BARE_AGAIN | REPEATS | MAPS)]),
           ("mapped-checksum", 0, 0, ECHO | CHECKSUM, [syn_data(0, CSUM, 24, SYN_AGAIN | BARE_AGAIN | REPEATS | MAPS)]),
           ("longer-again", 0, 0, ECHO, [syn_data(0, 0, 24, SYN_AGAIN, (160, 30))]),
           ("plain-again", 0, 0, ECHO, [syn_data(0, 0, 24, SYN_AGAIN | BARE_AGAIN | PLAIN_AGAIN)]),
           ("overtaken", 0, 0, ECHO, [syn_data(0, 0, 24, OVERTAKES)]),
           ("plain", 0, 0, ECHO, [syn_data(0, PLAIN)]),
           ("no-keys", 0, 0, ECHO, [syn_data(0, BAD_ACK)]),
           ("cookie", COOKIES, 0, ECHO, [syn_data(0, 0, 24, REPEATS)]),
           ("cookie-mapped", COOKIES, 0, ECHO, [syn_data(0, 0, 24, REPEATS | MAPS)]),
           ("wrap", 0, WRAP_32 | WRAP_TCP, ECHO, [syn_data(0, 0, 900, SYN_AGAIN | BARE_AGAIN | REPEATS | MAPS)]),
       )},
    "syn-data-answer": [begin_more(SYN_DATA, clients=(5, 180)), act(ANSWER), act(HOLD), syn_data(0, NO_ACK), act(ACCEPT, 0, 0, 0, 8),
                        ack(0), act(SHUTDOWN), data(0, UNMAPPED | FIN), wait(255, 16)],
    "syn-data-connect": [begin_more(), connect(16, (0, 24)), answer(0, 1), BIG_WRITE, ack(0), data(0), act(SHUTDOWN),
                         data(0, DATA_FIN, 1), ack(0)],
    "syn-data-connect-not-taken": [begin_more(), connect(16, (0, 24)), answer(0, 9), BIG_WRITE, ack(0), data(0), ack(0)],
    "syn-data-connect-error": [begin_more(), connect(16, (0, 24)), answer(0, 3), data(0, UNMAPPED | FIN)],
    "syn-data-connect-unanswered": [begin_more(), connect(16, (0, 24)), wait(255, 18), wait(255, 19), answer(0, 1), ack(0)],
    **{f"version-0-{name}": [begin_more(CLIENTS, clients=OLD_CLIENTS), *in_version_0(SCRIPTS[name])]
       for name in ("echo-and-close", "join", "join-bad", "join-backup-prio", "third-ack-lost", "add-addr", "remove-addr",
                    "bad-checksum-two", "fastclose")},
    "version-0-abort": [begin_more(CLIENTS, clients=OLD_CLIENTS), *in_version_0(TWO_PATHS), act(ABORT), wait(255, 14), data(0),
                        wait(255, 16), wait(255, 16), flags(0, 4), wait(255, 18)],
    "version-0-abort-unheard": [begin_more(CLIENTS, clients=OLD_CLIENTS), *in_version_0(TWO_PATHS), act(ABORT),
                                *[wait(255, 16)] * 8],
    "version-0-cookies": [begin_more(CLIENTS | COOKIES, clients=OLD_CLIENTS), *in_version_0(SCRIPTS["join"])],
    "version-0-connect": [begin_more(), connect(OLD_CONNECT), answer(0, 1), data(0), act(ADDRESS, 0, 2, 0, 0, 0, 0), answer(1, 2),
                          ack(1), data(1), BIG_WRITE, ack(0), ack(1), act(ABORT), wait(255, 18)],
    **{f"wrap-{bits}": [begin_more(0, wrap | WRAP_TCP), *WHOLE_LIFE, *SCRIPTS["download-lost"], *SCRIPTS["all-reset"]]
       for bits, wrap in ((32, WRAP_32), (63, WRAP_63), (64, WRAP_64))},
    **{f"cc-{i}": [begin_more(algorithms=(i, 0, 0)), *WHOLE_LIFE, *SCRIPTS["download-lost"]] for i in range(CCS)},
    **{f"sched-{i}": [begin_more(algorithms=(0, i, 0)), *WHOLE_LIFE, *SCRIPTS["download-timeout"]] for i in range(SCHEDS)},
    **{f"pm-{i}": [begin_more(algorithms=(0, 0, i)), change(ENDPOINT, 6 | 32, 1), *WHOLE_LIFE] for i in range(PMS)},
}


def main():
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for name, records in SCRIPTS.items():
        (folder / name).write_bytes(begin() + b"".join(records))
    for name, records in MORE_SCRIPTS.items():
        (folder / f"more-{name}").write_bytes(b"".join(records))
    for name, first in (("little-memory", ECHO | LITTLE_MEMORY), ("small-buffers", SMALL_BUFFERS),
                        ("checksum", ECHO | CHECKSUM), ("keepalive", KEEPALIVE)):
        for script in ("super-packets", "download-two", "join", "zero-window", "connect-join"):
            (folder / f"{name}-{script}").write_bytes(begin(first) + b"".join(SCRIPTS[script]))


if __name__ == "__main__":
    main()
