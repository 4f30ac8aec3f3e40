/* See watches.h: a round through the workers, after which none of them knows the watch. */
#include "role/node.h"
#include "role/watches.h"

static void forget(struct worker *worker, void *watch)
{
    const struct node *node = worker_user(worker);
    if (node && node->watches)
        watches_forget(node->watches, watch);
}

void watches_leave(struct watch *w, struct worker *const *workers, unsigned n, void (*gone)(void *arg),
                   void *arg)
{
    watch_leave(w, workers, n, forget, gone, arg);
}
