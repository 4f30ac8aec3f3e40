/* For property tests: random numbers (xorshift64*), the same in every run, and a cheap assertion. */
#ifndef BRAID_TESTS_PROPERTY_H
#define BRAID_TESTS_PROPERTY_H

#include <check.h>
#include <stdint.h>

/* For conditions checked a great many times: the assertions of Check make a system call each. */
#define must(condition)                                                                                      \
    do {                                                                                                     \
        if (!(condition))                                                                                    \
            ck_abort_msg("not so: %s", #condition);                                                          \
    } while (0)

static inline uint64_t rng_next(uint64_t *state)
{
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return *state * 0x2545f4914f6cdd1dULL;
}

/* 0 .. n-1 */
static inline uint64_t rng_below(uint64_t *state, uint64_t n)
{
    return rng_next(state) % n;
}

#endif
