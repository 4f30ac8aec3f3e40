/* Hierarchical timer wheel. A timer's level is the highest group of 6 bits in which its tick differs from the
 * wheel's, so a level never wraps, and the first occupied slot of the lowest occupied level is what comes
 * next. Entering a slot of a higher level spreads ("cascades") its timers over the levels below. */
#include <stdint.h>

#include "base/wheel.h"

#define SLOT_MASK    (WHEEL_SLOTS - 1)
#define HORIZON_MASK ((1ULL << (WHEEL_LEVELS * WHEEL_BITS)) - 1)

/* The first tick that begins at or after the time, so that no timer fires early. */
static uint64_t tick_after(braid_time at)
{
    return at <= 0 ? 0 : ((uint64_t)at + (1u << WHEEL_TICK_SHIFT) - 1) >> WHEEL_TICK_SHIFT;
}

static uint64_t tick_at(braid_time now)
{
    return now <= 0 ? 0 : (uint64_t)now >> WHEEL_TICK_SHIFT;
}

void wheel_init(struct wheel *w, braid_time now)
{
    w->now = now;
    w->tick = tick_at(now);
    for (unsigned level = 0; level < WHEEL_LEVELS; level++) {
        w->occupied[level] = 0;
        for (unsigned slot = 0; slot < WHEEL_SLOTS; slot++)
            list_init(&w->slots[level][slot]);
    }
}

void timer_init(struct timer *t, void (*fire)(struct timer *t, braid_time now))
{
    list_init(&t->node);
    t->at = BRAID_NEVER;
    t->fire = fire;
}

/* Puts t, which is in no list, where its time belongs, which does not depend on when it is armed within a
 * tick: another wheel that goes on in the place of this one has it in the same slot. The slot of the wheel's
 * own tick holds what is due already. What lies beyond the horizon goes to the last tick before it, and is
 * placed anew from there. */
static void wheel_place(struct wheel *w, struct timer *t)
{
    uint64_t tick = tick_after(t->at);
    unsigned level, slot;

    if (tick < w->tick)
        tick = w->tick;
    if ((tick ^ w->tick) > HORIZON_MASK)
        tick = w->tick | HORIZON_MASK;
    level = (unsigned)(63 - __builtin_clzll((tick ^ w->tick) | 1)) / WHEEL_BITS;
    slot = (tick >> (level * WHEEL_BITS)) & SLOT_MASK;
    list_append(&w->slots[level][slot], &t->node);
    w->occupied[level] |= 1ULL << slot;
}

/* Takes t out of its list. If that was a slot and is empty now, its bit goes; it can also be wheel_run's
 * list. */
static void wheel_unlink(struct wheel *w, struct timer *t)
{
    struct list *head = t->node.next;
    uintptr_t offset = (uintptr_t)head - (uintptr_t)w->slots;

    list_remove(&t->node);
    if (!list_empty(head) || offset >= sizeof(w->slots))
        return;
    offset /= sizeof(struct list);
    w->occupied[offset / WHEEL_SLOTS] &= ~(1ULL << offset % WHEEL_SLOTS);
}

void wheel_arm(struct wheel *w, struct timer *t, braid_time at)
{
    wheel_cancel(w, t);
    if (at == BRAID_NEVER)
        return;
    t->at = at;
    wheel_place(w, t);
}

void wheel_cancel(struct wheel *w, struct timer *t)
{
    if (t->at == BRAID_NEVER)
        return;
    wheel_unlink(w, t);
    t->at = BRAID_NEVER;
}

/* The first occupied slot: its level and number, and the tick at which it begins. -1 if there is none. */
static int wheel_first(const struct wheel *w, unsigned *slot, uint64_t *tick)
{
    for (unsigned level = 0; level < WHEEL_LEVELS; level++) {
        unsigned shift = level * WHEEL_BITS;

        if (!w->occupied[level])
            continue;
        *slot = (unsigned)__builtin_ctzll(w->occupied[level]);
        *tick = (w->tick >> shift >> WHEEL_BITS << WHEEL_BITS | *slot) << shift;
        return (int)level;
    }
    return -1;
}

braid_time wheel_next(const struct wheel *w)
{
    uint64_t tick;
    unsigned slot;

    if (wheel_first(w, &slot, &tick) < 0)
        return BRAID_NEVER;
    /* Due already; but the answer has to be later than the last run. */
    if (tick == w->tick)
        tick++;
    return (braid_time)(tick << WHEEL_TICK_SHIFT);
}

static void list_move_all(struct list *from, struct list *to)
{
    if (list_empty(from))
        return;
    from->next->prev = to->prev;
    to->prev->next = from->next;
    from->prev->next = to;
    to->prev = from->prev;
    list_init(from);
}

/* Moves to due all timers of ticks up to `until`. A cascade takes timers at least one level down, so this
 * ends. */
static void wheel_collect(struct wheel *w, uint64_t until, struct list *due)
{
    uint64_t tick;
    unsigned slot;
    int level;

    while ((level = wheel_first(w, &slot, &tick)) >= 0 && tick <= until) {
        struct list moved;

        list_init(&moved);
        list_move_all(&w->slots[level][slot], level == 0 ? due : &moved);
        w->occupied[level] &= ~(1ULL << slot);
        w->tick = tick;
        while (!list_empty(&moved)) {
            struct timer *t = list_entry(moved.next, struct timer, node);

            list_remove(&t->node);
            wheel_place(w, t);
        }
    }
    w->tick = until;
}

void wheel_run(struct wheel *w, braid_time now)
{
    struct list due;

    if (now < w->now)
        return;
    w->now = now;
    list_init(&due);
    wheel_collect(w, tick_at(now), &due);
    while (!list_empty(&due)) {
        struct timer *t = list_entry(due.next, struct timer, node);

        list_remove(&t->node);
        if (t->at > now) { /* had been beyond the horizon */
            wheel_place(w, t);
            continue;
        }
        t->at = BRAID_NEVER;
        t->fire(t, now);
    }
}
