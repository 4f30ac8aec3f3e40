/* See rerun.h. The next event of the recording is always at hand. If it is a cause, it is done; the core
 * tells by its own tap of that, and of all that follows, and each has to be the next of the recording in
 * turn. */
#include "record/rerun.h"

#include <stdio.h>
#include <string.h>
#include "record/event_code.h"
#include "record/hidden_keys.h"
#include "record/mute_host.h"

#define HEADER_MOST 2048

struct rerun {
    struct tape *tape;
    const struct rerun_watch *watch;
    struct rerun_result *out;
    struct braid_core *core;
    struct braid_conn *conn; /* NULL: it is gone */
    struct braid_tap_event next;
    bool has_next, failed;
    uint64_t matched; /* events */
};

/* ---- failing ---- */

static void describe(const struct braid_tap_event *e, char *text, size_t size)
{
    size_t n = (size_t)snprintf(text, size, "%s", braid_tap_text(e->kind));
    for (unsigned i = 0; i < e->count && n < size; i++)
        n += (size_t)snprintf(text + n, size - n, " %llu", (unsigned long long)e->n[i]);
    const uint8_t *data = e->data;
    for (size_t i = 0; e->kind != BRAID_TAP_PACKET && i < e->len && i < 64 && n < size; i++)
        n += (size_t)snprintf(text + n, size - n, "%s%02x", i % 4 ? "" : " ", data[i]);
}

/* The first difference counts. */
static void differ(struct rerun *r, const struct braid_tap_event *did)
{
    char recorded[192] = "nothing more", done[192] = "nothing of that";
    if (r->failed)
        return;
    r->failed = true;
    if (r->has_next)
        describe(&r->next, recorded, sizeof(recorded));
    if (did)
        describe(did, done, sizeof(done));
    snprintf(r->out->failure, sizeof(r->out->failure),
             "event %llu, behind input %llu: the recorded connection did: %s; this one: %s",
             (unsigned long long)r->matched + 1, (unsigned long long)r->out->inputs, recorded, done);
    if (r->watch && r->watch->differs)
        r->watch->differs(r->watch->ctx, r->has_next ? &r->next : NULL, did);
}

static void fail(struct rerun *r, const char *why)
{
    if (!r->failed)
        snprintf(r->out->failure, sizeof(r->out->failure), "%s", why);
    r->failed = true;
}

/* ---- comparing ---- */

/* Payload is zeros here, so that checksums over it differ. */
static bool same_packet(const struct braid_tap_event *a, const struct braid_tap_event *b)
{
    uint8_t x[HEADER_MOST], y[HEADER_MOST];
    if (a->len != b->len || a->len > HEADER_MOST)
        return false;
    memcpy(x, a->data, a->len);
    memcpy(y, b->data, b->len);
    if (a->n[2] == 0) { /* the recorded one is without most of what it quotes */
        keys_hide(x, a->len, 0, 0, 0);
        keys_hide(y, b->len, 0, 0, 0);
    }
    checksums_hide(x, a->len, (size_t)a->n[2]);
    checksums_hide(y, b->len, (size_t)b->n[2]);
    return memcmp(x, y, a->len) == 0;
}

static bool same_data(const struct braid_tap_event *a, const struct braid_tap_event *b)
{
    if (a->kind == BRAID_TAP_PACKET) /* it was given that one */
        return true;
    if (a->kind == BRAID_TAP_OUT)
        return same_packet(a, b);
    /* what a value was here does not matter */
    return a->len == b->len &&
           (a->kind == BRAID_TAP_VALUE || a->len == 0 || memcmp(a->data, b->data, a->len) == 0);
}

static bool same(const struct braid_tap_event *a, const struct braid_tap_event *b)
{
    return a->kind == b->kind && a->now == b->now && a->count == b->count &&
           memcmp(a->n, b->n, a->count * sizeof(a->n[0])) == 0 && same_data(a, b);
}

static void advance(struct rerun *r)
{
    r->has_next = tape_next(r->tape, &r->next);
    if (r->tape->torn)
        fail(r, "the recording is damaged");
}

static void count(struct rerun *r, const struct braid_tap_event *e)
{
    r->matched++;
    r->out->events++;
    r->out->packets_in += e->kind == BRAID_TAP_PACKET;
    r->out->packets_out += e->kind == BRAID_TAP_OUT;
    r->out->inputs += braid_tap_is_cause(e->kind) && e->kind < BRAID_TAP_RETURN;
    if (e->now != 0)
        r->out->at = e->now;
}

/* What the core does has to be what comes next. */
static void on_event(void *ctx, struct braid_tap_event *e)
{
    struct rerun *r = ctx;
    if (r->failed || (!r->has_next && r->tape->end != RECORDING_DONE))
        return; /* what follows was not recorded any more */
    if (!r->has_next || !same(&r->next, e)) {
        differ(r, e);
        return;
    }
    if (e->kind == BRAID_TAP_VALUE)
        memcpy(e->value, r->next.data, e->len);
    if (braid_tap_is_cause(e->kind) && e->kind != BRAID_TAP_RUN) {
        e->memory = r->next.memory;
        e->conns = r->next.conns;
    }
    count(r, &r->next);
    if (r->watch && r->watch->event)
        r->watch->event(r->watch->ctx, e->conn, &r->next, r->out);
    if (e->kind == BRAID_TAP_GONE)
        r->conn = NULL;
    advance(r);
}

/* ---- driving ---- */

/* Whether the next event is one that is done to the connection. */
static bool is_due(const struct rerun *r)
{
    return r->has_next && braid_tap_is_cause(r->next.kind) && r->next.kind < BRAID_TAP_RETURN;
}

/* The core tells of what it is given: if it does not, it was not given that. */
static void redo_next(struct rerun *r)
{
    const struct braid_tap_event e = r->next;
    uint64_t before = r->matched;
    if (!r->conn) {
        fail(r, "the connection is gone, and the recorded one is not");
        return;
    }
    if (!braid_tap_redo(r->core, r->conn, &e))
        differ(r, NULL);
    else if (r->matched == before)
        differ(r, NULL);
}

/* What the user did in a callback, until it returned. */
static void call_back(struct rerun *r)
{
    while (!r->failed && is_due(r) && event_is_call(r->next.kind))
        redo_next(r);
}

static void on_incoming(void *ctx, struct braid_conn *c)
{
    (void)c;
    call_back(ctx);
}

static void on_call(struct braid_conn *c, void *user)
{
    (void)c;
    call_back(user);
}

static void on_closed(struct braid_conn *c, void *user, enum braid_close why)
{
    (void)c;
    (void)why;
    call_back(user);
}

static const struct braid_conn_ops ops = {.incoming = on_incoming,
                                          .established = on_call,
                                          .readable = on_call,
                                          .writable = on_call,
                                          .closed = on_closed};

static void hand_over(void *ctx, unsigned worker, const uint8_t *packet, size_t len,
                      const struct braid_input *in)
{
    (void)worker;
    (void)packet;
    (void)len;
    (void)in;
    fail(ctx, "a packet of the connection goes to another worker");
}

static bool begin(struct rerun *r)
{
    const struct braid_host host = {
        .ctx = r, .output = mute_output, .random = mute_random, .hand_over = hand_over};
    enum braid_thaw_error error;
    r->core = braid_portrait_core(r->tape->portrait, r->tape->portrait_len, &host, &ops, r, &r->conn, &error);
    if (!r->core) {
        fail(r, braid_thaw_text(error));
        return false;
    }
    if (braid_core_tap(r->core, on_event, r) < 0)
        fail(r, "out of memory");
    if (r->watch && r->watch->begins)
        r->watch->begins(r->watch->ctx, r->core, r->conn);
    advance(r);
    return !r->failed;
}

void rerun_tape(struct tape *tape, const struct rerun_watch *watch, struct rerun_result *out)
{
    struct rerun r = {.tape = tape, .watch = watch, .out = out};
    *out = (struct rerun_result){.at = tape->begins};
    if (begin(&r)) {
        while (!r.failed && r.has_next) {
            if (is_due(&r)) {
                redo_next(&r);
            } else if (r.next.kind == BRAID_TAP_OPENED) { /* its state has all that follows from it */
                count(&r, &r.next);
                if (watch && watch->event)
                    watch->event(watch->ctx, r.conn, &r.next, out);
                advance(&r);
            } else {
                differ(&r, NULL);
            }
        }
    }
    if (r.core)
        braid_core_free(r.core);
    out->same = !r.failed;
    out->end = tape->end;
}
