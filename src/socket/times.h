/* The library's clocks: neither is set by anybody. */
#ifndef BRAID_SOCKET_TIMES_H
#define BRAID_SOCKET_TIMES_H

#include <stdint.h>
#include <time.h>

static inline int64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Cheaper, for what ordinary calls look at. */
static inline time_t now_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC_COARSE, &t);
    return t.tv_sec;
}

#endif
