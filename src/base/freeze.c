/* Writing state: see freeze.h. An item is its tag and its length, as numbers of seven bits a byte, and its
 * value. Numbers are as short as they can be, least significant byte first; zero has no byte at all. */
#include "base/freeze.h"

#include <stdlib.h>
#include <string.h>

#include <braid/handover.h>
#include "base/bytes.h"

#define GROUP_LEN 4           /* bytes of a group's length, which is known when it ends ... */
#define GROUP_MAX (1ul << 28) /* ... and so many bytes fit */

#define SHORT_MAX  10                  /* bytes of any number, seven bits a byte */
#define NUMBER_MAX (2 * SHORT_MAX + 8) /* of an item that is one */

struct freezer freezer_behind(const struct braid_memory *m)
{
    return (struct freezer){.data = m->data, .len = m->len, .cap = m->cap, .grow = m->grow, .ctx = m->ctx};
}

void freezer_leave(const struct freezer *f, struct braid_memory *m)
{
    m->data = f->data;
    m->cap = f->cap;
}

/* More than what there is. Whatever fails, nothing is asked for again. */
static bool grow(struct freezer *f, size_t len)
{
    size_t cap = f->cap ? f->cap : 4096;
    while (!f->failed && cap - f->len < len)
        cap *= 2;
    uint8_t *data = f->failed ? NULL : f->grow ? f->grow(f->ctx, cap) : realloc(f->data, cap);
    if (!data) {
        f->failed = true;
        f->cap = f->len;
        return false;
    }
    f->data = data;
    f->cap = cap;
    return true;
}

/* Room for so many bytes, which are not taken yet. */
static inline uint8_t *reserve(struct freezer *f, size_t len)
{
    return len <= f->cap - f->len || grow(f, len) ? f->data + f->len : NULL;
}

uint8_t *freeze_room(struct freezer *f, size_t len)
{
    uint8_t *at = reserve(f, len);
    f->len += at ? len : 0;
    return at;
}

static inline uint8_t *write_short(uint8_t *at, uint64_t v)
{
    for (; v > 0x7f; v >>= 7)
        *at++ = (uint8_t)(v | 0x80);
    *at++ = (uint8_t)v;
    return at;
}

static void put_short(struct freezer *f, uint64_t v)
{
    uint8_t *at = reserve(f, SHORT_MAX);
    if (at)
        f->len = (size_t)(write_short(at, v) - f->data);
}

static void put_head(struct freezer *f, unsigned tag, size_t len)
{
    put_short(f, tag);
    put_short(f, len);
}

/* All eight bytes are written, since that is one store, and those taken that there have to be. */
static inline void put_number(struct freezer *f, unsigned tag, uint64_t v)
{
    unsigned len = v ? (64 - (unsigned)__builtin_clzll(v) + 7) / 8 : 0;
    uint8_t *at = reserve(f, NUMBER_MAX);
    if (!at)
        return;
    at = write_short(at, tag);
    *at++ = (uint8_t)len;
    put64le(at, v);
    f->len = (size_t)(at + len - f->data);
}

void freeze_number(struct freezer *f, unsigned tag, uint64_t v)
{
    put_number(f, tag, v);
}

void freeze_bytes(struct freezer *f, unsigned tag, const void *bytes, size_t len)
{
    put_head(f, tag, len);
    uint8_t *at = freeze_room(f, len);
    if (at && len > 0)
        memcpy(at, bytes, len);
}

void freeze_zeros(struct freezer *f, unsigned tag, size_t len)
{
    put_head(f, tag, len);
    uint8_t *at = freeze_room(f, len);
    if (at && len > 0)
        memset(at, 0, len);
}

void freeze_text(struct freezer *f, unsigned tag, const char *text)
{
    if (text)
        freeze_bytes(f, tag, text, strlen(text));
}

size_t freeze_begin(struct freezer *f, unsigned tag)
{
    put_short(f, tag);
    freeze_room(f, GROUP_LEN);
    return f->len;
}

void freeze_end(struct freezer *f, size_t begun)
{
    size_t len = f->len - begun;
    if (f->failed)
        return;
    if (len >= GROUP_MAX) {
        f->failed = true;
        return;
    }
    uint8_t *at = f->data + begun - GROUP_LEN;
    for (unsigned i = 0; i < GROUP_LEN; i++)
        at[i] = (uint8_t)((len >> 7 * i & 0x7f) | (i + 1 < GROUP_LEN ? 0x80 : 0));
}

static uint64_t element(const struct braid_field *field, const uint8_t *at)
{
    uint64_t v64;
    uint32_t v32;
    uint16_t v16;
    switch (field->size) {
    case 1:
        return *at;
    case 2:
        memcpy(&v16, at, 2);
        return v16;
    case 4:
        memcpy(&v32, at, 4);
        return v32;
    default:
        memcpy(&v64, at, 8);
        return v64;
    }
}

static void put_array(struct freezer *f, const struct braid_field *field, const uint8_t *at)
{
    size_t len = (size_t)field->count * field->size;
    put_head(f, field->tag, len);
    uint8_t *to = freeze_room(f, len);
    if (to && field->size == 1) {
        memcpy(to, at, len);
        return;
    }
    for (unsigned i = 0; to && i < field->count; i++, at += field->size) {
        uint64_t v = element(field, at);
        for (unsigned b = 0; b < field->size; b++)
            *to++ = (uint8_t)(v >> 8 * b);
    }
}

void freeze_fields(struct freezer *f, const struct braid_field *fields, const void *from)
{
    for (; fields && fields->kind != BRAID_FIELD_END; fields++) {
        const uint8_t *at = (const uint8_t *)from + fields->offset;
        if (fields->count == 1)
            put_number(f, fields->tag, element(fields, at));
        else
            put_array(f, fields, at);
    }
}

void freeze_struct(struct freezer *f, unsigned tag, const struct braid_field *fields, const void *from)
{
    size_t g = freeze_begin(f, tag);
    freeze_fields(f, fields, from);
    freeze_end(f, g);
}

const struct braid_field addr_fields[] = {
    BRAID_NUMBERS(1, struct braid_addr, ip.b, 1, UINT8_MAX), BRAID_ANY(2, struct braid_addr, port), {0}};

void freeze_addr(struct freezer *f, unsigned tag, const struct braid_addr *a)
{
    freeze_struct(f, tag, addr_fields, a);
}

void freeze_timer(struct freezer *f, unsigned tag, const struct timer *t)
{
    size_t g = freeze_begin(f, tag);
    if (t->at != BRAID_NEVER) {
        freeze_number(f, TIMER_AT, (uint64_t)t->at);
        freeze_number(f, TIMER_PLACE, timer_place(f->order, t));
    }
    freeze_end(f, g);
}
