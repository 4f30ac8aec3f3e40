/* Reading state: see thaw.h; the format is told in freeze.c. */
#include "base/thaw.h"

#include <string.h>

#include "base/bytes.h"
#include "base/freeze.h"

#define TIME_MOST ((braid_time)1 << 60) /* neither sums nor differences of a few overflow */

bool thaw_fail(struct thawing *all, enum thaw_flaw flaw)
{
    if (all->flaw == THAW_FINE)
        all->flaw = flaw;
    return false;
}

/* Five bytes at most: 35 bits. Nearly all have one. */
static inline bool take_short(struct thawer *t, uint64_t *out)
{
    if (t->at < t->end && !(*t->at & 0x80)) {
        *out = *t->at++;
        return true;
    }
    *out = 0;
    for (unsigned i = 0; i < 5 && t->at < t->end; i++) {
        uint8_t b = *t->at++;
        *out |= (uint64_t)(b & 0x7f) << 7 * i;
        if (!(b & 0x80))
            return true;
    }
    return false;
}

bool thaw_next(struct thawer *t, struct thaw_item *out)
{
    uint64_t tag, len;
    if (!thaw_fine(t->all) || t->at == t->end)
        return false;
    if (!take_short(t, &tag) || !take_short(t, &len) || len > (size_t)(t->end - t->at) || tag == 0 ||
        tag >= 2 * FREEZE_OPTIONAL || tag == FREEZE_OPTIONAL)
        return thaw_fail(t->all, THAW_TORN);
    *out = (struct thaw_item){.tag = (unsigned)tag % FREEZE_OPTIONAL,
                              .optional = tag > FREEZE_OPTIONAL,
                              .data = t->at,
                              .len = len,
                              .roomy = t->end - t->at >= 8,
                              .all = t->all};
    t->at += len;
    return true;
}

struct thawer thaw_inside(const struct thaw_item *i)
{
    return (struct thawer){i->data, i->data + i->len, i->all};
}

/* Of at most eight bytes. Where as many can be read, that is one load. */
static inline uint64_t number_of(const struct thaw_item *i)
{
    uint64_t v = 0;
    if (i->roomy && i->len > 0)
        return get64le(i->data) & UINT64_MAX >> (64 - 8 * i->len);
    for (size_t b = 0; b < i->len; b++)
        v |= (uint64_t)i->data[b] << 8 * b;
    return v;
}

uint64_t thaw_number(const struct thaw_item *i, uint64_t most)
{
    uint64_t v = i->len <= 8 ? number_of(i) : 0;
    if (i->len <= 8 && v <= most)
        return v;
    thaw_fail(i->all, THAW_WRONG);
    return 0;
}

void thaw_bytes(const struct thaw_item *i, void *out, size_t len)
{
    if (i->len != len)
        thaw_fail(i->all, THAW_WRONG);
    else if (len > 0)
        memcpy(out, i->data, len);
}

bool thaw_is_text(const struct thaw_item *i, const char *text)
{
    return strlen(text) == i->len && memcmp(text, i->data, i->len) == 0;
}

void thaw_unknown(const struct thaw_item *i)
{
    if (!i->optional)
        thaw_fail(i->all, THAW_UNKNOWN);
}

static bool is_time(braid_time t)
{
    return t >= -TIME_MOST && t <= TIME_MOST;
}

static bool is_real(uint64_t v, unsigned size, uint64_t most)
{
    double d;
    float s;
    if (size == 4) {
        uint32_t low = (uint32_t)v;
        memcpy(&s, &low, 4);
        d = (double)s;
    } else {
        memcpy(&d, &v, 8);
    }
    return d >= 0 && d <= (double)most;
}

static bool is_valid(const struct braid_field *field, uint64_t v)
{
    if (field->size < 8 && v >> 8 * field->size)
        return false;
    switch (field->kind) {
    case BRAID_FIELD_TIME:
        return is_time((braid_time)v);
    case BRAID_FIELD_DUE:
        return (braid_time)v == BRAID_NEVER || is_time((braid_time)v);
    case BRAID_FIELD_PAST:
        return (braid_time)v == INT64_MIN || is_time((braid_time)v);
    case BRAID_FIELD_BOOL:
        return v <= 1;
    case BRAID_FIELD_REAL:
        return is_real(v, field->size, field->most);
    default:
        return v <= field->most;
    }
}

static void put_element(const struct braid_field *field, uint8_t *at, uint64_t v)
{
    uint32_t v32 = (uint32_t)v;
    uint16_t v16 = (uint16_t)v;
    switch (field->size) {
    case 1:
        *at = (uint8_t)v;
        break;
    case 2:
        memcpy(at, &v16, 2);
        break;
    case 4:
        memcpy(at, &v32, 4);
        break;
    default:
        memcpy(at, &v, 8);
    }
}

static void take_array(const struct thaw_item *i, const struct braid_field *field, uint8_t *at)
{
    struct thaw_item one = {.len = field->size, .data = i->data, .all = i->all};
    if (i->len != (size_t)field->count * field->size) {
        thaw_fail(i->all, THAW_WRONG);
        return;
    }
    if (field->kind == BRAID_FIELD_NUMBER && field->size == 1 && field->most >= UINT8_MAX) {
        memcpy(at, i->data, i->len);
        return;
    }
    for (unsigned n = 0; n < field->count; n++, one.data += field->size, at += field->size) {
        uint64_t v = thaw_number(&one, UINT64_MAX);
        if (is_valid(field, v))
            put_element(field, at, v);
        else
            thaw_fail(i->all, THAW_WRONG);
    }
}

static void take_member(const struct thaw_item *i, const struct braid_field *field, void *into)
{
    uint8_t *at = (uint8_t *)into + field->offset;
    if (field->count > 1) {
        take_array(i, field, at);
        return;
    }
    uint64_t v = thaw_number(i, UINT64_MAX);
    if (is_valid(field, v))
        put_element(field, at, v);
    else
        thaw_fail(i->all, THAW_WRONG);
}

static inline bool is_for(const struct braid_field *field, const struct thaw_item *i)
{
    return field && field->kind != BRAID_FIELD_END && field->tag == i->tag;
}

static const struct braid_field *find(const struct braid_field *fields, const struct thaw_item *i)
{
    while (fields && fields->kind != BRAID_FIELD_END && fields->tag != i->tag)
        fields++;
    return is_for(fields, i) ? fields : NULL;
}

bool thaw_field(const struct thaw_item *i, const struct braid_field *fields, void *into)
{
    const struct braid_field *field = find(fields, i);
    if (field)
        take_member(i, field, into);
    return field;
}

/* Members come in the order of the table, if it is the same. */
void thaw_struct(const struct thaw_item *group, const struct braid_field *fields, void *into)
{
    const struct braid_field *next = fields;
    struct thawer t = thaw_inside(group);
    struct thaw_item i;
    while (thaw_next(&t, &i)) {
        const struct braid_field *field = is_for(next, &i) ? next : find(fields, &i);
        if (!field) {
            thaw_unknown(&i);
            continue;
        }
        take_member(&i, field, into);
        next = field + 1;
    }
}

void thaw_timer(const struct thaw_item *group, struct wheel *w, struct timer *timer)
{
    static const struct braid_field at[] = {
        BRAID_TIME(TIMER_AT, struct timer_due, at), BRAID_ANY(TIMER_PLACE, struct timer_due, place), {0}};
    struct timer_due due = {.wheel = w, .timer = timer, .at = BRAID_NEVER};
    thaw_struct(group, at, &due);
    if (thaw_fine(group->all) && due.at != BRAID_NEVER && timer_later_add(&group->all->timers, &due) < 0)
        thaw_fail(group->all, THAW_MEMORY);
}
