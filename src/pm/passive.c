/* Leaves everything to the peer: its joins are answered, as with every path manager. */
#include <braid/pm.h>

const struct pm_ops pm_passive = {
    .name = "passive",
    .about = "opens no subflows and announces no addresses; the peer's joins are accepted",
};
