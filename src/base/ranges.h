/* A set of disjoint, sorted, non-adjacent ranges [start, end) of 64-bit numbers. An empty one takes no
 * memory. */
#ifndef BRAID_BASE_RANGES_H
#define BRAID_BASE_RANGES_H

#include <stdbool.h>
#include <stdint.h>

struct range {
    uint64_t start, end;
};

struct ranges {
    uint32_t n, cap;
    struct range *r; /* NULL: cap is 0 */
};

/* All zeros are an empty set as well. */
void ranges_init(struct ranges *s);
void ranges_free(struct ranges *s);
/* Room for so many ranges, of which there are none yet. -1: memory is short. */
int ranges_reserve(struct ranges *s, uint32_t cap);
/* Adds [start, end), merging. 0, or -1 if memory is short (the set is unchanged). start < end. */
int ranges_add(struct ranges *s, uint64_t start, uint64_t end);
/* Removes [start, end). 0, or -1 if a split needed memory and there was none. */
int ranges_subtract(struct ranges *s, uint64_t start, uint64_t end);
/* True if all of [start, end) is in the set. */
bool ranges_contains(const struct ranges *s, uint64_t start, uint64_t end);
/* True if any byte of [start, end) is in the set. */
bool ranges_intersects(const struct ranges *s, uint64_t start, uint64_t end);
/* Index of the first range whose end is > at; n if none. */
uint32_t ranges_find(const struct ranges *s, uint64_t at);
/* Sum of the ranges' lengths. */
uint64_t ranges_total(const struct ranges *s);

#endif
