/* See recorder.h. */
#include "record/recorder.h"

#include <stdlib.h>
#include <string.h>
#include <braid/version.h>
#include "base/list.h"
#include "record/event_code.h"
#include "record/hidden_keys.h"
#include "record/pcapng.h"

#define HEADER_MOST 2048 /* bytes of a packet without its payload: of ICMP errors the longest are 1280 */
#define PARTS_MOST  64
#define BATCH       16384 /* bytes of events in one block */

struct recorder {
    struct braid_core *core;
    recorder_wants_fn *wants;
    recorder_begun_fn *begun;
    void *ctx;
    struct list recordings; /* the oldest first */
};

struct recording {
    struct list node;
    struct recorder *recorder;
    const struct braid_conn *conn; /* NULL: it has ended */
    uint64_t number;               /* in the file */
    struct recorder_options options;
    void *owner;
    struct blob out;        /* what nobody has taken */
    struct blob events;     /* since the last block */
    braid_time last;        /* event_put */
    uint64_t local, remote; /* keys */
    enum recording_end end;
};

const char *recording_end_text(enum recording_end end)
{
    static const char *const texts[] = {
        [RECORDING_GOES_ON] = "it goes on",
        [RECORDING_DONE] = "the connection has ended",
        [RECORDING_CHANGED] = "the configuration was changed",
        [RECORDING_SLOW] = "what was recorded was not taken as fast as it came",
        [RECORDING_MEMORY] = "out of memory",
    };
    return texts[end <= RECORDING_MEMORY ? end : RECORDING_MEMORY];
}

/* ---- writing ---- */

static void write_events(struct recording *of)
{
    if (of->events.len == 0)
        return;
    pcapng_custom(&of->out, of->events.data, of->events.len);
    of->events.len = 0;
}

static void finish(struct recording *of, enum recording_end end)
{
    struct blob last = {.len = 0};
    if (!of->conn)
        return;
    of->conn = NULL;
    of->end = end;
    write_events(of);
    blob_u8(&last, RECORDING_ENDS);
    blob_number(&last, of->number);
    blob_u8(&last, (uint8_t)end);
    pcapng_custom(&of->out, last.data, last.len);
    blob_free(&last);
}

/* In front of events that are no packets. */
static struct blob *batch(struct recording *of)
{
    if (of->events.len > BATCH)
        write_events(of);
    if (of->events.len == 0) {
        blob_u8(&of->events, RECORDING_EVENTS);
        blob_number(&of->events, of->number);
    }
    return &of->events;
}

/* The most that is wanted of the payload, in pieces behind the first. */
static unsigned payload_parts(const struct recording *of, const struct braid_tap_event *e,
                              struct iovec *parts)
{
    size_t left = of->options.bytes;
    const struct iovec tail = {(void *)e->tail, e->tail_len};
    const struct iovec *from = e->tail ? &tail : e->payload;
    unsigned n = e->tail ? 1 : e->n_payload, i = 0;
    for (; i < n && i < PARTS_MOST - 1 && left > 0; i++) {
        parts[i] = from[i];
        if (parts[i].iov_len > left)
            parts[i].iov_len = left;
        left -= parts[i].iov_len;
    }
    return i;
}

static size_t tcp_offset(const struct braid_tap_event *e)
{
    return (size_t)e->n[e->kind == BRAID_TAP_OUT ? 2 : 5];
}

static void write_packet(struct recording *of, const struct braid_tap_event *e)
{
    uint8_t header[HEADER_MOST];
    struct iovec parts[PARTS_MOST] = {{header, e->len < HEADER_MOST ? e->len : HEADER_MOST}};
    struct blob option = {.len = 0};
    struct braid_tap_event here = *e;
    here.len = parts[0].iov_len;
    memcpy(header, e->data, parts[0].iov_len);
    if (!of->options.keys)
        keys_hide(header, parts[0].iov_len, tcp_offset(e), of->local, of->remote);
    write_events(of);
    blob_number(&option, of->number);
    event_put(&option, &here, &of->last);
    struct pcapng_packet p = {.at = of->last + of->options.to_wall,
                              .out = e->kind == BRAID_TAP_OUT,
                              .parts = parts,
                              .n_parts = 1 + payload_parts(of, e, parts + 1),
                              .len = (uint32_t)(e->len + e->n[0]),
                              .custom = option.data,
                              .custom_len = (uint16_t)option.len};
    pcapng_packet(&of->out, &p);
    of->out.failed = of->out.failed || option.failed;
    blob_free(&option);
}

static void write_value(struct recording *of, const struct braid_tap_event *e)
{
    struct braid_tap_event hidden = *e;
    const uint64_t key = BRAID_TAP_KEY_LOCAL;
    if (e->n[0] == BRAID_VALUE_KEY && !of->options.keys)
        hidden.data = &key;
    event_put(batch(of), &hidden, &of->last);
}

static void write_event(struct recording *of, const struct braid_tap_event *e)
{
    if (of->conn)
        braid_tap_keys(of->conn, &of->local, &of->remote);
    if (event_is_packet(e->kind))
        write_packet(of, e);
    else if (e->kind == BRAID_TAP_VALUE)
        write_value(of, e);
    else
        event_put(batch(of), e, &of->last);
    if (of->out.failed || of->events.failed)
        finish(of, RECORDING_MEMORY);
    else if (of->options.most > 0 && of->out.len > of->options.most)
        finish(of, RECORDING_SLOW);
}

/* ---- listening ---- */

static struct recording *recording_of(const struct recorder *r, const struct braid_conn *c)
{
    list_each (pos, tmp, &r->recordings) {
        struct recording *of = list_entry(pos, struct recording, node);
        if (of->conn == c)
            return of;
    }
    return NULL;
}

/* Of the whole core. All runs of its timers are among it, since the wheel (base/wheel.h) places timers anew
 * when it turns: when one fires within its tick depends on earlier runs. */
static void on_core(const struct recorder *r, const struct braid_tap_event *e)
{
    list_each (pos, tmp, &r->recordings) {
        struct recording *of = list_entry(pos, struct recording, node);
        if (!of->conn)
            continue;
        if (e->kind == BRAID_TAP_CHANGED)
            finish(of, RECORDING_CHANGED);
        else
            write_event(of, e);
    }
}

static void on_opened(struct recorder *r, struct braid_tap_event *e)
{
    void *owner = NULL;
    const struct recorder_options *o = r->wants ? r->wants(r->ctx, e->conn, &owner) : NULL;
    struct recording *of = o ? recorder_begin(r, e->conn, o, owner, braid_conn_opened_at(e->conn)) : NULL;
    if (of && e->len > 0)
        write_event(of, e);
    if (o && r->begun)
        r->begun(r->ctx, of, owner);
}

void recorder_hear(struct recorder *r, struct braid_tap_event *e)
{
    if (!e->conn) {
        on_core(r, e);
        return;
    }
    if (e->kind == BRAID_TAP_OPENED) {
        on_opened(r, e);
        return;
    }
    struct recording *of = recording_of(r, e->conn);
    if (!of)
        return;
    write_event(of, e);
    if (e->kind == BRAID_TAP_GONE)
        finish(of, RECORDING_DONE);
}

static void on_event(void *ctx, struct braid_tap_event *e)
{
    recorder_hear(ctx, e);
}

/* ---- life ---- */

bool recorder_has(const struct recorder *r, const struct braid_conn *c)
{
    return recording_of(r, c);
}

struct recorder *recorder_new(struct braid_core *core, recorder_wants_fn *wants, recorder_begun_fn *begun,
                              void *ctx)
{
    struct recorder *r = calloc(1, sizeof(*r));
    if (!r)
        return NULL;
    *r = (struct recorder){.core = core, .wants = wants, .begun = begun, .ctx = ctx};
    list_init(&r->recordings);
    if (braid_core_tap(core, on_event, r) == 0)
        return r;
    free(r);
    return NULL;
}

void recorder_free(struct recorder *r)
{
    if (!r)
        return;
    braid_core_tap(r->core, NULL, NULL);
    list_each (pos, tmp, &r->recordings)
        recording_free(list_entry(pos, struct recording, node));
    free(r);
}

void recording_head(struct blob *out)
{
    pcapng_begin(out, "braid " BRAID_VERSION, "braid", 0);
}

/* What it begins with. False: memory is short. */
static bool write_begin(struct recording *of, const struct braid_conn *c, braid_time now)
{
    const char *edge = braid_conn_listener(c);
    struct blob begin = {.len = 0};
    uint8_t *portrait;
    size_t len;
    if (braid_conn_portray(c, of->options.keys, false, &portrait, &len) < 0)
        return false;
    blob_u8(&begin, RECORDING_BEGINS);
    blob_u8(&begin, RECORDING_FORMAT);
    blob_u8(&begin, of->options.keys ? RECORDING_KEYS : 0);
    blob_signed(&begin, now);
    blob_number(&begin, of->number);
    blob_text(&begin, edge ? edge : "", edge ? strlen(edge) : 0);
    blob_text(&begin, portrait, len);
    free(portrait);
    pcapng_custom(&of->out, begin.data, begin.len);
    bool made = !of->out.failed && !begin.failed;
    blob_free(&begin);
    return made;
}

struct recording *recorder_begin(struct recorder *r, struct braid_conn *c, const struct recorder_options *o,
                                 void *owner, braid_time now)
{
    struct recording *of = calloc(1, sizeof(*of));
    if (!of)
        return NULL;
    *of = (struct recording){.recorder = r, .conn = c, .options = *o, .owner = owner, .last = now};
    of->number = o->workers > 0 ? braid_conn_id(c) * o->workers + o->worker : braid_conn_id(c);
    list_init(&of->node);
    if (!write_begin(of, c, now)) {
        recording_free(of);
        return NULL;
    }
    list_append(&r->recordings, &of->node);
    return of;
}

struct recording *recorder_first(struct recorder *r)
{
    return list_empty(&r->recordings) ? NULL : list_entry(r->recordings.next, struct recording, node);
}

struct recording *recorder_next(struct recorder *r, struct recording *of)
{
    return of->node.next == &r->recordings ? NULL : list_entry(of->node.next, struct recording, node);
}

void *recording_owner(const struct recording *of)
{
    return of->owner;
}

struct blob recording_take(struct recording *of)
{
    write_events(of);
    struct blob out = of->out;
    of->out = (struct blob){.len = 0};
    return out;
}

enum recording_end recording_ended(const struct recording *of)
{
    return of->end;
}

void recording_free(struct recording *of)
{
    list_remove(&of->node);
    blob_free(&of->out);
    blob_free(&of->events);
    free(of);
}
