/* A simulation from its beginning to the verdict. */
#include "world.h"
#include "handover.h"
#include "idsn.h"
#include "recorded.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <openssl/sha.h>

/* How long cores may take to let go of everything after the last connection has ended, beyond TIME_WAIT. */
#define DRAIN (120 * BRAID_SECOND)
/* The same if who is not at an end may have died: the other end finds out by its keepalive. */
#define DRAIN_CHAIN (900 * BRAID_SECOND)

void sim_sha256(const void *data, size_t len, uint8_t hash[32])
{
    SHA256(data, len, hash);
}

void sim_sha1(const void *data, size_t len, uint8_t hash[20])
{
    SHA1(data, len, hash);
}

void sim_fail(struct world *w, const char *format, ...)
{
    va_list ap;

    if (w->failed)
        return;
    w->failed = true;
    va_start(ap, format);
    vsnprintf(w->failure, sizeof(w->failure), format, ap);
    va_end(ap);
    sim_trace(w, "FAILED: %s", w->failure);
}

/* ---- beginning --------------------------------------------------------------------- */

void sim_listen(struct world *w, struct sim_core *c)
{
    struct braid_listen_params p = {
        .name = SIM_LISTENER,
        .cc = w->s.cc[SIM_SERVER],
        .sched = w->s.sched[SIM_SERVER],
        .pm = w->s.pm[SIM_SERVER],
        .checksum = w->s.checksum[SIM_SERVER],
        .fate_sharing = w->s.fate_sharing[SIM_SERVER],
        .version_0 = w->s.version_0[SIM_SERVER],
        .believe_addresses = true,
        .syn_data = w->s.app[SIM_SERVER].syn_data,
        .ops = &app_ops,
        .ctx = c,
    };

    p.addr = (struct braid_addr){sim_server_ip(&w->s, 0), SIM_PORT};
    w->listeners[c->worker] = braid_listen(c->core, &p);
    if (!w->listeners[c->worker])
        sim_fail(w, "braid_listen failed");
}

static void give_endpoints(struct world *w)
{
    for (unsigned i = 0; i < w->s.n_paths && w->s.endpoints[SIM_CLIENT]; i++)
        sim_endpoint_add(w, SIM_CLIENT, i);
    for (unsigned i = 1; i < w->s.n_addrs && w->s.endpoints[SIM_SERVER]; i++)
        sim_endpoint_add(w, SIM_SERVER, i);
}

static uint64_t place_idsn(void *ctx, uint64_t key, uint64_t idsn)
{
    const struct world *w = ctx;

    return w->s.wrap_data ? idsn_below(w->s.wrap_data, key, idsn) : idsn;
}

static struct world *begin(const struct scenario *s, FILE *trace)
{
    struct world *w = calloc(1, sizeof(*w));

    if (!w)
        abort();
    w->s = *s;
    w->trace = trace;
    w->on_sent = observer_packet;
    w->rng = rng_make(s->seed, 1);
    w->next_port = 10000;
    contest_init(w);
    vtime_init(&w->time, s->start);
    idsn_place(place_idsn, w);
    net_init(w);
    for (unsigned side = 0; side < SIM_SIDES; side++) {
        if (s->workers[side] > 1 && s->seed % 2)
            w->directories[side] = braid_directory_new((const uint8_t[16]){(uint8_t)s->seed});
        for (unsigned i = 0; i < s->workers[side]; i++)
            if (!sim_core_init(&w->cores[side][i], w, side, i))
                sim_fail(w, "braid_core_new failed");
        for (unsigned i = 0; i < s->n_conns; i++)
            app_init(&w->apps[side][i], w, side, i);
    }
    if (s->chain.middle)
        s->chain.middle->begin(w);
    if (w->failed)
        return w;
    give_endpoints(w);
    for (unsigned i = 0; i < s->workers[SIM_SERVER] && s->expect != EXPECT_REFUSED && !w->chain; i++)
        sim_listen(w, &w->cores[SIM_SERVER][i]);
    for (unsigned i = 0; i < s->n_conns; i++)
        vtime_at(&w->time, s->start + i * s->conn_gap, s->race ? contest_open : app_open,
                 &w->apps[SIM_CLIENT][i], 0);
    actions_plan(w);
    return w;
}

/* ---- running ----------------------------------------------------------------------- */

static bool all_over(struct world *w)
{
    for (unsigned i = 0; i < w->s.n_conns; i++)
        if (!app_over(&w->apps[SIM_CLIENT][i]) || !app_over(&w->apps[SIM_SERVER][i]))
            return false;
    return true;
}

static bool is_drained(const struct sim_core *c, struct braid_core_stats *st)
{
    braid_core_stats(c->core, st);
    return !st->conns && !st->subflows && !st->time_wait && !st->memory &&
           braid_core_deadline(c->core) == BRAID_NEVER;
}

static bool all_drained(struct world *w)
{
    struct braid_core_stats st;
    const struct sim_core *c;

    for (unsigned i = 0; (c = sim_core_at(w, i)); i++)
        if (!is_drained(c, &st))
            return false;
    return true;
}

/* Once in a second of virtual time, the state of all connections into the trace. */
static void tell(struct world *w)
{
    if (!w->trace || w->time.now - w->told < BRAID_SECOND)
        return;
    w->told = w->time.now;
    for (unsigned i = 0; i < w->s.n_conns; i++)
        for (unsigned side = 0; side < SIM_SIDES; side++)
            trace_stats(w, &w->apps[side][i]);
}

static bool run_until(struct world *w, bool (*reached)(struct world *), braid_time limit)
{
    while (!w->failed && vtime_next(&w->time) <= limit) {
        vtime_step(&w->time);
        w->events++;
        for (unsigned i = 0; i < w->s.handovers; i++)
            if (w->s.handover_at[i] == w->events)
                sim_handover(w);
        if (w->s.handovers > 0)
            sim_handover_due(w);
        if (w->s.record && w->s.record_at == w->events)
            recorded_all(w);
        tell(w);
        if (reached(w))
            return true;
    }
    return reached(w);
}

static void fail_hang(struct world *w)
{
    for (unsigned i = 0; i < w->s.n_conns; i++)
        for (unsigned side = 0; side < SIM_SIDES; side++) {
            const struct app *a = &w->apps[side][i];

            if (!app_over(a))
                sim_fail(w, "%s %u is not over in time: wrote %llu of %llu, read %llu of %llu%s%s",
                         side ? "server" : "client", i, (unsigned long long)a->written,
                         (unsigned long long)a->p.total, (unsigned long long)a->read,
                         (unsigned long long)a->peer->p.total, a->shut ? ", shut down" : "",
                         a->eof ? ", saw the end" : "");
        }
}

static void fail_drain(struct world *w)
{
    struct braid_core_stats st;
    const struct sim_core *c;

    for (unsigned i = 0; (c = sim_core_at(w, i)); i++)
        if (!is_drained(c, &st))
            sim_fail(w, "%s%s keeps %llu connections, %llu subflows, %llu in TIME_WAIT, %zu bytes%s",
                     c->outer ? "outer " : "", c->side ? "server" : "client", (unsigned long long)st.conns,
                     (unsigned long long)st.subflows, (unsigned long long)st.time_wait, st.memory,
                     braid_core_deadline(c->core) != BRAID_NEVER ? ", a timer" : "");
}

/* ---- the verdict ------------------------------------------------------------------- */

static void judge_done(struct world *w, const struct app *a)
{
    const char *who = a->side ? "server" : "client";

    if (!a->eof || a->read != a->peer->p.total || a->written != a->p.total)
        sim_fail(w, "%s %u ended early (%s): wrote %llu of %llu, read %llu of %llu", who, a->index,
                 a->closed ? braid_close_text(a->why) : "released", (unsigned long long)a->written,
                 (unsigned long long)a->p.total, (unsigned long long)a->read,
                 (unsigned long long)a->peer->p.total);
    else if (a->closed && a->why != BRAID_CLOSE_DONE)
        sim_fail(w, "%s %u closed as: %s", who, a->index, braid_close_text(a->why));
}

static void judge_speed(struct world *w, const struct app *a)
{
    uint64_t least = w->s.min_goodput[a->side];
    double seconds = (double)(a->most_at - a->half_at) / 1e6, bytes = 0.4 * (double)a->read;

    /* Between slow start and the tail, which waits for the slowest path. */
    if (least > 0 && bytes < (double)least * seconds)
        sim_fail(w, "%s %u received %.0f bytes per second, less than %llu", a->side ? "server" : "client",
                 a->index, bytes / seconds, (unsigned long long)least);
    if (w->s.max_stall > 0 && a->stall > w->s.max_stall)
        sim_fail(w, "%s %u saw nothing for %.3f s", a->side ? "server" : "client", a->index,
                 (double)a->stall / 1e6);
}

static double path_bytes(const struct world *w, unsigned path)
{
    return (double)w->dirs[path][SIM_CLIENT].link.model.count.bytes +
           (double)w->dirs[path][SIM_SERVER].link.model.count.bytes;
}

static void judge_shares(struct world *w)
{
    double all = 0;

    for (unsigned i = 0; i < w->s.n_paths; i++)
        all += path_bytes(w, i);
    for (unsigned i = 0; i < w->s.n_paths && all > 0; i++) {
        double share = path_bytes(w, i) / all, least = w->s.least_share[i], most = w->s.most_share[i];

        if (share < least || (most > 0 && share > most))
            sim_fail(w, "path %u carried %.3f of the bytes, not %.3f to %.3f", i, share, least, most);
    }
}

/* Everything that a wrote has been read, and the end of it seen. */
static bool is_through(const struct app *a)
{
    if (!a->peer->eof)
        return false;
    return a->peer->altered || (a->peer->read == a->p.total && a->written == a->p.total);
}

static bool is_told_done(const struct app *a)
{
    return a->closed && a->why == BRAID_CLOSE_DONE;
}

/* Who is told that all is well must be right. Of both ends, the one that has everything cannot know that its
 * last acknowledgement was lost. */
static enum outcome outcome_of(const struct world *w, unsigned i)
{
    const struct app *client = &w->apps[SIM_CLIENT][i], *server = &w->apps[SIM_SERVER][i];

    if (!is_through(client) || !is_through(server))
        return OUTCOME_FAILED;
    if ((client->closed && !is_told_done(client)) || (server->closed && !is_told_done(server)))
        return OUTCOME_FAILED;
    return client->mptcp && server->mptcp ? OUTCOME_DONE : OUTCOME_PLAIN;
}

/* Relays acknowledge what they have yet to pass on. If that fails it is the other end that is told, since it
 * is the one that misses something. */
static bool peer_was_told(const struct app *a)
{
    return !a->peer->opened || (a->peer->closed && a->peer->why != BRAID_CLOSE_DONE);
}

static void judge_told(struct world *w, const struct app *a)
{
    if (w->chain && is_through(a->peer) && peer_was_told(a))
        return;
    if (is_told_done(a) && (!is_through(a) || !is_through(a->peer)))
        sim_fail(w, "%s %u was told that all is well, but wrote %llu of %llu and read %llu of %llu%s",
                 a->side ? "server" : "client", a->index, (unsigned long long)a->written,
                 (unsigned long long)a->p.total, (unsigned long long)a->read,
                 (unsigned long long)a->peer->p.total, a->eof ? ", saw the end" : "");
}

static void judge_outcome(struct world *w, unsigned i)
{
    static const char *const text[SIM_OUTCOMES] = {"completed", "fell back", "failed visibly"};
    enum outcome o = outcome_of(w, i);

    judge_told(w, &w->apps[SIM_CLIENT][i]);
    judge_told(w, &w->apps[SIM_SERVER][i]);
    if (!(w->s.outcomes >> o & 1))
        sim_fail(w, "connection %u %s: client %s, server %s", i, text[o],
                 braid_close_text(w->apps[SIM_CLIENT][i].why), braid_close_text(w->apps[SIM_SERVER][i].why));
}

/* Sum of both sides' counters. */
static uint64_t count_of(const struct world *w, enum braid_counter c)
{
    uint64_t n = 0;

    for (unsigned side = 0; side < SIM_SIDES; side++)
        for (unsigned i = 0; i < w->s.workers[side]; i++)
            n += braid_core_counters(w->cores[side][i].core)->v[c];
    return n;
}

static void judge_repetition(struct world *w)
{
    uint64_t twice = count_of(w, COUNT_MP_REINJECT_BYTES), suspected = count_of(w, COUNT_MP_SUSPECTED),
             all = 0;

    for (unsigned side = 0; side < SIM_SIDES; side++)
        for (unsigned i = 0; i < w->s.n_conns; i++)
            all += w->apps[side][i].read;
    if (w->s.max_twice > 0 && (double)twice > w->s.max_twice * (double)all)
        sim_fail(w, "%llu of %llu bytes were repeated on another subflow", (unsigned long long)twice,
                 (unsigned long long)all);
    if (w->s.max_suspected > 0 && suspected > w->s.max_suspected)
        sim_fail(w, "paths were taken for silent %llu times", (unsigned long long)suspected);
    if (w->s.no_joins && count_of(w, COUNT_MP_JOIN_SYN_TX) > 0)
        sim_fail(w, "a join was opened for nothing");
}

static bool is_slow(const struct world *w, unsigned i)
{
    const struct app *a = &w->apps[SIM_CLIENT][i];

    return w->s.max_opening > 0 && a->contest.over_at - a->opened_at > w->s.max_opening;
}

/* Later connections begin where earlier ones have got an answer with MPTCP. */
static void judge_learning(struct world *w)
{
    unsigned slow = 0, plain = 0;

    for (unsigned i = 0; i < w->s.n_conns; i++) {
        slow += is_slow(w, i);
        plain += outcome_of(w, i) == OUTCOME_PLAIN;
    }
    if (slow > w->s.max_slow || plain > w->s.max_plain)
        sim_fail(w, "of %u connections %u opened late, not %u at most, and %u were plain, not %u",
                 w->s.n_conns, slow, w->s.max_slow, plain, w->s.max_plain);
}

static void judge_opening(struct world *w, unsigned i)
{
    const struct app *a = &w->apps[SIM_CLIENT][i];

    if (is_slow(w, i))
        sim_fail(w, "client %u opened in %.3f s, not within %.3f s", i,
                 (double)(a->contest.over_at - a->opened_at) / 1e6, (double)w->s.max_opening / 1e6);
}

static void judge(struct world *w)
{
    judge_repetition(w);
    for (unsigned i = 0; i < w->s.n_conns && w->s.expect == EXPECT_OUTCOME; i++)
        judge_outcome(w, i);
    for (unsigned i = 0; i < w->s.n_conns && w->s.race && !w->s.race_learns; i++)
        judge_opening(w, i);
    if (w->s.race_learns)
        judge_learning(w);
    for (unsigned i = 0; i < w->s.n_conns; i++)
        for (unsigned side = 0; side < SIM_SIDES; side++) {
            const struct app *a = &w->apps[side][i];

            if (w->s.expect == EXPECT_DONE)
                judge_done(w, a);
            else if (w->s.expect != EXPECT_OUTCOME && a->closed && !(w->s.reasons[side] >> a->why & 1))
                sim_fail(w, "%s %u closed as: %s", side ? "server" : "client", i, braid_close_text(a->why));
            if (w->s.expect == EXPECT_REFUSED && a->opened && !a->closed)
                sim_fail(w, "connection %u was not refused", i);
            judge_speed(w, a);
        }
    judge_shares(w);
}

static void measure(struct world *w, struct world_result *out)
{
    double bytes = 0, seconds = 0, rate = 0;

    for (unsigned i = 0; i < w->s.n_conns && !w->failed; i++) {
        out->outcomes[outcome_of(w, i)]++;
        out->altered += w->apps[SIM_CLIENT][i].altered || w->apps[SIM_SERVER][i].altered;
    }

    for (unsigned side = 0; side < SIM_SIDES; side++)
        for (unsigned i = 0; i < w->s.n_conns; i++) {
            const struct app *a = &w->apps[side][i];

            bytes += (double)a->read;
            if (a->read > 0 && (double)(a->last_at - a->opened_at) / 1e6 > seconds)
                seconds = (double)(a->last_at - a->opened_at) / 1e6;
        }
    for (unsigned i = 0; i < w->s.n_paths; i++)
        rate += (double)w->s.up[i].rate + (double)w->s.down[i].rate;
    out->goodput = seconds > 0 ? bytes / seconds : 0;
    out->share = rate > 0 ? out->goodput / rate : 0;
}

static void judge_recorded(struct world *w)
{
    struct sim_core *c;

    for (unsigned i = 0; (c = sim_core_at(w, i)) && !w->failed; i++)
        recorded_judge(c);
}

static void end(struct world *w)
{
    struct sim_core *c;

    sim_handed_free(w);
    contest_free(w);
    if (w->chain)
        w->s.chain.middle->end(w);
    for (unsigned i = 0; (c = sim_core_at(w, i)); i++)
        sim_core_free(c);
    for (unsigned side = 0; side < SIM_SIDES; side++)
        braid_directory_free(w->directories[side]);
    net_free(w);
    vtime_free(&w->time);
    observer_free(&w->observer);
    free(w);
}

void world_run(const struct scenario *s, FILE *trace, struct world_result *out)
{
    struct world *w = begin(s, trace);
    braid_time wait =
        s->core[0].time_wait > s->core[1].time_wait ? s->core[0].time_wait : s->core[1].time_wait;

    *out = (struct world_result){0};
    if (!run_until(w, all_over, s->start + s->limit))
        fail_hang(w);
    out->duration = w->time.now - s->start;
    if (!w->failed)
        judge(w);
    if (!w->failed && !run_until(w, all_drained, w->time.now + wait + (w->chain ? DRAIN_CHAIN : DRAIN)))
        fail_drain(w);
    if (!w->failed && w->chain && s->chain.middle->left(w))
        sim_fail(w, "%s", s->chain.middle->left(w));
    judge_recorded(w);
    measure(w, out);
    out->packets = w->packets;
    out->events = w->events;
    out->digest = w->digest;
    out->recorded = w->recorded;
    out->recorded_packets = w->recorded_packets;
    out->ok = !w->failed;
    memcpy(out->failure, w->failure, sizeof(out->failure));
    end(w);
}
