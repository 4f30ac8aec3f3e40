/* What is known of servers that clients meant: which of them speak MPTCP themselves, so that new connections
 * to them are better left alone, and which do not, so that nobody need ask again for a while. One table per
 * worker. It knows no clock: the time comes as an argument. */
#ifndef BRAID_ROLE_BYPASS_H
#define BRAID_ROLE_BYPASS_H

#include <stddef.h>
#include <braid/types.h>
#include "base/hash.h"

#define BYPASS_MAX 32768 /* destinations of each kind, at most: about 3 MiB each */

struct freezer;
struct thaw_item;

enum bypass_kind { BYPASS_UNKNOWN, BYPASS_PLAIN, BYPASS_MPTCP };

struct bypass;

/* A destination that is left alone. */
struct bypass_entry {
    unsigned edge; /* that found it */
    struct braid_addr addr;
    braid_time left; /* until it is forgotten */
    uint64_t passed; /* SYNs left alone so far */
};

/* At most max destinations of each kind; the oldest makes room. key: unpredictable, as peers choose the
 * addresses. NULL: memory is short. */
struct bypass *bypass_new(const struct siphash_key *key, size_t max);
/* NULL is allowed. */
void bypass_free(struct bypass *b);

/* Edges are numbers and know nothing of each other's destinations. BYPASS_UNKNOWN also once the time is over.
 */
enum bypass_kind bypass_find(const struct bypass *b, unsigned edge, const struct braid_addr *addr,
                             braid_time now);
/* Remembers the kind until `until`. BYPASS_PLAIN does not replace BYPASS_MPTCP before its time is over: a
 * single handshake may have lost its options on the way. If memory is short it is not remembered. */
void bypass_learn(struct bypass *b, unsigned edge, const struct braid_addr *addr, enum bypass_kind kind,
                  braid_time until, braid_time now);
/* True, and counted, if the destination is BYPASS_MPTCP. */
bool bypass_pass(struct bypass *b, unsigned edge, const struct braid_addr *addr, braid_time now);
/* Forgets everything. */
void bypass_clear(struct bypass *b);

/* Fills in up to max destinations of BYPASS_MPTCP whose time is not over, those learned last first; returns
 * how many. */
size_t bypass_list(const struct bypass *b, braid_time now, struct bypass_entry *out, size_t max);
/* How many bypass_list has at most. */
size_t bypass_count(const struct bypass *b);

/* What is known of an edge's destinations as items of this tag, for another process (docs/handover.md) ... */
void bypass_freeze(const struct bypass *b, unsigned edge, braid_time now, struct freezer *f, unsigned tag);
/* ... and one of them read there. What is known longer already stays. If memory is short it is not
 * remembered. */
void bypass_thaw(struct bypass *b, unsigned edge, const struct thaw_item *item);

#endif
