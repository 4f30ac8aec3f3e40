/* What is in flight: see flight.h. */
#include "tcp/flight.h"

#include <stdlib.h>

#include "tcp/internal.h"

#define FLIGHT_COST mem_cost(sizeof(struct tcp_flight))

#define EMPTY(l)                                                                                             \
    {                                                                                                        \
        (struct list *)&(l), (struct list *)&(l)                                                             \
    }

/* Constant, so that a write to it ends the program instead of reaching all idle subflows. */
static const struct tcp_flight nothing = {
    .board = {.runs = EMPTY(nothing.board.runs),
              .by_time = EMPTY(nothing.board.by_time),
              .lost = EMPTY(nothing.board.lost)},
    .maps = EMPTY(nothing.maps),
    .rack = RACK_NEW,
};

void tcp_flight_init(struct subflow *sf)
{
    sf->flight = (struct tcp_flight *)&nothing;
}

bool tcp_flight_is_made(const struct subflow *sf)
{
    return sf->flight != &nothing;
}

/* If only the second allocation fails, tcp_flight_rest finds the first. */
bool tcp_flight_reserve(struct subflow *sf)
{
    if (sf->flight != &nothing)
        return sent_reserve(sf);
    struct tcp_flight *f = malloc(sizeof(*f));
    if (!f)
        return false;
    *f = (struct tcp_flight){.rack = RACK_NEW};
    list_init(&f->board.runs);
    list_init(&f->board.by_time);
    list_init(&f->board.lost);
    list_init(&f->maps);
    mem_take(tcp_payer(sf), FLIGHT_COST);
    sf->flight = f;
    return sent_reserve(sf);
}

void tcp_flight_free(struct subflow *sf)
{
    if (sf->flight == &nothing)
        return;
    sent_forget_spare(sf);
    mem_give(tcp_payer(sf), FLIGHT_COST);
    free(sf->flight);
    tcp_flight_init(sf);
}

/* A DSACK may yet come and answer a probe of the tail; and without SACK, duplicate ACKs of a recovery that is
 * over begin no other one (RFC 6582 section 3.2). */
static bool to_remember(const struct subflow *sf)
{
    return sf->flight->tlp_end != 0 || (!sf->syn.sack_ok && sf->flight->recovery.point != 0);
}

/* At the end of a batch and not with the last ACK, since an owner that answers requests sends again in
 * the same batch. */
void tcp_flight_rest(struct subflow *sf)
{
    const struct tcp_flight *f = sf->flight;

    if (f == &nothing || !list_empty(&f->board.runs) || !list_empty(&f->maps))
        return;
    if (to_remember(sf))
        sent_forget_spare(sf);
    else
        tcp_flight_free(sf);
}
