/* Families about what one path does for another: silence, late ACKs, tails, copies. */
#include "families.h"

extern const struct sched_ops sched_minrtt, sched_redundant;

#define PROBED_WITHIN 2000 /* milliseconds in which a path that works again has to be in use */

static struct link_params path_of(uint64_t rate, braid_time delay, braid_time queue)
{
    struct link_params p = {.rate = rate, .delay = delay, .mtu = 1500};

    p.queue = 32 * KB + rate * (uint64_t)queue / BRAID_SECOND;
    return p;
}

/* Its round trip with a full queue. */
static braid_time full_rtt(const struct link_params *p)
{
    return 2 * p->delay + (braid_time)(p->queue * (uint64_t)BRAID_SECOND / p->rate);
}

/* One direction only, over path 0 and, once joined, path 1. */
static unsigned transfer(struct scenario *s, struct rng *r, const struct link_params path[2], uint64_t total)
{
    unsigned from = (unsigned)rng_below(r, 2);

    for (unsigned side = 0; side < SIM_SIDES; side++) {
        s->app[side] = (struct app_params){.write_max = 65536, .read_max = 1 << 20, .reserve = true};
        s->core[side].rcvbuf_max = s->core[side].sndbuf_max = 8 * MB;
        s->core[side].memory = 128 * MB;
        s->sched[side] = &sched_minrtt;
        s->cc[side] = cc_algorithms[0];
        s->up[side] = s->down[side] = path[side];
    }
    s->app[from].total = total;
    family_action(s, (struct action){.kind = ACT_JOIN, .at = 0, .a = 1});
    return from;
}

/* A path is silent for a while: others go on soon, and it is in use again soon after. */
void make_silent_path(struct scenario *s, struct rng *r)
{
    struct link_params path[2];
    unsigned bad = (unsigned)rng_below(r, 2);
    braid_time at = rng_range(r, 3 * BRAID_SECOND, 5 * BRAID_SECOND);
    braid_time back = at + rng_log_range(r, 300 * BRAID_MS, 8 * BRAID_SECOND), slowest = 0;

    for (unsigned i = 0; i < 2; i++) {
        path[i] = path_of((uint64_t)rng_log_range(r, 300 * KB, 2 * MB),
                          rng_log_range(r, BRAID_MS, 60 * BRAID_MS), 30 * BRAID_MS);
        slowest = full_rtt(&path[i]) > slowest ? full_rtt(&path[i]) : slowest;
    }
    transfer(s, r, path, (path[0].rate + path[1].rate) * 14);
    family_action(s, (struct action){.kind = ACT_PATH_DOWN, .at = at, .a = bad, .need_subflows = 2});
    family_action(s, (struct action){.kind = ACT_PATH_UP, .at = back, .a = bad});
    family_action(
        s, (struct action){
               .kind = ACT_EXPECT_USED, .at = back + PROBED_WITHIN * BRAID_MS, .a = bad, .b = PROBED_WITHIN});
    /* To notice takes a round trip and the repetition another one; slow start and losses may come in. */
    s->max_stall = 3 * slowest + 100 * BRAID_MS;
}

/* A queue of a second fills and drains, beside an unsteady fast path: nothing of that is silence. */
void make_bloated_path(struct scenario *s, struct rng *r)
{
    struct link_params path[2] = {
        path_of((uint64_t)rng_range(r, 1 * MB, 3 * MB), rng_range(r, 5 * BRAID_MS, 15 * BRAID_MS),
                20 * BRAID_MS),
        path_of((uint64_t)rng_range(r, 500 * KB, 1500 * KB), rng_range(r, 25 * BRAID_MS, 150 * BRAID_MS),
                rng_range(r, 500 * BRAID_MS, 1200 * BRAID_MS)),
    };

    path[0].reorder = 0.01;
    path[0].reorder_by = 10 * BRAID_MS;
    transfer(s, r, path, (path[0].rate + path[1].rate) * 15);
    s->max_suspected = 2;
    s->max_twice = 0.06; /* what waits in the queue when the end of the data comes */
}

/* An object is not later for the slow path beside the fast one. */
void make_slow_tail(struct scenario *s, struct rng *r)
{
    uint64_t rate = (uint64_t)rng_range(r, 1 * MB, 3 * MB), total = rate * 3;
    struct link_params path[2] = {
        path_of(rate, rng_range(r, 5 * BRAID_MS, 15 * BRAID_MS), 50 * BRAID_MS),
        path_of(rate / 2, rng_range(r, 100 * BRAID_MS, 150 * BRAID_MS), 1000 * BRAID_MS),
    };

    transfer(s, r, path, total);
    /* Alone the fast path takes a little more than three seconds. Another second would be the slow queue; the
     * end of the connection itself waits for one of its round trips. */
    s->limit = 3 * BRAID_SECOND + 900 * BRAID_MS;
}

/* Ten minutes of copies, one path much worse than the other. */
void make_redundant_long(struct scenario *s, struct rng *r)
{
    uint64_t rate = (uint64_t)rng_range(r, 60 * KB, 120 * KB);
    struct link_params path[2] = {
        path_of(rate, rng_range(r, 5 * BRAID_MS, 30 * BRAID_MS), 100 * BRAID_MS),
        path_of(rate / (uint64_t)rng_range(r, 2, 10), rng_range(r, 20 * BRAID_MS, 150 * BRAID_MS),
                BRAID_SECOND),
    };

    path[1].loss = 0.02;
    unsigned from = transfer(s, r, path, rate * 600);
    s->sched[0] = s->sched[1] = &sched_redundant;
    s->min_goodput[!from] = rate * 90 / 100 * 94 / 100; /* of payload */
}
