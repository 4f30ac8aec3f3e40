/* What came out of order: see disorder.h. */
#include "tcp/disorder.h"

#include <stdlib.h>

#include "tcp/internal.h"

#define DISORDER_COST mem_cost(sizeof(struct tcp_disorder))

/* Constant, so that a write to it ends the program instead of reaching all subflows in order. */
static const struct tcp_disorder none = {
    .pieces = {(struct list *)&none.pieces, (struct list *)&none.pieces}};

void tcp_disorder_init(struct subflow *sf)
{
    sf->ooo = (struct tcp_disorder *)&none;
}

bool tcp_disorder_is_made(const struct subflow *sf)
{
    return sf->ooo != &none;
}

bool tcp_disorder_reserve(struct subflow *sf)
{
    if (sf->ooo != &none)
        return true;
    struct tcp_disorder *d = calloc(1, sizeof(*d));
    if (!d)
        return false;
    list_init(&d->pieces);
    mem_take(tcp_payer(sf), DISORDER_COST);
    sf->ooo = d;
    return true;
}

void tcp_disorder_rest(struct subflow *sf)
{
    struct tcp_disorder *d = sf->ooo;

    if (d == &none || d->n > 0 || d->dsack.start != d->dsack.end)
        return;
    mem_give(tcp_payer(sf), DISORDER_COST);
    free(d);
    tcp_disorder_init(sf);
}
