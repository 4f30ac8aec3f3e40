/* The search for the path MTU. */
#ifndef BRAID_TCP_MTU_SEARCH_H
#define BRAID_TCP_MTU_SEARCH_H

#include <braid/types.h>

struct subflow;
struct tcp_sent;

/* The part that only matters while something is in flight. */
struct mtu_probe {
    uint64_t probe; /* offset of the probe; 0: none */
    uint64_t head;  /* the first segment that was retransmitted lately, see mtu_search.lost */
};

struct mtu_search {
    braid_time raise_at; /* when to begin a search again; BRAID_NEVER: one is under way */
    uint16_t size;       /* of the probe in flight */
    uint16_t high;       /* no larger packet passes */
    uint8_t lost;        /* ... how often the first segment was lost, see head */
    uint8_t failures;    /* probes of the same size lost in a row */
    bool silent : 1;     /* big packets vanished, and no router said why */
    bool first : 1;      /* of the sizes that may pass the largest is to be tried first */
};

/* The subflow is new: it begins with what is known of the way to its peer, else with the size of the link. */
void tcp_mtu_init(struct subflow *sf, braid_time now);
/* How many of the next len bytes should leave as one larger packet, to see whether that passes; 0: none. Then
 * tcp_mtu_probing(s): they are the run s. */
uint32_t tcp_mtu_probe(struct subflow *sf, uint32_t len, braid_time now);
void tcp_mtu_probing(struct subflow *sf, const struct tcp_sent *s);
/* So many bytes of s were delivered. */
void tcp_mtu_delivered(struct subflow *sf, const struct tcp_sent *s, uint64_t bytes, braid_time now);
/* s was lost. True: as a probe, which says nothing of congestion. */
bool tcp_mtu_lost(struct subflow *sf, const struct tcp_sent *s, braid_time now);
/* The retransmission timer expired. */
void tcp_mtu_timeout(struct subflow *sf, braid_time now);
/* s, the first run that is outstanding, is about to be retransmitted: in smaller segments, if those of this
 * size never arrive. */
void tcp_mtu_head_again(struct subflow *sf, const struct tcp_sent *s);
/* The path swallows, or is suspected to, what both ends would take. Then segments leave one by one: what
 * swallows the big ones may sit on this machine, where it sees a super-packet as one. */
bool tcp_mtu_limited(const struct subflow *sf);
/* The way of a subflow, as mtu_cache.h keeps it: an address of ours that we began with stands for the link
 * that it belongs to; one that the peer has come to may be any of the servers behind us. */
struct braid_way tcp_way_of(const struct subflow *sf);
/* A router says that no larger packet than mtu passes; 0: it does not say what would. True: what was in
 * flight in larger ones has been marked lost, and may leave again. */
bool tcp_mtu_limit(struct subflow *sf, uint32_t mtu, braid_time now);

#endif
