/* The scoreboard: what was sent and is not yet cumulatively acknowledged, in runs. A run is what left in one
 * (super-)packet, until SACK blocks, losses or partial retransmissions split it; without loss there is one
 * run per super-packet, and nothing here costs more than that.
 *
 * Each run is in exactly one state, and pipe, lost_bytes and sacked_bytes are the sums over the runs in each:
 * pipe + lost_bytes + sacked_bytes == snd.nxt - snd.una. */
#ifndef BRAID_TCP_SENT_H
#define BRAID_TCP_SENT_H

#include "base/list.h"
#include "tcp/delivery.h"

struct subflow;
struct tcp_map;

/* Runs per subflow. A peer that makes more of them by absurd SACK blocks is no longer believed. */
#define SENT_MAX 16384

enum sent_state {
    SENT_FLIGHT, /* in by_time */
    SENT_LOST,   /* in lost */
    SENT_SACKED
};

struct tcp_sent {
    struct list node;    /* in runs */
    struct list link;    /* in by_time or lost */
    uint64_t start, end; /* offsets */
    braid_time at;       /* of the last transmission */
    struct tcp_map *map; /* NULL: a FIN. Not to be looked into while SACKED: there may have been others */
    struct delivery_mark mark;
    uint32_t seg;  /* payload bytes per segment in the last transmission ... */
    uint32_t lead; /* ... and how many of its first one lie before start */
    enum sent_state state;
    bool retrans; /* sent more than once */
};

struct scoreboard {
    struct list runs;           /* tcp_sent, by offset */
    struct list by_time;        /* the same, not yet delivered nor lost, by time of (re)transmission */
    struct list lost;           /* the same, lost and not retransmitted, by offset */
    uint32_t n_sent, n_flight;  /* entries of runs, of by_time */
    struct tcp_sent *spare;     /* allocated ahead, so that subflow_send cannot fail; may be NULL */
    struct tcp_sent *hint;      /* where the last SACK block was found; may be NULL */
    struct tcp_sent *lost_hint; /* in lost, where the last one was put; may be NULL */
    uint64_t pipe; /* bytes in flight: sent - delivered - lost + retransmitted; mirrored to cc.in_flight */
    uint64_t lost_bytes; /* marked lost, not retransmitted yet */
    uint64_t sacked_bytes;
};

static inline struct tcp_sent *sent_of(struct list *node)
{
    return list_entry(node, struct tcp_sent, node);
}

static inline struct tcp_sent *sent_of_link(struct list *link)
{
    return list_entry(link, struct tcp_sent, link);
}

static inline uint64_t sent_len(const struct tcp_sent *s)
{
    return s->end - s->start;
}

/* Frees what sent_reserve has allocated ahead. */
void sent_forget_spare(struct subflow *sf);
/* Makes sure of memory for one more run. False: it is short. */
bool sent_reserve(struct subflow *sf);
/* Appends the run [snd.nxt, snd.nxt + len), in flight since now, and advances snd.nxt. After
 * tcp_flight_reserve. */
struct tcp_sent *sent_add(struct subflow *sf, uint32_t len, struct tcp_map *map, braid_time now);
/* Splits s at offset `at` inside of it; s keeps the front. Returns the rest, or NULL if memory is short or
 * there are too many runs: then nothing changed. */
struct tcp_sent *sent_split(struct subflow *sf, struct tcp_sent *s, uint64_t at);
/* Joins a SACKed run with its SACKed neighbours, so that a later SACK block skips them at once. Where
 * segments began is forgotten, which matters only to a peer that takes SACKs back. */
void sent_merge_sacked(struct subflow *sf, struct tcp_sent *s);
/* Moves a run to LOST or SACKED. */
void sent_mark(struct subflow *sf, struct tcp_sent *s, enum sent_state state);
/* Segments that leave again lie each within one of those that left before, so that no peer gets one that
 * overlaps another in part: Linux, once it has fallen back to plain TCP (RFC 8684 section 3.7), then loses
 * data or delivers it twice. Hence the payload bytes per segment when s leaves again, and how much of its
 * front may leave so, in segments of that size: up to the first border if that is none of theirs. */
uint32_t sent_seg_again(const struct subflow *sf, const struct tcp_sent *s);
uint64_t sent_once_again(const struct subflow *sf, const struct tcp_sent *s);
/* The run left again, in segments of sent_seg_again: in flight since now. */
void sent_again(struct subflow *sf, struct tcp_sent *s, braid_time now);
/* Marks everything in flight lost; sacked_too: and forgets the SACKs (the peer reneged). */
void sent_lose_all(struct subflow *sf, bool sacked_too);
/* All LOST runs are in flight again: the marks were wrong. They keep their times of transmission. */
void sent_unlose_all(struct subflow *sf);
/* Cuts bytes off the front of the first run (a cumulative ACK inside of it). */
void sent_trim(struct subflow *sf, struct tcp_sent *s, uint64_t start);
/* Takes s out and frees it; the caller accounts for snd.una. */
void sent_remove(struct subflow *sf, struct tcp_sent *s);
/* A run that was read, for who restores the scoreboard (flight_freeze.c): behind those of its state, but not
 * yet in board.runs. After sent_reserve. */
struct tcp_sent *sent_restore(struct subflow *sf, const struct tcp_sent *run);
/* Frees all runs. */
void sent_clear(struct subflow *sf);
/* Asserts the invariants. */
void sent_check(const struct subflow *sf);

#endif
