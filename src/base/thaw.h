/* Reading state that freeze.h wrote. Nothing in it is believed: what is too long, too large, out of order or
 * unknown is noted, and the whole is refused. */
#ifndef BRAID_BASE_THAW_H
#define BRAID_BASE_THAW_H

#include <braid/field.h>
#include "base/timer_order.h"

/* Why state was refused; the first reason counts. */
enum thaw_flaw {
    THAW_FINE,
    THAW_TORN,    /* it ends in the middle, or its bytes are not those that were written */
    THAW_UNKNOWN, /* it has something in it that this program does not know, and must not leave out */
    THAW_WRONG,   /* a value that cannot be, or that contradicts another one */
    THAW_NOBODY,  /* it asks for an algorithm or a listener that there is not */
    THAW_TAKEN,   /* who has it already: a 4-tuple or a token */
    THAW_MEMORY   /* memory is short */
};

struct buf_table;

/* What the readers of a whole share. */
struct thawing {
    enum thaw_flaw flaw;
    struct timer_later timers;
    struct buf_table *bufs; /* of the slices of thaw_slice (buf_table.h) */
};

/* Items, one behind the other. */
struct thawer {
    const uint8_t *at, *end;
    struct thawing *all;
};

struct thaw_item {
    unsigned tag; /* without FREEZE_OPTIONAL */
    bool optional;
    const uint8_t *data;
    size_t len;
    bool roomy; /* at least eight bytes may be read at data, whatever len is */
    struct thawing *all;
};

/* Notes a flaw; false. */
bool thaw_fail(struct thawing *all, enum thaw_flaw flaw);
/* The next item; false: there is none, or something was wrong before. */
bool thaw_next(struct thawer *t, struct thaw_item *out);
/* The items of a group. */
struct thawer thaw_inside(const struct thaw_item *i);
/* A number of at most `most`; 0 if it is none. */
uint64_t thaw_number(const struct thaw_item *i, uint64_t most);
/* So many bytes, exactly. */
void thaw_bytes(const struct thaw_item *i, void *out, size_t len);
/* Is the text this one? */
bool thaw_is_text(const struct thaw_item *i, const char *text);
/* An item that is not known: leaves it out, or refuses the whole. */
void thaw_unknown(const struct thaw_item *i);
/* Takes the item if it is a member in the table; false: it is not. */
bool thaw_field(const struct thaw_item *i, const struct braid_field *fields, void *into);
/* A group that has only members. */
void thaw_struct(const struct thaw_item *i, const struct braid_field *fields, void *into);
/* As freeze_timer wrote it: armed when all is read (timer_later_arm). */
void thaw_timer(const struct thaw_item *i, struct wheel *w, struct timer *t);

/* Is nothing wrong so far? */
static inline bool thaw_fine(const struct thawing *all)
{
    return all->flaw == THAW_FINE;
}

#endif
