/* See story.h. An event is told before what follows from it has happened: so what has changed since is told
 * in front of the next one that is done to the connection. */
#include "replay/story.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include "base/addr.h"
#include "replay/packet_text.h"

#define LINE 1024

struct spy {
    struct sched_ops ops; /* first: what the connection has for its scheduler */
    const struct sched_ops *real;
    struct story *story;
};

struct story {
    FILE *out;
    braid_time begins, now;
    struct braid_core *core;
    struct braid_conn *conn; /* NULL: it is gone */
    struct braid_conn_stats before;
    struct braid_counters counted;
    struct spy spy;
    char waited[LINE]; /* what the scheduler was told when it last declined */
};

static void begin_line(const struct story *s, const char *mark)
{
    fprintf(s->out, "%12.6f %-3s ", (double)(s->now - s->begins) / 1e6, mark);
}

/* ---- the scheduler ---- */

static const char *why_not(const struct sched_path *p)
{
    return !p->usable      ? "does not answer"
           : p->space == 0 ? "no room"
           : p->over_quota ? "over its quota"
           : p->backup     ? "backup"
                           : NULL;
}

static size_t tell_path(char *text, size_t size, const struct sched_path *p)
{
    const char *not = why_not(p);
    int n = snprintf(
        text, size, " %u (srtt %.1f ms, window %" PRIu64 ", in flight %" PRIu64 ", room %" PRIu64 "%s%s)",
        p->id, (double)p->srtt_us / 1e3, p->cwnd, p->in_flight, p->space, not ? ", " : "", not ? not : "");
    return n > 0 && (size_t)n < size ? (size_t)n : 0;
}

static void tell_pick(struct spy *spy, const struct sched_view *v, int picked)
{
    struct story *s = spy->story;
    char text[LINE];
    size_t n = 0;
    text[0] = '\0';
    for (unsigned i = 0; i < v->n_paths; i++)
        n += tell_path(text + n, sizeof(text) - n, &v->paths[i]);
    if (picked < 0 && strcmp(text, s->waited) == 0)
        return;
    begin_line(s, "");
    if (picked < 0)
        fprintf(s->out, "%s waits:%s\n", spy->real->name, text);
    else
        fprintf(s->out, "%s picks subflow %u of%s\n", spy->real->name, v->paths[picked].id, text);
    strcpy(s->waited, picked < 0 ? text : "");
}

static int spy_pick(struct sched *sched, const struct sched_view *v)
{
    struct spy *spy = (struct spy *)sched->ops;
    int picked = spy->real->pick(sched, v);
    tell_pick(spy, v, picked);
    return picked;
}

static void unwrap(struct story *s)
{
    if (braid_conn_sched(s->conn) == &s->spy.ops)
        braid_tap_wrap_sched(s->conn, s->spy.real);
}

static void wrap(struct story *s)
{
    const struct sched_ops *now = braid_conn_sched(s->conn);
    if (now == &s->spy.ops)
        return;
    s->spy = (struct spy){.ops = *now, .real = now, .story = s};
    s->spy.ops.pick = spy_pick;
    braid_tap_wrap_sched(s->conn, &s->spy.ops);
}

/* ---- what has changed ---- */

/* Those that tell of every packet. */
static bool is_dull(enum braid_counter c)
{
    return c == COUNT_TCP_IN_SEGS || c == COUNT_TCP_OUT_SEGS || c == COUNT_TCP_DELAYED_ACKS;
}

static void tell_counters(struct story *s)
{
    const struct braid_counters *now = braid_core_counters(s->core);
    for (unsigned i = 0; i < COUNT_MAX; i++) {
        uint64_t more = now->v[i] - s->counted.v[i];
        if (more == 0 || is_dull((enum braid_counter)i))
            continue;
        begin_line(s, "*");
        fprintf(s->out, "%s +%" PRIu64 ": %s\n", braid_counter_name((enum braid_counter)i), more,
                braid_counter_help((enum braid_counter)i));
    }
    s->counted = *now;
}

static const struct braid_subflow_stats *subflow_of(const struct braid_conn_stats *st, uint32_t id)
{
    for (unsigned i = 0; i < st->n_subflows; i++)
        if (st->subflows[i].id == id)
            return &st->subflows[i];
    return NULL;
}

static void tell_windows(const struct story *s, const struct braid_subflow_stats *f,
                         const struct braid_subflow_stats *was)
{
    if (was && f->cwnd == was->cwnd && f->ssthresh == was->ssthresh && f->stale == was->stale &&
        f->backup == was->backup && strcmp(f->state, was->state) == 0)
        return;
    begin_line(s, "");
    fprintf(s->out, "subflow %u: %s%s%s, window %" PRIu64, f->id, f->state, f->stale ? ", suspect" : "",
            f->backup ? ", backup" : "", f->cwnd);
    if (f->ssthresh != UINT64_MAX)
        fprintf(s->out, ", threshold %" PRIu64, f->ssthresh);
    fprintf(s->out, ", in flight %" PRIu64 ", srtt %.1f ms, rto %.0f ms\n", f->in_flight,
            (double)f->srtt_us / 1e3, (double)f->rto_us / 1e3);
}

static void tell_changes(struct story *s)
{
    struct braid_conn_stats now;
    tell_counters(s);
    if (!s->conn)
        return;
    braid_conn_stats(s->conn, &now);
    for (unsigned i = 0; i < now.n_subflows; i++)
        tell_windows(s, &now.subflows[i], subflow_of(&s->before, now.subflows[i].id));
    for (unsigned i = 0; i < s->before.n_subflows; i++)
        if (!subflow_of(&now, s->before.subflows[i].id)) {
            begin_line(s, "");
            fprintf(s->out, "subflow %u is gone\n", s->before.subflows[i].id);
        }
    if (now.state != s->before.state) {
        begin_line(s, "");
        fprintf(s->out, "connection: %s\n", braid_conn_state_text(now.state));
    }
    s->before = now;
}

/* ---- events ---- */

static void tell_packet(const struct story *s, const struct braid_tap_event *e)
{
    struct wire_packet p;
    char text[LINE];
    begin_line(s, e->kind == BRAID_TAP_OUT ? ">" : "<");
    fputs(packet_of(e, &p) ? packet_text(&p, text, sizeof(text)) : "a packet that cannot be read", s->out);
    if (e->n[e->kind == BRAID_TAP_OUT ? 1 : 2] > 0)
        fprintf(s->out, " in segments of %" PRIu64, e->n[e->kind == BRAID_TAP_OUT ? 1 : 2]);
    fputs(e->kind == BRAID_TAP_OPENED ? " (it began with this)\n" : "\n", s->out);
}

static void tell_callback(const struct story *s, const struct braid_tap_event *e)
{
    static const char *const names[] = {"", "incoming", "established", "readable", "writable", "closed"};
    begin_line(s, "");
    fprintf(s->out, "the user hears: %s", names[e->n[0] <= BRAID_CALLBACK_CLOSED ? e->n[0] : 0]);
    if (e->n[0] == BRAID_CALLBACK_CLOSED && e->n[1] <= BRAID_CLOSE_FATE)
        fprintf(s->out, ", %s", braid_close_text((enum braid_close)e->n[1]));
    fputc('\n', s->out);
}

static void tell_call(const struct story *s, const struct braid_tap_event *e)
{
    begin_line(s, "=");
    fputs(braid_tap_text(e->kind), s->out);
    for (unsigned i = 0; i < e->count; i++)
        fprintf(s->out, " %" PRIu64, e->n[i]);
    fputc('\n', s->out);
}

static void tell(const struct story *s, const struct braid_tap_event *e)
{
    switch (e->kind) {
    case BRAID_TAP_PACKET:
    case BRAID_TAP_OUT:
    case BRAID_TAP_OPENED:
        tell_packet(s, e);
        break;
    case BRAID_TAP_CALLBACK:
        tell_callback(s, e);
        break;
    case BRAID_TAP_TIMER:
        begin_line(s, "");
        if (e->n[0] > 0)
            fprintf(s->out, "a timer of subflow %" PRIu64 "\n", e->n[0] - 1);
        else
            fputs("a timer of the connection\n", s->out);
        break;
    case BRAID_TAP_RUN: /* these say when, and what follows says what */
    case BRAID_TAP_FLUSH:
    case BRAID_TAP_RETURN:
    case BRAID_TAP_VALUE:
    case BRAID_TAP_RESERVE:
        break;
    default:
        tell_call(s, e);
    }
}

static void on_event(void *ctx, const struct braid_conn *c, const struct braid_tap_event *e,
                     const struct rerun_result *so_far)
{
    struct story *s = ctx;
    (void)c;
    if (s->conn && braid_tap_is_cause(e->kind))
        tell_changes(s);
    s->now = so_far->at;
    tell(s, e);
    if (e->kind == BRAID_TAP_GONE)
        s->conn = NULL;
    else if (s->conn && e->kind == BRAID_TAP_SET_SCHED)
        unwrap(s);
    else if (s->conn)
        wrap(s);
}

static void on_begin(void *ctx, struct braid_core *core, struct braid_conn *c)
{
    struct story *s = ctx;
    s->core = core;
    s->conn = c;
    tell_changes(s);
}

struct story *story_new(FILE *out, braid_time begins, struct rerun_watch *watch)
{
    struct story *s = calloc(1, sizeof(*s));
    if (!s)
        return NULL;
    s->out = out;
    s->begins = s->now = begins;
    *watch = (struct rerun_watch){.ctx = s, .event = on_event, .begins = on_begin};
    return s;
}

void story_end(struct story *s, const struct rerun_result *result)
{
    fprintf(s->out, "%" PRIu64 " events, %" PRIu64 " packets in, %" PRIu64 " packets out: %s\n",
            result->events, result->packets_in, result->packets_out,
            result->same ? "all as recorded" : result->failure);
    fprintf(s->out, "the recording ends: %s\n", recording_end_text(result->end));
    free(s);
}
