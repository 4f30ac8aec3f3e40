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

/* Segments with payload that leave for the first time. */
static inline void tcp_count_sent(struct subflow *sf, unsigned segments)
{
    tcp_count(sf, COUNT_TCP_OUT_SEGS, segments);
    sf->books->sent += segments;
}

static inline void tcp_count_again(struct subflow *sf, unsigned segments)
{
    tcp_count(sf, COUNT_TCP_RETRANS_SEGS, segments);
    sf->books->again += segments;
}

static inline void tcp_take_rtt(struct subflow *sf, int64_t rtt_us, braid_time now)
{
    rtt_sample(&sf->rtt, rtt_us, now);
    books_take_rtt(sf->books, rtt_us);
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

/* The parts of a subflow that begin with something else than zeros (subflow.c). */
void tcp_parts_init(struct subflow *sf);

/* Is anything not cumulatively acknowledged? */
static inline bool tcp_outstanding(const struct subflow *sf)
{
    return !list_empty(&sf->flight->board.runs);
}

#endif
