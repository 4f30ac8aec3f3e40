/* A subflow from each of our addresses to each of the peer's; announces those of ours that are to be
 * signalled. */
#include "pm/wanted.h"

/* Where the limit is below the whole mesh, each address of ours comes to its turn before any gets a second
 * subflow: the pairs are taken along diagonals. */
static void update(struct pm *pm, const struct pm_view *v, struct pm_plan *plan)
{
    (void)pm;
    pm_give_up_pending(v, plan);
    pm_want_announced(v, plan, false);
    for (unsigned d = 0; d < v->n_remotes; d++)
        for (unsigned l = 0; l < v->n_locals; l++)
            pm_want_subflows(v, plan, l, (l + d) % v->n_remotes, 1);
}

const struct pm_ops pm_fullmesh = {
    .name = "fullmesh",
    .about = "opens a subflow from each local address to each address of the peer",
    .opens = true,
    .update = update,
};
