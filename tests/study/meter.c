/* The meters: what passes by on the wire, what the reader gets and when, and what the ends hold meanwhile. */
#include <stdlib.h>
#include "base/addr.h"
#include "study.h"

#define SAMPLE_EVERY BRAID_MS

static uint32_t payload_of(const struct frame *f)
{
    return f->len - frame_look(f).payload;
}

/* ---- the wire ---------------------------------------------------------------------- */

static void on_sent(struct world *w, unsigned side, const struct frame *f)
{
    struct study *s = (struct study *)w;

    if (side == s->cell->from)
        s->m.sent += payload_of(f);
}

static void meter_return(struct study *s, uint32_t payload)
{
    if (payload == 0 || s->w.time.now < s->begin + s->cell->silent_until)
        return;
    s->m.carried_bytes += payload;
    if (!s->m.carried)
        s->m.carried = s->w.time.now;
    if (!s->m.flowing && s->m.carried_bytes >= STUDY_FLOWING)
        s->m.flowing = s->w.time.now;
}

static void (*net_deliver)(void *ctx, struct frame *f);

static void on_arrival(void *ctx, struct frame *f)
{
    struct sim_dir *d = ctx;
    struct study *s = (struct study *)d->world;
    uint32_t payload = payload_of(f);

    s->m.path[d->path] += payload;
    if (d->path == s->cell->silent)
        meter_return(s, payload);
    net_deliver(ctx, f);
}

/* ---- the reader -------------------------------------------------------------------- */

void meter_message(struct study *s, const struct message *message)
{
    if (message->written >= s->begin + STUDY_SETTLE)
        s->m.delays[s->m.n_delays++] = s->w.time.now - message->written;
}

static void meter_messages(struct study *s)
{
    while (s->delivered < s->n_messages && s->messages[s->delivered].end <= s->ends[!s->cell->from].read)
        meter_message(s, &s->messages[s->delivered++]);
}

/* Whether a stall that began then is one of the outage: soon after the path fell silent, or came back. */
static bool is_of_outage(const struct study *s, braid_time since)
{
    const struct cell *c = s->cell;
    braid_time at = since - s->begin, now = s->w.time.now - s->begin;

    return (at < c->silent_from + STUDY_AFTERMATH && now > c->silent_from) ||
           (at >= c->silent_until && at < c->silent_until + STUDY_AFTERMATH);
}

void meter_read(struct study *s)
{
    braid_time now = s->w.time.now;

    if (!s->m.first)
        s->m.first = now;
    else if (now - s->m.last > s->m.stall && s->cell->silent != STUDY_NOBODY && is_of_outage(s, s->m.last))
        s->m.stall = now - s->m.last;
    s->m.last = now;
    meter_messages(s);
}

/* ---- the ends ---------------------------------------------------------------------- */

static void sample_end(struct study *s, unsigned side)
{
    struct braid_conn_stats st;

    if (!s->ends[side].conn)
        return;
    braid_conn_stats(s->ends[side].conn, &st);
    if (st.memory > s->m.memory_peak[side])
        s->m.memory_peak[side] = st.memory;
    if (side != s->cell->from && st.out_of_order > s->m.reorder_peak)
        s->m.reorder_peak = st.out_of_order;
}

static void sample_curve(struct study *s)
{
    braid_time at = s->begin + (braid_time)s->m.n_curve * s->cell->step;
    struct point *p;

    if (!s->cell->step || s->w.time.now < at)
        return;
    s->m.curve = realloc(s->m.curve, (s->m.n_curve + 1) * sizeof(*s->m.curve));
    if (!s->m.curve)
        abort();
    p = &s->m.curve[s->m.n_curve++];
    p->read = s->ends[!s->cell->from].read;
    for (unsigned i = 0; i < SIM_PATHS; i++)
        p->path[i] = s->m.path[i];
}

void meter_sample(struct study *s)
{
    if (s->w.time.now - s->sampled < SAMPLE_EVERY)
        return;
    s->sampled = s->w.time.now;
    sample_end(s, SIM_CLIENT);
    sample_end(s, SIM_SERVER);
    sample_curve(s);
}

void meter_subflows(struct study *s)
{
    struct braid_conn_stats st;

    if (!s->ends[s->cell->from].conn)
        return;
    braid_conn_stats(s->ends[s->cell->from].conn, &st);
    for (unsigned i = 0; i < st.n_subflows; i++) {
        const struct braid_subflow_stats *f = &st.subflows[i];
        const struct braid_addr *client = s->cell->from == SIM_CLIENT ? &f->local : &f->remote;

        s->m.mss = f->mss;
        for (unsigned path = 0; path < s->cell->n_paths; path++) {
            struct braid_ip ip = sim_client_ip(&s->w.s, path);

            if (ip_equal(&ip, &client->ip))
                s->m.srtt[path] = f->srtt_us;
        }
    }
}

/* ---- life -------------------------------------------------------------------------- */

void meters_init(struct study *s)
{
    size_t most = s->cell->messages ? (size_t)(s->cell->span / STUDY_MESSAGE_EVERY) + 2 : 0;

    s->w.on_sent = on_sent;
    for (unsigned i = 0; i < s->cell->n_paths; i++) {
        struct link *l = &s->w.dirs[i][!s->cell->from].link;

        net_deliver = l->deliver;
        l->deliver = on_arrival;
    }
    s->m.delays = calloc(most + 1, sizeof(*s->m.delays));
    if (!s->m.delays)
        abort();
}

void meters_free(struct study *s)
{
    free(s->m.delays);
    free(s->m.curve);
}
