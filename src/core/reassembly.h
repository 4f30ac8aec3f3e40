/* Fragments of TCP packets, put together again (RFC 8900). Everything that a stranger can make it hold is
 * bounded: in all, per source, per packet, and in time. */
#ifndef BRAID_CORE_REASSEMBLY_H
#define BRAID_CORE_REASSEMBLY_H

#include <braid/stats.h>
#include "base/buf.h"
#include "base/hash.h"
#include "base/wheel.h"
#include "wire/fragment.h"

#define REASSEMBLY_SOURCES 64

/* A place for the sources whose hashes fall there together. */
struct reassembly_source {
    struct list packets; /* incomplete.of_source, oldest first */
    size_t used;         /* bytes */
};

struct reassembly {
    const struct siphash_key *key;
    struct wheel *wheel;
    struct mem_account *account;
    struct braid_counters *count;
    struct htable table; /* incomplete.hash; whoever owns the reassembly makes and frees it */
    struct list oldest;  /* incomplete.node, in the order of their first fragments */
    size_t used, limit;  /* bytes, of the account as well */
    struct timer timer;  /* for the oldest */
    struct reassembly_source sources[REASSEMBLY_SOURCES];
};

/* A packet that was put together. */
struct reassembled {
    struct buf *buf; /* the packet is all of it; one reference, the caller's */
    uint32_t id;
    uint16_t largest; /* bytes of the largest fragment's packet */
};

/* limit: bytes that incomplete packets may take. Pointers must outlive it. */
void reassembly_init(struct reassembly *r, size_t limit, const struct siphash_key *key, struct wheel *wheel,
                     struct mem_account *account, struct braid_counters *count);
/* Forgets what is incomplete. */
void reassembly_free(struct reassembly *r);
/* Takes in a fragment. True: it was the last one missing, and *out is the packet. Overlapping fragments spoil
 * their packet (RFC 5722), repeated ones are ignored. */
bool reassembly_input(struct reassembly *r, const struct wire_fragment *f, braid_time now,
                      struct reassembled *out);
/* Asserts what must be so; for tests. */
void reassembly_check(const struct reassembly *r);

#endif
