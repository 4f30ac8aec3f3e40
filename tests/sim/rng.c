/* Splitmix64 and distributions on top of it. */
#include "rng.h"

#include <math.h>
#include <string.h>

uint64_t rng_mix(uint64_t x)
{
    x += 0x9e3779b97f4a7c15u;
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
    x = (x ^ x >> 27) * 0x94d049bb133111ebu;
    return x ^ x >> 31;
}

struct rng rng_make(uint64_t seed, uint64_t tag)
{
    return (struct rng){rng_mix(rng_mix(seed) ^ tag)};
}

uint64_t rng_next(struct rng *r)
{
    uint64_t x = rng_mix(r->state);

    r->state += 0x9e3779b97f4a7c15u;
    return x;
}

uint64_t rng_below(struct rng *r, uint64_t n)
{
    return (uint64_t)((unsigned __int128)rng_next(r) * n >> 64);
}

int64_t rng_range(struct rng *r, int64_t lo, int64_t hi)
{
    return lo + (int64_t)rng_below(r, (uint64_t)(hi - lo) + 1);
}

int64_t rng_log_range(struct rng *r, int64_t lo, int64_t hi)
{
    double u = (double)(rng_next(r) >> 11) / 9007199254740992.0;
    int64_t x = (int64_t)llround((double)lo * pow((double)hi / (double)lo, u));

    return x < lo ? lo : x > hi ? hi : x;
}

bool rng_chance(struct rng *r, double p)
{
    return (double)(rng_next(r) >> 11) / 9007199254740992.0 < p;
}

void rng_fill(struct rng *r, void *buf, size_t len)
{
    uint8_t *p = buf;

    while (len > 0) {
        uint64_t x = rng_next(r);
        size_t n = len < sizeof(x) ? len : sizeof(x);

        memcpy(p, &x, n);
        p += n;
        len -= n;
    }
}
