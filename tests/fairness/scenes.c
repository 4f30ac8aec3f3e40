/* The goals of RFC 6356 section 2, as questions. Lines have 10 Mbit/s and a queue of one bandwidth-delay
 * product at 40 ms; the delays of a run are drawn at random, against phase effects. */
#include <string.h>
#include "fairness.h"

#define MBIT    (1000000 / 8) /* bytes */
#define RTT     (40 * BRAID_MS)
#define WARM_UP (10 * BRAID_SECOND)

extern const struct cc_ops cc_cubic, cc_hybrid, cc_reno, cc_lia, cc_olia, cc_balia, cc_wvegas;

bool is_coupled(const struct cc_ops *cc)
{
    return cc == &cc_lia || cc == &cc_olia || cc == &cc_balia || cc == &cc_wvegas;
}

/* Those that are meant for paths on which others are CUBIC. */
static bool is_for_cubic(const struct cc_ops *cc)
{
    return cc == &cc_hybrid;
}

bool scene_asks(const struct scene *s, const struct cc_ops *cc)
{
    return !s->asks || s->asks(cc);
}

bool scene_judges(const struct scene *s, const struct cc_ops *cc)
{
    return s->asks || is_coupled(cc);
}

const struct cc_ops *plain_of(const struct cc_ops *cc)
{
    if (is_for_cubic(cc))
        return &cc_cubic;
    return is_coupled(cc) && cc != &cc_wvegas ? &cc_reno : cc;
}

/* ---- building blocks --------------------------------------------------------------- */

static struct fair_world make_world(uint64_t seed, braid_time span)
{
    return (struct fair_world){.seed = seed, .warm_up = WARM_UP, .span = span};
}

static void add_link(struct fair_world *f, double mbit)
{
    struct link_params p = {.rate = (uint64_t)(mbit * MBIT)};

    p.queue = p.rate * RTT / BRAID_SECOND;
    f->links[f->n_links++] = p;
}

/* rtt: without queues; drawn within 10 % of it. */
static void add_path(struct fair_world *f, unsigned link, braid_time rtt)
{
    struct rng r = rng_make(f->seed, 70 + f->n_paths);

    f->link_of[f->n_paths] = link;
    f->delay[f->n_paths] = rng_range(&r, rtt * 45 / 100, rtt * 55 / 100);
    f->n_paths++;
}

static void add_plain(struct fair_world *f, const struct cc_ops *cc, unsigned path)
{
    f->conns[f->n_conns++] = (struct fair_conn){cc, 1, {path}};
}

static void add_pair(struct fair_world *f, const struct cc_ops *cc, unsigned path, unsigned other)
{
    f->conns[f->n_conns++] = (struct fair_conn){cc, 2, {path, other}};
}

static bool run(const struct fair_world *f, struct fair_result *r, char failure[256])
{
    fair_run(f, r);
    memcpy(failure, r->failure, sizeof(r->failure));
    return !r->failure[0];
}

/* What a connection got of the network, of all subflows: bytes of packets per second. Not goodput, in which
 * MPTCP's options of 20 bytes a segment would look like modesty. */
static double rate_of(const struct fair_result *r, unsigned conn)
{
    double sum = 0;

    for (unsigned i = 0; i < FAIR_FLOWS; i++)
        sum += r->flow[conn][i];
    return sum;
}

/* ---- the questions ----------------------------------------------------------------- */

static bool measure_shared(const struct cc_ops *cc, uint64_t seed, braid_time span, double *figures,
                           char failure[256])
{
    struct fair_world f = make_world(seed, span);
    struct fair_result r;

    add_link(&f, 10);
    for (unsigned i = 0; i < 3; i++)
        add_path(&f, 0, RTT);
    add_pair(&f, cc, 0, 1);
    add_plain(&f, plain_of(cc), 2);
    if (!run(&f, &r, failure))
        return false;
    figures[0] = rate_of(&r, 0) / (rate_of(&r, 0) + rate_of(&r, 1));
    figures[1] = 100 * r.used[0];
    figures[2] = 1000 * r.waited[0];
    return true;
}

/* A good line and a poor one, with a plain TCP on each. */
static struct fair_world two_lines(const struct cc_ops *cc, uint64_t seed, braid_time span)
{
    struct fair_world f = make_world(seed, span);

    add_link(&f, 10);
    add_link(&f, 2.5);
    for (unsigned i = 0; i < 4; i++)
        add_path(&f, i % 2, i % 2 ? 2 * RTT : RTT);
    add_plain(&f, plain_of(cc), 2);
    add_plain(&f, plain_of(cc), 3);
    return f;
}

static bool measure_best(const struct cc_ops *cc, uint64_t seed, braid_time span, double *figures,
                         char failure[256])
{
    struct fair_world pair = two_lines(cc, seed, span), plain = pair;
    struct fair_result r, best;

    add_pair(&pair, cc, 0, 1);
    add_plain(&plain, plain_of(cc), 0);
    if (!run(&pair, &r, failure) || !run(&plain, &best, failure))
        return false;
    figures[0] = rate_of(&r, 2) / rate_of(&best, 2);
    return true;
}

static bool measure_congested(const struct cc_ops *cc, uint64_t seed, braid_time span, double *figures,
                              char failure[256])
{
    struct fair_world f = make_world(seed, span);
    struct fair_result r;

    add_link(&f, 10);
    add_link(&f, 10);
    for (unsigned i = 0; i < 4; i++)
        add_path(&f, i % 2, RTT);
    add_pair(&f, cc, 0, 1);
    add_plain(&f, plain_of(cc), 2);
    for (unsigned i = 0; i < 4; i++)
        add_plain(&f, plain_of(cc), 3);
    if (!run(&f, &r, failure))
        return false;
    figures[0] = r.flow[0][1] / rate_of(&r, 0);
    figures[1] = rate_of(&r, 0) / MBIT;
    return true;
}

/* One against one, who begin by turns, over a queue of so many bandwidth-delay products. */
static bool measure_beside(const struct cc_ops *cc, double queue, uint64_t seed, braid_time span,
                           double *figures, char failure[256])
{
    struct fair_world f = make_world(seed, span);
    unsigned own = seed % 2;
    struct fair_result r;

    add_link(&f, 10);
    f.links[0].queue = (uint64_t)((double)f.links[0].queue * queue);
    for (unsigned i = 0; i < 2; i++) {
        add_path(&f, 0, RTT);
        add_plain(&f, i == own ? cc : plain_of(cc), i);
    }
    if (!run(&f, &r, failure))
        return false;
    figures[0] = rate_of(&r, own) / (rate_of(&r, 0) + rate_of(&r, 1));
    figures[1] = 100 * r.used[0];
    figures[2] = 1000 * r.waited[0];
    return true;
}

static bool measure_shallow(const struct cc_ops *cc, uint64_t seed, braid_time span, double *figures,
                            char failure[256])
{
    return measure_beside(cc, 0.25, seed, span, figures, failure);
}

static bool measure_deep(const struct cc_ops *cc, uint64_t seed, braid_time span, double *figures,
                         char failure[256])
{
    return measure_beside(cc, 4, seed, span, figures, failure);
}

const struct scene scenes[] = {
    {
        .name = "shared",
        .title = "A shared bottleneck (goal 2)",
        .text = "Two subflows and one plain TCP over one line of 10 Mbit/s: what part do the subflows get "
                "together? "
                "Fair would be 0.5; uncoupled subflows take as much as two TCPs.",
        .aim = "0.4 to 0.6",
        .n_figures = 3,
        .columns = {"share of the two subflows", "line used (%)", "wait in the queue (ms)"},
        .measure = measure_shared,
        .least = 0.4,
        .most = 0.6,
    },
    {
        .name = "best",
        .title = "As good as the best path (goal 1)",
        .text = "A line of 10 Mbit/s with 40 ms and one of 2.5 Mbit/s with 80 ms, on each of them a plain "
                "TCP: what do two "
                "subflows over both get, compared with another plain TCP on the better line?",
        .aim = "not below 1",
        .n_figures = 1,
        .columns = {"throughput / that of a TCP on the best path"},
        .measure = measure_best,
        .most = 10,
        .not_below = 1,
    },
    {
        .name = "congested",
        .title = "Away from congestion (goal 3)",
        .text = "Two lines of 10 Mbit/s, the first with one plain TCP, the second with four: what part of "
                "the traffic "
                "of two subflows goes over the second?",
        .aim = "less than uncoupled",
        .n_figures = 2,
        .columns = {"part on the congested line", "throughput (Mbit/s)"},
        .measure = measure_congested,
        .most = 1,
        .below_uncoupled = true,
    },
    {
        .name = "shallow",
        .title = "Beside CUBIC, shallow queue",
        .text = "One flow and one of CUBIC over 10 Mbit/s and 40 ms with a queue of a quarter of the "
                "bandwidth-delay "
                "product: what part does the first get? For algorithms that claim to live with CUBIC.",
        .aim = "0.4 to 0.6",
        .n_figures = 3,
        .columns = {"share of the flow", "line used (%)", "wait in the queue (ms)"},
        .measure = measure_shallow,
        .asks = is_for_cubic,
        .least = 0.4,
        .most = 0.6,
    },
    {
        .name = "deep",
        .title = "Beside CUBIC, deep queue",
        .text = "The same with a queue of four bandwidth-delay products.",
        .aim = "0.4 to 0.6",
        .n_figures = 3,
        .columns = {"share of the flow", "line used (%)", "wait in the queue (ms)"},
        .measure = measure_deep,
        .asks = is_for_cubic,
        .least = 0.4,
        .most = 0.6,
    },
};
const unsigned n_scenes = sizeof(scenes) / sizeof(*scenes);
