/* What has to be known of a subflow to end it when the core that had it is gone: who its ends were, where
 * both streams stood, and the peer's key. A core keeps this up to date in memory of its user's that may
 * outlive the process; the core of the next process ends what it finds there (braid_core_orphan). Without it
 * a peer could be sent a RST only, and a RST ends a subflow, but not an MPTCP connection: MP_FASTCLOSE needs
 * the key (RFC 8684 section 3.5).
 *
 * Plain data of a fixed layout, without pointers. The keys in it let anybody who reads it end the
 * connections, and open subflows of them. */
#ifndef BRAID_LEDGER_H
#define BRAID_LEDGER_H

#include <braid/types.h>

struct braid_ledger_entry {
    struct braid_addr local, remote;
    uint8_t
        used; /* written last; 0: the entry is free, and snd_una the number of the next free one, plus 1 */
    uint8_t mptcp;                 /* peer_key is to be given in an MP_FASTCLOSE */
    uint8_t ts_ok;                 /* both ends use time stamps */
    uint8_t on_ack;                /* MP_FASTCLOSE is to be in an ACK, not in a RST: version 0 */
    uint32_t snd_una, rcv_nxt;     /* as on the wire */
    uint32_t ts_offset, ts_recent; /* TSval = milliseconds of the core's time + ts_offset */
    uint64_t peer_key;
};

struct braid_ledger {
    uint32_t size; /* number of entries: set by the user before the core begins, all else zero */
    uint32_t top;  /* no entry from here on was ever used */
    uint32_t free; /* number of the first free one below that, plus 1; 0: there is none */
    uint32_t reserved;
    struct braid_ledger_entry entries[];
};

#endif
