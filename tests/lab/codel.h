/* CoDel, the state of RFC 8289 section 5. */
#ifndef LAB_CODEL_H
#define LAB_CODEL_H

#include <stdbool.h>
#include <stdint.h>

struct codel {
    bool dropping;
    int64_t first_above; /* ns: when a standing queue will have lasted for an interval; 0: there is none */
    int64_t drop_next;   /* ns */
    uint32_t count, last_count;
};

/* Whether the packet that reaches the head of the queue at `now` is to be dropped. sojourn: how long it
 * waited; backlog: bytes behind it; target and interval in nanoseconds. */
bool codel_drops(struct codel *c, int64_t now, int64_t sojourn, uint64_t backlog, int64_t target,
                 int64_t interval);

#endif
