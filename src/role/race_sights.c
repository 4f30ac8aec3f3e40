/* What a race has seen of its lanes, to be remembered: see enum race_seen. */
#include "role/race_sights.h"

void race_see(const struct race *r, const struct lane *l, enum race_seen what)
{
    if (r->params.events->seen)
        r->params.events->seen(r->params.arg, &l->where, what);
}

bool race_is_told(const struct candidate *c)
{
    const struct race_params *p = &c->race->params;
    return !c->plain && p->events->tells && p->events->tells(p->arg, c->conn);
}

static bool has_lost_its_way(const struct candidate *c)
{
    bool failed = c->state == FAILED || c->state == SETTLED;
    return failed && (c->loss == RACE_LOST_REFUSED || c->loss == RACE_LOST_UNREACHABLE);
}

/* Of the lane whose plain SYN was answered: what became of the one with MP_CAPABLE. Where that had a payload
 * as well, the payload is suspected first: the next one goes without it, and shows whether it was that. */
static void see_the_beaten(const struct race *r, const struct lane *l)
{
    const struct candidate *c = &l->candidates[CAPABLE];
    bool silent = c->state == UNDER_WAY;
    if (!silent && !has_lost_its_way(c))
        return;
    race_see(r, l, c->data ? RACE_SEEN_PAYLOAD_EATEN : silent ? RACE_SEEN_DROPPED : RACE_SEEN_REJECTED);
}

static void see_the_winner(const struct race *r, const struct candidate *c)
{
    const struct lane *l = c->lane;
    race_see(r, l, RACE_SEEN_ANSWER);
    if (braid_conn_is_mptcp(c->conn))
        race_see(r, l, RACE_SEEN_MPTCP);
    else if (c->plain)
        see_the_beaten(r, l);
    else if (!r->late && !race_is_told(c))
        race_see(r, l, RACE_SEEN_STRIPPED);
    int64_t arrived;
    if (c->data && !r->late && braid_conn_get_option(c->conn, BRAID_OPT_SYN_DATA, &arrived) == 0)
        race_see(r, l, arrived > 0 ? RACE_SEEN_PAYLOAD : RACE_SEEN_PAYLOAD_EATEN);
}

/* Those whose head start is over, or that have failed, while the winner was answered. */
static void see_the_silent(const struct race *r, const struct candidate *winner)
{
    for (unsigned i = 0; i < r->next; i++) {
        const struct lane *l = &r->lanes[i];
        bool lost = has_lost_its_way(&l->candidates[CAPABLE]) || has_lost_its_way(&l->candidates[PLAIN]);
        if (l != winner->lane && !l->alive && (lane_is_open(l) ? l != r->newest : lost))
            race_see(r, l, RACE_SEEN_SILENT);
    }
}

void race_see_end(const struct race *r, const struct candidate *winner)
{
    see_the_winner(r, winner);
    see_the_silent(r, winner);
}
