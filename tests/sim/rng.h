/* Reproducible randomness (splitmix64). Every part of a simulation draws from a generator of its own, so that
 * a change in one part does not shift the numbers of the others. */
#ifndef SIM_RNG_H
#define SIM_RNG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct rng {
    uint64_t state;
};

/* A generator for one purpose, tag, of the scenario with this seed. */
struct rng rng_make(uint64_t seed, uint64_t tag);
/* A good hash of one number: the step of splitmix64. */
uint64_t rng_mix(uint64_t x);
uint64_t rng_next(struct rng *r);
/* In [0, n); n > 0. */
uint64_t rng_below(struct rng *r, uint64_t n);
/* In [lo, hi], evenly. */
int64_t rng_range(struct rng *r, int64_t lo, int64_t hi);
/* In [lo, hi], each order of magnitude as likely as the others; lo > 0. */
int64_t rng_log_range(struct rng *r, int64_t lo, int64_t hi);
/* True with probability p. */
bool rng_chance(struct rng *r, double p);
void rng_fill(struct rng *r, void *buf, size_t len);

#endif
