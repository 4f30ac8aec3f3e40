/* Several subflows between the same two addresses from different ports, which networks with several equal
 * routes spread over them. */
#include "pm/wanted.h"

/* The pair of addresses: the initial one, or when its subflows were lost, that of a subflow that is left. */
static void find_home(const struct pm_view *v, unsigned *local, unsigned *remote)
{
    *local = *remote = 0;
    for (unsigned i = 0; i < v->n_subflows; i++) {
        const struct pm_subflow *s = &v->subflows[i];

        if (!s->established || s->closing || s->local == PM_MAX_LOCALS || s->remote == PM_MAX_REMOTES)
            continue;
        *local = s->local;
        *remote = s->remote;
        return;
    }
}

/* With no subflow left, any that can be had will do. */
static void want_any(const struct pm_view *v, struct pm_plan *plan)
{
    for (unsigned l = 0; l < v->n_locals; l++)
        for (unsigned r = 0; r < v->n_remotes; r++)
            pm_want_subflows(v, plan, l, r, 1);
}

static void update(struct pm *pm, const struct pm_view *v, struct pm_plan *plan)
{
    unsigned local, remote;

    (void)pm;
    pm_give_up(v, plan, v->per_pair);
    if (v->alone) {
        want_any(v, plan);
        return;
    }
    find_home(v, &local, &remote);
    pm_want_subflows(v, plan, local, remote, v->per_pair);
}

const struct pm_ops pm_ndiffports = {
    .name = "ndiffports",
    .about = "opens several subflows between the connection's two addresses, from different ports",
    .opens = true,
    .update = update,
};
