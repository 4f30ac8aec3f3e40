/* Splices and their ends, as state (docs/handover.md). What waits in an end, waits there: in the core's
 * connection, or in the kernel's socket. */
#ifndef BRAID_RELAY_SPLICE_FREEZE_H
#define BRAID_RELAY_SPLICE_FREEZE_H

#include "relay/refs.h"
#include "relay/splice.h"

void splice_freeze(const struct splice *s, struct freezer *f, unsigned tag, struct refs_out *out);

/* What a splice is read with. */
struct splice_thaw {
    struct refs *refs;
    struct poller *poller;               /* of its sockets */
    const struct braid_conn_ops *ops[2]; /* that its ends' connections have; NULL: that end is none */
    bool sockets[2];                     /* that end may be a socket */
    struct thawing *all;                 /* splice_thaw's own */
    struct refs_conn *conns[2];          /* out: those; NULL: that end is none, or gone */
};
/* Into s, as from splice_init. Its sockets are waited for, and what they are ready for will be told once. If
 * there is something wrong, splice_forget is due all the same. */
void splice_thaw(struct splice *s, const struct thaw_item *i, struct splice_thaw *with);
/* Nothing is closed and nobody is told; the splice may be freed. */
void splice_forget(struct splice *s);

#endif
