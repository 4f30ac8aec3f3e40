/* Entries of the TIME_WAIT table as state: see core_freeze.h. */
#include <stdlib.h>

#include "base/addr.h"
#include "core/core_freeze.h"
#include "core/aborted.h"
#include "core/orphans.h"
#include "core/tables.h"
#include "core/timewaits.h"

enum { FIELDS = 1, TIMER };

static const struct braid_field fields[] = {
    BRAID_NUMBERS(1, struct timewait_entry, tw.local.ip.b, 1, UINT8_MAX),
    BRAID_ANY(2, struct timewait_entry, tw.local.port),
    BRAID_NUMBERS(3, struct timewait_entry, tw.remote.ip.b, 1, UINT8_MAX),
    BRAID_ANY(4, struct timewait_entry, tw.remote.port),
    BRAID_ANY(5, struct timewait_entry, tw.snd_nxt),
    BRAID_ANY(6, struct timewait_entry, tw.rcv_nxt),
    BRAID_ANY(7, struct timewait_entry, tw.ts_recent),
    BRAID_ANY(8, struct timewait_entry, tw.ts_offset),
    BRAID_ANY(9, struct timewait_entry, tw.window),
    BRAID_BOOL(10, struct timewait_entry, tw.ts_ok),
    BRAID_BOOL(11, struct timewait_entry, tw.has_data_ack),
    BRAID_ANY(12, struct timewait_entry, tw.data_ack),
    BRAID_BOOL(13, struct timewait_entry, tw.challenged),
    BRAID_BOOL(14, struct timewait_entry, aborted),
    BRAID_ANY(15, struct timewait_entry, peer_key),
    BRAID_ANY(16, struct timewait_entry, reason),
    BRAID_BOOL(17, struct timewait_entry, orphan),
    BRAID_BOOL(18, struct timewait_entry, plain),
    BRAID_NUMBER(19, struct timewait_entry, orphan_probes, 31),
    BRAID_BOOL(20, struct timewait_entry, on_ack),
    BRAID_NUMBER(21, struct timewait_entry, repeat_left, ABORTED_REPEATS_MOST),
    BRAID_NUMBER(22, struct timewait_entry, repeat_after, INT32_MAX),
    BRAID_TIME(23, struct timewait_entry, until),
    {0}};

void core_freeze_past(const struct timewait_entry *e, struct freezer *f, unsigned tag)
{
    size_t g = freeze_begin(f, tag);
    freeze_struct(f, FIELDS, fields, e);
    freeze_timer(f, TIMER, &e->tw.timer);
    freeze_end(f, g);
}

void core_peek_past(const struct thaw_item *group, struct braid_addr *local, struct braid_addr *remote)
{
    struct thawer t = thaw_inside(group);
    struct thaw_item i;
    struct timewait_entry e = {.aborted = false};
    while (thaw_next(&t, &i))
        if (i.tag == FIELDS)
            thaw_struct(&i, fields, &e);
    *local = e.tw.local;
    *remote = e.tw.remote;
}

/* Its timer can be armed by what follows in the state alone: one that has none would stay for ever. */
static void enter(struct braid_core *core, struct timewait_entry *e, const struct thaw_item *timer)
{
    size_t timers = timer->all->timers.n;
    if (e->orphan)
        core_orphan_add(core, e);
    else if (e->on_ack)
        core_aborted_enter(core, e);
    else
        core_timewait_enter(core, e);
    thaw_timer(timer, &core->env.tcp.wheel, &e->tw.timer);
    if (thaw_fine(timer->all) && timer->all->timers.n > timers)
        return;
    thaw_fail(timer->all, THAW_WRONG);
    core_timewait_free(e);
}

void core_thaw_past(struct braid_core *core, const struct thaw_item *group)
{
    struct thawer t = thaw_inside(group);
    struct thaw_item i, timer = {.tag = 0};
    struct timewait_entry *e = calloc(1, sizeof(*e));
    if (!e) {
        thaw_fail(group->all, THAW_MEMORY);
        return;
    }
    while (thaw_next(&t, &i)) {
        if (i.tag == FIELDS)
            thaw_struct(&i, fields, e);
        else if (i.tag == TIMER)
            timer = i;
        else
            thaw_unknown(&i);
    }
    if (!timer.tag || !ip_is_pair(&e->tw.local.ip, &e->tw.remote.ip))
        thaw_fail(group->all, THAW_WRONG);
    if (thaw_fine(group->all) && braid_core_knows(core, &e->tw.local, &e->tw.remote))
        thaw_fail(group->all, THAW_TAKEN);
    /* with as many as there may be the oldest would go, whose timer is not armed yet */
    if (thaw_fine(group->all) && core->timewaits.count < CORE_TIMEWAITS_MAX)
        enter(core, e, &timer);
    else
        free(e);
}
