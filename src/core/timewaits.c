/* Connections that are remembered: in TIME_WAIT (RFC 9293 section 3.6.1), aborted, or of a core that has
 * gone. An entry has what it takes to answer a late segment, and is far smaller than a subflow; there are at
 * most CORE_TIMEWAITS_MAX, as anybody can make one by opening and closing. */
#include "core/timewaits.h"

#include <stdlib.h>

#include "core/directory.h"
#include "core/tables.h"

static void timewait_fire(struct timer *t, braid_time now)
{
    (void)now;
    core_timewait_free(list_entry(t, struct timewait_entry, tw.timer));
}

void core_timewait_free(struct timewait_entry *e)
{
    wheel_cancel(&e->core->env.tcp.wheel, &e->tw.timer);
    htable_remove(&e->core->timewaits, &e->tw.hash);
    core_directory_remove(e->core, &e->tw.local, &e->tw.remote);
    mem_give(&e->core->env.mem, mem_cost(sizeof(*e)));
    list_remove(&e->node);
    free(e);
}

void core_timewait_start(struct timewait_entry *e, braid_time now)
{
    wheel_arm(&e->core->env.tcp.wheel, &e->tw.timer, now + e->core->env.params.time_wait);
}

braid_time core_timewait_since(const struct timewait_entry *e)
{
    return e->tw.timer.at - e->core->env.params.time_wait;
}

void core_timewait_add(struct braid_core *core, struct timewait_entry *e,
                       void (*fire)(struct timer *t, braid_time now))
{
    if (core->timewaits.count >= CORE_TIMEWAITS_MAX)
        core_timewait_free(list_entry(core->timewait_order.next, struct timewait_entry, node));
    e->core = core;
    timer_init(&e->tw.timer, fire);
    htable_insert(&core->timewaits, &e->tw.hash, core_hash_flow(core, &e->tw.local, &e->tw.remote));
    core_directory_add(core, &e->tw.local, &e->tw.remote);
    list_append(&core->timewait_order, &e->node);
    mem_take(&core->env.mem, mem_cost(sizeof(*e)));
}

void core_timewait_enter(struct braid_core *core, struct timewait_entry *e)
{
    core_timewait_add(core, e, timewait_fire);
}

struct timewait_entry *core_remember(struct mptcp_env *env, const struct mp_subflow *s)
{
    struct braid_core *core = (struct braid_core *)env;
    struct timewait_entry *e = env->params.time_wait > 0 ? calloc(1, sizeof(*e)) : NULL;
    if (!e)
        return NULL; /* what comes late will meet a RST */
    timewait_init(&e->tw, &s->tcp);
    core_timewait_enter(core, e);
    /* from the last segment of the peer on, which may have been a while ago */
    core_timewait_start(e, s->tcp.activity.last_recv);
    return e;
}
