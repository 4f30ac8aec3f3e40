/* Joins two ends (end.h), whatever they are: what comes out of one goes into the other, in both directions.
 *   The end of a stream is passed on behind its last byte, and the other direction may go on.
 *   An end that resets, or falls silent, is read to its end; the other one is aborted behind that.
 *   A connection of the core that ends otherwise than in order takes the other end with it at once; if it was
 * reset and the other end is one, too, behind what it had sent before. An end that takes nothing stops the
 * one that the bytes come from; what waits, waits there. */
#ifndef BRAID_RELAY_SPLICE_H
#define BRAID_RELAY_SPLICE_H

#include "base/list.h"
#include "relay/end.h"

struct event_base;
struct splicer;
struct splice;

/* What the owner of splices is told. The end is 0 or 1. */
struct splice_events {
    /* n bytes of this end are with the other one now. */
    void (*moved)(struct splice *s, unsigned from, size_t n);
    /* The end has reset the stream or fallen silent; it may have bytes to read. At most once for each. */
    void (*failed)(struct splice *s, unsigned end);
    /* The connection of the core that this end is has ended. */
    void (*gone)(struct splice *s, unsigned end, enum braid_close why);
    /* Both ends are gone. The last call: the splice is the owner's to free. */
    void (*over)(struct splice *s);
};

/* Who has the splices: embedded in what stands for it. */
struct splice_owner {
    const struct splice_events *events;
    struct splicer *splicer;
    const void *group; /* the owner's own, to tell its splices from those of others */
};

/* Embedded in what stands for the relayed stream. */
struct splice {
    struct end ends[2];
    struct splice_owner *owner;
    struct list again; /* in the splicer, if an end has had its share of this turn */
    bool ending;       /* an end was aborted: no byte moves any more */
};

/* What the splices of one thread share. NULL: memory is short. */
struct splicer *splicer_new(struct event_base *base);
/* NULL is allowed. */
void splicer_free(struct splicer *sp);

/* Both ends are missing; they are made in s->ends, one or both at once, and then started. */
void splice_init(struct splice *s, struct splice_owner *owner);
/* Both ends are there: what has come before goes its way. */
void splice_start(struct splice *s);
/* Nothing is taken out of this end any more, until it is let go; its owner may do so meanwhile. What goes
 * into it does not stop. Before the splice is started, or from within a callback of the end. */
void splice_hold(struct splice *s, unsigned end);
/* May be the splice's end, if all was waiting for that. */
void splice_let_go(struct splice *s, unsigned end);
/* Aborts this end, and with it the splice. */
void splice_abort(struct splice *s, unsigned end);
/* Aborts both ends; nobody is told. The splice may be freed. */
void splice_drop(struct splice *s);
/* It has more to read than it was let in this turn of the loop, and will go on in the next. Not to be called
 * while it does. */
void splice_go_on(struct splice *s);
/* It will not. */
void splice_stay(struct splice *s);
static inline struct splice *splice_of(struct end *e)
{
    return list_entry(e - e->side, struct splice, ends);
}

#endif
