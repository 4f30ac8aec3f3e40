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

/* Whichever comes first: a bunch of data, in either direction; a subflow that is full; none that works. */
static bool is_needed(const struct pm_view *v)
{
    bool full = v->rtt_us > 0 && v->waited >= longest_wait(v);

    return full || v->bytes >= v->join_after || !pm_have_sound(v);
}

static void update(struct pm *pm, const struct pm_view *v, struct pm_plan *plan)
{
    pm->priv[WANTED] |= is_needed(v);
    pm_give_up(v, plan, 1);
    pm_want_announced(v, plan, false);
    if (pm->priv[WANTED]) {
        pm_want_mesh(v, plan);
        return;
    }
    plan->wake_bytes = v->join_after;
    plan->wake_waited = longest_wait(v);
}

const struct pm_ops pm_on_demand = {
    .name = "on-demand",
    .about = "as fullmesh, once much was sent or received, or the first subflow is full or silent",
    .opens = true,
    .update = update,
};
