/* The order in which the timers of a wheel fire, those of the same time included: written down with a core's
 * state, and restored when all of its timers are there again. */
#ifndef BRAID_BASE_TIMER_ORDER_H
#define BRAID_BASE_TIMER_ORDER_H

#include "base/wheel.h"

/* Tags of a timer's group. */
#define TIMER_AT    1
#define TIMER_PLACE 2

/* The armed timers of a wheel, by their addresses. */
struct timer_order {
    struct timer_place *v;
    size_t n;
};
struct timer_place {
    const struct timer *timer;
    uint64_t place;
};

/* -1: memory is short. Valid as long as no timer is armed or cancelled; then timer_order_free. */
int timer_order_of(struct timer_order *o, const struct wheel *w);
void timer_order_free(struct timer_order *o);
/* The place of an armed timer. */
uint64_t timer_place(const struct timer_order *o, const struct timer *t);

/* Timers that are to be armed, of any number of wheels. All zeros: none. */
struct timer_later {
    struct timer_due *v;
    size_t n, cap;
};
struct timer_due {
    struct wheel *wheel;
    struct timer *timer;
    braid_time at;
    uint64_t place;
    size_t number; /* of those with the same place the one that was added first comes first */
};

/* -1: memory is short. The timer must stay where it is, and not be armed, until timer_later_arm. */
int timer_later_add(struct timer_later *l, const struct timer_due *due);
/* Arms all, in the order of their places, and forgets them. */
void timer_later_arm(struct timer_later *l);
/* Forgets them. */
void timer_later_free(struct timer_later *l);

#endif
