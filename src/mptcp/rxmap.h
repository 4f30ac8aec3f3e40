/* Mappings received on one subflow: which data sequence numbers its payload has (RFC 8684 section 3.3.1). */
#ifndef BRAID_MPTCP_RXMAP_H
#define BRAID_MPTCP_RXMAP_H

#include <braid/types.h>
#include "base/buf.h"

/* Payload [off, off + len) of the subflow is [dsn, dsn + len) of the data. */
struct rx_mapping {
    /* both as offsets (conn_keys): of the subflow, where 1 is the first byte, and of the data */
    uint64_t off, dsn;
    uint32_t len;
    bool has_csum;
    uint16_t csum;
    uint16_t csum_len; /* the length the checksum was computed with: counts the DATA_FIN */
};

/* Payload that is held back until a mapping with a checksum is complete. */
struct rx_held {
    struct mem_account *account; /* of rxmap_hold */
    /* pieces in v, and room for them; what they hold is charged to the connection (slice_keep) */
    uint32_t n, cap;
    uint32_t bytes;
    /* ones-complement sum over the payload so far, not folded (wire/checksum.h) */
    uint64_t sum;
    struct slice v[];
};

/* Mappings not yet used up, by offset and disjoint. Contiguous mappings without checksum are kept as one. */
struct rx_mappings {
    struct mem_account *account; /* of rxmap_add */
    /* in use is v[head .. head + n): what is used up in front leaves a gap that make_room takes back */
    uint16_t head, n, cap;
    struct rx_mapping v[];
};

/* Of one subflow. An idle one has neither; all zeros is an empty one. */
struct rxmap {
    struct rx_mappings *known; /* NULL: none */
    struct rx_held *held;      /* NULL: nothing */
};

#define RXMAP_MAX 8192 /* mappings; more at a time is an attack */

/* DUPLICATE: all of it was known, or lies before rcv_nxt. CONFLICT: it contradicts what was said first, and
 * is ignored from there on. FULL: RXMAP_MAX is reached, or memory is short; the subflow cannot go on. */
enum rxmap_status { RXMAP_OK, RXMAP_DUPLICATE, RXMAP_CONFLICT, RXMAP_FULL };

/* Adds a mapping; rcv_nxt: the subflow's next expected offset, before which parts are ignored. A mapping that
 * contradicts an earlier one is not added (the first one counts). What it takes is charged to the account,
 * the same each time; NULL: nowhere. */
enum rxmap_status rxmap_add(struct rxmap *m, struct mem_account *account, const struct rx_mapping *new_map,
                            uint64_t rcv_nxt);
/* The mapping that covers offset off, or NULL. Mappings that end at or before off are dropped. */
struct rx_mapping *rxmap_find(struct rxmap *m, uint64_t off);
/* Makes room for so many mappings, or for so many pieces that are held back, where there is none yet: for who
 * restores them (flow_freeze.c). False: memory is short. */
bool rxmap_reserve(struct rxmap *m, struct mem_account *account, uint16_t cap);
bool rxmap_reserve_held(struct rxmap *m, struct mem_account *account, uint32_t cap);
/* Frees what is not needed: all, if rcv_nxt is behind every mapping. For the end of a batch. */
void rxmap_trim(struct rxmap *m, uint64_t rcv_nxt);
/* Holds payload back, which follows what is held back already; account: as above. Takes over the slice,
 * unless it returns -1: memory is short. */
int rxmap_hold(struct rxmap *m, struct mem_account *account, const struct slice *s);
/* Nothing is held back any more: what was, to be freed by the caller (rxmap_held_free); NULL: nothing. */
struct rx_held *rxmap_take_held(struct rxmap *m);
/* Frees h, which may be NULL, but not what its slices hold. */
void rxmap_held_free(struct rx_held *h);
/* Drops the payload that is held back. */
void rxmap_drop_held(struct rxmap *m);
void rxmap_free(struct rxmap *m);

#endif
