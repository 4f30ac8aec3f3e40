/* See tape.h. */
#include "record/tape.h"

#include <string.h>
#include "record/event_code.h"
#include "record/pcapng.h"

static bool read_begin(struct tape *t, const struct pcapng_block *b)
{
    struct scan s = {b->data, b->data + b->len, false};
    size_t len;
    if (scan_u8(&s) != RECORDING_BEGINS || scan_u8(&s) != RECORDING_FORMAT)
        return false;
    t->keys = scan_u8(&s) & RECORDING_KEYS;
    t->begins = t->last = scan_signed(&s);
    t->number = scan_number(&s);
    const uint8_t *edge = scan_text(&s, &len);
    if (edge)
        memcpy(t->edge, edge, len < sizeof(t->edge) ? len : sizeof(t->edge) - 1);
    t->portrait = scan_text(&s, &t->portrait_len);
    return !s.torn && t->portrait && t->begins >= 0 && t->begins <= EVENT_TIME_MOST;
}

bool tape_find(struct tape *t, struct scan *file)
{
    struct pcapng_block b;
    while (pcapng_next(file, &b)) {
        *t = (struct tape){.file = *file};
        if (b.kind == PCAPNG_CUSTOM && read_begin(t, &b))
            return true;
    }
    return false;
}

bool tape_open(struct tape *t, const uint8_t *bytes, size_t len)
{
    struct scan file = {bytes, bytes + len, false};
    return tape_find(t, &file);
}

/* A packet's event has in it how much of the bytes is headers. */
static bool read_packet(struct tape *t, const struct pcapng_block *b, struct scan *s,
                        struct braid_tap_event *e)
{
    if (!event_get(s, e, &t->last) || !event_is_packet(e->kind) || e->len > b->len)
        return false;
    e->data = b->data;
    e->tail = b->data + e->len;
    e->tail_len = b->len - e->len;
    return true;
}

/* A block of ours: events may be in it, or the end. */
static void read_custom(struct tape *t, const struct pcapng_block *b)
{
    struct scan s = {b->data, b->data + b->len, false};
    uint8_t kind = scan_u8(&s);
    if (kind == RECORDING_BEGINS || scan_number(&s) != t->number)
        return;
    if (kind == RECORDING_ENDS)
        t->end = (enum recording_end)scan_u8(&s);
    if (kind == RECORDING_EVENTS)
        t->events = s;
    t->torn = s.torn;
}

static void note(const struct pcapng_block *b, struct tape_count *sum)
{
    struct scan s = {b->data, b->data + b->len, false};
    uint8_t kind = scan_u8(&s);
    sum->begun += kind == RECORDING_BEGINS;
    if (kind != RECORDING_ENDS)
        return;
    scan_number(&s);
    enum recording_end end = (enum recording_end)scan_u8(&s);
    sum->ended++;
    if (sum->end <= RECORDING_DONE)
        sum->end = end;
}

void tape_note(struct scan *blocks, struct tape_count *sum)
{
    struct pcapng_block b;
    while (pcapng_next(blocks, &b))
        if (b.kind == PCAPNG_CUSTOM)
            note(&b, sum);
}

/* The next block: true if it is a packet of this connection's, whose event is read. */
static bool next_block(struct tape *t, struct braid_tap_event *e)
{
    struct pcapng_block b;
    t->events = (struct scan){NULL, NULL, false};
    if (!pcapng_next(&t->file, &b)) {
        t->torn = t->file.torn;
        t->file.at = t->file.end;
        return false;
    }
    if (b.kind == PCAPNG_CUSTOM) {
        read_custom(t, &b);
        return false;
    }
    struct scan s = {b.custom, b.custom + b.custom_len, false};
    if (scan_number(&s) != t->number)
        return false;
    t->torn = !read_packet(t, &b, &s, e);
    return !t->torn;
}

bool tape_next(struct tape *t, struct braid_tap_event *e)
{
    while (!t->torn) {
        if (t->events.at != t->events.end && event_get(&t->events, e, &t->last)) {
            t->torn = event_is_packet(e->kind); /* these are in blocks of their own */
            return !t->torn;
        }
        t->torn = t->events.torn;
        if (t->torn || t->file.at == t->file.end)
            return false;
        if (next_block(t, e))
            return true;
    }
    return false;
}
