/* Small things that the files of src/tcp share with each other and nobody else. */
#ifndef BRAID_TCP_INTERNAL_H
#define BRAID_TCP_INTERNAL_H

#include "tcp/subflow.h"

static inline uint64_t min_u64(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static inline uint64_t max_u64(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

static inline void tcp_count(struct subflow *sf, enum braid_counter c, uint64_t n)
{
    sf->env->count.v[c] += n;
}

/* Our clock in the peer's eyes: milliseconds, with an offset that tells nobody since when this machine runs.
 */
static inline uint32_t tcp_tsval(const struct subflow *sf, braid_time now)
{
    return (uint32_t)(now / BRAID_MS) + sf->ts.offset;
}

/* Who pays for parts of the subflow itself: whoever pays for the subflow, the core if there is one. */
static inline struct mem_account *tcp_payer(const struct subflow *sf)
{
    return sf->account->parent ? sf->account->parent : sf->account;
}

/* Is anything not cumulatively acknowledged? */
static inline bool tcp_outstanding(const struct subflow *sf)
{
    return !list_empty(&sf->flight->board.runs);
}

#endif
