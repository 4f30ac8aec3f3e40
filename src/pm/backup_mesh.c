/* The full mesh only when nothing else works: what an uplink costs is paid when there is no other. */
#include "pm/wanted.h"

/* All at once, since nobody knows which of them works; those that were not needed stay, and spare the next
 * search. */
static void update(struct pm *pm, const struct pm_view *v, struct pm_plan *plan)
{
    (void)pm;
    pm_give_up(v, plan, 1);
    pm_want_announced(v, plan, false);
    if (!pm_have_sound(v))
        pm_want_mesh(v, plan, 1);
}

const struct pm_ops pm_backup = {
    .name = "backup",
    .about = "as fullmesh, but only when no subflow works",
    .opens = true,
    .update = update,
};
