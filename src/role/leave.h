/* How the main thread lets go of something of its own that workers put things into (watch.h, reel.h): a round
 * through the workers, each of which forgets it, and then it is freed. */
#ifndef BRAID_ROLE_LEAVE_H
#define BRAID_ROLE_LEAVE_H

#include <stdatomic.h>
#include "io/mailbox.h"
#include "io/worker.h"

/* What is done on the way, filled in by who begins. */
struct leave_steps {
    void (*forget)(struct worker *worker, void *what); /* in the thread of each worker */
    void (*gone)(void *arg);                           /* then, in the thread of the last; may be NULL */
    void *gone_arg;
    void (*free)(void *what); /* at last, in the main thread */
};

/* A part of what is let go of. */
struct leave {
    struct leave_steps steps;
    void *what;
    struct mailbox *main;
    struct mailbox_place home;
    atomic_uint left; /* workers that have not forgotten it yet */
};

/* In the main thread, whose mailbox it is: what must not be used any more. Where there are no workers (n of
 * 0) nothing happens. */
void leave_begin(struct leave *l, void *what, const struct leave_steps *steps, struct mailbox *main,
                 struct worker *const *workers, unsigned n);

#endif
