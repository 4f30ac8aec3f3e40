/* What goes wrong with every connection is said once in a while, with a count of what was not said. */
#ifndef BRAID_ROLE_COMPLAINT_H
#define BRAID_ROLE_COMPLAINT_H

#include <braid/types.h>

#define COMPLAINT_PERIOD (10 * BRAID_SECOND)

/* Of one thing that goes wrong. Zeroed: nothing has. */
struct complaint {
    braid_time next; /* before that nothing more is said */
    unsigned unsaid;
};

/* It has gone wrong again. True: it is to be said, and *unsaid is how often it was not since it was. */
static inline bool complaint_due(struct complaint *c, braid_time now, unsigned *unsaid)
{
    if (now < c->next) {
        c->unsaid++;
        return false;
    }
    *unsaid = c->unsaid;
    *c = (struct complaint){.next = now + COMPLAINT_PERIOD};
    return true;
}

#endif
