/* Hierarchical timer wheel. Ticks of 64 us; a timer never fires early, and at most one tick late. Arming and
 * cancelling are O(1). */
#ifndef BRAID_BASE_WHEEL_H
#define BRAID_BASE_WHEEL_H

#include <braid/types.h>
#include "base/list.h"

#define WHEEL_TICK_SHIFT 6
#define WHEEL_BITS       6
#define WHEEL_SLOTS      (1u << WHEEL_BITS)
#define WHEEL_LEVELS     7

struct timer {
    struct list node;
    braid_time at; /* BRAID_NEVER when not armed */
    void (*fire)(struct timer *t, braid_time now);
};

struct wheel {
    braid_time now;                  /* of the last run */
    uint64_t tick;                   /* now in ticks: all before it have been run */
    uint64_t occupied[WHEEL_LEVELS]; /* bit s: slot s of the level is not empty */
    struct list slots[WHEEL_LEVELS][WHEEL_SLOTS];
};

void wheel_init(struct wheel *w, braid_time now);
void timer_init(struct timer *t, void (*fire)(struct timer *t, braid_time now));
/* Arms t for `at`, moving it if it is armed. A time in the past fires at the next wheel_run, or, if it is not
 * a tick ago, at the first one in the tick to come. */
void wheel_arm(struct wheel *w, struct timer *t, braid_time at);
/* No-op if t is not armed. */
void wheel_cancel(struct wheel *w, struct timer *t);
/* A time not later than the first expiry, and later than the last wheel_run; BRAID_NEVER if nothing is armed.
 * May be early when the first timer sits in a coarse level: running the wheel then cascades and makes
 * progress. */
braid_time wheel_next(const struct wheel *w);
/* Fires everything due. A fired timer is disarmed first and may be re-armed or freed by its function, which
 * may also arm and cancel others. Re-arming at a time <= now fires at a later wheel_run, not in this one. */
void wheel_run(struct wheel *w, braid_time now);

#endif
