/* See afresh.h. What is next is the earliest of: the next input of the script; a packet of the peer's that
 * has waited for what it answers to; a timer of the core's that the script does not run in time. A daemon
 * runs timers and flushes a little after they are due, as the script has it: those of the script are waited
 * for, for that long. */
#include "replay/afresh.h"

#include <stdlib.h>
#include <string.h>
#include "record/event_code.h"
#include "record/mute_host.h"
#include "replay/measure.h"
#include "replay/played_peer.h"
#include "replay/played_user.h"

#define RUN_SLACK   (500 * BRAID_MS) /* machines are busy */
#define FLUSH_SLACK (1 * BRAID_MS)
#define LINGER      (60 * BRAID_SECOND) /* behind the end of a recording that has one */
#define RUNS_MOST   100000              /* of timers, besides 16 for each event of the script */

struct play {
    struct script script;
    size_t next;   /* input of the script */
    size_t behind; /* where values are looked for */
    struct played_peer peer;
    struct played_user user;
    struct measure measure;
    struct braid_core *core;
    struct braid_conn *conn; /* NULL: it is gone */
    struct recorder *recorder;
    struct recording *recording;
    braid_time now, begins, ran; /* ran: when timers last were run that the script does not run ... */
    size_t runs;                 /* ... and how often that was */
    bool ends;                   /* the recording has the connection's end */
    struct afresh_result *out;
};

static void fail(struct play *p, const char *why)
{
    if (!p->out->failure)
        p->out->failure = why;
}

/* ---- hearing ---- */

static void hear_value(struct play *p, const struct braid_tap_event *e)
{
    if (!script_give_value(&p->script, p->behind, e) && e->n[0] == BRAID_VALUE_RANDOM)
        memset(e->value, 0x5a, e->len);
}

static void hear_closed(struct play *p, const struct braid_tap_event *e)
{
    if (e->n[0] == BRAID_CALLBACK_CLOSED && e->n[1] <= BRAID_CLOSE_FATE)
        p->out->end = braid_close_text((enum braid_close)e->n[1]);
}

static void on_event(void *ctx, struct braid_tap_event *e)
{
    struct play *p = ctx;
    if (e->kind == BRAID_TAP_VALUE)
        hear_value(p, e);
    if (e->kind == BRAID_TAP_OUT) {
        p->out->v[AFRESH_PACKETS]++;
        answers_sent(p->peer.answers, e, p->now);
    } else if (e->kind == BRAID_TAP_CALLBACK) {
        hear_closed(p, e);
    } else if (e->kind == BRAID_TAP_GONE) {
        measure_gone(&p->measure, p->conn);
        p->conn = NULL;
    }
    recorder_hear(p->recorder, e);
}

/* ---- doing ---- */

/* An input of the script, or a packet of the script that was held. */
static void redo(struct play *p, size_t i)
{
    struct braid_tap_event e = p->script.events[i].e;
    if (e.now != 0 && e.now < p->now)
        e.now = p->now;
    p->behind = i + 1;
    played_user_redo(&p->user, p->core, p->conn, &e);
}

/* The next one is done, or held if it is a packet that comes too early. */
static void do_input(struct play *p)
{
    size_t i = p->next;
    p->next = script_next_input(&p->script, i + 1);
    if (!played_peer_holds(&p->peer, i, p->now))
        redo(p, i);
    if (p->peer.failed)
        fail(p, "out of memory");
}

/* What the user did in a callback, if it comes where it came. */
static void call_back(struct play *p, enum braid_tap_callback which)
{
    size_t i = script_callback(&p->script, p->behind, which);
    if (i == 0)
        return;
    while (p->conn && i < p->script.n && p->script.events[i].e.kind != BRAID_TAP_RETURN) {
        if (script_is_input(&p->script.events[i]) && event_is_call(p->script.events[i].e.kind))
            redo(p, i);
        i++;
    }
    p->behind = i < p->script.n ? i + 1 : i; /* it may break off before he returns */
    if (p->next < p->behind)
        p->next = script_next_input(&p->script, p->behind);
}

static void on_incoming(void *ctx, struct braid_conn *c)
{
    (void)c;
    call_back(ctx, BRAID_CALLBACK_INCOMING);
}

static void on_established(struct braid_conn *c, void *user)
{
    (void)c;
    call_back(user, BRAID_CALLBACK_ESTABLISHED);
}

static void on_readable(struct braid_conn *c, void *user)
{
    (void)c;
    call_back(user, BRAID_CALLBACK_READABLE);
}

static void on_writable(struct braid_conn *c, void *user)
{
    (void)c;
    call_back(user, BRAID_CALLBACK_WRITABLE);
}

static void on_closed(struct braid_conn *c, void *user, enum braid_close why)
{
    (void)c;
    (void)why;
    call_back(user, BRAID_CALLBACK_CLOSED);
}

/* ---- time ---- */

static braid_time next_input_at(const struct play *p)
{
    return p->next < p->script.n ? p->script.events[p->next].at : BRAID_NEVER;
}

/* When timers are to be run that the script does not run. */
static braid_time next_timer_at(const struct play *p)
{
    braid_time due = braid_core_deadline(p->core);
    if (due == BRAID_NEVER || braid_core_dirty(p->core) /* the script flushes soon */ ||
        script_runs(&p->script, p->next, due + RUN_SLACK))
        return BRAID_NEVER;
    return due > p->ran ? due : p->ran + BRAID_MS;
}

static void pass(struct play *p, braid_time at)
{
    if (at > p->now)
        p->now = at;
    measure_wait(&p->measure, p->now);
}

/* A turn is over when the script says so, or if it does not. */
static void flush(struct play *p)
{
    if (p->conn)
        played_user_catch_up(&p->user, p->conn, p->next >= p->script.last_write);
    if (p->conn && braid_core_dirty(p->core) && !script_flushes(&p->script, p->next, p->now + FLUSH_SLACK)) {
        p->behind = p->next;
        braid_core_flush(p->core, p->now);
    }
    measure_note(&p->measure, p->conn, p->now);
}

static void run_timers(struct play *p)
{
    p->ran = p->now;
    p->behind = p->next;
    braid_core_run(p->core, p->now);
    if (++p->runs > RUNS_MOST + 16 * p->script.n)
        fail(p, "it does not come to an end: there are long times in it in which nothing happens");
}

/* False: there is nothing more to do. */
static bool step(struct play *p)
{
    unsigned flow = 0;
    braid_time input = next_input_at(p), held = played_peer_next(&p->peer, &flow), timer = next_timer_at(p);
    braid_time end = p->script.events[p->script.n - 1].at;
    if (p->next == p->script.n && held == BRAID_NEVER && (!p->ends || timer > end + LINGER))
        return false;
    if (input <= held && input <= timer) {
        pass(p, input);
        do_input(p);
    } else if (held <= timer) {
        pass(p, held);
        redo(p, played_peer_take(&p->peer, flow));
    } else {
        pass(p, timer);
        run_timers(p);
    }
    flush(p);
    return true;
}

/* ---- life ---- */

/* To other workers, of which there are none. */
static void hand_over(void *ctx, unsigned worker, const uint8_t *packet, size_t len,
                      const struct braid_input *in)
{
    (void)ctx;
    (void)worker;
    (void)packet;
    (void)len;
    (void)in;
}

static const struct recorder_options nothing_more; /* neither keys nor payload */

static const struct recorder_options *wants(void *ctx, struct braid_conn *c, void **owner)
{
    (void)ctx;
    (void)c;
    (void)owner;
    return &nothing_more;
}

static void begun(void *ctx, struct recording *of, void *owner)
{
    struct play *p = ctx;
    (void)owner;
    p->recording = of;
}

/* What it began with, if that was recorded, is recorded again. */
static void record(struct play *p)
{
    p->recorder = recorder_new(p->core, wants, begun, p);
    if (p->recorder && p->script.events[0].e.kind == BRAID_TAP_OPENED) {
        struct braid_tap_event opened = p->script.events[0].e;
        opened.conn = p->conn;
        recorder_hear(p->recorder, &opened);
    } else if (p->recorder) {
        p->recording = recorder_begin(p->recorder, p->conn, &nothing_more, NULL, p->begins);
    }
    if (!p->recording || braid_core_tap(p->core, on_event, p) < 0)
        fail(p, "out of memory");
}

static void read_script(struct play *p, struct tape *tape)
{
    const char *why = script_read(&p->script, tape);
    if (why || p->script.n == 0)
        fail(p, why ? why : "there is nothing in the recording");
    p->ends = tape->end == RECORDING_DONE;
    p->next = script_next_input(&p->script, 0);
    if (!played_peer_begin(&p->peer, &p->script))
        fail(p, "out of memory");
}

static void begin(struct play *p, struct tape *tape)
{
    static const struct braid_conn_ops ops = {.incoming = on_incoming,
                                              .established = on_established,
                                              .readable = on_readable,
                                              .writable = on_writable,
                                              .closed = on_closed};
    const struct braid_host host = {
        .ctx = p, .output = mute_output, .random = mute_random, .hand_over = hand_over};
    enum braid_thaw_error error;
    p->core = braid_portrait_core(tape->portrait, tape->portrait_len, &host, &ops, p, &p->conn, &error);
    if (!p->core)
        fail(p, braid_thaw_text(error));
    else if (!p->conn)
        fail(p, "the connection was gone already");
    if (!p->out->failure)
        read_script(p, tape);
    if (!p->out->failure)
        record(p);
    if (!p->out->failure)
        measure_note(&p->measure, p->conn, p->now);
}

static void conclude(struct play *p)
{
    measure_end(&p->measure, p->core);
    p->out->v[AFRESH_SUBFLOWS] = answers_subflows(p->peer.answers);
    p->out->v[AFRESH_UNANSWERED] = played_peer_left(&p->peer);
    p->out->recording = recording_take(p->recording);
}

void afresh_play(struct tape *tape, uint64_t most, struct afresh_result *out)
{
    struct play p = {.now = tape->begins,
                     .begins = tape->begins,
                     .user = {.most = most},
                     .measure = {.v = out->v, .begins = tape->begins, .moved = tape->begins},
                     .out = out};
    *out = (struct afresh_result){.end = "it goes on"};
    begin(&p, tape);
    while (!out->failure && p.conn && step(&p)) {
        if (answers_failed(p.peer.answers))
            fail(&p, "it has too many subflows, or memory is short");
    }
    if (!out->failure)
        conclude(&p);
    if (p.recorder)
        recorder_free(p.recorder);
    if (p.core)
        braid_core_free(p.core);
    played_peer_free(&p.peer);
    script_free(&p.script);
}
