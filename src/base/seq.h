/* Sequence arithmetic. On the wire TCP sequence numbers have 32 bits and wrap; inside, every sequence number
 * is a 64-bit offset that never wraps, and only input and output convert. */
#ifndef BRAID_BASE_SEQ_H
#define BRAID_BASE_SEQ_H

#include <stdbool.h>
#include <stdint.h>

static inline bool seq32_before(uint32_t a, uint32_t b)
{
    return (int32_t)(a - b) < 0;
}

static inline bool seq64_before(uint64_t a, uint64_t b)
{
    return (int64_t)(a - b) < 0;
}

/* The 64-bit number nearest to `near` whose low 32 bits are `low`. May lie on either side of `near`. */
static inline uint64_t seq_extend(uint64_t near, uint32_t low)
{
    return near + (uint64_t)(int64_t)(int32_t)(low - (uint32_t)near);
}

#endif
