/* The choice of admissible subflows, shared by all schedulers. */
#include "sched/candidates.h"

#include <assert.h>

uint64_t sched_candidates(const struct sched_view *v)
{
    uint64_t regular = 0, backup = 0, space = 0;

    assert(v->n_paths <= SCHED_MAX_PATHS);
    for (unsigned i = 0; i < v->n_paths; i++) {
        const struct sched_path *p = &v->paths[i];
        uint64_t bit = UINT64_C(1) << i;
        if (p->usable && p->backup)
            backup |= bit;
        else if (p->usable)
            regular |= bit;
        if (p->space > 0)
            space |= bit;
    }
    uint64_t usable = regular ? regular : backup;
    uint64_t fresh = usable & ~v->tried;
    return (fresh ? fresh : usable) & space;
}
