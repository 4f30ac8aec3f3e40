/* A range of port numbers, counted from its first one. */
#ifndef BRAID_BASE_PORT_RANGE_H
#define BRAID_BASE_PORT_RANGE_H

#include <stdint.h>

struct port_range {
    uint16_t first, last; /* both are part of it; first <= last */
};

static inline uint32_t port_range_count(struct port_range r)
{
    return (uint32_t)(r.last - r.first) + 1;
}

/* Its n-th port, from 0; behind the last one comes the first again. */
static inline uint16_t port_range_at(struct port_range r, uint32_t n)
{
    return (uint16_t)(r.first + n % port_range_count(r));
}

#endif
