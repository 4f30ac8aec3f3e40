/* State written down, for another process or another core to go on with (docs/handover.md): items of a tag, a
 * length and a value, one behind the other in a buffer that grows. A value is a number, bytes, or a group of
 * further items. thaw.h reads them. */
#ifndef BRAID_BASE_FREEZE_H
#define BRAID_BASE_FREEZE_H

#include <braid/field.h>
#include "base/timer_order.h"

/* What a reader that does not know the tag may leave out; others have it refuse the whole. */
#define FREEZE_OPTIONAL 1000u

struct braid_memory;
struct buf_table;
extern const struct braid_field addr_fields[]; /* of struct braid_addr */

struct freezer {
    uint8_t *data; /* malloc's, or grow's; the owner's to free */
    size_t len, cap;
    uint8_t *(*grow)(void *ctx, size_t cap); /* as of struct braid_memory; NULL: realloc */
    void *ctx;
    bool failed;     /* memory is short, or it would be too long: what is there is worth nothing */
    bool no_payload; /* zeros stand for what is in buffers */
    const struct timer_order *order; /* of the timers of freeze_timer */
    struct buf_table *bufs;          /* of the slices of freeze_slice (buf_table.h) */
};

/* One that writes behind what is in m, and what it has made of m's memory in the end, however it ended;
 * m->len is the caller's to move. */
struct freezer freezer_behind(const struct braid_memory *m);
void freezer_leave(const struct freezer *f, struct braid_memory *m);
/* Tags are 1 to 999, FREEZE_OPTIONAL may be added. */
void freeze_number(struct freezer *f, unsigned tag, uint64_t v);
void freeze_bytes(struct freezer *f, unsigned tag, const void *bytes, size_t len);
/* So many bytes of 0. */
void freeze_zeros(struct freezer *f, unsigned tag, size_t len);
/* So many bytes that are no item, to be filled at once. NULL: memory is short. */
uint8_t *freeze_room(struct freezer *f, size_t len);
/* Without its NUL; NULL: nothing is written. */
void freeze_text(struct freezer *f, unsigned tag, const char *text);
/* A group begins; what is returned is for freeze_end. */
size_t freeze_begin(struct freezer *f, unsigned tag);
void freeze_end(struct freezer *f, size_t begun);
/* Bit fields have no address: X(bit, name) of each of them, in a list LIST(X), make one number and back. */
#define FREEZE_BIT(bit, name) | (uint64_t)from->name << (bit)
#define THAW_BIT(bit, name)   into->name = v >> (bit)&1;
#define FREEZE_BITS(list, type)                                                                              \
    static uint64_t list##_freeze(const type *from)                                                          \
    {                                                                                                        \
        return 0 list(FREEZE_BIT);                                                                           \
    }                                                                                                        \
    static void list##_thaw(type *into, uint64_t v)                                                          \
    {                                                                                                        \
        list(THAW_BIT)                                                                                       \
    }
/* The members of a struct. NULL: none. */
void freeze_fields(struct freezer *f, const struct braid_field *fields, const void *from);
/* The same as a group. */
void freeze_struct(struct freezer *f, unsigned tag, const struct braid_field *fields, const void *from);
/* An address and its port. */
void freeze_addr(struct freezer *f, unsigned tag, const struct braid_addr *a);
/* When a timer fires, and its place among those that fire at the same time. */
void freeze_timer(struct freezer *f, unsigned tag, const struct timer *t);

#endif
