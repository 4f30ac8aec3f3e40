/* The order of timers: see timer_order.h. A timer has no number of its own, which would cost each idle
 * connection memory; so the wheel is walked when it is needed. */
#include "base/timer_order.h"

#include <assert.h>
#include <stdlib.h>

static int by_address(const void *a, const void *b)
{
    const struct timer_place *x = a, *y = b;
    return (x->timer > y->timer) - (x->timer < y->timer);
}

static size_t count_armed(const struct wheel *w)
{
    size_t n = 0;
    for (unsigned level = 0; level < WHEEL_LEVELS; level++)
        for (unsigned slot = 0; slot < WHEEL_SLOTS; slot++)
            for (const struct list *p = w->slots[level][slot].next; p != &w->slots[level][slot]; p = p->next)
                n++;
    return n;
}

int timer_order_of(struct timer_order *o, const struct wheel *w)
{
    size_t n = count_armed(w);
    *o = (struct timer_order){.v = malloc((n + 1) * sizeof(*o->v))};
    if (!o->v)
        return -1;
    for (unsigned level = 0; level < WHEEL_LEVELS; level++)
        for (unsigned slot = 0; slot < WHEEL_SLOTS; slot++)
            for (struct list *p = w->slots[level][slot].next; p != &w->slots[level][slot]; p = p->next) {
                o->v[o->n] = (struct timer_place){list_entry(p, struct timer, node), o->n};
                o->n++;
            }
    qsort(o->v, o->n, sizeof(*o->v), by_address);
    return 0;
}

void timer_order_free(struct timer_order *o)
{
    free(o->v);
    *o = (struct timer_order){0};
}

uint64_t timer_place(const struct timer_order *o, const struct timer *t)
{
    const struct timer_place key = {.timer = t};
    const struct timer_place *p = bsearch(&key, o->v, o->n, sizeof(*o->v), by_address);
    assert(p);
    return p->place;
}

int timer_later_add(struct timer_later *l, const struct timer_due *due)
{
    if (l->n == l->cap) {
        size_t cap = l->cap ? 2 * l->cap : 64;
        struct timer_due *v = realloc(l->v, cap * sizeof(*v));
        if (!v)
            return -1;
        l->v = v;
        l->cap = cap;
    }
    l->v[l->n] = *due;
    l->v[l->n].number = l->n;
    l->n++;
    return 0;
}

static int by_place(const void *a, const void *b)
{
    const struct timer_due *x = a, *y = b;
    if (x->place != y->place)
        return x->place < y->place ? -1 : 1;
    return (x->number > y->number) - (x->number < y->number);
}

void timer_later_arm(struct timer_later *l)
{
    if (l->n > 0)
        qsort(l->v, l->n, sizeof(*l->v), by_place);
    for (size_t i = 0; i < l->n; i++)
        wheel_arm(l->v[i].wheel, l->v[i].timer, l->v[i].at);
    timer_later_free(l);
}

void timer_later_free(struct timer_later *l)
{
    free(l->v);
    *l = (struct timer_later){0};
}
