/* The full mesh, but not before there is a need for it. Most connections are short: a join of each uplink for
 * three kilobytes is more work for everybody than it saves anybody. That is what section A.3 of
 * draft-ietf-mptcp-api-05 calls to wait until there is a bunch of data. */
#include "pm/wanted.h"

#define WANTED 0 /* index in priv: there was a need once, and what was opened then stays */

/* How long data may wait for room in the window of the subflow that there is, in round trips. In slow start,
 * from ten segments on, the third round trip takes more than 64 KB: what still waits at its end is held up
 * by losses or by a slow path, and a join, which takes one and a half of them, comes in time to help. Where
 * round trips are shorter than the batches that hosts work in, those count. */
#define WAIT_RTTS  3
#define WAIT_LEAST (10 * BRAID_MS)

/* 0: without a sample of the round trip nobody can say how long is long. */
static braid_time longest_wait(const struct pm_view *v)
{
    braid_time wait = WAIT_RTTS * v->rtt_us;

    return wait == 0 || wait > WAIT_LEAST ? wait : WAIT_LEAST;
}

/* ---- what the user expects ---- */

/* What the first flight takes, ten segments: who has no more than that in a round trip is carried by one
 * subflow as soon as by several. */
#define FIRST_FLIGHT 14600

/* A rate alone holds for a second at least. 0: nobody knows. */
static double expected_bytes(const struct pm_expected *e)
{
    braid_time time = e->time > 0 ? e->time : BRAID_SECOND;

    return e->bytes > 0 ? (double)e->bytes : (double)e->rate * (double)time / BRAID_SECOND;
}

/* How much it may become, it comes slowly: it is no reason before it waits. */
static bool is_slow(const struct pm_view *v)
{
    return v->expected.rate > 0 && v->rtt_us > 0 &&
           (double)v->expected.rate * (double)v->rtt_us <= FIRST_FLIGHT * 1e6;
}

/* It is over before a join is of use. */
static bool is_brief(const struct pm_view *v)
{
    return v->expected.time > 0 && v->expected.time < WAIT_RTTS * v->rtt_us;
}

static bool is_little(const struct pm_view *v)
{
    double bytes = expected_bytes(&v->expected);

    return is_brief(v) || (bytes > 0 && bytes < (double)v->join_after);
}

/* ---- the decision ---- */

/* What is a reason: bytes, a bunch of which has come together or is to come; and that they wait for room. Who
 * expects little has none, unless the bunch shows that he was wrong. */
struct reasons {
    bool bytes, waiting;
};

static struct reasons reasons_of(const struct pm_view *v)
{
    bool slow = is_slow(v);

    return (struct reasons){.bytes = !slow, .waiting = slow || !is_little(v)};
}

/* Whichever comes first: a bunch of data, in either direction; a subflow that is full; none that works. */
static bool is_needed(const struct pm_view *v, struct reasons r)
{
    bool full = v->rtt_us > 0 && v->waited >= longest_wait(v);
    bool much =
        v->bytes >= v->join_after || (!is_brief(v) && expected_bytes(&v->expected) >= (double)v->join_after);

    return (r.waiting && full) || (r.bytes && much) || !pm_have_sound(v);
}

static void update(struct pm *pm, const struct pm_view *v, struct pm_plan *plan)
{
    struct reasons r = reasons_of(v);

    pm->priv[WANTED] |= is_needed(v, r);
    pm_give_up(v, plan, 1);
    pm_want_announced(v, plan, false);
    if (pm->priv[WANTED]) {
        pm_want_mesh(v, plan, 1);
        return;
    }
    plan->wake_bytes = r.bytes ? v->join_after : 0;
    plan->wake_waited = r.waiting ? longest_wait(v) : 0;
}

const struct pm_ops pm_on_demand = {
    .name = "on-demand",
    .about = "as fullmesh, once much was sent, received or promised, or the first subflow is full or silent",
    .opens = true,
    .update = update,
};
