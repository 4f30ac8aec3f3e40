/* See event_code.h. An event is its kind, a byte that says what it has, and these: the time, what all
 * connections hold and how many there are, numbers, bytes. */
#include "record/event_code.h"

#include <string.h>

#define HAS_COUNT 0x07
#define HAS_TIME  0x08
#define HAS_ALL   0x10
#define HAS_DATA  0x20

void event_put(struct blob *b, const struct braid_tap_event *e, braid_time *last)
{
    /* timers tell, each by itself, what they see of the others */
    bool cause = braid_tap_is_cause(e->kind) && e->kind != BRAID_TAP_RUN;
    blob_u8(b, (uint8_t)e->kind);
    blob_u8(b, (uint8_t)(e->count | (e->now != 0 ? HAS_TIME : 0) | (cause ? HAS_ALL : 0) |
                         (e->len > 0 ? HAS_DATA : 0)));
    if (e->now != 0) {
        blob_signed(b, e->now - *last);
        *last = e->now;
    }
    if (cause) {
        blob_number(b, e->memory);
        blob_number(b, e->conns);
    }
    for (unsigned i = 0; i < e->count; i++)
        blob_number(b, e->n[i]);
    if (e->len > 0 && event_is_packet(e->kind))
        blob_number(b, e->len);
    else if (e->len > 0)
        blob_text(b, e->data, e->len);
}

#define HELD_MOST ((uint64_t)1 << 48) /* bytes, or connections, of all */

static void get_rest(struct scan *s, uint8_t has, struct braid_tap_event *e)
{
    if (has & HAS_ALL) {
        e->memory = scan_number(s);
        e->conns = scan_number(s);
        s->torn = s->torn || e->memory > HELD_MOST || e->conns > HELD_MOST;
    }
    for (unsigned i = 0; i < e->count; i++)
        e->n[i] = scan_number(s);
    if ((has & HAS_DATA) && event_is_packet(e->kind))
        e->len = scan_number(s);
    else if (has & HAS_DATA)
        e->data = scan_text(s, &e->len);
}

bool event_get(struct scan *s, struct braid_tap_event *e, braid_time *last)
{
    if (s->at == s->end || s->torn)
        return false;
    memset(e, 0, sizeof(*e));
    uint8_t kind = scan_u8(s), has = scan_u8(s);
    e->kind = (enum braid_tap_kind)kind;
    e->count = has & HAS_COUNT;
    s->torn = s->torn || kind == 0 || kind > BRAID_TAP_CHANGED || e->count > BRAID_TAP_NUMBERS;
    if (s->torn)
        return false;
    if (has & HAS_TIME)
        *last = e->now = (braid_time)((uint64_t)*last + (uint64_t)scan_signed(s));
    s->torn = s->torn || *last < 0 || *last > EVENT_TIME_MOST;
    get_rest(s, has, e);
    return !s->torn;
}
