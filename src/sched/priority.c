/* Scheduler priority, with overflow: the cheapest paths carry everything, and the next ones only what the
 * cheaper ones cannot take. Among paths of equal cost the lower round-trip time comes first.
 *
 * When is a path full? Not when its congestion window is: that is so after every burst, and one round trip
 * later there is room again. Whoever spilled over then would send a good part of every web page over the
 * path that costs money, though the cheap one could have carried it a moment later. Full means that the cheap
 * paths are the bottleneck: they have no space, and a backlog stands that is more than they take in about one
 * round trip (one cwnd each), and has stood for a round trip at least. A single burst therefore waits up to
 * two round trips before it spills; a lasting surplus spills at once, again and again, just as much of it as
 * is beyond that backlog, which keeps the cheap paths busy all the time.
 *
 * In slow start cwnd is no measure of what a path can take, as it doubles with each round trip: then the
 * backlog has to stand for longer. The backlog cannot outgrow the send buffer, of which what is in flight
 * takes its part; so a quarter of the send window counts as a backlog in any case.
 *
 * Recovery is not to wait for cheapness: a reinjection takes the cheapest path that has space, and a cheap
 * path that answers nothing counts as full (sched_may_wait). */
#include "sched/candidates.h"

#define ROUNDS_SLOW_START 8 /* from an initial window to two hundred times of it */

struct priority {
    braid_time since; /* the cheapest paths have had a backlog; 0: they have none */
};

/* Those of the lowest cost. */
static uint64_t cheapest(const struct sched_view *v, uint64_t among)
{
    uint64_t found = 0;
    uint32_t cost = 0;

    for (unsigned i = 0; i < v->n_paths; i++) {
        if (!(among >> i & 1) || (found && v->paths[i].cost > cost))
            continue;
        if (!found || v->paths[i].cost < cost)
            found = 0;
        cost = v->paths[i].cost;
        found |= UINT64_C(1) << i;
    }
    return found;
}

/* Bytes that these paths take in a round trip. */
static uint64_t window_of(const struct sched_view *v, uint64_t paths)
{
    uint64_t sum = 0;

    for (unsigned i = 0; i < v->n_paths; i++)
        if (paths >> i & 1)
            sum += v->paths[i].cwnd;
    return sum;
}

static bool is_backlog(const struct sched_view *v, uint64_t unsent, uint64_t paths)
{
    uint64_t window = window_of(v, paths), quarter = v->send_window / 4;
    return unsent > (window < quarter ? window : quarter);
}

/* How long a backlog has to stand. */
static int64_t patience(const struct sched_view *v, uint64_t paths)
{
    int64_t longest = 0;

    for (unsigned i = 0; i < v->n_paths; i++) {
        const struct sched_path *p = &v->paths[i];
        int64_t time = p->srtt_us * (p->slow_start ? ROUNDS_SLOW_START : 1);
        if (paths >> i & 1 && time > longest)
            longest = time;
    }
    return longest;
}

static void watch(struct priority *p, const struct sched_view *v, uint64_t unsent)
{
    if (!is_backlog(v, unsent, cheapest(v, sched_in_play(v))))
        p->since = 0;
    else if (p->since == 0)
        p->since = v->now;
}

/* Whether `level`, without space, and all that is cheaper have more to do than they can. */
static bool is_full(const struct priority *p, const struct sched_view *v, uint64_t level, uint64_t cheaper)
{
    if (!sched_may_wait(v, sched_lowest_rtt(v, level)))
        return true;
    return p->since != 0 && is_backlog(v, v->unsent, level | cheaper) &&
           v->now - p->since >= patience(v, level);
}

static int priority_pick(struct sched *s, const struct sched_view *v)
{
    struct priority *p = (struct priority *)s->priv;
    uint64_t candidates = sched_candidates(v), left = sched_in_play(v), cheaper = 0;

    if (v->tried)
        return sched_lowest_rtt(v, cheapest(v, candidates));
    watch(p, v, v->unsent);
    while (left) {
        uint64_t level = cheapest(v, left);
        if (level & candidates)
            return sched_lowest_rtt(v, level & candidates);
        if (!is_full(p, v, level, cheaper))
            return -1;
        cheaper |= level;
        left &= ~level;
    }
    return -1;
}

static void priority_sent(struct sched *s, const struct sched_view *v, int i, uint64_t bytes)
{
    sched_waited(s, v, i, bytes);
    if (!v->tried)
        watch((struct priority *)s->priv, v, v->unsent > bytes ? v->unsent - bytes : 0);
}

static const struct braid_field priority_state[] = {BRAID_TIME(1, struct priority, since), {0}};

const struct sched_ops sched_priority = {
    .name = "priority",
    .about = "the cheapest path first, the next one only for what that cannot take",
    .priv_size = sizeof(struct priority),
    .state = priority_state,
    .pick = priority_pick,
    .sent = priority_sent,
};
