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

/* `len` bytes leave in segments of `each`. False: one of those that left before begins or ends in the middle
 * of one of these. Of what is before `acked` nothing need be known any more. */
bool borders_add(struct borders *b, uint64_t at, uint32_t len, uint32_t each, uint64_t acked);
void borders_free(struct borders *b);

#endif
