/* See books.h. */
#include "tcp/books.h"

#include "tcp/rtt.h"

const int64_t braid_rtt_bounds[BRAID_RTT_BOUNDS] = {
    1 * BRAID_MS,   2 * BRAID_MS,   5 * BRAID_MS,   10 * BRAID_MS,    20 * BRAID_MS,    50 * BRAID_MS,
    100 * BRAID_MS, 200 * BRAID_MS, 500 * BRAID_MS, 1 * BRAID_SECOND, 2 * BRAID_SECOND, 5 * BRAID_SECOND,
};

void books_take_rtt(struct tcp_books *b, int64_t rtt_us)
{
    unsigned i = 0;
    while (i < BRAID_RTT_BOUNDS && rtt_us > braid_rtt_bounds[i])
        i++;
    b->rtt.samples[i]++;
    b->rtt.sum_us += (uint64_t)(rtt_us < 1 ? 1 : rtt_us > RTT_RTO_MAX ? RTT_RTO_MAX : rtt_us);
}
