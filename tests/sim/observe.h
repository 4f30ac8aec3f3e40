/* The observer on the wire: sees every packet that a core sends, before anything happens to it, and checks
 * what must hold whatever the peer and the network do. Where a middlebox makes the two ends see different
 * numbers (scenario.opaque), what one end says is not held against what the other one said. It shares the
 * packet parser with the stack, and nothing else. */
#ifndef SIM_OBSERVE_H
#define SIM_OBSERVE_H

#include "borders.h"
#include "scenario.h"
#include "wire/packet.h"

#define OBSERVER_FLOWS 1024
#define OBSERVER_RACED 128 /* candidates of races */

/* A run of payload of a subflow that was declared to be a run of the data sequence space. */
struct seen_map {
    uint64_t ssn, dsn;
    uint32_t len;
};

/* What one end of a TCP connection has sent. Sequence numbers are offsets from its ISS. offered: MPTCP, in
 * any of its SYNs. */
struct half {
    bool syn, mp, offered, fin, reset, has_wscale, has_ts, plain;
    uint8_t wscale;
    uint16_t mss;
    uint32_t iss, tsval;
    uint64_t snd_max, fin_off;
    /* Of the payload of its SYN, what lies outside of the data sequence space: known from its third ACK on.
     */
    uint64_t shift;
    bool third_ack;
    /* In the peer's space: last ACK, and the right edge of the widest window advertised. */
    uint64_t ack, edge;
    uint32_t window;       /* the last one, bytes */
    uint32_t syn_window;   /* the one of its SYN */
    struct seen_map *maps; /* by ssn, not overlapping */
    size_t n_maps, cap_maps;
    struct borders borders; /* of what is not acknowledged yet */
};

struct flow {
    struct braid_addr addr[SIM_SIDES];
    struct half half[SIM_SIDES];
    unsigned conn;
    unsigned data; /* in conns: that of conn, or the candidate's own */
    bool join;
    bool muddled; /* no longer looked at */
};

/* What one end of an MPTCP connection has sent, in absolute data sequence numbers. */
struct data_half {
    bool has_key, acked, fin;
    uint64_t key, idsn;
    uint32_t token;
    uint64_t snd_max, fin_dsn;
    uint64_t ack, edge; /* in the peer's space, as in struct half */
};

struct data_conn {
    struct data_half half[SIM_SIDES];
    uint64_t outside[SIM_SIDES]; /* bytes of each stream that are not in its data sequence space */
};

struct observer {
    struct flow flows[OBSERVER_FLOWS];
    unsigned n_flows;
    struct data_conn conns[SIM_CONNS + OBSERVER_RACED];
    unsigned raced[OBSERVER_RACED]; /* the connection that each candidate is of */
    unsigned n_raced;
    struct braid_ip announced; /* by the server, last; for the trace and the plan */
};

struct world;

/* Adds a mapping of payload that this end has sent; false if it contradicts an earlier one. Parts that are
 * known already are left out. */
bool observer_add_map(struct half *h, uint64_t ssn, uint64_t dsn, uint32_t len);
void observer_free(struct observer *o);
/* A core of this side sends f. */
void observer_packet(struct world *w, unsigned side, const struct frame *f);
/* Prints a packet as one line of the trace; tag says what happens to it. */
void trace_frame(struct world *w, const char *tag, const struct frame *f);
/* The flow between these addresses, and which end src is; NULL if there is none. */
struct flow *observer_flow(struct observer *o, const struct braid_addr *src, const struct braid_addr *dst,
                           unsigned *side);

#endif
