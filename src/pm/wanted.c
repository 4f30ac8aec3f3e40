/* What path managers have in common: bringing about what they want. */
#include "pm/wanted.h"

#include <assert.h>
#include <string.h>

/* How long a handshake may take while there are other subflows: three SYNs (RFC 6298: after 1 and 3 s) and
 * the time for the last to be answered. Without any, a path that has just come back is found sooner by SYNs
 * that do not back off: two of them, and the time for the second. */
#define PATIENCE       (4 * BRAID_SECOND)
#define PATIENCE_ALONE (1500 * BRAID_MS)
#define PATIENCE_RTTS  4

static void plan_action(struct pm_plan *plan, struct pm_action a)
{
    assert(plan->n < PM_MAX_ACTIONS); /* an action for each subflow, there or possible, and each address */
    plan->actions[plan->n++] = a;
}

static void wake_at(struct pm_plan *plan, braid_time at)
{
    if (plan->wake_at > at)
        plan->wake_at = at;
}

static bool is_v4(const struct braid_addr *a)
{
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    return memcmp(a->ip.b, mapped, sizeof(mapped)) == 0;
}

/* Subflows there will be once the plan is carried out. */
static unsigned all_subflows(const struct pm_view *v, const struct pm_plan *plan)
{
    unsigned n = v->n_subflows;
    for (unsigned i = 0; i < plan->n; i++)
        n += plan->actions[i].what == PM_OPEN;
    return n;
}

static bool is_between(const struct pm_subflow *s, unsigned local, unsigned remote)
{
    return s->local == local && s->remote == remote;
}

static unsigned subflows_between(const struct pm_view *v, unsigned local, unsigned remote)
{
    unsigned n = 0;
    for (unsigned i = 0; i < v->n_subflows; i++) {
        const struct pm_subflow *s = &v->subflows[i];

        n += is_between(s, local, remote) && !s->closing && !s->lost;
    }
    return n;
}

static bool is_sound(const struct pm_subflow *s)
{
    return s->established && !s->closing && !s->stale;
}

/* An address that is not among ours any more is nobody's to take away. */
static bool address_stays(const struct pm_view *v, const struct pm_subflow *s)
{
    return s->local == PM_MAX_LOCALS || v->locals[s->local].usable;
}

bool pm_have_sound(const struct pm_view *v)
{
    for (unsigned i = 0; i < v->n_subflows; i++) {
        const struct pm_subflow *s = &v->subflows[i];

        if (is_sound(s) && address_stays(v, s))
            return true;
    }
    return false;
}

void pm_want_subflows(const struct pm_view *v, struct pm_plan *plan, unsigned local, unsigned remote,
                      unsigned n)
{
    const struct pm_local *l = &v->locals[local];
    const struct pm_remote *r = &v->remotes[remote];
    const struct pm_pair *pair = &v->pairs[local][remote];
    bool possible = v->may_open && l->usable && l->subflow && r->usable && !pair->closed;

    if (!possible || is_v4(&l->addr) != is_v4(&r->addr))
        return;
    for (unsigned have = subflows_between(v, local, remote); have < n; have++) {
        if (all_subflows(v, plan) >= v->max_subflows)
            return; /* one that ends is a change: then again */
        if (pair->open_at > v->now) {
            wake_at(plan, pair->open_at);
            return;
        }
        plan_action(plan,
                    (struct pm_action){.what = PM_OPEN, .local = (uint8_t)local, .remote = (uint8_t)remote});
    }
}

/* Where the limit is below the whole mesh, each address of ours comes to its turn before any gets a second
 * subflow: the pairs are taken along diagonals. */
void pm_want_mesh(const struct pm_view *v, struct pm_plan *plan, unsigned n)
{
    for (unsigned d = 0; d < v->n_remotes; d++)
        for (unsigned l = 0; l < v->n_locals; l++)
            pm_want_subflows(v, plan, l, (l + d) % v->n_remotes, n);
}

static braid_time patience(const struct pm_view *v)
{
    braid_time least = v->alone ? PATIENCE_ALONE : PATIENCE;
    return least > PATIENCE_RTTS * v->rtt_us ? least : PATIENCE_RTTS * v->rtt_us;
}

static bool took_too_long(const struct pm_view *v, const struct pm_subflow *s, struct pm_plan *plan)
{
    braid_time until = s->opened_at + patience(v);

    if (s->established)
        return false;
    if (until > v->now)
        wake_at(plan, until);
    return until <= v->now;
}

/* Whether n of ours are sound beside it, and it is lost or not there yet. */
static bool is_replaced(const struct pm_view *v, const struct pm_subflow *s, unsigned n)
{
    unsigned sound = 0;

    for (unsigned i = 0; i < v->n_subflows; i++) {
        const struct pm_subflow *o = &v->subflows[i];

        sound += o->ours && is_sound(o) && is_between(o, s->local, s->remote);
    }
    return sound > 0 && sound >= n && !s->wished && (s->lost || !s->established);
}

void pm_close(struct pm_plan *plan, uint32_t id)
{
    plan_action(plan, (struct pm_action){.what = PM_CLOSE, .subflow = id});
}

void pm_give_up(const struct pm_view *v, struct pm_plan *plan, unsigned n)
{
    if (n < v->wanted)
        n = v->wanted; /* all of them may be between two addresses (number.c) */
    for (unsigned i = 0; i < v->n_subflows; i++) {
        const struct pm_subflow *s = &v->subflows[i];

        if (s->ours && !s->closing && (took_too_long(v, s, plan) || is_replaced(v, s, n)))
            pm_close(plan, s->id);
    }
}

void pm_want_announced(const struct pm_view *v, struct pm_plan *plan, bool again)
{
    for (unsigned i = 0; i < v->n_locals; i++) {
        const struct pm_local *l = &v->locals[i];

        if (l->usable && l->signal && (again || !l->announced))
            plan_action(plan, (struct pm_action){.what = PM_ANNOUNCE, .local = (uint8_t)i});
    }
}
