/* A subflow from each of our addresses to each of the peer's; announces those of ours that are to be
 * signalled. */
#include "pm/wanted.h"

static void update(struct pm *pm, const struct pm_view *v, struct pm_plan *plan)
{
    (void)pm;
    pm_give_up(v, plan, 1);
    pm_want_announced(v, plan, false);
    pm_want_mesh(v, plan, 1);
}

const struct pm_ops pm_fullmesh = {
    .name = "fullmesh",
    .about = "opens a subflow from each local address to each address of the peer",
    .opens = true,
    .update = update,
};
