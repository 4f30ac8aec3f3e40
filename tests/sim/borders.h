/* Where the segments of one end of a TCP connection began and ended, whenever they left. */
#ifndef SIM_BORDERS_H
#define SIM_BORDERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct borders {
    uint64_t *at; /* ascending */
    size_t n, cap;
};

/* A segment leaves. False: one of those that left before begins or ends in the middle of it. */
bool borders_add(struct borders *b, uint64_t start, uint64_t end);
/* Those before `before` are of interest no more. */
void borders_drop(struct borders *b, uint64_t before);
void borders_free(struct borders *b);

#endif
