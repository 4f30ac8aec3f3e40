/* Mappings received on one subflow: which data sequence numbers its payload has (RFC 8684 section 3.3.1). */
#ifndef BRAID_MPTCP_RXMAP_H
#define BRAID_MPTCP_RXMAP_H

#include <braid/types.h>
#include "base/buf.h"

/* Payload [off, off + len) of the subflow is [dsn, dsn + len) of the data. */
struct rx_mapping {
    uint64_t off, dsn;
    uint32_t len;
    bool has_csum;
    uint16_t csum;
    uint16_t csum_len; /* the length the checksum was computed with: counts the DATA_FIN */
};

/* Mappings not yet used up, by offset and disjoint. Contiguous mappings without checksum are kept as one. */
struct rxmap {
    struct rx_mapping *v;
    uint32_t head, n, cap;
    struct mem_account *account; /* what v takes is charged here; NULL: nowhere */
    /* Checksummed mapping in progress: payload held back until it is complete. */
    struct slice *held;
    uint32_t held_n, held_cap;
    uint32_t held_bytes;
    uint64_t held_sum;
};

#define RXMAP_MAX 8192 /* more at a time is an attack */

enum rxmap_status { RXMAP_OK, RXMAP_DUPLICATE, RXMAP_CONFLICT, RXMAP_FULL };

/* Adds a mapping; rcv_nxt: the subflow's next expected offset, before which parts are ignored. A mapping that
 * contradicts an earlier one is not added (the first one counts). */
enum rxmap_status rxmap_add(struct rxmap *m, const struct rx_mapping *new_map, uint64_t rcv_nxt);
/* The mapping that covers offset off, or NULL. Mappings that end at or before off are dropped. */
struct rx_mapping *rxmap_find(struct rxmap *m, uint64_t off);
/* Drops the payload that is held back. */
void rxmap_drop_held(struct rxmap *m);
void rxmap_free(struct rxmap *m);

#endif
