/* What follows from what was learned: uplinks that are known for what they do, and the order of lanes. */
#include <assert.h>
#include "role/learned_state.h"

/* Prefixes by which a whole uplink is judged. */
#define STRIPS_PREFIXES 3
/* A known server of MPTCP counts for so many: there may be no other one that is ever asked. */
#define STRIPS_CAPABLE STRIPS_PREFIXES
#define STRIPS_PERIOD  BRAID_SECOND /* between two looks at all entries */

/* ---- a whole uplink ------------------------------------------------------------------------------------ */

/* On another uplink, as on this one either is forgotten for the other. */
static bool passes_elsewhere(const struct learned *l, const struct fact *stripped, braid_time now)
{
    const struct braid_addr prefix = {.ip = stripped->entry.key.ip};
    for (unsigned i = 0; i < LEARNED_UPLINKS; i++) {
        if (learned_knows(l, LEARNED_PASSES, i, &prefix, now))
            return true;
    }
    return false;
}

/* More speaks for it than against it: some middleboxes look at certain ports only. */
static void judge(struct learned *l, braid_time now)
{
    int points[LEARNED_UPLINKS] = {0};
    unsigned passes[LEARNED_UPLINKS] = {0};
    list_each (pos, next, &l->kinds[LEARNED_PASSES].order) {
        const struct fact *f = (const struct fact *)recent_entry(pos);
        passes[f->entry.key.owner] += f->until > now;
    }
    list_each (pos, next, &l->kinds[LEARNED_STRIPPED].order) {
        const struct fact *f = (const struct fact *)recent_entry(pos);
        if (f->until > now && (f->capable || passes_elsewhere(l, f, now)))
            points[f->entry.key.owner] += f->capable ? STRIPS_CAPABLE : 1;
    }
    l->strips = 0;
    for (unsigned i = 0; i < LEARNED_UPLINKS; i++) {
        if (points[i] >= STRIPS_PREFIXES && (unsigned)points[i] > passes[i])
            l->strips |= 1u << i;
    }
    l->strips_at = now;
}

bool learned_strips(struct learned *l, unsigned uplink, braid_time now)
{
    if (l->strips_at == 0 || now - l->strips_at >= STRIPS_PERIOD)
        judge(l, now);
    return l->strips & (1u << uplink);
}

/* ---- steering ------------------------------------------------------------------------------------------ */

/* Answers without MPTCP are blamed on the uplink only if there is another one over which it can be had:
 * most servers do not speak it at all, and are as well reached over the best one. */
static bool strips_here(struct learned *l, const struct race_lane *lane, const struct race_lane *lanes,
                        unsigned n, braid_time now)
{
    if (learned_knows(l, LEARNED_PASSES, lane->uplink, &lane->remote, now))
        return false;
    bool stripped = learned_knows(l, LEARNED_STRIPPED, lane->uplink, &lane->remote, now),
         whole = (stripped && lane->capable) || learned_strips(l, lane->uplink, now);
    for (unsigned i = 0; i < n && (stripped || whole); i++) {
        const struct race_lane *o = &lanes[i];
        if (o->uplink == lane->uplink)
            continue;
        if (learned_knows(l, LEARNED_PASSES, o->uplink, &o->remote, now))
            return true;
        if (whole && !learned_strips(l, o->uplink, now) &&
            !learned_knows(l, LEARNED_STRIPPED, o->uplink, &o->remote, now))
            return true;
    }
    return false;
}

/* Lower is tried earlier. */
static unsigned rank_of(struct learned *l, const struct race_lane *lane, const struct race_lane *lanes,
                        unsigned n, braid_time now)
{
    bool silent = learned_knows(l, LEARNED_SILENT, lane->uplink, &lane->remote, now);
    bool without = lane->plain || strips_here(l, lane, lanes, n, now);
    return silent * 4u + lane->reserve * 2u + without;
}

void learned_steer(struct learned *l, struct race_lane *lanes, unsigned n, braid_time now)
{
    unsigned ranks[RACE_LANES];
    assert(n <= RACE_LANES);
    for (unsigned i = 0; i < n; i++) {
        lanes[i].plain |= learned_knows(l, LEARNED_DROPPED, lanes[i].uplink, &lanes[i].remote, now);
        lanes[i].bare |= learned_knows(l, LEARNED_EATEN, lanes[i].uplink, &lanes[i].remote, now);
        lanes[i].version_0 =
            lanes[i].either && learned_knows(l, LEARNED_VERSION_0, lanes[i].uplink, &lanes[i].remote, now);
    }
    for (unsigned i = 0; i < n; i++)
        ranks[i] = rank_of(l, &lanes[i], lanes, n, now);
    for (unsigned i = 1; i < n; i++) {
        const struct race_lane lane = lanes[i];
        unsigned rank = ranks[i], at = i;
        for (; at > 0 && ranks[at - 1] > rank; at--) {
            lanes[at] = lanes[at - 1];
            ranks[at] = ranks[at - 1];
        }
        lanes[at] = lane;
        ranks[at] = rank;
    }
}
