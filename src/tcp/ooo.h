/* The queue of what came out of order. */
#ifndef BRAID_TCP_OOO_H
#define BRAID_TCP_OOO_H

#include <braid/types.h>
#include "base/list.h"
#include "base/slice.h"

struct subflow;

#define TCP_OOO_MAX 4096 /* pieces of the queue */

/* An out-of-order piece. Pieces do not overlap; neighbours are not merged. */
struct tcp_piece {
    struct list node;
    uint64_t off;
    struct slice s;
};

static inline struct tcp_piece *tcp_piece_of(struct list *node)
{
    return list_entry(node, struct tcp_piece, node);
}

static inline uint64_t tcp_piece_end(const struct tcp_piece *o)
{
    return o->off + o->s.len;
}

/* Keeps what is new of a slice at offset off, and notes the news for SACK. Takes over the slice's reference.
 */
void tcp_ooo_insert(struct subflow *sf, uint64_t off, struct slice s);
/* Puts a piece behind all others, and reports nothing: for who restores the queue (disorder_freeze.c). Takes
 * over the reference, unless memory is short (false). */
bool tcp_ooo_append(struct subflow *sf, uint64_t off, const struct slice *s);
/* The first piece if it begins at or before rcv.nxt: its offset and slice, with the reference. False: there
 * is none. */
bool tcp_ooo_take(struct subflow *sf, uint64_t *off, struct slice *s);
/* The subflow ends: what is queued, and what was to be reported of it, is dropped. */
void tcp_ooo_clear(struct subflow *sf);
/* Asserts the invariants. */
void tcp_ooo_check(const struct subflow *sf);

#endif
