/* Middleboxes: what stands on a path and does more to packets than to forward them. A path has a chain of
 * boxes, all at one of its ends; a box gets a segment on its way and passes on none, one or several, in
 * either direction. A family composes boxes from specs. */
#ifndef SIM_MIDDLEBOX_H
#define SIM_MIDDLEBOX_H

#include "frame.h"
#include "rng.h"

struct box;
struct world;

/* Segments that a box acts on; what it does not act on passes. */
enum box_on {
    ON_SYN = 1,
    ON_SYNACK = 2,
    ON_UP = 4,   /* everything but SYNs, to the server */
    ON_DOWN = 8, /* everything but SYNs, to the client */
    ON_HANDSHAKE = ON_SYN | ON_SYNACK,
    ON_ALL = 15
};

struct box_ops {
    const char *name;
    bool super; /* takes super-packets as they are; else they are cut into segments before */
    size_t state_size;
    /* Takes f, a TCP segment on its way to side `to`. */
    void (*frame)(struct box *b, unsigned to, struct frame *f);
    /* Frees what the state holds; may be NULL. */
    void (*free)(struct box *b);
    /* Translates the address that the server sees into the client's own; true if it was one of the box's.
     * *again: the address belongs to a flow that the server knows by another one. May be NULL. */
    bool (*unmap)(struct box *b, struct braid_addr *a, bool *again);
};

/* To leave segments away. */
struct box_drop_params {
    uint64_t mask[2]; /* bit n: the n-th frame of a direction; [0] to the server. 0 in both: all */
    unsigned
        subtypes; /* bits of MPTCP subtypes: only segments that have one of these; 0: whatever they have */
    bool payload; /* only segments that have some */
};

/* To change options. */
struct box_options_params {
    bool unknown; /* everything that is not of RFC 9293, 7323 or 2018, else kind 30 only */
    bool kinds;   /* options of kind `kind` instead */
    uint8_t kind;
    unsigned subtypes; /* bits of MPTCP subtypes; 0: all */
    bool nop;          /* overwrites them with NOPs, else the header gets shorter */
};

struct box_nat_params {
    bool ports;           /* changes the port too */
    braid_time rebind_at; /* forgets all mappings, since the start; 0: never */
    bool swap_address;    /* new mappings have another address then */
    enum nat_lost {
        NAT_REMAP, /* what comes without a mapping gets a new one */
        NAT_DROP,  /* ... unless it is no SYN: vanishes */
        NAT_RESET  /* ... or is answered with a RST */
    } lost;
};

struct box_segment_params {
    uint32_t most;   /* split: bytes of payload per piece; merge: of all that is merged */
    braid_time hold; /* merge: how long a segment waits for the next one */
    bool first_only; /* split: only the first piece keeps MPTCP options */
};

struct box_alg_params {
    int32_t least, most; /* bytes inserted (or, below 0, taken out) per edit */
    unsigned edits;      /* per direction of a flow */
};

struct box_pep_params {
    double lose;     /* chance to lose a segment that it has acknowledged */
    bool retransmit; /* keeps copies and sends them again until the receiver has acknowledged them */
};

struct box_rst_params {
    enum rst_aim { RST_EXACT, RST_IN_WINDOW, RST_OUTSIDE, RST_BLIND } aim;
    unsigned sides;    /* bits: 1 << SIM_CLIENT, 1 << SIM_SERVER */
    unsigned most;     /* RSTs in all, per direction */
    unsigned subtypes; /* only in answer to segments with one of these MPTCP subtypes; 0: to any */
};

struct box_spec {
    const struct box_ops *ops;
    unsigned path;          /* SIM_PATHS: on all */
    unsigned on;            /* bits of enum box_on; 0: everything */
    uint64_t after;         /* frames of a direction that pass before it begins */
    braid_time from, until; /* since the start; until 0: for ever */
    double chance;          /* to act on a segment; 0: on each */
    union {
        struct box_drop_params drop;
        struct box_options_params options;
        struct box_nat_params nat;
        struct box_segment_params segment;
        struct box_alg_params alg;
        struct box_pep_params pep;
        struct box_rst_params rst;
    };
};

extern const struct box_ops box_drop;           /* drop */
extern const struct box_ops box_strip;          /* options */
extern const struct box_ops box_repeat_options; /* says MPTCP options twice, where there is room */
extern const struct box_ops box_turn_options;   /* reverses the order of options */
extern const struct box_ops box_alter;          /* one byte of payload changes */
extern const struct box_ops box_empty;          /* takes the payload away */
extern const struct box_ops box_alg;            /* alg: payload changes in length, sequence numbers follow */
extern const struct box_ops box_nat;            /* nat */
extern const struct box_ops box_seq;            /* randomises initial sequence numbers */
extern const struct box_ops box_split;          /* segment */
extern const struct box_ops box_merge;          /* segment */
extern const struct box_ops box_pep;            /* pep: acknowledges data before the receiver has it */
extern const struct box_ops box_rst;            /* rst */
extern const struct box_ops box_refuse;         /* drop: answers SYNs with a RST instead of passing them on */

/* One box of one path. */
struct box {
    const struct box_spec *spec;
    struct world *world;
    unsigned path, index;
    uint64_t seen[2]; /* frames of each direction, by the side they go to */
    struct rng rng;
    void *state;
};

/* Puts the boxes of the scenario on the paths. */
void boxes_init(struct world *w);
void boxes_free(struct world *w);
/* A frame on its way to side `to` comes to the boxes of a path; takes f. What leaves them goes to
 * net_past_boxes. */
void boxes_enter(struct world *w, unsigned path, unsigned to, struct frame *f);
/* Passes f on, behind box b as seen by who goes to side `to`; takes f. */
void box_pass(struct box *b, unsigned to, struct frame *f);
/* Drops f, with a line in the trace. */
void box_kill(struct box *b, struct frame *f);
/* The client's own address for one that the server sees; false: the server knows that flow by another one. */
bool boxes_unmap(struct world *w, struct braid_addr *a);
/* The client's and the server's end of the flow that f belongs to, as a hash. */
uint64_t box_flow(const struct frame *f, unsigned to);
/* What each entry of a box's table of flows begins with. */
struct box_flow_key {
    uint64_t hash;
    bool used;
};
/* The entry of f's flow in a table of n entries of `size` bytes, a new one if need be; NULL: it is full. */
void *box_flow_entry(void *table, unsigned n, size_t size, const struct frame *f, unsigned to);

#endif
