/* See leave.h. */
#include "role/leave.h"

static void on_home(void *arg)
{
    struct leave *l = arg;
    l->steps.free(l->what);
}

static void do_leave(struct worker *worker, void *arg)
{
    struct leave *l = arg;
    l->steps.forget(worker, l->what);
    if (atomic_fetch_sub(&l->left, 1) > 1)
        return;
    const struct leave_steps steps = l->steps;
    mailbox_put(l->main, &l->home, on_home, l); /* which may free it at once */
    if (steps.gone)
        steps.gone(steps.gone_arg);
}

void leave_begin(struct leave *l, void *what, const struct leave_steps *steps, struct mailbox *main,
                 struct worker *const *workers, unsigned n)
{
    l->steps = *steps;
    l->what = what;
    l->main = main;
    atomic_init(&l->left, n);
    for (unsigned i = 0; i < n; i++)
        worker_post(workers[i], do_leave, l);
}
